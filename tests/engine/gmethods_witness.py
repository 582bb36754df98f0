"""Brute force for the g-formula: every history of a small world of states, summed; and linear worlds by matrices.

Nothing here uses the rows, plans or kernels of the engine: a regression is read as named coefficients and used as such.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product

import numpy as np

from bothways.engine.gmethods.gformula import Simulated
from bothways.engine.gmethods.history import Histories
from bothways.engine.gmethods.regression import DEATH

Coefficients = Mapping[str, float]
Chance = Callable[[int, Sequence[Sequence[float]], np.ndarray, Mapping[int, float]], float]


def named(histories: Histories, simulated: Simulated, scenario: int) -> dict[int, dict[str, float]]:
    """Coefficients of each variable's regression by name: "1", "t", "tt", "x0", "now3", "lag1:3", "both3:2"."""
    fixed, variables = histories.fixed.shape[1], histories.variables
    names = ["1", "t", "tt", *(f"x{c}" for c in range(fixed)), *(f"now{v}" for v in range(variables))]
    names += [f"lag{lag}:{v}" for lag in range(1, histories.lags + 1) for v in range(variables)]
    names += [f"both{a}:{b}" for a, b in histories.products]
    out = {}
    for target, m in simulated.model.uses[scenario].items():
        kept, coef = simulated.model.regressions[m].kept, simulated.fitted[m].coef
        out[target] = {names[column]: float(b) for column, b in zip(kept, coef, strict=True)}
    return out


def eta(
    coef: Coefficients, wave: int, waves: int, past: Sequence[Sequence[float]], x: np.ndarray, now: Mapping[int, float]
) -> float:
    """The linear predictor at ``wave`` given the waves before it and what is already known of this one."""
    t = (wave - 1) / max(waves - 2, 1)
    total = coef.get("1", 0.0) + coef.get("t", 0.0) * t + coef.get("tt", 0.0) * t**2
    total += sum(coef.get(f"x{c}", 0.0) * value for c, value in enumerate(x))
    total += sum(coef.get(f"now{v}", 0.0) * value for v, value in now.items())
    for lag in (1, 2):
        before = past[max(wave - lag, 0)]
        total += sum(coef.get(f"lag{lag}:{v}", 0.0) * value for v, value in enumerate(before))
    for name, b in coef.items():
        if name.startswith("both"):
            one, other = (int(v) for v in name.removeprefix("both").split(":"))
            total += b * past[wave - 1][one] * past[wave - 1][other]
    return total


def expit(value: float) -> float:
    return float(1 / (1 + np.exp(-value)))


def histories_of(
    coefs: dict[int, dict[str, float]],
    order: Sequence[int],
    waves: int,
    start: Sequence[float],
    x: np.ndarray,
    held: Mapping[int, float],
    given: Mapping[int, Sequence[float]],
) -> list[tuple[float, float, list[list[float]]]]:
    """(probability, survival, values by wave) of every possible history of one person under one regime."""
    first = [held.get(v, value) for v, value in enumerate(start)]
    found = [(1.0, 1.0, [first])]
    for wave in range(1, waves):
        grown = []
        for chance, alive, past in found:
            if DEATH in coefs:
                alive *= 1 - expit(eta(coefs[DEATH], wave, waves, past, x, {}))
            free = [v for v in order if v not in held and v not in given]
            for values in product((0.0, 1.0), repeat=len(free)):
                drawn, now, p = dict(zip(free, values, strict=True)), {}, chance
                for v in order:
                    if v in drawn:
                        mean = expit(eta(coefs[v], wave, waves, past, x, now))
                        p *= mean if drawn[v] else 1 - mean
                    now[v] = held[v] if v in held else given[v][wave] if v in given else drawn[v]
                grown.append((p, alive, [*past, [now[v] for v in sorted(now)]]))
        found = grown
    return found


