"""What lies at the edge of a diary: answers so far apart that nothing carries over from one to the next."""

from __future__ import annotations

from bothways.designs.diary.estimation import Models, carries_over
from bothways.terms.answer import Caveat

NO_CARRY_OVER = Caveat(
    "no_carry_over",
    "Answers are no more like the ones before them than chance makes them: next to nothing carries over from one "
    "answer to the next, so that these answers can hardly show what one condition does to the other. Answers closer "
    "together might.",
)


def limits_of(models: Models) -> tuple[Caveat, ...]:
    """The caveat that holds where the records show no course at all, only scatter."""
    if not models.plain.usable or carries_over(models.plain):
        return ()
    return (NO_CARRY_OVER,)
