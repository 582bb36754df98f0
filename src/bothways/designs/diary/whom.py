"""In whom: both directions at each level of a circumstance, their difference, and usual levels beside them.

Drift, diffusion and usual levels may all differ by level (θ_i = θ + Δ z_i); errors are by person. A circumstance is a
stated grouping column that does not change over a person's record; numbers with many values are split at the median.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int
from scipy.special import stdtr, stdtrit

from bothways.designs.diary.answers import DIRECTIONS, ENDS, Run
from bothways.designs.diary.endings import not_fitted
from bothways.designs.diary.setup import DiarySetup
from bothways.engine.statespace.effects import standardised_effect
from bothways.engine.statespace.moderated import ModeratedFit, fit_moderated
from bothways.terms.answer import Answer, Cell, Estimand, Estimate, Status, Table
from bothways.terms.question import Direction, Facet, Population, Question, Scale
from bothways.terms.records import Records

MOST_LEVELS = 5
LEAST_PEOPLE = 20  # at each level; below it no level has an error of its own to speak of


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A circumstance in levels: ``members`` number the persons of the series at each; the first is the reference."""

    key: str
    label: str
    names: tuple[str, ...]
    members: tuple[Int[np.ndarray, " _"], ...]


def splits_of(setup: DiarySetup) -> Iterator[Split]:
    """The circumstances asked for that have two levels or more with enough people; others' persons are left out."""
    for key in setup.records.roles.by:
        values = _constant(setup.records, key)
        if values is None:
            continue
        mine = values[setup.kept]
        names, level = _levels(setup.records, key, mine)
        enough = [k for k in range(len(names)) if (level == k).sum() >= LEAST_PEOPLE]
        if len(enough) > 1:
            members = tuple(np.flatnonzero(level == k) for k in enough)
            yield Split(key, setup.label(key), tuple(names[k] for k in enough), members)


def _constant(records: Records, key: str) -> Float[np.ndarray, " people"] | None:
    """What does not change within a person, by person (NaN: not known); None for a column that does change."""
    if key in records.baseline:
        return records.baseline[key]
    column = records.values.get(key)
    if column is None:
        return None
    given = np.flatnonzero(np.isfinite(column))
    out = np.full(records.people, np.nan)
    out[records.person[given]] = column[given]
    return out if np.array_equal(out[records.person[given]], column[given]) else None


def _levels(
    records: Records, key: str, values: Float[np.ndarray, " people"]
) -> tuple[tuple[str, ...], Int[np.ndarray, " people"]]:
    """Names of the levels, and each person's (-1: not known)."""
    label, known = records.labels.get(key, key.replace("_", " ")), np.isfinite(values)
    codes = np.unique(values[known])
    level = np.full(values.size, -1)
    if codes.size > MOST_LEVELS:
        middle = float(np.median(values[known]))
        level[known] = values[known] >= middle
        return (f"{label} below {middle:g}", f"{label} {middle:g} or above"), level
    level[known] = np.searchsorted(codes, values[known])
    told = records.categories.get(key, ())
    words = (told[int(c)] if c == int(c) and 0 <= int(c) < len(told) else f"{c:g}" for c in codes)
    return tuple(f"{label}: {word}" for word in words), level


def fit_split(run: Run, split: Split) -> ModeratedFit:
    """The model that speaks, with dynamics and usual levels of each level's own."""
    fit, levels = run.models.chosen.fit, len(split.names)
    dynamics = tuple(name for name in fit.structure.names if name.startswith(("drift[", "diffusion_root[")))
    means = tuple(f"level[{key},usual level]" for key in run.setup.processes)
    stated = split.key in run.setup.regressors  # a covariate moves the usual levels already
    moved = dynamics if stated else (*dynamics, *means)
    return fit_moderated(fit, split.members, np.eye(levels)[:, 1:], moved)


def whom_answers(run: Run) -> tuple[tuple[Answer, ...], tuple[Table, ...]]:
    """Effects by level, their differences from the first, and a table of usual levels; nothing where not asked."""
    if not run.setup.random_means:
        return (), ()
    answers: list[Answer] = []
    rows: list[tuple[Cell, ...]] = []
    for split in splits_of(run.setup):
        found = fit_split(run, split)
        for direction in DIRECTIONS:
            answers += _by_level(run, split, found, direction)
        rows += _usual_levels(run, split, found) if found.converged else []
    answers += _too_few(run)
    if not rows:
        return tuple(answers), ()
    columns = ("circumstance", "condition", "difference of usual levels, points", "low", "high")
    note = "Against the first level of the circumstance; from the model in which the dynamics differ as well."
    return tuple(answers), (Table("diary.whom", "Usual levels by circumstance", columns, tuple(rows), note),)


