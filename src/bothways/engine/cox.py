"""Cox's proportional hazards on (start, stop] rows: Efron or Breslow ties, strata, cluster-robust errors, PH test.

With w_i = exp(x_i'b) times row i's cumulative hazard over (start, stop], all sums over risk sets collapse to sums over
rows:  U = X'(delta - w),  I = X' diag(w) X - M'M, with M the risk-set means at every death. One pass gives w and M, so
an iteration costs O(np) and one cross-product; score residuals, and so cluster-robust errors, come in one more pass.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import chdtrc, ndtri

from bothways.engine.kernels.cox import risk_sets

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
    """Rows at risk over (start, stop], sorted by stratum and falling stop.

    ``order`` says which row each was; ``centre`` is taken off x, which changes no estimate.
    """

    start: Float[np.ndarray, "rows"]
    stop: Float[np.ndarray, "rows"]
    event: Bool[np.ndarray, "rows"]
    x: Float[np.ndarray, "rows covariates"]
    centre: Float[np.ndarray, "covariates"]
    bounds: Int[np.ndarray, "edges"]
    order: Int[np.ndarray, "rows"]
    by_start: Int[np.ndarray, "rows"]
    cluster: Int[np.ndarray, "rows"] | None
    efron: bool


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
class ProportionalityTest:
    """Score tests that each log hazard ratio does not change with g(time), and all together."""

    statistic: Float[np.ndarray, "covariates"]
    p: Float[np.ndarray, "covariates"]
    joint: float
    joint_p: float


@dataclass(frozen=True, slots=True)
class _Pass:
    loglik: float
    risk: np.ndarray
    hazard: np.ndarray
    means: np.ndarray
    at: np.ndarray
    pull: np.ndarray
    drawn: np.ndarray


def cox_data(
    start: Float[np.ndarray, "rows"],
    stop: Float[np.ndarray, "rows"],
    event: Bool[np.ndarray, "rows"],
    x: Float[np.ndarray, "rows covariates"],
    *,
    stratum: Int[np.ndarray, "rows"] | None = None,
    cluster: Int[np.ndarray, "rows"] | None = None,
    ties: Ties = "efron",
) -> CoxData:
    """Sort rows for the pass. Raises ValueError where start >= stop, a number is not finite or nothing happens."""
    if not (start < stop).all():
        raise ValueError(f"{int((~(start < stop)).sum())} rows do not end after they start")
    if not (np.isfinite(x).all() and np.isfinite(start).all() and np.isfinite(stop).all()):
        raise ValueError("times and covariates must be finite")
    if not event.any():
        raise ValueError("there are no events")
    label = np.zeros(stop.size, dtype=np.int64) if stratum is None else np.unique(stratum, return_inverse=True)[1]
    bounds = np.r_[0, np.cumsum(np.bincount(label))]
    by_stop = np.lexsort((-stop, label)) if label.any() else np.argsort(-stop)
    start, stop, event, label = start[by_stop], stop[by_stop], event[by_stop], label[by_stop]
    by_start = np.lexsort((-start, label)) if label.any() else np.argsort(-start)
    centre = x.mean(axis=0)
    groups = None if cluster is None else _numbered(cluster)[by_stop]
    inside = x[by_stop] - centre
    return CoxData(start, stop, event, inside, centre, bounds, by_stop, by_start, groups, ties == "efron")


def _numbered(label: np.ndarray) -> np.ndarray:
    """Labels as 0, 1, ..; without sorting where they are small numbers already."""
    if label.size and label.dtype.kind in "iu" and label.min() >= 0 and label.max() < 4 * label.size:
        return np.asarray(label, dtype=np.int64)
    return np.asarray(np.unique(label, return_inverse=True)[1], dtype=np.int64)


def _sweep(
    data: CoxData, beta: np.ndarray, power: np.ndarray | None = None, *, residuals: bool = False
) -> _Pass | None:
    """One pass over the risk sets at beta; None where a risk overflows."""
    linear = data.x @ beta
    if not np.abs(linear).max(initial=0.0) < 300.0:
        return None
    deaths, p = int(data.event.sum()), beta.size
    power = np.ones((deaths, 1)) if power is None else power
    hazard, means, at = np.zeros((linear.size, power.shape[1])), np.empty((deaths, p)), np.empty(deaths, np.int64)
    pull, drawn = np.zeros((2, linear.size if residuals else 0, p))
    risk = np.exp(linear)
    fall = risk_sets(
        data.bounds, data.by_start, data.start, data.stop, data.event, data.x, risk, data.efron,
        power, hazard, means, at, pull, drawn,
    )  # fmt: skip
    return _Pass(float(linear[data.event].sum() + fall), risk, hazard, means, at, pull, drawn)


def _slopes(data: CoxData, swept: _Pass) -> tuple[np.ndarray, np.ndarray]:
    """(U, I)."""
    w = swept.risk * swept.hazard[:, 0]
    return data.x.T @ (data.event - w), (data.x * w[:, None]).T @ data.x - swept.means.T @ swept.means


def cox(data: CoxData, *, iterations: int = 60, tolerance: float = 1e-13) -> CoxFit:
    """Newton's method with step halving, ending in a status: a ratio that runs to 0 or infinity is said to."""
    beta = np.zeros(data.x.shape[1])
    here = _sweep(data, beta)
    assert here is not None
    null, scale = here.loglik, np.maximum(data.x.std(axis=0), 1e-300)
    ending, lost, iteration = CoxEnding.STOPPED, np.zeros(beta.size, dtype=bool), 0
    for iteration in range(iterations + 1):
        U, information = _slopes(data, here)
        step, flat = _newton(information, U, scale)
        if abs(float(U @ step)) < tolerance * (1 + abs(here.loglik)) or iteration == iterations:
            drift = np.abs(step * scale) > DRIFT
            gained = abs(float(U @ step)) < tolerance * (1 + abs(here.loglik))
            lost = flat | drift
            if gained:
                ending = (
                    CoxEnding.MONOTONE
                    if drift.any()
                    else CoxEnding.NO_INFORMATION
                    if flat.any()
                    else CoxEnding.CONVERGED
                )
            break
        for _ in range(30):
            trial = _sweep(data, beta + step)
            if trial is not None and trial.loglik >= here.loglik - 1e-12 * abs(here.loglik):
                break
            step = step / 2
        else:
            break
        assert trial is not None
        beta, here = beta + step, trial
    covariance = _inverse(_slopes(data, here)[1], lost)
    robust = None if data.cluster is None else _clustered(data, beta, covariance, lost)
    return CoxFit(beta, covariance, robust, here.loglik, null, int(data.event.sum()), ending, lost, iteration)


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
    """L_i = delta_i (x_i - mean x-bar(t_i)) - exp(x_i'b) int (x_i - x-bar) dLambda over (start, stop]; O(np).

    In the order in which the rows were given.
    """
    out = np.empty_like(data.x)
    out[data.order] = _residuals(data, beta)
    return out


