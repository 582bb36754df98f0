"""exp(Qt) and the integrals that its derivative is made of: by eigenvectors, and by the block exponential."""

from __future__ import annotations

import numpy as np
from numba import njit

TERMS = 13  # Taylor terms for a shifted matrix of norm at most 1/2: the remainder is below 1e-15


@njit(cache=True)
def _expm1(z):
    """exp(z) - 1 for complex z without cancellation near zero."""
    x, y = z.real, z.imag
    half = np.sin(0.5 * y)
    return complex(np.expm1(x) * np.cos(y) - 2.0 * half * half, np.exp(x) * np.sin(y))


@njit(cache=True)
def divided_real(x, y, ex, ey):
    """(exp(x) - exp(y)) / (x - y) for real numbers, given ex = exp(x) and ey = exp(y)."""
    d = y - x
    if abs(d) > 1.0:
        return (ey - ex) / d
    if d > 0.0:
        d, ex = -d, ey
    if d > -1e-8:
        return ex * (1.0 + 0.5 * d)
    return ex * np.expm1(d) / d


@njit(cache=True)
def divided_complex(x, y, ex, ey):
    """(exp(x) - exp(y)) / (x - y) for complex numbers, given ex = exp(x) and ey = exp(y)."""
    d = y - x
    if d.real > 0.0:
        d, ex, ey = -d, ey, ex
    if abs(d) > 1.0:
        return (ey - ex) / d
    if abs(d) < 1e-8:
        return ex * (1.0 + 0.5 * d)
    return ex * _expm1(d) / d


@njit(cache=True)
def advance(values, vectors, inverse, t, a, out):
    """out = a' P(t), through a real or complex decomposition."""
    K = a.size
    out[:] = 0.0
    for k in range(K):
        u = values[0] * 0.0
        for i in range(K):
            u += a[i] * vectors[i, k]
        u *= np.exp(values[k] * t)
        for j in range(K):
            out[j] += (u * inverse[k, j]).real


@njit(cache=True)
def prepare_real(values, t, e, phi):
    """e_k = exp(l_k t) and the symmetric Phi_kl, real."""
    K = e.size
    for k in range(K):
        e[k] = np.exp(values[k] * t)
        phi[k, k] = t * e[k]
        for m in range(k):
            phi[k, m] = phi[m, k] = t * divided_real(values[k] * t, values[m] * t, e[k], e[m])


@njit(cache=True)
def prepare_complex(values, t, e, phi):
    """e_k = exp(l_k t) and the symmetric Phi_kl, complex."""
    K = e.size
    for k in range(K):
        e[k] = np.exp(values[k] * t)
        phi[k, k] = t * e[k]
        for m in range(k):
            phi[k, m] = phi[m, k] = t * divided_complex(values[k] * t, values[m] * t, e[k], e[m])


@njit(cache=True)
def half(vectors, inverse, a, phi, y):
    """y = W' diag(u) Phi, the half of D that does not depend on c."""
    K = a.size
    y[:] = 0.0
    for k in range(K):
        u = phi[0, 0] * 0.0
        for i in range(K):
            u += a[i] * vectors[i, k]
        for i in range(K):
            w = inverse[k, i] * u
            for m in range(K):
                y[i, m] += w * phi[k, m]


@njit(cache=True)
def _whole(y, vectors, inverse, c, D):
    """D = (y o 1v') V' with v = Wc."""
    K = c.size
    D[:] = 0.0
    for m in range(K):
        v = y[0, 0] * 0.0
        for j in range(K):
            v += inverse[m, j] * c[j]
        for b in range(K):
            w = v * vectors[b, m]
            for a in range(K):
                D[a, b] += (y[a, m] * w).real


@njit(cache=True)
def both_ways(vectors, inverse, e, phi, a, c, y, D, reached, behind):
    """D, reached = a'P and behind = Pc of one step."""
    K = a.size
    half(vectors, inverse, a, phi, y)
    _whole(y, vectors, inverse, c, D)
    reached[:] = 0.0
    behind[:] = 0.0
    for k in range(K):
        u = e[k] * 0.0
        v = e[k] * 0.0
        for i in range(K):
            u += a[i] * vectors[i, k]
            v += inverse[k, i] * c[i]
        u *= e[k]
        v *= e[k]
        for i in range(K):
            reached[i] += (u * inverse[k, i]).real
            behind[i] += (vectors[i, k] * v).real


@njit(cache=True)
def block_exponential(Q, t, a, c, X, D):
    """X = exp(Qt) transposed and D = int_0^t exp(Q's) a c' exp(Q'(t - s)) ds, for a, c >= 0.

    The upper right block of exp{t [[Q', ac'], [0, Q']]} (Van Loan 1978), by Taylor series, scaling and squaring.
    """
    K = a.size
    shift = 0.0
    for i in range(K):
        shift = max(shift, -Q[i, i])
    halvings = 0
    h = t
    while h * shift > 0.25 and halvings < 60:
        h *= 0.5
        halvings += 1
    A = np.empty((K, K))
    for i in range(K):
        for j in range(K):
            A[i, j] = h * Q[j, i]
        A[i, i] += h * shift
    term, change = np.eye(K), np.zeros((K, K))
    X[:] = term
    D[:] = 0.0
    E = np.empty((K, K))
    for i in range(K):
        for j in range(K):
            E[i, j] = h * a[i] * c[j]
    for n in range(1, TERMS + 1):
        change = (np.dot(A, change) + np.dot(E, term)) / n
        term = np.dot(A, term) / n
        X += term
        D += change
    decay = np.exp(-h * shift)
    X *= decay
    D *= decay
    for _ in range(halvings):
        D[:] = np.dot(X, D) + np.dot(D, X)
        X[:] = np.dot(X, X)


@njit(cache=True)
def move(roots, u, t, a, out, safe, X, D):
    """out = a' P(t), by eigenvectors unless ``safe``."""
    if safe:
        block_exponential(roots.generator[u], t, a, a, X, D)
        out[:] = np.dot(X, a)
        return
    i = roots.place[u]
    if roots.real[u]:
        advance(roots.real_values[i], roots.real_vectors[i], roots.real_inverse[i], t, a, out)
    else:
        advance(roots.complex_values[i], roots.complex_vectors[i], roots.complex_inverse[i], t, a, out)
