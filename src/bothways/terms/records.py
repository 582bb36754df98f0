"""What was observed: people over time, as long arrays, with where they came from and what was noticed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from jaxtyping import Float, Int

from bothways.terms.question import Pair
from bothways.terms.topic import Topic


class TimeUnit(StrEnum):
    """What one unit of ``Records.time`` is."""

    DAY = "day"
    WAVE = "wave"


class Level(StrEnum):
    """How grave a finding is: read it, mind it, or nothing can be answered until it is mended."""

    NOTE = "note"
    WARNING = "warning"
    STOP = "stop"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something noticed in a table: a stable code, a sentence, how many people it touches, how to mend it."""

    level: Level
    code: str
    message: str
    mend: str = ""
    people: int = 0


@dataclass(frozen=True, slots=True)
class Source:
    """Where records came from. ``sha256`` is of the file's bytes, or of the frame's content."""

    path: str
    sha256: str
    rows: int
    people: int


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column of the table plays which part; ``guessed`` names the roles that nobody stated."""

    id: str | None
    time: str | None
    a: tuple[str, ...]  # columns (waves or items) that condition A was read from
    b: tuple[str, ...]
    covariates: tuple[str, ...] = ()
    pathways: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    cluster: str | None = None
    weight: str | None = None
    strata: str | None = None
    arm: str | None = None
    guessed: tuple[str, ...] = ()
    death: str | None = None
    stages: Mapping[str, str] = field(default_factory=dict)  # condition key -> 0/1 column: has it become lasting


@dataclass(frozen=True, slots=True)
class Events:
    """Dated onsets and recoveries of one condition.

    ``person`` (events,) row index of the person; ``time`` (events,) as in Records; ``onset`` (events,) is
    1 where the condition begins and 0 where it ends.
    """

    person: Int[np.ndarray, "events"]
    time: Float[np.ndarray, "events"]
    onset: Int[np.ndarray, "events"]


@dataclass(frozen=True, slots=True)
class Records:
    """Long records of people over time; the only thing that designs read.

    Rows are sorted by person and time. ``person`` (rows,) runs 0..people-1 and carries no identifier.
    ``time`` (rows,) is in ``time_unit``; ``wave`` (rows,) is the 0-based common occasion, or None where people
    were asked at times of their own. ``values`` holds, by condition key or column name, a float column (rows,)
    in which NaN means missing; ``reasons`` counts why, by variable ("not asked", "code 99", "prorating refused").
    ``baseline`` holds what does not change over time (people,). Conditions are always scored so that higher
    is worse. ``wave_days`` are the days of the waves since the first, where known.
    """

    pair: Pair
    person: Int[np.ndarray, "rows"]
    time: Float[np.ndarray, "rows"]
    time_unit: TimeUnit
    values: Mapping[str, Float[np.ndarray, "rows"]]
    roles: Roles
    source: Source
    wave: Int[np.ndarray, "rows"] | None = None
    wave_days: Float[np.ndarray, "waves"] | None = None
    baseline: Mapping[str, Float[np.ndarray, "people"]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)  # how a person reads a variable's key
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # level names of coded columns
    events: Mapping[str, Events] = field(default_factory=dict)
    reasons: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    topic: Topic | None = None  # what is known of the pair beforehand; None: the shipped topic, where it fits

    @property
    def people(self) -> int:
        """How many people have at least one row."""
        return int(self.person[-1]) + 1 if self.person.size else 0

    @property
    def rows(self) -> int:
        """How many person-times there are."""
        return int(self.person.size)

    @property
    def waves(self) -> int | None:
        """How many common occasions there are, or None where there are none."""
        return None if self.wave is None else int(self.wave.max(initial=-1)) + 1
