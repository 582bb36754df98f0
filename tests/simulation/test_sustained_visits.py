"""Worlds at visits: their truth against matrices and against sums over histories, and what a study sees of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from bothways.simulation.sustained_mechanism import VisitMechanism, visit_mechanism
from bothways.simulation.sustained_truth import reference
from bothways.simulation.sustained_world import GAP, VisitWorld, simulate_visits
from bothways.terms.answer import Estimand
from bothways.terms.errors import WorldError
from bothways.terms.question import Direction, Facet, Question, Scale


def asked(world: VisitWorld, direction: Direction, scale: Scale, pathway: str | None = None) -> Question:
    facet = Facet.PATHWAY if pathway else Facet.STRENGTH
    return Question(world.records.pair, facet, direction, scale, pathway=pathway)


def pushed(mechanism: VisitMechanism, source: int, target: int, closed: tuple[int, ...] = ()) -> float:
    """Σ_j [G_s^j g]_target of a source held one up: G without its own row (and without those of ``closed``)."""
    keep = np.ones(len(mechanism.names))
    keep[[source, *closed]] = 0.0
    now = np.zeros(len(mechanism.names))
    for _ in range(mechanism.visits - 1):
        now = keep * (mechanism.gain @ (now + np.eye(len(now))[source]))
    return float(now[target])


def test_truth_of_scores_is_that_of_the_matrices() -> None:
    world = simulate_visits("only-sleep", 100, 5, 1, states=False)
    m = world.mechanism
    pain, mood, sleep = m.row("back_pain"), m.row("depression"), m.row("sleep")
    sd = reference(m).sd
    scale = sd[pain] / sd[mood]
    whole, without = pushed(m, pain, mood) * scale, pushed(m, pain, mood, (sleep,)) * scale
    question = asked(world, Direction.B_TO_A, Scale.SD_PER_SD)
    assert world.truth(question).value == pytest.approx(whole, abs=1e-9)
    through = asked(world, Direction.B_TO_A, Scale.SD_PER_SD, "sleep")
    parts = [world.truth(through, e).value for e in (Estimand.TOTAL, Estimand.DIRECT, Estimand.INDIRECT)]
    assert parts[1] == pytest.approx(without, abs=1e-9)
    assert parts[2] == pytest.approx(whole - without, abs=0.004)  # the drawn courses differ life by life
    assert parts[0] == pytest.approx(sum(parts[1:]), abs=1e-12)
    rival = world.truth(asked(world, Direction.B_TO_A, Scale.SD_PER_SD, "activity"), Estimand.INDIRECT)
    assert rival.value == pytest.approx(0, abs=1e-12)


def test_truth_of_states_is_the_sum_over_histories() -> None:
    """Without anxiety's arrows, in which case the two conditions are a chain of two 0/1 states."""
    world = simulate_visits("both-ways", 50, 3, 1)
    gain = world.mechanism.gain.copy()
    gain[:, 2], gain[2, :] = 0.0, 0.0
    world = replace(world, mechanism=replace(world.mechanism, gain=gain))
    m, people = world.mechanism, reference(world.mechanism)
    start = people.start[:, 1].mean()
    risks = []
    for level in (1.0, 0.0):
        total = 0.0
        for first, second in product((0.0, 1.0), repeat=2):
            before = start if first else 1 - start
            p = m.mean(np.array([[level, first, 0.0]]))[0, 1]
            q = m.mean(np.array([[level, second, 0.0]]))[0, 1]
            total += before * (p if second else 1 - p) * q
        risks.append(total)
    truth = world.truth(asked(world, Direction.A_TO_B, Scale.RISK_DIFFERENCE))
    assert truth.value == pytest.approx(risks[0] - risks[1], abs=4 * truth.se + 1e-3)
    ratio = world.truth(asked(world, Direction.A_TO_B, Scale.RISK_RATIO))
    assert ratio.value == pytest.approx(risks[0] / risks[1], abs=4 * ratio.se + 4e-3)


def test_a_study_sees_visits_leavers_and_deaths() -> None:
    world = simulate_visits("both-ways", 800, 5, 3, leaving=0.05, death=True, jitter=0.1)
    records = world.records
    last = np.zeros(800)
    np.maximum.at(last, records.person, records.time)
    deaths = records.events["death"]
    assert records.rows < 4000
    assert 20 < deaths.person.size < 400
    assert (deaths.time > last[deaths.person]).all()
    gaps = np.diff(records.time)[np.diff(records.person) == 0]
    assert np.abs(gaps - GAP).max() <= 0.2 * GAP + 1
    assert records.roles.covariates == ("anxiety",)
    again = simulate_visits("both-ways", 800, 5, 3, leaving=0.05, death=True, jitter=0.1)
    np.testing.assert_array_equal(records.values["depression"], again.records.values["depression"])


@pytest.mark.parametrize("name", ["null", "chronic-only", "nowhere"])
def test_worlds_that_are_not_held_at_visits_say_so(name: str) -> None:
    with pytest.raises(WorldError, match=name):
        visit_mechanism(name, states=True, visits=4, gap=GAP)
    with pytest.raises(WorldError, match="no study"):
        simulate_visits("both-ways", 0, 4, 1)
