"""The named worlds as data: what each holds, in rows of plain numbers with the reason for their size."""

from __future__ import annotations

from dataclasses import dataclass, replace

from bothways.simulation.processes import A_TO_B, B_TO_A, MEDIATORS, PROCESSES, Arrow, Family, Mediators
from bothways.terms.errors import WorldError
from bothways.terms.question import Direction


@dataclass(frozen=True, slots=True)
class OnsetRates:
    """Rates per year of the onset mechanism, and what multiplies them.

    States: depression off/on; back pain off/on/chronic. ``a_to_b`` multiplies the onset rate of back pain while
    depression is present; ``recovery_a_to_b`` its recovery rate; the others likewise. ``chronic_only`` lets pain
    act on the onset of depression only once chronic. Pain turns chronic after ``chronic_after_days``, or, where
    ``persistence`` is positive, at that rate as a transition of its own, multiplied by ``persistence_a_to_b`` while
    depression is present. ``proneness`` is the SD over people of
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
    persistence_a_to_b: float = 1.0


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
    severe_only: bool = False  # depression acts on pain only while severe
    split_pain: bool = False  # back pain is strain plus chronic pain, and only chronic pain acts on depression
    style: float = 0.0  # loading of a slow reporting style on both reports
    seen: tuple[str, ...] = ()  # processes beyond pair and mediators that are asked about
    onset: OnsetRates = OnsetRates()

    @property
    def gated(self) -> Direction | None:
        """The direction whose arrow is open in the second regime alone, if any."""
        return B_TO_A if self.chronic_only else A_TO_B if self.severe_only else None


# 0.12 is over twice the smallest effect of interest (0.05) and found in most panels of 1,000 people by 5 waves.
# A rate ratio of 2 lies between the pooled cohorts (1.6) and the extreme quartiles of Carroll 2004 (4.0).
SIZE, RATIO, SLOWER = 0.12, 2.0, 0.7
_BOTH = OnsetRates(a_to_b=RATIO, b_to_a=RATIO, recovery_a_to_b=SLOWER, recovery_b_to_a=SLOWER)
_PAIN = OnsetRates(b_to_a=RATIO, recovery_b_to_a=SLOWER)
_MOOD = OnsetRates(a_to_b=RATIO, recovery_a_to_b=SLOWER)
_CHRONIC = OnsetRates(b_to_a=3.0, chronic_only=True)
# A new episode lasts half a year or so; one in three turns chronic, and then takes three years and more to go.
_STAYS = OnsetRates(
    depression_onset=0.12,
    depression_recovery=0.6,
    back_pain_onset=0.3,
    back_pain_recovery=1.2,
    persistence=0.6,
    chronic_recovery=0.3,
)

_SHARED = (Arrow("common_cause", "depression", 0.6), Arrow("common_cause", "back_pain", 0.6))
_ANXIOUS = (Arrow("anxiety", "depression", 0.6), Arrow("anxiety", "back_pain", 0.6))
_SITES = (Arrow("back_pain", "pain_sites", 0.6), Arrow("pain_sites", "depression", 0.5, B_TO_A))
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
        seen=("chronic_pain",),
        onset=_CHRONIC,
    ),
    WorldSpec(
        "any-pain",
        "Back pain leads to depression whether it is chronic or recent; nothing goes the other way.",
        "the twin of chronic-only in which chronicity makes no difference",
        (0.0, SIZE),
        seen=("chronic_pain",),
        onset=_PAIN,
    ),
    WorldSpec(
        "severe-only",
        "Depression leads to back pain only while it is severe, as clinical depression is; feeling low does not, and "
        "nothing goes the other way.",
        "a threshold in severity, kept up for two weeks; three times the usual size while severe, since an SD more "
        "carries many over the line and back within a gap",
        (3 * SIZE, 0.0),
        severe_only=True,
        seen=("clinical_depression",),
        onset=_MOOD,
    ),
    WorldSpec(
        "any-depression",
        "Depression leads to back pain whether it is severe or mild; nothing goes the other way.",
        "the twin of severe-only in which severity makes no difference",
        (SIZE, 0.0),
        seen=("clinical_depression",),
        onset=_MOOD,
    ),
    WorldSpec(
        "severity-and-sites",
        "Back pain leads to depression by how severe it is and by how many sites hurt; how long it has lasted makes no "
        "difference, and nothing goes the other way.",
        "severity and spread beside duration: half as much comes through the sites as from the pain itself",
        (0.0, SIZE),
        arrows=_SITES,
        seen=("chronic_pain", "pain_sites"),
        onset=_PAIN,
    ),
    WorldSpec(
        "strain-and-chronic",
        "Acute strain and chronic pain are two states; strain may turn into chronic pain, and only that leads to "
        "depression.",
        "strain heals within weeks; a rate of 1.5 a year beside a recovery of 10 lets one in eight turn chronic",
        (0.0, SIZE),
        arrows=(Arrow("strain", "lasting_pain", 0.4),),
        split_pain=True,
        seen=("strain", "lasting_pain"),
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
        "persistence",
        "In an onset cohort depression does nothing to who gets back pain, but makes a new episode turn chronic twice "
        "as readily; back pain does nothing to depression. Scores of a panel or diary hold neither.",
        "who gets pain and who stays in pain are two questions, and only the second has an answer here",
        seen=("chronic_pain",),
        onset=replace(_STAYS, persistence_a_to_b=RATIO),
    ),
    WorldSpec(
        "persistence-null",
        "A new episode of back pain turns chronic as readily with depression as without; neither does anything to the "
        "other.",
        "the twin of persistence in which depression makes no difference",
        seen=("chronic_pain",),
        onset=_STAYS,
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
