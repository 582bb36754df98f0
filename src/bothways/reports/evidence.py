"""The report of the published evidence alone: the article's question in its own form, every number with its source."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from bothways.reports import numbers
from bothways.reports.answers import cards, glance
from bothways.reports.backmatter import help_section
from bothways.reports.document import (
    Block,
    Bullets,
    Code,
    Details,
    Document,
    Figure,
    Grid,
    Link,
    Links,
    Paragraph,
    Section,
)
from bothways.reports.grids import table_grid
from bothways.reports.published import published_pathways
from bothways.reports.whom import published_whom
from bothways.reports.wording import capital, ends, label, way_words

Facts = dict[str, Any]
WAYS = ("a_to_b", "b_to_a")
COMPARED = ("between people", "within persons", "within families", "genetic", "randomised", "recalled ages at onset")
LONGEST = 33  # letters that fit beside an interval in a drawing
LADDER_COLUMNS = ("study", "compared", "exposure", "outcome", "estimate (interval)", "scale", "measured", "number",
                  "standing")  # fmt: skip


def evidence_document(facts: Facts) -> Document:
    """The sections, in the order of the article that the question came from."""
    a, b = label(facts, "a"), label(facts, "b")
    sections = [
        _short(facts),
        *(_way(facts, way) for way in WAYS),
        published_pathways(facts),
        published_whom(facts),
        _disagree(facts),
        _claims(facts),
        Section("final-word", "The final word", (_sentences(facts, "final_word"),)),
        _references(facts),
        _methods(facts),
        help_section(facts),
    ]
    count = numbers.count(facts["source"]["rows"])
    title = f"{capital(a)} and {b}: what has been published"
    lede = f"{count} published estimates, each with its source and what was confirmed of it."
    return Document(title, lede, tuple(sections), f"Made by bothways {facts['bothways']}.")


def _short(facts: Facts) -> Section:
    lead, *rest = _told(facts, "short_answer")
    blocks: list[Block] = [Paragraph(lead, "lead"), *(Paragraph(text) for text in rest), glance(facts)]
    blocks.append(cards(facts))
    return Section("short-answer", "The short answer", tuple(blocks), short="Short answer")


def _way(facts: Facts, way: str) -> Section:
    start, end = ends(facts, way)
    around = "" if way == "a_to_b" else " (the other way around)"
    table = _table(facts, f"ladder_{way}")
    blocks: list[Block] = [_sentences(facts, way)]
    if table is not None and any(ladder_rows(facts, way)):
        blocks.append(_ladder_figure(facts, way))
    if table is not None:
        blocks.append(Details("Every published estimate of this direction", (_ladder_grid(table),)))
    pools = _table(facts, f"pools_{way}")
    if pools is not None:
        blocks.append(Details("What could be pooled, and what could not", (table_grid(pools),)))
    title = f"Can {start} lead to {end}?{around}"
    return Section(way.replace("_", "-"), title, tuple(blocks), short=capital(way_words(facts, way)))


def ladder_rows(facts: Facts, way: str) -> Iterator[Facts]:
    """The drawable estimates of one direction: ratios with intervals as printed, and the within-person headline."""
    rows = _drawable(_table(facts, f"ladder_{way}") or {"columns": [], "rows": []})
    seen = Counter((row["study"], row["outcome"]) for row in rows)
    for row in rows:
        what = row["contrast"] if seen[row["study"], row["outcome"]] > 1 else row["outcome"]
        values = (row["estimate"], row["low"], row["high"])
        wider = row["measured"] == "something wider"
        yield _rung(row["compared"], f"{row['study']}: {what}", _scale(row), 1.25, values, wider, way)
    for answer in facts["answers"]:
        estimate = answer["estimate"]
        if answer["direction"] == way and answer["headline"] and estimate and estimate["scale"] == "sd_per_sd":
            values = (estimate["value"], estimate["low"], estimate["high"])
            yield _rung("within persons", answer["target"], "sd_per_sd", answer["smallest_effect"], values, True, way)


def _drawable(table: Facts) -> list[Facts]:
    """Confirmed ratios with an interval that speak of a direction, or of a family's part in both."""
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    return [
        row
        for row in rows
        if _scale(row) in numbers.RATIOS
        and row["low"] is not None
        and row["number"] == "confirmed"
        and (row["compared"] == "within families" or "no estimate of a direction" not in row["standing"])
    ]


def _scale(row: Facts) -> str:
    return str(row["scale"] or "").replace(" ", "_")


