"""Who answered, who did not, and whether those who left differed before they left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from bothways.designs.panel.setup import PanelSetup

NOTICED = 1.96


@dataclass(frozen=True, slots=True)
class Leaving:
    """Into one wave: how many were there at the wave before, how many of them are missing now, and how they differed.

    ``difference`` of each process at the wave before, those who are missing less those who are there, in SDs of that
    wave; ``z`` is it over its standard error. NaN where a side has fewer than two people.
    """

    wave: int
    before: int
    missing: int
    difference: tuple[float, ...]
    z: tuple[float, ...]


def leaving(setup: PanelSetup) -> tuple[Leaving, ...]:
    """The missingness of each wave, against the scores of the wave before (Little 1995: is it completely random?)."""
    scores = setup.waves.scores[setup.rows]
    there = np.isfinite(scores).any(axis=2)
    rows = []
    for t in range(1, setup.T):
        was, gone = there[:, t - 1], there[:, t - 1] & ~there[:, t]
        compared = [_difference(scores[was, t - 1, k], gone[was]) for k in range(setup.K)]
        rows.append(Leaving(t, int(was.sum()), int(gone.sum()), *zip(*compared, strict=True)))
    return tuple(rows)


def _difference(x: Float[np.ndarray, "n"], gone: Bool[np.ndarray, "n"]) -> tuple[float, float]:
    known = np.isfinite(x)
    left, stayed = x[known & gone], x[known & ~gone]
    if len(left) < 2 or len(stayed) < 2:
        return float("nan"), float("nan")
    gap = float(left.mean() - stayed.mean())
    error = float(np.sqrt(left.var(ddof=1) / len(left) + stayed.var(ddof=1) / len(stayed)))
    return gap / float(x[known].std()), gap / error if error > 0 else float("nan")


def missing_answers(setup: PanelSetup) -> tuple[int, int]:
    """(missing, asked): answers of all processes over the used waves and people."""
    scores = setup.waves.scores[setup.rows]
    return int(np.isnan(scores).sum()), int(scores.size)


def left_unlike(rows: Sequence[Leaving]) -> bool:
    """Whether those missing at a wave had differed at the wave before, beyond chance over all waves together."""
    z = np.array([z for row in rows for z in row.z])
    z = z[np.isfinite(z)]
    return bool(len(z) and np.abs(z).max() > NOTICED * np.sqrt(1 + np.log(len(z))))


def at_the_floor(setup: PanelSetup, k: int) -> tuple[int, int]:
    """(answers at the lowest value that was ever given, answers) of one process."""
    x = setup.waves.scores[..., k]
    x = x[np.isfinite(x)]
    return int((x == x.min()).sum()), len(x)


def two_valued(setup: PanelSetup, k: int) -> bool:
    """Whether a process only ever takes two values."""
    x = setup.waves.scores[..., k]
    x = x[np.isfinite(x)]
    return bool(np.isin(x, (x.min(), x.max())).all())
