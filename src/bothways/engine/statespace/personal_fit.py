"""Fit dynamics that differ between persons, and say in how many of them an effect holds."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from bothways.engine.statespace.effects import standardised_effect
from bothways.engine.statespace.fit import Outcome, StateSpaceFit
from bothways.engine.statespace.optimise import ascend, climb
from bothways.engine.statespace.personal import (
    Mixture,
    Modes,
    WeightCheck,
    dynamics_of,
    importance_check,
    laplace,
    persons_theta,
)

FIRST_SD = 0.3  # to start from, on the free scales
NO_SD = 0.05  # a smaller SD between persons is none
ROUGH = 0.05  # of log-likelihood: near enough to see which SDs go to zero
CLIMB_TOLERANCE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class PersonalFit:
    """A fitted mixture. ``covariance`` is the sandwich over persons; ``at_limit`` names SDs found to be none."""

    mixture: Mixture
    outer: Float[np.ndarray, " k"]
    loglik: float
    hessian: Float[np.ndarray, "k k"]
    covariance: Float[np.ndarray, "k k"]
    modes: Modes
    outcome: Outcome
    evaluations: int
    check: WeightCheck | None
    at_limit: tuple[str, ...] = ()

    @property
    def converged(self) -> bool:
        """Gradient, curvature and definiteness all held."""
        return self.outcome is Outcome.CONVERGED


def fit_personal(
    fit: StateSpaceFit,
    random: tuple[str, ...],
    rng: np.random.Generator,
    moderators: Float[np.ndarray, "people z"] | None = None,
) -> PersonalFit | None:
    """Climb from a fit with common dynamics; components in which nobody differs are held common and named.

    ``random`` names free components of the drift and of the diffusion's root. None where Laplace's approximation is
    not defined at the start.
    """
    names = fit.structure.names
    places = np.array([names.index(name) for name in random], dtype=np.int64)
    z = np.zeros((fit.series.people, 0)) if moderators is None else moderators
    mixture = Mixture(fit.structure, fit.series, places, z)
    start = np.concatenate([fit.theta, np.full(places.size, np.log(FIRST_SD)), np.zeros(places.size * z.shape[1])])
    guess = np.diag(np.full(start.size, 0.5 * fit.series.people))
    guess[: fit.theta.size, : fit.theta.size] = fit.hessian
    return _climb(mixture, start, guess, rng, ())


def _climb(
    mixture: Mixture, start: np.ndarray, guess: np.ndarray | None, rng: np.random.Generator, limits: tuple[str, ...]
) -> PersonalFit | None:
    last: Modes | None = None

    def objective(outer: np.ndarray) -> tuple[float, np.ndarray] | None:
        nonlocal last
        found = laplace(mixture, outer, last)
        if found is None or not np.isfinite(found[0]).all():
            return None
        last = found[2]
        return float(found[0].sum()), found[1].sum(axis=0)

    if guess is not None:
        rough = ascend(objective, start, guess, gain=ROUGH)
        if rough is None:
            return None
        _, tau, _ = mixture.split(rough.point)
        none = tau < np.log(NO_SD)
        if none.all():
            return None
        if none.any():
            fewer, kept = _without(mixture, none)
            gone = tuple(f"sd {mixture.structure.names[k]}" for k in mixture.random[none])
            return _climb(fewer, rough.point[kept], guess[np.ix_(kept, kept)], rng, (*limits, *gone))
        start = rough.point
    top = climb(objective, start, tolerance=CLIMB_TOLERANCE, central=False, rounds=4)
    if top is None:
        return None
    final = laplace(mixture, top.point, last)
    if final is None:
        return None
    scores, people = final[1], mixture.series.people
    outcome = Outcome.CONVERGED if top.converged else Outcome.NOT_CONVERGED if top.positive else Outcome.NOT_POSITIVE
    bread = np.linalg.pinv(top.hessian)
    V = bread @ (scores.T @ scores) @ bread * people / max(people - 1, 1)
    check = importance_check(mixture, top.point, final[2], rng)
    return PersonalFit(
        mixture, top.point, top.loglik, top.hessian, V, final[2], outcome, top.evaluations, check, limits
    )


def persons_effects(found: PersonalFit, lag: float, outcome: int, cause: int) -> Float[np.ndarray, " people"]:
    """Each person's standardised total effect at their mode: drawn towards the mean as far as their answers are few."""
    thetas = persons_theta(found.mixture, found.outer, found.modes.u[None])[0]
    return _effects(found, thetas, lag, outcome, cause)


def _without(mixture: Mixture, none: np.ndarray) -> tuple[Mixture, np.ndarray]:
    """The mixture with some components common to all, and which outer parameters are left."""
    n, q = mixture.structure.size, mixture.random.size
    kept = np.ones(n + q * (1 + mixture.moderators.shape[1]), bool)
    kept[n : n + q] = ~none
    kept[n + q :] = np.repeat(~none, mixture.moderators.shape[1])
    return replace(mixture, random=mixture.random[~none], stacks={}), np.flatnonzero(kept)


@dataclass(frozen=True, slots=True)
class Share:
    """The share of persons whose effect passes a threshold on its side of zero, with its interval; and the spread."""

    value: float
    low: float
    high: float
    mean: float
    sd: float


def share_beyond(
    found: PersonalFit,
    lag: float,
    outcome: int,
    cause: int,
    threshold: float,
    rng: np.random.Generator,
    *,
    persons: int = 2000,
    draws: int = 200,
    level: float = 0.95,
) -> Share:
    """Pr(sign · T_i > threshold) over the estimated population of persons; sign is that of the mean effect.

    The interval is of draws Θ ~ N(Θ̂, V), each with the same persons.
    """
    q = found.mixture.random.size
    half = rng.standard_normal((persons // 2, q))
    u = np.concatenate([half, -half])
    own = _population(found, found.outer, u, lag, outcome, cause)
    sign = float(np.sign(own.mean())) or 1.0
    values, vectors = np.linalg.eigh(found.covariance)
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    shares = []
    for _ in range(draws):
        outer = found.outer + root @ rng.standard_normal(found.outer.size)
        shares.append(np.mean(sign * _population(found, outer, u, lag, outcome, cause) > threshold))
    low, high = np.quantile(shares, [0.5 - level / 2, 0.5 + level / 2])
    return Share(float(np.mean(sign * own > threshold)), float(low), float(high), float(own.mean()), float(own.std()))


def _population(
    found: PersonalFit, outer: np.ndarray, u: np.ndarray, lag: float, outcome: int, cause: int
) -> Float[np.ndarray, " persons"]:
    """Effects of persons drawn from the population, those without a stable drift left out."""
    theta, tau, _ = found.mixture.split(outer)
    thetas = np.tile(theta, (len(u), 1))
    thetas[:, found.mixture.random] += np.exp(np.minimum(tau, 2.0)) * u
    return _effects(found, thetas, lag, outcome, cause)


def _effects(found: PersonalFit, thetas: np.ndarray, lag: float, outcome: int, cause: int) -> np.ndarray:
    dynamics, _ = dynamics_of(found.mixture.structure, thetas)
    finite = np.isfinite(dynamics.drift).all(axis=(1, 2)) & np.isfinite(dynamics.diffusion).all(axis=(1, 2))
    drift = np.where(finite[:, None, None], dynamics.drift, np.eye(dynamics.drift.shape[1]))
    stable = finite & (np.linalg.eigvals(drift).real.max(axis=1) < -1e-8)
    effects = standardised_effect(dynamics.drift[stable], dynamics.diffusion[stable], np.array([lag]))
    return np.asarray(effects[:, 0, outcome, cause])
