"""Maximising within bounds, for models whose maximum may lie on an edge: no spread, no switching, no contrast.

L-BFGS-B (Byrd et al. 1995) on parameters scaled by the score cross-products at the start. There Newton-type steps
fail, because on an edge such as sigma = 0 both score and information vanish.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.optimize import minimize

from bothways.engine.chain.ascent import Ascent, Ending, Objective

NEAR = 1e-3  # relative distance at which a parameter counts as being on its bound
ENOUGH = 1e-2  # twice the log-likelihood still to be gained by a Newton step among the free parameters


def ascend_within(
    objective: Objective,
    start: Float[np.ndarray, "parameters"],
    low: Float[np.ndarray, "parameters"],
    high: Float[np.ndarray, "parameters"],
    iterations: int = 400,
) -> Ascent:
    """Climb from ``start`` between ``low`` and ``high``; parameters that end on a bound are marked as drifting there.

    Raises ValueError where the likelihood is zero or undefined at the start.
    """
    first = objective(start, 2)
    if not np.isfinite(first.loglik):
        raise ValueError("the observations are impossible at the starting values: a seen change has no path")
    scale = np.sqrt(np.maximum(np.diag(first.information), 1.0))

    def fall(point: np.ndarray) -> tuple[float, np.ndarray]:
        here = objective(point / scale, 1)
        if not np.isfinite(here.loglik):
            return 1e12, np.zeros_like(point)
        return -here.loglik, -here.gradient / scale

    found = minimize(
        fall,
        start * scale,
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low * scale, high * scale, strict=True)),
        options={"maxiter": iterations, "maxfun": 2 * iterations, "ftol": 1e-11, "gtol": 1e-4, "maxcor": 20},
    )
    return _ended(objective, found.x / scale, low, high, int(found.nit))


def _ended(objective: Objective, point: np.ndarray, low: np.ndarray, high: np.ndarray, iterations: int) -> Ascent:
    """On which bounds, and how much a Newton step among the rest would still gain."""
    last = objective(point, 2)
    margin = NEAR * np.maximum(1.0, np.minimum(np.abs(high - low), 10.0))
    drift = np.where(point > high - margin, 1, np.where(point < low + margin, -1, 0))
    free = drift == 0
    g, J = last.gradient[free], last.information[np.ix_(free, free)]
    decrement = float(g @ np.linalg.pinv(J, rcond=1e-10, hermitian=True) @ g)
    ending = Ending.STOPPED if decrement > ENOUGH else Ending.EDGE if drift.any() else Ending.CONVERGED
    return Ascent(point, last, ending, decrement, iterations, drift.astype(np.int64), np.zeros(point.size, dtype=bool))
