"""What was seen of each unit, cut into the sequences whose probabilities multiply to the likelihood.

Conditional on the first observation (which is what left truncation asks for). A visible chain starts afresh at every
known state, so a sequence reaches from one known state to the next; a hidden chain is one sequence per unit.
Identical sequences are evaluated once; who showed them is kept, because robust errors and frailty need it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.engine.chain.graph import Graph
from bothways.engine.chain.hashing import group, mix, row_hash
from bothways.engine.kernels.chain.layout import DATED, ENTERED, OPEN, SEEN, Steps
from bothways.engine.survey import Sampling


@dataclass(frozen=True, slots=True)
class Observations:
    """Rows sorted by unit and time.

    ``seen`` (rows,) is a state, or size + m for "one of the states of ``masks[m]``". ``kind`` (rows,) says how the
    row came to be seen: SEEN at a visit; ENTERED at exactly this time, from where unknown (a dated death); DATED:
    the unit stayed in the previous row's state until exactly this time and is now in ``seen``. ``x`` (rows,
    covariates) holds from its row until the next. ``masks`` (masks, states) is 0/1. ``weight`` (units,) is how often a
    unit counts and ``drawn`` who was drawn together; without them each counts once and was drawn singly.
    """

    unit: Int[np.ndarray, "rows"]
    time: Float[np.ndarray, "rows"]
    seen: Int[np.ndarray, "rows"]
    kind: Int[np.ndarray, "rows"]
    x: Float[np.ndarray, "rows covariates"]
    masks: Float[np.ndarray, "masks states"]
    weight: Float[np.ndarray, "units"] | None = None
    drawn: Sampling | None = None

    def choose(self, rows: np.ndarray) -> Observations:
        """Some of the rows (a mask), whose units are numbered anew from 0."""
        kept, unit = np.unique(self.unit[rows], return_inverse=True)
        return Observations(
            unit.reshape(-1), self.time[rows], self.seen[rows], self.kind[rows], self.x[rows], self.masks,
            None if self.weight is None else self.weight[kept], None if self.drawn is None else self.drawn.among(kept),
        )  # fmt: skip


class Gaps(NamedTuple):
    """Distinct (known state, covariate row, length) of single gaps between visits, and where they led.

    ``seen`` (gaps, states) counts destinations; ``label`` (plain sequences,) says which gap each plain sequence is.
    """

    origin: Int[np.ndarray, "gaps"]
    row: Int[np.ndarray, "gaps"]
    length: Float[np.ndarray, "gaps"]
    seen: Float[np.ndarray, "gaps states"]
    label: Int[np.ndarray, "plain"]


@dataclass(frozen=True, slots=True)
class Sequences:
    """Distinct sequences, distinct covariate rows, and who showed which.

    ``x`` (U, C) has the constant first. ``weights`` (O, K): what a seen symbol says of the states (states first, then
    masks). ``unit`` and ``sequence`` (occurrences,): each unit's sequences. ``plain`` (S,) marks single gaps from a
    known state to a visit, whose expected information is at hand through ``gaps``;
    ``dated`` (S,) those that are exactly dated throughout, whose observed information is as simple. ``weight`` (units,)
    and ``drawn`` are those of the observations: units that showed the same keep their own.
    """

    steps: Steps
    x: Float[np.ndarray, "covariate_rows covariates"]
    weights: Float[np.ndarray, "symbols states"]
    unit: Int[np.ndarray, "occurrences"]
    sequence: Int[np.ndarray, "occurrences"]
    units: int
    hidden: bool
    plain: Bool[np.ndarray, "sequences"]
    dated: Bool[np.ndarray, "sequences"]
    gaps: Gaps
    weight: Float[np.ndarray, "units"] | None = None
    drawn: Sampling | None = None

    @property
    def size(self) -> int:
        """How many distinct sequences there are."""
        return int(self.steps.start.size)

    @property
    def others(self) -> Sequences:
        """The sequences that are no plain gaps, on their own."""
        kept = np.flatnonzero(~self.plain)
        pieces = np.diff(self.steps.first)[kept]
        take = _ranges(self.steps.first[kept], pieces)
        columns = (column[take] for column in self.steps[2:])
        steps = Steps(np.r_[0, np.cumsum(pieces)], self.steps.start[kept], *columns)
        place = np.cumsum(~self.plain) - 1
        mine = ~self.plain[self.sequence]
        none = np.zeros(0, dtype=np.int64)
        gaps = Gaps(none, none, np.zeros(0), np.zeros((0, self.weights.shape[1])), none)
        return replace(
            self, steps=steps, unit=self.unit[mine], sequence=place[self.sequence[mine]],
            plain=np.zeros(kept.size, dtype=bool), dated=self.dated[kept], gaps=gaps,
        )  # fmt: skip

    @property
    def counts(self) -> Float[np.ndarray, "sequences"]:
        """How often each distinct sequence occurs, by the weights of the units that showed it."""
        return _tally(self.unit, self.sequence, self.size, self.weight)

    def weigh(self, each: Float[np.ndarray, "units ..."]) -> Float[np.ndarray, "units ..."]:
        """One row a unit, times its weight."""
        if self.weight is None:
            return each
        return np.asarray(each * self.weight.reshape(-1, *(1,) * (each.ndim - 1)))


def _tally(unit: np.ndarray, sequence: np.ndarray, size: int, weight: np.ndarray | None) -> np.ndarray:
    """(size,): how often each sequence was shown; a unit of weight 2 shows it twice."""
    each = None if weight is None else weight[unit]
    return np.bincount(sequence, weights=each, minlength=size).astype(np.float64)


def observe(
    unit: Int[np.ndarray, "rows"],
    time: Float[np.ndarray, "rows"],
    seen: Int[np.ndarray, "rows"],
    *,
    states: int,
    kind: Int[np.ndarray, "rows"] | None = None,
    x: Float[np.ndarray, "rows covariates"] | None = None,
    masks: Float[np.ndarray, "masks states"] | None = None,
    weight: Float[np.ndarray, "units"] | None = None,
    drawn: Sampling | None = None,
) -> Observations:
    """Observations with the usual defaults: all rows visits, no covariates, no masks, no sampling design.

    Raises ValueError where rows are not sorted by unit and strictly by time, a code names no state or mask, or weights
    and the sampling design are not of the units.
    """
    masks = np.zeros((0, states)) if masks is None else masks
    kind = np.full(unit.size, SEEN) if kind is None else kind
    x = np.zeros((unit.size, 0)) if x is None else x
    together = np.diff(unit) == 0
    if np.any(np.diff(unit) < 0) or np.any(np.diff(time)[together] <= 0):
        raise ValueError("rows must be sorted by unit and, within a unit, strictly by time")
    if np.any((seen < 0) | (seen >= states + masks.shape[0])):
        raise ValueError(f"seen holds codes outside the {states} states and {masks.shape[0]} masks")
    if not (np.isfinite(time).all() and np.isfinite(x).all()):
        raise ValueError("times and covariates must be finite")
    units = int(unit[-1]) + 1 if unit.size else 0
    if any(
        n != units for n in (*(() if weight is None else weight.shape), *(() if drawn is None else drawn.unit.shape))
    ):
        raise ValueError(f"weights and the sampling design must be of the {units} units")
    return Observations(unit, time, seen.astype(np.int64), kind.astype(np.int64), x, masks, weight, drawn)


@dataclass(frozen=True, slots=True)
class _Flat:
    """Steps before grouping; ``head`` (J,) is True where a sequence begins, ``start`` what was seen there."""

    unit: np.ndarray
    head: np.ndarray
    start: np.ndarray
    x: np.ndarray
    length: np.ndarray
    kind: np.ndarray
    end: np.ndarray
    origin: np.ndarray


def sequences(
    graph: Graph,
    seen: Observations,
    *,
    hidden: bool = False,
    clock: Float[np.ndarray, "rows"] | None = None,
    breaks: Sequence[float] = (),
) -> Sequences:
    """Cut observations into grouped sequences.

    With ``clock`` (an age or a date at each row, in units of time) and ``breaks``, steps are cut where the clock
    passes a break and one 0/1 covariate per later band is appended to x: rates are then piecewise constant.
    """
    flat = _steps(graph.size, seen, hidden)
    if len(breaks):
        if clock is None:
            raise ValueError("breaks need a clock at each row")
        flat = _cut(flat, clock[:-1][_joined(seen)][_kept(graph.size, seen, hidden)], np.asarray(breaks, float))
    return _grouped(graph.size, flat, seen, hidden)


def _joined(seen: Observations) -> np.ndarray:
    """(rows - 1,): the row and the next belong to one unit."""
    return np.asarray(np.diff(seen.unit) == 0)


def _kept(states: int, seen: Observations, hidden: bool) -> np.ndarray:
    """(steps,): steps after the unit's first known state; all of them where the chain is hidden."""
    joined = _joined(seen)
    known = (seen.seen < states) | hidden
    order = np.arange(known.size)
    last_known = np.maximum.accumulate(np.where(known, order, -1))
    begin = np.maximum.accumulate(np.where(np.r_[True, ~joined], order, 0))
    return np.asarray((last_known >= begin)[:-1][joined])


