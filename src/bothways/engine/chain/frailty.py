"""Shared frailty: what a unit carries along acts on several transitions at once.

    L_i = sum_k w_k(g_i) prod_{sequences of i} p(sequence | log q_t + loading_t z_k)

z_k are quadrature nodes sigma zeta_k of a normal proneness, or the free positions of latent classes. g_i groups units
(by the state at entry, say), because a proneness that already acted before entry differs between those who enter in
different states. With normal proneness that shift is a covariate: 0/1 for the state at entry, with one effect shared
by all loaded transitions. By Fisher's identity the score of a unit is the posterior mean of its scores given z.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Int
from scipy.special import log_softmax, logsumexp

from bothways.engine.chain.likelihood import (
    ChainModel,
    Evaluation,
    Sweep,
    impossible,
    membership,
    roots_at,
    sequence_scores,
    sweep,
    tables,
)
from bothways.engine.survey import Sampling

LEAST_VARIANCE = 1e-6  # below this nodes lie too close together for differences between them


@runtime_checkable
class Proneness(Protocol):
    """A discrete distribution on the line of log rates, with free parameters."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name per free parameter."""

    @property
    def start(self) -> Float[np.ndarray, "parameters"]:
        """Where a fit begins."""

    def points(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "nodes"]:
        """z."""

    def points_slope(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "nodes parameters"]:
        """dz / dpsi."""

    def log_weights(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "groups nodes"]:
        """log w by group."""

    def log_weights_slope(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "groups nodes parameters"]:
        """dlog w / dpsi."""


@dataclass(frozen=True, slots=True)
class NormalProneness:
    """z ~ N(0, sigma^2) by Gauss-Hermite quadrature; the variance sigma^2 is the one free parameter.

    In the variance the score stays alive where sigma vanishes, so that "no proneness" is an edge like any other.
    """

    nodes: int = 11
    groups: int = 1
    begin: float = 0.25

    @property
    def names(self) -> tuple[str, ...]:
        """``frailty variance``."""
        return ("frailty variance",)

    @property
    def start(self) -> Float[np.ndarray, "parameters"]:
        """A moderate spread."""
        return np.array([self.begin])

    def _rule(self) -> tuple[np.ndarray, np.ndarray]:
        """Nodes and weights for N(0, 1)."""
        zeta, weight = np.polynomial.hermite_e.hermegauss(self.nodes)
        return zeta, weight / weight.sum()

    def points(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "nodes"]:
        """sigma zeta."""
        return np.asarray(np.sqrt(max(psi[0], LEAST_VARIANCE)) * self._rule()[0])

    def points_slope(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "nodes parameters"]:
        """zeta / (2 sigma)."""
        return np.asarray(self._rule()[0][:, None] / (2 * np.sqrt(max(psi[0], LEAST_VARIANCE))))

    def log_weights(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "groups nodes"]:
        """The same for every group."""
        return np.tile(np.log(self._rule()[1]), (self.groups, 1))

    def log_weights_slope(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "groups nodes parameters"]:
        """Fixed weights."""
        return np.zeros((self.groups, self.nodes, 1))


@dataclass(frozen=True, slots=True)
class LatentClasses:
    """Classes at free positions, the first at 0, with free shares in every group.

    psi = [positions of classes 2.. | log odds against class 1, group by group].
    """

    classes: int
    groups: int = 1

    @property
    def names(self) -> tuple[str, ...]:
        """Positions, then log odds."""
        rest = range(2, self.classes + 1)
        odds = tuple(f"class {k} odds in group {g}" for g in range(self.groups) for k in rest)
        return tuple(f"class {k} position" for k in rest) + odds

    @property
    def start(self) -> Float[np.ndarray, "parameters"]:
        """Positions one apart, equal shares."""
        return np.concatenate([np.arange(1.0, self.classes), np.zeros(self.groups * (self.classes - 1))])

    def points(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "nodes"]:
        """0 and the free positions."""
        return np.asarray(np.r_[0.0, psi[: self.classes - 1]])

    def points_slope(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "nodes parameters"]:
        """1 where a class has its own position."""
        out = np.zeros((self.classes, psi.size))
        out[np.arange(1, self.classes), np.arange(self.classes - 1)] = 1.0
        return out

    def log_weights(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "groups nodes"]:
        """log softmax of the odds."""
        odds = psi[self.classes - 1 :].reshape(self.groups, -1)
        return np.asarray(log_softmax(np.column_stack([np.zeros(self.groups), odds]), axis=1))

    def log_weights_slope(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "groups nodes parameters"]:
        """1[k = m] - w_m within the group."""
        w, rest = np.exp(self.log_weights(psi)), self.classes - 1
        out = np.zeros((self.groups, self.classes, psi.size))
        for g in range(self.groups):
            block = slice(rest * (1 + g), rest * (2 + g))
            out[g, :, block] = np.eye(self.classes)[:, 1:] - w[g, 1:]
        return out


