"""Persons of one pattern as one: beside the joint density and the filter, whatever the model holds."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest
from tests.engine.kalman_witness import dense_log_likelihood, random_case

from bothways.engine.statespace import grouped as rooms
from bothways.engine.statespace.fit import fit_series
from bothways.engine.statespace.grouped import Grouped, group_persons
from bothways.engine.statespace.likelihood import grouped_gradient, log_likelihood_gradient
from bothways.engine.statespace.series import Series, make_series
from bothways.engine.statespace.simulate import simulate_answers
from bothways.engine.statespace.structure import multivariate
from bothways.engine.statespace.system import System

CASES = {
    "random means": {},
    "no basis, no error": {"bases": 0, "noise": False},
    "three processes": {"p": 3},
    "two bases": {"bases": 2},
    "phases, medicine, free start": {"inputs": 2, "impulses": 1, "free_start": True},
    "complex roots": {"kind": "complex"},
    "near equal roots": {"kind": "near"},
}


@pytest.fixture
def whatever_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups even where the filter has less to do."""
    monkeypatch.setattr(rooms, "ROW", 0.0)
    monkeypatch.setattr(rooms, "CUBE", 0.0)


def alike(name: str, each: int = 20, holes: bool = True) -> tuple[System, Series]:
    """Three patterns, each shared by ``each`` persons with answers of their own."""
    rng = np.random.default_rng(5)
    system, three = random_case(rng, people=3, rows=6, **CASES[name])
    series = three.choose(np.repeat(np.arange(3), each)[rng.permutation(3 * each)])
    values = rng.normal(size=series.values.shape)
    if holes:
        values[~np.isfinite(series.values)] = np.nan
    return system, series.with_values(values)


def grouped(series: Series) -> Grouped:
    found = group_persons(series)
    assert found is not None
    return found


@pytest.mark.usefixtures("whatever_the_work")
@pytest.mark.parametrize("name", CASES)
def test_the_sum_is_the_joint_density_of_every_person(name: str) -> None:
    system, series = alike(name)
    groups = grouped(series)
    assert groups.shape.people == 3
    loglik, _ = grouped_gradient(system, groups)
    expected = sum(dense_log_likelihood(system, series, i) for i in range(series.people))
    assert abs(loglik.sum() - expected) < 1e-9 * (1 + abs(expected))


@pytest.mark.usefixtures("whatever_the_work")
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", CASES)
def test_the_gradient_is_that_of_the_filter(name: str, weighted: bool) -> None:
    system, series = alike(name)
    if weighted:
        series = replace(series, weight=np.random.default_rng(2).uniform(0.2, 3.0, series.people))
    slow, through = log_likelihood_gradient(system, series)
    fast, past = grouped_gradient(system, grouped(series))
    np.testing.assert_allclose(fast.sum(), slow.sum(), rtol=1e-10)
    for f in fields(past):
        expected = getattr(through, f.name)
        scale = np.abs(expected).max(initial=1.0)
        np.testing.assert_allclose(getattr(past, f.name), expected, atol=1e-8 * scale, rtol=1e-7, err_msg=f.name)


@pytest.mark.usefixtures("whatever_the_work")
def test_loadings_of_more_indicators_than_processes() -> None:
    system, series = alike("random means", holes=False)
    rng = np.random.default_rng(8)
    wide = replace(
        system, loading=rng.normal(size=(3, 2)), intercept=rng.normal(size=3), noise=rng.uniform(0.2, 1.0, 3)
    )
    series = series.with_values(rng.normal(size=(series.rows, 3)))
    slow, through = log_likelihood_gradient(wide, series)
    fast, past = grouped_gradient(wide, grouped(series))
    np.testing.assert_allclose(fast.sum(), slow.sum(), rtol=1e-10)
    for name in ("loading", "noise", "intercept", "drift", "diffusion", "static_cov", "level"):
        np.testing.assert_allclose(getattr(past, name), getattr(through, name), rtol=1e-7, atol=1e-7, err_msg=name)


def test_persons_with_patterns_of_their_own_go_through_the_filter() -> None:
    rng = np.random.default_rng(5)
    _, series = random_case(rng, people=30, rows=6)
    assert group_persons(series) is None
    _, few = alike("random means", each=20)
    assert group_persons(few) is None
    _, many = alike("random means", each=200)
    assert group_persons(many) is not None


@pytest.mark.usefixtures("whatever_the_work")
def test_who_shares_a_pattern() -> None:
    """Another regressor, another missing answer or another gap is another group; other answers are not."""
    _, series = alike("random means", holes=False)
    assert grouped(series).shape.people == 3
    values = series.values.copy()
    values[series.starts[7], 0] = np.nan
    assert grouped(series.with_values(values)).shape.people == 4
    design = series.design.copy()
    design[series.starts[9]] += 1.0
    assert grouped(replace(series, design=design)).shape.people == 4


@pytest.mark.usefixtures("whatever_the_work")
def test_an_unstable_drift_or_a_certain_answer_is_none() -> None:
    system, series = alike("no basis, no error", holes=False)
    assert grouped_gradient(replace(system, drift=-system.drift), grouped(series)) is None
    assert grouped_gradient(replace(system, diffusion=np.zeros((2, 2))), grouped(series)) is None


def test_a_fit_is_the_same_either_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """400 people asked on the same 12 days: grouped by default, and the same optimum through the filter."""
    rng = np.random.default_rng(4)
    structure = multivariate(("a", "b"), random_means=True, error=True)
    time = np.tile(np.arange(12.0), 400)
    empty = make_series(np.repeat(np.arange(400), 12), time, np.zeros((4800, 2)), basis=np.ones((4800, 1)))
    theta = structure.theta(
        structure.patterns(np.zeros(structure.size))
        | {"drift": np.array([[-0.7, 0.2], [0.1, -0.5]]), "noise": np.array([0.3, 0.2])}
    )
    series = empty.with_values(simulate_answers(structure.system(theta), empty, rng))
    assert group_persons(series) is not None
    fast = fit_series(structure, series)
    monkeypatch.setattr(rooms, "ROW", np.inf)
    slow = fit_series(structure, series)
    assert fast.converged
    assert fast.loglik == pytest.approx(slow.loglik, rel=1e-10)
    np.testing.assert_allclose(fast.theta, slow.theta, atol=1e-5)
    np.testing.assert_allclose(fast.hessian, slow.hessian, rtol=1e-4, atol=1e-2)
