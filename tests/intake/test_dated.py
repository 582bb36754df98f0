"""One row per person with dates of onset: states, events and what is wrong with the dates."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from bothways.intake import describe, read
from bothways.terms.errors import RecordsError
from bothways.terms.layout import Layout
from bothways.terms.question import Kind
from bothways.terms.records import Records
from bothways.terms.topic import Topic

COHORT = {
    "id": ["x", "y", "z", "w"],
    "entry": [0.0, 10.0, 0.0, 5.0],
    "depression_onset": [30.0, None, 40.0, 2.0],
    "depression_recovery": [60.0, None, None, None],
    "pain_onset_day": [50.0, 20.0, None, None],
    "exit": [100.0, 90.0, 80.0, 70.0],
    "sex": [0, 1, 1, 1],
}


def rows_of(records: Records, exit_day: float) -> list[tuple[float, float, float]]:
    """(time, depression, back pain) of the person who left on ``exit_day``."""
    last = [p for p in range(records.people) if records.time[records.person == p].max() == exit_day]
    here = records.person == last[0]
    columns = (records.time, records.values["depression"], records.values["back_pain"])
    return list(zip(*(column[here].tolist() for column in columns), strict=True))


def test_states_between_entry_and_exit_by_hand(topic: Topic) -> None:
    records = read(pl.DataFrame(COHORT), topic=topic)
    assert (records.pair.a.kind, records.pair.b.kind) == (Kind.EVENT, Kind.EVENT)
    assert rows_of(records, 100) == [(0, 0, 0), (30, 1, 0), (50, 1, 1), (60, 0, 1), (100, 0, 1)]
    assert rows_of(records, 90) == [(10, 0, 0), (20, 0, 1), (90, 0, 1)]
    assert rows_of(records, 80) == [(0, 0, 0), (40, 1, 0), (80, 1, 0)]
    assert rows_of(records, 70) == [(5, 1, 0), (70, 1, 0)]  # it began before entry
    assert records.roles.guessed == ("id", "time", "a", "b")
    assert describe(records)


def test_events_by_hand(topic: Topic) -> None:
    records = read(pl.DataFrame(COHORT), topic=topic)
    found = records.events["depression"]
    assert sorted(zip(found.time.tolist(), found.onset.tolist(), strict=True)) == [(2, 1), (30, 1), (40, 1), (60, 0)]
    for time, onset, person in zip(found.time, found.onset, found.person, strict=True):
        states = records.values["depression"][(records.person == person) & (records.time >= time)]
        assert states[0] == onset
    assert records.events["back_pain"].onset.tolist() == [1, 1]


def test_dates_and_days_tell_the_same_story(topic: Topic) -> None:
    dates = {
        name: [None if v is None else date(2020, 1, 1) + timedelta(v) for v in column]
        if name not in ("id", "sex")
        else column
        for name, column in COHORT.items()
    }
    one, two = read(pl.DataFrame(COHORT), topic=topic), read(pl.DataFrame(dates), topic=topic)
    np.testing.assert_array_equal(one.time, two.time)
    np.testing.assert_array_equal(one.person, two.person)
    for key in ("depression", "back_pain"):
        np.testing.assert_array_equal(one.values[key], two.values[key])
        np.testing.assert_array_equal(one.events[key].time, two.events[key].time)


def test_letters_and_stated_columns(topic: Topic) -> None:
    plain = pl.DataFrame({"onset_day_a": [3.0, None], "onset_day_b": [None, 4.0], "exit_day": [9.0, 8.0]})
    assert rows_of(read(plain, topic=topic), 9) == [(0, 0, 0), (3, 1, 0), (9, 1, 0)]
    odd = plain.rename({"onset_day_a": "blues_diagnosis", "onset_day_b": "twinge_onset"})
    stated = read(odd, topic=topic, layout=Layout(a=("blues_diagnosis",), b=("twinge_onset",)))
    assert rows_of(stated, 8) == [(0, 0, 0), (4, 0, 1), (8, 0, 1)]


def test_ages_are_years(topic: Topic) -> None:
    ages = pl.DataFrame({"depression_onset_age": [30.0, 40.0], "pain_onset_age": [20.0, None], "age_exit": [50, 50]})
    records = read(ages.rename({"age_exit": "exit"}).with_columns(exit=pl.lit(50 * 365.25)), topic=topic)
    assert sorted(records.events["depression"].time) == [30 * 365.25, 40 * 365.25]


def test_time_that_goes_backwards_is_counted(topic: Topic) -> None:
    wrong = pl.DataFrame(COHORT).with_columns(
        exit=pl.Series([100.0, 90.0, 35.0, 1.0]), depression_recovery=pl.Series([20.0, None, None, None])
    )
    records = read(wrong, topic=topic)
    found = [f for f in records.findings if f.code == "time_backwards"]
    assert sorted((f.message.split(" for ")[0].split(" have ")[0], f.people) for f in found) == [
        ("'depression_onset' lies after exit", 2),
        ("1 person", 1),
        ("recovery lies before 'depression_onset'", 1),
    ]
    assert records.people == 3
    assert rows_of(records, 35) == [(0, 0, 0), (35, 0, 0)]


def test_what_is_not_there_is_said(topic: Topic) -> None:
    bare = pl.DataFrame({"depression_onset": ["2020-03-01", None], "pain_onset": ["2020-02-01", "2021-01-01"]})
    codes = {f.code for f in read(bare, topic=topic).findings}
    assert {"no_entry", "no_exit"} <= codes


def test_dates_beside_day_numbers_are_refused(topic: Topic) -> None:
    mixed = pl.DataFrame({"depression_onset": ["2020-03-01", None], "pain_onset": [3.0, 4.0]})
    with pytest.raises(RecordsError, match=r"some of .* hold dates and others numbers"):
        read(mixed, topic=topic)
    words = pl.DataFrame({"depression_onset": ["last spring", None], "pain_onset": ["2020-01-01", None]})
    with pytest.raises(RecordsError, match="'depression_onset': 1 row of 2 hold neither a number nor a date"):
        read(words, topic=topic)
