"""A marginal structural model of the last outcome on the exposures before it, fitted by weighting.

    g(E[Y_K under ā]) = b0 + b1 a_{K-1} + b2 mean(a_0 .. a_{K-2}),

g the logit of a state and the identity of a score. "Always" is (1, 1, 1), "never" (1, 0, 0). The covariance is the
robust one by person, or by cluster within strata. It takes the weights as known, and corrects for leverage, since few
people may carry most of the weight (Mancl & DeRouen 2001, Biometrics 57:126): with B the inverse information, s_c the
score total of a cluster and A_c its part of the information,

    V = B M B,    M the middle of the sandwich of (I - A_c B)⁻¹ s_c.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from bothways.engine.gmethods.history import Histories
from bothways.engine.gmethods.regression import Spec, fit, pooled_of, probability
from bothways.engine.survey import Sampling, totals_meat

LEAST_LEFT = 1e-6  # determinant of the share of the information that must be left without any one cluster
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
    drawn: Sampling | None = None,
) -> Structural:
    """Fit to those with a finite weight: people followed to the last wave. ``drawn`` says who was sampled together.

    It has not converged where the exposures cannot be told apart, or where one person or cluster settles a mean.
    """
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
    robust = _robust(X, y, w[kept], probability(pooled, found), binary, drawn and drawn.among(kept))
    if not found.converged or len(pooled.kept) < X.shape[1] or robust is None:
        nothing = np.full((X.shape[1], X.shape[1]), np.nan)
        return Structural(np.full(2, np.nan), np.full((2, 2), np.nan), found.coef, nothing, kept.size, 0, False)
    ends = np.zeros((2, X.shape[1]))
    ends[:, 0], ends[0, 1:] = 1.0, 1.0
    eta = ends @ found.coef
    means = 1 / (1 + np.exp(-eta)) if binary else eta
    D = (means * (1 - means) if binary else np.ones(2))[:, None] * ends
    events = int(y.sum()) if binary else 0
    return Structural(means, D @ robust @ D.T, found.coef, robust, kept.size, events, True)


def _robust(
    X: Float[np.ndarray, "kept terms"],
    y: Float[np.ndarray, "kept"],
    w: Float[np.ndarray, "kept"],
    mean: Float[np.ndarray, "kept"],
    binary: bool,
    drawn: Sampling | None,
) -> Float[np.ndarray, "terms terms"] | None:
    """B M B; None where without one person or cluster the rest would not settle the coefficients."""
    groups = np.arange(len(y)) if drawn is None else drawn.unit
    units, terms = int(groups.max(initial=-1)) + 1, X.shape[1]
    if units < 2:
        return None
    information, score = np.zeros((units, terms, terms)), np.zeros((units, terms))
    slope = w * (mean * (1 - mean) if binary else 1.0)
    np.add.at(information, groups, slope[:, None, None] * X[:, :, None] * X[:, None, :])
    np.add.at(score, groups, (w * (y - mean))[:, None] * X)
    try:
        bread = np.linalg.inv(information.sum(axis=0))
        rest = np.eye(terms) - information @ bread
        if np.abs(np.linalg.det(rest)).min() < LEAST_LEFT:
            return None
        totals = np.asarray(np.linalg.solve(rest, score[..., None])[..., 0])
    except np.linalg.LinAlgError:
        return None
    return np.asarray(bread @ (totals.T @ totals if drawn is None else totals_meat(totals, drawn)) @ bread)
