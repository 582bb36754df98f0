"""True answers of panels and diaries against three other ways to know them: a matrix exponential, a plain simulation
written here from the definition, and what a large simulated study shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm, solve_continuous_lyapunov
from tests.simulation.simulated_questions import BACK, JOINT, THERE, ask

from bothways.simulation import Observation, World, WorldSpec, simulate, simulate_many, worlds
from bothways.simulation.build import build
from bothways.simulation.catalogue import find
from bothways.simulation.many import wave_step
from bothways.simulation.mechanism import CHRONIC_DAYS, CHRONIC_SD, Mechanism
from bothways.simulation.paths import begin, go
from bothways.simulation.truth import effect_at, effect_course, paired_effects
from bothways.simulation.world import plan_of
from bothways.terms.answer import Estimand
from bothways.terms.errors import WorldError
from bothways.terms.question import Direction, Facet

NAMES = [spec.name for spec in worlds()]
ARROWLESS = [spec.name for spec in worlds() if spec.effects == (0.0, 0.0)]


def panel(name: str | WorldSpec, **options: object) -> World:
    return simulate(name, people=20, waves=2, **options)  # type: ignore[arg-type]


def moving(name: str, **options: object) -> Mechanism:
    found = panel(name, **options).mechanism
    assert isinstance(found, Mechanism)
    return found


@pytest.mark.parametrize("design", ["panel", "diary"])
@pytest.mark.parametrize("name", NAMES)
def test_every_arrow_has_the_size_that_its_world_states(name: str, design: str) -> None:
    world = panel(name, design=design)
    if find(name).gated is not None:
        return
    sizes = [world.truth(ask(world, direction)).value for direction in (THERE, BACK)]
    assert sizes == pytest.approx(find(name).effects, abs=1e-10)


@pytest.mark.parametrize("mediators", ["collapsed", "modelled"])
@pytest.mark.parametrize("name", ARROWLESS)
def test_worlds_without_arrows_have_no_effect_at_any_lag(name: str, mediators: str) -> None:
    world = panel(name, mediators=mediators)
    for direction in (THERE, BACK):
        for horizon in (1.0, 90.0, 400.0):
            assert world.truth(ask(world, direction, horizon=horizon)).value == 0.0
        assert np.isnan(world.truth(ask(world, direction, Facet.SPEED)).value)
    assert world.truth(ask(world, JOINT), Estimand.ASSOCIATION).value == 0.4


@given(there=st.floats(0.02, 0.2), back=st.floats(0.02, 0.2), gap=st.sampled_from([60.0, 180.0, 365.0]))
def test_the_effect_asked_for_is_the_effect_that_is(there: float, back: float, gap: float) -> None:
    world = panel("both-ways", effect=(there, back), observation=Observation(gap=gap))
    assert world.truth(ask(world, THERE)).value == pytest.approx(there, abs=1e-10)
    assert world.truth(ask(world, BACK)).value == pytest.approx(back, abs=1e-10)
    assert world.truth(ask(world, JOINT)).value == pytest.approx(there - back, abs=1e-10)


def test_arrows_that_would_move_more_than_all_there_is_are_refused() -> None:
    with pytest.raises(WorldError, match="Lower the effect"):
        panel("both-ways", effect=(0.25, 0.25), observation=Observation(gap=60.0))


@pytest.mark.parametrize("mediators", ["collapsed", "modelled"])
@pytest.mark.parametrize("name", [name for name in NAMES if find(name).gated is None])
def test_steps_agree_with_the_matrix_exponential_of_the_same_drift(name: str, mediators: str) -> None:
    mechanism = moving(name, mediators=mediators)
    drift, days = mechanism.drift[0], mechanism.gap
    onward, spread = wave_step(mechanism)
    assert onward == pytest.approx(expm(drift * days), abs=2e-4)
    rate = np.diag(mechanism.disturbance) / mechanism.step
    settled = solve_continuous_lyapunov(drift, -rate)
    assert mechanism.stationary == pytest.approx(settled, rel=2e-3, abs=2e-3)
    assert spread == pytest.approx(settled - expm(drift * days) @ settled @ expm(drift * days).T, abs=5e-3)
    assert onward @ mechanism.stationary @ onward.T + spread == pytest.approx(mechanism.stationary, abs=1e-12)


def test_halving_the_step_moves_the_truth_by_a_quarter_as_much_each_time() -> None:
    spec = find("only-sleep")
    at = [
        effect_at(build(plan_of(spec, "panel", Observation(), step=step)), "back_pain", "depression", 60.0)
        for step in (4.0, 2.0, 1.0, 0.5)
    ]
    moves = np.abs(np.diff(at))
    assert moves[0] < 1e-3
    assert moves[:-1] / moves[1:] == pytest.approx([4.0, 4.0], rel=0.1)


@pytest.mark.parametrize("name", ["both-ways", "pain-first", "only-sleep"])
def test_a_large_study_without_stable_differences_shows_the_truth(name: str) -> None:
    """Regression of each variable on all at the wave before: exact for a VAR(1), and only there an estimator."""
    values = next(simulate_many(name, worlds=1, people=200_000, waves=2, icc=0.0, seed=3, variables=20))
    world = panel(name, icc=0.0)
    slopes = np.linalg.lstsq(values[:, 0], values[:, 1], rcond=None)[0]
    assert slopes[0, 1] == pytest.approx(world.truth(ask(world, THERE)).value, abs=0.012)
    assert slopes[1, 0] == pytest.approx(world.truth(ask(world, BACK)).value, abs=0.012)


def test_two_lives_in_full_agree_with_the_difference_that_is_propagated() -> None:
    mechanism = moving("both-ways", mediators="modelled")
    pairs = paired_effects(mechanism, "back_pain", "depression", 180.0, people=1500)
    assert pairs.effects.std() < 1e-10
    expected = effect_at(mechanism, "back_pain", "depression", 180.0)
    assert pairs.effects.mean() == pytest.approx(expected, rel=0.06)  # the sample's own SDs stand in for one


def by_hand(mechanism: Mechanism, people: int, days: float, seed: int) -> tuple[float, float]:
    """Chronic-only from its definition, Euler's method in half-days: the mean effect of one SD of pain, and its SE."""
    rng = np.random.default_rng(seed)
    step, burn = 0.5, 700.0
    shut, opened = mechanism.drift
    noise = np.sqrt(mechanism.disturbance / mechanism.step * step)
    level = rng.standard_normal(people) * mechanism.trait_sd
    threshold = CHRONIC_SD * np.sqrt(1 + mechanism.trait_sd**2)

    def on(x: np.ndarray, count: np.ndarray, chronic: np.ndarray, z: np.ndarray) -> None:
        x += step * np.where(chronic[:, None], x @ opened.T, x @ shut.T) + z
        count += np.where(level + x[:, 1] >= threshold, step, -step)
        np.clip(count, 0, CHRONIC_DAYS, out=count)
        chronic |= count >= CHRONIC_DAYS
        chronic &= count > 0

    x, count, chronic = rng.standard_normal((people, 2)), np.zeros(people), np.zeros(people, bool)
    for _ in range(int(burn / step)):
        on(x, count, chronic, noise * rng.standard_normal((people, 2)))
    sds = x.std(axis=0)
    other, other_count, other_chronic = x.copy(), count.copy(), chronic.copy()
    other[:, 1] += sds[1]
    for _ in range(int(days / step)):
        z = noise * rng.standard_normal((people, 2))
        on(x, count, chronic, z)
        on(other, other_count, other_chronic, z)
    effect = (other[:, 0] - x[:, 0]) / sds[0]
    return float(effect.mean()), float(effect.std() / np.sqrt(people))


