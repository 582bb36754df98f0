"""Intervals from drawing people again: whole people with all their visits, each draw fitted anew.

Identical gaps between visits stay grouped, so that a draw only counts them otherwise: people become weights.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr

from bothways.designs.onset.estimation import PATHS, RECOVERY, Fits
from bothways.designs.onset.models import Fitted
from bothways.designs.onset.setup import OnsetSetup
from bothways.engine.chain.ascent import Ascent, Objective
from bothways.engine.chain.bootstrap import bootstrap
from bothways.engine.chain.bounded import ascend_within
from bothways.engine.chain.delta import Interval
from bothways.engine.chain.estimands import attributable_share, order_entered, order_first
from bothways.engine.chain.fit import PlainTarget
from bothways.engine.chain.frailty import FrailtyModel
from bothways.terms.answer import Estimate
from bothways.terms.progress import Progress
from bothways.terms.question import Direction
from bothways.terms.settings import Settings

LEAST = 0.9  # share of draws that must have given a number
NEAR = 1e-3  # twice the log-likelihood that a draw may leave to be gained
LETTER = {Direction.A_TO_B: "B", Direction.B_TO_A: "A"}  # which condition begins
CONTRAST = "direction_contrast"

Statistic = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True)
class Resampled:
    """Draws (draws,) by what they are of: ``model.quantity``; logarithms of ratios, shares as they are."""

    level: float
    values: Mapping[str, Float[np.ndarray, "draws"]] = field(default_factory=dict)

    def limits(self, key: str) -> tuple[float, float, float] | None:
        """(low, high, standard deviation); None where it was not drawn, or too many draws gave no number."""
        drawn = self.values.get(key)
        if drawn is None:
            return None
        given = drawn[np.isfinite(drawn)]
        if given.size < max(LEAST * drawn.size, 2):
            return None
        tail = (1 - self.level) / 2
        low, high = np.quantile(given, [tail, 1 - tail])
        return float(low), float(high), float(given.std(ddof=1))

    def interval(self, key: str, found: Interval) -> Interval:
        """The interval of one value with these limits, where there are any."""
        limits = self.limits(key)
        if limits is None or not np.isfinite(found.value).all():
            return found
        low, high = np.minimum(found.value, limits[0]), np.maximum(found.value, limits[1])
        return Interval(found.value, low, high, np.array([limits[2]]))

    def ratio(self, key: str, estimate: Estimate) -> Estimate:
        """A ratio with these limits, where there are any; p from the standard deviation of the log."""
        limits = self.limits(key)
        if limits is None:
            return estimate
        low, high = (float(np.exp(v)) for v in limits[:2])
        p = float(2 * ndtr(-abs(np.log(estimate.value)) / limits[2])) if limits[2] > 0 else None
        low, high = min(low, estimate.value), max(high, estimate.value)
        return replace(estimate, low=low, high=high, se=limits[2], p=p)


def resample(setup: OnsetSetup, settings: Settings, fits: Fits, progress: Progress) -> Resampled:
    """Draw people as often as ``settings.bootstrap`` asks: for the plain chain, and for the one that speaks."""
    if settings.quick or settings.headline_only or not settings.bootstrap or not fits.speaks.usable:
        return Resampled(settings.level)
    progress("onset: drawing people again", 0.75)
    keys, statistic = _of_chain(setup, fits.chain)
    values = dict(zip(keys, _drawn(fits.chain, statistic, settings), strict=True))
    if fits.speaks is not fits.chain:
        progress(f"onset: drawing people again for {fits.speaks.says}", 0.8)
        keys, statistic = _ratios(setup, fits.speaks)
        values |= dict(zip(keys, _drawn(fits.speaks, statistic, settings), strict=True))
    return Resampled(settings.level, values)


def _ratios(setup: OnsetSetup, fitted: Fitted) -> tuple[list[str], Statistic]:
    """Log ratios of onset and of recovery, and how far the two onset ratios lie apart."""
    there = set(setup.states.transitions)
    keys, rows = [], []
    for name, paths in (("rate_ratio", PATHS), ("recovery_ratio", RECOVERY)):
        for direction, path in paths.items():
            if set(path) <= there:
                keys.append(f"{fitted.key}.{name}.{direction}")
                rows.append(fitted.log_ratio(*path)[2])
    keys.append(f"{fitted.key}.{CONTRAST}")
    weights = np.array([*rows, rows[0] - rows[1]])
    return keys, lambda theta: np.asarray(weights @ theta)


def _of_chain(setup: OnsetSetup, chain: Fitted) -> tuple[list[str], Statistic]:
    """The ratios, who was first in both senses, and the attributable shares, at the mean of the covariates."""
    keys, ratios = _ratios(setup, chain)
    h = setup.horizons[0]
    functions = {
        f"{chain.key}.order_entered": order_entered(setup.states, h),
        f"{chain.key}.order_first": order_first(setup.states, h),
    } | {
        f"{chain.key}.attributable_share.{d}": attributable_share(setup.states, which, h) for d, which in LETTER.items()
    }

    def statistic(theta: np.ndarray) -> np.ndarray:
        q = np.exp(chain.rates.coefficients(theta[: chain.rates.size])[0])
        with np.errstate(all="ignore"):
            shares = [float(function(q)[0]) for function in functions.values()]
        return np.asarray(np.r_[ratios(theta), shares])

    return [*keys, *functions], statistic


def _drawn(fitted: Fitted, statistic: Statistic, settings: Settings) -> Float[np.ndarray, "values draws"]:
    """Each draw fitted within the bounds of the model, if it has any."""
    climb = None
    if fitted.bounds is not None:
        low, high = fitted.bounds

        def climb(objective: Objective, start: np.ndarray) -> Ascent:
            return ascend_within(objective, start, low, high, tolerance=NEAR)

    found = bootstrap(
        fitted.target, fitted.fit, statistic, units_of(fitted), draws=settings.bootstrap, seed=settings.seed,
        workers=settings.workers or os.cpu_count() or 1, climb=climb,
    )  # fmt: skip
    return np.asarray(found.T)


def units_of(fitted: Fitted) -> int:
    """How many people a chain was fitted to. TypeError for a target of no known kind."""
    if isinstance(fitted.target, PlainTarget):
        return fitted.target.model.sequences.units
    if isinstance(fitted.target, FrailtyModel):
        return fitted.target.chain.sequences.units
    raise TypeError(f"people of a {type(fitted.target).__name__} cannot be drawn again")
