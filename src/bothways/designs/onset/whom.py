"""In whom: both ratios at each level of a circumstance, on the ratio and the difference scale, and their contrast."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri
from scipy.stats import norm

from bothways.designs.onset.along import along, curve_table, wald_test
from bothways.designs.onset.answers import BOTH_WAYS, Room
from bothways.designs.onset.estimation import PATHS
from bothways.designs.onset.models import Fitted, effects_of, fitted_chain
from bothways.designs.onset.setup import Covariates, OnsetSetup
from bothways.designs.splits import ANYONE, Split, asked, split_of
from bothways.designs.together import Compared, shrunk_table, tests_table
from bothways.terms.answer import Answer, Cell, Estimand, Estimate, Status, Table
from bothways.terms.question import Direction, Facet, Population, Question, Scale

LEAST = 5  # moves out of a state at each level without which the level has no effect of its own there
SAME = 0.99  # a share of people in whom a level only says in which state they entered


@dataclass(frozen=True, slots=True)
class FittedSplit:
    """A fitted split: the chain and, by transition, which levels have an effect of their own."""

    split: Split
    fitted: Fitted
    own: dict[tuple[int, str], int]  # (level, transition) -> place among the parameters


def values_at(setup: OnsetSetup, key: str) -> Float[np.ndarray, "rows"] | None:
    """A circumstance at each row of the states, NaN where it is not known; None where the records do not hold it."""
    records, rows = setup.records, setup.rows
    if key in records.baseline:
        values = records.baseline[key][rows.person]
    elif key in records.values:
        values = records.values[key][np.where(rows.row >= 0, rows.row, 0)]
    else:
        return None
    return np.where(rows.row >= 0, values, np.nan)


def is_entry(setup: OnsetSetup, split: Split) -> bool:
    """Whether the levels only say whether people had one of the conditions when they entered."""
    person = setup.rows.person
    first = np.flatnonzero(np.r_[True, np.diff(person) != 0] & (split.level >= 0))
    entry = setup.entry[person[first]]
    seen = (entry >= 0) & (entry < 4)
    if len(split.names) != 2 or not seen.any():
        return False
    return any(((entry[seen] & bit > 0) == split.level[first][seen]).mean() > SAME for bit in (1, 2))


def fit_split(setup: OnsetSetup, split: Split) -> FittedSplit:
    """The chain with an effect of each level on every transition that people made at both that level and the first.

    A level that cannot occur in a state (pain that has lasted, in people without pain) leaves its rates alone.
    """
    columns = np.column_stack([(split.level == k) * 1.0 for k in range(1, len(split.names))])
    names = tuple(f"{split.key} level {k}" for k in range(1, len(split.names)))
    effects, equal = effects_of(setup)
    states = setup.states
    chosen: dict[str, tuple[str, ...]] = {}
    for k, name in enumerate(names, start=1):
        moves = [_moves(setup, split, level) for level in (0, k)]
        chosen[name] = tuple(
            t for r, s, t in zip(states.source, states.target, states.transitions, strict=True)
            if min(m[r].sum() for m in moves) >= LEAST and min(m[r, s] for m in moves) > 0 and s < 4
        )  # fmt: skip
    x = np.column_stack([setup.seen.x, columns])
    wider = replace(setup, seen=replace(setup.seen, x=x), covariates=Covariates((), x, ()))
    fitted = fitted_chain(wider, {**effects, **chosen}, equal, "chain-by-" + split.key)
    place = {name: i for i, name in enumerate(fitted.rates.names)}
    own = {(k, t): place[f"{name} {t}"] for k, name in enumerate(names, start=1) for t in chosen[name]}
    return FittedSplit(split, fitted, own)


def _moves(setup: OnsetSetup, split: Split, level: int) -> np.ndarray:
    """As ``OnsetSetup.moves``, among steps that began at one level."""
    rows = setup.rows
    joined = (np.diff(rows.person) == 0) & rows.known[:-1] & rows.known[1:] & (split.level[:-1] == level)
    out = np.zeros((5, 5), dtype=np.int64)
    np.add.at(out, (rows.state[:-1][joined], rows.state[1:][joined]), 1)
    return out


def _contrast(found: FittedSplit, direction: Direction, level: int) -> Float[np.ndarray, "parameters"]:
    """The weights of the log ratio at one level."""
    above, below = PATHS[direction]
    weights = found.fitted.log_ratio(above, below)[2]
    for sign, transition in ((1.0, above), (-1.0, below)):
        if (level, transition) in found.own:
            weights[found.own[level, transition]] += sign
    return weights


@dataclass(slots=True)
class _Told:
    """What is collected over all circumstances."""

    answers: list[Answer]
    rates: list[tuple[Cell, ...]]
    tests: list[Compared]
    curve: list[tuple[Cell, ...]]


def whom(room: Room) -> tuple[tuple[Answer, ...], tuple[Table, ...]]:
    """Answers (ratio by level; ratio of ratios against the first level), and tables: differences of rates, all tests
    together, partially pooled ratios, ratios along a number."""
    records, pair = room.setup.records, room.setup.records.pair
    offered = ANYONE in records.roles.guessed
    told = _Told([], [], [], [])
    for key in asked(records, room.settings):
        values = values_at(room.setup, key)
        split = None if values is None else split_of(records, key, values, room.settings.cuts.get(key))
        if values is None and not offered:
            told.answers += [_refused(room, key, direction) for direction in BOTH_WAYS]
        if values is None or split is None or (offered and is_entry(room.setup, split)):
            continue
        _levels(room, split, told)
        if split.cut is not None and key not in room.settings.cuts:
            tests, curve = along(room, key, split.label, values)
            told.tests += tests
            told.curve += curve
    unit = "year" if room.setup.in_days else "wave"
    columns = ("circumstance", "direction", "rate with", "rate without", f"difference per {unit}", "low", "high")
    note = "From the plain chain with an effect of the circumstance on each rate that the records can tell apart."
    tables = (
        Table("onset_whom", "In whom", columns, tuple(told.rates), note),
        tests_table("onset_whom_tests", told.tests, pair, "Wald's tests with robust errors. "),
        shrunk_table(told.answers, pair, room.settings.level),
        curve_table(told.curve),
    )
    return tuple(told.answers), tuple(table for table in tables if table.rows)


def _levels(room: Room, split: Split, told: _Told) -> None:
    """Rows of one circumstance in levels, with the test that the ratio is the same at all of them."""
    found = fit_split(room.setup, split)
    if not found.fitted.usable:
        return
    for direction in BOTH_WAYS:
        touched = [k for k in range(1, len(split.names)) if {(k, t) for t in PATHS[direction]} & set(found.own)]
        if not touched:
            continue
        first = _contrast(found, direction, 0)
        differences = []
        for k in (0, *touched):
            weights = _contrast(found, direction, k)
            told.answers.append(_row(room, found, direction, k, weights))
            if k:
                differences.append(weights - first)
                told.answers.append(_row(room, found, direction, k, differences[-1], interaction=True))
            told.rates.append(_rates(room, found, direction, k))
        wald = wald_test(found.fitted, np.array(differences))
        told.tests.append(Compared(split.label, direction, "levels", *wald))


def _refused(room: Room, key: str, direction: Direction) -> Answer:
    _, second = direction.ends(room.setup.records.pair)
    return Answer(
        id=f"onset.whom.{key}.{direction}",
        question=Question(
            room.setup.records.pair, Facet.WHOM, direction, Scale.RATE_RATIO, population=Population(key, key)
        ),
        design="onset",
        model="chain",
        estimand=Estimand.INTERACTION,
        status=Status.REFUSED,
        status_says=f"The records hold no column '{key}'. Name a column of the table.",
        target=f"onset of {second.label}",
        source=room.setup.records.source,
    )


def _row(
    room: Room, found: FittedSplit, direction: Direction, level: int, weights: np.ndarray, *, interaction: bool = False
) -> Answer:
    setup, split, fit = room.setup, found.split, found.fitted.fit
    first, second = (condition.label for condition in direction.ends(setup.records.pair))
    estimand = Estimand.INTERACTION if interaction else Estimand.RATE_RATIO
    where = Population(split.names[level], split.key)
    row = Answer(
        id=f"onset.whom.{split.key}.{level}.{estimand}.{direction}",
        question=Question(setup.records.pair, Facet.WHOM, direction, Scale.RATE_RATIO, population=where),
        design="onset",
        model=found.fitted.key,
        estimand=estimand,
        status=Status.ANSWERED,
        target=f"onset of {second}",
        contrast=f"ratio at this level over that at {split.names[0]}" if interaction else f"{first} present or absent",
        subgroup=split.names[level],
        assumptions=room.assumptions,
        caveats=room.caveats,
        source=setup.records.source,
    )
    used = weights != 0
    if not np.isfinite(np.diag(fit.robust)[used]).all():
        return replace(row, status=Status.FAILED, status_says="these records give no finite ratio at this level")
    V = np.where(np.isfinite(fit.robust), fit.robust, 0.0)
    value, error = float(weights @ fit.theta), float(np.sqrt(weights @ V @ weights))
    reach = float(ndtri(0.5 + room.settings.level / 2)) * error
    middle, low, high = (float(v) for v in np.exp([value, value - reach, value + reach]))
    p = float(2 * norm.sf(abs(value) / error)) if error > 0 else None
    return replace(
        row, estimate=Estimate(middle, low, high, error, Scale.RATE_RATIO, setup.people, room.settings.level, p)
    )


def _rates(room: Room, found: FittedSplit, direction: Direction, level: int) -> tuple[Cell, ...]:
    """The two rates at a level and their difference, by the delta method."""
    fit, rates = found.fitted.fit, found.fitted.rates
    slopes, values = [], []
    for transition in PATHS[direction]:
        w = np.zeros(fit.theta.size)
        w[: rates.size] = rates.row(transition)
        if (level, transition) in found.own:
            w[found.own[level, transition]] = 1.0
        values.append(float(np.exp(w @ fit.theta)))
        slopes.append(values[-1] * w)
    V = np.where(np.isfinite(fit.robust), fit.robust, 0.0)
    d = slopes[0] - slopes[1]
    reach = float(ndtri(0.5 + room.settings.level / 2) * np.sqrt(d @ V @ d))
    first, second = (condition.label for condition in direction.ends(room.setup.records.pair))
    gap = values[0] - values[1]
    return (found.split.names[level], f"{first} to {second}", *values, gap, gap - reach, gap + reach)
