"""Facts -> SVG figures. They compute nothing: every number is read from the facts, every word from their words."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from bothways.reports import numbers
from bothways.reports.backmatter import coverage_table
from bothways.reports.beside import forest_rows
from bothways.reports.document import Figure
from bothways.reports.drawing import BAND, INK, LINE, PAPER, SOFT, STYLE, WAY, WIDTH, canvas, sheet, svg_of, wrapped
from bothways.reports.grids import evidence_rows, short_citation
from bothways.reports.vocabulary import EVIDENCE_SCALES, SCALES
from bothways.reports.wording import capital, label, way_words

Facts = dict[str, Any]
WAYS = ("a_to_b", "b_to_a")
STROKES: Mapping[str, tuple[Any, float]] = {
    "predicts": ("-", 3.0),
    "supported_by_independent_designs": ("-", 4.5),
    "little_or_no_effect": ((0, (1, 3)), 2.0),
    "too_uncertain": ((0, (5, 4)), 2.0),
    "designs_disagree": ((0, (7, 3, 1, 3)), 2.0),
    "no_data": ((0, (1, 5)), 1.2),
}
"""The line of each word, so that no reading hangs on colour alone."""


def draw(figure: Figure, facts: Facts) -> str:
    """The SVG of a report's figure. The same facts give the same bytes."""
    import matplotlib as mpl

    with mpl.rc_context(STYLE):
        drawn = DRAWINGS[figure.key](facts)
        return svg_of(drawn, figure.key, figure.title, figure.alt)


def _glance(facts: Facts) -> Any:
    """Two named boxes, an arrow over them and one under them, each with its word and interval."""
    figure, axes = canvas(226)
    for x, end in ((76.0, "a"), (324.0, "b")):
        _box(axes, x, 113.0, capital(label(facts, end)))
    for way, y, bend in (("a_to_b", 87.0, -0.26), ("b_to_a", 139.0, -0.26)):
        _arrow(axes, facts["verdict"][way]["word"], way, y, bend)
    for way, y in (("a_to_b", 12.0), ("b_to_a", 196.0)):
        w = facts["words"]["directions"][way]
        axes.text(WIDTH / 2, y, w["word"], ha="center", va="center", color=WAY[way], weight="bold", size=14.5)
        axes.text(WIDTH / 2, y + 19, w["estimate"], ha="center", va="center", color=SOFT, size=13)
    return figure


