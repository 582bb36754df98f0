"""Altered records: the same people with some rows, some values or some links changed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float

from bothways.terms.records import Events, Records


def keep_people(records: Records, keep: Bool[np.ndarray, "people"]) -> Records:
    """The records of some people, renumbered."""
    rows = keep[records.person]
    number = np.cumsum(keep) - 1
    return replace(
        keep_rows(records, rows),
        baseline={name: column[keep] for name, column in records.baseline.items()},
        events={
            key: Events(number[e.person[keep[e.person]]], e.time[keep[e.person]], e.onset[keep[e.person]])
            for key, e in records.events.items()
        },
    )


def keep_rows(records: Records, rows: Bool[np.ndarray, "rows"]) -> Records:
    """Some rows. People left without any keep no number, so baseline columns are cut to those who stay."""
    present = np.zeros(records.people, bool)
    present[records.person[rows]] = True
    number = np.cumsum(present) - 1
    wave = None if records.wave is None else records.wave[rows]
    waves, days = wave, records.wave_days
    if wave is not None and wave.size:
        left = np.unique(wave)
        waves = np.searchsorted(left, wave)
        days = None if days is None else days[left]
    return replace(
        records,
        person=number[records.person[rows]],
        time=records.time[rows],
        wave=waves,
        wave_days=days,
        values={name: column[rows] for name, column in records.values.items()},
        baseline={name: column[present] for name, column in records.baseline.items()},
    )


def with_values(records: Records, key: str, column: Float[np.ndarray, "rows"]) -> Records:
    """One variable replaced."""
    return replace(records, values={**records.values, key: column})


def reversed_time(records: Records) -> Records:
    """Every person's life told backwards, on the same grid of times."""
    last = records.time.max(initial=0.0) + records.time.min(initial=0.0)
    time = last - records.time
    wave = None if records.wave is None else records.wave.max() - records.wave
    order = np.lexsort((time, records.person))
    days = None if records.wave_days is None else records.wave_days[-1] - records.wave_days[::-1]
    return replace(
        records,
        time=time[order],
        wave=None if wave is None else wave[order],
        wave_days=days,
        values={name: column[order] for name, column in records.values.items()},
    )


def shuffled_people(records: Records, key: str, random: np.random.Generator) -> Records:
    """One condition's whole course handed to somebody else seen at the same times: every link across is cut."""
    slot = records.wave if records.wave is not None else _place_in_person(records)
    donor = random.permutation(records.people)
    width = int(slot.max(initial=0)) + 1
    course = np.full((records.people, width), np.nan)
    course[records.person, slot] = records.values[key]
    return with_values(records, key, course[donor[records.person], slot])


def _place_in_person(records: Records) -> np.ndarray:
    """0, 1, 2, ... within each person."""
    first = np.searchsorted(records.person, records.person, side="left")
    return np.arange(records.rows) - first


def person_means(records: Records, key: str) -> Float[np.ndarray, "people"]:
    """Each person's mean of one variable; NaN where never answered."""
    column = records.values[key]
    seen = np.isfinite(column)
    total = np.bincount(records.person[seen], column[seen], records.people)
    count = np.bincount(records.person[seen], minlength=records.people)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
