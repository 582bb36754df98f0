"""What an instrument file may say: facts of one questionnaire in one version, never the wording of an item."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bothways.terms.topic import Cutoff, Instrument
from bothways.topics.schema.parts import Key, Number, Part, Positive, Text, Words

Fact = Literal[
    "range",
    "items",
    "item_range",
    "reversed_items",
    "scoring",
    "max_missing",
    "higher_is_worse",
    "cutoffs",
    "default_cutoff",
    "smallest_change",
    "self_harm_item",
    "recall_days",
    "licence",
]


class CutoffPart(Part):
    """A score at or above which a screen counts as positive."""

    value: Number
    means: Text
    checked: bool
    source: str = ""


class InstrumentPart(Part):
    """One questionnaire in one version: its facts, each either checked in a primary source or not."""

    key: Key
    label: Text
    measures: Key
    low: Number
    high: Number
    items: Annotated[int, Field(ge=1)] | None = None
    item_low: Number | None = None
    item_high: Number | None = None
    reversed_items: Annotated[tuple[int, ...], Field(strict=False)] = ()
    scoring: Literal["sum", "mean", "percent", "total_only"] = "sum"
    max_missing: Annotated[int, Field(ge=0)] = 0
    higher_is_worse: bool = True
    cutoffs: Annotated[tuple[CutoffPart, ...], Field(strict=False)] = ()
    default_cutoff: Number | None = None
    smallest_change: Positive | None = None
    smallest_change_checked: bool = False
    self_harm_item: int | None = None
    self_harm_columns: Words = ()
    recall_days: Positive | None = None
    names: Words = ()
    licence: str = ""
    sources: Words = ()
    checked: Annotated[tuple[Fact, ...], Field(strict=False)] = ()
    unchecked: Annotated[tuple[Fact, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _facts_agree(self) -> InstrumentPart:
        if self.low >= self.high:
            raise ValueError("'low' is not below 'high'")
        if self.scoring in ("sum", "mean") and None in (self.items, self.item_low, self.item_high):
            raise ValueError("a score made from items needs 'items', 'item_low' and 'item_high'")
        numbered = (*self.reversed_items, *([] if self.self_harm_item is None else [self.self_harm_item]))
        if any(not 1 <= item <= (self.items or 0) for item in numbered):
            raise ValueError("'reversed_items' or 'self_harm_item' names an item that does not exist")
        if self.max_missing >= (self.items or self.max_missing + 1):
            raise ValueError("'max_missing' would allow a score without any answer")
        if set(self.checked) & set(self.unchecked):
            raise ValueError("a fact stands both under 'checked' and under 'unchecked'")
        if self.default_cutoff is not None and "default_cutoff" not in self.checked:
            raise ValueError("'default_cutoff' is used unasked, so 'checked' has to name it")
        if self.smallest_change_checked and "smallest_change" not in self.checked:
            raise ValueError("'smallest_change_checked' is true, but 'checked' does not name smallest_change")
        return self

    def term(self) -> Instrument:
        """The same facts as the package's own word."""
        cutoffs = tuple(Cutoff(c.value, c.means, c.checked, c.source) for c in self.cutoffs)
        return Instrument(**{**dict(self), "cutoffs": cutoffs})


class InstrumentFile(Part):
    """A file that holds one instrument."""

    instrument: InstrumentPart
