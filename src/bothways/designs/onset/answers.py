"""From fitted chains to answers: order, ratios both ways, recovery, occupancy, shares; each with its interval."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from bothways.designs.onset.estimation import PATHS, RECOVERY, Fits, told_apart
from bothways.designs.onset.guards import caveats_of, labels
from bothways.designs.onset.misclassified import accuracy_says
from bothways.designs.onset.models import Fitted
from bothways.designs.onset.resampling import CONTRAST, LETTER, Resampled
from bothways.designs.onset.setup import OnsetSetup
from bothways.engine.chain.delta import Interval, Link, delta
from bothways.engine.chain.estimands import (
    Function,
    World,
    attributable_share,
    incidence,
    occupancy,
    order_entered,
)
from bothways.engine.chain.profile import profile_interval
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


def answers_of(room: Room) -> tuple[Answer, ...]:
    """All answers, or failures in words where no chain could be fitted."""
    if not room.fits.speaks.usable:
        return tuple(_failed(room, direction, room.fits.speaks.fit.says) for direction in BOTH_WAYS)
    rows = [_ratio(room, room.fits.speaks, d, Estimand.RATE_RATIO, headline=True) for d in BOTH_WAYS]
    if room.settings.headline_only:
        return tuple(rows)
    rows += [_ratio(room, other, d, Estimand.RATE_RATIO) for other in room.fits.beside for d in BOTH_WAYS]
    rows += [_contrast(room)]
    there = set(room.setup.states.transitions)
    rows += [_ratio(room, room.fits.speaks, d, Estimand.RECOVERY_RATIO) for d in BOTH_WAYS if set(RECOVERY[d]) <= there]
    rows += _orders(room)
    rows += [row for d in BOTH_WAYS for row in (_share(room, d), *_probabilities(room, d), *_speed(room, d))]
    return tuple(rows)


def _answer(room: Room, slug: str, facet: Facet, direction: Direction, estimand: Estimand, scale: Scale) -> Answer:
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


def _failed(room: Room, direction: Direction, says: str) -> Answer:
    row = _answer(room, f"rate_ratio.{direction}", Facet.STRENGTH, direction, Estimand.RATE_RATIO, Scale.RATE_RATIO)
    return replace(row, status=Status.FAILED, status_says=says or "no chain could be fitted", headline=True)


def _ratio(room: Room, fitted: Fitted, direction: Direction, estimand: Estimand, *, headline: bool = False) -> Answer:
    """A rate ratio (onset) or recovery ratio of one direction under one model, robust by person."""
    onset = estimand is Estimand.RATE_RATIO
    above, below = (PATHS if onset else RECOVERY)[direction]
    first, second = (condition.label for condition in direction.ends(room.setup.records.pair))
    slug = f"{estimand}.{direction}" if fitted is room.fits.speaks else f"{fitted.key}.{estimand}.{direction}"
    row = replace(
        _answer(room, slug, Facet.STRENGTH, direction, estimand, Scale.RATE_RATIO),
        model=fitted.key,
        headline=headline,
        target=f"{'onset' if onset else 'end'} of {second}",
        contrast=f"{first} present against absent, at the same moment",
        caveats=room.caveats + _undistinguished(room, direction) if onset else room.caveats,
    )
    events = int(min(_moved(room.setup, above), _moved(room.setup, below)))
    value, error, contrast = fitted.log_ratio(above, below)
    if np.isfinite(error):
        estimate = _log_estimate(room, value, error, events)
        return replace(row, estimate=room.resampled.ratio(f"{fitted.key}.{estimand}.{direction}", estimate))
    return replace(row, status=Status.FAILED, status_says=_one_sided(room, fitted, contrast, second))


def _one_sided(room: Room, fitted: Fitted, contrast: np.ndarray, second: str) -> str:
    """Words for a ratio that runs to 0 or infinity, with its one-sided profile limit where there is one."""
    low, high = profile_interval(fitted.target, fitted.fit, contrast, room.settings.level)
    words = f"these records give no finite ratio for {second}: it runs to {'infinity' if np.isinf(high) else 'zero'}"
    limit = f", and is {'at least' if np.isinf(high) else 'at most'} {np.exp(low if np.isinf(high) else high):.2g}"
    return words + (limit if np.isfinite(low) or np.isfinite(high) else "")


def _moved(setup: OnsetSetup, transition: str) -> int:
    """How often a transition's ends were seen at neighbouring observations."""
    place = {"0": 0, "A": 1, "B": 2, "AB": 3}
    r, s = (place[x] for x in transition.split(">"))
    return int(setup.moves[r, s])


def _log_estimate(room: Room, value: float, error: float, events: int | None) -> Estimate:
    """A ratio from its logarithm, with a Wald interval and its p."""
    reach = float(ndtri(0.5 + room.settings.level / 2)) * error
    low, middle, high = (float(x) for x in np.exp([value - reach, value, value + reach]))
    p = float(2 * ndtr(-abs(value) / error)) if error > 0 else None
    return Estimate(middle, low, high, error, Scale.RATE_RATIO, room.setup.people, room.settings.level, p, events)


