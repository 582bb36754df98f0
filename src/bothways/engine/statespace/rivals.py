"""A rival: a process that nobody saw, moving slowly, in place of the arrows between two processes."""

from __future__ import annotations

import numpy as np

from bothways.engine.statespace.series import Series
from bothways.engine.statespace.structure import FREE, Structure


def hidden_common_cause(structure: Structure, series: Series, pair: tuple[int, int], *, arrows: bool) -> Structure:
    """``structure`` with one more process z that adds to the indicators of both of ``pair``.

        y = ν + Λ η + c z + ε,    dz = −r z dt + √q dW,   q fixed (it only scales c),   c free on the pair

    The pair's own disturbances are then unrelated: all that they share at one moment is z's work. Without ``arrows``
    the drift between them is zero as well, and A's covariance with later B equals that of B with later A at every
    lag; arrows need not be so even.
    """
    p = len(structure.processes)
    drift = _bordered(structure.drift)
    drift[p, p] = FREE
    if not arrows:
        drift[pair[0], pair[1]] = drift[pair[1], pair[0]] = 0.0
    root = _bordered(structure.diffusion_root)
    root[max(pair), min(pair)] = 0.0
    median = float(np.median(series.gaps[series.gaps > 0])) if (series.gaps > 0).any() else 1.0
    root[p, p] = np.sqrt(0.2 / median)  # one unit of variance at the starting rate of 0.1 a median gap
    loading = np.column_stack([structure.loading, np.zeros(len(structure.indicators))])
    for j in pair:
        loading[np.flatnonzero(np.nan_to_num(structure.loading[:, j], nan=1.0)), p] = FREE
    return Structure(
        processes=(*structure.processes, "hidden"),
        indicators=structure.indicators,
        regressors=structure.regressors,
        drift=drift,
        diffusion_root=root,
        loading=loading,
        intercept=structure.intercept,
        noise=structure.noise,
        level=np.vstack([structure.level, np.zeros(structure.level.shape[1])]),
        static_root=_with_still_process(structure.static_root, p),
        start_mean=np.append(structure.start_mean, 0.0),
        inputs=np.vstack([structure.inputs, np.zeros(structure.inputs.shape[1])]),
        impulses=np.vstack([structure.impulses, np.zeros(structure.impulses.shape[1])]),
        start_root=None if structure.start_root is None else _bordered(structure.start_root, 1.0),
        input_names=structure.input_names,
        impulse_names=structure.impulse_names,
        signed=structure.signed,
        fastest=structure.fastest,
    )


def _bordered(matrix: np.ndarray, corner: float = 0.0) -> np.ndarray:
    """One row and column of zeros more."""
    out = np.pad(matrix, ((0, 1), (0, 1)))
    out[-1, -1] = corner
    return out


def _with_still_process(static_root: np.ndarray, p: int) -> np.ndarray:
    """Static deviations for p + 1 processes, of which the last has none."""
    copies = len(static_root) // p
    out = np.zeros((copies * (p + 1),) * 2)
    keep = np.array([b * (p + 1) + j for b in range(copies) for j in range(p)], dtype=np.int64)
    out[np.ix_(keep, keep)] = static_root
    return out
