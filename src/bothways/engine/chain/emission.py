"""What is seen given the true state: misclassified states, and where hidden chains start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import expit, logit


@runtime_checkable
class Emission(Protocol):
    """P(symbol | state) as a function of free parameters on the real line."""

    @property
    def names(self) -> tuple[str, ...]:
        """One name per free parameter."""

    @property
    def start(self) -> Float[np.ndarray, "parameters"]:
        """Where a fit begins."""

    def table(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "states states"]:
        """E[r, o] = P(see o | r); rows sum to 1."""

    def derivative(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "states states parameters"]:
        """dE / dpsi."""


@dataclass(frozen=True, slots=True)
class FixedErrors:
    """Known misclassification probabilities ``E`` (states, states); nothing is estimated."""

    E: Float[np.ndarray, "states states"]

    @property
    def names(self) -> tuple[str, ...]:
        """Nothing is free."""
        return ()

    @property
    def start(self) -> Float[np.ndarray, "parameters"]:
        """Nothing is free."""
        return np.zeros(0)

    def table(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "states states"]:
        """E, whatever psi."""
        return self.E

    def derivative(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "states states parameters"]:
        """Empty."""
        return np.zeros((*self.E.shape, 0))


@dataclass(frozen=True, slots=True)
class MultinomialErrors:
    """E[r, o] proportional to exp(psi_ro) where ``allowed``, with psi_rr = 0: log odds against the true state.

    ``first`` (states, states) are the error probabilities at which a fit begins.
    """

    states: tuple[str, ...]
    allowed: Bool[np.ndarray, "states states"]
    first: Float[np.ndarray, "states states"]

    @property
    def _cells(self) -> list[tuple[int, int]]:
        return [(int(r), int(o)) for r, o in zip(*np.nonzero(self.allowed), strict=True) if r != o]

    @property
    def names(self) -> tuple[str, ...]:
        """``seen o in r``."""
        return tuple(f"seen {self.states[o]} in {self.states[r]}" for r, o in self._cells)

    @property
    def start(self) -> Float[np.ndarray, "parameters"]:
        """Log odds of ``first``."""
        right = 1 - (self.first * self.allowed * (1 - np.eye(len(self.states)))).sum(1)
        return np.array([np.log(self.first[r, o] / right[r]) for r, o in self._cells])

    def table(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "states states"]:
        """E by the multinomial logit."""
        E = np.eye(len(self.states))
        for (r, o), value in zip(self._cells, psi, strict=True):
            E[r, o] = np.exp(value)
        return np.asarray(E / E.sum(1, keepdims=True))

    def derivative(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "states states parameters"]:
        """dE_ro' / dpsi_ro = E_ro' (1[o = o'] - E_ro)."""
        E = self.table(psi)
        out = np.zeros((*E.shape, len(self._cells)))
        for k, (r, o) in enumerate(self._cells):
            out[r, :, k] = -E[r] * E[r, o]
            out[r, o, k] += E[r, o]
        return out


@dataclass(frozen=True, slots=True)
class PairErrors:
    """Two binary coordinates, each seen with its own sensitivity and specificity, errors independent.

    States in the order 0, A, B, AB, then states seen without error. ``known`` holds sensitivity of A, specificity
    of A, sensitivity of B, specificity of B; NaN where it is to be estimated (on the logit scale).
    """

    states: int
    known: tuple[float, float, float, float]

    @property
    def _free(self) -> list[int]:
        return [k for k in range(4) if np.isnan(self.known[k])]

    @property
    def names(self) -> tuple[str, ...]:
        """Which of the four are free."""
        words = ("sensitivity A", "specificity A", "sensitivity B", "specificity B")
        return tuple(words[k] for k in self._free)

    @property
    def start(self) -> Float[np.ndarray, "parameters"]:
        """Sensitivity and specificity of 0.9."""
        return np.full(len(self._free), logit(0.9))

    def _coordinates(self, psi: Float[np.ndarray, "parameters"]) -> tuple[np.ndarray, np.ndarray]:
        """The two 2 x 2 tables P(seen | true)."""
        p = np.array(self.known)
        p[self._free] = expit(psi)
        one = [np.array([[p[k + 1], 1 - p[k + 1]], [1 - p[k], p[k]]]) for k in (0, 2)]
        return one[0], one[1]

    def table(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "states states"]:
        """E is the Kronecker product of the two coordinates' tables."""
        a, b = self._coordinates(psi)
        E = np.eye(self.states)
        E[:4, :4] = np.kron(b, a)
        return E

    def derivative(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "states states parameters"]:
        """One coordinate's table moves at a time."""
        a, b = self._coordinates(psi)
        out = np.zeros((self.states, self.states, len(self._free)))
        for i, k in enumerate(self._free):
            slope = expit(psi[i]) * expit(-psi[i])
            row = 0 if k % 2 else 1
            change = np.zeros((2, 2))
            change[row, row], change[row, 1 - row] = slope, -slope
            out[:4, :4, i] = np.kron(b, change) if k < 2 else np.kron(change, a)
        return out


@dataclass(frozen=True, slots=True)
class Initial:
    """P(true state at the first observation): fixed, or free among the states where ``probabilities`` > 0.

    Free ones are log odds against the first state with positive probability. With ``block`` (states,) only the
    shares within each block of states are free, against the block's first; the total of each block is fixed.
    """

    probabilities: Float[np.ndarray, "states"]
    free: bool = False
    block: Int[np.ndarray, "states"] | None = None

    @property
    def _blocks(self) -> list[np.ndarray]:
        """The possible states of each block."""
        label = np.zeros(self.probabilities.size, dtype=np.int64) if self.block is None else self.block
        blocks = (np.flatnonzero((label == b) & (self.probabilities > 0)) for b in np.unique(label))
        return [states for states in blocks if states.size]

    @property
    def _open(self) -> Sequence[int]:
        return sorted(int(r) for states in self._blocks for r in states[1:]) if self.free else []

    @property
    def names(self) -> tuple[str, ...]:
        """``start in state r``, by number."""
        return tuple(f"start in {r}" for r in self._open)

    @property
    def start(self) -> Float[np.ndarray, "parameters"]:
        """Log odds of the given probabilities."""
        base = {int(r): self.probabilities[states[0]] for states in self._blocks for r in states}
        return np.array([np.log(self.probabilities[r] / base[r]) for r in self._open])

    def vector(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "states"]:
        """pi at psi."""
        total = self.probabilities.sum()
        if not self.free:
            return np.asarray(self.probabilities / total)
        odds = (self.probabilities > 0).astype(np.float64)
        odds[self._open] = np.exp(psi)
        out = np.zeros_like(odds)
        for states in self._blocks:
            out[states] = odds[states] / odds[states].sum() * self.probabilities[states].sum() / total
        return out

    def derivative(self, psi: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "states parameters"]:
        """dpi_r / dpsi_k = pi_r (1[r = k] - pi_k / pi_block) within the block of k."""
        pi = self.vector(psi)
        slope = np.diag(pi)
        for states in self._blocks:
            slope[np.ix_(states, states)] -= np.outer(pi[states], pi[states]) / pi[states].sum()
        return np.asarray(slope[:, self._open])
