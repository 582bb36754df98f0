"""Whole fits: structure, climb, outcome; a vector autoregression as the limit of equal gaps; recovery of a truth."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import cholesky, logm, solve_continuous_lyapunov
from tests.engine.kalman_witness import van_loan

from bothways.engine.statespace.fit import Outcome, fit_series, total_and_gradient
from bothways.engine.statespace.optimise import climb
from bothways.engine.statespace.series import Series, make_series
from bothways.engine.statespace.structure import FREE, Structure, multivariate

DRIFT = np.array([[-1.0, 0.0], [0.4, -1.5]])
DIFFUSION = np.array([[2.0, 0.3], [0.3, 2.5]])


def world(
    seed: int,
    people: int,
    rows: int,
    *,
    noise: float = 0.0,
    means: bool = True,
    missing: float = 0.1,
    equal: float | None = None,
    A: np.ndarray = DRIFT,
    Q: np.ndarray = DIFFUSION,
) -> Series:
    """Simulated with Van Loan steps, by code apart from the engine's."""
    rng = np.random.default_rng(seed)
    p, S = len(A), solve_continuous_lyapunov(A, -Q)
    y, when = np.empty((people * rows, p)), np.empty(people * rows)
    for i in range(people):
        gaps = np.full(rows, equal) if equal else rng.uniform(0.05, 1.0, rows)
        times = np.rint(np.cumsum(gaps) * 1440) / 1440
        mean = rng.normal(0, 0.7, p) * means
        x = cholesky(S, lower=True) @ rng.normal(size=p)
        for k in range(rows):
            if k:
                E, W = van_loan(A, Q, times[k] - times[k - 1])
                x = E @ x + cholesky(W, lower=True) @ rng.normal(size=p)
            y[i * rows + k], when[i * rows + k] = mean + x + rng.normal(0, np.sqrt(noise), p), times[k]
    y[rng.random(y.shape) < missing] = np.nan
    person = np.repeat(np.arange(people), rows)
    return make_series(person, when, y, basis=np.ones((y.shape[0], 1)) if means else None)


@pytest.mark.parametrize("error", [False, True])
@pytest.mark.parametrize("means", [False, True])
def test_free_gradient_against_differences(error: bool, means: bool) -> None:
    series = world(1, 3, 15, noise=0.3, means=means)
    structure = multivariate(("a", "b"), random_means=means, error=error, free_start=True)
    theta = np.random.default_rng(2).normal(0, 0.3, structure.size)
    _, gradient = total_and_gradient(structure, series, theta)
    for k in range(structure.size):
        e = np.zeros(structure.size)
        e[k] = 1e-4
        at = [total_and_gradient(structure, series, theta + m * e)[0] for m in (1, -1, 2, -2)]
        slope = (8 * (at[0] - at[1]) - (at[2] - at[3])) / 12e-4
        assert abs(gradient[k] - slope) < 1e-6 * (1 + abs(slope)), structure.names[k]


def test_structure_goes_both_ways() -> None:
    structure = multivariate(("a", "b", "c"), random_means=True, error=True, regressors=("1", "t"))
    theta = np.random.default_rng(0).normal(size=structure.size)
    np.testing.assert_allclose(structure.theta(structure.patterns(theta)), theta, atol=1e-12)
    assert len(structure.names) == structure.size == len(set(structure.names))
    assert structure.names[structure.index("drift", 1, 0)] == "drift[b,a]"
    assert structure.fix("drift", (1, 0), 0.0).index("drift", 1, 0) is None


def test_equal_gaps_are_a_vector_autoregression() -> None:
    """Fixed mean, no error, no gap: least squares by statsmodels and the matrix logarithm give the same drift."""
    from statsmodels.tsa.api import VAR

    series = world(3, 1, 1200, means=False, missing=0.0, equal=0.5)
    fit = fit_series(multivariate(("a", "b"), random_means=False), series)
    assert fit.outcome is Outcome.CONVERGED
    reference = VAR(series.values).fit(1)
    transition = van_loan(fit.system.drift, fit.system.diffusion, 0.5)[0]
    # the stationary start of one row is all that parts them: 1/1200 of the information
    np.testing.assert_allclose(transition, reference.coefs[0], atol=5e-3)
    np.testing.assert_allclose(fit.system.drift, logm(reference.coefs[0]) / 0.5, atol=0.03)


