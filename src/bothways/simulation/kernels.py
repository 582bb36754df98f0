"""Compiled walks of people through a world, one small step or one transition at a time."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def walk(rng, x, level, counter, chronic, target, source, weight, gaussian, chance, mark, pain, rule, stops):
    """Walk every person to their last stop; x, counter and chronic are moved on in place.

    One step in regime c (0, or 1 while pain is chronic)::

        z_j = gaussian_j · N(0, 1) + (Exp(mark_j) with chance_j, else 0) − chance_j · mark_j
        w  = A_c x + z
        x  <- x + w + A_c w / 2

    which is Heun's step; A_c[target, source] = weight_c holds drift times step, its non-zero entries alone.

    The counter of days in pain rises by a step while level + pain'x >= threshold and falls otherwise, within
    0..days; chronic begins when it reaches ``days`` and ends when it is back at 0. The number of random draws
    does not depend on x, so two walks with one generator share their disturbances.

    Shapes: x (people, n); level, counter, chronic (people,); target, source (links,); weight (2, links); gaussian,
    chance, mark, pain (n,); rule = (threshold, days, step); stops (people, k) step numbers in rising order. Returns
    the states (people, k, n) and the chronic flags (people, k) at the stops.
    """
    people, n = x.shape
    k = stops.shape[1]
    seen = np.empty((people, k, n))
    flags = np.empty((people, k), np.int64)
    z = np.empty(n)
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
                height += pain[a] * x[i, a]
                z[a] = gaussian[a] * rng.standard_normal() if gaussian[a] > 0.0 else 0.0
                if chance[a] > 0.0:
                    z[a] -= chance[a] * mark[a]
                    if rng.random() < chance[a]:
                        z[a] += rng.standard_exponential() * mark[a]
            for link in range(target.size):
                z[target[link]] += weight[regime, link] * x[i, source[link]]
            for a in range(n):
                x[i, a] += z[a]
            for link in range(target.size):
                x[i, target[link]] += 0.5 * weight[regime, link] * z[source[link]]
            count = min(days, count + step) if height >= threshold else max(0.0, count - step)
            if count >= days:
                regime = 1
            elif count <= 0.0:
                regime = 0
        counter[i] = count
        chronic[i] = regime
    return seen, flags


# The six things that can happen to a person, and where each rate stands in a row of rates (per day).
A_ON, A_OFF, B_ON, B_OFF, CHRONIC_ON, DIED = 0, 1, 2, 3, 4, 5
NEITHER, A_ONLY, B_ONLY, BOTH, DEAD = 0, 1, 2, 3, 4


@njit(cache=True, nogil=True)
def hazards(row, a, b, chronic, out):
    """Rates per day of the six transitions out of a state, written into ``out`` (6,).

    ``row`` (14,) holds onset of A and B, recovery of A and B, the ratios A to B and B to A on onset, the ratios A to
    B and B to A on recovery, 1 where pain acts only once chronic, the days after which pain is chronic, the rate
    at which it turns chronic, recovery from chronic pain, death, and the ratio A to B on turning
    chronic.
    """
    acts = b == 1 and (chronic == 1 or row[8] == 0.0)
    out[A_ON] = 0.0 if a == 1 else row[0] * (row[5] if acts else 1.0)
    out[A_OFF] = 0.0 if a == 0 else row[2] * (row[7] if acts else 1.0)
    out[B_ON] = 0.0 if b == 1 else row[1] * (row[4] if a == 1 else 1.0)
    out[B_OFF] = 0.0 if b == 0 else (row[11] if chronic == 1 else row[3]) * (row[6] if a == 1 else 1.0)
    out[CHRONIC_ON] = row[10] * (row[13] if a == 1 else 1.0) if b == 1 and chronic == 0 else 0.0
    out[DIED] = row[12]


@njit(cache=True, nogil=True)
def live(rng, before, after, prone, cause, loading, grid, burn, end):
    """Live every person from -burn to ``end``, one exponential waiting time after the other.

    Rates are constant between breakpoints (the grid of the slow cause, the day on which pain turns chronic, entry at
    0), so each waiting time is exact. Rates are those of ``before`` until 0 and of ``after`` from then on. ``prone``
    (people, 2) multiplies the onset rates of A and B; ``cause`` (people, cells) is a slow process whose SD raises
    both log onset rates by ``loading`` in each cell of ``grid`` days, and has no cells where there is none. Returns
    the events after 0 as (person, time, kind) and the states (a, b, chronic) at 0 (people, 3).
    """
    people = prone.shape[0]
    cells = cause.shape[1]
    who = np.empty(1024, np.int64)
    when = np.empty(1024)
    what = np.empty(1024, np.int64)
    used = 0
    start = np.zeros((people, 3), np.int64)
    h = np.empty(6)
    for i in range(people):
        t, a, b, chronic, turns, entered = -burn, 0, 0, 0, np.inf, burn == 0.0
        while t < end:
            until = end if entered else 0.0
            cell = 0
            if cells > 0:
                cell = min(cells - 1, int((t + burn) / grid + 1e-9))
                until = min(until, (cell + 1) * grid - burn) if cell < cells - 1 else until
            until = min(until, turns)
            row = after if entered else before
            hazards(row, a, b, chronic, h)
            shared = np.exp(loading * cause[i, cell] - loading**2 / 2) if cells > 0 else 1.0
            h[A_ON] *= prone[i, 0] * shared
            h[B_ON] *= prone[i, 1] * shared
            total = h.sum()
            wait = rng.standard_exponential() / total if total > 0.0 else np.inf
            kind = -1
            if t + wait >= until:
                t = until
                if t == turns:
                    kind = CHRONIC_ON
                elif not entered and t == 0.0:
                    entered = True
                    start[i, 0], start[i, 1], start[i, 2] = a, b, chronic
            else:
                t += wait
                left = rng.random() * total
                kind = 0
                while kind < 5 and (left >= h[kind] or h[kind] == 0.0):
                    left -= h[kind]
                    kind += 1
            if kind < 0:
                continue
            if kind in (A_ON, A_OFF):
                a = 1 if kind == A_ON else 0
            elif kind == B_ON:
                b = 1
                turns = t + row[9] if row[10] == 0.0 else np.inf
            elif kind == B_OFF:
                b, chronic, turns = 0, 0, np.inf
            elif kind == CHRONIC_ON:
                chronic, turns = 1, np.inf
            if entered and t > 0.0:
                if used == who.size:
                    who = np.concatenate((who, np.empty_like(who)))
                    when = np.concatenate((when, np.empty_like(when)))
                    what = np.concatenate((what, np.empty_like(what)))
                who[used], when[used], what[used] = i, t, kind
                used += 1
            if kind == DIED:
                break
    return who[:used].copy(), when[:used].copy(), what[:used].copy(), start


@njit(cache=True, nogil=True)
def drift_slowly(rng, people, cells, kept):
    """A stationary process of mean 0 and SD 1 for each person, which keeps the share ``kept`` from cell to cell."""
    path = np.empty((people, cells))
    fresh = np.sqrt(1 - kept**2)
    for i in range(people):
        level = rng.standard_normal()
        for k in range(cells):
            path[i, k] = level
            level = kept * level + fresh * rng.standard_normal()
    return path


@njit(cache=True, nogil=True)
def states_at(who, when, what, start, days):
    """State (0 neither, 1 A, 2 B, 3 both, 4 dead) and chronic flag of each person at ``days`` (people, k), rising."""
    people, k = days.shape
    state = np.empty((people, k), np.int64)
    flag = np.empty((people, k), np.int64)
    e = 0
    for i in range(people):
        a, b, chronic, dead = start[i, 0], start[i, 1], start[i, 2], 0
        for j in range(k):
            while e < who.size and who[e] == i and when[e] <= days[i, j]:
                kind = what[e]
                if kind <= A_OFF:
                    a = 1 if kind == A_ON else 0
                elif kind <= B_OFF:
                    b = 1 if kind == B_ON else 0
                    chronic = 0
                elif kind == CHRONIC_ON:
                    chronic = 1
                else:
                    dead = 1
                e += 1
            state[i, j] = DEAD if dead else a + 2 * b
            flag[i, j] = chronic
        while e < who.size and who[e] == i:
            e += 1
    return state, flag


@njit(cache=True, nogil=True)
def time_in(who, when, what, start, end):
    """Days of all people together in each state and chronicity up to ``end``: (5, 2)."""
    spent = np.zeros((5, 2))
    e = 0
    for i in range(start.shape[0]):
        a, b, chronic, dead, t = start[i, 0], start[i, 1], start[i, 2], 0, 0.0
        while e < who.size and who[e] == i:
            if when[e] < end:
                spent[DEAD if dead else a + 2 * b, chronic] += when[e] - t
                t = when[e]
                kind = what[e]
                if kind <= A_OFF:
                    a = 1 if kind == A_ON else 0
                elif kind <= B_OFF:
                    b = 1 if kind == B_ON else 0
                    chronic = 0
                elif kind == CHRONIC_ON:
                    chronic = 1
                else:
                    dead = 1
            e += 1
        spent[DEAD if dead else a + 2 * b, chronic] += end - t
    return spent
