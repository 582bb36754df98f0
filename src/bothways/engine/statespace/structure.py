"""Which cells of a system are estimated, and the map between the free vector and the matrices.

A cell that is NaN is estimated; any other value is fixed. Free scales:

    diagonal of the drift   −exp(θ)        diagonals of Cholesky roots, error variances   exp(θ)        all else   θ

(−exp(θ) keeps steps sensible, but a stable drift may have a diagonal cell above zero: ``signed`` lets it.)
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Float

from bothways.engine.statespace.system import Adjoint, System

FREE = np.nan
MATRICES = (
    "drift", "diffusion_root", "loading", "intercept", "noise", "level", "inputs", "impulses", "static_root",
    "start_mean", "start_root",
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """Patterns of the matrices of `System`; covariances by their lower Cholesky roots. NaN: estimated.

    ``start_root`` is None for a stationary start. ``processes``, ``indicators``, ``regressors``, ``input_names`` and
    ``impulse_names`` name rows and columns. ``signed``: diagonals of the drift are θ itself and not −exp(θ).
    ``fastest`` bounds the sum of the rates, −tr A, from above (softly, see `fit.bound`); infinite: no bound.
    """

    processes: tuple[str, ...]
    indicators: tuple[str, ...]
    regressors: tuple[str, ...]
    drift: Float[np.ndarray, "p p"]
    diffusion_root: Float[np.ndarray, "p p"]
    loading: Float[np.ndarray, "d p"]
    intercept: Float[np.ndarray, " d"]
    noise: Float[np.ndarray, " d"]
    level: Float[np.ndarray, "p r"]
    static_root: Float[np.ndarray, "s s"]
    start_mean: Float[np.ndarray, " p"]
    inputs: Float[np.ndarray, "p c"]
    impulses: Float[np.ndarray, "p e"]
    start_root: Float[np.ndarray, "p p"] | None = None
    input_names: tuple[str, ...] = ()
    impulse_names: tuple[str, ...] = ()
    signed: bool = False
    fastest: float = np.inf
    blocks: tuple[Block, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "blocks", _blocks(self))

    @property
    def names(self) -> tuple[str, ...]:
        """One name for each free parameter, in the order of the vector."""
        return tuple(name for block in self.blocks for name in block.names)

    @property
    def size(self) -> int:
        """How many parameters are free."""
        return sum(len(block.names) for block in self.blocks)

    @property
    def moving_loading(self) -> bool:
        """Whether any loading is estimated."""
        return bool(np.isnan(self.loading).any())

    @property
    def moving_noise(self) -> bool:
        """Whether any error variance is estimated."""
        return bool(np.isnan(self.noise).any())

    def index(self, matrix: str, *cell: int) -> int | None:
        """Where a cell stands in the free vector; None where it is fixed."""
        for block in self.blocks:
            if block.matrix == matrix:
                hits = np.flatnonzero(np.all(np.asarray(block.cells) == np.asarray(cell)[:, None], axis=0))
                return int(block.first + hits[0]) if hits.size else None
        return None

    def fix(self, matrix: str, cell: tuple[int, ...], value: float) -> Structure:
        """The same structure with one cell held at ``value``."""
        pattern = getattr(self, matrix).copy()
        pattern[cell] = value
        return replace_pattern(self, matrix, pattern)

    def patterns(self, theta: Float[np.ndarray, " q"]) -> dict[str, np.ndarray]:
        """Every matrix (roots as roots) with the free cells filled in."""
        filled = {m: getattr(self, m).copy() for m in MATRICES if getattr(self, m) is not None}
        for block in self.blocks:
            values = theta[block.first : block.first + len(block.names)]
            filled[block.matrix][block.cells] = np.where(block.log, block.sign * np.exp(values), values)
        return filled

    def system(self, theta: Float[np.ndarray, " q"]) -> System:
        """The model at one free vector."""
        m = self.patterns(theta)
        root, static = m["diffusion_root"], m["static_root"]
        start = m.get("start_root")
        return System(
            drift=m["drift"],
            diffusion=root @ root.T,
            loading=m["loading"],
            intercept=m["intercept"],
            noise=m["noise"],
            level=m["level"],
            inputs=m["inputs"],
            impulses=m["impulses"],
            static_cov=static @ static.T,
            start_mean=m["start_mean"],
            start_cov=None if start is None else start @ start.T,
        )

    def theta(self, matrices: dict[str, np.ndarray]) -> Float[np.ndarray, " q"]:
        """The free vector at given matrices (roots as roots); the inverse of `patterns`."""
        out = np.empty(self.size)
        for block in self.blocks:
            values = matrices[block.matrix][block.cells]
            logs = np.log(np.where(block.log, np.maximum(block.sign * values, 1e-12), 1.0))
            out[block.first : block.first + len(block.names)] = np.where(block.log, logs, values)
        return out

    def gradient(self, theta: Float[np.ndarray, " q"], adjoint: Adjoint) -> Float[np.ndarray, "g q"]:
        """∂ℓ/∂θ by segment: the chain rule of `system`. For C = RR': R̄ = 2 C̄ R."""
        m = self.patterns(theta)
        out = np.empty((adjoint.drift.shape[0], self.size))
        roots = {"diffusion_root": "diffusion", "static_root": "static_cov", "start_root": "start_cov"}
        for block in self.blocks:
            name = block.matrix
            bar = 2.0 * getattr(adjoint, roots[name]) @ m[name] if name in roots else getattr(adjoint, name)
            slope = np.where(block.log, m[name][block.cells], 1.0)
            out[:, block.first : block.first + len(block.names)] = bar[(slice(None), *block.cells)] * slope
        return out


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """The free cells of one matrix: where they stand there and in the vector, and which go through exp."""

    matrix: str
    first: int
    cells: tuple[np.ndarray, ...]
    log: np.ndarray
    sign: float
    names: tuple[str, ...]


