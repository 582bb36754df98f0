"""The exponential of small matrices against scipy's, and its derivative by a complex step against Van Loan's block."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.linalg import expm

from bothways.engine.exponential import exponential


@given(seed=st.integers(0, 10_000), states=st.integers(1, 6), size=st.floats(1e-6, 30))
def test_it_is_the_exponential(seed: int, states: int, size: float) -> None:
    X = size * np.random.default_rng(seed).normal(size=(3, states, states)) / states
    expected = np.stack([expm(x) for x in X])
    np.testing.assert_allclose(exponential(X), expected, rtol=1e-10, atol=1e-13 * np.abs(expected).max())


def test_complex_steps_pass_through_it() -> None:
    rng = np.random.default_rng(3)
    X, E = rng.normal(size=(3, 3)), rng.normal(size=(3, 3))
    block = expm(np.block([[X, E], [np.zeros((3, 3)), X]]))  # Van Loan 1978: the corner is the derivative along E
    slope = exponential(X + 1e-30j * E).imag / 1e-30
    np.testing.assert_allclose(slope, block[:3, 3:], rtol=1e-12)


def test_what_is_not_finite_stays_so_and_nothing_is_the_unit() -> None:
    assert np.isnan(exponential(np.array([[np.inf, 0.0], [0.0, 1.0]]))).all()
    np.testing.assert_array_equal(exponential(np.zeros((2, 3, 3))), np.broadcast_to(np.eye(3), (2, 3, 3)))
