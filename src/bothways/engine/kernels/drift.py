"""Loops over gaps for exact steps of dx = A x dt + G dW and their adjoints; the algebra of A itself stands in drift.py.

An item is one gap under one drift: ``owner[i]`` is the drift that it belongs to. ``pair`` says that there are two
processes, which have a closed form good at equal, near-equal and complex roots; others go through eigenvectors.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def _pair_terms(s, q2, h):
    """e^{sh} times c, h g and h³ g′, where c = cosh √w, g = sinh √w / √w, w = q² h²; entire in w."""
    w = q2 * h * h
    scale = np.exp(s * h)
    if abs(w) < 0.25:
        c, g, dg = 0.0, 0.0, 0.0
        term = 1.0  # w^n / (2n)!
        for n in range(9):
            c += term
            g += term / (2 * n + 1)
            dg += (n + 1) * term / ((2 * n + 1) * (2 * n + 2) * (2 * n + 3))
            term *= w / ((2 * n + 1) * (2 * n + 2))
        return scale * c, scale * h * g, scale * h * h * h * dg
    if w > 0:
        q = np.sqrt(q2)
        fast, slow = np.exp((s - q) * h), np.exp((s + q) * h)
        ec, eg = 0.5 * (slow + fast), 0.5 * (slow - fast) / q
    else:
        q = np.sqrt(-q2)
        ec, eg = scale * np.cos(q * h), scale * np.sin(q * h) / q
    return ec, eg, 0.5 * (h * ec - eg) / q2


@njit(cache=True, nogil=True, error_model="numpy")
def _relative_exponential(z):
    """(e^z − 1)/z, without loss of digits at small z."""
    if abs(z) < 0.5:
        total, term = 1.0 + 0.0j, 1.0 + 0.0j
        for n in range(2, 18):
            term *= z / n
            total += term
        return total
    return (np.exp(z) - 1.0) / z


@njit(cache=True, nogil=True, error_model="numpy")
def fill_steps(A, owner, gaps, pair, lam, U, inverse, E):
    """E[i] = exp(A[owner[i]] gaps[i])."""
    p = A.shape[1]
    growth = np.empty(p, np.complex128)
    for i in range(gaps.size):
        o, h = owner[i], gaps[i]
        if pair:
            s, d = 0.5 * (A[o, 0, 0] + A[o, 1, 1]), 0.5 * (A[o, 0, 0] - A[o, 1, 1])
            ec, eg, _ = _pair_terms(s, d * d + A[o, 0, 1] * A[o, 1, 0], h)
            E[i, 0, 0] = ec + d * eg
            E[i, 1, 1] = ec - d * eg
            E[i, 0, 1] = A[o, 0, 1] * eg
            E[i, 1, 0] = A[o, 1, 0] * eg
            continue
        for a in range(p):
            growth[a] = np.exp(lam[o, a] * h)
        for r in range(p):
            for c in range(p):
                total = 0.0
                for a in range(p):
                    total += (U[o, r, a] * growth[a] * inverse[o, a, c]).real
                E[i, r, c] = total


@njit(cache=True, nogil=True, error_model="numpy")
def fill_noise(E, owner, S, noise):
    """noise[i] = S − E_i S E_i', symmetric to the last digit."""
    p = S.shape[1]
    ES = np.empty((p, p))
    for i in range(E.shape[0]):
        o = owner[i]
        for r in range(p):
            for c in range(p):
                total = 0.0
                for a in range(p):
                    total += E[i, r, a] * S[o, a, c]
                ES[r, c] = total
        for r in range(p):
            for c in range(r + 1):
                total = S[o, r, c]
                for a in range(p):
                    total -= ES[r, a] * E[i, c, a]
                noise[i, r, c] = total
                noise[i, c, r] = total


@njit(cache=True, nogil=True, error_model="numpy")
def noise_adjoint(E, owner, S, segment, noise_bar, E_bar, S_bar):
    """Ē −= 2 Q̄ E S and S̄ += Q̄ − E' Q̄ E, summed by segment."""
    p = S.shape[1]
    QE = np.empty((p, p))
    for i in range(E.shape[0]):
        o, k = owner[i], segment[i]
        for a in range(p):
            for b in range(p):
                total = 0.0
                for c in range(p):
                    total += noise_bar[i, a, c] * E[i, c, b]
                QE[a, b] = total
        for a in range(p):
            for b in range(p):
                total, back = 0.0, 0.0
                for c in range(p):
                    total += QE[a, c] * S[o, c, b]
                    back += E[i, c, a] * QE[c, b]
                E_bar[i, a, b] -= 2.0 * total
                S_bar[k, a, b] += noise_bar[i, a, b] - back


@njit(cache=True, nogil=True, error_model="numpy")
def steps_adjoint(gaps, owner, lam, U, inverse, segment, E_bar, inner):
    """inner[segment] += K ∘ (U' Ē U^{-T}), K_ab = (e^{λ_a h} − e^{λ_b h})/(λ_a − λ_b), K_aa = h e^{λ_a h}."""
    p = U.shape[1]
    half = np.empty((p, p), np.complex128)
    for i in range(gaps.size):
        h, o = gaps[i], owner[i]
        for a in range(p):
            for c in range(p):
                total = 0.0j
                for b in range(p):
                    total += U[o, b, a] * E_bar[i, b, c]
                half[a, c] = total
        for a in range(p):
            for b in range(p):
                total = 0.0j
                for c in range(p):
                    total += half[a, c] * inverse[o, b, c]
                slow, fast = lam[o, a], lam[o, b]
                if slow.real < fast.real:  # the slower root leads, so that nothing overflows
                    slow, fast = fast, slow
                inner[segment[i], a, b] += h * np.exp(slow * h) * _relative_exponential((fast - slow) * h) * total


@njit(cache=True, nogil=True, error_model="numpy")
def pair_adjoint(A, gaps, owner, segment, E_bar, A_bar):
    """E = ec I + eg B with B = A − sI = [[d, a₁₂], [a₂₁, −d]]; by the chain rule through s, d, a₁₂, a₂₁ and q²."""
    for i in range(gaps.size):
        h, o = gaps[i], owner[i]
        s, d = 0.5 * (A[o, 0, 0] + A[o, 1, 1]), 0.5 * (A[o, 0, 0] - A[o, 1, 1])
        ec, eg, ed = _pair_terms(s, d * d + A[o, 0, 1] * A[o, 1, 0], h)
        X = E_bar[i]
        trace = X[0, 0] + X[1, 1]
        along = d * (X[0, 0] - X[1, 1]) + A[o, 0, 1] * X[0, 1] + A[o, 1, 0] * X[1, 0]
        s_bar = h * (trace * ec + along * eg)
        q2_bar = 0.5 * h * trace * eg + along * ed
        d_bar = eg * (X[0, 0] - X[1, 1]) + 2.0 * d * q2_bar
        k = segment[i]
        A_bar[k, 0, 0] += 0.5 * (s_bar + d_bar)
        A_bar[k, 1, 1] += 0.5 * (s_bar - d_bar)
        A_bar[k, 0, 1] += eg * X[0, 1] + A[o, 1, 0] * q2_bar
        A_bar[k, 1, 0] += eg * X[1, 0] + A[o, 0, 1] * q2_bar
