"""The saturated model (h1) of incomplete normal data, and the independence baseline.

EM is one step in the likelihood's own gradient: μ ← μ + Σ g_μ/N and Σ ← Σ + Σ G Σ/N − δδ', δ the move of μ
(Little & Rubin 2019, ch. 8, rewritten). A few EM steps are followed by Fisher scoring in (μ, vech Σ), which
converges quadratically where EM crawls.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from bothways.engine.fiml import half_vector, moment_derivatives, symmetric
from bothways.engine.patterns import PanelData, PatternStatistics
from bothways.engine.scoring import Evaluation, maximise


@dataclass(frozen=True, slots=True, eq=False)
class Saturated:
    """Maximum-likelihood mean and covariance of one group.

    `identified` is False when two variables are never seen together; their covariance is then arbitrary.
    """

    mean: Float[np.ndarray, " p"]
    cov: Float[np.ndarray, "p p"]
    loglik: float
    converged: bool
    identified: bool


def saturate(data: PanelData) -> tuple[Saturated, ...]:
    """The saturated model of each group."""
    return tuple(_saturate(group) for group in data.groups)


def _saturate(data: PatternStatistics) -> Saturated:
    if data.complete:
        mean, cov = data.means[0], data.covariances[0]
        found = moment_derivatives(data, mean, cov, "gradient")
        loglik = -np.inf if found is None else found.loglik
        return Saturated(mean, cov, loglik, found is not None, found is not None)
    mean, variance = available_moments(data)
    mean, cov = expectation_maximisation(data, mean, np.diag(variance), 5)
    p = len(mean)
    seen = data.observed.astype(float)
    identified = bool(((seen * data.counts[:, None]).T @ seen > 0).all())
    if not identified:
        mean, cov = expectation_maximisation(data, mean, cov, 2000)
        found = moment_derivatives(data, mean, cov, "gradient")
        return Saturated(mean, cov, -np.inf if found is None else found.loglik, False, False)

    def objective(moments: np.ndarray) -> Evaluation | None:
        found = moment_derivatives(data, moments[:p], symmetric(moments[p:], p), "expected")
        if found is None or found.information is None:
            return None
        return Evaluation(found.loglik, found.gradient, found.information)

    ascent = maximise(objective, np.concatenate([mean, half_vector(cov)]))
    if ascent is None:
        return Saturated(mean, cov, -np.inf, False, True)
    mean, cov = ascent.point[:p], symmetric(ascent.point[p:], p)
    return Saturated(mean, cov, ascent.last.loglik, ascent.converged, True)


def available_moments(
    data: PatternStatistics,
) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, " p"]]:
    """Mean and variance of each variable over the people who have it."""
    seen = data.observed * data.counts[:, None]
    total = np.maximum(seen.sum(axis=0), 1e-300)
    mean = (seen * data.means).sum(axis=0) / total
    variances = np.einsum("kii->ki", data.covariances)
    return mean, (seen * (variances + (data.means - mean) ** 2)).sum(axis=0) / total


def expectation_maximisation(
    data: PatternStatistics, mean: Float[np.ndarray, " p"], cov: Float[np.ndarray, "p p"], steps: int
) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, "p p"]]:
    """At most `steps` EM steps, stopping early when one gains less than 10⁻¹⁰ in log-likelihood."""
    p, before = len(mean), -np.inf
    for _ in range(steps):
        found = moment_derivatives(data, mean, cov, "gradient")
        if found is None or found.loglik - before < 1e-10:
            break
        before = found.loglik
        G = symmetric(found.gradient[p:], p)
        np.fill_diagonal(G, 2.0 * np.diag(G))
        move = cov @ found.gradient[:p] / data.total
        cov = cov + cov @ G @ cov / data.total - np.outer(move, move)
        mean = mean + move
    return mean, cov