def _rung(group: str, name: str, scale: str, bound: float, values: tuple[float, ...], wider: bool, way: str) -> Facts:
    value, low, high = values
    short = name if len(name) <= LONGEST else name[: LONGEST - 1].rstrip() + "…"
    text = numbers.interval(value, low, high, scale)
    return {"group": group, "name": short, "scale": scale, "bound": bound, "value": value, "low": low, "high": high,
            "hollow": wider, "way": way, "text": text, "truth": None}  # fmt: skip


def _ladder_figure(facts: Facts, way: str) -> Figure:
    rows = list(ladder_rows(facts, way))
    cells = tuple((r["group"], r["name"], r["text"], r["scale"].replace("_", " ")) for r in rows)
    grid = Grid(f"drawn_{way}", f"Drawn: {way_words(facts, way)}", ("compared", "study", "estimate", "scale"), cells)
    alt = (
        f"Published estimates {way_words(facts, way)}, a block for each kind of comparison: between people, within "
        "persons, within families, genetic. A point for each estimate, a line for its interval; hollow points are of "
        "something wider than the two conditions. The table below holds the numbers."
    )
    note = "Shaded: too small to matter. Upright line: no effect. Hollow: wider than the two conditions themselves."
    return Figure(f"ladder_{way}", f"Published estimates {way_words(facts, way)}", alt, grid, note)


def _ladder_grid(table: Facts) -> Grid:
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]]
    cells = tuple(tuple(_ladder_cell(row, column) for column in LADDER_COLUMNS) for row in rows)
    return Grid(table["key"], table["title"], LADDER_COLUMNS, cells, table["note"])


def _ladder_cell(row: Facts, column: str) -> str:
    if column != "estimate (interval)":
        return numbers.cell(row[column])
    if row["estimate"] is None:
        return str(row["what was reported"] or numbers.MISSING)
    interval = "" if row["low"] is None else f" ({numbers.cell(row['low'])} to {numbers.cell(row['high'])})"
    return f"{numbers.cell(row['estimate'])}{interval}"


def _disagree(facts: Facts) -> Section:
    table = _table(facts, "why_disagree")
    if table is None:
        return Section("disagree", "Why do studies disagree?", (Paragraph("There is nothing to compare."),))
    reasons = Bullets(tuple(f"{capital(str(row[0]))}: {row[1]}. {capital(str(row[2]))}." for row in table["rows"]))
    return Section("disagree", "Why do studies disagree?", (reasons, Details("Which estimates", (table_grid(table),))))


def _claims(facts: Facts) -> Section:
    table = _table(facts, "claims")
    if table is None:
        return Section("claims", "The article's claims", (Paragraph("No claims come with this topic."),), depth=1)
    lead = Paragraph("The question comes from an article for the public. Each of its claims, beside the evidence:")
    return Section("claims", "The article's claims, and how they stand", (lead, table_grid(table)), depth=1)


def _references(facts: Facts) -> Section:
    table = _table(facts, "references")
    rows = [dict(zip(table["columns"], row, strict=True)) for row in table["rows"]] if table else []
    links = tuple(Link(_reference(row), f"https://doi.org/{row['doi']}" if row["doi"] else "") for row in rows)
    return Section("references", "References", (Links(links),), depth=1)


def _reference(row: Facts) -> str:
    doi = f" DOI {row['doi is']}." if row["doi"] else " No DOI is known."
    return f"{row['source']}.{doi} Numbers confirmed: {numbers.cell(row['numbers confirmed'])}."


def _methods(facts: Facts) -> Section:
    blocks: list[Block] = [Paragraph(m["text"]) for m in facts["methods"]]
    if facts["command"]:
        blocks.append(Code(facts["command"]))
    checks = [t for t in facts["tables"] if t["key"] in ("leave_one_out", "subgroups", "regressions", "small_studies")]
    if checks:
        blocks.append(Details("Checks of what was pooled", tuple(table_grid(t) for t in checks), depth=2))
    return Section("methods", "Methods", tuple(blocks), depth=1)


def _told(facts: Facts, part: str) -> list[str]:
    table = _table(facts, "in_words")
    return [str(row[2]) for row in table["rows"] if row[0] == part] if table else [facts["verdict"]["short_answer"]]


def _sentences(facts: Facts, part: str) -> Bullets:
    return Bullets(tuple(_told(facts, part)))


def _table(facts: Facts, key: str) -> Facts | None:
    return next((t for t in facts["tables"] if t["key"] == key and t["rows"]), None)
