"""A table that names neither who nor when is read as one row a person; dates that rise say that it may be a diary."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from bothways.intake.findings import warning
from bothways.intake.roles import Plan
from bothways.intake.table import Sheet
from bothways.intake.times import read_clock
from bothways.terms.errors import BothwaysError
from bothways.terms.layout import Layout
from bothways.terms.records import Finding

LEAST_ROWS = 8
FILLED = 0.9  # of the rows hold a date
RISING = 0.8  # of the steps from row to row go on in time (or back, where the newest stands first)
APART = 0.5  # of the dates are different ones
TRIED = 40  # cells, before a whole column is read
ORDERS: tuple[Literal["ymd", "dmy", "mdy"], ...] = ("ymd", "dmy", "mdy")


def possible_time(sheet: Sheet, plan: Plan, layout: Layout) -> list[Finding]:
    """A question, where nobody and no time is named and dates rise down the rows: is this one person's diary?"""
    if plan.shape != "once" or plan.roles.id is not None or sheet.rows < LEAST_ROWS:
        return []
    read = {column for variable in plan.variables if variable.part != "other" for column in variable.columns}
    found = [column for column in sheet.columns if column not in read and _rises(sheet, column, layout)]
    if not found:
        return []
    named = " or ".join(f"'{column}'" for column in found[:2])
    says = (
        f"Nobody and no time is named, so each row is taken for a person; but the dates in {named} follow one another "
        f"from row to row, as in one person's diary: is {named} the time?"
    )
    option = f"'{found[0]}'" if " " in found[0] else found[0]
    return [
        warning(
            "time_not_named",
            says,
            f"If it is, say --time {option}; if there are several people, say who with --id COLUMN",
        )
    ]


def _rises(sheet: Sheet, column: str, layout: Layout) -> bool:
    return any(_follows(days) for days in _dates(sheet, column, layout))


def _dates(sheet: Sheet, column: str, layout: Layout) -> Iterator[Float[np.ndarray, "rows"]]:
    """The column as days, in each order of day and month that it can be read in; nothing where it holds no dates."""
    for order in (layout.date_order,) if layout.date_order else ORDERS:
        stated = replace(layout, date_order=order, wave_gap=())
        try:
            if read_clock(sheet.head(column, TRIED), column, stated).calendar:
                yield read_clock(sheet, column, stated).time
        except BothwaysError:
            continue


def _follows(days: Float[np.ndarray, "rows"]) -> bool:
    known = days[np.isfinite(days)]
    if known.size < max(LEAST_ROWS, FILLED * days.size) or np.unique(known).size < APART * known.size:
        return False
    steps = np.diff(known)
    return bool(max((steps >= 0).mean(), (steps <= 0).mean()) >= RISING)
