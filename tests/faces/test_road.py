"""What must not move an answer, and what must mirror it: from a table to its facts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.faces.panels import Columns, csv_text, long_panel, wide

import bothways as bw
from bothways.study import Study

PLAIN = bw.Settings(quick=True)
NUMBERS = ("value", "low", "high", "se", "p")


def study_of(columns: Columns, **roles: str) -> Study:
    return bw.ask(bw.read(pl.DataFrame(columns), **roles), settings=PLAIN)


def numbers(study: Study) -> dict[str, list[float | None]]:
    """Every estimate of a study by the answer's id."""
    rows = study.table().as_dicts()
    return {str(row["id"]): [row[name] for name in NUMBERS] for row in rows}  # type: ignore[misc]


def assert_same(left: Study, right: Study) -> None:
    ours, theirs = numbers(left), numbers(right)
    assert ours.keys() == theirs.keys()
    for key, values in ours.items():
        for x, y in zip(values, theirs[key], strict=True):
            assert x == (y if y is None else pytest.approx(y, rel=1e-6, abs=1e-9)), key
    assert left.verdict.short_answer == right.verdict.short_answer


@pytest.fixture(scope="module")
def plain() -> Study:
    return study_of(long_panel())


@settings(max_examples=5)
@given(st.integers(0, 2**31))
def test_people_rows_and_columns_may_come_in_any_order(plain: Study, seed: int) -> None:
    random = np.random.default_rng(seed)
    columns = long_panel()
    names = random.permutation(list(columns)).tolist()
    rows = random.permutation(len(columns["id"]))
    labels = random.permutation(120) + 1000
    columns["id"] = np.array([f"p{labels[i - 101]}" for i in columns["id"]])
    assert_same(plain, study_of({name: columns[name][rows] for name in names}))


def test_swapping_the_conditions_mirrors_the_answer() -> None:
    columns = long_panel()
    forth = study_of(columns, topic=None, a="depression", b="back_pain")  # type: ignore[arg-type]
    back = study_of(columns, topic=None, a="back_pain", b="depression")  # type: ignore[arg-type]
    for one, other in (("a_to_b", "b_to_a"), ("b_to_a", "a_to_b")):
        left, right = getattr(forth["panel"], one), getattr(back["panel"], other)
        assert left.estimate.value == pytest.approx(right.estimate.value, rel=1e-6)
        assert left.estimate.se == pytest.approx(right.estimate.se, rel=1e-6)
        assert getattr(forth.verdict, one).word is getattr(back.verdict, other).word


def test_the_first_wave_may_have_any_number(plain: Study) -> None:
    columns = long_panel()
    columns["wave"] = columns["wave"] + 4
    assert_same(plain, study_of(columns))


def test_a_week_is_seven_days() -> None:
    panel = pl.DataFrame(long_panel())
    weeks = bw.ask(bw.read(panel, layout=bw.Layout(wave_gap=("1 week",))), settings=PLAIN)
    days = bw.ask(bw.read(panel, layout=bw.Layout(wave_gap=("7 days",))), settings=PLAIN)
    assert_same(weeks, days)
    assert weeks["panel"].a_to_b is not None
    assert weeks["panel"].a_to_b.lag_days == pytest.approx(7.0)


def _saved(form: str, place: Path) -> object:
    """The same panel in one of the forms that people keep it in."""
    columns = long_panel()
    frame = pd.DataFrame(columns)
    file = place / f"panel.{form}"
    match form:
        case "csv":
            file.write_text(csv_text(columns))
        case "wide.csv":
            file.write_text(csv_text(wide(columns)))
        case "parquet":
            frame.to_parquet(file)
        case "sav":
            pyreadstat.write_sav(frame, str(file))
        case "dta":
            pyreadstat.write_dta(frame, str(file))
        case "pandas":
            return frame
        case "polars":
            return pl.DataFrame(columns, nan_to_null=True)
        case "arrow":
            return pa.Table.from_pandas(frame)
    return file


@pytest.mark.parametrize("form", ["csv", "wide.csv", "parquet", "sav", "dta", "pandas", "polars", "arrow"])
def test_every_form_of_one_panel_gives_the_same_facts(plain: Study, tmp_path: Path, form: str) -> None:
    study = bw.ask(bw.read(_saved(form, tmp_path)), settings=PLAIN)
    ours, theirs = study.facts(), plain.facts()
    for facts in (ours, theirs):
        for fit in facts["fits"]:
            fit.pop("seconds")
        facts.pop("source")
        facts.pop("findings")  # they say which columns were read, and those differ between wide and long
    assert ours["answers"] == theirs["answers"]
    assert ours["fits"] == theirs["fits"]
    assert ours["verdict"] == theirs["verdict"]
    assert {f.code for f in study.records.findings} == {f.code for f in plain.records.findings}


def test_the_same_settings_give_the_same_digits(plain: Study) -> None:
    assert numbers(study_of(long_panel())) == numbers(plain)
