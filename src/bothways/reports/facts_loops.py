"""How much of a condition's own state it keeps, apart from what the other adds: carried over, halved, or stayed in."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from bothways.reports import numbers
from bothways.terms.answer import DesignResult, Fit, Parameter
from bothways.terms.outcome import Outcome
from bothways.terms.question import Condition
from bothways.terms.records import TimeUnit

Facts = dict[str, Any]
DAYS_PER_YEAR = 365.25


def own_loops(outcome: Outcome) -> Iterator[Facts]:
    """One row for each condition and design that tells it.

    ``kind``: ``carry_over`` is the share of a deviation that is left one wave later, all else alike; ``half_life`` the
    time until half of it is gone were the other held still; ``stay`` how long the condition lasts on average in
    people who have it alone. ``unit`` is share, days or waves; ``span`` names the interval where it is of one alone.
    """
    for result in outcome.results:
        for end, condition in (("a", outcome.pair.a), ("b", outcome.pair.b)):
            told = TELLERS[result.design](result, condition, outcome) if result.design in TELLERS else None
            if told is not None:
                yield {"condition": end, "design": result.design, **told}


def _speaking_fit(result: DesignResult) -> Fit | None:
    return next((fit for fit in result.fits if fit.converged), None)


def _parameter(fit: Fit | None, *names: str) -> Parameter | None:
    return next((p for p in fit.parameters if p.name in names), None) if fit else None


def _carried(result: DesignResult, condition: Condition, _: Outcome) -> Facts | None:
    """Panel: the autoregression of the model that speaks; where it differs by interval, that of the last one."""
    x = condition.label
    found = _parameter(_speaking_fit(result), f"{x} on {x}, one wave before")
    if found is not None:
        return _row("carry_over", "share", found.value, found.low, found.high)
    rows = (r for t in result.tables if t.key == "panel.lags" for r in t.as_dicts() if r["from"] == r["to"] == x)
    last = next(reversed(list(rows)), None)
    if last is None or not all(numbers.usable(last[k]) for k in ("standardised", "low", "high")):
        return None
    told = _row("carry_over", "share", *(float(last[k] or 0.0) for k in ("standardised", "low", "high")))
    return {**told, "span": f"from wave {last['from wave']} to {last['to wave']}"}


def _halved(result: DesignResult, condition: Condition, outcome: Outcome) -> Facts | None:
    """Diary: the drift's own rate r, told as the time log(2) / r in which half is gone."""
    found = _parameter(_speaking_fit(result), f"log drift[{condition.key},{condition.key}]")
    if found is None or not all(map(numbers.usable, (found.value, found.low, found.high))):
        return None
    half = [math.log(2) / math.exp(x) for x in (found.value, found.high, found.low)]
    return _row("half_life", "days" if outcome.time_unit is TimeUnit.DAY else "waves", *half)


def _stayed(result: DesignResult, condition: Condition, outcome: Outcome) -> Facts | None:
    """Onset: the mean stay with the condition alone."""
    table = next((t for t in result.tables if t.key == "onset_stays"), None)
    row = next((r for r in table.rows if r[0] == f"{condition.label} only"), None) if table else None
    if row is None or not all(map(numbers.usable, row[1:4])):
        return None
    in_days = outcome.time_unit is TimeUnit.DAY
    stay = [float(x or 0.0) * (DAYS_PER_YEAR if in_days else 1.0) for x in row[1:4]]
    return _row("stay", "days" if in_days else "waves", *stay)


def _row(kind: str, unit: str, value: float, low: float, high: float) -> Facts:
    return {"kind": kind, "unit": unit, "value": value, "low": low, "high": high, "span": ""}


TELLERS: dict[str, Callable[[DesignResult, Condition, Outcome], Facts | None]] = {
    "panel": _carried,
    "diary": _halved,
    "onset": _stayed,
}
