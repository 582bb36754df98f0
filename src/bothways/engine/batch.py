"""Many complete data sets at once: replications of a simulation, bootstrap draws, sensitivity cells.

Every data set is its means and covariances (divisor n); the cost is free of the number of people. The compiled loop
needs a model whose cells are linear in α (no curves), each owned by one parameter, and without feedback loops;
other models are fitted one by one by the general code, with the same results.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.engine.fitting import objective, unidentified
from bothways.engine.moments import Kind
from bothways.engine.panel_models.builder import PathModel, start_vector
from bothways.engine.patterns import moment_data
from bothways.engine.scoring import maximise

if TYPE_CHECKING:
    from bothways.engine.kernels.paths import Plan

TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class BatchFit:
    """Estimates by replicate. `covariance` is the inverse expected information (NaN where singular,
    and then the replicate does not count as converged).

    `names` are the free parameters; saturated means are left out, because the other estimates do not depend on them.
    """

    names: tuple[str, ...]
    alpha: Float[np.ndarray, "replicates free"]
    covariance: Float[np.ndarray, "replicates free free"]
    loglik: Float[np.ndarray, " replicates"]
    converged: Bool[np.ndarray, " replicates"]
    iterations: Int[np.ndarray, " replicates"]

    @property
    def errors(self) -> Float[np.ndarray, "replicates free"]:
        """Standard errors."""
        return np.asarray(np.sqrt(np.einsum("rii->ri", self.covariance)))


def fit_batch(
    model: PathModel,
    covariances: Float[np.ndarray, "replicates groups p p"],
    people: Float[np.ndarray, " groups"],
    means: Float[np.ndarray, "replicates groups p"] | None = None,
    start: Float[np.ndarray, " free"] | None = None,
) -> BatchFit:
    """Fit every replicate from one start: `start` (in the order of the returned names), else the fit of their average.

    Replicates that do not converge from there are tried again from their own starting values.

    Raises ValueError if the model structures the means and none are given.
    """
    slim = without_saturated_means(model)
    if means is None and slim is model and model.structure.where(Kind.NU).size + model.structure.where(Kind.M).size:
        raise ValueError("this model structures the means; pass them")
    zero = np.zeros(covariances.shape[:-1])
    centre = zero if means is None or slim is not model else means
    plan = plan_of(slim)

    def run(which: np.ndarray, starts: np.ndarray) -> BatchFit:
        return _fit(slim, plan, centre[which], covariances[which], people, starts)

    everything = np.arange(len(covariances))
    if start is None:
        middle = _middle(slim, plan, centre, covariances, people)
        found = run(everything, np.tile(middle, (len(everything), 1)))
    else:
        found = run(everything, np.tile(start, (len(everything), 1)))
    again = everything[~found.converged]
    if len(again) == 0:
        return found
    return _replaced(found, again, run(again, _own_starts(slim, centre[again], covariances[again])))


def _middle(
    model: PathModel, plan: "Plan | None", means: np.ndarray, covariances: np.ndarray, people: np.ndarray
) -> np.ndarray:
    """The estimates from the average of all data sets: near to every replicate, and fitted only once."""
    mean, cov = means.mean(axis=0, keepdims=True), covariances.mean(axis=0, keepdims=True)
    return np.asarray(_fit(model, plan, mean, cov, people, _own_starts(model, mean, cov)).alpha[0])


def _fit(
    model: PathModel,
    plan: "Plan | None",
    means: np.ndarray,
    covariances: np.ndarray,
    people: np.ndarray,
    starts: np.ndarray,
) -> BatchFit:
    if plan is None:
        return _one_by_one(model, means, covariances, people, starts)
    from bothways.engine.kernels.paths import fit_complete

    R, q = starts.shape
    alpha, V = np.empty((R, q)), np.empty((R, q, q))
    loglik, decrement, steps = np.empty(R), np.empty(R), np.empty(R, np.int64)
    fit_complete(plan, people, means, covariances, starts, TOLERANCE, 200, alpha, loglik, decrement, steps, V)
    good = (decrement < TOLERANCE) & np.isfinite(V).all(axis=(1, 2))
    return BatchFit(model.names, alpha, V, loglik, good, steps)


def _replaced(found: BatchFit, places: np.ndarray, better: BatchFit) -> BatchFit:
    """`found` with some replicates exchanged."""
    for part in ("alpha", "covariance", "loglik", "converged", "iterations"):
        getattr(found, part)[places] = getattr(better, part)
    return found


def without_saturated_means(model: PathModel) -> PathModel:
    """The covariance structure alone, where every observed mean has its own free parameter; else the model itself."""
    s, map_ = model.structure, model.parameters
    nu = s.where(Kind.NU)
    cells = len(s.kind)
    rows = np.concatenate([g * cells + nu for g in range(model.groups)]).astype(int)
    columns = np.flatnonzero(np.any(map_.linear[rows] != 0, axis=0))
    saturated = len(columns) == len(rows) == model.groups * len(model.observed)
    if not saturated or s.where(Kind.M).size or s.m.any():
        return model
    keep_rows = np.setdiff1d(np.arange(len(map_.offset)), rows)
    keep = np.setdiff1d(np.arange(len(map_.names)), columns)
    cell_place = np.full(len(map_.offset), -1)
    cell_place[keep_rows] = np.arange(len(keep_rows))
    free_place = np.full(len(map_.names), -1)
    free_place[keep] = np.arange(len(keep))
    curves = tuple(
        replace(
            curve,
            inputs=tuple(int(free_place[i]) for i in curve.inputs),
            outputs=tuple(int(cell_place[o]) for o in curve.outputs),
        )
        for curve in map_.curves
    )
    parameters = replace(
        map_,
        names=tuple(map_.names[i] for i in keep),
        offset=map_.offset[keep_rows],
        linear=map_.linear[np.ix_(keep_rows, keep)],
        curves=curves,
    )
    others = np.setdiff1d(np.arange(cells), nu)
    structure = replace(s, kind=s.kind[others], row=s.row[others], column=s.column[others], nu=np.zeros_like(s.nu))
    return replace(model, structure=structure, parameters=parameters)


def plan_of(model: PathModel) -> "Plan | None":
    """The arrays the compiled loops need, or None if the model is not of their kind."""
    s, map_ = model.structure, model.parameters
    owned = map_.linear != 0
    order = _topological(s.A != 0, s.row[s.where(Kind.A)], s.column[s.where(Kind.A)])
    if map_.curves or owned.sum(axis=1).max(initial=0) > 1 or order is None:
        return None
    from bothways.engine.kernels.paths import Plan

    owner = np.where(owned.any(axis=1), owned.argmax(axis=1), -1)
    shape = (model.groups, len(s.kind))
    coefficient = map_.linear[np.arange(len(owner)), owner].reshape(shape)
    return Plan(
        s.A, s.S, s.m, s.nu, s.J, s.kind, s.row, s.column,
        owner.reshape(shape), coefficient, map_.offset.reshape(shape), order,
    )  # fmt: skip


def _topological(fixed: Bool[np.ndarray, "n n"], rows: np.ndarray, columns: np.ndarray) -> np.ndarray | None:
    """States ordered so that predictors come first; None if there is a loop."""
    points = fixed.copy()
    points[rows, columns] = True
    left, order = set(range(len(points))), []
    while left:
        ready = [i for i in left if not any(points[i, j] for j in left)]
        if not ready:
            return None
        order += ready
        left -= set(ready)
    return np.array(order, np.int64)


def _own_starts(model: PathModel, means: np.ndarray, covariances: np.ndarray) -> np.ndarray:
    """The starting rule of the model applied to every replicate."""
    pairs = zip(means, covariances, strict=True)
    return np.array([start_vector(model, list(zip(m, C, strict=True))) for m, C in pairs])


def _one_by_one(
    model: PathModel, means: np.ndarray, covariances: np.ndarray, people: np.ndarray, starts: np.ndarray
) -> BatchFit:
    R, q = starts.shape
    alpha, V, loglik = starts.copy(), np.full((R, q, q), np.nan), np.full(R, np.nan)
    converged, steps = np.zeros(R, bool), np.zeros(R, np.int64)
    for r in range(R):
        groups = [moment_data(m, C, n) for m, C, n in zip(means[r], covariances[r], people, strict=True)]
        ascent = maximise(objective(model, groups), starts[r], tolerance=TOLERANCE)
        if ascent is None:
            continue
        alpha[r], loglik[r], steps[r], converged[r] = (
            ascent.point,
            ascent.last.loglik,
            ascent.iterations,
            ascent.converged,
        )
        converged[r] &= not unidentified(ascent.last.information, model.names)
        if converged[r]:
            V[r] = np.linalg.inv(ascent.last.information)
    return BatchFit(model.names, alpha, V, loglik, converged, steps)


def wishart_covariances(
    cov: Float[np.ndarray, "p p"], people: int, replicates: int, rng: np.random.Generator
) -> Float[np.ndarray, "replicates p p"]:
    """Sample covariances (divisor n) of normal data without drawing people: Bartlett's construction, n − 1 df."""
    p = len(cov)
    T = np.zeros((replicates, p, p))
    rows, columns = np.tril_indices(p, -1)
    T[:, rows, columns] = rng.standard_normal((replicates, len(rows)))
    T[:, np.arange(p), np.arange(p)] = np.sqrt(rng.chisquare(people - 1 - np.arange(p), (replicates, p)))
    half = np.linalg.cholesky(cov) @ T
    return np.asarray(half @ half.swapaxes(-1, -2) / people)
