"""The section "In whom?": groups in a forest, and words only from a difference that has its own interval."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bothways.reports import numbers
from bothways.reports.curvetables import curve_figures
from bothways.reports.document import Block, Bullets, Details, Figure, Grid, Paragraph, Section
from bothways.reports.grids import answers_grid
from bothways.reports.published import without
from bothways.reports.rows import whom_blocks
from bothways.reports.vocabulary import DESIGNS
from bothways.reports.wording import capital, way_words

Facts = dict[str, Any]
RULE = "Groups differ only where a difference between them has an interval of its own."
ALONE = "This is the record of one person: it cannot tell in whom else the same holds."
NOT_ASKED = "No groups were compared: a grouping column, with enough people in each group, would tell."
QUICK = "This quick run compared no groups: a full run does where a grouping column has enough people in each group."
ASKING = frozenset({"panel", "diary", "onset"})
"""Designs that compare groups; where others alone were named, no run would."""
NO_SUCH_DESIGN = "The designs named here compare no groups; a panel, a diary or an onset cohort would."


def whom(facts: Facts) -> Section:
    """In whom: only from an interaction with its interval; every comparison counted."""
    rows = [a for a in facts["answers"] if (a["facet"] == "whom" or a["subgroup"]) and a["estimate"]]
    blocks: list[Block] = []
    if rows:
        blocks += [Paragraph(RULE), Bullets(tuple(_sentences(facts)) or ("No difference was tested.",))]
        told = _multiplicity(facts)
        blocks += [Paragraph(told)] if told else []
        shares = tuple(_shares(facts, rows))
        blocks += [Bullets(shares)] if shares else []
        if any(row["levels"] for made in whom_blocks(facts).values() for row in made):
            blocks.append(subgroups_figure(facts))
        blocks += curve_figures(facts, "onset_whom_curve")
        inside: list[Block] = [answers_grid("whom", "By group", rows, facts)]
        inside += [tests_grid(facts)] if any(g["tests"] for g in facts["whom"]) else []
        blocks.append(Details("The numbers", tuple(inside)))
    else:
        blocks += [Paragraph(said) for said in _unanswered(facts)]
    named = circumstances_grid(facts)
    if named.rows:
        blocks.append(Details(named.title, (named,)))
    return Section("whom", "In whom?", tuple(blocks), depth=1)


def _unanswered(facts: Facts) -> tuple[str, ...]:
    """Why no group is told of: the reasons of those that were asked for, else that none was."""
    asked = (a for a in facts["answers"] if a["facet"] == "whom" and a["status_says"])
    said = tuple(dict.fromkeys(capital(a["status_says"]) for a in asked))
    if said or facts["one_person"]:
        return said or (ALONE,)
    designs = set(facts["settings"]["designs"])
    if designs and not designs & ASKING:
        return (NO_SUCH_DESIGN,)
    return (QUICK if facts["settings"]["quick"] else NOT_ASKED,)


def _sentences(facts: Facts) -> Iterator[str]:
    for group in facts["whom"]:
        for test in group["tests"]:
            said = facts["words"]["whom"][test["answer"]]
            yield f"{capital(way_words(facts, group['direction']))}, by {group['label']}: {said}"


def _shares(facts: Facts, rows: list[Facts]) -> Iterator[str]:
    """In how many people a direction holds."""
    for a in rows:
        if a["estimand"] == "person_share":
            words = facts["words"]["answers"][a["id"]]
            yield f"{capital(words['way'])}: it holds in {words['estimate']} of people ({words['design']})."


def _multiplicity(facts: Facts) -> str:
    """How many comparisons there were, and how many of them chance alone would be likely to find."""
    tests = [t for group in facts["whom"] for t in group["tests"]]
    if not tests:
        return ""
    counted = numbers.counted(len(tests), "comparison")
    if len(tests) == 1:
        return f"{capital(counted)} was made."
    return (
        f"{counted} were made; of so many, some differ by chance alone. The adjusted p values count them all (Holm): "
        "a group was not chosen because it differed."
    )


def subgroups_figure(facts: Facts) -> Figure:
    """Each group's own estimate, the test under them."""
    rows = tuple(_figure_rows(facts))
    columns = ("circumstance", "way", "group", "estimate (interval)", "drawn to the rest", "people")
    grid = Grid("subgroups", "By group", columns, rows)
    levels = {name for group in facts["whom"] for name in group["levels"]}
    truth = bool(facts["simulated"] and levels & set(facts["simulated"]["values"]))
    squares = any(s["answer"] in levels for group in facts["whom"] for s in group["shrunk"])
    marks = " A hollow square is the estimate drawn towards the other groups." if squares else ""
    marks += " A diamond marks the truth of the simulated world." if truth else ""
    alt = (
        "A block for each circumstance, and in it each way by itself: a point for each group's estimate, a line for "
        f"its interval, and the test of their difference in words.{marks} The table below holds the numbers."
    )
    note = "Shaded: too small to matter. Upright line: no effect."
    note += " Hollow square: drawn towards the other groups." if squares else ""
    note += " Diamond: the truth." if truth else ""
    return Figure("subgroups", "Group by group", alt, grid, note)


