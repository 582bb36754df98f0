"""One simulated world: its records, its true answers, its words; and the way to make one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from bothways.simulation.build import build
from bothways.simulation.catalogue import OnsetRates, WorldSpec, find, with_effect, with_ratio
from bothways.simulation.lives import YEAR
from bothways.simulation.mechanism import STEP, Mechanism, Pace, Plan
from bothways.simulation.observe import Observation
from bothways.simulation.onset_truth import (
    Intervention,
    OnsetMechanism,
    Order,
    begun,
    median_time,
    occupancy,
    onset_truth,
    order,
)
from bothways.simulation.onset_world import follow
from bothways.simulation.processes import Mediators
from bothways.simulation.questions import score_truth
from bothways.simulation.score_world import ask_people
from bothways.simulation.truth import Truth
from bothways.simulation.write import onset_records, score_records, who
from bothways.terms.answer import Estimand
from bothways.terms.errors import WorldError
from bothways.terms.question import Direction, Pair, Question
from bothways.terms.records import Records

DesignName = Literal["panel", "onset", "diary"]
GAP = {"panel": 180.0, "diary": 0.5, "onset": YEAR}
TIMES = {"panel": 5, "diary": 50, "onset": 6}


@dataclass(frozen=True, slots=True)
class World:
    """A simulated world and what was seen of it.

    ``records`` are what a study would hold; ``truth`` answers by intervening in the mechanism; ``says`` tells in
    words what the world holds; ``table`` gives the records as plain columns.
    """

    spec: WorldSpec
    design: DesignName
    records: Records
    mechanism: Mechanism | OnsetMechanism

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
        ``question.horizon`` is in days; None means one gap, or in an onset cohort the whole of follow-up.
        ``question.population.where`` may be "chronic" or "recent". Raises WorldError where the world holds no such
        thing.
        """
        if isinstance(self.mechanism, OnsetMechanism):
            return onset_truth(self.mechanism, question, estimand)
        return score_truth(self.mechanism, question, estimand)

    def order(self, horizon: float | None = None, unrelated: bool = False) -> Order:
        """Who had it first, of people free of both at entry (onset worlds); ``unrelated`` sets both ratios to one."""
        cohort = self._cohort()
        return order(cohort, cohort.follow_up if horizon is None else horizon, unrelated)

    def occupancy(
        self, day: float, direction: Direction = Direction.A_TO_B, intervention: Intervention = "as_is"
    ) -> Float[np.ndarray, "5"]:
        """Shares in neither, depression, back pain, both and dead on ``day`` (onset worlds).

        "effect_removed" takes away what the first condition of ``direction`` does to onsets of the other from
        entry on; "onset_prevented" its own onsets.
        """
        return occupancy(self._cohort(), day, direction is not Direction.B_TO_A, intervention)

    def begun(self, day: float, direction: Direction = Direction.A_TO_B, cause_present: bool = True) -> float:
        """The share in whom the second of ``direction`` has begun by ``day`` (onset worlds).

        Of people who at entry had the first alone or, without ``cause_present``, neither.
        """
        return begun(self._cohort(), day, direction is not Direction.B_TO_A, cause_present)

    def median_time(self, direction: Direction = Direction.A_TO_B, cause_present: bool = True) -> float:
        """Days until half of those have begun it; infinite beyond 200 years (onset worlds)."""
        return median_time(self._cohort(), direction is not Direction.B_TO_A, cause_present)

    def _cohort(self) -> OnsetMechanism:
        if isinstance(self.mechanism, OnsetMechanism):
            return self.mechanism
        raise WorldError(f"world '{self.name}', {self.design}", "it holds scores, not onsets", "Use design='onset'.")

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
    rates: OnsetRates | None = None,
) -> World:
    """Simulate one world and observe it.

    Parameters
    ----------
    name : a world's name (see ``worlds()``) or a specification of one's own.
    people, waves : how many people, each asked how often (5 waves, 6 visits, 50 diary answers where left out).
    seed : an integer or a generator; the same seed gives the same digits.
    design : seen as a panel of waves, an onset cohort (0/1 states at visits, or dated) or a diary.
    effect : true size of the world's arrows, or a pair (A to B, B to A): the standardised within-person cross-lag
        over one gap in a panel or diary (in chronic-only, of the arrow while it is open), the rate ratio in an
        onset cohort. A single number moves only the arrows that the world has.
    mediators : "collapsed", one direct arrow for each direction and Gaussian disturbances, so that what is seen at
        equal gaps is exactly a random-intercept VAR(1); "modelled", every pathway of the source article as a
        process of its own, with shocks. Left out, the world's own.
    icc, trait_correlation : share of variance between people, and the correlation of their usual levels.
    step : days of one small step (1 in a panel, a quarter of an hour in a diary; an onset cohort needs none).
    rates : rates of an onset cohort in place of the world's own.

    Raises WorldError for an unknown world, too few people or waves, or an effect that no coupling reaches.
    """
    how = observation or Observation()
    if design not in TIMES:
        raise WorldError(f"design '{design}'", "no world is seen so", f"Choose one of: {', '.join(TIMES)}.")
    times = TIMES[design] if waves is None else waves
    if people < 1 or times < 1:
        raise WorldError("people and waves", "there must be at least one of each", "Give positive numbers.")
    spec = find(name) if isinstance(name, str) else name
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    asked, fixed = rng.spawn(2)
    if design == "onset":
        spec = with_ratio(replace(spec, onset=rates or spec.onset), effect)
        cohort = OnsetMechanism(spec.onset, how.entry, (how.gap or GAP[design]) * max(times - 1, 1))
        followed = follow(cohort, people, times, how, asked)
        return World(spec, design, onset_records(spec, followed, who(people, fixed), how), cohort)
    spec = with_effect(spec, effect)
    mechanism = build(plan_of(spec, design, how, mediators, icc, trait_correlation, step))
    answers = ask_people(mechanism, people, times, how, asked)
    common = design == "panel" and not how.jitter
    return World(spec, design, score_records(spec, mechanism, answers, who(people, fixed), common), mechanism)


def plan_of(
    spec: WorldSpec,
    pace: Pace,
    how: Observation,
    mediators: Mediators | None = None,
    icc: float = 0.5,
    trait_correlation: float = 0.4,
    step: float | None = None,
) -> Plan:
    """The plan of a panel or diary: the gap as a whole number of steps no longer than the one asked for."""
    if not 0 <= icc < 1 or not -1 < trait_correlation < 1:
        raise WorldError("icc and trait_correlation", "out of range", "Give 0 <= icc < 1 and a correlation inside ±1.")
    gap = how.gap or GAP[pace]
    small = gap / np.ceil(gap / (step or STEP[pace]) - 1e-9)
    return Plan(spec, pace, mediators or spec.mediators, gap, float(small), icc, trait_correlation)
