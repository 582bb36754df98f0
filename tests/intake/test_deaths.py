"""When people died: read from a long, a wide and a dated table, on the records' own clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import bothways as bw
from bothways.terms.errors import BothwaysError
from bothways.terms.layout import Layout
from bothways.terms.records import Records, TimeUnit


def long_table(time: str = "day", died: object = (None, 50.0, None)) -> pl.DataFrame:
    """Three people at days 0, 30 and 60; the second is asked twice and dies on day 50."""
    rows = [(i, 30 * k, (i + k) % 4, (2 * i + k) % 5) for i in range(3) for k in range(3) if (i, k) != (1, 2)]
    table = pl.DataFrame(rows, schema=["id", time, "depression", "back_pain"], orient="row")
    return table.with_columns(pl.Series("gone", [died[i] for i in table["id"]]))


def read(table: pl.DataFrame, **layout: object) -> Records:
    return bw.read(table, layout=Layout(**layout))


def test_long_tables_of_days() -> None:
    records = read(long_table(), id="id", time="day", death="gone")
    deaths = records.events["death"]
    (who,) = np.unique(deaths.person)
    assert records.time[records.person == who].tolist() == [0.0, 30.0]
    assert deaths.time.tolist() == [50.0]
    assert deaths.onset.tolist() == [1]
    assert records.roles.death == "gone"
    assert "gone" not in records.values


def test_without_a_word_nothing_is_read() -> None:
    records = read(long_table().rename({"gone": "death_day"}), id="id", time="day")
    assert "death" not in records.events
    (told,) = [f for f in records.findings if f.code == "death_not_named"]
    assert "--death death_day" in told.mend


def test_dates_count_from_the_first_day() -> None:
    import datetime as dt

    day = {k: dt.date(2024, 3, 1) + dt.timedelta(days=k) for k in (0, 30, 60)}
    table = long_table().with_columns(pl.col("day").replace_strict(day, return_dtype=pl.Date))
    table = table.with_columns(pl.Series("gone", [dt.date(2024, 4, 20) if i == 1 else None for i in table["id"]]))
    assert read(table, id="id", time="day", death="gone").events["death"].time.tolist() == [50.0]
    numbers = table.with_columns(pl.Series("gone", [50.0 if i == 1 else None for i in table["id"]]))
    with pytest.raises(BothwaysError, match="numbers of death stand beside answers whose times are dates"):
        read(numbers, id="id", time="day", death="gone")


def test_waves_and_their_gaps() -> None:
    table = long_table("wave").with_columns((pl.col("wave") // 30 + 1).alias("wave"))
    table = table.with_columns(pl.Series("gone", [2.5 if i == 1 else None for i in table["id"]]))
    per_wave = read(table, id="id", time="wave", death="gone")
    assert per_wave.time_unit is TimeUnit.WAVE
    assert per_wave.events["death"].time.tolist() == [1.5]
    in_days = read(table, id="id", time="wave", death="gone", wave_gap=("100 days", "300 days"))
    assert in_days.events["death"].time.tolist() == [250.0]
    late = table.with_columns(pl.Series("gone", [4.0 if i == 1 else None for i in table["id"]]))
    beyond = read(late, id="id", time="wave", death="gone", wave_gap=("100 days", "300 days"))
    assert beyond.events["death"].time.tolist() == [700.0]


def test_wide_tables() -> None:
    table = pl.DataFrame({
        "id": range(4), "dep_w1": [1, 2, 3, 4], "dep_w2": [2, 2, 3, 1], "pain_w1": [0, 1, 2, 3],
        "pain_w2": [1, 1, 0, 2], "gone": [None, None, 1.5, None],
    })  # fmt: skip
    records = read(table, id="id", a=("dep",), b=("pain",), death="gone")
    deaths = records.events["death"]
    assert deaths.time.tolist() == [0.5]
    assert records.values["depression"][records.person == deaths.person[0]].tolist() == [3.0, 3.0]


def test_dated_tables_end_with_the_death() -> None:
    table = pl.DataFrame({
        "id": range(5), "depression_onset": [5.0, None, 40.0, None, 8.0],
        "back_pain_onset": [None, 10.0, 20.0, None, 60.0],
        "entry": [0.0] * 5, "exit": [100.0, 100.0, None, 100.0, 100.0], "gone": [None, None, 70.0, 90.0, 30.0],
    })  # fmt: skip
    records = read(table, id="id", death="gone")
    assert np.sort(records.events["death"].time).tolist() == [30.0, 70.0, 90.0]
    assert np.sort(records.events["back_pain"].time).tolist() == [10.0, 20.0]
    last = np.array([records.time[records.person == i].max() for i in range(records.people)])
    assert np.sort(last).tolist() == [30.0, 70.0, 90.0, 100.0, 100.0]


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        ((0.0, 1.0, 0.0), "only 0 and 1 stand here"),
        (("alive", "in spring", "alive"), "cells hold neither a number nor a date"),
    ],
)
def test_what_is_no_time_is_refused(gone: object, says: str) -> None:
    with pytest.raises(BothwaysError, match=says):
        read(long_table(died=gone), id="id", time="day", death="gone")


def test_a_name_that_is_none_or_taken() -> None:
    with pytest.raises(BothwaysError, match="no such column"):
        read(long_table(), id="id", time="day", death="gon")
    with pytest.raises(BothwaysError, match="already one of the two conditions"):
        read(long_table(), id="id", time="day", death="depression")


def test_answers_after_a_death_and_deaths_that_differ_are_said() -> None:
    table = long_table(died=(None, 20.0, None))
    late = read(table, id="id", time="day", death="gone")
    (told,) = [f for f in late.findings if f.code == "after_death"]
    assert "1 row of 1 person" in told.message
    gone = [
        20.0 if (i, d) == (1, 0) else 25.0 if i == 1 else None for i, d in zip(table["id"], table["day"], strict=True)
    ]
    twice = read(table.with_columns(pl.Series("gone", gone)), id="id", time="day", death="gone")
    assert twice.events["death"].time.tolist() == [20.0]
    assert [f.code for f in twice.findings].count("deaths_differ") == 1


def test_the_onset_design_counts_them_from_a_file(tmp_path: Path) -> None:
    """A simulated cohort with deaths, written as a table and read again: the same deaths in the onset design."""
    world = bw.simulate("both-ways", people=400, waves=6, seed=2, design="onset")
    made = world.records
    rng = np.random.default_rng(1)
    end = np.where(rng.random(made.people) < 0.1, rng.uniform(500.0, 1500.0, made.people), np.nan)
    keep = ~(made.time > end[made.person])
    table = pl.DataFrame({
        "id": made.person[keep], "day": made.time[keep], "depression": made.values["depression"][keep],
        "back_pain": made.values["back_pain"][keep], "gone": end[made.person[keep]],
    }).with_columns(pl.col("gone").fill_nan(None))  # fmt: skip
    path = tmp_path / "cohort.csv"
    table.write_csv(path)
    study = bw.ask(bw.read(path, id="id", time="day", layout=Layout(death="gone")), settings=bw.Settings(quick=True))
    count = int(np.isfinite(end).sum())
    assert f"death dated exactly ({count} deaths)" in study["onset"].methods
