"""The filter, its gradient and the smoother against the joint normal density, from the definition."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from tests.engine.kalman_witness import dense_log_likelihood, dense_smooth, random_case

from bothways.engine.statespace.likelihood import log_likelihood, log_likelihood_gradient, smooth
from bothways.engine.statespace.series import make_series
from bothways.engine.statespace.system import System

CASES = {
    "plain": {},
    "without error": {"noise": False},
    "one person, fixed mean": {"people": 1, "bases": 0, "rows": 25},
    "random slopes": {"bases": 2},
    "one process": {"p": 1},
    "three processes": {"p": 3},
    "four processes, six indicators": {"p": 4, "indicators": 6},
    "phases and medicine": {"inputs": 2, "impulses": 1},
    "free start": {"free_start": True, "inputs": 1},
    "equal roots": {"kind": "equal"},
    "nearly equal roots": {"kind": "near"},
    "complex roots": {"kind": "complex"},
    "three equal roots": {"p": 3, "kind": "equal"},
    "three, complex": {"p": 3, "kind": "complex", "inputs": 1},
    "from a minute to years": {"gaps": (1 / 1440, 1000.0)},
    "three, from a minute to years": {"p": 3, "gaps": (1 / 1440, 1000.0)},
}


@pytest.mark.parametrize("name", CASES)
def test_log_likelihood_is_the_joint_density(name: str) -> None:
    system, series = random_case(np.random.default_rng(7), **CASES[name])
    found = log_likelihood(system, series)
    for i in range(series.people):
        expected = dense_log_likelihood(system, series, i)
        assert abs(found[i] - expected) < 1e-9 * (1 + abs(expected))


@pytest.mark.parametrize("name", CASES)
def test_gradient_against_differences(name: str) -> None:
    """Every entry of every matrix, central differences with Richardson's correction."""
    system, series = random_case(np.random.default_rng(11), **CASES[name])
    _, adjoint = log_likelihood_gradient(system, series)
    largest = max(np.abs(getattr(adjoint, f.name)).max(initial=0.0) for f in fields(adjoint))
    for f in fields(System):
        matrix = getattr(system, f.name)
        if matrix is None:
            continue
        for cell in np.ndindex(matrix.shape):
            slope = _slope(system, series, f.name, cell)
            found = getattr(adjoint, f.name)[0][cell]
            if f.name in ("diffusion", "static_cov", "start_cov") and cell[0] != cell[1]:
                found = found + getattr(adjoint, f.name)[0][cell[::-1]]
            assert abs(found - slope) < 1e-6 * (1 + abs(slope)) + 1e-9 * largest, (f.name, cell, found, slope)


def _slope(system: System, series, name: str, cell: tuple[int, ...]) -> float:
    matrix = getattr(system, name)
    symmetric = name in ("diffusion", "static_cov", "start_cov")

    def at(delta: float) -> float:
        moved = matrix.copy()
        moved[cell] += delta
        if symmetric and cell[0] != cell[1]:
            moved[cell[::-1]] += delta
        return float(log_likelihood(replace(system, **{name: moved}), series).sum())

    h = 2e-4 * max(1.0, abs(matrix[cell])) if name != "noise" else 1e-4 * max(matrix[cell], 0.05)
    if name == "noise" and matrix[cell] == 0.0:  # one-sided, to third order
        return (-11 * at(0) + 18 * at(h) - 9 * at(2 * h) + 2 * at(3 * h)) / (6 * h)
    return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)


def test_gradients_of_persons_add_up() -> None:
    system, series = random_case(np.random.default_rng(3), inputs=1, impulses=1, free_start=True)
    _, whole = log_likelihood_gradient(system, series)
    _, apart = log_likelihood_gradient(system, series, by_person=True)
    for f in fields(whole):
        np.testing.assert_allclose(getattr(apart, f.name).sum(axis=0), getattr(whole, f.name)[0], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_smoother_is_the_conditional_of_the_joint(name: str) -> None:
    system, series = random_case(np.random.default_rng(5), **CASES[name])
    found = smooth(system, series)
    p, s = system.processes, system.static_cov.shape[0]
    for i in range(series.people):
        rows = slice(series.starts[i], series.starts[i + 1])
        mean, cov = dense_smooth(system, series, i)
        T = series.starts[i + 1] - series.starts[i]
        forced = series.inputs[rows] @ system.inputs.T
        x = found.mean[rows, :p] + forced
        tolerance = 1e-6 if "years" in name else 1e-8
        np.testing.assert_allclose(x.ravel(), mean[: T * p], atol=tolerance)
        for t in range(T):
            block = slice(t * p, t * p + p)
            np.testing.assert_allclose(found.cov[rows][t][:p, :p], cov[block, block], atol=tolerance)
            if s:
                np.testing.assert_allclose(found.mean[rows][t, p:], mean[T * p :], atol=tolerance)


def test_a_row_without_answers_changes_nothing() -> None:
    system, series = random_case(np.random.default_rng(1), people=1, bases=1)
    longer = make_series(
        np.zeros(series.rows + 1, np.int64),
        np.insert(series.time, 4, (series.time[3] + series.time[4]) / 2),
        np.insert(series.values, 4, np.nan, axis=0),
        design=np.insert(series.design, 4, 1.0, axis=0),
        basis=np.insert(series.basis, 4, 1.0, axis=0),
        resolution=1e-6,
    )
    same = make_series(
        series.person, series.time, series.values, design=series.design, basis=series.basis, resolution=1e-6
    )
    assert abs(log_likelihood(system, longer)[0] - log_likelihood(system, same)[0]) < 1e-9


def test_persons_may_be_shuffled_and_processes_swapped() -> None:
    system, series = random_case(np.random.default_rng(2), people=4)
    plain = log_likelihood(system, series)
    order = np.array([2, 0, 3, 1])
    np.testing.assert_allclose(log_likelihood(system, series.choose(order)), plain[order], rtol=1e-12)
    turn = [1, 0]
    both = np.ix_(turn, turn)
    swapped = replace(
        system,
        drift=system.drift[both],
        diffusion=system.diffusion[both],
        noise=system.noise[turn],
        level=system.level[turn],
        static_cov=system.static_cov[both],
    )
    mirrored = series.with_values(np.ascontiguousarray(series.values[:, turn]))
    np.testing.assert_allclose(log_likelihood(swapped, mirrored), plain, rtol=1e-11)


def test_threads_change_no_number() -> None:
    system, series = random_case(np.random.default_rng(4), people=900, rows=25)
    assert series.rows > 20_000
    loglik, adjoint = log_likelihood_gradient(system, series)
    half = series.choose(np.arange(450, 900))
    np.testing.assert_array_equal(log_likelihood(system, half), loglik[450:])
    assert np.isfinite(adjoint.drift).all()


def test_an_unstable_drift_has_no_likelihood() -> None:
    system, series = random_case(np.random.default_rng(4))
    assert log_likelihood(replace(system, drift=np.array([[0.1, 0.0], [0.0, -1.0]])), series) is None


def test_series_refuse_what_they_cannot_be() -> None:
    values = np.zeros((3, 2))
    with pytest.raises(ValueError, match="times"):
        make_series(np.zeros(3, np.int64), np.array([0.0, 2.0, 1.0]), values)
    with pytest.raises(ValueError, match="persons"):
        make_series(np.array([0, 2, 2]), np.array([0.0, 1.0, 2.0]), values)
