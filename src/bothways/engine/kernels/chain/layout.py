"""What the kernels are handed: decompositions, flat sequences, and room to work in."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

OPEN, SEEN, ENTERED, DATED = 0, 1, 2, 3  # what ends a step; see engine/chain/sequences.py
SMALL = 1e-9  # below this probability the eigenvector route may have lost the digits that matter


class Roots(NamedTuple):
    """One decomposition per distinct covariate row; real ones are kept apart because they cost a quarter."""

    generator: np.ndarray  # (U, K, K)
    sound: np.ndarray  # (U,) eigenvectors well enough conditioned to be used
    real: np.ndarray  # (U,) no complex pair
    place: np.ndarray  # (U,) index into the real or the complex arrays below
    real_values: np.ndarray
    real_vectors: np.ndarray
    real_inverse: np.ndarray
    complex_values: np.ndarray
    complex_vectors: np.ndarray
    complex_inverse: np.ndarray


class Steps(NamedTuple):
    """Observed sequences as flat steps; sequence s owns the steps first[s] to first[s + 1]."""

    first: np.ndarray  # (S + 1,)
    start: np.ndarray  # (S,) row of the table of starting weights
    row: np.ndarray  # (J,) covariate row in force during the step
    length: np.ndarray  # (J,)
    kind: np.ndarray  # (J,) OPEN, SEEN, ENTERED or DATED
    end: np.ndarray  # (J,) SEEN: row of the table of weights; ENTERED and DATED: the state
    origin: np.ndarray  # (J,) DATED: the state before; else -1


class Room(NamedTuple):
    """Scratch for one step, real and complex."""

    e: np.ndarray
    phi: np.ndarray
    y: np.ndarray
    ez: np.ndarray
    phiz: np.ndarray
    yz: np.ndarray
    a: np.ndarray
    c: np.ndarray
    reached: np.ndarray
    ones: np.ndarray


@njit(cache=True)
def make_room(K):
    c = np.complex128
    return Room(
        np.empty(K), np.empty((K, K)), np.empty((K, K)), np.empty(K, c), np.empty((K, K), c), np.empty((K, K), c),
        np.empty(K), np.empty(K), np.empty(K), np.ones(K),
    )  # fmt: skip
