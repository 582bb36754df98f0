"""Compiled fits of linear path models: many small data sets, or many reweightings of one, without the interpreter.

The path structure comes as a `Plan`; every cell of θ is offset + coefficient × α[owner] (owner −1: fixed).
"""

from typing import NamedTuple

import numpy as np
from numba import njit

from bothways.engine.kernels.patterns import invert, pattern_gradient, pattern_moments


class Plan(NamedTuple):
    """A path model as arrays; `order` lists the states so that each comes after those that point at it."""

    A: np.ndarray
    S: np.ndarray
    m: np.ndarray
    nu: np.ndarray
    J: np.ndarray
    kind: np.ndarray
    row: np.ndarray
    column: np.ndarray
    owner: np.ndarray
    coefficient: np.ndarray
    offset: np.ndarray
    order: np.ndarray


@njit(cache=True, nogil=True)
def implied(plan, g, alpha, cov, mean, L, R, M):
    """Σ, μ of group g and, by cell, the rank-two factors of ∂Σ (columns of L, R) and ∂μ (columns of M)."""
    n, p = plan.A.shape[0], plan.J.shape[0]
    A, S, m, nu = plan.A.copy(), plan.S.copy(), plan.m.copy(), plan.nu.copy()
    cells = plan.kind.shape[0]
    for c in range(cells):
        value = plan.offset[g, c]
        if plan.owner[g, c] >= 0:
            value += plan.coefficient[g, c] * alpha[plan.owner[g, c]]
        i, j = plan.row[c], plan.column[c]
        if plan.kind[c] == 0:
            A[i, j] = value
        elif plan.kind[c] == 1:
            S[i, j] = value
            S[j, i] = value
        elif plan.kind[c] == 2:
            m[i] = value
        else:
            nu[i] = value
    F = np.zeros((n, n))
    for s in plan.order:  # F = Id + A F, row by row
        F[s, s] = 1.0
        for j in range(n):
            weight = A[s, j]
            if weight != 0.0:
                for t in range(n):
                    F[s, t] += weight * F[j, t]
    JF = np.dot(plan.J, F)
    JO = np.dot(np.dot(JF, S), F.T)
    cov[:] = np.dot(JO, plan.J.T)
    u = np.dot(F, m)
    mean[:] = nu + np.dot(plan.J, u)
    for c in range(cells):
        i, j = plan.row[c], plan.column[c]
        if plan.kind[c] == 0:
            for t in range(p):
                L[t, c] = JF[t, i]
                R[t, c] = JO[t, j]
                M[t, c] = JF[t, i] * u[j]
        elif plan.kind[c] == 1:
            half = 0.5 if i == j else 1.0
            for t in range(p):
                L[t, c] = JF[t, i]
                R[t, c] = half * JF[t, j]
        elif plan.kind[c] == 2:
            M[:, c] = JF[:, i]
        else:
            M[i, c] = 1.0


@njit(cache=True, nogil=True)
def add_gradient(plan, g, L, R, M, slope, G, gradient):
    """Add diag(L'GR) + M'slope, by the owners of the cells."""
    GR = np.dot(G, R)
    for c in range(plan.kind.shape[0]):
        a = plan.owner[g, c]
        if a >= 0:
            total = 0.0
            for t in range(L.shape[0]):
                total += L[t, c] * GR[t, c] + M[t, c] * slope[t]
            gradient[a] += plan.coefficient[g, c] * total


@njit(cache=True, nogil=True)
def add_information(plan, g, people, P, L, R, M, information):
    """Add n [(L'PL)∘(R'PR) + (L'PR)∘(L'PR)' + M'PM], by the owners of the cells."""
    PL, PR = np.dot(P, L), np.dot(P, R)
    LL, RR, LR = np.dot(L.T, PL), np.dot(R.T, PR), np.dot(L.T, PR)
    MM = np.dot(M.T, np.dot(P, M))
    cells = plan.kind.shape[0]
    for c in range(cells):
        a = plan.owner[g, c]
        if a < 0:
            continue
        for d in range(cells):
            b = plan.owner[g, d]
            if b >= 0:
                value = LL[c, d] * RR[c, d] + LR[c, d] * LR[d, c] + MM[c, d]
                information[a, b] += people * plan.coefficient[g, c] * plan.coefficient[g, d] * value


@njit(cache=True, nogil=True)
def complete_terms(plan, alpha, counts, means, covariances, gradient, information):
    """ℓ, gradient and expected information of complete data given by the moments of each group; NaN if undefined."""
    p, cells = plan.J.shape[0], plan.kind.shape[0]
    cov, mean = np.empty((p, p)), np.empty(p)
    L, R, M = np.zeros((p, cells)), np.zeros((p, cells)), np.zeros((p, cells))
    P, lower, W = np.empty((p, p)), np.empty((p, p)), np.empty((p, p))
    gradient[:] = 0.0
    information[:] = 0.0
    loglik = 0.0
    for g in range(counts.shape[0]):
        implied(plan, g, alpha, cov, mean, L, R, M)
        W[:] = cov
        logdet = invert(W, p, lower, P)
        if np.isnan(logdet):
            return np.nan
        e = means[g] - mean
        for i in range(p):
            for j in range(p):
                W[i, j] = covariances[g, i, j] + e[i] * e[j]
        PW = np.dot(P, W)
        loglik -= 0.5 * counts[g] * (p * np.log(2.0 * np.pi) + logdet + np.trace(PW))
        G = counts[g] * (np.dot(PW, P) - P)
        add_gradient(plan, g, L, R, M, counts[g] * np.dot(P, e), G, gradient)
        add_information(plan, g, counts[g], P, L, R, M, information)
    return loglik


