"""Random-effects and mixed-effects pooling of estimates with known sampling variances.

The model, for k estimates y with variances v and a design matrix X (k x p; a column of ones to pool):

    y_i = x_i' β + u_i + e_i,    u_i ~ N(0, τ²),    e_i ~ N(0, v_i)

With w_i = 1 / (v_i + τ²), W = diag(w), C = (X'WX)⁻¹ and the residual r = y - Xβ:

    β = C X'Wy,    Q(τ²) = Σ w_i r_i²

with τ² from ``engine.between``. Tests of β: "z" takes C as it is; "knapp" multiplies C by s² = Q(τ²) / (k - p) and uses
t with k - p degrees of freedom (Knapp and Hartung 2003, 10.1002/sim.1482); "adhoc" does so with max(1, s²), so
that an interval is never narrower than "z" makes its standard error (Röver 2015, PMC4647507).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.special import chdtrc, fdtrc, ndtr, ndtri, stdtr, stdtrit

from bothways.engine.between import Heterogeneity, Problem, Tau2, between_variance, heterogeneity

Test = Literal["z", "knapp", "adhoc"]


@dataclass(frozen=True, slots=True)
class Pooled:
    """What pooling found. ``df`` is infinite where the test is "z"; ``weights`` sum to one."""

    beta: Float[np.ndarray, "p"]
    covariance: Float[np.ndarray, "p p"]
    low: Float[np.ndarray, "p"]
    high: Float[np.ndarray, "p"]
    statistic: Float[np.ndarray, "p"]
    p: Float[np.ndarray, "p"]
    df: float
    weights: Float[np.ndarray, "k"]
    loglik: float
    heterogeneity: Heterogeneity
    level: float

    @property
    def se(self) -> Float[np.ndarray, "p"]:
        """The standard errors of ``beta``."""
        return np.sqrt(np.diag(self.covariance))


def pool(
    y: Float[np.ndarray, "k"],
    v: Float[np.ndarray, "k"],
    X: Float[np.ndarray, "k p"] | None = None,
    *,
    tau2: Tau2 = "reml",
    test: Test = "adhoc",
    level: float = 0.95,
) -> Pooled:
    """Pool ``y`` (k,) with sampling variances ``v`` (k,), or regress it on ``X`` (k, p).

    Ratios come in as logarithms. The equations stand at the head of this module; the reference is metafor 3.8-1.

    Raises
    ------
    ValueError : where variances are not above zero, numbers are not finite, there are no more estimates than
        coefficients, or the columns of ``X`` depend on one another.
    """
    problem = _checked(y, v, np.ones((y.size, 1)) if X is None else X)
    found = between_variance(problem, tau2)
    state = problem.at(found)
    df, stretch = _inference(test, state.q / problem.df, problem.df)
    covariance = state.C * stretch
    se = np.sqrt(np.diag(covariance))
    half = t_quantile(0.5 + level / 2, df) * se
    statistic = np.divide(state.beta, se, out=np.full_like(se, np.nan), where=se > 0)  # equal estimates: se = 0
    return Pooled(
        beta=state.beta,
        covariance=covariance,
        low=state.beta - half,
        high=state.beta + half,
        statistic=statistic,
        p=2 * t_cdf(-np.abs(statistic), df),
        df=df,
        weights=state.w / state.w.sum(),
        loglik=float(problem.loglik(np.array([found]))[0]),
        heterogeneity=heterogeneity(problem, found, level),
        level=level,
    )


def prediction_interval(pooled: Pooled, df: float | None = None) -> tuple[float, float]:
    """Where the true effect of one further study lies: β ± t · sqrt(se² + τ²) (Higgins 2009, PMC2667312).

    ``df`` is that of the pooled interval unless given: k - 1 after Knapp-Hartung and the normal quantile after "z",
    both as in metafor. Higgins, Thompson and Spiegelhalter themselves use k - 2.
    """
    if pooled.beta.size != 1:
        raise ValueError("a prediction interval is of a pooled mean, not of a regression")
    half = t_quantile(0.5 + pooled.level / 2, pooled.df if df is None else df) * math.sqrt(
        float(pooled.covariance[0, 0]) + pooled.heterogeneity.tau2
    )
    return float(pooled.beta[0]) - half, float(pooled.beta[0]) + half


def wald(pooled: Pooled, columns: slice) -> tuple[float, int, float]:
    """The joint test that the coefficients in ``columns`` are zero: (statistic, its degrees of freedom, p).

    β'V⁻¹β is chi-squared after "z"; divided by the number of columns it is F after Knapp-Hartung.
    """
    beta, V = pooled.beta[columns], pooled.covariance[columns, columns]
    statistic, m = float(beta @ np.linalg.solve(V, beta)), beta.size
    if math.isinf(pooled.df):
        return statistic, m, float(chdtrc(m, statistic))
    return statistic / m, m, float(fdtrc(m, pooled.df, statistic / m))


def t_quantile(share: float, df: float) -> float:
    """The quantile of Student's t; of the normal where ``df`` is infinite."""
    return float(ndtri(share) if math.isinf(df) else stdtrit(df, share))


def t_cdf(x: Float[np.ndarray, "n"], df: float) -> Float[np.ndarray, "n"]:
    """The distribution function of Student's t; of the normal where ``df`` is infinite."""
    return np.asarray(ndtr(x) if math.isinf(df) else stdtr(df, x))


def _checked(y: Float[np.ndarray, "k"], v: Float[np.ndarray, "k"], X: Float[np.ndarray, "k p"]) -> Problem:
    if not (np.isfinite(y).all() and np.isfinite(v).all() and np.isfinite(X).all()):
        raise ValueError("estimates, variances and covariates have to be finite")
    if (v <= 0).any():
        raise ValueError("sampling variances have to be above zero")
    if X.shape[0] <= X.shape[1]:
        raise ValueError(f"{X.shape[0]} estimates cannot carry {X.shape[1]} coefficients and their spread")
    if np.linalg.matrix_rank(X) < X.shape[1]:
        raise ValueError("the columns of the design matrix depend on one another")
    return Problem(y, v, X)


def _inference(test: Test, s2: float, df: int) -> tuple[float, float]:
    """The degrees of freedom of the test, and the factor by which C is stretched."""
    if test == "z":
        return math.inf, 1.0
    return float(df), max(1.0, s2) if test == "adhoc" else s2
