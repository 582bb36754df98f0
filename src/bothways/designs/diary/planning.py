"""How precise a diary would be, before it is begun: the information of simulated answers at a stated truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import brentq
from scipy.stats import norm

from bothways.engine.statespace.effects import standardised_effect
from bothways.engine.statespace.fit import total_and_gradient
from bothways.engine.statespace.optimise import difference_hessian
from bothways.engine.statespace.series import Series, make_series
from bothways.engine.statespace.simulate import simulate_answers
from bothways.engine.statespace.structure import Structure, multivariate

DAY_SHARE = 14.0 / 24.0  # prompts fall within fourteen waking hours
DRAWS = 6  # simulated diaries whose information is averaged


@dataclass(frozen=True, slots=True)
class DiaryPlan:
    """What is assumed of a diary to come.

    ``effect`` is the standardised total effect of A on B at ``lag`` days; B has none on A. ``half_life`` is in days,
    ``error`` the variance of chance in answering beside a variance of one within persons, ``usual`` that of people's
    usual levels.
    """

    people: int
    days: float
    prompts: float = 5.0
    effect: float = 0.1
    lag: float = 0.125
    half_life: float = 0.35
    error: float = 0.2
    answered: float = 0.85
    usual: float = 1.0


@dataclass(frozen=True, slots=True)
class Precision:
    """Expected standard error of the effect, the chance that its interval excludes zero, and answers in all."""

    se: float
    power: float
    answers: int


def expected_precision(plan: DiaryPlan, seed: int = 1, level: float = 0.95) -> Precision:
    """The delta method on the mean of −∂²ℓ/∂θ∂θ' over simulated diaries at the truth.

    Raises ValueError where the effect is larger than two processes of this half-life can have.
    """
    rng = np.random.default_rng(seed)
    structure = multivariate(("a", "b"), random_means=plan.people > 1, error=plan.error > 0)
    theta = _truth(structure, plan)
    information = np.zeros((structure.size, structure.size))
    answers = 0
    for child in rng.spawn(DRAWS):
        series = _occasions(plan, child)
        series = series.with_values(simulate_answers(structure.system(theta), series, child))
        found = total_and_gradient(structure, series, theta)
        if found is None:
            raise ValueError("the likelihood of this plan is not defined")
        objective = partial(total_and_gradient, structure, series)
        at = difference_hessian(objective, theta, found[1], central=True)
        information += at / DRAWS
        answers += int(np.isfinite(series.values).all(axis=1).sum()) // DRAWS
    gradient = _effect_gradient(structure, theta, plan.lag)
    se = float(np.sqrt(gradient @ np.linalg.solve(information, gradient)))
    power = float(norm.sf(norm.ppf(0.5 + level / 2) - abs(plan.effect) / se))
    return Precision(se, power, answers)


def _truth(structure: Structure, plan: DiaryPlan) -> np.ndarray:
    """The free vector: unit variances within persons, correlated only by the arrow."""
    rate = np.log(2.0) / plan.half_life

    def matrices(arrow: float) -> tuple[np.ndarray, np.ndarray]:
        A = np.array([[-rate, 0.0], [arrow, -rate]])
        S = np.eye(2)
        return A, -(A @ S + S @ A.T)

    def miss(arrow: float) -> float:
        A, Q = matrices(arrow)
        return float(standardised_effect(A[None], Q[None], np.array([plan.lag]))[0, 0, 1, 0]) - plan.effect

    most = 1.99 * rate
    if miss(-most) > 0 or miss(most) < 0:
        raise ValueError(f"a standardised effect of {plan.effect:g} at this lag needs processes that last longer")
    A, Q = matrices(brentq(miss, -most, most))
    spread = np.eye(len(structure.static_root)) * np.sqrt(plan.usual)
    filled = structure.patterns(np.zeros(structure.size))
    filled |= {"drift": A, "diffusion_root": np.linalg.cholesky(Q), "static_root": spread}
    filled |= {"noise": np.full(2, plan.error), "level": np.zeros((2, 1))}
    return structure.theta(filled)


def _occasions(plan: DiaryPlan, rng: np.random.Generator) -> Series:
    """Prompts at random times within waking hours, answered or not."""
    per_day = max(round(plan.prompts), 1)
    days = max(round(plan.days), 1)
    when, person = [], []
    for i in range(plan.people):
        times = np.sort(np.arange(days)[:, None] + DAY_SHARE * rng.random((days, per_day)), axis=None)
        times = np.unique(np.rint(times * 1440)) / 1440
        when.append(times)
        person.append(np.full(times.size, i))
    time = np.concatenate(when)
    values = np.where(rng.random((time.size, 2)) < plan.answered, 0.0, np.nan)
    basis = np.ones((time.size, 1)) if plan.people > 1 else None
    return make_series(np.concatenate(person), time, values, basis=basis)


def _effect_gradient(structure: Structure, theta: np.ndarray, lag: float) -> np.ndarray:
    steps = 1e-5 * np.eye(theta.size)
    systems = [structure.system(t) for t in np.vstack([theta + steps, theta - steps])]
    values = standardised_effect(
        np.array([s.drift for s in systems]), np.array([s.diffusion for s in systems]), np.array([lag])
    )[:, 0, 1, 0]
    return np.asarray((values[: theta.size] - values[theta.size :]) / 2e-5)