def _box(axes: Any, x: float, y: float, text: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    lines = wrapped(text, 15)[:3]
    axes.add_patch(
        FancyBboxPatch((x - 68, y - 24), 136, 48, boxstyle="round,pad=0,rounding_size=12", fc=BAND, ec=LINE, lw=1)
    )
    for i, line in enumerate(lines):
        axes.text(x, y + 16 * (i - (len(lines) - 1) / 2), line, ha="center", va="center", color=INK, size=14)


def _arrow(axes: Any, word: str, way: str, y: float, bend: float) -> None:
    from matplotlib.patches import FancyArrowPatch

    style, width = STROKES[word]
    start, stop = ((96, y), (304, y)) if way == "a_to_b" else ((304, y), (96, y))
    axes.add_patch(
        FancyArrowPatch(
            start, stop, connectionstyle=f"arc3,rad={bend}", arrowstyle="-|>,head_length=8,head_width=5",
            mutation_scale=1, color=WAY[way], lw=width, ls=style, shrinkA=0, shrinkB=0, capstyle="butt",
        )
    )  # fmt: skip


def _forest(facts: Facts) -> Any:
    """A block for each scale; within it a row for each answer, and a band for what is too small to matter."""
    rows = [
        {"scale": a["estimate"]["scale"], "way": a["direction"], "bound": a["smallest_effect"], "hollow": False,
         "name": f"{facts['words']['answers'][a['id']]['design']}, {way_words(facts, a['direction'])}",
         "text": facts["words"]["answers"][a["id"]]["estimate"],
         **{k: a["estimate"][k] for k in ("value", "low", "high")}}
        for a in forest_rows(facts)
    ]  # fmt: skip
    return _rungs([r for r in rows if r["value"] is not None])


def _evidence(facts: Facts) -> Any:
    """Published ratios that have an interval, by direction; hollow points are of wider pain."""
    rows = [
        {"scale": EVIDENCE_SCALES[e["scale"]], "way": way, "bound": 1.25, "hollow": bool(e["wider"]),
         "name": f"{short_citation(e)}, {way_words(facts, way)}",
         "text": numbers.interval(e["estimate"], e["ci_low"], e["ci_high"], EVIDENCE_SCALES[e["scale"]]),
         "value": e["estimate"], "low": e["ci_low"], "high": e["ci_high"]}
        for way in WAYS
        for e in evidence_rows(facts, way)
        if e["scale"] in EVIDENCE_SCALES and e["ci_low"] is not None
    ]  # fmt: skip
    return _rungs(rows, "ratio (each on the scale that its study used)")


def _rungs(rows: list[Facts], merged: str = "") -> Any:
    """Rows of (name, point, interval), grouped by scale, or all on one axis named ``merged``."""
    groups: dict[str, list[Facts]] = {}
    for row in rows:
        groups.setdefault(merged or row["scale"], []).append(row)
    heights = [34 * len(g) + 58 for g in groups.values()]
    figure = sheet(max(sum(heights), 40))
    top = sum(heights)
    for (name, group), height in zip(groups.items(), heights, strict=True):
        axes = figure.add_axes(
            (14 / WIDTH, (top - height + 44) / sum(heights), (WIDTH - 28) / WIDTH, (height - 50) / sum(heights))
        )
        _block(axes, group, SCALES.get(name, name))
        top -= height
    return figure


def _block(axes: Any, rows: list[Facts], name: str) -> None:
    ratio = rows[0]["scale"] in numbers.RATIOS
    null, bound = (1.0, rows[0]["bound"]) if ratio else (0.0, rows[0]["bound"])
    _limits(axes, rows, ratio, bound)
    low, high = (1 / bound, bound) if ratio else (-bound, bound)
    axes.axvspan(low, high, color=BAND, lw=0, zorder=0)
    axes.axvline(null, color=SOFT, lw=1, zorder=1)
    for i, row in enumerate(rows):
        _rung(axes, row, float(i))
    axes.set_ylim(len(rows) - 0.35, -0.75)
    axes.set_yticks([])
    axes.set_xlabel(name, size=11)
    axes.tick_params(axis="x", labelsize=11, length=3)


def _rung(axes: Any, row: Facts, y: float) -> None:
    colour = WAY[row["way"]]
    if row["low"] is not None and row["high"] is not None:
        left, right = axes.get_xlim()
        axes.plot(
            [max(row["low"], left), min(row["high"], right)],
            [y, y],
            color=colour,
            lw=2,
            solid_capstyle="round",
            zorder=2,
        )
    axes.plot([row["value"]], [y], "o", ms=7, mfc=PAPER if row["hollow"] else colour, mec=colour, mew=1.6, zorder=3)
    place = axes.get_yaxis_transform()
    axes.text(0, y - 0.42, row["name"], transform=place, ha="left", va="center", size=11, color=INK)
    axes.text(1, y - 0.42, row["text"], transform=place, ha="right", va="center", size=11, color=SOFT)


def _limits(axes: Any, rows: list[Facts], ratio: bool, bound: float) -> None:
    """The axis holds every interval and the band; a ratio's axis is logarithmic, and stops at 1/16 and 16."""
    known = [x for r in rows for x in (r["low"], r["value"], r["high"]) if x is not None and (x > 0 or not ratio)]
    if ratio:
        low, high = min([1 / bound, *known]), max([bound, *known])
        low, high = max(low, 1 / 16) / 1.15, min(high, 16) * 1.15
        axes.set_xscale("log")
        ticks = [t for t in (0.0625, 0.125, 0.25, 0.5, 0.8, 1, 1.25, 1.5, 2, 3, 4, 8, 16) if low <= t <= high]
        axes.set_xlim(low, high)
        _ticks(axes, _apart(ticks, low, high))
        return
    low, high = min([-bound, *known]), max([bound, *known])
    pad = 0.06 * (high - low)
    axes.set_xlim(low - pad, high + pad)
    axes.locator_params(axis="x", nbins=6)


def _apart(ticks: list[float], low: float, high: float) -> list[float]:
    """Ticks with room between them on a log axis; 1 is always among them."""
    kept: list[float] = [1]
    room = 0.085 * math.log(high / low)
    for t in sorted(ticks, key=lambda t: abs(math.log2(t) - round(math.log2(t)))):
        if all(abs(math.log(t / k)) >= room for k in kept):
            kept.append(t)
    return sorted(kept)


def _ticks(axes: Any, ticks: list[float]) -> None:
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.set_xticks([], minor=True)


def _curve(facts: Facts) -> Any:
    """The effect against the time between, one panel for each direction, on one axis."""
    rows = [a for a in facts["answers"] if a["curve"] and a["estimate"] and a["estimate"]["value"] is not None]
    ways = [way for way in (*WAYS, "joint") if any(a["direction"] == way for a in rows)]
    figure = sheet(150 * len(ways) + 20)
    grid = figure.subplots(len(ways), 1, sharex=True, sharey=True, squeeze=False)
    figure.subplots_adjust(
        left=0.13, right=0.97, top=1 - 22 / (150 * len(ways) + 20), bottom=44 / (150 * len(ways) + 20), hspace=0.3
    )
    for axes, way in zip(grid[:, 0], ways, strict=True):
        _one_curve(axes, [a for a in rows if a["direction"] == way], way, facts)
    grid[-1, 0].set_xlabel(_lag_unit(rows), size=11)
    return figure


def _one_curve(axes: Any, rows: list[Facts], way: str, facts: Facts) -> None:
    for curve in dict.fromkeys(a["curve"] for a in rows):
        points = sorted((a for a in rows if a["curve"] == curve), key=_lag)
        x = [_lag(a) for a in points]
        low, high = ([_or_nan(a["estimate"][k]) for a in points] for k in ("low", "high"))
        axes.fill_between(x, low, high, color=WAY[way], alpha=0.16, lw=0)
        axes.plot(x, [a["estimate"]["value"] for a in points], color=WAY[way], lw=2.2, marker="o", ms=3.5)
    axes.axhline(1.0 if rows[0]["estimate"]["scale"] in numbers.RATIOS else 0.0, color=SOFT, lw=1)
    axes.set_title(capital(way_words(facts, way)), loc="left", size=12, color=WAY[way], weight="bold")
    axes.tick_params(labelsize=11, length=3)
    axes.locator_params(axis="y", nbins=4)


def _or_nan(x: float | None) -> float:
    return math.nan if x is None else x


def _lag(answer: Facts) -> float:
    known = (answer["lag_days"], answer["lag_waves"], answer["horizon_days"])
    return float(next((x for x in known if x is not None), 0.0))


def _lag_unit(rows: list[Facts]) -> str:
    return "waves later" if all(a["lag_days"] is None and a["lag_waves"] is not None for a in rows) else "days later"


def _flow(facts: Facts) -> Any:
    """How many people answered, a bar for each row of the description's table."""
    table = coverage_table(facts)
    assert table is not None
    rows = table["rows"][:16]
    height = 30.0 * len(rows) + 12
    figure, axes = canvas(height)
    most = max((float(r[1]) for r in rows), default=1.0) or 1.0
    for i, row in enumerate(rows):
        y = 30.0 * i + 20
        reach = (WIDTH - 190) * float(row[1]) / most
        axes.barh(y, reach, height=16, left=120, color=WAY["a_to_b"], alpha=0.75)
        axes.text(112, y, numbers.cell(row[0])[:18], ha="right", va="center", size=11.5, color=INK)
        axes.text(126 + reach, y, numbers.cell(row[1]), ha="left", va="center", size=11.5, color=SOFT)
    return figure


DRAWINGS: Mapping[str, Callable[[Facts], Any]] = {
    "glance": _glance,
    "forest": _forest,
    "evidence": _evidence,
    "curve": _curve,
    "flow": _flow,
}
