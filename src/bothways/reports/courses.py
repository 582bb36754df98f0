"""Figures that need a table of their own: the flow between states, and one person's course over time."""

from __future__ import annotations

import math
from typing import Any

from bothways.reports import numbers
from bothways.reports.drawing import BAND, INK, LINE, SOFT, WAY, WIDTH, canvas, sheet, wrapped
from bothways.reports.grids import named_table
from bothways.reports.wording import capital, label

Facts = dict[str, Any]
PLACES = {"neither": (66.0, 130.0), "a": (176.0, 40.0), "b": (176.0, 220.0), "both": (WIDTH - 66.0, 130.0)}
"""Where the four states stand on the sheet, by the key that the table ``state_flow`` gives them."""


def state_flow(facts: Facts) -> Any:
    """Arrows between neither, one, the other and both; as wide as the moves are many. Rows: (from, to, count)."""
    table = named_table(facts, "state_flow")
    assert table is not None
    figure, axes = canvas(260)
    moves = [r for r in table["rows"] if r[0] in PLACES and r[1] in PLACES and r[0] != r[1] and numbers.usable(r[2])]
    most = max((float(r[2]) for r in moves), default=1.0) or 1.0
    for start, end, count in moves:
        _move(axes, start, end, float(count) / most, numbers.count(count))
    names = {"neither": "Neither", "a": capital(label(facts, "a")), "b": capital(label(facts, "b")), "both": "Both"}
    for key, (x, y) in PLACES.items():
        _state(axes, x, y, names[key])
    return figure


def _state(axes: Any, x: float, y: float, name: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    box = FancyBboxPatch((x - 52, y - 20), 104, 40, boxstyle="round,pad=0,rounding_size=10", fc=BAND, ec=LINE, lw=1)
    axes.add_patch(box)
    lines = wrapped(name, 14)[:2]
    for i, line in enumerate(lines):
        axes.text(x, y + 14 * (i - (len(lines) - 1) / 2), line, ha="center", va="center", size=12.5, color=INK)


def _move(axes: Any, start: str, end: str, share: float, count: str) -> None:
    """One arrow, set a little to the right of its way so that the way back has room; its count beside its middle."""
    from matplotlib.patches import FancyArrowPatch

    (x0, y0), (x1, y1) = PLACES[start], PLACES[end]
    length = math.hypot(x1 - x0, y1 - y0)
    aside_x, aside_y = -(y1 - y0) / length * 8, (x1 - x0) / length * 8
    cut = 46 if abs(y1 - y0) > 1 else 56
    step_x, step_y = (x1 - x0) / length * cut, (y1 - y0) / length * cut
    arrow = FancyArrowPatch(
        (x0 + step_x + aside_x, y0 + step_y * 0.62 + aside_y),
        (x1 - step_x + aside_x, y1 - step_y * 0.62 + aside_y),
        arrowstyle="-|>,head_length=6,head_width=4",
        mutation_scale=1,
        color=_colour(start, end),
        lw=1 + 3.5 * share,
        shrinkA=0,
        shrinkB=0,
    )
    axes.add_patch(arrow)
    x, y = (x0 + x1) / 2 + aside_x * 2.6, (y0 + y1) / 2 + aside_y * 2.6
    axes.text(x, y, count, ha="center", va="center", size=11.5, color=SOFT)


def _colour(start: str, end: str) -> str:
    """The accent of a direction for the onset of the second condition after the first; else quiet."""
    return {("a", "both"): WAY["a_to_b"], ("b", "both"): WAY["b_to_a"]}.get((start, end), SOFT)


def course_table(facts: Facts) -> Facts | None:
    """One person's own course, whoever recorded it."""
    return named_table(facts, "course") or named_table(facts, "diary.course")


def course(facts: Facts) -> Any:
    """One person's two conditions over time, one panel each, in the band in which a model expected each answer.

    Columns: the time, and each condition by its label; "<label>, expected from" and "to" where there is a model.
    """
    table = course_table(facts)
    assert table is not None
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    figure, time = sheet(260), table["columns"][0]
    panels = figure.subplots(2, 1, sharex=True, squeeze=True)
    figure.subplots_adjust(left=0.13, right=0.97, top=0.91, bottom=0.17, hspace=0.42)
    for axes, end, way in zip(panels, ("a", "b"), ("a_to_b", "b_to_a"), strict=True):
        name = label(facts, end)
        lived = [(r[time], r[name]) for r in rows if numbers.usable(r[time]) and numbers.usable(r.get(name))]
        band = [(r[time], *(r.get(f"{name}, expected {x}") for x in ("from", "to"))) for r in rows]
        band = [point for point in band if all(map(numbers.usable, point))]
        if band:
            axes.fill_between(*zip(*band, strict=True), color=WAY[way], alpha=0.14, lw=0)
        axes.plot([x for x, _ in lived], [y for _, y in lived], color=WAY[way], lw=1.4, marker="o", ms=2.2)
        axes.set_title(capital(name), loc="left", size=12.5, color=WAY[way], weight="bold")
        axes.tick_params(labelsize=11.5, length=3)
        axes.locator_params(axis="y", nbins=4)
    panels[-1].set_xlabel(time, size=11.5)
    return figure
