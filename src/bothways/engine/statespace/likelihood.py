"""Log-likelihood of irregular series and its exact gradient with respect to every matrix of the model.

ℓ = Σ_persons Σ_rows Σ_answers log N(v; 0, F), by a Kalman filter with scalar updates; the gradient by one reverse sweep.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from bothways.engine.drift import Steps, exact_steps, steps_adjoint
from bothways.engine.kernels import kalman as kernels
from bothways.engine.statespace.series import Series
from bothways.engine.statespace.system import Adjoint, System

ROWS_WORTH_A_THREAD = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """What one pass found: ℓ by person, and by row or person the adjoints that the kernels write (empty without them)."""

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


def log_likelihood(system: System, series: Series) -> Float[np.ndarray, " people"] | None:
    """ℓ of each person; None where the drift is not stable or an answer was certain beforehand."""
    steps = exact_steps(system.drift, system.diffusion, series.gaps)
    swept = None if steps is None else _sweep(system, series, steps, gradient=False, moving=False)
    return None if swept is None else swept.loglik


def log_likelihood_gradient(
    system: System, series: Series, *, by_person: bool = False, moving_loading: bool = True
) -> tuple[Float[np.ndarray, " people"], Adjoint] | None:
    """ℓ of each person with its gradient, summed over persons or (``by_person``) one for each.

    ``moving_loading=False`` spares the gradient of the loadings, which is then zero.
    """
    steps = exact_steps(system.drift, system.diffusion, series.gaps)
    if steps is None:
        return None
    swept = _sweep(system, series, steps, gradient=True, moving=moving_loading)
    return None if swept is None else (swept.loglik, _assemble(system, series, steps, swept, by_person))


def smooth(system: System, series: Series) -> Smoothed | None:
    """States given all answers, from the reverse sweep: E = m + P g, V = P − P (g g' − 2G) P (de Jong 1989)."""
    steps = exact_steps(system.drift, system.diffusion, series.gaps)
    if steps is None:
        return None
    n = system.processes * (1 + series.basis.shape[1])
    out = Smoothed(np.empty((series.rows, n)), np.empty((series.rows, n, n)))
    return None if _sweep(system, series, steps, gradient=True, moving=False, smoothed=out) is None else out


def level_and_jump(system: System, series: Series) -> tuple[np.ndarray, np.ndarray]:
    """M w + κ c by row, and what is added to the deviation x at a row: κ (c_before − c_now) + Ξ n."""
    forced = series.inputs @ system.inputs.T
    level = series.design @ system.level.T + forced
    jump = series.impulses @ system.impulses.T
    jump[1:] += forced[:-1] - forced[1:]
    first = series.starts[:-1]
    jump[first] = series.impulses[first] @ system.impulses.T
    return level, jump


def start_state(system: System, S: np.ndarray, bases: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of (x, s_1, ..., s_B) at the first row."""
    p = system.processes
    mean, cov = np.zeros(p * (1 + bases)), np.zeros((p * (1 + bases),) * 2)
    mean[:p] = system.start_mean
    cov[:p, :p] = S if system.start_cov is None else system.start_cov
    cov[p:, p:] = system.static_cov
    return mean, cov


def _sweep(
    system: System, series: Series, steps: Steps, *, gradient: bool, moving: bool, smoothed: Smoothed | None = None
) -> Sweep | None:
    p, d, n = system.processes, series.values.shape[1], system.processes * (1 + series.basis.shape[1])
    rows, people = (series.rows, series.people) if gradient else (0, 0)
    out = Sweep(
        np.zeros(series.people), np.empty((rows, p, p)), np.empty((rows, p, p)), np.empty((rows, p)),
        np.empty((rows, p)), np.zeros((people, d, p)), np.zeros((people, d)), np.zeros((people, d)),
        np.zeros((people, n)), np.zeros((people, n, n)),
    )  # fmt: skip
    level, jump = level_and_jump(system, series)
    start = start_state(system, steps.stationary, series.basis.shape[1])
    seen = (np.empty((0, n)), np.empty((0, n, n))) if smoothed is None else (smoothed.mean, smoothed.cov)

    def work(people: Int[np.ndarray, " some"]) -> bool:
        return bool(
            kernels.sweep(
                people,
                series.starts,
                series.values,
                series.step,
                steps.transition,
                steps.noise,
                level,
                jump,
                series.basis,
                system.loading,
                system.intercept,
                system.noise,
                *start,
                gradient,
                moving,
                out.loglik,
                out.transition,
                out.noise,
                out.level,
                out.jump,
                out.loading,
                out.intercept,
                out.error,
                out.start_mean,
                out.start_cov,
                *seen,
            )  # fmt: skip
        )

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
    p, people = system.processes, series.people
    person = series.person if by_person else np.zeros(series.rows, np.int64)

    def total(pieces: np.ndarray) -> np.ndarray:
        return pieces if by_person else pieces.sum(axis=0, keepdims=True)

    def rows(left: np.ndarray, right: np.ndarray) -> np.ndarray:
        if not by_person:
            return (left.T @ right)[None]
        products = np.einsum("ri,rj->rij", left, right)
        return (
            np.add.reduceat(products, series.starts[:-1], axis=0)
            if right.shape[1]
            else np.zeros((people, left.shape[1], 0))
        )

    start_cov = total(swept.start_cov)
    first = start_cov[:, :p, :p]
    none = np.zeros_like(first)
    stationary_bar, free_start = (first, none) if system.start_cov is None else (none, first)
    if by_person:
        drift, diffusion = steps_adjoint(steps, series.step, person, swept.transition, swept.noise, stationary_bar)
    else:
        E_bar, Q_bar = np.zeros_like(steps.transition), np.zeros_like(steps.noise)
        kernels.sum_by_gap(series.step, swept.transition, swept.noise, E_bar, Q_bar)
        which = np.arange(steps.gaps.size)
        drift, diffusion = steps_adjoint(steps, which, np.zeros_like(which), E_bar, Q_bar, stationary_bar)
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