def _steps(states: int, seen: Observations, hidden: bool) -> _Flat:
    """One step per pair of neighbouring rows of a unit."""
    at = np.flatnonzero(_joined(seen))[_kept(states, seen, hidden)]
    first = np.r_[True, ~_joined(seen)][at]
    head = first if hidden else seen.seen[at] < states
    kind, end = seen.kind[at + 1], seen.seen[at + 1]
    if np.any((kind != SEEN) & (end >= states)):
        raise ValueError("an exactly dated row must name its state")
    if np.any((kind == DATED) & (seen.seen[at] >= states)):
        raise ValueError("a dated transition must follow a known state")
    origin = np.where(kind == DATED, seen.seen[at], -1)
    length = _quantised(seen.time[at + 1] - seen.time[at])
    return _Flat(seen.unit[at], head, seen.seen[at], seen.x[at], length, kind, end, origin)


def _quantised(length: np.ndarray) -> np.ndarray:
    """Lengths to 2^-40 of the longest, so that equal gaps stay equal whatever the dates they were taken between."""
    quantum = 2.0 ** (np.ceil(np.log2(length.max(initial=1.0))) - 40)
    return np.asarray(np.maximum(np.round(length / quantum), 1.0) * quantum)


def _cut(flat: _Flat, clock: np.ndarray, breaks: np.ndarray) -> _Flat:
    """Split steps where the clock passes a break, and append the band's 0/1 covariates."""
    low = np.searchsorted(breaks, clock, "right")
    high = np.searchsorted(breaks, clock + flat.length, "left")
    pieces = np.maximum(high - low, 0) + 1
    at = np.repeat(np.arange(pieces.size), pieces)
    rank = np.arange(at.size) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    band, last = low[at] + rank, rank == pieces[at] - 1
    edges = np.r_[breaks, np.inf]
    stop = np.where(last, (clock + flat.length)[at], edges[np.minimum(band, breaks.size)])
    begin = np.where(rank == 0, clock[at], edges[np.maximum(band - 1, 0)])
    dated = flat.kind[at] == DATED
    kind = np.where(last, flat.kind[at], np.where(dated, DATED, OPEN))
    end = np.where(last, flat.end[at], np.where(dated, flat.origin[at], 0))
    bands = (band[:, None] == np.arange(1, breaks.size + 1)).astype(np.float64)
    x = np.column_stack([flat.x[at], bands])
    head = flat.head[at] & (rank == 0)
    return _Flat(flat.unit[at], head, flat.start[at], x, stop - begin, kind, end, flat.origin[at])