def test_chronic_only_agrees_with_a_simulation_written_from_its_definition() -> None:
    world = panel("chronic-only")
    truth = world.truth(ask(world, BACK))
    assert isinstance(world.mechanism, Mechanism)
    mean, se = by_hand(world.mechanism, 6000, 180.0, seed=5)
    assert 0 < truth.se < 0.001
    assert truth.value == pytest.approx(mean, abs=4 * np.hypot(se, truth.se) + 0.002)


def test_chronic_pain_alone_acts_in_chronic_only_and_not_in_its_twin() -> None:
    world, twin = panel("chronic-only"), panel("any-pain")
    chronic, recent = (world.truth(ask(world, BACK, where=where)).value for where in ("chronic", "recent"))
    assert chronic > 0.15 > 0.05 > recent > 0  # some recent pain turns chronic within the gap
    gap = world.truth(ask(world, BACK, Facet.WHOM))
    assert gap.value == pytest.approx(chronic - recent, abs=1e-12)
    assert twin.truth(ask(twin, BACK, Facet.WHOM)).value == 0.0
    assert world.truth(ask(world, THERE)).value == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("only-")])
@pytest.mark.parametrize("horizon", [None, 270.0])
def test_the_one_mediator_carries_all_and_its_rivals_nothing(name: str, horizon: float | None) -> None:
    world = panel(name)
    direction = THERE if find(name).effects[0] else BACK
    carrier = name.removeprefix("only-")
    for mediator in world.records.roles.pathways:
        total, direct, indirect = (
            world.truth(ask(world, direction, Facet.PATHWAY, horizon=horizon, pathway=mediator), estimand).value
            for estimand in (Estimand.TOTAL, Estimand.DIRECT, Estimand.INDIRECT)
        )
        assert direct + indirect == pytest.approx(total, abs=1e-14)
        assert indirect == pytest.approx(0.0, abs=1e-14) if mediator != carrier else indirect > 0.02
        if mediator == carrier and horizon is not None:
            assert direct == pytest.approx(0.0, abs=1e-14)