@njit(cache=True, nogil=True)
def cholesky(H, damping, factor):
    """Lower factor of H + damping·diag H; False if that is not positive definite."""
    n = H.shape[0]
    for j in range(n):
        total = H[j, j] * (1.0 + damping)
        for t in range(j):
            total -= factor[j, t] * factor[j, t]
        if not total > 1e-13 * H[j, j]:
            return False
        root = np.sqrt(total)
        factor[j, j] = root
        for i in range(j + 1, n):
            total = H[i, j]
            for t in range(j):
                total -= factor[i, t] * factor[j, t]
            factor[i, j] = total / root
    return True


@njit(cache=True, nogil=True)
def solve(factor, g, x):
    """x = (factor factor')⁻¹ g."""
    n = g.shape[0]
    for i in range(n):
        total = g[i]
        for t in range(i):
            total -= factor[i, t] * x[t]
        x[i] = total / factor[i, i]
    for i in range(n - 1, -1, -1):
        total = x[i]
        for t in range(i + 1, n):
            total -= factor[t, i] * x[t]
        x[i] = total / factor[i, i]


@njit(cache=True, nogil=True)
def fit_complete(plan, counts, means, covariances, starts, tolerance, limit, alphas, logliks, decrements, steps, V):
    """Damped Fisher scoring of each replicate r; V[r] is the inverse expected information, NaN where there is none."""
    q = starts.shape[1]
    gradient, information, factor = np.empty(q), np.empty((q, q)), np.zeros((q, q))
    trial_gradient, trial_information, step = np.empty(q), np.empty((q, q)), np.empty(q)
    unit = np.zeros(q)
    for r in range(starts.shape[0]):
        alpha = starts[r].copy()
        loglik = complete_terms(plan, alpha, counts, means[r], covariances[r], gradient, information)
        damping, decrement, done = 1e-4, np.inf, 0
        while done < limit and not np.isnan(loglik):
            done += 1
            decrement = np.inf
            if cholesky(information, damping, factor):
                solve(factor, gradient, step)
                decrement = np.dot(gradient, step)
                if decrement < tolerance and damping < 1e-2:
                    break
                trial = alpha + step
                found = complete_terms(plan, trial, counts, means[r], covariances[r], trial_gradient, trial_information)
                if found >= loglik - 1e-12 * (1.0 + abs(loglik)):
                    alpha, loglik = trial, found
                    gradient[:] = trial_gradient
                    information[:] = trial_information
                    damping *= 0.01
                    continue
            damping = 10.0 * damping + 1e-6
            if damping > 1e10:
                break
        alphas[r], logliks[r], decrements[r], steps[r] = alpha, loglik, decrement, done
        V[r] = np.nan
        if not np.isnan(loglik) and cholesky(information, 0.0, factor):
            for a in range(q):
                unit[:] = 0.0
                unit[a] = 1.0
                solve(factor, unit, V[r, a])
            for a in range(q):
                if V[r, a, a] * information[a, a] > 1e9:  # a parameter that the others determine: not identified
                    V[r] = np.nan
                    break


@njit(cache=True, nogil=True)
def weighted_terms(plan, alpha, ranges, observed, people, counts, means, covariances, gradient):
    """ℓ and gradient of incomplete data; patterns ranges[g] .. ranges[g+1] belong to group g."""
    p, cells = plan.J.shape[0], plan.kind.shape[0]
    cov, mean, slope, G = np.empty((p, p)), np.empty(p), np.empty(p), np.empty((p, p))
    L, R, M = np.zeros((p, cells)), np.zeros((p, cells)), np.zeros((p, cells))
    gradient[:] = 0.0
    loglik = 0.0
    for g in range(ranges.shape[0] - 1):
        a, b = ranges[g], ranges[g + 1]
        implied(plan, g, alpha, cov, mean, L, R, M)
        loglik += pattern_gradient(
            mean, cov, observed[a:b], people[a:b], counts[a:b], means[a:b], covariances[a:b], slope, G
        )
        if np.isnan(loglik):
            return np.nan
        add_gradient(plan, g, L, R, M, slope, G, gradient)
    return loglik


@njit(cache=True, nogil=True)
def fit_reweighted(
    plan, factor, start, ranges, observed, people, values, order, rows, weights, tolerance, limit, alphas, decrements
):
    """Refit incomplete data under each row of `weights` by steps with one fixed information (its Cholesky `factor`).

    Near the original estimates the fixed information is close to the right one, so each step costs a gradient only.
    """
    patterns, p = observed.shape
    q = start.shape[0]
    counts, means, covariances = np.zeros(patterns), np.zeros((patterns, p)), np.zeros((patterns, p, p))
    gradient, trial_gradient, step = np.empty(q), np.empty(q), np.empty(q)
    for r in range(weights.shape[0]):
        counts[:] = 0.0
        means[:] = 0.0
        covariances[:] = 0.0
        pattern_moments(values, order, rows, weights[r], observed, counts, means, covariances)
        alpha, length, decrement = start.copy(), 1.0, np.inf
        loglik = weighted_terms(plan, alpha, ranges, observed, people, counts, means, covariances, gradient)
        for _ in range(limit):
            solve(factor, gradient, step)
            decrement = np.dot(gradient, step)
            if decrement < tolerance or length < 1e-6:
                break
            trial = alpha + length * step
            found = weighted_terms(plan, trial, ranges, observed, people, counts, means, covariances, trial_gradient)
            if found >= loglik - 1e-12 * (1.0 + abs(loglik)):
                alpha, loglik, length = trial, found, min(1.0, 2.0 * length)
                gradient[:] = trial_gradient
            else:
                length *= 0.5
        alphas[r], decrements[r] = alpha, decrement
