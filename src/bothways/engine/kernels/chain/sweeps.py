"""Forward and backward over sequences of steps: log-probabilities and their derivatives."""

from __future__ import annotations

import numpy as np
from numba import njit

from bothways.engine.kernels.chain.exponential import block_exponential, both_ways, move, prepare_complex, prepare_real
from bothways.engine.kernels.chain.layout import DATED, ENTERED, SEEN, SMALL, make_room


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
        move(roots, u, t, a, reached, safe[j - j0], X, D)
        _weigh(kind, steps.end[j], weights, Q, reached, ones, c)
        p = 0.0
        for r in range(K):
            p += reached[r] * c[r]
        if not safe[j - j0] and not p > SMALL:
            safe[j - j0] = True
            move(roots, u, t, a, reached, True, X, D)
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
        prepare_real(roots.real_values[i], t, room.e, room.phi)
        both_ways(roots.real_vectors[i], roots.real_inverse[i], room.e, room.phi, a, c, room.y, D, reached, behind)
    else:
        prepare_complex(roots.complex_values[i], t, room.ez, room.phiz)
        both_ways(
            roots.complex_vectors[i], roots.complex_inverse[i], room.ez, room.phiz, a, c, room.yz, D, reached, behind
        )
    p = 0.0
    for r in range(K):
        p += reached[r] * c[r]
    return p


@njit(cache=True, nogil=True)
def values(steps, roots, weights, starts, logp):
    """logp (S,): the log-probability of every sequence."""
    K, longest = starts.shape[1], np.max(np.diff(steps.first))
    before, safe = np.empty((longest, K)), np.zeros(longest, np.bool_)
    X, D, room = np.empty((K, K)), np.empty((K, K)), make_room(K)
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
    room = make_room(K)
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
