"""Refit many times: persons drawn anew, answers drawn from the fitted model, or stretches of one series drawn anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from bothways.engine.statespace.fit import StateSpaceFit, refit
from bothways.engine.statespace.series import Series
from bothways.engine.statespace.simulate import simulate_answers
from bothways.engine.survey import draw_units

GAIN = 1e-3  # of log-likelihood, at most, still to be had where a refit counts as done
Kind = Literal["person", "parametric", "block"]


def bootstrap(
    fit: StateSpaceFit, kind: Kind, count: int, rng: np.random.Generator, *, blocks: int = 20
) -> tuple[Float[np.ndarray, "kept q"], int]:
    """Estimates of ``count`` refits, started at θ̂, and how many of them failed (those are left out).

    "person" draws persons (or clusters) with replacement; "parametric" draws answers from the model at the same
    occasions; "block" cuts each series into ``blocks`` stretches and draws stretches with replacement, as persons of
    one mean.
    Each refit has a generator of its own, so that the order of work changes nothing.
    """
    kept = []
    source = split_into_blocks(fit.series, blocks) if kind == "block" else fit.series
    for child in rng.spawn(count):
        if kind == "parametric":
            series = source.with_values(simulate_answers(fit.system, source, child))
        else:
            series = _people_again(source, child)
        again = refit(fit.structure, series, fit.theta, fit.hessian)
        if again is not None and again.gain < GAIN:
            kept.append(again.point)
    return np.array(kept).reshape(len(kept), fit.structure.size), count - len(kept)


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
