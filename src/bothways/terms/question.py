"""What is asked: two conditions, a direction between them, a facet of the answer, a scale to give it on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum


class Kind(StrEnum):
    """How a condition is recorded."""

    SCORE = "score"  # a number on a questionnaire or rating scale; higher is worse
    STATE = "state"  # 0/1 at each time: absent or present
    EVENT = "event"  # dated onsets (and recoveries)


@dataclass(frozen=True, slots=True)
class Condition:
    """One of the two conditions, or a mediator between them.

    ``threshold`` turns a score into present/absent (at or above); ``codes`` are diagnosis codes (ICD, OMOP).
    """

    key: str
    label: str
    kind: Kind = Kind.SCORE
    instrument: str | None = None
    threshold: float | None = None
    codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pair:
    """The two conditions, in the order in which the report names them."""

    a: Condition
    b: Condition

    def swapped(self) -> Pair:
        """The same two conditions, named the other way round."""
        return Pair(self.b, self.a)


class Direction(StrEnum):
    """From which condition to which: ``A_TO_B`` reads "does A come before and predict B?"."""

    A_TO_B = "a_to_b"
    B_TO_A = "b_to_a"
    JOINT = "joint"  # a statement about both at once: a contrast, an order, an association

    def reversed(self) -> Direction:
        """The other way around; a joint statement stays joint."""
        return {Direction.A_TO_B: Direction.B_TO_A, Direction.B_TO_A: Direction.A_TO_B}.get(self, self)

    def ends(self, pair: Pair) -> tuple[Condition, Condition]:
        """The condition that comes first in this direction, and the one that it may lead to."""
        return (pair.b, pair.a) if self is Direction.B_TO_A else (pair.a, pair.b)


class Facet(StrEnum):
    """Which part of the answer. "How sure" is no facet: every answer carries its own."""

    FIRST = "first"
    STRENGTH = "strength"
    SPEED = "speed"
    PATHWAY = "pathway"
    WHOM = "whom"
    PERSISTENCE = "persistence"  # who stays ill, once ill: another question than who falls ill


class Scale(StrEnum):
    """The unit of an estimate. Ratio scales are symmetric on the log scale; the others as they stand."""

    SD_PER_SD = "sd_per_sd"
    SD = "sd"  # of the outcome, for a step of the exposure that has a unit of its own, such as an arm
    HAZARD_RATIO = "hazard_ratio"
    RATE_RATIO = "rate_ratio"
    ODDS_RATIO = "odds_ratio"
    RISK_RATIO = "risk_ratio"
    PREVALENCE_RATIO = "prevalence_ratio"
    RISK_DIFFERENCE = "risk_difference"
    PROBABILITY = "probability"
    SHARE = "share"
    CORRELATION = "correlation"
    DAYS = "days"
    WAVES = "waves"
    POINTS = "points"

    @property
    def is_ratio(self) -> bool:
        """True where no effect is 1 and the analysis scale is the logarithm."""
        return self.value.endswith("_ratio")

    @property
    def null(self) -> float:
        """The value that means no effect."""
        return 1.0 if self.is_ratio else 0.0


@dataclass(frozen=True, slots=True)
class Population:
    """The people an answer speaks of: everyone, or a named part."""

    label: str = "everyone in the records"
    where: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One question, to which a design gives one answer (or several, by lag or by time)."""

    pair: Pair
    facet: Facet
    direction: Direction
    scale: Scale | None = None
    horizon: float | None = None  # days (or waves while the gap between waves is unknown)
    population: Population = Population()
    pathway: str | None = None
    smallest_effect: float | None = None

    def mirrored(self) -> Question:
        """The same question with the two conditions renamed: what was A_TO_B is now B_TO_A."""
        return replace(self, pair=self.pair.swapped(), direction=self.direction.reversed())
