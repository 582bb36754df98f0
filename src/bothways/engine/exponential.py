"""The exponential of stacks of small matrices, real or complex."""

from __future__ import annotations

import numpy as np

DEGREE = 12  # ‖X‖ ≤ 1/4 leaves a remainder below (1/4)¹³ / 13! ≈ 2·10⁻¹⁸
REACH = 0.25


def exponential(X: np.ndarray) -> np.ndarray:
    """exp(X) of matrices (..., K, K), analytic in X, so that complex steps pass through it.

    Scaling and squaring with a Taylor polynomial, exp(X) = (Σ_j (X/2ˢ)ʲ / j!)^(2ˢ), ‖X‖₁/2ˢ ≤ 1/4 (Moler & Van Loan
    2003, method 3). There is no equation to solve: for a few states the usual Padé form spends its time in waking the
    threads of a solver. Where X is not finite, neither is the result.
    """
    size = float(np.abs(X).sum(axis=-2).max(initial=0.0))
    if not np.isfinite(size):
        return np.full(X.shape, np.nan, dtype=X.dtype)
    squarings = max(0, int(np.ceil(np.log2(size / REACH)))) if size > 0 else 0
    Y = X / 2.0**squarings
    unit = np.eye(X.shape[-1])
    E = unit + Y / DEGREE
    for j in range(DEGREE - 1, 0, -1):
        E = unit + (Y / j) @ E
    for _ in range(squarings):
        E = E @ E
    return np.asarray(E)
