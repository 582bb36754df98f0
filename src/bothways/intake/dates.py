"""Dates and date-times written as text -> days. One form per column: a mixture is refused, never guessed through."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
from jaxtyping import Bool, Float

from bothways.intake.findings import count
from bothways.intake.table import Sheet
from bothways.terms.errors import RecordsError

_CLOCKS = (
    "",
    " %H:%M",
    " %H:%M:%S%.f",
    "T%H:%M:%S%.f",
    "T%H:%M:%S%.f%#z",
    " %H:%M:%S%.f%#z",
    "T%H:%M",
    " %I:%M %p",
    " %I:%M:%S %p",
    " %I:%M%p",
    " %I:%M:%S%p",
    ", %H:%M",
    ", %H:%M:%S",
    ", %I:%M %p",
    ", %I:%M:%S %p",
)
_FAMILIES = {
    "ymd": ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d"),
    "dmy": ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y"),
    "mdy": ("%m/%d/%Y", "%m.%d.%Y", "%m-%d-%Y", "%m/%d/%y", "%m.%d.%y", "%m-%d-%y"),
    "named": ("%d %b %Y", "%d-%b-%Y", "%d%b%Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%y"),
}
_SHORT_YMD = ("%y/%m/%d", "%y-%m-%d", "%y.%m.%d")  # read only where the caller says so


def read_dates(sheet: Sheet, column: str, order: str | None) -> Float[np.ndarray, "rows"] | None:
    """Days since 1970-01-01 of a text column, NaN where empty; None where it holds no dates at all.

    Raises ``RecordsError`` where day and month may be either way round, or where rows follow several forms.
    """
    filled = sheet.answered(column)
    found = _by_family(sheet, column, order)
    if not found or not filled.any():
        return None
    whole = {family: days for family, days in found.items() if not (filled & np.isnan(days)).any()}
    if not whole:
        _refuse_mixture(sheet, column, found, filled)
        return None
    if "dmy" in whole and "mdy" in whole and not np.array_equal(whole["dmy"], whole["mdy"], equal_nan=True):
        find = "every date reads both as day/month and as month/day"
        raise RecordsError(f"{sheet.name}, column '{column}'", find, "Say --date-order dmy or --date-order mdy")
    return next(iter(whole.values()))


def _by_family(sheet: Sheet, column: str, order: str | None) -> dict[str, Float[np.ndarray, "rows"]]:
    """The best-fitting form of each family that fits any row."""
    families = {order: _FAMILIES[order], "named": _FAMILIES["named"]} if order else _FAMILIES
    if order == "ymd":
        families = {**families, "ymd": (*_FAMILIES["ymd"], *_SHORT_YMD)}
    found: dict[str, Float[np.ndarray, "rows"]] = {}
    for family, forms in families.items():
        best = _best(sheet, column, [day + clock for day, clock in product(forms, _CLOCKS)])
        if best is not None:
            found[family] = best
    return found


def _best(sheet: Sheet, column: str, forms: Sequence[str]) -> Float[np.ndarray, "rows"] | None:
    few = sheet.head(column, 500)
    fitting = [form for form, days in zip(forms, few.moments(column, forms), strict=True) if np.isfinite(days).any()]
    tried = [_sane(days) for days in sheet.moments(column, fitting or forms)]
    best = max(tried, key=lambda days: np.isfinite(days).sum())
    return best if np.isfinite(best).any() else None


def _sane(days: Float[np.ndarray, "rows"]) -> Float[np.ndarray, "rows"]:
    """Years before 1000 come from reading two digits as four (13/08/12 as the year 12): they do not fit."""
    return np.where(days > -354_285.0, days, np.nan)


def _refuse_mixture(
    sheet: Sheet, column: str, found: dict[str, Float[np.ndarray, "rows"]], filled: Bool[np.ndarray, "rows"]
) -> None:
    fits = max(np.isfinite(days).sum() for days in found.values())
    if fits < 0.5 * filled.sum() and len(found) < 2:
        return
    where = f"{sheet.name}, column '{column}'"
    rows = count(int(filled.sum() - fits), "row")
    find = f"{rows} of {int(filled.sum()):,} do not follow the form of the other dates"
    raise RecordsError(where, find, "Write every date as YYYY-MM-DD, with the same zone or none")
