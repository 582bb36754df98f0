"""Panel design, first form: each condition regressed on both, one wave earlier.

It mixes stable differences between people with changes within a person, and says so.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.stats import norm

from bothways.designs.base import Refusal
from bothways.engine.regression import Regression, clustered_least_squares
from bothways.terms.answer import (
    Answer,
    Assumption,
    Caveat,
    DesignResult,
    Estimand,
    Estimate,
    Fit,
    Parameter,
    Status,
)
from bothways.terms.progress import Progress
from bothways.terms.question import Direction, Facet, Kind, Question, Scale
from bothways.terms.records import Records
from bothways.terms.settings import Settings

LEAST_PEOPLE = 50
MOST_WAVES = 15
MIXED = Caveat(
    "between_and_within_mixed",
    "Stable differences between people are mixed in: people who always have more of both would show a lag as well.",
)


@dataclass(frozen=True, slots=True)
class Pairs:
    """Complete pairs of adjacent waves: ``before`` and ``after`` (pairs, 2) hold A and B, in units of their SD."""

    person: Int[np.ndarray, "pairs"]
    wave: Int[np.ndarray, "pairs"]
    before: Float[np.ndarray, "pairs 2"]
    after: Float[np.ndarray, "pairs 2"]


@dataclass(frozen=True, slots=True)
class PanelDesign:
    """A few common waves of many people, answered by a lagged regression of each condition on both."""

    key: str = "panel"
    label: str = "panel of waves"

    def refuse(self, records: Records, settings: Settings) -> Refusal | None:
        """Panels need common occasions, two conditions scored in steps, and enough people seen twice in a row."""
        if records.wave is None:
            return Refusal(
                "people were asked at times of their own, not at common occasions", "Give --waves if they are waves."
            )
        waves = records.waves or 0
        if waves < 2:
            return Refusal("there is one wave only, and what follows cannot be seen in one look", "Add a later wave.")
        if waves > MOST_WAVES:
            return Refusal(
                f"there are {waves} occasions; this design is for at most {MOST_WAVES}", "Use the diary design."
            )
        if Kind.SCORE not in (records.pair.a.kind, records.pair.b.kind):
            return Refusal("both conditions are only present or absent", "Use the onset design.")
        people = np.unique(adjacent_pairs(records).person).size
        if people < LEAST_PEOPLE:
            return Refusal(
                f"{people} people have both conditions at two waves in a row; at least {LEAST_PEOPLE} are needed",
                "Add people or waves.",
            )
        return None

    def answer(self, records: Records, settings: Settings, progress: Progress) -> DesignResult:
        """Both directions, their contrast, and the plain refusal of the question who had it first."""
        start = time.perf_counter()
        pairs = adjacent_pairs(records)
        progress("panel: regression", 0.2)
        fit = clustered_least_squares(_predictors(pairs), pairs.after, pairs.person)
        progress("panel: regression", 1.0)
        a_to_b, b_to_a = (0, 1), (1, 0)  # (predictor, outcome) in the coefficient table
        estimates = {
            Direction.A_TO_B: _estimate(fit, _weights(fit, a_to_b, +1.0), pairs, settings.level),
            Direction.B_TO_A: _estimate(fit, _weights(fit, b_to_a, +1.0), pairs, settings.level),
        }
        contrast = _weights(fit, a_to_b, np.sign(fit.coefficients[a_to_b])) - _weights(
            fit, b_to_a, np.sign(fit.coefficients[b_to_a])
        )
        estimates[Direction.JOINT] = _estimate(fit, contrast, pairs, settings.level)
        answers = [_lag_answer(records, direction, estimate) for direction, estimate in estimates.items()]
        return DesignResult(
            design=self.key,
            answers=(*answers, _order_refused(records)),
            fits=(_fit_table(fit, records, settings.level, time.perf_counter() - start),),
            methods=_methods(records, pairs),
        )


def adjacent_pairs(records: Records) -> Pairs:
    """Pairs of rows of one person at adjacent waves with both conditions answered at both."""
    wave = records.wave
    assert wave is not None
    both = np.column_stack([records.values[records.pair.a.key], records.values[records.pair.b.key]])
    spread = np.nanstd(both, axis=0)
    scaled = (both - np.nanmean(both, axis=0)) / np.where(spread > 0, spread, 1.0)
    follows = (records.person[1:] == records.person[:-1]) & (wave[1:] == wave[:-1] + 1)
    complete = np.isfinite(both).all(axis=1)
    later = np.flatnonzero(follows & complete[1:] & complete[:-1]) + 1
    return Pairs(records.person[later], wave[later], scaled[later - 1], scaled[later])


def _predictors(pairs: Pairs) -> Float[np.ndarray, "pairs k"]:
    """A and B one wave earlier, then one indicator a wave (so that each wave has its own mean)."""
    waves = np.unique(pairs.wave)
    return np.column_stack([pairs.before, (pairs.wave[:, None] == waves[None, :]).astype(np.float64)])


def _weights(fit: Regression, place: tuple[int, int], sign: float) -> Float[np.ndarray, "km"]:
    weights = np.zeros(fit.coefficients.shape)
    weights[place] = sign
    return weights.ravel()


def _estimate(fit: Regression, weights: Float[np.ndarray, "km"], pairs: Pairs, level: float) -> Estimate:
    """A weighted sum of coefficients with its normal-theory interval."""
    value = float(weights @ fit.coefficients.ravel())
    se = float(np.sqrt(weights @ fit.covariance @ weights))
    reach = float(norm.ppf(0.5 + level / 2)) * se
    p = float(2 * norm.sf(abs(value) / se)) if se > 0 else None
    people = int(np.unique(pairs.person).size)
    return Estimate(value, value - reach, value + reach, se, Scale.SD_PER_SD, people, level, p)


def _lag_answer(records: Records, direction: Direction, estimate: Estimate) -> Answer:
    first, second = direction.ends(records.pair)
    joint = direction is Direction.JOINT
    return Answer(
        id=f"panel.lagged-regression.{direction}",
        question=Question(records.pair, Facet.STRENGTH, direction, Scale.SD_PER_SD),
        design="panel",
        model="lagged-regression",
        estimand=Estimand.DIRECTION_CONTRAST if joint else Estimand.CROSS_LAG,
        status=Status.ANSWERED,
        estimate=estimate,
        target="" if joint else f"{second.label} one wave later",
        contrast=(
            f"how much more strongly {first.label} predicts {second.label} than the other way around"
            if joint
            else f"one standard deviation more {first.label}, at the same level of {second.label}"
        ),
        lag_waves=1.0,
        lag_days=_lag_days(records),
        headline=True,
        assumptions=(
            Assumption("No unmeasured cause makes people high on both, now and later."),
            Assumption("Answers missing at a wave are missing whatever the answer would have been."),
        ),
        caveats=(MIXED,),
        source=records.source,
    )


def _lag_days(records: Records) -> float | None:
    return None if records.wave_days is None else float(np.median(np.diff(records.wave_days)))


def _order_refused(records: Records) -> Answer:
    return Answer(
        id="panel.order",
        question=Question(records.pair, Facet.FIRST, Direction.JOINT),
        design="panel",
        model="lagged-regression",
        estimand=Estimand.ORDER_SHARE,
        status=Status.REFUSED,
        status_says="A stronger lag is not an earlier onset: a panel of scores cannot say who had it first.",
        source=records.source,
    )


def _fit_table(fit: Regression, records: Records, level: float, seconds: float) -> Fit:
    reach = float(norm.ppf(0.5 + level / 2))
    names = (records.pair.a.key, records.pair.b.key)
    ses = np.sqrt(np.diag(fit.covariance)).reshape(fit.coefficients.shape)
    rows = [
        Parameter(f"{names[j]} <- {names[i]} (one wave earlier)", b, s, b - reach * s, b + reach * s, b)
        for j in range(2)
        for i in range(2)
        for b, s in [(float(fit.coefficients[i, j]), float(ses[i, j]))]
    ]
    return Fit("panel", "lagged-regression", "converged", tuple(rows), fit.covariance, seconds=seconds)


def _methods(records: Records, pairs: Pairs) -> str:
    return (
        f"Each condition at a wave was regressed on both conditions at the wave before, with a mean for every wave, "
        f"over {pairs.person.size} complete pairs of adjacent waves from {np.unique(pairs.person).size} people; scores "
        "were divided by their standard deviation over all waves, and standard errors are robust to repeated answers "
        "of one person (Liang & Zeger 1986)."
    )
