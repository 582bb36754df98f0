"""Starting values of the within-between decomposition, from the mean and covariance of the data.

Φ = mean cross-covariance over lags of two waves or more, its variances clipped to [0.1 v̄, 0.7 v_min] and its
correlations to ±0.8; Ψ_ii = 0.9 (v_i − Φ_ii) at later waves; autoregressions 0.2, cross-lags 0.
"""

from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

AUTOREGRESSION = 0.2


def between_covariance(cov: Float[np.ndarray, "T K T K"]) -> Float[np.ndarray, "K K"]:
    """The start of Φ for variables by wave and process."""
    T, K = cov.shape[:2]
    far = [(t, s) for t in range(T) for s in range(t) if t - s >= 2] or [(t, s) for t in range(T) for s in range(t)]
    phi = np.mean([cov[t, :, s, :] for t, s in far], axis=0)
    phi = 0.5 * (phi + phi.T)
    variances = np.einsum("tktk->tk", cov)
    low = np.minimum(0.1 * variances.mean(axis=0), 0.7 * variances.min(axis=0))
    diagonal = np.clip(np.diag(phi), low, 0.7 * variances.min(axis=0))
    bound = 0.8 * np.sqrt(np.outer(diagonal, diagonal))
    phi = np.asarray(np.clip(phi, -bound, bound))
    phi[np.arange(K), np.arange(K)] = diagonal
    return phi


def dynamic_starts(
    cov: Float[np.ndarray, "T K T K"], phi: Float[np.ndarray, "K K"], gaps: tuple[float, ...] | None
) -> Mapping[str, float]:
    """Every label that `add_dynamics` can use, started as if the within part were cov − 1 1' ⊗ Φ."""
    T, K = cov.shape[:2]
    starts: dict[str, float] = {}
    within = [cov[t, :, t, :] - phi for t in range(T)]
    pooled = np.mean(within, axis=0)
    for i in range(K):
        for j in range(K):
            lag = AUTOREGRESSION if i == j else 0.0
            names = [f"B{i + 1}{j + 1}", f"beta{i + 1}{j + 1}", *(f"B{i + 1}{j + 1}_{t + 1}" for t in range(1, T))]
            starts |= dict.fromkeys(names, lag)
            starts[f"D{i + 1}{j + 1}"] = np.log(AUTOREGRESSION) / float(np.mean(gaps or 1.0)) if i == j else 0.0
            if j > i:
                continue
            starts[f"Psi{i + 1}{j + 1}"] = 0.9 * pooled[i, j]
            starts[f"W{i + 1}{j + 1}"] = pooled[i, j]
            for t in range(T):
                starts[f"Psi{i + 1}{j + 1}_{t + 1}"] = (0.9 if t else 1.0) * within[t][i, j]
                starts[f"r{i + 1}{j + 1}_{t + 1}"] = within[t][i, j] / np.sqrt(within[t][i, i] * within[t][j, j])
        for t in range(T):
            starts[f"sd{i + 1}_{t + 1}"] = np.sqrt(within[t][i, i])
    return starts


def symmetric_starts(prefix: str, X: Float[np.ndarray, "k k"]) -> Mapping[str, float]:
    """Phi11, Phi21, ... from a matrix."""
    return {f"{prefix}{i + 1}{j + 1}": float(X[i, j]) for i in range(len(X)) for j in range(i + 1)}
