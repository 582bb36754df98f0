"""The forest of groups: a block for each circumstance, each way by itself, the test of the difference under it."""

from __future__ import annotations

from typing import Any

from bothways.reports import numbers
from bothways.reports.drawing import INK, SOFT, WAY, WIDTH, sheet
from bothways.reports.ladders import HEAD, RUNG, limits, rung
from bothways.reports.rows import whom_blocks
from bothways.reports.vocabulary import SCALES
from bothways.reports.wording import capital, way_words

Facts = dict[str, Any]
TITLE, TEST, AXIS = 26.0, 20.0, 54.0  # points taken by a circumstance's name, a test, and an axis with its name


def subgroups(facts: Facts) -> Any:
    """Tracks by circumstance and scale; a hollow square is a value drawn towards the other groups."""
    blocks = [(title, rows) for title, rows in whom_blocks(facts).items() if any(r["levels"] for r in rows)]
    heights = [_height(rows) for _, rows in blocks]
    total = sum(heights) + AXIS * len(blocks)
    figure, top = sheet(total), total
    for (title, rows), height in zip(blocks, heights, strict=True):
        place = (14 / WIDTH, (top - height) / total, (WIDTH - 28) / WIDTH, height / total)
        _block(figure.add_axes(place), title[0], rows, height, facts)
        figure.axes[-1].set_xlabel(SCALES.get(title[1], title[1]), size=11.5)
        top -= height + AXIS
    return figure


def _height(rows: list[Facts]) -> float:
    return TITLE + sum(HEAD + RUNG * len(r["levels"]) + TEST * len(r["tests"]) for r in rows)


def _block(axes: Any, title: str, rows: list[Facts], height: float, facts: Facts) -> None:
    """One circumstance on one axis; the ordinate counts points downwards."""
    drawn = [[_rung_of(a, row, facts) for a in row["levels"]] for row in rows]
    limits(axes, [r for made in drawn for r in made])
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    axes.tick_params(axis="x", labelsize=11.5, length=3)
    place, y = axes.get_yaxis_transform(), TITLE
    axes.text(0, 10, capital(title), transform=place, size=13, color=INK, weight="bold")
    for row, made in zip(rows, drawn, strict=True):
        colour = WAY[row["direction"]]
        axes.text(0, y + 14, capital(way_words(facts, row["direction"])), transform=place, size=12, color=colour)
        y += HEAD
        for one in made:
            rung(axes, one, y)
            y += RUNG
        for test in row["tests"]:
            line = _test_line(test, facts)
            axes.text(0, y + 8, line, transform=place, size=min(10.5, 10.5 * 54 / len(line)), color=SOFT)
            y += TEST


def _rung_of(answer: Facts, row: Facts, facts: Facts) -> Facts:
    estimate, words = answer["estimate"], facts["words"]["answers"][answer["id"]]
    truths = facts["simulated"]["values"] if facts["simulated"] else {}
    shrunk = next((s["value"] for s in row["shrunk"] if s["answer"] == answer["id"]), None)
    return {
        "scale": estimate["scale"],
        "way": row["direction"],
        "bound": answer["smallest_effect"] or (1.25 if estimate["scale"] in numbers.RATIOS else 0.05),
        "hollow": False,
        "name": capital(words["group"]),
        "text": words["estimate"],
        "truth": truths.get(answer["id"]),
        "shrunk": shrunk,
        **{k: estimate[k] for k in ("value", "low", "high")},
    }


def _test_line(test: Facts, facts: Facts) -> str:
    """Who is compared with whom, the difference with its interval and both p values, as short as a line."""
    words = facts["words"]["answers"][test["answer"]]
    name = "ratio" if test["of"]["estimate"]["scale"] in numbers.RATIOS else "difference"
    p = f", p {_equals(test['p'])}, adjusted {numbers.p_value(test['p_holm'])}" if test["p"] is not None else ""
    return f"{capital(facts['words']['compared'][test['answer']])}: {name} {words['estimate']}{p}"


def _equals(p: float) -> str:
    told = numbers.p_value(p)
    return told if told.startswith("<") else f"= {told}"
