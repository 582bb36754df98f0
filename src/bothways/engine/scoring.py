"""Damped Fisher scoring: maximise a log-likelihood by steps (H + λ diag H) d = g, ending in facts, not in hope.

A step is kept if the likelihood does not fall (then λ/10, else 10 λ + 10⁻⁶). The end is reached when g'H⁻¹g, twice
the likelihood still to be gained, is below the tolerance (Levenberg 1944; Marquardt 1963).
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import LinAlgError, cho_factor, cho_solve


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """ℓ, its gradient g and a positive semi-definite information H at one point."""

    loglik: float
    gradient: Float[np.ndarray, " free"]
    information: Float[np.ndarray, "free free"]


@dataclass(frozen=True, slots=True, eq=False)
class Ascent:
    """Where the steps ended. `decrement` is g'H⁻¹g there; `converged` says it is below the tolerance."""

    point: Float[np.ndarray, " free"]
    last: Evaluation
    decrement: float
    iterations: int
    converged: bool


Objective = Callable[[np.ndarray], Evaluation | None]


def maximise(
    objective: Objective,
    start: Float[np.ndarray, " free"],
    *,
    tolerance: float = 1e-12,
    iterations: int = 200,
    damping: float = 1e-3,
) -> Ascent | None:
    """Climb from `start`; None if the objective is not defined there (returns None: not positive definite)."""
    here = objective(start)
    if here is None:
        return None
    point, factor, decrement = start, damping, np.inf
    for iteration in range(1, iterations + 1):
        decrement, step = _step(here, factor)
        if decrement < tolerance:
            return Ascent(point, here, decrement, iteration - 1, True)
        trial = objective(point + step) if step is not None else None
        slack = 1e-12 * (1.0 + abs(here.loglik))
        if trial is not None and step is not None and trial.loglik >= here.loglik - slack:
            point, here, factor = point + step, trial, factor / 10.0
        else:
            factor = 10.0 * factor + 1e-6
        if factor > 1e12:
            break
    return Ascent(point, here, decrement, iteration, False)


def _step(here: Evaluation, factor: float) -> tuple[float, np.ndarray | None]:
    """(g'H⁻¹g, damped step); the decrement is infinite where H is singular, the step None where even damping fails."""
    H, g = here.information, here.gradient
    scale = np.sqrt(np.maximum(np.diag(H), 1e-300))
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is refused in the next line
        unit = H / np.outer(scale, scale)
    if not np.isfinite(unit).all():
        return np.inf, None
    decrement = np.inf
    try:
        whole = cho_solve(cho_factor(unit, lower=True), g / scale)
        decrement = float(g / scale @ whole)
        damped = cho_solve(cho_factor(unit + factor * np.eye(len(g)), lower=True), g / scale)
    except LinAlgError:
        try:
            damped = cho_solve(cho_factor(unit + max(factor, 1e-6) * np.eye(len(g)), lower=True), g / scale)
        except LinAlgError:
            return decrement, None
    return decrement, damped / scale
