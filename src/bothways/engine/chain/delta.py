"""Uncertainty of any function of the rates, by the delta method on a scale where it is near symmetric.

dF/dtheta = (dF/dq q) dlog q/dtheta, the first factor exact by a complex step. Averaged over rows of covariates.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float
from scipy.special import expit, logit, ndtri

from bothways.engine.chain.estimands import Function
from bothways.engine.chain.predictor import Predictor


class Link(StrEnum):
    """On which scale an interval is symmetric."""

    IDENTITY = "identity"
    LOG = "log"
    LOGIT = "logit"
    PATH = "along the steepest path"  # on none: F at both ends of the path through the Wald ellipsoid


@dataclass(frozen=True, slots=True)
class Interval:
    """Values (m,), their limits at a level, and the standard errors on the link's scale (m,)."""

    value: Float[np.ndarray, "values"]
    low: Float[np.ndarray, "values"]
    high: Float[np.ndarray, "values"]
    error: Float[np.ndarray, "values"]


def to_link(value: np.ndarray, link: Link) -> tuple[np.ndarray, np.ndarray]:
    """(g(value), dg/dvalue)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if link is Link.LOG:
            return np.log(value), 1 / value
        if link is Link.LOGIT:
            return logit(value), 1 / (value * (1 - value))
    return value, np.ones_like(value)


def from_link(value: np.ndarray, link: Link) -> np.ndarray:
    """g inverse."""
    with np.errstate(over="ignore"):
        if link is Link.LOG:
            return np.asarray(np.exp(value))
        if link is Link.LOGIT:
            return np.asarray(expit(value))
        return value


def value_and_slope(
    predictor: Predictor,
    theta: Float[np.ndarray, "parameters"],
    function: Function,
    x: Float[np.ndarray, "rows covariates"] | None = None,
) -> tuple[Float[np.ndarray, "values"], Float[np.ndarray, "values parameters"]]:
    """F and dF/dtheta, averaged over the rows of x (the constant first); covariates 0 where x is None.

    ``theta`` may be longer than the predictor's: what follows does not enter the rates.
    """
    x = np.eye(1, len(predictor.covariates)) if x is None else x
    own = theta[: predictor.size]
    values, slopes = [], []
    for row in x:
        q = np.exp(row @ predictor.coefficients(own)).astype(complex)
        by_log_rate = []
        for k in range(q.size):
            moved = q.copy()
            moved[k] *= 1 + 1e-30j
            by_log_rate.append(np.imag(function(moved)) / 1e-30)
        values.append(np.real(function(q)))
        slopes.append(np.array(by_log_rate).T @ np.tensordot(row, predictor.basis, axes=1))
    slope = np.zeros((values[0].size, theta.size))
    slope[:, : predictor.size] = np.mean(slopes, axis=0)
    return np.mean(values, axis=0), slope


def delta(
    predictor: Predictor,
    theta: Float[np.ndarray, "parameters"],
    covariance: Float[np.ndarray, "parameters parameters"],
    function: Function,
    *,
    link: Link = Link.IDENTITY,
    x: Float[np.ndarray, "rows covariates"] | None = None,
    level: float = 0.95,
) -> Interval:
    """F with limits. Parameters of infinite variance are ignored where F does not move with them; else no limits."""
    value, slope = value_and_slope(predictor, theta, function, x)
    lost = ~np.isfinite(np.diag(covariance))
    moved = np.abs(slope[:, lost]).max(axis=1, initial=0.0) > 1e-5 * np.abs(slope).max(axis=1, initial=0.0)
    kept = np.where(np.isfinite(covariance), covariance, 0.0)
    kept[lost] = kept[:, lost] = 0.0
    at, steep = to_link(value, link)
    with np.errstate(invalid="ignore", over="ignore"):
        variance = np.einsum("mp,pq,mq->m", slope, kept, slope)
        error = np.where(moved, np.inf, np.abs(steep) * np.sqrt(np.maximum(variance, 0.0)))
        reach = ndtri(0.5 + level / 2) * error
        low, high = from_link(at - reach, link), from_link(at + reach, link)
    if link is Link.PATH and not lost.any():
        ends = [_along(predictor, theta, kept, function, x, slope, s * ndtri(0.5 + level / 2)) for s in (-1, 1)]
        return Interval(value, ends[0], ends[1], error)
    return Interval(value, low, high, error)


def _along(
    predictor: Predictor,
    theta: np.ndarray,
    covariance: np.ndarray,
    function: Function,
    x: np.ndarray | None,
    slope: np.ndarray,
    reach: float,
) -> np.ndarray:
    """F_m at theta + reach V s_m / sqrt(s_m' V s_m): the same limits for any monotone function of F_m, to first order.

    Skewness that F brings in through its own curvature is kept, which a symmetric interval loses.
    """
    out = np.empty(slope.shape[0])
    for m, s in enumerate(slope):
        length = np.sqrt(max(s @ covariance @ s, 1e-300))
        out[m] = value_and_slope(predictor, theta + reach * (covariance @ s) / length, function, x)[0][m]
    return out
