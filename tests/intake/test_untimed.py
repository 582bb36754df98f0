"""Dates that rise down the rows of a table without a who and a when: the reader is asked whether they are the time."""

from __future__ import annotations

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest

from bothways.intake import read
from bothways.terms.layout import Layout
from bothways.terms.records import Finding, Level, Records
from bothways.terms.topic import Topic

ROWS = 60
RNG = np.random.default_rng(2)
WHEN = [datetime(2024, 3, 4, 9) + timedelta(hours=5 * k, minutes=int(RNG.integers(50))) for k in range(ROWS)]
ANSWERS = {"mood": RNG.integers(0, 11, ROWS), "pain": RNG.integers(0, 11, ROWS)}


def asked(records: Records) -> Finding | None:
    return next((f for f in records.findings if f.code == "time_not_named"), None)


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d %H:%M", "%d/%m/%Y %H:%M", "%d %b %Y", None], ids=["ymd", "either way round", "named", "dates"]
)
@pytest.mark.parametrize("newest_first", [False, True])
def test_a_rising_column_of_dates_is_asked_about(form: str | None, newest_first: bool, topic: Topic) -> None:
    when = WHEN if form is None else [t.strftime(form) for t in WHEN]
    if form == "%d %b %Y":
        when = [(WHEN[0] + timedelta(days=k)).strftime(form) for k in range(ROWS)]
    frame = pl.DataFrame({"started": when, **ANSWERS})
    found = asked(read(frame[::-1] if newest_first else frame, topic=topic))
    assert found is not None
    assert found.level is Level.WARNING
    assert "is 'started' the time?" in found.message
    assert "--time started" in found.mend


def test_what_was_asked_about_is_the_answer(topic: Topic) -> None:
    records = read(pl.DataFrame({"started": WHEN, **ANSWERS}), topic=topic, layout=Layout(time="started"))
    assert (records.people, records.rows) == (1, ROWS)
    assert asked(records) is None


def test_seconds_since_1970_are_dates_and_two_columns_are_both_named(topic: Topic) -> None:
    seconds = [int((t - datetime(1970, 1, 1)).total_seconds()) for t in WHEN]
    later = [s + 90 for s in seconds]
    found = asked(read(pl.DataFrame({"beep sent": seconds, "ended": later, **ANSWERS}), topic=topic))
    assert found is not None
    assert "'beep sent' or 'ended'" in found.message
    assert "--time 'beep sent'" in found.mend


@pytest.mark.parametrize(
    "extra",
    [
        {"interviewed": [WHEN[k] for k in np.random.default_rng(1).permutation(ROWS)]},
        {"released": [WHEN[0]] * ROWS},
        {"id": list(range(ROWS)), "started": WHEN},
        {"income": list(range(ROWS))},
        {"remarks": [f"on the {k}" for k in range(ROWS)]},
    ],
    ids=["dates in no order", "one date for all", "people are named", "numbers that rise", "words"],
)
def test_other_tables_are_left_in_peace(extra: dict[str, list[object]], topic: Topic) -> None:
    assert asked(read(pl.DataFrame({**extra, **ANSWERS}), topic=topic)) is None
