"""Several indicators of a process: the joint density of all their answers, the gradient, and a truth found again."""

from __future__ import annotations

import numpy as np
import pytest
from tests.engine.kalman_witness import dense_log_likelihood
from tests.engine.test_kalman_fit import DRIFT, world

from bothways.engine.statespace.fit import fit_series, total_and_gradient
from bothways.engine.statespace.indicators import measured_by
from bothways.engine.statespace.likelihood import log_likelihood
from bothways.engine.statespace.series import Series
from bothways.engine.statespace.structure import multivariate

ITEMS = (("a1", "a2", "a3"), ("b1", "b2"))
LOADINGS, INTERCEPTS, ERRORS = (1.0, 0.7, 1.3, 1.0, 0.5), (0.0, 0.4, -0.2, 0.0, 0.3), (0.3, 0.4, 0.2, 0.3, 0.5)
OWNER = (0, 0, 0, 1, 1)


def items(seed: int, people: int, rows: int) -> Series:
    """Answers to five items, made from the processes of a world without error."""
    processes = world(seed, people, rows, missing=0.0)
    rng = np.random.default_rng(seed)
    y = processes.values[:, OWNER] * LOADINGS + INTERCEPTS
    y = y + rng.normal(size=y.shape) * np.sqrt(ERRORS)
    y[rng.random(y.shape) < 0.2] = np.nan
    return processes.with_values(y)


def test_likelihood_is_the_joint_density_of_all_items() -> None:
    series = items(1, 3, 12)
    structure = measured_by(multivariate(("a", "b"), random_means=True, error=True), ITEMS)
    theta = np.random.default_rng(2).normal(0, 0.3, structure.size)
    found = log_likelihood(structure.system(theta), series)
    for i in range(3):
        expected = dense_log_likelihood(structure.system(theta), series, i)
        assert abs(found[i] - expected) < 1e-9 * (1 + abs(expected))


def test_gradient_of_loadings_and_intercepts() -> None:
    series = items(1, 3, 12)
    structure = measured_by(multivariate(("a", "b"), random_means=True, error=True), ITEMS)
    theta = np.random.default_rng(2).normal(0, 0.3, structure.size)
    _, gradient = total_and_gradient(structure, series, theta)
    for k, name in enumerate(structure.names):
        e = np.zeros(theta.size)
        e[k] = 1e-4
        at = [total_and_gradient(structure, series, theta + m * e)[0] for m in (1, -1, 2, -2)]
        slope = (8 * (at[0] - at[1]) - (at[2] - at[3])) / 12e-4
        assert abs(gradient[k] - slope) < 1e-6 * (1 + abs(slope)), name


def test_loadings_errors_and_drift_are_found_again() -> None:
    structure = measured_by(multivariate(("a", "b"), random_means=True, error=True), ITEMS)
    fit = fit_series(structure, items(3, 60, 30))
    assert fit.converged
    se = np.sqrt(np.diag(np.linalg.inv(fit.hessian)))
    truth = {f"loading[{name},{name[0]}]": x for (name, x) in zip(structure.indicators, LOADINGS, strict=True)}
    truth |= {f"intercept[{name}]": x for (name, x) in zip(structure.indicators, INTERCEPTS, strict=True)}
    truth |= {f"noise[{name}]": np.log(x) for (name, x) in zip(structure.indicators, ERRORS, strict=True)}
    truth |= {"drift[b,a]": DRIFT[1, 0], "drift[a,b]": DRIFT[0, 1]}
    for k, name in enumerate(structure.names):
        if name in truth:
            assert abs(fit.theta[k] - truth[name]) < 3.5 * se[k], name


def test_one_item_is_the_plain_model() -> None:
    plain = multivariate(("a", "b"), random_means=True, error=True)
    again = measured_by(plain, (("a",), ("b",)))
    assert again.names == plain.names
    with pytest.raises(ValueError, match="indicator"):
        measured_by(plain, (("a",), ()))
