"""Which mediators a panel can follow, which of them together, and why not the others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bothways.designs.panel.covariates import changes, sort_covariates
from bothways.designs.panel.setup import MOST_PROCESSES, usable_waves
from bothways.terms.question import Condition, Direction
from bothways.terms.records import Records

LEAST_WAVES = 3  # one for each of the three measurements
PEOPLE_PER_VARIABLE = 2  # below it a model of so many scores at once is not tried


@dataclass(frozen=True, slots=True)
class Mediators:
    """``keys`` can be followed; ``refused`` says of the others why not."""

    keys: tuple[str, ...]
    refused: dict[str, str]


def mediators_of(records: Records) -> Mediators:
    """The pathways of the records' roles, each with the reason where the order of the three is not observed."""
    pair = {records.pair.a.key, records.pair.b.key}
    keys, refused = [], {}
    for key in dict.fromkeys(records.roles.pathways):
        if key in pair:
            continue
        reason = _unseen_order(records, key)
        if reason:
            refused[key] = reason
        else:
            keys.append(key)
    return Mediators(tuple(keys), refused)


def label_of(records: Records, key: str) -> str:
    """How a person reads a mediator: by its label, or by the topic's name for what it measures."""
    if key in records.labels:
        return records.labels[key]
    known = {m.key: m.label for m in records.topic.mediators} if records.topic else {}
    through = records.topic.pathways_through(key) if records.topic else ()
    named = {known.get(p.mediator, p.mediator) for p in through}
    return f"{named.pop()} ({key})" if len(named) == 1 else key.replace("_", " ")


def _unseen_order(records: Records, key: str) -> str:
    """Why the order of condition, mediator and condition is not observed; empty where it is."""
    label = label_of(records, key)
    needs = "one condition, then the mediator, then the other condition takes three waves"
    if (records.waves or 0) < LEAST_WAVES:
        return f"The order of the three measurements is not observed: {needs}, and there are {records.waves or 1}."
    if key not in records.values:
        return f"The order of the three measurements is not observed: {label} was recorded once and not wave by wave."
    asked = np.unique(records.wave[np.isfinite(records.values[key])]) if records.wave is not None else ()
    if len(asked) >= LEAST_WAVES and not changes(records, key):
        return (
            f"{label.capitalize()} hardly changes within people, so that nothing can be seen to follow it or to be "
            "followed by it."
        )
    kept = usable_waves(records, (records.pair.a.key, records.pair.b.key, key)).kept
    if len(kept) < LEAST_WAVES:
        return (
            f"The order of the three measurements is not observed: {needs}, and {label} was answered beside both "
            f"conditions at {len(kept)}."
        )
    return ""


def together(records: Records, keys: tuple[str, ...], direction: Direction) -> tuple[str, ...]:
    """The mediators that go into one model for a direction: all, or where they are too many those that the topic has
    on the way from its first condition; () where no such model can be told from the records."""
    room = MOST_PROCESSES - 2 - len(set(sort_covariates(records).changing) - set(keys))
    chosen = keys
    if len(keys) > room:
        chosen = tuple(key for key in keys if _starts_from(records, key, direction.ends(records.pair)[0]))[:room]
    if len(chosen) < 2:
        return ()
    waves = len(usable_waves(records, (records.pair.a.key, records.pair.b.key, *chosen)).kept)
    enough = records.people >= PEOPLE_PER_VARIABLE * waves * (2 + len(chosen))
    return chosen if waves >= LEAST_WAVES and enough else ()


def _starts_from(records: Records, key: str, condition: Condition) -> bool:
    topic = records.topic
    return topic is not None and any(
        p.starts_from == condition.key for p in topic.pathways_through(key, records.labels.get(key, ""))
    )
