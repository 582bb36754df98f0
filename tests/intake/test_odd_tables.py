"""Tables as people send them: names that clash, titles above the names, ids beyond floats, items named like scores."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from tests.intake.test_items import items, long_items
from tests.intake.test_statistics_files import workbook

from bothways.intake import read
from bothways.terms.errors import QuestionError, RecordsError
from bothways.terms.layout import Layout
from bothways.terms.records import Level, Records, TimeUnit
from bothways.terms.topic import Topic


def codes(records: Records) -> set[str]:
    return {finding.code for finding in records.findings}


@pytest.mark.parametrize("part", ["other", "covariate"])
def test_a_column_that_bears_a_conditions_key_is_not_taken_for_it(part: str, panel: pl.DataFrame, topic: Topic) -> None:
    decoy = panel.with_columns(back_pain=pl.Series(np.arange(panel.height) % 11))
    covariates = ("back_pain",) if part == "covariate" else ()
    records = read(decoy, topic=topic, layout=Layout(b=("pain",), covariates=covariates))
    assert np.nansum(records.values["back_pain"]) == panel["pain"].fill_nan(None).sum()
    kept = decoy.fill_nan(None).filter(pl.col("phq9").is_not_null() | pl.col("pain").is_not_null())
    assert np.nansum(records.values["back_pain_column"]) == kept["back_pain"].sum()
    assert records.roles.covariates == (("back_pain_column",) if covariates else ())


def test_ids_beyond_the_reach_of_floats_stay_apart(panel: pl.DataFrame, topic: Topic) -> None:
    large = panel.with_columns(pl.col("id") + 2**53)
    assert read(large, topic=topic).people == read(panel, topic=topic).people


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("Backs 2024,,,\n,,,\nid,wave,phq9,pain\n1,1,2,3\n", "3 of its 4 columns have no name"),
        ("P1,1,4,3\nP1,2,5,2\n", "the first row holds numbers"),
        ("# made in May\nid,wave,phq9,pain\n1,1,2,3\n", "take out lines above the names"),
    ],
)
def test_rows_above_the_names_are_refused_without_their_words(
    content: str, says: str, topic: Topic, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text(content)
    with pytest.raises(RecordsError, match=says) as caught:
        read(path, topic=topic)
    assert "P1" not in str(caught.value)


def test_lines_that_end_as_on_an_old_mac(topic: Topic, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"id,wave,phq9,pain\r1,1,2,3\r1,2,3,4\r2,1,5,4\r")
    assert read(path, topic=topic).rows == 3


HEAD: list[object] = ["id", "wave", "phq9", "pain"]
ROWS: list[list[object]] = [[i, w, (i * w) % 20, (i + w) % 10] for i in range(1, 30) for w in (1, 2, 3)]


def test_words_among_a_workbooks_numbers_are_counted_and_not_lost(topic: Topic, tmp_path: Path) -> None:
    spoilt = [*ROWS[:70], *([*row[:2], "see notes", row[3]] for row in ROWS[70:72]), *ROWS[72:]]
    path = workbook(tmp_path / "a.xlsx", {"all": [HEAD, *spoilt]})
    with pytest.raises(RecordsError, match=r"'phq9': 2 rows of 87 hold text .*rows 71, 72"):
        read(path, topic=topic)


def test_a_workbook_with_a_column_twice_is_refused(topic: Topic, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"all": [[*HEAD, "pain"], *([*row, 0] for row in ROWS)]})
    with pytest.raises(RecordsError, match="stand twice: pain"):
        read(path, topic=topic)


def test_a_workbook_with_a_title_or_nothing_is_refused(topic: Topic, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"title": [["Backs 2024"], HEAD, *ROWS], "none": []})
    with pytest.raises(RecordsError, match="3 of its 4 columns have no name"):
        read(path, topic=topic)
    with pytest.raises(RecordsError, match="the sheet is empty"):
        read(path, topic=topic, layout=Layout(sheet="none"))


def test_a_text_file_has_no_sheets(topic: Topic, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,wave,phq9,pain\n1,1,2,3\n")
    with pytest.raises(RecordsError, match="no sheets"):
        read(path, topic=topic, layout=Layout(sheet="S"))


def named_like_a_score() -> tuple[np.ndarray, pl.DataFrame]:
    """PHQ1 ... PHQ9: the ninth item bears the questionnaire's own name."""
    answers = items()
    answers[4, 0, 8] = 2
    return answers, long_items(answers).rename({f"phq9_{k}": f"PHQ{k}" for k in range(1, 10)})


