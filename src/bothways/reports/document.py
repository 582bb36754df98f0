"""What a report is made of, whatever it is printed as: sections of paragraphs, tables, figures and details."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Reader = Literal["patient", "clinician", "researcher"]
DEPTHS: dict[str, int] = {"patient": 0, "clinician": 1, "researcher": 2}


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Plain words. ``kind``: plain, lead (the answer itself), note (beside), warning, or quiet (small print)."""

    text: str
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of short sentences."""

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A reference: its text, and where it leads when someone asks for it."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Links:
    """A numbered list of references."""

    items: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """A glossary."""

    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A command to paste."""

    text: str


@dataclass(frozen=True, slots=True)
class Grid:
    """A table already in words. The first column heads its rows."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Card:
    """One direction at a glance. ``tone`` names its accent: a_to_b or b_to_a."""

    tone: str
    title: str
    word: str
    certainty: str
    text: str


@dataclass(frozen=True, slots=True)
class Cards:
    """The two directions side by side."""

    items: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing named by ``key``; ``alt`` says what it shows, ``grid`` holds its numbers."""

    key: str
    title: str
    alt: str
    grid: Grid
    note: str = ""


@dataclass(frozen=True, slots=True)
class Details:
    """Numbers one click below the words. ``depth`` 1: a clinician's, 2: a researcher's."""

    summary: str
    blocks: tuple[Block, ...]
    depth: int = 1


Block = Paragraph | Bullets | Links | Terms | Code | Grid | Cards | Figure | Details


@dataclass(frozen=True, slots=True)
class Section:
    """One heading and what stands under it.

    ``depth`` is the reader for whom a short rendering includes it; ``short`` is its name in a list of contents.
    """

    key: str
    title: str
    blocks: tuple[Block, ...]
    depth: int = 0
    short: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report, in reading order."""

    title: str
    lede: str
    sections: tuple[Section, ...]
    foot: str = ""


def grids(blocks: Iterable[Block]) -> Iterable[Grid]:
    """Every table among the blocks, in reading order, those of figures and details included."""
    for block in blocks:
        if isinstance(block, Grid):
            yield block
        elif isinstance(block, Figure):
            yield block.grid
        elif isinstance(block, Details):
            yield from grids(block.blocks)