def _undistinguished(room: Room, direction: Direction) -> tuple[Caveat, ...]:
    why = told_apart(room.fits, direction, room.settings.level)
    return (Caveat("common_cause", f"cannot be told apart from a common cause: {why}"),) if why else ()


def _contrast(room: Room) -> Answer:
    """Asymmetry: the rate ratio of A to B over that of B to A."""
    fitted, a_b, b_a = room.fits.speaks, *(PATHS[d] for d in BOTH_WAYS)
    a, b = labels(room.setup)
    row = replace(
        _answer(
            room, "direction_contrast", Facet.STRENGTH, Direction.JOINT, Estimand.DIRECTION_CONTRAST, Scale.RATE_RATIO
        ),
        headline=True,
        target="the two onset rate ratios",
        contrast=f"{a} on the onset of {b}, over {b} on the onset of {a}",
    )
    one, error_one, c_one = fitted.log_ratio(*a_b)
    other, error_other, c_other = fitted.log_ratio(*b_a)
    if not (np.isfinite(error_one) and np.isfinite(error_other)):
        return replace(row, status=Status.FAILED, status_says="one of the two ratios has no finite estimate")
    c = c_one - c_other
    V = np.where(np.isfinite(fitted.fit.robust), fitted.fit.robust, 0.0)
    estimate = _log_estimate(room, one - other, float(np.sqrt(c @ V @ c)), None)
    return replace(row, estimate=room.resampled.ratio(f"{fitted.key}.{CONTRAST}", estimate))


def interval(room: Room, function: Function, link: Link, *, fitted: Fitted | None = None) -> Interval:
    """A function of the rates at the mean of the covariates, under the plain chain unless another is named.

    Shares and probabilities are read from the plain chain: over a horizon it describes what happens to people,
    whoever or whatever made it happen.
    """
    own = fitted or room.fits.chain
    return delta(own.rates, own.fit.theta, own.fit.robust, function, link=link, level=room.settings.level)


def _given(row: Answer, room: Room, found: Interval, scale: Scale, place: int = 0, events: int | None = None) -> Answer:
    """The row with one entry of an interval, or a failure where it has none."""
    value, low, high, error = (float(x[place]) for x in (found.value, found.low, found.high, found.error))
    if not all(np.isfinite([value, low, high])):
        return replace(row, status=Status.FAILED, status_says="it depends on a rate that these records do not bound")
    spread = error if scale.is_ratio else (high - low) / (2 * float(ndtri(0.5 + room.settings.level / 2)))
    people, level = room.setup.people, room.settings.level
    return replace(row, estimate=Estimate(value, low, high, spread, scale, people, level, events=events))


def _orders(room: Room) -> list[Answer]:
    """Who had it just before both: A alone, B alone, or not seen which."""
    setup, h = room.setup, room.setup.horizons[0]
    found, expected = order_of(room, order_entered)
    rows = []
    for direction in BOTH_WAYS:
        mine = direction is Direction.A_TO_B
        shown = found if mine else Interval(1 - found.value, 1 - found.high, 1 - found.low, found.error)
        first, second = (condition.label for condition in direction.ends(setup.records.pair))
        row = replace(
            _answer(room, f"order_share.{direction}", Facet.FIRST, direction, Estimand.ORDER_SHARE, Scale.SHARE),
            model=room.fits.chain.key,
            target="people free of both at the start who come to have both",
            contrast=f"had {first} alone just before both, then {second} came",
            horizon_days=setup.days(h),
            expected=expected if mine else 1 - expected,
            headline=True,
        )
        rows.append(_given(row, room, shown, Scale.SHARE, events=int(setup.moves[[0, 1, 2], 3].sum())))
    return [*rows, _unseen(room)]


def order_of(room: Room, order: Callable[..., Function]) -> tuple[Interval, float]:
    """The share with A first by the first horizon, in one sense of "first", and that expected were they unrelated."""
    states, h, own = room.setup.states, room.setup.horizons[0], room.fits.chain
    q = np.exp(own.rates.coefficients(own.fit.theta[: own.rates.size])[0])
    found = room.resampled.interval(f"{own.key}.{order.__name__}", interval(room, order(states, h), Link.LOGIT))
    return found, float(order(states, h, World.UNRELATED)(q)[0])


def _unseen(room: Room) -> Answer:
    """Of those first seen with both after being seen with neither, and those seen with one in between."""
    setup = room.setup
    unseen, reached = int(setup.moves[0, 3]), int(setup.moves[[0, 1, 2], 3].sum())
    row = replace(
        _answer(room, "order_share.joint", Facet.FIRST, Direction.JOINT, Estimand.ORDER_SHARE, Scale.SHARE),
        model="observed",
        target="people seen to come to have both",
        contrast="both were new at one observation, so that the order was not seen",
    )
    if not reached:
        return replace(row, status=Status.FAILED, status_says="nobody was seen to come to have both")
    z, n, share = float(ndtri(0.5 + room.settings.level / 2)), reached, unseen / reached
    centre, half = (
        (share + z**2 / (2 * n)) / (1 + z**2 / n),
        z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)),
    )
    se = float(np.sqrt(share * (1 - share) / n))
    low, high = float(max(centre - half, 0.0)), float(min(centre + half, 1.0))
    estimate = Estimate(share, low, high, se, Scale.SHARE, setup.people, room.settings.level, events=reached)
    return replace(row, estimate=estimate, expected=_unseen_if_unrelated(room))


