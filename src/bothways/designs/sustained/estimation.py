"""One direction, fitted: the g-formula with its bootstrap, the weights, and the marginal structural model."""

from __future__ import annotations

import os
import time as clock
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from bothways.designs.sampling import FEW_CLUSTERS
from bothways.designs.sustained.setup import SustainedSetup
from bothways.engine.gmethods.gformula import Courses, Simulated, model_of, simulate
from bothways.engine.gmethods.history import Histories
from bothways.engine.gmethods.plans import Scenario, pathway, sustained
from bothways.engine.gmethods.structural import Structural, structural
from bothways.engine.gmethods.weights import Weights, weights_of
from bothways.engine.survey import collapsed
from bothways.terms.progress import Progress, silent
from bothways.terms.question import Direction
from bothways.terms.settings import Settings

REPLICATES, FEW_REPLICATES = 200, 50  # usual; where things must be quick
LIVES, LIVES_AGAIN = 40_000, 2_000  # simulated for the estimates, and at least in each replicate: with 1,000 people
# 2,000 lives a replicate make errors 1 % greater than 5,000 do, in half the time
LEAST_GOOD = 0.9  # of the replicates, that must come about
TRUNCATED = (1.0, 99.0)  # percentiles of the weights in the sensitivity row
STATE, SCORE = (1.0, 0.0), (0.5, -0.5)  # (high, low) levels: present or absent; half an SD either side of the mean


