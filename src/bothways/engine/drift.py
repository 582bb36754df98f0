"""Drift and diffusion in continuous time -> exact steps over any gaps, with derivatives.

E = exp(Ah),   Q_h = ∫₀ʰ e^{As} Q e^{A's} ds = S − E S E',   A S + S A' + Q = 0.

Two processes take a closed form; more go through the eigenvectors U of A and, where U is nearly singular (nearly equal
roots), through scaling and squaring. Everything takes a stack of drifts, so that persons may differ.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Complex, Float, Int
from scipy.linalg import expm

from bothways.engine.kernels import drift as kernels

WORST_CONDITION = 1e6  # of the eigenvectors: beyond it fewer than about ten digits of exp(Ah) are left


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """Eigenvalues λ (n, p), eigenvectors U and U⁻¹ of a stack of drifts; ``defective`` where U⁻¹ is not to be used."""

    values: Complex[np.ndarray, "n p"]
    vectors: Complex[np.ndarray, "n p p"]
    inverse: Complex[np.ndarray, "n p p"]
    defective: Bool[np.ndarray, " n"]


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """What n stable drifts do over items: item i is gap ``gaps[i]`` under drift ``owner[i]``.

    ``transition`` E and ``noise`` Q_h by item, ``stationary`` S by drift; the spectrum is kept for the adjoint.
    """

    drift: Float[np.ndarray, "n p p"]
    owner: Int[np.ndarray, " items"]
    gaps: Float[np.ndarray, " items"]
    transition: Float[np.ndarray, "items p p"]
    noise: Float[np.ndarray, "items p p"]
    stationary: Float[np.ndarray, "n p p"]
    spectrum: Spectrum


def exact_steps(
    drift: Float[np.ndarray, "n p p"],
    diffusion: Float[np.ndarray, "n p p"],
    owner: Int[np.ndarray, " items"],
    gaps: Float[np.ndarray, " items"],
) -> Steps | None:
    """E and Q for every item; None where a drift is not stable (an eigenvalue with a real part of zero or more)."""
    if not (np.isfinite(drift).all() and np.isfinite(diffusion).all()):
        return None
    spectrum = _spectrum(drift)
    if not (spectrum.values.real < 0).all():
        return None
    try:
        S = stationary_covariance(drift, diffusion)
    except np.linalg.LinAlgError:  # a root so near zero that no stationary spread can be computed
        return None
    transition = _transitions(drift, owner, gaps, spectrum)
    noise = np.empty_like(transition)
    kernels.fill_noise(transition, owner, S, noise)
    return Steps(drift, owner, gaps, transition, noise, S, spectrum)


def stationary_covariance(
    drift: Float[np.ndarray, "n p p"], diffusion: Float[np.ndarray, "n p p"]
) -> Float[np.ndarray, "n p p"]:
    """S with A S + S A' + Q = 0, by its p² linear equations."""
    n, p, _ = drift.shape
    S = np.linalg.solve(_lyapunov_operator(drift), -diffusion.reshape(n, p * p, 1)).reshape(n, p, p)
    return np.asarray(0.5 * (S + S.transpose(0, 2, 1)))


def total_effect(
    drift: Float[np.ndarray, "n p p"], lags: Float[np.ndarray, " lags"]
) -> Float[np.ndarray, "n lags p p"]:
    """T(h) = exp(Ah) of each drift at every lag; A need not be stable."""
    n, p, _ = drift.shape
    owner = np.repeat(np.arange(n), lags.size)
    return _transitions(drift, owner, np.tile(lags, n), _spectrum(drift)).reshape(n, lags.size, p, p)


