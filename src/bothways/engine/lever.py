"""A randomised lever: whether it moved anything, and the ratio of two effects with Fieller's interval.

For effects d_a, d_b of G arms on a cause and on an outcome, with joint covariance V, the ratio β solves d_b = β d_a:

    Q(β) = (d_b − β d_a)' [V_bb − β (V_ab + V_ba) + β² V_aa]⁻¹ (d_b − β d_a)      (Anderson & Rubin 1949)

β̂ minimises Q (one arm: d_b/d_a); its limits are where Q − min Q meets the critical value, which for one arm is the
interval of Fieller (1954), exact however weak the lever. min Q tests whether G > 1 arms tell one ratio;
F = d_a'V_aa⁻¹d_a/G tells how strong the lever is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq, minimize_scalar
from scipy.special import chdtrc, fdtrc, fdtri

_GRID = 1001


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


@dataclass(frozen=True, slots=True, eq=False)
class _Criterion:
    """Q at β = unit·tan(angle), in sines and cosines so that an infinite β has a value as well."""

    cause: Float[np.ndarray, " arms"]
    outcome: Float[np.ndarray, " arms"]
    aa: Float[np.ndarray, "arms arms"]
    crossed: Float[np.ndarray, "arms arms"]  # V_ab + V_ba
    bb: Float[np.ndarray, "arms arms"]
    unit: float

    def __call__(self, angle: float) -> float:
        s, c = np.sin(angle), np.cos(angle) / self.unit
        miss = self.outcome * c - self.cause * s
        return float(miss @ np.linalg.solve(self.bb * c * c - self.crossed * (s * c) + self.aa * s * s, miss))

    def beta(self, angle: float) -> float:
        """β of an angle; an infinite angle is an infinite β."""
        return self.unit * float(np.tan(angle)) if np.isfinite(angle) else angle

    def error(self, value: float) -> float:
        """1/√(d_a' V(β)⁻¹ d_a): for one arm the delta method's error of a ratio."""
        V = self.bb - value * self.crossed + value * value * self.aa
        return 1.0 / float(np.sqrt(self.cause @ np.linalg.solve(V, self.cause)))


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
    Q = _Criterion(cause, outcome, aa, ab + ab.T, bb, float(np.sqrt(np.trace(bb) / np.trace(aa))))
    best, least = _minimum(Q)
    low, high = _limits(Q, best, least + float(fdtri(1, _finite(freedom), level)))
    return Ratio(
        value=Q.beta(best),
        low=Q.beta(low),
        high=Q.beta(high),
        se=Q.error(Q.beta(best)),
        p=float(fdtrc(1, _finite(freedom), max(Q(0.0) - least, 0.0))),
        strength=float(cause @ np.linalg.solve(aa, cause)) / G,
        misfit=least if G > 1 else float("nan"),
        misfit_p=float(chdtrc(G - 1, least)) if G > 1 else float("nan"),
    )


def _minimum(Q: _Criterion) -> tuple[float, float]:
    """The least of Q over the circle of angles: exact for one arm, else refined about the best point of a grid."""
    if len(Q.cause) == 1:
        return float(np.arctan2(Q.outcome[0] * np.sign(Q.cause[0]) / Q.unit, abs(Q.cause[0]))), 0.0
    grid = np.linspace(-np.pi / 2, np.pi / 2, _GRID)
    values = np.array([Q(angle) for angle in grid])
    k, step = int(np.argmin(values)), grid[1] - grid[0]
    found = minimize_scalar(Q, bounds=(grid[k] - step, grid[k] + step), method="bounded", options={"xatol": 1e-12})
    return (float(found.x), float(found.fun)) if found.fun <= values[k] else (float(grid[k]), float(values[k]))


def _limits(Q: _Criterion, best: float, far: float) -> tuple[float, float]:
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
