"""Only clinical depression acts: the world against its own definition, its twin, and the panel that must tell them."""

from __future__ import annotations

import numpy as np
import pytest

from bothways.designs.panel.design import fit_all
from bothways.designs.panel.setup import prepare
from bothways.designs.panel.whom import in_whom
from bothways.simulation import World, simulate
from bothways.simulation.mechanism import Mechanism
from bothways.simulation.questions import CIRCUMSTANCES
from bothways.terms.answer import Estimand, Estimate
from bothways.terms.errors import WorldError
from bothways.terms.progress import silent
from bothways.terms.question import Direction, Facet, Population, Question
from bothways.terms.settings import Settings
from bothways.topics import load_topic

THERE, BACK = Direction.A_TO_B, Direction.B_TO_A
LINE, DAYS = 0.84, 14.0


def world(name: str, **options: object) -> World:
    return simulate(name, people=20, waves=2, seed=1, **options)  # type: ignore[arg-type]


def ask(world: World, where: str | None, facet: Facet = Facet.STRENGTH, label: str = "everyone") -> Question:
    return Question(world.pair, facet, THERE, population=Population(label, where))


def by_hand(mechanism: Mechanism, people: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(effects, severe at the start), from the definition: Euler steps of a day, two lives with one noise.

    Depression acts on pain while its level stood above the line for two weeks, and until it stood below for as long.
    """
    rng = np.random.default_rng(seed)
    shut, opened = mechanism.drift
    trait = mechanism.trait_sd * rng.standard_normal(people)
    noise = np.sqrt(mechanism.disturbance)

    def on(x: np.ndarray, count: np.ndarray, severe: np.ndarray, z: np.ndarray) -> None:
        x += np.where(severe[:, None], x @ opened.T, x @ shut.T) + z
        above = trait + x[:, 0] >= LINE * np.sqrt(1 + mechanism.trait_sd**2)
        count[:] = np.clip(count + np.where(above, 1.0, -1.0), 0, DAYS)
        severe |= count >= DAYS
        severe &= count > 0

    x, count, severe = rng.standard_normal((people, 2)), np.zeros(people), np.zeros(people, bool)
    for _ in range(700):
        on(x, count, severe, noise * rng.standard_normal((people, 2)))
    sd, other, other_count, other_severe, at = x.std(axis=0), x.copy(), count.copy(), severe.copy(), severe.copy()
    other[:, 0] += sd[0]
    for _ in range(round(mechanism.gap)):
        z = noise * rng.standard_normal((people, 2))
        on(x, count, severe, z)
        on(other, other_count, other_severe, z)
    return (other[:, 1] - x[:, 1]) / sd[1], at


def test_the_truth_is_that_of_a_simulation_written_from_the_definition() -> None:
    made = world("severe-only")
    assert isinstance(made.mechanism, Mechanism)
    assert made.mechanism.states == ("depression", "back_pain")
    effects, severe = by_hand(made.mechanism, 20_000, seed=5)
    for where, part in (("severe", severe), ("mild", ~severe), (None, np.ones(severe.size, bool))):
        truth = made.truth(ask(made, where))
        se = effects[part].std() / np.sqrt(part.sum())
        assert truth.value == pytest.approx(effects[part].mean(), abs=4 * np.hypot(se, truth.se) + 0.003)


def test_severe_depression_acts_more_than_mild_and_in_the_twin_all_alike() -> None:
    made, twin = world("severe-only"), world("any-depression")
    severe, mild = (made.truth(ask(made, f"clinical_depression={k}")).value for k in (1, 0))
    assert severe > 0.25 > 0.15 > mild > 0  # an SD more carries some over the line
    gap = made.truth(ask(made, "clinical_depression", Facet.WHOM)).value
    assert gap == pytest.approx(severe - mild, abs=1e-12)
    labelled = ask(made, "clinical_depression", label="clinical depression: 1")
    assert made.truth(labelled).value == severe
    assert twin.truth(ask(twin, "clinical_depression", Facet.WHOM)).value == 0.0
    assert twin.truth(ask(twin, "severe")).value == twin.truth(ask(twin, None)).value
    back = Question(made.pair, Facet.STRENGTH, BACK)
    assert made.truth(back).value == pytest.approx(0.0, abs=1e-12)


def test_every_circumstance_of_the_topic_is_known_under_its_name() -> None:
    assert {c.key for c in load_topic("depression-back-pain").circumstances} == CIRCUMSTANCES
    plain, switching = world("both-ways"), world("chronic-only")
    for key in sorted(CIRCUMSTANCES):
        assert plain.truth(ask(plain, key, Facet.WHOM)).value == 0.0
    for key in ("age", "sex"):
        assert switching.truth(ask(switching, key, Facet.WHOM)).value == 0.0
    for where in ("pain_severity", "clinical_depression=1"):
        with pytest.raises(WorldError, match="chronic_pain=1 or chronic_pain=0"):
            switching.truth(ask(switching, where, Facet.WHOM))
    with pytest.raises(WorldError, match="is not known here"):
        plain.truth(ask(plain, "left_handed", Facet.WHOM))


def contrast(name: str, seed: int) -> Estimate:
    made = simulate(name, people=2500, waves=5, seed=seed)
    rows, _ = in_whom(fit_all(prepare(made.records), Settings(headline_only=True), silent), silent)
    row = next(r for r in rows if r.estimand is Estimand.INTERACTION and r.direction is THERE)
    assert row.estimate is not None
    return row.estimate


def test_the_panel_finds_the_circumstance_where_it_acts_and_not_in_the_twin() -> None:
    """benchmarks/severity.py asks many worlds; these two take seconds."""
    found, twin = contrast("severe-only", 1), contrast("any-depression", 3)
    assert found.p is not None
    assert found.p < 0.01
    assert found.low < 0.199 < found.high  # the truth, by the tests above
    assert twin.low < 0 < twin.high