@dataclass(frozen=True, slots=True)
class Path:
    """One or several mediators taken together: their key as answers name it, and their places among the variables."""

    key: str
    labels: tuple[str, ...]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Weighted:
    """The weights and what they give: as they are, truncated, and (for comparison) without any."""

    weights: Weights
    plain: Structural
    truncated: Structural
    crude: Structural


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Everything of one direction. ``weighted`` is None where the exposure is a score. ``says`` is why it failed.

    ``without`` are the courses of the scenarios had no mediator acted otherwise under the exposure; empty where no such
    product was fitted. ``thin`` is why the products were left out where they were wanted. ``freedom`` is the number of
    clusters less strata, where there are few of them.
    """

    direction: Direction
    histories: Histories
    simulated: Simulated
    paths: tuple[Path, ...]
    weighted: Weighted | None
    without: tuple[Courses, ...]
    seconds: float
    says: str = ""
    thin: str = ""
    freedom: int | None = None

    @property
    def usable(self) -> bool:
        """The fits came about, in the records and in nearly all resamples."""
        return not self.says


def levels_of(state: bool) -> tuple[float, float]:
    """(high, low) of a variable that is held."""
    return STATE if state else SCORE


def replicates_of(settings: Settings) -> int:
    """As stated; else 200, or 50 where the answer must be quick."""
    if settings.quick or settings.headline_only:
        return FEW_REPLICATES
    return settings.bootstrap or REPLICATES


def paths_of(setup: SustainedSetup) -> tuple[Path, ...]:
    """Each mediator beside the others, then all of them together."""
    first, n = 1 + len(setup.changing), len(setup.mediators)
    sets = [(j,) for j in range(n)] + ([tuple(range(n))] if n > 1 else [])
    return tuple(
        Path(
            "+".join(setup.mediators[j].key for j in s),
            tuple(setup.mediators[j].label for j in s),
            tuple(first + j for j in s),
        )
        for s in sets
    )


def find(
    setup: SustainedSetup,
    direction: Direction,
    settings: Settings,
    lags: int,
    progress: Progress,
    *,
    interaction: bool = True,
) -> Found:
    """Fit one direction; what does not come about is said and not raised.

    The products of exposure and mediators are left out where with them the regression of the outcome does not come
    about and without them it does.
    """
    began = clock.perf_counter()
    histories = setup.histories(direction, lags, interaction=interaction)
    simulated, paths = _simulated(setup, histories, direction, settings, progress)
    says, thin = _failure(setup, direction, simulated), ""
    if says and histories.products:
        plain = replace(histories, products=())
        again, _ = _simulated(setup, plain, direction, settings, progress)
        if not _failure(setup, direction, again):
            histories, simulated, says, thin = plain, again, "", says
    without: tuple[Courses, ...] = ()
    if histories.products and not (says or settings.headline_only):
        without = _simulated(setup, replace(histories, products=()), direction, settings, silent, 0)[0].point
    order, state = tuple(range(histories.variables)), bool(histories.binary[-1])
    weighted = None if settings.headline_only or not state else weigh(setup, histories, order)
    seconds, freedom = clock.perf_counter() - began, freedom_of(setup)
    return Found(direction, histories, simulated, paths, weighted, without, seconds, says, thin, freedom)


def freedom_of(setup: SustainedSetup) -> int | None:
    """Degrees of freedom of the spread between clusters, at least 1; None where there are many, or no clusters."""
    drawn = collapsed(setup.drawn)
    return None if drawn is None or drawn.freedom >= FEW_CLUSTERS else max(drawn.freedom, 1)


def _simulated(
    setup: SustainedSetup,
    histories: Histories,
    direction: Direction,
    settings: Settings,
    progress: Progress,
    replicates: int | None = None,
) -> tuple[Simulated, tuple[Path, ...]]:
    """The sustained exposure and every path, with as many resamples as the settings ask for unless told."""
    wanted = replicates_of(settings) if replicates is None else replicates
    paths = () if settings.headline_only else paths_of(setup)
    start = max(int(histories.start.sum()), 1)
    simulated = simulate(
        model_of(histories, scenarios_of(setup, direction, paths)),
        np.random.default_rng(settings.seed),
        draws=-(-LIVES // start),
        replicates=wanted,
        replicate_draws=-(-LIVES_AGAIN // start),
        drawn=setup.drawn,
        workers=settings.workers or os.cpu_count() or 1,
        done=_told(progress, direction, wanted),
    )
    return simulated, paths


def scenarios_of(setup: SustainedSetup, direction: Direction, paths: tuple[Path, ...]) -> list[Scenario]:
    """The sustained exposure, then each path; one mediator by itself is also held high and low."""
    variables = setup.variables(direction)
    order, exposure = tuple(range(len(variables))), len(variables) - 1
    levels = levels_of(variables[-1].state)
    scenarios = [sustained(order, exposure, levels)]
    for path in paths:
        held = levels_of(variables[path.places[0]].state) if len(path.places) == 1 else None
        scenarios.append(pathway(order, exposure, path.places, levels, held))
    return scenarios


def _told(progress: Progress, direction: Direction, total: int) -> Callable[[int, int], None]:
    base = 0.05 if direction is Direction.A_TO_B else 0.5

    def done(count: int, _total: int) -> None:
        if count % 10 == 0 or count == total:
            progress(f"sustained: resample {count} of {total}", base + 0.45 * count / max(total, 1))

    return done


def weigh(setup: SustainedSetup, histories: Histories, order: tuple[int, ...]) -> Weighted:
    """Weights and the marginal structural models that they give."""
    exposure = order[-1]
    weights = weights_of(histories, order, exposure)
    last = weights.value[:, -1]
    known = last[np.isfinite(last)]
    low, high = np.percentile(known, TRUNCATED) if known.size else (np.nan, np.nan)
    flat = np.where(np.isfinite(last), 1.0, np.nan)
    models = (structural(histories, w, exposure, 0, setup.drawn) for w in (last, np.clip(last, low, high), flat))
    return Weighted(weights, *models)


def _failure(setup: SustainedSetup, direction: Direction, simulated: Simulated) -> str:
    if simulated.failed:
        which = " and ".join(dict.fromkeys(_target(setup, direction, spec.target) for spec in simulated.failed))
        extra = [v.label for v in (*setup.changing, *setup.mediators)]
        own = [label for label in extra if label in which.split(" and ")]
        mend = f"; leave {' and '.join(own)} out" if own else ""
        return (
            f"the regression of {which} on what came before did not come about: some combination of its predictors "
            f"settles it, or hardly anything varies{mend}"
        )
    good = float(simulated.converged.mean()) if simulated.converged.size else 0.0
    if good < LEAST_GOOD:
        return f"only {good:.0%} of the resamples could be fitted: the records are too thin for these models"
    return ""


def _target(setup: SustainedSetup, direction: Direction, target: int) -> str:
    return setup.variables(direction)[target].label if target >= 0 else ("leaving", "death")[target == -1]


def regressions(setup: SustainedSetup, found: Found) -> Iterator[tuple[str, float, float]]:
    """(name, coefficient, its bootstrap SE) of every distinct regression of the first scenario."""
    model, simulated = found.simulated.model, found.simulated
    names = column_names(setup, found)
    sds = simulated.refitted[simulated.converged].std(axis=0) if simulated.converged.any() else None
    starts = np.cumsum([0, *(len(p.kept) for p in model.regressions)])
    for target, m in model.uses[0].items():
        pooled = model.regressions[m]
        for place, column in enumerate(pooled.kept):
            se = float(sds[starts[m] + place]) if sds is not None else float("nan")
            name = f"{_target(setup, found.direction, target)} ~ {names[column]}"
            yield name, float(simulated.fitted[m].coef[place]), se


def column_names(setup: SustainedSetup, found: Found) -> tuple[str, ...]:
    """Names of the columns of a full row."""
    labels = [v.label for v in setup.variables(found.direction)]
    fixed = [f"fixed covariate {k + 1}" for k in range(setup.fixed.shape[1])]
    if len(setup.fixed_names) == len(fixed):
        fixed = list(setup.fixed_names)
    before = [f"{label}, {lag} before" for lag in range(1, found.histories.lags + 1) for label in labels]
    both = [f"{labels[a]} and {labels[b]} together, 1 before" for a, b in found.histories.products]
    return ("constant", "time", "time squared", *fixed, *labels, *before, *both)


def product(found: Found, mediator: int) -> tuple[float, np.ndarray] | None:
    """Coefficient of exposure × mediator in the regression of the outcome, and in each resample; None without one."""
    model, histories = found.simulated.model, found.histories
    m = model.uses[0][0]
    pair = next((j for j, (_, other) in enumerate(histories.products) if other == mediator), None)
    column = None if pair is None else histories.together()[pair]
    if column not in model.regressions[m].kept:
        return None
    place = model.regressions[m].kept.index(column)
    before = sum(len(p.kept) for p in model.regressions[:m])
    drawn = found.simulated.refitted[found.simulated.converged, before + place]
    return float(found.simulated.fitted[m].coef[place]), drawn
