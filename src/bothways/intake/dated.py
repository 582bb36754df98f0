"""One row per person with dates of onset: -> rows at entry, at each change and at exit, and the dated events.

Columns are recognised by words beside a condition's name: ``depression_onset_date``, ``onset_day_b``,
``pain_recovery``; ``entry`` and ``exit`` (or ``start_date``, ``last_seen``) bound the time that a person was watched.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.intake.columns import YEAR, plain, unit_in
from bothways.intake.dates import read_dates
from bothways.intake.deaths import DEATH, refuse_flag
from bothways.intake.findings import count, listed, warning
from bothways.intake.table import Sheet
from bothways.terms.errors import RecordsError
from bothways.terms.layout import Layout
from bothways.terms.records import Events, Finding

ONSET_WORDS = frozenset(("onset", "onsets", "began", "begin", "begun", "diagnosis", "diagnosed", "dx", "incident"))
END_WORDS = frozenset(("recovery", "recovered", "remission", "resolved", "offset", "end", "ended"))
FILLERS = frozenset(
    ("date", "day", "days", "at", "of", "time", "age", "week", "weeks", "month", "months", "year", "years")
)
ENTRY_NAMES = (
    "entry",
    "entrydate",
    "studyentry",
    "entryday",
    "enrolment",
    "enrollment",
    "enrolmentdate",
    "startdate",
    "start",
    "baselinedate",
)
EXIT_NAMES = (
    "exit",
    "exitdate",
    "exitday",
    "studyexit",
    "enddate",
    "end",
    "lastseen",
    "lastvisit",
    "censored",
    "censordate",
    "followupend",
)


@dataclass(frozen=True, slots=True)
class DatedColumns:
    """By condition key the columns of onset and, where there is one, of recovery; entry, exit and death likewise."""

    onset: Mapping[str, str]
    end: Mapping[str, str]
    entry: str | None
    exit: str | None
    death: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """All of them."""
        bounds = tuple(column for column in (self.entry, self.exit, self.death) if column)
        return (*self.onset.values(), *self.end.values(), *bounds)


@dataclass(frozen=True, slots=True)
class Watched:
    """(rows,) the table's row of the person and the time; states 0/1 by condition; events by the table's row."""

    row: Int[np.ndarray, "rows"]
    time: Float[np.ndarray, "rows"]
    states: Mapping[str, Float[np.ndarray, "rows"]]
    events: Mapping[str, Events]
    in_dates: bool
    findings: tuple[Finding, ...]


def dated_column(columns: Sequence[str], stems: Sequence[str], words: frozenset[str]) -> str | None:
    """The column that names a condition and one of ``words``, and nothing else but fillers such as "date"."""
    wanted = {plain(stem) for stem in stems}
    for column in columns:
        parts = [part for part in re.split(r"[^a-z0-9]+", column.lower()) if part]
        rest = [part for part in parts if part not in words and part not in FILLERS]
        if any(part in words for part in parts) and "".join(rest) in wanted:
            return column
    return None


def bound_column(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """The column whose whole name is one of ``names``."""
    by_plain = {plain(column): column for column in reversed(columns)}
    return next((by_plain[name] for name in names if name in by_plain), None)


def watch(sheet: Sheet, dated: DatedColumns, layout: Layout) -> Watched:
    """Read the dates and lay out each person's time: entry, every change of state within it, exit.

    A condition that began at or before entry is present there. Raises ``RecordsError`` where some columns hold dates
    and others numbers, or a cell holds neither.
    """
    moments, in_dates = _moments(sheet, dated, layout)
    entry, out, found = _bounds(moments, dated, in_dates)
    died = _died(moments, dated, entry, out)
    out = np.fmin(out, np.where(np.isnan(died), np.inf, died))
    found += _in_order(moments, dated, entry, out)
    with np.errstate(invalid="ignore"):
        watched = entry < out
    changes = [*(moments[c] for c in dated.onset.values()), *(moments[c] for c in dated.end.values())]
    grid = np.column_stack([entry, out, *changes])
    with np.errstate(invalid="ignore"):
        inside = watched[:, None] & (grid >= entry[:, None]) & (grid <= out[:, None])
    row, time = _distinct(grid, inside)
    states = {key: _state(moments, dated, key, row, time) for key in dated.onset}
    events = {key: _events(moments, dated, key, watched, out) for key in dated.onset}
    if dated.death:
        who = np.flatnonzero(np.isfinite(died) & watched)
        events[DEATH] = Events(who, died[who], np.ones(who.size, dtype=np.int64))
    return Watched(row, time, states, events, in_dates, tuple(found))


def _moments(sheet: Sheet, dated: DatedColumns, layout: Layout) -> tuple[dict[str, Float[np.ndarray, "people"]], bool]:
    """Every column in days: dates since the earliest of all, numbers as they stand (or in the unit their name says)."""
    read = {column: _moment(sheet, column, layout) for column in dated.columns}
    if dated.death is not None:
        refuse_flag(sheet, dated.death, read[dated.death][0])
    kinds = {in_dates for _, in_dates in read.values()}
    if len(kinds) > 1:
        find = f"some of {listed(dated.columns)} hold dates and others numbers"
        raise RecordsError(sheet.name, find, "Give all of them as dates, or all as days since one start")
    in_dates = kinds.pop()
    first = min(np.nanmin(days, initial=np.inf) for days, _ in read.values()) if in_dates else 0.0
    return {column: days - first for column, (days, _) in read.items()}, in_dates


def _moment(sheet: Sheet, column: str, layout: Layout) -> tuple[Float[np.ndarray, "people"], bool]:
    if sheet.is_calendar(column):
        return sheet.moments(column)[0], True
    numbers, strange, _ = sheet.numbers(column)
    if not strange.any():
        unit = unit_in(column) or (YEAR if "age" in re.split(r"[^a-z]+", column.lower()) else 1.0)
        return numbers * unit, False
    days = read_dates(sheet, column, layout.date_order)
    if days is None:
        find = f"{count(int(strange.sum()), 'row')} of {sheet.rows:,} hold neither a number nor a date"
        raise RecordsError(
            f"{sheet.name}, column '{column}'", find, "Give dates as YYYY-MM-DD, and nothing for no onset"
        )
    return days, True


def _bounds(
    moments: Mapping[str, Float[np.ndarray, "people"]], dated: DatedColumns, in_dates: bool
) -> tuple[Float[np.ndarray, "people"], Float[np.ndarray, "people"], list[Finding]]:
    """When each person was watched from and to."""
    people = next(iter(moments.values())).size
    every = np.concatenate(list(moments.values()))
    found = []
    entry = moments[dated.entry] if dated.entry else np.full(people, min(0.0, np.nanmin(every)))
    out = moments[dated.exit] if dated.exit else np.full(people, np.nanmax(every))
    if dated.entry is None and in_dates:
        says = "No column says when watching began: the earliest date in the table is taken for everybody"
        found.append(warning("no_entry", says, "Add a column 'entry'", people))
    if dated.exit is None:
        says = "No column says when watching ended: the latest time in the table is taken for everybody"
        found.append(warning("no_exit", says, "Add a column 'exit'", people))
    return entry, out, found


def _died(
    moments: Mapping[str, Float[np.ndarray, "people"]],
    dated: DatedColumns,
    entry: Float[np.ndarray, "people"],
    out: Float[np.ndarray, "people"],
) -> Float[np.ndarray, "people"]:
    """When each person died while they were watched, NaN for who did not; watching ends there."""
    if dated.death is None:
        return np.full(out.size, np.nan)
    when = moments[dated.death]
    with np.errstate(invalid="ignore"):
        return np.where((when > entry) & ~(when > out), when, np.nan)


def _in_order(
    moments: dict[str, Float[np.ndarray, "people"]],
    dated: DatedColumns,
    entry: Float[np.ndarray, "people"],
    out: Float[np.ndarray, "people"],
) -> list[Finding]:
    """Time that goes backwards: such people, onsets or recoveries are left out, and counted."""
    found = []
    with np.errstate(invalid="ignore"):
        never = ~(entry < out)
        if never.any():
            says = f"{count(int(never.sum()), 'person', 'people')} have no time between entry and exit and are left out"
            found.append(warning("time_backwards", says, "Correct entry and exit", int(never.sum())))
        for key, column in dated.onset.items():
            late = moments[column] > out
            moments[column] = np.where(late, np.nan, moments[column])
            early = moments[dated.end[key]] <= moments[column] if key in dated.end else np.zeros(late.shape, bool)
            if key in dated.end:
                moments[dated.end[key]] = np.where(early | np.isnan(moments[column]), np.nan, moments[dated.end[key]])
            for wrong, what in ((late, f"'{column}' lies after exit"), (early, f"recovery lies before '{column}'")):
                if wrong.any():
                    says = f"{what} for {count(int(wrong.sum()), 'person', 'people')}; it is not used"
                    found.append(warning("time_backwards", says, "Correct the dates", int(wrong.sum())))
    return found


def _distinct(
    grid: Float[np.ndarray, "people moments"], inside: Bool[np.ndarray, "people moments"]
) -> tuple[Int[np.ndarray, "rows"], Float[np.ndarray, "rows"]]:
    row, column = np.nonzero(inside)
    pairs = np.unique(np.column_stack([row.astype(np.float64), grid[row, column]]), axis=0)
    return pairs[:, 0].astype(np.int64), pairs[:, 1]


def _state(
    moments: Mapping[str, Float[np.ndarray, "people"]],
    dated: DatedColumns,
    key: str,
    row: Int[np.ndarray, "rows"],
    time: Float[np.ndarray, "rows"],
) -> Float[np.ndarray, "rows"]:
    """1 from the onset until the recovery, 0 otherwise."""
    with np.errstate(invalid="ignore"):
        present = moments[dated.onset[key]][row] <= time
        if key in dated.end:
            present &= ~(moments[dated.end[key]][row] <= time)
    return np.where(present, 1.0, 0.0)


def _events(
    moments: Mapping[str, Float[np.ndarray, "people"]],
    dated: DatedColumns,
    key: str,
    watched: Bool[np.ndarray, "people"],
    out: Float[np.ndarray, "people"],
) -> Events:
    """Onsets (also those before entry, which tell the order) and recoveries, of people who were watched."""
    person, time, onset = [], [], []
    for columns, kind in ((dated.onset, 1), (dated.end, 0)):
        if key in columns:
            days = moments[columns[key]]
            with np.errstate(invalid="ignore"):
                here = np.flatnonzero(watched & (days <= out))
            person.append(here)
            time.append(days[here])
            onset.append(np.full(here.size, kind))
    return Events(np.concatenate(person), np.concatenate(time), np.concatenate(onset))
