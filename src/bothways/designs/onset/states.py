"""From records to the four states at each row: neither, A alone, B alone, both; and death where it is dated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.engine.chain.sequences import DATED, ENTERED, SEEN
from bothways.terms.question import Condition, Kind
from bothways.terms.records import Records, TimeUnit
from bothways.terms.settings import Settings

DEATH = "death"  # the key of dated deaths among records.events
DAYS_PER_YEAR = 365.25
DEAD = 4
MASKS = np.array(  # what one known condition leaves open, in the order of _PARTLY; the last: alive, nothing known
    [[1, 0, 1, 0, 0], [0, 1, 0, 1, 0], [1, 1, 0, 0, 0], [0, 0, 1, 1, 0], [1, 1, 1, 1, 0]], dtype=np.float64
)


@dataclass(frozen=True, slots=True)
class StateRows:
    """Rows sorted by person and time. ``state`` (rows,) is 0, 1 (A), 2 (B), 3 (both), 4 (dead), or 5 + mask.

    ``kind`` as in the engine. ``row`` (rows,) is the row of the records, -1 for a death. Times are in years since the
    first day of the records, or in waves while nobody knows how long a wave is.
    """

    person: Int[np.ndarray, "rows"]
    time: Float[np.ndarray, "rows"]
    state: Int[np.ndarray, "rows"]
    kind: Int[np.ndarray, "rows"]
    row: Int[np.ndarray, "rows"]
    people: int
    dated: bool
    deaths: int
    same_day: int  # dated rows on which both conditions changed at once

    @property
    def known(self) -> Bool[np.ndarray, "rows"]:
        """Both conditions known, or dead."""
        return np.asarray(self.state <= DEAD)


def cut_of(condition: Condition, settings: Settings) -> float | None:
    """At or above this a score counts as present: the stated cut, else the condition's own."""
    return settings.cuts.get(condition.key, condition.threshold)


def is_dated(records: Records) -> bool:
    """Both conditions come with dated onsets."""
    return all(c.kind is Kind.EVENT and c.key in records.events for c in (records.pair.a, records.pair.b))


def present(
    values: Float[np.ndarray, "rows"], person: Int[np.ndarray, "rows"], cut: float, margin: float = 0.0
) -> Float[np.ndarray, "rows"]:
    """1 at or above ``cut``, else 0; NaN stays. With a margin, recovery takes less than cut - margin (hysteresis)."""
    state = np.where(np.isnan(values), np.nan, (values >= cut).astype(float))
    if margin <= 0:
        return state
    between = (values < cut) & (values >= cut - margin)
    now = 0.0
    for i in range(state.size):
        now = 0.0 if i == 0 or person[i] != person[i - 1] else now
        if between[i]:
            state[i] = now
        now = now if np.isnan(state[i]) else float(state[i])
    return state


def presence(records: Records, settings: Settings, condition: Condition, margin: float) -> Float[np.ndarray, "rows"]:
    """0/1/NaN of one condition at every row."""
    values = records.values[condition.key]
    if condition.kind is not Kind.SCORE:
        return np.asarray(np.where(np.isnan(values), np.nan, values > 0), dtype=np.float64)
    cut = cut_of(condition, settings)
    return present(values, records.person, np.inf if cut is None else cut, margin)


def state_rows(records: Records, settings: Settings, margin: float = 0.0) -> StateRows:
    """The four-state rows of records. Rows at which neither condition is known are left out unless deaths are dated."""
    a, b = (presence(records, settings, c, margin) for c in (records.pair.a, records.pair.b))
    state = _coded(a, b)
    deaths = records.events.get(DEATH)
    end = np.full(records.people, np.inf)
    if deaths is not None and deaths.person.size:
        np.minimum.at(end, deaths.person, deaths.time)
    keep = records.time < end[records.person]
    keep &= (state != 5 + len(MASKS) - 1) | np.isfinite(end).any()
    keep[:-1] &= (np.diff(records.person) != 0) | (np.diff(records.time) > 0)
    dated = is_dated(records)
    kind = np.full(state.size, DATED if dated else SEEN)
    person, time, state, kind, row = (
        records.person[keep],
        records.time[keep],
        state[keep],
        kind[keep],
        np.flatnonzero(keep),
    )
    seen = np.zeros(records.people, dtype=bool)
    seen[person] = True
    gone = np.flatnonzero(np.isfinite(end) & seen)
    person, time = np.r_[person, gone], np.r_[time, end[gone]]
    state, kind = np.r_[state, np.full(gone.size, DEAD)], np.r_[kind, np.full(gone.size, DATED if dated else ENTERED)]
    row = np.r_[row, np.full(gone.size, -1)]
    order = np.lexsort((time, person))
    person, time, state, kind, row = (x[order] for x in (person, time, state, kind, row))
    same_day = _both_at_once(person, state, kind)
    kind = np.where(same_day, SEEN, kind)
    kind = np.where((kind == DATED) & np.r_[False, state[:-1] > DEAD], np.where(state == DEAD, ENTERED, SEEN), kind)
    scale = DAYS_PER_YEAR if records.time_unit is TimeUnit.DAY else 1.0
    return StateRows(person, time / scale, state, kind, row, records.people, dated, gone.size, int(same_day.sum()))


def _coded(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """State a + 2 b where both are known; else 5 + the mask of what is left open."""
    code = np.full(a.size, 5 + 4)
    both = ~np.isnan(a) & ~np.isnan(b)
    code[both] = (a + 2 * b)[both].astype(int)
    only_a, only_b = ~np.isnan(a) & np.isnan(b), np.isnan(a) & ~np.isnan(b)
    code[only_a] = 5 + a[only_a].astype(int)
    code[only_b] = 7 + b[only_b].astype(int)
    return code


def _both_at_once(person: np.ndarray, state: np.ndarray, kind: np.ndarray) -> np.ndarray:
    """Dated rows at which both conditions differ from the row before: the order within the day is not known."""
    before = np.r_[-1, state[:-1]]
    joined = np.r_[False, np.diff(person) == 0]
    ends = (before < DEAD) & (state < DEAD) & joined
    return np.asarray(ends & ((before ^ state) == 3) & (kind == DATED))
