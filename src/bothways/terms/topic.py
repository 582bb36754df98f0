"""What is known beforehand of two conditions: how they are measured, linked, and what others have found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bothways.terms.question import Condition, Pair, Scale


@dataclass(frozen=True, slots=True)
class Cutoff:
    """At or above ``value`` the score counts as ``means``; a screen, never a diagnosis."""

    value: float
    means: str
    checked: bool
    source: str = ""


@dataclass(frozen=True, slots=True)
class Instrument:
    """How a questionnaire is scored, by version. Item texts are never part of it.

    ``item_low``/``item_high`` bound one item, ``low``/``high`` the score. ``reversed_items`` are 1-based.
    ``max_missing`` items may be missing; then the mean of the answered ones stands in for them (prorating).
    ``checked`` names the facts that were verified in a primary source; only those may drive a default.
    """

    key: str
    label: str
    measures: str  # the construct: depression, pain, sleep, anxiety, function
    low: float
    high: float
    items: int | None = None
    item_low: float | None = None
    item_high: float | None = None
    reversed_items: tuple[int, ...] = ()
    scoring: str = "sum"  # sum | mean | percent | total_only
    max_missing: int = 0
    higher_is_worse: bool = True
    cutoffs: tuple[Cutoff, ...] = ()
    default_cutoff: float | None = None
    smallest_change: float | None = None
    smallest_change_checked: bool = False
    self_harm_item: int | None = None
    self_harm_columns: tuple[str, ...] = ()  # whole column names by which well-known surveys call that item
    recall_days: float | None = None
    names: tuple[str, ...] = ()  # lower-case column stems by which it is recognised
    licence: str = ""
    sources: tuple[str, ...] = ()
    checked: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pathway:
    """A mediator by which one condition may work on the other."""

    key: str
    label: str
    starts_from: str  # a condition's key
    leads_to: str
    mediator: str
    measures: tuple[str, ...]
    standing: str  # the state of the evidence, in words
    names: tuple[str, ...] = ()
    worlds: tuple[str, ...] = ()  # simulated worlds in which it holds


@dataclass(frozen=True, slots=True)
class Circumstance:
    """A circumstance in which the answer may differ, made operational."""

    key: str
    label: str
    definition: str
    caution: str
    needs: tuple[str, ...] = ()
    worlds: tuple[str, ...] = ()  # simulated worlds in which it matters
    estimates: tuple[str, ...] = ()  # ids of the published estimates that speak of it
    stage_of: str = ""  # the condition whose lasting stage it tells apart from a recent one, visit by visit


@dataclass(frozen=True, slots=True)
class SmallestEffect:
    """The smallest effect of interest on one scale, set before any estimate is seen, with its reason."""

    scale: Scale
    value: float
    reason: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """One published estimate, as it was found.

    ``scale`` is a ``Scale`` value where the number is on one, else the study's own word ("beta", "smd"). ``sample``
    names the people: estimates that share a sample count once. ``contrast_kind`` and ``outcome_kind`` put the free
    texts ``contrast`` and ``outcome`` into the few classes within which numbers may be pooled.
    ``standardised_low``/``standardised_high`` span the standardised coefficients printed beside a raw one.
    ``lag_years`` is the time from one look at a person to the next, where a coefficient carries over it.
    """

    id: str
    citation: str
    year: int | None
    doi: str | None
    doi_confirmed: bool
    design: str
    role: str
    direction: str  # a_to_b | b_to_a | both | none
    pathway: str | None
    exposure: str
    outcome: str
    contrast: str
    scale: str | None
    estimate: float | None
    ci_low: float | None
    ci_high: float | None
    finding: str | None
    n: int | None
    follow_up_years: float | None
    adjusted_for: str | None
    population: str
    exposure_is: str  # a | b | wider | other
    outcome_is: str
    wider: bool | None
    note: str
    number_confirmed: bool
    source_url: str | None = None
    design_detail: str = ""
    sample: str = ""
    contrast_kind: str = ""
    outcome_kind: str = ""
    standardised_low: float | None = None
    standardised_high: float | None = None
    lag_years: float | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim of the article that the question came from, and how it stands beside the evidence."""

    number: int
    direction: str
    claim: str
    kind: str
    leans_on: str
    standing: str  # supported | partly | not_found | corrected
    evidence: str
    correction: str
    estimates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Topic:
    """All that ships with a pair of conditions; any two conditions can be made into one."""

    key: str
    label: str
    pair: Pair
    names: Mapping[str, tuple[str, ...]]  # by condition key: column stems that mean it
    instruments: Mapping[str, Instrument] = field(default_factory=dict)
    pathways: tuple[Pathway, ...] = ()
    circumstances: tuple[Circumstance, ...] = ()
    smallest_effects: tuple[SmallestEffect, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    claims: tuple[Claim, ...] = ()
    mediators: tuple[Condition, ...] = ()
    help: tuple[str, ...] = ()  # where to get help, one line each

    def pathways_through(self, key: str, label: str = "") -> tuple[Pathway, ...]:
        """The pathways whose mediator a variable of this key measures, by the mediator's own key or its names."""
        spelled = {key.lower(), label.lower()} - {""}
        meant = {m.key for m in self.mediators if spelled & {m.key, *self.names.get(m.key, ())}}
        return tuple(p for p in self.pathways if p.mediator in meant or spelled & {p.mediator, *p.names})

    def smallest_effect(self, scale: Scale) -> float:
        """The smallest effect of interest on ``scale``; 1.25 for a ratio and 0.05 otherwise where none is set."""
        stated = {effect.scale: effect.value for effect in self.smallest_effects}
        return stated.get(scale, 1.25 if scale.is_ratio else 0.05)
