"""Sources that contradict each other on order or on which way is stronger: said, and none is dropped."""

from __future__ import annotations

import pytest

from bothways.terms.answer import Answer, Estimand, Estimate, Status
from bothways.terms.question import Condition, Direction, Facet, Pair, Question, Scale
from bothways.terms.verdict import Word
from bothways.verdicts.order import order_verdict, stronger

PAIR = Pair(Condition("depression", "depression"), Condition("back_pain", "back pain"))
A_FIRST, B_FIRST = Direction.A_TO_B, Direction.B_TO_A


def share(source: str, first: Direction, low: float) -> Answer:
    estimate = Estimate(low + 0.1, low, low + 0.2, 0.05, Scale.SHARE, 500)
    question = Question(PAIR, Facet.FIRST, first)
    return Answer(
        source, question, "onset", "chain", Estimand.ORDER_SHARE, Status.ANSWERED, estimate=estimate, expected=0.5
    )


def contrast(source: str, low: float, high: float) -> Answer:
    estimate = Estimate((low + high) / 2, low, high, 0.05, Scale.SD_PER_SD, 500)
    question = Question(PAIR, Facet.STRENGTH, Direction.JOINT)
    return Answer(
        source,
        question,
        "panel",
        "ri-clpm",
        Estimand.DIRECTION_CONTRAST,
        Status.ANSWERED,
        estimate=estimate,
        headline=True,
    )


@pytest.mark.parametrize("names", [("one", "two"), ("two", "one")])
def test_sources_that_name_different_conditions_disagree(names: tuple[str, str]) -> None:
    verdict = order_verdict((share(names[0], A_FIRST, 0.6), share(names[1], B_FIRST, 0.6)), PAIR)
    assert verdict.word is Word.DISAGREE
    assert "disagree" in verdict.sentence


def test_an_undecided_source_contradicts_nothing() -> None:
    verdict = order_verdict((share("one", A_FIRST, 0.6), share("two", B_FIRST, 0.4)), PAIR)
    assert verdict.word is Word.PREDICTS
    assert verdict.sentence.startswith("Depression came first")


@pytest.mark.parametrize("names", [("one", "two"), ("two", "one")])
def test_contrasts_of_opposite_sign_tell_nothing(names: tuple[str, str]) -> None:
    assert stronger((contrast(names[0], 0.1, 0.3), contrast(names[1], -0.3, -0.1))) == (None, "")


def test_contrasts_of_one_sign_tell_the_stronger_way() -> None:
    assert stronger((contrast("one", 0.1, 0.3), contrast("two", -0.1, 0.2))) == (A_FIRST, "panel")
