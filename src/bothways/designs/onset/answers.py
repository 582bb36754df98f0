"""From fitted chains to answers: ratios both ways, of onset and of recovery, and all that follows from the rates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bothways.designs.onset.estimation import PATHS, RECOVERY
from bothways.designs.onset.guards import labels
from bothways.designs.onset.models import Fitted
from bothways.designs.onset.resampling import CONTRAST
from bothways.designs.onset.room import BOTH_WAYS, Room, answer_row, log_estimate, room_of, undistinguished
from bothways.designs.onset.setup import OnsetSetup
from bothways.designs.onset.shares import orders, probabilities, share_of, speed
from bothways.engine.chain.profile import profile_interval
from bothways.terms.answer import Answer, Estimand, Status
from bothways.terms.question import Direction, Facet, Scale

__all__ = ["BOTH_WAYS", "Room", "answers_of", "room_of"]


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
    rows += orders(room)
    rows += [row for d in BOTH_WAYS for row in (share_of(room, d), *probabilities(room, d), *speed(room, d))]
    return tuple(rows)


def _failed(room: Room, direction: Direction, says: str) -> Answer:
    row = answer_row(room, f"rate_ratio.{direction}", Facet.STRENGTH, direction, Estimand.RATE_RATIO, Scale.RATE_RATIO)
    return replace(row, status=Status.FAILED, status_says=says or "no chain could be fitted", headline=True)


def _ratio(room: Room, fitted: Fitted, direction: Direction, estimand: Estimand, *, headline: bool = False) -> Answer:
    """A rate ratio (onset) or recovery ratio of one direction under one model, robust by person."""
    onset = estimand is Estimand.RATE_RATIO
    above, below = (PATHS if onset else RECOVERY)[direction]
    first, second = (condition.label for condition in direction.ends(room.setup.records.pair))
    slug = f"{estimand}.{direction}" if fitted is room.fits.speaks else f"{fitted.key}.{estimand}.{direction}"
    row = replace(
        answer_row(room, slug, Facet.STRENGTH, direction, estimand, Scale.RATE_RATIO),
        model=fitted.key,
        headline=headline,
        target=f"{'onset' if onset else 'end'} of {second}",
        contrast=f"{first} present against absent, at the same moment",
        caveats=room.caveats + undistinguished(room, direction) if onset else room.caveats,
    )
    events = int(min(_moved(room.setup, above), _moved(room.setup, below)))
    value, error, contrast = fitted.log_ratio(above, below)
    if np.isfinite(error):
        estimate = log_estimate(room, value, error, events)
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


def _contrast(room: Room) -> Answer:
    """Asymmetry: the rate ratio of A to B over that of B to A."""
    fitted, a_b, b_a = room.fits.speaks, *(PATHS[d] for d in BOTH_WAYS)
    a, b = labels(room.setup)
    row = replace(
        answer_row(
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
    estimate = log_estimate(room, one - other, float(np.sqrt(c @ V @ c)), None)
    return replace(row, estimate=room.resampled.ratio(f"{fitted.key}.{CONTRAST}", estimate))
