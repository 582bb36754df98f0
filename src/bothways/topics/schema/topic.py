"""What a topic file may say: two conditions and whatever is known of them beforehand."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bothways.terms.question import Condition, Kind, Scale
from bothways.terms.topic import Circumstance, Claim, Pathway, SmallestEffect
from bothways.topics.schema.evidence import EvidencePart
from bothways.topics.schema.instrument import InstrumentPart
from bothways.topics.schema.parts import Key, Number, Part, Positive, Text, Words, once


class ConditionPart(Part):
    """A condition or mediator and the column stems that mean it."""

    key: Key
    label: Text
    kind: Literal["score", "state", "event"] = "score"
    instrument: Key | None = None
    threshold: Number | None = None
    codes: Words = ()
    names: Words = ()

    def term(self) -> Condition:
        """The same condition as the package's own word."""
        return Condition(self.key, self.label, Kind(self.kind), self.instrument, self.threshold, self.codes)


class PathwayPart(Part):
    """A mediator by which one condition may work on the other."""

    key: Key
    label: Text
    starts_from: Key
    leads_to: Key
    mediator: Key
    measures: Words
    standing: Text
    names: Words = ()
    worlds: Words = ()

    def term(self) -> Pathway:
        """The same pathway as the package's own word."""
        return Pathway(**dict(self))


class CircumstancePart(Part):
    """A circumstance in which the answer may differ."""

    key: Key
    label: Text
    definition: Text
    caution: Text
    needs: Words = ()
    worlds: Words = ()
    estimates: Words = ()
    stage_of: str = ""

    def term(self) -> Circumstance:
        """The same circumstance as the package's own word."""
        return Circumstance(**dict(self))


class SmallestEffectPart(Part):
    """The smallest effect of interest on one scale."""

    scale: Annotated[Scale, Field(strict=False)]
    value: Positive
    reason: Text

    @model_validator(mode="after")
    def _away_from_none(self) -> SmallestEffectPart:
        if self.scale.is_ratio and self.value <= 1:
            raise ValueError("on a ratio scale 'value' has to be above 1, such as 1.25")
        return self

    def term(self) -> SmallestEffect:
        """The same bound as the package's own word."""
        return SmallestEffect(self.scale, self.value, self.reason)


class ClaimPart(Part):
    """A claim of the article that the question came from, beside the evidence."""

    number: Annotated[int, Field(ge=1)]
    direction: Literal["a_to_b", "b_to_a", "both"]
    claim: Text
    kind: Text
    leans_on: Text
    standing: Literal["supported", "partly", "not_found", "corrected"]
    evidence: Text
    correction: Text
    estimates: Words = ()

    def term(self) -> Claim:
        """The same claim as the package's own word."""
        return Claim(**dict(self))


class TopicPart(Part):
    """A whole topic: two conditions, and whatever is known of them beforehand."""

    key: Key
    label: Text
    a: ConditionPart
    b: ConditionPart
    mediators: Annotated[tuple[ConditionPart, ...], Field(strict=False)] = ()
    instruments: Annotated[tuple[InstrumentPart, ...], Field(strict=False)] = ()
    pathways: Annotated[tuple[PathwayPart, ...], Field(strict=False)] = ()
    circumstances: Annotated[tuple[CircumstancePart, ...], Field(strict=False)] = ()
    smallest_effects: Annotated[tuple[SmallestEffectPart, ...], Field(strict=False)] = ()
    claims: Annotated[tuple[ClaimPart, ...], Field(strict=False)] = ()
    evidence: Annotated[tuple[EvidencePart, ...], Field(strict=False)] = ()
    help: Words = ()

    @model_validator(mode="after")
    def _parts_agree(self) -> TopicPart:
        if self.a.key == self.b.key:
            raise ValueError("'a' and 'b' are the same condition")
        mediators = {mediator.key for mediator in self.mediators}
        for pathway in self.pathways:
            if {pathway.starts_from, pathway.leads_to} != {self.a.key, self.b.key}:
                raise ValueError(f"pathway '{pathway.key}' does not run between the two conditions")
            if pathway.mediator not in mediators:
                raise ValueError(f"pathway '{pathway.key}' runs through '{pathway.mediator}', which is no mediator")
        once([claim.number for claim in self.claims], "claims")
        once([pathway.key for pathway in self.pathways], "pathways")
        known = once([estimate.id for estimate in self.evidence], "evidence")
        for claim in self.claims:
            if set(claim.estimates) - known:
                raise ValueError(f"claim {claim.number} names an estimate that 'evidence' does not hold")
        for circumstance in self.circumstances:
            if set(circumstance.estimates) - known:
                raise ValueError(f"circumstance '{circumstance.key}' names an estimate that 'evidence' does not hold")
        return self
