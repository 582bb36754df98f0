"""Gaps between visits all at once: value, gradient and expected information over every destination."""

from __future__ import annotations

import numpy as np
from numba import njit

from bothways.engine.kernels.chain.exponential import block_exponential, half, prepare_complex, prepare_real
from bothways.engine.kernels.chain.layout import SMALL, make_room


@njit(cache=True)
def _destinations(vectors, inverse, e, y, Q, f, source, target, reached, d):
    """reached_j = P_fj(t) and d_mj = dP_fj / d log q_m for every destination, from the half made by ``half``.

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
            prepare_real(roots.real_values[i], t, room.e, room.phi)
            half(V, W, room.a, room.phi, room.y)
            _destinations(V, W, room.e, room.y, Q, f, source, target, reached, d)
        else:
            Z, Y = roots.complex_vectors[i], roots.complex_inverse[i]
            prepare_complex(roots.complex_values[i], t, room.ez, room.phiz)
            half(Z, Y, room.a, room.phiz, room.yz)
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
    X, D, room = np.empty((K, K)), np.empty((K, K)), make_room(K)
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
