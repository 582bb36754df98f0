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
from bothways.engine.parameters import Smooth
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


@dataclass(frozen=True, slots=True, eq=False)
class _Way:
    """One direction from ``cause_wave`` to ``outcome_wave``: the names of its variables in the model."""

    compared: Compared
    direction: Direction
    cause_wave: int
    outcome_wave: int

    @property
    def ends(self) -> tuple[str, str]:
        """A(t) and B(t+1)."""
        cause, outcome = ENDS[self.direction]
        return variable(cause, self.cause_wave), variable(outcome, self.outcome_wave)

    @property
    def held(self) -> list[str]:
        """B(t), the arms, the covariates and every answer before treatment."""
        setup = self.compared.setup
        covariates, before = (f"z.{n}" for n in setup.covariates), (variable(k, 0) for k in setup.before)
        return [variable(ENDS[self.direction][1], self.cause_wave), *setup.dummies, *covariates, *before]

    def steps(self, g: int) -> Smooth:
        """α -> (a, b, the arm's whole effect on B(t+1)) of arm g."""
        (A, B), model = self.ends, self.compared.fit.model
        slope = slopes(model, B, [A, *self.held])
        first, total = (model.parameters.index(f"effect[{y},arm{g}]") for y in (A, B))
        return lambda alpha: np.stack([alpha[..., first], slope(alpha)[..., 0], alpha[..., total]], axis=-1)

    def sensitivity(self) -> float:
        """The correlation of what is left of A(t) and B(t+1) once all that is held is taken out."""
        return float(partial_correlation(self.compared.fit.model, *self.ends, self.held)(self.compared.fit.alpha)[0])


def mediated(compared: Compared, lever: Lever, level: float, seed: int) -> tuple[Mediated, ...]:
    """Every arm's effect through the cause; none where the cause did not move or nothing was asked after it."""
    asked = [t for k, t in compared.setup.cells if k == ENDS[lever.direction][1]]
    if lever.cause is None or lever.cause not in asked or lever.cause == max(asked):
        return ()
    then = min(t for t in asked if t > lever.cause)
    way, rng = _Way(compared, lever.direction, lever.cause, then), np.random.default_rng(seed)
    return tuple(_one(way, g, level, rng) for g in range(1, len(compared.setup.arms.labels)))


def _one(way: _Way, g: int, level: float, rng: np.random.Generator) -> Mediated:
    """One arm: the two steps, their product, and what is left of the whole."""
    found = way.compared.function(way.steps(g), level)
    a, b, total = (Part(*(float(x[i]) for x in (found.value, found.low, found.high))) for i in range(3))
    draws = rng.multivariate_normal(np.asarray(found.value), found.covariance, size=DRAWS, method="eigh")
    product, whole = draws[:, 0] * draws[:, 1], draws[:, 2]
    through = a.value * b.value
    clear = total.low > 0 or total.high < 0
    return Mediated(
        way.direction, way.compared.setup.arms.labels[g], way.cause_wave, way.outcome_wave, a, b,
        _part(through, product, level), total, _part(total.value - through, whole - product, level),
        _part(through / total.value, product / whole, level) if clear else None, way.sensitivity(),
    )  # fmt: skip


def _part(value: float, drawn: np.ndarray, level: float) -> Part:
    low, high = np.quantile(drawn, [0.5 - level / 2, 0.5 + level / 2])
    return Part(value, float(low), float(high))
