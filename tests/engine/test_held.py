"""A process held and let go: against simulation step by step, closed forms, and small steps of time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from bothways.engine.held import held_steps, held_times

B = np.array([[0.4, 0.1, -0.2], [0.3, 0.5, 0.1], [0.0, -0.3, 0.6]])
A = np.array([[-0.8, 0.2, 0.1], [0.5, -1.1, -0.3], [0.1, 0.4, -0.5]])


def test_steps_are_what_noise_drawn_alike_leaves_between_two_lives() -> None:
    """The same disturbances with and without the change: what differs is the course, in everybody."""
    rng = np.random.default_rng(1)
    start, noise = rng.normal(size=(40, 3)), rng.normal(size=(40, 9, 3))
    free, put = start.copy(), start.copy()
    put[:, 1] = free[:, 1] + 1.5
    course = held_steps(B[None], 1, 1.5, 4, 8)[0]
    for s in range(9):
        np.testing.assert_allclose((put - free).mean(axis=0), course[s], atol=1e-12)
        was = free
        free = free @ B.T + noise[:, s]
        put = put @ B.T + noise[:, s]
        if s + 1 < 4:
            put[:, 1] = free[:, 1] + 1.5  # its own equation is replaced: it stands where it was put
        assert was is not free


def test_two_processes_in_closed_form() -> None:
    """Held throughout, the other nears b c/(1 − a): x_s = c b (1 − a^s)/(1 − a); let go at once it follows B^s."""
    lags = np.array([[0.5, 0.3], [0.2, 0.4]])
    held = held_steps(lags[None], 0, 2.0, 99, 12)[0]
    s = np.arange(13)
    np.testing.assert_allclose(held[:, 1], 2.0 * 0.2 * (1 - 0.4**s) / (1 - 0.4), rtol=1e-12)
    np.testing.assert_allclose(held[:, 0], 2.0)
    pulse = held_steps(lags[None], 0, 2.0, 1, 6)[0]
    np.testing.assert_allclose(pulse[5], 2.0 * np.linalg.matrix_power(lags, 5)[:, 0], rtol=1e-12)


def test_time_is_the_limit_of_small_steps() -> None:
    times, hold = np.linspace(0, 6, 25), 2.0

    def slope(t: float, x: np.ndarray) -> np.ndarray:
        moved = A @ x
        if t < hold:
            moved[2] = 0.0
        return np.asarray(moved)

    first = solve_ivp(slope, (0, hold), [0, 0, -1.0], t_eval=times[times <= hold], rtol=1e-11, atol=1e-13)
    after = solve_ivp(slope, (hold, 6), first.y[:, -1], t_eval=times[times > hold], rtol=1e-11, atol=1e-13)
    found = held_times(A[None], 2, -1.0, hold, times)[0]
    np.testing.assert_allclose(found, np.concatenate([first.y, after.y], axis=1).T, atol=1e-8)


def test_held_for_ever_the_others_settle() -> None:
    found = held_times(A[None], 0, 1.0, np.inf, np.array([0.0, 200.0]))[0]
    np.testing.assert_allclose(found[0], [1.0, 0.0, 0.0], atol=1e-12)
    np.testing.assert_allclose(found[1, 1:], -np.linalg.solve(A[1:, 1:], A[1:, 0]), rtol=1e-9)


def test_holding_is_not_seeing() -> None:
    """Where processes are disturbed together, one that is seen high tells of the other at once; one held high not."""
    assert held_times(A[None], 0, 1.0, 1.0, np.array([0.0]))[0, 0, 1] == 0.0


@given(st.floats(-3, 3), st.integers(1, 6), st.integers(0, 2))
def test_courses_are_linear_in_the_change(size: float, hold: int, which: int) -> None:
    one, many = (held_steps(B[None], which, c, hold, 8) for c in (1.0, size))
    np.testing.assert_allclose(many, size * one, atol=1e-12)
    stacked = held_steps(np.stack([B, B.T]), which, size, hold, 8)
    np.testing.assert_allclose(stacked[0], many[0], atol=1e-12)
