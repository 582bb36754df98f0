"""The g-formula against sums over all histories, closed forms and statsmodels, and what must not change it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.gmethods_witness import linear_effects, mean_outcome, named

from bothways.engine.gmethods.gformula import Courses, Simulated, model_of, simulate
from bothways.engine.gmethods.history import Histories
from bothways.engine.gmethods.plans import (
    ALL_DRAWN,
    ALWAYS,
    AS_SEEN,
    HELD_HIGH,
    HELD_LOW,
    NATURAL_COURSE,
    NEVER,
    NONE,
    ONLY_EXPOSED,
    pathway,
    sustained,
)
from bothways.engine.gmethods.regression import DEATH, Spec, fit, independent, pool

ORDER, EXPOSURE, MEDIATOR = (0, 1, 2, 3), 3, 2
SCENARIOS = [sustained(ORDER, EXPOSURE, (1.0, 0.0)), pathway(ORDER, EXPOSURE, (MEDIATOR,), (1.0, 0.0), (1.0, 0.0))]


def expit(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def states(people: int = 300, waves: int = 4, seed: int = 1, *, lags: int = 1, death: bool = False) -> Histories:
    """Outcome, confounder, mediator, exposure, all 0/1 and each changed by the exposure of the wave before."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, (people, 1)).astype(float)
    v = np.zeros((people, waves, 4))
    died = np.full(people, waves)
    for k in range(waves):
        y, c, m, a = v[:, k - 1].T if k else np.zeros((4, people))
        v[:, k, 0] = rng.random(people) < expit(-1.2 + y + 0.6 * c + 0.7 * m + 0.6 * a + 0.3 * x[:, 0])
        v[:, k, 1] = rng.random(people) < expit(-0.8 + 0.8 * c + 0.7 * a + 0.4 * v[:, k, 0])
        v[:, k, 2] = rng.random(people) < expit(-0.7 + m + 0.9 * a + 0.4 * v[:, k, 1])
        v[:, k, 3] = rng.random(people) < expit(-0.7 + a + 0.6 * v[:, k, 1] + 0.4 * v[:, k, 2])
        if death and k < waves - 1:
            gone = (rng.random(people) < expit(-2.5 + v[:, k, 0] + 0.5 * v[:, k, 3])) & (died == waves)
            died[gone] = k + 1
    v[np.arange(waves) >= died[:, None]] = np.nan
    return Histories(v, x, np.ones(4, dtype=bool), died, np.ones(people), lags)


def scores(people: int = 800, waves: int = 5, seed: int = 2) -> Histories:
    """The same with scores."""
    rng = np.random.default_rng(seed)
    v = np.zeros((people, waves, 4))
    P = np.array([[0.5, 0.2, 0.3, 0.2], [0.1, 0.4, 0, 0.3], [0, 0.1, 0.4, 0.35], [0.1, 0.2, 0.1, 0.5]])
    for k in range(waves):
        v[:, k] = (v[:, k - 1] @ P.T if k else 0) + rng.normal(size=(people, 4))
        v[:, k, 3] += 0.3 * v[:, k, 1]
    return Histories(v, np.zeros((people, 0)), np.zeros(4, dtype=bool), np.full(people, waves), np.ones(people))


@cache
def simulated(lags: int, death: bool) -> tuple[Histories, Simulated]:
    histories = states(people=100, waves=3, lags=lags, death=death)
    return histories, simulate(model_of(histories, SCENARIOS), np.random.default_rng(7), draws=2100)


@pytest.mark.parametrize(("lags", "death"), [(1, False), (2, False), (1, True)])
def test_sustained_exposure_is_the_sum_over_all_histories(lags: int, death: bool) -> None:
    histories, found = simulated(lags, death)
    coefs = named(histories, found, 0)
    assert (DEATH in coefs) == death
    for plan, level in ((ALWAYS, 1.0), (NEVER, 0.0)):
        with_it, alive = mean_outcome(coefs, ORDER, histories, {EXPOSURE: level})
        # 210,000 lives, of which the last step is a mean: standard deviations below 0.2, so four errors are 0.0018
        assert found.point[0].mean[plan, -1, 0] == pytest.approx(with_it, abs=0.0018)
        assert found.point[0].alive[plan, -1] == pytest.approx(alive, abs=0.0018)
        assert alive < 0.97 if death else alive == pytest.approx(1)


@pytest.mark.parametrize("death", [False, True])
def test_interventional_effects_are_the_sum_over_courses_and_histories(death: bool) -> None:
    histories, found = simulated(1, death)
    coefs = named(histories, found, 1)
    order = found.model.scenarios[1].order
    for plan, level, source in ((ALL_DRAWN, 1.0, 1.0), (ONLY_EXPOSED, 1.0, 0.0), (NONE, 0.0, 0.0)):
        with_it, alive = mean_outcome(coefs, order, histories, {EXPOSURE: level}, (MEDIATOR,), {EXPOSURE: source})
        assert found.point[1].mean[plan, -1, 0] == pytest.approx(with_it, abs=0.0018)
        assert found.point[1].alive[plan, -1] == pytest.approx(alive, abs=0.0018)
    for plan, level in ((HELD_HIGH, 1.0), (HELD_LOW, 0.0)):
        with_it, _ = mean_outcome(coefs, order, histories, {EXPOSURE: 0.0, MEDIATOR: level})
        assert found.point[1].mean[plan, -1, 0] == pytest.approx(with_it, abs=0.0018)


def differences(courses: Courses, *pairs: tuple[int, int]) -> list[float]:
    return [float(courses.mean[one, -1, 0] - courses.mean[other, -1, 0]) for one, other in pairs]


