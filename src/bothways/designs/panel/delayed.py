"""Where the two conditions alone miss what takes longer than one wave, because it runs through a third."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bothways.terms.answer import Answer, Caveat, Estimand, Estimate
from bothways.terms.question import Facet

CODE = "missed_without_mediators"


def warned(answers: Iterable[Answer], through: tuple[Answer, ...]) -> tuple[Answer, ...]:
    """The lags of the two conditions alone, each with a caveat where the model with mediators says otherwise.

    A model of two conditions whose lags reach one wave carries nothing that takes two by way of a third. The two models
    part where each puts the effect over two waves outside the other's interval.
    """
    rows = tuple(answers)
    for total in _totals(through):
        alone = next((a for a in rows if _same_lag(a, total)), None)
        if alone is not None and _part(alone, total):
            caveat = _caveat(alone, total)
            rows = tuple(_with(a, caveat) if _speaks_of(a, total) else a for a in rows)
    return rows


def _totals(through: tuple[Answer, ...]) -> list[Answer]:
    """The total effect by direction, of the model whose indirect effect is told first."""
    told = [a for a in through if a.headline and a.estimand is Estimand.INDIRECT]
    return [
        a
        for row in told
        for a in through
        if a.estimand is Estimand.TOTAL and a.direction == row.direction and a.question.pathway == row.question.pathway
    ]


def _same_lag(answer: Answer, total: Answer) -> bool:
    return (
        answer.facet is Facet.SPEED
        and answer.estimand is Estimand.CROSS_LAG
        and answer.direction == total.direction
        and (answer.lag_days, answer.lag_waves) == (total.lag_days, total.lag_waves)
    )


def _part(alone: Answer, total: Answer) -> bool:
    one, two = alone.estimate, total.estimate
    return one is not None and two is not None and not _holds(one, two.value) and not _holds(two, one.value)


def _holds(estimate: Estimate, value: float) -> bool:
    return estimate.low is None or estimate.high is None or estimate.low <= value <= estimate.high


def _speaks_of(answer: Answer, total: Answer) -> bool:
    """The headline of this direction, and its lags over time."""
    return (
        answer.direction == total.direction
        and answer.estimate is not None
        and (answer.headline or answer.facet is Facet.SPEED)
    )


def _with(answer: Answer, caveat: Caveat) -> Answer:
    return replace(answer, caveats=(*answer.caveats, caveat))


def _caveat(alone: Answer, total: Answer) -> Caveat:
    one, two = alone.estimate, total.estimate
    assert one is not None
    assert two is not None
    first, second = (c.label for c in total.direction.ends(total.question.pair))
    with_it = f"{two.value:.2f} ({two.low:.2f} to {two.high:.2f})"
    numbers = f"over two waves they come to {one.value:.2f}, where the model with the mediators has {with_it}"
    return Caveat(
        CODE,
        f"these lags are of {first} and {second} alone: what takes two waves by way of a third is not in them, and can "
        f"shift them; {numbers.replace('-', '−')}",
    )
