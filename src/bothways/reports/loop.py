"""The causal loop in one picture: two conditions, what lies between them, and what each keeps of itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bothways.reports import numbers
from bothways.reports.drawing import BAND, INK, LINE, SOFT, WAY, WIDTH, canvas, wrapped
from bothways.reports.vocabulary import EVIDENCE_SCALES
from bothways.reports.wording import capital, label
from bothways.reports.words_beside import lane_key, lane_reading, short_label

Facts = dict[str, Any]
Stroke = tuple[Any, float]
STROKES: Mapping[str, Stroke] = {
    "predicts": ("-", 3.0),
    "too_uncertain": ("-", 1.1),
    "little_or_no_effect": ((0, (1, 2.2)), 2.2),
    "no_data": ((0, (4, 4)), 1.2),
    "not_asked": ((0, (4, 4)), 1.2),
}
"""The line of each reading, so that none hangs on colour alone; what is not known is grey as well."""

UNKNOWN = frozenset({"no_data", "not_asked"})
RAIL, BOX = (20.0, WIDTH - 20.0), (117.0, WIDTH - 117.0)  # where legs begin and end, left and right
HALF, BETWEEN = WIDTH / 2 - 12, WIDTH - 2 * 116.0 - 4  # room for words: over a condition, between the two,
INSIDE, LEG = BOX[1] - BOX[0] - 8, BOX[0] - RAIL[0] - 8  # in a mediator's box, along a leg
READABLE = 8.0  # points; below it a text is broken
HEAD, ONE, TWO, BARE = 146.0, 62.0, 106.0, 38.0  # points taken by the top, by rows of one lane, of two, not asked


def loop(facts: Facts) -> Any:
    """The conditions at the top, and a row for each mediator on rails that hang from them."""
    rows = list(mediator_rows(facts))
    kind = facts["kind"]
    height = HEAD + sum(_height(row, kind) for row in rows) + 6
    figure, axes = canvas(height)
    _rails(axes, rows, kind)
    for x, end in ((58.0, "a"), (WIDTH - 58.0, "b")):
        _condition(axes, x, capital(label(facts, end)))
        _own(axes, x, end, facts)
    for way, y, above in (("a_to_b", 80.0, True), ("b_to_a", 100.0, False)):
        _whole(axes, way, y, above, facts)
    top = HEAD
    for row in rows:
        _row(axes, row, top, facts)
        top += _height(row, kind)
    return figure


def mediator_rows(facts: Facts) -> Iterator[list[Facts]]:
    """The lanes of each mediator, at most one each way, in the order of the facts."""
    lanes = facts["loop"]["lanes"]
    for name in dict.fromkeys("+".join(lane["mediators"]) for lane in lanes):
        yield sorted((x for x in lanes if "+".join(x["mediators"]) == name), key=lambda x: str(x["direction"]))


def _height(row: list[Facts], kind: str = "") -> float:
    if not any(lane["asked"] for lane in row) and kind != "evidence":
        return BARE
    return TWO if len(row) > 1 else ONE


def _rails(axes: Any, rows: list[list[Facts]], kind: str) -> None:
    low = HEAD + sum(_height(row, kind) for row in rows[:-1]) + (_height(rows[-1], kind) / 2 + 14 if rows else 0)
    for x in RAIL:
        axes.plot([x, x], [108, low], color=LINE, lw=5, solid_capstyle="round", zorder=0)


def _condition(axes: Any, x: float, name: str) -> None:
    _box(axes, x, 90.0, 108, 44)
    lines = wrapped(name, 13)[:2]
    for i, line in enumerate(lines):
        axes.text(x, 90 + 15 * (i - (len(lines) - 1) / 2), line, ha="center", va="center", color=INK, size=13)


def _box(axes: Any, x: float, y: float, width: float, height: float, edge: str = LINE, style: Any = "-") -> None:
    from matplotlib.patches import FancyBboxPatch

    shape = "round,pad=0,rounding_size=10"
    place = (x - width / 2, y - height / 2)
    axes.add_patch(FancyBboxPatch(place, width, height, boxstyle=shape, fc=BAND, ec=edge, lw=1, ls=style, zorder=2))


def _own(axes: Any, x: float, end: str, facts: Facts) -> None:
    """The loop of a condition upon itself, and what it keeps; grey and dashed where nothing tells."""
    found = own_row(facts, end)
    stroke, colour = (STROKES["predicts"], SOFT) if found else (STROKES["not_asked"], LINE)
    _arrow(axes, (x - 15, 67), (x + 15, 67), stroke, colour, bend=-1.15)
    if not found:
        return
    words = facts["words"]["own"][facts["loop"]["own"].index(found)]
    side, ha = (6.0, "left") if end == "a" else (WIDTH - 6.0, "right")
    axes.text(side, 11, words["what"], ha=ha, va="center", color=SOFT, size=shrunk(words["what"], 10.5, HALF))
    for i, line in enumerate(in_room(words["short"], 10.5, HALF)):
        axes.text(side, 25 + 12 * i, line, ha=ha, va="center", color=INK, size=shrunk(line, 10.5, HALF))


def own_row(facts: Facts, end: str) -> Facts | None:
    """What one condition keeps of itself: of the design whose pathways are drawn, else of the first that tells."""
    rows = [row for row in facts["loop"]["own"] if row["condition"] == end]
    drawn = {lane["design"] for lane in facts["loop"]["lanes"] if lane["asked"]}
    return min(rows, key=lambda row: row["design"] not in drawn, default=None)


def _whole(axes: Any, way: str, y: float, above: bool, facts: Facts) -> None:
    """A direction as a whole, by the answer from which its word was read."""
    reading = whole_reading(facts, way)
    start, stop = ((116.0, y), (WIDTH - 116.0, y)) if way == "a_to_b" else ((WIDTH - 116.0, y), (116.0, y))
    _arrow(axes, start, stop, STROKES[reading], SOFT if reading in UNKNOWN else WAY[way])
    lines = in_room(facts["words"]["directions"][way]["estimate"], 11, BETWEEN)
    for i, line in enumerate(lines):
        at = y - 12 - 12 * (len(lines) - 1 - i) if above else y + 13 + 12 * i
        axes.text(WIDTH / 2, at, line, ha="center", va="center", color=WAY[way], size=shrunk(line, 11, BETWEEN))


def whole_reading(facts: Facts, way: str) -> str:
    """The reading of the answer that speaks for a direction."""
    name = facts["words"]["directions"][way]["answer"]
    found = next((a["reading"] for a in facts["answers"] if a["id"] == name), None)
    return str(found or "no_data")


def _row(axes: Any, row: list[Facts], top: float, facts: Facts) -> None:
    """A mediator in its box, its lanes through it."""
    height = _height(row, facts["kind"])
    middle, asked = top + height / 2, any(lane["asked"] for lane in row) or facts["kind"] == "evidence"
    width = BOX[1] - BOX[0]
    _box(axes, WIDTH / 2, middle, width, height - 10, SOFT if asked else LINE, "-" if asked else (0, (4, 3)))
    places = [middle] if len(row) == 1 else [middle - height / 4, middle + height / 4]
    spread = 9.0 if not asked and len(row) > 1 else 0.0
    for lane, y, side in zip(row, places, (-1, 1), strict=False):
        _lane(axes, lane, middle + side * spread if spread else y, facts)
    _named(axes, row, middle, facts)


def _named(axes: Any, row: list[Facts], middle: float, facts: Facts) -> None:
    """The mediator's name, and above or below it what runs through it each way."""
    told = [(lane, facts["words"]["pathways"][lane_key(lane)]["indirect"]) for lane in row]
    told = [(lane, in_room(text, 10.2, INSIDE)) for lane, text in told if text]
    lines = wrapped(capital(short_label(row[0])), 17)[:2]
    room = 14.0 * len(lines)
    first = middle - room / 2 - (3 + 5 * len(told[0][1]) if len(row) == 1 and told else 0)
    for i, line in enumerate(lines):
        y = first + 14 * i + 7
        size, colour = (12.0, INK) if row[0]["asked"] or told or facts["kind"] == "evidence" else (11.0, SOFT)
        size = shrunk(line, size, INSIDE)
        axes.text(WIDTH / 2, y, line, ha="center", va="center", color=colour, size=size, zorder=4)
    for lane, texts in told:
        below = len(row) == 1 or lane is row[-1]
        top = first + room + 9 if below else first - 10 - 11 * (len(texts) - 1)
        for i, text in enumerate(texts):
            size, colour = shrunk(text, 10.2, INSIDE), WAY[lane["direction"]]
            axes.text(WIDTH / 2, top + 11 * i, text, ha="center", va="center", color=colour, size=size, zorder=4)


