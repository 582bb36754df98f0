"""Bootstrap by unit: whole units are drawn again, the same digits for any number of workers.
Where units were drawn in clusters within strata, so are the draws (`survey.draw_units`).
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from bothways.engine.chain.ascent import Ascent, Objective, Rules, ascend
from bothways.engine.chain.fit import ChainFit, Fittable, PlainTarget
from bothways.engine.chain.frailty import FrailtyModel
from bothways.engine.chain.likelihood import ChainModel
from bothways.engine.chain.sequences import resampled
from bothways.engine.survey import draw_units

Statistic = Callable[[np.ndarray], np.ndarray]  # theta -> (values,)
Climb = Callable[[Objective, np.ndarray], Ascent]


def redrawn(target: Fittable, chosen: np.ndarray, times: np.ndarray | None = None) -> Fittable:
    """The target with its units drawn again, counting ``times``. TypeError where the target is of no known kind."""
    if isinstance(target, PlainTarget):
        return PlainTarget(_redrawn_model(target.model, chosen, times))
    if isinstance(target, FrailtyModel):
        return replace(target, chain=_redrawn_model(target.chain, chosen, times), group=target.group[chosen])
    raise TypeError(f"units of a {type(target).__name__} cannot be drawn again")


def _redrawn_model(model: ChainModel, chosen: np.ndarray, times: np.ndarray | None) -> ChainModel:
    return replace(model, sequences=resampled(model.sequences, chosen, times))


def bootstrap(
    target: Fittable,
    found: ChainFit,
    statistic: Statistic,
    units: int,
    *,
    draws: int,
    seed: int,
    workers: int = 1,
    climb: Climb | None = None,
) -> Float[np.ndarray, "draws values"]:
    """The statistic in each redrawn sample, refitted from the estimate; by ``climb`` where scoring will not do.

    Each draw has a generator spawned from ``seed``, so that neither workers nor order change a digit.
    """
    rules = Rules(tolerance=1e-6) if target.exact else Rules(tolerance=1e-6, damping=1e-3, clip=2.0)

    def once(rng: np.random.Generator) -> np.ndarray:
        sample = redrawn(target, *draw_units(target.drawn, units, rng))
        reached = climb(sample.evaluate, found.theta) if climb else ascend(sample.evaluate, found.theta, rules)
        return statistic(reached.point)

    streams = np.random.default_rng(seed).spawn(draws)
    with ThreadPoolExecutor(max(workers, 1)) as pool:
        return np.array(list(pool.map(once, streams)))


def percentile_interval(
    values: Float[np.ndarray, "draws values"], level: float = 0.95
) -> Float[np.ndarray, "2 values"]:
    """Percentile limits of each value."""
    tail = (1 - level) / 2
    return np.asarray(np.quantile(values, [tail, 1 - tail], axis=0))
