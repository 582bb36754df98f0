"""A mediator that acts otherwise under the exposure: sums over histories, closed forms, known truths, and R."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.engine.gmethods_witness import linear_end, mean_outcome, named
from tests.engine.test_gmethods import EXPOSURE, MEDIATOR, ORDER, expit, scores, states

from bothways.engine.gmethods.gformula import Simulated, model_of, simulate
from bothways.engine.gmethods.history import Histories
from bothways.engine.gmethods.plans import (
    ALL_DRAWN,
    ALWAYS,
    AS_SEEN,
    HELD_HIGH,
    HELD_LOW,
    NATURAL_COURSE,
    NEVER,
    NONE,
    ONLY_EXPOSED,
    ONLY_MEDIATED,
    pathway,
    sustained,
)

FOLDER = Path(__file__).parents[1] / "reference" / "gformula"
REFERENCE = json.loads((FOLDER / "interaction.json").read_text())
DRAWN = {ALL_DRAWN: (1, 1), ONLY_EXPOSED: (1, 0), NONE: (0, 0), ONLY_MEDIATED: (0, 1)}


def crossed(histories: Histories, *products: tuple[int, int]) -> Histories:
    return replace(histories, products=products)


def found_in(histories: Histories, levels: tuple[float, float], draws: int, through: tuple[int, ...]) -> Simulated:
    held = levels if len(through) == 1 else None
    scenarios = [sustained(ORDER, EXPOSURE, levels), pathway(ORDER, EXPOSURE, through, levels, held)]
    return simulate(model_of(histories, scenarios), np.random.default_rng(7), draws=draws)


@pytest.mark.parametrize(("lags", "death"), [(1, False), (2, True)])
def test_states_are_the_sum_over_courses_and_histories(lags: int, death: bool) -> None:
    histories = crossed(states(people=100, waves=3, lags=lags, death=death), (EXPOSURE, MEDIATOR))
    found = found_in(histories, (1.0, 0.0), 2100, (MEDIATOR,))
    coefs, order = named(histories, found, 1), found.model.scenarios[1].order
    assert "both3:2" in coefs[0]
    assert all("both3:2" not in coefs[v] for v in coefs if v != 0)
    for plan, (own, other) in DRAWN.items():
        wanted, alive = mean_outcome(coefs, order, histories, {EXPOSURE: own}, (MEDIATOR,), {EXPOSURE: other})
        # 210,000 lives, of which the last step is a mean: standard deviations below 0.2, so four errors are 0.0018
        assert found.point[1].mean[plan, -1, 0] == pytest.approx(wanted, abs=0.0018)
        assert found.point[1].alive[plan, -1] == pytest.approx(alive, abs=0.0018)
    for plan, level in ((HELD_HIGH, 1.0), (HELD_LOW, 0.0)):
        wanted, _ = mean_outcome(coefs, order, histories, {EXPOSURE: 0.0, MEDIATOR: level})
        assert found.point[1].mean[plan, -1, 0] == pytest.approx(wanted, abs=0.0018)
    for plan, level in ((ALWAYS, 1.0), (NEVER, 0.0)):
        wanted, _ = mean_outcome(named(histories, found, 0), ORDER, histories, {EXPOSURE: level})
        assert found.point[0].mean[plan, -1, 0] == pytest.approx(wanted, abs=0.0018)


@pytest.mark.parametrize("through", [(2,), (1, 2)])
def test_scores_have_closed_forms(through: tuple[int, ...]) -> None:
    histories = crossed(scores(people=300, waves=4), *((EXPOSURE, v) for v in through))
    found = found_in(histories, (0.5, -0.5), 1, through)
    coefs, order = named(histories, found, 1), found.model.scenarios[1].order
    levels = {1: 0.5, 0: -0.5}
    for plan, (own, other) in DRAWN.items():
        wanted = linear_end(coefs, order, histories, {EXPOSURE: levels[own]}, through, {EXPOSURE: levels[other]})
        assert found.point[1].mean[plan, -1, 0] == pytest.approx(wanted, abs=1e-11)
    for plan, level in ((ALWAYS, 0.5), (NEVER, -0.5)):
        wanted = linear_end(named(histories, found, 0), ORDER, histories, {EXPOSURE: level})
        assert found.point[0].mean[plan, -1, 0] == pytest.approx(wanted, abs=1e-11)


def test_courses_that_are_not_straight_are_drawn() -> None:
    """The natural course multiplies two things that move: a mean course would miss their covariance."""
    histories = crossed(world(4000, 0.4), (2, 1))
    scenarios = [sustained((0, 1, 2), 2, (0.5, -0.5))]
    found = simulate(model_of(histories, scenarios), np.random.default_rng(1), draws=20, replicates=3)
    seen = histories.values.mean(axis=0)
    for plan in (AS_SEEN, NATURAL_COURSE):
        np.testing.assert_allclose(found.point[0].mean[plan], seen, atol=0.05)
    assert np.isnan(found.drawn[0].mean[:, NATURAL_COURSE]).all()
    assert np.isfinite(found.drawn[0].mean[:, [ALWAYS, NEVER]]).all()


# y_k = 0.4 y + 0.3 m + 0.2 a + c·a·m, m_k = 0.5 m + 0.3 a, a_k = 0.5 a + 0.2 y, each of the wave before, plus noise
def world(people: int, c: float, waves: int = 4, seed: int = 3) -> Histories:
    rng = np.random.default_rng(seed)
    v = np.zeros((people, waves + 6, 3))
    for k in range(1, waves + 6):
        y, m, a = v[:, k - 1].T
        means = (0.4 * y + 0.3 * m + 0.2 * a + c * a * m, 0.5 * m + 0.3 * a, 0.5 * a + 0.2 * y)
        v[:, k] = np.column_stack(means) + rng.normal(size=(people, 3)) * (1, 1, 0.7)
    return Histories(v[:, 6:], np.zeros((people, 0)), np.zeros(3, dtype=bool), np.full(people, waves), np.ones(people))


def test_the_truth_of_a_linear_world_by_formula() -> None:
    """With a held at h over m drawn under g, from means m0, y0 at the first of four waves, by hand."""
    c, high, low = 0.25, 1.0, 0.0
    histories = crossed(world(20_000, c), (2, 1))
    y0, m0, _ = histories.values[:, 0].mean(axis=0)

    def end(h: float, g: float) -> float:
        m1, m2 = 0.5 * m0 + 0.3 * g, 0.25 * m0 + 0.45 * g
        slope = 0.3 + c * h
        return float(0.4**3 * y0 + 0.2 * h * (1 + 0.4 + 0.16) + slope * (0.16 * m0 + 0.4 * m1 + m2))

    scenarios = [pathway((0, 1, 2), 2, (1,), (high, low))]
    own, bare = (
        simulate(model_of(h, scenarios), np.random.default_rng(1), draws=1).point[0].mean[:, -1, 0]
        for h in (histories, replace(histories, products=()))
    )
    found = [own[ALL_DRAWN] - own[ONLY_EXPOSED], own[ONLY_MEDIATED] - own[NONE], own[ONLY_EXPOSED] - own[NONE]]
    truth = [end(1, 1) - end(1, 0), end(0, 1) - end(0, 0), end(1, 0) - end(0, 0)]
    assert truth[0] == pytest.approx(0.55 * 0.57, abs=1e-12)  # (0.3 + c)(0.4 × 0.3 + 0.45)
    assert found == pytest.approx(truth, abs=0.02)  # 60,000 rows: standard errors of about 0.004
    assert bare[ALL_DRAWN] - bare[ONLY_EXPOSED] < truth[0] - 0.05  # without the product it is missed


def test_a_mediator_that_acts_alike_gains_no_interaction() -> None:
    scenarios = [pathway((0, 1, 2), 2, (1,), (0.5, -0.5))]
    found = simulate(model_of(crossed(world(20_000, 0.0), (2, 1)), scenarios), np.random.default_rng(1), draws=1)
    own = found.point[0].mean[:, -1, 0]
    assert own[ALL_DRAWN] - own[ONLY_EXPOSED] - own[ONLY_MEDIATED] + own[NONE] == pytest.approx(0, abs=0.01)


def test_a_product_that_cannot_be_told_apart_goes() -> None:
    histories = states(people=200)
    histories.values[..., MEDIATOR] = 1.0  # always: the product is the exposure itself
    m = model_of(crossed(histories, (EXPOSURE, MEDIATOR)), [sustained((0, 1, 3), EXPOSURE, (1.0, 0.0))])
    assert not set(m.histories.together()) & set(m.regressions[0].kept)


@cache
def mediated() -> Histories:
    table = np.genfromtxt(FOLDER / "mediated.csv", delimiter=",", names=True)
    people = int(table["id"].max())
    values = np.stack([table[key].reshape(people, -1) for key in "ylma"], axis=2)
    fixed = table["x"].reshape(people, -1)[:, :1]
    return Histories(values, fixed, np.ones(4, dtype=bool), np.full(people, values.shape[1]), np.ones(people))


@pytest.mark.parametrize("key", ["with", "without"])
def test_interventional_effects_are_those_of_r(key: str) -> None:
    histories = crossed(mediated(), (EXPOSURE, MEDIATOR)) if key == "with" else mediated()
    scenarios = [pathway(ORDER, EXPOSURE, (MEDIATOR,), (1.0, 0.0))]
    found = simulate(model_of(histories, scenarios), np.random.default_rng(1), draws=400)
    expected = REFERENCE[key]
    outcome = found.fitted[found.model.uses[0][0]].coef
    assert sorted(outcome) == pytest.approx(sorted(expected["outcome"]), abs=1e-7)
    # R sums; 200,000 lives with a mean at the last step err by less than 0.0005, so this is over four
    for plan, name in ((ALL_DRAWN, "both"), (ONLY_EXPOSED, "exposed"), (NONE, "none"), (ONLY_MEDIATED, "mediated")):
        assert found.point[0].mean[plan, -1, 0] == pytest.approx(expected[name], abs=0.002)


def test_the_product_is_the_logit_of_it_all() -> None:
    """In a saturated world of one wave the fitted chances are the shares seen in each cell."""
    rng = np.random.default_rng(4)
    v = rng.integers(0, 2, (3000, 2, 3)).astype(float)
    v[:, 1, 0] = rng.random(3000) < expit(-1 + v[:, 0, 2] + 0.2 * v[:, 0, 1] + 1.5 * v[:, 0, 2] * v[:, 0, 1])
    v[:, 0, 0] = 0.0
    own = Histories(v, np.zeros((3000, 0)), np.ones(3, dtype=bool), np.full(3000, 2), np.ones(3000), 1, ((2, 1),))
    plans = [pathway((0, 1, 2), 2, (1,), (1.0, 0.0), (1.0, 0.0))]
    found = simulate(model_of(own, plans), np.random.default_rng(1), draws=1)
    for plan, m in ((HELD_HIGH, 1), (HELD_LOW, 0)):
        cell = (v[:, 0, 2] == 0) & (v[:, 0, 1] == m)
        assert found.point[0].mean[plan, -1, 0] == pytest.approx(v[cell, 1, 0].mean(), abs=1e-9)
