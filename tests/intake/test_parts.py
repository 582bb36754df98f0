"""A column plays one part: who, when and the two conditions are refused for any other, in one sentence."""

from __future__ import annotations

import polars as pl
import pytest

import bothways as bw
from bothways.simulation import simulate
from bothways.terms.errors import QuestionError
from bothways.terms.layout import Layout

LISTS = ("covariates", "pathways", "by")
SINGLES = ("cluster", "weight", "strata", "arm")


@pytest.fixture(scope="module")
def panel() -> pl.DataFrame:
    records = simulate("both-ways", people=60, waves=3, seed=2).records
    columns = {"id": records.person, "wave": records.wave, **records.values}
    return pl.DataFrame({name: list(column) for name, column in columns.items()}).with_columns(
        (pl.col("id") % 5).alias("clinic"), (pl.col("id") % 2).alias("sex")
    )


def read(panel: pl.DataFrame, **parts: object) -> bw.Records:
    return bw.read(panel, layout=Layout(id="id", time="wave", **parts))  # type: ignore[arg-type]


@pytest.mark.parametrize("option", [*LISTS, *SINGLES])
@pytest.mark.parametrize(
    ("column", "what"),
    [("id", "who somebody is"), ("wave", "when somebody was asked"), ("depression", "one of the two conditions")],
)
def test_what_has_a_part_gets_no_other(panel: pl.DataFrame, option: str, column: str, what: str) -> None:
    named = (column,) if option in LISTS else column
    with pytest.raises(QuestionError, match=f"^--{option} {column}: '{column}' is already {what}"):
        read(panel, **{option: named})


def test_a_cut_through_a_condition_is_a_circumstance_and_one_through_time_is_none(panel: pl.DataFrame) -> None:
    assert read(panel, by=("depression>=0.2",)).roles.by == ("depression_0_2_or_above",)
    with pytest.raises(QuestionError, match="'wave' is already when somebody was asked"):
        read(panel, by=("wave>=1",))


def test_a_stem_of_columns_by_wave_is_the_condition_too() -> None:
    wide = {f"{name}_{t}": [1.0, 2.0, 3.0, 1.5] for name in ("depression", "back_pain") for t in (1, 2, 3)}
    table = pl.DataFrame({"id": [1, 2, 3, 4], **wide})
    with pytest.raises(QuestionError, match="'depression' is already one of the two conditions"):
        bw.read(table, layout=Layout(id="id", pathways=("depression",)))


def test_other_columns_keep_their_parts(panel: pl.DataFrame) -> None:
    roles = read(panel, cluster="clinic", by=("sex",)).roles
    assert (roles.cluster, roles.by) == ("clinic", ("sex",))
