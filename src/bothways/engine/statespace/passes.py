"""One pass over all rows: the filter with its reverse sweep, or the short cut for complete answers without error.

Either finds ℓ by person and, by row or person, the adjoints that `likelihood` chains to those of the matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from bothways.engine.drift import Steps, exact_steps
from bothways.engine.kernels import kalman as kernels
from bothways.engine.kernels import statespace_complete as complete_kernels
from bothways.engine.statespace.series import Series
from bothways.engine.statespace.system import Dynamics, System

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


def gap_table(system: System, series: Series, dynamics: Dynamics | None) -> Steps | None:
    """The gap table: one for all, or, where persons have dynamics of their own, one entry a row."""
    if dynamics is None:
        owner = np.zeros(series.gaps.size, np.int64)
        return exact_steps(system.drift[None], system.diffusion[None], owner, series.gaps)
    return exact_steps(dynamics.drift, dynamics.diffusion, series.person, series.gaps[series.step])


def shared_table(steps: Steps, series: Series) -> bool:
    return len(steps.drift) == 1 and steps.gaps.size == series.gaps.size


def start_states(system: System, series: Series, steps: Steps) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of (x, s_1, ..., s_B) at the first row of each person."""
    p, n = system.processes, system.processes * (1 + series.basis.shape[1])
    mean, cov = np.zeros((series.people, n)), np.zeros((series.people, n, n))
    mean[:, :p] = system.start_mean
    cov[:, :p, :p] = steps.stationary if system.start_cov is None else system.start_cov
    cov[:, p:, p:] = system.static_cov
    return mean, cov


def filter_pass(
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
    start = start_states(system, series, steps)
    step = series.step if shared_table(steps, series) else np.arange(series.rows)
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


def is_complete(system: System, series: Series) -> bool:
    """Whether every answer is given and is its process itself, without error and without a deviation of the person."""
    p = system.processes
    follows = np.ones(series.rows, bool)
    follows[series.starts[:-1]] = False
    return (
        series.basis.shape[1] == 0
        and series.values.shape[1] == p
        and not system.noise.any()
        and np.array_equal(system.loading, np.eye(p))
        and bool(np.isfinite(series.values).all())
        and bool((series.gaps[series.step[follows]] > 0).all())
    )


def complete_pass(system: System, series: Series, steps: Steps, *, gradient: bool) -> Sweep | None:
    """As `_sweep`, without a filter; None where a covariance is not positive to rounding."""
    p = system.processes
    rows, people = (series.rows, series.people) if gradient else (0, 0)
    out = Sweep(
        np.zeros(series.people), np.empty((rows, p, p)), np.empty((rows, p, p)), np.empty((rows, p)),
        np.empty((rows, p)), np.zeros((people, p, p)), np.zeros((people, p)), np.zeros((people, p)),
        np.zeros((people, p)), np.zeros((people, p, p)),
    )  # fmt: skip
    level, jump = level_and_jump(system, series)
    start_mean, start_cov = start_states(system, series, steps)
    inverses, logs = np.zeros_like(steps.noise), np.zeros(len(steps.noise))
    first_inverses, first_logs = np.empty_like(start_cov), np.empty(series.people)
    shared = shared_table(steps, series)
    used = np.flatnonzero(steps.gaps > 0)  # first rows stand at gap zero, whose noise is none
    some, some_logs = np.empty((used.size, p, p)), np.empty(used.size)
    if not complete_kernels.invert(steps.noise[used], some, some_logs):
        return None
    inverses[used], logs[used] = some, some_logs
    if not complete_kernels.invert(start_cov, first_inverses, first_logs):
        return None
    step = series.step if shared else np.arange(series.rows)
    size: Any = (0,) * p

    def work(some: Int[np.ndarray, " some"]) -> bool:
        complete_kernels.sweep(
            size, some, series.starts, series.values, step, steps.transition, inverses, logs, first_inverses,
            first_logs, level, jump, system.intercept, start_mean, gradient, out.loglik, out.transition, out.noise,
            out.level, out.jump, out.intercept, out.start_mean, out.start_cov,
        )  # fmt: skip
        return True

    return out if _in_threads(work, series) and np.isfinite(out.loglik).all() else None


def _in_threads(work: Callable[[np.ndarray], bool], series: Series) -> bool:
    """Persons in two halves on two threads where there is enough to do; the halves share no number."""
    everyone = np.arange(series.people)
    if series.rows < ROWS_WORTH_A_THREAD or series.people < 2:
        return work(everyone)
    with ThreadPoolExecutor(2) as pool:
        return all(pool.map(work, np.array_split(everyone, 2)))
