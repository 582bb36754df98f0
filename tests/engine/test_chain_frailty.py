"""Shared frailty against its definition and against data made with it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp
from tests.engine.chain_witness import differences, loglik

from bothways.engine.chain.fit import fit, fit_target, starting_values
from bothways.engine.chain.frailty import FrailtyModel, LatentClasses, NormalProneness
from bothways.engine.chain.graph import four_states
from bothways.engine.chain.likelihood import ChainModel
from bothways.engine.chain.predictor import predictor
from bothways.engine.chain.sequences import observe, sequences

STATES = four_states()
ONSETS = np.array([1.0, 1, 1, 1, 0, 0, 0, 0])


def visits(rates: np.ndarray, times: np.ndarray, start: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """States at the visits (units, visits) of chains with rates (units, transitions) of their own."""
    out = np.empty((len(rates), times.size), dtype=int)
    for i, q in enumerate(rates):
        Q = STATES.generators(q[None])[0]
        state, now = int(start[i]), 0.0
        after = now + rng.exponential(1 / -Q[state, state])
        for j, t in enumerate(times):
            while after <= t:
                leave = np.clip(Q[state], 0, None)
                state = int(rng.choice(4, p=leave / leave.sum()))
                after += rng.exponential(1 / -Q[state, state])
            out[i, j] = state
    return out


@pytest.mark.parametrize("proneness", [NormalProneness(5, groups=2), LatentClasses(3, groups=2)])
def test_value_and_scores_are_those_of_the_mixture_written_out(proneness: NormalProneness | LatentClasses) -> None:
    rng = np.random.default_rng(4)
    units, each = 12, 4
    unit = np.repeat(np.arange(units), each)
    x = rng.normal(size=(unit.size, 1))
    time = np.tile(np.arange(4.0), units) + rng.uniform(0, 0.4, unit.size)
    seen = observe(unit, time, rng.integers(0, 4, unit.size), states=4, x=x)
    chain = ChainModel(predictor(STATES, {"x": None}), sequences(STATES, seen))
    group = rng.integers(0, 2, units)
    model = FrailtyModel(chain, proneness, ONSETS, group)
    theta = rng.normal(-0.5, 0.4, len(model.names))
    theta[-1] = 0.3 if isinstance(proneness, NormalProneness) else theta[-1]
    rows = np.column_stack([np.ones(unit.size), x])

    def brute(p: np.ndarray) -> float:
        psi, total = p[16:], 0.0
        z, w = proneness.points(psi), proneness.log_weights(psi)
        for i in range(units):
            at = np.flatnonzero(unit == i)
            mine = observe(unit[at], time[at], seen.seen[at], states=4)
            parts = [loglik(STATES, mine, chain.predictor.log_rates(p[:16], rows[at]) + v * ONSETS) for v in z]
            total += float(logsumexp(np.array(parts) + w[group[i]]))
        return total

    here = model.evaluate(theta, 1)
    assert here.loglik == pytest.approx(brute(theta), rel=1e-11)
    np.testing.assert_allclose(here.gradient, differences(brute, theta, 1e-3), rtol=1e-6, atol=1e-7)
    np.testing.assert_allclose(model.unit_scores(theta).sum(0), here.gradient, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(model.posterior(theta).sum(1), 1.0)


def test_frailty_that_acted_before_entry_is_told_from_influence() -> None:
    """Null ratios and a proneness that filled the states before entry: the plain chain finds effects, this one none."""
    rng = np.random.default_rng(11)
    units = 3000
    z = rng.normal(0, 1.0, units)
    base = np.log(np.array([0.12, 0.10, 0.10, 0.12, 0.4, 0.4, 0.4, 0.4]))
    rates = np.exp(base + z[:, None] * ONSETS)
    before = visits(rates, np.array([15.0]), np.zeros(units, int), rng)[:, 0]
    seen = visits(rates, np.arange(6.0), before, rng)
    unit, time = np.repeat(np.arange(units), 6), np.tile(np.arange(6.0), units)
    entry = (before[:, None] == np.arange(1, 4)).astype(float)
    names = ("entry A", "entry B", "entry AB")
    up = STATES.transitions[:4]
    effects = dict.fromkeys(names, up)
    tied = [[(name, t) for t in up] for name in names]
    data = sequences(STATES, observe(unit, time, seen.ravel(), states=4, x=entry[unit]))
    chain = ChainModel(predictor(STATES, effects, equal=tied), data)
    found = fit_target(
        FrailtyModel(chain, NormalProneness(), ONSETS, np.zeros(units, int)), np.r_[starting_values(chain), 0.25]
    )
    plain = fit(ChainModel(predictor(STATES), sequences(STATES, observe(unit, time, seen.ravel(), states=4))))
    contrast = np.zeros(len(found.theta))
    contrast[[2, 1]] = 1, -1  # log q_{A,AB} - log q_{0,B}
    ratio, error = contrast @ found.theta, np.sqrt(contrast @ found.covariance @ contrast)
    naive = plain.theta[2] - plain.theta[1]
    assert found.ending == "converged"
    assert naive > 0.3
    assert abs(ratio) < 2.6 * error
    assert found.theta[-1] == pytest.approx(1.0, abs=0.5)
