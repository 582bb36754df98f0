"""A peak is told where the effect stands out at every lag looked at, and hardly ever where there is none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import ndtri, stdtrit
from scipy.stats import binom

from bothways.designs.diary import peaks
from bothways.designs.diary.estimation import Fitted, delta
from bothways.designs.diary.peaks import critical_value, stands_out
from bothways.engine.statespace.effects import peak, standardised_effect
from bothways.engine.statespace.fit import fit_series
from bothways.engine.statespace.inference import covariance
from bothways.engine.statespace.series import make_series
from bothways.engine.statespace.simulate import simulate_answers
from bothways.engine.statespace.structure import multivariate

PEOPLE, ROWS = 40, 30
NONE = np.array([[-2.0, 0.3, 0.0], [0.0, -1.5, 0.6], [0.0, 0.0, -0.7]])  # the third moves B, A moves neither
SOME = np.array([[-2.0, 0.3, 0.0], [1.5, -1.5, 0.6], [0.0, 0.0, -0.7]])
SHOCKS = np.array([[3.0, 0.6, 0.4], [0.6, 2.8, 0.4], [0.4, 0.4, 2.0]])
WORLDS = 150


def fitted_to(drift: np.ndarray, seed: int) -> tuple[Fitted, np.ndarray]:
    """Three processes of a known drift, fitted; with the true free vector."""
    rng = np.random.default_rng(seed)
    structure = multivariate(("a", "b", "m"), random_means=True, error=False)
    filled = structure.patterns(np.zeros(structure.size))
    filled |= {"drift": drift, "diffusion_root": np.linalg.cholesky(SHOCKS)}
    filled |= {"static_root": 0.7 * np.eye(3), "level": np.zeros_like(filled["level"])}
    truth, n = structure.theta(filled), PEOPLE * ROWS
    time = np.cumsum(rng.choice([0.1, 0.15, 0.2, 0.3, 0.6], (PEOPLE, ROWS)), axis=1).ravel()
    series = make_series(np.repeat(np.arange(PEOPLE), ROWS), time, np.zeros((n, 3)), basis=np.ones((n, 1)))
    answers = replace(series, values=simulate_answers(structure.system(truth), series, rng))
    fit = fit_series(structure, answers, truth)
    return Fitted("ct-var", fit, covariance(fit), False), truth


def one_lag(model: Fitted) -> bool:
    """As if the lag had been stated beforehand."""
    lag = np.array([peak(model.fit.system.drift, 1, 0).lag])
    value, C = delta(model, lambda drift, diffusion: standardised_effect(drift, diffusion, lag)[:, :, 1, 0])
    return bool(abs(value[0]) > stdtrit(model.degrees, 0.975) * np.sqrt(C[0, 0]))


def test_the_limit_is_that_of_all_lags_at_once() -> None:
    """One lag: the usual limit. n unrelated lags: Šidák's. n lags that move as one: the usual limit again."""
    rng = np.random.default_rng(1)
    usual, sidak = float(ndtri(0.975)), float(ndtri((1 + 0.95 ** (1 / 12)) / 2))
    assert critical_value(np.eye(1), 0.95, np.inf, rng) == pytest.approx(usual, abs=0.03)
    assert critical_value(np.eye(12), 0.95, np.inf, rng) == pytest.approx(sidak, abs=0.03)
    assert critical_value(np.ones((12, 12)), 0.95, np.inf, rng) == pytest.approx(usual, abs=0.03)
    assert critical_value(np.eye(1), 0.95, 9.0, rng) == pytest.approx(float(stdtrit(9.0, 0.975)), abs=0.05)


def test_a_peak_is_hardly_ever_told_where_there_is_no_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimates scattered about the truth by their own covariance; a lag chosen at the peak is no stated lag."""
    monkeypatch.setattr(peaks, "DRAWS", 3000)  # its own error is small beside that of so few worlds
    model, truth = fitted_to(NONE, 7)
    assert model.covariance is not None
    values, vectors = np.linalg.eigh(model.covariance.matrix)
    root, rng = vectors * np.sqrt(values), np.random.default_rng(3)
    told = stated = 0
    for _ in range(WORLDS):
        drawn = replace(model, fit=replace(model.fit, theta=truth + root @ rng.standard_normal(truth.size)))
        told += stands_out(drawn, 1, 0, 0.95, rng)
        stated += one_lag(drawn)
    assert told <= binom.ppf(0.99, WORLDS, 0.05)
    assert told < stated


def test_an_effect_that_is_there_has_a_peak() -> None:
    assert stands_out(fitted_to(SOME, 7)[0], 1, 0, 0.95, np.random.default_rng(1))
