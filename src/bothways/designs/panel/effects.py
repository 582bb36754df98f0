"""Functions of a model's parameters that answers are made of: effects by lag, correlations, persistence.

Standardised effect of process j on process i, h waves later, from the lags B_t and the model's own SDs of w:

    β_ij(h) = mean over t of (B_{t+h} ⋯ B_{t+1})_ij · sd(w_j,t) / sd(w_i,t+h)

With one drift matrix D over unequal gaps, h is any span of time (in median gaps) and

    β_ij(h) = (e^{D h})_ij · mean over t of sd(w_j,t−1) / sd(w_i,t)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.linalg import expm

from bothways.designs.panel.estimation import Fitted
from bothways.engine.effects import raw_lags
from bothways.engine.inference import Interval, delta_method
from bothways.engine.moments import implied_moments
from bothways.engine.panel_models.builder import PathModel
from bothways.engine.parameters import Smooth

SPAN = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 12.0)  # horizons of a drift, in median gaps


def headline_function(fitted: Fitted) -> Smooth:
    """α -> the standardised effect of every process on every other, one (median) gap later, flat (K·K)."""
    return course_function(fitted, (1.0,))


def course_function(fitted: Fitted, horizons: Sequence[float]) -> Smooth:
    """α -> effects at the horizons, flat (horizons·K·K), for one α or a batch along leading axes."""
    model = fitted.fit.model
    if fitted.form.lags == "drift":
        return _drift_course(model, horizons)
    return _wave_course(model, [int(h) for h in horizons])


def horizons_of(fitted: Fitted, span: float) -> tuple[float, ...]:
    """The horizons that the observed span (in median gaps) can speak of."""
    if fitted.form.lags == "drift":
        return tuple(h for h in SPAN if h <= span + 1e-9)
    return tuple(float(h) for h in range(1, len(fitted.fit.model.lagged)))


def within_sd(model: PathModel) -> Smooth:
    """α -> sd of the lagged components, (..., waves, K), of the first group."""
    places = np.array(model.lagged)

    def sds(alpha: np.ndarray) -> np.ndarray:
        omega = implied_moments(model.structure, model.cells(alpha)[..., 0, :]).omega
        return np.asarray(np.sqrt(np.diagonal(omega, axis1=-2, axis2=-1)[..., places]))

    return sds


def standardised_by_wave(model: PathModel) -> Smooth:
    """α -> β of each interval, (..., T−1, K, K). Only the lagged states are scaled, so that others may be improper."""
    sds = within_sd(model)

    def lags(alpha: np.ndarray) -> np.ndarray:
        sd = sds(alpha)
        return np.asarray(raw_lags(model)(alpha)[..., 0, :, :, :] * sd[..., :-1, None, :] / sd[..., 1:, :, None])

    return lags


def _wave_course(model: PathModel, horizons: Sequence[int]) -> Smooth:
    sds = within_sd(model)

    def course(alpha: np.ndarray) -> np.ndarray:
        B = raw_lags(model)(alpha)[..., 0, :, :, :]
        sd = sds(alpha)
        rows = [_mean_effect(B, sd, h) for h in horizons]
        return np.stack(rows, axis=-3).reshape(*alpha.shape[:-1], -1)

    return course


def _mean_effect(B: np.ndarray, sd: np.ndarray, h: int) -> np.ndarray:
    """The mean over starting waves of the product of h lag matrices, standardised: (..., K, K)."""
    starts = B.shape[-3] - h + 1
    total = np.zeros((*B.shape[:-3], *B.shape[-2:]), B.dtype)
    for t in range(starts):
        product = B[..., t, :, :]
        for step in range(1, h):
            product = B[..., t + step, :, :] @ product
        total = total + product * sd[..., t, None, :] / sd[..., t + h, :, None]
    return np.asarray(total / starts)


def _drift_course(model: PathModel, horizons: Sequence[float]) -> Smooth:
    sds, (D, K) = within_sd(model), drift_places(model)

    def course(alpha: np.ndarray) -> np.ndarray:
        sd = sds(alpha)
        ratio = (sd[..., :-1, None, :] / sd[..., 1:, :, None]).mean(axis=-3)
        drift = alpha[..., D].reshape(*alpha.shape[:-1], K, K)
        rows = [np.asarray(expm(drift * h)) * ratio for h in horizons]
        return np.stack(rows, axis=-3).reshape(*alpha.shape[:-1], -1)

    return course


def drift_places(model: PathModel) -> tuple[list[int], int]:
    """Places of the drift's entries in α, row by row, and the number of processes."""
    K = len(model.lagged[0])
    return [model.parameters.index(f"D{i + 1}{j + 1}") for i in range(K) for j in range(K)], K


def lag_effects(fitted: Fitted, horizons: Sequence[float], level: float) -> Interval:
    """Effects at the horizons with delta-method intervals, flat (horizons, K, K), outcome by predictor."""
    assert fitted.errors is not None
    return delta_method(course_function(fitted, horizons), fitted.fit, fitted.errors.covariance, level)


def by_wave(fitted: Fitted, level: float) -> Interval:
    """The standardised lags into each wave, flat (T−1)·K·K."""
    assert fitted.errors is not None
    lags = standardised_by_wave(fitted.fit.model)

    def flat(alpha: np.ndarray) -> np.ndarray:
        return np.asarray(lags(alpha).reshape(*alpha.shape[:-1], -1))

    return delta_method(flat, fitted.fit, fitted.errors.covariance, level)


def contrast(fitted: Fitted, level: float) -> Interval:
    """δ = |β_ba| − |β_ab| of the headline effects (a process 1, b process 2): positive where a leads more strongly.

    Limits by the delta method; they are poor where an effect is near zero, and resampling is used there.
    """
    assert fitted.errors is not None
    effects, K = headline_function(fitted), len(fitted.fit.model.lagged[0])
    here = effects(fitted.fit.alpha)
    signs = np.sign(here[[K, 1]])

    def difference(alpha: np.ndarray) -> np.ndarray:
        beta = effects(alpha)
        return np.asarray(signs[0] * beta[..., K : K + 1] - signs[1] * beta[..., 1:2])

    return delta_method(difference, fitted.fit, fitted.errors.covariance, level)


def correlations(fitted: Fitted, pairs: Sequence[tuple[str, str]], level: float, of: str = "total") -> Interval:
    """Correlations of pairs of states: of their disturbances (``of`` "residual") or of the states as a whole.

    NaN where a variance came out negative.
    """
    assert fitted.errors is not None
    model = fitted.fit.model
    i = [model.states.index(a) for a, _ in pairs]
    j = [model.states.index(b) for _, b in pairs]

    def function(alpha: np.ndarray) -> np.ndarray:
        implied = implied_moments(model.structure, model.cells(alpha)[..., 0, :])
        C = implied.S if of == "residual" else implied.omega
        return np.asarray(C[..., i, j] / np.sqrt(C[..., i, i] * C[..., j, j]))

    with np.errstate(invalid="ignore"):
        return delta_method(function, fitted.fit, fitted.errors.covariance, level)
