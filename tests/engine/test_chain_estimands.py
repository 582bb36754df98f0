"""Functions of the generator: exact values and limits, simulated paths, delta method, profile, bootstrap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.stats import chi2
from tests.engine.chain_witness import differences

from bothways.engine.chain.adequacy import pearson, prevalence, probabilities
from bothways.engine.chain.ascent import Ending
from bothways.engine.chain.bootstrap import bootstrap, percentile_interval
from bothways.engine.chain.delta import Link, delta, value_and_slope
from bothways.engine.chain.estimands import (
    World,
    asymmetry,
    attributable_share,
    incidence,
    median_time,
    next_state,
    occupancy,
    order_entered,
    order_first,
    rate_ratio,
    sojourn,
    time_in_state,
)
from bothways.engine.chain.evalue import e_value, e_values, risk_ratio
from bothways.engine.chain.fit import PlainTarget, fit
from bothways.engine.chain.frailty import FrailtyModel, NormalProneness
from bothways.engine.chain.graph import four_states
from bothways.engine.chain.likelihood import ChainModel
from bothways.engine.chain.predictor import predictor
from bothways.engine.chain.profile import profile_interval
from bothways.engine.chain.sequences import observe, sequences

FORWARD, FULL, MORTAL = four_states(recovery=False), four_states(), four_states(exit_state=True)
PLAIN = np.array([0.2, 0.01, 0.02, 0.6])  # base rates .2 and .01, ratios 2 and 3
RATES = np.array([0.2, 0.1, 0.25, 0.3, 0.3, 0.25, 0.15, 0.2])


@pytest.mark.parametrize(("horizon", "share"), [(1e-6, 0.400), (1, 0.446), (10, 0.727), (1e4, 0.952)])
def test_the_order_share_is_driven_by_base_rates_as_the_horizon_grows(horizon: float, share: float) -> None:
    assert order_entered(FORWARD, horizon)(PLAIN)[0] == pytest.approx(share, abs=1e-3)
    assert order_first(FORWARD, horizon)(PLAIN)[0] == pytest.approx(share, abs=1e-3)


positive = st.lists(st.floats(0.01, 2.0), min_size=12, max_size=12)


@settings(max_examples=25)
@given(positive, st.floats(0.1, 15))
def test_order_shares_swap_with_the_names_and_meet_their_short_horizon(rates: list[float], h: float) -> None:
    q = np.array(rates)
    mirror = q[[1, 0, 3, 2, 5, 4, 7, 6, 8, 10, 9, 11]]
    for share in (order_entered, order_first):
        one, other = share(MORTAL, h)(q)[0], share(MORTAL, h)(mirror)[0]
        assert one + other == pytest.approx(1, abs=1e-9)
        kappa = asymmetry(MORTAL)(q)[0]
        assert share(MORTAL, 1e-5)(q)[0] == pytest.approx(kappa / (1 + kappa), abs=1e-3)


def test_incidence_with_both_absorbed_is_the_integral() -> None:
    Q = FULL.generators(RATES[None])[0].copy()
    Q[3] = 0.0
    for r, k in ((1, 2), (2, 3)):
        F = quad(lambda u, r=r, k=k: expm(Q * u)[0, r] * RATES[k], 0, 5)[0]
        both = sum(quad(lambda u, r=r, k=k: expm(Q * u)[0, r] * RATES[k], 0, 5)[0] for r, k in ((1, 2), (2, 3)))
        share = order_entered(FULL, 5)(RATES)[0]
        assert (share if r == 1 else 1 - share) == pytest.approx(F / both, rel=1e-9)


def test_first_ever_and_incidence_are_those_of_simulated_paths() -> None:
    """10,000 paths by exponential clocks over 8 years: both notions of order, and who ever had B, within 3 MCSE."""
    rng, h = np.random.default_rng(0), 8.0
    Q = FULL.generators(RATES[None])[0]
    first_a = entered_a = both = ever_b = 0
    n = 10_000
    for _ in range(n):
        state, now, first, done, had_b = 0, 0.0, 0, False, False
        while True:
            now += rng.exponential(1 / -Q[state, state])
            if now > h:
                break
            leave = np.clip(Q[state], 0, None)
            new = int(rng.choice(4, p=leave / leave.sum()))
            first = first or (new if new in (1, 2) else 0)
            had_b = had_b or new in (2, 3)
            if new == 3 and not done:
                done, both = True, both + 1
                first_a, entered_a = first_a + (first == 1), entered_a + (state == 1)
            state = new
        ever_b += had_b
    for count, share in ((first_a, order_first(FULL, h)), (entered_a, order_entered(FULL, h))):
        s = share(RATES)[0]
        assert count / both == pytest.approx(s, abs=3 * np.sqrt(s * (1 - s) / both))
    F = incidence(FULL, "B", h)(RATES)[0]
    assert ever_b / n == pytest.approx(F, abs=3 * np.sqrt(F * (1 - F) / n))


def test_worlds_are_three_different_interventions() -> None:
    now = occupancy(FULL, 10)(RATES)
    removed = occupancy(FULL, 10, World.A_EFFECT_REMOVED)(RATES)
    prevented = occupancy(FULL, 10, World.A_PREVENTED)(RATES)
    assert prevented[[1, 3]] == pytest.approx([0, 0])
    assert now[[2, 3]].sum() > removed[[2, 3]].sum()
    assert removed[3] > 0
    null = RATES.copy()
    null[2], null[3] = null[1], null[0]
    for world in (World.A_EFFECT_REMOVED, World.B_EFFECT_REMOVED, World.UNRELATED):
        np.testing.assert_allclose(occupancy(FULL, 10, world)(null), occupancy(FULL, 10)(null))
    assert attributable_share(FULL, "B", 10)(null)[0] == pytest.approx(0, abs=1e-12)
    assert attributable_share(FULL, "B", 10)(RATES)[0] > 0


def test_times_and_next_states() -> None:
    np.testing.assert_allclose(time_in_state(FULL, 10)(RATES).sum(), 10)
    spent = [quad(lambda u, k=k: expm(FULL.generators(RATES[None])[0] * u)[0, k], 0, 10)[0] for k in range(4)]
    np.testing.assert_allclose(time_in_state(FULL, 10)(RATES), spent, rtol=1e-8)
    assert sojourn(FULL)(RATES)[0] == pytest.approx(1 / 0.3)
    assert next_state(FULL)(RATES)[:2] == pytest.approx([2 / 3, 1 / 3])
    never_b = np.where([t.startswith(("0>B", "A>0", "B", "AB")) for t in FULL.transitions], 1e-12, 0.5)
    assert median_time(FULL, "B", "A", 100.0)(never_b)[0] == pytest.approx(np.log(2) / 0.5, rel=1e-8)
    assert median_time(FULL, "B", "0", 1.0)(RATES)[0] == np.inf


@pytest.mark.parametrize(
    "function",
    [
        order_entered(FULL, 5.0),
        order_first(FULL, 5.0),
        attributable_share(FULL, "B", 5.0),
        median_time(FULL, "B", "A", 1e3),
        time_in_state(FULL, 5.0, World.A_PREVENTED),
        asymmetry(FULL),
        sojourn(FULL),
    ],
)
def test_slopes_are_exact(function) -> None:
    rates = predictor(FULL, {"x": None})
    theta = np.concatenate([np.log(RATES), np.linspace(-0.2, 0.3, 8)])
    x = np.array([[1.0, 0.5], [1.0, -1.0]])
    value, slope = value_and_slope(rates, theta, function, x)

    def brute(p: np.ndarray) -> np.ndarray:
        return np.mean([function(np.exp(row @ rates.coefficients(p))) for row in x], axis=0)

    np.testing.assert_allclose(value, brute(theta), rtol=1e-12)
    np.testing.assert_allclose(slope.T, differences(brute, theta, 1e-3), rtol=1e-6, atol=1e-8)


def panel(units: int, seed: int, rates: np.ndarray = RATES, visits: int = 5) -> ChainModel:
    """Yearly visits to the chain with these rates, from every state in turn."""
    rng = np.random.default_rng(seed)
    P = expm(FULL.generators(rates[None])[0])
    seen = np.empty((units, visits), dtype=int)
    seen[:, 0] = np.arange(units) % 4
    for j in range(1, visits):
        seen[:, j] = (rng.random(units)[:, None] > P[seen[:, j - 1]].cumsum(axis=1)).sum(axis=1)
    time = np.tile(np.arange(float(visits)), units)
    obs = observe(np.repeat(np.arange(units), visits), time, seen.ravel(), states=4)
    return ChainModel(predictor(FULL), sequences(FULL, obs))


def test_intervals_agree_where_they_must() -> None:
    """Delta method, profile and bootstrap of a log rate ratio, on data large enough that all three must agree."""
    model = panel(2500, 1)
    found, target = fit(model), PlainTarget(model)
    c = np.zeros(8)
    c[2], c[1] = 1, -1
    wald = delta(model.predictor, found.theta, found.covariance, rate_ratio(FULL, "A>AB", "0>B"), link=Link.LOG)
    low, high = profile_interval(target, found, c)
    assert (np.log(wald.low[0]), np.log(wald.high[0])) == pytest.approx((low, high), abs=0.02)
    draws = bootstrap(target, found, lambda theta: theta @ c[:, None], 2500, draws=80, seed=3, workers=2)
    assert draws.std() == pytest.approx(wald.error[0], rel=0.25)
    again = bootstrap(target, found, lambda theta: theta @ c[:, None], 2500, draws=5, seed=3, workers=1)
    np.testing.assert_array_equal(again, draws[:5])
    assert percentile_interval(draws)[:, 0] == pytest.approx((low, high), abs=0.15)


def test_a_profile_limit_is_where_the_likelihood_has_fallen_by_half_the_quantile() -> None:
    model = panel(150, 5)
    found, target = fit(model), PlainTarget(model)
    c = np.eye(8)[6]
    low, _ = profile_interval(target, found, c)
    best = -np.inf
    for shift in np.linspace(-0.6, 0.6, 25):  # brute force over the parameter that matters most, then all of them
        start = found.theta + shift * np.eye(8)[7]
        start[6] = low
        from scipy.optimize import minimize

        free = [k for k in range(8) if k != 6]
        if abs(shift) < 0.03:
            best = -minimize(
                lambda v, s=start: -target.evaluate(np.insert(v, 6, s[6]), 0).loglik, start[free], tol=1e-10
            ).fun
    assert 2 * (found.loglik - best) == pytest.approx(chi2.ppf(0.95, 1), abs=1e-3)


def test_a_rate_that_runs_to_zero_is_said_and_gets_a_one_sided_limit() -> None:
    """Forward-only data under a graph with recovery: the four recoveries run to 0; the rest stays as it was."""
    forward = np.r_[RATES[:4], np.zeros(4)]
    model = panel(400, 2, forward)
    found = fit(model)
    assert found.ending is Ending.MONOTONE
    assert found.drift.tolist() == [0, 0, 0, 0, -1, -1, -1, -1]
    assert "recov" not in found.says
    assert np.isinf(found.errors[4:]).all()
    assert np.isfinite(found.errors[:4]).all()
    alone = fit(ChainModel(predictor(FULL, fixed={("rate", t): -40.0 for t in FULL.transitions[4:]}), model.sequences))
    np.testing.assert_allclose(found.theta[:4], alone.theta, atol=1e-4)
    np.testing.assert_allclose(found.errors[:4], alone.errors, rtol=1e-3)
    low, high = profile_interval(PlainTarget(model), found, np.eye(8)[4])
    assert low == -np.inf
    assert np.exp(high) < 0.05
    safe = delta(model.predictor, found.theta, found.covariance, rate_ratio(FULL, "A>AB", "0>B"), link=Link.LOG)
    lost = delta(model.predictor, found.theta, found.covariance, rate_ratio(FULL, "AB>B", "A>0"), link=Link.LOG)
    assert np.isfinite([safe.low[0], safe.high[0]]).all()
    assert (lost.low[0], lost.high[0]) == (0.0, np.inf)


def test_a_transition_out_of_a_state_nobody_was_in_has_no_information() -> None:
    seen = observe(np.repeat(np.arange(30), 2), np.tile([0.0, 1.0], 30), np.tile([0, 1, 0, 0], 15), states=4)
    found = fit(ChainModel(predictor(FORWARD), sequences(FORWARD, seen)))
    assert found.ending in (Ending.NO_INFORMATION, Ending.MONOTONE)
    assert (found.flat | (found.drift != 0))[[1, 2, 3]].all()


def test_redrawn_units_take_all_their_sequences_with_them() -> None:
    model = panel(200, 9)
    target = FrailtyModel(model, NormalProneness(5), np.r_[np.ones(4), np.zeros(4)], np.zeros(200, int))
    from bothways.engine.chain.bootstrap import redrawn

    theta = np.r_[np.log(RATES), 0.4]
    same = redrawn(target, np.arange(200))
    assert same.evaluate(theta, 0).loglik == pytest.approx(target.evaluate(theta, 0).loglik, rel=1e-12)
    double = redrawn(target, np.repeat(np.arange(200), 2))
    assert double.evaluate(theta, 0).loglik == pytest.approx(2 * target.evaluate(theta, 0).loglik, rel=1e-12)
    plain = redrawn(PlainTarget(model), np.repeat(np.arange(200), 2)).evaluate(np.log(RATES), 2)
    np.testing.assert_allclose(plain.information, 2 * PlainTarget(model).evaluate(np.log(RATES), 2).information)


def test_a_true_model_fits_and_a_wrong_one_does_not() -> None:
    model = panel(3000, 4)
    fitted = pearson(model, fit(model).theta)
    assert fitted.observed.sum() == pytest.approx(fitted.expected.sum())
    assert chi2.sf(fitted.statistic, fitted.df_high) > 0.01
    wrong = pearson(model, np.log(RATES) + 0.5)
    assert chi2.sf(wrong.statistic, wrong.df_high) < 1e-6


def test_prevalence_is_observed_and_expected_over_the_same_units() -> None:
    rng = np.random.default_rng(1)
    P = expm(FULL.generators(RATES[None])[0])
    seen = np.zeros((4000, 4), dtype=int)
    for j in range(1, 4):
        seen[:, j] = (rng.random(4000)[:, None] > P[seen[:, j - 1]].cumsum(axis=1)).sum(axis=1)
    obs = observe(np.repeat(np.arange(4000), 4), np.tile(np.arange(4.0), 4000), seen.ravel(), states=4)
    model = ChainModel(predictor(FULL), sequences(FULL, obs))
    found = prevalence(model, np.log(RATES), obs, np.array([0.0, 1.0, 3.0]))
    assert found.observed[0] == pytest.approx([1, 0, 0, 0])
    np.testing.assert_allclose(found.observed, found.expected, atol=0.03)
    np.testing.assert_allclose(found.expected[2], np.linalg.matrix_power(P, 3)[0], rtol=1e-9)
    np.testing.assert_allclose(probabilities(model, np.log(RATES), np.array([1.0]))[0], P, rtol=1e-9)


def test_e_values_of_the_published_anchor() -> None:
    """Carroll 2004: hazard ratio 3.97 (1.81 to 8.72), outcome not rare: 4.53 and 2.38; as if rare: 7.40 and 3.02."""
    assert e_values(3.97, 1.81, 8.72, rare=False) == pytest.approx((4.53, 2.38), abs=0.01)
    assert e_values(3.97, 1.81, 8.72, rare=True) == pytest.approx((7.40, 3.02), abs=0.01)
    assert e_values(1.2, 0.9, 1.6, rare=True)[1] == 1.0
    assert e_value(0.5) == e_value(2.0)
    assert risk_ratio(1.0, rare=False) == 1.0


def test_path_limits_do_not_depend_on_the_scale() -> None:
    """Of a ratio and of its logarithm the limits must be the same; of the logarithm they are Wald's."""
    rates = predictor(FULL)
    theta, covariance = np.log(RATES), np.diag(np.linspace(0.01, 0.05, 8))
    ratio = rate_ratio(FULL, "A>AB", "0>B")
    path = delta(rates, theta, covariance, ratio, link=Link.PATH)
    wald = delta(rates, theta, covariance, ratio, link=Link.LOG)
    np.testing.assert_allclose([path.low, path.high], [wald.low, wald.high], rtol=1e-12)
    share = delta(rates, theta, covariance, attributable_share(FULL, "B", 5), link=Link.PATH)
    assert share.low[0] < share.value[0] < share.high[0]
    assert share.high[0] - share.value[0] > share.value[0] - share.low[0]
