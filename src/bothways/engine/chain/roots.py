"""One eigendecomposition of the generator per distinct covariate row."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from bothways.engine.kernels.chain.layout import Roots

WORST_CONDITION = 1e3  # above this the adjoint through eigenvectors loses digits long before the value does


def decompose(generators: Float[np.ndarray, "rows states states"]) -> Roots:
    """Q = V diag(l) W for each row; rows whose V is worse conditioned than 1e3 are marked unsound.

    The condition is |V|_F |W|_F / K, which bounds the loss in exp(Qt) and, squared over gaps of eigenvalues, in its
    derivative. Real decompositions are kept in real arrays.
    """
    values, vectors = np.linalg.eig(generators)
    inverse = _inverse(vectors)
    norm = np.linalg.norm(vectors, axis=(1, 2)) * np.linalg.norm(inverse, axis=(1, 2)) / generators.shape[1]
    sound = np.isfinite(norm) & (norm < WORST_CONDITION)
    real = np.ones(len(values), dtype=bool) if values.dtype.kind == "f" else (values.imag == 0).all(axis=1)
    place = np.where(real, np.cumsum(real), np.cumsum(~real)) - 1
    parts = (values, vectors, inverse)
    reals = (np.ascontiguousarray(p[real].real) for p in parts)
    pairs = (np.ascontiguousarray(p[~real].astype(np.complex128)) for p in parts)
    return Roots(np.ascontiguousarray(generators), sound, real, place.astype(np.int64), *reals, *pairs)


def _inverse(vectors: np.ndarray) -> np.ndarray:
    """Inverses; NaN where a matrix is exactly singular (a defective generator)."""
    try:
        return np.asarray(np.linalg.inv(vectors))
    except np.linalg.LinAlgError:
        out = np.full_like(vectors, np.nan)
        whole = np.abs(np.linalg.det(vectors)) > 0
        out[whole] = np.linalg.inv(vectors[whole])
        return out
