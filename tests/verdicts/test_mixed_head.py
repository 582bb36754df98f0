"""What the head says of single lines: of both ways, or of the one alone that rests on one."""

from __future__ import annotations

from tests.reports.outcomes import A_TO_B, B_TO_A, PAIR, SETTINGS, answer, estimate, outcome, panel

from bothways.terms.answer import DesignResult, Estimand
from bothways.verdicts import weigh
from bothways.verdicts.words import leans_on


def family(way: object) -> DesignResult:
    """A second line that points the same way."""
    row = answer(way, estimate(0.2, 0.05), design="family", model="pairs", line="B", estimand=Estimand.CROSS_LAG)  # type: ignore[arg-type]
    return DesignResult("family", (row,))


def test_one_line_is_not_said_of_a_way_that_two_support() -> None:
    told = weigh(PAIR, (panel(), family(A_TO_B)), SETTINGS)
    assert told.short_answer.startswith("Both ways: ")
    assert told.short_answer.count("on one line of evidence") == 1
    before, _ = told.short_answer.split(" (on one line of evidence)")
    assert before.endswith("back pain comes before and predicts more depression")


def test_swapped_it_is_said_of_the_other() -> None:
    told = weigh(PAIR, (panel(), family(B_TO_A)), SETTINGS)
    before, _ = told.short_answer.split(" (on one line of evidence)")
    assert before.endswith("depression comes before and predicts more back pain")


def test_said_of_both_where_both_rest_on_one() -> None:
    assert outcome(panel()).verdict.short_answer.startswith("Both ways, on one line of evidence: ")
    assert (leans_on(0, 2, 1), leans_on(1, 2, 1), leans_on(1, 1, 1)) == ("", "", ", on one line of evidence")