def _grouped(states: int, flat: _Flat, seen: Observations, hidden: bool) -> Sequences:
    """Number the distinct covariate rows, then the distinct sequences in the order of their covariate row."""
    x = np.column_stack([np.ones(flat.length.size), flat.x])
    first_row, row = group(list(x.T))
    head = np.flatnonzero(flat.head)
    pieces = np.diff(np.r_[head, flat.head.size])
    columns = [row, flat.length, flat.kind, flat.end, flat.origin]
    first, label = _distinct(flat.start[head], pieces, columns, head)
    order = np.argsort(row[head[first]], kind="stable")
    back = np.empty_like(order)
    back[order] = np.arange(order.size)
    first = first[order]
    take = _ranges(head[first], pieces[first])
    offsets = np.r_[0, np.cumsum(pieces[first])]
    steps = Steps(offsets, flat.start[head[first]], *(column[take] for column in columns))
    plain = (pieces[first] == 1) & (steps.kind[offsets[:-1]] == SEEN) & (steps.end[offsets[:-1]] < states)
    weights = np.vstack([np.eye(states), seen.masks])
    units = int(seen.unit[-1]) + 1 if seen.unit.size else 0
    plain &= not hidden
    label = back[label]
    dated = np.logical_and.reduceat(steps.kind == DATED, offsets[:-1]) & (not hidden)
    gaps = _gaps(steps, plain, _tally(flat.unit[head], label, plain.size, seen.weight), states)
    return Sequences(
        steps, x[first_row], weights, flat.unit[head], label, units, hidden, plain, dated, gaps, seen.weight, seen.drawn
    )


