"""A path model as a list of statements, which the syntax of any structural equation program can write.

Elements that are one observed variable each are that variable; the others are latent variables.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bothways.engine.moments import Kind
from bothways.engine.panel_models.builder import PathModel

Value = str | float  # the label of a free parameter, or a fixed value


@dataclass(frozen=True, slots=True)
class Equations:
    """Loadings (latent, observed, value), regressions (outcome, predictor, value), covariances and means.

    ``free_lags`` are cells that a curve fills: they carry labels of their own and no value here.
    """

    observed: tuple[str, ...]
    latent: tuple[str, ...]
    loadings: tuple[tuple[str, str, Value], ...]
    regressions: tuple[tuple[str, str, Value], ...]
    covariances: tuple[tuple[str, str, Value], ...]
    means: tuple[tuple[str, Value], ...]


def equations_of(model: PathModel, names: tuple[str, ...]) -> Equations:
    """The statements of ``model``, its observed variables called ``names``.

    Cells that a curve fills get labels B<ij>_<t>. A variable that is regressed on others has an intercept instead of
    the mean that the engine estimates, and its label says so.
    """
    s = model.structure
    owner = _observed_states(model)
    called = {state: names[row] for state, row in owner.items()}
    called |= {i: name for i, name in enumerate(model.states) if i not in owner}
    paths, covariances = _paths(model), _covariances(model)
    routed = {i for i, name in enumerate(model.states) if name.startswith("g")}
    loadings: list[tuple[str, str, Value]] = [
        (called[i], names[row], float(s.J[row, i]))
        for i in called
        if i not in owner and i not in routed
        for row in np.flatnonzero(s.J[:, i])
    ]
    regressions = []
    for (outcome, predictor), value in paths.items():
        if outcome in routed:
            regressions.append((names[int(np.flatnonzero(s.J[:, outcome])[0])], called[predictor], value))
        elif predictor not in owner and outcome in owner:
            loadings.append((called[predictor], called[outcome], value))
        else:
            regressions.append((called[outcome], called[predictor], value))
    return Equations(
        names,
        tuple(called[i] for i in called if i not in owner and i not in routed),
        tuple(loadings),
        tuple(regressions),
        tuple((called[i], called[j], v) for (i, j), v in covariances.items()),
        _means(model, names, called, {outcome for outcome, _, _ in regressions}),
    )


def _observed_states(model: PathModel) -> dict[int, int]:
    """States that are one observed variable each, with its row: nothing else loads on it, and it on nothing else."""
    J = model.structure.J != 0
    routes = np.array([name.startswith("g") for name in model.states])
    own = {}
    for row in range(J.shape[0]):
        states = np.flatnonzero(J[row] & ~routes)
        if len(states) == 1 and J[:, states[0]].sum() == 1:
            own[int(states[0])] = row
    return own


def _labels(model: PathModel) -> list[str]:
    """The label of each cell: that of its parameter, or for cells of a curve one by place."""
    labels = []
    s, linear = model.structure, model.parameters.linear
    for cell in range(len(s.kind)):
        free = np.flatnonzero(linear[cell])
        labels.append(model.names[int(free[0])] if len(free) else _place_label(model, cell))
    return labels


def _place_label(model: PathModel, cell: int) -> str:
    s = model.structure
    for t, wave in enumerate(model.lagged):
        if s.kind[cell] == Kind.A and s.row[cell] in wave:
            return f"B{wave.index(s.row[cell]) + 1}{model.lagged[t - 1].index(s.column[cell]) + 1}_{t + 1}"
    raise ValueError("a model with stationary or standardised lags has no statements of this kind")


def _paths(model: PathModel) -> dict[tuple[int, int], Value]:
    s, labels = model.structure, _labels(model)
    fixed: dict[tuple[int, int], Value] = {(int(i), int(j)): float(s.A[i, j]) for i, j in np.argwhere(s.A)}
    return fixed | {(int(s.row[c]), int(s.column[c])): labels[c] for c in s.where(Kind.A)}


def _covariances(model: PathModel) -> dict[tuple[int, int], Value]:
    s, labels = model.structure, _labels(model)
    return {(int(s.row[c]), int(s.column[c])): labels[c] for c in s.where(Kind.S)}


def _means(
    model: PathModel, names: tuple[str, ...], called: dict[int, str], regressed: set[str]
) -> tuple[tuple[str, Value], ...]:
    """Means and intercepts by label; where the observed ones are fixed at zero the latent ones are free."""
    s, labels = model.structure, _labels(model)
    nu: dict[str, Value] = dict.fromkeys(names, 0.0)
    for c in s.where(Kind.NU):
        name = names[int(s.row[c])]
        nu[name] = labels[c].replace("mean.", "intercept.") if name in regressed else labels[c]
    latent: list[tuple[str, Value]] = [(called[int(s.row[c])], labels[c]) for c in s.where(Kind.M)]
    return (*nu.items(), *latent)
