"""Answers on pathways: interventional direct and indirect effects, the two legs, the share, what could undo them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from bothways.designs.sustained.answers import Room, answer_of, contrast_of, given, scale_of, target_of
from bothways.designs.sustained.effects import (
    Statistic,
    direct,
    estimate,
    first_leg,
    indirect,
    overall,
    ratio,
    second_leg,
    share,
)
from bothways.designs.sustained.estimation import Found, Path
from bothways.engine.chain.evalue import e_value
from bothways.engine.gmethods.plans import ALL_DRAWN, ONLY_EXPOSED
from bothways.terms.answer import Answer, Assumption, Estimand, Estimate, Status
from bothways.terms.question import Facet, Scale

SMD = 0.91  # VanderWeele & Ding 2017: a standardised difference d is like a risk ratio exp(0.91 d)


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """How strong an unmeasured cause of mediator and outcome would have to be to undo an indirect effect."""

    indirect: Estimate
    value: float
    limit: float
    frequency: float | None  # of the outcome under the exposure with the mediator as without it


def pathways(room: Room) -> tuple[Answer, ...]:
    """Rows of every path; nothing where the direction was refused, one failed row a path where its fits failed.

    A mediator that was named and cannot be asked about has one refused row.
    """
    found = room.found
    if found is None or room.settings.headline_only:
        return ()
    rows = tuple(row for place, path in enumerate(found.paths, start=1) for row in _of_path(room, found, place, path))
    return (*rows, *_unasked(room))


def _unasked(room: Room) -> Iterator[Answer]:
    scale, _ = scale_of(room.exposure, room.outcome)
    for one in room.setup.unasked:
        row = _row(room, Path(one.key, (one.label,), (0,)), Estimand.INDIRECT, scale, f"by way of {one.label}")
        says = f"nothing can be said to run by way of {one.label}: {one.why}"
        yield replace(row, status=Status.REFUSED, status_says=says)


def _of_path(room: Room, found: Found, place: int, path: Path) -> Iterator[Answer]:
    scale, factor = scale_of(room.exposure, room.outcome)
    through = " and ".join(path.labels)
    parts: tuple[tuple[Estimand, Statistic, str], ...] = (
        (
            Estimand.TOTAL,
            overall(room.outcome.state),
            f"by every way, the course of {through} drawn from its own regime",
        ),
        (Estimand.DIRECT, direct(room.outcome.state), f"with {through} as under the lower regime"),
        (Estimand.INDIRECT, indirect(room.outcome.state), f"by way of {through}"),
    )
    for estimand, statistic, words in parts:
        row = _row(room, path, estimand, scale, f"{target_of(room)}, {words}")
        if not found.usable:
            if estimand is Estimand.INDIRECT:
                yield replace(row, status=Status.FAILED, status_says=found.says)
            continue
        yield given(row, number(room, place, statistic, scale, factor))
    if found.usable:
        yield _share(room, place, path, scale, factor)
        if len(path.places) == 1:
            yield from _legs(room, place, path)


def number(room: Room, place: int, statistic: Statistic, scale: Scale, factor: float = 1.0) -> Estimate | None:
    """The statistic of one scenario of this direction."""
    assert room.found is not None
    return estimate(room.found, place, statistic, scale, room.settings.level, factor=factor, events=room.events)


def _row(room: Room, path: Path, estimand: Estimand, scale: Scale, target: str) -> Answer:
    row = answer_of(room, f"pathway.{path.key}.{estimand}", Facet.PATHWAY, estimand, scale, path.key)
    return replace(row, target=target, assumptions=(*room.assumptions, *_assumed(path)))


def _assumed(path: Path) -> tuple[Assumption, ...]:
    through = " and ".join(path.labels)
    rest = (
        (Assumption("paths of single mediators overlap, so that their effects need not add up to the joint one"),)
        if len(path.places) > 1
        else (Assumption("other mediators respond as they will: what this one hands on to them is counted here"),)
    )
    return (
        Assumption(
            f"order: the exposure of one occasion comes before {through} of the next, and that before the outcome of "
            "the one after",
            True,
            "nothing is read as an effect within one occasion",
        ),
        Assumption(f"nothing unmeasured drives both {through} and the outcome, given the past"),
        Assumption(
            "the effects are interventional: the mediator's course is drawn from its distribution among people alike "
            "at the first occasion, and as if nobody died while it was drawn"
        ),
        *rest,
    )


def _share(room: Room, place: int, path: Path, scale: Scale, factor: float) -> Answer:
    """The part of the total that runs through the path: only where the total is clearly not nil."""
    row = _row(room, path, Estimand.ATTRIBUTABLE_SHARE, Scale.SHARE, f"share of the total effect by way of {path.key}")
    row = replace(row, target=f"share of the total effect that runs by way of {' and '.join(path.labels)}")
    whole = number(room, place, overall(room.outcome.state), scale, factor)
    if whole is None or whole.low <= 0 <= whole.high:
        says = "the total effect may be nil, and a share of nothing means nothing"
        return replace(row, status=Status.REFUSED, status_says=says)
    return given(row, number(room, place, share(room.outcome.state), Scale.SHARE))


def _legs(room: Room, place: int, path: Path) -> Iterator[Answer]:
    """Exposure to mediator, from the course of a sustained exposure; mediator to outcome, the exposure held low."""
    mediator = room.setup.variables(room.direction)[path.places[0]]
    scale, factor = scale_of(room.exposure, mediator)
    row = _row(room, path, Estimand.FIRST_LEG, scale, f"{mediator.label} at the occasion before the last")
    yield given(row, number(room, 0, first_leg(path.places[0]), scale, factor))
    scale, factor = scale_of(mediator, room.outcome)
    held = "absent" if room.exposure.state else "half a standard deviation below its mean"
    row = _row(room, path, Estimand.SECOND_LEG, scale, f"{target_of(room)}, with {room.exposure.label} held {held}")
    row = replace(row, contrast=contrast_of(mediator))
    yield given(row, number(room, place, second_leg(room.outcome.state), scale, factor))


def sensitivity(room: Room, place: int) -> Sensitivity | None:
    """E-value of the indirect effect (Smith & VanderWeele 2019) and of its limit nearer to nil, as risk ratios.

    A state's risk ratio is Q(1,1) / Q(1,0); a score's is taken to be exp(0.91 d), d the difference in SDs.
    """
    assert room.found is not None
    scale, factor = scale_of(room.exposure, room.outcome)
    shown = number(room, place, indirect(room.outcome.state), scale, factor)
    if shown is None:
        return None
    if room.outcome.state:
        as_ratio = number(room, place, ratio(ALL_DRAWN, ONLY_EXPOSED), Scale.RISK_RATIO)
        if as_ratio is None:
            return None
        low, middle, high = as_ratio.low, as_ratio.value, as_ratio.high
        frequency = float(room.found.simulated.point[place].mean[ONLY_EXPOSED, -1, 0])
    else:
        low, middle, high = (float(np.exp(SMD * x / factor)) for x in (shown.low, shown.value, shown.high))
        frequency = None
    nearest = 1.0 if low <= 1 <= high else low if middle > 1 else high
    return Sensitivity(shown, e_value(middle), e_value(nearest), frequency)
