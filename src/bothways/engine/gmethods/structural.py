"""A marginal structural model of the last outcome on the exposures before it, fitted by weighting.

    g(E[Y_K under ā]) = b0 + b1 a_{K-1} + b2 mean(a_0 .. a_{K-2}),

g the logit of a state and the identity of a score. "Always" is (1, 1, 1), "never" (1, 0, 0). The covariance is the
robust one by person (or cluster) and takes the weights as known, which makes intervals a little too wide, if anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from bothways.engine.gmethods.history import Histories
from bothways.engine.gmethods.regression import Spec, fit, pooled_of, probability

TERMS = ("intercept", "exposed at the wave before", "share of earlier waves exposed")


@dataclass(frozen=True, slots=True, eq=False)
class Structural:
    """``means`` are those of the outcome under always and under never, with their ``covariance``."""

    means: Float[np.ndarray, "2"]
    covariance: Float[np.ndarray, "2 2"]
    coef: Float[np.ndarray, "terms"]
    robust: Float[np.ndarray, "terms terms"]
    people: int
    events: int
    converged: bool


def structural(
    histories: Histories,
    weight: Float[np.ndarray, "people"],
    exposure: int,
    outcome: int,
    cluster: Int[np.ndarray, "people"] | None = None,
) -> Structural:
    """Fit to those with a finite weight: people followed to the last wave."""
    kept = np.flatnonzero(np.isfinite(weight))
    a, y = histories.values[kept, :-1, exposure], histories.values[kept, -1, outcome]
    columns = (
        [np.ones(kept.size), a[:, -1], a[:, :-1].mean(axis=1)] if a.shape[1] > 1 else [np.ones(kept.size), a[:, -1]]
    )
    X = np.column_stack(columns)
    binary = bool(histories.binary[outcome])
    pooled = pooled_of(Spec(outcome, tuple(range(X.shape[1]))), binary, X, y, kept, np.zeros(kept.size, dtype=np.int64))
    w = np.zeros(histories.people)
    w[kept] = weight[kept] * histories.weight[kept]
    found = fit(pooled, w)
    if not found.converged or len(pooled.kept) < X.shape[1]:
        nothing = np.full((X.shape[1], X.shape[1]), np.nan)
        return Structural(np.full(2, np.nan), np.full((2, 2), np.nan), found.coef, nothing, kept.size, 0, False)
    mean = probability(pooled, found)
    groups = kept if cluster is None else np.unique(cluster[kept], return_inverse=True)[1]
    score = np.zeros((int(groups.max()) + 1, X.shape[1]))
    np.add.at(score, groups, (w[kept] * (y - mean))[:, None] * X)
    slope = mean * (1 - mean) if binary else np.ones(kept.size)
    bread = np.linalg.inv((X * (w[kept] * slope)[:, None]).T @ X)
    robust = bread @ (score.T @ score) @ bread
    ends = np.zeros((2, X.shape[1]))
    ends[:, 0], ends[0, 1:] = 1.0, 1.0
    eta = ends @ found.coef
    means = 1 / (1 + np.exp(-eta)) if binary else eta
    D = (means * (1 - means) if binary else np.ones(2))[:, None] * ends
    events = int(y.sum()) if binary else 0
    return Structural(means, D @ robust @ D.T, found.coef, robust, kept.size, events, True)
