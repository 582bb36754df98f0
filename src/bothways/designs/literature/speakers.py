"""Which published number speaks for a direction, by a rule that reads no estimate, and the Answers that follow.

Between people and among trials: our own pool of ten studies or more; else a published meta-analysis of the two
conditions themselves (the first in the file that compares present with absent), since it searched for its members and
a handful that somebody happened to enter did not; else our own pool of three or more; else the single study that
compares present with absent, is most adjusted, has most people. Within persons: the study with most people.
Genetic liability acts over a life and has no lag, and twins compared at one time have no order, so neither speaks;
both are shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bothways.designs.literature.families import Family, adjustment
from bothways.designs.literature.place import DIRECTIONS, LINES, Entry, Group, short_citation
from bothways.terms.answer import Answer, Assumption, Caveat, Estimand, Estimate, Status
from bothways.terms.question import Direction, Facet, Pair, Question

YEAR = 365.25
OUTRANKS = 10  # studies in a pool of our own that outrank a published meta-analysis, which has searched for its own
SPEAKING: Mapping[Group, str] = {Group.BETWEEN: "between", Group.WITHIN: "within", Group.TRIAL: "trials"}
"""The groups whose number may speak, with the word in an answer's id."""

ASSUMPTIONS = (
    Assumption("What the studies adjusted for is enough to make the compared people alike."),
    Assumption("Studies were published whatever they found."),
    Assumption("The studies' people and definitions are near enough to those of the question."),
)


@dataclass(frozen=True, slots=True)
class Speaker:
    """The number that speaks for one direction and group: a family that was pooled, or one published estimate."""

    source: Family | Entry

    @property
    def estimate(self) -> Estimate | None:
        """Its number."""
        return self.source.estimate() if isinstance(self.source, Family) else self.source.estimate

    @property
    def entry(self) -> Entry | None:
        """The published estimate, where it is one."""
        return None if isinstance(self.source, Family) else self.source

    @property
    def target(self) -> str:
        """What it is a number of."""
        if isinstance(self.source, Family):
            return f"{self.source.label}, pooled from {len(self.source.entries)} studies"
        return _target(self.source)

    @property
    def origin(self) -> str:
        """Whose number it is, and whether it stands as printed."""
        if isinstance(self.source, Family):
            return "pooled here from: " + ", ".join(short_citation(e.evidence) for e in self.source.entries)
        made = f"converted ({self.source.converted})" if self.source.converted else "as published"
        return f"{made}: {short_citation(self.source.evidence)}"

    def years(self, field: Literal["lag_years", "follow_up_years"]) -> float | None:
        """How long it looks ahead; None where that is not printed or differs between the members of a pool."""
        members = self.source.entries if isinstance(self.source, Family) else (self.source,)
        stated: set[float | None] = {getattr(entry.evidence, field) for entry in members}
        return stated.pop() if len(stated) == 1 else None

    def caveats(self) -> tuple[Caveat, ...]:
        """The reasons to read it with care; those of a pool are those of its members, each once."""
        if isinstance(self.source, Family):
            return tuple(dict.fromkeys(caveat for entry in self.source.entries for caveat in _caveats(entry)))
        return _caveats(self.source)

    @property
    def kind(self) -> str:
        """How it came about."""
        if isinstance(self.source, Family):
            return "random effects (REML, Knapp-Hartung)"
        e = self.source.evidence
        if e.design == "meta_analysis":
            return "published meta-analysis"
        within = "ri-clpm" if "ri-clpm" in e.design_detail.lower() else "within-person model"
        return within if self.source.group is Group.WITHIN else "single study"


def speaker(
    direction: Direction, group: Group, families: tuple[Family, ...], entries: tuple[Entry, ...]
) -> Speaker | None:
    """The number that speaks for ``direction`` in ``group``, or None."""
    pooled = [f for f in families if f.direction is direction and f.group is group and f.pooled is not None]
    numbered = [e for e in entries if e.direction is direction and e.group is group and _counts(e)]
    if group is Group.WITHIN and not pooled:
        return Speaker(min(numbered, key=_by_people)) if numbered else None
    direct = [e for e in numbered if e.direct]
    metas = [e for e in direct if e.evidence.design == "meta_analysis" and _plain(e)]
    if pooled and (not metas or len(pooled[0].entries) >= OUTRANKS):
        return Speaker(pooled[0])
    singles = sorted((e for e in direct if e.evidence.design != "meta_analysis"), key=_by_rule)
    return Speaker((metas or singles)[0]) if metas or singles else None


