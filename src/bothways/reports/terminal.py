"""Facts -> text of 80 columns. A string: printing it is the business of a face."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from bothways.reports.document import (
    DEPTHS,
    Block,
    Bullets,
    Card,
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
from bothways.reports.numbers import counted
from bothways.reports.sections import document_of
from bothways.terms.answer import Table
from bothways.terms.records import Finding, Source

Facts = dict[str, Any]
WIDTH = 80


def terminal(facts: Facts, for_reader: str = "clinician") -> str:
    """The report as plain text. A patient reads the words; a clinician the numbers too; a researcher all of it."""
    document, depth = document_of(facts), DEPTHS[for_reader]
    parts = [_fill(document.title.upper()), _fill(document.lede)]
    parts += [_section(section, depth) for section in document.sections if section.depth <= depth]
    return "\n\n".join(parts) + "\n"


def render_look(source: Source, findings: tuple[Finding, ...], tables: tuple[Table, ...]) -> str:
    """What is in a table of records, as text: findings first, then every table."""
    who = counted(source.people, "person", "people")
    parts = [_fill(f"{source.path or 'A table in memory'}: {who}, {counted(source.rows, 'row')}.")]
    if findings:
        parts.append("\n".join(_bullet(_finding(f)) for f in findings))
    parts += [_grid(table_grid(asdict(table))) for table in tables]
    return "\n\n".join(parts) + "\n"


def _finding(finding: Finding) -> str:
    who = f" ({counted(finding.people, 'person', 'people')})" if finding.people else ""
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
            yield "\n".join(_fill(f"{i}. {x.text} {x.url}".rstrip(), rest="   ") for i, x in enumerate(items, 1))
        case Terms(items):
            yield "\n".join(_fill(f"{term}: {meaning}", rest="  ") for term, meaning in items)
        case Code(text):
            yield f"    {text}"
        case Cards(items):
            yield "\n".join(_bullet(_card(card)) for card in items)
        case Grid():
            yield _grid(block)
        case Figure():
            pass
        case Details():
            if depth >= block.depth + 1:
                yield from (text for inner in block.blocks for text in _block(inner, depth))


def _card(card: Card) -> str:
    told = ", ".join(x for x in (card.word.upper(), card.certainty) if x)
    return f"{card.title}: {told}. {card.text}".rstrip()


def _fill(text: str, first: str = "", rest: str = "") -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )


def _bullet(text: str) -> str:
    return _fill(text, "• ", "  ")


def _hanging(text: str, indent: str) -> str:
    return _fill(text, indent, indent + "  ")


def _grid(grid: Grid) -> str:
    """A table that fits 80 columns; where its longest words do not fit side by side, a block for each row."""
    if not grid.rows:
        return f"{grid.title}: none."
    cells = [grid.columns, *grid.rows]
    longest = [max(len(word) for row in cells for word in (row[i].split() or [""])) for i in range(len(grid.columns))]
    body = _side_by_side(grid) if sum(longest) + 2 * len(longest) <= WIDTH else _stacked(grid)
    return f"{grid.title}\n{body}" + (f"\n{_fill(grid.note)}" if grid.note else "")


def _stacked(grid: Grid) -> str:
    """Each row as its head and a line for each of its cells."""
    blocks = []
    for row in grid.rows:
        told = [(name, cell) for name, cell in zip(grid.columns[1:], row[1:], strict=True) if cell]
        lines = [_hanging(f"{name}: {cell}" if name else cell, "    ") for name, cell in told]
        blocks.append("\n".join((_bullet(row[0]), *lines)))
    return "\n".join(blocks)


def _side_by_side(grid: Grid) -> str:
    """Columns laid out by rich; nothing is printed."""
    from rich import box
    from rich.console import Console
    from rich.table import Table as Rich
    from rich.text import Text

    table = Rich(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in grid.columns:
        table.add_column(Text(name), overflow="fold")
    for row in grid.rows:
        table.add_row(*(Text(cell) for cell in row))
    out = io.StringIO()
    Console(file=out, width=WIDTH, color_system=None, force_terminal=False, legacy_windows=False).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip().splitlines())
