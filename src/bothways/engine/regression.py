"""Least squares of several outcomes on the same predictors, with errors robust to repeated rows of a cluster."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, slots=True)
class Regression:
    """``coefficients`` (k, m): predictor by outcome. ``covariance`` (km, km) of the row-major ravel."""

    coefficients: Float[np.ndarray, "k m"]
    covariance: Float[np.ndarray, "km km"]


def clustered_least_squares(
    X: Float[np.ndarray, "n k"], Y: Float[np.ndarray, "n m"], cluster: Int[np.ndarray, "n"]
) -> Regression:
    r"""Fit :math:`Y = X\beta + e` and let the rows of one cluster depend on each other in any way.

    .. math:: V = c\,(X'X)^{-1}\Big(\sum_g s_g s_g'\Big)(X'X)^{-1}, \quad s_g = \sum_{i\in g} x_i e_i,
              \quad c = \frac{G}{G-1}\,\frac{n-1}{n-k}

    with the scores of all outcomes stacked, so that contrasts between equations have their covariance
    (Liang & Zeger 1986; the correction is Stata's). Raises ``numpy.linalg.LinAlgError`` where X is rank-deficient.
    """
    n, k = X.shape
    m = Y.shape[1]
    _, index = np.unique(cluster, return_inverse=True)
    G = int(index.max()) + 1
    if np.linalg.matrix_rank(X) < k:
        raise np.linalg.LinAlgError("the predictors depend on each other")
    bread = np.linalg.inv(X.T @ X)
    beta = bread @ (X.T @ Y)
    residual = Y - X @ beta
    rows = (X[:, :, None] * residual[:, None, :]).reshape(n, k * m)
    scores = np.stack([np.bincount(index, weights=column, minlength=G) for column in rows.T], axis=1)
    wide = np.kron(bread, np.eye(m))
    correction = G / (G - 1) * (n - 1) / (n - k)
    return Regression(beta, correction * wide @ (scores.T @ scores) @ wide)
