"""Log-likelihood, gradient and information of a chain model at a point.

theta = [rates | emission | initial]. With S the derivative by log rates of every step (steps, transitions) and n the
counts, the gradient by B is X'(n o S): covariates enter nowhere else. Gaps between visits give expected information
over all destinations, dated steps give their observed information (q t on the diagonal), and whatever is seen
otherwise gives the cross-products of its scores.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from jaxtyping import Float
from scipy.sparse import csr_matrix

from bothways.engine.chain.emission import Emission, Initial
from bothways.engine.chain.predictor import Predictor
from bothways.engine.chain.roots import decompose
from bothways.engine.chain.sequences import Sequences
from bothways.engine.kernels.chain import gaps as gap_kernel
from bothways.engine.kernels.chain import sweeps as kernel
from bothways.engine.kernels.chain.layout import Roots

HIGHEST_LOG_RATE = 40.0  # beyond exp(40) per unit of time nothing can be told from "at once"


@dataclass(frozen=True, slots=True)
class ChainModel:
    """A predictor for the rates and the sequences it is to explain; errors and start only for hidden chains."""

    predictor: Predictor
    sequences: Sequences
    emission: Emission | None = None
    initial: Initial | None = None

    def __post_init__(self) -> None:
        if self.sequences.hidden != (self.emission is not None and self.initial is not None):
            raise ValueError("a hidden chain needs an emission and an initial distribution, a visible one neither")
        if self.sequences.x.shape[1] != len(self.predictor.covariates):
            raise ValueError(
                f"the sequences carry {self.sequences.x.shape[1] - 1} covariates,"
                f" the predictor names {len(self.predictor.covariates) - 1}"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The free parameters in order."""
        hidden = (*self.emission.names, *self.initial.names) if self.emission and self.initial else ()
        return (*self.predictor.names, *hidden)

    def split(self, theta: Float[np.ndarray, "parameters"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """theta cut into rates, emission, initial."""
        p = self.predictor.size
        e = p + (len(self.emission.names) if self.emission else 0)
        return theta[:p], theta[p:e], theta[e:]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The log-likelihood and, where asked for (else empty), its gradient (P,) and an information matrix (P, P)."""

    loglik: float
    gradient: Float[np.ndarray, "slopes"] = field(default_factory=lambda: np.zeros(0))
    information: Float[np.ndarray, "rows columns"] = field(default_factory=lambda: np.zeros((0, 0)))


@dataclass(frozen=True, slots=True)
class Sweep:
    """Per distinct sequence: log p (S,), d/d log q by step (J, T), d/d weights (S, O, K), d/d start (S, K)."""

    logp: np.ndarray
    by_rate: np.ndarray
    by_weight: np.ndarray
    by_start: np.ndarray


def tables(model: ChainModel, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(weights (O, K), starts (O, K)): what each symbol says of the states, later and at the first observation.

    Of a hidden chain a mask names symbols, one of which was seen: its weight is the sum of theirs.
    """
    weights = model.sequences.weights
    if model.emission is None or model.initial is None:
        return weights, weights / weights.sum(1, keepdims=True)
    K = model.predictor.graph.size
    _, psi, phi = model.split(theta)
    seen = model.emission.table(psi).T
    weights = np.vstack([seen, weights[K:] @ seen])
    return weights, weights * model.initial.vector(phi)


def roots_at(model: ChainModel, log_rates: np.ndarray) -> Roots | None:
    """The decompositions at these log rates (U, T); None where they are out of bounds."""
    if not (np.isfinite(log_rates).all() and log_rates.max(initial=-1.0) < HIGHEST_LOG_RATE):
        return None
    return decompose(model.predictor.graph.generators(np.exp(log_rates)))


def sweep(model: ChainModel, roots: Roots, weights: np.ndarray, starts: np.ndarray, *, scores: bool) -> Sweep:
    """One pass over all distinct sequences."""
    data, graph = model.sequences, model.predictor.graph
    logp, none = np.empty(data.size), np.zeros((0, 0, 0))
    if not scores:
        kernel.values(data.steps, roots, weights, starts, logp)
        return Sweep(logp, none, none, none)
    by_rate = np.zeros((data.steps.row.size, graph.source.size))
    wanted = model.emission is not None and bool(model.emission.names)
    by_weight = np.zeros((data.size, *weights.shape)) if wanted else none
    by_start = np.zeros((data.size, graph.size)) if data.hidden else np.zeros((0, 0))
    kernel.scores(data.steps, roots, weights, starts, graph.source, graph.target, logp, by_rate, by_weight, by_start)
    return Sweep(logp, by_rate, by_weight, by_start)


def evaluate(model: ChainModel, theta: Float[np.ndarray, "parameters"], order: int = 0) -> Evaluation:
    """The log-likelihood (order 0), with its gradient (1), with an information matrix (2).

    Information: sum n sum_j d_j d_j' / P_fj over gaps between visits (expected), sum n q t over dated steps
    (observed), sum n s s' over the rest. The log-likelihood is -inf where a rate is out of bounds or a sequence is
    impossible.
    """
    data = model.sequences
    roots = roots_at(model, model.predictor.log_rates(model.split(theta)[0], data.x))
    if roots is None:
        return Evaluation(-np.inf)
    plain = _gaps(model, roots, order)
    if data.plain.all() or plain.loglik == -np.inf:
        return plain
    rest = _others(replace(model, sequences=data.others) if data.plain.any() else model, theta, roots, order)
    if rest.loglik == -np.inf or order == 0:
        return Evaluation(plain.loglik + rest.loglik)
    return Evaluation(plain.loglik + rest.loglik, plain.gradient + rest.gradient, plain.information + rest.information)


def _gaps(model: ChainModel, roots: Roots, order: int) -> Evaluation:
    """The plain gaps: slopes by covariate row, X'slopes; information sum_u x_u x_u' (x) J_u."""
    data, graph, rates = model.sequences, model.predictor.graph, model.predictor
    size, P, (C, T) = len(model.names), rates.size, rates.offset.shape
    slopes = np.zeros((data.x.shape[0] if order > 0 else 0, T))
    blocks = np.zeros((data.x.shape[0] if order > 1 else 0, T, T))
    total = float(gap_kernel.gaps(*data.gaps[:4], roots, graph.source, graph.target, slopes, blocks))
    if order == 0 or total == -np.inf:
        return Evaluation(total)
    gradient, information = np.zeros(size), np.zeros((size, size) if order > 1 else (0, 0))
    gradient[:P] = rates.pull(data.x.T @ slopes)
    if order > 1:
        outer = (data.x[:, :, None] * data.x[:, None, :]).reshape(-1, C * C)
        whole = (outer.T @ blocks.reshape(-1, T * T)).reshape(C, C, T, T).transpose(0, 2, 1, 3).reshape(C * T, C * T)
        basis = rates.basis.reshape(C * T, P)
        information[:P, :P] = basis.T @ whole @ basis
    return Evaluation(total, gradient, information)


def _others(model: ChainModel, theta: np.ndarray, roots: Roots, order: int) -> Evaluation:
    """Sequences that are no plain gaps, one by one."""
    data = model.sequences
    swept = sweep(model, roots, *tables(model, theta), scores=order > 0)
    if impossible(swept.logp):
        return Evaluation(-np.inf)
    total, none = float(data.counts @ swept.logp), np.zeros((0, 0))
    if order == 0:
        return Evaluation(total)
    scores = sequence_scores(model, theta, swept) if data.hidden or order > 1 else None
    gradient = scores.T @ data.counts if data.hidden and scores is not None else _gradient(model, swept)
    if order == 1 or scores is None:
        return Evaluation(total, gradient, none)
    return Evaluation(total, gradient, _observed(model, roots) + _crossed(data, scores))


def impossible(logp: np.ndarray) -> bool:
    """True where some sequence has probability zero."""
    return bool((logp == -np.inf).any())


def _gradient(model: ChainModel, swept: Sweep) -> np.ndarray:
    """X'(n o S), pulled back to theta."""
    data = model.sequences
    n = np.repeat(data.counts, np.diff(data.steps.first))
    return model.predictor.pull(data.x[data.steps.row].T @ (n[:, None] * swept.by_rate))


def _observed(model: ChainModel, roots: Roots) -> np.ndarray:
    """Observed information of dated sequences: sum n t q x x' for each transition out of the state held."""
    data, rates, graph = model.sequences, model.predictor, model.predictor.graph
    size = len(model.names)
    out = np.zeros((size, size))
    pieces = np.diff(data.steps.first)
    at = np.flatnonzero(np.repeat(data.dated, pieces))
    if not at.size:
        return out
    row = data.steps.row[at]
    n = np.repeat(data.counts, pieces)[at] * data.steps.length[at]
    q = roots.generator[row][:, graph.source, graph.target]
    weight = n[:, None] * q * (data.steps.origin[at][:, None] == graph.source)
    for m in range(graph.source.size):
        cross = (data.x[row] * weight[:, m : m + 1]).T @ data.x[row]
        out[: rates.size, : rates.size] += rates.basis[:, m].T @ cross @ rates.basis[:, m]
    return out


def _crossed(data: Sequences, scores: np.ndarray) -> np.ndarray:
    """Score cross-products of the sequences that are not exactly dated throughout."""
    n = np.where(data.dated, 0.0, data.counts)
    return np.asarray((scores * n[:, None]).T @ scores)


def sequence_scores(model: ChainModel, theta: np.ndarray, swept: Sweep) -> Float[np.ndarray, "sequences parameters"]:
    """d log p / d theta of every distinct sequence."""
    data = model.sequences
    steps = data.x[data.steps.row][:, :, None] * swept.by_rate[:, None, :]
    by_entry = steps if steps.shape[0] == data.size else np.add.reduceat(steps, data.steps.first[:-1], axis=0)
    rates = model.predictor.pull(by_entry)
    if model.emission is None or model.initial is None:
        return rates
    phi = model.split(theta)[2]
    by_start = (tables(model, theta)[0][data.steps.start] * swept.by_start) @ model.initial.derivative(phi)
    if not model.emission.names:
        return np.hstack([rates, by_start])
    return np.hstack([rates, _by_emission(model, theta, swept), by_start])


def _by_emission(model: ChainModel, theta: np.ndarray, swept: Sweep) -> np.ndarray:
    """d log p / d psi: the first observation counts through the starting weights, a mask through its symbols."""
    assert model.emission is not None
    assert model.initial is not None
    data, K = model.sequences, model.predictor.graph.size
    _, psi, phi = model.split(theta)
    by_weight = swept.by_weight.copy()
    by_weight[np.arange(data.size), data.steps.start] += model.initial.vector(phi) * swept.by_start
    by_symbol = by_weight[:, :K] + np.einsum("smr,mo->sor", by_weight[:, K:], data.weights[K:])
    return np.asarray(np.einsum("sor,rok->sk", by_symbol, model.emission.derivative(psi)))


def unit_scores(model: ChainModel, theta: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "units parameters"]:
    """The score of every unit, times its weight: the sum over its sequences. Units never seen twice have zeros."""
    data = model.sequences
    roots = roots_at(model, model.predictor.log_rates(model.split(theta)[0], data.x))
    if roots is None:
        raise ValueError("theta is out of bounds")
    s = sequence_scores(model, theta, sweep(model, roots, *tables(model, theta), scores=True))
    return data.weigh(np.asarray(membership(data) @ s))


def membership(data: Sequences) -> csr_matrix:
    """(units, S): how often each unit showed each distinct sequence."""
    ones = np.ones(data.unit.size)
    return csr_matrix((ones, (data.unit, data.sequence)), shape=(data.units, data.size))