def _unseen_if_unrelated(room: Room) -> float:
    """The same share were the two unrelated: from the rates, over the gaps between observations as they were."""
    setup, own = room.setup, room.fits.chain
    q = np.exp(own.rates.coefficients(own.fit.theta[: own.rates.size])[0])
    joined = (np.diff(setup.rows.person) == 0) & (setup.rows.state[:-1] < 3)
    gaps = np.quantile(np.diff(setup.rows.time)[joined], np.linspace(0.05, 0.95, 10))
    held = np.bincount(setup.rows.state[:-1][joined], minlength=3)[:3]
    P = np.array([[occupancy(setup.states, g, World.UNRELATED, r)(q)[3] for r in range(3)] for g in gaps]).mean(axis=0)
    return float(held[0] * P[0] / max(float(held @ P), 1e-300)) if not setup.rows.dated else 0.0


def _share(room: Room, direction: Direction) -> Answer:
    """The share of first onsets of the second that the first's effect accounts for, in people free of both."""
    setup, h = room.setup, room.setup.horizons[0]
    first, second = (condition.label for condition in direction.ends(setup.records.pair))
    row = replace(
        _answer(
            room, f"attributable_share.{direction}", Facet.STRENGTH, direction, Estimand.ATTRIBUTABLE_SHARE, Scale.SHARE
        ),
        model=room.fits.chain.key,
        target=f"first onset of {second} in people free of both at the start",
        contrast=f"{first} as it is, against {first} without its effect on the onset of {second}",
        horizon_days=setup.days(h),
        caveats=room.caveats + _undistinguished(room, direction),
    )
    found = interval(room, attributable_share(setup.states, LETTER[direction], h), Link.PATH)
    key = f"{room.fits.chain.key}.attributable_share.{direction}"
    return _given(row, room, room.resampled.interval(key, found), Scale.SHARE)


def _probabilities(room: Room, direction: Direction) -> list[Answer]:
    """How many have the second condition at each horizon: as it is, without the first's effect, without the first."""
    setup = room.setup
    first, second = (condition.label for condition in direction.ends(setup.records.pair))
    has = [2, 3] if direction is Direction.A_TO_B else [1, 3]
    worlds = {
        "as observed": World.AS_IS,
        f"the effect of {first} on the onset of {second} removed": REMOVED[direction],
        f"the onset of {first} prevented": PREVENTED[direction],
    }
    rows = []
    for n, (words, world) in enumerate(worlds.items()):
        curve = f"onset.state_probability.{direction}.{('as_is', 'effect_removed', 'prevented')[n]}"
        for h in sorted(set(setup.horizons)):

            def present(q: np.ndarray, h: float = h, world: World = world) -> np.ndarray:
                return np.asarray(occupancy(setup.states, h, world)(q)[has].sum(keepdims=True))

            row = replace(
                _answer(room, "", Facet.STRENGTH, direction, Estimand.STATE_PROBABILITY, Scale.PROBABILITY),
                id=f"{curve}.{h:g}",
                model=room.fits.chain.key,
                target=f"{second} present, in people free of both at the start",
                contrast=words,
                horizon_days=setup.days(h),
                curve=curve,
                caveats=room.caveats + _beyond(setup, h),
            )
            rows.append(_given(row, room, interval(room, present, Link.LOGIT), Scale.PROBABILITY))
    return rows


def _speed(room: Room, direction: Direction) -> list[Answer]:
    """How many have begun the second condition within the first horizon of a year, with the first and without."""
    setup = room.setup
    first, second = (condition.label for condition in direction.ends(setup.records.pair))
    h = min(setup.horizons)
    start = "A" if direction is Direction.A_TO_B else "B"
    rows = []
    for key, state, words in (("with", start, f"{first} present now"), ("without", "0", "neither present now")):
        row = replace(
            _answer(
                room, f"speed.{direction}.{key}", Facet.SPEED, direction, Estimand.STATE_PROBABILITY, Scale.PROBABILITY
            ),
            model=room.fits.chain.key,
            target=f"{second} has begun",
            contrast=words,
            horizon_days=setup.days(h),
            caveats=room.caveats + _beyond(setup, h),
        )
        found = interval(room, incidence(setup.states, LETTER[direction], h, start=state), Link.LOGIT)
        rows.append(_given(row, room, found, Scale.PROBABILITY))
    return rows


def _beyond(setup: OnsetSetup, horizon: float) -> tuple[Caveat, ...]:
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
