"""The figure of a trial: the difference between arms, outcome by outcome, time by time."""

from __future__ import annotations

from typing import Any

from bothways.reports import numbers
from bothways.reports.drawing import INK, SOFT, WIDTH, sheet, wrapped
from bothways.reports.ladders import RUNG, limits, rung
from bothways.reports.rows import arm_place, arm_rows
from bothways.reports.vocabulary import SCALES
from bothways.reports.wording import capital

Facts = dict[str, Any]
TITLE, LINE_HEIGHT, AXIS = 14.0, 15.0, 54.0


def arms(facts: Facts) -> Any:
    """A block for each outcome and contrast; in it a track for each time."""
    blocks: dict[tuple[str, str, str], list[Facts]] = {}
    for a in arm_rows(facts):
        blocks.setdefault((arm_place(a, facts)[0], a["contrast"], a["estimate"]["scale"]), []).append(a)
    heads = [wrapped(f"{capital(target)}: {contrast}", 46)[:3] for target, contrast, _ in blocks]
    heights = [TITLE + LINE_HEIGHT * len(h) + RUNG * len(r) for h, r in zip(heads, blocks.values(), strict=True)]
    total = sum(heights) + AXIS * len(heights)
    figure, top = sheet(total), total
    for ((_, _, scale), rows), head, height in zip(blocks.items(), heads, heights, strict=True):
        place = (14 / WIDTH, (top - height) / total, (WIDTH - 28) / WIDTH, height / total)
        axes = figure.add_axes(place)
        _block(axes, head, rows, height, facts)
        axes.set_xlabel(SCALES.get(scale, scale), size=11.5)
        top -= height + AXIS
    return figure


def _block(axes: Any, head: list[str], rows: list[Facts], height: float, facts: Facts) -> None:
    made = [_rung_of(a, facts) for a in rows]
    limits(axes, made)
    axes.set_ylim(height, 0)
    axes.set_yticks([])
    axes.tick_params(axis="x", labelsize=11.5, length=3)
    for i, line in enumerate(head):
        at = (0, 10 + LINE_HEIGHT * i)
        axes.text(*at, line, transform=axes.get_yaxis_transform(), size=11.5, color=INK if i == 0 else SOFT)
    y = TITLE + LINE_HEIGHT * len(head)
    for one in made:
        rung(axes, one, y)
        y += RUNG


def _rung_of(answer: Facts, facts: Facts) -> Facts:
    estimate, words = answer["estimate"], facts["words"]["answers"][answer["id"]]
    when = arm_place(answer, facts)[1]
    return {
        "scale": estimate["scale"],
        "way": "a_to_b" if arm_place(answer, facts)[0] == facts["pair"]["a"]["label"] else "b_to_a",
        "bound": answer["smallest_effect"] or (1.25 if estimate["scale"] in numbers.RATIOS else 0.05),
        "hollow": False,
        "name": capital(when),
        "text": words["estimate"],
        "truth": None,
        **{k: estimate[k] for k in ("value", "low", "high")},
    }
