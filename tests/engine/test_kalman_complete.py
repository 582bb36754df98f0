"""Complete answers without error need no filter: the short cut beside the filter, the joint density and differences."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest
from tests.engine.kalman_witness import dense_log_likelihood, random_case

from bothways.engine.statespace import passes
from bothways.engine.statespace.likelihood import log_likelihood, log_likelihood_gradient
from bothways.engine.statespace.series import Series, make_series
from bothways.engine.statespace.system import Dynamics, System

CASES = {
    "two": {},
    "three": {"p": 3},
    "one": {"p": 1},
    "phases, medicine, free start": {"inputs": 2, "impulses": 1, "free_start": True},
    "complex roots": {"kind": "complex"},
    "from a minute to years": {"gaps": (1 / 1440, 1000.0)},
}


def complete(name: str, people: int = 3, rows: int = 10) -> tuple[System, Series]:
    rng = np.random.default_rng(3)
    system, series = random_case(rng, people=people, rows=rows, bases=0, noise=False, **CASES[name])
    return system, series.with_values(rng.normal(size=series.values.shape))


@pytest.mark.parametrize("name", CASES)
def test_the_short_cut_is_the_joint_density(name: str) -> None:
    system, series = complete(name)
    assert passes.is_complete(system, series)
    found = log_likelihood(system, series)
    for i in range(series.people):
        expected = dense_log_likelihood(system, series, i)
        assert abs(found[i] - expected) < 1e-9 * (1 + abs(expected))


@pytest.mark.parametrize("by_person", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_its_gradient_is_that_of_the_filter(name: str, by_person: bool) -> None:
    system, series = complete(name)
    slow, through = log_likelihood_gradient(system, series, by_person=by_person)
    fast, past = log_likelihood_gradient(system, series, by_person=by_person, moving_loading=False, moving_noise=False)
    np.testing.assert_allclose(fast, slow, rtol=1e-9)
    for f in fields(past):
        if f.name in ("loading", "noise"):  # spared
            assert not getattr(past, f.name).any()
            continue
        expected = getattr(through, f.name)
        scale = np.abs(expected).max(initial=1.0)
        np.testing.assert_allclose(getattr(past, f.name), expected, atol=1e-8 * scale, rtol=1e-7)


def test_persons_with_dynamics_of_their_own() -> None:
    system, series = complete("two")
    drift = system.drift * np.array([1.0, 1.3, 0.8])[:, None, None]
    own = Dynamics(drift, np.repeat(system.diffusion[None], 3, axis=0))
    slow, through = log_likelihood_gradient(system, series, own, by_person=True)
    fast, past = log_likelihood_gradient(system, series, own, by_person=True, moving_loading=False, moving_noise=False)
    np.testing.assert_allclose(fast, slow, rtol=1e-10)
    np.testing.assert_allclose(past.drift, through.drift, rtol=1e-7, atol=1e-9)


def test_what_is_not_complete_goes_through_the_filter() -> None:
    system, series = complete("two")
    holes = series.values.copy()
    holes[4, 0] = np.nan
    assert not passes.is_complete(system, series.with_values(holes))
    time = series.time.copy()
    time[4] = time[3]
    twice = make_series(series.person, time, series.values, design=series.design)
    assert not passes.is_complete(system, twice)
    means, with_means = random_case(np.random.default_rng(1), noise=False)
    assert not passes.is_complete(means, with_means.with_values(np.zeros_like(with_means.values)))


def test_threads_change_nothing() -> None:
    system, series = complete("two", people=900, rows=25)
    assert series.rows > passes.ROWS_WORTH_A_THREAD
    found, adjoint = log_likelihood_gradient(system, series, moving_loading=False, moving_noise=False)
    half = series.choose(np.arange(450, 900))
    np.testing.assert_allclose(log_likelihood(system, half), found[450:], rtol=1e-12)
    assert np.isfinite(adjoint.drift).all()