def _residuals(data: CoxData, beta: np.ndarray) -> np.ndarray:
    swept = _sweep(data, beta, residuals=True)
    if swept is None:
        raise ValueError("beta is out of bounds")
    w = swept.risk * swept.hazard[:, 0]
    return np.asarray(data.x * (data.event - w)[:, None] - swept.drawn + swept.risk[:, None] * swept.pull)


def _clustered(data: CoxData, beta: np.ndarray, covariance: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """V (sum_c L_c L_c') V (Lin & Wei 1989), no small-sample factor."""
    assert data.cluster is not None
    residual = _residuals(data, beta)
    sums = np.column_stack([np.bincount(data.cluster, weights=column) for column in residual.T])
    V = np.where(np.isfinite(covariance), covariance, 0.0)
    robust = V @ (sums.T @ sums) @ V
    robust[lost, lost] = np.inf
    return np.asarray(robust)


Transform = Literal["km", "identity", "log", "rank"]


def proportionality(data: CoxData, fit: CoxFit, transform: Transform = "km") -> ProportionalityTest:
    """Score tests of x g(t) added to the model (Grambsch & Therneau 1994; exact information as in survival 3).

    g is 1 - S(t-) of Kaplan and Meier, the time, its logarithm, or its rank. ValueError where a coefficient is lost.
    """
    if fit.lost.any():
        raise ValueError("a coefficient without a finite estimate cannot be tested for change over time")
    first = _sweep(data, fit.beta)
    assert first is not None
    when = _event_times(data)
    g = _transform(data, when[first.at], transform)
    per_time = np.zeros(first.at.size)
    per_time[first.at] = g
    mean = g.mean()
    swept = _sweep(data, fit.beta, np.column_stack([np.ones(g.size), per_time - mean, (per_time - mean) ** 2]))
    assert swept is not None
    V, cross, square = (
        (data.x * (swept.risk * swept.hazard[:, m])[:, None]).T @ data.x
        - (swept.means * ((g - mean) ** m)[:, None]).T @ swept.means
        for m in range(3)
    )
    U = -(swept.means * (g - mean)[:, None]).sum(0)
    own = np.zeros(data.event.size)
    own[data.event] = _transform(data, data.stop[data.event], transform) - mean
    U += data.x.T @ own
    inner = square - cross @ np.linalg.solve(V, cross)
    statistic = np.array(
        [U[j] ** 2 / (square[j, j] - cross[j] @ np.linalg.solve(V, cross[:, j])) for j in range(U.size)]
    )
    joint = float(U @ np.linalg.solve(inner, U))
    return ProportionalityTest(statistic, chdtrc(1, statistic), joint, float(chdtrc(U.size, joint)))


def _event_times(data: CoxData) -> np.ndarray:
    """The event times in the order of processing: strata in turn, times falling."""
    at = np.flatnonzero(data.event)
    stratum, time = np.searchsorted(data.bounds, at, "right"), data.stop[at]
    return np.asarray(time[np.r_[True, (np.diff(time) != 0) | (np.diff(stratum) != 0)]])


def _transform(data: CoxData, time: np.ndarray, transform: Transform) -> np.ndarray:
    """g at the given event times."""
    if transform == "identity":
        return time
    if transform == "log":
        return np.asarray(np.log(time))
    if transform == "rank":  # among all ends of rows, as survival counts
        every = np.sort(data.stop)
        return (np.searchsorted(every, time, "left") + np.searchsorted(every, time, "right") + 1) / 2
    distinct, deaths = np.unique(data.stop[data.event], return_counts=True)
    at_risk = np.searchsorted(np.sort(data.start), distinct, "left") - np.searchsorted(
        np.sort(data.stop), distinct, "left"
    )
    before = np.r_[1.0, np.cumprod(1 - deaths / at_risk)[:-1]]
    return np.asarray(1 - before[np.searchsorted(distinct, time)])