@dataclass(frozen=True, slots=True)
class FrailtyModel:
    """A chain whose loaded transitions share a proneness. theta = [the chain's | the proneness's]."""

    chain: ChainModel
    proneness: Proneness
    loading: Float[np.ndarray, "transitions"]
    group: Int[np.ndarray, "units"]

    @property
    def names(self) -> tuple[str, ...]:
        """The chain's parameters, then the proneness's."""
        return (*self.chain.names, *self.proneness.names)

    @property
    def exact(self) -> bool:
        """Score cross-products: never expected information."""
        return False

    @property
    def drawn(self) -> Sampling | None:
        """That of the sequences."""
        return self.chain.sequences.drawn

    def evaluate(self, theta: Float[np.ndarray, "parameters"], order: int) -> Evaluation:
        """The marginal log-likelihood; gradient (1); score cross-products by unit (2)."""
        mixed = self._mix(theta, scores=order > 0)
        if mixed is None:
            return Evaluation(-np.inf)
        if order == 0:
            return Evaluation(mixed.loglik)
        if order == 1:
            return Evaluation(mixed.loglik, self._gradient(theta, mixed))
        s = self._unit_scores(theta, mixed)
        weighed = self.chain.sequences.weigh(s)
        return Evaluation(mixed.loglik, weighed.sum(0), s.T @ weighed)

    def unit_scores(self, theta: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "units parameters"]:
        """Each unit's score, times its weight. ValueError where theta is out of bounds."""
        mixed = self._mix(theta, scores=True)
        if mixed is None:
            raise ValueError("theta is out of bounds")
        return self.chain.sequences.weigh(self._unit_scores(theta, mixed))

    def posterior(self, theta: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "units nodes"]:
        """P(node | what was seen of the unit). ValueError where theta is out of bounds."""
        mixed = self._mix(theta, scores=False)
        if mixed is None:
            raise ValueError("theta is out of bounds")
        return mixed.posterior

    def _mix(self, theta: np.ndarray, *, scores: bool) -> _Mixed | None:
        size = len(self.chain.names)
        base = self.chain.predictor.log_rates(self.chain.split(theta[:size])[0], self.chain.sequences.x)
        psi, who = theta[size:], membership(self.chain.sequences)
        sweeps, columns = [], []
        for z in self.proneness.points(psi):
            roots = roots_at(self.chain, base + z * self.loading)
            if roots is None:
                return None
            sweeps.append(sweep(self.chain, roots, *tables(self.chain, theta[:size]), scores=scores))
            if impossible(sweeps[-1].logp):
                return None
            columns.append(who @ sweeps[-1].logp)
        joint = np.column_stack(columns) + self.proneness.log_weights(psi)[self.group]
        each = logsumexp(joint, axis=1)
        return _Mixed(float(self.chain.sequences.weigh(each).sum()), np.exp(joint - each[:, None]), sweeps)

    def _gradient(self, theta: np.ndarray, mixed: _Mixed) -> np.ndarray:
        """As the column sums of the unit scores, without making them; visible chains only."""
        data, size = self.chain.sequences, len(self.chain.names)
        if data.hidden:
            return np.asarray(data.weigh(self._unit_scores(theta, mixed)).sum(0))
        who, psi = membership(data), theta[size:]
        owner = np.repeat(np.arange(data.size), np.diff(data.steps.first))
        posterior = data.weigh(mixed.posterior)
        shared = np.asarray(who.T @ posterior)[owner]
        weighted = [shared[:, k, None] * s.by_rate for k, s in enumerate(mixed.sweeps)]
        by_rate = sum(weighted[1:], weighted[0])
        by_point = np.array([float((w @ self.loading).sum()) for w in weighted])
        slope = np.einsum("ik,ikm->m", posterior, self.proneness.log_weights_slope(psi)[self.group])
        rates = self.chain.predictor.pull(data.x[data.steps.row].T @ by_rate)
        return np.concatenate([rates, by_point @ self.proneness.points_slope(psi) + slope])

    def _unit_scores(self, theta: np.ndarray, mixed: _Mixed) -> np.ndarray:
        data, size = self.chain.sequences, len(self.chain.names)
        who, psi = membership(data), theta[size:]
        total = np.zeros((data.units, theta.size))
        points_slope = self.proneness.points_slope(psi)
        for k, swept in enumerate(mixed.sweeps):
            weight = mixed.posterior[:, k, None]
            total[:, :size] += weight * (who @ sequence_scores(self.chain, theta[:size], swept))
            along = np.add.reduceat(swept.by_rate @ self.loading, data.steps.first[:-1])
            total[:, size:] += weight * (who @ along)[:, None] * points_slope[k]
        slope = self.proneness.log_weights_slope(psi)[self.group]
        total[:, size:] += np.einsum("ik,ikm->im", mixed.posterior, slope)
        return total


@dataclass(frozen=True, slots=True)
class _Mixed:
    """The marginal log-likelihood, posterior weights (units, nodes), and one sweep per node."""

    loglik: float
    posterior: np.ndarray
    sweeps: list[Sweep]
