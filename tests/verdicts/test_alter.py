"""Altered records, against the definition spelled out person by person."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.lagged import records_of, wide, with_events

from bothways.terms.records import Records
from bothways.verdicts.challenges.alter import (
    keep_people,
    keep_rows,
    person_means,
    reversed_time,
    shuffled_people,
)


def ragged(seed: int, people: int = 7, waves: int = 5) -> Records:
    """People who missed some waves altogether, some answers, with a baseline and events."""
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, people, waves))
    a[random.random(a.shape) < 0.2] = np.nan
    gone = random.random(a.shape) < 0.2
    gone[:, random.integers(waves)] = False  # one wave that everybody has
    a[gone] = b[gone] = np.nan
    base = {"age": random.normal(size=people)}
    made = records_of(a, b, baseline=base)
    who = random.integers(people, size=6).tolist()
    return with_events(made, sorted(who), random.uniform(0, 120, 6).tolist(), random.integers(2, size=6).tolist())


def lives(records: Records) -> list[dict[str, object]]:
    """Each person told in full, in their order, without their number."""
    told = []
    for p in range(records.people):
        rows = records.person == p
        events = records.events["depression"]
        own = events.person == p
        told.append(
            {
                "time": records.time[rows].tolist(),
                "a": np.nan_to_num(records.values["depression"][rows], nan=99).tolist(),
                "b": np.nan_to_num(records.values["back_pain"][rows], nan=99).tolist(),
                "age": float(records.baseline["age"][p]),
                "events": sorted(zip(events.time[own].tolist(), events.onset[own].tolist(), strict=True)),
            }
        )
    return told


def assert_sound(records: Records) -> None:
    """What every records must be: sorted by person and time, numbered without a gap, as long everywhere."""
    assert np.array_equal(np.unique(records.person), np.arange(records.people))
    assert np.all(np.diff(records.person) >= 0)
    same = np.diff(records.person) == 0
    assert np.all(np.diff(records.time)[same] > 0)
    assert records.wave is not None
    assert np.all(np.diff(records.wave)[same] > 0)
    assert np.array_equal(np.unique(records.wave), np.arange(records.waves or 0))
    assert all(column.size == records.rows for column in records.values.values())
    assert all(column.size == records.people for column in records.baseline.values())
    assert records.wave_days is not None
    assert records.wave_days.size == records.waves
    assert all(e.person.max(initial=0) < records.people for e in records.events.values())


@given(st.integers(0, 10_000), st.lists(st.booleans(), min_size=7, max_size=7))
def test_kept_people_keep_their_whole_lives(seed: int, keep: list[bool]) -> None:
    records = ragged(seed)
    if not any(keep):
        return
    kept = keep_people(records, np.array(keep))
    assert_sound(kept)
    assert lives(kept) == [life for life, stays in zip(lives(records), keep, strict=True) if stays]


@given(st.integers(0, 10_000), st.integers(0, 4))
def test_without_a_wave_the_others_close_up(seed: int, left: int) -> None:
    records = ragged(seed)
    rows = records.wave != left
    kept = keep_rows(records, rows)
    assert_sound(kept)
    whole = wide(records, "back_pain")
    others = [w for w in range(5) if w != left and (records.wave == w).any()]
    present = [p for p in range(records.people) if rows[records.person == p].any()]
    expected = whole[np.ix_(present, others)]
    np.testing.assert_array_equal(wide(kept, "back_pain"), expected)
    assert kept.wave_days is not None
    assert kept.wave_days.tolist() == [30.0 * w for w in others]
    assert [life["age"] for life in lives(kept)] == [float(records.baseline["age"][p]) for p in present]


@given(st.integers(0, 10_000))
def test_lives_told_backwards(seed: int) -> None:
    records = ragged(seed)
    back = reversed_time(records)
    assert_sound(back)
    np.testing.assert_array_equal(wide(back, "depression"), wide(records, "depression")[:, ::-1])
    ends = float(records.time.max() + records.time.min())
    for before, after in zip(lives(records), lives(back), strict=True):
        assert after["time"] == [ends - t for t in reversed(before["time"])]  # type: ignore[call-overload]
        assert after["events"] == sorted((ends - t, 1 - onset) for t, onset in before["events"])  # type: ignore[attr-defined]
    assert [life["b"] for life in lives(reversed_time(back))] == [life["b"] for life in lives(records)]


@given(st.integers(0, 10_000))
def test_shuffled_people_keep_each_course_whole_and_hand_it_on(seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.normal(size=(2, 9, 4))
    records = records_of(a, b)
    mixed = shuffled_people(records, "back_pain", np.random.default_rng(seed))
    donor = np.random.default_rng(seed).permutation(9)
    np.testing.assert_array_equal(wide(mixed, "depression"), a)
    np.testing.assert_array_equal(wide(mixed, "back_pain"), b[donor])


def test_shuffling_needs_common_occasions() -> None:
    with pytest.raises(AssertionError):
        shuffled_people(replace(ragged(0), wave=None), "back_pain", np.random.default_rng(0))


def test_means_of_people() -> None:
    records = records_of(np.array([[1.0, 3.0], [np.nan, np.nan]]), np.array([[0.0, 1.0], [2.0, np.nan]]))
    np.testing.assert_array_equal(person_means(records, "depression"), [2.0, np.nan])
    np.testing.assert_array_equal(person_means(records, "back_pain"), [0.5, 2.0])
