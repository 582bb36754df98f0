"""The section "Through what?": the loop in one picture, a sentence for each pathway, and the published legs beside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bothways.reports import numbers
from bothways.reports.document import Block, Bullets, Details, Figure, Grid, Paragraph, Section
from bothways.reports.grids import answers_grid, table_grid
from bothways.reports.loop import leg_reading, own_row, whole_reading
from bothways.reports.published import published_grid, rivals_grid
from bothways.reports.vocabulary import READINGS
from bothways.reports.wording import capital, ends, way_words
from bothways.reports.words_beside import answer_of, lane_key, lane_reading, lane_trace, lane_unit, short_label

Facts = dict[str, Any]
WAYS = ("a_to_b", "b_to_a")
NEEDS = (
    "What runs through a third variable can be told only if it is measured after the first condition and before the "
    "second, and if nothing unmeasured moves both it and the second condition."
)
NOT_ASKED = "These data were not asked through what: a third variable, measured between the two, would tell."
QUICK = "This quick run did not ask through what: a full run does where a third variable was measured between the two."
ASKING = frozenset({"panel", "diary", "sustained"})
"""Designs that follow a third variable; where others alone were named, no run would."""
NO_SUCH_DESIGN = (
    "The designs that were named here do not ask through what; a panel, a diary or sustained exposure would."
)
READS = {**READINGS, "predicts": "predicts", "not_asked": "not asked"}
OWN = "Apart from the other, more of a condition than usual goes with more of it later:"


def pathways(facts: Facts) -> Section:
    """Through what: what was asked first, then the picture, then the numbers beside what is published."""
    lanes = facts["loop"]["lanes"]
    asked = [lane for lane in lanes if lane["asked"]]
    blocks: list[Block] = [Bullets(tuple(_sentences(facts, asked)))] if asked else [Paragraph(_unasked(facts))]
    rest = [told for way in WAYS if (told := _not_asked(facts, way))]
    if asked and rest:
        blocks.append(Paragraph(f"Not asked here: {'; '.join(rest)}."))
    if asked:
        blocks.append(Paragraph(NEEDS))
    own = tuple(facts["words"]["own"][facts["loop"]["own"].index(row)]["sentence"] for row in drawn_own(facts))
    if own:
        blocks += [Paragraph(OWN), Bullets(own)]
    if lanes or own:
        blocks.append(loop_figure(facts))
    blocks += _numbers(facts, asked)
    named = published_grid(facts)
    if named.rows:
        behind = rivals_grid(facts)
        blocks.append(Details("Each pathway beside what is published", (named, behind) if behind.rows else (named,)))
    return Section("pathways", "Through what?", tuple(blocks), depth=0 if asked else 1)


def _unasked(facts: Facts) -> str:
    designs = set(facts["settings"]["designs"])
    if designs and not designs & ASKING:
        return NO_SUCH_DESIGN
    return QUICK if facts["settings"]["quick"] else NOT_ASKED


def _sentences(facts: Facts, asked: list[Facts]) -> Iterator[str]:
    """A sentence for each pathway that is there or failed, and one for all the rest of a way that read alike."""
    for way in WAYS:
        lanes = [lane for lane in asked if lane["direction"] == way]
        for lane in lanes:
            if lane_reading(lane, facts) in ("predicts", "no_data"):
                yield _sentence(lane, facts)
        for reading in ("little_or_no_effect", "too_uncertain"):
            alike = [lane for lane in lanes if lane_reading(lane, facts) == reading]
            if alike:
                yield _alike(alike, reading, facts)


def _sentence(lane: Facts, facts: Facts) -> str:
    """One pathway, and what would undo it."""
    words = facts["words"]["pathways"][lane_key(lane)]
    if lane_reading(lane, facts) != "predicts" or not words["sensitivity"]:
        return str(words["sentence"])
    alone = answer_of(lane, "indirect", facts)
    if alone and any(c["code"] == "one_mediator_at_a_time" for c in alone["caveats"]):
        return f"{words['sentence']} It was taken by itself: one that merely goes along with the true one looks so too."
    if (says := lane["sensitivity"]["says"])[:1].isupper():  # a design's own sentence
        return f"{words['sentence']} {says.rstrip('.')}."
    return f"{words['sentence']} A hidden cause could undo it: {words['sensitivity']} is {says}."


def _alike(lanes: list[Facts], reading: str, facts: Facts) -> str:
    """Pathways of one way that read alike, in one sentence where they are several."""
    if len(lanes) == 1:
        return str(facts["words"]["pathways"][lane_key(lanes[0])]["sentence"])
    start, end = ends(facts, lanes[0]["direction"])
    indirect = [facts["words"]["pathways"][lane_key(x)]["indirect"] for x in lanes]
    told = "; ".join(
        f"{short_label(x)} {n}{lane_unit(x, facts)}{lane_trace(x, facts)}" for x, n in zip(lanes, indirect, strict=True)
    )
    what = f"what goes from {start} to later {end} runs through any of these"
    if reading == "too_uncertain":
        return f"Whether any of {what}, these data cannot tell: {told}."
    return f"Little or nothing of {what}: {told}."


def _not_asked(facts: Facts, way: str) -> str:
    """The mediators of one way that the topic names and nobody asked of these records."""
    names = [x["label"] for x in facts["loop"]["lanes"] if x["direction"] == way and not x["asked"]]
    return f"{way_words(facts, way)} through {', '.join(names)}" if names else ""


def drawn_own(facts: Facts) -> list[Facts]:
    """What each condition keeps of itself, one row each at most."""
    return [row for end in ("a", "b") if (row := own_row(facts, end)) is not None]


def loop_figure(facts: Facts) -> Figure:
    """Both conditions, everything between them that was asked or named, and what each keeps of itself."""
    rows = tuple(_loop_rows(facts))
    grid = Grid("loop", "The loop in numbers", ("arrow", "estimate (interval)", "reads"), rows)
    asked = [lane for lane in facts["loop"]["lanes"] if lane["asked"]]
    found = [lane for lane in asked if lane_reading(lane, facts) == "predicts"]
    said = (
        f"Of {len(asked)} ways through a mediator that were asked, {len(found)} seem to carry something"
        if asked
        else ""
    )
    said += "".join(f"; {way_words(facts, x['direction'])} through {short_label(x)}" for x in found)
    first, second = ends(facts, "a_to_b")
    alt = (
        f"{capital(first)} on the left and {second} on the right, an arrow each way between them, a curled arrow from "
        f"each to itself, and below them a row for each mediator with arrows to and from it. "
        f"{said or 'No pathway was asked of these records'}. The table below holds the numbers."
    )
    note = (
        "Thick: predicts. Thin: too uncertain. Dotted: little or no effect. Grey and dashed: not asked, or no answer. "
        "At the top: each way as a whole, and what each condition keeps of itself. In a box: what runs through it."
    )
    return Figure("loop", "What runs between the two", alt, grid, note)


def _loop_rows(facts: Facts) -> Iterator[tuple[str, str, str]]:
    """Every arrow of the picture, in its order."""
    for way in WAYS:
        start, end = ends(facts, way)
        told = facts["words"]["directions"][way]["estimate"] or numbers.MISSING
        yield f"{capital(start)} → {end}, as a whole", told, READS[whole_reading(facts, way)]
    for row in drawn_own(facts):
        words, name = facts["words"]["own"][facts["loop"]["own"].index(row)], facts["pair"][row["condition"]]["label"]
        yield f"{capital(name)} → {name}, {words['what']}", words["short"], ""
    for lane in facts["loop"]["lanes"]:
        yield from _lane_rows(lane, facts)


def _lane_rows(lane: Facts, facts: Facts) -> Iterator[tuple[str, str, str]]:
    start, end = ends(facts, lane["direction"])
    words, through = facts["words"]["pathways"][lane_key(lane)], short_label(lane)
    yield f"{capital(start)} → {through} → {end}", words["indirect"] or numbers.MISSING, words["word"]
    for part, named in (("first_leg", f"{capital(start)} → {through}"), ("second_leg", f"{capital(through)} → {end}")):
        if words[part]:
            yield named, words[part], READS[leg_reading(lane, part, facts)]


def _numbers(facts: Facts, asked: list[Facts]) -> list[Block]:
    """Parts of every pathway answer, what would undo each, and what each rests on."""
    rows = [a for a in facts["answers"] if a["facet"] == "pathway" and a["estimate"] and not a["curve"]]
    inside: list[Block] = []
    if rows:
        inside.append(answers_grid("pathway_answers", "Total, direct and indirect effects", rows, facts))
    doubts = _sensitivity_grid(facts, asked)
    if doubts.rows:
        inside.append(doubts)
    rests = _needs_grid(facts, asked)
    if rests.rows:
        inside.append(rests)
    inside += [table_grid(t) for t in facts["tables"] if t["key"].endswith("pathway_sensitivity") and not doubts.rows]
    return [Details("The numbers of each pathway, and what would undo them", tuple(inside))] if inside else []


def _sensitivity_grid(facts: Facts, asked: list[Facts]) -> Grid:
    rows = tuple(
        (
            f"{short_label(lane)}, {way_words(facts, lane['direction'])}",
            facts["words"]["pathways"][lane_key(lane)]["sensitivity"],
            lane["sensitivity"]["says"],
        )
        for lane in asked
        if lane["sensitivity"]
    )
    title = "How strong a hidden cause of mediator and outcome would have to be"
    return Grid("pathway_doubts", title, ("pathway", "sensitivity value", "what it means"), rows)


def _needs_grid(facts: Facts, asked: list[Facts]) -> Grid:
    """What must be true for each pathway's answer, each once."""
    by_id = {a["id"]: a for a in facts["answers"]}
    seen: dict[str, dict[str, None]] = {}
    for lane in asked:
        answer = by_id.get(lane["answers"].get("indirect", ""))
        for assumption in answer["assumptions"] if answer else ():
            seen.setdefault(assumption["text"], {})[short_label(lane)] = None
    rows = tuple((text, ", ".join(through)) for text, through in seen.items())
    return Grid("pathway_needs", "What must be true", ("assumption", "for what runs through"), rows)
