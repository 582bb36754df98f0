"""From fitted models to answers: the headline of each direction, their contrast, the lags, what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bothways.designs.panel.caveats import MIXED, disagreement, improper
from bothways.designs.panel.effects import by_wave, contrast, correlations, horizons_of, lag_effects
from bothways.designs.panel.estimation import Fitted
from bothways.designs.panel.failures import failure_words
from bothways.designs.panel.models import FAMILIES
from bothways.designs.panel.room import (
    DIRECTIONS,
    Room,
    answer_of,
    estimate_of,
    lag_days,
    lag_waves,
    place_of,
    question_of,
)
from bothways.terms.answer import Answer, Caveat, Estimand, Estimate, Status
from bothways.terms.question import Direction, Facet, Scale
from bothways.terms.verdict import Reading, read_estimate

READS = {
    Reading.PREDICTS: "reads “comes before and predicts”",
    Reading.LITTLE: "reads “little or no effect”",
}


def answers_of(room: Room, resampled: dict[Direction, Estimate] | None = None) -> tuple[Answer, ...]:
    """All answers; where the headline could not be fitted, failures in words and no estimate.

    ``resampled`` replaces intervals of the headline and the contrast by those of the bootstrap.
    """
    if not room.headline.chosen.usable:
        return (*(_failed(room, direction) for direction in (*DIRECTIONS, Direction.JOINT)), first_refused(room))
    own = [_headline(room, direction, resampled or {}) for direction in DIRECTIONS]
    rows = [*own, _contrast(room, resampled or {}), *_between(room)]
    if not room.headline.pooled:
        rows += [row for direction in DIRECTIONS for row in _by_wave(room, direction)]
    rows += [row for direction in DIRECTIONS for row in _course(room, direction)]
    rows += [row for fitted in _rivals(room) for row in _rival(room, fitted)]
    return (*rows, first_refused(room))


def _rivals(room: Room) -> list[Fitted]:
    """The first form of every other model that could be fitted; further forms stand in the comparison table alone."""
    first: dict[str, Fitted] = {}
    for fitted in room.others:
        if fitted.usable and fitted.form.key != room.headline.chosen.form.key:
            first.setdefault(fitted.form.key, fitted)
    return list(first.values())


def _headline(room: Room, direction: Direction, resampled: dict[Direction, Estimate]) -> Answer:
    chosen, setup = room.headline.chosen, room.setup
    interval = lag_effects(chosen, (1.0,), room.settings.level)
    estimate = resampled.get(direction) or estimate_of(interval, place_of(direction, setup.K), room)
    rivals = _rival_readings(room, direction, estimate)
    return replace(
        answer_of(room, chosen, direction, estimate),
        headline=True,
        assumptions=room.assumptions,
        caveats=(*room.caveats, disagreement(rivals)) if rivals else room.caveats,
    )


def _rival_readings(room: Room, direction: Direction, estimate: Estimate) -> list[str]:
    """Rivals that remove lasting differences and decide otherwise; the CLPM does not remove them and is no rival."""
    own = _says(room, estimate)
    found = []
    for fitted in room.others:
        if not fitted.usable or fitted.improper or fitted.form.key in ("clpm", room.headline.chosen.form.key):
            continue
        interval = lag_effects(fitted, (1.0,), room.settings.level)
        theirs = _says(room, estimate_of(interval, place_of(direction, room.setup.K), room))
        if theirs[0] in READS and theirs != own:
            sign = ", less of it" if theirs[1] < 0 else ""
            found.append(f"the {FAMILIES[fitted.form.key].label} {READS[theirs[0]]}{sign}")
    return found


def _says(room: Room, estimate: Estimate) -> tuple[Reading, int]:
    reading = read_estimate(estimate, room.settings.smallest_effect(estimate.scale))
    return reading, int(np.sign(estimate.value)) if reading is Reading.PREDICTS else 0


def _contrast(room: Room, resampled: dict[Direction, Estimate]) -> Answer:
    chosen, pair = room.headline.chosen, room.setup.records.pair
    estimate = resampled.get(Direction.JOINT) or estimate_of(contrast(chosen, room.settings.level), 0, room)
    return replace(
        answer_of(room, chosen, Direction.JOINT, estimate),
        estimand=Estimand.DIRECTION_CONTRAST,
        target="the difference in size between the two lags",
        contrast=f"how much more strongly {pair.a.label} predicts {pair.b.label} than the other way around",
        headline=True,
        assumptions=room.assumptions,
        caveats=room.caveats,
    )


def _between(room: Room) -> list[Answer]:
    """The correlation of people's usual levels, told apart from what goes on within them."""
    chosen, pair = room.headline.chosen, room.setup.records.pair
    if chosen.form.key != "ri-clpm" or {"b1", "b2"} & set(chosen.fit.status.negative_variances):
        return []
    interval = correlations(chosen, [("b1", "b2")], room.settings.level)
    answer = answer_of(room, chosen, Direction.JOINT, estimate_of(interval, 0, room, Scale.CORRELATION), ".between")
    return [
        replace(
            answer,
            question=question_of(room, Facet.STRENGTH, Direction.JOINT, Scale.CORRELATION),
            estimand=Estimand.ASSOCIATION,
            target="people's usual levels over the whole study",
            contrast=f"whether people with more {pair.a.label} than others also have more {pair.b.label} than others",
            lag_days=None,
            lag_waves=None,
        )
    ]


