"""Diaries that no model can part, and those that one answer or one stretch bends: said, in words, before all else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bothways.designs.diary import DiaryDesign
from bothways.designs.diary.course import course_caveats, refuse_courses
from bothways.designs.diary.whatif import is_unsettled
from bothways.designs.what_if import Course
from bothways.simulation import simulate
from bothways.terms.records import Records
from bothways.terms.settings import Settings


def diary(people: int = 1) -> Records:
    return simulate("null", people=people, waves=80, seed=3, design="diary").records


def with_b(records: Records, b: np.ndarray) -> Records:
    return replace(records, values={**records.values, records.pair.b.key: b})


def codes(records: Records) -> list[str]:
    return [caveat.code for caveat in course_caveats(records)]


@pytest.mark.parametrize("people", [1, 4])
def test_an_ordinary_diary_passes(people: int) -> None:
    assert refuse_courses(diary(people)) is None
    assert codes(diary(people)) == []


@pytest.mark.parametrize("slope", [1.0, -3.0])
def test_one_item_twice_is_refused(slope: float) -> None:
    records = diary()
    twice = with_b(records, 2.0 + slope * records.values[records.pair.a.key])
    refusal = DiaryDesign().refuse(twice, Settings(quick=True))
    assert refusal is not None
    assert "as one throughout" in refusal.reason


def test_a_straight_line_is_refused() -> None:
    records = diary()
    refusal = DiaryDesign().refuse(with_b(records, 1.0 + records.time / 7.0), Settings(quick=True))
    assert refusal is not None
    assert f"{records.pair.b.label} follows a straight line" in refusal.reason


@pytest.mark.parametrize("height", [1e6, -400.0])
def test_an_answer_far_from_all_others_is_said_without_its_value(height: float) -> None:
    records = diary()
    b = records.values[records.pair.b.key].copy()
    b[40] = height
    (caveat,) = course_caveats(with_b(records, b))
    assert caveat.code == "far_answer"
    assert f"{height:g}" not in caveat.text


def test_a_stretch_that_never_changes_is_said() -> None:
    records = diary()
    b = records.values[records.pair.b.key].copy()
    b[40:] = np.nanmedian(b)
    assert codes(with_b(records, b)) == ["unchanging_stretch"]
    b[40:] = np.nanmin(b)
    assert codes(with_b(records, b)) == []  # a floor, which has its own words


@pytest.mark.parametrize(("sd", "unsettled"), [(0.3, False), (3.0, True)])
def test_a_course_wider_than_all_answers_is_not_settled(sd: float, unsettled: bool) -> None:
    draws = np.random.default_rng(1).normal(0.0, sd, (500, 5, 2))
    course = Course("sleep", ("a", "b"), np.arange(5.0), np.zeros((5, 2)), draws, np.ones(2))
    assert is_unsettled(course, 0.95) is unsettled
