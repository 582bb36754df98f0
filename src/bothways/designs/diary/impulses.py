"""What strikes at a moment - a dated event, a dose of medicine, a quarrel - and the course that follows it.

    dx = A x dt + Ξ dN,   so that the mean after an event stands T(h) Ξ higher, T(h) = exp(Ah), at any lag h

Dated events are those of ``Records.events`` beyond the pair; they strike between prompts, at their own time. A stated
0/1 column strikes at its prompts where its ones stand alone, as marks do ("took a tablet"); ones in long runs are a
phase, which holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.terms.records import Records

LEAST_STRIKES = 5  # fewer tell nothing of what follows
ALONE = 0.8  # of the runs of ones are of length one, where a column marks moments
MOST_MARKED = 1 / 3  # of the answers of a column that marks moments


@dataclass(frozen=True, slots=True, eq=False)
class Strikes:
    """``names`` of all impulses: ``columns`` of the records first, then kinds of dated events.

    ``at_rows`` (rows, names) holds the strikes at prompts; ``person``, ``time`` and ``between`` (events, names) those
    at times of their own.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    at_rows: Float[np.ndarray, "rows names"]
    person: Int[np.ndarray, " events"]
    time: Float[np.ndarray, " events"]
    between: Float[np.ndarray, "events names"]


def strikes_of(records: Records, rows: Int[np.ndarray, " rows"], kept: Int[np.ndarray, " people"]) -> Strikes:
    """All impulses with enough strikes among the ``rows`` of the persons ``kept`` and within their records."""
    marks = {key: np.nan_to_num(records.values[key][rows]) for key in _marking(records, rows)}
    dated = _dated(records, rows, kept)
    columns, names = tuple(marks), (*marks, *dated)
    at_rows = np.zeros((rows.size, len(names)))
    for k, key in enumerate(columns):
        at_rows[:, k] = marks[key]
    person = np.concatenate([np.zeros(0, np.int64), *(who for who, _ in dated.values())])
    time = np.concatenate([np.zeros(0), *(when for _, when in dated.values())])
    between = np.zeros((person.size, len(names)))
    kind = np.repeat(np.arange(len(dated)), [who.size for who, _ in dated.values()])
    between[np.arange(person.size), len(columns) + kind] = 1.0
    return Strikes(names, columns, at_rows, person.astype(np.int64), time, between)


def _marking(records: Records, rows: Int[np.ndarray, " rows"]) -> list[str]:
    """Stated columns that mark moments."""
    stated = (*records.roles.covariates, *records.roles.by)
    return [
        key
        for key in stated
        if key in records.values
        and key not in records.baseline
        and marks_moments(records.values[key][rows], records.person[rows])
    ]


def marks_moments(column: Float[np.ndarray, " rows"], person: Int[np.ndarray, " rows"]) -> bool:
    """Whether a 0/1 column has ones enough, not too many, and most of them alone between zeros."""
    given = np.isfinite(column)
    values, who = column[given], person[given]
    if not np.isin(values, (0.0, 1.0)).all() or not LEAST_STRIKES <= values.sum() <= MOST_MARKED * values.size:
        return False
    return float(_alone(values > 0, who).sum()) >= ALONE * float(_first(values > 0, who).sum())


def _first(ones: Bool[np.ndarray, " rows"], person: Int[np.ndarray, " rows"]) -> Bool[np.ndarray, " rows"]:
    """Ones that no one of the same person's stands right before: each begins a run."""
    before = np.zeros(ones.size, bool)
    before[1:] = ones[:-1] & (person[1:] == person[:-1])
    return np.asarray(ones & ~before)


def _alone(ones: Bool[np.ndarray, " rows"], person: Int[np.ndarray, " rows"]) -> Bool[np.ndarray, " rows"]:
    """Ones with none of the same person's right before or after them."""
    return np.asarray(_first(ones, person) & _first(ones[::-1], person[::-1])[::-1])


def _dated(
    records: Records, rows: Int[np.ndarray, " rows"], kept: Int[np.ndarray, " people"]
) -> dict[str, tuple[Int[np.ndarray, " events"], Float[np.ndarray, " events"]]]:
    """By kind: person (numbered among ``kept``) and time of beginnings between a person's first and last row."""
    who, when = records.person[rows], records.time[rows]
    starts = np.searchsorted(who, kept)
    first, last = when[starts], when[np.searchsorted(who, kept, side="right") - 1]
    found = {}
    for key, events in records.events.items():
        if key in (records.pair.a.key, records.pair.b.key):
            continue
        mine = (events.onset == 1) & np.isin(events.person, kept)
        person, time = np.searchsorted(kept, events.person[mine]), events.time[mine]
        inside = (time >= first[person]) & (time <= last[person])
        if inside.sum() >= LEAST_STRIKES:
            found[key] = (person[inside], time[inside])
    return found
