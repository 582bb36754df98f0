"""Power, precision and people for a panel, from one evaluation of the expected information.

    se(β̂)² = ∇β' I⁻¹ ∇β,    I = N Σ_k π_k I_k  over the patterns k of who is seen when

with β the standardised within-person lag (mean over intervals). An answer reads "comes before and predicts" where its
interval excludes zero and is not wholly inside the smallest effect of interest d:

    P(β̂ > c) + P(β̂ < −c),    c = max(z se, d − z se)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from bothways.designs.power.assumed import Assumed, analysed, coverage, pair_of_lags
from bothways.designs.power.verify import Verification, verify
from bothways.engine.parameters import complex_step
from bothways.engine.power import needed_people, planned_covariance, wald_power
from bothways.terms.answer import Table
from bothways.terms.errors import QuestionError
from bothways.terms.progress import Progress, silent

CURVE = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)  # people of the curve, as multiples of the planned number


@dataclass(frozen=True, slots=True)
class PlanPoint:
    """What a number of people buys; pairs are A to B, B to A. ``predicts`` is the chance of that reading."""

    people: int
    se: tuple[float, float]
    half_width: tuple[float, float]
    power: tuple[float, float]
    predicts: tuple[float, float]
    contrast_se: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A planned panel. ``needed`` are people for ``target`` power in each direction, None where no effect is assumed.

    ``curve`` is in rising order of people; ``verified`` holds the simulation, where one was asked for.
    """

    assumed: Assumed
    level: float
    target: float
    smallest_effect: float
    point: PlanPoint
    needed: tuple[int | None, int | None]
    curve: tuple[PlanPoint, ...]
    verified: Verification | None = None

    def table(self) -> Table:
        """Power and precision against people."""
        rows = tuple(
            (p.people, *(x for k in (0, 1) for x in (p.se[k], p.half_width[k], p.power[k], p.predicts[k])))
            for p in self.curve
        )
        columns = ("people", *(f"{d} {c}" for d in ("a_to_b", "b_to_a") for c in ("se", "±", "power", "predicts")))
        return Table("plan.panel", "What more people buy", columns, rows)


def plan_panel(
    people: int = 300,
    waves: int = 4,
    icc: float = 0.5,
    effect: float | tuple[float, float] = 0.07,
    autoregression: float | tuple[float, ...] = 0.3,
    correlation: float = 0.3,
    trait_correlation: float = 0.4,
    dropout: float = 0.0,
    missing: float = 0.0,
    processes: int = 2,
    level: float = 0.95,
    power: float = 0.8,
    smallest_effect: float = 0.05,
    simulations: int = 0,
    seed: int = 1,
    progress: Progress = silent,
) -> Plan:
    """Plan a panel of ``people`` at ``waves``, answered by the RI-CLPM with lags equal over time.

    Parameters
    ----------
    effect : the standardised within-person lag from A to B, with none the other way, or both as a pair.
    dropout, missing : the share that leaves for good before each later wave; the share that misses a wave.
    power : the power that ``needed`` people shall reach.
    simulations : worlds that are simulated and fitted to verify the approximation; 0 for none.

    The other assumptions are those of ``Assumed``. Raises QuestionError for a plan that cannot be.
    """
    if people < 1 or not 0 < power < 1 or not 0 < level < 1:
        raise QuestionError("the plan", "people, power or level is out of range", "Give people > 0 and shares below 1")
    effects = effect if isinstance(effect, tuple) else (float(effect), 0.0)
    assumed = Assumed(waves, effects, icc, autoregression, correlation, trait_correlation, dropout, missing, processes)
    unit = unit_errors(assumed)
    many = sorted({max(1, round(people * times)) for times in CURVE} | {people})
    curve = tuple(_point(n, effects, unit, level, smallest_effect) for n in many)
    needed = tuple(
        None if size == 0 else needed_people(abs(size), float(error), 1.0, power, 1 - level)
        for size, error in zip(effects, unit, strict=False)
    )
    checked = verify(assumed, people, level, simulations, seed, progress) if simulations else None
    point = curve[many.index(people)]
    return Plan(assumed, level, power, smallest_effect, point, (needed[0], needed[1]), curve, checked)


def unit_errors(assumed: Assumed) -> Float[np.ndarray, "3"]:
    """Standard errors of the two lags and of their contrast for a single person; those of N are these over √N."""
    model, alpha = analysed(assumed)
    V = planned_covariance(model, alpha, [1.0], coverage(assumed))
    slope = complex_step(pair_of_lags(model), alpha)
    signs = np.sign(assumed.effects)
    signs = np.where(signs == 0, 1.0, signs)
    all_three = np.vstack([slope, signs[0] * slope[0] - signs[1] * slope[1]])
    return np.asarray(np.sqrt(np.einsum("ai,ij,aj->a", all_three, V, all_three)))


def _point(
    people: int, effects: Sequence[float], unit: Float[np.ndarray, "3"], level: float, smallest: float
) -> PlanPoint:
    errors = [float(error) / people**0.5 for error in unit]
    reach = float(ndtri(0.5 + level / 2))
    power = [wald_power(size, error, 1 - level) for size, error in zip(effects, errors, strict=False)]
    predicts = [chance_to_read(size, error, level, smallest) for size, error in zip(effects, errors, strict=False)]
    return PlanPoint(
        people,
        (errors[0], errors[1]),
        (reach * errors[0], reach * errors[1]),
        (power[0], power[1]),
        (predicts[0], predicts[1]),
        errors[2],
    )


def chance_to_read(effect: float, error: float, level: float, smallest: float) -> float:
    """The chance that an estimate reads "comes before and predicts"."""
    reach = float(ndtri(0.5 + level / 2)) * error
    least = max(reach, smallest - reach)
    return float(ndtr(-((least - effect) / error)) + ndtr((-least - effect) / error))
