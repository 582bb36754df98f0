"""The tables of what the records show, against counts made another way."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from tests.intake.intake_tables import make_panel

from bothways.intake import describe, read
from bothways.terms.answer import Table
from bothways.terms.layout import Layout
from bothways.terms.records import Records
from bothways.terms.topic import Topic

FEW = pl.DataFrame(
    {
        "id": [1, 1, 1, 2, 2, 3, 3, 3],
        "wave": [1, 2, 3, 1, 2, 1, 2, 3],
        "phq9": [1.0, None, 3, 4, 5, 6, 7, None],
        "pain": [1.0, 2, 3, None, 5, 5, 6, None],
        "age": [30, 30, 30, 40, 40, 50, 50, 50],
    }
)


def table(records: Records, key: str) -> Table:
    return next(t for t in describe(records) if t.key == key)


def test_counts_by_hand(topic: Topic) -> None:
    records = read(FEW, topic=topic)
    assert dict(table(records, "overview").rows) == {
        "people": 3,
        "rows (person-times)": 7,  # the row without any answer is none
        "waves": 3,
        "rows with both conditions": 5,
        "people with one row only": 0,
        "people with both conditions at two times or more": 2,
    }
    coverage = [row[:6] for row in table(records, "coverage").rows]
    assert coverage == [(1, 0, 3, 3, 2, 2), (2, 1, 3, 2, 3, 2), (3, 2, 1, 1, 1, 1)]
    patterns = {row[0]: row[1] for row in table(records, "missingness").rows}
    assert patterns == {"1b1": 1, "a1-": 1, "11-": 1}
    assert {row[0]: row[2] for row in table(records, "reasons").rows} == {"depression": 1, "back pain": 1}
    gaps = next(row for row in table(records, "times").rows if str(row[0]).startswith("gap"))
    assert gaps[1:] == (1,) * 7


def test_without_waves_times_and_patterns_are_by_row(topic: Topic) -> None:
    days = FEW.with_columns(day=pl.Series([0.0, 1.5, 9, 0, 2, 0, 4, 8])).drop("wave")
    records = read(days, topic=topic)
    patterns = {row[0]: row[1] for row in table(records, "missingness").rows}
    assert patterns == {"both": 5, "depression only": 1, "back pain only": 1}
    gaps = next(row for row in table(records, "times").rows if str(row[0]).startswith("gap"))
    assert gaps[1:] == pytest.approx(tuple(np.quantile([1.5, 7.5, 2, 4], [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1])))
    assert "coverage" not in {t.key for t in describe(records)}


def test_many_people_and_few_give_the_same_patterns(topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    records = read(make_panel(people=300), topic=topic)
    slow = table(records, "missingness")
    monkeypatch.setattr("bothways.intake.description.MANY_PEOPLE", 10)
    assert table(records, "missingness") == slow
    assert sum(int(str(row[1])) for row in slow.rows) == 300


def test_columns_with_and_without_a_part_stand_apart(topic: Topic) -> None:
    one = read(FEW, topic=topic)
    assert [row[0] for row in table(one, "variables").rows] == ["depression", "back pain"]
    assert [row[0] for row in table(one, "other_columns").rows] == ["age"]
    two = read(FEW, topic=topic, layout=Layout(covariates=("age",)))
    assert [row[0] for row in table(two, "variables").rows] == ["depression", "back pain", "age"]
    assert "other_columns" not in {t.key for t in describe(two)}


def test_one_person_and_one_time_are_described(topic: Topic) -> None:
    for few in (FEW.filter(pl.col("id") == 1), FEW.filter(pl.col("wave") == 1), FEW.head(1)):
        tables = describe(read(few, topic=topic))
        assert {"overview", "times", "variables"} <= {t.key for t in tables}


def test_every_cell_can_be_written_as_json(panel: pl.DataFrame, topic: Topic) -> None:
    for found in describe(read(panel, topic=topic)):
        assert all(len(row) == len(found.columns) for row in found.rows)
        json.dumps(found.rows, allow_nan=False)
        assert all(type(cell) in (str, int, float, type(None)) for row in found.rows for cell in row)
