"""Witnesses of the filter that share no line with it: the joint normal density written down from the definition."""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm, solve_continuous_lyapunov
from scipy.stats import multivariate_normal

from bothways.engine.statespace.series import Series, make_series
from bothways.engine.statespace.system import System


def van_loan(A: np.ndarray, Q: np.ndarray, h: float) -> tuple[np.ndarray, np.ndarray]:
    """exp(Ah) and ∫₀ʰ e^{As} Q e^{A's} ds from one block exponential (Van Loan 1978); long gaps by doubling."""
    p = len(A)
    if h * np.abs(A).max() > 4:
        E, Q_half = van_loan(A, Q, h / 2)
        return E @ E, E @ Q_half @ E.T + Q_half
    V = expm(np.block([[-A, Q], [np.zeros((p, p)), A.T]]) * h)
    return V[p:, p:].T, V[p:, p:].T @ V[:p, p:]


def forced_step(A: np.ndarray, psi: np.ndarray, h: float) -> np.ndarray:
    """A⁻¹(E − I)Ψ as the upper right block of exp([[A, Ψ], [0, 0]] h)."""
    p, c = psi.shape
    block = np.zeros((p + c, p + c))
    block[:p, :p], block[:p, p:] = A, psi
    return expm(block * h)[:p, p:]


def joint_moments(system: System, series: Series, person: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and covariance of (x + forced level, s) at every row, stacked, and the loading of every answer on them."""
    A, p = system.drift, system.processes
    rows = range(series.starts[person], series.starts[person + 1])
    S = solve_continuous_lyapunov(A, -system.diffusion)
    cov_x = S if system.start_cov is None else system.start_cov
    psi = -A @ system.inputs
    T, n_static = len(rows), system.static_cov.shape[0]
    mean, cov = np.zeros(T * p + n_static), np.zeros((T * p + n_static,) * 2)
    x = system.start_mean + system.inputs @ series.inputs[rows[0]] + system.impulses @ series.impulses[rows[0]]
    for t, row in enumerate(rows):
        here = slice(t * p, t * p + p)
        if t > 0:
            h = round((series.time[row] - series.time[row - 1]) * 1440) / 1440
            E, Q = van_loan(A, system.diffusion, h)
            x = E @ x + forced_step(A, psi, h) @ series.inputs[row - 1] + system.impulses @ series.impulses[row]
            cov_x = E @ cov_x @ E.T + Q
            before = slice(0, t * p)
            cov[here, before] = E @ cov[(t - 1) * p : t * p, before]
            cov[before, here] = cov[here, before].T
        mean[here], cov[here, here] = x, cov_x
    cov[T * p :, T * p :] = system.static_cov
    d = len(system.loading)
    weights = np.zeros((T * d, T * p + n_static))
    for t, row in enumerate(rows):
        weights[t * d : t * d + d, t * p : t * p + p] = system.loading
        for b in range(series.basis.shape[1]):
            place = slice(T * p + b * p, T * p + b * p + p)
            weights[t * d : t * d + d, place] = series.basis[row, b] * system.loading
    return mean, cov, weights


def answers(system: System, series: Series, person: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean and covariance of all answers of a person, and the answers."""
    mean, cov, weights = joint_moments(system, series, person)
    rows = slice(series.starts[person], series.starts[person + 1])
    fixed = (series.design[rows] @ system.level.T) @ system.loading.T + system.intercept
    y = series.values[rows].ravel()
    noise = np.tile(system.noise, series.values[rows].shape[0])
    return weights @ mean + fixed.ravel(), weights @ cov @ weights.T + np.diag(noise), y


def dense_log_likelihood(system: System, series: Series, person: int) -> float:
    """The normal density of the answers that were given."""
    mean, cov, y = answers(system, series, person)
    given = np.isfinite(y)
    if not given.any():
        return 0.0
    return float(multivariate_normal(mean[given], cov[np.ix_(given, given)], allow_singular=False).logpdf(y[given]))


def dense_smooth(system: System, series: Series, person: int) -> tuple[np.ndarray, np.ndarray]:
    """The states given all answers, by conditioning the joint normal; forced level included in x."""
    mean, cov, weights = joint_moments(system, series, person)
    center, spread, y = answers(system, series, person)
    given = np.isfinite(y)
    gain = cov @ weights[given].T @ np.linalg.inv(spread[np.ix_(given, given)])
    return mean + gain @ (y - center)[given], cov - gain @ weights[given] @ cov


def random_drift(rng: np.random.Generator, p: int, kind: str = "any") -> np.ndarray:
    """A stable drift; kinds: any, equal (defective, p = 2), near (nearly equal roots), complex."""
    if p == 2 and kind == "equal":
        return np.array([[-0.7, 0.3], [0.0, -0.7]])
    if p == 2 and kind == "near":
        return np.array([[-0.7, 0.3], [1e-9, -0.7 - 1e-8]])
    if p == 2 and kind == "complex":
        return np.array([[-0.5, 1.3], [-0.9, -0.4]])
    if kind == "equal":
        return -0.7 * np.eye(p) + np.diag(np.full(p - 1, 0.4), 1)
    A = rng.normal(0, 0.5, (p, p))
    if kind == "complex":
        A[0, 1], A[1, 0] = 2.0, -2.0
    return A - np.eye(p) * (np.linalg.eigvals(A).real.max() + 0.3)


def random_case(
    rng: np.random.Generator,
    p: int = 2,
    kind: str = "any",
    *,
    people: int = 3,
    rows: int = 8,
    bases: int = 1,
    indicators: int | None = None,
    noise: bool = True,
    inputs: int = 0,
    impulses: int = 0,
    free_start: bool = False,
    gaps: tuple[float, float] = (0.05, 2.0),
) -> tuple[System, Series]:
    """A random model and random irregular, incomplete series for it."""
    d = p if indicators is None else indicators
    root = rng.normal(0, 0.5, (p, p)) + np.eye(p)
    start_root = rng.normal(0, 0.5, (p, p)) + np.eye(p)
    static_root = rng.normal(0, 0.5, (p * bases, p * bases))
    system = System(
        drift=random_drift(rng, p, kind),
        diffusion=root @ root.T,
        loading=np.vstack([np.eye(p), rng.normal(0.5, 0.3, (d - p, p))]),
        intercept=np.concatenate([np.zeros(p), rng.normal(size=d - p)]),
        noise=rng.uniform(0.1, 0.5, d) if noise else np.concatenate([np.zeros(p), np.full(d - p, 0.3)]),
        level=rng.normal(size=(p, 2)),
        inputs=rng.normal(size=(p, inputs)),
        impulses=rng.normal(size=(p, impulses)),
        static_cov=static_root @ static_root.T + 0.1 * np.eye(p * bases),
        start_mean=rng.normal(size=p) if free_start else np.zeros(p),
        start_cov=start_root @ start_root.T if free_start else None,
    )
    n = people * rows
    person = np.repeat(np.arange(people), rows)
    time = np.concatenate(
        [np.cumsum(np.exp(rng.uniform(np.log(gaps[0]), np.log(gaps[1]), rows))) for _ in range(people)]
    )
    time = np.rint(time * 1440) / 1440
    values = rng.normal(size=(n, d))
    values[rng.random((n, d)) < 0.25] = np.nan
    series = make_series(
        person,
        time,
        values,
        design=np.column_stack([np.ones(n), time]),
        inputs=rng.integers(0, 2, (n, inputs)).astype(float),
        impulses=(rng.random((n, impulses)) < 0.2).astype(float),
        basis=np.column_stack([np.ones(n), time / 5][:bases]) if bases else None,
    )
    return system, series
