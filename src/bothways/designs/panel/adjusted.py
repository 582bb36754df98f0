"""Any panel model with covariates that predict every score.

    y_t = model + γ_t x,    γ_t free for every process and wave,    Cov(x), E(x) free

x stands beside the model's own parts, so that lags do not carry its influence on: it is held constant in each score
(Mulder & Hamaker 2021, their extension with a time-invariant predictor of the observed variables).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from bothways.engine.moments import Kind, PathStructure
from bothways.engine.panel_models.builder import PathModel
from bothways.engine.parameters import ParameterMap

Place = tuple[Kind, int, int, str]


def with_covariates(model: PathModel, count: int, processes: int) -> PathModel:
    """``model`` with ``count`` covariates after its variables.

    Labels: G<process><covariate>_<wave> for γ, X<i>.<j> for Cov(x), mean.x<i>. Each γ needs an element of η of its
    own, because what is observed is a fixed sum of elements. Returns ``model`` itself for no covariates.
    """
    if count == 0:
        return model
    old, p, n = model.structure, len(model.observed), len(model.states)
    x = [n + i for i in range(count)]
    routes = {(y, i): n + count + y * count + i for y in range(p) for i in range(count)}
    places: list[Place] = [(Kind.NU, p + i, 0, f"mean.x{i + 1}") for i in range(count)]
    places += [(Kind.S, x[i], x[j], f"X{i + 1}.{j + 1}") for i in range(count) for j in range(i + 1)]
    places += [(Kind.A, state, x[i], route_label(y, i, processes)) for (y, i), state in routes.items()]
    names = tuple(f"x{i + 1}" for i in range(count))
    states = (*model.states, *names, *(f"g{y + 1}.{i + 1}" for y, i in routes))
    structure = _grown(old, len(states), count, places)
    for y, i in routes:
        structure.J[y, routes[y, i]] = 1.0
    for i in range(count):
        structure.J[p + i, x[i]] = 1.0
    return replace(
        model,
        structure=structure,
        parameters=_more(model.parameters, [label for *_, label in places]),
        observed=(*model.observed, *names),
        states=states,
        start=lambda mean, cov: _start(model, mean, cov, count, processes),
    )


def route_label(variable: int, covariate: int, processes: int) -> str:
    """The name of γ for an observed variable (0-based, in the engine's order)."""
    return f"G{variable % processes + 1}{covariate + 1}_{variable // processes + 1}"


def _grown(old: PathStructure, states: int, count: int, places: list[Place]) -> PathStructure:
    """The matrices with room for more states and variables, and the new cells after the old ones."""
    n, p = len(old.A), len(old.nu)
    A, S = np.zeros((states, states)), np.zeros((states, states))
    A[:n, :n], S[:n, :n] = old.A, old.S
    J = np.zeros((p + count, states))
    J[:p, :n] = old.J
    m, nu = np.zeros(states), np.zeros(p + count)
    m[:n], nu[:p] = old.m, old.nu
    kind, row, column = (np.array([place[axis] for place in places], np.int64) for axis in range(3))
    cells = ((old.kind, kind), (old.row, row), (old.column, column))
    return PathStructure(A, S, m, nu, J, *(np.concatenate(pair) for pair in cells))


def _more(old: ParameterMap, labels: list[str]) -> ParameterMap:
    """One new free parameter for each new cell."""
    cells, free, more = len(old.offset), len(old.names), len(labels)
    linear = np.zeros((cells + more, free + more))
    linear[:cells, :free] = old.linear
    linear[cells:, free:] = np.eye(more)
    return ParameterMap((*old.names, *labels), np.concatenate([old.offset, np.zeros(more)]), linear, old.curves)


def _start(model: PathModel, mean: np.ndarray, cov: np.ndarray, count: int, processes: int) -> Mapping[str, float]:
    """γ from the regression of the scores on x; the model from what that leaves."""
    p = len(mean) - count
    X = cov[p:, p:]
    gamma = np.linalg.solve(X, cov[p:, :p])
    starts = dict(model.start(mean[:p] - gamma.T @ mean[p:], cov[:p, :p] - cov[:p, p:] @ gamma))
    starts |= {f"mean.x{i + 1}": float(mean[p + i]) for i in range(count)}
    starts |= {f"X{i + 1}.{j + 1}": float(X[i, j]) for i in range(count) for j in range(i + 1)}
    starts |= {route_label(y, i, processes): float(gamma[i, y]) for y in range(p) for i in range(count)}
    return starts
