"""Exact steps of a linear stochastic differential equation over many gaps, and their adjoints.

dx = A x dt + G dW, Q = G G':   E_k = exp(A h_k),   Q_k = ∫₀^h e^{As} Q e^{A's} ds = S − E_k S E_k',   A S + S A' + Q = 0.

Three routes to E_k: two processes in closed form (good at equal, near-equal and complex roots); more through the
eigenvectors U of A; and, where U is nearly singular, through scaling and squaring. ``route`` is 0, 1 or 2.
"""

import numpy as np
from numba import njit

PAIR, EIGEN, SQUARING = 0, 1, 2
WORST_CONDITION = 1e6  # of the eigenvectors; beyond it about ten digits of E would be left


@njit(cache=True, nogil=True)
def spectrum(A):
    """(stable, route, λ, U, U⁻¹): what is needed of A for all gaps at once."""
    p = A.shape[0]
    lam = np.zeros(p, np.complex128)
    U = np.zeros((p, p), np.complex128)
    inverse = np.zeros((p, p), np.complex128)
    if p == 2:
        trace, det = A[0, 0] + A[1, 1], A[0, 0] * A[1, 1] - A[0, 1] * A[1, 0]
        return trace < 0.0 and det > 0.0, PAIR, lam, U, inverse
    lam, U = np.linalg.eig(A.astype(np.complex128))
    stable = np.max(lam.real) < 0.0
    gram = np.conj(U.T) @ U
    least = np.linalg.eigvalsh(gram)[0]
    if least * WORST_CONDITION**2 <= p:
        return stable, SQUARING, lam, U, inverse
    return stable, EIGEN, lam, U, np.linalg.inv(U)


@njit(cache=True, nogil=True)
def _pair_terms(s, q2, h):
    """e^{sh} times c, h g and h³ g′, where c = cosh √w, g = sinh √w / √w, w = q² h²; entire in w."""
    w = q2 * h * h
    if abs(w) < 0.25:
        c, g, dg = 0.0, 0.0, 0.0
        term = 1.0  # w^n / (2n)!
        for n in range(10):
            c += term
            g += term / (2 * n + 1)
            if n < 9:
                dg += (n + 1) * term / ((2 * n + 1) * (2 * n + 2) * (2 * n + 3))
            term *= w / ((2 * n + 1) * (2 * n + 2))
        scale = np.exp(s * h)
        return scale * c, scale * h * g, scale * h * h * h * dg
    if w > 0:
        q = np.sqrt(q2)
        fast, slow = np.exp((s - q) * h), np.exp((s + q) * h)
        ec, eg = 0.5 * (slow + fast), 0.5 * (slow - fast) / q
    else:
        q = np.sqrt(-q2)
        scale = np.exp(s * h)
        ec, eg = scale * np.cos(q * h), scale * np.sin(q * h) / q
    return ec, eg, 0.5 * (h * ec - eg) / q2


@njit(cache=True, nogil=True)
def _relative_exponential(z):
    """(e^z − 1)/z, without loss of digits at small z."""
    if abs(z) < 0.5:
        total, term = 1.0 + 0.0j, 1.0 + 0.0j
        for n in range(2, 18):
            term *= z / n
            total += term
        return total
    return (np.exp(z) - 1.0) / z


@njit(cache=True, nogil=True)
def exponential(M):
    """exp(M) of a small real matrix by scaling to norm 1/2, Taylor to order 15 (below 1e-17), and squaring."""
    n = M.shape[0]
    norm = np.max(np.sum(np.abs(M), axis=1))
    squarings = max(0, int(np.ceil(np.log2(norm / 0.5)))) if norm > 0 else 0
    X = M / 2.0**squarings
    total = np.eye(n)
    term = np.eye(n)
    for k in range(1, 16):
        term = term @ X / k
        total = total + term
    for _ in range(squarings):
        total = total @ total
    return total


