"""How much of the arm's effect on one condition runs through the other: a product of two steps, by wave.

    arm → A(t) → B(t+1)        a = effect of the arm on A(t);   b = slope of B(t+1) on A(t), with B(t), every answer
                               before treatment, the arm and the covariates held;   through A: a·b

a·b is drawn by Monte Carlo from the joint normal law of a and b (MacKinnon et al. 2004). It is nil if the residuals of
A(t) and B(t+1) owe their whole correlation ρ to an unmeasured cause (Imai, Keele & Yamamoto 2010, Stat. Sci. 25:51): ρ
is the sensitivity.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bothways.designs.trial.estimation import Compared
from bothways.designs.trial.lever import ENDS, Lever
from bothways.designs.trial.setup import variable
from bothways.engine.panel_models.constrained import partial_correlation, slopes
from bothways.terms.question import Direction

DRAWS = 20_000


@dataclass(frozen=True, slots=True)
class Part:
    """A number with its limits."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Mediated:
    """One arm in one direction, in SDs of the outcome (``second`` in SD per SD); ``nil_at`` is the sensitivity ρ."""

    direction: Direction
    arm: str
    cause_wave: int
    outcome_wave: int
    first: Part
    second: Part
    through: Part
    total: Part
    rest: Part
    share: Part | None
    nil_at: float


def mediated(compared: Compared, lever: Lever, level: float, seed: int) -> tuple[Mediated, ...]:
    """Every arm's effect through the cause; none where the cause did not move or nothing was asked after it."""
    setup = compared.setup
    cause, outcome = ENDS[lever.direction]
    asked = [t for k, t in setup.cells if k == outcome]
    if lever.cause is None or lever.cause not in asked:
        return ()
    then = next((t for t in asked if t > lever.cause), None)
    if then is None:
        return ()
    A, B = variable(cause, lever.cause), variable(outcome, then)
    given = [*setup.dummies, *(f"z.{n}" for n in setup.covariates), *(variable(k, 0) for k in setup.before)]
    held = [*given, variable(outcome, lever.cause)]
    rng = np.random.default_rng(seed)
    return tuple(
        _one(compared, lever, (A, B), held, g, then, level, rng) for g in range(1, len(setup.arms.labels))
    )  # fmt: skip


def _one(
    compared: Compared,
    lever: Lever,
    ends: tuple[str, str],
    held: list[str],
    g: int,
    then: int,
    level: float,
    rng: np.random.Generator,
) -> Mediated:
    A, B = ends
    model = compared.fit.model
    step = slopes(model, B, [A, *held])
    at_first, at_total = (model.parameters.index(f"effect[{y},arm{g}]") for y in (A, B))

    def parts(alpha: np.ndarray) -> np.ndarray:
        return np.stack([alpha[..., at_first], step(alpha)[..., 0], alpha[..., at_total]], axis=-1)

    found = compared.function(parts, level)
    value, V = np.asarray(found.value), found.covariance
    draws = rng.multivariate_normal(value, V, size=DRAWS, method="eigh")
    product, total = draws[:, 0] * draws[:, 1], draws[:, 2]
    tail = 0.5 - level / 2

    def part(point: float, drawn: np.ndarray) -> Part:
        low, high = np.quantile(drawn, [tail, 1 - tail])
        return Part(point, float(low), float(high))

    known = [Part(float(value[i]), float(found.low[i]), float(found.high[i])) for i in range(3)]
    through = float(value[0] * value[1])
    clear = known[2].low > 0 or known[2].high < 0
    share = part(through / float(value[2]), product / total) if clear else None
    rho = float(partial_correlation(model, A, B, held)(compared.fit.alpha)[0])
    return Mediated(
        lever.direction, compared.setup.arms.labels[g], lever.cause or 0, then, known[0], known[1],
        part(through, product), known[2], part(float(value[2]) - through, total - product), share, rho,
    )  # fmt: skip
