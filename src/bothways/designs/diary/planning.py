"""How precise a diary would be, before it is begun.

    se(T̂_ij)² = ∇T' I⁻¹ ∇T,    I = N mean(I_i) over drawn schedules of prompts (the module `expected`)

The information grows with the answers, so that errors fall with the root of the days of one person, or of the people.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from bothways.designs.diary.assumed import HOURS, AssumedDiary, analysed, occasions
from bothways.designs.diary.design import LEAST_ANSWERS, LEAST_ANSWERS_ALONE
from bothways.designs.diary.expected import covariance_parameters, person_information
from bothways.designs.diary.promise import verify
from bothways.designs.power.panel import chance_to_read
from bothways.designs.power.verify import Verification
from bothways.engine.power import needed_people, wald_power
from bothways.engine.statespace.effects import standardised_effect
from bothways.engine.statespace.structure import Structure
from bothways.terms.answer import Table
from bothways.terms.errors import QuestionError
from bothways.terms.progress import Progress, silent

CURVE = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)  # of the planned days of one person, or of the planned people
SCHEDULES = 3  # drawn, of which the information is averaged
WINDOW = 200  # answers of one person at most: a longer diary is so many windows, each as if nothing came before it


@dataclass(frozen=True, slots=True)
class DiaryPoint:
    """What a size buys; pairs are A to B, B to A. ``predicts`` is the chance of that reading."""

    people: int
    days: int
    answers: float
    se: tuple[float, float]
    half_width: tuple[float, float]
    power: tuple[float, float]
    predicts: tuple[float, float]


@dataclass(frozen=True, slots=True)
class DiaryPlan:
    """A planned diary. ``needed`` are days (of one person) or people for ``target`` power; None where no effect is.

    ``curve`` is in rising order of days or people; ``verified`` holds the simulation, where one was asked for.
    """

    assumed: AssumedDiary
    lag_hours: float
    level: float
    target: float
    smallest_effect: float
    point: DiaryPoint
    needed: tuple[int | None, int | None]
    curve: tuple[DiaryPoint, ...]
    verified: Verification | None = None

    def table(self) -> Table:
        """Power and precision against days or people."""
        rows = tuple(
            (p.people, p.days, p.answers, *(x for k in (0, 1) for x in (p.se[k], p.half_width[k], p.power[k])))
            for p in self.curve
        )
        ways = (f"{d} {c}" for d in ("a_to_b", "b_to_a") for c in ("se", "±", "power"))
        return Table("plan.diary", "What a longer diary buys", ("people", "days", "answers", *ways), rows)


def plan_diary(
    people: int = 1,
    days: int = 60,
    prompts: int = 5,
    effect: float | tuple[float, float] = 0.1,
    lag: float | None = None,
    carry_over: float = 0.5,
    correlation: float = 0.3,
    error: float = 0.2,
    missing: float = 0.2,
    night: float = 10.0,
    icc: float = 0.5,
    level: float = 0.95,
    power: float = 0.8,
    smallest_effect: float = 0.05,
    simulations: int = 0,
    seed: int = 1,
    progress: Progress = silent,
) -> DiaryPlan:
    """Plan a diary of ``people`` over ``days`` with ``prompts`` a day, answered in continuous time.

    Parameters
    ----------
    effect : the standardised total effect of A on B after ``lag`` hours, with none the other way, or both as a pair.
    power : the power that ``needed`` days (of one person) or people shall reach.
    simulations : diaries that are simulated and fitted to verify the approximation; 0 for none.

    The other assumptions are those of ``AssumedDiary``. Raises QuestionError for a plan that cannot be.
    """
    if not 0 < power < 1 or not 0 < level < 1:
        raise QuestionError("the plan", "power or level is out of range", "Give shares between 0 and 1")
    effects = effect if isinstance(effect, tuple) else (float(effect), 0.0)
    assumed = AssumedDiary(people, days, prompts, effects, lag, carry_over, correlation, error, missing, night, icc)
    _refuse_short(assumed)
    progress("plan: information of such diaries", 0.0)
    errors = expected_errors(assumed, seed)
    size = days if people == 1 else people
    least = _least_days(assumed) if people == 1 else 1
    sizes = sorted({max(least, round(size * times)) for times in CURVE} | {size})
    curve = tuple(_point(assumed, n, errors * np.sqrt(size / n), level, smallest_effect) for n in sizes)
    needed = tuple(_needed(assumed, e, float(se), size, power, level) for e, se in zip(effects, errors, strict=True))
    checked = verify(assumed, level, simulations, seed, progress) if simulations else None
    point = curve[sizes.index(size)]
    return DiaryPlan(
        assumed, assumed.lag_hours, level, power, smallest_effect, point, (needed[0], needed[1]), curve, checked
    )  # fmt: skip


def expected_errors(assumed: AssumedDiary, seed: int = 1) -> Float[np.ndarray, "2"]:
    """Expected standard errors of the effects A on B and B on A, by the delta method at the truth."""
    structure, theta = analysed(assumed)
    shorter = min(1.0, WINDOW / assumed.answers_each)
    part = replace(assumed, days=max(1, round(assumed.days * shorter)))
    schedules = [occasions(part, 1, child) for child in np.random.default_rng(seed).spawn(SCHEDULES)]
    information = sum(person_information(structure, theta, series) for series in schedules) / SCHEDULES
    information = information * assumed.people * assumed.days / part.days
    J = effect_slopes(structure, theta, assumed.lag_hours / HOURS)[:, covariance_parameters(structure)]
    return np.asarray(np.sqrt(np.diag(J @ np.linalg.solve(information, J.T))))


def effect_slopes(structure: Structure, theta: Float[np.ndarray, " q"], lag: float) -> Float[np.ndarray, "2 q"]:
    """∂(T₂₁, T₁₂)/∂θ, standardised, by central differences."""
    steps = 1e-5 * np.eye(theta.size)
    systems = [structure.system(t) for t in np.vstack([theta + steps, theta - steps])]
    drift, diffusion = np.array([s.drift for s in systems]), np.array([s.diffusion for s in systems])
    T = standardised_effect(drift, diffusion, np.array([lag]))[:, 0]
    both = np.stack([T[:, 1, 0], T[:, 0, 1]])
    return np.asarray((both[:, : theta.size] - both[:, theta.size :]) / 2e-5)


def _refuse_short(assumed: AssumedDiary) -> None:
    least = LEAST_ANSWERS_ALONE if assumed.people == 1 else LEAST_ANSWERS
    if assumed.answers_each < least:
        raise QuestionError(
            "--days", f"they give about {assumed.answers_each:.0f} answers a person, and a diary needs {least}",
            f"Give {_least_days(assumed)} days or more, or more prompts a day",
        )  # fmt: skip


def _least_days(assumed: AssumedDiary) -> int:
    least = LEAST_ANSWERS_ALONE if assumed.people == 1 else LEAST_ANSWERS
    return int(np.ceil(least / (assumed.prompts * (1 - assumed.missing))))


def _needed(assumed: AssumedDiary, effect: float, error: float, size: int, power: float, level: float) -> int | None:
    """Days of one person (never fewer than the design takes) or people."""
    if effect == 0:
        return None
    found = needed_people(abs(effect), error, size, power, 1 - level)
    return max(found, _least_days(assumed)) if assumed.people == 1 else found


def _point(
    assumed: AssumedDiary, size: int, errors: Float[np.ndarray, "2"], level: float, smallest: float
) -> DiaryPoint:
    people, days = (1, size) if assumed.people == 1 else (size, assumed.days)
    reach = float(ndtri(0.5 + level / 2))
    ab, ba = (float(e) for e in errors)
    to_b, to_a = assumed.effects
    return DiaryPoint(
        people,
        days,
        people * days * assumed.prompts * (1 - assumed.missing),
        (ab, ba),
        (reach * ab, reach * ba),
        (wald_power(to_b, ab, 1 - level), wald_power(to_a, ba, 1 - level)),
        (chance_to_read(to_b, ab, level, smallest), chance_to_read(to_a, ba, level, smallest)),
    )
