"""Plans against simulation, against the engine fitted to exact moments, and against what must hold."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from bothways.designs.power import plan_panel
from bothways.designs.power.assumed import Assumed, analysed, coverage, pair_of_lags
from bothways.designs.power.panel import chance_to_read, unit_errors
from bothways.engine.fitting import fit_model
from bothways.engine.inference import delta_method, uncertainty
from bothways.engine.moments import implied_moments
from bothways.engine.patterns import pattern_statistics
from bothways.terms.errors import QuestionError


def test_a_plan_is_the_error_that_a_fit_to_such_data_finds() -> None:
    assumed = Assumed(waves=4, effects=(0.12, 0.05), dropout=0.15, missing=0.1)
    model, alpha = analysed(assumed)
    cov, seen = implied_moments(model.structure, model.cells(alpha)[0]).cov, coverage(assumed)
    rng, people = np.random.default_rng(3), 40_000
    table = rng.multivariate_normal(np.zeros(8), cov, people)
    shares = seen.shares / seen.shares.sum()
    table[~seen.observed[rng.choice(len(shares), people, p=shares)]] = np.nan
    fit = fit_model(model, pattern_statistics(table))
    found = delta_method(pair_of_lags(model), fit, uncertainty(fit, "expected").covariance)
    planned = unit_errors(assumed)[:2] / np.sqrt(people * seen.shares.sum())
    assert found.error == pytest.approx(planned, rel=0.03)


def test_shares_of_patterns_are_those_of_people_followed_one_by_one() -> None:
    assumed = Assumed(waves=3, effects=(0.1, 0.0), dropout=0.2, missing=0.3)
    rng, seen = np.random.default_rng(0), coverage(assumed)
    people = 200_000
    stay = np.cumprod(np.column_stack([np.ones(people), rng.random((people, 2)) > 0.2]), axis=1).astype(bool)
    here = stay & (rng.random((people, 3)) > 0.3)
    for pattern, share in zip(seen.observed[:, ::2], seen.shares, strict=True):
        assert np.mean((here == pattern).all(axis=1)) == pytest.approx(share, abs=0.004)
    assert 1 - seen.shares.sum() == pytest.approx(np.mean(~here.any(axis=1)), abs=0.004)


@pytest.mark.parametrize("holes", [{}, {"dropout": 0.1}])
def test_simulation_confirms_the_plan(holes: dict[str, float]) -> None:
    worlds = 150 if holes else 1500
    plan = plan_panel(700, 4, 0.5, 0.12, simulations=worlds, seed=2, **holes)  # type: ignore[arg-type]
    checked = plan.verified
    assert checked is not None
    assert checked.failed == 0
    for k in (0, 1):
        assert checked.power[k] == pytest.approx(plan.point.power[k], abs=0.02 + 3 * checked.power_error[k])
        assert checked.coverage[k] == pytest.approx(0.95, abs=0.01 + 3 * checked.coverage_error[k])
        assert checked.se_mean[k] == pytest.approx(plan.point.se[k], rel=0.05)
        assert abs(checked.bias[k]) < 4 * checked.se_true[k] / worlds**0.5 + 0.003


def test_needed_people_reach_the_target() -> None:
    plan = plan_panel(300, 4, 0.5, (0.1, -0.06))
    for k, needed in enumerate(plan.needed):
        assert needed is not None
        assert plan_panel(needed, 4, 0.5, (0.1, -0.06)).point.power[k] == pytest.approx(0.8, abs=0.002)
    assert plan_panel(300, 4, 0.5, 0.1).needed[1] is None


@settings(max_examples=15)
@given(
    st.integers(3, 6),
    st.floats(0.1, 0.8),
    st.floats(0.02, 0.25),
    st.floats(0.0, 0.3),
)
def test_more_people_more_waves_and_less_dropout_help(waves: int, icc: float, effect: float, dropout: float) -> None:
    plan = plan_panel(400, waves, icc, effect, dropout=dropout)
    errors = [point.se[0] for point in plan.curve]
    assert errors == sorted(errors, reverse=True)
    assert [p.people for p in plan.curve] == sorted(p.people for p in plan.curve)
    assert plan.point.se[0] * np.sqrt(plan.point.people) == pytest.approx(errors[-1] * np.sqrt(plan.curve[-1].people))
    assert plan_panel(400, waves + 1, icc, effect, dropout=dropout).point.se[0] < plan.point.se[0]
    assert plan_panel(400, waves, icc, effect, dropout=dropout + 0.1).point.se[0] > plan.point.se[0]


@settings(max_examples=10)
@given(st.floats(0.01, 0.2), st.floats(0.01, 0.2))
def test_swapping_the_directions_swaps_the_plan(one: float, other: float) -> None:
    forth, back = plan_panel(effect=(one, other)), plan_panel(effect=(other, one))
    assert forth.point.se == pytest.approx(back.point.se[::-1], rel=1e-9)
    assert forth.needed == back.needed[::-1]
    assert forth.point.contrast_se == pytest.approx(back.point.contrast_se)


@pytest.mark.parametrize(("effect", "error"), [(0.07, 0.03), (0.07, 0.012), (0.03, 0.01), (0.0, 0.02), (-0.1, 0.05)])
def test_the_chance_of_a_reading_is_that_of_drawn_estimates(effect: float, error: float) -> None:
    drawn = np.random.default_rng(1).normal(effect, error, 400_000)
    low, high = drawn - norm.ppf(0.975) * error, drawn + norm.ppf(0.975) * error
    little = (low > -0.05) & (high < 0.05)
    share = np.mean(((low > 0) | (high < 0)) & ~little)
    assert chance_to_read(effect, error, 0.95, 0.05) == pytest.approx(share, abs=0.003)


def test_the_planned_lags_are_standardised_and_stationary() -> None:
    assumed = Assumed(waves=5, effects=(0.12, 0.07), processes=3, autoregression=(0.3, 0.4, 0.2))
    model, alpha = analysed(assumed)
    assert pair_of_lags(model)(alpha) == pytest.approx((0.12, 0.07))
    implied = implied_moments(model.structure, model.cells(alpha)[0])
    variances = np.diag(implied.cov)
    assert variances == pytest.approx(np.full(15, 2.0))


@pytest.mark.parametrize(
    "bad",
    [{"waves": 2}, {"icc": 0.0}, {"dropout": 1.0}, {"effect": 0.99}, {"processes": 1}, {"people": 0}, {"power": 1.0}],
)
def test_a_plan_that_cannot_be_is_refused_in_words(bad: dict[str, float]) -> None:
    with pytest.raises(QuestionError):
        plan_panel(**bad)  # type: ignore[arg-type]


def test_the_table_has_a_row_for_each_number_of_people() -> None:
    plan = plan_panel(300)
    table = plan.table()
    assert [row[0] for row in table.rows] == [point.people for point in plan.curve]
    assert all(len(row) == len(table.columns) for row in table.rows)
    assert 300 in [row[0] for row in table.rows]
