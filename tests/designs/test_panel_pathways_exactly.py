"""Pathways without noise: at a world's own moments the design's number is the world's truth, to rounding.

What is then left between the two in a sample is sampling. And the sensitivity value: a hidden cause of the strength
that it names, in a world in which the mediator leads nowhere, looks just like the pathway.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.optimize import brentq
from tests.designs.population import mediated_by_moments

from bothways.designs.panel.pathways import Mediated
from bothways.designs.panel.sensitivity import sensitivity, spread_ratio
from bothways.simulation import World, simulate
from bothways.simulation.catalogue import SIZE, Arrow, WorldSpec
from bothways.simulation.mechanism import Mechanism
from bothways.simulation.processes import MEDIATORS
from bothways.simulation.truth import effect_at
from bothways.terms.answer import Estimand
from bothways.terms.question import Direction, Facet, Question, Scale

BACK = Direction.B_TO_A
OBSERVED = ("depression", "back_pain", "sleep")


@pytest.mark.parametrize("carrier", MEDIATORS)
def test_at_the_moments_of_a_world_every_part_is_its_truth(carrier: str) -> None:
    world = simulate(f"only-{carrier}", people=50, seed=1)
    family = MEDIATORS[carrier]
    keys = tuple(key for key, _ in family.shares)
    model = mediated_by_moments(world, keys)
    assert model.legs is not None
    for key in keys:
        asked = Question(world.records.pair, Facet.PATHWAY, family.direction, Scale.SD_PER_SD, pathway=key)
        for part in (Estimand.TOTAL, Estimand.DIRECT, Estimand.INDIRECT):
            told = float(model.parts(model.legs, part, family.direction, (key,)))
            assert told == pytest.approx(float(world.truth(asked, part)), abs=1e-7)
        carried = float(model.parts(model.legs, Estimand.INDIRECT, family.direction, (key,)))
        assert (abs(carried) > 0.02) == (key == carrier)


# ---- a hidden cause of mediator and outcome


def world_of(through: float = 0.0, hidden: float = 0.0, cause: str = "anxiety") -> World:
    """Back pain disturbs sleep; sleep leads to depression (``through``), or an unasked cause moves both."""
    arrows = [Arrow("back_pain", "sleep", 0.9)]
    arrows += [Arrow("sleep", "depression", 1.0, BACK)] if through else []
    arrows += [Arrow(cause, end, hidden) for end in ("sleep", "depression")] if hidden else []
    return simulate(WorldSpec("hidden", "", "", (0.0, through), arrows=tuple(arrows)), people=50, seed=1)


def brought_about(mechanism: Mechanism) -> float:
    """Correlation of sleep with what the true lags leave of depression a wave on, the other two of its wave held."""
    read = mechanism.latent[[mechanism.row(key) for key in OBSERVED]]
    onward = np.linalg.matrix_power(mechanism.move[0], round(mechanism.gap / mechanism.step))
    now, later = read @ mechanism.stationary @ read.T, read[0] @ onward @ mechanism.stationary @ read.T
    lags = np.array([effect_at(mechanism, key, "depression", mechanism.gap) for key in OBSERVED])
    left = later - lags @ now
    spread = 1 - 2 * lags @ later + lags @ now @ lags
    whole = np.block([[now, left[:, None]], [left[None], np.array([[spread]])]])
    held = np.linalg.inv(np.linalg.inv(whole)[2:, 2:])
    return float(held[0, 1] / np.sqrt(held[0, 0] * held[1, 1]))


def carried(model: Mediated) -> float:
    assert model.legs is not None
    return float(model.legs.indirect(BACK, [model.place("sleep")]))


@cache
def honest() -> tuple[float, float]:
    """The indirect effect of a world without a hidden cause, and its sensitivity value."""
    model = mediated_by_moments(world_of(through=SIZE), ("sleep",))
    return carried(model), sensitivity(model, BACK, "sleep", 0.95).value


def posing(cause: str) -> float:
    """What a hidden cause brings about when it alone makes the indirect effect of the honest world."""

    def missing(strength: float) -> float:
        return carried(mediated_by_moments(world_of(hidden=strength, cause=cause), ("sleep",))) - honest()[0]

    strength = brentq(missing, 0.1, 0.7, xtol=1e-4)
    world = world_of(hidden=strength, cause=cause)
    assert isinstance(world.mechanism, Mechanism)
    assert effect_at(world.mechanism, "sleep", "depression", world.mechanism.gap) == 0.0
    return brought_about(world.mechanism)


def test_a_hidden_cause_of_the_strength_named_makes_the_whole_effect() -> None:
    """A cause as quick as the conditions: the correlation it brings about is the sensitivity value, to a twentieth."""
    assert posing("anxiety") == pytest.approx(honest()[1], rel=0.05)


def test_a_slow_hidden_cause_would_have_to_be_stronger() -> None:
    """Usual levels take part of it, so that the value named is a bound from below."""
    assert posing("common_cause") > 1.3 * honest()[1]


def test_taking_a_known_hidden_cause_off_leaves_the_true_leg() -> None:
    """b(ρ) of the sensitivity analysis at the true ρ, where the pathway is real and a hidden cause adds to it."""
    world = world_of(through=SIZE, hidden=0.3)
    assert isinstance(world.mechanism, Mechanism)
    model = mediated_by_moments(world, ("sleep",))
    assert model.legs is not None
    told = float(model.legs.second(BACK, model.place("sleep")))
    truth = effect_at(world.mechanism, "sleep", "depression", world.mechanism.gap)
    rho = brought_about(world.mechanism)
    assert told > 1.3 * truth
    less = rho / np.sqrt(1 - rho**2) * spread_ratio(model, BACK, "sleep")
    assert told - less == pytest.approx(truth, abs=0.002)