@njit(cache=True, nogil=True)
def fill_steps(A, gaps, route, lam, U, inverse, E):
    """E[k] = exp(A gaps[k])."""
    p = A.shape[0]
    if route == PAIR:
        s, d = 0.5 * (A[0, 0] + A[1, 1]), 0.5 * (A[0, 0] - A[1, 1])
        q2 = d * d + A[0, 1] * A[1, 0]
        for k in range(gaps.size):
            ec, eg, _ = _pair_terms(s, q2, gaps[k])
            E[k, 0, 0] = ec + d * eg
            E[k, 1, 1] = ec - d * eg
            E[k, 0, 1] = A[0, 1] * eg
            E[k, 1, 0] = A[1, 0] * eg
        return
    for k in range(gaps.size):
        if route == SQUARING:
            E[k] = exponential(A * gaps[k])
            continue
        growth = np.exp(lam * gaps[k])
        for i in range(p):
            for j in range(p):
                total = 0.0
                for a in range(p):
                    total += (U[i, a] * growth[a] * inverse[a, j]).real
                E[k, i, j] = total


@njit(cache=True, nogil=True)
def fill_noise(E, S, noise):
    """noise[k] = S − E_k S E_k', symmetric to the last digit."""
    p = S.shape[0]
    ES = np.empty((p, p))
    for k in range(E.shape[0]):
        for i in range(p):
            for j in range(p):
                total = 0.0
                for a in range(p):
                    total += E[k, i, a] * S[a, j]
                ES[i, j] = total
        for i in range(p):
            for j in range(i + 1):
                total = S[i, j]
                for a in range(p):
                    total -= ES[i, a] * E[k, j, a]
                noise[k, i, j] = total
                noise[k, j, i] = total


@njit(cache=True, nogil=True)
def lyapunov_operator(A):
    """The p²×p² matrix of X → A X + X A' on row-major vec X."""
    p = A.shape[0]
    L = np.zeros((p * p, p * p))
    for i in range(p):
        for j in range(p):
            for a in range(p):
                L[i * p + j, a * p + j] += A[i, a]
                L[i * p + j, i * p + a] += A[j, a]
    return L


@njit(cache=True, nogil=True)
def stationary(A, Q):
    """S with A S + S A' + Q = 0; A must be stable."""
    p = A.shape[0]
    S = np.linalg.solve(lyapunov_operator(A), -Q.copy().reshape(p * p)).reshape(p, p)
    return 0.5 * (S + S.T)


@njit(cache=True, nogil=True)
def steps_adjoint(A, gaps, route, lam, U, inverse, which, E_bar, segment, A_bar):
    """A_bar[segment[i]] += the adjoint of E = exp(A gaps[which[i]]) applied to E_bar[i], for every item i.

    Eigen route: adj = U^{-T} [K ∘ (U' Ē U^{-T})] U', K_ab = (e^{λ_a h} − e^{λ_b h})/(λ_a − λ_b), K summed over the
    items of a segment before the outer products. Squaring route: upper right block of exp([[A'h, Ēh], [0, A'h]]).
    """
    p = A.shape[0]
    if route == PAIR:
        _pair_adjoint(A, gaps, which, E_bar, segment, A_bar)
        return
    if route == SQUARING:
        block = np.zeros((2 * p, 2 * p))
        for i in range(which.size):
            h = gaps[which[i]]
            block[:p, :p] = A.T * h
            block[p:, p:] = A.T * h
            block[:p, p:] = E_bar[i] * h
            A_bar[segment[i]] += exponential(block)[:p, p:]
        return
    inner = np.zeros((A_bar.shape[0], p, p), np.complex128)
    half = np.empty((p, p), np.complex128)
    for i in range(which.size):
        h = gaps[which[i]]
        for a in range(p):
            for j in range(p):
                total = 0.0j
                for c in range(p):
                    total += U[c, a] * E_bar[i, c, j]
                half[a, j] = total
        for a in range(p):
            for b in range(p):
                total = 0.0j
                for c in range(p):
                    total += half[a, c] * inverse[b, c]
                kernel = h * np.exp(lam[b] * h) * _relative_exponential((lam[a] - lam[b]) * h)
                if lam[a].real > lam[b].real:  # the slower root leads, so that nothing overflows
                    kernel = h * np.exp(lam[a] * h) * _relative_exponential((lam[b] - lam[a]) * h)
                inner[segment[i], a, b] += kernel * total
    for s in range(A_bar.shape[0]):
        A_bar[s] += (inverse.T @ inner[s] @ U.T).real


