"""The precision promised for a diary: against brute force, the filter's curvature, and what simulated diaries show."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from bothways.designs.diary import promise
from bothways.designs.diary.assumed import AssumedDiary, analysed, occasions
from bothways.designs.diary.expected import covariance_parameters, joint_covariance, person_information
from bothways.designs.diary.planning import expected_errors, plan_diary
from bothways.engine.statespace.bootstrap import bootstrap
from bothways.engine.statespace.effects import standardised_effect
from bothways.engine.statespace.fit import fit_series, total_and_gradient
from bothways.engine.statespace.optimise import difference_hessian
from bothways.engine.statespace.simulate import simulate_answers
from bothways.terms.errors import QuestionError

FEW = AssumedDiary(people=30, days=4, effects=(0.2, -0.1), error=0.25)


@settings(max_examples=25, deadline=None)
@given(
    st.floats(-0.4, 0.4), st.floats(-0.4, 0.4), st.floats(0.1, 0.9), st.floats(-0.7, 0.7), st.sampled_from([1, 3, 8])
)
def test_what_is_assumed_is_what_the_model_says(
    to_b: float, to_a: float, carry: float, correlation: float, prompts: int
) -> None:
    """Effects and carry-over at the lag, unit variances, and the correlation of the moment, or a refusal."""
    try:
        assumed = AssumedDiary(prompts=prompts, effects=(to_b, to_a), carry_over=carry, correlation=correlation)
    except QuestionError:
        assume(False)
        raise
    A, Q = assumed.matrices()
    S = np.array([[1.0, correlation], [correlation, 1.0]])
    assert pytest.approx(-Q, abs=1e-9) == A @ S + S @ A.T
    T = standardised_effect(A[None], Q[None], np.array([assumed.lag_hours / 24]))[0, 0]
    assert pytest.approx(np.array([[carry, to_a], [to_b, carry]]), abs=1e-8) == T


def test_the_joint_covariance_is_that_of_the_definition() -> None:
    structure, theta = analysed(FEW)
    series, system = occasions(FEW, 1, np.random.default_rng(2)), structure.system(theta)
    A, _ = FEW.matrices()
    S, n = np.array([[1.0, 0.3], [0.3, 1.0]]), series.rows
    found = joint_covariance(system, series)
    for s in range(n):
        for t in range(s + 1):
            cell = (
                expm(A * (series.time[s] - series.time[t])) @ S + system.static_cov + (s == t) * np.diag(system.noise)
            )
            assert found[np.ix_([s, n + s], [t, n + t])] == pytest.approx(cell, abs=1e-9)


@pytest.mark.parametrize("assumed", [FEW, AssumedDiary(days=30, error=0.0)], ids=["thirty people", "one person"])
def test_the_information_is_the_mean_curvature_of_the_filter(assumed: AssumedDiary) -> None:
    """Two roads to E(−∂²ℓ): the joint density's formula, and differences of the filter's gradient over diaries."""
    structure, theta = analysed(assumed)
    places = covariance_parameters(structure)
    draws, dense = (20, 4) if assumed.people == 1 else (4, 4)
    expected, seen = np.zeros((len(places),) * 2), np.zeros((len(places),) * 2)
    for draw, child in enumerate(np.random.default_rng(4).spawn(draws)):
        series = occasions(assumed, assumed.people, child)
        if draw < dense:
            first = person_information(structure, theta, series.choose(np.array([0])))
            expected += assumed.people * first / dense
        answered = series.with_values(simulate_answers(structure.system(theta), series, child))
        objective = partial(total_and_gradient, structure, answered)
        curvature = difference_hessian(objective, theta, np.zeros(theta.size), central=True)
        seen += curvature[np.ix_(places, places)] / draws
    scale = np.outer(np.sqrt(np.diag(expected)), np.sqrt(np.diag(expected)))
    lasting = np.array([structure.names[k].startswith("static_root") for k in places])
    room = np.where(lasting[:, None] | lasting[None, :], 0.5, 0.2)  # 120 usual levels are few to know a spread from
    assert (np.abs(seen - expected) / scale < room).all()


def test_a_promise_is_kept() -> None:
    """The spread of fitted effects is near the standard error that was promised, and their mean near the truth."""
    assumed = AssumedDiary(days=30, error=0.0, effects=(0.15, 0.0))
    structure, theta = analysed(assumed)
    rng = np.random.default_rng(3)
    series = occasions(assumed, 1, rng)
    fit = fit_series(structure, series.with_values(simulate_answers(structure.system(theta), series, rng)), theta)
    made = bootstrap(replace(fit, theta=theta), "parametric", 40, rng)  # answers drawn from the truth
    systems = [structure.system(draw) for draw in made.points]
    lag = np.array([assumed.lag_hours / 24])
    T = standardised_effect(np.array([s.drift for s in systems]), np.array([s.diffusion for s in systems]), lag)[:, 0]
    effects, promised = np.stack([T[:, 1, 0], T[:, 0, 1]], axis=1), expected_errors(assumed)
    assert made.failed <= 2
    assert effects.std(axis=0) == pytest.approx(promised, rel=0.35)  # the spread of 40 is known to 11 %
    assert effects.mean(axis=0) == pytest.approx([0.15, 0.0], abs=4 * promised.max() / np.sqrt(40))


def test_mirrors_and_roots() -> None:
    there, back = (expected_errors(AssumedDiary(days=15, effects=e)) for e in ((0.2, 0.05), (0.05, 0.2)))
    assert there == pytest.approx(back[::-1], rel=1e-6)
    short, long = (expected_errors(AssumedDiary(days=d)) for d in (40, 160))
    assert short / long == pytest.approx([2.0, 2.0], rel=0.06)
    less, more = (expected_errors(AssumedDiary(days=15, error=e)) for e in (0.0, 0.3))
    assert (less < more).all()


def test_needed_days_reach_the_target_and_the_curve_rises() -> None:
    plan = plan_diary(days=90, effect=(0.15, 0.0), power=0.8)
    assert plan.needed[1] is None
    assert plan_diary(days=plan.needed[0], effect=0.15).point.power[0] == pytest.approx(0.8, abs=0.02)
    powers = [p.power[0] for p in plan.curve]
    assert powers == sorted(powers)
    assert plan.point in plan.curve
    assert plan.point.power[1] == pytest.approx(0.05)
    assert len(plan.table().rows) == len(plan.curve)


def test_a_plan_is_tried_out(monkeypatch: pytest.MonkeyPatch) -> None:
    plan = plan_diary(people=10, days=6, effect=0.45, error=0.1, simulations=1)
    checked = plan.verified
    assert (checked.worlds, checked.failed) == (1, 0)
    assert plan.point.power[0] > 0.99
    assert checked.power[0] == 1.0
    assert abs(checked.bias[0]) < 4 * plan.point.se[0]
    monkeypatch.setattr(promise, "DRAWS", 3)
    alone = plan_diary(days=25, effect=0.3, simulations=1).verified
    assert alone.worlds == 1
    assert 0 < alone.se_mean[0] < 0.5


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"effect": 0.9}, "--effect"),
        ({"days": 5}, "--days"),
        ({"people": 20, "days": 2}, "--days"),
        ({"carry_over": 1.0}, "--carry-over"),
        ({"missing": 1.0}, "--missing"),
        ({"error": -0.1}, "--error"),
        ({"correlation": 1.0}, "--correlation"),
        ({"night": 24.0}, "--night"),
        ({"lag": 0.0}, "--lag"),
        ({"prompts": 2000}, "--prompts"),
        ({"prompts": 0}, "--prompts"),
        ({"lag": float("inf")}, "--lag"),
        ({"power": 1.0}, "the plan"),
    ],
)
def test_plans_that_cannot_be_are_refused(changes: dict[str, float], where: str) -> None:
    with pytest.raises(QuestionError) as refused:
        plan_diary(**changes)  # type: ignore[arg-type]
    assert refused.value.where == where


def test_an_effect_that_is_no_number_is_refused() -> None:
    with pytest.raises(QuestionError, match="no finite number"):
        AssumedDiary(effects=(float("nan"), 0.1))


def test_prompts_fall_by_day_and_some_are_missed() -> None:
    assumed = replace(FEW, days=50, night=9.0, missing=0.3)
    series = occasions(assumed, 4, np.random.default_rng(1))
    hour = 24 * (series.time % 1)
    assert hour.max() <= 15.1
    assert series.rows == pytest.approx(0.7 * 4 * 50 * 5, rel=0.1)
    assert (np.diff(series.time)[np.diff(series.person) == 0] > 0).all()