def _by_wave(room: Room, direction: Direction) -> list[Answer]:
    """One row for each interval between waves, where one lag for all does not hold."""
    chosen, setup = room.headline.chosen, room.setup
    interval = by_wave(chosen, room.settings.level)
    _, second = direction.ends(setup.records.pair)
    rows = []
    for t in range(1, setup.T):
        place = (t - 1) * setup.K**2 + place_of(direction, setup.K)
        row = answer_of(room, chosen, direction, estimate_of(interval, place, room), f".wave{setup.wave_name(t)}")
        gap = setup.waves.gaps[t - 1]
        days, waves = (gap, None) if setup.waves.in_days else (None, gap)
        target = f"{second.label} at wave {setup.wave_name(t)}, from the wave before"
        rows.append(replace(row, target=target, lag_days=days, lag_waves=waves))
    return rows


def _course(room: Room, direction: Direction) -> list[Answer]:
    """The effect against the time between, and what can be said of its peak."""
    chosen, setup = room.headline.chosen, room.setup
    span = sum(setup.waves.gaps) / setup.waves.gap
    horizons = horizons_of(chosen, span) if setup.T > 2 else ()
    if len(horizons) < 2:
        return []
    interval = lag_effects(chosen, horizons, room.settings.level)
    _, second = direction.ends(setup.records.pair)
    rows = []
    for h, gaps in enumerate(horizons):
        place = h * setup.K**2 + place_of(direction, setup.K)
        days, waves = lag_days(setup, gaps), lag_waves(setup, gaps)
        row = answer_of(room, chosen, direction, estimate_of(interval, place, room), f".course.{h + 1}")
        question = replace(question_of(room, Facet.SPEED, direction), horizon=waves if days is None else days)
        rows.append(
            replace(
                row,
                question=question,
                target=f"{second.label}, later",
                curve=f"panel.{chosen.form.name}.{direction}.course",
                lag_days=days,
                lag_waves=waves,
                horizon_days=days,
            )
        )
    return [*rows, _peak_refused(room, direction)]


def _peak_refused(room: Room, direction: Direction) -> Answer:
    first, second = direction.ends(room.setup.records.pair)
    says = (
        "With two conditions and lags of one wave, both directions peak at the same time, whatever the data: this "
        "model cannot say which is quicker."
        if room.setup.K == 2
        else "Waves are too far apart to see a peak between them; a diary design could."
    )
    return Answer(
        id=f"panel.{room.model}.{direction}.peak",
        question=question_of(room, Facet.SPEED, direction, Scale.DAYS if room.setup.waves.in_days else Scale.WAVES),
        design="panel",
        model=room.model,
        estimand=Estimand.PEAK_LAG,
        status=Status.REFUSED,
        status_says=says,
        target=f"the time from {first.label} to the peak in {second.label}",
        source=room.setup.records.source,
    )


def _rival(room: Room, fitted: Fitted) -> list[Answer]:
    """The same lags under another model."""
    interval = lag_effects(fitted, (1.0,), room.settings.level)
    caveats: tuple[Caveat, ...] = (MIXED,) if fitted.form.key == "clpm" else ()
    if fitted.improper:
        caveats = (*caveats, improper(room.setup, fitted))
    return [
        replace(
            answer_of(room, fitted, direction, estimate_of(interval, place_of(direction, room.setup.K), room)),
            caveats=caveats,
        )
        for direction in DIRECTIONS
    ]


def _failed(room: Room, direction: Direction) -> Answer:
    joint = direction is Direction.JOINT
    return Answer(
        id=f"panel.{room.model}.{direction}",
        question=question_of(room, Facet.STRENGTH, direction),
        design="panel",
        model=room.model,
        estimand=Estimand.DIRECTION_CONTRAST if joint else Estimand.CROSS_LAG,
        status=Status.FAILED,
        status_says=failure_words(room.setup, room.headline.chosen),
        headline=True,
        source=room.setup.records.source,
    )


def first_refused(room: Room) -> Answer:
    """Who had it first is not a question for scores."""
    return Answer(
        id="panel.order",
        question=question_of(room, Facet.FIRST, Direction.JOINT, None),
        design="panel",
        model=room.model,
        estimand=Estimand.ORDER_SHARE,
        status=Status.REFUSED,
        status_says="A stronger lag is not an earlier onset: a panel of scores cannot say who had it first.",
        source=room.setup.records.source,
    )
