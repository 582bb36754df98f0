"""Profile likelihood intervals of linear contrasts, one-sided where the likelihood is monotone.

{d : 2 [l(theta_hat) - max_{c'theta = d} l(theta)] <= chi2_1(level)}. Limits are found by a bracketed secant in d, every
constrained fit starting from the last.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq
from scipy.special import chdtri

from bothways.engine.chain.ascent import ImpossibleError, Rules, ascend
from bothways.engine.chain.fit import ChainFit, Fittable

FAR = 30.0  # on the log scale: a limit beyond exp(30) is none


def profile_interval(
    target: Fittable, found: ChainFit, contrast: Float[np.ndarray, "parameters"], level: float = 0.95
) -> tuple[float, float]:
    """(low, high) of c'theta; -inf or inf on a side on which the likelihood never falls far enough,
    or on which no constrained maximum can be reached."""
    runs = float(np.sign(contrast @ found.drift))
    variance = contrast @ np.where(np.isfinite(found.covariance), found.covariance, 0.0) @ contrast
    scale = float(np.sqrt(variance)) if variance > 0 else 1.0
    low = -np.inf if runs < 0 else _limit(target, found, contrast, level, -scale)
    high = np.inf if runs > 0 else _limit(target, found, contrast, level, scale)
    return low, high


def _limit(target: Fittable, found: ChainFit, c: np.ndarray, level: float, stride: float) -> float:
    """Where the profile has fallen by half the chi-squared quantile, walking in strides and then bisecting."""
    fall, here = float(chdtri(1, 1 - level) / 2), float(c @ found.theta)
    last, none = [found.theta], float(np.copysign(np.inf, stride))
    known = {here: -fall}  # a fit that starts elsewhere may end a little elsewhere: a bracket keeps the signs it had

    def excess(d: float) -> float:
        if d not in known:
            last[0], loglik = constrained(target, last[0], c, d)
            known[d] = found.loglik - loglik - fall
        return known[d]

    near, step = here, 1.5 * stride
    try:
        while abs(near + step - here) < 10 * FAR:
            if excess(near + step) > 0:
                return float(brentq(excess, near, near + step, xtol=1e-4 * abs(stride), rtol=1e-10))
            near, step = near + step, 1.5 * step
    except ImpossibleError:  # so far out nothing that was seen can happen, and no way leads back: no limit is claimed
        return none
    return none


def constrained(
    target: Fittable, theta: Float[np.ndarray, "parameters"], contrast: Float[np.ndarray, "parameters"], value: float
) -> tuple[Float[np.ndarray, "parameters"], float]:
    """(theta, l) that maximise the likelihood among c'theta = value, from the nearest point to ``theta``."""
    c = contrast
    start = theta + c * (value - c @ theta) / (c @ c)
    rules = Rules(damping=1e-4, clip=2.0) if target.exact else Rules(damping=1e-3, clip=2.0)
    climb = ascend(target.evaluate, start, replace(rules, contrasts=c[:, None], tolerance=1e-6))
    return climb.point, climb.last.loglik
