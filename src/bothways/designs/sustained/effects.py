"""From simulated courses to estimates: functions of the means under the plans, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri, stdtrit

from bothways.designs.sustained.estimation import Found
from bothways.engine.gmethods.gformula import Courses
from bothways.engine.gmethods.plans import (
    ALL_DRAWN,
    ALWAYS,
    HELD_HIGH,
    HELD_LOW,
    NEVER,
    NONE,
    ONLY_EXPOSED,
    ONLY_MEDIATED,
)
from bothways.terms.answer import Estimate
from bothways.terms.question import Scale

ENOUGH = 100  # replicates from which on percentiles are read; below, the normal interval with the bootstrap SE
Statistic = Callable[[Courses], Float[np.ndarray, "..."]]


def estimate(
    found: Found,
    place: int,
    statistic: Statistic,
    scale: Scale,
    level: float,
    *,
    factor: float = 1.0,
    events: int | None,
) -> Estimate | None:
    """The statistic of scenario ``place`` times ``factor``, with its bootstrap interval; None where it is no number.

    See ``interval``; for ratios all is done in logarithms.
    """
    simulated = found.simulated
    value = float(statistic(simulated.point[place])) * (1.0 if scale.is_ratio else factor)
    drawn = np.asarray(statistic(simulated.drawn[place]))[simulated.converged] * (1.0 if scale.is_ratio else factor)
    if scale.is_ratio:
        drawn = np.log(drawn[drawn > 0])
        value = float(np.log(value)) if value > 0 else np.nan
    drawn = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or drawn.size < 10:
        return None
    se, low, high = interval(value, drawn, level, found.freedom)
    if scale.is_ratio:
        value, low, high = (float(x) for x in np.exp([value, low, high]))
    people = int((found.histories.start & (found.histories.weight > 0)).sum())
    return Estimate(value, low, high, se, scale, people, level, events=events)


def quantile(level: float, freedom: int | None) -> float:
    """Of Student's t where clusters are few, else of the normal distribution."""
    return float(ndtri(0.5 + level / 2) if freedom is None else stdtrit(freedom, 0.5 + level / 2))


def interval(
    value: float, drawn: Float[np.ndarray, "replicates"], level: float, freedom: int | None = None
) -> tuple[float, float, float]:
    """(SE, low, high): between percentiles of 100 replicates or more, else symmetric with their spread.

    Of few clusters it is always the symmetric one, with Student's t: percentiles of few clusters are too close.
    """
    se = float(drawn.std(ddof=1))
    if drawn.size >= ENOUGH and freedom is None:
        low, high = (float(x) for x in np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2]))
        return se, min(low, value), max(high, value)
    reach = quantile(level, freedom) * se
    return se, value - reach, value + reach


def _outcome(courses: Courses, plan: int, state: bool) -> Float[np.ndarray, "..."]:
    """Mean of the outcome at the end: of a state, the share alive and with it; of a score, the mean of survivors."""
    own = courses.mean[..., plan, -1, 0]
    return own if state else np.asarray(own / courses.alive[..., plan, -1])


def difference(one: int, other: int, state: bool) -> Statistic:
    """Mean outcome under one plan less that under another."""
    return lambda courses: _outcome(courses, one, state) - _outcome(courses, other, state)


def ratio(one: int, other: int) -> Statistic:
    """Share with the outcome under one plan over that under another."""
    return lambda courses: _outcome(courses, one, True) / _outcome(courses, other, True)


def total(state: bool) -> Statistic:
    """Always less never."""
    return difference(ALWAYS, NEVER, state)


def survivors(courses: Courses) -> Float[np.ndarray, "..."]:
    """Always less never among those alive at the end, who need not be the same people."""
    alive = courses.survivors()
    return np.asarray(alive[..., ALWAYS, -1, 0] - alive[..., NEVER, -1, 0])


def overall(state: bool) -> Statistic:
    """Q(1,1) - Q(0,0)."""
    return difference(ALL_DRAWN, NONE, state)


def direct(state: bool) -> Statistic:
    """Q(1,0) - Q(0,0)."""
    return difference(ONLY_EXPOSED, NONE, state)


def indirect(state: bool) -> Statistic:
    """Q(1,1) - Q(1,0)."""
    return difference(ALL_DRAWN, ONLY_EXPOSED, state)


def unexposed(state: bool) -> Statistic:
    """Q(0,1) - Q(0,0): by way of the mediators in those without the exposure."""
    return difference(ONLY_MEDIATED, NONE, state)


def together(state: bool) -> Statistic:
    """Q(1,1) - Q(1,0) - Q(0,1) + Q(0,0): the mediated interaction."""
    return lambda courses: indirect(state)(courses) - unexposed(state)(courses)


def share(state: bool) -> Statistic:
    """Indirect over overall."""
    return lambda courses: indirect(state)(courses) / overall(state)(courses)


def first_leg(mediator: int) -> Statistic:
    """What the exposure does to the mediator at the occasion before the last (plans of a sustained exposure)."""

    def statistic(courses: Courses) -> Float[np.ndarray, "..."]:
        alive = courses.survivors()
        return np.asarray(alive[..., ALWAYS, -2, mediator] - alive[..., NEVER, -2, mediator])

    return statistic


def second_leg(state: bool) -> Statistic:
    """What the mediator, held high or low throughout, does to the outcome while the exposure is held low."""
    return difference(HELD_HIGH, HELD_LOW, state)
