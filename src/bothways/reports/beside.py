"""The sections beside the answer: how sure, and what the literature says."""

from __future__ import annotations

from typing import Any

from bothways.reports.aside import check_figures
from bothways.reports.curvetables import curve_figures
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
from bothways.reports.rows import forest_rows
from bothways.reports.vocabulary import STANDINGS
from bothways.reports.wording import capital, ends, way_words

Facts = dict[str, Any]
WAYS = ("a_to_b", "b_to_a")


def sure(facts: Facts) -> Section:
    """How sure, what tried to break it, who dissents, and what would change it."""
    verdict = facts["verdict"]
    blocks: list[Block] = []
    for way in WAYS:
        w = facts["words"]["directions"][way]
        blocks.append(Paragraph(f"{capital(w['way'])}: {w['certainty'] or w['word']}. {w['certainty_means']}"))
        blocks.append(Bullets(tuple(f"{capital(m)}." for m in verdict[way]["moves"])))
    if forest_rows(facts):
        blocks.append(forest_figure(facts))
    blocks += [*curve_figures(facts, "onset_dose_curve"), *check_figures(facts)]
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
