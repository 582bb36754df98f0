"""How sure: curvature, sandwich by person, draws through an estimand, profile of one parameter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.special import chdtri

from bothways.engine.statespace.fit import StateSpaceFit, refit
from bothways.engine.statespace.likelihood import log_likelihood_gradient
from bothways.engine.statespace.structure import Structure
from bothways.engine.survey import Sampling, survey_meat

LEAST_PEOPLE = 20  # below it the sandwich rests on too few persons


@dataclass(frozen=True, slots=True, eq=False)
class Covariance:
    """The covariance of the estimates and where it comes from."""

    matrix: Float[np.ndarray, "q q"]
    kind: Literal["hessian", "sandwich"]


@dataclass(frozen=True, slots=True)
class Profile:
    """A likelihood interval; an end is infinite where the likelihood stays within the limit as far as was looked."""

    value: float
    low: float
    high: float


def person_scores(fit: StateSpaceFit) -> Float[np.ndarray, "people q"]:
    """∂ℓ_i/∂θ of each person at the estimates, exactly, times their weight."""
    structure = fit.structure
    found = log_likelihood_gradient(
        fit.system, fit.series, by_person=True, moving_loading=structure.moving_loading,
        moving_noise=structure.moving_noise,
    )  # fmt: skip
    if found is None:
        raise ValueError("the log-likelihood is not defined at the estimates")
    return fit.structure.gradient(fit.theta, found[1])


def covariance(fit: StateSpaceFit) -> Covariance:
    """H⁻¹ (Σ s_i s_i') H⁻¹ N/(N−1) with ``LEAST_PEOPLE`` persons or more, else H⁻¹ (White 1982).

    Where persons were drawn in clusters or strata, the middle is theirs (the module `engine.survey`).
    """
    bread = np.linalg.inv(fit.hessian)
    people = fit.series.people
    if people < LEAST_PEOPLE:
        return Covariance(bread, "hessian")
    scores = person_scores(fit)
    return Covariance(bread @ person_meat(scores, fit.series.drawn) @ bread, "sandwich")


def person_meat(scores: Float[np.ndarray, "people q"], drawn: Sampling | None) -> Float[np.ndarray, "q q"]:
    """Σ s_i s_i' N/(N−1), or that of clusters within strata."""
    if drawn is not None:
        return survey_meat(scores, drawn.unit, drawn.stratum[drawn.unit])
    return np.asarray(scores.T @ scores) * (len(scores) / max(len(scores) - 1, 1))


def draw_parameters(
    fit: StateSpaceFit, V: Float[np.ndarray, "q q"], count: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "count q"], float]:
    """Draws from N(θ̂, V) on the free scale whose drift is stable, and the share of draws that was not."""
    values, vectors = np.linalg.eigh(V)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    kept: list[np.ndarray] = []
    tried = 0
    while len(kept) < count and tried < 20 * count:
        theta = fit.theta + root @ rng.standard_normal(fit.theta.size)
        tried += 1
        drift = fit.structure.patterns(theta)["drift"]
        if np.isfinite(drift).all() and np.linalg.eigvals(drift).real.max() < 0:
            kept.append(theta)
    if not kept:
        raise ValueError("no draw of the parameters has a stable drift")
    return np.array(kept), 1.0 - len(kept) / tried


def profile_interval(fit: StateSpaceFit, name: str, level: float = 0.95, reach: float = 8.0) -> Profile:
    """{θ_k: 2(ℓ̂ − max ℓ | θ_k) ≤ χ²₁}, by bisection after stepping outwards up to ``reach`` standard errors."""
    k = fit.structure.names.index(name)
    limit = 0.5 * float(chdtri(1, 1 - level))
    se = float(np.sqrt(max(np.linalg.pinv(fit.hessian)[k, k], 1e-12)))

    def drop(value: float) -> float:
        return fit.loglik - profiled(fit, k, value) - limit

    ends = [_bound(drop, float(fit.theta[k]), side * se, reach) for side in (-1.0, 1.0)]
    return Profile(float(fit.theta[k]), ends[0], ends[1])


def profiled(fit: StateSpaceFit, k: int, value: float) -> float:
    """The largest ℓ with free parameter ``k`` held at ``value`` (on its free scale)."""
    rest = np.delete(np.arange(fit.theta.size), k)
    start = fit.theta[rest] - np.linalg.solve(
        fit.hessian[np.ix_(rest, rest)], fit.hessian[rest, k] * (value - fit.theta[k])
    )
    held = _hold(fit, k, value)
    for point in (start, fit.theta[rest]):
        found = refit(held, fit.series, point, fit.hessian[np.ix_(rest, rest)])
        if found is not None:
            return found.loglik
    return -np.inf


def _hold(fit: StateSpaceFit, k: int, value: float) -> Structure:
    for block in fit.structure.blocks:
        place = k - block.first
        if 0 <= place < len(block.names):
            cell = tuple(int(c[place]) for c in block.cells)
            natural = block.sign * np.exp(value) if block.log[place] else value
            return fit.structure.fix(block.matrix, cell, float(natural))
    raise IndexError(k)


def _bound(drop: Callable[[float], float], middle: float, step: float, reach: float) -> float:
    """The root of ``drop`` on one side of the estimate; infinite where there is none within reach."""
    inside, width = middle, 1.0
    while width <= reach:
        outside = middle + width * step
        if drop(outside) > 0:
            for _ in range(12):
                half = 0.5 * (inside + outside)
                inside, outside = (inside, half) if drop(half) > 0 else (half, outside)
            return 0.5 * (inside + outside)
        inside, width = outside, width * 1.6
    return float(np.sign(step) * np.inf)
