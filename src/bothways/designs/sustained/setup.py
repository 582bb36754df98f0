"""What every answer of the sustained design starts from: variables, horizon, and the arrays of each direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from bothways.designs.named import named
from bothways.designs.sampling import person_column, sampling_of, weights_of
from bothways.designs.sustained.grid import Grid, grid_of
from bothways.engine.gmethods.history import Histories
from bothways.engine.survey import Sampling
from bothways.terms.question import Condition, Direction, Kind
from bothways.terms.records import Records
from bothways.terms.settings import Settings

COPY = 0.999  # the correlation beyond which two columns are one
LEAST_FOLLOWED = 30  # people seen at the last occasion that is looked at
LEAST_EACH = 10  # person-visits after the first with, and without, a state that is to be modelled


@dataclass(frozen=True, slots=True, eq=False)
class Variable:
    """One thing that changes over time: ``grid`` (people, occasions), in SDs about the mean where it is a score."""

    key: str
    label: str
    state: bool
    grid: Float[np.ndarray, "people occasions"]
    sd: float = 1.0


@dataclass(frozen=True, slots=True)
class Unasked:
    """A mediator that was named and cannot be asked about."""

    key: str
    label: str
    why: str


@dataclass(frozen=True, slots=True, eq=False)
class SustainedSetup:
    """``changing`` are confounders that change, ``mediators`` the named pathways; both are modelled at each occasion.

    ``last`` is the occasion of the outcome. ``drawn`` is None where people were drawn singly. ``left_out`` says which
    covariates could not be used, ``unasked`` which named mediators and why, ``filled`` which fixed covariates had gaps
    that were filled by the mean.
    """

    records: Records
    grid: Grid
    pair: dict[str, Variable]
    changing: tuple[Variable, ...]
    mediators: tuple[Variable, ...]
    fixed: Float[np.ndarray, "people covariates"]
    fixed_names: tuple[str, ...]
    last: int
    weight: Float[np.ndarray, "people"]
    drawn: Sampling | None
    left_out: tuple[str, ...]
    filled: tuple[str, ...]
    unasked: tuple[Unasked, ...] = ()

    @property
    def horizon_days(self) -> float | None:
        """Days from the first occasion to that of the outcome."""
        return self.grid.days(self.last)

    @property
    def horizon(self) -> float:
        """The same in days, or in waves where days are not known."""
        return self.horizon_days if self.horizon_days is not None else float(self.grid.when[self.last])

    def ends(self, direction: Direction) -> tuple[Variable, Variable]:
        """The exposure and the outcome of one direction."""
        first, second = direction.ends(self.records.pair)
        return self.pair[first.key], self.pair[second.key]

    def variables(self, direction: Direction) -> tuple[Variable, ...]:
        """In the order within an occasion: the outcome, what changes, the mediators, the exposure."""
        exposure, outcome = self.ends(direction)
        return (outcome, *self.changing, *self.mediators, exposure)

    def histories(self, direction: Direction, lags: int = 1, *, interaction: bool = True) -> Histories:
        """The arrays of one direction, up to the occasion of the outcome.

        With ``interaction`` each mediator may act on the outcome more, or less, in those who are exposed.
        """
        own = self.variables(direction)
        exposure, first = len(own) - 1, 1 + len(self.changing)
        products = tuple((exposure, first + j) for j in range(len(self.mediators))) if interaction else ()
        return Histories(
            np.stack([v.grid[:, : self.last + 1] for v in own], axis=2),
            self.fixed,
            np.array([v.state for v in own]),
            np.minimum(self.grid.died, self.last + 1),
            self.weight,
            lags,
            products,
        )


def cut_of(condition: Condition, settings: Settings) -> float | None:
    """At or above this a score counts as present: the stated cut, else the condition's own."""
    return settings.cuts.get(condition.key, condition.threshold)


