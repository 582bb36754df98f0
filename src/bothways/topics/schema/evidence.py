"""What a file of published estimates may say."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from bothways.terms.question import Scale
from bothways.terms.topic import Evidence
from bothways.topics.schema.parts import Key, Number, Part, Positive, Text, once

# A file may say "OR" as papers do; the package says "odds_ratio" everywhere.
SHORT_SCALES = {
    "or": Scale.ODDS_RATIO,
    "hr": Scale.HAZARD_RATIO,
    "rr": Scale.RISK_RATIO,
    "irr": Scale.RATE_RATIO,
    "pr": Scale.PREVALENCE_RATIO,
    "rd": Scale.RISK_DIFFERENCE,
}
OTHER_SCALES = ("beta", "smd", "mean", "cumulative_incidence", "t_value", "genetic_correlation")
SCALES = (*(scale.value for scale in Scale), *OTHER_SCALES)

Slot = Literal["a", "b", "wider", "other"]


class EvidencePart(Part):
    """One published estimate. What a paper does not say stays out; it is unknown, not absent."""

    id: Text
    citation: Text
    year: Annotated[int, Field(ge=1800, le=2200)] | None = None
    doi: Annotated[str, Field(pattern=r"^10\.\d{4,9}/\S+$")] | None = None
    doi_confirmed: bool = False
    design: Literal[
        "cohort",
        "register",
        "panel_model",
        "cross_sectional",
        "case_control",
        "twin",
        "family",
        "mr",
        "rct",
        "meta_analysis",
        "qualitative",
    ]
    role: Literal[
        "effect",
        "prognosis",
        "pathway_link",
        "direction_only",
        "confounding_check",
        "persistence",
        "instrument",
        "arm_mean",
        "base_rate",
        "test_statistic",
    ] = "effect"
    direction: Literal["a_to_b", "b_to_a", "both", "none"]
    pathway: Key | None = None
    exposure: str = ""
    outcome: str = ""
    contrast: str = ""
    scale: Text | None = None
    estimate: Number | None = None
    ci_low: Number | None = None
    ci_high: Number | None = None
    finding: Literal["association", "no_association", "criteria_not_met", "mixed"] | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    follow_up_years: Positive | None = None
    adjusted_for: Text | None = None
    population: str = ""
    exposure_is: Slot | None = None
    outcome_is: Slot | None = None
    wider: bool | None = None
    note: str = ""
    number_confirmed: bool = False
    source_url: Text | None = None
    design_detail: str = ""
    sample: str = ""
    contrast_kind: Literal[
        "",
        "present_or_absent",
        "level_or_none",
        "extreme_groups",
        "longer_or_shorter",
        "per_unit",
        "liability",
        "within_person",
        "within_pair",
        "mixed",
    ] = ""
    outcome_kind: Key | Literal[""] = ""
    standardised_low: Number | None = None
    standardised_high: Number | None = None
    lag_years: Positive | None = None

    @model_validator(mode="after")
    def _numbers_fit(self) -> EvidencePart:
        scale = self.canonical_scale()
        if scale is not None and scale not in SCALES:
            raise ValueError(f"'scale' is none of {', '.join((*SHORT_SCALES, *SCALES))}")
        numbers = [x for x in (self.ci_low, self.estimate, self.ci_high) if x is not None]
        if numbers and scale is None:
            raise ValueError("there is a number but no 'scale'")
        if numbers != sorted(numbers):
            raise ValueError("'ci_low', 'estimate' and 'ci_high' do not ascend")
        if scale is not None and scale.endswith("_ratio") and any(x <= 0 for x in numbers):
            raise ValueError("a ratio is not above zero")
        opposite = {"a_to_b": ("b", "a"), "b_to_a": ("a", "b")}.get(self.direction)
        if self.role == "effect" and opposite and (self.exposure_is, self.outcome_is) == opposite:
            raise ValueError("'exposure_is' and 'outcome_is' say the opposite of 'direction'")
        if (self.standardised_low is None) != (self.standardised_high is None):
            raise ValueError("'standardised_low' and 'standardised_high' come together or not at all")
        return self

    def canonical_scale(self) -> str | None:
        """The scale under the package's own name, whether the file says "OR" or "odds_ratio"."""
        if self.scale is None:
            return None
        return str(SHORT_SCALES.get(self.scale.lower(), self.scale))

    def term(self) -> Evidence:
        """The same estimate as the package's own word; unsaid slots are those of its direction."""
        slots = {"a_to_b": ("a", "b"), "b_to_a": ("b", "a")}.get(self.direction, ("other", "other"))
        stated = (self.exposure_is or slots[0], self.outcome_is or slots[1])
        return Evidence(
            **{
                **dict(self),
                "scale": self.canonical_scale(),
                "exposure_is": stated[0],
                "outcome_is": stated[1],
                "sample": self.sample or self.citation,
            }
        )


class EvidenceFile(Part):
    """A file of published estimates and nothing else."""

    evidence: Annotated[tuple[EvidencePart, ...], Field(strict=False)]

    @model_validator(mode="after")
    def _ids_differ(self) -> EvidenceFile:
        once([estimate.id for estimate in self.evidence], "evidence")
        return self
