"""A hidden chain seen through a mask: one of several symbols was seen, so the probabilities of those symbols add up."""

from __future__ import annotations

import numpy as np
from scipy.special import logsumexp
from tests.engine.chain_witness import differences

from bothways.engine.chain.emission import Initial, PairErrors
from bothways.engine.chain.graph import four_states
from bothways.engine.chain.likelihood import ChainModel, evaluate
from bothways.engine.chain.predictor import predictor
from bothways.engine.chain.sequences import observe, sequences

STATES = four_states()
MASK = np.array([[0.0, 1, 0, 1]])  # A was seen, of B nothing


def model_of(seen: list[int]) -> ChainModel:
    rows = observe(np.zeros(4, int), np.array([0.0, 0.7, 1.9, 2.5]), np.array(seen), states=4, masks=MASK)
    errors = PairErrors(4, (np.nan, 0.95, 0.85, np.nan))
    initial = Initial(np.full(4, 0.25), free=True)
    return ChainModel(predictor(STATES), sequences(STATES, rows, hidden=True), errors, initial)


def test_a_mask_is_the_sum_over_its_symbols_with_its_slopes() -> None:
    rng = np.random.default_rng(0)
    whole, parts = model_of([4, 2, 4, 0]), [model_of([r, 2, s, 0]) for r in (1, 3) for s in (1, 3)]
    theta = np.r_[rng.normal(-1, 0.3, 8), 2.0, 2.5, rng.normal(size=3)]
    total = logsumexp([evaluate(part, theta).loglik for part in parts])
    here = evaluate(whole, theta, 1)
    np.testing.assert_allclose(here.loglik, total, rtol=1e-12)
    slopes = differences(lambda p: evaluate(whole, p).loglik, theta, 1e-3)
    np.testing.assert_allclose(here.gradient, slopes, rtol=1e-6, atol=1e-8)