def headlines(direction: Direction, pair: Pair, speaks: Mapping[Group, Speaker | None]) -> tuple[Answer, ...]:
    """The answers that speak for a direction: between people, and beside it within persons and from trials."""
    between, *beside = (speaks.get(group) for group in SPEAKING)
    first = _silent(direction, pair) if between is None else _spoken(direction, pair, between)
    return (first, *(_spoken(direction, pair, other) for other in beside if other is not None))


def shown(entry: Entry, pair: Pair) -> Answer:
    """A published estimate that does not speak but is shown with its line."""
    e = entry.evidence
    estimand = Estimand.CROSS_LAG if entry.group is Group.WITHIN else Estimand.ASSOCIATION
    return Answer(
        id=f"literature.{e.direction}.{e.id}",
        question=Question(pair, Facet.STRENGTH, DIRECTIONS[e.direction], entry.scale),
        design="literature",
        model=f"published estimate ({entry.group.value})",
        estimand=estimand,
        status=Status.ANSWERED,
        line=entry.line,
        estimate=entry.estimate,
        target=_target(entry),
        contrast=e.contrast,
        lag_days=None if e.lag_years is None else e.lag_years * YEAR,
        horizon_days=None if e.follow_up_years is None else e.follow_up_years * YEAR,
        caveats=_caveats(entry),
    )


def _spoken(direction: Direction, pair: Pair, chosen: Speaker) -> Answer:
    estimate, group = chosen.estimate, chosen.source.group
    within = group is Group.WITHIN
    lag = chosen.years("lag_years")
    horizon = None if within else chosen.years("follow_up_years")
    return Answer(
        id=f"literature.{direction.value}.{SPEAKING[group]}",
        question=Question(pair, Facet.STRENGTH, direction, estimate.scale if estimate else None),
        design="literature",
        model=chosen.kind,
        estimand=Estimand.CROSS_LAG if within else Estimand.POOLED,
        status=Status.ANSWERED,
        line=LINES[group],
        status_says=chosen.origin,
        estimate=estimate,
        target=chosen.target,
        contrast=chosen.source.evidence.contrast if isinstance(chosen.source, Entry) else chosen.source.contrast_kind,
        lag_days=None if lag is None else lag * YEAR,
        lag_waves=1.0 if lag is None and horizon is None else None,  # not printed: from one look to the next
        horizon_days=None if horizon is None else horizon * YEAR,
        headline=True,
        assumptions=ASSUMPTIONS,
        caveats=chosen.caveats(),
    )


def _silent(direction: Direction, pair: Pair) -> Answer:
    return Answer(
        id=f"literature.{direction.value}.between",
        question=Question(pair, Facet.STRENGTH, direction),
        design="literature",
        model="nothing to pool",
        estimand=Estimand.POOLED,
        status=Status.REFUSED,
        status_says="No confirmed estimate of the two conditions themselves, with an interval, was found.",
        headline=True,
    )


COMMON_CAUSE = Caveat(
    "common_cause", "The studies compare different people, so a cause shared by both could look the same."
)


def _caveats(entry: Entry) -> tuple[Caveat, ...]:
    e = entry.evidence
    rules = (
        (entry.group is Group.BETWEEN, COMMON_CAUSE),
        (not entry.direct, Caveat("indirect", f"Measured was {e.exposure} and {e.outcome}, not the conditions alone.")),
        (bool(entry.converted), Caveat("converted", f"The number is converted: {entry.converted}.")),
        (
            entry.outcome_family == "presence" and entry.group is Group.BETWEEN,
            Caveat("at_risk_set", "Being ill at the end mixes falling ill with staying ill."),
        ),
        (entry.direction is Direction.JOINT, Caveat("no_order", "It was seen at one time and has no order.")),
        (
            entry.group is Group.GENES,
            Caveat("liability", "A liability for life, in a unit that other designs do not share."),
        ),
        (not e.number_confirmed, Caveat("unconfirmed", "The number has not been confirmed in the paper.")),
    )
    return tuple(caveat for holds, caveat in rules if holds)


def _target(entry: Entry) -> str:
    e = entry.evidence
    return f"{e.outcome}, by {e.exposure}, in {e.population or 'people not described'} ({short_citation(e)})"


def _counts(entry: Entry) -> bool:
    e = entry.evidence
    return e.role == "effect" and e.number_confirmed and entry.estimate is not None and entry.scale is not None


def _plain(entry: Entry) -> bool:
    return entry.evidence.contrast_kind == "present_or_absent"


def _by_people(entry: Entry) -> tuple[bool, int, str]:
    return not entry.direct, -(entry.evidence.n or 0), entry.evidence.id


def _by_rule(entry: Entry) -> tuple[bool, int, int, str]:
    e = entry.evidence
    return not _plain(entry), -adjustment(e.adjusted_for), -(e.n or 0), e.id
