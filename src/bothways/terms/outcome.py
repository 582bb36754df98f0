"""What a study came to: everything that a report may read, and nothing that it must compute."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from bothways.terms.answer import DesignResult, Table
from bothways.terms.question import Pair
from bothways.terms.records import Finding, Source, TimeUnit
from bothways.terms.settings import Settings
from bothways.terms.topic import Topic
from bothways.terms.verdict import Verdict


@dataclass(frozen=True, slots=True)
class SimulatedTruth:
    """Set where the records were simulated: the world, and the true value of each answer (by answer id)."""

    world: str
    says: str
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The whole road's end, ready to be read.

    ``description`` holds the tables that any records allow (people, gaps, missingness, ICC, associations).
    ``literature`` stands beside the verdict and never enters it. ``care`` holds the lines that must come first
    in a report about one person who answered above zero to an item on self-harm.
    """

    topic: Topic
    pair: Pair
    source: Source
    time_unit: TimeUnit
    findings: tuple[Finding, ...]
    settings: Settings
    description: tuple[Table, ...]
    results: tuple[DesignResult, ...]
    verdict: Verdict
    literature: DesignResult | None = None
    literature_verdict: Verdict | None = None
    command: str = ""
    simulated: SimulatedTruth | None = None
    care: tuple[str, ...] = ()
    one_person: bool = False
    seconds: float = 0.0
    labels: Mapping[str, str] = field(default_factory=dict)  # how a person reads a variable's key
    kind: Literal["study", "evidence"] = "study"  # evidence: the published estimates alone, without records
