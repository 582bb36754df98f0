"""Diaries with one answer a row read as the same diary with a column for each question; what is doubtful is asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bothways.intake import read
from bothways.terms.errors import RecordsError
from bothways.terms.layout import Layout
from bothways.terms.records import Records, TimeUnit
from bothways.terms.topic import Topic

MINE = Layout(a=("mood",), b=("stiff back",))


def wide(prompts: int = 40) -> pl.DataFrame:
    """One person's prompts, some answers missing; the ward changes once and the dose never within a prompt."""
    rng = np.random.default_rng(3)
    when = [datetime(2024, 3, 4, 9) + timedelta(hours=5 * k, minutes=int(rng.integers(50))) for k in range(prompts)]
    columns = {name: rng.integers(0, 11, prompts).astype(float) for name in ("mood", "stiff back", "sleep")}
    frame = pl.DataFrame({"time": when, **columns, "dose": np.arange(prompts) // 20 * 10.0})
    return frame.with_columns(
        pl.when(pl.int_range(prompts) % 7 == 3).then(None).otherwise(pl.col("mood")).alias("mood")
    )


def long(frame: pl.DataFrame, index: list[str], what: str = "variable", value: str = "value") -> pl.DataFrame:
    """One answer a row, in no order; answers that were not given have no row."""
    kinds = ["mood", "stiff back", "sleep"]
    stacked = frame.unpivot(kinds, index=index, variable_name=what, value_name=value)
    return stacked.drop_nulls().sample(fraction=1.0, shuffle=True, seed=1)


def same(one: Records, other: Records) -> None:
    np.testing.assert_allclose(one.time, other.time)
    np.testing.assert_array_equal(one.person, other.person)
    for key in ("depression", "back_pain", "sleep"):
        np.testing.assert_allclose(one.values[key], other.values[key])


@pytest.mark.parametrize(("what", "value"), [("variable", "value"), ("Item Name", "Response"), ("question", "answer")])
def test_one_answer_a_row_is_the_diary_it_came_from(what: str, value: str, topic: Topic) -> None:
    frame = wide()
    stacked = read(long(frame, ["time", "dose"], what, value), topic=topic, layout=MINE)
    same(stacked, read(frame, topic=topic, layout=MINE))
    assert stacked.time_unit is TimeUnit.DAY
    assert stacked.people == 1
    np.testing.assert_allclose(stacked.values["dose"], frame["dose"])  # says one thing at each moment, and stays
    told = next(f for f in stacked.findings if f.code == "unstacked")
    assert f"became {frame.height} moments" in told.message


def test_several_people_as_text_and_by_the_topics_own_names(topic: Topic, tmp_path: Path) -> None:
    both = pl.concat([wide().with_columns(id=pl.lit(who)) for who in ("x7", "y2")])
    both = both.rename({"stiff back": "pain"}).with_columns(pl.col("time").dt.strftime("%Y-%m-%d %H:%M"))
    kinds = ["mood", "pain", "sleep"]
    stacked = both.unpivot(kinds, index=["id", "time"]).drop_nulls()
    stacked.write_csv(tmp_path / "a.csv")
    records = read(tmp_path / "a.csv", topic=topic)
    assert (records.people, records.rows) == (2, both.height)
    same(records, read(both, topic=topic))
    assert "pathways" in records.roles.guessed


def test_two_values_at_one_moment_are_refused_without_them(topic: Topic) -> None:
    stacked = long(wide(), ["time"])
    twice = pl.concat([stacked, stacked.head(3).with_columns(pl.col("value") + 1)])
    with pytest.raises(RecordsError, match="3 rows give a second value of the same 'variable' at the same 'time'"):
        read(twice, topic=topic, layout=MINE)
    same(read(pl.concat([stacked, stacked.head(3)]), topic=topic, layout=MINE), read(wide(), topic=topic, layout=MINE))


@pytest.mark.parametrize(
    ("rename", "layout", "says"),
    [
        ({"time": "moment of it"}, MINE, "no column says when.*--time COLUMN"),
        ({}, Layout(), "seem to hold one answer a row, on 3 things.*--a and --b"),
        ({}, Layout(a=("mood",), b=("neck",)), "there is no such column"),
    ],
)
def test_what_is_missing_is_asked_for(rename: dict[str, str], layout: Layout, says: str, topic: Topic) -> None:
    with pytest.raises(RecordsError, match=says) as caught:
        read(long(wide(), ["time"]).rename(rename), topic=topic, layout=layout)
    assert "stiff" not in str(caught.value)  # what was asked may be anything, names of people too


def test_a_table_with_a_column_for_each_condition_stays_as_it_is(topic: Topic) -> None:
    """'type' and 'score' mean other things there."""
    frame = wide().with_columns(type=pl.Series(["home", "work"] * 20), score=pl.lit(1.0))
    records = read(frame, topic=topic, layout=MINE)
    assert records.rows == frame.height
    assert "unstacked" not in {f.code for f in records.findings}
