"""A process read from several indicators: the first sets its unit and its zero, the others load as the answers say.

    y_k = ν_k + λ_k η_j + ε_k,    ε_k ~ N(0, θ_k);    λ = 1, ν = 0 for the first indicator of each process

What the indicators of a process share from row to row is the process; what each has alone is error. From two
indicators on, error and process are told apart at one moment and need no carry-over for it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bothways.engine.statespace.structure import FREE, Structure


def measured_by(structure: Structure, indicators: tuple[tuple[str, ...], ...]) -> Structure:
    """``structure`` with the processes read from ``indicators``, one tuple of names for each process.

    An indicator that stands alone keeps the error that ``structure`` gives its process (free, or fixed); beside
    others each has an error of its own. Raises ValueError where a process has no indicator.
    """
    p = len(structure.processes)
    if len(indicators) != p or not all(indicators):
        raise ValueError("every process needs an indicator")
    owner = [j for j, names in enumerate(indicators) for _ in names]
    first = [k == 0 for names in indicators for k in range(len(names))]
    loading = np.zeros((len(owner), p))
    loading[np.arange(len(owner)), owner] = np.where(first, 1.0, FREE)
    alone = [len(indicators[j]) == 1 for j in owner]
    own_error = structure.noise[[_reading(structure, j) for j in owner]]
    return replace(
        structure,
        indicators=tuple(name for names in indicators for name in names),
        loading=loading,
        intercept=np.where(first, 0.0, FREE),
        noise=np.where(alone, own_error, FREE),
    )


def _reading(structure: Structure, process: int) -> int:
    """The indicator that ``structure`` reads a process from."""
    return int(np.flatnonzero(np.nan_to_num(structure.loading[:, process], nan=1.0))[0])
