"""Lags that people understand, and which of them these records can speak of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from bothways.designs.diary.setup import DiarySetup
from bothways.engine.statespace.series import Series

HOUR = 1.0 / 24.0
KNOWN = (
    (HOUR, "an hour"),
    (3 * HOUR, "three hours"),
    (6 * HOUR, "six hours"),
    (0.5, "half a day"),
    (1.0, "a day"),
    (2.0, "two days"),
    (7.0, "a week"),
    (30.0, "a month"),
)
POINTS = 16  # of a curve


@dataclass(frozen=True, slots=True)
class Lags:
    """``headline``, the one lag of the headline rows; ``curve`` for the course; ``low``..``high`` were observed.

    All in the records' unit of time.
    """

    headline: float
    headline_words: str
    curve: Float[np.ndarray, " lags"]
    low: float
    high: float

    def observed(self, lag: float) -> bool:
        """Whether gaps between prompts reach down and up to this lag."""
        return self.low * 0.999 <= lag <= self.high * 1.001


def choose_lags(setup: DiarySetup, stated: tuple[float, ...]) -> Lags:
    """Before any estimate is seen: the stated lag, or the familiar one nearest to the median gap between answers."""
    gaps = answered_gaps(setup.series)
    median, low, high = (float(q) for q in np.quantile(gaps, (0.5, 0.01, 0.99)))
    if stated:
        headline, words = stated[0], lag_words(stated[0], setup.in_days)
    elif setup.in_days:
        headline, words = min(KNOWN, key=lambda known: abs(np.log(known[0] / median)))
    else:
        headline, words = max(1.0, round(median)), lag_words(max(1.0, round(median)), in_days=False)
    time, starts = setup.series.time, setup.series.starts
    span = float(np.median(time[starts[1:] - 1] - time[starts[:-1]]))
    farthest = max(high, min(8 * median, 0.25 * span))
    curve = np.geomspace(max(low, median / 8), farthest, POINTS)
    return Lags(headline, words, np.unique(np.append(curve, headline)), low, high)


def answered_gaps(series: Series) -> Float[np.ndarray, " gaps"]:
    """Times between successive rows of a person with any answer."""
    rows = np.flatnonzero(np.isfinite(series.values).any(axis=1))
    same = np.diff(series.person[rows]) == 0
    gaps = np.diff(series.time[rows])[same]
    return np.asarray(gaps[gaps > 0])


def lag_words(lag: float, in_days: bool) -> str:
    """A lag in words, without rounding any number that is not familiar."""
    if not in_days:
        return "one occasion" if lag == 1 else f"{lag:g} occasions"
    for known, words in KNOWN:
        if abs(lag - known) < 1e-6 * known:
            return words
    return f"{lag:g} days" if lag >= 1 else f"{lag * 24:g} hours"
