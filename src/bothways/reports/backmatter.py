"""The sections at the end: references, methods with the data's flow, the glossary and getting help."""

from __future__ import annotations

from typing import Any

from bothways.reports import numbers
from bothways.reports.answers import refusal_words
from bothways.reports.checklist import checklist
from bothways.reports.document import Block, Bullets, Code, Details, Figure, Link, Links, Paragraph, Section, Terms
from bothways.reports.grids import (
    assumptions_grid,
    findings_grid,
    fit_grids,
    smallest_effects_grid,
    table_grid,
    thinned,
)
from bothways.reports.vocabulary import GLOSSARY, METHOD_REFERENCES, NO_ADVICE

Facts = dict[str, Any]


def references(facts: Facts) -> Section:
    """Published sources that the report shows, then the sources of its rules."""
    shown: dict[str, Link] = {}
    for e in facts["literature"]["evidence"]:
        known = e["doi"] and e["doi_confirmed"]
        shown.setdefault(e["citation"], Link(e["citation"], f"https://doi.org/{e['doi']}" if known else ""))
    rules = [Link(text, f"https://doi.org/{doi}") for text, doi in METHOD_REFERENCES]
    published = sorted(shown.values(), key=lambda link: link.text)
    blocks: list[Block] = []
    if published:
        blocks.append(Details(f"Published estimates ({len(published)} sources)", (Links(tuple(published)),)))
    blocks += [Paragraph("The rules by which designs are weighed:"), Links(tuple(rules))]
    return Section("references", "References", tuple(blocks), depth=2)


def methods(facts: Facts) -> Section:
    """To paste into a paper: what was done, what it rests on, what the data were, the command that remakes it."""
    blocks: list[Block] = [Paragraph(m["text"]) for m in facts["methods"]]
    blocks.append(Paragraph(_weighing(facts)))
    flow = coverage_table(facts)
    if flow is not None:
        blocks.append(flow_figure(flow))
    inside: list[Block] = [table_grid(t) for t in facts["description"]]
    if facts["findings"]:
        inside.insert(0, findings_grid(facts))
    if inside:
        blocks.append(Details("The data: what is in them and what was noticed", tuple(inside)))
    assumed = assumptions_grid("assumptions", "Assumptions", facts["answers"])
    if assumed:
        blocks.append(Details("Assumptions", (assumed, smallest_effects_grid(facts))))
    technical: list[Block] = [*fit_grids(facts), *(thinned(table_grid(t)) for t in facts["tables"])]
    if technical:
        blocks.append(Details("Fits and technical tables", tuple(technical), depth=2))
    blocks.append(Details("Checklist of an observational report, filled in", (checklist(facts),), depth=2))
    blocks += _remake(facts)
    return Section("methods", "Methods, assumptions and the data's flow", tuple(blocks), depth=2, short="Methods")


def _weighing(facts: Facts) -> str:
    level = facts["words"]["level"]
    return (
        f"Intervals are at {level}. Each direction was read by itself: an interval that lies inside the bounds of the "
        "smallest effect of interest reads “little or no effect”, one that excludes no effect and does not lie inside "
        "them reads “comes before and predicts”, any other reads “too uncertain”. Designs that share a key bias "
        "counted as one line of evidence, and no design's numbers were pooled with another's. Certainty started low."
    )


def _remake(facts: Facts) -> list[Block]:
    blocks: list[Block] = []
    if facts["refusals"]:
        blocks += [Paragraph("Designs that could not answer:"), Bullets(tuple(map(refusal_words, facts["refusals"])))]
    source = facts["source"]
    if facts["command"]:
        blocks += [Paragraph("This report is remade by:"), Code(facts["command"])]
    name = source["path"].replace("\\", "/").rsplit("/", 1)[-1]
    seal = f", SHA-256 {source['sha256']}" if source["sha256"] else ""
    seed = facts["settings"]["seed"]
    blocks.append(
        Paragraph(
            f"Source: {name or 'a table in memory'}, {numbers.count(source['rows'])} rows{seal}. Seed {seed}; "
            f"bothways {facts['bothways']}.",
            "quiet",
        )
    )
    return blocks


COVERAGE = ("coverage", "flow")
COUNTS = ("both", "people", "count")  # the column that is drawn, the first of these that a table has


def coverage_table(facts: Facts) -> Facts | None:
    """The description's table of how many people answered when, where it can be drawn."""
    for table in facts["description"]:
        if table["key"] in COVERAGE and len(table["rows"]) > 1 and _drawable(table):
            found: Facts = table
            return found
    return None


def flow_column(table: Facts) -> int:
    """Where the count stands that is drawn; -1 where there is none."""
    return next((table["columns"].index(name) for name in COUNTS if name in table["columns"]), -1)


def _drawable(table: Facts) -> bool:
    column = flow_column(table)
    return column > 0 and all(numbers.usable(row[column]) for row in table["rows"])


def flow_figure(table: Facts) -> Figure:
    """People who answered, by wave or step."""
    counted = table["columns"][flow_column(table)]
    alt = f"{table['title']}: a bar for each row of the table below, as long as its number of “{counted}”."
    return Figure("flow", table["title"], alt, table_grid(table))


def glossary() -> Section:
    """The words of this report, for lay readers."""
    return Section("words", "Words used here", (Terms(GLOSSARY),), depth=2)


def help_section(facts: Facts) -> Section:
    """Where to turn."""
    blocks: list[Block] = [Paragraph(NO_ADVICE)]
    if facts["topic"]["help"]:
        blocks.append(Bullets(tuple(facts["topic"]["help"])))
    return Section("help", "Getting help", tuple(blocks), depth=0)
