"""One simulated world: its records, its true answers, its words; and the way to make one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from bothways.simulation.catalogue import MEDIATORS, PROCESSES, Mediators, WorldSpec, find, with_effect
from bothways.simulation.mechanism import STEP, Mechanism, Pace, Plan, build
from bothways.simulation.observe import Observation
from bothways.simulation.questions import score_truth
from bothways.simulation.score_world import Answers, ask_people
from bothways.simulation.truth import Truth
from bothways.terms.answer import Estimand
from bothways.terms.errors import WorldError
from bothways.terms.question import Condition, Pair, Question
from bothways.terms.records import Records, Roles, Source, TimeUnit

DesignName = Literal["panel", "onset", "diary"]
GAP: Mapping[str, float] = {"panel": 180.0, "diary": 0.5, "onset": 365.0}
TIMES: Mapping[str, int] = {"panel": 5, "diary": 50, "onset": 6}
A, B = "depression", "back_pain"


@dataclass(frozen=True, slots=True)
class World:
    """A simulated world and what was seen of it.

    ``records`` are what a study would hold; ``truth`` answers by intervening in the mechanism; ``says`` tells in
    words what the world holds; ``table`` gives the records as plain columns.
    """

    spec: WorldSpec
    design: DesignName
    records: Records
    mechanism: Mechanism

    @property
    def name(self) -> str:
        """The world's name."""
        return self.spec.name

    @property
    def says(self) -> str:
        """What the world holds, in plain words."""
        return f"A simulated world ('{self.spec.name}'): {self.spec.says}"

    @property
    def pair(self) -> Pair:
        """Depression (A) and back pain (B)."""
        return self.records.pair

    def truth(self, question: Question, estimand: Estimand | None = None) -> Truth:
        """The true answer to ``question``.

        ``estimand`` says which number is meant where a facet has several; left out, it is the facet's usual one.
        ``question.horizon`` is in days; None means one gap. ``question.population.where`` may be "chronic" or
        "recent". Raises WorldError where the world holds no such thing.
        """
        return score_truth(self.mechanism, question, estimand)

    def table(self) -> dict[str, np.ndarray]:
        """The records as long columns: id, wave (from 1) or day, the pair, what else was asked, age and sex."""
        records = self.records
        when = {"day": records.time} if records.wave is None else {"wave": records.wave + 1}
        fixed = {key: column[records.person] for key, column in records.baseline.items()}
        return {"id": records.person + 1, **when, **records.values, **fixed}


def simulate(
    name: str | WorldSpec,
    *,
    people: int = 1000,
    waves: int | None = None,
    seed: int | np.random.Generator = 1,
    design: DesignName = "panel",
    effect: float | tuple[float, float] | None = None,
    observation: Observation | None = None,
    mediators: Mediators | None = None,
    icc: float = 0.5,
    trait_correlation: float = 0.4,
    step: float | None = None,
) -> World:
    """Simulate one world and observe it.

    Parameters
    ----------
    name : a world's name (see ``worlds()``) or a specification of one's own.
    people, waves : how many people, each asked how often (5 waves, 6 visits, 50 diary answers where left out).
    seed : an integer or a generator; the same seed gives the same digits.
    effect : true size of the world's arrows, or a pair (A to B, B to A): the standardised within-person cross-lag
        over one gap in a panel or diary, the rate ratio in an onset cohort.
    mediators : "collapsed", one direct arrow for each direction and Gaussian disturbances, so that what is seen at
        equal gaps is exactly a random-intercept VAR(1); "modelled", every pathway of the source article as a
        process of its own, with shocks. Left out, the world's own.
    icc, trait_correlation : share of variance between people, and the correlation of their usual levels.
    step : days of one small step (1 in a panel, a quarter of an hour in a diary).

    Raises WorldError for an unknown world, too few people or waves, or an effect that no coupling reaches.
    """
    how = observation or Observation()
    if people < 1 or (waves is not None and waves < 1):
        raise WorldError("people and waves", "there must be at least one of each", "Give positive numbers.")
    spec = with_effect(find(name) if isinstance(name, str) else name, effect)
    mechanism = build(plan_of(spec, design, how, mediators, icc, trait_correlation, step))
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    asked, baseline = rng.spawn(2)
    answers = ask_people(mechanism, people, waves or TIMES[design], how, asked)
    common = design == "panel" and not how.jitter
    records = _records(spec, mechanism, answers, who(people, baseline), common)
    return World(spec, design, records, mechanism)