def mean_outcome(
    coefs: dict[int, dict[str, float]],
    order: Sequence[int],
    histories: Histories,
    held: Mapping[int, float],
    drawn: Sequence[int] = (),
    source: Mapping[int, float] | None = None,
) -> tuple[float, float]:
    """(share alive with the outcome, share alive) at the last wave; ``drawn`` take the courses under ``source``."""
    with_it, alive, people = 0.0, 0.0, 0
    for i in np.flatnonzero(histories.start):
        start, x = histories.values[i, 0], histories.fixed[i]
        courses: dict[tuple[tuple[float, ...], ...], float] = {(): 1.0}
        if drawn:
            courses = {}
            for p, _, past in histories_of(coefs, order, histories.waves, start, x, source or {}, {}):
                key = tuple(tuple(row[v] for row in past) for v in drawn)
                courses[key] = courses.get(key, 0.0) + p
        for course, chance in courses.items():
            given = dict(zip(drawn, course, strict=True)) if drawn else {}
            for p, lives, past in histories_of(coefs, order, histories.waves, start, x, held, given):
                with_it += chance * p * lives * past[-1][0]
                alive += chance * p * lives
        people += 1
    return with_it / people, alive / people


def linear_effects(
    coefs: dict[int, dict[str, float]], order: Sequence[int], waves: int, exposure: int, mediators: Sequence[int]
) -> tuple[float, float, float]:
    """(total, direct, indirect) of one unit of exposure at every wave, on variable 0 at the last, by matrices.

    x_k = N x_k + P x_{k-1} with the exposure at 1 and all else 0 at first; ``mediators`` start at 0.
    """
    size = len(order)
    N, P = np.zeros((size, size)), np.zeros((size, size))
    for target in order:
        for source in order:
            N[target, source] = coefs[target].get(f"now{source}", 0.0)
            P[target, source] = coefs[target].get(f"lag1:{source}", 0.0)

    def course(level: float, given: np.ndarray | None) -> np.ndarray:
        out = np.zeros((waves, size))
        out[0, exposure] = level
        set_to = [exposure, *(mediators if given is not None else ())]
        keep = np.ones(size)
        keep[set_to] = 0.0
        solve = np.linalg.inv(np.eye(size) - keep[:, None] * N)
        for k in range(1, waves):
            pushed = np.zeros(size)
            pushed[exposure] = level
            if given is not None:
                pushed[list(mediators)] = given[k, list(mediators)]
            out[k] = solve @ (keep * (P @ out[k - 1]) + pushed)
        return out

    on, off = course(1.0, None), course(0.0, None)
    with_own, with_other, without = course(1.0, on), course(1.0, off), course(0.0, off)
    return tuple(
        float(a[-1, 0] - b[-1, 0]) for a, b in ((with_own, without), (with_other, without), (with_own, with_other))
    )  # type: ignore[return-value]


def linear_course(
    coefs: dict[int, dict[str, float]],
    order: Sequence[int],
    waves: int,
    start: Sequence[float],
    x: np.ndarray,
    held: Mapping[int, float],
    given: Mapping[int, Sequence[float]],
) -> list[list[float]]:
    """The course of means of one person in a world of scores: means of products are products where one is held."""
    course = [[held.get(v, value) for v, value in enumerate(start)]]
    for wave in range(1, waves):
        now: dict[int, float] = {}
        for v in order:
            now[v] = held[v] if v in held else given[v][wave] if v in given else eta(
                coefs[v], wave, waves, course, x, now
            )  # fmt: skip
        course.append([now[v] for v in sorted(now)])
    return course


def linear_end(
    coefs: dict[int, dict[str, float]],
    order: Sequence[int],
    histories: Histories,
    held: Mapping[int, float],
    drawn: Sequence[int] = (),
    source: Mapping[int, float] | None = None,
) -> float:
    """Mean outcome at the last wave, averaged over people; ``drawn`` take the mean course under ``source``."""
    ends = []
    for i in np.flatnonzero(histories.start):
        start, x = histories.values[i, 0], histories.fixed[i]
        other = linear_course(coefs, order, histories.waves, start, x, source or {}, {})
        given = {v: [row[v] for row in other] for v in drawn}
        ends.append(linear_course(coefs, order, histories.waves, start, x, held, given)[-1][0])
    return float(np.mean(ends))