def replace_pattern(structure: Structure, matrix: str, pattern: np.ndarray) -> Structure:
    """The same structure with another pattern in one place."""
    changes: dict[str, Any] = {matrix: pattern}
    return replace(structure, **changes)


def _blocks(structure: Structure) -> tuple[Block, ...]:
    blocks, first = [], 0
    for matrix in MATRICES:
        pattern = getattr(structure, matrix)
        if pattern is None:
            continue
        free = np.isnan(pattern)
        if matrix.endswith("_root"):
            free &= np.tri(len(pattern), dtype=bool)
        cells = np.nonzero(free)
        if cells[0].size == 0:
            continue
        if matrix == "noise":
            log = np.ones(cells[0].size, bool)
        elif matrix.endswith("_root") or (matrix == "drift" and not structure.signed):
            log = cells[0] == cells[1]
        else:
            log = np.zeros(cells[0].size, bool)
        sign = -1.0 if matrix == "drift" else 1.0
        blocks.append(Block(matrix, first, cells, log, sign, _names(structure, matrix, cells)))
        first += cells[0].size
    return tuple(blocks)


def _names(structure: Structure, matrix: str, cells: tuple[np.ndarray, ...]) -> tuple[str, ...]:
    """``matrix[row,column]`` in the words of the structure."""
    p = structure.processes
    statics = tuple(
        name if k == 0 else f"{name}*{k}" for k in range(len(structure.static_root) // max(1, len(p))) for name in p
    )
    rows = {"loading": structure.indicators, "intercept": structure.indicators, "noise": structure.indicators}
    columns = {
        "loading": p,
        "level": structure.regressors,
        "inputs": structure.input_names,
        "impulses": structure.impulse_names,
    }
    row = statics if matrix == "static_root" else rows.get(matrix, p)
    column = statics if matrix == "static_root" else columns.get(matrix, p)
    if len(cells) == 1:
        return tuple(f"{matrix}[{row[i]}]" for i in cells[0])
    return tuple(f"{matrix}[{row[i]},{column[j]}]" for i, j in zip(*cells, strict=True))


def multivariate(
    processes: tuple[str, ...],
    *,
    random_means: bool,
    error: bool = False,
    regressors: tuple[str, ...] = ("1",),
    input_names: tuple[str, ...] = (),
    impulse_names: tuple[str, ...] = (),
    free_start: bool = False,
) -> Structure:
    """Every process with one indicator, all pairs of processes joined both ways, everything estimated."""
    p = len(processes)
    s = p if random_means else 0
    return Structure(
        processes=processes,
        indicators=processes,
        regressors=regressors,
        drift=np.full((p, p), FREE),
        diffusion_root=_lower(p),
        loading=np.eye(p),
        intercept=np.zeros(p),
        noise=np.full(p, FREE) if error else np.zeros(p),
        level=np.full((p, len(regressors)), FREE),
        static_root=_lower(s),
        start_mean=np.full(p, FREE) if free_start else np.zeros(p),
        inputs=np.full((p, len(input_names)), FREE),
        impulses=np.full((p, len(impulse_names)), FREE),
        input_names=input_names,
        impulse_names=impulse_names,
    )


def _lower(n: int) -> np.ndarray:
    return np.where(np.tri(n, dtype=bool), FREE, 0.0)
