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

Ask = Callable[[Records], DesignResult]
DIRECTIONS = (Direction.A_TO_B, Direction.B_TO_A)


@dataclass(frozen=True, slots=True)
class Case:
    """One design's answers under challenge. ``ask`` asks the same design of other records, quickly."""

    records: Records
    result: DesignResult
    settings: Settings
    ask: Ask
    random: np.random.Generator

    @property
    def pair(self) -> Pair:
        """The two conditions."""
        return self.records.pair


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


def reading(estimate: Estimate | None, settings: Settings) -> Reading:
    """An estimate in fixed words, against the smallest effect of its scale."""
    return read_estimate(estimate, settings.smallest_effect(estimate.scale) if estimate else 1.0)


def outcome(before: Estimate, after: Estimate | None, settings: Settings) -> str:
    """ "stands", "weakened", "broken" or "not run", by what the challenge made of the word.

    It stands where the word and the sign are the same. A word lost to "too uncertain" is weakened; one turned into
    its opposite, or from "predicts" into "little or no effect", is broken. An undecided answer cannot be broken:
    one that decides under the challenge is weakened.
    """
    if after is None:
        return "not run"
    old, new = reading(before, settings), reading(after, settings)
    same_sign = np.sign(before.analysis()[1]) == np.sign(after.analysis()[1])
    if old is new and (same_sign or old is not Reading.PREDICTS):
        return "stands"
    if Reading.UNCERTAIN in (old, new) or Reading.NO_DATA in (old, new):
        return "weakened"
    return "broken"


def compared(case: Case, challenger: tuple[str, str], before: Answer, after: DesignResult, what: str) -> Challenge:
    """The outcome of asking again: what became of one headline."""
    key, title = challenger
    assert before.estimate is not None
    again = after.headline(before.direction)
    estimate = again.estimate if again else None
    start, end = before.direction.ends(case.pair)
    became = outcome(before.estimate, estimate, case.settings)
    if estimate is None:
        reason = after.refused or (again.status_says if again else "") or "no answer came about"
        return Challenge(key, title, became, f"From {start.label} to {end.label}, {what}: {reason}.", before.id)
    words = reading(estimate, case.settings).value.replace("_", " ")
    return Challenge(
        key,
        title,
        became,
        f"From {start.label} to {end.label}, {what}: reads “{words}”.",
        before.id,
        estimate.value,
        estimate.low,
        estimate.high,
    )
