"""Exact steps against Van Loan; identities of effects by lag that the package must know."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad_vec
from scipy.linalg import expm
from tests.engine.kalman_witness import random_drift, van_loan

from bothways.engine.drift import exact_steps, stationary_covariance, total_effect
from bothways.engine.statespace.effects import (
    Impulse,
    NotDetermined,
    common_peak,
    direct_effect,
    half_lives,
    impulse_response,
    peak,
    standardised_effect,
)

GAPS = np.array([1 / 1440, 0.01, 0.3, 1.0, 10.0, 365.0])


@pytest.mark.parametrize("p", [1, 2, 3, 5])
@pytest.mark.parametrize("kind", ["any", "equal", "near", "complex"])
def test_steps_are_van_loans(p: int, kind: str) -> None:
    if p == 1 and kind != "any":
        pytest.skip("one process has one real root")
    rng = np.random.default_rng(p)
    A, root = random_drift(rng, p, kind), rng.normal(size=(p, p)) + 2 * np.eye(p)
    steps = exact_steps(A[None], (root @ root.T)[None], np.zeros(GAPS.size, np.int64), GAPS)
    for k, h in enumerate(GAPS):
        E, Q = van_loan(A, root @ root.T, h)
        np.testing.assert_allclose(steps.transition[k], E, atol=1e-11, rtol=1e-9)
        np.testing.assert_allclose(steps.noise[k], Q, atol=1e-12, rtol=1e-9)


def test_noise_is_the_integral_of_its_definition() -> None:
    """∫ e^{As} Q e^{A's} ds by quadrature: drift to the left, its transpose to the right, for a drift far from even."""
    A, Q = np.array([[-1.0, 0.0], [2.0, -0.4]]), np.array([[1.0, 0.2], [0.2, 0.5]])
    integral, _ = quad_vec(lambda s: expm(A * s) @ Q @ expm(A.T * s), 0, 1.3)
    steps = exact_steps(A[None], Q[None], np.zeros(1, np.int64), np.array([1.3]))
    np.testing.assert_allclose(steps.noise[0], integral, atol=1e-10)


@given(seed=st.integers(0, 10_000), p=st.integers(2, 4), g=st.floats(0.01, 3), h=st.floats(0.01, 3))
def test_effects_compose_and_begin_at_nothing(seed: int, p: int, g: float, h: float) -> None:
    A = random_drift(np.random.default_rng(seed), p)
    T = total_effect(A[None], np.array([0.0, g, h, g + h]))[0]
    np.testing.assert_allclose(T[0], np.eye(p), atol=1e-12)
    np.testing.assert_allclose(T[1] @ T[2], T[3], atol=1e-9)
    weeks = total_effect(7 * A[None], np.array([h / 7]))[0, 0]
    np.testing.assert_allclose(weeks, T[2], atol=1e-9)


@given(seed=st.integers(0, 10_000))
def test_two_processes_keep_one_ratio_and_one_peak(seed: int) -> None:
    """T₁₂/T₂₁ = a₁₂/a₂₁ at all lags; both peak where `common_peak` says."""
    A = random_drift(np.random.default_rng(seed), 2, ["any", "complex"][seed % 2])
    lags = np.geomspace(0.01, 3, 9)
    T = total_effect(A[None], lags)[0]
    np.testing.assert_allclose(T[:, 0, 1] * A[1, 0], T[:, 1, 0] * A[0, 1], atol=1e-12)
    top = common_peak(A)
    around = np.abs(total_effect(A[None], top * np.array([0.999, 1.0, 1.001]))[0])
    for i, j in ((0, 1), (1, 0)):
        assert around[1, i, j] >= max(around[0, i, j], around[2, i, j]) - 1e-12
    with pytest.raises(NotDetermined):
        peak(A, 0, 1)


def test_equal_roots_peak_at_one_over_the_rate() -> None:
    assert common_peak(np.array([[-0.7, 0.3], [0.0, -0.7]])) == pytest.approx(1 / 0.7)


def test_three_processes_tell_which_is_faster() -> None:
    """A reaches B at once, B reaches A only through a third: the second peak comes later."""
    A = np.array([[-1.0, 0.0, 0.8], [0.8, -1.0, 0.0], [0.0, 0.8, -1.0]])
    fast, slow = peak(A, 1, 0), peak(A, 0, 1)
    assert slow.lag > fast.lag + 0.3
    lags = np.linspace(0.01, 10, 5001)
    T = np.abs(total_effect(A[None], lags)[0, :, 0, 1])
    assert slow.lag == pytest.approx(lags[np.argmax(T)], abs=0.003)
    assert slow.height == pytest.approx(T.max(), abs=1e-6)
    direct = direct_effect(A[None], lags, (2,))[0]
    assert np.abs(direct[:, 0, 1]).max() < 1e-12


def test_impulses_of_every_kind() -> None:
    A, Q = np.array([[-1.0, 0.2], [0.6, -0.5]]), np.array([[1.0, 0.4], [0.4, 2.0]])
    lags = np.array([0.7])
    T, S = expm(0.7 * A), stationary_covariance(A[None], Q[None])[0]
    expected = {
        Impulse.EXPERIMENTAL: T[:, 0],
        Impulse.SHOCK: T @ Q[:, 0] / Q[0, 0],
        Impulse.LEVEL: T @ S[:, 0] / S[0, 0],
        Impulse.PUSH: np.linalg.solve(A, (T - np.eye(2))[:, 0]),
    }
    for kind, value in expected.items():
        found = impulse_response(A[None], Q[None], lags, 0, kind)[0, 0]
        np.testing.assert_allclose(found, value, atol=1e-12)
    push = quad_vec(lambda s: expm(A * s)[:, 0], 0, 0.7)[0]
    np.testing.assert_allclose(expected[Impulse.PUSH], push, atol=1e-10)


def test_standardised_effects_do_not_depend_on_units() -> None:
    rng = np.random.default_rng(2)
    A, root = random_drift(rng, 3), rng.normal(size=(3, 3)) + 2 * np.eye(3)
    C = np.diag([1.0, 10.0, 0.1])
    lags = np.array([0.2, 1.0])
    plain = standardised_effect(A[None], (root @ root.T)[None], lags)
    other = standardised_effect((C @ A @ np.linalg.inv(C))[None], (C @ root @ root.T @ C)[None], lags)
    np.testing.assert_allclose(plain, other, atol=1e-10)


def test_half_lives() -> None:
    np.testing.assert_allclose(half_lives(np.diag([-1.0, -0.1])), np.log(2) / np.array([0.1, 1.0]))
