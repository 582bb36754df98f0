"""The parametric g-formula (Robins 1986) by simulation, with a bootstrap by person.

    E[Y_K under ā] = Σ over histories of E[Y_K | ā, l̄] Π_k f(l_k | ā_{k-1}, l̄_{k-1}),

the sum taken by simulating lives from the pooled regressions, from each person's own first wave on. The last step
takes the mean and not a draw. Survival is carried as a weight, so that no death is drawn. Where all variables are
scores and nobody dies, the mean course is the course of the mean, and nothing is drawn at all; a product of two
variables is as straight as each where the plan sets one of them. Plans share their random numbers; each replicate has a
generator of its own, so the numbers do not depend on how many work at it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from bothways.engine.gmethods.history import Histories
from bothways.engine.gmethods.plans import Scenario, encoded
from bothways.engine.gmethods.regression import DEATH, LEAVING, Fitted, Pooled, Spec, exits_on, fit, pool
from bothways.engine.kernels.gformula import Regime, courses
from bothways.engine.survey import Sampling, draw_units

CHUNK = 20_000  # lives simulated at once
Done = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Courses:
    """Mean courses under the plans of one scenario; a leading axis of replicates where there are any.

    ``mean`` (plans, waves, variables) is the mean over all who started of value × alive, so that for a state it is the
    share alive and with it; ``alive`` (plans, waves) the share alive. ``mean / alive`` is the mean of survivors.
    """

    mean: Float[np.ndarray, "*replicates plans waves variables"]
    alive: Float[np.ndarray, "*replicates plans waves"]

    def survivors(self) -> Float[np.ndarray, "*replicates plans waves variables"]:
        """Means among those alive."""
        return np.asarray(self.mean / self.alive[..., None])


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The distinct regressions of several scenarios, and which of them each scenario uses for which variable."""

    histories: Histories
    scenarios: tuple[Scenario, ...]
    regressions: tuple[Pooled, ...]
    uses: tuple[dict[int, int], ...]

    @property
    def straight(self) -> bool:
        """Every mean is linear in what came before, so that no life needs to be drawn."""
        return not self.histories.binary.any() and all(DEATH not in own for own in self.uses)

    def bent(self, s: int) -> list[bool]:
        """Plans of a straight model that must be drawn all the same: no factor of some product is set by them."""
        products = self.histories.products
        return [any(not set(pair) & set(plan.fixed) for pair in products) for plan in self.scenarios[s].plans]


@dataclass(frozen=True, slots=True, eq=False)
class Simulated:
    """Courses by scenario at the estimates, and in each replicate; ``converged`` marks the replicates to be used."""

    model: Model
    fitted: tuple[Fitted, ...]
    point: tuple[Courses, ...]
    drawn: tuple[Courses, ...]
    converged: Bool[np.ndarray, "replicates"]
    refitted: Float[np.ndarray, "replicates coefficients"]

    @property
    def failed(self) -> tuple[Spec, ...]:
        """The regressions that did not come about in the records themselves."""
        pairs = zip(self.model.regressions, self.fitted, strict=True)
        return tuple(pooled.spec for pooled, found in pairs if not found.converged)


def model_of(histories: Histories, scenarios: Sequence[Scenario]) -> Model:
    """Collect the regressions that the scenarios need: each distinct one is fitted once."""
    specs: list[Spec] = []
    uses = []
    for scenario in scenarios:
        own = {}
        for place, v in enumerate(scenario.order):
            extra = sorted(histories.now(scenario.order[:place])) if place else histories.together()
            own[v] = _placed(specs, Spec(v, (*histories.past(), *extra)))
        for target in (DEATH, LEAVING):
            columns = exits_on(histories, target)
            if columns:
                own[target] = _placed(specs, Spec(target, columns))
        uses.append(own)
    return Model(histories, tuple(scenarios), pool(histories, specs), tuple(uses))


def _placed(specs: list[Spec], spec: Spec) -> int:
    if spec not in specs:
        specs.append(spec)
    return specs.index(spec)


def simulate(
    model: Model,
    rng: np.random.Generator,
    *,
    draws: int = 10,
    replicates: int = 0,
    replicate_draws: int = 1,
    drawn: Sampling | None = None,
    workers: int = 1,
    done: Done | None = None,
) -> Simulated:
    """Fit, simulate ``draws`` lives a person, and do both again in each of ``replicates`` resamples of people.

    People are resampled as they were ``drawn``: clusters within strata, where it says so. A replicate in which a
    regression does not come about is marked.
    """
    own, *generators = rng.spawn(1 + replicates)
    once = model.histories.weight
    fitted = tuple(fit(pooled, once) for pooled in model.regressions)
    if not all(found.converged for found in fitted):
        return Simulated(model, fitted, (), (), np.zeros(0, dtype=bool), np.zeros((0, 0)))
    point = _point(model, fitted, np.repeat(_able(model), draws), once, own)

    def again(generator: np.random.Generator) -> tuple[tuple[Courses, ...], bool, np.ndarray]:
        counts, each = _counts(model.histories.people, drawn, generator)
        w = once * counts * each
        refit = tuple(fit(pooled, w, before) for pooled, before in zip(model.regressions, fitted, strict=True))
        able = _able(model)
        rows = np.repeat(able, counts[able] * replicate_draws)
        good = all(found.converged for found in refit) and rows.size > 0
        run = _mean_lived if model.straight else _lived
        lived = run(model, refit if good else fitted, rows if good else able, once * each, generator)
        return lived, good, np.concatenate([found.coef for found in refit])

    found = []
    with ThreadPoolExecutor(max(workers, 1)) as pool_of_threads:
        for part in pool_of_threads.map(again, generators):
            found.append(part)
            if done is not None:
                done(len(found), replicates)
    return Simulated(
        model,
        fitted,
        point,
        tuple(_stacked([part[0][s] for part in found]) for s in range(len(point))) if found else (),
        np.array([part[1] for part in found], dtype=bool),
        np.array([part[2] for part in found]).reshape(len(found), sum(len(own.coef) for own in fitted)),
    )


