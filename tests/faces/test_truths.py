"""The truth beside an answer is the truth of that answer, or it is not shown."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bothways.simulation import simulate
from bothways.study.road import true_value
from bothways.terms.answer import Answer, Estimand, Status
from bothways.terms.question import Direction, Facet, Question, Scale


@pytest.fixture(scope="module")
def asked() -> tuple[object, Answer]:
    world = simulate("both-ways", people=40, seed=1, design="onset")
    question = Question(world.records.pair, Facet.FIRST, Direction.A_TO_B, Scale.SHARE)
    return world, Answer("x", question, "onset", "chain", Estimand.ORDER_SHARE, Status.ANSWERED, horizon_days=365.25)


def test_a_state_has_no_truth_that_fits_every_horizon_and_intervention(asked: tuple[object, Answer]) -> None:
    world, answer = asked
    assert true_value(world, replace(answer, estimand=Estimand.STATE_PROBABILITY)) is None  # type: ignore[arg-type]


def test_the_share_whose_order_was_not_seen_is_not_that_of_a_first(asked: tuple[object, Answer]) -> None:
    world, answer = asked
    joint = replace(answer, question=replace(answer.question, direction=Direction.JOINT))
    assert true_value(world, joint) is None  # type: ignore[arg-type]


def test_a_share_is_over_the_answers_own_horizon(asked: tuple[object, Answer]) -> None:
    world, answer = asked
    question = replace(answer.question, horizon=365.25)
    assert true_value(world, answer) == world.truth(question, Estimand.ORDER_SHARE).value  # type: ignore[attr-defined,arg-type]
