"""What the arm moved, when, and what follows of the way from one condition to the other.

A lever tells of A to B where it moved A while B had not moved yet. Where it moved neither, or B no later than A, it
does not tell, and the reason is said; a ratio may then still be shown, and is not read.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bothways.designs.trial.estimation import Compared
from bothways.engine.lever import Ratio, ratio
from bothways.terms.question import Direction

SOONER = "A wave sooner after treatment would tell."
ENDS = {Direction.A_TO_B: (0, 1), Direction.B_TO_A: (1, 0)}  # (cause, outcome) among the conditions


@dataclass(frozen=True, slots=True)
class Moved:
    """One condition: p of "no arm moved it" by wave, alone and by Holm's steps; the first wave at which it had."""

    tested: tuple[tuple[int, float, float], ...]  # (wave, p, p by Holm)
    first: int | None

    def p(self, wave: int) -> float | None:
        """p at one wave, alone; None where it was not asked."""
        return next((p for t, p, _ in self.tested if t == wave), None)

    def stirred(self, until: int, alpha: float) -> bool:
        """Whether it may have moved at or before a wave: no allowance is made for how often that is looked at."""
        return any(t <= until and p < alpha for t, p, _ in self.tested)


@dataclass(frozen=True, slots=True)
class Lever:
    """One direction: the waves of cause and outcome, the ratio, and why it is not to be read (``refusal``)."""

    direction: Direction
    cause: int | None = None
    outcome: int | None = None
    found: Ratio | None = None
    refusal: str = ""
    mend: str = ""

    @property
    def ordered(self) -> bool:
        """Whether the outcome was seen after the cause had moved."""
        return self.cause is not None and self.outcome is not None and self.outcome > self.cause


def moved(compared: Compared, k: int, level: float) -> Moved:
    """Tests of all arms together at each wave, Holm's allowance for looking at several."""
    waves = [t for j, t in compared.setup.cells if j == k]
    ps = np.array([compared.test(k, t) for t in waves])
    adjusted, worst = np.empty(len(ps)), 0.0
    for rank, place in enumerate(np.argsort(ps)):
        worst = max(worst, min(1.0, (len(ps) - rank) * float(ps[place])))
        adjusted[place] = worst
    first = next((t for t, p in zip(waves, adjusted, strict=True) if p < 1 - level), None)
    return Moved(tuple(zip(waves, ps.tolist(), adjusted.tolist(), strict=True)), first)


def levers(compared: Compared, level: float) -> tuple[tuple[Moved, Moved], tuple[Lever, Lever]]:
    """What moved, and what that says each way."""
    both = (moved(compared, 0, level), moved(compared, 1, level))
    return both, (
        _lever(compared, both, Direction.A_TO_B, level),
        _lever(compared, both, Direction.B_TO_A, level),
    )


def _lever(compared: Compared, both: tuple[Moved, Moved], direction: Direction, level: float) -> Lever:
    """Where the lever moved the cause, what it tells depends on whether the outcome may have moved by then."""
    cause, outcome = ENDS[direction]
    A, B = (compared.setup.conditions[k].label for k in (cause, outcome))
    at = both[cause].first
    if at is None:
        return Lever(direction, refusal=_unmoved(compared, A))
    if both[outcome].stirred(at - 1, 1 - level):
        says = f"The arm moved {B} before it moved {A}: it reached {B} by another way than through {A}."
        return Lever(direction, at, refusal=says)
    if both[outcome].stirred(at, 1 - level):
        return _together(compared, direction, at, level)
    return _following(compared, both[outcome], direction, at, level)


def _together(compared: Compared, direction: Direction, at: int, level: float) -> Lever:
    """Both had moved by the same wave: a ratio that is shown and not read."""
    cause, outcome = ENDS[direction]
    A, B = (compared.setup.conditions[k].label for k in (cause, outcome))
    wave = compared.setup.wave_name(at)
    says = f"The arm moved {A} and {B} by the same wave ({wave}), so that which of them moved first was not observed."
    return Lever(direction, at, at, _ratio(compared, cause, outcome, at, at, level), says, SOONER)


def _following(compared: Compared, other: Moved, direction: Direction, at: int, level: float) -> Lever:
    """The outcome at the next wave at which it was asked; at the same wave where there is none, and it did not move."""
    cause, outcome = ENDS[direction]
    A, B = (compared.setup.conditions[k].label for k in (cause, outcome))
    asked = [t for t, *_ in other.tested]
    then = next((t for t in asked if t > at), at)
    if then not in asked:
        return Lever(direction, at, refusal=f"{_capital(B)} was not asked after the arm had moved {A}.")
    found = _ratio(compared, cause, outcome, at, then, level)
    if then == at and (found.low > 0 or found.high < 0):  # arms pulling both ways: moved, though not in common
        wave = compared.setup.wave_name(at)
        says = (
            f"{_capital(A)} and {B} were seen to move at the same wave ({wave}) only: which was first was not observed."
        )
        return Lever(direction, at, at, found, says, SOONER)
    return Lever(direction, at, then, found)


def _unmoved(compared: Compared, condition: str) -> str:
    if len(compared.setup.arms.labels) == 2:
        return f"The arm did not clearly move {condition}, so it cannot tell what {condition} does."
    return f"Taken together, the arms did not clearly move {condition}, so they cannot tell what {condition} does."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _ratio(compared: Compared, cause: int, outcome: int, at: int, then: int, level: float) -> Ratio:
    places = [*compared.places(cause, at), *compared.places(outcome, then)]
    V = compared.covariance[np.ix_(places, places)]
    return ratio(compared.effect(cause, at), compared.effect(outcome, then), V, compared.setup.freedom, level)
