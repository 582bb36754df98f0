"""Compiled sweeps over observed sequences of a Markov chain in continuous time.

One step is p = a' P(t) c with P(t) = exp(Qt), a >= 0 carried forward and c >= 0 carried backward. With Q = V diag(l) W,

    p = sum_k u_k exp(l_k t) v_k,            u = a'V,  v = Wc,
    D = W' [(u v') o Phi] V',                Phi_kl = int_0^t exp(l_k s + l_l (t - s)) ds,
    D_ab = int_0^t [a'P(s)]_a [P(t - s)c]_b ds,   dp/dq_ab = D_ab - D_aa   (transpose, never conjugate).

Where the eigenvectors are nearly dependent, or p is too small to survive cancellation, the block exponential of
Van Loan (1978) gives P and D together. There Q is shifted by its largest exit rate, so that every term is
non-negative and every entry keeps its relative precision.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

OPEN, SEEN, ENTERED, DATED = 0, 1, 2, 3  # what ends a step; see engine/chain/sequences.py
SMALL = 1e-9  # below this probability the eigenvector route may have lost the digits that matter
TERMS = 13  # Taylor terms for a shifted matrix of norm at most 1/2: the remainder is below 1e-15


class Roots(NamedTuple):
    """One decomposition per distinct covariate row; real ones are kept apart because they cost a quarter."""

    generator: np.ndarray  # (U, K, K)
    sound: np.ndarray  # (U,) eigenvectors well enough conditioned to be used
    real: np.ndarray  # (U,) no complex pair
    place: np.ndarray  # (U,) index into the real or the complex arrays below
    real_values: np.ndarray
    real_vectors: np.ndarray
    real_inverse: np.ndarray
    complex_values: np.ndarray
    complex_vectors: np.ndarray
    complex_inverse: np.ndarray


class Steps(NamedTuple):
    """Observed sequences as flat steps; sequence s owns the steps first[s] to first[s + 1]."""

    first: np.ndarray  # (S + 1,)
    start: np.ndarray  # (S,) row of the table of starting weights
    row: np.ndarray  # (J,) covariate row in force during the step
    length: np.ndarray  # (J,)
    kind: np.ndarray  # (J,) OPEN, SEEN, ENTERED or DATED
    end: np.ndarray  # (J,) SEEN: row of the table of weights; ENTERED and DATED: the state
    origin: np.ndarray  # (J,) DATED: the state before; else -1


class Room(NamedTuple):
    """Scratch for one step, real and complex."""

    e: np.ndarray
    phi: np.ndarray
    y: np.ndarray
    ez: np.ndarray
    phiz: np.ndarray
    yz: np.ndarray
    a: np.ndarray
    c: np.ndarray
    reached: np.ndarray
    ones: np.ndarray


@njit(cache=True)
def _room(K):
    c = np.complex128
    return Room(
        np.empty(K), np.empty((K, K)), np.empty((K, K)), np.empty(K, c), np.empty((K, K), c), np.empty((K, K), c),
        np.empty(K), np.empty(K), np.empty(K), np.ones(K),
    )  # fmt: skip


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
def _advance(values, vectors, inverse, t, a, out):
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
def _prepare_real(values, t, e, phi):
    """e_k = exp(l_k t) and the symmetric Phi_kl, real."""
    K = e.size
    for k in range(K):
        e[k] = np.exp(values[k] * t)
        phi[k, k] = t * e[k]
        for m in range(k):
            phi[k, m] = phi[m, k] = t * divided_real(values[k] * t, values[m] * t, e[k], e[m])


@njit(cache=True)
def _prepare_complex(values, t, e, phi):
    """e_k = exp(l_k t) and the symmetric Phi_kl, complex."""
    K = e.size
    for k in range(K):
        e[k] = np.exp(values[k] * t)
        phi[k, k] = t * e[k]
        for m in range(k):
            phi[k, m] = phi[m, k] = t * divided_complex(values[k] * t, values[m] * t, e[k], e[m])


@njit(cache=True)
def _half(vectors, inverse, a, phi, y):
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
def _pass(vectors, inverse, e, phi, a, c, y, D, reached, behind):
    """D, reached = a'P and behind = Pc of one step."""
    K = a.size
    _half(vectors, inverse, a, phi, y)
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
def _move(roots, u, t, a, out, safe, X, D):
    """out = a' P(t), by eigenvectors unless ``safe``."""
    if safe:
        block_exponential(roots.generator[u], t, a, a, X, D)
        out[:] = np.dot(X, a)
        return
    i = roots.place[u]
    if roots.real[u]:
        _advance(roots.real_values[i], roots.real_vectors[i], roots.real_inverse[i], t, a, out)
    else:
        _advance(roots.complex_values[i], roots.complex_vectors[i], roots.complex_inverse[i], t, a, out)


@njit(cache=True)
def _weigh(step_kind, end, weights, Q, ahead, b, c):
    """c: what follows a step, seen from the moment just before its end. ``b`` is what follows its end."""
    K = b.size
    if step_kind == SEEN:
        for r in range(K):
            c[r] = weights[end, r] * b[r]
    elif step_kind == ENTERED:
        for r in range(K):
            c[r] = Q[r, end] * b[end] if r != end else 0.0
    else:
        c[:] = b