def test_items_that_bear_the_names_of_scores_keep_their_places(topic: Topic) -> None:
    answers, frame = named_like_a_score()
    stated = tuple(f"PHQ{k}" for k in range(1, 10))
    records = read(frame, topic=topic, layout=Layout(a=stated, instruments={"depression": "phq9"}))
    assert np.nansum(records.values["depression"]) == answers.sum()
    assert [f.people for f in records.findings if f.code == "self_harm_item"] == [1]


def test_the_ninth_item_is_seen_where_it_bears_the_scores_name(topic: Topic) -> None:
    answers, frame = named_like_a_score()
    records = read(frame.with_columns(mood=pl.Series(answers.sum(-1).ravel())), topic=topic)
    assert np.nansum(records.values["depression"]) == answers.sum()
    assert [f.people for f in records.findings if f.code == "self_harm_item"] == [1]


def test_items_coded_from_one_stop(topic: Topic) -> None:
    records = read(long_items(items() + 1), topic=topic)
    assert [f.code for f in records.findings if f.level is Level.STOP] == ["items_out_of_range"]


@pytest.mark.parametrize("form", ["{} (wave {})", "{}_wave_{}", "low_{}{}"])
def test_more_ways_to_name_a_wave(form: str, panel: pl.DataFrame, topic: Topic) -> None:
    waves = [part.drop("wave") for _, part in panel.sort("wave").group_by("wave", maintain_order=True)]
    wide = pl.DataFrame({"id": waves[0]["id"]})
    for number, part in enumerate(waves, 1):
        wide = wide.with_columns(
            part["phq9"].alias(form.format("mood", number)), part["pain"].alias(form.format("ache", number))
        )
    layout = Layout(a=("low_mood",), b=("low_ache",)) if form.startswith("low") else Layout()
    assert read(wide, topic=topic, layout=layout).waves == 4


def test_many_waves_are_waves_and_never_days(topic: Topic) -> None:
    rng = np.random.default_rng(1)
    frame = {"id": np.repeat(np.arange(9), 20), "wave": np.tile(np.arange(20), 9)}
    frame |= {"mood": rng.integers(0, 20, 180), "pain": rng.integers(0, 10, 180)}
    assert read(pl.DataFrame(frame), topic=topic).time_unit is TimeUnit.WAVE


def test_a_score_of_two_values_is_said(topic: Topic) -> None:
    frame = pl.DataFrame({"id": [1, 1, 2, 2], "wave": [1, 2, 1, 2], "mood": [1, 2, 1, 1], "pain": [3, 4, 5, 2]})
    assert "two_values" in codes(read(frame, topic=topic))


@pytest.mark.parametrize(
    ("layout", "says"),
    [
        (Layout(higher_is_better=("pian",)), r"--higher-is-better pian: .*'pain'"),
        (Layout(cuts={"moood": 4.0}), "--cut moood"),
        (Layout(cuts={"pain": float("nan")}), "--cut pain: this is no number"),
        (Layout(ranges={"pain": (10.0, 0.0)}), "--range pain: its lowest value"),
        (Layout(ranges={"nosuch": (0.0, 10.0)}), "--range nosuch"),
        (Layout(instruments={"nosuch": "phq9"}), "--instrument nosuch"),
        (Layout(missing_codes={"nosuch": (9.0,)}), "--missing nosuch"),
        (Layout(answer_codes={"nosuch": (9.0,)}), "--answers nosuch"),
        (Layout(a=("id",)), "--id and --a"),
        (Layout(a=("pain",), b=("pain",)), "--a and --b"),
    ],
)
def test_an_option_that_would_change_nothing_is_refused(
    layout: Layout, says: str, panel: pl.DataFrame, topic: Topic
) -> None:
    with pytest.raises(QuestionError, match=says):
        read(panel, topic=topic, layout=layout)


