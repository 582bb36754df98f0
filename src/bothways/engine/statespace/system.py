"""The model in its own terms: matrices of a linear stochastic differential equation and of what is seen of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, slots=True, eq=False)
class System:
    """η(t) = M w + κ c(t) + Σ_b basis_b s_b + x(t),   dx = A x dt + Ξ dN + G dW,   y = ν + Λ η + ε.

    ``drift`` A (row: outcome, column: cause; per unit of time), ``diffusion`` Q = G G', ``loading`` Λ (indicators,
    processes), ``intercept`` ν, ``noise`` the variances of ε, ``level`` M (processes, regressors w), ``inputs`` κ: the
    level that an input of one would settle at (its rate Ψ is −A κ, and x relaxes to the new level by exp(Ah)),
    ``impulses`` Ξ, ``static_cov`` the covariance of (s_1, s_2, ...) over persons, ``start_mean`` of x at the first row,
    ``start_cov`` of x there (None: the stationary covariance S, A S + S A' + Q = 0).
    """

    drift: Float[np.ndarray, "p p"]
    diffusion: Float[np.ndarray, "p p"]
    loading: Float[np.ndarray, "d p"]
    intercept: Float[np.ndarray, " d"]
    noise: Float[np.ndarray, " d"]
    level: Float[np.ndarray, "p r"]
    inputs: Float[np.ndarray, "p c"]
    impulses: Float[np.ndarray, "p e"]
    static_cov: Float[np.ndarray, "s s"]
    start_mean: Float[np.ndarray, " p"]
    start_cov: Float[np.ndarray, "p p"] | None = None

    @property
    def processes(self) -> int:
        """p."""
        return int(self.drift.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Adjoint:
    """∂ℓ/∂ of every matrix of a `System`, with a leading axis: one segment for all, or one for each person."""

    drift: Float[np.ndarray, "g p p"]
    diffusion: Float[np.ndarray, "g p p"]
    loading: Float[np.ndarray, "g d p"]
    intercept: Float[np.ndarray, "g d"]
    noise: Float[np.ndarray, "g d"]
    level: Float[np.ndarray, "g p r"]
    inputs: Float[np.ndarray, "g p c"]
    impulses: Float[np.ndarray, "g p e"]
    static_cov: Float[np.ndarray, "g s s"]
    start_mean: Float[np.ndarray, "g p"]
    start_cov: Float[np.ndarray, "g p p"]


@dataclass(frozen=True, slots=True, eq=False)
class Dynamics:
    """Each person's own drift and diffusion."""

    drift: Float[np.ndarray, "people p p"]
    diffusion: Float[np.ndarray, "people p p"]
