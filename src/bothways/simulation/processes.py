"""The processes of the source article as data: how long each lasts, and which pathways it has the two conditions by.

Every process is a deviation of a person from their own usual level, in units of its own within-person standard
deviation. An arrow of ``strength`` s pulls its target towards s times its source::

    d target = (s · source − target) / relaxation · dt + disturbance

so that s is the long-run gain, and the same rows serve a panel (relaxations of months) and a diary (of hours).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bothways.terms.question import Direction

Mediators = Literal["collapsed", "modelled"]
A_TO_B, B_TO_A = Direction.A_TO_B, Direction.B_TO_A


@dataclass(frozen=True, slots=True)
class Process:
    """A process and its relaxation time in days, seen from waves (slow mood, lasting pain) and in a diary."""

    key: str
    label: str
    panel_days: float
    diary_days: float
    reason: str


PROCESSES = {
    p.key: p
    for p in (
        Process("depression", "depression", 150, 0.40, "an episode lasts about half a year; a mood some hours"),
        Process("back_pain", "back pain", 180, 0.50, "lags a little longer than mood, so that the two differ"),
        Process("activity", "loss of activity", 120, 0.30, "habits of moving change over months"),
        Process("attention", "attention held by pain", 60, 0.15, "the quickest of the mediators"),
        Process("sleep", "poor sleep", 90, 0.25, "insomnia comes and goes over a season"),
        Process("relationships", "strained relationships", 160, 0.40, "slow to strain and slow to mend"),
        Process("medicines", "side effects of medicines", 75, 0.20, "a course of medicine"),
        Process("sensitivity", "pain sensitivity", 150, 0.40, "as slow as mood"),
        Process("inactivity", "inactivity", 120, 0.30, "as loss of activity"),
        Process("smoking", "smoking", 200, 0.50, "a habit; the slowest of the mediators"),
        Process("drinking", "drinking", 180, 0.50, "a habit, a little less steady than smoking"),
        Process("anxiety", "anxiety", 120, 0.35, "a little quicker than depression"),
        Process("common_cause", "a common cause", 360, 6.00, "slow beside both conditions, too quick for a trait"),
        Process("style", "reporting style", 270, 5.00, "how gravely a person answers drifts over seasons"),
        Process("strain", "strain of the back", 25, 0.25, "a muscle strain is over within a month or two"),
        Process("pain_sites", "number of painful sites", 200, 1.00, "pain spreads and withdraws slowly"),
        Process("lasting_pain", "lasting back pain", 320, 4.00, "lasts for the better part of a year"),
    )
}


@dataclass(frozen=True, slots=True)
class Arrow:
    """An influence. Where ``direction`` is set, ``strength`` is a share that the effect of that direction scales."""

    source: str
    target: str
    strength: float
    direction: Direction | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """A family of pathways of the source article: mediators with the share of the effect that each carries."""

    source: str
    target: str
    direction: Direction
    shares: tuple[tuple[str, float], ...]
    response: float  # long-run gain of each mediator on its source


FAMILIES = (
    # Shares follow the standing of the evidence: sleep has both legs in numbers, attention is weak, the sign of
    # medicines is open (here as the article has it).
    Family(
        "back_pain",
        "depression",
        B_TO_A,
        (("activity", 0.25), ("attention", 0.10), ("sleep", 0.40), ("relationships", 0.15), ("medicines", 0.10)),
        0.9,
    ),
    Family(
        "depression",
        "back_pain",
        A_TO_B,
        (("sensitivity", 0.40), ("inactivity", 0.25), ("smoking", 0.20), ("drinking", 0.15)),
        0.9,
    ),
)
MEDIATORS = {key: family for family in FAMILIES for key, _ in family.shares}
PATHWAYS = {
    "bp_activity": "activity",
    "bp_attention": "attention",
    "bp_sleep": "sleep",
    "bp_relations": "relationships",
    "bp_drugs": "medicines",
    "dep_sensitivity": "sensitivity",
    "dep_inactivity": "inactivity",
    "dep_smoking": "smoking",
    "dep_drinking": "drinking",
}  # the topic's name of a pathway -> its mediator
