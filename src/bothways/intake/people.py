"""Who: rows in an order that depends on the answers alone, never on how people are called or rows are sorted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.intake.findings import count, listed, warning
from bothways.terms.errors import RecordsError
from bothways.terms.records import Finding

_ODD = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))


def sorted_rows(person: Int[np.ndarray, "rows"], time: Float[np.ndarray, "rows"]) -> Int[np.ndarray, "rows"]:
    """The order of rows by person, then time."""
    same = person[1:] == person[:-1]
    if bool(np.all((person[1:] > person[:-1]) | (same & (time[1:] > time[:-1])))):
        return np.arange(person.size)
    return np.lexsort((time, person))


def without_repeats(
    person: Int[np.ndarray, "rows"],
    time: Float[np.ndarray, "rows"],
    columns: Mapping[str, Float[np.ndarray, "rows"]],
    order: Int[np.ndarray, "rows"],
    where: str,
) -> tuple[Bool[np.ndarray, "rows"], list[Finding]]:
    """(rows to keep, findings) of sorted rows: repeats that agree in everything are dropped, others refused.

    ``columns`` stand in the table's own order, of which ``order`` is the sorting.

    Raises ``RecordsError`` where one person has two rows at one time that differ.
    """
    again = np.zeros(person.shape, dtype=bool)
    again[1:] = (person[1:] == person[:-1]) & (time[1:] == time[:-1])
    if not again.any():
        return ~again, []
    later = np.flatnonzero(again)
    differs = np.zeros(later.shape, dtype=bool)
    unlike = []
    for key, column in columns.items():
        one, two = column[order[later]], column[order[later - 1]]
        apart = ~((one == two) | (np.isnan(one) & np.isnan(two)))
        if apart.any():
            unlike.append(key)
        differs |= apart
    if differs.any():
        people = count(np.unique(person[later[differs]]).size, "person", "people")
        find = (
            f"{count(int(differs.sum()), 'row')} of {people} repeat a time with other answers (in {listed(unlike, 4)})"
        )
        raise RecordsError(
            where, find, "Keep one row per person and time, or give the hour as well (--time DATE+CLOCK)"
        )
    touched = np.unique(person[later]).size
    says = f"{count(later.size, 'row')} repeat another row of the same person and time exactly; each is read once"
    return ~again, [warning("duplicate_rows", says, "Remove the repeats", touched)]


def by_fingerprint(
    person: Int[np.ndarray, "rows"],
    time: Float[np.ndarray, "rows"],
    values: Iterable[Float[np.ndarray, "rows"]],
) -> Int[np.ndarray, "rows"]:
    """Number people (0-based) by a fingerprint of their answers in time order; rows come sorted by person and time.

    Relabelling people, reordering rows or rescaling time so leaves the records bit for bit the same. Times only part
    those whose answers are all alike; people alike in both are interchangeable.
    """
    start = np.flatnonzero(np.r_[True, person[1:] != person[:-1]])
    rows = np.diff(np.r_[start, person.size])
    place = np.arange(person.size) - np.repeat(start, rows)
    answers = _mixed(place.astype(np.float64))
    for column in values:
        answers *= _ODD[1]  # so that the same answers in two columns cannot change places
        answers += _mixed(column)
    answers = _stirred(answers)
    moments = _stirred(_mixed(time) + answers)
    keys = (np.add.reduceat(moments, start), np.add.reduceat(answers, start))
    rank = np.empty(start.size, dtype=np.int64)
    rank[np.lexsort(keys)] = np.arange(start.size)
    return np.repeat(rank, rows)


def per_person(
    person: Int[np.ndarray, "rows"], column: Float[np.ndarray, "rows"]
) -> Float[np.ndarray, "people"] | None:
    """The one value that each person has (NaN for none), or None where a person has two; rows sorted by person."""
    start = np.flatnonzero(np.r_[True, person[1:] != person[:-1]])
    low: Float[np.ndarray, "people"] = np.fmin.reduceat(column, start)
    high = np.fmax.reduceat(column, start)
    return low if bool(np.all((low == high) | np.isnan(low))) else None


def _mixed(column: Float[np.ndarray, "rows"]) -> np.ndarray:
    """The bits of each number, stirred; every NaN is one, and so are 0 and -0."""
    numbers = column + 0.0
    numbers[np.isnan(numbers)] = np.nan
    return _stirred(numbers.view(np.uint64))


def _stirred(bits: np.ndarray) -> np.ndarray:
    """Every bit of the input moves many of the output (the finaliser of splitmix64), in place."""
    bits += _ODD[0]
    for shift, odd in ((30, _ODD[1]), (27, _ODD[2])):
        bits ^= bits >> np.uint64(shift)
        bits *= odd
    bits ^= bits >> np.uint64(31)
    return bits