def test_conditional_likelihood_is_that_of_the_autoregression() -> None:
    """At the same transition and innovation covariance, ℓ less that of the first row is statsmodels' to rounding."""
    from statsmodels.tsa.api import VAR

    from bothways.engine.statespace.likelihood import log_likelihood
    from bothways.engine.statespace.system import System

    series = world(5, 1, 300, means=False, missing=0.0, equal=0.25)
    reference = VAR(series.values).fit(1)
    E = reference.coefs[0]
    A = logm(E).real / 0.25
    mean = np.linalg.solve(np.eye(2) - E, reference.intercept)
    V = reference.sigma_u_mle
    S = np.linalg.solve(np.eye(4) - np.kron(E, E), V.ravel()).reshape(2, 2)
    system = System(
        A, -(A @ S + S @ A.T), np.eye(2), np.zeros(2), np.zeros(2), mean[:, None], np.zeros((2, 0)), np.zeros((2, 0)),
        np.zeros((0, 0)), np.zeros(2), None,
    )  # fmt: skip
    first = series.choose(np.array([0]))
    lone = make_series(first.person[:1], first.time[:1], first.values[:1])
    found = log_likelihood(system, series)[0] - log_likelihood(system, lone)[0]
    assert abs(found - reference.llf) < 1e-6 * abs(reference.llf)


@pytest.mark.parametrize(("noise", "error"), [(0.0, False), (0.3, True)])
def test_the_truth_is_within_reach(noise: float, error: bool) -> None:
    series = world(11, 120, 40, noise=noise)
    fit = fit_series(multivariate(("a", "b"), random_means=True, error=error), series)
    assert fit.outcome is Outcome.CONVERGED
    assert fit.decrement < 1e-6
    se = np.sqrt(np.diag(np.linalg.inv(fit.hessian)))
    truth = {"drift[a,a]": 0.0, "drift[b,b]": np.log(1.5), "drift[b,a]": 0.4, "drift[a,b]": 0.0}
    for name, value in truth.items():
        k = fit.structure.names.index(name)
        assert abs(fit.theta[k] - value) < 3.5 * se[k], name


def test_no_error_is_held_at_zero_and_said() -> None:
    series = world(12, 60, 40, noise=0.0)
    with_error = fit_series(multivariate(("a", "b"), random_means=True, error=True), series)
    without = fit_series(multivariate(("a", "b"), random_means=True), series)
    if with_error.at_limit:
        assert all(name.startswith("noise") for name in with_error.at_limit)
    assert with_error.outcome is Outcome.CONVERGED
    assert with_error.loglik > without.loglik - 1e-4


def test_several_indicators_of_one_process() -> None:
    series = world(13, 40, 30, noise=0.1)
    rng = np.random.default_rng(1)
    twin = 0.5 + 0.8 * series.values[:, :1] + rng.normal(0, 0.5, (series.rows, 1))
    wide = series.with_values(np.ascontiguousarray(np.column_stack([series.values, twin])))
    plain = multivariate(("a", "b"), random_means=True, error=True)
    structure = Structure(
        processes=plain.processes,
        indicators=("a", "b", "a2"),
        regressors=plain.regressors,
        drift=plain.drift,
        diffusion_root=plain.diffusion_root,
        loading=np.array([[1.0, 0.0], [0.0, 1.0], [FREE, 0.0]]),
        intercept=np.array([0.0, 0.0, FREE]),
        noise=np.full(3, FREE),
        level=plain.level,
        static_root=plain.static_root,
        start_mean=np.zeros(2),
        inputs=np.zeros((2, 0)),
        impulses=np.zeros((2, 0)),
    )
    fit = fit_series(structure, wide)
    assert fit.outcome is Outcome.CONVERGED
    system = fit.system
    assert abs(system.loading[2, 0] - 0.8) < 0.1
    assert abs(system.intercept[2] - 0.5) < 0.1


def test_climb_says_when_there_is_no_top() -> None:
    """A ridge without an end is not called a success."""
    found = climb(lambda x: (-((x[0] - 1) ** 2), np.array([-2 * (x[0] - 1), 0.0])), np.zeros(2))
    assert not found.converged
    assert not found.positive


def test_climb_finds_the_top_of_a_bent_valley() -> None:
    def rosenbrock(x: np.ndarray) -> tuple[float, np.ndarray]:
        a, b = x
        return -((1 - a) ** 2 + 100 * (b - a * a) ** 2), np.array(
            [2 * (1 - a) + 400 * a * (b - a * a), -200 * (b - a * a)]
        )

    found = climb(rosenbrock, np.array([-1.2, 1.0]))
    assert found.converged
    np.testing.assert_allclose(found.point, 1.0, atol=1e-6)
