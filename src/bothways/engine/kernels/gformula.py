"""Compiled parts of the g-formula: weighted regressions and the simulation of whole courses under interventions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

NATURAL, FIXED, DRAWN = 0, 1, 2  # how a plan treats a variable: by its model, at a value, from a recorded course


@njit(cache=True, nogil=True)
def solve(H, g, step):
    """step = H⁻¹ g by Cholesky; False where H (upper triangle given) is not clearly positive definite."""
    p = g.size
    L = np.zeros((p, p))
    for a in range(p):
        for b in range(a + 1):
            total = H[b, a]
            for c in range(b):
                total -= L[a, c] * L[b, c]
            if a == b:
                if not total > 1e-11 * max(H[a, a], 1e-300):
                    return False
                L[a, a] = np.sqrt(total)
            else:
                L[a, b] = total / L[b, b]
    for a in range(p):
        total = g[a]
        for c in range(a):
            total -= L[a, c] * step[c]
        step[a] = total / L[a, a]
    for a in range(p - 1, -1, -1):
        total = step[a]
        for c in range(a + 1, p):
            total -= L[c, a] * step[c]
        step[a] = total / L[a, a]
    return True


@njit(cache=True, nogil=True)
def linear(X, y, w, coef):
    """Weighted least squares into ``coef``; returns the residual variance Σ w r² / Σ w, or -1 where X is singular."""
    n, p = X.shape
    H, g = np.zeros((p, p)), np.zeros(p)
    total = 0.0
    for i in range(n):
        if w[i] == 0.0:
            continue
        total += w[i]
        for a in range(p):
            t = w[i] * X[i, a]
            g[a] += t * y[i]
            for b in range(a, p):
                H[a, b] += t * X[i, b]
    if not solve(H, g, coef):
        return -1.0
    squares = 0.0
    for i in range(n):
        if w[i] != 0.0:
            left = y[i]
            for a in range(p):
                left -= X[i, a] * coef[a]
            squares += w[i] * left * left
    return squares / total


@njit(cache=True, nogil=True)
def logistic(X, y, w, coef, most, tolerance):
    """Weighted logistic regression by Newton's method from ``coef``, in place: g = Σ w (y - p) x, H = Σ w p (1-p) xx'.

    Steps that lower the log-likelihood are halved. Returns the iterations when the decrement g' H⁻¹ g is under
    ``tolerance`` times Σ w; -1 where it never is, or where H loses rank (separation, collinearity).
    """
    n, p = X.shape
    H, g, step = np.empty((p, p)), np.empty(p), np.zeros(p)
    before, halved = -np.inf, 0
    for iteration in range(most):
        H[:] = 0.0
        g[:] = 0.0
        loglik, total = 0.0, 0.0
        for i in range(n):
            if w[i] == 0.0:
                continue
            eta = 0.0
            for a in range(p):
                eta += X[i, a] * coef[a]
            small = np.exp(-abs(eta))
            mu = 1.0 / (1.0 + small) if eta >= 0 else small / (1.0 + small)
            loglik += w[i] * (y[i] * eta - max(eta, 0.0) - np.log1p(small))
            total += w[i]
            pull, v = w[i] * (y[i] - mu), w[i] * mu * (1.0 - mu)
            for a in range(p):
                g[a] += pull * X[i, a]
                t = v * X[i, a]
                for b in range(a, p):
                    H[a, b] += t * X[i, b]
        if loglik < before - 1e-10 * abs(before) and halved < 20:
            halved += 1
            for a in range(p):
                step[a] *= 0.5
                coef[a] -= step[a]
            continue
        before, halved = loglik, 0
        if not solve(H, g, step):
            return -1
        decrement = 0.0
        for a in range(p):
            decrement += g[a] * step[a]
            coef[a] += step[a]
        if decrement < tolerance * total:
            return iteration + 1
    return -1


@njit(cache=True, nogil=True)
def linear_part(x, coef, v):
    """x'β of row v of ``coef``, in four sums side by side."""
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    whole = x.size // 4 * 4
    for a in range(0, whole, 4):
        one += x[a] * coef[v, a]
        two += x[a + 1] * coef[v, a + 1]
        three += x[a + 2] * coef[v, a + 2]
        four += x[a + 3] * coef[v, a + 3]
    for a in range(whole, x.size):
        one += x[a] * coef[v, a]
    return (one + two) + (three + four)


@njit(cache=True, nogil=True)
def remaining(x, exits, kind):
    """Probability of not dying (kind 0), or of not leaving (1), since the wave before; 1 where nobody does."""
    return 1.0 if np.isnan(exits[kind, 0]) else 1.0 / (1.0 + np.exp(linear_part(x, exits, kind)))


