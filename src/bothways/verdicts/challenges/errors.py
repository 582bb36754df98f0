"""Challenges of what was measured: error in the answers, and answers missing for a reason."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from bothways.terms.answer import Answer, Estimate
from bothways.terms.question import Kind
from bothways.terms.records import Records
from bothways.terms.verdict import Challenge
from bothways.verdicts.challenges.alter import person_means, with_values
from bothways.verdicts.challenges.base import NOT_RUN, Case, compared_all, estimate_of, headlines, outcome, way

ADDED = (0.5, 1.0, 1.5, 2.0)  # added error variance, in units of the error that is supposed
RELIABILITIES = {0.9: "a tenth", 0.8: "a fifth", 0.7: "three tenths"}  # supposed; and the share that is error
MIDDLE = 0.8
TILTS = (-0.5, 0.5)  # standard deviations by which the missing answers are supposed to differ
LEAST_MISSING = 0.01


def measurement_error(case: Case) -> Iterator[Challenge]:
    r"""Suppose a reliability and extrapolate to none of the error (SIMEX; Cook & Stefanski 1994).

    Error of variance :math:`\lambda (1 - r) s^2` is added to scores of variance :math:`s^2` for several
    :math:`\lambda`; the estimates, as a quadratic in :math:`\lambda`, are read at :math:`\lambda = -1`. The steps of
    :math:`\lambda (1-r)` are those of r = 0.8; the other reliabilities read the same curve at
    :math:`-(1-r)/(1-0.8)`. The interval is the answer's own, moved: a sensitivity value and not a new answer.
    """
    course: dict[str, list[float]] = {answer.id: [] for answer in headlines(case)}
    for level in ADDED:
        again = case.ask(noisier(case, level * (1 - MIDDLE)))
        for answer in headlines(case):
            found = again.headline(answer.direction)
            known = found is not None and found.estimate is not None
            course[answer.id].append(found.estimate.analysis()[1] if known else np.nan)  # type: ignore[union-attr]
    for reliability in RELIABILITIES:
        for answer in headlines(case):
            yield _extrapolated(case, answer, course[answer.id], reliability)


def noisier(case: Case, share: float) -> Records:
    """Both scores with independent normal error added, of ``share`` of each score's variance."""
    records = case.records
    for condition in (case.pair.a, case.pair.b):
        column = records.values[condition.key]
        if condition.kind is Kind.SCORE:
            error = np.sqrt(share) * np.nanstd(column)
            records = with_values(records, condition.key, column + case.random.normal(0, error, column.size))
    return records


def _extrapolated(case: Case, answer: Answer, course: list[float], reliability: float) -> Challenge:
    estimate = estimate_of(answer)
    title = f"{way(case, answer)}, if {RELIABILITIES[reliability]} of the scores' variance were error"
    values = np.array([estimate.analysis()[1], *course])
    if not np.isfinite(values).all():
        return Challenge("measurement_error", title, NOT_RUN, "A fit with added error did not come about.", answer.id)
    target = -(1 - reliability) / (1 - MIDDLE)
    at = float(np.polyval(np.polyfit(np.array([0.0, *ADDED]), values, 2), target))
    moved = shifted(estimate, at)
    says = "Extrapolated to scores without error; the interval keeps the answer's own width."
    became = outcome(estimate, moved, case.settings)
    return Challenge("measurement_error", title, became, says, answer.id, moved.value, moved.low, moved.high)


def shifted(estimate: Estimate, at: float) -> Estimate:
    """The estimate moved to ``at`` on the analysis scale, its interval keeping its width there."""
    low, value, high = estimate.analysis()
    moved = np.array([at + (low - value), at, at + (high - value)])
    low, value, high = (float(x) for x in (np.exp(moved) if estimate.scale.is_ratio else moved))
    return Estimate(value, low, high, estimate.se, estimate.scale, estimate.people, estimate.level)


def missing_for_a_reason(case: Case) -> Iterator[Challenge]:
    """Suppose that unanswered scores lie half a standard deviation lower, then higher, than people like them gave.

    Each missing score is drawn around the person's own mean and the occasion's mean, then shifted by the tilt
    (delta adjustment; Rubin 1977). One draw: the outcome is a sensitivity value.
    """
    pair = (case.pair.a, case.pair.b)
    gaps = [c for c in pair if c.kind is Kind.SCORE and _missing_share(case, c.key) > LEAST_MISSING]
    for tilt in TILTS if gaps else ():
        records = case.records
        for condition in gaps:
            records = with_values(records, condition.key, filled(case, condition.key, tilt))
        word = "lower" if tilt < 0 else "higher"
        title = f"were the unanswered scores half a standard deviation {word} than expected"
        yield from compared_all(case, "missing_for_a_reason", title, case.ask(records))


def _missing_share(case: Case, key: str) -> float:
    return float(np.mean(~np.isfinite(case.records.values[key])))


def filled(case: Case, key: str, tilt: float) -> Float[np.ndarray, "rows"]:
    """The column with its gaps filled: person's mean + occasion's departure + a draw of the residual + tilt."""
    records, column = case.records, case.records.values[key].copy()
    gap = ~np.isfinite(column)
    own = person_means(records, key)[records.person]
    own = np.where(np.isfinite(own), own, np.nanmean(column))
    drift = _departures(records, column - own)
    residual = np.nanstd(column - own - drift)
    column[gap] = (own + drift)[gap] + case.random.normal(0, residual, int(gap.sum())) + tilt * np.nanstd(column)
    return column


def _departures(records: Records, residual: Float[np.ndarray, "rows"]) -> Float[np.ndarray, "rows"]:
    """Each occasion's mean residual; 0 where there are no common occasions or nobody answered."""
    if records.wave is None:
        return np.zeros(residual.size)
    seen = np.isfinite(residual)
    count = np.bincount(records.wave[seen], minlength=records.waves or 0)
    total = np.bincount(records.wave[seen], residual[seen], records.waves or 0)
    return np.asarray((total / np.maximum(count, 1))[records.wave])
