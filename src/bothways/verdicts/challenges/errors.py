"""Challenges of what was measured: error in the answers, answers missing for a reason, a control that must be null."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from bothways.terms.answer import Answer, Estimate
from bothways.terms.question import Kind
from bothways.terms.records import Records
from bothways.terms.verdict import Challenge
from bothways.verdicts.challenges.alter import person_means, with_values
from bothways.verdicts.challenges.base import Case, compared, headlines, outcome

NOISE = (0.5, 1.0, 1.5, 2.0)  # added error variance, in units of the error that is supposed
RELIABILITY = 0.8
TILTS = (-0.5, 0.5)  # standard deviations by which the missing answers are supposed to differ


def measurement_error(case: Case) -> Iterator[Challenge]:
    r"""Suppose a reliability of 0.8 and extrapolate to none of the error (SIMEX; Cook & Stefanski 1994).

    Error of variance :math:`\lambda\sigma^2` is added for several :math:`\lambda`; the estimates, as a quadratic in
    :math:`\lambda`, are read at :math:`\lambda=-1`. The interval is the answer's own, moved: the outcome is a
    sensitivity value and not a new answer.
    """
    course: dict[str, list[float]] = {answer.id: [] for answer in headlines(case)}
    for level in NOISE:
        again = case.ask(_noisier(case, level))
        for answer in headlines(case):
            found = again.headline(answer.direction)
            course[answer.id].append(
                np.nan if found is None or found.estimate is None else found.estimate.analysis()[1]
            )
    for answer in headlines(case):
        yield _extrapolated(case, answer, course[answer.id])


def _noisier(case: Case, level: float) -> Records:
    records = case.records
    for condition in (case.pair.a, case.pair.b):
        column = records.values[condition.key]
        if condition.kind is Kind.SCORE:
            error = np.sqrt(level * (1 - RELIABILITY)) * np.nanstd(column)
            records = with_values(records, condition.key, column + case.random.normal(0, error, column.size))
    return records


def _extrapolated(case: Case, answer: Answer, course: list[float]) -> Challenge:
    estimate = answer.estimate
    assert estimate is not None
    start, end = answer.direction.ends(case.pair)
    title = f"From {start.label} to {end.label}, if a fifth of the scores' variance were error"
    values = np.array([estimate.analysis()[1], *course])
    if not np.isfinite(values).all():
        return Challenge("measurement_error", title, "not run", "A fit with added error did not come about.", answer.id)
    at = float(np.polyval(np.polyfit(np.array([0.0, *NOISE]), values, 2), -1.0))
    low, value, high = estimate.analysis()
    moved = [at + (low - value), at, at + (high - value)]
    if estimate.scale.is_ratio:
        moved = [float(np.exp(x)) for x in moved]
    corrected = Estimate(moved[1], moved[0], moved[2], estimate.se, estimate.scale, estimate.people, estimate.level)
    became = outcome(estimate, corrected, case.settings)
    says = "Extrapolated to scores without error; the interval keeps the answer's own width."
    return Challenge("measurement_error", title, became, says, answer.id, moved[1], moved[0], moved[2])


def missing_for_a_reason(case: Case) -> Iterator[Challenge]:
    """Suppose that unanswered scores lie half a standard deviation lower, then higher, than people like them gave.

    Each missing score is drawn around the person's own mean and the occasion's mean, then shifted by the tilt
    (delta adjustment; Rubin 1977). One draw: the outcome is a sensitivity value.
    """
    gaps = [c for c in (case.pair.a, case.pair.b) if _missing_share(case, c.key) > 0.01 and c.kind is Kind.SCORE]
    if not gaps:
        return
    for tilt in TILTS:
        records = case.records
        for condition in gaps:
            records = with_values(records, condition.key, _filled(case, condition.key, tilt))
        word = "lower" if tilt < 0 else "higher"
        words = f"were the unanswered scores half a standard deviation {word} than expected"
        again = case.ask(records)
        for answer in headlines(case):
            yield compared(case, ("missing_for_a_reason", words.capitalize()), answer, again, words)


def _missing_share(case: Case, key: str) -> float:
    return float(np.mean(~np.isfinite(case.records.values[key])))


def _filled(case: Case, key: str, tilt: float) -> Float[np.ndarray, "rows"]:
    """The column with its gaps filled: person's mean + occasion's departure + a draw of the residual + tilt."""
    records, column = case.records, case.records.values[key].copy()
    gap = ~np.isfinite(column)
    own = person_means(records, key)[records.person]
    own = np.where(np.isfinite(own), own, np.nanmean(column))
    drift = np.zeros(column.size)
    if records.wave is not None:
        for wave in np.unique(records.wave):
            here = records.wave == wave
            seen = here & ~gap
            drift[here] = np.mean(column[seen] - own[seen]) if seen.any() else 0.0
    residual = np.nanstd(column - own - drift)
    column[gap] = (own + drift)[gap] + case.random.normal(0, residual, int(gap.sum())) + tilt * np.nanstd(column)
    return column
