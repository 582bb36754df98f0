"""What every answer of one run shares: the fits, the settings, what is assumed and warned of; rows and intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from bothways.designs.onset.estimation import Fits, told_apart
from bothways.designs.onset.guards import caveats_of
from bothways.designs.onset.misclassified import accuracy_says
from bothways.designs.onset.models import Fitted
from bothways.designs.onset.resampling import Resampled
from bothways.designs.onset.setup import OnsetSetup
from bothways.engine.chain.delta import Interval, Link, delta
from bothways.engine.chain.estimands import (
    Function,
    World,
)
from bothways.terms.answer import Answer, Assumption, Caveat, Estimand, Estimate, Status
from bothways.terms.question import Direction, Facet, Question, Scale
from bothways.terms.settings import Settings

BOTH_WAYS = (Direction.A_TO_B, Direction.B_TO_A)
REMOVED = {Direction.A_TO_B: World.A_EFFECT_REMOVED, Direction.B_TO_A: World.B_EFFECT_REMOVED}
PREVENTED = {Direction.A_TO_B: World.A_PREVENTED, Direction.B_TO_A: World.B_PREVENTED}


@dataclass(frozen=True, slots=True)
class Room:
    """What every answer of one run shares."""

    setup: OnsetSetup
    settings: Settings
    fits: Fits
    assumptions: tuple[Assumption, ...]
    caveats: tuple[Caveat, ...]
    resampled: Resampled


def room_of(setup: OnsetSetup, settings: Settings, fits: Fits, resampled: Resampled | None = None) -> Room:
    """Gather caveats and assumptions once."""
    drawn = resampled or Resampled(settings.level)
    room = Room(setup, settings, fits, _assumptions(setup, fits), caveats_of(setup, fits), drawn)
    says = accuracy_says(setup, fits.errors, settings.accuracy, settings.level)
    return replace(room, caveats=(*room.caveats, Caveat("seen_with_error", says))) if says else room


def answer_row(room: Room, slug: str, facet: Facet, direction: Direction, estimand: Estimand, scale: Scale) -> Answer:
    return Answer(
        id=f"onset.{slug}",
        question=Question(room.setup.records.pair, facet, direction, scale),
        design="onset",
        model=room.fits.speaks.key,
        estimand=estimand,
        status=Status.ANSWERED,
        assumptions=room.assumptions,
        caveats=room.caveats,
        source=room.setup.records.source,
    )


def log_estimate(room: Room, value: float, error: float, events: int | None) -> Estimate:
    """A ratio from its logarithm, with a Wald interval and its p."""
    reach = float(ndtri(0.5 + room.settings.level / 2)) * error
    low, middle, high = (float(x) for x in np.exp([value - reach, value, value + reach]))
    p = float(2 * ndtr(-abs(value) / error)) if error > 0 else None
    return Estimate(middle, low, high, error, Scale.RATE_RATIO, room.setup.people, room.settings.level, p, events)


def undistinguished(room: Room, direction: Direction) -> tuple[Caveat, ...]:
    why = told_apart(room.fits, direction, room.settings.level)
    return (Caveat("common_cause", f"cannot be told apart from a common cause: {why}"),) if why else ()


def interval(room: Room, function: Function, link: Link, *, fitted: Fitted | None = None) -> Interval:
    """A function of the rates at the mean of the covariates, under the plain chain unless another is named.

    Shares and probabilities are read from the plain chain: over a horizon it describes what happens to people,
    whoever or whatever made it happen.
    """
    own = fitted or room.fits.chain
    return delta(own.rates, own.fit.theta, own.fit.robust, function, link=link, level=room.settings.level)


def given(row: Answer, room: Room, found: Interval, scale: Scale, place: int = 0, events: int | None = None) -> Answer:
    """The row with one entry of an interval, or a failure where it has none."""
    value, low, high, error = (float(x[place]) for x in (found.value, found.low, found.high, found.error))
    if not all(np.isfinite([value, low, high])):
        return replace(row, status=Status.FAILED, status_says="it depends on a rate that these records do not bound")
    spread = error if scale.is_ratio else (high - low) / (2 * float(ndtri(0.5 + room.settings.level / 2)))
    people, level = room.setup.people, room.settings.level
    return replace(row, estimate=Estimate(value, low, high, spread, scale, people, level, events=events))


def beyond(setup: OnsetSetup, horizon: float) -> tuple[Caveat, ...]:
    if horizon <= 1.001 * setup.follow_up:
        return ()
    return (Caveat("beyond_follow_up", "nobody was followed for so long: the rates are carried on unchanged"),)


def _assumptions(setup: OnsetSetup, fits: Fits) -> tuple[Assumption, ...]:
    seen = "exactly dated" if setup.rows.dated else "seen at visits whose times do not depend on what would be seen"
    measured = ", ".join(setup.covariates.names)
    return (
        Assumption(f"onsets and recoveries are {seen}"),
        Assumption("what happens next depends on the present state and not on how long it has lasted"),
        Assumption("rates do not change with calendar time or age beyond the covariates"),
        Assumption(
            "no unmeasured cause drives both conditions" + (f", beyond {measured}" if measured else ""),
            None if fits.rival is None else all(not told_apart(fits, d, 0.95) for d in BOTH_WAYS),
            "" if fits.rival is None else "compared with a lasting proneness and with a hidden cause that drifts",
        ),
        Assumption("people who left did so for reasons that do not depend on what would have been seen"),
    )