class Regime(NamedTuple):
    """A scenario as arrays. ``order`` lists the variables within a wave; ``coef`` (variables, width) and ``exits`` (2,
    width: dying, leaving; NaN where nobody does) act on full rows, whose last columns are the ``products`` (products,
    2). ``mode`` (plans, variables), ``value`` (plans, variables), ``source`` and ``leaving`` (plans,) are the plans,
    ``record_mode`` and ``record_value`` those recorded.
    """

    order: np.ndarray
    coef: np.ndarray
    binary: np.ndarray
    spread: np.ndarray
    exits: np.ndarray
    products: np.ndarray
    record_mode: np.ndarray
    record_value: np.ndarray
    mode: np.ndarray
    value: np.ndarray
    source: np.ndarray
    leaving: np.ndarray


@njit(cache=True, nogil=True)
def live(x, row, first, base, regime, noise, mode, value, source, recorded, leaving, out, stay):
    """One life under one plan: ``out`` (waves, 2, variables) takes values and their means, ``stay`` (waves,) weights.

    ``x`` is scratch of the width of a row: 1, t, t², the fixed covariates, the wave's values, those of the wave
    before and, with two lags, of the one before that (the first wave stands in for what came before it), and the
    products of pairs of the wave before.
    """
    waves, variables = out.shape[0], out.shape[2]
    fixed = base.size
    now, lag = 3 + fixed, 3 + fixed + variables
    together = x.size - regime.products.shape[0]
    two = together > lag + variables
    x[0] = 1.0
    for c in range(fixed):
        x[3 + c] = base[c]
    stay[0] = 1.0
    for v in range(variables):
        out[0, 0, v] = value[v] if mode[v] == FIXED else first[v]
        out[0, 1, v] = out[0, 0, v]
    for k in range(1, waves):
        t = (k - 1.0) / max(waves - 2.0, 1.0)
        x[1], x[2] = t, t * t
        for v in range(variables):
            x[now + v] = 0.0
            x[lag + v] = out[k - 1, 0, v]
            if two:
                x[lag + variables + v] = out[max(k - 2, 0), 0, v]
        for j in range(regime.products.shape[0]):
            x[together + j] = x[lag + regime.products[j, 0]] * x[lag + regime.products[j, 1]]
        stay[k] = stay[k - 1] * remaining(x, regime.exits, 0)
        if leaving:
            stay[k] *= remaining(x, regime.exits, 1)
        for v in regime.order:
            if mode[v] == FIXED:
                mean = value[v]
                out[k, 0, v] = mean
            elif mode[v] == DRAWN:
                mean = recorded[source, k, 0, v]
                out[k, 0, v] = mean
            else:
                mean = linear_part(x, regime.coef, v)
                draw = noise[row, k - 1, v]
                if regime.binary[v]:
                    mean = 1.0 / (1.0 + np.exp(-mean))
                    out[k, 0, v] = 1.0 if draw < mean else 0.0
                else:
                    out[k, 0, v] = mean + regime.spread[v] * draw
            out[k, 1, v] = mean
            x[now + v] = out[k, 0, v]
            if k == waves - 1 and recorded.shape[0] > 0:
                break  # of a pathway only the last outcome is read, and it comes first


@njit(cache=True, nogil=True)
def courses(first, base, weight, noise, record_noise, regime, total, alive):
    """Every life under every plan in one pass; plans share the disturbances ``noise``.

    Before its plans are lived, each life is lived under the recording plans with disturbances of their own
    (``record_noise``): a course of the mediators drawn given what was known at the first wave. Where there are
    recording plans, only the outcome, first in the order, is simulated at the last wave. Adds to ``total``
    (plans, waves, variables) the sum of weight × stay × mean and to ``alive`` (plans, waves) that of weight × stay.
    """
    plans, waves, variables = total.shape
    recorded = np.zeros((regime.record_mode.shape[0], waves, 2, variables))
    out, stay, x = np.zeros((waves, 2, variables)), np.ones(waves), np.zeros(regime.coef.shape[1])
    for i in range(first.shape[0]):
        for r in range(regime.record_mode.shape[0]):
            mode, value = regime.record_mode[r], regime.record_value[r]
            live(x, i, first[i], base[i], regime, record_noise, mode, value, 0, recorded, False, recorded[r], stay)
        for q in range(plans):
            mode, value, source = regime.mode[q], regime.value[q], regime.source[q]
            live(x, i, first[i], base[i], regime, noise, mode, value, source, recorded, regime.leaving[q], out, stay)
            for k in range(waves):
                share = weight[i] * stay[k]
                alive[q, k] += share
                for v in range(variables):
                    total[q, k, v] += share * out[k, 1, v]
