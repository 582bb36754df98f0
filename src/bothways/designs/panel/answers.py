"""From fitted models to answers: the headline of each direction, their contrast, the lags, what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from bothways.designs.panel.caveats import MIXED, disagreement, improper
from bothways.designs.panel.effects import by_wave, contrast, correlations, horizons_of, lag_effects
from bothways.designs.panel.estimation import Fitted, Headline
from bothways.designs.panel.failures import failure_words
from bothways.designs.panel.missing import Leaving
from bothways.designs.panel.models import FAMILIES
from bothways.designs.panel.setup import PanelSetup
from bothways.engine.inference import Interval
from bothways.terms.answer import Answer, Assumption, Caveat, Estimand, Estimate, Status
from bothways.terms.question import Direction, Facet, Question, Scale
from bothways.terms.settings import Settings
from bothways.terms.verdict import Reading, read_estimate

DIRECTIONS = (Direction.A_TO_B, Direction.B_TO_A)
ENDS = {Direction.A_TO_B: (1, 0), Direction.B_TO_A: (0, 1)}  # (outcome, predictor) among the processes
READS = {
    Reading.PREDICTS: "reads “comes before and predicts”",
    Reading.LITTLE: "reads “little or no effect”",
}


@dataclass(frozen=True, slots=True)
class Room:
    """What every answer of one run shares."""

    setup: PanelSetup
    settings: Settings
    headline: Headline
    others: tuple[Fitted, ...]
    gone: tuple[Leaving, ...]
    assumptions: tuple[Assumption, ...]
    caveats: tuple[Caveat, ...]

    @property
    def model(self) -> str:
        """The headline model's key."""
        return self.headline.chosen.form.name


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


def estimate_of(interval: Interval, place: int, room: Room, scale: Scale = Scale.SD_PER_SD) -> Estimate:
    """One entry of an interval with its two-sided normal p."""
    value, se = float(interval.value[place]), float(interval.error[place])
    p = float(2 * ndtr(-abs(value) / se)) if se > 0 else None
    low, high = float(interval.low[place]), float(interval.high[place])
    return Estimate(value, low, high, se, scale, room.setup.people, room.settings.level, p)


def place_of(direction: Direction, K: int) -> int:
    """The place of a direction's effect in a flat (K, K) matrix, outcome by predictor."""
    outcome, predictor = ENDS[direction]
    return outcome * K + predictor


def _question(room: Room, facet: Facet, direction: Direction, scale: Scale | None = Scale.SD_PER_SD) -> Question:
    return Question(room.setup.records.pair, facet, direction, scale)


def _answer(room: Room, fitted: Fitted, direction: Direction, estimate: Estimate, id_end: str = "") -> Answer:
    """A cross-lag over one median gap; the rows that are not quite that replace what differs."""
    setup = room.setup
    first, second = direction.ends(setup.records.pair)
    stay = " from one's own usual level" if fitted.form.key in ("ri-clpm", "lcm-sr", "starts") else ""
    return Answer(
        id=f"panel.{slug_of(room, fitted)}.{direction}{id_end}",
        question=_question(room, Facet.STRENGTH, direction),
        design="panel",
        model=fitted.form.name,
        estimand=Estimand.CROSS_LAG,
        status=Status.ANSWERED,
        estimate=estimate,
        target=f"{second.label}, {_later(setup, 1.0)}",
        contrast=f"one standard deviation more {first.label}{stay}, at the same {second.label}",
        lag_days=_lag_days(setup, 1.0),
        lag_waves=_lag_waves(setup, 1.0),
        source=setup.records.source,
    )


def slug_of(room: Room, fitted: Fitted) -> str:
    """The headline goes by its model's name in whatever form it stands, so that ids do not depend on a test."""
    return fitted.form.name if fitted is room.headline.chosen else fitted.form.slug


def _later(setup: PanelSetup, gaps: float) -> str:
    """How much later, in words: the report turns days into months."""
    if gaps == 1.0:
        return "one wave later" if setup.waves.even else "one median gap between waves later"
    return "later"


def _lag_days(setup: PanelSetup, gaps: float) -> float | None:
    return gaps * setup.waves.gap if setup.waves.in_days else None


def _lag_waves(setup: PanelSetup, gaps: float) -> float | None:
    if setup.waves.in_days:
        return gaps if setup.waves.even else None
    return gaps * setup.waves.gap


def _headline(room: Room, direction: Direction, resampled: dict[Direction, Estimate]) -> Answer:
    chosen, setup = room.headline.chosen, room.setup
    interval = lag_effects(chosen, (1.0,), room.settings.level)
    estimate = resampled.get(direction) or estimate_of(interval, place_of(direction, setup.K), room)
    rivals = _rival_readings(room, direction, estimate)
    return replace(
        _answer(room, chosen, direction, estimate),
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
        _answer(room, chosen, Direction.JOINT, estimate),
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
    answer = _answer(room, chosen, Direction.JOINT, estimate_of(interval, 0, room, Scale.CORRELATION), ".between")
    return [
        replace(
            answer,
            question=_question(room, Facet.STRENGTH, Direction.JOINT, Scale.CORRELATION),
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
        row = _answer(room, chosen, direction, estimate_of(interval, place, room), f".wave{setup.wave_name(t)}")
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
        days, waves = _lag_days(setup, gaps), _lag_waves(setup, gaps)
        row = _answer(room, chosen, direction, estimate_of(interval, place, room), f".course.{h + 1}")
        question = replace(_question(room, Facet.SPEED, direction), horizon=waves if days is None else days)
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
        question=_question(room, Facet.SPEED, direction, Scale.DAYS if room.setup.waves.in_days else Scale.WAVES),
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
            _answer(room, fitted, direction, estimate_of(interval, place_of(direction, room.setup.K), room)),
            caveats=caveats,
        )
        for direction in DIRECTIONS
    ]


def _failed(room: Room, direction: Direction) -> Answer:
    joint = direction is Direction.JOINT
    return Answer(
        id=f"panel.{room.model}.{direction}",
        question=_question(room, Facet.STRENGTH, direction),
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
        question=_question(room, Facet.FIRST, Direction.JOINT, None),
        design="panel",
        model=room.model,
        estimand=Estimand.ORDER_SHARE,
        status=Status.REFUSED,
        status_says="A stronger lag is not an earlier onset: a panel of scores cannot say who had it first.",
        source=room.setup.records.source,
    )