@njit(cache=True)
def forward(steps, s, roots, weights, starts, before, safe, room, X, D):
    """Log-probability of sequence s; fills ``before`` (the normalised weights at each step's start) and ``safe``."""
    K = starts.shape[1]
    a, reached, ones, c = room.a, room.reached, room.ones, room.c
    a[:] = starts[steps.start[s]]
    logp = 0.0
    j0, j1 = steps.first[s], steps.first[s + 1]
    for j in range(j0, j1):
        u, t, kind = steps.row[j], steps.length[j], steps.kind[j]
        Q = roots.generator[u]
        before[j - j0] = a
        if kind == DATED:
            f, e = steps.origin[j], steps.end[j]
            p = a[f] * (1.0 if e == f else Q[f, e])
            if p <= 0.0:
                return -np.inf
            logp += np.log(p) + Q[f, f] * t
            a[:] = 0.0
            a[e] = 1.0
            continue
        safe[j - j0] = not roots.sound[u]
        _move(roots, u, t, a, reached, safe[j - j0], X, D)
        _weigh(kind, steps.end[j], weights, Q, reached, ones, c)
        p = 0.0
        for r in range(K):
            p += reached[r] * c[r]
        if not safe[j - j0] and not p > SMALL:
            safe[j - j0] = True
            _move(roots, u, t, a, reached, True, X, D)
            p = 0.0
            for r in range(K):
                p += reached[r] * c[r]
        if not p > 0.0:
            return -np.inf
        logp += np.log(p)
        if kind == ENTERED:
            a[:] = 0.0
            a[steps.end[j]] = 1.0
        else:
            for r in range(K):
                a[r] = max(reached[r] * c[r] / p, 0.0)
    return logp


@njit(cache=True)
def _adjoint(roots, u, t, a, c, safe, room, X, D, reached, behind):
    """D of one step, with reached = a'P and behind = Pc; the value is the step's p = a'Pc."""
    K = a.size
    i = roots.place[u]
    if safe:
        block_exponential(roots.generator[u], t, a, c, X, D)
        reached[:] = np.dot(X, a)
        behind[:] = np.dot(X.T, c)
    elif roots.real[u]:
        _prepare_real(roots.real_values[i], t, room.e, room.phi)
        _pass(roots.real_vectors[i], roots.real_inverse[i], room.e, room.phi, a, c, room.y, D, reached, behind)
    else:
        _prepare_complex(roots.complex_values[i], t, room.ez, room.phiz)
        _pass(roots.complex_vectors[i], roots.complex_inverse[i], room.ez, room.phiz, a, c, room.yz, D, reached, behind)
    p = 0.0
    for r in range(K):
        p += reached[r] * c[r]
    return p


@njit(cache=True, nogil=True)
def values(steps, roots, weights, starts, logp):
    """logp (S,): the log-probability of every sequence."""
    K, longest = starts.shape[1], np.max(np.diff(steps.first))
    before, safe = np.empty((longest, K)), np.zeros(longest, np.bool_)
    X, D, room = np.empty((K, K)), np.empty((K, K)), _room(K)
    for s in range(logp.size):
        logp[s] = forward(steps, s, roots, weights, starts, before, safe, room, X, D)


@njit(cache=True, nogil=True)
def scores(steps, roots, weights, starts, source, target, logp, by_rate, by_weight, by_start):
    """Log-probabilities and their derivatives, one forward and one backward pass per sequence.

    ``by_rate`` (J, T): d logp / d log q of each step's transitions. ``by_weight`` (S, O, K) and ``by_start`` (S, K):
    by the table of weights and by the starting weights; pass empty arrays where nobody asks.
    """
    K, longest = starts.shape[1], np.max(np.diff(steps.first))
    before, safe = np.empty((longest, K)), np.zeros(longest, np.bool_)
    X, D = np.empty((K, K)), np.empty((K, K))
    room = _room(K)
    reached, behind, b, c = np.empty(K), np.empty(K), np.empty(K), np.empty(K)
    for s in range(logp.size):
        logp[s] = forward(steps, s, roots, weights, starts, before, safe, room, X, D)
        if logp[s] == -np.inf:
            continue
        j0 = steps.first[s]
        b[:] = 1.0
        for j in range(steps.first[s + 1] - 1, j0 - 1, -1):
            u, t, kind, e = steps.row[j], steps.length[j], steps.kind[j], steps.end[j]
            Q, a = roots.generator[u], before[j - j0]
            if kind == DATED:
                f = steps.origin[j]
                for m in range(source.size):
                    if source[m] == f:
                        by_rate[j, m] = (1.0 if target[m] == e and e != f else 0.0) - Q[f, target[m]] * t
                b[:] = 0.0
                b[f] = 1.0
                continue
            _weigh(kind, e, weights, Q, reached, b, c)
            p = _adjoint(roots, u, t, a, c, safe[j - j0], room, X, D, reached, behind)
            for m in range(source.size):
                f, g = source[m], target[m]
                value = Q[f, g] * (D[f, g] - D[f, f])
                if kind == ENTERED and g == e:
                    value += Q[f, g] * reached[f] * b[e]
                by_rate[j, m] = value / p
            if kind == SEEN and by_weight.size:
                for r in range(K):
                    by_weight[s, e, r] += reached[r] * b[r] / p
            top = 0.0
            for r in range(K):
                top = max(top, behind[r])
            for r in range(K):
                b[r] = max(behind[r] / top, 0.0)
        if by_start.size:
            p = 0.0
            for r in range(K):
                p += starts[steps.start[s], r] * b[r]
            for r in range(K):
                by_start[s, r] = b[r] / p


