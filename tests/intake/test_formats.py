"""The same panel in any format, shape, order and naming of people gives the same records."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.intake.intake_tables import make_panel, widened

from bothways.intake import describe, read
from bothways.terms.layout import Layout
from bothways.terms.records import Records, TimeUnit
from bothways.terms.topic import Topic


def same(one: Records, two: Records) -> None:
    """Everything equal, bit for bit, but the source and the names of the columns."""
    for name in ("person", "time", "wave"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    for name in ("values", "baseline"):
        left, right = getattr(one, name), getattr(two, name)
        assert list(left) == list(right)
        for key in left:
            np.testing.assert_array_equal(left[key], right[key], err_msg=key)
    for name in ("pair", "time_unit", "reasons", "categories", "labels"):
        assert getattr(one, name) == getattr(two, name)
    assert one.findings == two.findings
    assert one.source.people == two.source.people
    blank = {"a": (), "b": (), "time": None}
    assert replace(one.roles, **blank) == replace(two.roles, **blank)


def csv(frame: pl.DataFrame, place: Path) -> Path:
    frame.write_csv(place / "t.csv")
    return place / "t.csv"


def german(frame: pl.DataFrame, place: Path) -> Path:
    text = frame.write_csv(separator=";", null_value="NA").replace(".", ",")
    (place / "g.csv").write_text(text, encoding="utf-16")
    return place / "g.csv"


def tab(frame: pl.DataFrame, place: Path) -> Path:
    (place / "t.tsv").write_text(frame.write_csv(separator="\t", null_value="."), encoding="utf-8-sig")
    return place / "t.tsv"


def written(ending: str) -> Callable[[pl.DataFrame, Path], Path]:
    def write(frame: pl.DataFrame, place: Path) -> Path:
        path = place / f"t{ending}"
        {
            ".parquet": lambda: frame.write_parquet(path),
            ".arrow": lambda: frame.write_ipc(path),
            ".sav": lambda: pyreadstat.write_sav(frame.to_pandas(), str(path)),
            ".dta": lambda: pyreadstat.write_dta(frame.to_pandas(), str(path)),
            ".xpt": lambda: pyreadstat.write_xport(frame.to_pandas(), str(path), file_format_version=8),
        }[ending]()
        return path

    return write


FORMATS: dict[str, Callable[[pl.DataFrame, Path], Any]] = {
    "csv": csv,
    "decimal commas in utf-16": german,
    "tsv with a mark": tab,
    **{ending: written(ending) for ending in (".parquet", ".arrow", ".sav", ".dta", ".xpt")},
    "polars": lambda frame, _: frame,
    "lazy polars": lambda frame, _: frame.lazy(),
    "pandas": lambda frame, _: frame.to_pandas(),
    "pandas with an index": lambda frame, _: frame.to_pandas().set_index("id"),
    "pandas of objects": lambda frame, _: frame.to_pandas().astype(object),
    "pyarrow": lambda frame, _: frame.to_arrow(),
}


@pytest.mark.parametrize("shape", ["long", "wide"])
@pytest.mark.parametrize("kind", list(FORMATS))
def test_every_format_gives_the_same_records(
    kind: str, shape: str, panel: pl.DataFrame, topic: Topic, tmp_path: Path
) -> None:
    told = Layout(covariates=("age",))
    expected = read(panel, topic=topic, layout=told)
    table = FORMATS[kind](panel if shape == "long" else widened(panel), tmp_path)
    records = read(table, topic=topic, layout=told)
    same(records, expected)
    assert describe(records) == describe(expected)


def test_the_records_hold_the_panel(panel: pl.DataFrame, topic: Topic) -> None:
    records = read(panel, topic=topic)
    kept = panel.filter(pl.col("phq9").is_not_null() | pl.col("pain").is_not_null())
    assert records.rows == kept.height
    assert records.time_unit is TimeUnit.WAVE
    assert records.waves == 4
    assert records.pair.a.instrument == "phq9"
    assert records.pair.a.threshold == 10
    assert records.roles.pathways == ("sleep",)
    np.testing.assert_array_equal(records.baseline["age"][records.person], records.values["age"])
    for key, column in (("depression", "phq9"), ("back_pain", "pain"), ("sleep", "sleep")):
        got = np.sort(records.values[key])
        np.testing.assert_array_equal(got, np.sort(kept[column].fill_null(np.nan).to_numpy()))
    trajectories = {tuple(v.filter(pl.col("phq9").is_not_null())["phq9"]) for _, v in kept.group_by("id")}
    for p in range(records.people):
        mood = records.values["depression"][records.person == p]
        assert tuple(mood[np.isfinite(mood)]) in trajectories


@given(seed=st.integers(0, 10_000))
def test_relabelling_people_and_reordering_rows_and_columns_change_nothing(seed: int, topic: Topic) -> None:
    panel = make_panel(people=15, seed=3)
    rng = np.random.default_rng(seed)
    names = {k: f"p{v}" for k, v in zip(range(101, 116), rng.permutation(15), strict=True)}
    shuffled = panel.with_columns(pl.col("id").replace_strict(names)).sample(fraction=1.0, shuffle=True, seed=seed)
    columns = [shuffled.columns[k] for k in rng.permutation(len(shuffled.columns))]
    same(read(shuffled.select(columns), topic=topic), read(panel, topic=topic))


def test_people_who_mirror_each_other_keep_their_places(topic: Topic) -> None:
    mirror = pl.DataFrame({"id": [1, 1, 2, 2], "wave": [1, 2, 1, 2], "phq9": [1, 2, 3, 5], "pain": [3, 5, 1, 2]})
    same(read(mirror.reverse(), topic=topic), read(mirror, topic=topic))
    later = pl.DataFrame({"id": [1, 1, 2, 2], "wave": [1, 2, 1, 2], "phq9": [1, 2, 2, 1], "pain": [4, 4, 4, 4]})
    same(read(later.reverse(), topic=topic), read(later, topic=topic))


@given(scale=st.sampled_from([7.0, 30.0, 0.5]))
def test_rescaling_time_changes_time_alone(scale: float, topic: Topic) -> None:
    panel = make_panel(people=15, seed=3).with_columns((pl.col("wave") * 10.0 + 0.25).alias("day")).drop("wave")
    one = read(panel, topic=topic)
    two = read(panel.with_columns(pl.col("day") * scale), topic=topic)
    np.testing.assert_array_equal(one.person, two.person)
    np.testing.assert_allclose(one.time * scale, two.time, rtol=1e-15)
    for key in one.values:
        np.testing.assert_array_equal(one.values[key], two.values[key])


def test_swapping_a_and_b_swaps_the_pair_and_nothing_else(panel: pl.DataFrame, topic: Topic) -> None:
    one = read(panel, topic=topic, layout=Layout(a=("phq9",), b=("pain",)))
    two = read(panel, topic=replace(topic, pair=topic.pair.swapped()), layout=Layout(a=("pain",), b=("phq9",)))
    assert two.pair == one.pair.swapped()
    np.testing.assert_array_equal(one.person, two.person)
    for key in one.values:
        np.testing.assert_array_equal(one.values[key], two.values[key])


def test_a_file_and_its_bytes_have_one_digest(panel: pl.DataFrame, topic: Topic, tmp_path: Path) -> None:
    import hashlib

    path = csv(panel, tmp_path)
    records = read(path, topic=topic)
    assert records.source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert records.source.rows == panel.height
    assert read(panel, topic=topic).source.sha256 == read(panel.to_pandas(), topic=topic).source.sha256
