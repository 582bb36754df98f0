"""Fit a chain model: starting values, scoring, standard errors, and a status that says what can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtri

from bothways.engine.chain.ascent import Ascent, Ending, Objective, Rules, ascend, observed_information
from bothways.engine.chain.likelihood import ChainModel, Evaluation, evaluate, unit_scores
from bothways.engine.chain.sequences import ENTERED, OPEN, SEEN
from bothways.engine.survey import Sampling, survey_meat


@runtime_checkable
class Fittable(Protocol):
    """What a fit needs: names, a log-likelihood with derivatives, and each unit's score."""

    @property
    def names(self) -> tuple[str, ...]:
        """The free parameters in order."""

    @property
    def exact(self) -> bool:
        """The information of ``evaluate`` is expected information throughout."""

    def evaluate(self, theta: np.ndarray, order: int) -> Evaluation:
        """Log-likelihood; with gradient (1); with information (2)."""

    @property
    def drawn(self) -> Sampling | None:
        """Which units were drawn together; None where each was drawn singly."""

    def unit_scores(self, theta: np.ndarray) -> np.ndarray:
        """(units, P), times the units' weights."""


@dataclass(frozen=True, slots=True)
class ChainFit:
    """What a fit found.

    ``covariance`` is model-based and ``robust`` the sandwich by unit, or by cluster within strata. Rows of parameters
    that drift to infinity or that the data say nothing of are infinite on the diagonal and 0 elsewhere: the others are
    conditional on them.
    """

    names: tuple[str, ...]
    theta: Float[np.ndarray, "parameters"]
    loglik: float
    ending: Ending
    says: str
    covariance: Float[np.ndarray, "parameters parameters"]
    robust: Float[np.ndarray, "parameters parameters"]
    drift: Int[np.ndarray, "parameters"]
    flat: Bool[np.ndarray, "parameters"]
    gradient: float
    iterations: int

    @property
    def errors(self) -> Float[np.ndarray, "parameters"]:
        """Model-based standard errors."""
        return np.sqrt(np.diag(self.covariance))

    @property
    def robust_errors(self) -> Float[np.ndarray, "parameters"]:
        """Standard errors robust to dependence within a unit."""
        return np.sqrt(np.diag(self.robust))

    def interval(self, level: float = 0.95, *, robust: bool = False) -> Float[np.ndarray, "parameters 2"]:
        """Wald limits, one row per parameter."""
        reach = ndtri(0.5 + level / 2) * (self.robust_errors if robust else self.errors)
        return np.column_stack([self.theta - reach, self.theta + reach])


@dataclass(frozen=True, slots=True)
class PlainTarget:
    """A ChainModel as something to fit."""

    model: ChainModel

    @property
    def names(self) -> tuple[str, ...]:
        """The free parameters in order."""
        return self.model.names

    @property
    def exact(self) -> bool:
        """True where every sequence is a gap between visits, or known to the day."""
        data = self.model.sequences
        at = data.steps.first[:-1]
        single = np.diff(data.steps.first) == 1
        entered = single & (data.steps.kind[at] == ENTERED)
        return bool((data.plain | data.dated | entered).all())

    @property
    def drawn(self) -> Sampling | None:
        """That of the sequences."""
        return self.model.sequences.drawn

    def evaluate(self, theta: np.ndarray, order: int) -> Evaluation:
        """As ``likelihood.evaluate``."""
        return evaluate(self.model, theta, order)

    def unit_scores(self, theta: np.ndarray) -> np.ndarray:
        """As ``likelihood.unit_scores``."""
        return unit_scores(self.model, theta)


def starting_values(model: ChainModel) -> Float[np.ndarray, "parameters"]:
    """Crude rates, max(changes seen, 1/2) over time at risk, with all effects 0 and the given errors.

    Free parameters that several rates share start at the mean of theirs.
    """
    data, graph = model.sequences, model.predictor.graph
    steps, n = data.steps, data.counts
    last = steps.first[1:] - 1
    spent = np.add.reduceat(steps.length, steps.first[:-1])
    known = (steps.start < graph.size) & (steps.end[last] < graph.size) & (steps.kind[last] != OPEN)
    origin = np.minimum(steps.start, graph.size - 1)
    time = np.bincount(origin, weights=n * spent, minlength=graph.size)
    changes = np.zeros((graph.size, graph.size))
    np.add.at(changes, (origin[known], steps.end[last][known]), n[known])
    if data.hidden or (np.diff(steps.first) > 1).any():
        pair = steps.kind == SEEN
        follows = np.r_[False, pair[:-1]] & (np.arange(pair.size) > 0)
        inside = follows & pair & (steps.end < graph.size)
        begin = np.r_[0, steps.end[:-1]]
        inside &= (begin < graph.size) & ~np.isin(np.arange(pair.size), steps.first[:-1])
        owner = np.repeat(n, np.diff(steps.first))
        np.add.at(changes, (begin[inside], steps.end[inside]), owner[inside])
        time += np.bincount(begin[inside], weights=(owner * steps.length)[inside], minlength=graph.size)
    rate = np.maximum(changes[graph.source, graph.target], 0.5) / np.maximum(time[graph.source], steps.length.min())
    design = model.predictor.basis[0]
    share = np.maximum(design.sum(0), 1.0)
    theta = (np.abs(design).T @ (np.log(rate) - model.predictor.offset[0])) / share
    hidden = [part.start for part in (model.emission, model.initial) if part is not None]
    return np.concatenate([theta, *hidden])


