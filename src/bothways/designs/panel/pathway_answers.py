"""Pathways as answers: each mediator's legs, its indirect, direct and total effect, or why it cannot be told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from bothways.designs.panel.caveats import improper
from bothways.designs.panel.failures import failure_words
from bothways.designs.panel.mediators import label_of, mediators_of, together
from bothways.designs.panel.pathway_words import ALONE, SAME_WAVE, assumptions_of, contrast, listed, target
from bothways.designs.panel.pathways import Legs, Mediated, mediated
from bothways.designs.panel.room import DIRECTIONS, ENDS, Room, lag_days, lag_waves, question_of
from bothways.terms.answer import Answer, Assumption, Caveat, Estimand, Estimate, Status
from bothways.terms.progress import Progress
from bothways.terms.question import Direction, Facet, Scale

PARTS = (Estimand.TOTAL, Estimand.DIRECT, Estimand.INDIRECT, Estimand.FIRST_LEG, Estimand.SECOND_LEG)
LEGS = (Estimand.FIRST_LEG, Estimand.SECOND_LEG)


@dataclass(frozen=True, slots=True, eq=False)
class Pathways:
    """Every model with mediators that was fitted: ``alone`` one at a time, ``joint`` by direction where there are two
    or more; and what could not be asked."""

    alone: dict[str, Mediated]
    joint: dict[Direction, Mediated]
    refused: dict[str, str]

    def speaks(self, direction: Direction, key: str) -> Mediated | None:
        """The model whose numbers name this mediator: all together where that could be fitted, else by itself."""
        found = self.joint.get(direction)
        if found is not None and found.usable and key in found.mediators:
            return found
        return self.alone.get(key)

    @property
    def keys(self) -> tuple[str, ...]:
        """Every mediator that is in a model."""
        return tuple(dict.fromkeys([*self.alone, *(k for found in self.joint.values() for k in found.mediators)]))


def pathways_of(room: Room, progress: Progress) -> Pathways:
    """Fit the mediators together, and one at a time; a quick look leaves the latter out where the former stand."""
    asked = mediators_of(room.setup.records)
    joint: dict[Direction, Mediated] = {}
    fitted: dict[tuple[str, ...], Mediated] = {}
    for direction in DIRECTIONS:
        if chosen := together(room.setup.records, asked.keys, direction):
            progress(f"panel: {len(chosen)} pathways together", 0.9)
            joint[direction] = fitted[chosen] = fitted.get(chosen) or mediated(room, chosen)
    alone = {}
    for key in asked.keys:
        spoken = all(way in joint and joint[way].usable and key in joint[way].mediators for way in DIRECTIONS)
        if not (room.settings.quick and spoken):
            progress(f"panel: by way of {label_of(room.setup.records, key)}", 0.92)
            alone[key] = mediated(room, (key,))
    return Pathways(alone, joint, asked.refused)


def pathway_answers(room: Room, found: Pathways) -> tuple[Answer, ...]:
    """Rows of every mediator in every direction; the headline is that of all mediators together, or of the only one."""
    rows: list[Answer] = []
    for direction in DIRECTIONS:
        joint = found.joint.get(direction)
        if joint is not None:
            rows += _rows_of(room, joint, direction, joint.mediators, headline=joint.usable)
        for key in found.keys:
            speaks = found.speaks(direction, key)
            lone = len(found.keys) == 1
            if speaks is not None:
                named = _rows_of(room, speaks, direction, (key,), headline=lone and speaks.usable)
                rows += named if lone or len(speaks.mediators) > 1 else [_credited(row) for row in named]
            other = found.alone.get(key)
            if other is not None and other is not speaks and other.usable:
                rows += [_beside(row) for row in _rows_of(room, other, direction, (key,))]
        rows += [_refused(room, direction, key, reason) for key, reason in found.refused.items()]
    return tuple(rows)


def _beside(row: Answer) -> Answer:
    """A row of a mediator by itself, beside the one of all mediators together."""
    return _credited(replace(row, id=row.id.replace("panel.pathway.", "panel.pathway.alone.")))


def _credited(row: Answer) -> Answer:
    """A row of a mediator by itself where others were asked for: it may be credited with their effect."""
    return replace(row, caveats=(ALONE, *row.caveats)) if row.status is Status.ANSWERED else row


def _rows_of(
    room: Room, found: Mediated, direction: Direction, through: Sequence[str], *, headline: bool = False
) -> list[Answer]:
    if not found.usable:
        return [_failed(room, found, direction, through)]
    rows = []
    for estimand in PARTS if len(through) == 1 else PARTS[:3]:
        row = _row(room, found, direction, through, estimand)
        rows.append(replace(row, headline=headline and estimand is Estimand.INDIRECT))
    return [*rows, _same_wave(room, found, direction, through)]


def _row(room: Room, found: Mediated, direction: Direction, through: Sequence[str], estimand: Estimand) -> Answer:
    gaps = 1.0 if estimand in LEGS else 2.0
    days = lag_days(found.setup, gaps)
    base = _base(room, direction, through)
    return replace(
        base,
        id=f"{base.id}.{estimand.value}.{direction}",
        model=found.fitted.form.name,
        estimand=estimand,
        status=Status.ANSWERED,
        estimate=estimate_of(found, room, estimand, direction, through),
        target=target(room, direction, through, estimand),
        contrast=contrast(room, direction, through, estimand),
        lag_days=days,
        lag_waves=lag_waves(found.setup, gaps),
        assumptions=assumptions_of(room, found, direction, through, estimand),
        caveats=_caveats(room, found),
    )


def _base(room: Room, direction: Direction, through: Sequence[str]) -> Answer:
    return Answer(
        id=f"panel.pathway.{'+'.join(through)}",
        question=replace(question_of(room, Facet.PATHWAY, direction), pathway="+".join(through)),
        design="panel",
        model="ri-clpm",
        estimand=Estimand.INDIRECT,
        status=Status.REFUSED,
        target=f"{direction.ends(room.setup.records.pair)[1].label}, two waves later",
        source=room.setup.records.source,
    )


def estimate_of(
    found: Mediated, room: Room, estimand: Estimand, direction: Direction, through: Sequence[str]
) -> Estimate:
    """The estimate with percentile limits of its draws; legs, which are no products, with symmetric ones unless people
    were resampled."""
    assert found.legs is not None
    assert found.drawn is not None
    value = float(found.parts(found.legs, estimand, direction, through))
    draws = found.parts(found.drawn, estimand, direction, through)
    return _with_limits(found, room, value, draws, symmetric=estimand in LEGS and not found.resampled)


def one_wave(found: Mediated, room: Room, direction: Direction) -> Estimate:
    """The lag between the two conditions over one wave, all other processes of the model held."""
    assert found.legs is not None
    assert found.drawn is not None
    y, x = ENDS[direction]
    value, draws = (legs.into[..., y, x].mean(axis=-1) for legs in (found.legs, found.drawn))
    return _with_limits(found, room, float(value), draws, symmetric=not found.resampled)


def _with_limits(found: Mediated, room: Room, value: float, draws: np.ndarray, *, symmetric: bool = False) -> Estimate:
    level, se = room.settings.level, float(draws.std(ddof=1))
    if symmetric:
        reach = float(ndtri(0.5 + level / 2)) * se
        low, high, p = value - reach, value + reach, float(2 * ndtr(-abs(value) / se))
    else:
        low, high = (float(x) for x in np.quantile(draws, [0.5 - level / 2, 0.5 + level / 2]))
        tail = min(float(np.mean(draws <= 0)), float(np.mean(draws >= 0)))
        p = min(1.0, 2 * max(tail, 1 / (len(draws) + 1)))
    return Estimate(value, low, high, se, Scale.SD_PER_SD, found.setup.people, level, p)


def _same_wave(room: Room, found: Mediated, direction: Direction, through: Sequence[str]) -> Answer:
    """The pathway whose first leg lies within a wave: an answer of its own, never mixed with the ordered one."""
    assert found.legs is not None
    assert found.drawn is not None
    m = [found.place(key) for key in through]

    def effect(legs: Legs) -> np.ndarray:
        return legs.same_wave(direction, m)

    first, second = direction.ends(room.setup.records.pair)
    days = lag_days(found.setup, 1.0)
    base = _base(room, direction, through)
    named = listed(room, through)
    return replace(
        base,
        id=f"{base.id}.indirect.same_wave.{direction}",
        question=replace(base.question, horizon=days if days is not None else 1.0),
        model=found.fitted.form.name,
        status=Status.ANSWERED,
        estimate=_with_limits(found, room, float(effect(found.legs)), effect(found.drawn)),
        target=f"{second.label}, one wave later, by way of {named} at the first wave",
        contrast=f"what is new in {first.label}, one standard deviation of it, taken to move {named} at the same wave",
        lag_days=days,
        lag_waves=lag_waves(found.setup, 1.0),
        assumptions=(Assumption(f"Within a wave {first.label} moves {named}, and not the other way around."),),
        caveats=(SAME_WAVE, *_caveats(room, found)),
    )


def _caveats(room: Room, found: Mediated) -> tuple[Caveat, ...]:
    own = (improper(found.setup, found.fitted),) if found.fitted.improper else ()
    return (*own, *(caveat for caveat in room.caveats if caveat.code != "improper"))


def _failed(room: Room, found: Mediated, direction: Direction, through: Sequence[str]) -> Answer:
    says = failure_words(found.setup, found.fitted) or "The model with this pathway could not be fitted."
    base = _base(room, direction, through)
    return replace(base, id=f"{base.id}.indirect.{direction}", status=Status.FAILED, status_says=says)


def _refused(room: Room, direction: Direction, key: str, reason: str) -> Answer:
    base = _base(room, direction, (key,))
    return replace(base, id=f"{base.id}.indirect.{direction}", status_says=reason)


def speaking(found: Pathways) -> Iterator[tuple[Direction, str, Mediated]]:
    """Every mediator in every direction with the model that speaks for it, where there is one."""
    for direction in DIRECTIONS:
        for key in found.keys:
            model = found.speaks(direction, key)
            if model is not None and model.usable:
                yield direction, key, model