def _gaps(steps: Steps, plain: np.ndarray, counts: np.ndarray, states: int) -> Gaps:
    """Plain sequences with their destination forgotten."""
    at = steps.first[:-1][plain]
    origin, row, length = steps.start[plain], steps.row[at], steps.length[at]
    first, label = group([row, origin, length])
    seen = _destinations(label, steps.end[at], counts[plain], (first.size, states))
    return Gaps(origin[first], row[first], length[first], seen, label)


def _destinations(label: np.ndarray, end: np.ndarray, counts: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """(gaps, states): how often each gap led to each state."""
    cells = np.bincount(label * shape[1] + end, weights=counts, minlength=shape[0] * shape[1])
    return cells.reshape(shape).astype(np.float64)


def resampled(
    data: Sequences, chosen: Int[np.ndarray, "draws"], times: Float[np.ndarray, "draws"] | None = None
) -> Sequences:
    """The same sequences as shown by the units drawn, each draw a unit of its own that counts ``times`` its weight."""
    order = np.argsort(data.unit, kind="stable")
    size = np.bincount(data.unit, minlength=data.units)
    begin = np.cumsum(size) - size
    at = order[_ranges(begin[chosen], size[chosen])]
    unit, sequence = np.repeat(np.arange(chosen.size), size[chosen]), data.sequence[at]
    own = None if data.weight is None else data.weight[chosen]
    weight = own if times is None else times if own is None else own * times
    counts = _tally(unit, sequence, data.size, weight)
    end = data.steps.end[data.steps.first[:-1][data.plain]]
    seen = _destinations(data.gaps.label, end, counts[data.plain], data.gaps.seen.shape)
    gaps = data.gaps._replace(seen=seen)
    return replace(data, unit=unit, sequence=sequence, units=chosen.size, gaps=gaps, weight=weight, drawn=None)


def _ranges(start: np.ndarray, size: np.ndarray) -> np.ndarray:
    """The concatenated ranges start .. start + size."""
    skip = np.repeat(np.cumsum(size) - size, size)
    return np.asarray(np.repeat(start, size) + np.arange(int(size.sum())) - skip)


def _distinct(
    start: np.ndarray, pieces: np.ndarray, columns: list[np.ndarray], head: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(first, label) of the distinct sequences: same start and the same steps in the same order."""
    if pieces.size == pieces.sum():
        return group([start, *columns])
    rank = np.arange(int(pieces.sum())) - np.repeat(head, pieces)
    with np.errstate(over="ignore"):
        whole = np.add.reduceat(mix(row_hash([rank, *columns])), head)
    first, label = group([start, pieces, whole.view(np.int64)])
    twin = _ranges(head[first][label], pieces)
    if all(np.array_equal(column, column[twin]) for column in columns):
        return first, label
    return np.arange(pieces.size), np.arange(pieces.size)


__all__ = ["DATED", "ENTERED", "OPEN", "SEEN", "Observations", "Sequences", "observe", "resampled", "sequences"]
