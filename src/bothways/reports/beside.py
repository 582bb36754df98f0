"""The sections beside the answer: through what, in whom, how sure, and what the literature says."""

from __future__ import annotations

from typing import Any

from bothways.reports.document import Block, Bullets, Details, Figure, Grid, Paragraph, Section
from bothways.reports.grids import (
    answers_grid,
    bounds_grids,
    challenges_grid,
    drawn_evidence,
    evidence_grid,
    evidence_rows,
    table_grid,
)
from bothways.reports.vocabulary import STANDINGS
from bothways.reports.wording import capital, ends, way_words

Facts = dict[str, Any]
WAYS = ("a_to_b", "b_to_a")


def pathways(facts: Facts) -> Section:
    """Through what: effects through mediators where they were measured, else the pathways that others name."""
    rows = [a for a in facts["answers"] if a["facet"] == "pathway" and a["estimate"]]
    blocks: list[Block] = []
    if rows:
        words = facts["words"]["answers"]
        through = {p["key"]: p["label"] for p in facts["topic"]["pathways"]}
        items = tuple(
            f"{capital(words[a['id']]['way'])}, through {through.get(a['pathway'], a['pathway'])}: "
            f"{words[a['id']]['estimate']}."
            for a in rows
        )
        blocks += [Bullets(items), Details("The numbers", (answers_grid("pathways", "Pathways", rows, facts),))]
    else:
        blocks.append(
            Paragraph("These data were not asked through what: a third variable, measured between the two, would tell.")
        )
    named = facts["topic"]["pathways"]
    if named:
        label = {facts["pair"][end]["key"]: facts["pair"][end]["label"] for end in ("a", "b")}
        table = tuple((p["label"], label.get(p["from"], p["from"]), p["standing"]) for p in named)
        grid = Grid(
            "known_pathways", "Pathways that others name", ("pathway", "starts from", "state of the evidence"), table
        )
        blocks.append(Details("Pathways that others name, and how they stand", (grid,)))
    return Section("pathways", "Through what?", tuple(blocks), depth=1)


def whom(facts: Facts) -> Section:
    """In whom: only from an interaction with its interval."""
    rows = [a for a in facts["answers"] if (a["facet"] == "whom" or a["subgroup"]) and a["estimate"]]
    blocks: list[Block] = []
    if rows:
        words = facts["words"]["answers"]
        items = tuple(
            f"{capital(words[a['id']]['way'])}, {a['subgroup']}: {words[a['id']]['estimate']}"
            + (f", {words[a['id']]['reading']}." if words[a["id"]]["reading"] else ".")
            for a in rows
        )
        blocks.append(Paragraph("Groups differ only where a difference between them has an interval of its own."))
        blocks += [Bullets(items), Details("The numbers", (answers_grid("whom", "By group", rows, facts),))]
    else:
        blocks.append(
            Paragraph("No groups were compared: a grouping column, with enough people in each group, would tell.")
        )
    named = facts["topic"]["circumstances"]
    if named:
        grid = Grid(
            "circumstances",
            "Circumstances in which the answer may differ",
            ("circumstance", "how it is defined", "mind"),
            tuple((c["label"], c["definition"], c["caution"]) for c in named),
        )
        blocks.append(Details("Circumstances in which the answer may differ", (grid,)))
    return Section("whom", "In whom?", tuple(blocks), depth=1)


def sure(facts: Facts) -> Section:
    """How sure, what tried to break it, who dissents, and what would change it."""
    verdict = facts["verdict"]
    blocks: list[Block] = []
    for way in WAYS:
        w = facts["words"]["directions"][way]
        blocks.append(Paragraph(f"{capital(w['way'])}: {w['certainty']}. {w['certainty_means']}"))
        blocks.append(Bullets(tuple(f"{capital(m)}." for m in verdict[way]["moves"])))
    if forest_rows(facts):
        blocks.append(forest_figure(facts))
    if verdict["dissent"]:
        blocks += [Paragraph("Where designs differ:"), Bullets(tuple(verdict["dissent"]))]
    if verdict["would_change_it"]:
        blocks += [Paragraph("What would change this:"), Bullets(tuple(verdict["would_change_it"]))]
    inside: list[Block] = [challenges_grid(facts)] if verdict["challenges"] else []
    inside += list(bounds_grids(facts))
    if inside:
        blocks.append(Details("Challenges, and how the words move", tuple(inside)))
    return Section("sure", "How sure are we, and what would change this?", tuple(blocks), short="How sure?")


