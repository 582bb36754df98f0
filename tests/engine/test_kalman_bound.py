"""Series in which nothing carries over: the drift ends at its bound, and nowhere else does the bound do anything."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.engine.test_kalman_fit import world

from bothways.engine.statespace.bound import bounded, penalty
from bothways.engine.statespace.carryover import carry_over
from bothways.engine.statespace.fit import StateSpaceFit, fit_series, total_and_gradient
from bothways.engine.statespace.series import Series, make_series
from bothways.engine.statespace.structure import multivariate

PAIR = multivariate(("a", "b"), random_means=False)


def scatter(seed: int, rows: int = 60, p: int = 2) -> Series:
    """Answers once a day that are independent of one another."""
    rng = np.random.default_rng(seed)
    return make_series(np.zeros(rows, np.int64), np.arange(float(rows)), rng.normal(size=(rows, p)))


@pytest.fixture(scope="module")
def fits() -> list[StateSpaceFit]:
    return [fit_series(PAIR, scatter(seed)) for seed in range(6)]


def test_pure_chance_has_an_end(fits: list[StateSpaceFit]) -> None:
    assert all(fit.converged for fit in fits)
    assert any(fit.structure.signed or fit.too_fast or fit.at_limit for fit in fits)  # climbing alone would not do


def test_no_fit_beats_the_autoregression_that_it_is_part_of(fits: list[StateSpaceFit]) -> None:
    """ℓ lies between that of mere scatter and that of a free vector autoregression, both by least squares."""
    for seed, fit in enumerate(fits):
        y = scatter(seed).values
        assert fit.loglik > _normal(y - y.mean(axis=0)) - 0.05
        x = np.column_stack([np.ones(len(y) - 1), y[:-1]])
        rest = y[1:] - x @ np.linalg.lstsq(x, y[1:], rcond=None)[0]
        first = fit.loglik - _normal(rest)  # the density of the first row, all that the autoregression leaves out
        assert first < -0.5


def _normal(e: np.ndarray) -> float:
    """The largest log density of rows that are independent normals with mean zero."""
    n, p = e.shape
    return float(-0.5 * n * (p * np.log(2 * np.pi) + np.linalg.slogdet(e.T @ e / n)[1] + p))


def test_one_process_that_alternates_ends_as_scatter() -> None:
    """Neighbours that are unlike each other: no rate can say so, and the best is independence."""
    y = scatter(3, 80, 1).values
    y[1::2] = -0.3 * y[::2] + 0.9 * y[1::2]
    series = make_series(np.zeros(80, np.int64), np.arange(80.0), y)
    fit = fit_series(multivariate(("a",), random_means=False), series)
    assert fit.converged
    assert fit.too_fast
    assert fit.loglik == pytest.approx(_normal(y - y.mean(axis=0)), abs=0.5)


@pytest.mark.parametrize("signed", [False, True])
def test_gradient_of_the_penalty(signed: bool) -> None:
    structure = replace(PAIR, fastest=1.5, signed=signed)
    theta = np.full(structure.size, -0.9 if signed else 0.1)
    cost, slope = penalty(structure, theta)
    assert cost < 0
    for k in range(theta.size):
        e = np.zeros(theta.size)
        e[k] = 1e-6
        found = (penalty(structure, theta + e)[0] - penalty(structure, theta - e)[0]) / 2e-6
        assert abs(found - slope[k]) < 1e-5 * (1 + abs(found))


def test_a_maximum_that_exists_stays_where_it_is() -> None:
    series = world(22, 1, 200, means=False)
    free = fit_series(PAIR, series)
    held = bounded(PAIR, series, 0.5)
    assert penalty(held, free.theta)[0] == 0.0
    assert total_and_gradient(held, series, free.theta)[0] == free.loglik
    signed = fit_series(replace(PAIR, signed=True), series)
    assert signed.loglik == pytest.approx(free.loglik, abs=1e-6)
    np.testing.assert_allclose(signed.system.drift, free.system.drift, atol=1e-4)


def test_the_test_of_carry_over_is_against_mere_scatter(fits: list[StateSpaceFit]) -> None:
    for seed in range(4):
        y = scatter(seed).values
        found = carry_over(fits[seed])
        expected = 2 * (fits[seed].loglik - _normal(y - y.mean(axis=0)))
        assert found.statistic == pytest.approx(max(expected, 0.0), abs=1.0)
    assert sum(carry_over(fit).p < 0.05 for fit in fits) <= 2
    assert carry_over(fit_series(PAIR, world(22, 1, 200, means=False))).p < 1e-6
