"""What is noticed: each finding appears where it should, counts people, and stays away elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl
import pytest
from tests.intake.intake_tables import make_panel

from bothways.intake import read
from bothways.terms.layout import Layout
from bothways.terms.question import Kind
from bothways.terms.records import Finding, Level, Records
from bothways.terms.topic import Topic
from bothways.topics import load_topic

QUIET = {"guessed_roles", "one_wave_people", "offered_circumstances"}


def finding(records: Records, code: str) -> Finding:
    found = [f for f in records.findings if f.code == code]
    assert len(found) == 1, [f.code for f in records.findings]
    return found[0]


def change(frame: pl.DataFrame, column: str, rows: list[int], value: object) -> pl.DataFrame:
    series = frame[column].to_list()
    for row in rows:
        series[row] = value
    return frame.with_columns(pl.Series(column, series, strict=False))


def test_a_clean_panel_is_quiet(panel: pl.DataFrame, topic: Topic) -> None:
    found = read(panel, topic=topic).findings
    assert {f.code for f in found} <= QUIET
    guess = next(f for f in found if f.code == "guessed_roles")
    assert guess.level is Level.NOTE
    assert "depression is read from 'phq9' and back pain from 'pain'" in guess.message


def test_stated_roles_are_not_called_guesses(panel: pl.DataFrame, topic: Topic) -> None:
    told = Layout(
        id="id", time="wave", a=("phq9",), b=("pain",), pathways=("sleep",), instruments={"depression": "phq9"}
    )
    records = read(panel, topic=topic, layout=told)
    assert records.roles.guessed == ("by",)  # age is offered, since nobody named circumstances
    assert "guessed_roles" not in {f.code for f in records.findings}


def test_identical_repeats_are_read_once(panel: pl.DataFrame, topic: Topic) -> None:
    doubled = pl.concat([panel, panel.head(5)])
    records = read(doubled, topic=topic)
    assert finding(records, "duplicate_rows").people == 2
    assert records.rows == read(panel, topic=topic).rows


def test_few_values_out_of_range_are_missing_with_the_reason(panel: pl.DataFrame, topic: Topic) -> None:
    records = read(change(panel, "phq9", [0, 1, 8], 31.0), topic=topic)
    assert finding(records, "out_of_range").level is Level.WARNING
    assert records.reasons["depression"]["outside 0-27"] == 3
    assert np.nanmax(records.values["depression"]) <= 27


def test_many_values_out_of_a_stated_range_stop_the_run(panel: pl.DataFrame, topic: Topic) -> None:
    records = read(panel, topic=topic, layout=Layout(ranges={"pain": (0, 3)}))
    assert finding(records, "out_of_range").level is Level.STOP


def test_a_guessed_instrument_gives_way_to_the_values(panel: pl.DataFrame, topic: Topic) -> None:
    records = read(panel.with_columns(pl.col("phq9") * 4 - 3.5), topic=topic)
    assert finding(records, "range_unlike_instrument").level is Level.WARNING
    assert records.pair.a.instrument is None
    assert records.pair.a.threshold is None


def test_codes_are_kept_as_reasons(panel: pl.DataFrame, topic: Topic) -> None:
    coded = change(change(panel, "pain", [0, 5, 9], 99.0), "pain", [2], -8.0)
    records = read(coded, topic=topic)
    assert records.reasons["back_pain"]["code 99"] == 3
    assert records.reasons["back_pain"]["code -8"] == 1
    assert "'back_pain' (-8, 99)" in finding(records, "codes_read_as_missing").message
    kept = read(coded, topic=topic, layout=Layout(answer_codes={"pain": (99.0,)}))
    assert np.nanmax(kept.values["back_pain"]) == 99
    stated = read(panel, topic=topic, layout=Layout(missing_codes={"pain": (4.0,)}))
    assert stated.reasons["back_pain"]["code 4"] == int((panel["pain"] == 4).sum())


def test_a_suspicious_nine_is_an_answer_and_said(panel: pl.DataFrame, topic: Topic) -> None:
    low = panel.with_columns(pain=pl.col("pain").clip(0, 4))
    told = Layout(ranges={"pain": (0, 10)})
    records = read(change(low, "pain", [0, 7], 9.0), topic=topic, layout=told)
    assert np.nanmax(records.values["back_pain"]) == 9
    assert "'back_pain' (9)" in finding(records, "suspicious_codes").message


def test_floor_and_constant(panel: pl.DataFrame, topic: Topic) -> None:
    floored = read(panel.with_columns(pain=(pl.col("pain") - 6).clip(0, 10)), topic=topic)
    share = float(np.nanmean(np.where(np.isnan(floored.values["back_pain"]), np.nan, floored.values["back_pain"] == 0)))
    assert share > 0.5
    assert f"{100 * share:.0f} of 100" in finding(floored, "floor_bound").message
    assert finding(read(panel.with_columns(pain=pl.lit(3.0)), topic=topic), "constant").people == 60


def test_people_seen_once(topic: Topic) -> None:
    panel = make_panel().filter((pl.col("id") > 110) | (pl.col("wave") == 1))
    panel = panel.with_columns(pl.col("phq9").fill_null(3.0))
    assert finding(read(panel, topic=topic), "one_wave_people").people == 10


def test_people_without_any_answer_are_left_out_and_said(panel: pl.DataFrame, topic: Topic) -> None:
    nobody = pl.when(pl.col("id") == 101).then(None)
    silent = panel.with_columns(
        nobody.otherwise(pl.col("phq9")).alias("phq9"), nobody.otherwise(pl.col("pain")).alias("pain")
    )
    records = read(silent, topic=topic)
    assert finding(records, "no_answers").people == 1
    assert records.people == 59


def test_rows_without_an_id_or_a_time(panel: pl.DataFrame, topic: Topic) -> None:
    records = read(change(change(panel, "id", [4, 5], None), "wave", [12], None), topic=topic)
    assert finding(records, "no_id").message.startswith("2 rows")
    assert finding(records, "no_time").people == 1


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("id_email", lambda k: f"p{k}@example.org"),
        ("id_name", lambda k: f"Anna Muster{'abcdefghij'[k % 10]}{'klmnopqrst'[k // 10 % 10]}"),
    ],
)
def test_ids_that_name_people(code: str, name: Callable[[int], str], panel: pl.DataFrame, topic: Topic) -> None:
    named = panel.with_columns(pl.col("id").map_elements(name, return_dtype=pl.String))
    found = finding(read(named, topic=topic), code)
    assert found.level is Level.WARNING
    assert "Anna" not in found.message
    assert "@" not in found.message


def test_mixed_units(panel: pl.DataFrame, topic: Topic) -> None:
    hundred = pl.when(pl.col("id") % 2 == 0).then(pl.col("pain") * 10).otherwise(pl.col("pain"))
    assert finding(read(panel.with_columns(pain=hundred), topic=topic), "mixed_units").people > 20
    smooth = panel.with_columns(pain=pl.col("pain") * 10)
    assert "mixed_units" not in {f.code for f in read(smooth, topic=topic).findings}


def test_a_scale_that_seems_reversed_is_asked_about_and_turned_when_told(panel: pl.DataFrame, topic: Topic) -> None:
    turned = panel.with_columns(pain=10 - pl.col("pain"))
    assert finding(read(turned, topic=topic), "reversed_scale").level is Level.WARNING
    told = Layout(higher_is_better=("pain",), ranges={"pain": (0, 10)})
    records = read(turned, topic=topic, layout=told)
    assert "reversed_scale" not in {f.code for f in records.findings}
    np.testing.assert_array_equal(records.values["back_pain"], read(panel, topic=topic).values["back_pain"])
    assert finding(records, "turned_round").people == records.people


def test_an_instrument_that_counts_the_good_is_turned_round(panel: pl.DataFrame, topic: Topic) -> None:
    sf36 = panel.with_columns(sf36_bp=100 - 10 * pl.col("pain")).drop("pain")
    records = read(sf36, topic=topic)
    assert records.pair.b.instrument == "sf36-bp"
    plain = read(panel, topic=topic).values["back_pain"]
    np.testing.assert_array_equal(np.sort(records.values["back_pain"]), np.sort(10 * plain))


def test_states_and_cuts(panel: pl.DataFrame, topic: Topic) -> None:
    states = panel.with_columns(pain=(pl.col("pain") >= 4).cast(pl.Int8))
    assert read(states, topic=topic).pair.b.kind is Kind.STATE
    words = states.with_columns(pain=pl.col("pain").replace_strict({0: "No", 1: "yes"}, default=None))
    np.testing.assert_array_equal(
        read(words, topic=topic).values["back_pain"], read(states, topic=topic).values["back_pain"]
    )
    assert read(panel, topic=topic, layout=Layout(cuts={"pain": 4})).pair.b.threshold == 4


def test_text_covariates_are_categories(panel: pl.DataFrame, topic: Topic) -> None:
    place = pl.when(pl.col("id") % 3 == 0).then(pl.lit("Ulm")).otherwise(pl.lit("Bonn"))
    records = read(panel.with_columns(site=place), topic=topic, layout=Layout(covariates=("site",), cluster="site"))
    assert records.categories == {"site": ("Bonn", "Ulm")}
    assert records.baseline["site"].sum() == 20


def test_the_side_on_which_a_mediator_is_bad_is_said_until_it_is_stated(panel: pl.DataFrame) -> None:
    topic = load_topic("depression-back-pain")
    slept = panel.with_columns(sleep=pl.Series(np.arange(panel.height) % 9))

    def told(layout: Layout) -> list[str]:
        return [f.message for f in read(slept, topic=topic, layout=layout).findings if f.code.startswith("mediators")]

    (said,) = told(Layout())
    assert "Higher 'sleep' is taken for more poor sleep" in said
    assert not told(Layout(higher_is_better=("sleep",)))
