"""From records to common occasions: waves as they are, or visits set on a grid of equal steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from bothways.terms.records import Records, TimeUnit

TOLERANCE = 1 / 3  # of a step: a visit further than this from its place on the grid is not used
DEATH = "death"  # the key of dated deaths among records.events


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Where each row of the records stands. ``slot`` (rows,) is the occasion, -1 for rows that are not used.

    ``when`` (occasions,) is the time of each occasion since the first, in the records' unit; ``died`` (people,) the
    first occasion at which a person is dead, ``occasions`` for everyone else. ``step`` is None for waves.
    """

    slot: Int[np.ndarray, "rows"]
    when: Float[np.ndarray, "occasions"]
    died: Int[np.ndarray, "people"]
    unit: TimeUnit
    step: float | None
    unused: int

    @property
    def occasions(self) -> int:
        """How many there are."""
        return len(self.when)

    def days(self, occasion: int) -> float | None:
        """Days from the first occasion, or None where a wave's length is not known."""
        return float(self.when[occasion]) if self.unit is TimeUnit.DAY else None

    def filled(self, column: Float[np.ndarray, "rows"], person: Int[np.ndarray, "rows"]) -> np.ndarray:
        """A column as (people, occasions), NaN where nothing was seen."""
        out = np.full((len(self.died), self.occasions), np.nan)
        used = self.slot >= 0
        out[person[used], self.slot[used]] = column[used]
        return out


def grid_of(records: Records) -> Grid:
    """Waves where the records have them; else each visit at the nearest multiple of the median gap since the first."""
    if records.wave is not None:
        waves = int(records.waves or 0)
        known = records.wave_days is not None
        when = np.asarray(records.wave_days, float) if known else np.arange(waves, dtype=float)
        when = when - when[0] if when.size else when
        unit = TimeUnit.DAY if known else TimeUnit.WAVE
        died = (
            _died(records, when + _first_day(records), waves, np.zeros(records.people))
            if known
            else _nobody(records, waves)
        )
        return Grid(records.wave.copy(), when, died, unit, None, 0)
    first = np.full(records.people, np.inf)
    np.minimum.at(first, records.person, records.time)
    gaps = np.diff(records.time)[np.diff(records.person) == 0]
    step = float(np.median(gaps)) if gaps.size and np.median(gaps) > 0 else 1.0
    place = (records.time - first[records.person]) / step
    slot = np.rint(place).astype(np.int64)
    away = np.abs(place - slot)
    order = np.lexsort((away, slot, records.person))
    twice = np.r_[False, (np.diff(records.person[order]) == 0) & (np.diff(slot[order]) == 0)]
    slot[order[twice]] = -1
    slot[away > TOLERANCE] = -1
    when = np.arange(int(slot.max(initial=-1)) + 1) * step
    died = _died(records, when, when.size, first)
    return Grid(slot, when, died, records.time_unit, step, int((slot < 0).sum()))


def _first_day(records: Records) -> float:
    return float(records.time[records.wave == 0].min(initial=0.0)) if records.wave is not None else 0.0


def _nobody(records: Records, occasions: int) -> Int[np.ndarray, "people"]:
    return np.full(records.people, occasions)


def _died(records: Records, when: np.ndarray, occasions: int, start: np.ndarray) -> Int[np.ndarray, "people"]:
    """The first occasion on or after the day of death."""
    died, deaths = _nobody(records, occasions), records.events.get(DEATH)
    if deaths is None or not deaths.person.size:
        return died
    day = np.full(records.people, np.inf)
    np.minimum.at(day, deaths.person, deaths.time)
    return np.where(np.isfinite(day), np.searchsorted(when, day - start, side="left"), died)
