"""Answers made to order for the tests of the rules: an interval, a line, a design."""

from __future__ import annotations

from dataclasses import replace

from bothways.terms.answer import Answer, Caveat, DesignResult, Estimand, Estimate, Line, Status
from bothways.terms.question import Condition, Direction, Facet, Pair, Question, Scale
from bothways.terms.settings import Settings
from bothways.terms.verdict import Reading

PAIR = Pair(Condition("depression", "depression"), Condition("back_pain", "back pain"))
SETTINGS = Settings()
A_TO_B, B_TO_A, JOINT = Direction.A_TO_B, Direction.B_TO_A, Direction.JOINT

STATES: dict[str, tuple[float, float] | None] = {
    "no data": None,
    "uncertain": (-0.1, 0.3),
    "little": (-0.02, 0.03),
    "more": (0.06, 0.3),
    "less": (-0.3, -0.06),
}
"""Intervals on the standardised scale, whose smallest effect is 0.05, that read as their names say."""


def answer(
    direction: Direction,
    interval: tuple[float, float] | None,
    line: Line = "A",
    design: str = "panel",
    model: str = "ri-clpm",
    caveats: tuple[str, ...] = (),
    scale: Scale = Scale.SD_PER_SD,
    people: int = 500,
    events: int | None = None,
) -> Answer:
    """An eligible headline answer with this interval; None is an answer that did not come about."""
    estimate = None
    if interval is not None:
        low, high = interval
        middle = (low * high) ** 0.5 if scale.is_ratio else (low + high) / 2
        estimate = Estimate(middle, low, high, 0.1, scale, people, events=events)
    return Answer(
        id=f"{design}.{line}.{model}.{direction}",
        question=Question(PAIR, Facet.STRENGTH, direction),
        design=design,
        model=model,
        estimand=Estimand.RATE_RATIO if scale.is_ratio else Estimand.CROSS_LAG,
        status=Status.ANSWERED if estimate else Status.FAILED,
        line=line,
        estimate=estimate,
        target="the second condition, one wave later",
        lag_days=180.0,
        headline=True,
        caveats=tuple(Caveat(code, f"text of {code}") for code in caveats),
    )


def contrast(low: float, high: float) -> Answer:
    """A to B less B to A, in one design."""
    made = answer(JOINT, (low, high))
    return replace(made, estimand=Estimand.DIRECTION_CONTRAST, id="panel.contrast")


def result(*answers: Answer) -> tuple[DesignResult, ...]:
    """The answers as designs would hand them in."""
    return tuple(DesignResult(design, tuple(a for a in answers if a.design == design))
                 for design in dict.fromkeys(a.design for a in answers))  # fmt: skip


def mirrored(a: Answer) -> Answer:
    """The same answer with the two conditions renamed; a contrast changes its sign."""
    e = a.estimate
    if a.direction is JOINT and e is not None:
        e = replace(e, value=-e.value, low=-e.high, high=-e.low)
    return replace(a, question=a.question.mirrored(), estimate=e)


READS = {
    "no data": Reading.NO_DATA,
    "uncertain": Reading.UNCERTAIN,
    "little": Reading.LITTLE,
    "more": Reading.PREDICTS,
    "less": Reading.PREDICTS,
}
