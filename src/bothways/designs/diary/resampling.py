"""How much wider the errors of an estimand must be for what refits of the bootstrap show.

The error of one person's estimate rests on the same few answers as the estimate: where by chance they look regular, the
effect is large and its error small. So the refits are studentised, each by an error of its own, and the symmetric
bootstrap-t is taken (Hall 1988, 10.1111/j.2517-6161.1988.tb01708.x): with

    t* = (f(θ*) − f(θ̂)) / se*(f(θ*)),

the error is widened until 1.96 of it reach as far as 95 % of |t*|. It is never narrowed.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from bothways.engine.statespace.bootstrap import Resamples

LEVEL = 0.95
STEP = 1e-6  # one-sided: an error of 1e-6 in an error of a refit is nothing

Estimand = Callable[[Float[np.ndarray, "n q"]], Float[np.ndarray, "n k"]]
"""Parameters on the free scale -> outputs."""


def widening(
    draws: Resamples, estimand: Estimand, value: Float[np.ndarray, " k"], se: Float[np.ndarray, " k"]
) -> Float[np.ndarray, " k"]:
    """The factor, of 1 or more, for the error ``se`` of each output; ``value`` are the outputs at the estimates.

    Refits without an error of their own (persons drawn anew) widen to how far they scatter.
    """
    if draws.covariances is None:
        scatter = estimand(draws.points).std(axis=0)
        return np.asarray(np.maximum(1.0, scatter / se))
    reach = np.sort(np.abs(studentised(draws, estimand, value)), axis=0)  # what is not defined goes last
    defined = np.isfinite(reach).sum(axis=0)
    place = np.clip(np.ceil(LEVEL * (defined + 1)).astype(int), 1, np.maximum(defined, 1)) - 1
    farthest = reach[place, np.arange(value.size)]
    return np.asarray(np.where(defined > 0, np.fmax(1.0, farthest / ndtri(0.5 + LEVEL / 2)), 1.0))


def studentised(draws: Resamples, estimand: Estimand, value: Float[np.ndarray, " k"]) -> Float[np.ndarray, "draws k"]:
    """t* of every refit and output; NaN where an output is not defined or does not move with the parameters."""
    assert draws.covariances is not None
    n, q = draws.points.shape
    moved = draws.points[:, None, :] + np.concatenate([np.zeros((1, q)), STEP * np.eye(q)])
    found = estimand(moved.reshape(-1, q)).reshape(n, q + 1, -1)
    J = (found[:, 1:] - found[:, :1]) / STEP
    variance = np.einsum("nqk,nqr,nrk->nk", J, draws.covariances, J)
    return np.asarray((found[:, 0] - value) / np.sqrt(np.where(variance > 0, variance, np.nan)))
