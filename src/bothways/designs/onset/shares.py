"""Who was first, how many have what by when, and how much of it an effect accounts for; from the plain chain."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from bothways.designs.onset.resampling import LETTER
from bothways.designs.onset.room import (
    BOTH_WAYS,
    PREVENTED,
    REMOVED,
    Room,
    answer_row,
    beyond,
    given,
    interval,
    undistinguished,
)
from bothways.engine.chain.delta import Interval, Link
from bothways.engine.chain.estimands import (
    Function,
    World,
    attributable_share,
    incidence,
    occupancy,
    order_entered,
)
from bothways.terms.answer import Answer, Caveat, Estimand, Estimate, Status
from bothways.terms.question import Direction, Facet, Scale

AS_THEY_ARE = Caveat(
    "counted_unweighted",
    "this observed share counts people as they are, without sampling weights, and its interval takes them as drawn one "
    "by one",
)


def orders(room: Room) -> list[Answer]:
    """Who had it just before both: A alone, B alone, or not seen which."""
    setup, h = room.setup, room.setup.horizons[0]
    found, expected = order_of(room, order_entered)
    rows = []
    for direction in BOTH_WAYS:
        mine = direction is Direction.A_TO_B
        shown = found if mine else Interval(1 - found.value, 1 - found.high, 1 - found.low, found.error)
        first, second = (condition.label for condition in direction.ends(setup.records.pair))
        row = replace(
            answer_row(room, f"order_share.{direction}", Facet.FIRST, direction, Estimand.ORDER_SHARE, Scale.SHARE),
            model=room.fits.chain.key,
            target="people free of both at the start who come to have both",
            contrast=f"had {first} alone just before both, then {second} came",
            horizon_days=setup.days(h),
            expected=expected if mine else 1 - expected,
            headline=True,
        )
        rows.append(given(row, room, shown, Scale.SHARE, events=int(setup.moves[[0, 1, 2], 3].sum())))
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
        answer_row(room, "order_share.joint", Facet.FIRST, Direction.JOINT, Estimand.ORDER_SHARE, Scale.SHARE),
        model="observed",
        target="people seen to come to have both",
        contrast="both were new at one observation, so that the order was not seen",
        caveats=(*room.caveats, AS_THEY_ARE) if room.setup.sampled else room.caveats,
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


def share_of(room: Room, direction: Direction) -> Answer:
    """The share of first onsets of the second that the first's effect accounts for, in people free of both."""
    setup, h = room.setup, room.setup.horizons[0]
    first, second = (condition.label for condition in direction.ends(setup.records.pair))
    row = replace(
        answer_row(
            room, f"attributable_share.{direction}", Facet.STRENGTH, direction, Estimand.ATTRIBUTABLE_SHARE, Scale.SHARE
        ),
        model=room.fits.chain.key,
        target=f"first onset of {second} in people free of both at the start",
        contrast=f"{first} as it is, against {first} without its effect on the onset of {second}",
        horizon_days=setup.days(h),
        caveats=room.caveats + undistinguished(room, direction),
    )
    found = interval(room, attributable_share(setup.states, LETTER[direction], h), Link.PATH)
    key = f"{room.fits.chain.key}.attributable_share.{direction}"
    return given(row, room, room.resampled.interval(key, found), Scale.SHARE)


def probabilities(room: Room, direction: Direction) -> list[Answer]:
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
                answer_row(room, "", Facet.STRENGTH, direction, Estimand.STATE_PROBABILITY, Scale.PROBABILITY),
                id=f"{curve}.{h:g}",
                model=room.fits.chain.key,
                target=f"{second} present, in people free of both at the start",
                contrast=words,
                horizon_days=setup.days(h),
                curve=curve,
                caveats=room.caveats + beyond(setup, h),
            )
            rows.append(given(row, room, interval(room, present, Link.LOGIT), Scale.PROBABILITY))
    return rows


def speed(room: Room, direction: Direction) -> list[Answer]:
    """How many have begun the second condition within the first horizon of a year, with the first and without."""
    setup = room.setup
    first, second = (condition.label for condition in direction.ends(setup.records.pair))
    h = min(setup.horizons)
    start = "A" if direction is Direction.A_TO_B else "B"
    rows = []
    for key, state, words in (("with", start, f"{first} present now"), ("without", "0", "neither present now")):
        row = replace(
            answer_row(
                room, f"speed.{direction}.{key}", Facet.SPEED, direction, Estimand.STATE_PROBABILITY, Scale.PROBABILITY
            ),
            model=room.fits.chain.key,
            target=f"{second} has begun",
            contrast=words,
            horizon_days=setup.days(h),
            caveats=room.caveats + beyond(setup, h),
        )
        found = interval(room, incidence(setup.states, LETTER[direction], h, start=state), Link.LOGIT)
        rows.append(given(row, room, found, Scale.PROBABILITY))
    return rows
