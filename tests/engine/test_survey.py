"""The middle of the sandwich for clusters in strata: R by formula, brute force, and what must not matter."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bothways.engine.fitting import PanelFit, fit_model
from bothways.engine.inference import robust
from bothways.engine.panel_models.cross_lagged import clpm
from bothways.engine.patterns import pattern_statistics
from bothways.engine.survey import effective_parameters, sampling, survey_meat

REFERENCE = Path(__file__).parents[1] / "reference" / "trial"


@pytest.fixture(scope="module")
def drawn() -> dict[str, np.ndarray]:
    with (REFERENCE / "survey.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}


@pytest.mark.parametrize("case", ["strata_and_clusters", "strata_alone", "clusters_alone"])
def test_weighted_regression_has_the_errors_that_r_finds(drawn: dict[str, np.ndarray], case: str) -> None:
    expected = json.loads((REFERENCE / "survey.json").read_text())
    X = np.column_stack([np.ones(len(drawn["x"])), drawn["x"]])
    bread = np.linalg.inv(X.T @ (drawn["w"][:, None] * X))
    beta = bread @ X.T @ (drawn["w"] * drawn["y"])
    np.testing.assert_allclose(beta, expected["coefficients"], rtol=1e-10)
    scores = X * (drawn["w"] * (drawn["y"] - X @ beta))[:, None]
    nested = drawn["strata"] * 10 + drawn["psu"]
    M = {
        "strata_and_clusters": lambda: survey_meat(scores, drawn["psu"], drawn["strata"]),
        "strata_alone": lambda: survey_meat(scores, None, drawn["strata"]),
        "clusters_alone": lambda: survey_meat(scores, nested),
    }[case]()
    np.testing.assert_allclose(np.sqrt(np.diag(bread @ M @ bread)), expected[case], rtol=1e-9)


def loops(scores: np.ndarray, clusters: list[int], strata: list[int]) -> np.ndarray:
    """The definition, cluster by cluster."""
    totals: dict[tuple[int, int], np.ndarray] = {}
    for z, c, h in zip(scores, clusters, strata, strict=True):
        totals[h, c] = totals.get((h, c), np.zeros(len(z))) + z
    grand = np.mean(list(totals.values()), axis=0)
    M = np.zeros((scores.shape[1],) * 2)
    for h in set(strata):
        mine = [z for (of, _), z in totals.items() if of == h]
        centre = grand if len(mine) == 1 else np.mean(mine, axis=0)
        factor = 1.0 if len(mine) == 1 else len(mine) / (len(mine) - 1)
        M += factor * sum(np.outer(z - centre, z - centre) for z in mine)
    return M


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=40), st.integers(0, 99))
def test_meat_is_its_definition_and_labels_are_names(people: list[tuple[int, int]], seed: int) -> None:
    scores = np.random.default_rng(seed).normal(size=(len(people), 2))
    clusters, strata = [c for c, _ in people], [h for _, h in people]
    M = survey_meat(scores, np.array(clusters), np.array(strata))
    np.testing.assert_allclose(M, loops(scores, clusters, strata), atol=1e-10)
    renamed = survey_meat(scores, np.array([f"c{9 - c}" for c in clusters]), np.array([f"s{7 - h}" for h in strata]))
    np.testing.assert_allclose(M, renamed, atol=1e-12)


def small_fit(weights: np.ndarray | None = None) -> tuple[PanelFit, np.random.Generator]:
    random = np.random.default_rng(5)
    Y = random.normal(size=(120, 6)).cumsum(axis=1)
    Y[random.random(Y.shape) < 0.1] = np.nan
    return fit_model(clpm(2, 3), pattern_statistics(Y, weights)), random


def test_one_stratum_changes_nothing_and_real_strata_do() -> None:
    fit, random = small_fit()
    clusters, strata = random.integers(0, 12, 120), random.integers(0, 3, 120)
    alone = robust(fit, clusters).covariance
    np.testing.assert_allclose(robust(fit, sampling(clusters, np.zeros(120))).covariance, alone, rtol=1e-6, atol=1e-12)
    layered = robust(fit, sampling(clusters, strata)).covariance
    assert np.abs(layered / alone - 1).max() > 0.01


def test_a_panels_lag_has_the_errors_of_its_regression() -> None:
    """Two complete waves: the cross-lag is a weighted regression, and its error Taylor's over strata."""
    random = np.random.default_rng(11)
    n = 150
    clusters, strata = np.arange(n) % 15, np.arange(n) % 15 // 4
    Y = random.normal(size=(n, 4)) + random.normal(size=(15, 1))[clusters]
    Y[:, 3] += 0.4 * Y[:, 0]
    w = random.lognormal(size=n)
    fit = fit_model(clpm(2, 2), pattern_statistics(Y, w))
    X, w = np.column_stack([np.ones(n), Y[:, :2]]), w * n / w.sum()
    bread = np.linalg.inv(X.T @ (w[:, None] * X))
    beta = bread @ X.T @ (w * Y[:, 3])
    scores = X * (w * (Y[:, 3] - X @ beta))[:, None]
    V = bread @ loops(scores, clusters.tolist(), strata.tolist()) @ bread
    k = fit.model.parameters.index("B21_2")
    assert fit.alpha[k] == pytest.approx(beta[1], rel=1e-6)
    assert robust(fit, sampling(clusters, strata)).errors[k] == pytest.approx(np.sqrt(V[1, 1]), rel=1e-6)


