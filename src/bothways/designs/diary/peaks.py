"""Where an effect is greatest, told only where the effect stands out from none at a lag that was looked for.

    t(h) = f(h) / se f(h),    the peak is told where |t(h*)| > c,    P(max over h of |Z(h)| > c) = 1 − level,

Z normal with mean 0 and the correlations of f̂(h) by the delta method (Student's where errors rest on few persons). The
lag h* was chosen where the effect is greatest, so that the limit of a single stated lag would speak of chance too
often; c holds for every lag at once (Hothorn, Bretz & Westfall 2008, Biom. J. 50:346).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from bothways.designs.diary.answers import ENDS, Run
from bothways.designs.diary.estimation import Fitted, delta, estimate
from bothways.designs.diary.setup import DiarySetup
from bothways.engine.statespace.effects import peak, standardised_effect
from bothways.terms.answer import Answer, Estimand, Estimate, Status
from bothways.terms.question import Direction, Facet, Question, Scale

LAGS = 40  # from a hundredth of the quickest time to five times the slowest, beyond which next to nothing is left
DRAWS = 20_000
NOT_DETERMINED = "The effect may be none at any lag, so that its peak is not determined."


def peak_answer(run: Run, setup: DiarySetup, model: Fitted, direction: Direction, pathway: str) -> Answer:
    """The lag of the greatest total effect; not determined where the effect may be none at all lags."""
    outcome, cause = ENDS[direction]
    first, second = direction.ends(run.setup.records.pair)
    scale = Scale.DAYS if setup.in_days else Scale.WAVES
    answer = Answer(
        id=f"diary.pathway.{pathway}.peak.{direction}",
        question=Question(run.setup.records.pair, Facet.SPEED, direction, scale, pathway=pathway),
        design="diary",
        model=model.name,
        estimand=Estimand.PEAK_LAG,
        status=Status.REFUSED,
        status_says=NOT_DETERMINED,
        target=f"the time from {first.label} to the peak in {second.label}, beside {setup.label(pathway)}",
        caveats=run.caveats,
        source=run.setup.records.source,
    )
    if not stands_out(model, outcome, cause, run.settings.level, np.random.default_rng(run.settings.seed)):
        return answer
    return replace(answer, status=Status.ANSWERED, status_says="", estimate=_when(run, model, outcome, cause, scale))


def stands_out(model: Fitted, outcome: int, cause: int, level: float, rng: np.random.Generator) -> bool:
    """Whether the greatest effect of one process on another lies beyond what chance reaches at any lag."""
    A = model.fit.system.drift
    lags = np.append(lags_looked_at(A), peak(A, outcome, cause).lag)
    value, C = delta(model, lambda drift, diffusion: standardised_effect(drift, diffusion, lags)[:, :, outcome, cause])
    se = np.sqrt(np.maximum(np.diag(C), 1e-24))
    reached = float(abs(value[-1]) / se[-1])
    return reached > critical_value(C / np.outer(se, se), level, model.degrees, rng)


def lags_looked_at(A: Float[np.ndarray, "p p"]) -> Float[np.ndarray, " lags"]:
    """Lags at which anything can happen, evenly apart by their logarithms."""
    rates = np.abs(np.linalg.eigvals(A).real)
    return np.geomspace(0.01 / rates.max(), 5.0 / rates.min(), LAGS)


def critical_value(R: Float[np.ndarray, "lags lags"], level: float, degrees: float, rng: np.random.Generator) -> float:
    """c of the greatest of |Z| at all lags, Z of correlations R, by draws."""
    values, vectors = np.linalg.eigh(R)
    kept = values > 1e-9 * values.max()
    Z = rng.standard_normal((DRAWS, int(kept.sum()))) @ (vectors[:, kept] * np.sqrt(values[kept])).T
    greatest = np.abs(Z).max(axis=1)
    if np.isfinite(degrees):
        greatest = greatest / np.sqrt(rng.chisquare(degrees, DRAWS) / degrees)
    return float(np.quantile(greatest, level))


def _when(run: Run, model: Fitted, outcome: int, cause: int, scale: Scale) -> Estimate:
    """The lag with its interval, symmetric on the logarithm."""
    value, C = delta(model, lambda drift, _: np.log([[peak(A, outcome, cause).lag] for A in drift]))
    se = float(np.sqrt(max(C[0, 0], 0.0)))
    log = estimate(float(value[0]), max(se, 1e-12), model, run.settings.level)
    low, middle, high = np.exp([log.low, log.value, log.high])
    return Estimate(float(middle), float(low), float(high), float(middle * se), scale, log.people, log.level)
