"""Hypothetical changes: what a fitted model implies for both conditions, as rows of one table, never as a promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from bothways.terms.answer import Cell, Table
from bothways.terms.settings import WhatIf

DRAWS = 2000
FAR = 2.0  # SDs beyond which a change lies outside most of what was seen
COLUMNS = ("change", "outcome", "time", "value", "low", "high", "points", "points low", "points high")


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """One change's course: ``middle`` and the ``draws`` behind its band, in SDs, (times, 2); ``points`` in an SD."""

    change: str
    outcomes: tuple[str, str]
    times: Float[np.ndarray, " times"]
    middle: Float[np.ndarray, "times 2"]
    draws: Float[np.ndarray, "draws times 2"]
    points: Float[np.ndarray, "2"]


def change_words(change: WhatIf, label: str, span: str) -> str:
    """ "sleep −1 SD for 28 days": the number as it was stated; ``span`` says for how long."""
    sign = "+" if change.by_sd > 0 else "−"
    return f"{label} {sign}{abs(change.by_sd):g} SD {span}"


def days_words(days: float | None) -> str:
    """For how long a change is held, in the units in which people count: none is kept that does not come out even."""
    if days is None:
        return "held throughout"
    for unit, length in (("year", 365.25), ("month", 30.4375), ("week", 7.0), ("day", 1.0)):
        count = days / length
        if abs(count - round(count)) < 1e-9 and count >= 1:
            return f"for {round(count)} {unit}{'' if round(count) == 1 else 's'}"
    return f"for {days:g} days"


def what_if_table(courses: Sequence[Course], level: float, notes: Sequence[str], unit: str) -> Table:
    """Every course as rows, with the band that holds ``level`` of the draws at each time."""
    rows = tuple(row for course in courses for row in _rows(course, level))
    return Table(
        "what_if",
        "Model-implied course under a stated change",
        COLUMNS,
        rows,
        " ".join((*_of_the_pair(courses), *notes, _held(unit))),
    )


def _of_the_pair(courses: Sequence[Course]) -> tuple[str, ...]:
    """The sentence for a change of one of the two conditions: its own course is partly what was put in."""
    told = {}
    for course in courses:
        for label, other in (course.outcomes, course.outcomes[::-1]):
            if course.change.startswith((f"{label} +", f"{label} −")):
                told[label] = (
                    f"{label[:1].upper()}{label[1:]} is itself one of the two conditions: while it is held, its own "
                    f"course is what was put in and no finding; what the model adds is the course of {other}."
                )
    return tuple(told.values())


def _held(unit: str) -> str:
    return (
        f"Time is in {unit} from the change. The change is set, not seen: the changed variable's own equation is "
        "replaced while it is held, and then it is let go; all else starts at its usual level. Values are differences "
        "from the course without the change, in SDs within people as the model has them; bands hold draws of the "
        "estimates and not of people. This is what the model implies if its lags are effects (no unmeasured cause that "
        "changes over time, the same lags in everybody and under the change); it foretells nobody's course."
    )


def far_note(changes: Sequence[WhatIf]) -> tuple[str, ...]:
    """The sentence for changes larger than most that were seen."""
    if not any(abs(c.by_sd) > FAR for c in changes):
        return ()
    return (f"A change of more than {FAR:g} SD lies beyond most of what was seen.",)


def _rows(course: Course, level: float) -> list[tuple[Cell, ...]]:
    tails = np.nanquantile(course.draws, [0.5 - level / 2, 0.5 + level / 2], axis=0)
    rows: list[tuple[Cell, ...]] = []
    for k, outcome in enumerate(course.outcomes):
        for t, when in enumerate(course.times.tolist()):
            three = (float(course.middle[t, k]), float(tails[0, t, k]), float(tails[1, t, k]))
            rows.append((course.change, outcome, when, *three, *(x * float(course.points[k]) for x in three)))
    return rows
