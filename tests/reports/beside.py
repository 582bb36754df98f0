"""Pathways, groups, hypothetical changes, arms and g-methods made by hand, as the designs hand them over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tests.reports.outcomes import A_TO_B, B_TO_A, TOPIC, answer, estimate, onset, outcome, panel

from bothways.terms.answer import Answer, DesignResult, Estimand, Estimate, Fit, Parameter, Table
from bothways.terms.question import Condition, Direction, Facet, Population, Scale
from bothways.terms.topic import Pathway

SHIPPED = replace(
    TOPIC,
    names={**TOPIC.names, "sleep": ("sleep", "isi")},
    mediators=(Condition("sleep", "poor sleep"), Condition("activity", "loss of activity"),
               Condition("medicines", "side effects of medicines"), Condition("inactivity", "inactivity")),
    pathways=(
        Pathway("bp_sleep", "back pain spoils sleep", "back_pain", "depression", "sleep", ("PSQI",), "two legs"),
        Pathway("bp_activity", "activities are lost", "back_pain", "depression", "activity", ("ODI",), "in words"),
        Pathway("bp_drugs", "side effects", "back_pain", "depression", "medicines", ("records",), "open"),
        Pathway("dep_inactivity", "inactivity", "depression", "back_pain", "inactivity", ("steps",), "second leg"),
    ),
)  # fmt: skip
PARTS = (Estimand.FIRST_LEG, Estimand.SECOND_LEG, Estimand.INDIRECT, Estimand.DIRECT, Estimand.TOTAL)


def pathway(key: str, way: Direction, values: Iterable[tuple[float, float]], design: str = "panel") -> list[Answer]:
    """Both legs, indirect, direct and total effect of one way through one mediator."""
    return [
        answer(way, estimate(*numbers), design=design, estimand=part, facet=Facet.PATHWAY, pathway=key,
               name=f"{design}.pathway.{key}.{part.value}.{way}", headline=part is Estimand.INDIRECT)
        for part, numbers in zip(PARTS, values, strict=True)
    ]  # fmt: skip


def group(way: Direction, where: str, level: str, numbers: tuple[float, float], p: float | None = None) -> Answer:
    """One level's lag, or the test of a difference where there is a p."""
    made = estimate(*numbers)
    kind = Estimand.CROSS_LAG if p is None else Estimand.INTERACTION
    row = answer(way, replace(made, p=p) if p is not None else made, estimand=kind, facet=Facet.WHOM, subgroup=level,
                 name=f"panel.by.{where}.{level}.{kind.value}.{way}", headline=False)  # fmt: skip
    return replace(row, question=replace(row.question, population=Population(level, where)))


SENSITIVITY = Table(
    "pathway_sensitivity", "How strong a hidden cause would have to be",
    ("pathway", "direction", "indirect", "low", "high", "sensitivity value", "what it means"),
    (("poor sleep", "back pain to depression", 0.03, 0.01, 0.05, 0.31, "the correlation that makes it none"),),
)  # fmt: skip
OWN = Fit(
    "panel", "ri-clpm", "converged",
    (Parameter("depression on depression, one wave before", 0.36, 0.03, 0.30, 0.42),
     Parameter("back pain on back pain, one wave before", 0.59, 0.03, 0.53, 0.65)),
)  # fmt: skip
THROUGH = replace(
    panel(),
    answers=(
        *panel().answers,
        *pathway("sleep", B_TO_A, ((0.2, 0.04), (0.18, 0.05), (0.06, 0.02), (0.08, 0.03), (0.14, 0.04))),
        *pathway("sleep", A_TO_B, ((0.25, 0.05), (0.02, 0.05), (0.01, 0.03), (0.11, 0.04), (0.12, 0.05))),
        *pathway("activity", B_TO_A, ((0.3, 0.05), (0.001, 0.03), (0.001, 0.02), (0.13, 0.05), (0.14, 0.05))),
        *pathway("sleep+activity", B_TO_A, ((0.2, 0.1), (0.2, 0.1), (0.07, 0.03), (0.07, 0.04), (0.14, 0.05))),
    ),
    fits=(OWN, *panel().fits),
    tables=(*panel().tables, SENSITIVITY),
)
SHRUNK = Table(
    "whom_shrunk", "Drawn to the rest", ("circumstance", "group", "direction", "shrunken", "low", "high"),
    (("chronic", "lasting pain", "b_to_a", 0.18, 0.10, 0.26), ("chronic", "recent pain", "b_to_a", 0.05, -0.02, 0.12)),
)  # fmt: skip
WHOM = replace(
    THROUGH,
    answers=(
        *THROUGH.answers,
        group(B_TO_A, "chronic", "recent pain", (0.02, 0.05)),
        group(B_TO_A, "chronic", "lasting pain", (0.22, 0.06)),
        group(B_TO_A, "chronic", "lasting pain", (0.20, 0.08), p=0.0004),
        group(A_TO_B, "chronic", "recent pain", (0.11, 0.06)),
        group(A_TO_B, "chronic", "lasting pain", (0.13, 0.06)),
        group(A_TO_B, "chronic", "lasting pain", (0.02, 0.085), p=0.64),
        group(A_TO_B, "sex", "women", (0.15, 0.06)),
        group(A_TO_B, "sex", "men", (0.06, 0.06)),
        group(A_TO_B, "sex", "men", (-0.09, 0.088), p=0.045),
    ),
    tables=(*THROUGH.tables, SHRUNK),
)
CHANGE = "poor sleep one standard deviation better for 4 weeks"


