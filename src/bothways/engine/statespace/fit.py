"""Maximum likelihood for irregular series, with an outcome that is checked before anything is called a success."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from jaxtyping import Float

from bothways.engine.statespace.bound import PULL, QUANTILES, bounded, excess, penalty, pull
from bothways.engine.statespace.grouped import Grouped, group_persons
from bothways.engine.statespace.likelihood import grouped_gradient, log_likelihood_gradient
from bothways.engine.statespace.optimise import Ascent, Objective, Optimum, ascend, climb
from bothways.engine.statespace.series import Series
from bothways.engine.statespace.starts import starting_values
from bothways.engine.statespace.structure import Structure
from bothways.engine.statespace.system import System

NO_ERROR = 1e-3  # an error variance below this share of the indicator's variance is no error
NO_SPREAD = 0.03  # a person-mean SD below this share of the indicator's SD is none
NO_SHOCK = 2e-2  # a variance of a process's own shocks below this share of what its spread would need is none
TOLERANCE, BOUND_TOLERANCE = 1e-9, 1e-7  # of g'H⁻¹g; at a bound the ridge is long, and 1e-4 a hundredth of an SE
NEAR_BOUND = 0.02  # rates whose sum comes as near to the bound as this share of it ran to it


class UndefinedLikelihood(ValueError):  # noqa: N818  (a finding about a start, not a fault)
    """No starting value has a likelihood."""


class Outcome(StrEnum):
    """How a fit ended."""

    CONVERGED = "converged"
    NOT_CONVERGED = "not converged"
    NOT_POSITIVE = "Hessian not positive definite"


@dataclass(frozen=True, slots=True, eq=False)
class StateSpaceFit:
    """A fitted model. ``hessian`` is −∂²ℓ/∂θ∂θ' at θ; ``at_limit`` names SDs that went to zero and were held there.

    ``too_fast`` where next to nothing carries over from one answer to the next, so that the drift ran to its bound
    (the module `bound`): what it says of such gaps holds, what it says of shorter ones is the bound's word.
    """

    structure: Structure
    series: Series
    theta: Float[np.ndarray, " q"]
    loglik: float
    hessian: Float[np.ndarray, "q q"]
    outcome: Outcome
    decrement: float
    evaluations: int
    at_limit: tuple[str, ...] = ()

    @property
    def converged(self) -> bool:
        """Gradient, curvature and definiteness all held."""
        return self.outcome is Outcome.CONVERGED

    @property
    def too_fast(self) -> bool:
        """Whether the drift ran to its bound."""
        return bool(np.isfinite(self.structure.fastest)) and excess(self.structure, self.theta) > -NEAR_BOUND

    @property
    def system(self) -> System:
        """The fitted matrices."""
        return self.structure.system(self.theta)

    @property
    def estimates(self) -> dict[str, float]:
        """Free parameters by name, on their free scales."""
        return dict(zip(self.structure.names, self.theta.tolist(), strict=True))

    @property
    def aic(self) -> float:
        """−2ℓ + 2q."""
        return -2.0 * self.loglik + 2.0 * self.structure.size


def objective(structure: Structure, series: Series) -> Objective:
    """ℓ and its gradient by θ alone; persons of one pattern are taken as one where that is less work."""
    seen = group_persons(series) or series
    return lambda theta: total_and_gradient(structure, seen, theta)


def total_and_gradient(
    structure: Structure, series: Series | Grouped, theta: Float[np.ndarray, " q"]
) -> tuple[float, Float[np.ndarray, " q"]] | None:
    """ℓ(θ) over all persons (less the penalty of a bounded drift) with its gradient; None where it is not defined."""
    with np.errstate(over="ignore"):
        system = structure.system(theta)
        found = (
            grouped_gradient(system, series)
            if isinstance(series, Grouped)
            else log_likelihood_gradient(
                system, series, moving_loading=structure.moving_loading, moving_noise=structure.moving_noise
            )
        )
    if found is None:
        return None
    loglik, adjoint = found
    cost, slope = penalty(structure, theta)
    return float(loglik.sum()) + cost, structure.gradient(theta, adjoint)[0] + slope


def fit_series(
    structure: Structure,
    series: Series,
    start: Float[np.ndarray, " q"] | None = None,
    *,
    attempts: int = 4,
    bounding: bool = True,
) -> StateSpaceFit:
    """Climb from moments (or ``start``); where that fails, from slower, faster and less noisy starts.

    Spreads that go to zero are held there and the rest is fitted again, so that no standard error is taken of them.
    Where no start leads to a maximum, then, if ``bounding``, the drift is kept from running away (the module `bound`)
    and may have any sign on its diagonal.
    """
    fit = _fit(structure, series, start, attempts)
    if fit.converged or not bounding or np.isfinite(structure.fastest):
        return fit
    for candidate in _bounded_structures(structure, series):
        again = _fit_if_defined(candidate, series, None, 2)
        if again is not None and again.converged and pull(again.structure, again.theta) < PULL:
            return again
    return fit


def _bounded_structures(structure: Structure, series: Series) -> list[Structure]:
    """The bound for ever shorter gaps, each with rates below zero and then with rates of any sign."""
    bounds = [bounded(structure, series, quantile) for quantile in QUANTILES]
    distinct = {b.fastest: b for b in bounds}.values()
    return [candidate for b in distinct for candidate in (b, replace(b, signed=True))]


def _fit_if_defined(
    structure: Structure, series: Series, start: np.ndarray | None, attempts: int
) -> StateSpaceFit | None:
    try:
        return _fit(structure, series, start, attempts)
    except UndefinedLikelihood:
        return None


def _fit(structure: Structure, series: Series, start: np.ndarray | None, attempts: int) -> StateSpaceFit:
    best: Optimum | None = None
    tolerance = BOUND_TOLERANCE if np.isfinite(structure.fastest) else TOLERANCE
    wanted = objective(structure, series)
    for theta in _starts(structure, series, start, attempts):
        found = climb(wanted, theta, tolerance=tolerance)
        if found is not None and (best is None or found.loglik > best.loglik + 1e-6):
            best = found
        if best is not None and (best.converged or _at_limit(structure, series, best)):
            break
    if best is None:
        raise UndefinedLikelihood("the log-likelihood is not defined at any starting value")
    limits = _at_limit(structure, series, best)
    if limits:
        held = structure
        for matrix, cell, _ in limits:
            held = held.fix(matrix, cell, 0.0)
        matrices = structure.patterns(best.point)
        matrices["diffusion_root"] = _root_without(matrices["diffusion_root"], held.diffusion_root)
        again = _fit_if_defined(held, series, held.theta(matrices), attempts)
        if again is not None and again.loglik > best.loglik - 0.5:
            names = tuple(name for *_, name in limits)
            return StateSpaceFit(
                again.structure, series, again.theta, again.loglik, again.hessian, again.outcome, again.decrement,
                best.evaluations + again.evaluations, (*names, *again.at_limit),
            )  # fmt: skip
    return StateSpaceFit(
        structure, series, best.point, best.loglik, best.hessian, _outcome(best), best.decrement, best.evaluations
    )


def refit(
    structure: Structure, series: Series, theta: Float[np.ndarray, " q"], hessian: Float[np.ndarray, "q q"]
) -> Ascent | None:
    """Climb from a fit near by with its curvature, without a new one: for folds, profiles and the bootstrap."""
    return ascend(objective(structure, series), theta, hessian)


def _starts(structure: Structure, series: Series, start: np.ndarray | None, attempts: int) -> list[np.ndarray]:
    first = starting_values(structure, series)
    candidates = [] if start is None else [start]
    candidates.append(structure.theta(first))
    for factor, share in ((0.3, 0.5), (3.0, 0.05), (0.1, 0.3)):
        other = starting_values(structure, series, error_share=share)
        other["drift"] = np.where(np.isnan(structure.drift), other["drift"] * factor, structure.drift)
        root = np.where(np.isnan(structure.diffusion_root), other["diffusion_root"] * np.sqrt(factor), 0.0)
        other["diffusion_root"] = np.where(np.isnan(structure.diffusion_root), root, structure.diffusion_root)
        candidates.append(structure.theta(other))
    return candidates[:attempts]


def _outcome(optimum: Optimum) -> Outcome:
    if not optimum.positive:
        return Outcome.NOT_POSITIVE
    return Outcome.CONVERGED if optimum.converged else Outcome.NOT_CONVERGED


def _at_limit(structure: Structure, series: Series, found: Optimum) -> list[tuple[str, tuple[int, ...], str]]:
    """Free error variances and SDs that have gone to zero: (matrix, cell, name)."""
    limits: list[tuple[str, tuple[int, ...], str]] = []
    filled = structure.patterns(found.point)
    variances = np.nanvar(series.values, axis=0)
    for block in structure.blocks:
        for place, name in enumerate(block.names):
            cell = tuple(int(c[place]) for c in block.cells)
            value = filled[block.matrix][cell]
            small_error = block.matrix == "noise" and value < NO_ERROR * variances[cell[0]]
            spread = np.sqrt(variances[cell[0] % len(variances)])
            small_spread = block.matrix == "static_root" and cell[0] == cell[1] and value < NO_SPREAD * spread
            if small_error or small_spread:
                limits.append((block.matrix, cell, name))
    return limits if limits or found.converged else _no_shocks(structure, filled, variances)


def _no_shocks(
    structure: Structure, filled: dict[str, np.ndarray], variances: np.ndarray
) -> list[tuple[str, tuple[int, ...], str]]:
    """The cells of the process, if any, whose shocks are wholly foretold by those of the processes before it."""
    root, p = filled["diffusion_root"], len(structure.processes)
    needed = -np.trace(filled["drift"]) / p * np.resize(variances, p)
    own = np.diag(root) ** 2 / np.maximum((root**2).sum(axis=1) + needed, 1e-300)
    free = [structure.index("diffusion_root", j, j) is not None for j in range(p)]
    j = int(np.argmin(np.where(free, own, np.inf)))
    if not free[j] or own[j] > NO_SHOCK or sum(free) == 1:
        return []
    cells = [(i, j) for i in range(j, p) if structure.index("diffusion_root", i, j) is not None]
    names = structure.processes
    return [("diffusion_root", (i, k), f"diffusion_root[{names[i]},{names[k]}]") for i, k in cells]


def _root_without(root: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """A lower root of RR' without the processes whose own cell ``pattern`` holds at zero; rows of those unchanged."""
    out = root.copy()
    for j in np.flatnonzero(np.diag(pattern) == 0.0):
        below = slice(j + 1, len(root))
        rest = out[below, below] @ out[below, below].T + np.outer(out[below, j], out[below, j])
        out[below, below] = np.linalg.cholesky(rest + 1e-12 * np.eye(len(rest)))
        out[j:, j] = 0.0
    return out
