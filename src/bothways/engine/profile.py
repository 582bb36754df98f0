"""Profile-likelihood intervals of any smooth function f(α): all values c with 2(ℓ̂ − max_{f(α)=c} ℓ) ≤ χ²_{1,level}.

The constrained maximum is reached by Newton steps on the Lagrangian with Fisher information H, a = ∇f:
    d = H⁻¹(g − ν a),  ν = (a'H⁻¹g − (c − f))/(a'H⁻¹a).
Since dℓ/dc = ν there, the signed root √(2(ℓ̂ − ℓ(c))), nearly linear in c, is solved by Newton's method.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import LinAlgError, cho_factor, cho_solve
from scipy.special import ndtri

from bothways.engine.fitting import PanelFit, evaluate
from bothways.engine.parameters import Smooth, complex_step
from bothways.engine.scoring import Evaluation


@dataclass(frozen=True, slots=True)
class ProfileInterval:
    """The limits; one that could not be reached (a flat or broken profile) is NaN."""

    value: float
    low: float
    high: float
    level: float


@dataclass(frozen=True, slots=True, eq=False)
class _Point:
    alpha: Float[np.ndarray, " free"]
    loglik: float
    multiplier: float


def profile_interval(fit: PanelFit, function: Smooth, level: float = 0.95) -> ProfileInterval:
    """The interval of f, which maps (..., free) to (..., 1) and is analytic."""
    value = float(np.asarray(function(fit.alpha)).reshape(-1)[0])
    slope = complex_step(function, fit.alpha)[0]
    error = float(np.sqrt(slope @ np.linalg.solve(fit.information, slope)))
    reach = float(ndtri(0.5 + level / 2))
    limits = [_limit(fit, function, value, side * error, reach) for side in (-1.0, 1.0)]
    return ProfileInterval(value, limits[0], limits[1], level)


def _limit(fit: PanelFit, function: Smooth, value: float, unit: float, reach: float) -> float:
    """Solve √(2(ℓ̂ − ℓ(c))) = reach on the side of `unit`, a signed standard error."""
    c, alpha = value + reach * unit, fit.alpha
    for _ in range(40):
        point = constrained_maximum(fit, function, c, alpha)
        if point is None:
            c = 0.5 * (c + value)
            continue
        root = np.sqrt(max(2.0 * (fit.loglik - point.loglik), 0.0))
        if abs(root - reach) < 1e-7:
            return float(c)
        alpha = point.alpha
        slope = -point.multiplier / root if root > 0 else 1.0 / unit
        if slope * unit <= 0:
            return float("nan")
        c += float(np.clip((reach - root) / slope, -2.0 * abs(unit), 2.0 * abs(unit)))
    return float("nan")


def constrained_maximum(fit: PanelFit, function: Smooth, c: float, start: Float[np.ndarray, " free"]) -> _Point | None:
    """The maximum of ℓ subject to f(α) = c, or None if the steps fail."""
    alpha = start
    here = evaluate(fit.model, fit.data.groups, alpha)
    for _ in range(60):
        if here is None:
            return None
        gap = c - float(np.asarray(function(alpha)).reshape(-1)[0])
        a = complex_step(function, alpha)[0]
        try:
            factor = cho_factor(here.information, lower=True)
        except LinAlgError:
            return None
        Hg, Ha = cho_solve(factor, here.gradient), cho_solve(factor, a)
        nu = float((a @ Hg - gap) / (a @ Ha))
        step = Hg - nu * Ha
        left = here.gradient - nu * a
        if float(left @ cho_solve(factor, left)) < 1e-12 and abs(gap) < 1e-10 * max(1.0, abs(c)):
            return _Point(alpha, here.loglik, nu)
        alpha, here = _move(fit, function, c, alpha, step, here.loglik - 2.0 * abs(nu * gap), 2.0 * abs(nu))
    return None


def _move(
    fit: PanelFit, function: Smooth, c: float, alpha: np.ndarray, step: np.ndarray, merit: float, price: float
) -> tuple[np.ndarray, Evaluation | None]:
    """Halve the step until ℓ − price |c − f| does not fall; after that, take what there is."""
    length, found = 1.0, None
    for _ in range(12):
        trial = alpha + length * step
        found = evaluate(fit.model, fit.data.groups, trial)
        if found is not None:
            missed = abs(c - float(np.asarray(function(trial)).reshape(-1)[0]))
            if found.loglik - price * missed >= merit - 1e-9 * (1.0 + abs(merit)):
                break
        length *= 0.5
    return alpha + length * step, found
