"""Cox's proportional hazards on (start, stop] rows: Efron or Breslow ties, strata, cluster-robust errors.

With H_i the hazard that row i meets over (start, stop], all sums over risk sets collapse to sums over rows:
U = X'(delta - w) and I = X' diag(w) X - M'M with w_i = exp(x_i'b) H_i and M the risk-set means at every death. Risk
sets are differences of sums by rank of time, so that a pass costs O(np^2) and no row is ever sorted. Score residuals,
summed by cluster as they come, take one pass more.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtri

from bothways.engine.kernels.cox import ranks, residuals, risk_sets
from bothways.engine.survey import Sampling, sampling, totals_meat

Ties = Literal["efron", "breslow"]
DRIFT = 0.05  # a step of this size (in standard deviations of x) with nothing more to gain: no finite maximum


class CoxEnding(StrEnum):
    """How a fit ended."""

    CONVERGED = "converged"
    MONOTONE = "monotone likelihood"
    NO_INFORMATION = "no information"
    STOPPED = "not converged"


@dataclass(frozen=True, slots=True)
class CoxData:
    """Rows at risk over (start, stop], as given, and the ranks of both among the event times.

    ``first`` and ``last`` count event times up to start and up to stop; ``times`` (times,) rise within each stratum.
    ``centre`` is taken off x, which changes no estimate. ``case`` (rows,) is how often a row counts; ``drawn`` says
    which rows were drawn in one cluster, and its stratum, where sampling strata are given.
    """

    start: Float[np.ndarray, "rows"]
    stop: Float[np.ndarray, "rows"]
    event: Bool[np.ndarray, "rows"]
    x: Float[np.ndarray, "rows covariates"]
    centre: Float[np.ndarray, "covariates"]
    times: Float[np.ndarray, "times"]
    first: Int[np.ndarray, "rows"]
    last: Int[np.ndarray, "rows"]
    cluster: Int[np.ndarray, "rows"] | None
    efron: bool
    case: Float[np.ndarray, "rows"]
    drawn: Sampling | None = None


@dataclass(frozen=True, slots=True)
class CoxFit:
    """Log hazard ratios, their covariance, and with clusters a robust one; infinite for lost coefficients."""

    beta: Float[np.ndarray, "covariates"]
    covariance: Float[np.ndarray, "covariates covariates"]
    robust: Float[np.ndarray, "covariates covariates"] | None
    loglik: float
    loglik_null: float
    events: int
    ending: CoxEnding
    lost: Bool[np.ndarray, "covariates"]
    iterations: int

    @property
    def errors(self) -> Float[np.ndarray, "covariates"]:
        """Robust standard errors where there are clusters, else model-based ones."""
        return np.sqrt(np.diag(self.covariance if self.robust is None else self.robust))

    def ratios(self, level: float = 0.95) -> Float[np.ndarray, "covariates 3"]:
        """Hazard ratio, low, high."""
        reach = ndtri(0.5 + level / 2) * self.errors
        with np.errstate(over="ignore"):
            return np.asarray(np.exp(np.column_stack([self.beta, self.beta - reach, self.beta + reach])))


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass at ``beta``; ``hazard``, ``pull`` and ``mean`` by event time, as the kernel describes them."""

    beta: Float[np.ndarray, "covariates"]
    loglik: float
    U: Float[np.ndarray, "covariates"]
    information: Float[np.ndarray, "covariates covariates"]
    risk: Float[np.ndarray, "rows"]
    hazard: Float[np.ndarray, "edges 2"]
    pull: Float[np.ndarray, "edges 2 covariates"]
    mean: Float[np.ndarray, "times covariates"]


