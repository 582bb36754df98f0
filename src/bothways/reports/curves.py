"""The figure of the effect against the time between, one panel for each direction on common axes."""

from __future__ import annotations

import math
from typing import Any

from bothways.reports import numbers
from bothways.reports.drawing import SOFT, WAY, sheet
from bothways.reports.grids import curve_rows
from bothways.reports.wording import capital, way_words

Facts = dict[str, Any]
LAG_UNITS = ((2.0, "hours", 1 / 24), (60.0, "days", 1.0), (1100.0, "months", 30.4375))
"""Up to how many days a lag is told in which unit, and how many days the unit has."""


def curve(facts: Facts) -> Any:
    """A line and its band for each curve; the unit is the one that people use for lags of this length."""
    rows = curve_rows(facts)
    ways = [way for way in ("a_to_b", "b_to_a", "joint") if any(a["direction"] == way for a in rows)]
    (unit, size), height = _lag_unit(rows), 150.0 * len(ways) + 20
    figure = sheet(height)
    grid = figure.subplots(len(ways), 1, sharex=True, sharey=True, squeeze=False)
    figure.subplots_adjust(left=0.14, right=0.97, top=1 - 22 / height, bottom=44 / height, hspace=0.3)
    for axes, way in zip(grid[:, 0], ways, strict=True):
        _one_curve(axes, [a for a in rows if a["direction"] == way], size)
        axes.set_title(capital(way_words(facts, way)), loc="left", size=12.5, color=WAY[way], weight="bold")
    grid[-1, 0].locator_params(axis="x", nbins=7, integer=True)
    grid[-1, 0].set_xlabel(f"{unit} later", size=11.5)
    return figure


def _one_curve(axes: Any, rows: list[Facts], unit: float) -> None:
    colour = WAY[rows[0]["direction"]]
    for name in dict.fromkeys(a["curve"] for a in rows):
        points = sorted((a for a in rows if a["curve"] == name), key=_lag)
        x = [_lag(a) / unit for a in points]
        low, high = ([_or_nan(a["estimate"][k]) for a in points] for k in ("low", "high"))
        axes.fill_between(x, low, high, color=colour, alpha=0.16, lw=0)
        axes.plot(x, [a["estimate"]["value"] for a in points], color=colour, lw=2.2, marker="o", ms=3.5)
    axes.axhline(1.0 if rows[0]["estimate"]["scale"] in numbers.RATIOS else 0.0, color=SOFT, lw=1)
    axes.tick_params(labelsize=11.5, length=3)
    axes.locator_params(axis="y", nbins=4)


def _or_nan(x: float | None) -> float:
    return math.nan if x is None else x


def _lag(answer: Facts) -> float:
    known = (answer["lag_days"], answer["lag_waves"], answer["horizon_days"])
    return float(next((x for x in known if x is not None), 0.0))


def _lag_unit(rows: list[Facts]) -> tuple[str, float]:
    """The unit that people use for the longest of these lags, and how many days (or waves) it has."""
    if all(a["lag_days"] is None and a["lag_waves"] is not None for a in rows):
        return "waves", 1.0
    longest = max(map(_lag, rows))
    return next(((name, size) for limit, name, size in LAG_UNITS if longest <= limit), ("years", 365.25))