def test_a_pathway_is_known_by_the_topics_name_as_well() -> None:
    world = panel("only-sleep")
    one, other = (world.truth(ask(world, BACK, Facet.PATHWAY, pathway=name)) for name in ("sleep", "bp_sleep"))
    assert one == replace(other, intervention=one.intervention)


def test_the_peak_is_where_the_course_is_highest() -> None:
    world = panel("pain-first")
    peak = world.truth(ask(world, BACK, Facet.SPEED)).value
    # With two first-order processes the peak stands at ln(λ2/λ1)/(λ1 − λ2) in either direction.
    fast, slow = 1 / 150, 1 / 180
    assert peak == pytest.approx(np.log(fast / slow) / (fast - slow), rel=1e-3)
    course = effect_course(moving("pain-first"), "back_pain", "depression", 400.0)
    assert int(course.argmax()) == pytest.approx(peak, abs=1)


@given(name=st.sampled_from(NAMES), horizon=st.floats(5, 700), direction=st.sampled_from([THERE, BACK]))
def test_naming_the_conditions_the_other_way_round_changes_nothing(
    name: str, horizon: float, direction: Direction
) -> None:
    if find(name).gated is not None:
        return
    world = panel(name)
    question = ask(world, direction, horizon=horizon)
    assert world.truth(question) == world.truth(question.mirrored())


def test_mirrored_worlds_mirror() -> None:
    one, other = panel("pain-first", effect=0.1), panel("depression-first", effect=0.1)
    for direction in (THERE, BACK):
        forward = one.truth(ask(one, direction)).value
        assert forward == pytest.approx(other.truth(ask(other, direction.reversed())).value, abs=1e-12)
    assert one.truth(ask(one, JOINT)).value == pytest.approx(-other.truth(ask(other, JOINT)).value, abs=1e-12)


def test_truth_does_not_depend_on_who_was_drawn() -> None:
    few, many = simulate("chronic-only", people=5, seed=1), simulate("chronic-only", people=50, waves=9, seed=2)
    assert few.truth(ask(few, BACK)) == many.truth(ask(many, BACK))


@pytest.mark.parametrize("name", ["shared-cause", "reporting-style", "anxiety-rival"])
def test_rival_explanations_look_like_influence_although_there_is_none(name: str) -> None:
    """What two waves of reports alone show, stable differences aside: each seems to precede the other."""
    values = next(simulate_many(name, worlds=1, people=200_000, waves=2, icc=0.0, seed=4))
    slopes = np.linalg.lstsq(values[:, 0], values[:, 1], rcond=None)[0]
    assert slopes[0, 1] > 0.02
    assert slopes[1, 0] > 0.02


def test_processes_keep_their_variance_while_people_walk() -> None:
    mechanism = moving("both-ways", mediators="modelled")
    walkers = begin(mechanism, 4000, np.random.default_rng(1))
    course = go(mechanism, walkers, np.tile([0, 360], (4000, 1)), np.random.default_rng(2))
    for k in (0, 1):
        assert np.cov(course.states[:, k].T) == pytest.approx(mechanism.stationary, abs=0.12)
    assert abs(course.states.mean(axis=(0, 1))).max() < 0.06


def test_what_cannot_be_asked_is_refused() -> None:
    world = panel("chronic-only")
    with pytest.raises(WorldError, match="how long pain has lasted"):
        world.truth(ask(world, BACK, Facet.SPEED))
    with pytest.raises(WorldError, match="order_share"):
        world.truth(ask(world, BACK, Facet.FIRST))
    with pytest.raises(WorldError, match="does not show that mediator"):
        world.truth(ask(world, BACK, Facet.PATHWAY, pathway="sleep"))
    with pytest.raises(WorldError, match="not known here"):
        world.truth(ask(world, BACK, where="income=1"))
    with pytest.raises(WorldError, match="it holds scores"):
        world.order()
    with pytest.raises(WorldError, match="Choose one of: null"):
        simulate("nul")
    with pytest.raises(WorldError, match=r"arrows|coupling"):
        panel("both-ways", effect=0.9)
