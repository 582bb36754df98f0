"""Clusters and strata in the g-formula's bootstrap and in weighting: brute force, what widens, what narrows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bothways.engine.gmethods.gformula import Simulated, model_of, simulate
from bothways.engine.gmethods.history import Histories
from bothways.engine.gmethods.plans import ALWAYS, NATURAL_COURSE, NEVER, sustained
from bothways.engine.gmethods.regression import DEATH, LEAVING, exits_on
from bothways.engine.gmethods.structural import structural
from bothways.engine.survey import Sampling, collapsed, sampling

SCENARIOS = [sustained((0, 1), 1, (0.5, -0.5))]
TOWNS = 24


def towns(people: int = 600, shared: float = 1.0, layers: float = 0.0, seed: int = 1) -> tuple[Histories, np.ndarray]:
    """Outcome and exposure of three waves, both scores; towns share a shift of the outcome, and so do strata."""
    rng = np.random.default_rng(seed)
    town = np.arange(people) % TOWNS
    stratum = town % 4
    lift = shared * rng.normal(size=TOWNS)[town] + layers * (stratum - 1.5)
    v = np.zeros((people, 3, 2))
    for k in range(3):
        y, a = v[:, k - 1].T if k else np.zeros((2, people))
        v[:, k, 0] = 0.4 * y + 0.3 * a + lift + rng.normal(size=people)
        v[:, k, 1] = 0.5 * a + rng.normal(size=people)
    return Histories(v, np.zeros((people, 0)), np.zeros(2, dtype=bool), np.full(people, 3), np.ones(people)), town


def resampled(histories: Histories, drawn: Sampling | None, replicates: int = 400) -> Simulated:
    return simulate(
        model_of(histories, SCENARIOS), np.random.default_rng(1), draws=1, replicates=replicates, drawn=drawn
    )


def spread(found: Simulated, plan: int = ALWAYS) -> float:
    return float(found.drawn[0].mean[:, plan, -1, 0].std(ddof=1))


def by_hand(histories: Histories, town: np.ndarray, stratum: np.ndarray, count: int) -> float:
    """SD of the mean outcome under "always", drawing n - 1 of n towns in each stratum, with least squares by lstsq."""
    rng = np.random.default_rng(2)
    ends = []
    for _ in range(count):
        w = np.zeros(histories.people)
        for h in np.unique(stratum):
            own = np.unique(town[stratum == h])
            for c in rng.choice(own, len(own) - 1):
                w[town == c] += len(own) / (len(own) - 1)
        X, y = [], []
        for k in (1, 2):
            one = np.ones(histories.people)
            X.append(np.column_stack([one, one * (k - 1), histories.values[:, k - 1]]))
            y.append(histories.values[:, k, 0])
        root = np.sqrt(np.tile(w, 2))
        b = np.linalg.lstsq(np.concatenate(X) * root[:, None], np.concatenate(y) * root, rcond=None)[0]
        level = float(w @ histories.values[:, 0, 0] / w.sum())
        for t in (0.0, 1.0):
            level = float(b[0] + b[1] * t + b[2] * level + b[3] * 0.5)
        ends.append(level)
    return float(np.std(ends, ddof=1))


def test_the_bootstrap_scatters_as_the_towns_do() -> None:
    histories, town = towns(layers=1.0)
    stratum = town % 4
    # 400 and 400 resamples: each SD errs by 3.5 %, so four errors of their ratio are 20 %
    assert spread(resampled(histories, sampling(town, stratum))) == pytest.approx(
        by_hand(histories, town, stratum, 400), rel=0.2
    )
    assert spread(resampled(histories, sampling(town))) == pytest.approx(
        by_hand(histories, town, np.zeros_like(town), 400), rel=0.2
    )


def test_clusters_widen_and_strata_narrow() -> None:
    histories, town = towns(layers=2.0)
    alone, clustered, layered = (
        spread(resampled(histories, drawn)) for drawn in (None, sampling(town), sampling(town, town % 4))
    )
    assert clustered > 1.5 * alone
    assert layered < 0.8 * clustered


def test_a_design_that_says_nothing_scatters_as_people_do() -> None:
    histories, town = towns(shared=0.0)
    alone, odd = (spread(resampled(histories, drawn)) for drawn in (None, sampling(np.arange(len(town)))))
    assert odd == pytest.approx(alone, rel=0.2)


def test_weights_and_draws_multiply() -> None:
    """Two towns in a stratum: one is drawn and counts twice, beside the many of the other stratum."""
    histories, town = towns(people=TOWNS)
    weight = np.where(town < 2, 50.0, 1.0)
    values = histories.values.copy()
    values[:2, 0, 0], values[2:, 0, 0] = (3.0, 5.0), 0.0
    heavy = replace(histories, weight=weight, values=values)
    found = resampled(heavy, sampling(town, np.where(town < 2, 0, 1)), 30)
    first = found.drawn[0].mean[:, NATURAL_COURSE, 0, 0]
    ends = [100 * y / (100 + TOWNS - 2) for y in (3.0, 5.0)]
    assert {round(x, 9) for x in first} == {round(x, 9) for x in ends}


def test_lonely_strata_are_taken_together_and_so_scatter() -> None:
    lonely = sampling(np.arange(6), np.array([0, 0, 0, 1, 2, 3]))
    assert lonely is not None
    joined = collapsed(lonely)
    assert joined is not None
    assert joined.lonely == 0
    assert joined.strata == 2
    one = collapsed(sampling(np.arange(6), np.array([0, 0, 0, 1, 1, 2])))
    assert one is not None
    assert np.bincount(one.stratum).tolist() == [3, 3]  # the odd one joined the smaller stratum
    whole = sampling(np.arange(6), np.array([0, 0, 0, 1, 1, 1]))
    assert collapsed(whole) is whole
    assert collapsed(None) is None
    histories, town = towns(people=240)
    alone = spread(resampled(histories, sampling(town, town), 200))
    together = spread(resampled(histories, sampling(town), 200))
    assert alone == pytest.approx(together, rel=1e-12)


def test_few_exits_are_one_rate_and_very_few_are_none() -> None:
    histories, _ = towns(people=200)
    for dead, columns in ((3, 0), (7, 1), (40, len(histories.past()) - 1)):
        died = np.where(np.arange(200) < dead, 2, 3)  # all in the last gap: no course in time
        values = np.where((np.arange(3) >= died[:, None])[..., None], np.nan, histories.values)
        own = replace(histories, died=died, values=values)
        assert len(exits_on(own, DEATH)) == columns
        assert exits_on(own, LEAVING) == ()
        assert (DEATH in model_of(own, SCENARIOS).uses[0]) == (columns > 0)
        found = simulate(model_of(own, SCENARIOS), np.random.default_rng(1), draws=5, replicates=20)
        assert found.failed == ()
        assert found.converged.mean() > 0.9
        assert found.point[0].alive[NATURAL_COURSE, -1] == pytest.approx(1 - dead / 200 * (columns > 0), abs=0.02)


def exposures(people: int = 240, seed: int = 3) -> tuple[Histories, np.ndarray]:
    rng = np.random.default_rng(seed)
    v = rng.integers(0, 2, (people, 4, 2)).astype(float)
    town = np.arange(people) % 12
    v[:, -1, 0] = rng.random(people) < 0.3 + 0.2 * v[:, 2, 1] + 0.3 * rng.random(12)[town]
    return Histories(v, np.zeros((people, 0)), np.ones(2, dtype=bool), np.full(people, 4), np.ones(people)), town


def mancl_derouen(histories: Histories, w: np.ndarray, coef: np.ndarray, town: np.ndarray) -> np.ndarray:
    """B Σ_c D_c' V_c⁻¹ (I - H_cc)⁻¹ r_c r_c' (I - H_cc)⁻' V_c⁻¹ D_c B with H_cc = D_c B D_c' V_c⁻¹, as in the paper."""
    a, y = histories.values[:, :-1, 1], histories.values[:, -1, 0]
    X = np.column_stack([np.ones(len(y)), a[:, -1], a[:, :-1].mean(axis=1)])
    p = 1 / (1 + np.exp(-X @ coef))
    D, inverse = X * (p * (1 - p))[:, None], w / (p * (1 - p))
    B = np.linalg.inv(D.T @ (inverse[:, None] * D))
    M = np.zeros((3, 3))
    for c in np.unique(town):
        own = town == c
        H = D[own] @ B @ D[own].T * inverse[own]
        r = np.linalg.solve(np.eye(own.sum()) - H, (y - p)[own])
        z = D[own].T @ (inverse[own] * r)
        M += np.outer(z, z)
    return np.asarray(B @ M @ B)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_the_variance_of_weighting_is_that_of_mancl_and_derouen(seed: int) -> None:
    histories, town = exposures(seed=seed)
    w = np.random.default_rng(seed).uniform(0.2, 3, histories.people)
    alone = structural(histories, w, 1, 0)
    np.testing.assert_allclose(
        alone.robust, mancl_derouen(histories, w, alone.coef, np.arange(len(town))), rtol=1e-7, atol=1e-12
    )
    together = structural(histories, w, 1, 0, sampling(town))
    expected = mancl_derouen(histories, w, together.coef, town)
    units = 12
    # the corrected totals need not sum to nil; those of a survey are taken about their mean, with n / (n - 1)
    assert np.trace(together.robust) <= units / (units - 1) * np.trace(expected) * (1 + 1e-9)
    assert np.trace(together.robust) > 0.7 * np.trace(expected)
    np.testing.assert_allclose(together.coef, alone.coef, atol=1e-12)


def test_clusters_widen_weighting_and_one_cluster_gives_no_variance() -> None:
    histories, town = exposures(people=1200)
    w = np.ones(1200)
    alone, clustered = (structural(histories, w, 1, 0, drawn) for drawn in (None, sampling(town)))
    assert clustered.covariance[1, 1] > 2 * alone.covariance[1, 1]
    assert not structural(histories, w, 1, 0, sampling(np.zeros(1200))).converged


def test_people_in_strata_alone_narrow_weighting() -> None:
    histories, town = towns(people=1200, shared=0.0, layers=3.0)
    a = (histories.values[..., 1] > 0).astype(float)
    v = np.stack([histories.values[..., 0], a], axis=2)
    histories = replace(histories, values=v, binary=np.array([False, True]))
    w = np.ones(1200)
    alone, layered = (structural(histories, w, 1, 0, d) for d in (None, sampling(None, town % 4)))
    assert layered.covariance[1, 1] < 0.75 * alone.covariance[1, 1]
    assert np.isfinite(layered.covariance).all()


def test_the_contrast_of_regimes_is_unmoved_by_shared_shifts() -> None:
    """A town's shift lifts both regimes alike: the difference scatters far less than each."""
    histories, town = towns()
    found = resampled(histories, sampling(town), 200)
    ends = found.drawn[0].mean[:, :, -1, 0]
    assert (ends[:, ALWAYS] - ends[:, NEVER]).std() < 0.5 * ends[:, ALWAYS].std()
