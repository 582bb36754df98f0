"""Brute force for the chain engine: definitions written out with scipy, sharing nothing with the engine's kernels."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy.integrate import solve_ivp
from scipy.linalg import expm

from bothways.engine.chain.graph import Graph
from bothways.engine.chain.sequences import DATED, ENTERED, Observations


def kolmogorov(Q: np.ndarray, t: float) -> np.ndarray:
    """P(t) by integrating P' = PQ from the identity; no eigenvalues, no exponential."""
    K = len(Q)
    out = solve_ivp(
        lambda _, p: (p.reshape(K, K) @ Q).ravel(), (0, t), np.eye(K).ravel(), rtol=1e-11, atol=1e-13, method="DOP853"
    )
    return out.y[:, -1].reshape(K, K)


def block(Q: np.ndarray, t: float, a: np.ndarray, c: np.ndarray) -> np.ndarray:
    """int_0^t exp(Q's) a c' exp(Q'(t - s)) ds by scipy's exponential of the block matrix (Van Loan 1978)."""
    K = len(Q)
    M = np.block([[Q.T, np.outer(a, c)], [np.zeros((K, K)), Q.T]])
    return expm(M * t)[:K, K:]


def loglik(graph: Graph, seen: Observations, log_rates: np.ndarray, transition=expm) -> float:
    """Row by row over each unit, conditional on its first known state; log_rates (rows, T) hold from each row on."""
    total, K = 0.0, graph.size
    Q = graph.generators(np.exp(log_rates))
    for unit in np.unique(seen.unit):
        rows = np.flatnonzero(seen.unit == unit)
        a = None
        for i, j in pairwise(rows):
            if seen.seen[i] < K:
                a = np.eye(K)[seen.seen[i]]
            if a is None:
                continue
            t, end = seen.time[j] - seen.time[i], seen.seen[j]
            if seen.kind[j] == DATED:
                f = seen.seen[i]
                p = np.eye(K)[end] * np.exp(Q[i][f, f] * t) * (1.0 if f == end else Q[i][f, end])
            elif seen.kind[j] == ENTERED:
                q = np.where(np.arange(K) == end, 0.0, Q[i][:, end])
                p = np.eye(K)[end] * (a @ transition(Q[i] * t) @ q)
            else:
                weights = np.eye(K)[end] if end < K else seen.masks[end - K]
                p = (a @ transition(Q[i] * t)) * weights
            total += np.log(p.sum())
            a = p / p.sum()
    return float(total)


def hidden_loglik(graph: Graph, seen: Observations, log_rates: np.ndarray, E: np.ndarray, start: np.ndarray) -> float:
    """pi'E(y0) prod_j P(t_j) E(y_j) 1 for each unit, written out."""
    total, Q = 0.0, graph.generators(np.exp(log_rates))
    for unit in np.unique(seen.unit):
        rows = np.flatnonzero(seen.unit == unit)
        a = start * E[:, seen.seen[rows[0]]]
        for i, j in pairwise(rows):
            a = (a @ expm(Q[i] * (seen.time[j] - seen.time[i]))) * E[:, seen.seen[j]]
        total += np.log(a.sum())
    return float(total)


def differences(function, at: np.ndarray, h: float = 1e-5) -> np.ndarray:
    """Central differences, fourth order."""
    out = []
    for k in range(at.size):
        e = np.zeros(at.size)
        e[k] = h
        near, far = function(at + e) - function(at - e), function(at + 2 * e) - function(at - 2 * e)
        out.append((8 * near - far) / (12 * h))
    return np.array(out)
