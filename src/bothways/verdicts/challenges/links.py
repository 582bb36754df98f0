"""Challenges that cut or turn a link: an answer that survives them was never about that link."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bothways.terms.question import Direction
from bothways.terms.verdict import Challenge, Reading
from bothways.verdicts.challenges.alter import reversed_time, shuffled_people
from bothways.verdicts.challenges.base import Case, headlines, reading

SHUFFLES = 19  # the estimate must beat all of them: one in twenty under no link


def time_reversed(case: Case) -> Iterator[Challenge]:
    """Tell every life backwards. A lag that is as strong backwards is not about what came first.

    In reversed time the lag from A to B asks whether B's earlier level goes with A's later one, at equal earlier A.
    """
    backwards = case.ask(reversed_time(case.records))
    for answer in headlines(case):
        start, end = answer.direction.ends(case.pair)
        assert answer.estimate is not None
        title = f"From {start.label} to {end.label}, with time reversed"
        again = backwards.headline(answer.direction)
        if again is None or again.estimate is None:
            yield Challenge("time_reversed", title, "not run", "The design could not be fitted backwards.", answer.id)
            continue
        predicts = reading(answer.estimate, case.settings) is Reading.PREDICTS
        forward, back = abs(answer.estimate.analysis()[1]), abs(again.estimate.analysis()[1])
        stronger_back = predicts and back - forward > answer.estimate.se
        says = (
            "Told backwards, the link is stronger than forwards: the order in time carries little here."
            if stronger_back
            else "Told backwards, the link is not stronger than forwards."
        )
        e = again.estimate
        outcome = "weakened" if stronger_back else "stands"
        yield Challenge("time_reversed", title, outcome, says, answer.id, e.value, e.low, e.high)


def people_shuffled(case: Case) -> Iterator[Challenge]:
    """Hand one condition's course to somebody else: no link is left, so an honest answer finds none."""
    if case.records.people < 2:
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
        start, end = answer.direction.ends(case.pair)
        title = f"From {start.label} to {end.label}, with people shuffled"
        assert answer.estimate is not None
        if len(values) < SHUFFLES:
            yield Challenge("people_shuffled", title, "not run", "Too few shuffles could be fitted.", answer.id)
            continue
        beaten = int(np.sum(np.array(values) >= abs(answer.estimate.analysis()[1])))
        predicts = reading(answer.estimate, case.settings) is Reading.PREDICTS
        outcome = "stands" if not predicts or beaten == 0 else ("weakened" if beaten < 3 else "broken")
        says = f"{beaten} of {SHUFFLES} shuffles, in which no link is left, gave as strong an estimate."
        yield Challenge("people_shuffled", title, outcome, says, answer.id)


def exchanged(case: Case) -> Iterator[Challenge]:
    """Name the conditions the other way round: a sound method gives the mirrored answer, to the digit."""
    swapped = case.ask(replace(case.records, pair=case.pair.swapped()))
    for answer in headlines(case):
        start, end = answer.direction.ends(case.pair)
        again = swapped.headline(answer.direction.reversed())
        title = f"From {start.label} to {end.label}, with A and B exchanged"
        assert answer.estimate is not None
        if again is None or again.estimate is None:
            yield Challenge("exchanged", title, "broken", "Exchanged, no answer came about.", answer.id)
            continue
        apart = abs(again.estimate.analysis()[1] - answer.estimate.analysis()[1])
        same = apart <= 1e-3 * max(answer.estimate.se, 1e-12)
        says = "The answer mirrors exactly." if same else "The answer depends on which condition is named first."
        yield Challenge("exchanged", title, "stands" if same else "broken", says, answer.id)
