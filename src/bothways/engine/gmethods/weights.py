"""Stabilised inverse-probability weights (Hernán, Brumback & Robins 2000).

    SW_i(k) = Π_{j<=k} f(A_j | A_{j-1}, j) / f(A_j | all of the past, j)        exposure
            × Π_{j<=k} P(stay_j | A_{j-1}, j) / P(stay_j | all of the past, j)  leaving

A person counts until the first wave that is not complete; that, and death, is leaving. The exposure must be 0/1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from bothways.engine.gmethods.history import INTERCEPT_AND_TIME, Histories
from bothways.engine.gmethods.regression import (
    DEATH,
    LEAVING,
    Pooled,
    Spec,
    exits_on,
    fit,
    pool,
    pooled_of,
    probability,
)

STRATA = 10  # groups of fitted probability, per wave, in which both exposures should be seen
LEAST = 20  # people in a group


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """``value`` (people, waves) is the weight up to each wave, NaN from the wave of leaving on; the last wave adds
    staying alone, since its exposure acts on nothing that is looked at.

    ``chance`` is the fitted probability of being exposed. ``lacking`` is, by wave, the share of groups of it (tenths,
    or fewer where people are few) in which one of the two exposures was never seen. ``converged`` is False where a
    regression did not come about.
    """

    value: Float[np.ndarray, "people waves"]
    chance: Float[np.ndarray, "people exposures"]
    lacking: Float[np.ndarray, "exposures"]
    converged: bool


def weights_of(histories: Histories, order: tuple[int, ...], exposure: int) -> Weights:
    """Weights of every person at every wave. ``order`` is that of the g-formula, the exposure last."""
    whole = until_broken(histories)
    covariates = tuple(v for v in order if v != exposure)
    past = histories.past()
    lag = INTERCEPT_AND_TIME + histories.fixed.shape[1] + histories.variables + exposure
    short = (*(c for c in past if c < INTERCEPT_AND_TIME), lag)
    acting = replace(whole, values=whole.values[:, :-1]) if histories.waves > 2 else None
    pairs = [_first(whole, exposure, covariates)]
    if acting is not None:
        wide = (*past, *sorted(histories.now(covariates)))
        pairs.append(pool(acting, (Spec(exposure, short), Spec(exposure, wide))))
    shape = (histories.people, histories.waves)
    ratio, chance, good = np.ones(shape), np.full(shape, np.nan), True
    for pair in pairs:
        good &= _multiply(ratio, pair, histories.weight, chance)
    for exit_ in (LEAVING, DEATH):
        columns = exits_on(whole, exit_)
        if len(columns) > 1:  # a rate that is one for all weighs nobody more than another
            shared = tuple(c for c in short if c in columns)
            good &= _multiply(ratio, pool(whole, (Spec(exit_, shared), Spec(exit_, columns))), histories.weight, None)
    value = np.where(histories.unbroken[:, None] > np.arange(histories.waves), np.cumprod(ratio, axis=1), np.nan)
    exposed = whole.values[:, :-1, exposure]
    lacking = np.array([_lacking(c, a) for c, a in zip(chance.T, exposed.T, strict=False)])
    return Weights(value, chance[:, :-1], lacking, good)


def until_broken(histories: Histories) -> Histories:
    """Histories in which nothing is known from the first wave on that is not complete."""
    broken = histories.unbroken[:, None] <= np.arange(histories.waves)
    return replace(histories, values=np.where(broken[..., None], np.nan, histories.values))


def _first(histories: Histories, exposure: int, covariates: tuple[int, ...]) -> tuple[Pooled, ...]:
    """The exposure of the first wave, on nothing and on all that was known at it."""
    known = np.flatnonzero(histories.start)
    y = histories.values[known, 0, exposure]
    one = np.ones((known.size, 1))
    wide = np.column_stack([one, histories.fixed[known], histories.values[known, 0][:, list(covariates)]])
    wave = np.zeros(known.size, dtype=np.int64)
    specs = (Spec(exposure, (0,)), Spec(exposure, tuple(range(wide.shape[1]))))
    return tuple(pooled_of(spec, True, X, y, known, wave) for spec, X in zip(specs, (one, wide), strict=True))


def _multiply(
    ratio: Float[np.ndarray, "people waves"],
    pair: tuple[Pooled, ...],
    weight: Float[np.ndarray, "people"],
    chance: Float[np.ndarray, "people waves"] | None,
) -> bool:
    """Multiply into ``ratio`` the density of what was seen given little over that given all; both share their rows.

    False, and nothing is multiplied, where one of the regressions did not come about.
    """
    little, all_of_it = pair
    fitted = [fit(pooled, weight) for pooled in pair]
    if not all(found.converged for found in fitted):
        return False
    p, q = (probability(pooled, found) for pooled, found in zip(pair, fitted, strict=True))
    seen = np.where(little.y == 1, p / q, (1 - p) / (1 - q))
    ratio[little.person, little.wave] *= seen
    if chance is not None:
        chance[all_of_it.person, all_of_it.wave] = q
    return True


def _lacking(chance: Float[np.ndarray, "people"], exposed: Float[np.ndarray, "people"]) -> float:
    """Share of groups of like probability without both exposures; NaN where nobody was seen."""
    known = np.isfinite(chance) & np.isfinite(exposed)
    if not known.any():
        return float("nan")
    groups = int(np.clip(known.sum() // LEAST, 1, STRATA))
    order = np.argsort(chance[known], kind="stable")
    parts = np.array_split(exposed[known][order], groups)
    return float(np.mean([part.min() == part.max() for part in parts]))
