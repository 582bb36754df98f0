"""Log-likelihood of irregular series and its exact gradient with respect to every matrix of the model.

ℓ = Σ_persons Σ_rows Σ_answers log N(v; 0, F), by a Kalman filter with scalar updates; the gradient by a reverse sweep.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from bothways.engine.drift import Steps, steps_adjoint
from bothways.engine.kernels import kalman as kernels
from bothways.engine.statespace.grouped import Grouped, grouped_pass
from bothways.engine.statespace.passes import (
    Sweep,
    complete_pass,
    filter_pass,
    gap_table,
    is_complete,
    level_and_jump,
    shared_table,
    start_states,
)
from bothways.engine.statespace.series import Series
from bothways.engine.statespace.system import Adjoint, Dynamics, System


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
    steps = gap_table(system, series, dynamics)
    if steps is None:
        return None
    swept = complete_pass(system, series, steps, gradient=False) if is_complete(system, series) else None
    swept = swept or filter_pass(system, series, steps, gradient=False)
    return None if swept is None else swept.loglik


def log_likelihood_gradient(
    system: System,
    series: Series,
    dynamics: Dynamics | None = None,
    *,
    by_person: bool = False,
    moving_loading: bool = True,
    moving_noise: bool = True,
) -> tuple[Float[np.ndarray, " people"], Adjoint] | None:
    """ℓ of each person with its gradient, summed over persons or (``by_person``) one for each.

    ``moving_loading=False`` spares the gradient of the loadings, which is then zero, and ``moving_noise=False`` that of
    the error variances where there are none. Persons with ``dynamics`` of their own have gradients of their own:
    ``by_person`` must be set. Those who share the dynamics count by the weights of the series.
    """
    steps = gap_table(system, series, dynamics)
    if steps is None:
        return None
    swept = None
    if not moving_loading and not moving_noise and is_complete(system, series):
        swept = complete_pass(system, series, steps, gradient=True)
    if swept is None:
        swept = filter_pass(system, series, steps, gradient=True, moving=moving_loading)
    if swept is None:
        return None
    if dynamics is None and series.weight is not None:
        swept = _weighed(swept, series.weight, series.person)
    try:
        return swept.loglik, _assemble(system, series, steps, swept, by_person)
    except np.linalg.LinAlgError:  # a root so near zero that the gradient of the stationary spread is lost
        return None


def grouped_gradient(system: System, grouped: Grouped) -> tuple[Float[np.ndarray, " groups"], Adjoint] | None:
    """ℓ of each group of persons, and its gradient summed over them; weights have been counted in."""
    steps = gap_table(system, grouped.shape, None)
    swept = None if steps is None else grouped_pass(system, grouped, steps)
    if steps is None or swept is None:
        return None
    try:
        return swept.loglik, _assemble(system, grouped.shape, steps, swept, False)
    except np.linalg.LinAlgError:
        return None


def smooth(system: System, series: Series) -> Smoothed | None:
    """States given all answers. With m, P a row's prediction and g, G ∂ℓ/∂m, ∂ℓ/∂P from the reverse sweep:

    E(state | all) = m + P g,      V(state | all) = P − P (g g' − 2G) P        (de Jong 1989, whose N is g g' − 2G)
    """
    steps = gap_table(system, series, None)
    if steps is None:
        return None
    n = system.processes * (1 + series.basis.shape[1])
    trace = np.empty((series.rows, 2, n)), np.empty((series.rows, 2, n, n))
    if filter_pass(system, series, steps, gradient=True, trace=trace) is None:
        return None
    (m, g), (P, G) = trace[0].transpose(1, 0, 2), trace[1].transpose(1, 0, 2, 3)
    Pg = np.einsum("rij,rj->ri", P, g)
    return Smoothed(m + Pg, P - np.einsum("ri,rj->rij", Pg, Pg) + 2.0 * P @ G @ P)


def predict(system: System, series: Series) -> Predictions | None:
    """One-step predictions of every row, before any answer of that row is seen."""
    steps = gap_table(system, series, None)
    if steps is None:
        return None
    level, jump = level_and_jump(system, series)
    shape = (series.rows, series.values.shape[1])
    out = Predictions(np.empty(shape), np.empty(shape), np.empty(shape), np.empty((series.rows, system.processes)))
    kernels.predict_rows(
        series.starts, series.values, series.step, steps.transition, steps.noise, level, jump, series.basis,
        system.loading, system.intercept, system.noise, *start_states(system, series, steps), out.center, out.spread,
        out.density, out.state,
    )  # fmt: skip
    out.state[:] += level
    return out


def _weighed(swept: Sweep, weight: np.ndarray, person: np.ndarray) -> Sweep:
    """All that is linear in the persons' ℓ, times their weights; pieces that were not wanted are empty or zero."""

    def times(piece: np.ndarray, each: np.ndarray) -> np.ndarray:
        return piece * each.reshape(-1, *(1,) * (piece.ndim - 1)) if len(piece) else piece

    w, by_row = weight, weight[person]
    return Sweep(
        times(swept.loglik, w), times(swept.transition, by_row), times(swept.noise, by_row), times(swept.level, by_row),
        times(swept.jump, by_row), times(swept.loading, w), times(swept.intercept, w), times(swept.error, w),
        times(swept.start_mean, w), times(swept.start_cov, w),
    )  # fmt: skip


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
    if shared_table(steps, series):
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
