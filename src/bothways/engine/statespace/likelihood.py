"""Log-likelihood of irregular series and its exact gradient with respect to every matrix of the model.

ℓ = Σ_persons Σ_rows Σ_answers log N(v; 0, F), by a Kalman filter with scalar updates; the gradient by a reverse sweep.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from bothways.engine.drift import Steps, exact_steps, steps_adjoint
from bothways.engine.kernels import kalman as kernels
from bothways.engine.statespace.series import Series
from bothways.engine.statespace.system import Adjoint, Dynamics, System

ROWS_WORTH_A_THREAD = 20_000
ROWS_WORTH_COMPILING = 50_000  # for this very number of processes, states and indicators; two processes always are


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """What one pass found: ℓ by person, and by row or person the adjoints that the kernels write (else empty)."""

    loglik: Float[np.ndarray, " everyone"]
    transition: Float[np.ndarray, "rows p p"]
    noise: Float[np.ndarray, "rows p p"]
    level: Float[np.ndarray, "rows p"]
    jump: Float[np.ndarray, "rows p"]
    loading: Float[np.ndarray, "people d p"]
    intercept: Float[np.ndarray, "people d"]
    error: Float[np.ndarray, "people d"]
    start_mean: Float[np.ndarray, "people n"]
    start_cov: Float[np.ndarray, "people n n"]


@dataclass(frozen=True, slots=True, eq=False)
class Smoothed:
    """The state at every row given all answers of the person: mean (rows, n) and covariance (rows, n, n)."""

    mean: Float[np.ndarray, "rows n"]
    cov: Float[np.ndarray, "rows n n"]


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Every row foreseen from the rows before it, given or not: mean and SD by indicator, and the processes' level.

    ``density`` is the log density of each answer by itself (NaN where none was given); ``state`` is η foreseen.
    """

    center: Float[np.ndarray, "rows d"]
    spread: Float[np.ndarray, "rows d"]
    density: Float[np.ndarray, "rows d"]
    state: Float[np.ndarray, "rows p"]


def log_likelihood(
    system: System, series: Series, dynamics: Dynamics | None = None
) -> Float[np.ndarray, " people"] | None:
    """ℓ of each person; None where a drift is not stable or an answer was certain beforehand.

    ``dynamics``, where given, holds each person's own drift and diffusion in place of the system's.
    """
    steps = _steps(system, series, dynamics)
    swept = None if steps is None else _sweep(system, series, steps, gradient=False)
    return None if swept is None else swept.loglik


def log_likelihood_gradient(
    system: System,
    series: Series,
    dynamics: Dynamics | None = None,
    *,
    by_person: bool = False,
    moving_loading: bool = True,
) -> tuple[Float[np.ndarray, " people"], Adjoint] | None:
    """ℓ of each person with its gradient, summed over persons or (``by_person``) one for each.

    ``moving_loading=False`` spares the gradient of the loadings, which is then zero. Persons with ``dynamics`` of
    their own have gradients of their own: ``by_person`` must be set.
    """
    steps = _steps(system, series, dynamics)
    if steps is None:
        return None
    swept = _sweep(system, series, steps, gradient=True, moving=moving_loading)
    if swept is None:
        return None
    try:
        return swept.loglik, _assemble(system, series, steps, swept, by_person)
    except np.linalg.LinAlgError:  # a root so near zero that the gradient of the stationary spread is lost
        return None


def smooth(system: System, series: Series) -> Smoothed | None:
    """States given all answers. With m, P a row's prediction and g, G ∂ℓ/∂m, ∂ℓ/∂P from the reverse sweep:

    E(state | all) = m + P g,      V(state | all) = P − P (g g' − 2G) P        (de Jong 1989, whose N is g g' − 2G)
    """
    steps = _steps(system, series, None)
    if steps is None:
        return None
    n = system.processes * (1 + series.basis.shape[1])
    trace = np.empty((series.rows, 2, n)), np.empty((series.rows, 2, n, n))
    if _sweep(system, series, steps, gradient=True, trace=trace) is None:
        return None
    (m, g), (P, G) = trace[0].transpose(1, 0, 2), trace[1].transpose(1, 0, 2, 3)
    Pg = np.einsum("rij,rj->ri", P, g)
    return Smoothed(m + Pg, P - np.einsum("ri,rj->rij", Pg, Pg) + 2.0 * P @ G @ P)


