"""What a pooled number rests on: single studies, a covariate, subgroups, and small studies.

References: metafor 3.8-1 (`leave1out`, `rma(mods=)`, `regtest`); Egger 1997, 10.1136/bmj.315.7109.629.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from bothways.engine.between import Tau2
from bothways.engine.pooling import Pooled, Test, pool, t_cdf, wald

SMALL_STUDY_TEST_FROM = 10  # below ten studies the test has hardly any power (Sterne 2011, 10.1136/bmj.d4002)


@dataclass(frozen=True, slots=True)
class Subgroups:
    """Each subgroup's mean under one common τ², and the test that the means are equal."""

    pooled: Pooled  # one coefficient for each subgroup
    statistic: float
    df: int
    p: float


@dataclass(frozen=True, slots=True)
class SmallStudies:
    """Egger's regression: the slope of the estimates on their standard errors."""

    slope: float
    se: float
    t: float
    df: int
    p: float
    limit: float  # the estimate that the line gives to a study without sampling error


def leave_one_out(
    y: Float[np.ndarray, "k"],
    v: Float[np.ndarray, "k"],
    *,
    tau2: Tau2 = "reml",
    test: Test = "adhoc",
    level: float = 0.95,
) -> tuple[Pooled, ...]:
    """The pooled result without the first estimate, without the second, and so on.

    Raises
    ------
    ValueError : where fewer than three estimates are given.
    """
    if y.size < 3:
        raise ValueError("leaving one out needs three estimates or more")
    return tuple(pool(np.delete(y, i), np.delete(v, i), tau2=tau2, test=test, level=level) for i in range(y.size))


def regress(
    y: Float[np.ndarray, "k"],
    v: Float[np.ndarray, "k"],
    covariate: Float[np.ndarray, "k"],
    *,
    tau2: Tau2 = "reml",
    test: Test = "adhoc",
    level: float = 0.95,
) -> Pooled:
    """Meta-regression on one covariate: coefficients are (value at covariate zero, slope)."""
    X = np.column_stack([np.ones(y.size), covariate])
    return pool(y, v, X, tau2=tau2, test=test, level=level)


def subgroups(
    y: Float[np.ndarray, "k"],
    v: Float[np.ndarray, "k"],
    group: Int[np.ndarray, "k"],
    *,
    tau2: Tau2 = "reml",
    test: Test = "adhoc",
    level: float = 0.95,
) -> Subgroups:
    """Means by ``group`` (0, 1, ... without gaps) and the test of their equality.

    The model has an indicator for each group and one τ². Equality is tested on the same model written as a first
    group and differences from it.

    Raises
    ------
    ValueError : where there are fewer than two groups, or as in ``pool``.
    """
    count = int(group.max(initial=-1)) + 1
    if count < 2:
        raise ValueError("a comparison of subgroups needs two of them")
    members = (group[:, None] == np.arange(count)).astype(float)
    means = pool(y, v, members, tau2=tau2, test=test, level=level)
    differences = members.copy()
    differences[:, 0] = 1.0
    statistic, df, p = wald(pool(y, v, differences, tau2=tau2, test=test, level=level), slice(1, count))
    return Subgroups(means, statistic, df, p)


def small_studies(y: Float[np.ndarray, "k"], v: Float[np.ndarray, "k"]) -> SmallStudies:
    """Egger's test, y_i = a + b·sqrt(v_i), weighted by 1/v_i with a dispersion of its own; b = 0 is symmetry.

    Raises
    ------
    ValueError : below ten estimates, or where all have one standard error.
    """
    if y.size < SMALL_STUDY_TEST_FROM:
        raise ValueError(f"a test for small-study effects needs {SMALL_STUDY_TEST_FROM} estimates or more")
    X = np.column_stack([np.ones(y.size), np.sqrt(v)])
    if np.linalg.matrix_rank(X) < 2:
        raise ValueError("all estimates have the same standard error")
    XtW = X.T / v
    C = np.linalg.inv(XtW @ X)
    beta = C @ XtW @ y
    df = y.size - 2
    dispersion = float(((y - X @ beta) ** 2 / v).sum()) / df
    se = float(np.sqrt(dispersion * C[1, 1]))
    t = float(beta[1]) / se
    return SmallStudies(float(beta[1]), se, t, df, float(2 * t_cdf(np.array([-abs(t)]), float(df))[0]), float(beta[0]))
