"""A topic for any two conditions of which nothing is known beforehand but their names."""

from __future__ import annotations

import re

from bothways.terms.errors import TopicError
from bothways.terms.question import Condition, Pair, Scale
from bothways.terms.topic import SmallestEffect, Topic
from bothways.topics.shelf import instruments

HELP = (
    "If someone may be in danger now, call the local emergency number.",
    "Helplines by country: findahelpline.com",
    "A doctor or another health worker can look at both conditions together.",
)
CONVENTION = "a convention of this package, set before any estimate is seen; state your own where you have one"


def generic_topic(a: str, b: str) -> Topic:
    """The topic of two named columns: labels from their names, all shipped instruments to match, no evidence.

    Raises
    ------
    TopicError : where the two names are one, or where a name has no letter or digit.
    """
    first, second = _condition(a), _condition(b)
    if first.key == second.key:
        raise TopicError("--a and --b", "both name the same condition", "Name two different columns")
    return Topic(
        key=f"{first.key}-and-{second.key}",
        label=f"{first.label} and {second.label}",
        pair=Pair(first, second),
        names={first.key: (first.key,), second.key: (second.key,)},
        instruments=instruments(),
        smallest_effects=tuple(_convention(scale) for scale in Scale if scale.is_ratio or scale is Scale.SD_PER_SD),
        help=HELP,
    )


def _condition(name: str) -> Condition:
    words = re.findall(r"[^\W_]+", name)
    if not words:
        raise TopicError("--a and --b", "a condition's name has no letter or digit", "Give the column's name")
    return Condition("_".join(words).lower(), " ".join(words))


def _convention(scale: Scale) -> SmallestEffect:
    return SmallestEffect(scale, 1.25 if scale.is_ratio else 0.05, CONVENTION)
