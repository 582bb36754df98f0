"""Loops over missing patterns and over people for the normal likelihood of incomplete data.

Symmetric matrices travel as their lower triangle by rows, ``vech``: (0,0), (1,0), (1,1), (2,0), ...
Arrays of a pattern are zero outside its observed variables, so that sums over patterns need no index.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def invert(block, m, lower, inverse):
    """Inverse of the leading m×m of `block` (destroyed); returns log determinant, NaN if not positive definite."""
    logdet = 0.0
    for i in range(m):
        for j in range(i + 1):
            total = block[i, j]
            for t in range(j):
                total -= lower[i, t] * lower[j, t]
            if i == j:
                if not total > 1e-14 * block[i, i] or not np.isfinite(total):
                    return np.nan
                lower[i, i] = np.sqrt(total)
                logdet += np.log(total)
            else:
                lower[i, j] = total / lower[j, j]
    for j in range(m):  # the inverse of the factor, stored as block[column, row]
        block[j, j] = 1.0 / lower[j, j]
        for i in range(j + 1, m):
            total = 0.0
            for t in range(j, i):
                total -= lower[i, t] * block[j, t]
            block[j, i] = total / lower[i, i]
    for i in range(m):
        for j in range(i + 1):
            total = 0.0
            for t in range(i, m):
                total += block[i, t] * block[j, t]
            inverse[i, j] = total
            inverse[j, i] = total
    return logdet


@njit(cache=True, nogil=True)
def one_pattern(k, mean, cov, observed, people, means, covariances, index, work, z, C):
    """(m, log density) of pattern k; fills its variables' `index`, work[2] = P, z = P e and C = P (S + e e') P.

    All in the m observed variables. The density is NaN if the observed block of `cov` is not positive definite.
    """
    block, lower, inverse, half = work
    m = 0
    for j in range(observed.shape[1]):
        if observed[k, j]:
            index[m] = j
            m += 1
    for i in range(m):
        for j in range(i + 1):
            block[i, j] = cov[index[i], index[j]]
    logdet = invert(block, m, lower, inverse)
    if np.isnan(logdet):
        return m, np.nan
    trace = 0.0
    for i in range(m):
        total = 0.0
        for j in range(m):
            total += inverse[i, j] * (means[k, index[j]] - mean[index[j]])
        z[i] = total
        trace += total * (means[k, index[i]] - mean[index[i]])
    if people[k] > 1:  # half = P S
        for i in range(m):
            for j in range(m):
                half[i, j] = 0.0
            for t in range(m):
                weight = inverse[i, t]
                for j in range(m):
                    half[i, j] += weight * covariances[k, index[t], index[j]]
            trace += half[i, i]
    for i in range(m):
        for j in range(i + 1):
            total = z[i] * z[j]
            if people[k] > 1:
                for t in range(m):
                    total += half[i, t] * inverse[t, j]
            C[i, j] = total
            C[j, i] = total
    return m, -0.5 * (m * np.log(2.0 * np.pi) + logdet + trace)


@njit(cache=True, nogil=True)
def pattern_terms(mean, cov, observed, people, means, covariances, density, P, C, z):
    """Fill, for each pattern k, the mean log density, vech P_k, vech C_k and z_k = P_k e_k.

    P_k is the inverse of the observed block of `cov`, e_k = m_k − μ, C_k = P_k (S_k + e_k e_k') P_k.
    Returns False as soon as one observed block is not positive definite.
    """
    patterns, p = observed.shape
    index, work, zk, Ck = np.empty(p, np.int64), np.empty((4, p, p)), np.empty(p), np.empty((p, p))
    for k in range(patterns):
        m, density[k] = one_pattern(k, mean, cov, observed, people, means, covariances, index, work, zk, Ck)
        if np.isnan(density[k]):
            return False
        P[k] = 0.0
        C[k] = 0.0
        z[k] = 0.0
        for i in range(m):
            z[k, index[i]] = zk[i]
            start = index[i] * (index[i] + 1) // 2
            for j in range(i + 1):
                P[k, start + index[j]] = work[2, i, j]
                C[k, start + index[j]] = Ck[i, j]
    return True


@njit(cache=True, nogil=True)
def pattern_gradient(mean, cov, observed, people, counts, means, covariances, slope, G):
    """ℓ, with Σ n_k P_k e_k in `slope` and Σ n_k (C_k − P_k) in G; NaN if Σ is not positive definite."""
    patterns, p = observed.shape
    index, work, z, C = np.empty(p, np.int64), np.empty((4, p, p)), np.empty(p), np.empty((p, p))
    slope[:] = 0.0
    G[:] = 0.0
    loglik = 0.0
    for k in range(patterns):
        if counts[k] == 0.0:
            continue
        m, density = one_pattern(k, mean, cov, observed, people, means, covariances, index, work, z, C)
        if np.isnan(density):
            return np.nan
        loglik += counts[k] * density
        for i in range(m):
            slope[index[i]] += counts[k] * z[i]
            for j in range(m):
                G[index[i], index[j]] += counts[k] * (C[i, j] - work[2, i, j])
    return loglik


@njit(cache=True, nogil=True)
def pattern_moments(values, order, starts, weights, observed, counts, means, covariances):
    """Weighted mean and covariance (divisor: the pattern's weight) of the people of each pattern."""
    patterns, p = observed.shape
    index = np.empty(p, np.int64)
    e = np.empty(p)
    for k in range(patterns):
        m = 0
        for j in range(p):
            if observed[k, j]:
                index[m] = j
                m += 1
        total = 0.0
        for r in range(starts[k], starts[k + 1]):
            row = order[r]
            total += weights[row]
            for i in range(m):
                means[k, index[i]] += weights[row] * values[row, index[i]]
        counts[k] = total
        if total <= 0.0:
            continue
        for i in range(m):
            means[k, index[i]] /= total
        for r in range(starts[k], starts[k + 1]):
            row = order[r]
            for i in range(m):
                e[i] = values[row, index[i]] - means[k, index[i]]
            for i in range(m):
                weight = weights[row] * e[i] / total
                for j in range(i + 1):
                    covariances[k, index[i], index[j]] += weight * e[j]
        for i in range(m):
            for j in range(i):
                covariances[k, index[j], index[i]] = covariances[k, index[i], index[j]]


@njit(cache=True, nogil=True)
def pair_blocks(M, p):
    """c_a c_b (M[ik,jl] + M[jl,ik] + M[il,jk] + M[jk,il]) for a = (i,j), b = (k,l); c = ½ on the diagonal, else 1.

    With M = Σ n vech(P) vech(Y)' this is Σ n tr(E_a P E_b Y), E_a the symmetric unit matrix of cell a.
    """
    size = p * (p + 1) // 2
    out = np.empty((size, size))
    a = 0
    for i in range(p):
        for j in range(i + 1):
            b = 0
            for k in range(i + 1):
                ik = i * (i + 1) // 2 + k
                jk = j * (j + 1) // 2 + k if j >= k else k * (k + 1) // 2 + j
                for l in range(k + 1):  # noqa: E741
                    if b > a:
                        break
                    il = i * (i + 1) // 2 + l
                    jl = j * (j + 1) // 2 + l if j >= l else l * (l + 1) // 2 + j
                    value = M[ik, jl] + M[jl, ik] + M[il, jk] + M[jk, il]
                    if i == j:
                        value *= 0.5
                    if k == l:
                        value *= 0.5
                    out[a, b] = value
                    out[b, a] = value
                    b += 1
            a += 1
    return out


@njit(cache=True, nogil=True)
def cross_blocks(N, p):
    """c_b (N[ik,l] + N[il,k]) for variable i and b = (k,l): with N = Σ n vech(P) z' this is Σ n [P E_b z]_i."""
    out = np.empty((p, p * (p + 1) // 2))
    for i in range(p):
        b = 0
        for k in range(p):
            ik = i * (i + 1) // 2 + k if i >= k else k * (k + 1) // 2 + i
            for l in range(k + 1):  # noqa: E741
                il = i * (i + 1) // 2 + l if i >= l else l * (l + 1) // 2 + i
                value = N[ik, l] + N[il, k]
                out[i, b] = 0.5 * value if k == l else value
                b += 1
    return out


@njit(cache=True, nogil=True)
def case_scores(first, last, values, pattern, weights, mean, P, observed, out):
    """Rows first..last of the casewise scores in (μ, vech Σ): w z and w c (z z' − P), z = P (y − μ)."""
    p = mean.shape[0]
    z = np.empty(p)
    index = np.empty(p, np.int64)
    for row in range(first, last):
        k = pattern[row]
        w = weights[row]
        m = 0
        for j in range(p):
            if observed[k, j]:
                index[m] = j
                m += 1
        for j in range(p):
            z[j] = 0.0
        for a in range(m):
            i = index[a]
            total = 0.0
            for b in range(m):
                j = index[b]
                cell = i * (i + 1) // 2 + j if i >= j else j * (j + 1) // 2 + i
                total += P[k, cell] * (values[row, j] - mean[j])
            z[i] = total
        target = out[row - first]
        cell = 0
        for i in range(p):
            target[i] = w * z[i]
        for i in range(p):
            for j in range(i):
                target[p + cell] = w * (z[i] * z[j] - P[k, cell])
                cell += 1
            target[p + cell] = 0.5 * w * (z[i] * z[i] - P[k, cell])
            cell += 1
