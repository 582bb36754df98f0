"""Full-information maximum likelihood: the normal likelihood of incomplete data and its derivatives in (μ, vech Σ).

With P_k the zero-padded inverse of the observed block of Σ, e_k = d_k∘(m_k − μ), C_k = P_k (S_k + e_k e_k') P_k:

    ℓ   = −½ Σ n_k [p_k log 2π + log|Σ_k| + tr P_k (S_k + e_k e_k')]
    ∂ℓ  = (Σ n_k P_k e_k,  c∘vech G),  G = Σ n_k (C_k − P_k),  c = ½ on the diagonal and 1 off it
    I   = expected information: Σ n_k P_k and ½ Σ n_k tr(E_a P_k E_b P_k)
    J   = observed information: Σ n_k tr(E_a P_k E_b (C_k − ½P_k)), Σ n_k P_k E_b P_k e_k and Σ n_k P_k

E_a is the symmetric unit matrix of cell a. The sums over patterns of products of two matrices are Gram matrices of
their vech (one matrix product), so their cost does not grow with the number of parameters; a model enters
afterwards by the chain rule. J_μσ is kept: it vanishes only without missing values (Kenward & Molenberghs 1998).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from bothways.engine.patterns import PatternStatistics

Order = Literal["gradient", "expected", "observed"]
_BLOCK = 2048


@dataclass(frozen=True, slots=True, eq=False)
class MomentDerivatives:
    """ℓ and its derivatives in (μ, vech Σ); `information` is expected or observed, as asked."""

    loglik: float
    gradient: Float[np.ndarray, " moments"]
    information: Float[np.ndarray, "moments moments"] | None


def half_vector(X: np.ndarray) -> np.ndarray:
    """vech: the lower triangle of the last two axes by rows."""
    rows, columns = np.tril_indices(X.shape[-1])
    return np.asarray(X[..., rows, columns])


def symmetric(vector: np.ndarray, p: int) -> np.ndarray:
    """The symmetric p×p matrix whose vech is `vector`."""
    X = np.empty((p, p), vector.dtype)
    rows, columns = np.tril_indices(p)
    X[rows, columns] = vector
    X[columns, rows] = vector
    return X


def moment_derivatives(
    data: PatternStatistics, mean: Float[np.ndarray, " p"], cov: Float[np.ndarray, "p p"], order: Order
) -> MomentDerivatives | None:
    """ℓ, gradient and the asked-for information at (μ, Σ); None where an observed block is not positive definite."""
    from bothways.engine.kernels.patterns import cross_blocks, pair_blocks

    p, size = len(mean), len(mean) * (len(mean) + 1) // 2
    loglik, z, P, C = 0.0, np.zeros(p), np.zeros(size), np.zeros(size)
    PP, PC, Pz = np.zeros((size, size)), np.zeros((size, size)), np.zeros((size, p))
    for n, density, Pk, Ck, zk in _pattern_blocks(data, mean, cov):
        if not np.isfinite(density).all():
            return None
        loglik += float(n @ density)
        z, P, C = z + n @ zk, P + n @ Pk, C + n @ Ck
        if order != "gradient":
            weighted = Pk * n[:, None]
            PP += weighted.T @ Pk
            if order == "observed":
                PC += weighted.T @ Ck
                Pz += weighted.T @ zk
    diagonal = np.cumsum(np.arange(1, p + 1)) - 1
    sigma = C - P
    sigma[diagonal] *= 0.5
    gradient = np.concatenate([z, sigma])
    if order == "gradient":
        return MomentDerivatives(loglik, gradient, None)
    information = np.zeros((p + size, p + size))
    information[:p, :p] = symmetric(P, p)
    information[p:, p:] = pair_blocks(0.5 * PP if order == "expected" else PC - 0.5 * PP, p)
    if order == "observed":
        information[:p, p:] = cross_blocks(Pz, p)
        information[p:, :p] = information[:p, p:].T
    return MomentDerivatives(loglik, gradient, information)


def score_products(
    data: PatternStatistics, mean: Float[np.ndarray, " p"], cov: Float[np.ndarray, "p p"]
) -> Float[np.ndarray, "moments moments"]:
    """Σ s_i s_i' of the casewise scores in (μ, vech Σ)."""
    products = np.zeros((len(mean) * (len(mean) + 3) // 2,) * 2)
    for scores in _score_blocks(data, mean, cov):
        products += scores.T @ scores
    return products


def score_sums(
    data: PatternStatistics,
    mean: Float[np.ndarray, " p"],
    cov: Float[np.ndarray, "p p"],
    clusters: Int[np.ndarray, " rows"],
    count: int,
) -> Float[np.ndarray, "clusters moments"]:
    """Sums of the casewise scores in (μ, vech Σ) within clusters 0..count−1."""
    sums = np.zeros((count, len(mean) * (len(mean) + 3) // 2))
    first = 0
    for scores in _score_blocks(data, mean, cov):
        np.add.at(sums, clusters[first : first + len(scores)], scores)
        first += len(scores)
    return sums


def case_scores(
    data: PatternStatistics, mean: Float[np.ndarray, " p"], cov: Float[np.ndarray, "p p"]
) -> Float[np.ndarray, "rows moments"]:
    """Each person's score in (μ, vech Σ), weighted; their sum is the gradient."""
    return np.concatenate(list(_score_blocks(data, mean, cov)))


def _pattern_blocks(
    data: PatternStatistics, mean: np.ndarray, cov: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """(n, log density, vech P, vech C, z) of up to `_BLOCK` patterns at a time; density NaN where undefined."""
    from bothways.engine.kernels.patterns import pattern_terms

    p, size = len(mean), len(mean) * (len(mean) + 1) // 2
    for first in range(0, len(data.counts), _BLOCK):
        part = slice(first, first + _BLOCK)
        n = data.counts[part]
        density, P, C, z = np.empty(len(n)), np.empty((len(n), size)), np.empty((len(n), size)), np.empty((len(n), p))
        if not pattern_terms(
            mean, cov, data.observed[part], data.people[part], data.means[part], data.covariances[part],
            density, P, C, z,
        ):  # fmt: skip
            density[:] = np.nan
        yield n, density, P, C, z


def _score_blocks(data: PatternStatistics, mean: np.ndarray, cov: np.ndarray) -> Iterator[np.ndarray]:
    from bothways.engine.kernels import patterns as kernels

    P = np.concatenate([block[2] for block in _pattern_blocks(data, mean, cov)])
    width = len(mean) + P.shape[1]
    for first in range(0, len(data.values), 4 * _BLOCK):
        last = min(first + 4 * _BLOCK, len(data.values))
        out = np.empty((last - first, width))
        kernels.case_scores(first, last, data.values, data.pattern, data.weights, mean, P, data.observed, out)
        yield out
