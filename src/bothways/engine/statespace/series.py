"""Irregular series of one or many people, as the filter reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.engine.survey import Sampling

MINUTE = 1.0 / 1440.0


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Rows sorted by person and time; ``starts`` (people + 1) holds each person's first row.

    ``values`` (rows, indicators), NaN where not answered. ``gaps`` are the distinct times between rows of a person and
    ``step`` (rows,) points into them (0 at first rows, unread). ``design`` (rows, r) are the regressors of the level,
    ``inputs`` (rows, c) hold from their row until the next, ``impulses`` (rows, e) strike at their row, ``basis``
    (rows, B) multiplies the static deviations (a column of ones: random means). ``weight`` (people,) is how often a
    person counts and ``drawn`` who was drawn together; without them each counts once and was drawn singly.
    """

    values: Float[np.ndarray, "rows indicators"]
    time: Float[np.ndarray, " rows"]
    starts: Int[np.ndarray, " bounds"]
    gaps: Float[np.ndarray, " gaps"]
    step: Int[np.ndarray, " rows"]
    design: Float[np.ndarray, "rows regressors"]
    inputs: Float[np.ndarray, "rows inputs"]
    impulses: Float[np.ndarray, "rows impulses"]
    basis: Float[np.ndarray, "rows bases"]
    weight: Float[np.ndarray, " people"] | None = None
    drawn: Sampling | None = None

    @property
    def people(self) -> int:
        """How many persons."""
        return self.starts.size - 1

    @property
    def rows(self) -> int:
        """How many person-times, answered or not."""
        return int(self.time.size)

    @property
    def person(self) -> Int[np.ndarray, " rows"]:
        """The person of each row, 0..people−1."""
        return np.repeat(np.arange(self.people), np.diff(self.starts))

    def with_values(self, values: Float[np.ndarray, "rows indicators"]) -> Series:
        """The same occasions with other answers (masked, or simulated)."""
        return replace(self, values=values)

    def choose(self, people: Int[np.ndarray, " chosen"]) -> Series:
        """These persons, in this order; a person may come twice (the bootstrap)."""
        rows = np.concatenate([np.arange(self.starts[i], self.starts[i + 1]) for i in people])
        lengths = np.diff(self.starts)[people]
        return replace(
            self,
            values=self.values[rows],
            time=self.time[rows],
            starts=np.concatenate([[0], np.cumsum(lengths)]),
            step=self.step[rows],
            design=self.design[rows],
            inputs=self.inputs[rows],
            impulses=self.impulses[rows],
            basis=self.basis[rows],
            weight=None if self.weight is None else self.weight[people],
            drawn=None if self.drawn is None else self.drawn.among(people),
        )


def make_series(
    person: Int[np.ndarray, " rows"],
    time: Float[np.ndarray, " rows"],
    values: Float[np.ndarray, "rows indicators"],
    *,
    design: Float[np.ndarray, "rows regressors"] | None = None,
    inputs: Float[np.ndarray, "rows inputs"] | None = None,
    impulses: Float[np.ndarray, "rows impulses"] | None = None,
    basis: Float[np.ndarray, "rows bases"] | None = None,
    resolution: float = MINUTE,
) -> Series:
    """Sort nothing, check everything, round gaps to ``resolution`` and list the distinct ones.

    ``design`` is a column of ones unless given. Raises ValueError where persons are not 0, 1, 2, ... in blocks, or
    times within a person fall.
    """
    rows = time.size
    change = np.flatnonzero(np.diff(person)) + 1
    if rows == 0 or person[0] != 0 or not np.array_equal(person[change] - person[change - 1], np.ones(change.size)):
        raise ValueError("persons must be numbered 0, 1, 2, ... and their rows stand together")
    starts = np.concatenate([[0], change, [rows]])
    ticks = np.rint(time / resolution)
    between = np.diff(ticks, prepend=ticks[0])
    between[starts[:-1]] = 0.0
    if not np.isfinite(time).all() or (between < 0).any():
        raise ValueError("times must be finite and must not fall within a person")
    distinct, step = np.unique(between, return_inverse=True)

    def columns(given: np.ndarray | None) -> np.ndarray:
        return np.zeros((rows, 0)) if given is None else np.ascontiguousarray(given, dtype=np.float64)

    return Series(
        values=np.ascontiguousarray(values, dtype=np.float64),
        time=np.asarray(time, dtype=np.float64),
        starts=starts.astype(np.int64),
        gaps=distinct * resolution,
        step=step.astype(np.int64),
        design=np.ones((rows, 1)) if design is None else columns(design),
        inputs=columns(inputs),
        impulses=columns(impulses),
        basis=columns(basis),
    )


def insert_rows(
    person: Int[np.ndarray, " rows"],
    time: Float[np.ndarray, " rows"],
    columns: Sequence[np.ndarray],
    new_person: Int[np.ndarray, " new"],
    new_time: Float[np.ndarray, " new"],
) -> tuple[np.ndarray, np.ndarray, list[np.ndarray], Bool[np.ndarray, " all"]]:
    """Add occasions without answers (NaN in every column), where an event or a change of phase falls between prompts.

    Such a row changes no likelihood, so that inputs change and impulses strike at their exact time. Returns person,
    time, columns and which rows are new.
    """
    everyone = np.concatenate([person, new_person])
    when = np.concatenate([time, new_time])
    order = np.lexsort((when, everyone))
    grown = [np.concatenate([c, np.full((new_time.size, *c.shape[1:]), np.nan)])[order] for c in columns]
    return everyone[order], when[order], grown, order >= time.size