def predict(system: System, series: Series) -> Predictions | None:
    """One-step predictions of every row, before any answer of that row is seen."""
    steps = _steps(system, series, None)
    if steps is None:
        return None
    level, jump = level_and_jump(system, series)
    shape = (series.rows, series.values.shape[1])
    out = Predictions(np.empty(shape), np.empty(shape), np.empty(shape), np.empty((series.rows, system.processes)))
    kernels.predict_rows(
        series.starts, series.values, series.step, steps.transition, steps.noise, level, jump, series.basis,
        system.loading, system.intercept, system.noise, *_start_states(system, series, steps), out.center, out.spread,
        out.density, out.state,
    )  # fmt: skip
    out.state[:] += level
    return out


def level_and_jump(system: System, series: Series) -> tuple[Float[np.ndarray, "rows p"], Float[np.ndarray, "rows p"]]:
    """M w + κ c by row, and what is added to the deviation x at a row: κ (c_before − c_now) + Ξ n."""
    level = series.design @ system.level.T
    if series.inputs.shape[1] == series.impulses.shape[1] == 0:
        return level, np.zeros_like(level)
    forced = series.inputs @ system.inputs.T
    struck = series.impulses @ system.impulses.T
    jump = struck.copy()
    jump[1:] += forced[:-1] - forced[1:]
    jump[series.starts[:-1]] = struck[series.starts[:-1]]
    return level + forced, jump


def _steps(system: System, series: Series, dynamics: Dynamics | None) -> Steps | None:
    """The gap table: one for all, or, where persons have dynamics of their own, one entry a row."""
    if dynamics is None:
        owner = np.zeros(series.gaps.size, np.int64)
        return exact_steps(system.drift[None], system.diffusion[None], owner, series.gaps)
    return exact_steps(dynamics.drift, dynamics.diffusion, series.person, series.gaps[series.step])


def _shared(steps: Steps, series: Series) -> bool:
    return len(steps.drift) == 1 and steps.gaps.size == series.gaps.size


