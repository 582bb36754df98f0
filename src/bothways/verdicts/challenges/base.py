"""What a challenge is, and how its outcome is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bothways.terms.answer import Answer, DesignResult, Estimate
from bothways.terms.question import Direction, Pair
from bothways.terms.records import Records
from bothways.terms.settings import Settings
from bothways.terms.verdict import Challenge, Reading, read_estimate
from bothways.verdicts.rules import READING_WORDS

Ask = Callable[[Records, Settings], DesignResult]
DIRECTIONS = (Direction.A_TO_B, Direction.B_TO_A)
STANDS, WEAKENED, BROKEN, NOT_RUN, FOR_SCALE = "stands", "weakened", "broken", "not run", "for scale"


@dataclass(frozen=True, slots=True)
class Case:
    """One design's answers under challenge. ``asked`` asks the same design of other records, quickly."""

    records: Records
    result: DesignResult
    settings: Settings
    asked: Ask
    random: np.random.Generator

    @property
    def pair(self) -> Pair:
        """The two conditions."""
        return self.records.pair

    def ask(self, records: Records, settings: Settings | None = None) -> DesignResult:
        """The same design's answers from altered records (or settings)."""
        return self.asked(records, settings or self.settings)


@dataclass(frozen=True, slots=True)
class Challenger:
    """One way to try. ``attempts`` yields one outcome at a time, so that a time budget can end it in between."""

    key: str
    title: str
    designs: tuple[str, ...]  # which designs' answers it can try to break; empty: any
    attempts: Callable[[Case], Iterator[Challenge]]


def headlines(case: Case) -> Iterator[Answer]:
    """The answered headline of strength in each direction."""
    for direction in DIRECTIONS:
        answer = case.result.headline(direction)
        if answer is not None and answer.estimate is not None:
            yield answer


def estimate_of(answer: Answer) -> Estimate:
    """The estimate of an answer that is known to have one."""
    assert answer.estimate is not None
    return answer.estimate


def way(case: Case, answer: Answer) -> str:
    """A direction as a title begins: "From depression to back pain"."""
    start, end = answer.direction.ends(case.pair)
    return f"From {start.label} to {end.label}"


def reading(estimate: Estimate | None, settings: Settings) -> Reading:
    """An estimate in fixed words, against the smallest effect of its scale."""
    return read_estimate(estimate, settings.smallest_effect(estimate.scale) if estimate else 1.0)


def outcome(before: Estimate, after: Estimate | None, settings: Settings) -> str:
    """What became of an answer's word: "stands", "weakened", "broken", or "not run" where there is no new answer.

    ==================  ==============================  ===========
    before              after                           outcome
    ==================  ==============================  ===========
    any                 no estimate                     not run
    predicts            predicts, the same sign         stands
    predicts            predicts, the other sign        broken
    predicts            little or no effect             broken
    little              predicts                        broken
    little, uncertain   the same                        stands
    one is uncertain    the other is not                weakened
    ==================  ==============================  ===========
    """
    if after is None:
        return NOT_RUN
    old, new = reading(before, settings), reading(after, settings)
    if Reading.NO_DATA in (old, new):
        return NOT_RUN
    if Reading.UNCERTAIN in (old, new):
        return STANDS if old is new else WEAKENED
    same_sign = np.sign(before.analysis()[1]) == np.sign(after.analysis()[1])
    return STANDS if old is new and (same_sign or old is Reading.LITTLE) else BROKEN


def compared(case: Case, key: str, title: str, before: Answer, after: DesignResult) -> Challenge:
    """The outcome of asking again: what became of one headline. ``title`` says what was changed ("without ...")."""
    again = after.headline(before.direction)
    estimate = again.estimate if again else None
    became = outcome(estimate_of(before), estimate, case.settings)
    named = f"{way(case, before)}, {title}"
    if estimate is None:
        reason = after.refused or (again.status_says if again else "") or "no answer came about"
        return Challenge(key, named, became, f"It could not be asked so: {reason.rstrip('.')}.", before.id)
    says = f"It reads “{READING_WORDS[reading(estimate, case.settings)]}”."
    return Challenge(key, named, became, says, before.id, estimate.value, estimate.low, estimate.high)


def compared_all(case: Case, key: str, title: str, again: DesignResult) -> Iterator[Challenge]:
    """``compared`` for the headline of each direction."""
    for answer in headlines(case):
        yield compared(case, key, title, answer, again)
