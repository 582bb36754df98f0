"""A planned diary tried out: drawn from what is assumed, fitted as it will be, and counted."""

from __future__ import annotations

import numpy as np

from bothways.designs.diary.answers import DIRECTIONS, effect_at
from bothways.designs.diary.assumed import HOURS, AssumedDiary, analysed, occasions
from bothways.designs.diary.design import DRAWS
from bothways.designs.diary.estimation import Fitted, choose, resampled
from bothways.designs.power.verify import Verification
from bothways.engine.statespace.fit import fit_series
from bothways.engine.statespace.inference import covariance
from bothways.engine.statespace.series import Series
from bothways.engine.statespace.simulate import simulate_answers
from bothways.engine.statespace.structure import multivariate
from bothways.terms.answer import Estimate
from bothways.terms.progress import Progress


def verify(assumed: AssumedDiary, level: float, worlds: int, seed: int, progress: Progress) -> Verification:
    """Draw, fit and count; a single diary with its bootstrap, as `ask` does it."""
    structure, theta = analysed(assumed)
    system = structure.system(theta)
    found: list[list[Estimate]] = []
    for world, child in enumerate(np.random.default_rng([seed, 1]).spawn(worlds)):
        progress("plan: simulating", world / worlds)
        series = occasions(assumed, assumed.people, child)
        series = series.with_values(simulate_answers(system, series, child))
        model = _answer(series, assumed, int(child.integers(2**31)))
        if model.usable:
            lag = np.array([assumed.lag_hours / HOURS])
            found.append([effect_at(model, lag, direction, level)[0] for direction in DIRECTIONS])
    progress("plan: simulating", 1.0)
    return _counted(assumed.effects, found, worlds)


def _answer(series: Series, assumed: AssumedDiary, seed: int) -> Fitted:
    """The model that would speak."""
    models = []
    for name, error in (("ct-var", False), ("ct-var-error", True)):
        fit = fit_series(multivariate(("a", "b"), random_means=assumed.people > 1, error=error), series)
        models.append(Fitted(name, fit, covariance(fit) if fit.converged else None, error))
    chosen = choose(models[0], models[1])
    return resampled(chosen, DRAWS, seed) if assumed.people == 1 and chosen.usable else chosen


def _counted(truth: tuple[float, float], found: list[list[Estimate]], worlds: int) -> Verification:
    n = max(len(found), 1)
    table = np.array([[(e.value, e.low, e.high, e.se) for e in pair] for pair in found]).reshape(len(found), 2, 4)
    value, low, high, se = np.moveaxis(table, -1, 0)
    power = ((low > 0) | (high < 0)).sum(axis=0) / n
    covered = ((low <= truth) & (np.array(truth) <= high)).sum(axis=0) / n

    def both(values: np.ndarray) -> tuple[float, float]:
        return float(values[0]), float(values[1])

    return Verification(
        worlds,
        worlds - len(found),
        both(power),
        both(np.sqrt(power * (1 - power) / n)),
        both(covered),
        both(np.sqrt(covered * (1 - covered) / n)),
        both(value.sum(axis=0) / n - np.array(truth)),
        both(se.sum(axis=0) / n),
        both(value.std(axis=0, ddof=1) if len(found) > 1 else np.full(2, np.nan)),
        0,
    )
