"""Linear path models: matrix cells θ -> implied mean and covariance, with first and second derivatives.

    η = m + A η + ζ,  Cov(ζ) = S,  y = ν + J η,  F = (Id − A)⁻¹,  Ω = F S F',  μ = ν + J F m,  Σ = J Ω J'

(McArdle & McDonald 1984, with a general J so that observed variables need no place in η.)

Rank-two rule: ∂Σ/∂θ_a = l_a r_a' + r_a l_a', with l = J F e_i and, for A_ij, r = J Ω e_j; for S_ij, r = c J F e_j
(c = ½ on the diagonal, else 1). ∂μ/∂A_ij = J F e_i (F m)_j, ∂μ/∂m_i = J F e_i, ∂μ/∂ν_i = e_i.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Float, Int


class Kind(IntEnum):
    """Which matrix a cell belongs to."""

    A = 0
    S = 1
    M = 2
    NU = 3


@dataclass(frozen=True, slots=True, eq=False)
class PathStructure:
    """Fixed values of the matrices, and the place (kind, row, column) of each cell of θ; S cells have row ≥ column."""

    A: Float[np.ndarray, "n n"]
    S: Float[np.ndarray, "n n"]
    m: Float[np.ndarray, " n"]
    nu: Float[np.ndarray, " p"]
    J: Float[np.ndarray, "p n"]
    kind: Int[np.ndarray, " cells"]
    row: Int[np.ndarray, " cells"]
    column: Int[np.ndarray, " cells"]

    def where(self, kind: Kind) -> np.ndarray:
        """Positions in θ of the cells of one matrix."""
        return np.flatnonzero(self.kind == kind)


@dataclass(frozen=True, slots=True, eq=False)
class Implied:
    """What θ implies: F, Ω = Cov(η), u = F m = E(η), and μ, Σ of y. Leading axes, if any, are a batch."""

    F: np.ndarray
    omega: np.ndarray
    u: np.ndarray
    S: np.ndarray
    mean: np.ndarray
    cov: np.ndarray


def implied_moments(structure: PathStructure, theta: np.ndarray) -> Implied:
    """μ(θ), Σ(θ) and their parts, for real or complex θ of shape (..., cells)."""
    A, S, m, nu = fill(structure, theta)
    F = np.linalg.inv(np.eye(A.shape[-1]) - A)
    omega = F @ S @ F.swapaxes(-1, -2)
    u = (F @ m[..., None])[..., 0]
    J = structure.J
    cov = J @ omega @ J.T
    return Implied(F, omega, u, S, nu + u @ J.T, 0.5 * (cov + cov.swapaxes(-1, -2)))


def fill(structure: PathStructure, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The matrices A, S, m, ν with the cells of θ in their places."""
    lead, s = theta.shape[:-1], structure
    A, S, m, nu = (np.array(np.broadcast_to(X, lead + X.shape), theta.dtype) for X in (s.A, s.S, s.m, s.nu))
    a, c, e, v = (s.where(kind) for kind in Kind)
    A[..., s.row[a], s.column[a]] = theta[..., a]
    S[..., s.row[c], s.column[c]] = theta[..., c]
    S[..., s.column[c], s.row[c]] = theta[..., c]
    m[..., s.row[e]] = theta[..., e]
    nu[..., s.row[v]] = theta[..., v]
    return A, S, m, nu


def moment_jacobian(structure: PathStructure, implied: Implied) -> Float[np.ndarray, "moments cells"]:
    """Δ = ∂(μ, vech Σ)/∂θ by the rank-two rule."""
    s = structure
    p, cells = s.J.shape[0], len(s.kind)
    a, c, e, v = (s.where(kind) for kind in Kind)
    JF, J_omega = s.J @ implied.F, s.J @ implied.omega
    L, R, mean = np.zeros((p, cells)), np.zeros((p, cells)), np.zeros((p, cells))
    L[:, a], R[:, a] = JF[:, s.row[a]], J_omega[:, s.column[a]]
    L[:, c], R[:, c] = JF[:, s.row[c]], JF[:, s.column[c]] * np.where(s.row[c] == s.column[c], 0.5, 1.0)
    mean[:, a] = JF[:, s.row[a]] * implied.u[s.column[a]]
    mean[:, e] = JF[:, s.row[e]]
    mean[s.row[v], v] = 1.0
    rows, columns = np.tril_indices(p)
    return np.concatenate([mean, L[rows] * R[columns] + R[rows] * L[columns]])


def moment_curvature(
    structure: PathStructure,
    implied: Implied,
    gradient: Float[np.ndarray, " moments"],
) -> Float[np.ndarray, "cells cells"]:
    """Σ_m gradient_m ∂²(μ, vech Σ)_m/∂θ∂θ' = g'μ_ab + ½ tr(G Σ_ab).

    With H = F'J'GJF and K = F'J'GJΩ, for A_ij (a) and A_uv (b):
    ½tr(GΣ_ab) = F_vi K_uj + Ω_vj H_iu + F_ju K_iv; for S_ij (a) and A_uv (b): c (F_vi H_uj + F_vj H_iu);
    two S cells: 0. The mean adds g_i F_ju u_v + g_u F_vi u_j, and g_u F_vi for m_i with A_uv, g here J'∂ℓ/∂μ through F.
    """
    s, F, omega, u = structure, implied.F, implied.omega, implied.u
    p, cells = s.J.shape[0], len(s.kind)
    a, c, e = s.where(Kind.A), s.where(Kind.S), s.where(Kind.M)
    G = np.zeros((p, p))
    rows, columns = np.tril_indices(p)
    G[rows, columns] += gradient[p:]
    G[columns, rows] += gradient[p:]
    JF = s.J @ F
    H, K, g = JF.T @ G @ JF, JF.T @ G @ s.J @ omega, JF.T @ gradient[:p]
    out = np.zeros((cells, cells))
    i, j = s.row[a][:, None], s.column[a][:, None]
    v_u, v_v = s.row[a][None, :], s.column[a][None, :]
    out[np.ix_(a, a)] = (
        F[v_v, i] * K[v_u, j] + omega[v_v, j] * H[i, v_u] + F[j, v_u] * K[i, v_v]
        + g[i] * F[j, v_u] * u[v_v] + g[v_u] * F[v_v, i] * u[j]
    )  # fmt: skip
    i, j = s.row[c][:, None], s.column[c][:, None]
    half = np.where(i == j, 0.5, 1.0)
    out[np.ix_(c, a)] = half * (F[v_v, i] * H[v_u, j] + F[v_v, j] * H[i, v_u])
    out[np.ix_(a, c)] = out[np.ix_(c, a)].T
    out[np.ix_(e, a)] = g[v_u] * F[v_v, s.row[e][:, None]]
    out[np.ix_(a, e)] = out[np.ix_(e, a)].T
    return out