def _able(model: Model) -> np.ndarray:
    return np.flatnonzero(model.histories.start & model.histories.alive(0))


def _counts(people: int, drawn: Sampling | None, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(how often each person is drawn, how many times each draw counts); whole clusters within strata at once."""
    chosen, times = draw_units(drawn, people, rng)
    each = np.ones(people)
    if times is not None:
        each[chosen] = times
    return np.bincount(chosen, minlength=people), each


def _stacked(parts: list[Courses]) -> Courses:
    return Courses(np.stack([part.mean for part in parts]), np.stack([part.alive for part in parts]))


def _point(
    model: Model, fitted: tuple[Fitted, ...], rows: np.ndarray, weight: np.ndarray, rng: np.random.Generator
) -> tuple[Courses, ...]:
    """Courses at the estimates; plans in which people leave are drawn, since leaving is no straight line."""
    if not model.straight:
        return _lived(model, fitted, rows, weight, rng)
    exact = _mean_lived(model, fitted, rows, weight, rng)
    leave = any(LEAVING in own for own in model.uses)
    draw = [
        [bent or (leave and plan.leaving) for bent, plan in zip(model.bent(s), scenario.plans, strict=True)]
        for s, scenario in enumerate(model.scenarios)
    ]
    if any(map(any, draw)):
        for one, drawn, which in zip(exact, _lived(model, fitted, rows, weight, rng), draw, strict=True):
            one.mean[which], one.alive[which] = drawn.mean[which], drawn.alive[which]
    return exact


def _mean_lived(
    model: Model, fitted: tuple[Fitted, ...], rows: np.ndarray, weight: np.ndarray, _rng: np.random.Generator
) -> tuple[Courses, ...]:
    """The course of the mean of the people in ``rows``, without disturbances."""
    histories = model.histories
    share = weight[rows] / weight[rows].sum()
    first, base = (share @ part[rows] for part in (histories.values[:, 0], histories.fixed))
    still = np.zeros((1, histories.waves - 1, histories.variables))
    found = []
    for s, scenario in enumerate(model.scenarios):
        mean = np.zeros((len(scenario.plans), histories.waves, histories.variables))
        alive = np.zeros(mean.shape[:2])
        regime = _prepared(model, s, fitted)
        courses(first[None], base[None], np.ones(1), still, still, regime, mean, alive)
        mean[model.bent(s)] = np.nan
        found.append(Courses(mean, alive))
    return tuple(found)


def _lived(
    model: Model, fitted: tuple[Fitted, ...], rows: np.ndarray, weight: np.ndarray, rng: np.random.Generator
) -> tuple[Courses, ...]:
    """The mean courses of the people in ``rows`` under every scenario, in chunks; scenarios share the disturbances."""
    histories = model.histories
    shape = (histories.waves, histories.variables)
    totals = [np.zeros((len(scenario.plans), *shape)) for scenario in model.scenarios]
    alive = [np.zeros((len(scenario.plans), shape[0])) for scenario in model.scenarios]
    prepared = [_prepared(model, s, fitted) for s in range(len(model.scenarios))]
    for some in np.array_split(rows, max(1, -(-len(rows) // CHUNK))):
        first = np.ascontiguousarray(histories.values[some, 0])
        base, w = np.ascontiguousarray(histories.fixed[some]), weight[some]
        noise, other = (_disturbances(rng, len(some), histories) for _ in range(2))
        for regime, total, still in zip(prepared, totals, alive, strict=True):
            courses(first, base, w, noise, other, regime, total, still)
    started = float(weight[rows].sum())
    return tuple(Courses(t / started, a / started) for t, a in zip(totals, alive, strict=True))


def _disturbances(rng: np.random.Generator, lives: int, histories: Histories) -> np.ndarray:
    """Uniform for states, standard normal for scores: (lives, waves - 1, variables)."""
    shape = (lives, histories.waves - 1, histories.variables)
    noise = rng.random(shape)
    scores = np.flatnonzero(~histories.binary)
    noise[..., scores] = rng.standard_normal((*shape[:2], scores.size))
    return noise


def _prepared(model: Model, s: int, fitted: tuple[Fitted, ...]) -> Regime:
    """A scenario as the compiled pass reads it: order, coefficients spread over full rows, and the plans."""
    histories, scenario = model.histories, model.scenarios[s]
    coef, spread = np.zeros((histories.variables, histories.width)), np.ones(histories.variables)
    exits = np.full((2, histories.width), np.nan)
    for target, m in model.uses[s].items():
        full = np.zeros(histories.width)
        full[list(model.regressions[m].kept)] = fitted[m].coef
        if target >= 0:
            coef[target], spread[target] = full, fitted[m].spread
        else:
            exits[0 if target == DEATH else 1] = full
    recorded = encoded(scenario.recorded, histories.variables)[:2]
    plans = encoded(scenario.plans, histories.variables)
    products = np.array(histories.products, dtype=np.int64).reshape(-1, 2)
    return Regime(np.array(scenario.order), coef, histories.binary, spread, exits, products, *recorded, *plans)