def cox_data(
    start: Float[np.ndarray, "rows"],
    stop: Float[np.ndarray, "rows"],
    event: Bool[np.ndarray, "rows"],
    x: Float[np.ndarray, "rows covariates"],
    *,
    stratum: Int[np.ndarray, "rows"] | None = None,
    cluster: Int[np.ndarray, "rows"] | None = None,
    strata: Int[np.ndarray, "rows"] | None = None,
    weight: Float[np.ndarray, "rows"] | None = None,
    ties: Ties = "efron",
) -> CoxData:
    """Rank rows for the passes. Raises ValueError where start >= stop, a number is not finite or nothing happens.

    Each ``stratum`` has a baseline hazard of its own; ``strata`` are those that clusters were drawn from, and
    ``weight`` is the sampling weight.
    """
    if not (start < stop).all():
        raise ValueError(f"{int((~(start < stop)).sum())} rows do not end after they start")
    if not (np.isfinite(x).all() and np.isfinite(start).all() and np.isfinite(stop).all()):
        raise ValueError("times and covariates must be finite")
    if not event.any():
        raise ValueError("there are no events")
    label = np.zeros(stop.size, dtype=np.int64) if stratum is None else _numbered(stratum)
    times, bounds = _event_times(stop[event], label[event], int(label.max()) + 1)
    first, last = np.empty((2, stop.size), dtype=np.int64)
    ranks(times, bounds, label, start, first)
    ranks(times, bounds, label, stop, last)
    centre = np.ones(stop.size) @ x / stop.size
    groups = None if cluster is None else _numbered(cluster)
    case = np.ones(stop.size) if weight is None else np.asarray(weight, dtype=np.float64)
    if not (np.isfinite(case).all() and (case > 0).all()):
        raise ValueError("weights must be positive")
    drawn = None if strata is None else sampling(cluster, strata)
    return CoxData(start, stop, event, x - centre, centre, times, first, last, groups, ties == "efron", case, drawn)


def _event_times(time: np.ndarray, label: np.ndarray, strata: int) -> tuple[np.ndarray, np.ndarray]:
    """The distinct event times, rising within each stratum, and where each stratum's begin (strata + 1,)."""
    order = np.lexsort((time, label)) if strata > 1 else np.argsort(time)
    time, label = time[order], label[order]
    new = np.r_[True, (np.diff(time) != 0) | (np.diff(label) != 0)]
    return time[new], np.r_[0, np.cumsum(np.bincount(label[new], minlength=strata))]


def _numbered(label: np.ndarray) -> np.ndarray:
    """Labels as 0, 1, ..; without sorting where they are small numbers already."""
    if label.size and label.dtype.kind in "iu" and label.min() >= 0 and label.max() < 4 * label.size:
        return np.asarray(label, dtype=np.int64)
    return np.asarray(np.unique(label, return_inverse=True)[1], dtype=np.int64)


def sweep(
    data: CoxData, beta: Float[np.ndarray, "covariates"], weight: Float[np.ndarray, "times"] | None = None
) -> Pass | None:
    """One pass over the risk sets at beta, event times weighed by ``weight``; None where a risk overflows."""
    K, p = data.times.size, beta.size
    sums, dead, deaths = np.zeros((K, p + 1)), np.zeros((K, p + 1)), np.zeros(K, dtype=np.int64)
    hazard, pull, mean = np.zeros((K + 1, 2)), np.zeros((K + 1, 2, p)), np.zeros((K, p))
    U, information, risk = np.zeros(p), np.zeros((p, p)), np.zeros(data.stop.size)
    loglik = risk_sets(
        data.first, data.last, data.event, data.x, data.case, beta, data.efron,
        np.ones(K) if weight is None else weight, risk, sums, deaths, dead, hazard, pull, mean, U, information,
    )  # fmt: skip
    return None if np.isnan(loglik) else Pass(beta, float(loglik), U, information, risk, hazard, pull, mean)


