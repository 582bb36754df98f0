"""Compiled pass over risk sets in falling time; every row enters once and leaves once."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def risk_sets(bounds, by_start, start, stop, event, x, risk, efron, power, hazard, means, at, pull, drawn):
    """One pass for all strata. Rows bounds[s] to bounds[s+1], in falling order of ``stop``, are stratum s.

    ``by_start`` holds the same rows in falling order of ``start``.

    With S0 = sum of ``risk`` over the risk set, D0 over its d deaths, den_r = S0 - (r/d) D0 (r = 0 under Breslow):

        hazard (n, m)   sum over event times in (start, stop] of power_km sum_r (1 - (r/d)[dies]) / den_r
        means (E, p)    x-bar_r = (S1 - (r/d) D1) / den_r, one row per death and in the order of processing
        at (E,)         the index k of the event time of each row of means
        pull (n, p)     as hazard with x-bar_r / den_r in place of 1 / den_r, power 1; empty if not wanted
        drawn (n, p)    for deaths, the mean over r of x-bar_r; empty if not wanted

    ``power`` (K, m) weighs the K event times in the order of processing. Returns -sum log den_r.
    """
    p, m = x.shape[1], power.shape[1]
    wanted = pull.size > 0
    total = np.zeros(m)
    total_pull = np.zeros(p)
    s1, d1, mean = np.zeros(p), np.zeros(p), np.zeros(p)
    less, less_pull, mean_sum = np.zeros(m), np.zeros(p), np.zeros(p)
    add, add_pull = np.zeros(m), np.zeros(p)
    loglik, deaths, k = 0.0, 0, 0
    for s in range(bounds.size - 1):
        i, j, stop_at = bounds[s], bounds[s], bounds[s + 1]
        s0, inside = 0.0, 0
        s1[:] = 0.0
        while i < stop_at:
            t = stop[i]
            first, d, d0 = i, 0, 0.0
            while i < stop_at and stop[i] == t:
                row = i
                s0 += risk[row]
                inside += 1
                for c in range(p):
                    s1[c] += risk[row] * x[row, c]
                for c in range(m):
                    hazard[row, c] = -total[c]
                if wanted:
                    for c in range(p):
                        pull[row, c] = -total_pull[c]
                if event[row]:
                    d += 1
                i += 1
            if d == 0:
                continue
            while j < stop_at and start[by_start[j]] >= t:
                row = by_start[j]
                s0 -= risk[row]
                inside -= 1
                for c in range(p):
                    s1[c] -= risk[row] * x[row, c]
                for c in range(m):
                    hazard[row, c] += total[c]
                if wanted:
                    for c in range(p):
                        pull[row, c] += total_pull[c]
                j += 1
            d1[:] = 0.0
            for row in range(first, i):
                if event[row]:
                    d0 += risk[row]
                    for c in range(p):
                        d1[c] += risk[row] * x[row, c]
            add[:] = 0.0
            less[:] = 0.0
            add_pull[:] = 0.0
            less_pull[:] = 0.0
            mean_sum[:] = 0.0
            for r in range(d):
                share = r / d if efron else 0.0
                den = s0 - share * d0
                loglik -= np.log(den)
                for c in range(p):
                    mean[c] = (s1[c] - share * d1[c]) / den
                    means[deaths, c] = mean[c]
                    mean_sum[c] += mean[c] / d
                    add_pull[c] += mean[c] / den
                    less_pull[c] += share * mean[c] / den
                for c in range(m):
                    add[c] += power[k, c] / den
                    less[c] += share * power[k, c] / den
                at[deaths] = k
                deaths += 1
            for row in range(first, i):
                if event[row]:
                    for c in range(m):
                        hazard[row, c] -= less[c]
                    if wanted:
                        for c in range(p):
                            pull[row, c] -= less_pull[c]
                            drawn[row, c] = mean_sum[c]
            for c in range(m):
                total[c] += add[c]
            for c in range(p):
                total_pull[c] += add_pull[c]
            k += 1
        while j < stop_at:
            row = by_start[j]
            for c in range(m):
                hazard[row, c] += total[c]
            if wanted:
                for c in range(p):
                    pull[row, c] += total_pull[c]
            j += 1
    return loglik
