"""Effects a reader asks for, as smooth functions of α: standardised lags, their mean, the contrast of directions.

β_ij,t = B_ij,t sd(w_j,t−1)/sd(w_i,t), sd from Ω = F S F', so that it is implied by the model and carries its error.
"""

import numpy as np
from jaxtyping import Float

from bothways.engine.fitting import PanelFit
from bothways.engine.inference import Interval, delta_method
from bothways.engine.moments import fill, implied_moments
from bothways.engine.panel_models.builder import PathModel
from bothways.engine.parameters import Smooth


def raw_lags(model: PathModel) -> Smooth:
    """α -> B of shape (..., groups, T−1, K, K), outcome by predictor."""
    later, earlier = np.array(model.lagged[1:]), np.array(model.lagged[:-1])

    def lags(alpha: np.ndarray) -> np.ndarray:
        A = fill(model.structure, model.cells(alpha))[0]
        return A[..., later[:, :, None], earlier[:, None, :]]

    return lags


def standardised_lags(model: PathModel) -> Smooth:
    """α -> β of shape (..., groups, T−1, K, K)."""
    later, earlier = np.array(model.lagged[1:]), np.array(model.lagged[:-1])

    def lags(alpha: np.ndarray) -> np.ndarray:
        omega = implied_moments(model.structure, model.cells(alpha)).omega
        sd = np.sqrt(np.diagonal(omega, axis1=-2, axis2=-1))
        ratio = sd[..., earlier][..., None, :] / sd[..., later][..., :, None]
        return np.asarray(raw_lags(model)(alpha) * ratio)

    return lags


def standardised(fit: PanelFit, covariance: Float[np.ndarray, "free free"], level: float = 0.95) -> Interval:
    """Every β with its delta-method interval; reshape the values to (groups, T−1, K, K)."""
    return delta_method(_flat(standardised_lags(fit.model)), fit, covariance, level)


def pooled(fit: PanelFit, covariance: Float[np.ndarray, "free free"], level: float = 0.95) -> Interval:
    """The mean of β over waves; reshape the values to (groups, K, K)."""
    lags = standardised_lags(fit.model)
    return delta_method(_flat(lambda alpha: lags(alpha).mean(axis=-3), 3), fit, covariance, level)


def direction_contrast(
    fit: PanelFit, covariance: Float[np.ndarray, "free free"], a: int = 0, b: int = 1, level: float = 0.95
) -> Interval:
    """δ = |β_ba| − |β_ab| of the pooled effects, by group: positive when a drives b more strongly than b drives a.

    The absolute values make the limits poor where an effect is near zero; use the bootstrap there.
    """
    lags = standardised_lags(fit.model)
    mean = lags(fit.alpha).mean(axis=-3)
    signs = np.sign(mean[..., b, a]), np.sign(mean[..., a, b])

    def contrast(alpha: np.ndarray) -> np.ndarray:
        beta = lags(alpha).mean(axis=-3)
        return np.asarray(signs[0] * beta[..., b, a] - signs[1] * beta[..., a, b])

    return delta_method(contrast, fit, covariance, level)


def state_correlation(
    fit: PanelFit, covariance: Float[np.ndarray, "free free"], a: str, b: str, level: float = 0.95
) -> Interval:
    """Correlation of two states by group, such as the random intercepts b1 and b2."""
    i, j = fit.model.states.index(a), fit.model.states.index(b)

    def correlation(alpha: np.ndarray) -> np.ndarray:
        omega = implied_moments(fit.model.structure, fit.model.cells(alpha)).omega
        return np.asarray(omega[..., i, j] / np.sqrt(omega[..., i, i] * omega[..., j, j]))

    return delta_method(correlation, fit, covariance, level)


def explained(fit: PanelFit, covariance: Float[np.ndarray, "free free"], level: float = 0.95) -> Interval:
    """R² = 1 − Ψ_ii/Ω_ii of every lagged state after the first wave; reshape the values to (groups, T−1, K)."""
    later = np.array(fit.model.lagged[1:])

    def share(alpha: np.ndarray) -> np.ndarray:
        implied = implied_moments(fit.model.structure, fit.model.cells(alpha))
        return np.asarray(1.0 - implied.S[..., later, later] / implied.omega[..., later, later])

    return delta_method(_flat(share, 3), fit, covariance, level)


def _flat(function: Smooth, axes: int = 4) -> Smooth:
    """`function` with its last `axes` axes made one."""

    def flat(alpha: np.ndarray) -> np.ndarray:
        values = function(alpha)
        return values.reshape(*values.shape[: values.ndim - axes], -1)

    return flat
