"""An opened table. Text stays text until a column is asked for as numbers: nothing is guessed from the first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int

from bothways.intake.table.series import clock_times, days, harder, parsed, strange, trimmed, without_decimals


class Numbers(NamedTuple):
    """A column (rows,): its values, NaN where empty or infinite; cells that are no numbers; cells that are infinite."""

    values: Float[np.ndarray, "rows"]
    strange: Bool[np.ndarray, "rows"]
    endless: Bool[np.ndarray, "rows"]


@dataclass(frozen=True, slots=True)
class Sheet:
    """An opened table. ``declared`` holds, by column, the codes that the file itself declares missing, and why."""

    name: str
    sha256: str
    frame: pl.DataFrame
    declared: Mapping[str, Mapping[float, str]] = field(default_factory=dict)
    lettered: Mapping[str, Mapping[str, Bool[np.ndarray, "rows"]]] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in the file's order."""
        return tuple(self.frame.columns)

    @property
    def rows(self) -> int:
        """How many rows the table holds below its header."""
        return self.frame.height

    def is_text(self, column: str) -> bool:
        """Whether the column came as text (every column of a text file does)."""
        return self.frame.schema[column] == pl.String

    def is_calendar(self, column: str) -> bool:
        """Whether the column came as dates or date-times."""
        return self.frame.schema[column] in (pl.Date, pl.Datetime)

    def answered(self, column: str) -> Bool[np.ndarray, "rows"]:
        """Where the column is not empty."""
        return trimmed(self.frame.get_column(column)).is_not_null().to_numpy()

    def head(self, column: str, rows: int) -> Sheet:
        """The first filled cells of one column, as a small sheet to try things on."""
        few = self.frame.select(column).drop_nulls().head(rows)
        return Sheet(self.name, self.sha256, few)

    def texts(self, column: str) -> Sequence[str | None]:
        """The column as text, trimmed."""
        return trimmed(self.frame.get_column(column)).to_list()

    def count_words(self, column: str) -> int:
        """How many filled cells are no numbers; a look at the first cells settles most columns of words."""
        if self.frame.schema[column].is_numeric() or self.frame.schema[column] == pl.Boolean:
            return 0
        return int(self.numbers(column).strange.sum())

    def count_matching(self, column: str, pattern: str) -> int:
        """How many cells match a regular expression; names no cell."""
        return int(trimmed(self.frame.get_column(column)).str.contains(pattern).sum() or 0)

    def numbers(self, column: str) -> Numbers:
        """The column as numbers, and which filled cells are none or are infinite."""
        series, nowhere = self.frame.get_column(column), np.zeros(self.rows, dtype=bool)
        if series.dtype in (pl.Date, pl.Datetime, pl.Time, pl.Duration):
            return Numbers(np.full(self.rows, np.nan), series.is_not_null().to_numpy(), nowhere)
        numbers = series.cast(pl.Float64, strict=False)
        if series.dtype == pl.String and numbers.null_count() > series.null_count():
            series = trimmed(series)
            numbers = harder(series)
        found = numbers.fill_null(np.nan).to_numpy()
        endless = np.isinf(found)
        return Numbers(np.where(endless, np.nan, found) if endless.any() else found, strange(series, numbers), endless)

    def codes(self, column: str) -> tuple[Int[np.ndarray, "rows"], tuple[str, ...]]:
        """The column as categories: (index into the sorted levels, -1 where empty), levels."""
        series = trimmed(self.frame.get_column(column))
        levels = series.drop_nulls().unique().sort()
        places = pl.DataFrame({"level": levels, "code": np.arange(len(levels))})
        joined = pl.DataFrame({"level": series}).join(places, on="level", how="left", maintain_order="left")
        return joined.get_column("code").fill_null(-1).to_numpy().astype(np.int64), tuple(levels.to_list())

    def repeats(self, column: str) -> bool:
        """Whether any filled cell occurs twice."""
        filled = trimmed(self.frame.get_column(column)).drop_nulls()
        return filled.n_unique() < len(filled)

    def identities(self, column: str) -> Int[np.ndarray, "rows"]:
        """Who each row belongs to: the same number for the same id, -1 where the id is empty. The ids stay behind."""
        series = self.frame.get_column(column)
        if series.dtype.is_integer():  # never by way of floats, which cannot tell ids above 2**53 apart
            keys = series.fill_null(0).to_numpy()
        elif series.dtype.is_numeric():
            series = series.cast(pl.Float64).fill_nan(None)
            keys = series.fill_null(0).to_numpy()
        else:
            series = without_decimals(trimmed(series))
            keys = series.hash(seed=0).fill_null(0).to_numpy()
        run = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])  # people mostly stand together: sort runs, not rows
        _, first, people = np.unique(keys[run], return_index=True, return_inverse=True)
        number = np.empty(first.size, dtype=np.int64)
        number[np.argsort(first)] = np.arange(first.size)  # in the order of appearance: sorted tables stay sorted
        found = np.repeat(number[people], np.diff(np.r_[run, keys.size]))
        found[series.is_null().to_numpy()] = -1
        return found

    def moments(self, column: str, formats: Sequence[str] = ()) -> list[Float[np.ndarray, "rows"]]:
        """Days since 1970-01-01 UTC as float64, one array per format (NaN where a cell does not follow it).

        Columns that came as dates need no format and give one array. Zones are honoured: 12:00+02:00 is 10:00 UTC.
        """
        series = self.frame.get_column(column)
        if self.is_calendar(column):
            return [days(series)]
        texts = trimmed(series)
        return [days(parsed(texts, form)) for form in formats]

    def clock(self, column: str) -> Float[np.ndarray, "rows"]:
        """A column of clock times ("08:58", "08:58:56", "8:58 pm") as a share of the day; NaN where it is none."""
        series = self.frame.get_column(column)
        if series.dtype != pl.Time:
            return clock_times(trimmed(series))
        return (series.cast(pl.Int64).cast(pl.Float64) / 86_400e9).fill_null(np.nan).to_numpy()

    def is_clock(self, column: str) -> bool:
        """Whether every filled cell is a time of day, with no date beside it."""
        filled = self.answered(column)
        return bool(filled.any()) and bool(np.isfinite(self.clock(column)[filled]).all())
