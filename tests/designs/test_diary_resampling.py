"""How far the bootstrap widens the errors of one person's estimates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bothways.designs.diary.estimation import Fitted, delta, effect_function, fit_pair, resampled
from bothways.designs.diary.resampling import studentised, widening
from bothways.designs.diary.setup import set_up
from bothways.engine.statespace.bootstrap import Resamples, bootstrap
from bothways.engine.statespace.fit import total_and_gradient
from bothways.simulation import Observation, simulate

LAG = np.array([0.25])


@pytest.fixture(scope="module")
def single() -> Fitted:
    """One person's diary of 80 prompts, fitted without error of measurement."""
    made = simulate("both-ways", people=1, waves=80, seed=3, design="diary", observation=Observation(missing=0.1))
    return fit_pair(set_up(made.records))[0]


def linear(theta: np.ndarray) -> np.ndarray:
    """An estimand whose error is known: the sum of the parameters, and one that never moves."""
    return np.column_stack([theta.sum(axis=1), np.ones(len(theta))])


def test_studentised_by_hand() -> None:
    rng = np.random.default_rng(1)
    points = rng.normal(size=(5, 3))
    roots = rng.normal(size=(5, 3, 3))
    covariances = roots @ roots.transpose(0, 2, 1) + np.eye(3)
    t = studentised(Resamples(points, 0, covariances), linear, np.array([0.2, 1.0]))
    np.testing.assert_allclose(t[:, 0], (points.sum(axis=1) - 0.2) / np.sqrt(covariances.sum(axis=(1, 2))), rtol=1e-6)
    assert np.isnan(t[:, 1]).all()


def test_reach_is_the_95th_of_99() -> None:
    """With 99 refits the 95th of the sorted |t*| is taken: 5 of 100 exchangeable values lie at or beyond it."""
    points = np.linspace(-3.0, 3.0, 99)[:, None] + np.zeros((99, 3)) / 3
    draws = Resamples(points / 3, 0, np.broadcast_to(np.eye(3) / 3, (99, 3, 3)).copy())
    t = np.sort(np.abs(points.sum(axis=1) / 3))
    wider = widening(draws, linear, np.array([0.0, 1.0]), np.array([1.0, 1.0]))
    np.testing.assert_allclose(wider, [t[94] / 1.959964, 1.0], rtol=1e-5)


def test_never_narrower() -> None:
    draws = Resamples(np.full((99, 3), 1e-3), 0, np.broadcast_to(np.eye(3), (99, 3, 3)).copy())
    np.testing.assert_array_equal(widening(draws, linear, np.zeros(2), np.ones(2)), [1.0, 1.0])


def test_persons_drawn_anew_widen_to_their_scatter() -> None:
    points = np.random.default_rng(2).normal(0.0, 2.0, (200, 3))
    wider = widening(Resamples(points, 0), linear, np.zeros(2), np.ones(2))
    np.testing.assert_allclose(wider, [points.sum(axis=1).std(), 1.0])


def test_covariances_of_refits_are_their_inverse_curvature(single: Fitted) -> None:
    fit = single.fit
    made = bootstrap(fit, "parametric", 2, np.random.default_rng(1), covariances=True)
    plain = bootstrap(fit, "parametric", 2, np.random.default_rng(1))
    np.testing.assert_array_equal(made.points, plain.points)
    assert plain.covariances is None
    assert made.covariances is not None
    assert made.covariances.shape == (2, fit.theta.size, fit.theta.size)
    np.linalg.cholesky(made.covariances)
    assert total_and_gradient(fit.structure, fit.series, made.points[0]) is not None
    ratio = np.sqrt(np.diagonal(made.covariances, axis1=1, axis2=2) / np.diag(np.linalg.inv(fit.hessian)))
    assert (ratio > 0.3).all()
    assert (ratio < 3.0).all()


def test_one_person_is_studentised(single: Fitted) -> None:
    """The error widened through the road is the error times the 95th |t*| of its own refits over 1.96."""
    wide = resampled(single, 99, 5)
    assert wide.draws is not None
    assert wide.draws.covariances is not None
    function = effect_function(LAG, 2)
    value, C = delta(replace(wide, draws=None), function)
    _, widened = delta(wide, function)
    structure = single.fit.structure

    def estimand(thetas: np.ndarray) -> np.ndarray:
        systems = [structure.system(theta) for theta in thetas]
        return function(np.array([s.drift for s in systems]), np.array([s.diffusion for s in systems]))

    t = np.sort(np.abs(studentised(wide.draws, estimand, value)), axis=0)
    n = len(t)
    expected = np.maximum(t[int(np.ceil(0.95 * (n + 1))) - 1] / 1.959964, 1.0)
    np.testing.assert_allclose(np.sqrt(np.diag(widened) / np.diag(C)), expected, rtol=1e-6)
