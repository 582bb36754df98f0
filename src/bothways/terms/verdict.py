"""What all designs together say: fixed words, each bound to a rule, with what disagrees kept beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from bothways.terms.answer import Answer, Estimate
from bothways.terms.question import Direction, Pair


class Reading(StrEnum):
    """One line of evidence in one direction, in fixed words."""

    NO_DATA = "no_data"
    LITTLE = "little_or_no_effect"
    PREDICTS = "predicts"
    UNCERTAIN = "too_uncertain"


class Word(StrEnum):
    """The verdict for one direction, in fixed words."""

    NO_DATA = "no_data"
    UNCERTAIN = "too_uncertain"
    LITTLE = "little_or_no_effect"
    PREDICTS = "predicts"
    SUPPORTED = "supported_by_independent_designs"
    DISAGREE = "designs_disagree"


class Leaning(StrEnum):
    """Both directions at once."""

    A_TO_B = "a_to_b"
    B_TO_A = "b_to_a"
    BOTH = "both"
    NEITHER = "neither"
    CANNOT_TELL = "cannot_tell"


class Certainty(StrEnum):
    """How sure; starts low, and every move is listed."""

    HIGH = "high"
    MODERATE = "moderate"
    LOW = "low"
    VERY_LOW = "very_low"


def read_estimate(estimate: Estimate | None, smallest_effect: float) -> Reading:
    """Read an interval (L, U) against the smallest effect of interest d; the first row that holds decides.

    ================================  =========
    no estimate                       no data
    -d < L and U < d                  little or no effect
    L > 0 or U < 0                    predicts
    anything else                     too uncertain
    ================================  =========

    ``smallest_effect`` is d on the estimate's own scale: 0.05 for a standardised lag, 1.25 for a ratio; on ratio
    scales the rule is applied to logarithms, so that 1.25 stands for 0.80 to 1.25. "Too uncertain" never turns
    into "little or no effect" because p > 0.05.
    """
    if estimate is None:
        return Reading.NO_DATA
    low, value, high = estimate.analysis()
    if any(x != x for x in (low, value, high)):
        return Reading.NO_DATA
    from_null = abs(math.log(smallest_effect)) if estimate.scale.is_ratio else abs(smallest_effect)
    if -from_null < low and high < from_null:
        return Reading.LITTLE
    if low > 0 or high < 0:
        return Reading.PREDICTS
    return Reading.UNCERTAIN


@dataclass(frozen=True, slots=True)
class Challenge:
    """One attempt to break an answer, and what came of it: stands, weakened, broken, not run, for scale."""

    key: str
    title: str
    outcome: str
    says: str
    answer_id: str = ""
    value: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Agreement:
    """One bias line's word in one direction, and the answers it was read from."""

    line: str
    direction: Direction
    reading: Reading
    answer_ids: tuple[str, ...]
    sign: int = 0


@dataclass(frozen=True, slots=True)
class DirectionVerdict:
    """The verdict for one direction."""

    direction: Direction
    word: Word
    sentence: str
    certainty: Certainty
    moves: tuple[str, ...] = ()  # what moved the certainty, in order
    agreements: tuple[Agreement, ...] = ()
    because: tuple[str, ...] = ()  # why designs disagree, from a closed list


@dataclass(frozen=True, slots=True)
class Verdict:
    """Both directions, side by side with the order of onset; dissent is kept, never averaged away."""

    pair: Pair
    a_to_b: DirectionVerdict
    b_to_a: DirectionVerdict
    order: DirectionVerdict
    leaning: Leaning
    short_answer: str
    answers: tuple[Answer, ...] = ()
    challenges: tuple[Challenge, ...] = ()
    dissent: tuple[str, ...] = ()
    would_change_it: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