def forest_figure(facts: Facts) -> Figure:
    """Every headline answer with its interval, the published ones beside them, against the smallest effect."""
    rows = forest_rows(facts)
    grid = answers_grid("forest", "Every design, both ways", rows, facts)
    alt = (
        "A row for each design and direction: a point for the estimate and a line for its interval; the shaded band "
        "holds effects too small to matter. The table below holds the numbers."
        + (" A diamond marks the truth of the simulated world." if facts["simulated"] else "")
    )
    note = "Shaded: too small to matter. Upright line: no effect." + (
        " Diamond: the truth." if facts["simulated"] else ""
    )
    return Figure("forest", "Every design, both ways", alt, grid, note)


def forest_rows(facts: Facts) -> list[Facts]:
    """Headline answers that are read against a smallest effect, those of the literature last."""
    told = {
        a["id"]: a for a in (*facts["answers"], *facts["literature"]["answers"])
    }  # each once, where they are joined
    return [
        a
        for a in told.values()
        if a["headline"]
        and a["estimate"]
        and a["smallest_effect"]
        and a["direction"] != "joint"
        and a["facet"] == "strength"
        and a["subgroup"] is None
    ]


def literature(facts: Facts) -> Section:
    """What others have published, in both directions, as printed and not pooled."""
    told = facts["literature"]
    blocks: list[Block] = []
    if told["verdict"]:
        blocks.append(Paragraph(told["verdict"]["short_answer"], "lead"))
    shown = [way for way in WAYS if evidence_rows(facts, way)]
    blocks += [Paragraph(_evidence_sentence(facts, way)) for way in shown]
    if shown:
        blocks += [evidence_figure(facts)] if drawn_evidence(facts) else []
        blocks.append(Details("Published estimates", tuple(evidence_grid(facts, way) for way in shown)))
    if told["tables"]:
        blocks.append(Details("Pooled and other tables", tuple(table_grid(t) for t in told["tables"]), depth=2))
    if told["claims"]:
        blocks.append(Details("Claims of the article that the question came from", (_claims(told["claims"]),)))
    if not blocks:
        blocks.append(
            Paragraph("No published estimates ship with this topic, so nothing stands beside your data here.")
        )
    return Section("literature", "What the literature says", tuple(blocks), depth=1, short="Literature")


def _evidence_sentence(facts: Facts, way: str) -> str:
    rows = evidence_rows(facts, way)
    direct = [e for e in rows if not e["wider"]]
    start, end = ends(facts, way)
    wider = len(rows) - len(direct)
    also = f" and {wider} of wider pain" if wider else ""
    noun = "estimate" if len(direct) == 1 else "estimates"
    return f"{capital(way_words(facts, way))}: {len(direct)} published {noun} of {start} and {end} themselves{also}."


def evidence_figure(facts: Facts) -> Figure:
    """Published ratios with intervals, by direction."""
    rows = tuple((capital(way_words(facts, way)), *row[:4]) for way in WAYS for row in evidence_grid(facts, way).rows)
    grid = Grid(
        "evidence", "Published estimates", ("way", "study", "what with what", "estimate (interval)", "scale"), rows
    )
    alt = (
        "A row for each published ratio: a point for the estimate and a line for its interval, by direction; hollow "
        "points are of wider pain. The table below holds the numbers."
    )
    note = "Shaded: too small to matter. Upright line: no effect. Hollow: wider pain, not back pain itself. "
    note += "One estimate a study; the table holds them all."
    return Figure("evidence", "Published estimates, as printed", alt, grid, note)


def _claims(claims: list[Facts]) -> Grid:
    rows = tuple((c["claim"], STANDINGS.get(c["standing"], c["standing"]), c["correction"]) for c in claims)
    return Grid("claims", "Claims, and how they stand", ("claim", "standing", "correction"), rows)