def steps_adjoint(
    steps: Steps,
    segment: Int[np.ndarray, " items"],
    transition_bar: Float[np.ndarray, "items p p"],
    noise_bar: Float[np.ndarray, "items p p"],
    stationary_bar: Float[np.ndarray, "segments p p"],
) -> tuple[Float[np.ndarray, "segments p p"], Float[np.ndarray, "segments p p"]]:
    """∂ℓ/∂A and ∂ℓ/∂Q, summed by segment, from ∂ℓ/∂E and ∂ℓ/∂Q_h by item and ∂ℓ/∂S by segment.

        Ē −= 2 Q̄_h E S,   S̄ += Σ (Q̄_h − E' Q̄_h E),   A'X + X A + S̄ = 0,   Q̄ = X,   Ā = 2 X S + Σ adj(Ē)

    All items of a segment share one drift. Symmetric matrices have symmetric adjoints: dℓ = Σ_ij Q̄_ij dQ_ij.
    """
    segments, p, _ = stationary_bar.shape
    E_bar, S_bar = transition_bar.copy(), stationary_bar.copy()
    kernels.noise_adjoint(steps.transition, steps.owner, steps.stationary, segment, noise_bar, E_bar, S_bar)
    owner = np.zeros(segments, np.int64)
    owner[segment] = steps.owner
    A_bar = _exponential_adjoint(steps, segment, owner, E_bar)
    right = -0.5 * (S_bar + S_bar.transpose(0, 2, 1)).reshape(segments, p * p)
    operator = _lyapunov_operator(steps.drift.transpose(0, 2, 1))
    if len(operator) == 1:
        X = np.linalg.solve(operator[0], right.T).T
    else:
        X = np.linalg.solve(operator[owner], right[:, :, None])
    X = X.reshape(segments, p, p)
    return A_bar + 2.0 * X @ steps.stationary[owner], X


def _spectrum(drift: Float[np.ndarray, "n p p"]) -> Spectrum:
    if drift.shape[1] == 2:  # the closed form needs the eigenvalues alone, for stability
        s, d = 0.5 * (drift[:, 0, 0] + drift[:, 1, 1]), 0.5 * (drift[:, 0, 0] - drift[:, 1, 1])
        root = np.sqrt((d * d + drift[:, 0, 1] * drift[:, 1, 0]).astype(complex))
        none = np.zeros(drift.shape, complex)
        return Spectrum(np.stack([s + root, s - root], axis=1), none, none, np.zeros(len(drift), bool))
    values, vectors = np.linalg.eig(drift.astype(complex))
    singular = np.linalg.svd(vectors, compute_uv=False)
    defective = singular[:, 0] > WORST_CONDITION * singular[:, -1]
    safe = np.where(defective[:, None, None], np.eye(drift.shape[1]), vectors)
    return Spectrum(values, vectors, np.linalg.inv(safe), defective)


def _transitions(drift: np.ndarray, owner: np.ndarray, gaps: np.ndarray, spectrum: Spectrum) -> np.ndarray:
    E = np.empty((gaps.size, *drift.shape[1:]))
    pair = drift.shape[1] == 2
    kernels.fill_steps(drift, owner, gaps, pair, spectrum.values, spectrum.vectors, spectrum.inverse, E)
    hard = np.flatnonzero(spectrum.defective[owner])
    if hard.size:
        E[hard] = expm(drift[owner[hard]] * gaps[hard, None, None])
    return E


def _exponential_adjoint(steps: Steps, segment: np.ndarray, owner: np.ndarray, E_bar: np.ndarray) -> np.ndarray:
    """Σ adj(Ē) by segment: U^{-T} [Σ K ∘ (U' Ē U^{-T})] U', or a block exponential where U is nearly singular."""
    p, spectrum = steps.drift.shape[1], steps.spectrum
    A_bar = np.zeros((len(owner), p, p))
    if p == 2:
        kernels.pair_adjoint(steps.drift, steps.gaps, steps.owner, segment, E_bar, A_bar)
        return A_bar
    hard = spectrum.defective[steps.owner]
    inner = np.zeros((len(owner), p, p), complex)
    safe = np.where(hard[:, None, None], 0.0, E_bar) if hard.any() else E_bar
    kernels.steps_adjoint(
        steps.gaps, steps.owner, spectrum.values, spectrum.vectors, spectrum.inverse, segment, safe, inner
    )
    back = spectrum.inverse[owner].transpose(0, 2, 1) @ inner @ spectrum.vectors[owner].transpose(0, 2, 1)
    A_bar += back.real
    for i in np.flatnonzero(hard):  # upper right block of exp([[A'h, Ēh], [0, A'h]])
        A = steps.drift[steps.owner[i]].T
        block = np.block([[A, E_bar[i]], [np.zeros((p, p)), A]]) * steps.gaps[i]
        A_bar[segment[i]] += expm(block)[:p, p:]
    return A_bar


def _lyapunov_operator(drift: Float[np.ndarray, "n p p"]) -> Float[np.ndarray, "n pp pp"]:
    """The matrix of X → A X + X A' on row-major vec X, for each drift."""
    n, p, _ = drift.shape
    eye = np.eye(p)
    left = np.einsum("nia,jb->nijab", drift, eye)
    right = np.einsum("njb,ia->nijab", drift, eye)
    return np.asarray((left + right).reshape(n, p * p, p * p))
