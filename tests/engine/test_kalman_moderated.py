"""Dynamics that differ by a circumstance: gradient, separate fits as the brute force, and a truth found again."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.test_kalman_fit import DIFFUSION, DRIFT, world

from bothways.engine.statespace.fit import StateSpaceFit, fit_series
from bothways.engine.statespace.likelihood import log_likelihood
from bothways.engine.statespace.moderated import Moderated, fit_moderated
from bothways.engine.statespace.series import Series, make_series
from bothways.engine.statespace.structure import multivariate

PAIR = multivariate(("a", "b"), random_means=True)
OTHER = np.array([[-1.0, 0.0], [1.4, -1.5]])  # B follows A more strongly in the second half of the people
HALF = 40
MEMBERS = (np.arange(HALF), np.arange(HALF, 2 * HALF))
Z = np.array([[0.0], [1.0]])


@pytest.fixture(scope="module")
def together() -> Series:
    parts = (world(31, HALF, 40, missing=0.1), world(32, HALF, 40, missing=0.1, A=OTHER, Q=DIFFUSION))
    person = np.concatenate([parts[0].person, HALF + parts[1].person])
    time, values = (np.concatenate([getattr(s, name) for s in parts]) for name in ("time", "values"))
    return make_series(person, time, values, basis=np.ones((person.size, 1)))


@pytest.fixture(scope="module")
def common(together: Series) -> StateSpaceFit:
    return fit_series(PAIR, together)


def test_gradient_against_differences_of_the_sum_over_persons(together: Series, common: StateSpaceFit) -> None:
    few = tuple(together.choose(m[:3]) for m in MEMBERS)
    z = np.array([[0.3, -1.0], [1.0, 0.5]])
    model = Moderated(PAIR, few, z, np.array([0, 2, 5]))
    free = np.concatenate([common.theta, np.full(6, 0.1)])
    whole, scores = model.scores(free, by_person=True)
    assert scores.shape == (6, len(model.names))
    assert whole == pytest.approx(sum(log_likelihood(model.system(free, g), few[g]).sum() for g in range(2)))
    _, by_group = model.scores(free, by_person=False)
    np.testing.assert_allclose(by_group.sum(axis=0), scores.sum(axis=0), rtol=1e-8, atol=1e-8)
    for k, name in enumerate(model.names):
        e = np.zeros(free.size)
        e[k] = 1e-5
        slope = (model.scores(free + e, by_person=True)[0] - model.scores(free - e, by_person=True)[0]) / 2e-5
        assert abs(scores[:, k].sum() - slope) < 1e-5 * (1 + abs(slope)), name


def test_where_all_is_moved_it_is_two_fits(together: Series, common: StateSpaceFit) -> None:
    found = fit_moderated(common, MEMBERS, Z, common.structure.names)
    assert found.converged
    for g, members in enumerate(MEMBERS):
        apart = fit_series(PAIR, together.choose(members))
        np.testing.assert_allclose(found.system(g).drift, apart.system.drift, atol=1e-3)
        np.testing.assert_allclose(found.system(g).static_cov, apart.system.static_cov, atol=1e-3)
    parts = [fit_series(PAIR, together.choose(members)).loglik for members in MEMBERS]
    assert found.loglik == pytest.approx(sum(parts), abs=1e-5)


def test_a_difference_is_found_where_there_is_one(common: StateSpaceFit) -> None:
    moved = tuple(name for name in common.structure.names if name.startswith("drift["))
    found = fit_moderated(common, MEMBERS, Z, moved)
    assert found.converged
    assert found.loglik > common.loglik + 5
    se = np.sqrt(np.diag(found.covariance))
    for name, truth in (("drift[b,a]*1", OTHER[1, 0] - DRIFT[1, 0]), ("drift[a,b]*1", 0.0)):
        k = found.moderated.names.index(name)
        assert abs(found.free[k] - truth) < 3.5 * se[k]
    k = found.moderated.names.index("drift[b,a]*1")
    assert found.free[k] > 3 * se[k]


def test_unknown_components_are_refused(common: StateSpaceFit) -> None:
    with pytest.raises(ValueError, match="x"):
        fit_moderated(common, MEMBERS, Z, ("drift[x,y]",))
