"""The courses as they were recorded: those no model can tell apart, and those that one stretch or answer bends."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from bothways.designs.base import Refusal
from bothways.terms.answer import Caveat
from bothways.terms.question import Condition
from bothways.terms.records import Records

NOTHING = 1e-8  # share of variance that is rounding
STUCK = 0.25  # share of one person's answers in one unbroken run of the same value
LEAST_RUN = 25
LEAST_ANSWERS = 20
FAR = 10.0  # SDs of all other answers


def refuse_courses(records: Records) -> Refusal | None:
    """Straight lines, and two conditions of which one is the other over again: nothing is left to foretell."""
    pair = records.pair
    a, b = (_bent(records, condition) for condition in (pair.a, pair.b))
    for condition, left in ((pair.a, a), (pair.b, b)):
        if left is None:
            find = f"{condition.label} follows a straight line, and nothing is left when that is taken out"
            return Refusal(find, "Record where it goes up and down.")
    assert a is not None
    assert b is not None
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() > 2 and 1 - abs(np.corrcoef(a[both], b[both])[0, 1]) < NOTHING:
        find = f"{pair.a.label} and {pair.b.label} move as one throughout, so that neither can come before the other"
        return Refusal(find, "Check that they are two columns of answers and not one twice.")
    return None


def course_caveats(records: Records) -> tuple[Caveat, ...]:
    """Long unbroken runs of one answer within a person, and answers far from all others."""
    found = []
    for condition in (records.pair.a, records.pair.b):
        found += [*_far(records, condition), *_stuck(records, condition)]
    return tuple(found)


def _bent(records: Records, condition: Condition) -> Float[np.ndarray, " rows"] | None:
    """What is left of the answers when each person's straight line is taken out; None where that is nothing."""
    answers = records.values[condition.key].astype(np.float64)
    left = np.full(answers.shape, np.nan)
    for rows in _by_person(records, answers):
        if rows.size > 2:
            time = records.time[rows] - records.time[rows].mean()
            centred = answers[rows] - answers[rows].mean()
            left[rows] = centred - time * (time @ centred) / (time @ time)
    return left if np.nansum(left**2) > NOTHING * answers[np.isfinite(answers)].var() else None


def _by_person(records: Records, answers: Float[np.ndarray, " rows"]) -> list[np.ndarray]:
    """The answered rows of each person, in time."""
    rows = np.flatnonzero(np.isfinite(answers))
    return np.split(rows, np.flatnonzero(np.diff(records.person[rows])) + 1)


def _far(records: Records, condition: Condition) -> list[Caveat]:
    answers = records.values[condition.key]
    answers = answers[np.isfinite(answers)]
    if answers.size < LEAST_ANSWERS or np.unique(answers).size <= 2:
        return []
    furthest = int(np.argmax(np.abs(answers - np.median(answers))))
    rest = np.delete(answers, furthest)
    if abs(answers[furthest] - rest.mean()) <= FAR * rest.std():
        return []
    text = (
        f"One answer on {condition.label} lies very far from all others and may carry the result: correct it if it "
        "is a slip, and ask again."
    )
    return [Caveat("far_answer", text)]


def _stuck(records: Records, condition: Condition) -> list[Caveat]:
    """The longest run of one value within any person, where it is long and no floor or ceiling of the scale."""
    answers = records.values[condition.key]
    ends = (np.nanmin(answers), np.nanmax(answers))
    for rows in _by_person(records, answers):
        course = answers[rows]
        starts = np.flatnonzero(np.r_[True, np.diff(course) != 0])
        lengths = np.diff(np.r_[starts, course.size])
        longest = int(np.argmax(lengths))
        long = lengths[longest] >= max(LEAST_RUN, STUCK * course.size)
        if long and course[starts[longest]] not in ends:
            whose = "" if records.people == 1 else " of one person or more"
            text = (
                f"A long run of answers on {condition.label}{whose} never changes ({lengths[longest]:,} in a row): "
                "the model takes every stretch for alike, and this one is not."
            )
            return [Caveat("unchanging_stretch", text)]
    return []
