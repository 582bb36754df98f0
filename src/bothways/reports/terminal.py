"""Facts -> text of 80 columns. A string: printing it is the business of a face."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable
from typing import Any

from bothways.reports.document import (
    DEPTHS,
    Block,
    Bullets,
    Cards,
    Code,
    Details,
    Figure,
    Grid,
    Links,
    Paragraph,
    Section,
    Terms,
)
from bothways.reports.grids import table_grid
from bothways.reports.sections import document_of
from bothways.terms.answer import Table
from bothways.terms.records import Finding, Source

Facts = dict[str, Any]
WIDTH = 80


def terminal(facts: Facts, for_reader: str = "clinician") -> str:
    """The report as plain text. A patient reads the words; a clinician the numbers too; a researcher all of it."""
    document, depth = document_of(facts), DEPTHS[for_reader]
    parts = [_fill(document.title.upper()), _fill(document.lede)]
    for section in (s for s in document.sections if s.depth <= depth):
        parts.append(_section(section, depth))
    return "\n\n".join(parts) + "\n"


def render_look(source: Source, findings: tuple[Finding, ...], tables: tuple[Table, ...]) -> str:
    """What is in a table of records, as text: findings first, then every table."""
    parts = [_fill(f"{source.path or 'A table in memory'}: {source.people:,} people, {source.rows:,} rows.")]
    if findings:
        parts.append("\n".join(_bullet(_finding(f)) for f in findings))
    for table in tables:
        facts = {
            "key": table.key,
            "title": table.title,
            "columns": table.columns,
            "rows": table.rows,
            "note": table.note,
        }
        parts.append(_grid(table_grid(facts)))
    return "\n\n".join(parts) + "\n"


def _finding(finding: Finding) -> str:
    who = f" ({finding.people:,} people)" if finding.people else ""
    return f"{finding.level.value.capitalize()}: {finding.message}{who} {finding.mend}".strip()


def _section(section: Section, depth: int) -> str:
    parts = [f"{section.title}\n{'─' * min(len(section.title), WIDTH)}"]
    parts += (text for block in section.blocks for text in _block(block, depth))
    return "\n".join(parts)


def _block(block: Block, depth: int) -> Iterable[str]:
    match block:
        case Paragraph(text, "warning"):
            yield _fill(f"! {text}")
        case Paragraph(text):
            yield _fill(text)
        case Bullets(items):
            yield "\n".join(_bullet(item) for item in items)
        case Links(items):
            yield "\n".join(_fill(f"{i}. {x.text} {x.url}".rstrip(), "   ") for i, x in enumerate(items, 1))
        case Terms(items):
            yield "\n".join(_fill(f"{term}: {meaning}", "  ") for term, meaning in items)
        case Code(text):
            yield f"    {text}"
        case Cards(items):
            yield "\n".join(_bullet(f"{c.title}: {c.word.upper()}, {c.certainty}. {c.text}".rstrip()) for c in items)
        case Grid():
            yield _grid(block)
        case Figure():
            pass
        case Details():
            if depth >= block.depth + 1:
                yield from (text for inner in block.blocks for text in _block(inner, depth))


def _fill(text: str, hang: str = "") -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=hang, break_long_words=False, break_on_hyphens=False)


def _bullet(text: str) -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent="• ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )


def _grid(grid: Grid) -> str:
    """A table that fits 80 columns; rich lays it out, and nothing is printed."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as Rich
    from rich.text import Text

    table = Rich(box=box.SIMPLE_HEAD, title=Text(grid.title), title_justify="left", pad_edge=False, title_style="")
    for name in grid.columns:
        table.add_column(Text(name), overflow="fold")
    for row in grid.rows:
        table.add_row(*(Text(cell) for cell in row))
    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False).print(table)
    text = "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())
    return f"{text}\n{_fill(grid.note)}" if grid.note else text
