"""When people died (``--death COLUMN``): dated deaths, so that who died is not taken for somebody who left."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from bothways.intake.columns import plain, unit_in
from bothways.intake.dates import read_dates
from bothways.intake.findings import count, note, warning
from bothways.intake.table import Sheet
from bothways.intake.times import Clock
from bothways.terms.errors import RecordsError
from bothways.terms.layout import Layout
from bothways.terms.records import Events, Finding, TimeUnit

DEATH = "death"  # the key of dated deaths among the events of records
NAMES = (
    *("death", "deathdate", "deathday", "dateofdeath", "dayofdeath", "died", "diedon", "diedat", "dod", "deceased"),
    *("deceaseddate", "datedeceased", "deathtime", "timeofdeath", "deathyear", "deathage"),
)


def deaths(
    sheet: Sheet, layout: Layout, clock: Clock, time: str | None, person: Int[np.ndarray, "rows"]
) -> tuple[Events | None, list[Finding]]:
    """(deaths in the clock's own times by the table's numbers of people; findings).

    ``person`` are the table's rows. A person's earliest stated death counts. Raises ``RecordsError`` where the column
    holds no times that can be laid beside the clock.
    """
    if layout.death is None:
        return None, unread_deaths(sheet, layout)
    when = _times(sheet, layout.death, layout, clock, time)
    stated = np.isfinite(when) & (person >= 0)
    who = np.unique(person[stated])
    first = np.full(int(person.max(initial=-1)) + 1, np.inf)
    np.minimum.at(first, person[stated], when[stated])
    last = np.full(first.size, -np.inf)
    np.maximum.at(last, person[stated], when[stated])
    found = []
    if int((last[who] > first[who]).sum()):
        apart = int((last[who] > first[who]).sum())
        says = f"{count(apart, 'person', 'people')} died at several times by '{layout.death}'; the earliest is taken"
        found.append(warning("deaths_differ", says, "Correct the dates", apart))
    return Events(who.astype(np.int64), first[who], np.ones(who.size, dtype=np.int64)), found


def after_death(
    events: Events | None, person: Int[np.ndarray, "rows"], time: Float[np.ndarray, "rows"]
) -> list[Finding]:
    """A warning where people answer after they died; such answers are not used by a design that counts deaths."""
    if events is None or not events.person.size:
        return []
    end = np.full(int(max(person.max(initial=0), events.person.max())) + 1, np.inf)
    end[events.person] = events.time
    with np.errstate(invalid="ignore"):
        late = (person >= 0) & (time > end[person])
    if not late.any():
        return []
    people = np.unique(person[late]).size
    says = f"{count(int(late.sum()), 'row')} of {count(people, 'person', 'people')} lie after their death"
    return [warning("after_death", says, "Correct the dates; the onset design leaves them out", people)]


def on_axis(events: Events, before: Float[np.ndarray, "rows"], after: Float[np.ndarray, "rows"]) -> Events:
    """Events by the axis of the records: ``before`` -> ``after`` at every row, straight in between and beyond."""
    known, first = np.unique(before[np.isfinite(before)], return_index=True)
    at = after[np.isfinite(before)][first]
    if known.size < 2:
        return replace(events, time=events.time + (at[0] - known[0] if known.size else 0.0))
    slopes = np.diff(at) / np.diff(known)
    time = np.interp(events.time, known, at)
    time += np.maximum(events.time - known[-1], 0.0) * slopes[-1] - np.maximum(known[0] - events.time, 0.0) * slopes[0]
    return replace(events, time=time)


def _times(sheet: Sheet, column: str, layout: Layout, clock: Clock, time: str | None) -> Float[np.ndarray, "rows"]:
    """The column in the clock's own unit, NaN for nobody's death."""
    where = f"{sheet.name}, column '{column}'"
    if sheet.is_calendar(column):
        dates: np.ndarray | None = sheet.moments(column)[0]
        numbers, strange = np.zeros(0), True
    else:
        numbers, odd, _ = sheet.numbers(column)
        strange = bool(odd.any())
        dates = read_dates(sheet, column, layout.date_order) if strange else None
    if strange and dates is None:
        mend = "Give when people died, as the times of the answers are given, and nothing for who did not"
        raise RecordsError(where, "cells hold neither a number nor a date", mend)
    if clock.calendar != (dates is not None):
        kinds = ("dates", "numbers") if dates is not None else ("numbers", "dates")
        find = f"{kinds[0]} of death stand beside answers whose times are {kinds[1]}"
        raise RecordsError(where, find, f"Give deaths as {kinds[1]}, too")
    if dates is not None:
        return dates
    refuse_flag(sheet, column, numbers)
    unit = unit_in(column) or unit_in(time or "") if clock.unit is TimeUnit.DAY and not clock.numbered else None
    return np.asarray(numbers * (unit or 1.0), dtype=np.float64)


def refuse_flag(sheet: Sheet, column: str, numbers: Float[np.ndarray, "rows"]) -> None:
    """Raise ``RecordsError`` where a column of deaths holds noughts and ones."""
    given = np.unique(numbers[np.isfinite(numbers)])
    if given.size == 2 and set(given.tolist()) == {0.0, 1.0}:
        find, mend = "only 0 and 1 stand here: who died, and not when", "Name the column that says when"
        raise RecordsError(f"{sheet.name}, column '{column}'", find, mend)


def unread_deaths(sheet: Sheet, layout: Layout) -> list[Finding]:
    """A note where a column's name says that it holds deaths, and nobody said so."""
    if layout.death is not None:
        return []
    named = (layout.a, layout.b, layout.covariates, layout.pathways, layout.by)
    stated = {plain(name) for group in named for name in group}
    found = [c for c in sheet.columns if plain(c) in NAMES and plain(c) not in stated]
    if not found:
        return []
    says = f"'{found[0]}' looks like when people died, and is not read: who died counts as somebody who left"
    return [note("death_not_named", says, f"If it says when, give --death {found[0]}")]
