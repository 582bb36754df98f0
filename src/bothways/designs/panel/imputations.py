"""Answers from several imputed data sets as one (Rubin 1987; degrees of freedom by Barnard & Rubin 1999).

q̄ = Σ q_m / M,   T = Ū + (1 + 1/M) B,   Ū = Σ se_m² / M,   B = Σ (q_m − q̄)² / (M − 1)

ν_old = (M − 1)/λ²,   λ = (1 + 1/M) B / T,   ν_obs = (ν_com + 1)/(ν_com + 3) · ν_com (1 − λ),   1/ν = 1/ν_old + 1/ν_obs
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtr, stdtrit

from bothways.terms.answer import Answer, DesignResult, Estimate, Fit, Parameter, Status
from bothways.terms.errors import QuestionError

NEEDED = 2


@dataclass(frozen=True, slots=True)
class Combined:
    """A pooled number: ``missing_information`` is λ, the share of its variance that the missing answers caused."""

    value: float
    se: float
    df: float
    missing_information: float

    def limits(self, level: float) -> tuple[float, float]:
        """The interval by Student's t."""
        reach = float(stdtrit(self.df, 0.5 + level / 2)) * self.se
        return self.value - reach, self.value + reach

    @property
    def p(self) -> float | None:
        """Two-sided, against zero."""
        return float(2 * stdtr(self.df, -abs(self.value) / self.se)) if self.se > 0 else None


def combine(values: Sequence[float], errors: Sequence[float], complete_df: float = math.inf) -> Combined:
    """Rubin's rules for one number from M ≥ 2 data sets; ``complete_df`` are those without missing answers."""
    M, q = len(values), np.asarray(values, float)
    within, between = float(np.mean(np.square(errors))), float(q.var(ddof=1))
    total = within + (1 + 1 / M) * between
    share = (1 + 1 / M) * between / total if total > 0 else 0.0
    old = (M - 1) / share**2 if share > 0 else math.inf
    seen = math.inf
    if math.isfinite(complete_df):
        seen = (complete_df + 1) / (complete_df + 3) * complete_df * (1 - share)
    df = 1 / (1 / old + 1 / seen) if math.isfinite(old) or math.isfinite(seen) else math.inf
    return Combined(float(q.mean()), math.sqrt(total), df, share)


def pool_imputations(results: Sequence[DesignResult]) -> DesignResult:
    """One result from the same design asked of M imputed data sets of the same people.

    Answers are matched by id and parameters by name. An answer that any data set could not give is failed, and says
    so; fits keep no likelihood or indices, because those of imputed data do not pool by averaging.

    Raises QuestionError for fewer than two results or results of different designs.
    """
    if len(results) < NEEDED or len({result.design for result in results}) > 1:
        raise QuestionError("imputations", "two or more results of one design are needed", "Ask each imputed data set")
    first = results[0]
    by_id = [{answer.id: answer for answer in result.answers} for result in results]
    answers = tuple(_pooled(answer, [answers.get(answer.id) for answers in by_id]) for answer in first.answers)
    by_model = [{fit.model: fit for fit in result.fits} for result in results]
    fits = tuple(
        _pooled_fit([fits[fit.model] for fits in by_model])
        for fit in first.fits
        if all(fit.model in fits and fits[fit.model].parameters for fits in by_model)
    )
    says = f"Estimates of {len(results)} imputed data sets were combined by Rubin's rules (Barnard & Rubin 1999)."
    return DesignResult(first.design, answers, fits, first.tables, f"{first.methods} {says}".strip())


def _pooled(first: Answer, others: Sequence[Answer | None]) -> Answer:
    if first.status is Status.REFUSED:
        return first
    estimates = [other.estimate for other in others if other is not None and other.estimate is not None]
    if len(estimates) < len(others):
        says = f"{len(others) - len(estimates)} of {len(others)} imputed data sets gave no estimate."
        return replace(first, status=Status.FAILED, status_says=says, estimate=None)
    return replace(first, estimate=_pooled_estimate(estimates))


def _pooled_estimate(estimates: Sequence[Estimate]) -> Estimate:
    """Ratios are combined on the log scale, where their errors stand."""
    one = estimates[0]
    values = [math.log(e.value) if e.scale.is_ratio else e.value for e in estimates]
    found = combine(values, [e.se for e in estimates], max(one.people - 1, 1))
    low, high = found.limits(one.level)
    ends = (found.value, low, high)
    value, low, high = (math.exp(x) for x in ends) if one.scale.is_ratio else ends
    return replace(one, value=value, low=low, high=high, se=found.se, p=found.p)


def _pooled_fit(fits: Sequence[Fit]) -> Fit:
    parameters = []
    for rows in zip(*(fit.parameters for fit in fits), strict=True):
        found = combine([row.value for row in rows], [row.se for row in rows])
        low, high = found.limits(0.95)
        shown = [row.standardised for row in rows if row.standardised is not None]
        standard = float(np.mean(shown)) if len(shown) == len(rows) else None
        parameters.append(Parameter(rows[0].name, found.value, found.se, low, high, standard))
    status = "converged" if all(fit.converged for fit in fits) else next(f.status for f in fits if not f.converged)
    return Fit(fits[0].design, fits[0].model, status, tuple(parameters), seconds=sum(fit.seconds for fit in fits))
