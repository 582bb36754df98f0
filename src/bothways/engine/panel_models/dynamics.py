"""The lagged part that the families share: w_t = B_t w_{t−1} + ζ_t, Ψ_t = Cov(ζ_t), Ψ_1 = Cov(w_1).

lags       free          B_t differs by wave                       labels B21_2, B21_3, ... (into wave t)
           equal         one B                                     B21
           standardised  one β of within-person standard deviations; B_t = D_t β D_{t−1}⁻¹, D_t = diag(sd w_t)
           drift         B_t = exp(D Δ_t) over gaps Δ_t            D21 (Voelkle et al. 2012)
residuals  free          Ψ_t differs by wave                       Psi21_1, Psi21_2, ...
           equal         one Ψ after wave 1                        Psi21_1, Psi21
           stationary    Ψ_t = W − B_t W B_t', W = Cov(w_t)        W21
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np

from bothways.engine.exponential import exponential
from bothways.engine.panel_models.builder import Cell, PathBuilder, covariance_block, symmetric_labels

Lags = Literal["free", "equal", "standardised", "drift"]
Residuals = Literal["free", "equal", "stationary"]


def add_dynamics(
    builder: PathBuilder,
    w: Sequence[Sequence[int]],
    lags: Lags = "free",
    residuals: Residuals = "free",
    gaps: Sequence[float] | None = None,
) -> None:
    """Connect the states w[t][k]. `gaps` (T−1 positive numbers) are needed by, and only allowed with, drift.

    Raises ValueError for combinations that have no meaning.
    """
    _check(len(w), lags, residuals, gaps)
    K = len(w[0])
    if lags == "standardised":
        _standardised(builder, w)
        return
    arrows = [_arrows(builder, w, t, lags) for t in range(1, len(w))]
    drift = [f"D{i + 1}{j + 1}" for i in range(K) for j in range(K)]
    if lags == "drift" and gaps is not None:
        for cells, gap in zip(arrows, gaps, strict=True):
            builder.curve(drift, cells, partial(_transition, gap=float(gap)))
    if residuals == "stationary":
        _stationary(builder, w, lags, gaps)
        return
    covariance_block(builder, w[0], "Psi", "_1")
    for t in range(1, len(w)):
        covariance_block(builder, w[t], "Psi", f"_{t + 1}" if residuals == "free" else "")


def _check(waves: int, lags: Lags, residuals: Residuals, gaps: Sequence[float] | None) -> None:
    if (lags == "drift") != (gaps is not None):
        raise ValueError("gaps belong to lags='drift', and drift needs them")
    if gaps is not None and (len(gaps) != waves - 1 or min(gaps) <= 0):
        raise ValueError(f"{waves} waves have {waves - 1} gaps, all positive; found {list(gaps)}")
    if residuals == "stationary" and lags in ("free", "standardised"):
        raise ValueError("stationary residuals need lags='equal' or 'drift'")
    if residuals == "equal" and lags == "standardised":
        raise ValueError("standardised lags leave the residual covariances free")


def _arrows(builder: PathBuilder, w: Sequence[Sequence[int]], t: int, lags: Lags) -> list[Cell]:
    suffix = {"free": f"_{t + 1}", "equal": ""}.get(lags)
    return [
        builder.path(outcome, predictor, None if suffix is None else f"B{i + 1}{j + 1}{suffix}")
        for i, outcome in enumerate(w[t])
        for j, predictor in enumerate(w[t - 1])
    ]


def _stationary(builder: PathBuilder, w: Sequence[Sequence[int]], lags: Lags, gaps: Sequence[float] | None) -> None:
    K = len(w[0])
    covariance_block(builder, w[0], "W")
    labels = [f"{'D' if lags == 'drift' else 'B'}{i + 1}{j + 1}" for i in range(K) for j in range(K)]
    labels += [label for _, _, label in symmetric_labels("W", K)]
    for t in range(1, len(w)):
        cells = [builder.covary(w[t][i], w[t][j], None) for i, j, _ in symmetric_labels("W", K)]
        gap = None if gaps is None else float(gaps[t - 1])
        builder.curve(labels, cells, partial(_stationary_residual, K=K, gap=gap))


def _standardised(builder: PathBuilder, w: Sequence[Sequence[int]]) -> None:
    """Free parameters: β, the standard deviations sd_t and the correlations r_t of w_t at every wave."""
    K, T = len(w[0]), len(w)
    beta = [f"beta{i + 1}{j + 1}" for i in range(K) for j in range(K)]
    scales = [[f"sd{i + 1}_{t + 1}" for i in range(K)] for t in range(T)]
    ties = [[f"r{i + 1}{j + 1}_{t + 1}" for i in range(K) for j in range(i)] for t in range(T)]
    for t in range(T):
        lower = [builder.covary(w[t][i], w[t][j], None) for i in range(K) for j in range(i + 1)]
        if t == 0:
            builder.curve([*scales[0], *ties[0]], lower, partial(_scaled_correlation, K=K))
            continue
        arrows = [builder.path(a, b, None) for a in w[t] for b in w[t - 1]]
        builder.curve([*beta, *scales[t], *scales[t - 1]], arrows, partial(_rescaled_lag, K=K))
        builder.curve([*beta, *scales[t], *ties[t], *ties[t - 1]], lower, partial(_rescaled_residual, K=K))


def _square(x: np.ndarray, K: int) -> np.ndarray:
    return x.reshape(*x.shape[:-1], K, K)


def _symmetric(x: np.ndarray, K: int) -> np.ndarray:
    X = np.zeros((*x.shape[:-1], K, K), x.dtype)
    rows, columns = np.tril_indices(K)
    X[..., rows, columns] = x
    X[..., columns, rows] = x
    return X


def _correlation(x: np.ndarray, K: int) -> np.ndarray:
    X = np.zeros((*x.shape[:-1], K, K), x.dtype) + np.eye(K)
    rows, columns = np.tril_indices(K, -1)
    X[..., rows, columns] = x
    X[..., columns, rows] = x
    return X


def _lower(X: np.ndarray) -> np.ndarray:
    rows, columns = np.tril_indices(X.shape[-1])
    return X[..., rows, columns]


def _transition(x: np.ndarray, gap: float) -> np.ndarray:
    """vec exp(D Δ)."""
    K = round(x.shape[-1] ** 0.5)
    return exponential(_square(x, K) * gap).reshape(x.shape)


def _stationary_residual(x: np.ndarray, K: int, gap: float | None) -> np.ndarray:
    """vech(W − B W B'), B = exp(D Δ) if there is a gap."""
    B = _square(x[..., : K * K] if gap is None else _transition(x[..., : K * K], gap), K)
    W = _symmetric(x[..., K * K :], K)
    return _lower(W - B @ W @ B.swapaxes(-1, -2))


def _scaled_correlation(x: np.ndarray, K: int) -> np.ndarray:
    """vech(D R D) of standard deviations and correlations."""
    sd, R = x[..., :K], _correlation(x[..., K:], K)
    return _lower(sd[..., :, None] * R * sd[..., None, :])


def _rescaled_lag(x: np.ndarray, K: int) -> np.ndarray:
    """vec(D_t β D_{t−1}⁻¹)."""
    beta, now, before = _square(x[..., : K * K], K), x[..., K * K : K * K + K], x[..., K * K + K :]
    return np.asarray(now[..., :, None] * beta / before[..., None, :]).reshape(*x.shape[:-1], K * K)


def _rescaled_residual(x: np.ndarray, K: int) -> np.ndarray:
    """vech D_t (R_t − β R_{t−1} β') D_t."""
    ties = K * (K - 1) // 2
    beta, sd, rest = _square(x[..., : K * K], K), x[..., K * K : K * K + K], x[..., K * K + K :]
    now, before = _correlation(rest[..., :ties], K), _correlation(rest[..., ties:], K)
    residual = now - beta @ before @ beta.swapaxes(-1, -2)
    return _lower(sd[..., :, None] * residual * sd[..., None, :])
