"""Log rates as linear functions of covariates, with constraints that are linear too."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from bothways.engine.chain.graph import Graph

RATE = "rate"  # the name of the constant: log q where all covariates are 0

Entry = tuple[str, str]  # (covariate or "rate", transition)


@dataclass(frozen=True, slots=True)
class Predictor:
    """log q_t(x) = sum_c x_c B_ct with B = offset + basis theta.

    ``covariates`` name the columns of x, the constant first. ``offset`` (C, T) holds fixed values, ``basis``
    (C, T, P) says which parameters enter where. An entry that is neither free nor fixed is 0.
    """

    graph: Graph
    covariates: tuple[str, ...]
    names: tuple[str, ...]
    offset: Float[np.ndarray, "covariates transitions"]
    basis: Float[np.ndarray, "covariates transitions parameters"]

    @property
    def size(self) -> int:
        """How many free parameters there are."""
        return len(self.names)

    def coefficients(self, theta: Float[np.ndarray, "parameters"]) -> Float[np.ndarray, "covariates transitions"]:
        """B at theta."""
        return np.asarray(self.offset + self.basis @ theta)

    def log_rates(
        self, theta: Float[np.ndarray, "parameters"], x: Float[np.ndarray, "rows covariates"]
    ) -> Float[np.ndarray, "rows transitions"]:
        """log q at each row of x."""
        return np.asarray(x @ self.coefficients(theta))

    def pull(
        self, by_entry: Float[np.ndarray, "*rows covariates transitions"]
    ) -> Float[np.ndarray, "*rows parameters"]:
        """The chain rule from d/dB to d/dtheta."""
        return np.tensordot(by_entry, self.basis, axes=2)

    def row(self, transition: str, **at: float) -> Float[np.ndarray, "parameters"]:
        """The weights w of log q_transition = w'theta (+ fixed part) with covariates 0 but those given."""
        x = np.array([1.0] + [at.get(name, 0.0) for name in self.covariates[1:]])
        return np.asarray(x @ self.basis[:, self.graph.index(transition), :])


def predictor(
    graph: Graph,
    effects: Mapping[str, Sequence[str] | None] | None = None,
    equal: Sequence[Sequence[Entry]] = (),
    fixed: Mapping[Entry, float] | None = None,
) -> Predictor:
    """Free rates for every transition, and covariate effects on all transitions (None) or on those named.

    ``equal`` lists groups of entries that share one parameter, ``fixed`` gives entries that are not estimated.
    An entry is ``("rate", "0>A")`` or ``("age", "0>A")``. KeyError where an entry is unknown.
    """
    effects, fixed = dict(effects or {}), dict(fixed or {})
    covariates = (RATE, *effects)
    chosen: dict[str, Sequence[str]] = {RATE: graph.transitions}
    chosen |= {name: graph.transitions if which is None else which for name, which in effects.items()}
    entries = [(name, transition) for name in covariates for transition in chosen[name]]
    unknown = (set(fixed) | {e for group in equal for e in group}) - set(entries)
    if unknown:
        raise KeyError(f"constraints on entries that the model does not have: {sorted(unknown)}")
    leader = {entry: group[0] for group in equal for entry in group}
    fixed |= {entry: fixed[first] for entry, first in leader.items() if first in fixed}
    free = [e for e in entries if e not in fixed and leader.get(e, e) == e]
    place = {entry: k for k, entry in enumerate(free)}
    offset = np.zeros((len(covariates), len(graph.transitions)))
    basis = np.zeros((*offset.shape, len(free)))
    for name, transition in entries:
        c, t = covariates.index(name), graph.index(transition)
        if (name, transition) in fixed:
            offset[c, t] = fixed[name, transition]
        else:
            basis[c, t, place[leader.get((name, transition), (name, transition))]] = 1.0
    return Predictor(graph, covariates, tuple(f"{n} {t}" for n, t in free), offset, basis)