def _lane(axes: Any, lane: Facts, y: float, facts: Facts) -> None:
    """Two legs: from the first condition to the mediator, and on to the other."""
    way, words = lane["direction"], facts["words"]["pathways"][lane_key(lane)]
    stops = (RAIL[0] + 4, BOX[0] - 2, BOX[1] + 2, RAIL[1] - 4)
    left, right = stops[:2], stops[2:]
    legs = (left, right) if way == "a_to_b" else (right, left)
    for (x0, x1), part in zip(legs, ("first_leg", "second_leg"), strict=True):
        ends = ((x0, y), (x1, y)) if way == "a_to_b" else ((x1, y), (x0, y))
        reading, text = leg_reading(lane, part, facts), words[part]
        if facts["kind"] == "evidence":
            reading, text = published_leg(lane, part, facts)
        _arrow(axes, *ends, STROKES[reading], SOFT if reading in UNKNOWN else WAY[way])
        _number(axes, (x0 + x1) / 2, y, text)


def leg_reading(lane: Facts, part: str, facts: Facts) -> str:
    """A leg's own reading; where the design gives none, that of all that runs through."""
    name = lane["answers"].get(part)
    found = next((a["reading"] for a in facts["answers"] if a["id"] == name), None) if name else None
    return str(found or lane_reading(lane, facts))


