"""The report of published evidence alone: the article's question in its own form, every number with its source."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from bothways.reports import render
from bothways.study import evidence

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def facts() -> dict:
    return evidence().facts()


def test_the_facts_keep_to_the_published_schema(facts: dict) -> None:
    schema = json.loads((ROOT / "docs" / "facts-schema.json").read_text())
    assert list(Draft202012Validator(schema).iter_errors(facts)) == []
    assert facts["kind"] == "evidence"


def test_the_form_is_the_articles(facts: dict) -> None:
    text = render(facts, "markdown", "researcher")
    headings = [line.lstrip("# ") for line in text.splitlines() if line.startswith("#")]
    order = ["The short answer", "Can depression lead to back pain?", "Can back pain lead to depression?",
             "Why do studies disagree?", "The final word", "References", "Getting help"]  # fmt: skip
    places = [next(i for i, h in enumerate(headings) if h.startswith(title)) for title in order]
    assert places == sorted(places)


def test_the_words_are_ones_an_epidemiologist_would_sign(facts: dict) -> None:
    text = render(facts, "terminal", "researcher")
    words = " ".join(text.split())
    assert "hazard ratio 3.97 (1.81 to 8.72)" in words
    assert "highest versus lowest quartile" in words
    assert "monozygotic pairs discordant for low back pain: 0.92 (0.42 to 2.05)" in words
    assert "Within the same person" in words
    assert "Nothing was pooled here" in words
    assert " proves " not in words
    assert " causes back pain" not in words


def test_every_source_is_among_the_references_with_its_state(facts: dict) -> None:
    page = render(facts, "html", "researcher")
    table = next(t for t in facts["tables"] if t["key"] == "references")
    dois = [row[2] for row in table["rows"] if row[2]]
    assert dois
    assert all(f"https://doi.org/{doi}" in page for doi in dois)


def test_an_unconfirmed_number_is_neither_drawn_nor_pooled(facts: dict) -> None:
    from bothways.reports.evidence import ladder_rows

    for way in ("a_to_b", "b_to_a"):
        table = next(t for t in facts["tables"] if t["key"] == f"ladder_{way}")
        rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
        loose = {row["estimate"] for row in rows if row["number"] != "confirmed" and row["estimate"] is not None}
        drawn = {rung["value"] for rung in ladder_rows(facts, way)}
        assert not loose & drawn
        assert len(drawn) >= 5


def test_estimates_of_ones_own_join_the_shipped_ones(tmp_path: Path, facts: dict) -> None:
    shipped = evidence().outcome.topic.evidence
    mine = tmp_path / "mine.json"
    row = json.loads((ROOT / "src/bothways/topics/data/depression-back-pain/evidence.json").read_text())
    first = row[0] if isinstance(row, list) else row["evidence"][0]
    mine.write_text(json.dumps({"evidence": [{**first, "id": "mine_2026"}]}))
    assert len(evidence(file=mine).outcome.topic.evidence) == len(shipped) + 1


def test_every_kind_of_comparison_can_be_drawn() -> None:
    from bothways.designs.literature.place import Group
    from bothways.reports.evidence import COMPARED

    assert {group.value for group in Group} == set(COMPARED)


def test_every_pathway_and_circumstance_has_its_place_and_its_published_legs(facts: dict) -> None:
    text = " ".join(render(facts, "markdown", "researcher").split())
    for circumstance in facts["topic"]["circumstances"]:
        assert circumstance["label"] in text
    for pathway in facts["topic"]["pathways"]:
        assert pathway["standing"] in text
    figure = render(facts, "html").split('id="loop-title"')[1].split("</svg>")[0]
    for drawn in ("1.40", "1.22 to 1.60", "3.47", "1.97 to 6.03", "in words"):
        assert f">{drawn}<" in figure
    assert "not asked" not in text.split("## Through what?")[1].split("## Why do studies disagree?")[0]