def test_a_missing_code_may_be_stated_for_all_waves_of_a_variable(topic: Topic) -> None:
    mood = {"mood_t1": [1, 4, 3], "mood_t2": [4, 2, 5]}
    frame = pl.DataFrame({"id": [1, 2, 3], **mood, "pain_t1": [1, 5, 3], "pain_t2": [4, 6, 2]})
    records = read(frame, topic=topic, layout=Layout(missing_codes={"mood": (4.0,)}))
    assert np.isnan(records.values["depression"]).sum() == 2
    assert np.nansum(records.values["back_pain"]) == 21


@pytest.mark.parametrize("total", [False, True])
def test_a_diary_of_one_person_may_hold_items(total: bool, topic: Topic) -> None:
    answers = items(people=40, waves=1)
    answers[4, 0, 8] = 1
    frame = (
        long_items(answers)
        .drop("id", "wave")
        .with_columns(date=pl.date(2024, 1, 1) + pl.duration(days=pl.int_range(40)))
    )
    frame = frame.with_columns(phq9=pl.Series(answers.sum(-1).ravel())) if total else frame
    records = read(frame, topic=topic)
    assert (records.people, records.rows) == (1, 40)
    assert np.nansum(records.values["depression"]) == answers.sum()
    assert records.findings[0].code == "self_harm_item"


def test_a_frame_with_odd_names(panel: pl.DataFrame, topic: Topic) -> None:
    frame = panel.to_pandas()
    assert read(frame.rename(columns={"pain": 3}), topic=topic, layout=Layout(b=("3",))).people == 60
    frame.columns = ["id", "wave", "phq9", "pain", *["pain"] * (frame.shape[1] - 4)]
    with pytest.raises(RecordsError, match="stand twice: pain"):
        read(frame, topic=topic)


def test_a_cover_page_before_the_table_is_told_apart(topic: Topic, tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", {"About": [["Backs 2024"], ["made in May"]], "data": [HEAD, *ROWS]})
    with pytest.raises(RecordsError, match=r"one column, as a cover page does\. .*--sheet; there are 'About', 'data'"):
        read(path, topic=topic)
    assert read(path, topic=topic, layout=Layout(sheet="data")).rows == len(ROWS)


@pytest.mark.parametrize("kind", ["frame", "text"])
def test_infinite_answers_are_missing_with_a_reason(
    kind: str, panel: pl.DataFrame, topic: Topic, tmp_path: Path
) -> None:
    first = pl.arange(panel.height, eager=True) == 0
    odd = panel.with_columns(pain=pl.when(first).then(float("inf")).otherwise(pl.col("pain").cast(pl.Float64)))
    if kind == "text":
        odd.write_csv(tmp_path / "a.csv")
    records = read(odd if kind == "frame" else tmp_path / "a.csv", topic=topic)
    assert records.reasons["back_pain"]["an infinite number"] == 1


def test_ids_that_a_spreadsheet_wrote_with_a_decimal_are_the_same_people(topic: Topic, tmp_path: Path) -> None:
    lines = ["id,wave,phq9,pain", *(f"{i}{'.0' if w == 2 else ''},{w},{p},{q}" for i, w, p, q in ROWS)]
    (tmp_path / "a.csv").write_text("\n".join(lines))
    assert read(tmp_path / "a.csv", topic=topic).people == 29
    named = [line.replace(",1,", "a,1,", 1) if k == 1 else line for k, line in enumerate(lines)]
    (tmp_path / "b.csv").write_text("\n".join(named))
    assert read(tmp_path / "b.csv", topic=topic).people > 29  # one id is a word, so that 1 and 1.0 may differ
