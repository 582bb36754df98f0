"""Altered records: the same people with some rows, some values or some links changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.terms.records import Events, Records


def keep_people(records: Records, keep: Bool[np.ndarray, "people"]) -> Records:
    """The records of some people, renumbered in their order."""
    return keep_rows(records, keep[records.person])


def keep_rows(records: Records, rows: Bool[np.ndarray, "rows"]) -> Records:
    """Some rows. People left without any leave altogether; waves left without any close up.

    ``source`` still names the whole table, since that is where the rows came from.
    """
    present = np.zeros(records.people, bool)
    present[records.person[rows]] = True
    number = np.cumsum(present) - 1
    wave = None if records.wave is None else records.wave[rows]
    days = records.wave_days
    if wave is not None:
        left = np.unique(wave)
        wave = np.searchsorted(left, wave)
        days = None if days is None else days[left]
    return replace(
        records,
        person=number[records.person[rows]],
        time=records.time[rows],
        wave=wave,
        wave_days=days,
        values={name: column[rows] for name, column in records.values.items()},
        baseline={name: column[present] for name, column in records.baseline.items()},
        events={key: _events_of(e, present, number) for key, e in records.events.items()},
    )


def _events_of(events: Events, present: Bool[np.ndarray, "people"], number: Int[np.ndarray, "people"]) -> Events:
    kept = present[events.person]
    return Events(number[events.person[kept]], events.time[kept], events.onset[kept])


def with_values(records: Records, key: str, column: Float[np.ndarray, "rows"]) -> Records:
    """One variable replaced."""
    return replace(records, values={**records.values, key: column})


def reversed_time(records: Records) -> Records:
    """Every person's life told backwards, on the same grid of times: what began then ends now."""
    ends = records.time.max(initial=-np.inf) + records.time.min(initial=np.inf)
    time = ends - records.time
    order = np.lexsort((time, records.person))
    wave, days = records.wave, records.wave_days
    return replace(
        records,
        time=time[order],
        wave=None if wave is None else (wave.max() - wave)[order],
        wave_days=None if days is None else days[-1] - days[::-1],
        values={name: column[order] for name, column in records.values.items()},
        events={key: _backwards(e, float(ends)) for key, e in records.events.items()},
    )


def _backwards(events: Events, ends: float) -> Events:
    time = ends - events.time
    order = np.lexsort((time, events.person))
    return Events(events.person[order], time[order], 1 - events.onset[order])


def shuffled_people(records: Records, key: str, random: np.random.Generator) -> Records:
    """One condition's whole course handed to somebody else, wave by wave: every link across is cut.

    Each condition keeps its own course over time, its spread and its missing answers; only whose course it is
    changes. Needs common occasions.
    """
    assert records.wave is not None
    donor = random.permutation(records.people)
    course = np.full((records.people, records.waves or 0), np.nan)
    course[records.person, records.wave] = records.values[key]
    return with_values(records, key, course[donor[records.person], records.wave])


def person_means(records: Records, key: str) -> Float[np.ndarray, "people"]:
    """Each person's mean of one variable; NaN where never answered."""
    column = records.values[key]
    seen = np.isfinite(column)
    total = np.bincount(records.person[seen], column[seen], records.people)
    count = np.bincount(records.person[seen], minlength=records.people)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
