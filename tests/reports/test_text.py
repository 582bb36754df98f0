"""Markdown, terminal text and saved tables: snapshots of the words, widths, and tables that read back."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from tests.reports.outcomes import DESCRIPTION, FINDINGS, FULL, NOTHING, OUTCOMES, PLAIN, SOURCE, TWO

from bothways.reports import facts_of, render, render_look, tables_as_apa, tables_as_csv

SNAPSHOTS = Path(__file__).parent / "snapshots"


@pytest.mark.parametrize(("name", "reader"), [("full", "patient"), ("two", "clinician"), ("nothing", "clinician")])
def test_the_words_of_a_report(name: str, reader: str) -> None:
    """A change of words is seen as a change of these files; ``snapshots/*.txt`` are the terminal's text."""
    kept = (SNAPSHOTS / f"{name}.{reader}.txt").read_text("utf-8")
    assert render(facts_of(OUTCOMES[name]), "terminal", reader) == kept


@pytest.mark.parametrize("reader", ["patient", "clinician", "researcher"])
@pytest.mark.parametrize("name", OUTCOMES)
def test_the_terminal_keeps_to_eighty_columns(name: str, reader: str) -> None:
    lines = render(facts_of(OUTCOMES[name]), "terminal", reader).splitlines()
    long = [line for line in lines if len(line) > 80 and " " in line.strip()]
    assert long == []


def test_look_shows_findings_and_tables() -> None:
    text = render_look(SOURCE, FINDINGS, DESCRIPTION)
    assert text.startswith("panel.csv: 1,000 people, 5,000 rows.")
    assert "Warning: 12 values lie outside 0-10. (9 people) Give --range pain 0 100." in " ".join(text.split())
    assert "0.43" in text


def test_every_table_saves_as_csv_and_reads_back() -> None:
    saved = tables_as_csv(facts_of(FULL))
    assert {"answers", "forest", "challenges", "findings", "coverage", "fit_0_parameters", "answers_full"} <= set(saved)
    for text in saved.values():
        rows = list(csv.reader(io.StringIO(text)))
        assert len({len(row) for row in rows}) == 1
    full = list(csv.DictReader(io.StringIO(saved["answers_full"])))
    assert float(full[0]["low"]) == FULL.results[0].answers[0].estimate.low  # type: ignore[union-attr]


def test_tables_in_apa_form_are_numbered_and_ruled() -> None:
    text = tables_as_apa(facts_of(PLAIN))
    assert text.startswith("**Table 1**\n\n*The answer at a glance*\n\n| Way | Word |")
    assert "The smallest effect was set before any estimate was seen." in text
    assert "*Note.* All rows, " in text


def test_markdown_tables_have_as_many_cells_as_heads() -> None:
    for made in OUTCOMES.values():
        rows: list[int] = []
        for line in render(facts_of(made), "markdown", "researcher").splitlines():
            if line.startswith("|"):
                rows.append(line.replace("\\|", "").count("|"))
            elif rows:
                assert len(set(rows)) == 1
                rows = []


def test_a_study_that_could_not_answer_says_why_and_shows_what_there_is() -> None:
    text = " ".join(render(facts_of(NOTHING), "terminal", "researcher").split())
    assert "Panel of waves: there is one wave only. Add a later wave." in text
    assert "People who answered, by wave" in text
    assert "Records of the same people over time, with depression asked about before back pain, would tell." in text


def test_two_waves_are_said_in_the_first_sentence() -> None:
    text = " ".join(render(facts_of(TWO), "terminal", "patient").split())
    first = text[text.index("Shown one way") :].split(". ")[0]
    assert "with two waves, lasting differences between people are mixed in" in first
    assert "a cause shared by both could look the same" in first


def test_a_course_is_told_in_words_where_no_figure_shows() -> None:
    facts = facts_of(FULL)
    facts["answers"] = [a for a in facts["answers"] if a["estimand"] != "peak_lag"]
    told = render(facts, "terminal").split("How fast?")[1].split("Through what?")[0]
    row = next(a for a in facts["answers"] if a["curve"] and a["estimate"])
    words = facts["words"]["answers"][row["id"]]
    assert f"{words['estimate']} after {words['when']}" in " ".join(told.split())


def test_a_fit_that_failed_is_among_the_reasons() -> None:
    facts = facts_of(NOTHING)
    failed = {
        **facts_of(FULL)["answers"][0],
        "status": "failed",
        "status_says": "It did not settle.",
        "estimate": None,
        "smallest_effect": None,
        "headline": False,
    }
    facts["answers"], facts["refusals"] = [failed], []
    facts["words"]["answers"] = facts_of(FULL)["words"]["answers"]
    assert "Panel of waves: It did not settle." in " ".join(render(facts, "terminal").split())


def test_one_is_one() -> None:
    text = render_look(replace(SOURCE, people=1, rows=1), (replace(FINDINGS[0], people=1),), DESCRIPTION)
    assert "1 person, 1 row." in text
    assert "(1 person)" in " ".join(text.split())


def test_a_design_that_cannot_ask_is_not_promised_by_a_full_run() -> None:
    facts = facts_of(NOTHING)
    for designs, told in ((("trial",), True), (("trial", "panel"), False), ((), False)):
        bare = {**facts, "settings": {**facts["settings"], "designs": designs, "quick": True}}
        text = " ".join(render(bare, "markdown").split())
        assert ("named here do not ask through what" in text) is told
        assert ("named here compare no groups" in text) is told