def plan_of(
    spec: WorldSpec,
    pace: Pace,
    how: Observation,
    mediators: Mediators | None,
    icc: float,
    trait_correlation: float,
    step: float | None,
) -> Plan:
    """The plan of a panel or diary: the gap as a whole number of steps no longer than the one asked for."""
    if not 0 <= icc < 1 or not -1 < trait_correlation < 1:
        raise WorldError("icc and trait_correlation", "out of range", "Give 0 <= icc < 1 and a correlation inside ±1.")
    gap = how.gap or GAP[pace]
    small = gap / np.ceil(gap / (step or STEP[pace]) - 1e-9)
    return Plan(spec, pace, mediators or spec.mediators, gap, float(small), icc, trait_correlation)


def who(people: int, rng: np.random.Generator) -> dict[str, Float[np.ndarray, "people"]]:
    """What does not change: age at entry and sex (1 for women). Neither plays a part in any world's mechanism."""
    return {"age": rng.integers(20, 71, people).astype(float), "sex": rng.integers(0, 2, people).astype(float)}


def _records(
    spec: WorldSpec,
    mechanism: Mechanism,
    answers: Answers,
    baseline: dict[str, Float[np.ndarray, "people"]],
    common: bool,
) -> Records:
    """Long records: a row for each time that a person who had not left was asked."""
    people, times = answers.days.shape
    here = ~answers.gaps.left
    person, occasion = np.nonzero(here)
    keys = (*mechanism.variables, "chronic")
    shown = [k for k, key in enumerate(keys) if key != "chronic" or "chronic" in spec.seen]
    values = {keys[k]: answers.values[here, k] for k in shown}
    missed = {keys[k]: {"not answered": int(answers.gaps.skipped[..., k].sum())} for k in shown}
    return Records(
        pair=PAIR,
        person=person,
        time=answers.days[here],
        time_unit=TimeUnit.DAY,
        values=values,
        roles=roles_of(tuple(values), "wave" if common else "day"),
        source=source_of(spec.name, values, people),
        wave=occasion if common else None,
        wave_days=answers.days[0] if common else None,
        baseline=baseline,
        labels=labels_of(tuple(values)),
        reasons={key: counts for key, counts in missed.items() if counts["not answered"]},
    )


PAIR = Pair(Condition(A, PROCESSES[A].label), Condition(B, PROCESSES[B].label))


def roles_of(keys: tuple[str, ...], time: str) -> Roles:
    """Roles of the columns: the pair, the mediators as pathways, what else was asked as covariates."""
    others = tuple(key for key in keys if key not in (A, B, "chronic") and key not in MEDIATORS)
    return Roles(
        id="id",
        time=time,
        a=(A,),
        b=(B,),
        pathways=tuple(key for key in keys if key in MEDIATORS),
        covariates=others,
        by=tuple(key for key in keys if key == "chronic"),
    )


def labels_of(keys: tuple[str, ...]) -> dict[str, str]:
    """How a person reads each column."""
    extra = {"chronic": "pain for over three months", "age": "age", "sex": "sex"}
    return {key: PROCESSES[key].label if key in PROCESSES else extra.get(key, key) for key in (*keys, "age", "sex")}


def source_of(name: str, values: Mapping[str, Float[np.ndarray, "rows"]], people: int) -> Source:
    """Where the records came from: a simulated world, with a digest of the values."""
    digest = hashlib.sha256()
    for key, column in values.items():
        digest.update(key.encode())
        digest.update(np.ascontiguousarray(column).tobytes())
    rows = len(next(iter(values.values())))
    return Source(f"simulated:{name}", digest.hexdigest(), rows, people)
