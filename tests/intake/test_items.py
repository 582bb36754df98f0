"""Items or waves, scores by version, and the item on self-harm."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from bothways.intake import read
from bothways.terms.errors import RecordsError
from bothways.terms.layout import Layout
from bothways.terms.topic import Topic

SCORED = Layout(instruments={"depression": "phq9"})


def items(people: int = 30, waves: int = 3, seed: int = 1) -> np.ndarray:
    """(people, waves, 9) answers 0-3, the last item always 0."""
    found = np.random.default_rng(seed).integers(0, 4, (people, waves, 9)).astype(float)
    found[..., 8] = 0
    return found


def long_items(answers: np.ndarray) -> pl.DataFrame:
    people, waves, k = answers.shape
    base = {"id": np.repeat(np.arange(people), waves), "wave": np.tile(np.arange(1, waves + 1), people)}
    columns = {f"phq9_{j + 1}": answers[..., j].ravel() for j in range(k)}
    return pl.DataFrame({**base, **columns, "pain": np.arange(people * waves) % 11}).fill_nan(None)


def wide_items(answers: np.ndarray) -> pl.DataFrame:
    people, waves, k = answers.shape
    columns = {f"phq9_{j + 1}_t{w + 1}": answers[:, w, j] for w in range(waves) for j in range(k)}
    pain = {f"pain_t{w + 1}": (np.arange(people) * waves + w) % 11 for w in range(waves)}
    return pl.DataFrame({"id": np.arange(people), **columns, **pain}).fill_nan(None)


def test_items_of_a_long_and_a_wide_table_give_the_same_scores(topic: Topic) -> None:
    answers = items()
    long, wide = (read(t, topic=topic) for t in (long_items(answers), wide_items(answers)))
    np.testing.assert_array_equal(long.values["depression"], wide.values["depression"])
    np.testing.assert_array_equal(long.person, wide.person)
    np.testing.assert_array_equal(np.sort(long.values["depression"]), np.sort(answers.sum(-1).ravel()))
    assert long.pair.a.instrument == "phq9"
    assert long.findings == wide.findings


def test_an_unverified_missing_rule_waits_for_the_instrument_to_be_stated(topic: Topic) -> None:
    answers = items()
    answers[0, 0, 0] = answers[1, 1, :2] = answers[2, 2, :3] = np.nan
    guessed = read(long_items(answers), topic=topic)
    stated = read(long_items(answers), topic=topic, layout=SCORED)
    assert guessed.reasons["depression"] == {"too few items answered": 3}
    assert stated.reasons["depression"] == {"too few items answered": 1}
    says = {f.code: f.message for f in stated.findings}["scored"]
    assert "87 complete, 2 prorated, 1 refused" in says
    assert "--instrument depression=phq9" in {f.code: f.mend for f in guessed.findings}["scored"]
    by_wave = {f.code: f.message for f in read(wide_items(answers), topic=topic, layout=SCORED).findings}["scored"]
    assert "29/1/0, 29/1/0, 29/0/1" in by_wave


def test_codes_among_items_are_missing(topic: Topic) -> None:
    answers = items()
    answers[0, 0, 0], answers[1, 0, 0] = 7, 9
    records = read(long_items(answers), topic=topic, layout=SCORED)
    assert {f.code: f.message for f in records.findings}["item_codes"].endswith("code 7 (1), code 9 (1).")
    assert np.nanmax(records.values["depression"]) <= 27


def test_plain_numbers_may_be_items_or_waves(topic: Topic) -> None:
    answers = items(waves=1)
    frame = pl.DataFrame({f"phq9_{j + 1}": answers[:, 0, j] for j in range(9)}).with_columns(
        pl.Series("pain", np.arange(30) % 11), *(pl.Series(f"pain_{j + 1}", np.arange(30) % 11) for j in range(9))
    )
    with pytest.raises(RecordsError, match="may be the items of one questionnaire or its score at 9 waves"):
        read(frame, topic=topic)
    as_items = read(frame.drop(f"pain_{j + 1}" for j in range(9)), topic=topic, layout=Layout(numbered="items"))
    assert sorted(as_items.values["depression"]) == sorted(answers[:, 0].sum(1))
    as_waves = read(frame.drop("pain"), topic=topic, layout=Layout(numbered="waves"))
    assert as_waves.waves == 9
    assert as_waves.rows == 270


def test_plain_numbers_that_can_only_be_waves(topic: Topic) -> None:
    frame = pl.DataFrame({f"{stem}{k}": np.arange(20) % 7 for stem in ("mood", "pain") for k in range(1, 5)})
    assert read(frame, topic=topic).waves == 4


def test_columns_stated_wave_by_wave(topic: Topic) -> None:
    frame = pl.DataFrame({n: np.arange(20) % 7 for n in ("sad_before", "sad_after", "hurt_before", "hurt_after")})
    told = Layout(a=("sad_before", "sad_after"), b=("hurt_before", "hurt_after"))
    records = read(frame.with_columns(sad_after=pl.lit(5)), topic=topic, layout=told)
    assert records.waves == 2
    assert set(records.values["depression"][records.wave == 1]) == {5}


def test_a_wide_stem_can_be_stated(topic: Topic) -> None:
    frame = pl.DataFrame({f"{stem}_w{k}": np.arange(20) % 7 for stem in ("sad", "hurt") for k in range(1, 4)})
    records = read(frame, topic=topic, layout=Layout(a=("sad",), b=("hurt",)))
    assert (records.waves, records.people) == (3, 20)


def test_reversed_items_that_nobody_verified_are_not_guessed(topic: Topic) -> None:
    frame = pl.DataFrame({"id": [1, 1, 2, 2], "wave": [1, 2, 1, 2], "pain": [1, 2, 3, 4]})
    frame = frame.with_columns(pl.lit(1).alias(f"cesd10_{k}") for k in range(1, 11))
    with pytest.raises(RecordsError, match="whose reversed items are not verified"):
        read(frame, topic=topic)
    told = Layout(instruments={"depression": "cesd10"})
    assert set(read(frame, topic=topic, layout=told).values["depression"]) == {12.0}


def test_items_without_an_instrument_are_refused(topic: Topic) -> None:
    frame = pl.DataFrame({"id": [1, 1], "wave": [1, 2], "mood_1": [1, 2], "mood_2": [1, 2], "pain": [1, 2]})
    with pytest.raises(RecordsError, match="nothing says how they are scored"):
        read(frame, topic=topic)


@pytest.mark.parametrize("shape", [long_items, wide_items])
def test_the_self_harm_item_is_counted_by_people(shape, topic: Topic) -> None:  # type: ignore[no-untyped-def]
    answers = items()
    assert "self_harm_item" not in {f.code for f in read(shape(answers), topic=topic).findings}
    answers[4, :2, 8], answers[9, 2, 8], answers[11, 0, 8] = 1, 3, 9  # 9 is a code
    for layout in (Layout(), SCORED):
        found = [f for f in read(shape(answers), topic=topic, layout=layout).findings if f.code == "self_harm_item"]
        assert [f.people for f in found] == [2]


def test_the_self_harm_item_counts_beside_a_finished_score(topic: Topic) -> None:
    answers = items()
    answers[4, 0, 8] = 2
    frame = long_items(answers).with_columns(phq9=pl.Series(answers.sum(-1).ravel()))
    records = read(frame, topic=topic)
    assert [f.people for f in records.findings if f.code == "self_harm_item"] == [1]
    assert np.nanmax(records.values["depression"]) == answers.sum(-1).max()


def test_columns_named_together_are_averaged_and_stay_readable(topic: Topic) -> None:
    frame = pl.DataFrame(
        {
            "day": range(60),
            "sad": [k % 7 for k in range(60)],
            "tired": [None if k == 5 else (k * 3) % 7 for k in range(60)],
            "ache": [(k * 5) % 9 for k in range(60)],
        }
    )
    records = read(frame, topic=topic, layout=Layout(time="day", a=("sad", "tired"), b=("ache",)))
    a = records.pair.a.key
    assert records.values[a][1] == (1 + 3) / 2
    assert np.isnan(records.values[a][5])
    assert records.values["sad"][5] == 5
    assert records.roles.a == ("sad", "tired")
    assert "mean_of_columns" in {f.code for f in records.findings}
