"""Item columns -> scores, by instrument and version. The rules are data (terms/topic.py); item texts are nowhere."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from bothways.intake.missing import Measured
from bothways.terms.errors import RecordsError
from bothways.terms.topic import Instrument

REFUSED = "too few items answered"


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores (rows,) with, row by row, whether every item was answered, some were filled in, or too few were."""

    score: Measured
    complete: Bool[np.ndarray, "rows"]
    prorated: Bool[np.ndarray, "rows"]
    refused: Bool[np.ndarray, "rows"]


def score(items: Float[np.ndarray, "rows items"], instrument: Instrument) -> Scored:
    """Score items (rows, items), NaN where unanswered.

    With k items, m of them answered with sum s after reversal (x -> low + high - x), the score is

        sum:      s * k / m                    the mean of the answered stands in for the missing (prorating)
        mean:     s / m
        percent:  100 * (s - m * low) / (m * (high - low))

    where k - m <= ``max_missing``, and missing otherwise; a row without any answer is simply empty.

    Raises ``RecordsError`` where the number of columns is not the instrument's, or it is given as totals only.
    """
    low, high = _item_range(instrument, items.shape[1])
    turned = items.copy()
    for number in instrument.reversed_items:
        turned[:, number - 1] = low + high - turned[:, number - 1]
    answered = np.isfinite(turned)
    m = answered.sum(axis=1)
    k = items.shape[1]
    usable = (m > 0) & (k - m <= instrument.max_missing)
    total = np.where(answered, turned, 0.0).sum(axis=1)
    per_item = np.divide(total, m, out=np.full(m.shape, np.nan), where=usable)
    scored = {"sum": per_item * k, "mean": per_item, "percent": 100.0 * (per_item - low) / (high - low)}
    exact = np.where(m == k, total, scored["sum"]) if instrument.scoring == "sum" else scored[instrument.scoring]
    refused = (m > 0) & ~usable
    values = np.where(usable, exact, np.nan)
    return Scored(Measured(values).without(refused, REFUSED), m == k, usable & (m < k), refused)


def outside_items(items: Float[np.ndarray, "rows items"], instrument: Instrument) -> Bool[np.ndarray, "rows items"]:
    """Answers that no item of the instrument allows."""
    low, high = _item_range(instrument, items.shape[1])
    with np.errstate(invalid="ignore"):
        return (items < low) | (items > high)


def _item_range(instrument: Instrument, columns: int) -> tuple[float, float]:
    where = f"instrument '{instrument.key}'"
    if instrument.scoring == "total_only" or instrument.item_low is None or instrument.item_high is None:
        raise RecordsError(where, "it is taken as a finished score only", "Give one column with the score")
    if instrument.items is not None and columns != instrument.items:
        find = f"{columns} item columns for its {instrument.items} items"
        raise RecordsError(where, find, "Give every item, or one column with the score")
    return instrument.item_low, instrument.item_high
