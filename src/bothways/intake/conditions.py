"""The two conditions once they are measured: their kind, their direction, the score at which they count as present."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from bothways.intake.measure import Column, bounds_of
from bothways.intake.roles import Plan, Variable
from bothways.terms.layout import Layout
from bothways.terms.question import Condition, Kind, Pair
from bothways.terms.topic import Instrument, Topic


def higher_is_worse(column: Column, variable: Variable, layout: Layout) -> Column:
    """The column, turned round where it counts the good: x -> low + high - x, or -x where no range is known."""
    if not is_turned(variable, column.instrument, layout):
        return column
    bounds = bounds_of(variable, layout)
    turned = (sum(bounds) if bounds else 0.0) - column.measured.values
    return replace(column, measured=replace(column.measured, values=turned))


def is_turned(variable: Variable, instrument: Instrument | None, layout: Layout) -> bool:
    """Whether the caller, or else the condition's instrument, says that higher is better."""
    if {variable.key, variable.stem, *variable.columns} & set(layout.higher_is_better):
        return True
    return variable.part == "condition" and instrument is not None and not instrument.higher_is_worse


def settled_pair(
    topic: Topic,
    plan: Plan,
    layout: Layout,
    columns: Sequence[Column],
    values: Mapping[str, Float[np.ndarray, "rows"]],
) -> Pair:
    """The topic's pair as these records hold it: score or 0/1 state, instrument, threshold."""
    variables = {variable.key: variable for variable in plan.variables}
    by_key = {column.key: column for column in columns}

    def settled(condition: Condition) -> Condition:
        key = condition.key
        if plan.dated is not None:
            return replace(condition, kind=Kind.EVENT, instrument=None, threshold=None)
        instrument = by_key[key].instrument
        if _is_state(values[key]):
            return replace(condition, kind=Kind.STATE, instrument=None, threshold=None)
        threshold = _threshold(condition, instrument, variables[key], layout)
        return replace(
            condition, kind=Kind.SCORE, instrument=instrument.key if instrument else None, threshold=threshold
        )

    return Pair(settled(topic.pair.a), settled(topic.pair.b))


def _is_state(values: Float[np.ndarray, "rows"]) -> bool:
    """Whether only 0 and 1 occur, and both do."""
    return bool(
        np.all(np.isnan(values) | (values == 0) | (values == 1)) and (values == 0).any() and (values == 1).any()
    )


def _threshold(condition: Condition, instrument: Instrument | None, variable: Variable, layout: Layout) -> float | None:
    """The stated cut; else the instrument's own, where it is verified and the scale runs as the instrument does."""
    places = (condition.key, variable.stem, *variable.columns)
    stated = next((layout.cuts[place] for place in places if place in layout.cuts), None)
    if stated is not None:
        return stated
    if instrument is None:
        return condition.threshold
    own = instrument.default_cutoff
    return own if own is not None and "default_cutoff" in instrument.checked else None
