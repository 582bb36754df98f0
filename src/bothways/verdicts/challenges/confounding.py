"""Challenges about what was not measured: a column that cannot be affected, and a hidden cause's needed strength."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from scipy.special import stdtrit

from bothways.terms.answer import Answer, Estimate
from bothways.terms.question import Condition, Direction, Pair, Scale
from bothways.terms.records import Records
from bothways.terms.verdict import Challenge, Reading
from bothways.verdicts.challenges.base import (
    BROKEN,
    FOR_SCALE,
    NOT_RUN,
    STANDS,
    WEAKENED,
    Case,
    estimate_of,
    headlines,
    reading,
    way,
)


def negative_control(case: Case) -> Iterator[Challenge]:
    """Ask the same of an outcome that the first condition cannot affect (Lipsitch et al. 2010, PMC3053408).

    What "predicts" such a column must come from something shared. The answer is broken where the control's estimate
    is as strong as its own, weakened where it predicts but is weaker, and stands where the control's whole interval
    is weaker than the answer.
    """
    key = case.settings.negative_control
    if key is None:
        return
    control = Condition(key, case.records.labels.get(key, key))
    for answer in headlines(case):
        start, _ = answer.direction.ends(case.pair)
        again = case.ask(replace(case.records, pair=_towards(control, start, answer.direction)))
        found = again.headline(answer.direction)
        title = f"{way(case, answer)}, set beside {control.label}, which cannot be affected"
        if found is None or found.estimate is None:
            says = f"It could not be asked of {control.label}: {(again.refused or 'no answer came about').rstrip('.')}."
            yield Challenge("negative_control", title, NOT_RUN, says, answer.id)
            continue
        e = found.estimate
        became, says = control_outcome(case, estimate_of(answer), e)
        yield Challenge("negative_control", title, became, says, answer.id, e.value, e.low, e.high)


def _towards(control: Condition, start: Condition, direction: Direction) -> Pair:
    return Pair(start, control) if direction is Direction.A_TO_B else Pair(control, start)


def control_outcome(case: Case, answer: Estimate, control: Estimate) -> tuple[str, str]:
    """(outcome, sentence) for an answer beside its negative control; only an answer that predicts can be undone."""
    if reading(answer, case.settings) is not Reading.PREDICTS:
        return FOR_SCALE, "The answer itself does not predict, so there is nothing to undo."
    low, value, high = control.analysis()
    size = abs(answer.analysis()[1])
    if reading(control, case.settings) is Reading.PREDICTS:
        if abs(value) >= size:
            return BROKEN, "What cannot be affected is predicted as strongly: something shared is at work."
        return WEAKENED, "What cannot be affected is predicted as well, though less strongly."
    if max(abs(low), abs(high)) < size:
        return STANDS, "What cannot be affected is predicted clearly less strongly."
    return NOT_RUN, "What is found of the control is too uncertain to tell."


def hidden_cause(case: Case) -> Iterator[Challenge]:
    """How strong an unmeasured cause must be to take a standardised lag away (``robustness_value``), for scale."""
    free = degrees_of_freedom(case.records)
    for answer in headlines(case):
        e = estimate_of(answer)
        if e.scale is not Scale.SD_PER_SD or reading(e, case.settings) is not Reading.PREDICTS or free < 2 or e.se <= 0:
            continue
        yield _strength(case, answer, e, free)


def _strength(case: Case, answer: Answer, e: Estimate, free: int) -> Challenge:
    t = e.value / e.se
    return Challenge(
        "robustness_value",
        f"{way(case, answer)}, an unmeasured cause of both",
        FOR_SCALE,
        "A cause that explains this share of what is left unexplained in both conditions would take the estimate to "
        "no effect (in brackets: would take the interval there).",
        answer.id,
        robustness_value(t, free),
        robustness_value(t, free, 1 - e.level),
    )


def robustness_value(t: float, free: int, alpha: float | None = None) -> float:
    r"""The robustness value of a linear coefficient (Cinelli & Hazlett 2020, 10.1111/rssb.12348).

    .. math:: RV = \tfrac12 \left( \sqrt{f^4 + 4 f^2} - f^2 \right), \quad f = |t| / \sqrt{df}

    is the partial R² that a confounder must have with the earlier condition and with the later one alike to bring
    the estimate to zero. With ``alpha``, f loses :math:`t^*_{\alpha, df-1}/\sqrt{df-1}` and RV speaks of the interval;
    it is 0 where the interval holds zero already.

    Parameters
    ----------
    t : estimate over its standard error.
    free : residual degrees of freedom of the regression, at least 2.
    """
    f = abs(t) / math.sqrt(free)
    if alpha is not None:
        f -= float(stdtrit(free - 1, 1 - alpha / 2)) / math.sqrt(free - 1)
    if f <= 0:
        return 0.0
    return 0.5 * (math.sqrt(f**4 + 4 * f**2) - f**2)


def degrees_of_freedom(records: Records) -> int:
    """Steps from one answer to the next with both conditions known at both ends, less one a person and two slopes.

    This is the residual count of the within-person regression of the later condition on both earlier ones; people
    with one step only tell nothing of change within them.
    """
    known = np.logical_and(*(np.isfinite(records.values[c.key]) for c in (records.pair.a, records.pair.b)))
    step = (records.person[1:] == records.person[:-1]) & known[1:] & known[:-1]
    if records.wave is not None:
        step &= np.diff(records.wave) == 1
    return int(step.sum()) - int(np.unique(records.person[1:][step]).size) - 2
