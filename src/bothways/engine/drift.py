"""Drift and diffusion in continuous time -> exact steps over any gaps, with derivatives.

E = exp(Ah),   Q_h = ∫₀ʰ e^{As} Q e^{A's} ds = S − E S E',   A S + S A' + Q = 0        (Van Loan 1978 without blocks)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from bothways.engine.kernels import drift as kernels


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """All that one stable drift and diffusion do over a table of gaps.

    ``transition`` E_k, ``noise`` Q_k, ``stationary`` S; the rest is the spectrum of A, kept for the adjoint.
    """

    drift: Float[np.ndarray, "p p"]
    gaps: Float[np.ndarray, " gaps"]
    transition: Float[np.ndarray, "gaps p p"]
    noise: Float[np.ndarray, "gaps p p"]
    stationary: Float[np.ndarray, "p p"]
    spectrum: tuple[int, np.ndarray, np.ndarray, np.ndarray]


def exact_steps(
    drift: Float[np.ndarray, "p p"], diffusion: Float[np.ndarray, "p p"], gaps: Float[np.ndarray, " gaps"]
) -> Steps | None:
    """E and Q for every gap; None where the drift is not stable (an eigenvalue with a real part of zero or more)."""
    p = drift.shape[0]
    if not (np.isfinite(drift).all() and np.isfinite(diffusion).all()):
        return None
    stable, *spectrum = kernels.spectrum(drift)
    if not stable:
        return None
    transition, noise = np.empty((gaps.size, p, p)), np.empty((gaps.size, p, p))
    kernels.fill_steps(drift, gaps, *spectrum, transition)
    try:
        S = kernels.stationary(drift, diffusion)
    except np.linalg.LinAlgError:  # a root so near zero that no stationary spread can be computed
        return None
    kernels.fill_noise(transition, S, noise)
    return Steps(drift, gaps, transition, noise, S, tuple(spectrum))


def steps_adjoint(
    steps: Steps,
    which: Int[np.ndarray, " items"],
    segment: Int[np.ndarray, " items"],
    transition_bar: Float[np.ndarray, "items p p"],
    noise_bar: Float[np.ndarray, "items p p"],
    stationary_bar: Float[np.ndarray, "segments p p"],
) -> tuple[Float[np.ndarray, "segments p p"], Float[np.ndarray, "segments p p"]]:
    """∂ℓ/∂A and ∂ℓ/∂Q by segment from ∂ℓ/∂E, ∂ℓ/∂Q_k of items (item i used gap ``which[i]``) and ∂ℓ/∂S.

    Symmetric matrices have symmetric adjoints: dℓ = Σ_ij Q̄_ij dQ_ij over all i, j.
    """
    drift_bar, diffusion_bar = np.zeros_like(stationary_bar), np.zeros_like(stationary_bar)
    kernels.dynamics_adjoint(
        steps.drift, steps.stationary, steps.gaps, *steps.spectrum, steps.transition, which, segment,
        transition_bar.copy(), noise_bar, stationary_bar.copy(), drift_bar, diffusion_bar,
    )  # fmt: skip
    return drift_bar, diffusion_bar


def total_effect(drift: Float[np.ndarray, "p p"], lags: Float[np.ndarray, " lags"]) -> Float[np.ndarray, "lags p p"]:
    """T(h) = exp(Ah) at every lag; A need not be stable."""
    out = np.empty((lags.size, *drift.shape))
    _, *spectrum = kernels.spectrum(drift)
    kernels.fill_steps(drift, lags, *spectrum, out)
    return out
