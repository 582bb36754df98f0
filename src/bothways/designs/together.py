"""Many subgroups looked at together: estimates shrunk towards each other, and p-values that allow for their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from bothways.designs.splits import holm, shrink
from bothways.terms.answer import Answer, Cell, Estimand, Table
from bothways.terms.question import Direction, Pair

Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """One test that a direction is the same at all levels of a circumstance."""

    circumstance: str
    direction: Direction
    what: str
    statistic: float
    df: int
    p: float


def tests_table(key: str, tests: Sequence[Compared], pair: Pair, note: str) -> Table:
    """Every test of the family with its p as it stands and adjusted for all of them by Holm's method."""
    usable = [test for test in tests if np.isfinite(test.p)]
    rows = [
        (t.circumstance, arrow(pair, t.direction), t.what, t.statistic, t.df, t.p, adjusted)
        for t, adjusted in zip(usable, holm([t.p for t in usable]), strict=True)
    ]
    several = f"{len(rows)} tests were made; the last column allows for their number (Holm 1979). "
    return Table(
        key,
        "In whom: is it the same in all?",
        ("circumstance", "direction", "compared", "chi-square", "df", "p", "p for all tests together"),
        tuple(rows),
        (several if len(rows) > 1 else "") + note,
    )


def shrunk_table(answers: Sequence[Answer], pair: Pair, level: float) -> Table:
    """Levels shrunk to their mean where there are more than two; contrasts of several circumstances
    shrunk to no difference; ratios on the log scale. Levels of different people only are independent, as is assumed."""
    rows: list[Row] = []
    for direction in (Direction.A_TO_B, Direction.B_TO_A):
        own = [a for a in answers if a.direction is direction and a.estimate is not None]
        levels: dict[str | None, list[Answer]] = {}
        for a in own:
            if a.estimand is not Estimand.INTERACTION:
                levels.setdefault(a.question.population.where, []).append(a)
        for found in levels.values():
            rows += _shrunk(found, "its levels", pair, level, None) if len(found) > 2 else []
        contrasts = [a for a in own if a.estimand is Estimand.INTERACTION]
        if len({a.question.population.where for a in contrasts}) > 1:
            rows += _shrunk(contrasts, "contrasts of all circumstances", pair, level, 0.0)
    return Table(
        "whom_shrunk",
        "Subgroups looked at together",
        (
            *("looked at", "direction", "level", "value", "low", "high"),
            *("shrunk", "shrunk low", "shrunk high", "SD between levels"),
        ),
        tuple(rows),
        "Each estimate is pulled towards the mean of its family (contrasts: towards no difference), the more the "
        "less certain it is and the less the family differs (partial pooling; Gelman 2006). Ratios are pulled "
        "on the log scale, on which the SD stands. Contrasts that share a reference are taken as if they did not.",
    )


def _shrunk(answers: Sequence[Answer], what: str, pair: Pair, level: float, centre: float | None) -> list[Row]:
    own = [(a, a.estimate) for a in answers if a.estimate is not None and a.estimate.se > 0]
    if len(own) < 2:
        return []
    value = np.array([e.analysis()[1] for _, e in own])
    found = shrink(value, np.array([e.se for _, e in own]), level, centre)
    rows: list[Row] = []
    for k, (a, e) in enumerate(own):
        numbers = np.array([found.value[k], found.low[k], found.high[k]])
        told = np.exp(numbers) if e.scale.is_ratio else numbers
        name = a.subgroup or a.question.population.label
        rows.append((what, arrow(pair, a.direction), name, e.value, e.low, e.high, *told.tolist(), found.between))
    return rows


def arrow(pair: Pair, direction: Direction) -> str:
    """A direction in words."""
    first, second = direction.ends(pair)
    return f"{first.label} to {second.label}"
