"""From variables, labelled paths and covariances to a `PathModel`.

A label names a free parameter; the same label in two places is an equality constraint. A number is a fixed value.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from bothways.engine.moments import Kind, PathStructure
from bothways.engine.parameters import Curve, ParameterMap, Smooth

StartRule = Callable[[np.ndarray, np.ndarray], Mapping[str, float]]
Cell = tuple[Kind, int, int]


@dataclass(frozen=True, slots=True, eq=False)
class PathModel:
    """A path structure, its parameters, and a rule that proposes starting values from (μ, Σ) of the data.

    The cells of θ(α) are those of group 1, then those of group 2, ... `states` name the elements of η.
    `lagged[t][k]` is the element that the lags of process k connect at wave t: the within-person component where the
    model has one (CLPM, RI-CLPM, LCM-SR, STARTS), the score itself in the dynamic panel model.
    """

    structure: PathStructure
    parameters: ParameterMap
    observed: tuple[str, ...]
    states: tuple[str, ...]
    start: StartRule
    groups: int = 1
    lagged: tuple[tuple[int, ...], ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the free parameters, in the order of α."""
        return self.parameters.names

    @property
    def degrees_of_freedom(self) -> int:
        """Moments of all groups less free parameters."""
        p = len(self.observed)
        return self.groups * p * (p + 3) // 2 - len(self.names)

    def vector(self, values: Mapping[str, float]) -> Float[np.ndarray, " free"]:
        """α from values by name. Raises ValueError, naming them, for parameters without a value or unknown ones."""
        if wrong := set(self.names) ^ set(values):
            raise ValueError(f"missing or unknown parameters: {', '.join(sorted(wrong))}")
        return np.array([float(values[name]) for name in self.names])

    def cells(self, alpha: np.ndarray) -> np.ndarray:
        """θ by group: shape (..., groups, cells)."""
        theta = self.parameters.cells(alpha)
        return theta.reshape(*theta.shape[:-1], self.groups, -1)


@dataclass(slots=True)
class PathBuilder:
    """Collects cells; `build` freezes them. Elements of η are added by `state`, observed variables by `observe`."""

    states: list[str] = field(default_factory=list)
    observed: list[str] = field(default_factory=list)
    fixed: dict[Cell, float] = field(default_factory=dict)
    free: dict[Cell, str | None] = field(default_factory=dict)
    loadings: dict[tuple[int, int], float] = field(default_factory=dict)
    curves: list[tuple[tuple[str, ...], tuple[Cell, ...], Smooth]] = field(default_factory=list)

    def state(self, name: str) -> int:
        """Add an element of η and return its index."""
        self.states.append(name)
        return len(self.states) - 1

    def observe(self, name: str, states: Sequence[int], intercept: str | float | None = None) -> int:
        """Add y = ν + Σ η over `states`, with a free intercept of its own name unless another or a value is given."""
        self.observed.append(name)
        row = len(self.observed) - 1
        for index in states:
            self.loadings[row, index] = 1.0
        self._put((Kind.NU, row, 0), f"mean.{name}" if intercept is None else intercept)
        return row

    def path(self, outcome: int, predictor: int, value: str | float | None) -> Cell:
        """A_ij; None leaves the cell to a curve."""
        return self._put((Kind.A, outcome, predictor), value)

    def covary(self, a: int, b: int, value: str | float | None) -> Cell:
        """S_ij, once for both triangles; None leaves the cell to a curve."""
        return self._put((Kind.S, max(a, b), min(a, b)), value)

    def mean(self, state: int, value: str | float) -> Cell:
        """m_i."""
        return self._put((Kind.M, state, 0), value)

    def curve(self, labels: Sequence[str], cells: Sequence[Cell], function: Smooth) -> None:
        """θ[cells] = function(α[labels]); the cells must have been left to it with None."""
        self.curves.append((tuple(labels), tuple(cells), function))

    def build(self, start: StartRule, lagged: Sequence[Sequence[int]] = ()) -> PathModel:
        """The finished model; free parameters in the order in which their labels first appeared."""
        cells = list(self.free)
        names = list(dict.fromkeys(label for label in self.free.values() if label is not None))
        names += [label for labels, _, _ in self.curves for label in labels if label not in names]
        names = list(dict.fromkeys(names))
        linear = np.zeros((len(cells), len(names)))
        for position, label in enumerate(self.free.values()):
            if label is not None:
                linear[position, names.index(label)] = 1.0
        curves = tuple(
            Curve(tuple(map(names.index, labels)), tuple(map(cells.index, places)), function)
            for labels, places, function in self.curves
        )
        parameters = ParameterMap(tuple(names), np.zeros(len(cells)), linear, curves)
        return PathModel(
            self._structure(cells), parameters, tuple(self.observed), tuple(self.states), start,
            lagged=tuple(tuple(wave) for wave in lagged),
        )  # fmt: skip

    def _put(self, cell: Cell, value: str | float | None) -> Cell:
        if value is None or isinstance(value, str):
            self.free[cell] = value
        else:
            self.fixed[cell] = value
        return cell

    def _structure(self, cells: Sequence[Cell]) -> PathStructure:
        n, p = len(self.states), len(self.observed)
        A, S, m, nu = np.zeros((n, n)), np.zeros((n, n)), np.zeros(n), np.zeros(p)
        for (kind, i, j), value in self.fixed.items():
            match kind:
                case Kind.A:
                    A[i, j] = value
                case Kind.S:
                    S[i, j] = S[j, i] = value
                case Kind.M:
                    m[i] = value
                case Kind.NU:
                    nu[i] = value
        J = np.zeros((p, n))
        for (row, column), value in self.loadings.items():
            J[row, column] = value
        places = np.array([[int(part) for part in cell] for cell in cells], np.int64).reshape(-1, 3)
        return PathStructure(A, S, m, nu, J, *places.T)


def symmetric_labels(prefix: str, K: int, suffix: str = "") -> list[tuple[int, int, str]]:
    """(i, j, label) of the lower triangle by rows: Phi11, Phi21, Phi22, ..."""
    return [(i, j, f"{prefix}{i + 1}{j + 1}{suffix}") for i in range(K) for j in range(i + 1)]


def covariance_block(builder: PathBuilder, states: Sequence[int], prefix: str, suffix: str = "") -> None:
    """A free covariance matrix of some states."""
    for i, j, label in symmetric_labels(prefix, len(states), suffix):
        builder.covary(states[i], states[j], label)


def start_vector(model: PathModel, moments: Sequence[tuple[np.ndarray, np.ndarray]]) -> Float[np.ndarray, " free"]:
    """Starting values: each group's proposals, averaged where groups share a parameter; 0 where nothing is proposed."""
    proposals: dict[str, list[float]] = {name: [] for name in model.names}
    for group, (mean, cov) in enumerate(moments):
        for label, value in model.start(mean, cov).items():
            for name in (label, grouped(label, group)):
                if name in proposals:
                    proposals[name].append(value)
    return np.array([float(np.mean(values)) if values else 0.0 for values in proposals.values()])


def grouped(label: str, group: int) -> str:
    """The name of a parameter that is free in group 0, 1, ...: 'B21' -> 'B21@1', 'B21@2'."""
    return f"{label}@{group + 1}"
