"""Forest figures: a track for each estimate, by direction, on one axis for each scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from bothways.reports import numbers
from bothways.reports.drawing import BAND, INK, PAPER, SOFT, WAY, WIDTH, sheet
from bothways.reports.evidence import COMPARED, ladder_rows
from bothways.reports.grids import drawn_evidence, short_citation
from bothways.reports.rows import forest_rows, staying_rows
from bothways.reports.vocabulary import EVIDENCE_SCALES, SCALES
from bothways.reports.wording import capital, ends, way_words

Facts = dict[str, Any]
WAYS = ("a_to_b", "b_to_a")


def forest(facts: Facts) -> Any:
    """A block for each scale; in it a track for each answer, with a band for what is too small to matter."""
    words = facts["words"]["answers"]
    truths = facts["simulated"]["values"] if facts["simulated"] else {}
    rows = [
        {
            "scale": a["estimate"]["scale"],
            "way": a["direction"],
            "bound": a["smallest_effect"],
            "hollow": False,
            "name": words[a["id"]]["model"],
            "text": words[a["id"]]["estimate"],
            "truth": truths.get(a["id"]),
            **{k: a["estimate"][k] for k in ("value", "low", "high")},
        }
        for a in forest_rows(facts)
    ]
    return _ladder([r for r in rows if r["value"] is not None], facts)


def staying(facts: Facts) -> Any:
    """The ratios of recent and lasting, by direction; each named by what begins or ends, and against what."""
    words = facts["words"]["answers"]
    truths = facts["simulated"]["values"] if facts["simulated"] else {}
    rows = [
        {
            "scale": a["estimate"]["scale"],
            "way": a["direction"],
            "bound": a["smallest_effect"] or 1.25,
            "hollow": False,
            "name": capital(_stage_name(a, facts)),
            "text": words[a["id"]]["estimate"],
            "truth": truths.get(a["id"]),
            **{k: a["estimate"][k] for k in ("value", "low", "high")},
        }
        for a in staying_rows(facts)
    ]
    return _ladder(rows, facts)


def _stage_name(answer: Facts, facts: Facts) -> str:
    """What is told of, in few words: the heading over it names the two conditions."""
    first, second = ends(facts, answer["direction"])
    if " against absent" in answer["contrast"]:
        return str(answer["target"]).replace(f" of {second}", "").replace(f" {second}", "")
    return str(answer["contrast"]).removesuffix(", at the same moment").replace(f" {first}", "")


def compared(way: str) -> Callable[[Facts], Any]:
    """The drawing of one direction's published estimates, a block for each kind of comparison and scale."""

    def drawn(facts: Facts) -> Any:
        rows = sorted(ladder_rows(facts, way), key=lambda r: (COMPARED.index(r["group"]), r["hollow"]))
        return _ladder([{**r, "group": f"{r['group']}, {_axis(r)}"} for r in rows], facts)

    return drawn


def _axis(row: Facts) -> str:
    return "ratio" if row["scale"] in numbers.RATIOS else SCALES[row["scale"]]


def evidence(facts: Facts) -> Any:
    """Published ratios that have an interval, by direction; hollow points are of wider pain."""
    return _ladder(
        [
            {
                "scale": EVIDENCE_SCALES[e["scale"]],
                "way": way,
                "bound": 1.25,
                "hollow": bool(e["wider"]),
                "name": f"{short_citation(e)}, {SCALES[EVIDENCE_SCALES[e['scale']]]}",
                "text": numbers.interval(e["estimate"], e["ci_low"], e["ci_high"], EVIDENCE_SCALES[e["scale"]]),
                "truth": None,
                "value": e["estimate"],
                "low": e["ci_low"],
                "high": e["ci_high"],
            }
            for way, e in drawn_evidence(facts)
        ],
        facts,
        "ratio, each on the scale that its study used",
    )


ROOM = 50  # characters of the usual size that fit on a line, the name and the numbers together
TYPE, SMALLEST = 11.5, 8.0
HEAD, RUNG, AXIS = 30.0, 40.0, 52.0  # points taken by a direction's heading, an answer, and an axis with its name


