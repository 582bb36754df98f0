"""Draw answers from a model at the occasions of a series (for the parametric bootstrap)."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from bothways.engine.drift import exact_steps
from bothways.engine.statespace.passes import level_and_jump
from bothways.engine.statespace.series import Series
from bothways.engine.statespace.system import System


def simulate_answers(system: System, series: Series, rng: np.random.Generator) -> Float[np.ndarray, "rows indicators"]:
    """New answers at the same times, missing where the old ones were.

    Raises ValueError where the drift is not stable.
    """
    steps = exact_steps(system.drift[None], system.diffusion[None], np.zeros(series.gaps.size, np.int64), series.gaps)
    if steps is None:
        raise ValueError("the drift is not stable")
    p, first = system.processes, series.starts[:-1]
    level, jump = level_and_jump(system, series)
    roots = _roots(steps.noise)
    start = _roots((steps.stationary[0] if system.start_cov is None else system.start_cov)[None])[0]
    lengths = np.diff(series.starts)
    x = np.empty((series.rows, p))
    x[first] = system.start_mean + rng.standard_normal((series.people, p)) @ start.T + jump[first]
    for t in range(1, int(lengths.max())):
        rows = first[lengths > t] + t
        k = series.step[rows]
        shock = np.einsum("rij,rj->ri", roots[k], rng.standard_normal((rows.size, p)))
        x[rows] = np.einsum("rij,rj->ri", steps.transition[k], x[rows - 1]) + shock + jump[rows]
    static = rng.standard_normal((series.people, system.static_cov.shape[0])) @ _roots(system.static_cov[None])[0].T
    for b in range(series.basis.shape[1]):
        x = x + series.basis[:, b : b + 1] * static[series.person, b * p : (b + 1) * p]
    error = rng.standard_normal(series.values.shape) * np.sqrt(system.noise)
    answers = (level + x) @ system.loading.T + system.intercept + error
    return np.where(np.isnan(series.values), np.nan, answers)


def _roots(C: Float[np.ndarray, "n p p"]) -> Float[np.ndarray, "n p p"]:
    """A root of each covariance, singular ones included."""
    if C.shape[1] == 0:
        return C
    values, vectors = np.linalg.eigh(C)
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0))[:, None, :])