def cox(data: CoxData, *, iterations: int = 60, tolerance: float = 1e-13) -> CoxFit:
    """Newton's method with step halving, ending in a status: a ratio that runs to 0 or infinity is said to."""
    beta = np.zeros(data.x.shape[1])
    here = sweep(data, beta)
    assert here is not None
    null, scale = here.loglik, np.sqrt(np.einsum("np,np->p", data.x, data.x) / data.stop.size + 1e-300)
    ending, lost, iteration = CoxEnding.STOPPED, np.zeros(beta.size, dtype=bool), 0
    for iteration in range(iterations + 1):
        step, flat = _newton(here.information, here.U, scale)
        gained = abs(float(here.U @ step)) < tolerance * (1 + abs(here.loglik))
        if gained or iteration == iterations:
            drift = np.abs(step * scale) > DRIFT
            lost = flat | drift
            ending = _ending(drift, flat) if gained else ending
            break
        there = _climb(data, here, step)
        if there is None:
            break
        here = there
    covariance = _inverse(here.information, lost)
    robust = None if data.cluster is None and data.drawn is None else _clustered(data, here, covariance, lost)
    return CoxFit(here.beta, covariance, robust, here.loglik, null, int(data.event.sum()), ending, lost, iteration)


def _climb(data: CoxData, here: Pass, step: np.ndarray) -> Pass | None:
    """The pass a step away, halved until the likelihood does not fall; None where it always does."""
    for _ in range(30):
        trial = sweep(data, here.beta + step)
        if trial is not None and trial.loglik >= here.loglik - 1e-12 * abs(here.loglik):
            return trial
        step = step / 2
    return None


def _ending(drift: np.ndarray, flat: np.ndarray) -> CoxEnding:
    if drift.any():
        return CoxEnding.MONOTONE
    return CoxEnding.NO_INFORMATION if flat.any() else CoxEnding.CONVERGED


def _newton(information: np.ndarray, U: np.ndarray, scale: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(step, flat): Newton's step, with columns that hold no information left where they are."""
    unit = information * np.outer(1 / scale, 1 / scale)
    diagonal = np.sqrt(np.maximum(np.diag(unit), 1e-300))
    values, vectors = np.linalg.eigh(unit / np.outer(diagonal, diagonal))
    kept = values > 1e-10
    along = vectors.T @ (U / scale / diagonal)
    step = vectors @ np.where(kept, along / np.where(kept, values, 1.0), 0.0) / scale / diagonal
    return step, (np.abs(vectors[:, ~kept]) > 0.1).any(axis=1)


def _inverse(information: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """The inverse on what can be estimated; infinite variance for the rest."""
    out = np.zeros_like(information)
    keep = np.ix_(~lost, ~lost)
    out[keep] = np.linalg.inv(information[keep])
    out[lost, lost] = np.inf
    return out


def score_residuals(data: CoxData, beta: Float[np.ndarray, "covariates"]) -> Float[np.ndarray, "rows covariates"]:
    """case_i L_i, L_i = delta_i (x_i - mean x-bar(t_i)) - exp(x_i'b) int (x_i - x-bar) dLambda over (start, stop].

    O(np); in the order in which the rows were given. ValueError where beta is out of bounds.
    """
    here = sweep(data, beta)
    if here is None:
        raise ValueError("beta is out of bounds")
    return _residuals(data, here, np.arange(data.stop.size), data.stop.size)


def _residuals(data: CoxData, here: Pass, place: np.ndarray, size: int) -> np.ndarray:
    """Score residuals summed by ``place`` (rows,): (size, covariates)."""
    out = np.zeros((size, here.beta.size))
    residuals(
        data.first, data.last, data.event, data.x, data.case, here.risk, here.hazard, here.pull, here.mean, place, out
    )  # fmt: skip
    return out


def _clustered(data: CoxData, here: Pass, covariance: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """V (sum_c L_c L_c') V (Lin & Wei 1989), no small-sample factor; within strata that of `survey` (Binder 1992)."""
    if data.drawn is not None:
        M = totals_meat(_residuals(data, here, data.drawn.unit, data.drawn.units), data.drawn)
    else:
        assert data.cluster is not None
        sums = _residuals(data, here, data.cluster, int(data.cluster.max()) + 1)
        M = sums.T @ sums
    V = np.where(np.isfinite(covariance), covariance, 0.0)
    robust = V @ M @ V
    robust[lost, lost] = np.inf
    return np.asarray(robust)
