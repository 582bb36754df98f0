"""Grouping identical rows by a 64-bit hash, with every group checked against its first member."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int

_ODD = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xBF58476D1CE4E5B9)


def mix(x: np.ndarray) -> np.ndarray:
    """A bijective scramble of 64-bit words (the splitmix64 finaliser, one round short)."""
    x = (x ^ (x >> np.uint64(30))) * _MIX
    return np.asarray(x ^ (x >> np.uint64(27)))


def words(column: np.ndarray) -> np.ndarray:
    """The bits of a numeric column; -0.0 counts as 0.0."""
    if column.dtype.kind == "f":
        return (np.asarray(column, dtype=np.float64) + 0.0).view(np.uint64)
    return np.asarray(column, dtype=np.int64).view(np.uint64)


def row_hash(columns: list[np.ndarray]) -> np.ndarray:
    """One word per row of the columns (rows,) each."""
    total = np.zeros(columns[0].shape[0], dtype=np.uint64)
    with np.errstate(over="ignore"):
        for column in columns:
            total = mix((total ^ words(column)) + _ODD)
    return total


def group(columns: list[np.ndarray]) -> tuple[Int[np.ndarray, "groups"], Int[np.ndarray, "rows"]]:
    """(first, label): the first row of each distinct row, and each row's group.

    Equal hashes are compared in full; the improbable collision falls back to a lexicographic sort.
    """
    _, first, label = np.unique(row_hash(columns), return_index=True, return_inverse=True)
    if all(np.array_equal(column, column[first][label]) for column in columns):
        return first.astype(np.int64), label.astype(np.int64)
    _, first, label = np.unique(
        np.stack([words(c) for c in columns], 1), axis=0, return_index=True, return_inverse=True
    )
    return first.astype(np.int64), label.ravel().astype(np.int64)
