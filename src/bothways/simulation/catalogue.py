"""The worlds as data: what each holds, in rows of plain numbers with the reason for their size.

Every process is a deviation of a person from their own usual level, in units of its own within-person standard
deviation. An arrow of ``strength`` s pulls its target towards s times its source::

    d target = (s · source − target) / relaxation · dt + disturbance

so that s is the long-run gain, and the same rows serve a panel (relaxations of months) and a diary (of hours).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from bothways.terms.errors import WorldError
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
        Process("relations", "strained relationships", 160, 0.40, "slow to strain and slow to mend"),
        Process("drugs", "side effects of medicines", 75, 0.20, "a course of medicine"),
        Process("sensitivity", "pain sensitivity", 150, 0.40, "as slow as mood"),
        Process("inactivity", "inactivity", 120, 0.30, "as loss of activity"),
        Process("smoking", "smoking", 200, 0.50, "a habit; the slowest of the mediators"),
        Process("drinking", "drinking", 180, 0.50, "a habit, a little less steady than smoking"),
        Process("anxiety", "anxiety", 120, 0.35, "a little quicker than depression"),
        Process("common_cause", "a common cause", 360, 6.00, "slow beside both conditions, too quick for a trait"),
        Process("style", "reporting style", 270, 5.00, "how gravely a person answers drifts over seasons"),
        Process("strain", "strain of the back", 25, 0.25, "a muscle strain is over within a month or two"),
        Process("chronic_pain", "chronic back pain", 320, 4.00, "lasts for the better part of a year"),
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
        (("activity", 0.25), ("attention", 0.10), ("sleep", 0.40), ("relations", 0.15), ("drugs", 0.10)),
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


@dataclass(frozen=True, slots=True)
class OnsetRates:
    """Rates per year of the onset mechanism, and what multiplies them.

    States: depression off/on; back pain off/on/chronic. ``a_to_b`` multiplies the onset rate of back pain while
    depression is present; ``recovery_a_to_b`` its recovery rate; the others likewise. ``chronic_only`` lets pain
    act on the onset of depression only once chronic. Pain turns chronic after ``chronic_after_days``, or, where
    ``persistence`` is positive, at that rate as a transition of its own. ``proneness`` is the SD over people of
    a log onset rate that does not change, ``proneness_correlation`` its correlation between the two conditions.
    ``cause_loading`` is the effect on both log onset rates of one SD of a slow common process.
    """

    depression_onset: float = 0.05  # a few in a hundred a year fall ill anew
    back_pain_onset: float = 0.15  # three times as common
    depression_recovery: float = 1.0  # an episode lasts a year on average, relapse within it included
    back_pain_recovery: float = 0.8
    a_to_b: float = 1.0
    b_to_a: float = 1.0
    recovery_a_to_b: float = 1.0
    recovery_b_to_a: float = 1.0
    chronic_only: bool = False
    chronic_after_days: float = 90.0
    persistence: float = 0.0
    chronic_recovery: float | None = None  # None: as back_pain_recovery
    proneness: float = 0.0
    proneness_correlation: float = 1.0
    cause_loading: float = 0.0
    cause_days: float = 730.0
    cause_seen: bool = False  # is the slow process asked about (anxiety), or hidden
    style: float = 0.0  # SD at which a slow reporting style flips both answers; 0 for none
    death: float = 0.0


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """One named world. ``effects`` are the true standardised cross-lags (A to B, B to A) over one wave gap."""

    name: str
    says: str
    reason: str
    effects: tuple[float, float] = (0.0, 0.0)
    arrows: tuple[Arrow, ...] = ()  # influences beside those between the two conditions
    mediators: Mediators = "collapsed"
    carried_by: str | None = None  # the one mediator that carries the effect; its family responds but carries none
    chronic_only: bool = False  # pain acts on depression only while chronic
    split_pain: bool = False  # back pain is strain plus chronic pain, and only chronic pain acts on depression
    style: float = 0.0  # loading of a slow reporting style on both reports
    seen: tuple[str, ...] = ()  # processes beyond pair and mediators that are asked about
    onset: OnsetRates = OnsetRates()


# 0.12 is over twice the smallest effect of interest (0.05) and found in most panels of 1,000 people by 5 waves.
# A rate ratio of 2 lies between the pooled cohorts (1.6) and the extreme quartiles of Carroll 2004 (4.0).
SIZE, RATIO, SLOWER = 0.12, 2.0, 0.7
_BOTH = OnsetRates(a_to_b=RATIO, b_to_a=RATIO, recovery_a_to_b=SLOWER, recovery_b_to_a=SLOWER)
_PAIN = OnsetRates(b_to_a=RATIO, recovery_b_to_a=SLOWER)
_MOOD = OnsetRates(a_to_b=RATIO, recovery_a_to_b=SLOWER)
_CHRONIC = OnsetRates(b_to_a=3.0, chronic_only=True)

_SHARED = (Arrow("common_cause", "depression", 0.6), Arrow("common_cause", "back_pain", 0.6))
_ANXIOUS = (Arrow("anxiety", "depression", 0.6), Arrow("anxiety", "back_pain", 0.6))
_LOOP = (
    Arrow("back_pain", "inactivity", 0.5),
    Arrow("inactivity", "back_pain", 0.5),
    Arrow("back_pain", "smoking", 0.3),
    Arrow("smoking", "back_pain", 0.3),
)

_NAMED = (
    WorldSpec(
        "null",
        "Stable differences between people make depression and back pain go together; neither acts on the other.",
        "what a between-person correlation alone looks like",
    ),
    WorldSpec(
        "pain-first",
        "Back pain leads to depression; depression does nothing to back pain.",
        "one arrow, to be found one way and not the other",
        (0.0, SIZE),
        onset=_PAIN,
    ),
    WorldSpec(
        "depression-first",
        "Depression leads to back pain; back pain does nothing to depression.",
        "the mirror of pain-first",
        (SIZE, 0.0),
        onset=_MOOD,
    ),
    WorldSpec(
        "both-ways",
        "Each leads to the other.",
        "two arrows of one size: who comes first is left to base rates and persistence",
        (SIZE, SIZE),
        onset=_BOTH,
    ),
    WorldSpec(
        "shared-cause",
        "A slowly varying common cause, which nobody measured, drives both; neither acts on the other.",
        "loads 0.6 on both: strong enough that a model without it reads influence both ways",
        arrows=_SHARED,
        onset=OnsetRates(cause_loading=0.8),
    ),
    WorldSpec(
        "reporting-style",
        "How gravely a person answers drifts over time and colours both reports; neither condition acts on the other.",
        "the style's SD is 0.6 of each condition's own",
        style=0.6,
        onset=OnsetRates(style=1.0),
    ),
    WorldSpec(
        "chronic-only",
        "Back pain leads to depression only once it has lasted for over three months; nothing goes the other way.",
        "twice the usual size while chronic, so that the average over everyone is still to be seen",
        (0.0, 2 * SIZE),
        chronic_only=True,
        seen=("chronic",),
        onset=_CHRONIC,
    ),
    WorldSpec(
        "any-pain",
        "Back pain leads to depression whether it is chronic or recent; nothing goes the other way.",
        "the twin of chronic-only in which chronicity makes no difference",
        (0.0, SIZE),
        seen=("chronic",),
        onset=_PAIN,
    ),
    WorldSpec(
        "strain-and-chronic",
        "Acute strain and chronic pain are two states; strain may turn into chronic pain, and only that leads to "
        "depression.",
        "strain heals within weeks; a rate of 1.5 a year beside a recovery of 10 lets one in eight turn chronic",
        (0.0, SIZE),
        arrows=(Arrow("strain", "chronic_pain", 0.4),),
        split_pain=True,
        seen=("strain", "chronic_pain"),
        onset=OnsetRates(
            b_to_a=3.0,
            chronic_only=True,
            back_pain_onset=0.6,
            back_pain_recovery=10.0,
            persistence=1.5,
            chronic_recovery=0.3,
        ),
    ),
    WorldSpec(
        "anxiety-rival",
        "Anxiety drives both depression and back pain; neither of these acts on the other.",
        "as the common cause, but quicker, and asked about",
        arrows=_ANXIOUS,
        seen=("anxiety",),
        onset=OnsetRates(cause_loading=0.8, cause_days=360.0, cause_seen=True),
    ),
    WorldSpec(
        "pain-loop",
        "Life with back pain breeds more back pain, through inactivity and smoking; depression plays no part.",
        "the loop lengthens pain's own memory and must not be read as cross-influence",
        arrows=_LOOP,
        seen=("inactivity", "smoking"),
    ),
)


def _only(mediator: str, family: Family) -> WorldSpec:
    """The world in which one mediator carries the whole effect while its rivals respond and carry nothing."""
    effects = (SIZE, 0.0) if family.direction is A_TO_B else (0.0, SIZE)
    source, target = PROCESSES[family.source].label, PROCESSES[family.target].label
    through = PROCESSES[mediator].label
    return WorldSpec(
        f"only-{mediator}",
        f"{source.capitalize()} leads to {target} only through {through}; the other mediators follow {source} and "
        f"lead nowhere.",
        "one mediator carries all, so that naming another is wrong",
        effects,
        mediators="modelled",
        carried_by=mediator,
        onset=_MOOD if family.direction is A_TO_B else _PAIN,
    )


def worlds() -> tuple[WorldSpec, ...]:
    """Every named world, the seven of the verdict's calibration first."""
    return (*_NAMED, *(_only(key, family) for key, family in MEDIATORS.items()))


