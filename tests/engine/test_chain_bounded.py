"""Climbing within bounds: edges are found and said, ridges are walked, and entry shares stay what they were."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.engine.chain_witness import differences
from tests.engine.test_chain_frailty import ONSETS, STATES, visits

from bothways.engine.chain.ascent import Ending, observed_information
from bothways.engine.chain.bounded import ascend_within
from bothways.engine.chain.emission import Initial
from bothways.engine.chain.fit import fit, starting_values
from bothways.engine.chain.frailty import FrailtyModel, NormalProneness
from bothways.engine.chain.likelihood import ChainModel, Evaluation
from bothways.engine.chain.predictor import predictor
from bothways.engine.chain.sequences import observe, sequences


def bowl(point: np.ndarray, order: int) -> Evaluation:
    """-1/2 sum k (x_k - k)^2 for k = 1, 2, 3, with an information that is wrong by a factor."""
    k = np.arange(1.0, 4.0)
    return Evaluation(-0.5 * float(k @ (point - k) ** 2), -k * (point - k), np.diag(k) * 0.3)


@pytest.mark.parametrize("top", [10.0, 2.5])
def test_a_maximum_inside_and_one_on_an_edge(top: float) -> None:
    found = ascend_within(bowl, np.zeros(3), np.full(3, -1.0), np.full(3, top), tolerance=1e-12)
    np.testing.assert_allclose(found.point, np.minimum([1, 2, 3], top), atol=1e-5)
    assert found.ending is (Ending.EDGE if top < 3 else Ending.CONVERGED)
    assert found.drift.tolist() == [0, 0, int(top < 3)]


def no_frailty() -> FrailtyModel:
    rng = np.random.default_rng(3)
    rates = np.tile([0.15, 0.1, 0.2, 0.2, 0.4, 0.4, 0.3, 0.3], (600, 1))
    seen = visits(rates, np.arange(5.0), rng.integers(0, 4, 600), rng)
    rows = observe(np.repeat(np.arange(600), 5), np.tile(np.arange(5.0), 600), seen.ravel(), states=4)
    chain = ChainModel(predictor(STATES), sequences(STATES, rows))
    return FrailtyModel(chain, NormalProneness(7), ONSETS, np.zeros(600, dtype=np.int64))


def test_without_a_proneness_the_variance_ends_on_its_edge_and_the_rest_as_without_it() -> None:
    model = no_frailty()
    low, high = np.full(9, -15.0), np.full(9, 15.0)
    low[-1] = 0.0
    found = ascend_within(model.evaluate, np.r_[starting_values(model.chain), 0.5], low, high)
    plain = fit(model.chain)
    assert found.ending in (Ending.EDGE, Ending.CONVERGED)
    if found.ending is Ending.EDGE:
        assert found.last.loglik == pytest.approx(plain.loglik, abs=1e-3)
        np.testing.assert_allclose(found.point[:-1], plain.theta, atol=2e-3)
    else:
        assert found.last.loglik >= plain.loglik
    near = np.r_[plain.theta, 1e-4]
    slope = differences(lambda p: model.evaluate(p, 0).loglik, near, 2e-5)
    assert model.evaluate(near, 1).gradient[-1] == pytest.approx(slope[-1], rel=1e-3)


def test_information_by_forward_differences_is_that_by_central_ones() -> None:
    model = no_frailty()
    theta = np.r_[starting_values(model.chain), 0.5]
    whole = observed_information(model.evaluate, theta)
    among = np.arange(9) != 4
    part = observed_information(model.evaluate, theta, model.evaluate(theta, 1).gradient, among)
    np.testing.assert_allclose(part, whole[np.ix_(among, among)], rtol=1e-3, atol=1e-3 * np.abs(whole).max())


@given(st.integers(0, 1000))
def test_shares_of_blocks_stay_and_slopes_are_those_of_differences(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = rng.uniform(0.1, 1, 7) * np.array([1, 1, 1, 1, 1, 1, 0])
    block = np.array([0, 1, 2, 0, 1, 2, 3])
    initial = Initial(shares, True, block)
    np.testing.assert_allclose(initial.vector(initial.start), shares / shares.sum())
    psi = rng.normal(size=3)
    pi = initial.vector(psi)
    np.testing.assert_allclose(np.bincount(block, pi), np.bincount(block, shares / shares.sum()))
    for r in range(7):
        slope = differences(lambda p, r=r: float(initial.vector(p)[r]), psi, 1e-5)  # type: ignore[misc]
        np.testing.assert_allclose(initial.derivative(psi)[r], slope, atol=1e-9)