def as_states(records: Records, settings: Settings) -> bool:
    """Whether scores are cut: both conditions are states, or scores with a known cut-off."""
    pair = (records.pair.a, records.pair.b)
    return all(c.kind is not Kind.SCORE or cut_of(c, settings) is not None for c in pair)


def time_varying(records: Records) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Covariates that change within people, and mediators: the keys that were named and are there."""
    pair = (records.pair.a.key, records.pair.b.key)
    moving = [k for k in records.roles.pathways if k in records.values and k not in pair and changes(records, k)]
    mediators = tuple(k for j, k in enumerate(moving) if not _copies(records, k, (*pair, *moving[:j])))
    named = tuple(k for k in records.roles.covariates if k in records.values and k not in (*pair, *mediators))
    return tuple(k for k in named if changes(records, k) and len(records.categories.get(k, ())) <= 2), mediators


def _copies(records: Records, key: str, others: tuple[str, ...]) -> bool:
    """Whether a column says what another says already: nothing of its own can run through it."""
    x = records.values[key]
    for other in others:
        both = np.isfinite(x) & np.isfinite(records.values[other])
        a, b = x[both], records.values[other][both]
        if a.size > 2 and a.std() > 0 and b.std() > 0 and abs(float(np.corrcoef(a, b)[0, 1])) > COPY:
            return True
    return False


def changes(records: Records, key: str) -> bool:
    """Whether a column takes different values within people, not alike in all (as age and the calendar are)."""
    known = np.isfinite(records.values[key])
    person, x = records.person[known], records.values[key][known]
    steps = np.diff(x)[np.diff(person) == 0]
    if records.wave is None:
        spans = np.diff(records.time[known])[np.diff(person) == 0]
        steps = steps - spans * (float(steps @ spans) / max(float(spans @ spans), 1e-300))
    else:
        wave = records.wave[known][1:][np.diff(person) == 0]
        means = np.bincount(wave, steps) / np.maximum(np.bincount(wave), 1)
        steps = steps - means[wave] if steps.size else steps
    return bool(steps.size and np.abs(steps).mean() > 1e-3 * max(float(x.std()), 1e-300))


def prepare(records: Records, settings: Settings) -> SustainedSetup:
    """Everything on the grid. Assumes that the design did not refuse."""
    grid = grid_of(records)
    states = as_states(records, settings)
    pair = {c.key: _condition(records, grid, c, settings, states) for c in (records.pair.a, records.pair.b)}
    last = last_occasion(grid, pair, settings)
    changing, mediators = (tuple(_column(records, grid, k) for k in keys) for keys in time_varying(records))
    fixed, names, filled, left_out = _fixed(records, {v.key for v in (*changing, *mediators)})
    lacking = {v.key: lacks(v, last) for v in (*changing, *mediators)}
    left_out += tuple(f"{v.label} ({lacking[v.key]})" for v in changing if lacking[v.key])
    changing, mediators = (tuple(v for v in some if not lacking[v.key]) for some in (changing, mediators))
    weight = weights_of(records)
    return SustainedSetup(
        records,
        grid,
        pair,
        changing,
        mediators,
        fixed,
        names,
        last,
        np.ones(records.people) if weight is None else weight / weight[weight > 0].mean(),
        sampling_of(records, np.arange(records.people)),
        left_out,
        filled,
        tuple(
            Unasked(key, named(records, key), lacking.get(key) or _unnamed(records, key))
            for key in dict.fromkeys(records.roles.pathways)
            if key not in {v.key for v in mediators}
        ),
    )


def lacks(variable: Variable, last: int) -> str:
    """Why a variable cannot be followed: hardly known at some occasion, or hardly different after the first."""
    grid = variable.grid[:, : last + 1]
    known = np.isfinite(grid).sum(axis=0)
    if known.min() < LEAST_FOLLOWED:
        return f"it is known of {known.min():,} people at occasion {int(known.argmin()) + 1}"
    later = grid[:, 1:][np.isfinite(grid[:, 1:])]
    if variable.state and min((later == 1).sum(), (later == 0).sum()) < LEAST_EACH:
        return (
            f"after the first occasion it is the same in all but {min((later == 1).sum(), (later == 0).sum())} answers"
        )
    return "" if later.std() > 0 else "it is the same in everyone after the first occasion"


def _unnamed(records: Records, key: str) -> str:
    """Why a named mediator is none of those that change over time."""
    if key in (records.pair.a.key, records.pair.b.key):
        return "it is one of the two conditions"
    if key not in records.values:
        return "it does not change over time" if key in records.baseline else "it is not in the records"
    if not changes(records, key):
        return "it never changes within a person, or changes alike in everyone"
    return "it says what another column says already"


def last_occasion(grid: Grid, pair: dict[str, Variable], settings: Settings) -> int:
    """The occasion nearest to the stated horizon, else the last one at which enough people were seen."""
    a, b = (variable.grid for variable in pair.values())
    followed = (np.isfinite(a) & np.isfinite(b)).sum(axis=0)
    enough = np.flatnonzero(followed >= LEAST_FOLLOWED)
    last = int(enough.max(initial=0))
    if settings.horizon_days and grid.days(0) is not None:
        nearest = int(np.abs(grid.when - settings.horizon_days[0]).argmin())
        last = min(last, nearest)
    return last


def _condition(records: Records, grid: Grid, condition: Condition, settings: Settings, states: bool) -> Variable:
    column = records.values[condition.key]
    cut = cut_of(condition, settings)
    if condition.kind is Kind.SCORE and states and cut is not None:
        column = np.where(np.isnan(column), np.nan, (column >= cut).astype(float))
    return _made(condition.key, condition.label, grid.filled(column, records.person))


def _column(records: Records, grid: Grid, key: str) -> Variable:
    return _made(key, named(records, key), grid.filled(records.values[key], records.person))


def _made(key: str, label: str, grid: Float[np.ndarray, "people occasions"]) -> Variable:
    """0/1 stays; a score is centred and divided by its SD over everyone and all occasions."""
    known: Bool[np.ndarray, "..."] = np.isfinite(grid)
    if np.isin(grid[known], (0.0, 1.0)).all():
        return Variable(key, label, True, grid)
    sd = float(grid[known].std()) or 1.0
    return Variable(key, label, False, (grid - grid[known].mean()) / sd, sd)


def _fixed(
    records: Records, used: set[str]
) -> tuple[Float[np.ndarray, "people covariates"], tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Fixed covariates as columns in SDs (0/1 centred), an indicator for each level but the first of a coded one."""
    columns, names, filled, left_out = [], [], [], []
    for key in records.roles.covariates:
        if key in used or key in (records.pair.a.key, records.pair.b.key):
            continue
        levels = records.categories.get(key, ())
        if key not in records.baseline and key in records.values and len(levels) > 2 and changes(records, key):
            left_out.append(f"{records.labels.get(key, key)} (it changes over time and has several levels)")
            continue
        column = person_column(records, key)
        if column is None or not np.isfinite(column).any():
            left_out.append(f"{records.labels.get(key, key)} (not in the records)")
            continue
        if np.isnan(column).any():
            filled.append(records.labels.get(key, key))
        codes = np.unique(column[np.isfinite(column)])
        coded = [np.where(np.isnan(column), np.nan, column == c) for c in codes[1:]] if len(levels) > 2 else [column]
        for one in coded:
            whole = np.where(np.isnan(one), np.nanmean(one), one)
            if whole.std() > 0:
                columns.append((whole - whole.mean()) / whole.std())
                names.append(records.labels.get(key, key))
    stacked = np.column_stack(columns) if columns else np.zeros((records.people, 0))
    return stacked, tuple(dict.fromkeys(names)), tuple(filled), tuple(left_out)
