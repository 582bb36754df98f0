"""Maximising within bounds, for models whose maximum may lie on an edge: no spread, no switching, no contrast.

Projected scoring: a step solves (J + mu diag J) d = g among the parameters that are not held on a bound by their own
score, is clipped and cut off at the bounds, and mu follows the ratio of the gain to that foretold (Nielsen 1999). J
holds score cross-products, which are at hand with the score and need no second pass; where they mislead, the gain
says so. The end is a decrement g'J^{-1}g, twice the log-likelihood still to be gained, below the tolerance.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from bothways.engine.chain.ascent import Ascent, Ending, Objective, solve
from bothways.engine.chain.likelihood import Evaluation

NEAR = 1e-3  # distance at which a parameter counts as being on its bound
ENOUGH = 1e-4  # twice the log-likelihood still to be gained at the end
CLIP = 2.0


def ascend_within(
    objective: Objective,
    start: Float[np.ndarray, "parameters"],
    low: Float[np.ndarray, "parameters"],
    high: Float[np.ndarray, "parameters"],
    iterations: int = 200,
    tolerance: float = ENOUGH,
) -> Ascent:
    """Climb from ``start`` between ``low`` and ``high``; parameters that end on a bound are marked as drifting there.

    Raises ValueError where the likelihood is zero or undefined at the start.
    """
    point, here, mu, worse = np.clip(start, low, high), objective(np.clip(start, low, high), 2), 1e-2, 2.0
    if not np.isfinite(here.loglik):
        raise ValueError("the observations are impossible at the starting values: a seen change has no path")
    for iteration in range(iterations + 1):
        free = ~_held(point, here.gradient, low, high)
        decrement, _ = solve(here.information[np.ix_(free, free)], here.gradient[free], 0.0)
        if decrement < tolerance or iteration == iterations or mu > 1e10:
            break
        there = np.clip(point + _step(here, free, mu), low, high)
        move = there - point
        foretold = float(here.gradient @ move - 0.5 * move @ here.information @ move)
        trial = objective(there, 2)
        gain = trial.loglik - here.loglik
        if gain > 0:
            point, here = there, trial
            mu, worse = max(mu * max(1 / 5, 1 - (2 * gain / max(foretold, 1e-12) - 1) ** 3), 1e-8), 2.0
        else:
            mu, worse = max(mu * worse, 1e-4), 2.0 * worse
    return _ended(point, here, low, high, decrement, iteration, tolerance)


def _held(point: np.ndarray, gradient: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """On a bound, with a score that points outwards or nowhere."""
    return ((point <= low) & (gradient <= 0)) | ((point >= high) & (gradient >= 0))


def _step(here: Evaluation, free: np.ndarray, mu: float) -> np.ndarray:
    step = np.zeros(free.size)
    step[free] = solve(here.information[np.ix_(free, free)], here.gradient[free], mu)[1]
    return np.asarray(step * min(1.0, CLIP / max(float(np.abs(step).max(initial=0.0)), 1e-300)))


def _ended(
    point: np.ndarray, last: Evaluation, low: np.ndarray, high: np.ndarray, decrement: float, iteration: int,
    tolerance: float,
) -> Ascent:  # fmt: skip
    """On which bounds, and whether anything was left to gain."""
    drift = np.where(point > high - NEAR, 1, np.where(point < low + NEAR, -1, 0)).astype(np.int64)
    ending = Ending.STOPPED if decrement > tolerance else Ending.EDGE if drift.any() else Ending.CONVERGED
    return Ascent(point, last, ending, decrement, iteration, drift, np.zeros(point.size, dtype=bool))
