"""Figures over time: hypothetical changes, what a model expects beside what was seen, and how many are ill by when."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bothways.reports import numbers
from bothways.reports.drawing import INK, SOFT, WAY, sheet, wrapped
from bothways.reports.rows import change_rows, occupancy_rows, time_unit
from bothways.reports.wording import capital, label

Facts = dict[str, Any]
Points = list[tuple[float, float]]
HEIGHT, TOP, FOOT = 150.0, 30.0, 46.0  # points taken by a panel, by what is above the first, by the axis's name
MOST = 12  # panels of one figure
LEAST_SPAN = 0.2  # of an ordinate on which a model stands beside what was seen: shares, or standard deviations
TIMES = ("wave", "occasion", "visit", "time", "day", "days", "year", "years")


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel: a line with its band, points that were seen, and a line of no effect where there is one."""

    title: str
    colour: str
    line: Points
    band: list[tuple[float, float, float]]  # (time, low, high)
    seen: Points
    others: tuple[tuple[str, Points], ...] = ()  # further lines by stroke
    null: float | None = None
    shares: bool = False  # of people, to be read as percentages


def stacked(panels: Sequence[Panel], axis: str) -> Any:
    """Panels under each other on one time axis."""
    height = HEIGHT * len(panels) + TOP
    figure = sheet(height)
    grid = figure.subplots(len(panels), 1, sharex=True, squeeze=False)
    figure.subplots_adjust(left=0.15, right=0.97, top=1 - TOP / height, bottom=FOOT / height, hspace=0.5)
    for axes, panel in zip(grid[:, 0], panels, strict=True):
        draw_panel(axes, panel)
    grid[-1, 0].set_xlabel(axis, size=11.5)
    return figure


def draw_panel(axes: Any, panel: Panel) -> None:
    """Band, lines, points, in that order."""
    if panel.null is not None:
        axes.axhline(panel.null, color=SOFT, lw=1)
    if panel.band:
        time, low, high = zip(*panel.band, strict=True)
        axes.fill_between(time, low, high, color=panel.colour, alpha=0.16, lw=0)
    for stroke, points in panel.others:
        axes.plot(*zip(*points, strict=True), color=SOFT, lw=1.6, ls=stroke)
    if panel.line:
        axes.plot(*zip(*panel.line, strict=True), color=panel.colour, lw=2.2)
    if panel.seen:
        axes.plot(*zip(*panel.seen, strict=True), "o", color=INK, ms=3.6)
        _no_closer(axes, LEAST_SPAN)
    if panel.shares:
        axes.yaxis.set_major_formatter(lambda x, _: numbers.percent(x))
    title = "\n".join(wrapped(panel.title, 44)[:2])
    axes.set_title(title, loc="left", size=11.5, color=panel.colour, weight="bold")
    axes.tick_params(labelsize=11, length=3)
    axes.locator_params(axis="y", nbins=4)


def _no_closer(axes: Any, least: float) -> None:
    """An ordinate that spans at least so much: looked at closely enough, any two courses part."""
    low, high = axes.get_ylim()
    short = max(0.0, least - (high - low)) / 2
    axes.set_ylim(low - short, high + short)


def what_if(facts: Facts) -> Any:
    """Each stated change and each outcome: the model-implied difference over time, with its band."""
    rows = change_rows(facts)
    unit, size = time_unit([r["time"] for r in rows], facts)
    keys = dict.fromkeys((r["change"], r["outcome"]) for r in rows)
    panels = []
    for change, outcome in list(keys)[:MOST]:
        mine = [r for r in rows if (r["change"], r["outcome"]) == (change, outcome)]
        title = f"{capital(str(outcome))}, if {change}" if len({c for c, _ in keys}) > 1 else capital(str(outcome))
        line = [(r["time"] / size, r["value"]) for r in mine]
        panels.append(Panel(title, _colour(str(outcome), facts), line, _band(mine, size), [], null=0.0))
    return stacked(panels, f"{unit} from the change")


def _band(rows: list[Facts], size: float) -> list[tuple[float, float, float]]:
    return [(r["time"] / size, r["low"], r["high"]) for r in rows if _bounded(r)]


def _colour(name: str, facts: Facts) -> str:
    """A condition's accent, as in a person's course; quiet for anything else."""
    return {label(facts, "a"): WAY["a_to_b"], label(facts, "b"): WAY["b_to_a"]}.get(name, SOFT)


