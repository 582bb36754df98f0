"""Long estimates in the loop: each keeps to its own room, and no piece of text lies on another."""

from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from tests.reports.outcomes import FULL

from bothways.reports import facts_of
from bothways.reports.facts_loops import _row
from bothways.reports.loop import BOX, RAIL, in_room, loop, width_of
from bothways.reports.words_beside import lane_key, own_words

LONG = "−0.00412 (−0.01250 to 0.01085)"
LONGER = "−12.00412 (−120.01250 to 110.01085)"


def facts(text: str, both_ways: bool) -> dict:
    """The fullest outcome, every estimate of the loop as long as ``text``."""
    found = facts_of(FULL)
    rows = [("a", 4.4, 1.3, 380.0), ("b", 15.0, 0.6, 1.0e6)]
    found["loop"]["own"] = [
        {"condition": end, "design": "diary", **_row("half_life", "days", *values)} for end, *values in rows
    ]
    found["words"]["own"] = [own_words(row, found) for row in found["loop"]["own"]]
    if not both_ways:
        found["loop"]["lanes"] = [lane for lane in found["loop"]["lanes"] if lane["asked"]]
    for lane in found["loop"]["lanes"]:
        found["words"]["pathways"][lane_key(lane)] |= {"first_leg": text, "second_leg": text, "indirect": text}
    for way in ("a_to_b", "b_to_a"):
        found["words"]["directions"][way]["estimate"] = text
    return found


@pytest.mark.parametrize("text", [LONG, LONGER])
@pytest.mark.parametrize("both_ways", [True, False])
def test_long_estimates_keep_to_their_room(text: str, both_ways: bool) -> None:
    figure = loop(facts(text, both_ways))
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [t.get_window_extent(renderer) for t in figure.axes[0].texts if t.get_text()]
    width, height = figure.get_size_inches() * figure.dpi
    assert all(b.x0 >= 0 and b.x1 <= width and b.y0 >= 0 and b.y1 <= height for b in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])
    lowest = height - 146.0  # the rows of mediators begin there
    inside = [b for b in boxes if b.y1 < lowest and BOX[0] < (b.x0 + b.x1) / 2 < BOX[1]]
    legs = [b for b in boxes if b.y1 < lowest and not BOX[0] < (b.x0 + b.x1) / 2 < BOX[1]]
    assert inside
    assert legs
    assert all(BOX[0] < b.x0 and b.x1 < BOX[1] for b in inside)
    assert all((RAIL[0] < b.x0 and b.x1 < BOX[0]) or (BOX[1] < b.x0 and b.x1 < RAIL[1]) for b in legs)


def test_a_short_estimate_stays_in_one_line() -> None:
    assert in_room("0.12 (0.04 to 0.20)", 11, 120) == ("0.12 (0.04 to 0.20)",)
    assert in_room(LONG, 10.2, 110) == ("−0.00412", "(−0.01250 to 0.01085)")
    assert width_of("wide", 20) == pytest.approx(2 * width_of("wide", 10), rel=0.1)
