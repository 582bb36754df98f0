"""The variance between studies: τ² by REML, DerSimonian-Laird or Paule-Mandel, and how sure it is.

For k estimates y with variances v and a design matrix X (k x p), at one value of τ²: w_i = 1 / (v_i + τ²),
W = diag(w), C = (X'WX)⁻¹, β = C X'Wy, r = y - Xβ, Q(τ²) = Σ w_i r_i² and P = W - WXCX'W.

- "reml": τ² maximises the restricted likelihood (Viechtbauer 2005, 10.3102/10769986030003261)
- "dl": τ² = (Q(0) - (k - p)) / tr P(0) (DerSimonian and Laird 1986, 10.1016/0197-2456(86)90046-2)
- "pm": τ² solves Q(τ²) = k - p (Paule and Mandel 1982, 10.6028/jres.087.022)

each cut off at zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq
from scipy.special import chdtrc, chdtri

Tau2 = Literal["reml", "dl", "pm"]
GRID = 60  # points at which the restricted likelihood is looked at before its summit is pinned down


@dataclass(frozen=True, slots=True)
class Heterogeneity:
    """How much the true effects differ: τ² with its Q-profile interval, Cochran's Q, I² and H².

    With the typical variance s² = (k - p) / tr P(0): I² = τ² / (τ² + s²), H² = τ² / s² + 1.
    """

    tau2: float
    tau2_low: float
    tau2_high: float
    q: float
    q_df: int
    q_p: float
    i2: float
    h2: float


@dataclass(frozen=True, slots=True)
class State:
    """The weighted regression at one value of τ²."""

    w: Float[np.ndarray, "k"]
    C: Float[np.ndarray, "p p"]
    beta: Float[np.ndarray, "p"]
    r: Float[np.ndarray, "k"]

    @property
    def q(self) -> float:
        """Q(τ²)."""
        return float(self.w @ self.r**2)


@dataclass(frozen=True, slots=True)
class Problem:
    """Estimates (k,), their sampling variances (k,) and the design matrix (k, p)."""

    y: Float[np.ndarray, "k"]
    v: Float[np.ndarray, "k"]
    X: Float[np.ndarray, "k p"]

    @property
    def df(self) -> int:
        """k - p."""
        return int(self.X.shape[0] - self.X.shape[1])

    def at(self, tau2: float) -> State:
        """The weighted regression at ``tau2``."""
        w = 1.0 / (self.v + tau2)
        XtW = self.X.T * w
        C = np.linalg.inv(XtW @ self.X)
        beta = C @ XtW @ self.y
        return State(w, C, beta, self.y - self.X @ beta)

    def trace(self, state: State) -> float:
        """tr P."""
        return float(state.w.sum() - np.trace(state.C @ (self.X.T * state.w**2) @ self.X))

    def score(self, tau2: float) -> float:
        """Twice the slope of the restricted log-likelihood: y'PPy - tr P, in which Py = Wr."""
        state = self.at(tau2)
        return float(state.w**2 @ state.r**2) - self.trace(state)

    def loglik(self, tau2: Float[np.ndarray, "t"]) -> Float[np.ndarray, "t"]:
        """The restricted log-likelihood at each value of τ², with every constant.

        -½ [(k - p) ln 2π - ln|X'X| - Σ ln w + ln|X'WX| + Q], in which Q = y'Wy - y'WX C X'Wy.
        """
        w = 1.0 / (self.v + tau2[:, None])
        XtW = self.X.T * w[:, None, :]
        A, b = XtW @ self.X, XtW @ self.y
        q = w @ self.y**2 - np.sum(b * np.linalg.solve(A, b[..., None])[..., 0], axis=1)
        constant = self.df * math.log(2 * math.pi) - np.linalg.slogdet(self.X.T @ self.X)[1]
        loglik: Float[np.ndarray, "t"] = -0.5 * (constant - np.log(w).sum(axis=1) + np.linalg.slogdet(A)[1] + q)
        return loglik


def between_variance(problem: Problem, method: Tau2) -> float:
    """τ² by REML, DerSimonian-Laird or Paule-Mandel, never below zero."""
    if method == "reml":
        return _reml(problem)
    if method == "pm":
        return _where_q_is(problem, float(problem.df))
    fixed = problem.at(0.0)
    return max(0.0, (fixed.q - problem.df) / problem.trace(fixed))


def heterogeneity(problem: Problem, tau2: float, level: float) -> Heterogeneity:
    """The Q-profile interval (Viechtbauer 2007, 10.1002/sim.2514) holds every τ² that Q does not speak against."""
    fixed = problem.at(0.0)
    typical = problem.df / problem.trace(fixed)
    tail = (1 - level) / 2
    return Heterogeneity(
        tau2=tau2,
        tau2_low=_where_q_is(problem, float(chdtri(problem.df, tail))),
        tau2_high=_where_q_is(problem, float(chdtri(problem.df, 1 - tail))),
        q=fixed.q,
        q_df=problem.df,
        q_p=float(chdtrc(problem.df, fixed.q)),
        i2=tau2 / (tau2 + typical),
        h2=tau2 / typical + 1,
    )


def _reml(problem: Problem) -> float:
    """The summit of the restricted likelihood: found on a grid, so that no lesser hill is taken, then by its slope."""
    top = float(np.var(problem.y) + problem.v.max())
    while problem.score(top) > 0:
        top *= 4
    grid = np.concatenate([[0.0], np.geomspace(1e-7 * top, top, GRID)])
    best = int(np.argmax(problem.loglik(grid)))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, GRID)])
    if best == 0 and problem.score(low) <= 0:
        return 0.0
    return float(brentq(problem.score, low, high, xtol=1e-15 * top, rtol=1e-14))


def _where_q_is(problem: Problem, target: float) -> float:
    """The τ² at which Q, which falls in τ², comes down to ``target``; zero where it begins below."""

    def excess(tau2: float) -> float:
        return problem.at(tau2).q - target

    if excess(0.0) <= 0:
        return 0.0
    top = float(np.var(problem.y) + problem.v.max())
    while excess(top) > 0:
        top *= 4
    return float(brentq(excess, 0.0, top, xtol=1e-15 * top, rtol=1e-14))