def _ladder(rows: list[Facts], facts: Facts, merged: str = "") -> Any:
    """Tracks grouped by scale, or all on one axis named ``merged``; within a group by direction."""
    groups: dict[str, list[Facts]] = {}
    for row in rows:
        groups.setdefault(merged or row.get("group") or row["scale"], []).append(row)
    heights = [HEAD * len({r["way"] for r in g}) + RUNG * len(g) for g in groups.values()]
    total = sum(heights) + AXIS * len(heights)
    figure, top = sheet(total), total
    for (name, group), height in zip(groups.items(), heights, strict=True):
        place = (14 / WIDTH, (top - height) / total, (WIDTH - 28) / WIDTH, height / total)
        _block(figure.add_axes(place), group, height, facts)
        figure.axes[-1].set_xlabel(SCALES.get(name, name), size=11.5)
        top -= height + AXIS
    return figure


def _block(axes: Any, rows: list[Facts], height: float, facts: Facts) -> None:
    """One axis: its ordinate counts points downwards, so that text and tracks keep their distance."""
    limits(axes, rows)
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    axes.tick_params(axis="x", labelsize=11.5, length=3)
    y = 0.0
    for way in (way for way in WAYS if any(r["way"] == way for r in rows)):
        title = capital(way_words(facts, way))
        axes.text(0, y + 14, title, transform=axes.get_yaxis_transform(), size=12.5, color=WAY[way], weight="bold")
        y += HEAD
        for row in (r for r in rows if r["way"] == way):
            rung(axes, row, y)
            y += RUNG


def rung(axes: Any, row: Facts, y: float) -> None:
    """A line of text, and under it the track: the band of no interest, no effect, the interval, the estimate.

    A hollow square is the estimate drawn towards the others; a hollow diamond the truth of a simulated world.
    """
    place, colour, track = axes.get_yaxis_transform(), WAY[row["way"]], y + 22
    name, size = fitted(row["name"], ROOM - len(row["text"]))
    axes.text(0, y + 7, name, transform=place, ha="left", size=size, color=INK)
    axes.text(1, y + 7, row["text"], transform=place, ha="right", size=11.5, color=SOFT)
    low, high, null = _band(row)
    axes.fill_between([low, high], track - 7, track + 7, color=BAND, lw=0)
    axes.plot([null, null], [track - 7, track + 7], color=SOFT, lw=1)
    if row["low"] is not None and row["high"] is not None:
        left, right = axes.get_xlim()
        reach = [max(row["low"], left), min(row["high"], right)]
        axes.plot(reach, [track, track], color=colour, lw=2.2, solid_capstyle="round")
    axes.plot([row["value"]], [track], "o", ms=7.5, mfc=PAPER if row["hollow"] else colour, mec=colour, mew=1.6)
    if row.get("shrunk") is not None:
        axes.plot([row["shrunk"]], [track], "s", ms=6, mfc=PAPER, mec=colour, mew=1.4)
    if row["truth"] is not None:
        axes.plot([row["truth"]], [track], "D", ms=6, mfc=PAPER, mec=INK, mew=1.4)


def fitted(name: str, room: int) -> tuple[str, float]:
    """A name and its size, so that it ends before the numbers on its line begin: smaller, and then shorter."""
    most = int(room * TYPE / SMALLEST)
    shown = name if len(name) <= most else f"{name[: most - 1].rstrip()}…"
    return shown, max(SMALLEST, min(TYPE, TYPE * room / len(shown)))


def _band(row: Facts) -> tuple[float, float, float]:
    """(lower bound, upper bound, no effect) of what is too small to matter."""
    bound = row["bound"]
    return (1 / bound, bound, 1.0) if row["scale"] in numbers.RATIOS else (-bound, bound, 0.0)


def limits(axes: Any, rows: list[Facts]) -> None:
    """The axis holds every interval and the band; a ratio's axis is logarithmic, and stops at 1/16 and 16."""
    ratio = rows[0]["scale"] in numbers.RATIOS
    ends = [
        x
        for r in rows
        for x in (r["low"], r["value"], r["high"], r["truth"], r.get("shrunk"), *_band(r))
        if x is not None
    ]
    if not ratio:
        pad = 0.05 * (max(ends) - min(ends))
        axes.set_xlim(min(ends) - pad, max(ends) + pad)
        axes.locator_params(axis="x", nbins=6)
        return
    low, high = max(min(ends), 1 / 16) / 1.12, min(max(ends), 16) * 1.12
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    _ticks(axes, _apart([t for t in TICKS if low <= t <= high], low, high))


TICKS = (0.0625, 0.125, 0.25, 0.5, 0.8, 1, 1.25, 1.5, 2, 3, 4, 8, 16)


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
