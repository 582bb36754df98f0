"""Every table of a report, to be saved: as CSV, and in the form of the American Psychological Association."""

from __future__ import annotations

import csv
import io
from typing import Any

from bothways.reports.document import Grid, grids
from bothways.reports.grids import table_grid
from bothways.reports.sections import document_of

Facts = dict[str, Any]


def tables_as_csv(facts: Facts) -> dict[str, str]:
    """By table key, the table as CSV text (UTF-8, comma, header row): what the report shows, rounded as it shows it.

    ``answers_full`` holds every answer at full precision.
    """
    texts = {grid.key: _csv([grid.columns, *grid.rows]) for grid in _all(facts)}
    return {**texts, "answers_full": _csv(_full(facts))}


def tables_as_apa(facts: Facts) -> str:
    """Every table in APA form, as Markdown: number, italic title, body ruled above and below, note."""
    return "\n\n".join(_apa(i, grid) for i, grid in enumerate(_all(facts), 1)) + "\n"


def _all(facts: Facts) -> list[Grid]:
    seen: dict[str, Grid] = {}
    for section in document_of(facts).sections:
        for grid in grids(section.blocks):
            seen.setdefault(grid.key, grid)
    whole = {t["key"]: table_grid(t) for t in facts["tables"]}  # what the page shows at every k-th row
    return [whole[key] if key in whole and whole[key].columns == grid.columns else grid for key, grid in seen.items()]


def _apa(number: int, grid: Grid) -> str:
    def row(cells: tuple[str, ...] | list[str]) -> str:
        return "| " + " | ".join(cells) + " |"

    head = row([c[:1].upper() + c[1:] for c in grid.columns])
    body = "\n".join(row(cells) for cells in grid.rows)
    note = f"\n\n*Note.* {grid.note}" if grid.note else ""
    return f"**Table {number}**\n\n*{grid.title}*\n\n{head}\n{row(['---'] * len(grid.columns))}\n{body}{note}"


COLUMNS = (
    *("id", "design", "model", "facet", "direction", "estimand", "target", "contrast", "line", "lag_days", "lag_waves"),
    *("horizon_days", "curve", "pathway", "subgroup", "status", "smallest_effect", "reading"),
)
NUMBERS = ("value", "se", "low", "high", "level", "scale", "p", "people", "events")


def _full(facts: Facts) -> list[list[Any]]:
    rows: list[list[Any]] = [[*COLUMNS, *NUMBERS]]
    for a in facts["answers"]:
        estimate = a["estimate"] or dict.fromkeys(NUMBERS)
        rows.append([*(a[c] for c in COLUMNS), *(estimate[n] for n in NUMBERS)])
    return rows


def _csv(rows: Any) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
