"""Dynamic panel models: y_t = μ_t + α + B y_{t−1} + ε_t for t ≥ 2, the first wave exogenous, Cov(α, y_1) free.

Allison, Williams & Moral-Benito (2017). Here the lags connect the scores themselves and α is an accumulating
person effect, not a mean level. Means are saturated, so intercepts are those of centred scores.
"""

from collections.abc import Mapping

import numpy as np

from bothways.engine.panel_models.builder import PathBuilder, PathModel, covariance_block
from bothways.engine.panel_models.dynamics import Lags, add_dynamics
from bothways.engine.panel_models.starts import (
    AUTOREGRESSION,
    between_covariance,
    dynamic_starts,
    symmetric_starts,
)


def dynamic_panel(processes: int = 2, waves: int = 4, *, lags: Lags = "equal") -> PathModel:
    """All processes modelled: person effects α (Cov = Phi), Cov(α_i, y_j1) = C<ij>, residual covariances Psi_t.

    Raises ValueError for fewer than three waves, or four with lags free over time.
    """
    least = 4 if lags == "free" else 3
    if waves < least or lags not in ("free", "equal"):
        raise ValueError(f"the dynamic panel model needs lags 'free' (4 waves) or 'equal' (3); found {lags!r}, {waves}")
    K, T = processes, waves
    builder = PathBuilder()
    alpha = [builder.state(f"a{k + 1}") for k in range(K)]
    y = [[builder.state(f"y{k + 1}_{t + 1}") for k in range(K)] for t in range(T)]
    covariance_block(builder, alpha, "Phi")
    for i in range(K):
        for j in range(K):
            builder.covary(alpha[i], y[0][j], f"C{i + 1}{j + 1}")
    add_dynamics(builder, y, lags)
    for t in range(T):
        for k in range(K):
            builder.observe(f"y{k + 1}_{t + 1}", [y[t][k]])
            if t:
                builder.path(y[t][k], alpha[k], 1.0)

    def start(mean: np.ndarray, cov: np.ndarray) -> Mapping[str, float]:
        return _starts(mean, cov.reshape(T, K, T, K))

    return builder.build(start, lagged=y)


def predetermined_panel(predictors: int = 1, waves: int = 4, *, lags: Lags = "equal") -> PathModel:
    """One outcome y (process 1) with predetermined regressors x: y_t = μ_t + α + B11 y_{t−1} + B1j x_{j,t−1} + ε_t.

    x is not modelled: α, y_1 and all x covary freely, and ε_t covaries with x_s for s ≥ t, so that y may drive later
    x. Variables: y_1, x_1, y_2, x_2, ..., y_T; the last wave of x would be saturated and is left out.

    Raises ValueError for fewer than three waves.
    """
    if waves < 3 or lags not in ("free", "equal"):
        raise ValueError(f"needs three waves and lags 'free' or 'equal'; found {waves}, {lags!r}")
    T = waves
    builder = PathBuilder()
    alpha = builder.state("a1")
    y = [builder.state(f"y1_{t + 1}") for t in range(T)]
    x = [[builder.state(f"y{j + 2}_{t + 1}") for j in range(predictors)] for t in range(T - 1)]
    exogenous = [alpha, y[0], *(state for wave in x for state in wave)]
    covariance_block(builder, exogenous, "X.")
    for t in range(1, T):
        suffix = f"_{t + 1}" if lags == "free" else ""
        builder.path(y[t], alpha, 1.0)
        for j, source in enumerate([y[t - 1], *x[t - 1]]):
            builder.path(y[t], source, f"B1{j + 1}{suffix}")
        builder.covary(y[t], y[t], f"Psi11_{t + 1}")
        for s in range(t, T - 1):
            for j, later in enumerate(x[s]):
                builder.covary(y[t], later, f"E{t + 1}.{j + 2}_{s + 1}")
    for t in range(T):
        for state in [y[t], *(x[t] if t < T - 1 else [])]:
            builder.observe(builder.states[state], [state])

    def start(mean: np.ndarray, cov: np.ndarray) -> Mapping[str, float]:
        return _predetermined_starts(mean, cov, predictors + 1, T)

    return builder.build(start)


def _predetermined_starts(mean: np.ndarray, cov: np.ndarray, K: int, T: int) -> Mapping[str, float]:
    """Moments of the exogenous part as observed, α as in the cross-lagged models, ε uncorrelated with later x."""
    own = np.arange(T) * K
    phi = float(between_covariance(cov[np.ix_(own, own)].reshape(T, 1, T, 1))[0, 0])
    places = [0, *(t * K + j for t in range(T - 1) for j in range(1, K))]
    block = np.zeros((len(places) + 1,) * 2)
    block[1:, 1:] = cov[np.ix_(places, places)]
    share = 1.0 - AUTOREGRESSION
    block[0, 0], block[0, 1], block[1, 0] = share**2 * phi, share * phi, share * phi
    starts = dict(symmetric_starts("X.", block)) | {"B11": AUTOREGRESSION}
    for t in range(1, T):
        starts[f"Psi11_{t + 1}"] = 0.9 * float(cov[own[t], own[t]] - phi)
        starts[f"B11_{t + 1}"] = AUTOREGRESSION
    for position, value in enumerate(mean):
        starts[f"mean.y{position % K + 1}_{position // K + 1}"] = float(value)
    return starts


def _starts(mean: np.ndarray, cov: np.ndarray) -> Mapping[str, float]:
    T, K = cov.shape[:2]
    phi = between_covariance(cov)
    share = 1.0 - AUTOREGRESSION
    starts = dict(dynamic_starts(cov, phi, None)) | dict(symmetric_starts("Phi", share**2 * phi))
    for i in range(K):
        for j in range(K):
            starts[f"C{i + 1}{j + 1}"] = share * phi[i, j]
            if j <= i:
                starts[f"Psi{i + 1}{j + 1}_1"] = cov[0, i, 0, j]
    return starts | {f"mean.y{k + 1}_{t + 1}": float(mean[t * K + k]) for t in range(T) for k in range(K)}
