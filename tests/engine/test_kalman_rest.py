"""Profiles, sandwich, bootstrap, held-out forecasts and the hidden common cause."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2
from tests.engine.kalman_witness import joint_moments, random_case
from tests.engine.test_kalman_fit import DIFFUSION, world

from bothways.engine.statespace.bootstrap import bootstrap, split_into_blocks
from bothways.engine.statespace.fit import StateSpaceFit, fit_series
from bothways.engine.statespace.forecast import close_routes, forecast_gain
from bothways.engine.statespace.inference import covariance, draw_parameters, person_scores, profile_interval
from bothways.engine.statespace.likelihood import log_likelihood, predict
from bothways.engine.statespace.rivals import hidden_common_cause
from bothways.engine.statespace.series import insert_rows, make_series
from bothways.engine.statespace.simulate import simulate_answers
from bothways.engine.statespace.structure import multivariate


@pytest.fixture(scope="module")
def group() -> StateSpaceFit:
    return fit_series(multivariate(("a", "b"), random_means=True), world(21, 40, 30))


@pytest.fixture(scope="module")
def alone() -> StateSpaceFit:
    return fit_series(multivariate(("a", "b"), random_means=False), world(22, 1, 300, means=False))


def test_scores_of_persons_sum_to_nothing_at_the_optimum(group: StateSpaceFit) -> None:
    scores = person_scores(group)
    assert scores.shape == (40, group.structure.size)
    np.testing.assert_allclose(scores.sum(axis=0), 0.0, atol=1e-3)


def test_score_of_one_person_against_differences(group: StateSpaceFit) -> None:
    scores = person_scores(group)
    for k in range(group.structure.size):
        e = np.zeros(group.structure.size)
        e[k] = 1e-4
        up, down = (log_likelihood(group.structure.system(group.theta + m * e), group.series) for m in (1, -1))
        np.testing.assert_allclose(scores[:, k], (up - down) / 2e-4, atol=1e-5 * (1 + np.abs(scores[:, k]).max()))


def test_sandwich_is_near_the_curvature_where_the_model_holds(group: StateSpaceFit) -> None:
    found = covariance(group)
    assert found.kind == "sandwich"
    ratio = np.sqrt(np.diag(found.matrix) / np.diag(np.linalg.inv(group.hessian)))
    assert (ratio > 0.6).all()
    assert (ratio < 1.6).all()


def test_profile_ends_where_the_likelihood_has_dropped(alone: StateSpaceFit) -> None:
    found = profile_interval(alone, "drift[b,a]")
    assert found.low < found.value < found.high
    for end in (found.low, found.high):
        held = alone.structure.fix("drift", (1, 0), end)
        again = fit_series(held, alone.series)
        assert 2 * (alone.loglik - again.loglik) == pytest.approx(chi2.ppf(0.95, 1), abs=0.02)


def test_draws_have_the_covariance_asked_for(group: StateSpaceFit) -> None:
    V = covariance(group).matrix
    draws, unstable = draw_parameters(group, V, 2000, np.random.default_rng(1))
    assert unstable < 0.05
    np.testing.assert_allclose(draws.std(axis=0), np.sqrt(np.diag(V)), rtol=0.1)


def test_simulated_answers_have_the_joint_moments() -> None:
    """Means and covariances of 4,000 draws beside those of the definition, inputs and impulses included."""
    system, series = random_case(np.random.default_rng(8), people=1, rows=4, inputs=1, impulses=1, free_start=True)
    series = series.with_values(np.zeros_like(series.values))
    rng = np.random.default_rng(9)
    draws = np.array([simulate_answers(system, series, rng).ravel() for _ in range(4000)])
    mean, cov, weights = joint_moments(system, series, 0)
    level = ((series.design @ system.level.T) @ system.loading.T + system.intercept).ravel()
    expected = weights @ cov @ weights.T + np.diag(np.tile(system.noise, 4))
    error = np.sqrt(np.diag(expected) / 4000)
    assert (np.abs(draws.mean(axis=0) - weights @ mean - level) < 4.5 * error).all()
    np.testing.assert_allclose(np.cov(draws.T), expected, atol=0.12 * np.diag(expected).max())


def test_bootstrap_scatters_as_the_errors_say(alone: StateSpaceFit) -> None:
    made = bootstrap(alone, "parametric", 40, np.random.default_rng(3))
    draws, failed = made.points, made.failed
    assert failed <= 2
    se = np.sqrt(np.diag(np.linalg.inv(alone.hessian)))
    ratio = draws.std(axis=0) / se
    assert (ratio > 0.65).all()
    assert (ratio < 1.7).all()


def test_bootstrap_kinds(group: StateSpaceFit, alone: StateSpaceFit) -> None:
    persons = bootstrap(group, "person", 6, np.random.default_rng(4)).points
    again = bootstrap(group, "person", 6, np.random.default_rng(4)).points
    np.testing.assert_array_equal(persons, again)
    blocks = bootstrap(alone, "block", 6, np.random.default_rng(5), blocks=15).points
    assert blocks.shape[1] == alone.structure.size
    assert split_into_blocks(alone.series, 15).people == 15


def test_predictions_are_calibrated(alone: StateSpaceFit) -> None:
    foreseen = predict(alone.system, alone.series)
    z = (alone.series.values - foreseen.center) / foreseen.spread
    assert 0.9 < np.nanstd(z) < 1.1
    density = -0.5 * (np.log(2 * np.pi) + z**2) - np.log(foreseen.spread)
    np.testing.assert_allclose(foreseen.density, density, atol=1e-10)


def test_the_past_of_the_cause_helps_and_that_of_the_other_does_not() -> None:
    A = np.array([[-1.0, 0.0], [1.5, -1.5]])
    fit = fit_series(multivariate(("a", "b"), random_means=False), world(23, 1, 500, means=False, A=A, Q=DIFFUSION))
    there, back = forecast_gain(fit, 1, 0), forecast_gain(fit, 0, 1)
    assert there.gain > 0.01
    assert there.low > 0
    assert there.rmse < there.rmse_without
    assert back.gain < 0.01
    closed = close_routes(fit.structure, 0)
    assert closed.index("drift", 1, 0) is None
    assert closed.index("drift", 0, 1) is not None


def test_a_hidden_cause_fits_its_own_world_better() -> None:
    """Two unlinked processes that both carry a slow third: the rival without arrows wins; arrows add little to it."""
    A, Q = np.diag([-3.0, -3.0, -0.4]), np.diag([3.0, 3.0, 0.8])
    hidden = world(24, 40, 40, A=A, Q=Q, missing=0.0)
    y = hidden.values[:, :2] + hidden.values[:, 2:]
    series = make_series(hidden.person, hidden.time, np.ascontiguousarray(y), basis=np.ones((y.shape[0], 1)))
    plain = fit_series(multivariate(("a", "b"), random_means=True), series)
    alone = fit_series(hidden_common_cause(plain.structure, series, (0, 1), arrows=False), series)
    both = fit_series(hidden_common_cause(plain.structure, series, (0, 1), arrows=True), series)
    assert alone.aic < plain.aic - 4
    assert both.loglik > alone.loglik - 1e-3
    assert both.loglik < alone.loglik + 6
    se = np.sqrt(np.diag(np.linalg.inv(plain.hessian)))
    k = plain.structure.names.index("drift[b,a]")
    assert plain.theta[k] > 2 * se[k]  # the plain model reads an arrow where there is none


def test_rows_may_be_put_in_where_something_happened() -> None:
    person, time = np.zeros(3, np.int64), np.array([0.0, 1.0, 2.0])
    values = np.arange(6.0).reshape(3, 2)
    who, when, (grown,), new = insert_rows(person, time, [values], np.zeros(1, np.int64), np.array([0.4]))
    np.testing.assert_array_equal(when, [0.0, 0.4, 1.0, 2.0])
    np.testing.assert_array_equal(new, [False, True, False, False])
    assert np.isnan(grown[1]).all()
    assert (who == 0).all()
