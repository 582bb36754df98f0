"""Dynamics that differ between persons: Laplace against quadrature and against its own differences; recovery."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from tests.engine.test_kalman_fit import DRIFT, world

from bothways.engine.statespace.fit import fit_series
from bothways.engine.statespace.likelihood import log_likelihood
from bothways.engine.statespace.personal import Mixture, evaluate, importance_check, laplace
from bothways.engine.statespace.personal_fit import fit_personal, persons_effects, share_beyond
from bothways.engine.statespace.series import Series, make_series
from bothways.engine.statespace.structure import multivariate


def mixture_of(people: int, rows: int, names: tuple[str, ...], z: int = 0) -> tuple[Mixture, np.ndarray]:
    series = world(3, people, rows)
    structure = multivariate(("a", "b"), random_means=True)
    places = np.array([structure.names.index(n) for n in names])
    mixture = Mixture(structure, series, places, np.random.default_rng(0).normal(size=(people, z)))
    theta = structure.theta(
        {**structure.patterns(np.zeros(structure.size)), "drift": np.array([[-1.0, 0.1], [0.4, -1.5]])}
    )
    return mixture, np.concatenate([theta, np.full(places.size, -1.0), np.full(places.size * z, 0.1)])


def test_laplace_is_near_quadrature_and_defined_as_written() -> None:
    """One effect: log ∫ exp ℓ(u) φ(u) du by quadrature; the mode and the curvature by one-dimensional search."""
    mixture, outer = mixture_of(2, 20, ("drift[b,a]",))
    value, _, modes = laplace(mixture, outer)
    theta = outer[: mixture.structure.size]
    place = mixture.random[0]
    for i in range(2):
        alone = mixture.series.choose(np.array([i]))

        def log_joint(u: float, alone: Series = alone) -> float:
            moved = theta.copy()
            moved[place] += np.exp(-1.0) * u
            found = log_likelihood(mixture.structure.system(moved), alone)
            return -np.inf if found is None else float(found[0]) - 0.5 * u * u

        top = minimize_scalar(lambda u, f=log_joint: -f(u), bounds=(-3, 3), method="bounded", options={"xatol": 1e-8})
        assert modes.u[i, 0] == pytest.approx(top.x, abs=1e-4)
        h = 1e-3
        curve = -(log_joint(top.x + h) - 2 * log_joint(top.x) + log_joint(top.x - h)) / h**2
        assert value[i] == pytest.approx(log_joint(top.x) - 0.5 * np.log(curve), abs=1e-5)
        height = log_joint(top.x)
        integral, _ = quad(lambda u, h=height, f=log_joint: np.exp(f(u) - h), -6, 6, epsrel=1e-6)
        exact = np.log(integral / np.sqrt(2 * np.pi)) + height
        assert value[i] == pytest.approx(exact, abs=0.02)


def test_gradient_of_laplace_against_differences() -> None:
    mixture, outer = mixture_of(3, 12, ("drift[b,a]", "diffusion_root[b,b]"), z=1)
    _, gradient, modes = laplace(mixture, outer)
    for k, name in enumerate(mixture.names):
        e = np.zeros(outer.size)
        e[k] = 3e-3
        at = [laplace(mixture, outer + m * e, modes)[0].sum() for m in (1, -1, 2, -2)]
        slope = (8 * (at[0] - at[1]) - (at[2] - at[3])) / 36e-3
        assert gradient[:, k].sum() == pytest.approx(slope, abs=2e-4 * (1 + abs(slope))), name


def test_importance_weights_agree_with_quadrature() -> None:
    mixture, outer = mixture_of(3, 20, ("drift[b,a]",))
    value, _, modes = laplace(mixture, outer)
    check = importance_check(mixture, outer, modes, np.random.default_rng(1), draws=2000)
    exact = 0.0
    for i in range(3):
        u = np.linspace(-7, 7, 601)
        at = np.zeros((u.size, 3, 1))
        at[:, i, 0] = u
        g = evaluate(mixture, outer, at, gradient=False)[0][:, i]
        exact += np.log(np.trapezoid(np.exp(g - g.max()), u) / np.sqrt(2 * np.pi)) + g.max()
    assert value.sum() + check.difference == pytest.approx(exact, abs=0.02)
    assert check.effective > 500


def varied(seed: int, people: int, rows: int, sd: float) -> Series:
    """Persons whose arrow from a to b differs."""
    rng = np.random.default_rng(seed)
    values, times = [], []
    for _ in range(people):
        A = DRIFT.copy()
        A[1, 0] += sd * rng.normal()
        one = world(int(rng.integers(1 << 30)), 1, rows, A=A)
        values.append(one.values)
        times.append(one.time)
    y = np.concatenate(values)
    return make_series(np.repeat(np.arange(people), rows), np.concatenate(times), y, basis=np.ones((people * rows, 1)))


@pytest.mark.slow
def test_differences_between_persons_are_found() -> None:
    series = varied(7, 40, 40, sd=0.8)
    fit = fit_series(multivariate(("a", "b"), random_means=True), series)
    found = fit_personal(fit, ("drift[b,a]",), np.random.default_rng(1))
    assert found is not None
    assert found.converged
    assert found.loglik > fit.loglik + 3
    sd = np.exp(found.outer[found.mixture.names.index("log sd drift[b,a]")])
    assert 0.5 < sd < 1.2
    share = share_beyond(found, 0.5, 1, 0, 0.05, np.random.default_rng(2), draws=50)
    assert share.low <= share.value <= share.high
    assert 0.4 < share.value < 0.85  # of the population: about three in five
    own = persons_effects(found, 0.5, 1, 0)
    assert own.std() < share.sd * 1.05  # shrunken


def test_no_differences_are_called_none() -> None:
    series = world(8, 20, 20)
    fit = fit_series(multivariate(("a", "b"), random_means=True), series)
    found = fit_personal(fit, ("drift[a,b]", "drift[b,a]"), np.random.default_rng(1))
    if found is not None:
        assert found.loglik < fit.loglik + 3.5
