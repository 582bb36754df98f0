"""Bootstrap by person: every draw counts each person 0, 1, 2, ... times, within groups, and the model is refitted.

A draw is a reweighting of the same missing patterns. Each draw has a generator of its own, spawned from the one that
comes in, so the result depends on the seed alone and not on the number of workers. Intervals: percentile, and BCa
(Efron 1987) with the acceleration from the infinitesimal jackknife l_i = ∇f' J⁻¹ s_i.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import ndtr, ndtri

from bothways.engine.batch import plan_of
from bothways.engine.fiml import case_scores
from bothways.engine.fitting import PanelFit, objective
from bothways.engine.inference import observed_information
from bothways.engine.moments import moment_jacobian
from bothways.engine.parameters import Smooth, complex_step
from bothways.engine.patterns import reweighted
from bothways.engine.scoring import maximise

TOLERANCE = 1e-8
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class Bootstrap:
    """Estimates of every draw; draws that did not converge are flagged and left out of intervals."""

    fit: PanelFit
    alpha: Float[np.ndarray, "draws free"]
    converged: Bool[np.ndarray, " draws"]


def bootstrap(
    fit: PanelFit,
    draws: int,
    rng: np.random.Generator,
    *,
    workers: int = 1,
    progress: Progress | None = None,
) -> Bootstrap:
    """Refit `draws` resamples of people. `progress(done, draws)` is called as blocks of draws finish."""
    generators = rng.spawn(draws)
    people = sum(len(group.weights) for group in fit.data.groups)
    size = int(np.clip(2_000_000 // people, 1, 25))
    blocks = [generators[i : i + size] for i in range(0, draws, size)]
    refit = _compiled(fit) or _general(fit)
    parts, done = [], 0
    with ThreadPoolExecutor(workers) as pool:
        for part in pool.map(lambda block: refit(_weights(fit, block)), blocks):
            parts.append(part)
            done += len(part[0])
            if progress is not None:
                progress(done, draws)
    alpha, decrement = (np.concatenate([part[axis] for part in parts]) for axis in (0, 1))
    return Bootstrap(fit, alpha, decrement < TOLERANCE)


def percentile(found: Bootstrap, function: Smooth, level: float = 0.95) -> Float[np.ndarray, "2 values"]:
    """Limits between which the middle `level` of f(α*) lies."""
    values = _values(found, function)
    return np.asarray(np.quantile(values, [0.5 - level / 2, 0.5 + level / 2], axis=0))


def bca(found: Bootstrap, function: Smooth, level: float = 0.95) -> Float[np.ndarray, "2 values"]:
    """Bias-corrected and accelerated limits: quantiles at Φ(z₀ + (z₀ + z)/(1 − a(z₀ + z)))."""
    values = _values(found, function)
    estimate = np.asarray(function(found.fit.alpha)).reshape(-1)
    below = np.clip(np.mean(values < estimate, axis=0), 0.5 / len(values), 1 - 0.5 / len(values))
    shift, skew = ndtri(below), _acceleration(found.fit, function)
    limits = np.empty((2, len(estimate)))
    for side, tail in enumerate((0.5 - level / 2, 0.5 + level / 2)):
        z = shift + ndtri(tail)
        place = ndtr(shift + z / (1 - skew * z))
        limits[side] = [np.quantile(column, share) for column, share in zip(values.T, place, strict=True)]
    return limits


def influence(fit: PanelFit) -> Float[np.ndarray, "people free"]:
    """J⁻¹ s_i: each person's pull on the estimates (times their weight)."""
    Q = fit.model.parameters.jacobian(fit.alpha).reshape(fit.model.groups, -1, len(fit.alpha))
    scores = [
        case_scores(data, m.mean, m.cov) @ moment_jacobian(fit.model.structure, m) @ Q[g]
        for g, (data, m) in enumerate(zip(fit.data.groups, fit.implied(), strict=True))
    ]
    return np.asarray(np.linalg.solve(observed_information(fit), np.concatenate(scores).T).T)


def _values(found: Bootstrap, function: Smooth) -> np.ndarray:
    good = found.alpha[found.converged]
    return np.asarray(function(good)).reshape(len(good), -1)


def _acceleration(fit: PanelFit, function: Smooth) -> np.ndarray:
    pull = influence(fit) @ complex_step(function, fit.alpha).T
    return np.asarray((pull**3).sum(axis=0) / (6.0 * (pull**2).sum(axis=0) ** 1.5))


def _weights(fit: PanelFit, generators: list[np.random.Generator]) -> Float[np.ndarray, "draws people"]:
    """Counts of the drawn people times their sampling weights, groups one after the other."""
    sizes = [len(group.weights) for group in fit.data.groups]
    base = np.concatenate([group.weights for group in fit.data.groups])
    counts = [np.concatenate([np.bincount(rng.integers(0, n, n), minlength=n) for n in sizes]) for rng in generators]
    return np.asarray(np.array(counts) * base)


Refit = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def _compiled(fit: PanelFit) -> Refit | None:
    """Refits in compiled code with the observed information of the original fit; None if the model has curves."""
    plan = plan_of(fit.model)
    if plan is None:
        return None
    from bothways.engine.kernels.paths import fit_reweighted

    groups = fit.data.groups
    factor = np.linalg.cholesky(observed_information(fit))
    ranges = np.concatenate([[0], np.cumsum([len(group.counts) for group in groups])])
    observed, people, values = (
        np.concatenate([getattr(group, part) for group in groups]) for part in ("observed", "people", "values")
    )
    pattern = np.concatenate([group.pattern + first for group, first in zip(groups, ranges[:-1], strict=True)])
    order, rows = np.argsort(pattern, kind="stable"), np.concatenate([[0], np.cumsum(people)])
    general = _general(fit)

    def refit(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        alphas, decrements = np.empty((len(weights), len(fit.alpha))), np.empty(len(weights))
        fit_reweighted(
            plan, factor, fit.alpha, ranges, observed, people, values, order, rows, weights, TOLERANCE, 60,
            alphas, decrements,
        )  # fmt: skip
        for r in np.flatnonzero(~(decrements < TOLERANCE)):
            (alphas[r],), (decrements[r],) = general(weights[r : r + 1])
        return alphas, decrements

    return refit


def _general(fit: PanelFit) -> Refit:
    """Refits by the same code as the original fit, from its estimates."""
    stops = np.cumsum([len(group.weights) for group in fit.data.groups])[:-1]

    def refit(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        alphas, decrements = np.tile(fit.alpha, (len(weights), 1)), np.full(len(weights), np.inf)
        for r, row in enumerate(weights):
            parts = np.split(row, stops)
            groups = [reweighted(group, part) for group, part in zip(fit.data.groups, parts, strict=True)]
            ascent = maximise(objective(fit.model, groups), fit.alpha, tolerance=TOLERANCE)
            if ascent is not None:
                alphas[r], decrements[r] = ascent.point, ascent.decrement
        return alphas, decrements

    return refit
