"""Facts -> SVG figures. They compute nothing: every number is read from the facts, every word from their words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bothways.reports import numbers
from bothways.reports.arms import arms
from bothways.reports.backmatter import coverage_table, flow_column
from bothways.reports.courses import course, state_flow
from bothways.reports.curves import curve
from bothways.reports.curvetables import DRAWN, drawing_of
from bothways.reports.document import Figure
from bothways.reports.drawing import BAND, INK, LINE, SOFT, STYLE, WAY, WIDTH, canvas, svg_of, wrapped
from bothways.reports.ladders import compared, evidence, forest, staying
from bothways.reports.loop import loop
from bothways.reports.subgroups import subgroups
from bothways.reports.timecourses import natural_course, occupancy, prevalence, what_if
from bothways.reports.wording import capital, label

Facts = dict[str, Any]
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
    for x, end in ((66.0, "a"), (WIDTH - 66.0, "b")):
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
        FancyBboxPatch((x - 62, y - 24), 124, 48, boxstyle="round,pad=0,rounding_size=12", fc=BAND, ec=LINE, lw=1)
    )
    for i, line in enumerate(lines):
        axes.text(x, y + 16 * (i - (len(lines) - 1) / 2), line, ha="center", va="center", color=INK, size=14)


def _arrow(axes: Any, word: str, way: str, y: float, bend: float) -> None:
    from matplotlib.patches import FancyArrowPatch

    style, width = STROKES[word]
    start, stop = ((84, y), (WIDTH - 84, y)) if way == "a_to_b" else ((WIDTH - 84, y), (84, y))
    common: dict[str, Any] = {"connectionstyle": f"arc3,rad={bend}", "mutation_scale": 1, "color": WAY[way]}
    head = "-|>,head_length=9,head_width=6"  # a patch of its own: dots would break its outline
    axes.add_patch(FancyArrowPatch(start, stop, arrowstyle="-", lw=width, ls=style, shrinkA=0, shrinkB=8, **common))
    axes.add_patch(FancyArrowPatch(start, stop, arrowstyle=head, lw=0, shrinkA=0, shrinkB=0, **common))


def _flow(facts: Facts) -> Any:
    """How many people answered both, a bar for each wave or step."""
    table = coverage_table(facts)
    assert table is not None
    column, rows = flow_column(table), table["rows"][:16]
    figure, axes = canvas(30.0 * len(rows) + 12)
    most = max((float(r[column]) for r in rows), default=1.0) or 1.0
    for i, row in enumerate(rows):
        y, reach = 30.0 * i + 20, (WIDTH - 150) * float(row[column]) / most
        axes.barh(y, reach, height=16, left=86, color=WAY["a_to_b"], alpha=0.75)
        axes.text(
            78, y, f"{table['columns'][0]} {numbers.cell(row[0])}"[:14], ha="right", va="center", size=12, color=INK
        )
        axes.text(92 + reach, y, numbers.cell(row[column]), ha="left", va="center", size=12, color=SOFT)
    return figure


DRAWINGS: Mapping[str, Callable[[Facts], Any]] = {
    "glance": _glance,
    "forest": forest,
    "evidence": evidence,
    "ladder_a_to_b": compared("a_to_b"),
    "ladder_b_to_a": compared("b_to_a"),
    "curve": curve,
    "loop": loop,
    "subgroups": subgroups,
    "staying": staying,
    "arms": arms,
    "what_if": what_if,
    "occupancy": occupancy,
    "natural_course": natural_course,
    "onset_prevalence": prevalence,
    **{key: drawing_of(key) for key in DRAWN},
    "flow": _flow,
    "state_flow": state_flow,
    "course": course,
}