def implied(size: float, day: float) -> tuple[float, float, float]:
    """A course that rises and fades, with its band."""
    value = -size * day / 14 * 2.7183 ** (1 - day / 14)
    return value, value - 0.04, value + 0.04


COURSE_OF_CHANGE = Table(
    "what_if",
    "If it were so",
    ("change", "outcome", "time", "value", "low", "high"),
    tuple(
        (CHANGE, outcome, float(day), *implied(size, day))
        for outcome, size in (("depression", 0.2), ("back pain", 0.1))
        for day in range(0, 92, 7)
    ),
    "Assumes that the model's arrows are influences and that nothing else changes with it.",
)
NATURAL = Table(
    "natural_course",
    "The natural course, simulated against observed",
    ("wave", "variable", "observed", "simulated", "low", "high"),
    tuple(
        (str(t), v, base + 0.01 * t, base + 0.011 * t, base - 0.03, base + 0.06)
        for v, base in (("depression", 0.12), ("back pain", 0.3))
        for t in range(1, 8)
    ),
)
PREVALENCE = Table(
    "onset_prevalence",
    "Prevalence observed and expected",
    ("years", "people", "neither, observed", "neither, expected", "both, observed", "both, expected"),
    tuple((t / 2, 900 - 10 * t, 1 - 0.05 * t, 1 - 0.048 * t, 0.01 * t, 0.011 * t) for t in range(7)),
)


UNDER = ("as observed", "effect removed (depression to back pain)", "effect removed (back pain to depression)")
STATES = Table(
    "onset_states",
    "In each state over time",
    ("years", "under", "state", "probability", "low", "high"),
    tuple(
        (year / 4, under, state, p := 0.02 * year * (1 + k), p - 0.01, p + 0.01)
        for k, under in enumerate((*UNDER, "onset of the first prevented (depression to back pain)"))
        for state in ("neither", "both")
        for year in range(9)
    ),
    "People were followed for two years.",
)
INCIDENCE = Table(
    "onset_incidence",
    "In how many it has begun",
    ("years", "onset of", "from", "share", "low", "high"),
    tuple(
        (year / 8, onset, start, p := 0.04 * year * (2 - k), p * 0.9, p * 1.1)
        for onset, starts in (
            ("back pain", ("depression present", "neither present")),
            ("depression", ("back pain present", "neither present")),
        )
        for k, start in enumerate(starts)
        for year in range(33)
    ),
)
DOSE = Table(
    "onset_dose_curve",
    "By how much at entry",
    ("direction", "score at entry", "ratio", "low", "high"),
    tuple(("depression to back pain", float(x), 1 + x / 20, 1 + x / 30, 1 + x / 15) for x in range(5, 25, 5)),
)


def arm(days: float) -> Answer:
    """What the arm did to depression after so many days."""
    row = answer(
        B_TO_A, Estimate(-0.31, -0.51, -0.11, 0.1, Scale.SD_PER_SD, 150, p=0.01), design="trial", model="ancova",
        estimand=Estimand.ARM_EFFECT, line="D", lag_days=days, name=f"trial.arm.{days:.0f}", headline=days == 180.0,
    )  # fmt: skip
    return replace(row, target="depression, in SDs at the start", contrast="the treated arm against usual care")


ARMS = tuple(arm(days) for days in (30.0, 90.0, 180.0))
TRIAL = DesignResult("trial", answers=ARMS, methods="Arms were compared by intention to treat.")


def later(under: str, way: Direction, values: tuple[float, ...]) -> list[Answer]:
    """The share of people who have the second condition after one, five and ten years."""
    made = [
        answer(way, estimate(x, 0.01, Scale.PROBABILITY), design="onset", model="chain", lag_days=None,
               estimand=Estimand.STATE_PROBABILITY, curve=f"later.{under}.{way}", name=f"later.{under}.{way}.{year}",
               headline=False)
        for x, year in zip(values, (1, 5, 10), strict=True)
    ]  # fmt: skip
    years = (365.25, 1826.25, 3652.5)
    named = {"target": "present, in people free of both at the start", "contrast": under}
    return [replace(a, horizon_days=h, **named) for a, h in zip(made, years, strict=True)]


OCCUPIED = replace(
    onset(),
    answers=(
        *onset().answers,
        *later("as observed", A_TO_B, (0.09, 0.15, 0.18)),
        *later("the effect removed", A_TO_B, (0.08, 0.12, 0.14)),
    ),
    tables=(*onset().tables, PREVALENCE, STATES, INCIDENCE, DOSE),
)
BESIDE = replace(
    outcome(replace(WHOM, tables=(*WHOM.tables, COURSE_OF_CHANGE, NATURAL)), OCCUPIED, TRIAL),
    topic=SHIPPED,
)
