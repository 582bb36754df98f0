"""Circumstances: cuts as a caller writes them, and what a table offers by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bothways.intake import read
from bothways.intake.circumstances import LASTING_DAYS, at_first, lasting_for
from bothways.intake.cuts import parse
from bothways.terms.errors import BothwaysError, QuestionError
from bothways.terms.layout import Layout
from bothways.terms.records import Records
from bothways.terms.topic import Circumstance, Topic


def offering(topic: Topic) -> Topic:
    named = [("chronic_pain", "pain lasting over three months"), ("clinical_depression", "clinical depression")]
    return replace(topic, circumstances=tuple(Circumstance(k, label, "", "") for k, label in named))


def with_cut(panel: pl.DataFrame, topic: Topic, *by: str, **how: object) -> Records:
    return read(panel, topic=topic, layout=Layout(by=by, **how))  # type: ignore[arg-type]


def codes(records: Records) -> set[str]:
    return {finding.code for finding in records.findings}


# ---- as the caller writes them


@pytest.mark.parametrize(
    ("text", "key", "levels"),
    [
        ("phq9>=10", "phq9_10_or_above", ("phq9 below 10", "phq9 10 or above")),
        ("phq9 < 10", "phq9_10_or_above", ("phq9 below 10", "phq9 10 or above")),
        ("age>49.5", "age_above_49_5", ("age 49.5 or below", "age above 49.5")),
        ("age <= 49.5", "age_above_49_5", ("age 49.5 or below", "age above 49.5")),
        ("sex=1", "sex_is_1", ("sex not 1", "sex 1")),
        ("change>-2", "change_above_minus_2", ("change -2 or below", "change above -2")),
    ],
)
def test_a_cut_is_the_same_from_either_side(text: str, key: str, levels: tuple[str, str]) -> None:
    cut = parse(text)
    assert cut is not None
    assert (cut.key, cut.levels(cut.column)) == (key, levels)


def test_the_name_of_a_column_is_no_cut() -> None:
    assert parse("chronic_pain") is None
    assert parse("age at start") is None


@pytest.mark.parametrize("text", ["phq9>=", ">=10", "phq9>=ten", "10<age<50", "phq9=>10", "age>=nan", "age!"])
def test_what_cannot_be_read_is_one_clear_sentence(text: str) -> None:
    with pytest.raises(QuestionError, match="in quotes: --by 'phq9>=10'"):
        parse(text)


@given(st.floats(-50, 50), st.sampled_from([">=", "<"]))
def test_who_is_missing_is_on_neither_side(number: float, sign: str) -> None:
    cut = parse(f"x{sign}{number!r}")
    assert cut is not None
    side = cut.holds(np.array([number, number - 1, np.nan]))
    assert side[:2].tolist() == [1.0, 0.0]
    assert np.isnan(side[2])


def test_a_cut_through_a_condition_bears_its_label_and_no_key(panel: pl.DataFrame, topic: Topic) -> None:
    key = with_cut(panel, topic, "back_pain>=4").roles.by[0]
    records = with_cut(panel, topic, "back_pain>=4")
    assert records.labels[key] == "back pain"
    assert records.categories[key] == ("back pain below 4", "back pain 4 or above")


def test_a_cut_becomes_a_column_of_each_persons_first_answer(panel: pl.DataFrame, topic: Topic) -> None:
    records = with_cut(panel, topic, "phq9>=10", "age<45")
    assert records.roles.by == ("phq9_10_or_above", "age_45_or_above")
    assert records.categories["phq9_10_or_above"] == ("PHQ-9 below 10", "PHQ-9 10 or above")
    assert records.labels["phq9_10_or_above"] == "PHQ-9"
    first = at_first(records, records.values["depression"])
    level = records.baseline["phq9_10_or_above"]
    known = np.isfinite(first)
    assert (level[known] == (first[known] >= 10)).all()
    assert np.isnan(level[~known]).all()
    assert (records.values["phq9_10_or_above"] == level[records.person])[known[records.person]].all()
    assert "offered_circumstances" not in codes(records)


def test_cuts_and_columns_keep_the_order_in_which_they_were_named(panel: pl.DataFrame, topic: Topic) -> None:
    frame = panel.with_columns(site=(pl.col("id") % 3).cast(pl.Float64))
    assert with_cut(frame, topic, "age>=45", "site", "sleep>5").roles.by == ("age_45_or_above", "site", "sleep_above_5")


def test_a_cut_that_parts_nobody_or_names_nothing_is_refused(panel: pl.DataFrame, topic: Topic) -> None:
    with pytest.raises(QuestionError, match="on one side"):
        with_cut(panel, topic, "phq9>=28")
    with pytest.raises(QuestionError, match="Did you mean 'phq9'"):
        with_cut(panel, topic, "phq>=10")
    words = panel.with_columns(town=pl.when(pl.col("id") < 80).then(pl.lit("Aa")).otherwise(pl.lit("Bb")))
    with pytest.raises(QuestionError, match="holds no numbers"):
        with_cut(words, topic, "town>=1")
    with pytest.raises(QuestionError, match="turned round"):
        with_cut(panel, topic, "sleep>=5", higher_is_better=("sleep",))
    with pytest.raises(BothwaysError, match="no such column"):
        with_cut(panel, topic, "nothing")
    for text in ("id", "id>=40"):
        with pytest.raises(QuestionError, match="already who somebody is"):
            with_cut(panel, topic, text)


def test_a_cut_holds_in_wide_tables_as_in_long_ones(panel: pl.DataFrame, topic: Topic) -> None:
    wide = panel.pivot(on="wave", index=["id", "age"], values=["phq9", "pain", "sleep"])
    wide = wide.rename({c: c.replace("_", "_t") for c in wide.columns if c[-1].isdigit()})
    one, other = with_cut(panel, topic, "phq9>=10"), with_cut(wide, topic, "phq9>=10")
    assert np.nansum(one.baseline["phq9_10_or_above"]) == np.nansum(other.baseline["phq9_10_or_above"])


@pytest.mark.parametrize("order", [("age", "age2"), ("age2", "age")])
def test_a_column_is_never_taken_for_its_numbered_neighbour(
    panel: pl.DataFrame, topic: Topic, order: tuple[str, str]
) -> None:
    frame = panel.with_columns(age2=pl.col("age") ** 2, sleep2=-pl.col("sleep"))
    frame = frame.select(*[c for c in frame.columns if c not in order], *order)
    records = read(frame, topic=topic, layout=Layout(by=("age>=45",), covariates=("age",), pathways=("sleep",)))
    assert (records.roles.covariates, records.roles.pathways) == (("age",), ("sleep",))
    level, age = (records.values[k] for k in ("age_45_or_above", "age"))
    assert (level[np.isfinite(age)] == (age[np.isfinite(age)] >= 45)).all()
    for part in ("weight", "cluster", "strata", "arm"):
        assert getattr(read(frame, topic=topic, layout=Layout(**{part: "age"})).roles, part) == "age"
    assert with_cut(frame, topic, "age").roles.by == ("age",)


# ---- what the table offers


def test_age_and_sex_are_offered_and_said(panel: pl.DataFrame, topic: Topic) -> None:
    frame = panel.with_columns(sex=pl.when(pl.col("id") % 2 == 0).then(pl.lit("female")).otherwise(pl.lit("male")))
    records = read(frame, topic=topic)
    assert records.roles.by == ("age", "sex")
    assert "by" in records.roles.guessed
    assert records.categories["sex"] == ("female", "male")
    says = next(f for f in records.findings if f.code == "offered_circumstances")
    assert "by age; by 'sex'" in says.message
    named = read(frame, topic=topic, layout=Layout(by=("sex",)))
    assert named.roles.by == ("sex",)
    assert "by" not in named.roles.guessed


def test_age_that_moves_on_is_taken_at_the_start(panel: pl.DataFrame, topic: Topic) -> None:
    frame = panel.with_columns(age=pl.col("age") + pl.col("wave"))
    records = read(frame, topic=topic)
    assert records.roles.by == ("age_at_start",)
    assert (records.baseline["age_at_start"] == at_first(records, records.values["age"])).all()


def test_nothing_is_offered_where_few_people_are_on_one_side(panel: pl.DataFrame, topic: Topic) -> None:
    frame = panel.drop("age").with_columns(sex=(pl.col("id") <= 3).cast(pl.Float64))
    assert read(frame, topic=topic).roles.by == ()


def test_depression_at_its_verified_cut_is_offered_as_a_screen(panel: pl.DataFrame, topic: Topic) -> None:
    assert "clinical_depression" not in read(panel, topic=offering(topic)).roles.by  # few people reach 10
    records = read(panel, topic=offering(topic), layout=Layout(cuts={"phq9": 7.0}))
    assert "clinical_depression" in records.roles.by
    first = at_first(records, records.values["depression"])
    known = np.isfinite(first)
    assert (records.baseline["clinical_depression"][known] == (first[known] >= 7)).all()
    says = next(f for f in records.findings if f.code == "offered_circumstances")
    assert "a screen and no diagnosis" in says.message
    assert "clinical_depression" not in read(panel, topic=topic).roles.by  # the topic does not speak of it


def test_lasting_pain_is_derived_where_days_and_a_cut_are_known(panel: pl.DataFrame, topic: Topic) -> None:
    how = Layout(cuts={"pain": 4.0}, wave_gap=("100 days",))
    records = read(panel, topic=offering(topic), layout=how)
    assert "chronic_pain" in records.roles.by
    pain = records.values["back_pain"]
    here = np.where(np.isfinite(pain), pain >= 4, np.nan)
    assert _by_hand(records.person, records.time, here) == pytest.approx(records.values["chronic_pain"], nan_ok=True)
    assert "chronic_pain" not in read(panel, topic=offering(topic), layout=Layout(cuts={"pain": 4.0})).roles.by
    assert "chronic_pain" not in read(panel, topic=offering(topic), layout=Layout(wave_gap=("100 days",))).roles.by


def test_a_column_of_chronic_pain_goes_before_what_could_be_derived(panel: pl.DataFrame, topic: Topic) -> None:
    frame = panel.with_columns(chronic_pain=(pl.col("id") % 2).cast(pl.Float64))
    records = read(frame, topic=offering(topic), layout=Layout(cuts={"pain": 4.0}, wave_gap=("100 days",)))
    assert "chronic_pain" in records.roles.by
    assert "chronic_pain" not in records.categories


def test_spells_by_hand() -> None:
    person = np.array([0, 0, 0, 0, 1, 1, 1, 2, 2])
    time = np.array([0.0, 60, 120, 400, 0, 100, 200, 0, 91])
    present = np.array([0.0, 1, 1, 1, 1, np.nan, 1, 1, 1])
    found = lasting_for(person, time, present, LASTING_DAYS)
    expected = [0, 0, 0, 1, np.nan, np.nan, 1, np.nan, 1]
    assert found == pytest.approx(np.array(expected), nan_ok=True)


@given(st.lists(st.tuples(st.integers(1, 80), st.sampled_from([0.0, 1.0, np.nan])), min_size=1, max_size=12))
def test_spells_are_those_counted_row_by_row(rows: list[tuple[int, float]]) -> None:
    time = np.cumsum([gap for gap, _ in rows]).astype(float)
    present = np.array([there for _, there in rows])
    person = np.zeros(len(rows), np.int64)
    assert lasting_for(person, time, present, 90.0) == pytest.approx(_by_hand(person, time, present), nan_ok=True)


def _by_hand(person: np.ndarray, time: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Row by row: walk back while it was there; unknown where the walk ends at the first answer too early."""
    out = np.full(len(time), np.nan)
    for i in range(len(time)):
        if np.isnan(present[i]):
            continue
        own = [j for j in range(i + 1) if person[j] == person[i] and not np.isnan(present[j])]
        start = i
        absent = present[i] == 0
        for j in reversed(own):
            if present[j] == 0:
                absent = True
                break
            start = j
        if present[i] and time[i] - time[start] > 90:
            out[i] = 1.0
        elif absent:
            out[i] = 0.0
    return out
