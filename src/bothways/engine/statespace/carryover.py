"""Does anything carry over from one answer to the next? A likelihood-ratio test of a process against mere scatter.

H₀: answers about their levels are independent from one row to the next (a drift at the bound of the module `bound`,
where p equal roots leave a tenth of a sampling error). 2(ℓ − ℓ₀) is compared with χ² on the p² cells of the drift;
A moves within a cone about H₀ and not freely, so that the test errs on the side of H₀.

Under H₀ an error of measurement and a process are one and the same, and neither has a variance of its own to estimate.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import chdtrc

from bothways.engine.statespace.bound import bounded
from bothways.engine.statespace.fit import StateSpaceFit, fit_series
from bothways.engine.statespace.structure import FREE, replace_pattern


@dataclass(frozen=True, slots=True)
class CarryOver:
    """2(ℓ − ℓ₀), its degrees of freedom, and the chance of as much where nothing carries over."""

    statistic: float
    df: int
    p: float


def carry_over(fit: StateSpaceFit) -> CarryOver:
    """The test, for a fitted model without errors of measurement."""
    structure, p = fit.structure, len(fit.structure.drift)
    rate = bounded(structure, fit.series, 0.5).fastest / p
    still = replace_pattern(replace(structure, fastest=np.inf, signed=False), "drift", -rate * np.eye(p))
    own = np.where(np.eye(p, dtype=bool), FREE, structure.diffusion_root)  # also where the fit held it at zero
    scattered = fit_series(replace_pattern(still, "diffusion_root", own), fit.series)
    statistic = max(2.0 * (fit.loglik - scattered.loglik), 0.0)
    df = int(np.isnan(structure.drift).sum())
    return CarryOver(statistic, df, float(chdtrc(df, statistic)))