def seen_and_expected(facts: Facts, key: str) -> tuple[list[Panel], str]:
    """Panels of a table that sets what a model expects beside what was seen, and the name of its time axis.

    Either a column for each variable and kind ("both, observed", "both, expected"), or rows that name the variable in
    a column and hold "observed" (or "seen") and "simulated" (or "expected") in others.
    """
    table = next(t for t in facts["tables"] if t["key"].endswith(key) and t["rows"])
    columns: list[str] = list(table["columns"])
    rows = [dict(zip(columns, row, strict=True)) for row in table["rows"]]
    pairs = [c.removesuffix(", observed") for c in columns if c.endswith(", observed")]
    made = [_wide(rows, columns[0], name, facts) for name in pairs] or list(_long(rows, columns, facts))
    return [panel for panel in made if panel.line and panel.seen][:MOST], time_column(columns)


def _wide(rows: list[Facts], time: str, name: str, facts: Facts) -> Panel:
    seen = _points(rows, time, f"{name}, observed")
    line = _points(rows, time, f"{name}, expected") or _points(rows, time, f"{name}, simulated")
    return Panel(capital(name), _colour(name.removesuffix(" only"), facts), line, [], seen, shares=True)


def _long(rows: list[Facts], columns: list[str], facts: Facts) -> Iterator[Panel]:
    """A panel for each variable (and way) that rows name in text, over the column that tells the time."""
    time = time_column(columns)
    expected = next((c for c in columns if c.startswith(("simulated", "expected"))), "")
    seen = next((c for c in columns if c in ("observed", "seen")), "")
    texts = [c for c in columns if c not in (time, expected, seen) and all(isinstance(r[c], str) for r in rows)]
    texts.sort(key=lambda c: c != "variable")
    for name in dict.fromkeys(tuple(r[c] for c in texts) for r in rows) if expected and seen else ():
        mine = [r for r in rows if tuple(r[c] for c in texts) == name]
        band = [(x, r["low"], r["high"]) for r in mine if (x := _time(r[time])) is not None and _bounded(r)]
        title = capital(f"{name[0]} ({', '.join(name[1:])})" if len(name) > 1 else "".join(name))
        line, dots = _points(mine, time, expected), _points(mine, time, seen)
        yield Panel(title, _colour(name[0] if name else "", facts), line, band, dots)


def time_column(columns: Sequence[str]) -> str:
    """The column that holds the time: by its name, else the first."""
    return next((c for c in columns if c in TIMES), columns[0])


def _bounded(row: Facts) -> bool:
    return numbers.usable(row.get("low")) and numbers.usable(row.get("high"))


def _points(rows: list[Facts], time: str, column: str) -> Points:
    """The drawable cells of one column over time; none where there is no such column."""
    timed = ((_time(r[time]), r.get(column)) for r in rows)
    return [(x, float(y)) for x, y in timed if x is not None and isinstance(y, int | float) and numbers.usable(y)]


def _time(x: object) -> float | None:
    """A time as a number, also where a wave's name is written as text."""
    try:
        value = float(str(x))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def prevalence(facts: Facts) -> Any:
    """How many are in each state over time, seen and expected."""
    return stacked(*seen_and_expected(facts, "onset_prevalence"))


def natural_course(facts: Facts) -> Any:
    """The course that a g-formula simulates without intervention, beside what was seen."""
    return stacked(*seen_and_expected(facts, "natural_course"))


def occupancy(facts: Facts) -> Any:
    """How many have the second condition by when: as observed with its band, and were the first otherwise."""
    rows = occupancy_rows(facts)
    unit, size = time_unit([r["horizon_days"] for r in rows], {"time_unit": "day"})
    ways = dict.fromkeys(r["direction"] for r in rows)
    return stacked([_occupied([r for r in rows if r["direction"] == way], size) for way in ways], unit)


def _occupied(rows: list[Facts], size: float) -> Panel:
    """One way's curves, the first with its band, two more in strokes of their own."""
    lines = [[r for r in rows if r["curve"] == name] for name in dict.fromkeys(r["curve"] for r in rows)]
    points = [[(r["horizon_days"] / size, r["estimate"]["value"]) for r in line] for line in lines]
    band = [{"time": r["horizon_days"], **r["estimate"]} for r in lines[0]]
    others = tuple(zip(("--", ":"), points[1:], strict=False))
    title = capital(rows[0]["target"].split(",")[0])
    return Panel(title, WAY[rows[0]["direction"]], points[0], _band(band, size), [], others, shares=True)
