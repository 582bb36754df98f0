"""What is done to whom: plans that set variables, leave them to their models, or draw them from another plan's course.

An interventional (randomised-analogue) effect sets the exposure to a throughout and gives each person a course of the
mediators drawn at random from its distribution under a*, among people alike at the first wave (VanderWeele,
Vansteelandt & Robins 2014; VanderWeele & Tchetgen Tchetgen 2017). With Q(a, a*) the mean outcome,

    overall = Q(1,1) - Q(0,0) = [Q(1,0) - Q(0,0)] + [Q(1,1) - Q(1,0)] = direct + indirect.

Where the mediators act more under the exposure than without it, the indirect effect is not the one without the
exposure, Q(0,1) - Q(0,0); what sets them apart, Q(1,1) - Q(1,0) - Q(0,1) + Q(0,0), is the mediated interaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float, Int

from bothways.engine.kernels.gformula import DRAWN, FIXED, NATURAL


@dataclass(frozen=True, slots=True)
class Plan:
    """``fixed`` sets variables at every wave; ``drawn`` take the course recorded under recording plan ``source``.

    ``leaving`` lets people leave as they did, for comparison with what was observed.
    """

    fixed: Mapping[int, float] = field(default_factory=dict)
    drawn: tuple[int, ...] = ()
    source: int = 0
    leaving: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """Plans that share their models: within a wave, ``order`` lists the variables, each given those before it.

    The first in the order is the outcome; its regression also holds the products of the histories, where there are any.
    """

    order: tuple[int, ...]
    plans: tuple[Plan, ...]
    recorded: tuple[Plan, ...] = ()


AS_SEEN, NATURAL_COURSE, ALWAYS, NEVER = range(4)  # plans of a sustained exposure
ALL_DRAWN, ONLY_EXPOSED, NONE, ONLY_MEDIATED = range(4)  # plans of a pathway: Q(1,1), Q(1,0), Q(0,0), Q(0,1)
HELD_HIGH, HELD_LOW = 4, 5  # its legs


def sustained(order: Sequence[int], exposure: int, levels: tuple[float, float]) -> Scenario:
    """The course as seen (with leaving), the natural course, and the exposure at each of (high, low) throughout."""
    high, low = levels
    plans = (Plan(leaving=True), Plan(), Plan({exposure: high}), Plan({exposure: low}))
    return Scenario(tuple(order), plans)


def pathway(
    order: Sequence[int],
    exposure: int,
    mediators: Sequence[int],
    levels: tuple[float, float],
    held: tuple[float, float] | None = None,
) -> Scenario:
    """Interventional effects through ``mediators`` together, which come last before the exposure.

    Other mediators are confounders that the exposure may change: they respond as they will. ``held`` (high, low) adds
    two plans for one mediator: held so throughout while the exposure is at its low level.
    """
    last = (*mediators, exposure)
    high, low = ({exposure: level} for level in levels)
    drawn = tuple(mediators)
    plans = [Plan(high, drawn, 0), Plan(high, drawn, 1), Plan(low, drawn, 1), Plan(low, drawn, 0)]
    if held is not None:
        plans += [Plan({**low, mediators[0]: level}) for level in held]
    return Scenario((*(v for v in order if v not in last), *last), tuple(plans), (Plan(high), Plan(low)))


def encoded(
    plans: Sequence[Plan], variables: int
) -> tuple[
    Int[np.ndarray, "plans variables"],
    Float[np.ndarray, "plans variables"],
    Int[np.ndarray, "plans"],
    Int[np.ndarray, "plans"],
]:
    """Plans as the arrays that the compiled pass reads: mode, value, source, leaving."""
    mode, value = np.full((len(plans), variables), NATURAL), np.zeros((len(plans), variables))
    for q, plan in enumerate(plans):
        for v, level in plan.fixed.items():
            mode[q, v], value[q, v] = FIXED, level
        mode[q, list(plan.drawn)] = DRAWN
    source = np.array([plan.source for plan in plans], dtype=np.int64)
    return mode, value, source, np.array([int(plan.leaving) for plan in plans], dtype=np.int64)
