"""A foreign reference: OpenMx's continuous-time state space, and where it parts from the definition."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.engine.kalman_witness import dense_log_likelihood, van_loan

from bothways.engine.statespace.likelihood import log_likelihood
from bothways.engine.statespace.series import make_series
from bothways.engine.statespace.system import System

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "diary_openmx.json").read_text())
Y = np.array([[0.3, -0.2], [-0.8, 0.9], [1.1, 0.4]])
TIME = np.array([0.0, 0.7, 1.9])
P0 = np.array([[1.2, 0.3], [0.3, 0.9]])
Q = np.array([[1.0, 0.2], [0.2, 0.5]])
R = np.array([0.3, 0.4])
SYMMETRIC = np.array([[-1.0, 0.4], [0.4, -0.6]])
UNEVEN = np.array([[-1.0, 0.0], [2.0, -0.4]])


def minus2(A: np.ndarray) -> float:
    """By the package; the dense joint density agrees."""
    nothing = np.zeros((2, 0))
    system = System(
        A, Q, np.eye(2), np.zeros(2), R, np.zeros((2, 1)), nothing, nothing, np.zeros((0, 0)), np.zeros(2), P0
    )
    series = make_series(np.zeros(3, np.int64), TIME, Y, resolution=1e-6)
    found = float(log_likelihood(system, series)[0])
    assert found == pytest.approx(dense_log_likelihood(system, series, 0), abs=1e-3)  # the witness rounds to minutes
    return -2.0 * found


def textbook(A: np.ndarray, A_of_noise: np.ndarray) -> float:
    """A Kalman filter in matrix form, its noise integral taken with a drift of one's choice."""
    m, P, total = np.zeros(2), P0, 0.0
    for k, y in enumerate(Y):
        if k:
            h = TIME[k] - TIME[k - 1]
            E, W = van_loan(A, Q, h)[0], van_loan(A_of_noise, Q, h)[1]
            m, P = E @ m, E @ P @ E.T + W
        S, v = P + np.diag(R), y - m
        total += 2 * np.log(2 * np.pi) + np.linalg.slogdet(S)[1] + v @ np.linalg.solve(S, v)
        gain = P @ np.linalg.inv(S)
        m, P = m + gain @ v, P - gain @ P
    return float(total)


def test_even_drift_agrees_with_openmx() -> None:
    assert minus2(SYMMETRIC) == pytest.approx(REFERENCE["minus2_symmetric"], abs=1e-9)


@pytest.mark.parametrize(("A", "key"), [(UNEVEN, "minus2_uneven"), (UNEVEN.T, "minus2_uneven_transposed")])
def test_uneven_drift_parts_from_openmx_by_a_transposition(A: np.ndarray, key: str) -> None:
    """The definition's integral is ∫ e^{As} Q e^{A's} ds (see test_drift.py); OpenMx's value needs A' and A."""
    assert minus2(A) == pytest.approx(textbook(A, A), abs=1e-9)
    assert textbook(A, A.T) == pytest.approx(REFERENCE[key], abs=1e-9)
    assert abs(minus2(A) - REFERENCE[key]) > 0.4