def _drawn(group: Facts, name: str, facts: Facts) -> str:
    """An answer's value drawn towards the rest, with its interval."""
    found = next((s for s in group["shrunk"] if s["answer"] == name), None)
    answer = next(a for a in facts["answers"] if a["id"] == name)
    return numbers.interval(found["value"], found["low"], found["high"], answer["estimate"]["scale"]) if found else ""


def _figure_rows(facts: Facts) -> Iterator[tuple[str, ...]]:
    for (label, _), rows in whom_blocks(facts).items():
        for row in rows:
            for a in row["levels"]:
                words, drawn = facts["words"]["answers"][a["id"]], _drawn(row, a["id"], facts)
                way = capital(way_words(facts, row["direction"]))
                yield label, way, words["group"], words["estimate"], drawn, words["people"]


def tests_grid(facts: Facts) -> Grid:
    """Every test of a difference, with both p values."""
    rows = tuple(
        (
            group["label"],
            capital(way_words(facts, group["direction"])),
            facts["words"]["compared"][test["answer"]],
            DESIGNS.get(group["design"], group["design"]),
            facts["words"]["answers"][test["answer"]]["estimate"],
            numbers.p_value(test["p"]),
            numbers.p_value(test["p_holm"]),
            _drawn(group, test["answer"], facts),
            facts["words"]["answers"][test["answer"]]["reading"],
        )
        for group in facts["whom"]
        for test in group["tests"]
    )
    columns = (
        "circumstance",
        "way",
        "who beside whom",
        "design",
        "difference (interval)",
        "p",
        "p, adjusted (Holm)",
        "drawn to the rest",
        "reads",
    )
    return Grid("whom_tests", "Tests of a difference between groups", columns, rows)


def _published(circumstance: Facts, facts: Facts) -> str:
    """What is published of a circumstance, as it was printed."""
    links = {x["id"]: x for x in facts["literature"]["links"]}
    told = [links[name] for name in circumstance["estimates"] if name in links]
    words = (f"{facts['words']['links'][x['id']]} ({x['exposure']} → {x['outcome']})" for x in told)
    return "; ".join(words) or "none read"


def _asked(circumstance: Facts, facts: Facts) -> str:
    """Whether these data were asked by a circumstance: by groups, or as the stages of an illness."""
    if circumstance["key"] in {group["circumstance"] for group in facts["whom"]}:
        return "asked"
    stages = [a for a in facts["answers"] if a["facet"] == "persistence" and a["estimate"]]
    columns = {str(a["circumstance"]).split("=")[0] for a in stages}
    if stages and (columns & {circumstance["key"], *circumstance["needs"]} or "persistence" in circumstance["worlds"]):
        return "asked: see “Who stays ill?”"
    return "not asked"


def circumstances_grid(facts: Facts) -> Grid:
    """The circumstances that the topic names, and which of them these data were asked by."""
    rows = tuple(
        (c["label"], _asked(c, facts), c["definition"], _published(c, facts), c["caution"])
        for c in facts["topic"]["circumstances"]
    )
    columns = ("circumstance", "in these data", "how it is defined", "published", "mind")
    made = Grid("circumstances", "Circumstances in which the answer may differ", columns, rows)
    return without(made, "in these data") if facts["kind"] == "evidence" else made


def published_whom(facts: Facts) -> Section:
    """In whom, by the published evidence alone."""
    grid = circumstances_grid(facts)
    blocks: tuple[Block, ...] = (Paragraph("This topic names no circumstances."),)
    if grid.rows:
        told = (f"{capital(c['label'])}: mind that {c['caution']}." for c in facts["topic"]["circumstances"])
        blocks = (Bullets(tuple(told)), grid)
    return Section("whom", "In whom?", blocks)
