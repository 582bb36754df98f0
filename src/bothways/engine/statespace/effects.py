"""What a drift means: effects by lag, their peak, and responses to impulses. Row: outcome; column: cause.

    T(h) = exp(Ah) (total);   exp(D A D h) (direct, D zeroes the mediators);   standardised T_ij √S_jj / √S_ii

Every function takes a stack of n drifts (and diffusions), so that draws of the parameters go through unchanged.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from bothways.engine.drift import stationary_covariance, total_effect


class Impulse(StrEnum):
    """What is meant by "B one higher now": four different questions (the kind is always printed).

    EXPERIMENTAL: B alone is set one higher, T e_j. SHOCK: a surprise of one in B is seen, with all that comes with
    such surprises, T Q e_j / Q_jj. LEVEL: B is seen one above its mean, T S e_j / S_jj. PUSH: B is pushed at one a
    unit of time from now on, A⁻¹ (T − I) e_j.
    """

    EXPERIMENTAL = "experimental"
    SHOCK = "observed shock"
    LEVEL = "observed level"
    PUSH = "sustained push"


class NotDetermined(ValueError):  # noqa: N818  (a finding, not a fault)
    """An estimand that this model cannot tell, in one sentence."""


@dataclass(frozen=True, slots=True)
class Peak:
    """The lag at which |T_ij| is greatest, and T_ij there."""

    lag: float
    height: float


def standardised_effect(
    drift: Float[np.ndarray, "n p p"], diffusion: Float[np.ndarray, "n p p"], lags: Float[np.ndarray, " lags"]
) -> Float[np.ndarray, "n lags p p"]:
    """T_ij(h) √S_jj / √S_ii, S the stationary covariance within persons."""
    spread = np.sqrt(np.einsum("nii->ni", stationary_covariance(drift, diffusion)))
    ratio = spread[:, None, :] / spread[:, :, None]
    return np.asarray(total_effect(drift, lags) * ratio[:, None])


def direct_effect(
    drift: Float[np.ndarray, "n p p"], lags: Float[np.ndarray, " lags"], mediators: tuple[int, ...]
) -> Float[np.ndarray, "n lags p p"]:
    """exp(D A D h): what is left when the mediators are held still (Deboeck & Preacher 2016)."""
    D = np.ones(drift.shape[1])
    D[list(mediators)] = 0.0
    return total_effect(drift * D[:, None] * D[None, :], lags)


def impulse_response(
    drift: Float[np.ndarray, "n p p"],
    diffusion: Float[np.ndarray, "n p p"],
    lags: Float[np.ndarray, " lags"],
    cause: int,
    kind: Impulse,
) -> Float[np.ndarray, "n lags p"]:
    """Every process after an impulse of one in ``cause``, by kind."""
    T = total_effect(drift, lags)
    p = drift.shape[1]
    if kind is Impulse.EXPERIMENTAL:
        return T[..., cause]
    if kind is Impulse.PUSH:
        return np.asarray(np.linalg.solve(drift[:, None], (T - np.eye(p))[..., cause][..., None])[..., 0])
    C = diffusion if kind is Impulse.SHOCK else stationary_covariance(drift, diffusion)
    carried = C[:, :, cause] / C[:, cause, cause][:, None]
    return np.asarray(np.einsum("nlij,nj->nli", T, carried))


def common_peak(drift: Float[np.ndarray, "2 2"]) -> float:
    """Where both directions of two first-order processes peak together: the extremum of (e^{λ₁h} − e^{λ₂h})/(λ₁−λ₂).

    ln(λ₂/λ₁)/(λ₁ − λ₂) for real roots, −1/λ for equal ones, atan2(ω, −α)/ω for α ± iω.
    """
    s, d = 0.5 * (drift[0, 0] + drift[1, 1]), 0.5 * (drift[0, 0] - drift[1, 1])
    q2 = float(d * d + drift[0, 1] * drift[1, 0])
    if abs(q2) < 1e-10 * s * s:
        return float(-1.0 / s)
    if q2 < 0:
        omega = np.sqrt(-q2)
        return float(np.arctan2(omega, -s) / omega)
    one, two = s + np.sqrt(q2), s - np.sqrt(q2)
    return float(np.log(two / one) / (one - two))


def peak(drift: Float[np.ndarray, "p p"], outcome: int, cause: int) -> Peak:
    """The greatest |T_ij(h)|, h > 0: on a log grid, then the root of (A T(h))_ij beside it.

    Raises NotDetermined for two first-order processes, where both directions always peak at the same lag.
    """
    if len(drift) == 2:
        raise NotDetermined("with two first-order processes both directions peak at the same lag")
    rates = np.abs(np.linalg.eigvals(drift).real)
    grid = np.geomspace(0.01 / rates.max(), 20.0 / rates.min(), 400)
    T = total_effect(drift[None], grid)[0, :, outcome, cause]
    best = int(np.argmax(np.abs(T)))

    def slope(h: float) -> float:
        return float((drift @ total_effect(drift[None], np.array([h]))[0, 0])[outcome, cause])

    low, high = grid[max(best - 1, 0)], grid[min(best + 1, grid.size - 1)]
    lag = float(grid[best])
    if slope(low) * slope(high) < 0:
        lag = float(brentq(slope, low, high, xtol=1e-10))
    return Peak(lag, float(total_effect(drift[None], np.array([lag]))[0, 0, outcome, cause]))


def half_lives(drift: Float[np.ndarray, "p p"]) -> Float[np.ndarray, " p"]:
    """ln 2 / |Re λ| of each root, slowest first."""
    return np.sort(np.log(2.0) / np.abs(np.linalg.eigvals(drift).real))[::-1]


def periods(drift: Float[np.ndarray, "p p"]) -> Float[np.ndarray, " some"]:
    """2π / |Im λ| of each oscillating pair of roots."""
    waves = np.linalg.eigvals(drift).imag
    return np.asarray(2 * np.pi / waves[waves > 0])
