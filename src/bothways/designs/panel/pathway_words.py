"""What a pathway answer says in words: from what to what, what it rests on, how it was made."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bothways.designs.panel.mediators import label_of
from bothways.designs.panel.pathways import DRAWS, Mediated
from bothways.designs.panel.room import Room
from bothways.designs.panel.sensitivity import sensitivity
from bothways.terms.answer import Assumption, Caveat, Estimand
from bothways.terms.question import Direction

SAME_WAVE = Caveat(
    "order_not_observed",
    "The condition and the mediator were asked at the same time, so that the mediator may as well have moved first; "
    "read it beside the pathway over two waves and not in its place.",
)
ALONE = Caveat(
    "one_mediator_at_a_time",
    "With one mediator at a time, one that merely goes along with the true one is credited with its effect; where "
    "several were recorded, the model with all of them names.",
)


def target(room: Room, direction: Direction, through: Sequence[str], estimand: Estimand) -> str:
    """What changes, when, and by which way."""
    second = direction.ends(room.setup.records.pair)[1].label
    named = listed(room, through)
    return {
        Estimand.TOTAL: f"{second}, two waves later, by every way",
        Estimand.DIRECT: f"{second}, two waves later, with {named} held still at the wave between",
        Estimand.INDIRECT: f"{second}, two waves later, by way of {named} at the wave between",
        Estimand.FIRST_LEG: f"{named}, one wave later",
        Estimand.SECOND_LEG: f"{second}, one wave later",
    }[estimand]


def contrast(room: Room, direction: Direction, through: Sequence[str], estimand: Estimand) -> str:
    """What is compared."""
    pair, named = room.setup.records.pair, listed(room, through)
    first, second = direction.ends(pair)
    if estimand is Estimand.SECOND_LEG:
        both = f"{pair.a.label} and {pair.b.label}"
        return f"one standard deviation more of {named} than one's own usual, at the same {both}"
    same = named if estimand is Estimand.FIRST_LEG else second.label
    return f"one standard deviation more {first.label} than one's own usual, at the same {same}"


def listed(room: Room, through: Sequence[str]) -> str:
    """Mediators as a person reads them."""
    names = [label_of(room.setup.records, key) for key in through]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def assumptions_of(
    room: Room, found: Mediated, direction: Direction, through: Sequence[str], estimand: Estimand
) -> tuple[Assumption, ...]:
    """Order, no hidden causes (with how strong one would have to be), direct is not total."""
    first, second = (condition.label for condition in direction.ends(room.setup.records.pair))
    named = listed(room, through)
    held = "The direct effect is what is left while the mediators are held still; a direct effect of nil does not make "
    rows = [
        Assumption(
            f"{first.capitalize()} acts first, then {named}, then {second}, about one wave apart; what passes between "
            "two waves, or takes longer than one, is not in this number."
        ),
        Assumption(
            f"No unmeasured cause that changes over time drives {named} and, later, {second}.",
            evidence=_strength(found, direction, through, room.settings.level),
        ),
        Assumption(f"No unmeasured cause that changes over time drives {first} and, later, {named} or {second}."),
    ]
    if estimand in (Estimand.DIRECT, Estimand.TOTAL):
        rows.append(Assumption(held + "the total effect nil, nor the other way around."))
    if len(found.mediators) > 1:
        rows.append(Assumption("Given all of the wave before, the mediators do not move each other within a wave."))
    return tuple(rows)


def _strength(found: Mediated, direction: Direction, through: Sequence[str], level: float) -> str:
    """The sensitivity value in words; only for one mediator, for with several there are as many correlations."""
    if len(through) > 1:
        return ""
    at = sensitivity(found, direction, through[0], level)
    if not np.isfinite(at.value):
        return ""
    limit = "its interval holds none already" if at.limit == 0 else f"{at.limit:.2g} would bring its interval to none"
    return (
        f"A correlation of {at.value:.2g} between what is left of the two, brought about by a hidden cause, would "
        f"account for the whole indirect effect; {limit}."
    )


def methods_words(mediators: Sequence[str], room: Room, *, resampled: bool) -> str:
    """The sentence for a methods section; empty without mediators."""
    if not mediators:
        return ""
    drawn = f"percentiles of {DRAWS:,} draws from their joint law, robust errors widened by n/(n − p) for p scores"
    how = "percentiles over resampled people" if resampled else drawn
    return (
        f"Pathways were followed in the same within-person model with {listed(room, mediators)} as further processes: "
        "the product of the lag from the first condition to the mediator and of the lag from the mediator to the "
        f"second condition one wave on (Cole & Maxwell 2003), with {how} (MacKinnon, Lockwood & Williams 2004)."
    )