@njit(cache=True)
def _destinations(vectors, inverse, e, y, Q, f, source, target, reached, d):
    """reached_j = P_fj(t) and d_mj = dP_fj / d log q_m for every destination, from the half made by ``_half``.

    dP_fj/dq_ab = D_ab - D_aa = sum_l y_al (V_bl - V_al) W_lj.
    """
    K = reached.size
    reached[:] = 0.0
    d[:] = 0.0
    for k in range(K):
        u = vectors[f, k] * e[k]
        for j in range(K):
            reached[j] += (u * inverse[k, j]).real
        for m in range(source.size):
            a, b = source[m], target[m]
            w = Q[a, b] * y[a, k] * (vectors[b, k] - vectors[a, k])
            for j in range(K):
                d[m, j] += (w * inverse[k, j]).real


@njit(cache=True)
def _safe_destination(Q, t, f, j, source, target, room, X, D, reached, d):
    """One destination by the block exponential, which keeps small probabilities to full precision."""
    room.a[:] = 0.0
    room.a[f] = 1.0
    room.c[:] = 0.0
    room.c[j] = 1.0
    block_exponential(Q, t, room.a, room.c, X, D)
    reached[j] = X[j, f]
    for m in range(source.size):
        d[m, j] = Q[source[m], target[m]] * (D[source[m], target[m]] - D[source[m], source[m]])


@njit(cache=True)
def _leap(roots, u, t, f, seen, source, target, room, X, D, reached, d):
    """P_f.(t) and its slopes; by the safe route where the eigenvectors are unsound or a seen end is improbable."""
    K, Q, i = reached.size, roots.generator[u], roots.place[u]
    if roots.sound[u]:
        room.a[:] = 0.0
        room.a[f] = 1.0
        if roots.real[u]:
            V, W = roots.real_vectors[i], roots.real_inverse[i]
            _prepare_real(roots.real_values[i], t, room.e, room.phi)
            _half(V, W, room.a, room.phi, room.y)
            _destinations(V, W, room.e, room.y, Q, f, source, target, reached, d)
        else:
            Z, Y = roots.complex_vectors[i], roots.complex_inverse[i]
            _prepare_complex(roots.complex_values[i], t, room.ez, room.phiz)
            _half(Z, Y, room.a, room.phiz, room.yz)
            _destinations(Z, Y, room.ez, room.yz, Q, f, source, target, reached, d)
    for j in range(K):
        if not roots.sound[u] or (seen[j] > 0.0 and not reached[j] > SMALL):
            _safe_destination(Q, t, f, j, source, target, room, X, D, reached, d)


@njit(cache=True, nogil=True)
def gaps(origins, rows, lengths, seen, roots, source, target, slopes, blocks):
    """Gaps between visits all at once: value, gradient and expected information over every destination.

    ``seen`` (N, K) counts the destinations of each gap. With d_j = dP_fj(t) / d log q:

        returns             sum n_j log P_fj
        slopes (U, T)       += sum_j n_j d_j / P_fj          (empty: not wanted)
        blocks (U, T, T)    += n sum_j d_j d_j' / P_fj       (empty: not wanted)
    """
    K, T = roots.generator.shape[1], source.size
    reached, d = np.empty(K), np.empty((T, K))
    X, D, room = np.empty((K, K)), np.empty((K, K)), _room(K)
    total = 0.0
    for n in range(origins.size):
        u, count = rows[n], 0.0
        _leap(roots, u, lengths[n], origins[n], seen[n], source, target, room, X, D, reached, d)
        for j in range(K):
            count += seen[n, j]
            if seen[n, j] > 0.0:
                if not reached[j] > 0.0:
                    return -np.inf
                total += seen[n, j] * np.log(reached[j])
                if slopes.size:
                    for m in range(T):
                        slopes[u, m] += seen[n, j] * d[m, j] / reached[j]
        if blocks.size:
            for j in range(K):
                if reached[j] > 1e-12:
                    scale = count / reached[j]
                    for m in range(T):
                        w = scale * d[m, j]
                        for k in range(m + 1):
                            blocks[u, m, k] += w * d[k, j]
    for u in range(blocks.shape[0]):
        for m in range(T):
            for k in range(m):
                blocks[u, k, m] = blocks[u, m, k]
    return total