@pytest.mark.parametrize("through", [(1,), (2,), (1, 2)])
def test_linear_worlds_have_closed_forms(through: tuple[int, ...]) -> None:
    histories = scores()
    scenarios = [sustained(ORDER, EXPOSURE, (0.5, -0.5)), pathway(ORDER, EXPOSURE, through, (0.5, -0.5))]
    found = simulate(model_of(histories, scenarios), np.random.default_rng(1), draws=1)
    order = found.model.scenarios[1].order
    expected = linear_effects(named(histories, found, 1), order, histories.waves, EXPOSURE, through)
    parts = differences(found.point[1], (ALL_DRAWN, NONE), (ONLY_EXPOSED, NONE), (ALL_DRAWN, ONLY_EXPOSED))
    assert parts == pytest.approx(expected, abs=1e-11)
    whole = linear_effects(named(histories, found, 0), ORDER, histories.waves, EXPOSURE, ())[0]
    assert differences(found.point[0], (ALWAYS, NEVER)) == pytest.approx([whole], abs=1e-11)
    assert parts[0] == pytest.approx(whole, abs=1e-9)  # without interactions a random course changes no mean


def test_the_course_of_the_mean_is_the_mean_of_courses() -> None:
    histories = scores()
    mixed = replace(
        histories, values=np.dstack([histories.values, np.zeros((800, 5, 1))]), binary=np.array([False] * 4 + [True])
    )
    mixed.values[:, :, 4] = np.random.default_rng(3).integers(0, 2, (800, 5))  # a coin on which nothing hangs
    exact = simulate(model_of(histories, SCENARIOS), np.random.default_rng(1), draws=1)
    scenarios = [
        sustained((0, 1, 2, 4, 3), EXPOSURE, (1.0, 0.0)),
        pathway((0, 1, 2, 4, 3), EXPOSURE, (MEDIATOR,), (1.0, 0.0)),
    ]
    drawn = simulate(model_of(mixed, scenarios), np.random.default_rng(1), draws=100)
    assert exact.model.straight
    assert not drawn.model.straight
    for s, plans in ((0, (ALWAYS, NEVER)), (1, (ALL_DRAWN, ONLY_EXPOSED, NONE))):
        for plan in plans:
            one, other = (f.point[s].mean[plan, -1, 0] for f in (exact, drawn))
            assert one == pytest.approx(other, abs=0.03)


def test_the_natural_course_is_the_one_seen() -> None:
    histories = states(people=4000, seed=5)
    found = simulate(model_of(histories, SCENARIOS[:1]), np.random.default_rng(1), draws=25)
    for plan in (AS_SEEN, NATURAL_COURSE):
        np.testing.assert_allclose(found.point[0].mean[plan], histories.values.mean(axis=0), atol=0.025)


def test_workers_change_nothing() -> None:
    model = model_of(states(), SCENARIOS)
    runs = [simulate(model, np.random.default_rng(1), draws=2, replicates=6, workers=workers) for workers in (1, 3)]
    for s in range(2):
        np.testing.assert_array_equal(runs[0].drawn[s].mean, runs[1].drawn[s].mean)
    np.testing.assert_array_equal(runs[0].refitted, runs[1].refitted)
    assert runs[0].converged.all()


def test_a_weight_of_two_is_a_person_twice() -> None:
    once = states(people=200)
    twice = Histories(*(np.concatenate([part, part[:50]]) for part in (once.values, once.fixed)), once.binary,
                      np.full(250, 4), np.ones(250))  # fmt: skip
    weight = np.where(np.arange(200) < 50, 2.0, 1.0)
    specs = model_of(once, SCENARIOS).regressions
    for pooled, other in zip(specs, model_of(twice, SCENARIOS).regressions, strict=True):
        one, two = fit(pooled, weight), fit(other, np.ones(250))
        np.testing.assert_allclose(one.coef, two.coef, atol=1e-9)
        assert one.spread == pytest.approx(two.spread)


@given(seed=st.integers(0, 10_000), people=st.integers(60, 200))
@settings(max_examples=15, deadline=None)
def test_regressions_are_those_of_statsmodels(seed: int, people: int) -> None:
    for histories in (states(people, seed=seed), scores(people, seed=seed)):
        weight = np.random.default_rng(seed).integers(0, 4, people).astype(float)
        (pooled,) = pool(histories, [Spec(0, histories.past())])
        found = fit(pooled, weight)
        family = sm.families.Binomial() if pooled.binary else sm.families.Gaussian()
        peer = sm.GLM(pooled.y, pooled.X, family=family, freq_weights=weight[pooled.person]).fit(tol=1e-14, maxiter=100)
        np.testing.assert_allclose(found.coef, peer.params, atol=1e-6)


def test_separation_is_said_and_collinear_columns_go() -> None:
    histories = states()
    histories.values[:, 1:, 0] = histories.values[:, :-1, 3]  # the exposure before settles the outcome
    found = simulate(model_of(histories, SCENARIOS[:1]), np.random.default_rng(1), replicates=3)
    assert [spec.target for spec in found.failed] == [0]
    assert found.point == ()
    X = np.random.default_rng(1).normal(size=(50, 3))
    assert independent(np.column_stack([X, X[:, 0] + X[:, 1], np.zeros(50)])) == [0, 1, 2]


def test_rows_with_gaps_are_left_out_of_what_needs_them_only() -> None:
    histories = states(people=400)
    histories.values[:100, 2, 1] = np.nan
    outcome, confounder = pool(histories, [Spec(0, histories.past()), Spec(1, histories.past())])
    assert len(outcome.y) == 400 * 3 - 100  # the wave after, whose past is not known
    assert len(confounder.y) == 400 * 3 - 200
    assert (histories.unbroken[:100] == 2).all()
