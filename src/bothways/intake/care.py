"""An item on self-harm answered above its lowest answer is counted by people, however the table is scored."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bothways.intake.columns import plain, read_name, runs
from bothways.intake.findings import count, warning
from bothways.intake.roles import Plan
from bothways.intake.table import Sheet
from bothways.terms.layout import Layout
from bothways.terms.records import Finding
from bothways.terms.topic import Instrument, Topic


def self_harm_items(sheet: Sheet, plan: Plan, topic: Topic, layout: Layout) -> list[Finding]:
    """A warning where anyone answered above the lowest on such an item at any time; ``people`` says how many."""
    above = np.zeros(sheet.rows, dtype=bool)
    for column, instrument in set(_columns(sheet, plan, topic, layout)):
        values, low, high = sheet.numbers(column).values, instrument.item_low or 0.0, instrument.item_high or np.inf
        with np.errstate(invalid="ignore"):
            above |= (values > low) & (values <= high)
    if not above.any():
        return []
    people = _people(sheet, plan, above)
    says = f"{count(people, 'person', 'people')} answered an item on self-harm above its lowest answer at some time"
    return [
        warning("self_harm_item", says, "Follow your study's plan for care; see 'Getting help' in the report", people)
    ]


def _columns(sheet: Sheet, plan: Plan, topic: Topic, layout: Layout) -> Iterator[tuple[str, Instrument]]:
    """Columns that are such an item: by their name, or because their questionnaire is scored from items."""
    for variable in plan.variables:
        place = variable.instrument.self_harm_item if variable.instrument else None
        for cell in variable.cells:
            if variable.instrument and place and len(cell) == variable.instrument.items:
                yield cell[place - 1], variable.instrument
    if layout.numbered == "waves":
        return
    for instrument in topic.instruments.values():
        named = {plain(name) for name in instrument.self_harm_columns}
        yield from ((column, instrument) for column in sheet.columns if plain(column) in named)
        item, stems = instrument.self_harm_item, {plain(name) for name in (instrument.key, *instrument.names)}
        stems |= {stem.rstrip("0123456789") for stem in stems}  # phq_9 and PHQ9 beside PHQ1 are items as well
        known = frozenset(stems) - runs(sheet.columns, frozenset(stems))
        for name in (read_name(column, known) for column in (sheet.columns if item else ())):
            if name.stem in stems and item in (name.item, name.number):
                yield name.column, instrument


def _people(sheet: Sheet, plan: Plan, rows: np.ndarray) -> int:
    if plan.roles.id is None:
        return 1 if plan.shape == "long" else int(rows.sum())
    who = sheet.identities(plan.roles.id)[rows]
    return int(np.unique(who[who >= 0]).size)
