"""Damped scoring that says how it ended, also where the likelihood has no maximum.

A step solves (J + mu diag J) d = g, clipped, along directions that keep C'theta where contrasts are held. The end is
reached when the decrement g'J^{-1}g, twice the log-likelihood still to be gained, is below the tolerance. Where a
parameter runs to infinity its information vanishes as fast as its score: the decrement goes to 0 while the step does
not. Such a parameter is said to drift (monotone likelihood); one without any information at all is said to be flat.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.linalg import null_space

from bothways.engine.chain.likelihood import Evaluation

Objective = Callable[[np.ndarray, int], Evaluation]

DRIFT = 0.05  # a step of this size where nothing more can be gained: the maximum lies at infinity
SPENT = 1e-13  # information of a parameter, relative to the largest, at which it has run as far as can be told
RUN = 5.0  # how far a spent parameter must have come from its start to be said to drift rather than to be unknown
FLAT = 1e-9  # eigenvalue of the scaled information below which a direction carries none


class Ending(StrEnum):
    """How an ascent ended."""

    CONVERGED = "converged"
    MONOTONE = "monotone likelihood"
    NO_INFORMATION = "no information"
    EDGE = "on an edge"  # of the range that a bounded ascent allows
    STOPPED = "not converged"


class ImpossibleError(ValueError):
    """The likelihood is zero or undefined where an ascent was to start."""


@dataclass(frozen=True, slots=True)
class Rules:
    """How to climb. ``contrasts`` (P, h) are held at their starting value; ``warm`` steps use scores only."""

    tolerance: float = 1e-8
    iterations: int = 100
    damping: float = 1e-6
    clip: float = 3.0
    curvature: bool = False  # after ``warm`` steps use the differenced gradient wherever it is positive definite
    warm: int = 3
    contrasts: Float[np.ndarray, "parameters held"] | None = None


@dataclass(frozen=True, slots=True)
class Ascent:
    """Where the steps ended: ``drift`` (P,) is the sign in which a parameter runs away, or 0; ``flat`` (P,)."""

    point: Float[np.ndarray, "parameters"]
    last: Evaluation
    ending: Ending
    decrement: float
    iterations: int
    drift: Int[np.ndarray, "parameters"]
    flat: Bool[np.ndarray, "parameters"]
    path: tuple[float, ...] = field(default=())


def ascend(objective: Objective, start: Float[np.ndarray, "parameters"], rules: Rules) -> Ascent:
    """Climb from ``start``. Raises ImpossibleError where the likelihood is zero or undefined at the start."""
    here, point, mu = objective(start, 2), np.array(start), rules.damping
    if not np.isfinite(here.loglik):
        raise ImpossibleError("the observations are impossible at the starting values: a seen change has no path")
    free = np.eye(point.size) if rules.contrasts is None else null_space(rules.contrasts.T)
    path, decrement, fresh = [here.loglik], np.inf, True
    for iteration in range(rules.iterations + 1):
        if fresh and rules.curvature and iteration >= rules.warm:
            here = _with_curvature(objective, point, here)
        g, J = free.T @ here.gradient, free.T @ here.information @ free
        decrement, whole = solve(J, g, 0.0)
        if decrement < rules.tolerance:
            return _ended(point, start, here, free @ whole, J, free, decrement, iteration, tuple(path))
        step = free @ solve(J, g, mu)[1]
        step *= min(1.0, rules.clip / max(np.abs(step).max(), 1e-300))
        trial = objective(point + step, 2)  # nearly every step is kept, so the derivatives are seldom wasted
        fresh = trial.loglik >= here.loglik - 1e-13 * abs(here.loglik)
        if fresh:
            point, here, mu = point + step, trial, max(mu / 10.0, 1e-12)
            path.append(here.loglik)
        else:
            mu = max(10.0 * mu, 1e-4)
        if mu > 1e12:
            break
    nothing = np.zeros(point.size, dtype=np.int64)
    return Ascent(point, here, Ending.STOPPED, decrement, iteration, nothing, nothing.astype(bool), tuple(path))


def solve(J: np.ndarray, g: np.ndarray, mu: float) -> tuple[float, np.ndarray]:
    """(g'd, d) with (J + mu diag J) d = g; directions without information are left where they are."""
    scale, spent, values, vectors = _scaled(J)
    kept = values > FLAT
    along = vectors.T @ np.where(spent, 0.0, g / scale)
    d = vectors @ np.where(kept, along / np.where(kept, values + mu, 1.0), 0.0) / scale
    return float(g @ d), np.asarray(d)


def _scaled(J: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """(scale, spent, eigenvalues, eigenvectors) of J with a diagonal of ones; spent parameters are cut out."""
    diagonal = np.diag(J)
    spent = diagonal <= SPENT * max(float(diagonal.max(initial=0.0)), 1e-300)
    scale = np.where(spent, 1.0, np.sqrt(np.where(spent, 1.0, diagonal)))
    unit = np.where(spent[:, None] | spent, 0.0, J / np.outer(scale, scale))
    values, vectors = np.linalg.eigh(unit)
    return scale, spent, values, vectors


def _ended(
    point: np.ndarray, start: np.ndarray, here: Evaluation, whole: np.ndarray, J: np.ndarray, free: np.ndarray,
    decrement: float, iteration: int, path: tuple[float, ...],
) -> Ascent:  # fmt: skip
    """Nothing more to gain: a maximum, or one that lies at infinity, or a ridge."""
    moved = np.where(np.abs(point - start) > RUN, np.sign(point - start), 0.0)
    spent = _scaled(here.information)[1]
    drift = np.where(np.abs(whole) > DRIFT, np.sign(whole), np.where(spent, moved, 0.0)).astype(np.int64)
    _, _, values, vectors = _scaled(J)
    none = values <= FLAT
    ridge = (np.abs(free @ vectors[:, none]) > 0.1).any(axis=1) if none.any() else np.zeros(point.size, dtype=bool)
    flat = ridge & (drift == 0)
    ending = Ending.NO_INFORMATION if flat.any() else Ending.MONOTONE if drift.any() else Ending.CONVERGED
    return Ascent(point, here, ending, decrement, iteration, drift, flat, path)


def _with_curvature(objective: Objective, point: np.ndarray, here: Evaluation) -> Evaluation:
    """The same place with the differenced gradient for information, if that is positive definite."""
    J = observed_information(objective, point, here.gradient)
    scale = np.sqrt(np.maximum(np.diag(J), 1e-300))
    if (np.diag(J) > 0).all() and np.linalg.eigvalsh(J / np.outer(scale, scale))[0] > FLAT:
        return Evaluation(here.loglik, here.gradient, J)
    return here


def observed_information(
    objective: Objective,
    point: Float[np.ndarray, "parameters"],
    gradient: np.ndarray | None = None,
    among: Bool[np.ndarray, "parameters"] | None = None,
) -> Float[np.ndarray, "kept kept"]:
    """-d2l by differences of the analytic gradient: central, or forward where the gradient here is given.

    ``among`` leaves out rows and columns of parameters that are not wanted, and their passes with them.
    """
    kept = np.arange(point.size) if among is None else np.flatnonzero(among)
    rows = []
    for k in kept:
        h = 1e-5 * max(1.0, abs(point[k]))
        step = np.zeros(point.size)
        step[k] = h
        above = objective(point + step, 1).gradient
        below = gradient if gradient is not None else objective(point - step, 1).gradient
        rows.append((above - below)[kept] / (h if gradient is not None else 2 * h))
    J = -np.array(rows).reshape(kept.size, kept.size)
    return np.asarray((J + J.T) / 2)
