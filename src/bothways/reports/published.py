"""What is published of each pathway, leg by leg, and of the rivals to all of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bothways.reports.document import Bullets, Figure, Grid, Paragraph, Section
from bothways.reports.wording import capital, ends, way_words
from bothways.reports.words_beside import lane_key

Facts = dict[str, Any]


def lane_word(lane: Facts, facts: Facts) -> str:
    """The words of a lane's reading, and its number where there is one."""
    words = facts["words"]["pathways"][lane_key(lane)]
    return f"{words['word']}, {words['indirect']}" if words["indirect"] else str(words["word"])


def published_grid(facts: Facts) -> Grid:
    """Each pathway of the topic: what these data say, if they were asked, and what is published of either leg."""
    rows = tuple(_published_row(p, facts) for p in facts["topic"]["pathways"])
    columns = (
        *("pathway", "from", "through", "in these data", "published, first leg", "published, second leg", "standing"),
    )
    note = "Published legs come from other people and other studies: they are never multiplied together."
    made = Grid("known_pathways", "Each pathway beside what is published", columns, rows, note if rows else "")
    return without(made, "in these data") if facts["kind"] == "evidence" else made


def without(grid: Grid, column: str) -> Grid:
    """The same table without one column."""
    at = grid.columns.index(column)
    rows = tuple((*row[:at], *row[at + 1 :]) for row in grid.rows)
    return replace(grid, columns=(*grid.columns[:at], *grid.columns[at + 1 :]), rows=rows)


def published_pathways(facts: Facts) -> Section:
    """Through what, by the published evidence alone: each leg from a study of its own."""
    named = facts["topic"]["pathways"]
    if not named:
        return Section("pathways", "Through what?", (Paragraph("This topic names no pathways."),))
    told = Bullets(tuple(_standing(p, facts) for p in named))
    first, second = ends(facts, "a_to_b")
    alt = (
        f"{capital(first)} on the left, {second} on the right, and between them a row "
        "for each mediator, with the published ratio of each leg on its arrow. The table below holds them all."
    )
    note = (
        "Ratios, each leg from a study of its own: never multiplied together. Thick: the interval excludes no effect. "
        "Thin: it does not, or there is none. Grey and dashed: in words only, or nothing read."
    )
    grid = published_grid(facts)
    figure = Figure("loop", "What is published of each leg", alt, grid, note)
    return Section("pathways", "Through what?", (told, figure, rivals_grid(facts)))


def _standing(pathway: Facts, facts: Facts) -> str:
    way = "a_to_b" if pathway["from"] == facts["pair"]["a"]["key"] else "b_to_a"
    return f"{capital(way_words(facts, way))} through {_single_label(pathway, facts)}: {pathway['standing']}."


def rivals_grid(facts: Facts) -> Grid:
    """What may stand behind both conditions instead of between them, and what each is published to keep of itself."""
    mediators = {p["mediator"] for p in facts["topic"]["pathways"]}
    named = {x["pathway"]: None for x in facts["literature"]["links"] if x["pathway"] and x["pathway"] not in mediators}
    rows = tuple(
        (
            "each condition's own persistence" if name == "persistence" else name.replace("_", " "),
            f"{link['exposure']} → {link['outcome']}",
            facts["words"]["links"][link["id"]],
        )
        for name in named
        for link in facts["literature"]["links"]
        if link["pathway"] == name
    )
    note = "A rival lies behind both conditions; it is no pathway, and holding it still is another question."
    return Grid(
        "rivals", "Rivals to every pathway", ("rival", "what with what", "published"), rows, note if rows else ""
    )


def _published_row(pathway: Facts, facts: Facts) -> tuple[str, ...]:
    label = {facts["pair"][end]["key"]: facts["pair"][end]["label"] for end in ("a", "b")}
    lane = next((x for x in facts["loop"]["lanes"] if pathway["key"] in x["pathways"]), None)
    mediator = pathway["mediator"]
    return (
        str(pathway["label"]),
        str(label.get(pathway["from"], pathway["from"])),
        _single_label(pathway, facts),
        lane_word(lane, facts) if lane else "not asked",
        _leg(facts, mediator, pathway["from"], mediator),
        _leg(facts, mediator, mediator, pathway["to"]),
        str(pathway["standing"]),
    )


def _single_label(pathway: Facts, facts: Facts) -> str:
    """The mediator's own label, also where it was asked together with others."""
    alone = (x["label"] for x in facts["loop"]["lanes"] if x["mediators"] == [pathway["mediator"]])
    return str(next(alone, pathway["mediator"]))


def _leg(facts: Facts, mediator: str, start: str, end: str) -> str:
    links = facts["literature"]["links"]
    told = [x["id"] for x in links if x["pathway"] == mediator and (x["from"], x["to"]) == (start, end)]
    return "; ".join(facts["words"]["links"][name] for name in told) or "none read"