def fit(
    model: ChainModel, *, start: Float[np.ndarray, "parameters"] | None = None, rules: Rules | None = None
) -> ChainFit:
    """Maximise the likelihood of a chain. Raises ValueError where the observations are impossible under the graph."""
    target = PlainTarget(model)
    return fit_target(target, starting_values(model) if start is None else start, rules)


def fit_target(target: Fittable, start: Float[np.ndarray, "parameters"], rules: Rules | None = None) -> ChainFit:
    """Maximise anything fittable, then find its covariance matrices."""
    if rules is None:
        rules = Rules() if target.exact else Rules(damping=1e-3, clip=2.0, curvature=True)
    climb = ascend(target.evaluate, start, rules)
    return finished(target, climb)


def finished(target: Fittable, climb: Ascent) -> ChainFit:
    """Standard errors and words for where an ascent ended."""
    lost = (climb.drift != 0) | climb.flat
    information = climb.last.information
    if not target.exact:
        information = _curved(target.evaluate, climb, information, lost)
    bread = _inverse(information, lost)
    kept = np.where(np.isfinite(bread), bread, 0.0)
    robust = kept @ _meat(target.unit_scores(climb.point), target.drawn) @ kept
    robust[lost, lost] = np.inf
    return ChainFit(
        target.names, climb.point, climb.last.loglik, climb.ending, _says(target.names, climb), bread, robust,
        climb.drift, climb.flat, float(np.abs(climb.last.gradient).max(initial=0.0)), climb.iterations,
    )  # fmt: skip


def _meat(scores: np.ndarray, drawn: Sampling | None) -> np.ndarray:
    """Sum s s' n / (n - 1) over the n units that say something; over clusters within strata where there are any.

    Units that say nothing were drawn all the same, and count among those of their stratum.
    """
    if drawn is not None:
        return survey_meat(scores, drawn.unit, drawn.stratum[drawn.unit])
    units = max(int((scores != 0).any(axis=1).sum()), 2)
    return np.asarray(scores.T @ scores) * (units / (units - 1))


def _curved(objective: Objective, climb: Ascent, crossed: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """Observed information where it is positive definite on what can be estimated, else what was at hand."""
    inner = observed_information(objective, climb.point, climb.last.gradient, ~lost)
    good = inner.size == 0 or (np.isfinite(inner).all() and np.linalg.eigvalsh(inner)[0] > 0)
    J = crossed.copy()
    if good:
        J[np.ix_(~lost, ~lost)] = inner
    return J


def _inverse(information: np.ndarray, lost: np.ndarray) -> np.ndarray:
    """The inverse on the estimable part; infinite variance for the rest."""
    out = np.zeros_like(information)
    keep = np.ix_(~lost, ~lost)
    out[keep] = np.linalg.pinv(information[keep], hermitian=True)
    out[lost, lost] = np.inf
    return out


def _says(names: tuple[str, ...], climb: Ascent) -> str:
    """One sentence on the ending."""
    if climb.ending is Ending.MONOTONE:
        ends = [f"{n} to {'+' if d > 0 else '-'}infinity" for n, d in zip(names, climb.drift, strict=True) if d]
        return f"the likelihood keeps rising as {', '.join(ends)}: no finite estimate, a one-sided limit at most"
    if climb.ending is Ending.EDGE:
        edge = [n for n, d in zip(names, climb.drift, strict=True) if d]
        return f"the best value of {', '.join(edge)} lies on the edge of its range; all else is conditional on it"
    if climb.ending is Ending.NO_INFORMATION:
        flat = [n for n, f in zip(names, climb.flat, strict=True) if f]
        return f"the observations say nothing of {', '.join(flat)}"
    if climb.ending is Ending.STOPPED:
        return f"stopped after {climb.iterations} steps with {climb.decrement:.1e} still to be gained"
    return ""
