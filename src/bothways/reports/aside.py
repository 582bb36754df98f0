"""Sections that stand only where a study has them: a trial's arms, and courses under a hypothetical change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from bothways.reports import numbers
from bothways.reports.document import Block, Bullets, Details, Figure, Grid, Paragraph, Section
from bothways.reports.grids import answers_grid, assumptions_grid, table_grid
from bothways.reports.rows import arm_place, arm_rows, change_rows, occupancy_rows
from bothways.reports.timecourses import seen_and_expected
from bothways.reports.wording import capital, reading_words, way_words

Facts = dict[str, Any]
IMPLIED = (
    "Model-implied: nobody's life was changed. The course follows if the fitted arrows are influences, if nothing else "
    "changes along, and if a change of this size works like the changes that were seen."
)
ARM = (
    "The arm was drawn by lot, so that people differ by it alone. What it did to the one condition and then to the "
    "other is a line of evidence of its own; an arm may also reach the second condition by another way."
)


def arms(facts: Facts) -> Section | None:
    """What being randomised did, by wave; None where no arm was compared."""
    rows = arm_rows(facts)
    told = [a for a in facts["answers"] if a["design"] == "trial" and a["estimate"]]
    if not rows:
        return None
    blocks: list[Block] = [Paragraph(ARM), Bullets(tuple(_lever_words(facts)))]
    blocks.append(_arms_figure(facts, rows))
    inside: list[Block] = [answers_grid("arms_all", "Every answer of the trial", told, facts)]
    assumed = assumptions_grid("assumptions_trial", "What it rests on", told or rows)
    inside += [assumed] if assumed else []
    inside += [table_grid(t) for t in facts["tables"] if t["design"] == "trial"]
    if inside:
        blocks.append(Details("The numbers of the trial", tuple(inside)))
    return Section("trial", "What did the randomised arm do?", tuple(blocks), short="The trial")


def _lever_words(facts: Facts) -> Iterator[str]:
    """What the lever says each way, its own words first; what it cannot tell, with the reason."""
    words = facts["words"]["answers"]
    for a in (a for a in facts["answers"] if a["design"] == "trial" and a["headline"]):
        way = capital(way_words(facts, a["direction"]))
        if a["estimate"]:
            when = words[a["id"]]["when"]
            after = "" if when == numbers.MISSING else f", after {when}"
            yield f"{way}: {reading_words(a)}{after}: {words[a['id']]['estimate']} ({a['target']}; {a['contrast']})."
        elif a["status_says"]:
            yield f"{way}: {a['status_says'].rstrip('.')}."


def _arms_figure(facts: Facts, rows: list[Facts]) -> Figure:
    words = facts["words"]["answers"]
    cells = tuple(
        (
            *(capital(x) for x in arm_place(a, facts)),
            a["contrast"],
            words[a["id"]]["estimate"],
            words[a["id"]]["reading"],
        )
        for a in rows
    )
    grid = Grid("arms", "What the arm did", ("on", "when", "contrast", "difference (interval)", "reads"), cells)
    alt = (
        "For each outcome a row for each time: a point for the difference between the arms and a line for its "
        "interval. The table below holds the numbers."
    )
    return Figure(
        "arms", "What the arm did, time by time", alt, grid, "Shaded: too small to matter. Upright line: none."
    )


def changes(facts: Facts) -> Section | None:
    """The course under stated changes; None where none was asked for."""
    rows = change_rows(facts)
    if not rows:
        return None
    tables = [t for t in facts["tables"] if t["key"].endswith("what_if")]
    blocks: list[Block] = [
        Paragraph(IMPLIED, "note"),
        Bullets(tuple(_greatest(facts, rows))),
        _changes_figure(rows, tables),
    ]
    notes = tuple(dict.fromkeys(t["note"] for t in tables if t["note"]))
    blocks += [Paragraph("It assumes:"), Bullets(notes)] if notes else []
    return Section("what-if", "What if?", tuple(blocks), depth=1)


def _greatest(facts: Facts, rows: list[Facts]) -> Iterator[str]:
    """For each change and outcome the row at which the model's course lies furthest from none."""
    for key in dict.fromkeys((r["change"], r["outcome"]) for r in rows):
        mine = [r for r in rows if (r["change"], r["outcome"]) == key]
        top = max(mine, key=lambda r: abs(r["value"]))
        told = numbers.interval(top["value"], top.get("low"), top.get("high"), "sd_per_sd")
        waves = facts["time_unit"] == "wave"
        when = numbers.duration(None, top["time"]) if waves else numbers.duration(top["time"])
        low, high = (x if isinstance(x := top.get(end), float) else math.nan for end in ("low", "high"))
        if low < 0 < high:
            yield f"{capital(key[0])}: whether the model's {key[1]} would differ cannot be told ({told} after {when})."
        else:
            yield f"{capital(key[0])}: the model's {key[1]} would differ most after {when}, by {told}."


def _changes_figure(rows: list[Facts], tables: list[Facts]) -> Figure:
    alt = (
        "A line and its band over time for each change and outcome: the difference that the model implies, zero where "
        "nothing changes. The table below holds the numbers."
    )
    cells = tuple(
        (str(r["change"]), str(r["outcome"]), numbers.cell(r["time"]),
         numbers.interval(r["value"], r.get("low"), r.get("high"), "sd_per_sd"))
        for r in rows
    )  # fmt: skip
    columns = ("if", "outcome", "time", "difference (band)")
    grid = Grid("what_if", tables[0]["title"], columns, cells)
    return Figure(
        "what_if", "Model-implied: what would follow", alt, grid, "Line: the model's course. Shade: its interval."
    )


def check_figures(facts: Facts) -> list[Block]:
    """What a model expects beside what was seen, where a design says both over time."""
    told = (
        ("natural_course", "Left alone: simulated and observed",
         "The course that the model simulates when nobody intervenes, as lines, and what was seen, as points"),
        ("onset_prevalence", "In each state over time: expected and seen",
         "The share of people in each state that the model expects, as lines, and what was seen, as points"),
    )  # fmt: skip
    blocks: list[Block] = []
    for key, title, alt in told:
        table = next((t for t in facts["tables"] if t["key"].endswith(key) and t["rows"]), None)
        if table is not None and seen_and_expected(facts, key)[0]:
            note = "Lines: the model. Points: what was seen. Where they part, the model's answers are in doubt."
            blocks.append(Figure(key, title, f"{alt}. The table below holds the numbers.", table_grid(table), note))
    return [Details("Does the model follow what was seen?", tuple(blocks))] if blocks else []


def occupancy_figure(facts: Facts) -> list[Block]:
    """How many have the second condition by when, as observed and were the first otherwise."""
    rows = occupancy_rows(facts)
    if not rows:
        return []
    words = facts["words"]["answers"]
    cells = tuple(
        (capital(a["target"]), a["contrast"], words[a["id"]]["when"], words[a["id"]]["estimate"]) for a in rows
    )
    grid = Grid("occupancy", "How many have it by when", ("share", "under", "after", "estimate (interval)"), cells)
    lines = tuple(dict.fromkeys(a["contrast"] for a in rows if a["direction"] == rows[0]["direction"]))
    strokes = ("Solid", "Dashed", "Dotted")
    note = ". ".join(f"{s}: {c}" for s, c in zip(strokes, lines, strict=False)) + "; the other way likewise."
    alt = "Lines over time, a panel for each condition: the share of people who have it. The table holds the numbers."
    return [Figure("occupancy", "How many have it by when", alt, grid, note)]
