"""People grouped by which variables were observed: all that the normal likelihood needs to know of a data set.

For pattern k with observed variables o: weight n_k = Σ w_i, mean m_k and covariance S_k (divisor n_k), both zero
outside o. Complete data are the case of one pattern.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int


@dataclass(frozen=True, slots=True, eq=False)
class PatternStatistics:
    """One group of people. `values` keeps the rows themselves (zero where missing) for casewise scores.

    `kept` are the positions, in the table that came in, of the rows with at least one observed value.
    """

    observed: Bool[np.ndarray, "patterns p"]
    people: Int[np.ndarray, " patterns"]
    counts: Float[np.ndarray, " patterns"]
    means: Float[np.ndarray, "patterns p"]
    covariances: Float[np.ndarray, "patterns p p"]
    values: Float[np.ndarray, "rows p"]
    pattern: Int[np.ndarray, " rows"]
    weights: Float[np.ndarray, " rows"]
    kept: Int[np.ndarray, " rows"]

    @property
    def total(self) -> float:
        """Σ n_k, the number of people (the sum of their weights)."""
        return float(self.counts.sum())

    @property
    def complete(self) -> bool:
        """Whether every variable was observed in every person."""
        return bool(self.observed.all())


@dataclass(frozen=True, slots=True, eq=False)
class PanelData:
    """The pattern statistics of each group; one group is the usual case."""

    groups: tuple[PatternStatistics, ...]

    @property
    def total(self) -> float:
        """People in all groups (the sum of their weights)."""
        return sum(group.total for group in self.groups)

    @property
    def variables(self) -> int:
        """Number p of observed variables."""
        return int(self.groups[0].observed.shape[1])

    @property
    def complete(self) -> bool:
        """Whether no value is missing in any group."""
        return all(group.complete for group in self.groups)


def pattern_statistics(
    Y: Float[np.ndarray, "rows p"],
    weights: Float[np.ndarray, " rows"] | None = None,
    groups: Sequence[int] | np.ndarray | None = None,
) -> PanelData:
    """Group the rows of `Y` (NaN = missing) by missing pattern, within each group 0..G−1 of people.

    Rows without any observed value are left out. Weights are sampling weights and are rescaled to sum to the
    number of people, as is usual for robust standard errors.

    Raises ValueError if nothing is observed in a group, or weights are negative or not finite.
    """
    if weights is not None and (not np.isfinite(weights).all() or (weights < 0).any()):
        raise ValueError("weights must be finite and not negative")
    member = np.zeros(len(Y), np.int64) if groups is None else np.asarray(groups, np.int64)
    if len(member) != len(Y):
        raise ValueError(f"groups has {len(member)} entries, the table {len(Y)} rows")
    seen = np.isfinite(Y)
    answered = seen.any(axis=1)
    scaled = np.ones(len(Y)) if weights is None else weights * (answered.sum() / weights[answered].sum())
    rows = [np.flatnonzero(answered & (member == g)) for g in range(int(member.max(initial=0)) + 1)]
    if any(len(kept) == 0 for kept in rows):
        raise ValueError("a group has no observed value; number the groups 0, 1, ... without gaps")
    return PanelData(tuple(_one_group(Y[kept], seen[kept], scaled[kept], kept) for kept in rows))


def moment_data(
    mean: Float[np.ndarray, " p"], covariance: Float[np.ndarray, "p p"], people: float
) -> PatternStatistics:
    """Complete data known by their mean and covariance (divisor n) alone: one pattern and no rows."""
    p = len(mean)
    return PatternStatistics(
        np.ones((1, p), bool), np.array([max(int(people), 2)]), np.array([float(people)]),
        mean[None].astype(float), covariance[None].astype(float),
        np.empty((0, p)), np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64),
    )  # fmt: skip


def reweighted(data: PatternStatistics, weights: Float[np.ndarray, " rows"]) -> PatternStatistics:
    """The same people with other weights (a bootstrap draw counts each person 0, 1, 2, ... times)."""
    return _statistics(data.observed, data.values, data.pattern, weights, data.kept)


def _one_group(
    Y: Float[np.ndarray, "rows p"],
    seen: Bool[np.ndarray, "rows p"],
    weights: Float[np.ndarray, " rows"],
    kept: Int[np.ndarray, " rows"],
) -> PatternStatistics:
    keys = _pattern_keys(seen)
    _, first, pattern = np.unique(keys, return_index=True, return_inverse=True)
    values = np.where(seen, Y, 0.0)
    return _statistics(seen[first], values, pattern.reshape(-1).astype(np.int64), weights, kept)


def _pattern_keys(seen: Bool[np.ndarray, "rows p"]) -> np.ndarray:
    """One hashable key a row: the bit mask as an integer, or as bytes where 62 bits are too few."""
    if seen.shape[1] <= 62:
        return np.asarray(seen @ (np.int64(1) << np.arange(seen.shape[1], dtype=np.int64)))
    packed = np.ascontiguousarray(np.packbits(seen, axis=1))
    return packed.view(np.dtype((np.void, packed.shape[1]))).reshape(-1)


def _statistics(
    observed: Bool[np.ndarray, "patterns p"],
    values: Float[np.ndarray, "rows p"],
    pattern: Int[np.ndarray, " rows"],
    weights: Float[np.ndarray, " rows"],
    kept: Int[np.ndarray, " rows"],
) -> PatternStatistics:
    from bothways.engine.kernels.patterns import pattern_moments

    patterns, p = observed.shape
    people = np.bincount(pattern, minlength=patterns)
    starts = np.concatenate([[0], np.cumsum(people)])
    order = np.argsort(pattern, kind="stable")
    counts, means = np.zeros(patterns), np.zeros((patterns, p))
    covariances = np.zeros((patterns, p, p))
    pattern_moments(values, order, starts, weights, observed, counts, means, covariances)
    return PatternStatistics(observed, people, counts, means, covariances, values, pattern, weights, kept)
