"""Compiled passes for Cox's model over ranks of time: risk sets are differences of sums, so that no row is sorted.

With t_1 < .. < t_K the event times, a row at risk over (start, stop] is in the risk sets k with first <= k < last,
where ``first`` and ``last`` count the event times up to its start and up to its stop. Strata lie one after the other.
"""

from __future__ import annotations

import numpy as np
from numba import njit

HIGHEST = 300.0  # log risks beyond this overflow


@njit(cache=True, nogil=True)
def ranks(times, bounds, stratum, at, out):
    """out_i = bounds[s] + how many event times of the row's stratum s lie at or before ``at`` i.

    ``times`` (K,) rise within each stratum, times[bounds[s]:bounds[s + 1]]. Every stratum has as many cells of equal
    width as event times; a cell is a monotone function of time, so that only the cell's own times are searched.
    """
    begin = np.zeros(times.size + 1, np.int64)
    for s in range(bounds.size - 1):
        for k in range(bounds[s], bounds[s + 1]):
            begin[_cell(times, bounds[s], bounds[s + 1], times[k]) + 1] += 1
    for k in range(times.size):
        begin[k + 1] += begin[k]
    for i in range(at.size):
        low, high = bounds[stratum[i]], bounds[stratum[i] + 1]
        if low == high or at[i] < times[low]:
            out[i] = low
            continue
        if at[i] >= times[high - 1]:
            out[i] = high
            continue
        cell = _cell(times, low, high, at[i])
        a, b = begin[cell], begin[cell + 1]
        while a < b:
            middle = (a + b) // 2
            if times[middle] <= at[i]:
                a = middle + 1
            else:
                b = middle
        out[i] = a


@njit(cache=True)
def _cell(times, low, high, t):
    """Which cell of its stratum a time lies in, for times between the first and the last of the stratum."""
    width = times[high - 1] - times[low]
    if not width > 0.0:
        return low
    return low + min(int((t - times[low]) / width * (high - low)), high - low - 1)


@njit(cache=True, nogil=True)
def risk_sets(
    first, last, event, x, case, beta, efron, weight, risk, sums, deaths, dead, hazard, pull, mean, U, information
):
    """The log-likelihood at ``beta`` with its derivatives, every event time k counted ``weight`` k times.

    Row i counts ``case`` i times: read case exp(x'b) for exp(x'b) below, case delta for delta, and c / den_r for
    1 / den_r, with c the mean case of the d deaths. (The sums over r stay over deaths, as in R's coxph.)

    Column 0 of ``sums`` and ``dead`` (K, 1 + p) belongs to S0 = sum of exp(x'b) over those at risk and D0 over those
    who die, the rest to S1 and D1. With d deaths at k and den_r = S0 - (r/d) D0 (r = 0 under Breslow), r < d:

        risk (n,)           exp(x'b)
        hazard (K + 1, 2)   cumulated before k: sum_r 1 / den_r; at k alone: sum_r (r/d) / den_r
        pull (K + 1, 2, p)  the same with x-bar_r / den_r,  x-bar_r = (S1 - (r/d) D1) / den_r
        mean (K, p)         sum_r x-bar_r / d
        U (p,)              sum x (delta - exp(x'b) H),  H = hazard over (start, stop], less at a row's own death
        information (p, p)  sum exp(x'b) H x x' - sum x-bar_r x-bar_r'

    ``hazard`` carries the weights, ``pull`` and ``mean`` do not. All arrays are given as
    zeros. NaN where a log risk is out of bounds.
    """
    n, p = x.shape
    died = np.zeros(deaths.size)
    for i in range(n):
        a, b = first[i], last[i]
        if a == b:
            continue
        line = _dot(x, i, beta)
        if not abs(line) < HIGHEST:
            return np.nan
        w = case[i] * np.exp(line)
        risk[i] = w
        sums[b - 1, 0] += w
        for c in range(p):
            sums[b - 1, 1 + c] += w * x[i, c]
        if a > 0:
            sums[a - 1, 0] -= w
            for c in range(p):
                sums[a - 1, 1 + c] -= w * x[i, c]
        if event[i]:
            deaths[b - 1] += 1
            died[b - 1] += case[i]
            dead[b - 1, 0] += w
            for c in range(p):
                dead[b - 1, 1 + c] += w * x[i, c]
    for k in range(deaths.size - 2, -1, -1):
        for c in range(p + 1):
            sums[k, c] += sums[k + 1, c]
    loglik = _means(sums, deaths, died, dead, efron, weight, hazard, pull, mean, information)
    for i in range(n):
        a, b = first[i], last[i]
        if a == b:
            continue
        h = hazard[b, 0] - hazard[a, 0]
        dies = 0.0
        if event[i]:
            h -= hazard[b - 1, 1]
            dies = weight[b - 1] * case[i]
            loglik += dies * _dot(x, i, beta)
        w = risk[i] * h
        for c in range(p):
            U[c] += (dies - w) * x[i, c]
            v = w * x[i, c]
            for e in range(c + 1):
                information[c, e] += v * x[i, e]
    for c in range(p):
        for e in range(c):
            information[e, c] = information[c, e]
    return loglik


@njit(cache=True)
def _dot(x, i, beta):
    total = 0.0
    for c in range(beta.size):
        total += x[i, c] * beta[c]
    return total


@njit(cache=True)
def _means(sums, deaths, died, dead, efron, weight, hazard, pull, mean, information):
    """The part of ``risk_sets`` that runs over event times; returns -sum weight c log den_r."""
    p = mean.shape[1]
    bar = np.zeros(p)
    loglik = 0.0
    for k in range(deaths.size):
        hazard[k + 1, 0] = hazard[k, 0]
        for c in range(p):
            pull[k + 1, 0, c] = pull[k, 0, c]
        d = deaths[k]
        own = died[k] / d if d > 0 else 0.0
        times = weight[k] * own
        for r in range(d):
            share = r / d if efron else 0.0
            den = sums[k, 0] - share * dead[k, 0]
            loglik -= times * np.log(den)
            hazard[k + 1, 0] += times / den
            hazard[k, 1] += times * share / den
            for c in range(p):
                bar[c] = (sums[k, 1 + c] - share * dead[k, 1 + c]) / den
                mean[k, c] += bar[c] / d
                pull[k + 1, 0, c] += own * bar[c] / den
                pull[k, 1, c] += own * share * bar[c] / den
                for e in range(c + 1):
                    information[c, e] -= times * bar[c] * bar[e]
    return loglik


@njit(cache=True, nogil=True)
def residuals(first, last, event, x, case, risk, hazard, pull, mean, place, out):
    """Score residuals times ``case``, added into row ``place`` i of ``out``; from ``risk_sets`` with weights 1.

    L_i = delta_i (x_i - mean x-bar(t_i)) - exp(x_i'b) int (x_i - x-bar) dLambda over (start, stop].
    """
    n, p = x.shape
    for i in range(n):
        a, b = first[i], last[i]
        if a == b:
            continue
        w = risk[i]
        h = hazard[b, 0] - hazard[a, 0]
        j = place[i]
        if event[i]:
            h -= hazard[b - 1, 1]
            for c in range(p):
                out[j, c] += case[i] * (x[i, c] - mean[b - 1, c]) - w * pull[b - 1, 1, c]
        for c in range(p):
            out[j, c] += w * (pull[b, 0, c] - pull[a, 0, c] - h * x[i, c])
