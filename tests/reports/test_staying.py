"""The section "Who stays ill?": apart from every other, in words that its numbers earn."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.reports.outcomes import A_TO_B, B_TO_A, answer, estimate, onset, outcome

from bothways.reports.document import Section
from bothways.reports.facts import facts_of
from bothways.reports.figures import draw
from bothways.reports.markdown import markdown
from bothways.reports.page import page
from bothways.reports.sections import document_of
from bothways.reports.terminal import terminal
from bothways.reports.whom import circumstances_grid, whom
from bothways.terms.answer import Answer, Estimand, Status
from bothways.terms.question import Direction, Facet, Population, Scale

WITH = "depression present against absent, at the same moment"
STAGES = "lasting against recent back pain, at the same moment"


def ratio(
    name: str, way: Direction, what: tuple[Estimand, str, str], value: float, half: float, says: str = ""
) -> Answer:
    estimand, target, contrast = what
    numbers = None if says else estimate(value, half, Scale.RATE_RATIO, events=40)
    row = answer(way, numbers, design="onset", model="stages", estimand=estimand, facet=Facet.PERSISTENCE,
                 name=f"onset.persistence.{name}", says=says, lag_days=None, headline=False)  # fmt: skip
    return replace(row, target=target, contrast=contrast)


def share(name: str, value: float) -> Answer:
    what = "a new episode of back pain turns lasting"
    row = answer(A_TO_B, estimate(value, 0.05, Scale.PROBABILITY), design="onset", model="stages",
                 facet=Facet.PERSISTENCE, estimand=Estimand.STATE_PROBABILITY, name=f"onset.persistence.{name}",
                 lag_days=None, headline=False)  # fmt: skip
    return replace(row, target=what, contrast="", horizon_days=365.25)


ASKED = (
    ratio("turns", A_TO_B, (Estimand.PERSISTENCE_RATIO, "a recent episode of back pain turns lasting", WITH), 2.0, 1.3),
    ratio("stage", B_TO_A, (Estimand.INTERACTION, "onset of depression", STAGES), 1.2, 1.6),
    ratio("new", A_TO_B, (Estimand.RATE_RATIO, "a new episode of back pain", WITH), 1.0, 1.1),
    ratio("end", A_TO_B, (Estimand.RECOVERY_RATIO, "end of recent back pain", WITH), 1.0, 1.1, "seen 3 and 60 times"),
    share("with", 0.43),
    share("without", 0.26),
)


def facts(*rows: Answer) -> dict:
    return facts_of(outcome(replace(onset(), answers=(*onset().answers, *rows))))


def section(*rows: Answer) -> Section | None:
    return next((s for s in document_of(facts(*rows)).sections if s.key == "persistence"), None)


def test_without_such_answers_there_is_no_such_section() -> None:
    assert section() is None


@pytest.mark.parametrize("reading", [markdown, terminal, page])
def test_every_reading_tells_each_ratio_by_its_interval(reading: object) -> None:
    text = " ".join(reading(facts(*ASKED)).replace("\u00a0", " ").split())  # type: ignore[operator]
    for said in (
        "A recent episode of back pain turns lasting 2.00 times as often with depression as without it (95% interval",
        "Onset of depression: whether it was as frequent with lasting as with recent back pain cannot be told (1.20",
        "A new episode of back pain was about as frequent with depression as without it: 1.00 times",
        "Seen 3 and 60 times.",
        "with depression on the day it begins, and in 26%",
    ):
        assert said in text, said


def test_it_neither_moves_the_verdict_nor_enters_another_section() -> None:
    bare, whole = facts(), facts(*ASKED)
    assert whole["verdict"] == bare["verdict"]
    assert whole["whom"] == bare["whom"]
    assert whom(whole) == whom(bare)
    others = [[s for s in document_of(f).sections if s.key != "persistence"] for f in (bare, whole)]
    assert [s.key for s in others[0]] == [s.key for s in others[1]]
    for one, other in zip(*others, strict=True):
        assert one.blocks == other.blocks, one.key
    assert all(whole["words"]["answers"][a.id]["plain"] == "" for a in ASKED)


def test_a_refusal_stands_alone_with_its_reason() -> None:
    says = "that back pain is lasting was made from the same answers"
    row = replace(ratio("turns", A_TO_B, (Estimand.PERSISTENCE_RATIO, "", ""), 1, 1, says), status=Status.REFUSED)
    made = section(row)
    assert made is not None
    assert [b.text for b in made.blocks] == ["That back pain is lasting was made from the same answers."]  # type: ignore[union-attr]


def test_the_figure_draws_each_ratio_and_no_share() -> None:
    told = facts(*ASKED)
    figure = next(b for b in section(*ASKED).blocks if getattr(b, "key", "") == "staying")  # type: ignore[union-attr]
    drawn = draw(figure, told)  # type: ignore[arg-type]
    assert len(figure.grid.rows) == 3  # type: ignore[union-attr]
    for name in ("A recent episode turns lasting", "Lasting against recent", "A new episode"):
        assert name in drawn


def test_a_circumstance_that_was_asked_as_a_stage_is_not_called_unasked() -> None:
    row = ASKED[1]
    told = replace(row, question=replace(row.question, population=Population(where="chronic=1")))
    (without,), (asked,) = circumstances_grid(facts()).rows, circumstances_grid(facts(told)).rows
    assert without[1] == "not asked"
    assert asked[1] == "asked: see “Who stays ill?”"
