"""Refit many times: persons drawn anew, answers drawn from the fitted model, or stretches of one series drawn anew."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from bothways.engine.statespace.fit import StateSpaceFit, objective, refit
from bothways.engine.statespace.optimise import curvature
from bothways.engine.statespace.series import Series
from bothways.engine.statespace.simulate import simulate_answers
from bothways.engine.survey import draw_units

GAIN = 1e-3  # of log-likelihood, at most, still to be had where a refit counts as done
Kind = Literal["person", "parametric", "block"]


@dataclass(frozen=True, slots=True, eq=False)
class Resamples:
    """Estimates of the refits that came about, and of how many that did not.

    ``covariances`` are H⁻¹ of each refit where they were asked for: a refit whose H is not positive has failed.
    """

    points: Float[np.ndarray, "kept q"]
    failed: int
    covariances: Float[np.ndarray, "kept q q"] | None = None


def bootstrap(
    fit: StateSpaceFit,
    kind: Kind,
    count: int,
    rng: np.random.Generator,
    *,
    blocks: int = 20,
    covariances: bool = False,
) -> Resamples:
    """``count`` refits, started at θ̂, each with H⁻¹ of its own if ``covariances``.

    "person" draws persons (or clusters) with replacement; "parametric" draws answers from the model at the same
    occasions; "block" cuts each series into ``blocks`` stretches and draws stretches with replacement, as persons of
    one mean.
    Each refit has a generator of its own, so that the order of work changes nothing.
    """
    kept: list[np.ndarray] = []
    spreads: list[np.ndarray] = []
    source = split_into_blocks(fit.series, blocks) if kind == "block" else fit.series
    for child in rng.spawn(count):
        if kind == "parametric":
            series = source.with_values(simulate_answers(fit.system, source, child))
        else:
            series = _people_again(source, child)
        again = refit(fit.structure, series, fit.theta, fit.hessian)
        if again is None or again.gain >= GAIN:
            continue
        if covariances:
            spread = _inverse_curvature(fit, series, again.point)
            if spread is None:
                continue
            spreads.append(spread)
        kept.append(again.point)
    q = fit.structure.size
    points = np.array(kept).reshape(len(kept), q)
    return Resamples(points, count - len(kept), np.array(spreads).reshape(-1, q, q) if covariances else None)


def _inverse_curvature(fit: StateSpaceFit, series: Series, point: Float[np.ndarray, " q"]) -> np.ndarray | None:
    """H⁻¹ at the estimates of a refit; None where H is not positive definite."""
    H = curvature(objective(fit.structure, series), point)
    return None if H is None else np.linalg.inv(H)


def split_into_blocks(series: Series, blocks: int) -> Series:
    """Each person's rows cut into ``blocks`` stretches of equal length, each then a series of its own."""
    cuts = [
        np.linspace(series.starts[i], series.starts[i + 1], blocks + 1).astype(np.int64)[:-1]
        for i in range(series.people)
    ]
    starts = np.unique(np.concatenate([*cuts, [series.rows]]))
    return replace(series, starts=starts, weight=None, drawn=None)


def _people_again(series: Series, rng: np.random.Generator) -> Series:
    """Persons drawn anew; in clusters within strata where they came so."""
    chosen, times = draw_units(series.drawn, series.people, rng)
    again = series.choose(chosen)
    if times is None:
        return again
    return replace(again, weight=times if again.weight is None else again.weight * times)