def find(name: str) -> WorldSpec:
    """The world called ``name``; WorldError with the names that exist otherwise."""
    known = {spec.name: spec for spec in worlds()}
    if name not in known:
        raise WorldError(f"world '{name}'", "there is no such world", f"Choose one of: {', '.join(known)}")
    return known[name]


def with_effect(spec: WorldSpec, effect: float | tuple[float, float] | None) -> WorldSpec:
    """``spec`` with its arrows at the true size ``effect``; a pair names A to B and B to A. None leaves it as it is.

    A single number moves only the arrows that the world has.
    """
    if effect is None:
        return spec
    pair = effect if isinstance(effect, tuple) else tuple(effect if size else 0.0 for size in spec.effects)
    return replace(spec, effects=(float(pair[0]), float(pair[1])))


def with_ratio(spec: WorldSpec, effect: float | tuple[float, float] | None) -> WorldSpec:
    """``spec`` with its rate ratios at ``effect``, as ``with_effect`` does for cross-lags."""
    if effect is None:
        return spec
    own = (spec.onset.a_to_b, spec.onset.b_to_a)
    pair = effect if isinstance(effect, tuple) else tuple(effect if ratio != 1 else 1.0 for ratio in own)
    return replace(spec, onset=replace(spec.onset, a_to_b=float(pair[0]), b_to_a=float(pair[1])))
