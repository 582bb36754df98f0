"""A randomised lever: whether it moved anything, and the ratio of two effects with Fieller's interval.

For effects d_a, d_b of G arms on a cause and on an outcome, with joint covariance V, the ratio β solves d_b = β d_a:

    Q(β) = (d_b − β d_a)' [V_bb − β (V_ab + V_ba) + β² V_aa]⁻¹ (d_b − β d_a)      (Anderson & Rubin 1949)

β̂ minimises Q (one arm: d_b/d_a); its limits are where Q − min Q meets the critical value, which for one arm is the
interval of Fieller (1954), exact however weak the lever. min Q tests whether G > 1 arms tell one ratio;
F = d_a'V_aa⁻¹d_a/G tells how strong the lever is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq, minimize_scalar
from scipy.special import chdtrc, fdtrc, fdtri

_GRID = 1001
Angled = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Ratio:
    """β̂ with its limits (infinite where the lever is too weak for one), error, p of β = 0.

    ``strength`` is F of the lever. ``misfit`` and ``misfit_p`` test that all arms tell one ratio (NaN for one arm).
    """

    value: float
    low: float
    high: float
    se: float
    p: float
    strength: float
    misfit: float
    misfit_p: float


def wald(effects: Float[np.ndarray, " arms"], covariance: Float[np.ndarray, "arms arms"], freedom: float) -> float:
    """p of "no arm has an effect": d'V⁻¹d/G against F with G and ``freedom`` degrees."""
    F = float(effects @ np.linalg.solve(covariance, effects)) / len(effects)
    return float(fdtrc(len(effects), _finite(freedom), F))


def ratio(
    cause: Float[np.ndarray, " arms"],
    outcome: Float[np.ndarray, " arms"],
    covariance: Float[np.ndarray, "both both"],
    freedom: float = np.inf,
    level: float = 0.95,
) -> Ratio:
    """The ratio of ``outcome`` to ``cause``; ``covariance`` holds the arms of the cause first, then of the outcome."""
    G = len(cause)
    aa, ab, bb = covariance[:G, :G], covariance[:G, G:], covariance[G:, G:]
    unit = float(np.sqrt(np.trace(bb) / np.trace(aa)))

    def Q(angle: float) -> float:  # noqa: N802 - as in the equation
        """Q at β = unit·tan(angle), in sines and cosines so that an infinite β has a value as well."""
        s, c = np.sin(angle), np.cos(angle) / unit
        miss = outcome * c - cause * s
        V = bb * c * c - (ab + ab.T) * (s * c) + aa * s * s
        return float(miss @ np.linalg.solve(V, miss))

    grid = np.linspace(-np.pi / 2, np.pi / 2, _GRID)
    values = np.array([Q(angle) for angle in grid])
    best, least = _minimum(Q, grid, values)
    if G == 1:
        best, least = float(np.arctan2(outcome[0] * np.sign(cause[0]) / unit, abs(cause[0]))), 0.0
    far = least + float(fdtri(1, _finite(freedom), level))
    low, high = _limits(Q, best, far)
    value = unit * float(np.tan(best))
    V = bb - value * (ab + ab.T) + value * value * aa
    se = 1.0 / float(np.sqrt(cause @ np.linalg.solve(V, cause)))
    misfit_p = float(chdtrc(G - 1, least)) if G > 1 else float("nan")
    return Ratio(
        value,
        unit * float(np.tan(low)) if np.isfinite(low) else -np.inf,
        unit * float(np.tan(high)) if np.isfinite(high) else np.inf,
        se,
        float(fdtrc(1, _finite(freedom), max(Q(0.0) - least, 0.0))),
        float(cause @ np.linalg.solve(aa, cause)) / G,
        least if G > 1 else float("nan"),
        misfit_p,
    )


def _minimum(Q: Angled, grid: np.ndarray, values: np.ndarray) -> tuple[float, float]:
    """The least of Q over the circle of angles, refined about the best point of the grid."""
    k = int(np.argmin(values))
    step = grid[1] - grid[0]
    found = minimize_scalar(Q, bounds=(grid[k] - step, grid[k] + step), method="bounded", options={"xatol": 1e-12})
    return (float(found.x), float(found.fun)) if found.fun <= values[k] else (float(grid[k]), float(values[k]))


def _limits(Q: Angled, best: float, far: float) -> tuple[float, float]:
    """Where Q first passes ``far`` on either side; both infinite where the way leads through an infinite β."""
    ends = []
    for edge in (-np.pi / 2, np.pi / 2):
        path = np.linspace(best, edge, _GRID)
        passed = next((k for k in range(1, _GRID) if Q(path[k]) > far), 0)
        if not passed:
            return -np.inf, np.inf
        found = brentq(lambda angle: Q(angle) - far, *sorted((path[passed - 1], path[passed])), xtol=1e-14)
        ends.append(float(found))
    return ends[0], ends[1]


def _finite(freedom: float) -> float:
    """F with infinite degrees, as near as the function takes it."""
    return min(freedom, 1e9)
