"""Waves, day numbers, dates, date-times and zones on one axis."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bothways.intake import read
from bothways.intake.times import gap_in_days, occasions
from bothways.terms.errors import RecordsError
from bothways.terms.layout import Layout
from bothways.terms.records import Records, TimeUnit
from bothways.terms.topic import Topic

DAYS = [0, 31, 400]  # 2021-03-04, 2021-04-04, 2022-04-08


def table(times: list[object], name: str = "date") -> pl.DataFrame:
    """Two people at three times each; the answers tell the rows apart."""
    return pl.DataFrame(
        {"id": [1, 1, 1, 2, 2, 2], name: times * 2, "phq9": [1, 2, 3, 4, 5, 6], "pain": [3, 3, 4, 4, 5, 5]}
    )


def as_text(form: str) -> list[object]:
    return [(date(2021, 3, 4) + timedelta(days)).strftime(form) for days in DAYS]


def of_one(records: Records) -> list[float]:
    """The times of the person who answered 1, 2, 3."""
    return records.time[records.values["depression"] <= 3].tolist()


@pytest.mark.parametrize(
    "form",
    ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%m-%d-%Y", "%Y%m%d", "%d %b %Y", "%d%b%Y", "%B %d, %Y", "%Y-%m-%d 00:00:00"],
)
def test_forms_of_dates(form: str, topic: Topic) -> None:
    told = Layout(date_order={"%d.%m.%Y": "dmy", "%m-%d-%Y": "mdy"}.get(form))  # type: ignore[arg-type]
    records = read(table(as_text(form)), topic=topic, layout=told)
    assert of_one(records) == DAYS
    assert records.time_unit is TimeUnit.DAY
    assert records.wave is None


def test_a_day_beyond_twelve_settles_the_order(topic: Topic) -> None:
    records = read(table(["04/03/2021", "25/03/2021", "08/04/2022"]), topic=topic)
    assert of_one(records) == [0, 21, 400]
    records = read(table(["13/08/12", "14/08/12", "13/10/12"]), topic=topic)
    assert of_one(records) == [0, 1, 61]


def test_native_dates_and_zones(topic: Topic) -> None:
    assert of_one(read(table([date(2021, 3, 4) + timedelta(d) for d in DAYS]), topic=topic)) == DAYS
    east = timezone(timedelta(hours=2))
    hours = [
        datetime(2021, 3, 4, 12, tzinfo=UTC),
        datetime(2021, 3, 4, 15, tzinfo=UTC),
        datetime(2021, 3, 5, tzinfo=UTC),
    ]
    native = read(table([h.astimezone(UTC) for h in hours]), topic=topic)
    texts = read(table([h.astimezone(east).isoformat() for h in hours]), topic=topic)
    assert of_one(native) == pytest.approx([0, 0.125, 0.5])
    assert of_one(texts) == pytest.approx([0, 0.125, 0.5])


def test_zones_beside_no_zone_are_refused(topic: Topic) -> None:
    with pytest.raises(RecordsError, match="2 rows of 6 do not follow"):
        read(table(["2021-03-04T12:00:00", "2021-03-04T12:00:00+02:00", "2021-03-05T12:00:00"]), topic=topic)


def test_date_and_clock_together(topic: Topic) -> None:
    frame = table(["2021-03-04", "2021-03-04", "2021-03-05"]).with_columns(
        clock=pl.Series(["08:30", "20:30:00", "8:30"] * 2)
    )
    records = read(frame, topic=topic, layout=Layout(time="date+clock"))
    assert of_one(records) == pytest.approx([0, 0.5, 1])


@pytest.mark.parametrize(
    ("name", "times", "unit", "expected"),
    [
        ("wave", [1, 2, 3], TimeUnit.WAVE, [0, 1, 2]),
        ("wave", [1, 2, 4], TimeUnit.WAVE, [0, 1, 3]),
        ("time", ["T1", "T2", "T3"], TimeUnit.WAVE, [0, 1, 2]),
        ("visit", ["baseline", "6 months", "12 months"], TimeUnit.DAY, [0, 6 * 30.4375, 365.25]),
        ("day", [0, 30, 61], TimeUnit.DAY, [0, 30, 61]),
        ("t", [0.0, 0.5, 2.25], TimeUnit.DAY, [0, 0.5, 2.25]),
        ("week", [0, 1, 3], TimeUnit.DAY, [0, 7, 21]),
    ],
)
def test_numbers_and_labels(
    name: str, times: list[object], unit: TimeUnit, expected: list[float], topic: Topic
) -> None:
    records = read(table(times, name), topic=topic)
    assert records.time_unit is unit
    assert of_one(records) == expected


def test_a_gap_makes_days_of_waves(topic: Topic) -> None:
    one = read(table([1, 2, 4], "wave"), topic=topic, layout=Layout(wave_gap=("6 months",)))
    assert one.time_unit is TimeUnit.DAY
    assert one.wave_days is not None
    assert one.wave_days.tolist() == [0, 182.625, 547.875]
    assert of_one(one) == [0, 182.625, 547.875]
    two = read(table([1, 2, 4], "wave"), topic=topic, layout=Layout(wave_gap=("2 weeks", "1 year")))
    assert of_one(two) == [0, 14, 379.25]
    assert two.wave is not None
    assert two.wave.max() == 2


def test_skipped_wave_numbers_are_said(topic: Topic) -> None:
    codes = {f.code for f in read(table([1, 2, 4], "wave"), topic=topic).findings}
    assert "waves_skip" in codes
    assert "waves_skip" not in {f.code for f in read(table([1, 2, 3], "wave"), topic=topic).findings}


def test_dates_become_waves_when_asked(topic: Topic) -> None:
    frame = table(as_text("%Y-%m-%d")).with_columns(
        date=pl.Series(["2021-03-04", "2021-09-01", "2022-03-07", "2021-03-10", "2022-03-01", None])
    )
    records = read(frame, topic=topic, layout=Layout(waves=True))
    assert records.waves == 3
    assert records.wave is not None
    assert records.wave[records.values["depression"] > 3].tolist() == [0, 2]
    assert "no_time" in {f.code for f in records.findings}


def test_dates_that_share_no_occasions_are_refused(topic: Topic) -> None:
    frame = table(as_text("%Y-%m-%d")).with_columns(
        date=pl.Series(["2021-03-04", "2021-03-05", "2021-03-06", "2021-03-04", "2021-03-09", "2021-03-10"])
    )
    with pytest.raises(RecordsError, match="do not fall into occasions"):
        read(frame, topic=topic, layout=Layout(waves=True))


@given(st.integers(0, 1000), st.integers(2, 6), st.booleans())
def test_occasions_are_found_again(seed: int, waves: int, rolling: bool) -> None:
    rng = np.random.default_rng(seed)
    people = 30
    wave = np.tile(np.arange(waves), people)
    person = np.repeat(np.arange(people), waves)
    start = rng.uniform(0, 4000, people)[person] if rolling else 0.0
    time = start + 180.0 * wave + np.where(wave > 0, rng.uniform(-30, 30, wave.size), 0.0)
    keep = (rng.random(wave.size) > 0.15) | (wave == 0) | (person == 0)
    np.testing.assert_array_equal(occasions(time[keep], person[keep], "t"), wave[keep])


@pytest.mark.parametrize(
    ("text", "days"),
    [("6 months", 182.625), ("2 weeks", 14), ("1 year", 365.25), ("90", 90), ("0.5 d", 0.5), ("18mo", 547.875)],
)
def test_lengths_of_time(text: str, days: float) -> None:
    assert gap_in_days(text) == days


def test_impossible_gaps_are_found(topic: Topic) -> None:
    records = read(table(["0201-03-04".replace("0201", "1821"), "2021-03-04", "2021-04-04"]), topic=topic)
    assert [f.people for f in records.findings if f.code == "impossible_gap"] == [2]


def test_a_diary_without_an_id_is_one_person(topic: Topic) -> None:
    frame = pl.DataFrame(
        {"datetime": [f"2021-03-04 {h:02}:30" for h in range(8, 20)], "mood": range(12), "pain": range(12)}
    )
    records = read(frame, topic=topic)
    assert (records.people, records.rows) == (1, 12)
    np.testing.assert_allclose(np.diff(records.time), 1 / 24)


@pytest.mark.parametrize("clocks", [["08:30 AM", "8:30 pm", "12:30 am"], ["8:30am", "08:30:00 P.M.", "12:30:00 AM"]])
def test_a_clock_with_am_and_pm(clocks: list[str], topic: Topic) -> None:
    frame = table(["2021-03-04", "2021-03-04", "2021-03-05"]).with_columns(clock=pl.Series(clocks * 2))
    records = read(frame, topic=topic, layout=Layout(time="date+clock"))
    assert of_one(records) == pytest.approx([0, 0.5, 16 / 24])


def test_noon_is_twelve_pm(topic: Topic) -> None:
    frame = table(["2021-03-04"] * 3).with_columns(clock=pl.Series(["12:00 am", "12:00 pm", "11:59 pm"] * 2))
    records = read(frame, topic=topic, layout=Layout(time="date+clock"))
    assert of_one(records) == pytest.approx([0, 0.5, 1 - 1 / 1440])


@pytest.mark.parametrize("odd", ["25:10", "13:05 pm", "9:75", "half past 8"])
def test_what_is_no_time_of_day_is_named_without_its_value(odd: str, topic: Topic) -> None:
    frame = table(["2021-03-04", "2021-03-05", "2021-03-06"]).with_columns(clock=pl.Series(["08:30", odd, "9:10"] * 2))
    with pytest.raises(RecordsError, match="2 rows of 6 hold no time of day") as caught:
        read(frame, topic=topic, layout=Layout(time="date+clock"))
    assert odd not in str(caught.value)


def test_a_clock_beside_a_date_is_read_with_it(topic: Topic) -> None:
    frame = table(["2021-03-04", "2021-03-04", "2021-03-05"]).with_columns(
        time=pl.Series(["8:30 am", "8:30 pm", "8:30 am"] * 2)
    )
    records = read(frame, topic=topic)
    assert of_one(records) == pytest.approx([0, 0.5, 1])
    assert records.roles.time == "date+time"
    with pytest.raises(RecordsError, match=r"no date.*--time DATE\+time"):
        read(frame.drop("date"), topic=topic)


@pytest.mark.parametrize("each", [1, 1000])
def test_seconds_since_1970_are_moments(each: int, topic: Topic) -> None:
    """1,614,846,600 s is 2021-03-04 08:30 UTC: as days it would be four million years."""
    start = 1_614_846_600
    records = read(table([(start + s) * each for s in (0, 43_200, 86_400)], "timestamp"), topic=topic)
    assert of_one(records) == pytest.approx([0, 0.5, 1])
    assert records.time_unit is TimeUnit.DAY
    assert any("seconds since 1970" in f.message for f in records.findings)


def test_a_lone_diary_whose_time_is_called_when(topic: Topic) -> None:
    frame = table(["2021-03-04 08:00", "2021-03-04 12:00", "2021-03-05 08:00"], "when").filter(pl.col("id") == 1)
    records = read(frame.drop("id"), topic=topic)
    assert records.people == 1
    assert records.time.tolist() == pytest.approx([0, 1 / 6, 1])


@pytest.mark.parametrize(
    ("name", "a_day"),
    [("hours", 24), ("hours_since_start", 24), ("minutes", 1_440), ("t_hrs", 24), ("elapsed_seconds", 86_400)],
)
def test_hours_minutes_and_seconds_are_no_days(name: str, a_day: float, topic: Topic) -> None:
    records = read(table([0.0, 0.25 * a_day, 2.5 * a_day], name), topic=topic, layout=Layout(time=name))
    assert of_one(records) == pytest.approx([0, 0.25, 2.5])
    assert records.time_unit is TimeUnit.DAY


def test_a_gap_of_hours() -> None:
    assert gap_in_days("8 hours") == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    "form", ["%m/%d/%Y, %I:%M:%S %p", "%Y-%m-%d, %H:%M", "%d %b %Y %I:%M%p", "%Y-%m-%d %I:%M:%S%p"]
)
def test_clocks_after_a_comma_and_without_a_space(form: str, topic: Topic) -> None:
    texts: list[object] = [datetime(2021, 3, day, hour).strftime(form) for day, hour in ((4, 8), (4, 20), (25, 14))]
    assert of_one(read(table(texts), topic=topic)) == pytest.approx([0, 0.5, 21.25])