def test_a_part_of_the_people_keeps_its_clusters() -> None:
    drawn = sampling(np.array([1, 2, 1, 2, 1]), np.array([0, 0, 1, 1, 2]))
    assert drawn is not None
    assert (drawn.units, drawn.strata, drawn.lonely, drawn.freedom) == (5, 3, 1, 2)
    part = drawn.among(np.array([True, True, False, True, False]))
    assert (part.units, part.strata, part.lonely) == (3, 2, 1)
    assert sampling(None) is None


def test_a_weighted_likelihood_gains_by_chance_what_its_design_effect_says() -> None:
    """ℓ(μ) = −½ Σ w (y − μ)²: the mean of 2(ℓ(μ̂) − ℓ(μ)) over worlds is tr(H⁻¹ J), and not 1."""
    rng, n = np.random.default_rng(2), 400
    w = rng.exponential(1.0, n) ** 1.5
    w /= w.mean()
    y = rng.standard_normal((4000, n))
    mean = y @ w / w.sum()
    gained = (w * (y**2 - (y - mean[:, None]) ** 2)).sum(axis=1)
    bread = np.array([[1 / w.sum()]])
    counted = [
        effective_parameters(bread, bread * ((w * (row - m)) ** 2).sum() * bread)
        for row, m in zip(y, mean, strict=True)
    ]
    assert np.mean(counted) == pytest.approx(gained.mean(), rel=0.05)
    assert gained.mean() > 1.5


def test_everybody_twice_in_one_cluster_counts_twice() -> None:
    """And a parameter without a finite variance counts one, as AIC counts it."""
    scores = np.random.default_rng(3).standard_normal((50, 3))
    scores -= scores.mean(axis=0)  # as at a maximum
    bread = np.linalg.inv(scores.T @ scores)
    once = effective_parameters(bread, bread @ scores.T @ scores @ bread)
    doubled = np.repeat(scores, 2, axis=0)
    meat = survey_meat(doubled, np.repeat(np.arange(50), 2)) * 49 / 50
    assert once == pytest.approx(3.0)
    assert effective_parameters(bread / 2, bread @ meat @ bread / 4) == pytest.approx(2 * once)
    lost = np.pad(bread, (0, 1))
    lost[3, 3] = np.inf
    assert effective_parameters(lost, lost) == pytest.approx(4.0)
