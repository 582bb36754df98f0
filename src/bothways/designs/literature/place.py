"""What one published estimate is: its direction, bias line, contrast and interval, and whether it may be pooled."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from bothways.terms.answer import Estimate, Line
from bothways.terms.question import Direction, Scale
from bothways.terms.topic import Evidence

STANDARDISED = "interval of the raw coefficient, in the proportion of the standardised one"
Z = 1.959963984540054  # published intervals are read as 95 % intervals


class Group(StrEnum):
    """Who is compared with whom; the rungs of the ladder, which are never mixed."""

    BETWEEN = "between people"
    WITHIN = "within persons"
    FAMILY = "within families"
    GENES = "genetic"
    TRIAL = "randomised"
    RECALL = "recalled ages at onset"


LINES: Mapping[Group, Line] = {
    Group.BETWEEN: "A",
    Group.WITHIN: "A",
    Group.FAMILY: "B",
    Group.GENES: "C",
    Group.TRIAL: "D",
    Group.RECALL: "E",
}
BY_DESIGN: Mapping[str, Group] = {
    "twin": Group.FAMILY,
    "family": Group.FAMILY,
    "mr": Group.GENES,
    "rct": Group.TRIAL,
}
# Outcomes of one kind may stand in one pool, as subgroups of it; getting a condition, having it and its course differ.
OUTCOME_FAMILIES: Mapping[str, str] = {
    **dict.fromkeys(("first_onset", "new_episode", "troublesome_onset", "chronic_onset", "first_diagnosis"), "onset"),
    **dict.fromkeys(("present_at_follow_up", "ever", "lifetime"), "presence"),
    **dict.fromkeys(("worsening", "course"), "course"),
}
SLOTS = {Direction.A_TO_B: ("a", "b"), Direction.B_TO_A: ("b", "a")}
DIRECTIONS = {"a_to_b": Direction.A_TO_B, "b_to_a": Direction.B_TO_A, "both": Direction.JOINT}


@dataclass(frozen=True, slots=True)
class Entry:
    """One published estimate in its place.

    ``scale`` and ``estimate`` are None where the number is on no common scale or has no interval. ``direct`` is true
    where exposure and outcome are the two conditions themselves. ``shut_out`` says why it is not pooled, "" where it
    may be. ``converted`` names the formula where the number is not as printed.
    """

    evidence: Evidence
    direction: Direction
    group: Group
    scale: Scale | None
    estimate: Estimate | None
    direct: bool
    shut_out: str
    converted: str = ""

    @property
    def line(self) -> Line:
        """The bias line of its group."""
        return LINES[self.group]

    @property
    def outcome_family(self) -> str:
        """The kind of outcome: onset, presence, course, or the file's own word."""
        return OUTCOME_FAMILIES.get(self.evidence.outcome_kind, self.evidence.outcome_kind)


def place(evidence: tuple[Evidence, ...]) -> tuple[Entry, ...]:
    """Every estimate that speaks of the two conditions at once, in the order of the file."""
    return tuple(_entry(e) for e in evidence if e.direction in DIRECTIONS)


def _entry(e: Evidence) -> Entry:
    direction = DIRECTIONS[e.direction]
    scale, estimate, converted = _number(e)
    direct = (e.exposure_is, e.outcome_is) == SLOTS.get(direction, ("a", "b")) and e.wider is not True
    shut_out = _shut_out(e, direction, scale, estimate, direct)
    return Entry(e, direction, _group(e), scale, estimate, direct, shut_out, converted)


def _number(e: Evidence) -> tuple[Scale | None, Estimate | None, str]:
    """(scale, estimate, how it was converted): as printed, or standardised where the paper prints both forms."""
    scale = Scale(e.scale) if e.scale in set(Scale) else None
    standard = _standardised(e) if scale is None else None
    return (scale, printed(e, scale), "") if standard is None else (Scale.SD_PER_SD, standard, STANDARDISED)


def _standardised(e: Evidence) -> Estimate | None:
    """The middle of the printed standardised coefficients, its interval in the proportion of the raw one's."""
    if e.scale != "beta" or e.standardised_low is None or e.standardised_high is None or not e.estimate:
        return None
    if e.ci_low is None or e.ci_high is None:
        return None
    value = (e.standardised_low + e.standardised_high) / 2
    unit = value / e.estimate
    low, high = sorted((e.ci_low * unit, e.ci_high * unit))
    return Estimate(value, low, high, (high - low) / (2 * Z), Scale.SD_PER_SD, e.n or 0)


def _group(e: Evidence) -> Group:
    if e.outcome_kind == "recalled_onset":
        return Group.RECALL
    if e.contrast_kind == "within_person":
        return Group.WITHIN
    return BY_DESIGN.get(e.design, Group.BETWEEN)


def printed(e: Evidence, scale: Scale | None) -> Estimate | None:
    """The number and interval as printed; se = (high - low) / (2 · 1.96), on the log scale for ratios."""
    if scale is None or e.estimate is None or e.ci_low is None or e.ci_high is None or e.ci_low == e.ci_high:
        return None
    low, high = (math.log(e.ci_low), math.log(e.ci_high)) if scale.is_ratio else (e.ci_low, e.ci_high)
    return Estimate(e.estimate, e.ci_low, e.ci_high, (high - low) / (2 * Z), scale, e.n or 0)


def _shut_out(e: Evidence, direction: Direction, scale: Scale | None, estimate: Estimate | None, direct: bool) -> str:
    """The first reason that holds; the order is that of the rules, from what it is to what it lacks."""
    reasons = (
        (e.estimate is None, "reported in words only"),
        (e.role != "effect", f"its role is {e.role.replace('_', ' ')}, which is no estimate of a direction"),
        (direction is Direction.JOINT, "it says nothing about order"),
        (not e.number_confirmed, "its number is not confirmed"),
        (scale is None, "its scale is not stated or has no common unit"),
        (estimate is None, "no interval was found"),
        (e.design == "meta_analysis", "it is a published pooling, whose members may stand beside it"),
        (not direct, "it speaks of something wider than the two conditions"),
        (not e.contrast_kind or e.contrast_kind == "mixed", "its contrast is not stated in a common form"),
    )
    return next((words for holds, words in reasons if holds), "")


def short_citation(e: Evidence) -> str:
    """ "Carroll 2004" from "Carroll LJ, Cassidy JD, ... 2004;107:134-139"."""
    name = re.match(r"(.+?)\s+[A-Z]{1,4}\b", e.citation)
    author = name.group(1) if name else e.citation
    return author if e.year is None or str(e.year) in author else f"{author} {e.year}"


def interval(entry: Entry) -> str:
    """ "1.59 (1.26 to 2.01)": as printed, or to three figures where the number was converted."""
    e, number = entry.evidence, entry.estimate
    if entry.converted and number is not None:
        return f"{number.value:.3g} ({number.low:.3g} to {number.high:.3g}), converted"
    ends = "" if e.ci_low is None or e.ci_high is None else f" ({e.ci_low:g} to {e.ci_high:g})"
    return "" if e.estimate is None else f"{e.estimate:g}{ends}"
