"""When: wave numbers, day numbers, dates and date-times -> one time axis, in waves or in days."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from bothways.intake.columns import SHORTER, UNITS, label_number, plain, unit_in
from bothways.intake.dates import read_dates
from bothways.intake.findings import count
from bothways.intake.table import Sheet
from bothways.terms.errors import QuestionError, RecordsError
from bothways.terms.layout import Layout
from bothways.terms.records import TimeUnit

MOST_WAVES = 15
_DAY_WORDS = ("day", "days", "dayno", "daynumber", "studyday", "date", "datetime", "timestamp")
_WAVE_WORDS = ("wave", "visit", "occasion", "timepoint", "assessment", "session", "tp")  # never days, however many
_SHORT = {24: "an hour", 1_440: "a minute", 86_400: "a second"}
_GAP = re.compile(r"^\s*(\d+(?:\.\d+)?)\s*([a-z]*)\.?\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Clock:
    """(rows,) times in ``unit``, NaN where missing. ``numbered`` where they are wave numbers that people share."""

    time: Float[np.ndarray, "rows"]
    unit: TimeUnit
    numbered: bool
    says: str
    calendar: bool = False  # days since 1970, which the axis counts from the earliest of all


@dataclass(frozen=True, slots=True)
class Axis:
    """The time axis of the records: times, the 0-based wave of each row, and the days of the waves, where known."""

    time: Float[np.ndarray, "rows"]
    unit: TimeUnit
    wave: Int[np.ndarray, "rows"] | None
    wave_days: Float[np.ndarray, "waves"] | None


def read_clock(sheet: Sheet, column: str, layout: Layout) -> Clock:
    """Read a time column. ``date+clock`` names two columns that together say when."""
    if column not in sheet.columns and "+" in column:
        date, _, hour = column.partition("+")
        days = _calendar(sheet, date.strip(), layout)
        return Clock(days + _hours(sheet, hour.strip()), TimeUnit.DAY, False, "dates with clock times", True)
    if sheet.is_calendar(column):
        return Clock(_calendar(sheet, column, layout), TimeUnit.DAY, False, "dates", True)
    numbers, strange, _ = sheet.numbers(column)
    if not strange.any():
        return _from_numbers(column, numbers, layout)
    return _from_text(sheet, column, layout, int(strange.sum()))


def axis(clock: Clock, person: Int[np.ndarray, "rows"], layout: Layout, where: str) -> Axis:
    """Waves for wave numbers (days once --wave-gap says what they are) and, where asked for, for dates."""
    if clock.numbered:
        return _waves(clock, layout, where)
    first = float(clock.time.min(initial=np.inf)) if clock.calendar else 0.0
    time = clock.time - first
    if not layout.waves:
        return Axis(time, clock.unit, None, None)
    wave = occasions(time, person, where)
    middle = np.array([np.median(time[wave == k]) for k in range(int(wave.max()) + 1)])
    return Axis(time, clock.unit, wave, middle - middle[0])


def distinct(values: Float[np.ndarray, "rows"]) -> Float[np.ndarray, "found"]:
    """The sorted values that occur; sorting a million rows waits until a few thousand have not settled it."""
    some = np.unique(values[:4096][np.isfinite(values[:4096])])
    left = values[np.isfinite(values)]
    if some.size <= 64:
        left = left[~np.isin(left, some)]
    return np.union1d(some, left)


def gap_in_days(text: str) -> float:
    """``"6 months"`` -> 182.625. A month is 30.4375 days and a year 365.25; a bare number is days."""
    units = {**UNITS, **SHORTER}
    match = _GAP.match(text)
    unit = match[2].lower() if match else ""
    if not match or (unit and unit not in units) or float(match[1]) <= 0:
        raise QuestionError(
            "--wave-gap", f"'{text}' is no length of time", "Write it as '6 months', '2 weeks' or '30 days'"
        )
    return float(match[1]) * (units[unit] if unit else 1.0)


def occasions(time: Float[np.ndarray, "rows"], person: Int[np.ndarray, "rows"], where: str) -> Int[np.ndarray, "rows"]:
    """Dates as common occasions, by calendar or else by time since each person's first.

    With T the most rows of one person, the T - 1 widest gaps between all the times part the occasions; that holds only
    where nobody then has two rows on one occasion. Raises ``RecordsError`` where neither reading holds.
    """
    first = np.full(int(person.max()) + 1, np.inf)
    np.minimum.at(first, person, time)
    since = time - first[person]
    most = int(np.bincount(person).max())
    for reading in (time, since):
        if most <= MOST_WAVES and (wave := _parted(reading, person, most)) is not None:
            return wave
    find = "the dates do not fall into occasions that people share"
    raise RecordsError(where, find, "Leave --waves out, or give a column with the wave number as --time")


def _parted(
    time: Float[np.ndarray, "rows"], person: Int[np.ndarray, "rows"], most: int
) -> Int[np.ndarray, "rows"] | None:
    order = np.sort(time)
    cuts = np.sort(np.argsort(np.diff(order))[::-1][: most - 1])
    edges = (order[cuts] + order[cuts + 1]) / 2
    wave = np.searchsorted(edges, time).astype(np.int64)
    alone = np.unique(person * (most + 1) + wave).size == time.size
    return wave if alone else None


def _waves(clock: Clock, layout: Layout, where: str) -> Axis:
    numbers = distinct(clock.time)
    wave = np.searchsorted(numbers, clock.time).astype(np.int64)
    if clock.unit is TimeUnit.DAY:  # months or weeks in the columns' own names
        return Axis((numbers - numbers[0])[wave], TimeUnit.DAY, wave, numbers - numbers[0])
    if not layout.wave_gap:
        return Axis((numbers - numbers[0])[wave], TimeUnit.WAVE, wave, None)
    gaps = np.array([gap_in_days(text) for text in layout.wave_gap])
    steps = np.diff(numbers)
    if gaps.size == 1:
        days = np.concatenate([[0.0], np.cumsum(steps * gaps[0])])
    elif gaps.size == steps.size:
        days = np.concatenate([[0.0], np.cumsum(gaps)])
    else:
        find = f"{count(gaps.size, 'gap')} for {count(numbers.size, 'wave')} in {where}"
        raise QuestionError("--wave-gap", find, f"Give one gap, or {steps.size} parted by commas")
    return Axis(days[wave], TimeUnit.DAY, wave, days)


def _from_numbers(column: str, numbers: Float[np.ndarray, "rows"], layout: Layout) -> Clock:
    found = distinct(numbers)
    integers = bool(np.all(found == np.floor(found)))
    if integers and found.size and found[0] >= 19_000_101 and found[-1] <= 21_001_231:
        return Clock(_compact_dates(numbers), TimeUnit.DAY, False, "dates", True)
    if (second := _second_of(column, found)) is not None:
        return Clock(numbers * second, TimeUnit.DAY, False, "seconds since 1970, taken for dates", True)
    if layout.wave_gap:
        return Clock(numbers, TimeUnit.WAVE, True, "wave numbers")
    if (unit := unit_in(column)) is not None:
        each = f"{unit:g} days" if unit >= 1 else _SHORT[round(1 / unit)]
        return Clock(numbers * unit, TimeUnit.DAY, False, f"numbers of {each} each, by the column's name")
    if plain(column) in _WAVE_WORDS:
        return Clock(numbers, TimeUnit.WAVE, True, "wave numbers")
    if integers and found.size <= MOST_WAVES and plain(column) not in _DAY_WORDS:
        return Clock(numbers, TimeUnit.WAVE, True, "wave numbers")
    return Clock(numbers, TimeUnit.DAY, False, "day numbers")


def _second_of(column: str, found: Float[np.ndarray, "found"]) -> float | None:
    """How many days one unit is, where all numbers are moments from 1990 to 2100 in (milli)seconds since 1970."""
    if not found.size or plain(column) in _WAVE_WORDS:
        return None
    return next((s for s in (1 / 86_400, 1 / 86_400_000) if found[0] * s > 7_305 and found[-1] * s < 47_482), None)


def _from_text(sheet: Sheet, column: str, layout: Layout, strange: int) -> Clock:
    where = f"{sheet.name}, column '{column}'"
    codes, levels = sheet.codes(column)
    read = [label_number(level) for level in levels] if len(levels) <= 4 * MOST_WAVES else [None]
    if all(label is not None for label in read):
        values = [number * (unit or 1.0) for number, unit in (label for label in read if label is not None)]
        in_days = any(label is not None and label[1] for label in read)
        time = np.where(codes >= 0, np.array(values)[codes], np.nan)
        return Clock(time, TimeUnit.DAY if in_days else TimeUnit.WAVE, True, "labels of waves")
    days = read_dates(sheet, column, layout.date_order)
    if days is not None:
        return Clock(days, TimeUnit.DAY, False, "dates", True)
    if sheet.is_clock(column):
        find = "times of day stand here and no date"
        raise RecordsError(where, find, f"Name the column with the date as well: --time DATE+{column}")
    find = f"{count(strange, 'row')} of {sheet.rows:,} hold neither a number nor a date"
    raise RecordsError(where, find, "Give wave numbers, day numbers or dates as YYYY-MM-DD, or name another --time")


def _calendar(sheet: Sheet, column: str, layout: Layout) -> Float[np.ndarray, "rows"]:
    if sheet.is_calendar(column):
        return sheet.moments(column)[0]
    days = read_dates(sheet, column, layout.date_order)
    if days is None:
        raise RecordsError(f"{sheet.name}, column '{column}'", "no dates stand here", "Give dates as YYYY-MM-DD")
    return days


def _hours(sheet: Sheet, column: str) -> Float[np.ndarray, "rows"]:
    """Times of day as shares of the day. Raises ``RecordsError`` where a filled cell is none."""
    found = sheet.clock(column)
    odd = int((sheet.answered(column) & np.isnan(found)).sum())
    if odd:
        find = f"{count(odd, 'row')} of {sheet.rows:,} hold no time of day"
        raise RecordsError(f"{sheet.name}, column '{column}'", find, "Write times as 14:05, 14:05:30 or 2:05 pm")
    return found


def _compact_dates(numbers: Float[np.ndarray, "rows"]) -> Float[np.ndarray, "rows"]:
    """20210304 -> days since 1970-01-01."""
    found = np.full(numbers.shape, np.nan)
    known = np.isfinite(numbers)
    whole = numbers[known].astype(np.int64)
    months = (whole // 10_000 - 1970) * 12 + (whole // 100) % 100 - 1
    found[known] = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.float64) + whole % 100 - 1
    return found
