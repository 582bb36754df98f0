"""Intervals that do not lean on normality of the estimates: people resampled, likelihood profiled."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np

from bothways.designs.panel.effects import contrast, headline_function, lag_effects
from bothways.designs.panel.room import DIRECTIONS, Room, estimate_of, place_of
from bothways.engine.parameters import Smooth
from bothways.engine.profile import profile_interval
from bothways.engine.resample import Bootstrap, bootstrap
from bothways.terms.answer import Cell, Estimate, Table
from bothways.terms.progress import Progress
from bothways.terms.question import Direction
from bothways.terms.settings import Settings

NEAR_ZERO = 2.5  # a lag nearer to zero than so many errors makes the delta method poor for the contrast of sizes
DRAWS = 500
MOST_PEOPLE = 20_000  # beyond it, a lag near zero is known to be so, and resampling adds nothing but time
MOST_FIXED = 8  # covariates (a column for each level) beyond which each draw takes as long as it is worth
LEAST_CONVERGED = 0.9


def resampled(room: Room, progress: Progress) -> dict[Direction, Estimate]:
    """Percentile intervals from resampled people, by direction; empty where none are called for.

    All three headlines where ``settings.bootstrap`` asks for draws; else the contrast alone, and only where a lag is
    near zero and the estimates are possible ones. None with clusters or strata, which would have to be drawn as wholes.
    """
    draws = draws_of(room)
    if draws == 0:
        return {}
    rng = np.random.default_rng(room.settings.seed)
    workers = room.settings.workers or os.cpu_count() or 1
    found = bootstrap(
        room.headline.chosen.fit,
        draws,
        rng,
        workers=workers,
        progress=lambda done, all_draws: progress("panel: resampling people", done / all_draws),
    )
    if found.converged.mean() < LEAST_CONVERGED:
        return {}
    return _estimates(room, found, DIRECTIONS if room.settings.bootstrap else ())


def draws_of(room: Room) -> int:
    """How many draws this run takes."""
    settings, chosen, setup = room.settings, room.headline.chosen, room.setup
    if settings.quick or not chosen.usable or setup.sampling is not None:
        return 0
    if settings.bootstrap:
        return settings.bootstrap
    return DRAWS if _wanted(room) and len(setup.fixed) <= MOST_FIXED else 0


def _wanted(room: Room) -> bool:
    """Whether the contrast of sizes calls for draws that nobody asked for."""
    chosen = room.headline.chosen
    return room.setup.people <= MOST_PEOPLE and not chosen.improper and _near_zero(room, room.settings)


def _near_zero(room: Room, settings: Settings) -> bool:
    interval = lag_effects(room.headline.chosen, (1.0,), settings.level)
    places = [place_of(direction, room.setup.K) for direction in DIRECTIONS]
    return bool((np.abs(interval.value[places]) < NEAR_ZERO * interval.error[places]).any())


def _estimates(room: Room, found: Bootstrap, directions: tuple[Direction, ...]) -> dict[Direction, Estimate]:
    chosen, settings = room.headline.chosen, room.settings
    effects, K = headline_function(chosen), room.setup.K
    interval = lag_effects(chosen, (1.0,), settings.level)
    estimates = {
        way: _resampled(found, _one(effects, place_of(way, K)), estimate_of(interval, place_of(way, K), room))
        for way in directions
    }
    plain = estimate_of(contrast(chosen, settings.level), 0, room)
    return {**estimates, Direction.JOINT: _resampled(found, contrast_of_sizes(effects, K), plain)}


def contrast_of_sizes(effects: Smooth, K: int) -> Smooth:
    """α -> |β_ba| − |β_ab|, with the sizes of each draw and not the signs of the estimate."""

    def difference(alpha: np.ndarray) -> np.ndarray:
        beta = np.abs(effects(alpha))
        return np.asarray(beta[..., K : K + 1] - beta[..., 1:2])

    return difference


def _one(effects: Smooth, place: int) -> Smooth:
    return lambda alpha: effects(alpha)[..., place : place + 1]


def _resampled(found: Bootstrap, function: Smooth, plain: Estimate) -> Estimate:
    """The estimate with percentile limits, the draws' SD as error, and the p at which the limits touch zero.

    Draws without a positive variance of what lags connect have no standardised lag, and are left out.
    """
    with np.errstate(invalid="ignore"):
        values = np.asarray(function(found.alpha[found.converged]))[:, 0]
    values = values[np.isfinite(values)]
    low, high = np.quantile(values, [0.5 - plain.level / 2, 0.5 + plain.level / 2])
    tail = min(float(np.mean(values <= 0)), float(np.mean(values >= 0)))
    p = min(1.0, 2 * max(tail, 1 / (len(values) + 1)))
    return replace(plain, low=float(low), high=float(high), se=float(values.std(ddof=1)), p=p)


def interval_table(room: Room, estimates: dict[Direction, Estimate]) -> Table:
    """The headline lags under every way of making an interval: robust, by profile of the likelihood, by resampling."""
    chosen, setup = room.headline.chosen, room.setup
    interval = lag_effects(chosen, (1.0,), room.settings.level)
    effects = headline_function(chosen)
    rows: list[tuple[Cell, ...]] = []
    for way in DIRECTIONS:
        first, second = way.ends(setup.records.pair)
        arrow = f"{first.label} to {second.label}"
        plain = estimate_of(interval, place_of(way, setup.K), room)
        rows.append((arrow, "robust (sandwich)", plain.value, plain.low, plain.high))
        with np.errstate(invalid="ignore"):  # steps beyond a positive variance are taken back
            profiled = profile_interval(chosen.fit, _one(effects, place_of(way, setup.K)), room.settings.level)
        if np.isfinite([profiled.low, profiled.high]).all():
            rows.append((arrow, "profile likelihood (normal scores)", profiled.value, profiled.low, profiled.high))
        if way in estimates:
            drawn = estimates[way]
            rows.append((arrow, "resampled people (percentile)", drawn.value, drawn.low, drawn.high))
    return Table(
        "panel.intervals",
        "The lags under other ways of making an interval",
        ("direction", "interval", "value", "low", "high"),
        tuple(rows),
        "The profile of the likelihood takes scores as normal; the other two do not.",
    )


def is_resampled(room: Room, estimates: dict[Direction, Estimate]) -> str:
    """The sentence of the methods paragraph: what was resampled, or that it was spared; empty where nothing was due."""
    setup, settings = room.setup, room.settings
    if not estimates:
        due = not (settings.quick or settings.bootstrap) and setup.sampling is None and room.headline.chosen.usable
        if due and len(setup.fixed) > MOST_FIXED and _wanted(room):
            return (
                f"With {len(setup.fixed)} covariates people were not resampled: the interval of the contrast is by the "
                "delta method, which is rough where a lag is near zero (--bootstrap 500 resamples)."
            )
        return ""
    what = "Intervals of the lags and of their contrast" if len(estimates) > 1 else "The interval of the contrast"
    return f"{what} are percentiles over resamples of the {setup.people:,} people."
