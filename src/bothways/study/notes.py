"""What was stated of the records and went unused by a design that answered: said, never passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bothways.terms.answer import DesignResult, Status
from bothways.terms.records import Finding, Level, Records
from bothways.terms.settings import Settings

EVERYTHING = frozenset({"weights", "clusters", "strata"})

USE_SAMPLING = {
    "panel": EVERYTHING,
    "trial": EVERYTHING,
    "onset": EVERYTHING,
    "diary": EVERYTHING,
    "sustained": EVERYTHING,
}
"""What each design uses of how people were drawn; what it leaves out is told of below where it answered."""

KNOW_ARMS = frozenset({"trial", "panel"})
"""Designs that compare the arms, or take what they did out of the lags."""

DRAW_CHANGES = frozenset({"panel", "diary"})


def unused(records: Records, settings: Settings, results: tuple[DesignResult, ...]) -> tuple[Finding, ...]:
    """One finding for each thing that a design left out."""
    answered = [r.design for r in results if any(a.status is Status.ANSWERED for a in r.answers)]
    trial = next((r.refused for r in results if r.design == "trial"), "")
    return (
        *_sampling(records, answered),
        *_weightless(records),
        *_arm(records, answered, trial),
        *_changes(settings, results),
    )


def _sampling(records: Records, answered: list[str]) -> Iterator[Finding]:
    """Weights, clusters and strata that an answer does not know of: its people are not the population's."""
    roles = records.roles
    named = {"weights": roles.weight, "clusters": roles.cluster, "strata": roles.strata}
    stated = {what: column for what, column in named.items() if column}
    for unread in _alike({d: frozenset(stated) - USE_SAMPLING.get(d, frozenset()) for d in answered}):
        out, without = unread
        what = _and([f"{what} ('{column}')" for what, column in stated.items() if what in out])
        yield Finding(
            Level.WARNING,
            "sampling_unused",
            f"The {what} were not used by the {_and(without)} design: {_meaning(out, frozenset(stated))}",
            "Read them so, or ask a design that uses them (--design panel)",
        )


def _weightless(records: Records) -> Iterator[Finding]:
    """People who stand for nobody: their weight is missing, or not above zero."""
    name = records.roles.weight
    column = None if name is None else records.baseline.get(name)
    gone = 0 if column is None else int((~(np.isfinite(column) & (column > 0))).sum())
    if gone:
        yield Finding(
            Level.WARNING,
            "no_weight",
            f"{gone:,} of {records.people:,} people have no weight above zero in '{name}', and designs that use the "
            "weights leave them out",
            "Fill in the weights, or leave --weight out",
            gone,
        )


def _alike(left_out: dict[str, frozenset[str]]) -> Iterator[tuple[frozenset[str], list[str]]]:
    """Designs that leave out the same, together; those that leave out nothing are passed over."""
    for out in dict.fromkeys(filter(None, left_out.values())):
        yield out, [design for design, own in left_out.items() if own == out]


def _meaning(out: frozenset[str], stated: frozenset[str]) -> str:
    """What an answer without them speaks of."""
    spread = out - {"weights"}
    lone = "take them as drawn one by one" if spread == stated - {"weights"} else "do not know of them"
    parts = ["its estimates speak of these people as they are"] if "weights" in out else []
    return " and ".join([*parts, *([f"its intervals {lone}"] if spread else [])]).replace(" and its", ", and its")


def _arm(records: Records, answered: list[str], refused: str) -> Iterator[Finding]:
    """A treatment moves both ends of a lag, unless it is adjusted for; an arm that cannot be compared says why."""
    arm = records.roles.arm
    if arm is not None and refused:
        yield Finding(Level.WARNING, "arm_not_compared", f"The arms in '{arm}' were not compared: {refused}")
    lags = [design for design in answered if design not in KNOW_ARMS]
    if arm is None or not lags or arm in records.roles.covariates:
        return
    compared = "trial" in answered
    own = "is compared by a design of its own" if compared else "could not be compared"
    yield Finding(
        Level.NOTE,
        "arm_in_lags" if compared else "arm_is_no_lever",
        f"'{arm}' is the arm of a trial and {own}; the answers of the {_and(lags)} design do not take it out, though "
        "treatment may have moved both conditions",
        "Give the arm among the covariates too, so that its own influence stays out of them",
    )


def _changes(settings: Settings, results: tuple[DesignResult, ...]) -> Iterator[Finding]:
    """A course that was asked for and could not be drawn."""
    if settings.what_if and not any(t.key == "what_if" and t.rows for r in results for t in r.tables):
        why = next((t.note.split(". ")[0] for r in results for t in r.tables if t.key == "what_if"), "")
        yield Finding(
            Level.NOTE,
            "what_if_not_drawn",
            "The course under a stated change was not drawn"
            + (f": {why}" if why else ": no design that draws it answered"),
            "It takes a panel of waves or a diary, whose model holds the changed variable",
        )


def _and(names: list[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
