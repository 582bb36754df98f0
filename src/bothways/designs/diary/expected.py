"""The expected information of answers to come, from the joint normal density of a person's answers itself.

    I_ij = ½ tr(Σ⁻¹ ∂Σ/∂θ_i Σ⁻¹ ∂Σ/∂θ_j),    Cov(y(s), y(t)) = exp(A (s − t)) S + Ω + Θ 1(s = t),    s ≥ t

Means (levels, trend) are left out: in a normal density their information stands apart from that of the covariances.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
from scipy.linalg import solve_triangular

from bothways.engine.drift import stationary_covariance, total_effect
from bothways.engine.statespace.series import Series
from bothways.engine.statespace.structure import Structure
from bothways.engine.statespace.system import System

STEP = 1e-4  # of the differences, on free scales of order one


def person_information(
    structure: Structure, theta: Float[np.ndarray, " q"], series: Series
) -> Float[np.ndarray, "free free"]:
    """The information of one person's rows about the parameters that `covariance_parameters` lists."""
    L = np.linalg.cholesky(joint_covariance(structure.system(theta), series))
    scaled = []
    for k in covariance_parameters(structure):
        e = np.zeros(theta.size)
        e[k] = STEP
        up, down = (joint_covariance(structure.system(theta + s * e), series) for s in (1.0, -1.0))
        half = solve_triangular(L, (up - down) / (2 * STEP), lower=True)
        scaled.append(solve_triangular(L, half.T, lower=True).ravel())
    W = np.array(scaled)
    return np.asarray(0.5 * W @ W.T)


def covariance_parameters(structure: Structure) -> list[int]:
    """Places in θ of all that moves the covariance of the answers."""
    places: list[int] = []
    for block in structure.blocks:
        if block.matrix in ("drift", "diffusion_root", "noise", "static_root"):
            places += range(block.first, block.first + len(block.names))
    return places


def joint_covariance(system: System, series: Series) -> Float[np.ndarray, "all all"]:
    """Σ of one person's complete rows, each process its own indicator; process after process."""
    p = system.processes
    S = stationary_covariance(system.drift[None], system.diffusion[None])[0]
    late, early = np.tril_indices(series.rows)
    blocks = total_effect(system.drift[None], series.time[late] - series.time[early])[0] @ S
    joint = np.empty((series.rows, p, series.rows, p))
    joint[late, :, early, :] = blocks
    joint[early, :, late, :] = blocks.transpose(0, 2, 1)
    if series.basis.shape[1]:
        joint += system.static_cov[:, None, :][None]
    at = np.arange(series.rows)
    joint[at, :, at, :] += np.diag(system.noise)
    return joint.transpose(1, 0, 3, 2).reshape(p * series.rows, p * series.rows)
