"""Facts -> Markdown: the same document, for a notebook, a repository or a mail."""

from __future__ import annotations

from collections.abc import Iterable
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
    Terms,
)
from bothways.reports.sections import document_of

Facts = dict[str, Any]


def markdown(facts: Facts, for_reader: str = "clinician") -> str:
    """The report as Markdown. Numbers one click below stand here for the readers that open them."""
    document, depth = document_of(facts), DEPTHS[for_reader]
    parts = [f"# {document.title}", document.lede]
    for section in document.sections:
        parts.append(f"## {section.title}")
        parts += (text for block in section.blocks for text in _block(block, depth))
    return "\n\n".join(p for p in (*parts, document.foot) if p) + "\n"


def _block(block: Block, depth: int) -> Iterable[str]:
    match block:
        case Paragraph(text, "lead"):
            yield f"**{text}**"
        case Paragraph(text, "note" | "warning"):
            yield f"> {text}"
        case Paragraph(text):
            yield text
        case Bullets(items):
            yield "\n".join(f"- {item}" for item in items)
        case Links(items):
            yield "\n".join(f"{i}. {f'[{x.text}]({x.url})' if x.url else x.text}" for i, x in enumerate(items, 1))
        case Terms(items):
            yield "\n".join(f"- **{term}**: {meaning}" for term, meaning in items)
        case Code(text):
            yield f"```\n{text}\n```"
        case Cards(items):
            yield "\n".join(_card(card) for card in items)
        case Grid():
            yield from _grid(block)
        case Figure():
            if depth > 0:
                yield from _grid(block.grid)
        case Details():
            if depth >= block.depth:
                yield f"### {block.summary}"
                yield from (text for inner in block.blocks for text in _block(inner, depth))


def _card(card: Card) -> str:
    sure = f" ({card.certainty})" if card.certainty else ""
    return f"- **{card.title}: {card.word}**{sure}. {card.text}".rstrip()


def _grid(grid: Grid) -> Iterable[str]:
    yield f"*{grid.title}*"
    lines = [_row(grid.columns), _row(["---"] * len(grid.columns)), *(_row(row) for row in grid.rows)]
    yield "\n".join(lines)
    if grid.note:
        yield grid.note


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |"