def _start_states(system: System, series: Series, steps: Steps) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of (x, s_1, ..., s_B) at the first row of each person."""
    p, n = system.processes, system.processes * (1 + series.basis.shape[1])
    mean, cov = np.zeros((series.people, n)), np.zeros((series.people, n, n))
    mean[:, :p] = system.start_mean
    cov[:, :p, :p] = steps.stationary if system.start_cov is None else system.start_cov
    cov[:, p:, p:] = system.static_cov
    return mean, cov


def _sweep(
    system: System,
    series: Series,
    steps: Steps,
    *,
    gradient: bool,
    moving: bool = False,
    trace: tuple[np.ndarray, np.ndarray] | None = None,
) -> Sweep | None:
    p, d, n = system.processes, series.values.shape[1], system.processes * (1 + series.basis.shape[1])
    rows, people = (series.rows, series.people) if gradient else (0, 0)
    out = Sweep(
        np.zeros(series.people), np.empty((rows, p, p)), np.empty((rows, p, p)), np.empty((rows, p)),
        np.empty((rows, p)), np.zeros((people, d, p)), np.zeros((people, d)), np.zeros((people, d)),
        np.zeros((people, n)), np.zeros((people, n, n)),
    )  # fmt: skip
    level, jump = level_and_jump(system, series)
    start = _start_states(system, series, steps)
    step = series.step if _shared(steps, series) else np.arange(series.rows)
    traces = (np.empty((0, 2, n)), np.empty((0, 2, n, n))) if trace is None else trace

    usual = (p == 2 and d == 2 and n <= 4) or series.rows >= ROWS_WORTH_COMPILING  # half as long
    sizes: list[Any] = [(0,) * k if usual else k for k in (p, n, d)]

    def work(some: Int[np.ndarray, " some"]) -> bool:
        done = kernels.sweep(
            sizes[0], sizes[1], sizes[2], some, series.starts, series.values, step, steps.transition, steps.noise,
            level, jump, series.basis, system.loading, system.intercept, system.noise, *start, gradient, moving,
            out.loglik, out.transition, out.noise, out.level, out.jump, out.loading, out.intercept, out.error,
            out.start_mean, out.start_cov, *traces,
        )  # fmt: skip
        return bool(done)

    return out if _in_threads(work, series) else None


def _in_threads(work: Callable[[np.ndarray], bool], series: Series) -> bool:
    """Persons in two halves on two threads where there is enough to do; the halves share no number."""
    everyone = np.arange(series.people)
    if series.rows < ROWS_WORTH_A_THREAD or series.people < 2:
        return work(everyone)
    with ThreadPoolExecutor(2) as pool:
        return all(pool.map(work, np.array_split(everyone, 2)))


def _assemble(system: System, series: Series, steps: Steps, swept: Sweep, by_person: bool) -> Adjoint:
    """Chain the adjoints of rows and persons to those of the matrices."""
    p = system.processes

    def total(pieces: np.ndarray) -> np.ndarray:
        return pieces if by_person else pieces.sum(axis=0, keepdims=True)

    def rows(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        if not by_person:
            return np.asarray((left.T @ right)[None])
        return _products_by_person(left, right, series.starts)

    start_cov = total(swept.start_cov)
    first = start_cov[:, :p, :p]
    none = np.zeros_like(first)
    stationary_bar, free_start = (first, none) if system.start_cov is None else (none, first)
    drift, diffusion = _dynamics_adjoint(series, steps, swept, by_person, stationary_bar)
    before = np.roll(series.inputs, 1, axis=0)
    before[series.starts[:-1]] = series.inputs[series.starts[:-1]]
    return Adjoint(
        drift=drift,
        diffusion=diffusion,
        loading=total(swept.loading),
        intercept=total(swept.intercept),
        noise=total(swept.error),
        level=rows(swept.level, series.design),
        inputs=rows(swept.level, series.inputs) + rows(swept.jump, before - series.inputs),
        impulses=rows(swept.jump, series.impulses),
        static_cov=start_cov[:, p:, p:],
        start_mean=total(swept.start_mean)[:, :p],
        start_cov=free_start,
    )


def _dynamics_adjoint(
    series: Series, steps: Steps, swept: Sweep, by_person: bool, stationary_bar: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rows are summed into gaps before the adjoint of the exponential, unless each person keeps their own."""
    if not by_person:
        E_bar, Q_bar = np.zeros_like(steps.transition), np.zeros_like(steps.noise)
        kernels.sum_by_gap(series.step, swept.transition, swept.noise, E_bar, Q_bar)
        return steps_adjoint(steps, np.zeros(series.gaps.size, np.int64), E_bar, Q_bar, stationary_bar)
    by_row = steps
    if _shared(steps, series):
        at = series.step
        by_row = Steps(
            steps.drift, np.zeros(series.rows, np.int64), series.gaps[at], steps.transition[at], steps.noise[at],
            steps.stationary, steps.spectrum,
        )  # fmt: skip
    return steps_adjoint(by_row, series.person, swept.transition, swept.noise, stationary_bar)


def _products_by_person(left: np.ndarray, right: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Σ over each person's rows of left right'."""
    if right.shape[1] == 0:
        return np.zeros((starts.size - 1, left.shape[1], 0))
    return np.asarray(np.add.reduceat(np.einsum("ri,rj->rij", left, right), starts[:-1], axis=0))
