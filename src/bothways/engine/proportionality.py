"""Do hazard ratios stay the same over time? Score tests of an interaction with time (Grambsch & Therneau 1994)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.special import chdtrc

from bothways.engine.cox import CoxData, CoxFit, sweep

Transform = Literal["km", "identity", "log", "rank"]


@dataclass(frozen=True, slots=True)
class ProportionalityTest:
    """Score tests that each log hazard ratio does not change with g(time), and all together."""

    statistic: Float[np.ndarray, "covariates"]
    p: Float[np.ndarray, "covariates"]
    joint: float
    joint_p: float


def proportionality(data: CoxData, fit: CoxFit, transform: Transform = "km") -> ProportionalityTest:
    """Score tests of x g(t) added to the model (exact information as in survival 3).

    With I_m the information in which event time k counts g_k^m times, and U that score with m = 1, the statistic is
    U'(I_2 - I_1 I_0^-1 I_1)^-1 U. g is 1 - S(t-) of Kaplan and Meier, the time, its logarithm, or its rank, less its
    mean over deaths. ValueError where a coefficient is lost.
    """
    if fit.lost.any():
        raise ValueError("a coefficient without a finite estimate cannot be tested for change over time")
    g = _transform(data, data.times, transform) - _transform(data, data.stop[data.event], transform).mean()
    passes = [sweep(data, fit.beta, g**m) for m in range(3)]
    V, cross, square = (p.information for p in passes if p is not None)
    assert passes[1] is not None
    U = passes[1].U
    inner = square - cross @ np.linalg.solve(V, cross)
    own = [square[j, j] - cross[j] @ np.linalg.solve(V, cross[:, j]) for j in range(U.size)]
    statistic = U**2 / np.array(own)
    joint = float(U @ np.linalg.solve(inner, U))
    return ProportionalityTest(statistic, chdtrc(1, statistic), joint, float(chdtrc(U.size, joint)))


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
