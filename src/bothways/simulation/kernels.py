"""Compiled walks of people through a world, one small step or one transition at a time."""

from __future__ import annotations

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)  # type: ignore[untyped-decorator]
def walk(rng, x, level, counter, chronic, move, push, gaussian, chance, mark, pain, rule, stops):  # type: ignore[no-untyped-def]
    """Walk every person to their last stop; x, counter and chronic are moved on in place.

    One step in regime c (0, or 1 while pain is chronic)::

        z_j = gaussian_j · N(0, 1) + (Exp(mark_j) with chance_j, else 0) − chance_j · mark_j
        x  <- move_c x + push_c z

    The counter of days in pain rises by a step while level + pain'x >= threshold and falls otherwise, within
    0..days; chronic begins when it reaches ``days`` and ends when it is back at 0. The number of random draws
    does not depend on x, so two walks with one generator share their disturbances.

    Shapes: x (people, n); level, counter, chronic (people,); move, push (2, n, n); gaussian, chance, mark, pain
    (n,); rule = (threshold, days, step); stops (people, k) step numbers in rising order. Returns the states
    (people, k, n) and the chronic flags (people, k) at the stops.
    """
    people, n = x.shape
    k = stops.shape[1]
    seen = np.empty((people, k, n))
    flags = np.empty((people, k), np.int64)
    z = np.empty(n)
    now = np.empty(n)
    threshold, days, step = rule[0], rule[1], rule[2]
    for i in range(people):
        regime = chronic[i]
        count = counter[i]
        stop = 0
        for t in range(stops[i, k - 1] + 1):
            while stop < k and stops[i, stop] == t:
                for a in range(n):
                    seen[i, stop, a] = x[i, a]
                flags[i, stop] = regime
                stop += 1
            if stop == k:
                break
            height = level[i]
            for a in range(n):
                now[a] = x[i, a]
                height += pain[a] * now[a]
                z[a] = gaussian[a] * rng.standard_normal() if gaussian[a] > 0.0 else 0.0
                if chance[a] > 0.0:
                    z[a] -= chance[a] * mark[a]
                    if rng.random() < chance[a]:
                        z[a] += rng.standard_exponential() * mark[a]
            for a in range(n):
                total = 0.0
                for b in range(n):
                    total += move[regime, a, b] * now[b] + push[regime, a, b] * z[b]
                x[i, a] = total
            count = min(days, count + step) if height >= threshold else max(0.0, count - step)
            if count >= days:
                regime = 1
            elif count <= 0.0:
                regime = 0
        counter[i] = count
        chronic[i] = regime
    return seen, flags
