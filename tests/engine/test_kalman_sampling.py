"""Weights, clusters and strata of diaries: persons counted twice, and the sandwich written out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.engine.test_survey import loops

from bothways.engine.statespace.bootstrap import bootstrap
from bothways.engine.statespace.fit import StateSpaceFit, fit_series, total_and_gradient
from bothways.engine.statespace.inference import covariance, person_scores
from bothways.engine.statespace.likelihood import log_likelihood
from bothways.engine.statespace.moderated import fit_moderated
from bothways.engine.statespace.series import Series, make_series
from bothways.engine.statespace.structure import Structure, multivariate
from bothways.engine.survey import sampling

PEOPLE, ROWS = 24, 25
STRUCTURE = multivariate(("a", "b"), random_means=True, error=False)


def world(*, gaps: bool = False) -> Series:
    """A VAR of order one with person means; with holes, the rows go the long way through the filter."""
    rng = np.random.default_rng(4)
    Y = np.zeros((PEOPLE, ROWS, 2))
    for t in range(1, ROWS):
        Y[:, t] = Y[:, t - 1] @ np.array([[0.4, 0.2], [0.1, 0.3]]).T + rng.normal(size=(PEOPLE, 2))
    Y += rng.normal(size=(PEOPLE, 1, 2))
    if gaps:
        Y[rng.random(Y.shape) < 0.15] = np.nan
    person = np.repeat(np.arange(PEOPLE), ROWS)
    return make_series(
        person, np.tile(np.arange(ROWS) * 1.0, PEOPLE), Y.reshape(-1, 2), basis=np.ones((person.size, 1))
    )


def fitted(series: Series, structure: Structure = STRUCTURE) -> StateSpaceFit:
    found = fit_series(structure, series)
    assert found.converged
    return found


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("error", [False, True])
def test_a_weight_of_two_is_the_person_twice(gaps: bool, error: bool) -> None:
    series, times = world(gaps=gaps), 1 + np.arange(PEOPLE) % 2
    structure = multivariate(("a", "b"), random_means=True, error=error)
    twice = series.choose(np.repeat(np.arange(PEOPLE), times))
    fit = fit_series(structure, series)
    structure, theta = fit.structure, fit.theta + 0.1  # spreads that went to zero are held there
    ours = total_and_gradient(structure, replace(series, weight=times * 1.0), theta)
    theirs = total_and_gradient(structure, twice, theta)
    assert ours is not None
    assert theirs is not None
    assert ours[0] == pytest.approx(theirs[0], rel=1e-10)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-8, atol=1e-8)


def test_the_fit_and_its_errors_are_those_of_the_person_twice() -> None:
    series, times = world(), 1 + np.arange(PEOPLE) % 2
    a = fitted(replace(series, weight=times * 1.0, drawn=sampling(np.arange(PEOPLE))))
    copies = np.repeat(np.arange(PEOPLE), times)
    b = fitted(replace(series.choose(copies), drawn=sampling(copies)))
    np.testing.assert_allclose(a.theta, b.theta, atol=1e-4)
    np.testing.assert_allclose(covariance(a).matrix, covariance(b).matrix, rtol=1e-2, atol=1e-6)


def test_the_sandwich_is_its_definition_over_clusters_within_strata() -> None:
    rng = np.random.default_rng(9)
    clusters, strata, weight = np.arange(PEOPLE) % 8, np.arange(PEOPLE) % 8 // 3, rng.lognormal(size=PEOPLE)
    fit = fitted(replace(world(gaps=True), weight=weight, drawn=sampling(clusters, strata)))
    scores = np.empty((PEOPLE, fit.theta.size))
    for k, h in enumerate(1e-5 * np.eye(fit.theta.size)):
        up, down = (log_likelihood(fit.structure.system(fit.theta + s * h), fit.series) for s in (1, -1))
        assert up is not None
        assert down is not None
        scores[:, k] = weight * (up - down) / 2e-5
    np.testing.assert_allclose(person_scores(fit), scores, atol=1e-4)
    bread = np.linalg.inv(fit.hessian)
    expected = bread @ loops(scores, clusters.tolist(), strata.tolist()) @ bread
    np.testing.assert_allclose(covariance(fit).matrix, expected, rtol=1e-3, atol=1e-8)


def test_without_a_design_the_sandwich_is_that_of_people() -> None:
    fit = fitted(world())
    scores, bread = person_scores(fit), np.linalg.inv(fit.hessian)
    np.testing.assert_allclose(
        covariance(fit).matrix, bread @ scores.T @ scores @ bread * PEOPLE / (PEOPLE - 1), rtol=1e-10
    )


def test_circumstances_and_draws_keep_the_clusters() -> None:
    """Each person twice as one cluster: errors by cluster are those of the persons once, and not smaller by √2."""
    series = world()
    copies = np.tile(np.arange(PEOPLE), 2)
    double = series.choose(copies)
    once, lone = fitted(series), fitted(double)
    together = replace(lone, series=replace(double, drawn=sampling(copies)))
    half = (np.arange(PEOPLE) < 12, np.arange(PEOPLE) >= 12)
    z, moved = np.array([[0.0], [1.0]]), (STRUCTURE.names[0],)
    simple = fit_moderated(once, tuple(np.flatnonzero(h) for h in half), z, moved)
    paired = fit_moderated(together, tuple(np.flatnonzero(h[copies]) for h in half), z, moved)
    np.testing.assert_allclose(np.diag(paired.covariance), np.diag(simple.covariance), rtol=0.03)
    spread = [
        bootstrap(fit, "person", 60, np.random.default_rng(1)).points.std(axis=0).mean() for fit in (lone, together)
    ]
    assert spread[1] / spread[0] == pytest.approx(np.sqrt(2), rel=0.3)