def _too_few(run: Run) -> Iterator[Answer]:
    """A refusal for each stated circumstance in which two levels do not have people enough."""
    roles, compared = run.setup.records.roles, {split.key for split in splits_of(run.setup)}
    for key in () if "by" in roles.guessed else roles.by:
        if key in compared or _constant(run.setup.records, key) is None:
            continue
        label = run.setup.label(key)
        says = f"By {label} nothing was compared: that takes two levels with {LEAST_PEOPLE} people or more in each."
        nobody = Split(key, label, (label,), ())
        for direction in DIRECTIONS:
            row = _row(run, nobody, direction, 0, Estimand.INTERACTION)
            yield replace(row, model=run.models.chosen.name, status=Status.REFUSED, status_says=says, subgroup=None)


def _by_level(run: Run, split: Split, found: ModeratedFit, direction: Direction) -> list[Answer]:
    """The effect at each level and its difference from that at the first; failed, in words, where there is no fit."""
    if not found.converged:
        says = not_fitted(f"The model in which {split.label} moves the course", found.outcome)
        return [replace(_row(run, split, direction, 0, Estimand.CROSS_LAG), status=Status.FAILED, status_says=says)]
    value, C = _effects(run, found, direction)
    rows = []
    for k in range(len(split.names)):
        weights = np.eye(len(value))[k]
        number = _number(run, found, weights @ value, weights @ C @ weights, split.members[k].size)
        rows.append(replace(_row(run, split, direction, k, Estimand.CROSS_LAG), estimate=number))
        if k:
            weights = weights - np.eye(len(value))[0]
            both = split.members[k].size + split.members[0].size
            number = _number(run, found, weights @ value, weights @ C @ weights, both)
            rows.append(replace(_row(run, split, direction, k, Estimand.INTERACTION), estimate=number))
    return rows


def _effects(
    run: Run, found: ModeratedFit, direction: Direction
) -> tuple[Float[np.ndarray, " levels"], Float[np.ndarray, "levels levels"]]:
    """Standardised total effects at the headline lag by level, and their covariance by the delta method."""
    outcome, cause = ENDS[direction]
    lag, groups = np.array([run.lags.headline]), range(len(found.moderated.series))

    def at(free: np.ndarray) -> np.ndarray:
        systems = [found.moderated.system(free, g) for g in groups]
        drift, diffusion = np.array([s.drift for s in systems]), np.array([s.diffusion for s in systems])
        return np.asarray(standardised_effect(drift, diffusion, lag)[:, 0, outcome, cause])

    steps = 1e-5 * np.eye(found.free.size)
    J = np.column_stack([(at(found.free + e) - at(found.free - e)) / 2e-5 for e in steps])
    return at(found.free), J @ found.covariance @ J.T


def _number(run: Run, found: ModeratedFit, value: float, variance: float, people: int) -> Estimate:
    se, degrees = float(np.sqrt(max(variance, 1e-18))), found.moderated.people - 1
    reach = float(stdtrit(degrees, 0.5 + run.settings.level / 2)) * se
    p = float(2 * stdtr(degrees, -abs(value) / se))
    value = float(value)
    return Estimate(value, value - reach, value + reach, se, Scale.SD_PER_SD, people, run.settings.level, p)


def _row(run: Run, split: Split, direction: Direction, level: int, estimand: Estimand) -> Answer:
    setup, lag = run.setup, run.lags.headline
    first, second = direction.ends(setup.records.pair)
    where = Population(split.names[level], split.key)
    compared = estimand is Estimand.INTERACTION
    return Answer(
        id=f"diary.whom.{split.key}.{level}.{estimand}.{direction}",
        question=Question(setup.records.pair, Facet.WHOM, direction, Scale.SD_PER_SD, horizon=lag, population=where),
        design="diary",
        model=f"{run.models.chosen.name}-by-{split.key}",
        estimand=estimand,
        status=Status.ANSWERED,
        target=f"{second.label}, {run.lags.headline_words} later",
        contrast=(
            f"effect at this level less that at {split.names[0]}"
            if compared
            else f"one standard deviation more {first.label} than usual, at the same {second.label} at that moment"
        ),
        lag_days=lag if setup.in_days else None,
        lag_waves=None if setup.in_days else lag,
        subgroup=split.names[level],
        assumptions=run.assumptions,
        caveats=run.caveats,
        source=setup.records.source,
    )


def _usual_levels(run: Run, split: Split, found: ModeratedFit) -> list[tuple[Cell, ...]]:
    """By how many points the usual level differs from that at the first level of the circumstance."""
    rows: list[tuple[Cell, ...]] = []
    names = found.moderated.names
    for k in range(1, len(split.names)):
        for j, key in enumerate(run.setup.processes):
            name = f"level[{key},usual level]*{k}"
            if name in names:
                place = names.index(name)
                number = _number(run, found, found.free[place], found.covariance[place, place], 0)
                points = float(run.setup.spread[j])
                cells = (number.value * points, number.low * points, number.high * points)
                rows.append((split.names[k], run.setup.label(key), *cells))
    return rows