def published_leg(lane: Facts, part: str, facts: Facts) -> tuple[str, str]:
    """(reading, number) of the published ratio that speaks of a leg: one with an interval, where there is one."""
    start, mediator, end = _nodes(lane, facts)
    wanted = (start, mediator) if part == "first_leg" else (mediator, end)
    links = [x for x in facts["literature"]["links"] if x["pathway"] == mediator and (x["from"], x["to"]) == wanted]
    told = [x for x in links if x["estimate"] is not None and EVIDENCE_SCALES.get(x["scale"] or "") in numbers.RATIOS]
    best = min(told, key=lambda x: (x["ci_low"] is None or x["ci_high"] is None, bool(x["wider"])), default=None)
    if best is None:
        return "no_data", "in words" if links else ""
    if best["ci_low"] is None or best["ci_high"] is None:
        return "too_uncertain", numbers.number(best["estimate"])
    clear = best["ci_low"] > 1 or best["ci_high"] < 1
    return "predicts" if clear else "too_uncertain", numbers.interval(
        best["estimate"], best["ci_low"], best["ci_high"], EVIDENCE_SCALES[best["scale"]]
    )


def _nodes(lane: Facts, facts: Facts) -> tuple[str, str, str]:
    first, second = ("b", "a") if lane["direction"] == "b_to_a" else ("a", "b")
    return facts["pair"][first]["key"], lane["mediators"][0], facts["pair"][second]["key"]


def _number(axes: Any, x: float, y: float, text: str) -> None:
    """The estimate above the arrow, its interval below."""
    if not text:
        return
    value, _, interval = text.partition(" (")
    span = interval.strip("()")
    axes.text(x, y - 10, value, ha="center", va="center", color=INK, size=shrunk(value, 11.5, LEG))
    axes.text(x, y + 12, span, ha="center", va="center", color=SOFT, size=shrunk(span, 10, LEG))


def in_room(text: str, size: float, room: float) -> tuple[str, ...]:
    """An estimate in one line of ``room`` points, or its interval below it where that would be too small to read."""
    value, bracket, interval = text.partition(" (")
    return (text,) if not bracket or width_of(text, size) * READABLE / size <= room else (value, bracket[1:] + interval)


def shrunk(text: str, size: float, room: float) -> float:
    """The largest size up to ``size`` at which the text keeps to ``room`` points."""
    return min(size, size * room / max(width_of(text, size), 1e-9))


def width_of(text: str, size: float) -> float:
    """How many points wide the text stands."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    return float(TextToPath().get_text_width_height_descent(text, FontProperties(size=size), ismath=False)[0])


def _arrow(
    axes: Any, start: tuple[float, float], stop: tuple[float, float], stroke: Stroke, colour: str, bend: float = 0.0
) -> None:
    """A line in its stroke, and a head of its own: dashes would break its outline."""
    from matplotlib.patches import FancyArrowPatch

    style, width = stroke
    common: dict[str, Any] = {"connectionstyle": f"arc3,rad={bend}", "mutation_scale": 1, "color": colour, "zorder": 3}
    head = "-|>,head_length=7.5,head_width=4.5"
    axes.add_patch(FancyArrowPatch(start, stop, arrowstyle="-", lw=width, ls=style, shrinkA=0, shrinkB=6, **common))
    axes.add_patch(FancyArrowPatch(start, stop, arrowstyle=head, lw=0, shrinkA=0, shrinkB=0, **common))