@njit(cache=True, nogil=True)
def _pair_adjoint(A, gaps, which, E_bar, segment, A_bar):
    """E = ec I + eg B with B = A − sI = [[d, a₁₂], [a₂₁, −d]]; by the chain rule through s, d, a₁₂, a₂₁ and q²."""
    s, d = 0.5 * (A[0, 0] + A[1, 1]), 0.5 * (A[0, 0] - A[1, 1])
    q2 = d * d + A[0, 1] * A[1, 0]
    for i in range(which.size):
        h = gaps[which[i]]
        ec, eg, ed = _pair_terms(s, q2, h)
        X = E_bar[i]
        trace = X[0, 0] + X[1, 1]
        along = d * (X[0, 0] - X[1, 1]) + A[0, 1] * X[0, 1] + A[1, 0] * X[1, 0]
        s_bar = h * (trace * ec + along * eg)
        q2_bar = 0.5 * h * trace * eg + along * ed
        d_bar = eg * (X[0, 0] - X[1, 1]) + 2.0 * d * q2_bar
        k = segment[i]
        A_bar[k, 0, 0] += 0.5 * (s_bar + d_bar)
        A_bar[k, 1, 1] += 0.5 * (s_bar - d_bar)
        A_bar[k, 0, 1] += eg * X[0, 1] + A[1, 0] * q2_bar
        A_bar[k, 1, 0] += eg * X[1, 0] + A[0, 1] * q2_bar


@njit(cache=True, nogil=True)
def dynamics_adjoint(A, S, gaps, route, lam, U, inverse, E, which, segment, E_bar, noise_bar, S_bar, A_bar, Q_bar):
    """From adjoints of (E_k, Q_k) by item and of the starting covariance by segment to those of A and Q, by segment.

    Ē −= 2 Q̄ E S;   S̄ += Σ (Q̄ − E' Q̄ E);   A'X + X A + S̄ = 0;   Q̄ = X;   Ā = 2 X S + Σ adj(Ē).
    ``E_bar`` and ``S_bar`` are overwritten.
    """
    p = A.shape[0]
    QE = np.empty((p, p))
    for i in range(which.size):
        Ek = E[which[i]]
        for a in range(p):
            for b in range(p):
                total = 0.0
                for c in range(p):
                    total += noise_bar[i, a, c] * Ek[c, b]
                QE[a, b] = total
        k = segment[i]
        for a in range(p):
            for b in range(p):
                total, back = 0.0, 0.0
                for c in range(p):
                    total += QE[a, c] * S[c, b]
                    back += Ek[c, a] * QE[c, b]
                E_bar[i, a, b] -= 2.0 * total
                S_bar[k, a, b] += noise_bar[i, a, b] - back
    steps_adjoint(A, gaps, route, lam, U, inverse, which, E_bar, segment, A_bar)
    right = np.empty((p * p, A_bar.shape[0]))
    for k in range(A_bar.shape[0]):
        for a in range(p):
            for b in range(p):
                right[a * p + b, k] = -0.5 * (S_bar[k, a, b] + S_bar[k, b, a])
    X = np.linalg.solve(lyapunov_operator(A.T.copy()), right)
    for k in range(A_bar.shape[0]):
        Xk = X[:, k].copy().reshape(p, p)
        Q_bar[k] += Xk
        A_bar[k] += 2.0 * Xk @ S
