"""Does the chain describe what was seen? Prevalence observed and expected, and a Pearson-type comparison of moves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import expm

from bothways.engine.chain.likelihood import ChainModel, roots_at
from bothways.engine.chain.sequences import Observations


@dataclass(frozen=True, slots=True)
class Prevalence:
    """Share of units in each state at each time: (times, states) observed among those seen, and expected."""

    times: Float[np.ndarray, "times"]
    observed: Float[np.ndarray, "times states"]
    expected: Float[np.ndarray, "times states"]
    seen: Float[np.ndarray, "times"]


@dataclass(frozen=True, slots=True)
class PearsonFit:
    """Moves between visits, observed and expected, by state held and length of gap (cells, states).

    ``statistic`` is sum (O - E)^2 / E over possible cells. Its null distribution lies between chi-squared with
    ``df_low`` and ``df_high`` degrees of freedom (Aguirre-Hernandez & Farewell 2002).
    """

    origin: np.ndarray
    gap_low: np.ndarray
    gap_high: np.ndarray
    observed: Float[np.ndarray, "cells states"]
    expected: Float[np.ndarray, "cells states"]
    statistic: float
    df_low: int
    df_high: int


def probabilities(
    model: ChainModel, theta: Float[np.ndarray, "parameters"], lengths: Float[np.ndarray, "lengths"], row: int = 0
) -> Float[np.ndarray, "lengths states states"]:
    """P(t) for one of the model's covariate rows."""
    x = model.sequences.x[row : row + 1]
    q = np.exp(model.predictor.log_rates(model.split(theta)[0], x))
    Q = model.predictor.graph.generators(q)[0]
    return np.array([expm(Q * t) for t in lengths])


def pearson(model: ChainModel, theta: Float[np.ndarray, "parameters"], groups: int = 3) -> PearsonFit:
    """Observed against expected moves over the plain gaps, grouped by quantiles of their length."""
    data, K = model.sequences, model.predictor.graph.size
    gaps = data.gaps
    roots = roots_at(model, model.predictor.log_rates(model.split(theta)[0], data.x))
    if roots is None or not gaps.row.size:
        raise ValueError("there are no gaps between visits to compare")
    shared = gaps.seen.sum(axis=1)
    band = _bands(gaps.length, shared, groups)
    cell = gaps.origin * (band.max() + 1) + band
    used, cell = np.unique(cell, return_inverse=True)
    observed, expected = np.zeros((2, used.size, K))
    np.add.at(observed, cell, gaps.seen)
    P = np.array([expm(roots.generator[u] * t)[f] for f, u, t in zip(gaps.origin, gaps.row, gaps.length, strict=True)])
    np.add.at(expected, cell, shared[:, None] * P)
    possible = expected > 1e-8
    statistic = float((((observed - expected) ** 2)[possible] / expected[possible]).sum())
    df = int(possible.sum() - used.size)
    low = np.array([gaps.length[cell == c].min() for c in range(used.size)])
    high = np.array([gaps.length[cell == c].max() for c in range(used.size)])
    origin = used // (band.max() + 1)
    return PearsonFit(origin, low, high, observed, expected, statistic, max(df - theta.size, 1), max(df, 1))


def _bands(length: np.ndarray, weight: np.ndarray, groups: int) -> np.ndarray:
    """Quantile band of each length, counted with its weight."""
    order = np.argsort(length, kind="stable")
    share = np.cumsum(weight[order]) - 0.5 * weight[order]
    edges = np.interp(np.arange(1, groups) / groups * weight.sum(), share, length[order])
    return np.asarray(np.searchsorted(np.unique(edges), length, "left"))


def prevalence(
    model: ChainModel, theta: Float[np.ndarray, "parameters"], seen: Observations, times: Float[np.ndarray, "times"]
) -> Prevalence:
    """Observed and expected prevalence at times since each unit's first row.

    Observed: the last known state within follow-up. Expected: from the state at entry, at the unit's first covariate
    row, over the same units. Covariates are held at entry.
    """
    K = model.predictor.graph.size
    first = np.flatnonzero(np.r_[True, np.diff(seen.unit) != 0])
    last = np.r_[first[1:], seen.unit.size] - 1
    clock = seen.time - np.repeat(seen.time[first], np.diff(np.r_[first, seen.unit.size]))
    entry = seen.seen[first]
    x = np.column_stack(
        [np.ones(first.size), seen.x[first], np.zeros((first.size, model.sequences.x.shape[1] - 1 - seen.x.shape[1]))]
    )
    rows, label = np.unique(np.column_stack([x, entry]), axis=0, return_inverse=True)
    Q = model.predictor.graph.generators(np.exp(model.predictor.log_rates(model.split(theta)[0], rows[:, :-1])))
    observed, expected, count = np.zeros((times.size, K)), np.zeros((times.size, K)), np.zeros(times.size)
    ended = np.isin(seen.seen[last], model.predictor.graph.absorbing)
    for j, t in enumerate(times):
        here = ((clock[last] >= t) | ended) & (entry < K)
        at = np.array(
            [first[i] + np.searchsorted(clock[first[i] : last[i] + 1], t, "right") - 1 for i in np.flatnonzero(here)]
        )
        state = seen.seen[at] if at.size else at.astype(int)
        known = state < K
        count[j] = known.sum()
        observed[j] = np.bincount(state[known], minlength=K)[:K] / max(count[j], 1)
        P = np.array([expm(Q[i] * t)[int(rows[i, -1])] if rows[i, -1] < K else np.zeros(K) for i in range(len(rows))])
        expected[j] = P[label[here][known]].mean(axis=0) if known.any() else 0.0
    return Prevalence(times, observed, expected, count)
