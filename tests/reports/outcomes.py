"""Outcomes made by hand, as the road would make them: what the report tests read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bothways.terms.answer import (
    Answer,
    Assumption,
    Caveat,
    DesignResult,
    Estimand,
    Estimate,
    Fit,
    Line,
    Parameter,
    Status,
    Table,
)
from bothways.terms.outcome import Outcome, SimulatedTruth
from bothways.terms.question import Condition, Direction, Facet, Pair, Question, Scale
from bothways.terms.records import Finding, Level, Source, TimeUnit
from bothways.terms.settings import Settings
from bothways.terms.topic import Circumstance, Claim, Evidence, Pathway, SmallestEffect, Topic
from bothways.verdicts import weigh

PAIR = Pair(Condition("depression", "depression"), Condition("back_pain", "back pain"))
SETTINGS = Settings(smallest_effects={Scale.SD_PER_SD: 0.05, Scale.RATE_RATIO: 1.25})
SOURCE = Source("panel.csv", "ab" * 32, 5000, 1000)
A_TO_B, B_TO_A, JOINT = Direction.A_TO_B, Direction.B_TO_A, Direction.JOINT
COMMON = Caveat("common_cause", "A slowly varying cause of both cannot be told apart from influence both ways.")
TWO_WAVES = Caveat("two_waves", "Two waves cannot tell change within a person from differences between people.")


def estimate(value: float, half: float, scale: Scale = Scale.SD_PER_SD, people: int = 1000, **more: int) -> Estimate:
    """An interval of ``half`` each side (a factor on ratio scales)."""
    if scale.is_ratio:
        return Estimate(value, value / half, value * half, 0.1, scale, people, p=0.01, **more)
    return Estimate(value, value - half, value + half, half / 1.96, scale, people, p=0.01, **more)


def answer(
    direction: Direction,
    numbers: Estimate | None,
    *,
    design: str = "panel",
    model: str = "ri-clpm",
    estimand: Estimand = Estimand.CROSS_LAG,
    facet: Facet = Facet.STRENGTH,
    line: Line = "A",
    caveats: tuple[Caveat, ...] = (),
    lag_days: float | None = 182.6,
    name: str = "",
    pathway: str | None = None,
    subgroup: str | None = None,
    curve: str | None = None,
    expected: float | None = None,
    headline: bool = True,
    says: str = "",
) -> Answer:
    """One answer, with everything that a verdict asks of it."""
    first, second = direction.ends(PAIR)
    return Answer(
        id=name or f"{design}.{model}.{facet}.{direction}",
        question=Question(PAIR, facet, direction, pathway=pathway),
        design=design,
        model=model,
        estimand=estimand,
        status=Status.ANSWERED if numbers else Status.REFUSED,
        status_says=says,
        line=line,
        estimate=numbers,
        target=f"{second.label} one wave later",
        contrast=f"one standard deviation more {first.label} than usual for the person",
        lag_days=lag_days,
        lag_waves=1.0 if design == "panel" else None,
        curve=curve,
        subgroup=subgroup,
        headline=headline,
        expected=expected,
        assumptions=(
            Assumption("No unmeasured cause that changes over time moves both.", None),
            Assumption("The step is the same between all waves.", True, "scaled difference test, p = 0.41"),
        ),
        caveats=caveats,
        source=SOURCE,
    )


def panel(
    a_to_b: tuple[float, float] = (0.12, 0.05),
    b_to_a: tuple[float, float] = (0.14, 0.05),
    caveats: tuple[Caveat, ...] = (),
    model: str = "ri-clpm",
) -> DesignResult:
    """A panel that answered both ways, its contrast, its fit, and its refusal of the order."""
    return DesignResult(
        design="panel",
        answers=(
            answer(A_TO_B, estimate(*a_to_b), caveats=caveats, model=model),
            answer(B_TO_A, estimate(*b_to_a), caveats=caveats, model=model),
            answer(JOINT, estimate(a_to_b[0] - b_to_a[0], 0.06), estimand=Estimand.DIRECTION_CONTRAST, model=model),
            answer(
                JOINT, None, estimand=Estimand.ORDER_SHARE, facet=Facet.FIRST, model=model,
                says="A stronger lag is not an earlier onset: a panel of scores cannot say who had it first.",
            ),
        ),
        fits=(
            Fit(
                "panel", model, "converged",
                (Parameter("back_pain <- depression", 0.31, 0.07, 0.17, 0.45, 0.12),),
                loglik=-12345.678, iterations=8, seconds=0.2, indices={"chisq": 25.8, "df": 21.0, "cfi": 0.998},
            ),
        ),
        tables=(Table("panel_models", "Models side by side", ("model", "AIC", "BIC"), (("RI-CLPM", 100.5, 120.25),)),),
        methods="A random-intercept cross-lagged panel model was fitted by full-information maximum likelihood.",
    )  # fmt: skip


MOVES = (
    ("neither", "a", 120), ("neither", "b", 160), ("a", "both", 41), ("b", "both", 47), ("a", "neither", 60),
    ("b", "neither", 90), ("both", "a", 12), ("both", "b", 20), ("neither", "neither", 900),
)  # fmt: skip


def onset(a_to_b: tuple[float, float] = (1.6, 1.2), b_to_a: tuple[float, float] = (1.4, 1.15)) -> DesignResult:
    """An onset cohort: two rate ratios and the order of onset."""
    rate = {"design": "onset", "model": "four-state", "estimand": Estimand.RATE_RATIO, "lag_days": None}
    share = {"design": "onset", "model": "four-state", "estimand": Estimand.ORDER_SHARE, "facet": Facet.FIRST}
    return DesignResult(
        design="onset",
        answers=(
            answer(A_TO_B, estimate(*a_to_b, scale=Scale.RATE_RATIO, events=210), **rate),
            answer(B_TO_A, estimate(*b_to_a, scale=Scale.RATE_RATIO, events=180), **rate),
            answer(A_TO_B, estimate(0.41, 0.05, Scale.SHARE), expected=0.30, **share),
            answer(B_TO_A, estimate(0.47, 0.05, Scale.SHARE), expected=0.58, **share),
            answer(JOINT, estimate(0.12, 0.03, Scale.SHARE), expected=0.12, **share),
        ),
        tables=(Table("state_flow", "Moves between the states", ("from", "to", "moves"), MOVES),),
        methods="A four-state Markov model was fitted to states seen at visits.",
    )


def curves() -> tuple[Answer, ...]:
    """The effect by lag, both ways, and its peak."""
    rows = [
        answer(way, estimate(top * days / 3 * 2.718 ** (1 - days / 3), 0.04), design="diary", model="ct",
               estimand=Estimand.TOTAL, facet=Facet.SPEED, lag_days=days, curve=f"lag.{way}", headline=False,
               name=f"diary.lag.{way}.{days}")
        for way, top in ((A_TO_B, 0.2), (B_TO_A, 0.12))
        for days in (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 7.0)
    ]  # fmt: skip
    peak = Estimate(3.0, 1.8, 4.4, 0.6, Scale.DAYS, 60)
    return (*rows, answer(A_TO_B, peak, design="diary", model="ct", estimand=Estimand.PEAK_LAG, facet=Facet.SPEED))


def diary() -> DesignResult:
    """A diary of sixty people: a total effect each way, a curve, a pathway and a group difference."""
    kind = {"design": "diary", "model": "ct", "estimand": Estimand.TOTAL, "lag_days": 1.0}
    return DesignResult(
        design="diary",
        answers=(
            answer(A_TO_B, estimate(0.08, 0.09, people=60), **kind),
            answer(B_TO_A, estimate(0.01, 0.03, people=60), **kind),
            *curves(),
            answer(A_TO_B, estimate(0.03, 0.02, people=60), design="diary", model="ct", estimand=Estimand.INDIRECT,
                   facet=Facet.PATHWAY, pathway="sleep"),
            answer(A_TO_B, estimate(0.05, 0.08, people=60), design="diary", model="ct", estimand=Estimand.INTERACTION,
                   facet=Facet.WHOM, subgroup="chronic against recent pain"),
        ),
        methods="A continuous-time model with latent person means was fitted.",
    )  # fmt: skip


def evidence(name: str, direction: str, numbers: tuple[float, float | None, float | None], wider: bool) -> Evidence:
    """One published estimate."""
    return Evidence(
        id=f"{name.lower()}_{direction}", citation=f"{name} AB et al. A study of both. J Pain 2004;1:1-9", year=2004,
        doi="10.1000/xyz", doi_confirmed=True, design="cohort", role="effect", direction=direction, pathway=None,
        exposure="depressive symptoms", outcome="troublesome back pain", contrast="high against low", scale="HR",
        estimate=numbers[0], ci_low=numbers[1], ci_high=numbers[2], finding=None, n=790, follow_up_years=1.0,
        adjusted_for="age, sex", population="adults", exposure_is="a", outcome_is="b", wider=wider, note="",
        number_confirmed=True,
    )  # fmt: skip


TOPIC = Topic(
    key="depression-back-pain",
    label="depression and back pain",
    pair=PAIR,
    names={"depression": ("phq9",), "back_pain": ("pain",)},
    pathways=(Pathway("sleep", "poor sleep", "back_pain", "depression", "sleep", ("PSQI",), "both legs numbered"),),
    circumstances=(Circumstance("chronic", "chronic pain", "longer than three months", "older studies differ"),),
    smallest_effects=(SmallestEffect(Scale.SD_PER_SD, 0.05, "a project choice"),),
    evidence=(
        evidence("Carroll", "a_to_b", (3.97, 1.81, 8.72), False),
        evidence("Larson", "a_to_b", (1.9, 1.03, 3.4), False),
        evidence("Yang", "b_to_a", (1.96, 1.41, 2.74), False),
        evidence("Bondesson", "b_to_a", (2.18, 2.14, 2.22), True),
    ),
    claims=(Claim(1, "b_to_a", "Back pain brings on depression", "direction", "", "partly", "", "not settled"),),
    help=("If you are in danger now, call your emergency number.", "Find a helpline: findahelpline.com."),
)
DESCRIPTION = (
    Table(
        "coverage", "People who answered, by wave", ("wave", "both", "depression", "back pain"),
        (("1", 1000, 1000, 1000), ("2", 912, 930, 921), ("3", 870, 881, 884), ("4", 822, 840, 835)),
    ),
    Table("associations", "Associations", ("between", "correlation"), (("depression and back pain, people", 0.4321),)),
)  # fmt: skip
FINDINGS = (Finding(Level.WARNING, "out_of_range", "12 values lie outside 0-10.", "Give --range pain 0 100.", 9),)


def outcome(*results: DesignResult, truth: Mapping[str, float] | None = None) -> Outcome:
    """The road's end for these results."""
    return Outcome(
        topic=TOPIC,
        pair=PAIR,
        source=SOURCE,
        time_unit=TimeUnit.WAVE,
        findings=FINDINGS,
        settings=SETTINGS,
        description=DESCRIPTION,
        results=results,
        verdict=weigh(PAIR, results, SETTINGS),
        command="bothways ask panel.csv --report answer.html",
        simulated=None if truth is None else SimulatedTruth("both-ways", "Each worsens the other.", truth),
    )


def refused() -> DesignResult:
    """A design that could not answer at all."""
    return DesignResult("panel", refused="there is one wave only", mend="Add a later wave.")


PLAIN = outcome(panel(), onset())
FULL = outcome(panel(), onset(), diary(), truth={"panel.ri-clpm.strength.a_to_b": 0.1})
TWO = outcome(panel((0.2, 0.1), (0.02, 0.12), (TWO_WAVES, COMMON), "clpm"))
NOTHING = outcome(refused())
COURSE = Table(
    "course", "Your course", ("day", "depression", "back pain"),
    tuple((float(day), 5 + day % 4, 3 + day % 3 if day % 5 else None) for day in range(40)),
)  # fmt: skip
CARED = replace(
    outcome(replace(panel((0.1, 0.3), (0.0, 0.3)), tables=(COURSE,))),
    care=TOPIC.help,
    one_person=True,
    source=replace(SOURCE, people=1),
)
ONE_WAY = outcome(panel((0.12, 0.05), (0.0, 0.03)))
OUTCOMES = {"plain": PLAIN, "full": FULL, "two": TWO, "nothing": NOTHING, "cared": CARED, "one_way": ONE_WAY}
