"""Answers on strength: sustained exposure by the g-formula, and by weighting beside it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, stdtr

from bothways.designs.sustained.effects import Statistic, estimate, quantile, ratio, total
from bothways.designs.sustained.estimation import Found
from bothways.designs.sustained.setup import SustainedSetup, Variable
from bothways.engine.gmethods.plans import ALWAYS, NEVER
from bothways.engine.gmethods.structural import Structural
from bothways.terms.answer import Answer, Assumption, Caveat, Estimand, Estimate, Status
from bothways.terms.question import Direction, Facet, Question, Scale
from bothways.terms.settings import Settings

DIRECTIONS = (Direction.A_TO_B, Direction.B_TO_A)
G_FORMULA, WEIGHTING = "g-formula", "weighting"


@dataclass(frozen=True, slots=True, eq=False)
class Room:
    """What every answer of one direction shares. ``refused`` says why this direction cannot be asked."""

    setup: SustainedSetup
    settings: Settings
    direction: Direction
    found: Found | None
    refused: str
    assumptions: tuple[Assumption, ...]
    caveats: tuple[Caveat, ...]
    asked: bool  # this design was named: only then does it speak for itself in the verdict

    @property
    def exposure(self) -> Variable:
        """What is held."""
        return self.setup.ends(self.direction)[0]

    @property
    def outcome(self) -> Variable:
        """What is looked at in the end."""
        return self.setup.ends(self.direction)[1]

    @property
    def events(self) -> int | None:
        """People seen with the outcome at the end, where it is a state."""
        return int(np.nansum(self.outcome.grid[:, self.setup.last])) if self.outcome.state else None


def scale_of(source: Variable, target: Variable) -> tuple[Scale, float]:
    """The scale of a difference, and what a standardised difference is multiplied by."""
    if target.state:
        return Scale.RISK_DIFFERENCE, 1.0
    return (Scale.POINTS, target.sd) if source.state else (Scale.SD_PER_SD, 1.0)


def contrast_of(variable: Variable) -> str:
    """The two regimes in words."""
    if variable.state:
        return f"{variable.label} present at every occasion before, against absent at every one"
    return f"{variable.label} one standard deviation higher at every occasion before"


def when_of(setup: SustainedSetup) -> str:
    """The horizon in words."""
    days = setup.horizon_days
    return f"{days:g} days" if days is not None else f"{setup.horizon:g} waves"


def target_of(room: Room) -> str:
    """The outcome in words, with what death does to it."""
    dies = bool((room.setup.grid.died <= room.setup.last).any())
    alive = "alive and with " if dies and room.outcome.state else ""
    among = " among those alive" if dies and not room.outcome.state else ""
    present = " present" if room.outcome.state and not alive else ""
    return f"{alive}{room.outcome.label}{present} {when_of(room.setup)} after the first occasion{among}"


def answer_of(
    room: Room, slug: str, facet: Facet, estimand: Estimand, scale: Scale, pathway: str | None = None
) -> Answer:
    """A row without its number."""
    setup = room.setup
    return Answer(
        id=f"sustained.{slug}.{room.direction}",
        question=Question(setup.records.pair, facet, room.direction, scale, setup.horizon, pathway=pathway),
        design="sustained",
        model=G_FORMULA,
        estimand=estimand,
        status=Status.ANSWERED,
        target=target_of(room),
        contrast=contrast_of(room.exposure),
        horizon_days=setup.horizon_days,
        assumptions=room.assumptions,
        caveats=room.caveats,
        source=setup.records.source,
    )


def given(row: Answer, number: Estimate | None) -> Answer:
    """The row with its number, or failed where it has none."""
    if number is None:
        return replace(row, status=Status.FAILED, status_says="the simulated courses give no finite number here")
    return replace(row, estimate=number)


def strength(room: Room) -> tuple[Answer, ...]:
    """Ratio and difference by the g-formula, then by weighting; one failed or refused row where there is nothing."""
    scale, factor = scale_of(room.exposure, room.outcome)
    speaks = Scale.RISK_RATIO if room.outcome.state else scale
    first = answer_of(room, f"g_formula.{speaks}", Facet.STRENGTH, Estimand.TOTAL, speaks)
    first = replace(first, headline=room.asked)
    if room.found is None:
        return (replace(first, status=Status.REFUSED, status_says=room.refused),)
    if not room.found.usable:
        return (replace(first, status=Status.FAILED, status_says=room.found.says),)
    rows = []
    if room.outcome.state:
        rows.append(given(first, _number(room, ratio(ALWAYS, NEVER), Scale.RISK_RATIO, 1.0)))
        first = answer_of(room, f"g_formula.{scale}", Facet.STRENGTH, Estimand.TOTAL, scale)
    rows.append(given(first, _number(room, total(room.outcome.state), scale, factor)))
    return (*rows, *_weighted(room, scale, factor))


def _number(room: Room, statistic: Statistic, scale: Scale, factor: float) -> Estimate | None:
    assert room.found is not None
    return estimate(room.found, 0, statistic, scale, room.settings.level, factor=factor, events=room.events)


def _weighted(room: Room, scale: Scale, factor: float) -> list[Answer]:
    """The same contrast by the marginal structural model: as it is, and with the weights truncated."""
    weighted = room.found.weighted if room.found else None
    if weighted is None:
        return []
    rows, freedom = [], room.found.freedom if room.found else None
    for slug, model in (("weighting", weighted.plain), ("weighting_truncated", weighted.truncated)):
        for one in (scale, Scale.RISK_RATIO) if room.outcome.state else (scale,):
            row = answer_of(room, f"{slug}.{one}", Facet.STRENGTH, Estimand.TOTAL, one)
            row = replace(row, model=slug.replace("_", "-"), assumptions=(*room.assumptions, *_of_weighting()))
            if not (model.converged and weighted.weights.converged):
                says = "the weights or the model they weigh did not come about"
                rows.append(replace(row, status=Status.FAILED, status_says=says))
            else:
                rows.append(given(row, structural_estimate(model, one, room.settings.level, factor, freedom)))
    return rows


def _of_weighting() -> tuple[Assumption, ...]:
    return (
        Assumption("the effect works through the exposure just before the end and the share of earlier ones, no more"),
        Assumption("people who left or died were, given their past, like those who stayed; nobody dies or leaves here"),
        Assumption("the interval takes the weights as known, and allows for the weight that a few people carry"),
    )


def structural_estimate(
    model: Structural, scale: Scale, level: float, factor: float = 1.0, freedom: int | None = None
) -> Estimate | None:
    """Difference or ratio of the two means of a marginal structural model, by the delta method.

    With ``freedom`` quantiles are those of Student's t.
    The interval is symmetric in the logarithm of a ratio and in atanh of a difference of shares, which keeps it
    within -1 and 1 and holds the truth more often where a few people carry much weight (Edwardes 1995).
    """
    always, never = (float(x) for x in model.means)
    if scale.is_ratio and not (always > 0 and never > 0):
        return None
    slope = np.array([1 / always, -1 / never]) if scale.is_ratio else np.array([factor, -factor])
    value = float(np.log(always / never)) if scale.is_ratio else factor * (always - never)
    se = float(np.sqrt(slope @ model.covariance @ slope))
    bounded = scale is Scale.RISK_DIFFERENCE and abs(value) < 1
    middle, spread = (float(np.arctanh(value)), se / (1 - value**2)) if bounded else (value, se)
    reach = quantile(level, freedom) * spread
    z = -abs(middle) / spread if spread > 0 else np.nan
    p = float(2 * (ndtr(z) if freedom is None else stdtr(freedom, z))) if spread > 0 else None
    low, high = middle - reach, middle + reach
    if scale.is_ratio:
        value, low, high = (float(np.exp(x)) for x in (value, low, high))
    elif bounded:
        low, high = float(np.tanh(low)), float(np.tanh(high))
    return Estimate(value, low, high, se, scale, model.people, level, p, model.events or None)
