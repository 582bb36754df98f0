"""Figures of tables that hold curves: how soon, in which state, along a number, by how much at entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from bothways.reports import numbers
from bothways.reports.document import Block, Figure
from bothways.reports.drawing import SOFT, WAY
from bothways.reports.grids import table_grid, thinned
from bothways.reports.timecourses import MOST, Panel, stacked
from bothways.reports.wording import capital, ends, label

Facts = dict[str, Any]
STROKES = ("--", ":")
STROKE_WORDS = ("Solid, with its band", "Dashed", "Dotted")


@dataclass(frozen=True, slots=True)
class Curves:
    """How a table of curves is drawn: its columns for the abscissa, the panels, the lines and the value."""

    title: str
    at: str
    panels: tuple[str, ...]
    lines: str
    value: str
    alt: str


SHARE = "A line over time in each panel, with the band of the first; the table below holds the numbers."
ALONG = "A line and its band in each panel, one being no effect; the table below holds the numbers."
DRAWN: Mapping[str, Curves] = {
    "onset_incidence": Curves("In how many it has begun, by when", "", ("onset of",), "from", "share", SHARE),
    "onset_states": Curves("In each state over time, from neither", "", ("state",), "under", "probability", SHARE),
    "onset_whom_curve": Curves("Along a number", "at", ("circumstance", "direction"), "", "ratio", ALONG),
    "onset_dose_curve": Curves(
        "By how much of the first at entry", "score at entry", ("direction",), "", "ratio", ALONG
    ),
}
"""By the table's key. An empty ``at`` is the first column, which is named after the unit of time."""


def curve_figures(facts: Facts, *keys: str) -> list[Block]:
    """The figures of those of these tables that a design made."""
    made: list[Block] = []
    for key in keys:
        table, spec = curve_rows_of(facts, key), DRAWN[key]
        if table is not None:
            grid = thinned(table_grid(table), at=spec.at or table["columns"][0])
            lines = dict.fromkeys(_told(row, spec) for row in _rows(table, spec))
            named = [f"{s}: {n}" for s, n in zip(STROKE_WORDS, lines, strict=False)] if spec.lines else []
            note = ". ".join([*named, table["note"]]) if len(lines) < 4 else table["note"]
            made.append(Figure(key, spec.title, spec.alt, grid, note))
    return made


def curve_rows_of(facts: Facts, key: str) -> Facts | None:
    """The table of curves of this key, where it has the columns that are drawn."""
    table = next((t for t in facts["tables"] if t["key"] == key and len(t["rows"]) > 1), None)
    spec = DRAWN[key]
    needed = {*spec.panels, spec.value, "low", "high"} | ({spec.lines} if spec.lines else set())
    return table if table is not None and needed <= set(table["columns"]) else None


def drawing_of(key: str) -> Callable[[Facts], Any]:
    """The drawing of one table of curves."""

    def drawn(facts: Facts) -> Any:
        table, spec = curve_rows_of(facts, key), DRAWN[key]
        assert table is not None
        at, rows = spec.at or table["columns"][0], _rows(table, spec)
        names = dict.fromkeys(tuple(str(r[c]) for c in spec.panels) for r in rows)
        panels = [_panel([r for r in rows if _panel_of(r, spec) == name], at, spec, name, facts) for name in names]
        return stacked([p for p in panels if p.line][:MOST], at)

    return drawn


def _rows(table: Facts, spec: Curves) -> list[Facts]:
    """The rows that are drawn: of what might have been, the effects removed; onsets prevented stand in the table."""
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    return [r for r in rows if not (spec.lines == "under" and "prevented" in str(r["under"]))]


def _panel_of(row: Facts, spec: Curves) -> tuple[str, ...]:
    return tuple(str(row[c]) for c in spec.panels)


def _told(row: Facts, spec: Curves) -> str:
    """What a line stands for; who is with and who without is told alike for both conditions."""
    name = str(row[spec.lines]) if spec.lines else ""
    return "the other present" if spec.lines == "from" and name.endswith(" present") and "neither" not in name else name


def _panel(rows: list[Facts], at: str, spec: Curves, name: tuple[str, ...], facts: Facts) -> Panel:
    lines = dict.fromkeys(_told(r, spec) for r in rows)
    points = [[r for r in rows if _told(r, spec) == line and numbers.usable(r[spec.value])] for line in lines]
    drawn = [[(float(r[at]), float(r[spec.value])) for r in line if numbers.usable(r[at])] for line in points]
    whole = [r for r in points[0] if all(numbers.usable(r[k]) for k in (at, "low", "high"))]
    band = [(float(r[at]), float(r["low"]), float(r["high"])) for r in whole]
    others = tuple((stroke, line) for stroke, line in zip(STROKES, drawn[1:], strict=False) if line)
    made = Panel(capital(", ".join(name)), _colour(name, facts), drawn[0], band, [], others)
    return replace(made, null=1.0) if spec.value == "ratio" else replace(made, shares=True)


def _colour(name: tuple[str, ...], facts: Facts) -> str:
    """The accent of a direction or of the condition that a panel is about."""
    told = {" to ".join(ends(facts, way)): WAY[way] for way in ("a_to_b", "b_to_a")}
    told |= {label(facts, "a"): WAY["b_to_a"], label(facts, "b"): WAY["a_to_b"]}
    return next((told[x.removesuffix(" only")] for x in name if x.removesuffix(" only") in told), SOFT)
