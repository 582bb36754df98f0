"""Weights, clusters and strata of chains: units counted twice, the sandwich written out, draws that scatter alike."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.chain_witness import loglik
from tests.engine.test_chain_frailty import ONSETS, STATES
from tests.engine.test_survey import loops

from bothways.engine.chain.emission import FixedErrors, Initial
from bothways.engine.chain.fit import PlainTarget, fit
from bothways.engine.chain.frailty import FrailtyModel, NormalProneness
from bothways.engine.chain.likelihood import ChainModel, unit_scores
from bothways.engine.chain.predictor import predictor
from bothways.engine.chain.sequences import Observations, observe, resampled, sequences
from bothways.engine.survey import draw_units, sampling, survey_meat

UNITS, EACH = 60, 4
THETA = np.full(8, -1.0)


def seen_by(units: np.ndarray, *, masks: bool = False, **design: object) -> Observations:
    """The units chosen of one small world in which many units show the same: equal gaps, four states, no covariates."""
    rng = np.random.default_rng(2)
    stays = rng.random((UNITS, EACH)) < 0.6
    state = rng.integers(0, 4, (UNITS, EACH))
    for t in range(1, EACH):
        state[:, t] = np.where(stays[:, t], state[:, t - 1], state[:, t])
    if masks:
        state[rng.random((UNITS, EACH)) < 0.1] = 4
        state[:, 0] = np.minimum(state[:, 0], 3)
    return observe(
        np.repeat(np.arange(units.size), EACH),
        np.tile(np.arange(EACH) * 1.0, units.size),
        state[units].ravel(),
        states=4,
        masks=np.array([[1.0, 0, 1, 0]]),
        **design,  # type: ignore[arg-type]
    )


def model_of(seen: Observations, kind: str) -> PlainTarget | FrailtyModel:
    rates = predictor(STATES, {})
    if kind == "hidden":
        start = Initial(np.full(4, 0.25), free=True)
        return PlainTarget(
            ChainModel(rates, sequences(STATES, seen, hidden=True), FixedErrors(0.9 * np.eye(4) + 0.025), start)
        )
    chain = ChainModel(rates, sequences(STATES, seen))
    group = np.zeros(chain.sequences.units, dtype=np.int64)
    return PlainTarget(chain) if kind == "plain" else FrailtyModel(chain, NormalProneness(5), ONSETS, group)


@pytest.mark.parametrize("masks", [False, True])
@pytest.mark.parametrize("kind", ["plain", "hidden", "frailty"])
def test_a_weight_of_two_is_the_unit_twice(kind: str, masks: bool) -> None:
    everyone = np.arange(UNITS)
    times = 1 + everyone % 2
    weighed = model_of(seen_by(everyone, masks=masks, weight=times * 1.0), kind)
    twice = model_of(seen_by(np.repeat(everyone, times), masks=masks), kind)
    theta = np.concatenate([THETA, np.full(len(weighed.names) - 8, 0.3)])
    a, b = weighed.evaluate(theta, 2), twice.evaluate(theta, 2)
    assert a.loglik == pytest.approx(b.loglik, rel=1e-12)
    np.testing.assert_allclose(a.gradient, b.gradient, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(a.information, b.information, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(weighed.evaluate(theta, 1).gradient, b.gradient, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(weighed.unit_scores(theta).sum(0), b.gradient, rtol=1e-9, atol=1e-9)


def test_the_fit_with_a_weight_of_two_is_that_with_the_unit_twice() -> None:
    everyone = np.arange(UNITS)
    times = 1 + everyone % 2
    a = fit(ChainModel(predictor(STATES, {}), sequences(STATES, seen_by(everyone, weight=times * 1.0))))
    b = fit(ChainModel(predictor(STATES, {}), sequences(STATES, seen_by(np.repeat(everyone, times)))))
    np.testing.assert_allclose(a.theta, b.theta, atol=1e-6)
    np.testing.assert_allclose(a.covariance, b.covariance, rtol=1e-5)
    as_clusters = seen_by(np.repeat(everyone, times), drawn=sampling(np.repeat(everyone, times)))
    c = fit(ChainModel(predictor(STATES, {}), sequences(STATES, as_clusters)))
    np.testing.assert_allclose(a.robust, c.robust, rtol=1e-4)  # a pair of twins is one cluster, weighed twice


@pytest.mark.parametrize("strata", [False, True])
def test_the_sandwich_is_its_definition_over_clusters(strata: bool) -> None:
    rng = np.random.default_rng(8)
    clusters, weight = rng.integers(0, 9, UNITS), rng.lognormal(size=UNITS)
    layers = clusters // 4 if strata else np.zeros(UNITS, int)
    drawn = sampling(clusters, layers if strata else None)
    seen = seen_by(np.arange(UNITS), weight=weight, drawn=drawn)
    model = ChainModel(predictor(STATES, {}), sequences(STATES, seen))
    assert model.sequences.size < UNITS, "units of different clusters show the same"
    found = fit(model)
    scores = np.array([weight[i] * _score(i, found.theta) for i in range(UNITS)])
    np.testing.assert_allclose(unit_scores(model, found.theta), scores, atol=1e-6)
    M = loops(scores, clusters.tolist(), layers.tolist())
    np.testing.assert_allclose(found.robust, found.covariance @ M @ found.covariance, rtol=1e-5, atol=1e-9)


def _score(unit: int, theta: np.ndarray) -> np.ndarray:
    """By differences of the log-likelihood written out."""
    mine = seen_by(np.array([unit]))

    def value(log_rates: np.ndarray) -> float:
        return loglik(STATES, mine, np.tile(log_rates, (EACH, 1)))

    return np.array([(value(theta + h) - value(theta - h)) / 2e-5 for h in 1e-5 * np.eye(8)])


def test_draws_of_clusters_scatter_as_the_sandwich_says() -> None:
    rng = np.random.default_rng(3)
    clusters = np.repeat(np.arange(7), [1, 5, 3, 4, 2, 6, 9])
    strata = np.array([0, 0, 1, 1, 1, 2, 2])[clusters]
    z, drawn = rng.normal(size=(30, 1)) + clusters[:, None] % 3, sampling(clusters, strata)
    totals = []
    for _ in range(6000):
        chosen, times = draw_units(drawn, 30, rng)
        assert times is not None
        totals.append(float(times @ z[chosen, 0]))
    assert np.mean(totals) == pytest.approx(z.sum(), abs=4 * np.std(totals) / np.sqrt(6000))
    assert np.var(totals) == pytest.approx(survey_meat(z, clusters, strata)[0, 0], rel=0.08)


def test_a_draw_carries_its_weights() -> None:
    weight = np.random.default_rng(1).lognormal(size=UNITS)
    chosen = np.random.default_rng(2).integers(0, UNITS, 40)
    times = np.linspace(0.5, 2, 40)
    data = resampled(sequences(STATES, seen_by(np.arange(UNITS), weight=weight)), chosen, times)
    anew = sequences(STATES, seen_by(chosen, weight=weight[chosen] * times))
    a, b = (PlainTarget(ChainModel(predictor(STATES, {}), d)).evaluate(THETA, 2) for d in (data, anew))
    assert a.loglik == pytest.approx(b.loglik, rel=1e-12)
    np.testing.assert_allclose(a.information, b.information, rtol=1e-10)


def test_a_part_of_the_rows_keeps_weights_and_clusters_of_its_units() -> None:
    seen = seen_by(np.arange(UNITS), weight=np.arange(UNITS) + 1.0, drawn=sampling(np.arange(UNITS) // 5))
    part = seen.choose(seen.unit >= 50)
    assert part.weight is not None
    assert part.drawn is not None
    assert part.weight.tolist() == list(range(51, 61))
    assert (part.drawn.units, int(part.unit.max())) == (2, 9)
    with pytest.raises(ValueError, match="must be of the 60 units"):
        seen_by(np.arange(UNITS), weight=np.ones(3))
