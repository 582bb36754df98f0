"""Errors, directions and scales."""

from __future__ import annotations

import pickle

import pytest

from bothways.terms.errors import BothwaysError, RecordsError
from bothways.terms.question import Condition, Direction, Facet, Pair, Question, Scale

PAIR = Pair(Condition("depression", "depression"), Condition("back_pain", "back pain"))


def test_an_error_is_two_sentences_with_place_find_and_mend() -> None:
    error = RecordsError("diary.csv, column 'pain'", "41 of 2,310 values lie outside 0-10", "Give --range pain=0:100")
    assert str(error) == "diary.csv, column 'pain': 41 of 2,310 values lie outside 0-10. Give --range pain=0:100."
    assert isinstance(error, BothwaysError)


def test_errors_survive_the_way_between_processes() -> None:
    error = pickle.loads(pickle.dumps(RecordsError("a", "b", "c?")))
    assert str(error) == "a: b. c?"


def test_mirroring_a_question_twice_gives_it_back() -> None:
    question = Question(PAIR, Facet.STRENGTH, Direction.A_TO_B)
    assert question.mirrored().mirrored() == question
    assert question.mirrored().direction.ends(question.mirrored().pair) == question.direction.ends(PAIR)


@pytest.mark.parametrize("scale", list(Scale))
def test_only_ratios_have_their_null_at_one(scale: Scale) -> None:
    assert scale.null == (1.0 if "ratio" in scale else 0.0)
