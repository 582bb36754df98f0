"""What a design answers: an estimate with its uncertainty, what it rests on, and whether it came about."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

import numpy as np
from jaxtyping import Float

from bothways.terms.question import Direction, Facet, Question, Scale
from bothways.terms.records import Source

Cell = str | float | int | None
Line = Literal["A", "B", "C", "D", "E"]  # the bias line a design belongs to; two designs of one line count once


class Status(StrEnum):
    """What became of a question."""

    ANSWERED = "answered"
    REFUSED = "refused"  # this design cannot answer it from these records
    FAILED = "failed"  # it tried, and the fit did not come about


class Estimand(StrEnum):
    """What the number is, in words that a methods section would use."""

    CROSS_LAG = "cross_lag"
    RATE_RATIO = "rate_ratio"
    RECOVERY_RATIO = "recovery_ratio"
    PERSISTENCE_RATIO = "persistence_ratio"  # of the rate at which a recent episode turns lasting
    ORDER_SHARE = "order_share"
    DIRECTION_CONTRAST = "direction_contrast"
    TOTAL = "total"
    DIRECT = "direct"
    INDIRECT = "indirect"
    FIRST_LEG = "first_leg"  # of a pathway: from the condition to the mediator
    SECOND_LEG = "second_leg"  # of a pathway: from the mediator to the other condition, the first held still
    PERSON_SHARE = "person_share"  # of people in whom a direction holds
    ARM_EFFECT = "arm_effect"  # of being randomised, by intention to treat
    PEAK_LAG = "peak_lag"
    INTERACTION = "interaction"
    STATE_PROBABILITY = "state_probability"
    ATTRIBUTABLE_SHARE = "attributable_share"
    POOLED = "pooled"
    ASSOCIATION = "association"


@dataclass(frozen=True, slots=True)
class Assumption:
    """What must hold for the answer to mean what it says; ``checked`` is None where data cannot tell."""

    text: str
    checked: bool | None = None
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Caveat:
    """A reason to read the answer with care, found in these records. ``code`` is stable; rules key on it."""

    code: str
    text: str


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval at ``level``.

    On ratio scales ``value``, ``low`` and ``high`` stand on the natural scale and ``se`` on the log scale.
    """

    value: float
    low: float
    high: float
    se: float
    scale: Scale
    people: int
    level: float = 0.95
    p: float | None = None
    events: int | None = None

    def analysis(self) -> tuple[float, float, float]:
        """(low, value, high) where no effect is zero and steps are symmetric: the log of ratios, else as is."""
        numbers = (self.low, self.value, self.high)
        if not self.scale.is_ratio:
            return numbers
        low, value, high = (math.log(x) if x > 0 else -math.inf for x in numbers)
        return low, value, high


@dataclass(frozen=True, slots=True)
class Parameter:
    """One row of a fit's parameter table."""

    name: str
    value: float
    se: float
    low: float
    high: float
    standardised: float | None = None


@dataclass(frozen=True, slots=True)
class Fit:
    """What one run of an engine found. ``status`` is "converged" or says what went wrong."""

    design: str
    model: str
    status: str
    parameters: tuple[Parameter, ...] = ()
    covariance: Float[np.ndarray, "q q"] | None = None
    loglik: float | None = None
    iterations: int = 0
    gradient: float | None = None
    seconds: float = 0.0
    indices: Mapping[str, float | None] = field(default_factory=dict)
    says: str = ""

    @property
    def converged(self) -> bool:
        """True only where the engine checked gradient, rank and admissibility and all held."""
        return self.status == "converged"


@dataclass(frozen=True, slots=True)
class Answer:
    """A design's answer to one question. Rows of one curve share ``curve``.

    In rows of facet PATHWAY ``question.pathway`` is the mediator's key among ``Records.values``, or several joined by
    "+" where they are taken together. In rows of facet WHOM ``question.population.where`` is the circumstance's key,
    ``subgroup`` the level, and an INTERACTION row compares ``subgroup`` with ``question.population.label``'s rest.
    """

    id: str
    question: Question
    design: str
    model: str
    estimand: Estimand
    status: Status
    line: Line = "A"
    status_says: str = ""
    estimate: Estimate | None = None
    target: str = ""
    contrast: str = ""
    lag_days: float | None = None
    lag_waves: float | None = None
    horizon_days: float | None = None
    curve: str | None = None
    subgroup: str | None = None
    headline: bool = False  # the one row that speaks for its design, facet and direction
    assumptions: tuple[Assumption, ...] = ()
    caveats: tuple[Caveat, ...] = ()
    source: Source | None = None
    expected: float | None = None  # of an order share: the share expected were the two conditions unrelated
    of: str = ""  # whose answer, where several sources are weighed: the source's name

    @property
    def direction(self) -> Direction:
        """The direction that was asked about."""
        return self.question.direction

    @property
    def facet(self) -> Facet:
        """The facet that was asked about."""
        return self.question.facet


@dataclass(frozen=True, slots=True)
class Table:
    """Numbers for readers, with a heading each; every table of a report can be saved as CSV."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""

    def as_dicts(self) -> list[dict[str, Cell]]:
        """One dict a row, as every data-frame library takes them."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True, slots=True)
class DesignResult:
    """All that one design has to say of one set of records."""

    design: str
    answers: tuple[Answer, ...] = ()
    fits: tuple[Fit, ...] = ()
    tables: tuple[Table, ...] = ()
    methods: str = ""  # a paragraph to paste into a paper
    refused: str = ""  # why it could not answer at all; empty where it did
    mend: str = ""

    def headline(self, direction: Direction, facet: Facet = Facet.STRENGTH) -> Answer | None:
        """The answer that speaks for this design in one direction and facet, or None."""
        rows = (a for a in self.answers if a.headline and a.direction is direction and a.facet is facet)
        return next(rows, None)

    @property
    def a_to_b(self) -> Answer | None:
        """The headline of strength from A to B."""
        return self.headline(Direction.A_TO_B)

    @property
    def b_to_a(self) -> Answer | None:
        """The headline of strength from B to A."""
        return self.headline(Direction.B_TO_A)
