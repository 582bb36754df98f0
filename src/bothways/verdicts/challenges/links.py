"""Challenges that cut or turn a link: an answer that survives them was never about that link."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bothways.terms.question import Direction
from bothways.terms.verdict import Challenge, Reading
from bothways.verdicts.challenges.alter import reversed_time, shuffled_people
from bothways.verdicts.challenges.base import (
    BROKEN,
    NOT_RUN,
    STANDS,
    WEAKENED,
    Case,
    estimate_of,
    headlines,
    reading,
    way,
)

SHUFFLES = 19  # an estimate must beat all of them: one in twenty does where no link is left
MANY_BEATEN = 3
CLEARLY = 2.0  # standard errors of a difference
SAME = 1e-3  # of a standard error: as close as two runs of one optimiser come


def exchanged(case: Case) -> Iterator[Challenge]:
    """Name the conditions the other way round: a sound method gives the mirrored answer, to the digit."""
    swapped = case.ask(replace(case.records, pair=case.pair.swapped()))
    for answer in headlines(case):
        again = swapped.headline(answer.direction.reversed())
        title = f"{way(case, answer)}, with the two conditions exchanged"
        if again is None or again.estimate is None:
            yield Challenge("exchanged", title, BROKEN, "Exchanged, no answer came about.", answer.id)
            continue
        old = estimate_of(answer)
        apart = abs(again.estimate.analysis()[1] - old.analysis()[1])
        same = bool(apart <= SAME * max(old.se, 1e-12))
        says = "The answer mirrors exactly." if same else "The answer depends on which condition is named first."
        yield Challenge("exchanged", title, STANDS if same else BROKEN, says, answer.id)


def time_reversed(case: Case) -> Iterator[Challenge]:
    """Tell every life backwards. A lag that is clearly stronger backwards is hardly about what came first.

    In reversed time the lag from A to B asks whether A's later level goes with B's earlier one, at equal later B.
    The answer is weakened where the backward lag is the stronger by two standard errors of the difference or more,
    were the two independent.
    """
    backwards = case.ask(reversed_time(case.records))
    for answer in headlines(case):
        title = f"{way(case, answer)}, with time reversed"
        again = backwards.headline(answer.direction)
        if again is None or again.estimate is None:
            yield Challenge("time_reversed", title, NOT_RUN, "The design could not be fitted backwards.", answer.id)
            continue
        old, new = estimate_of(answer), again.estimate
        gap = abs(new.analysis()[1]) - abs(old.analysis()[1])
        stronger = reading(old, case.settings) is Reading.PREDICTS and gap > CLEARLY * np.hypot(old.se, new.se)
        says = (
            "Told backwards, the link is the stronger one: the order in time carries little here."
            if stronger
            else "Told backwards, the link is not clearly stronger than forwards."
        )
        became = WEAKENED if stronger else STANDS
        yield Challenge("time_reversed", title, became, says, answer.id, new.value, new.low, new.high)


def people_shuffled(case: Case) -> Iterator[Challenge]:
    """Hand one condition's course to somebody else: no link is left, so an honest answer finds none.

    An answer that predicts must be further from no effect than all of 19 shuffles; it is weakened where one or two
    come as far, and broken where more do.
    """
    if case.records.people < 2 or case.records.wave is None:
        return
    drawn: dict[Direction, list[float]] = {answer.direction: [] for answer in headlines(case)}
    for _ in range(SHUFFLES):
        mixed = case.ask(shuffled_people(case.records, case.pair.b.key, case.random))
        for direction, values in drawn.items():
            again = mixed.headline(direction)
            if again is not None and again.estimate is not None:
                values.append(abs(again.estimate.analysis()[1]))
    for answer in headlines(case):
        values = drawn[answer.direction]
        title = f"{way(case, answer)}, with people shuffled"
        if len(values) < SHUFFLES:
            yield Challenge("people_shuffled", title, NOT_RUN, "Too few shuffles could be fitted.", answer.id)
            continue
        old = estimate_of(answer)
        beaten = int(np.sum(np.array(values) >= abs(old.analysis()[1])))
        undecided = reading(old, case.settings) is not Reading.PREDICTS
        became = STANDS if undecided or beaten == 0 else (WEAKENED if beaten < MANY_BEATEN else BROKEN)
        says = f"{beaten} of {SHUFFLES} shuffles, in which no link is left, gave as strong an estimate."
        yield Challenge("people_shuffled", title, became, says, answer.id)
