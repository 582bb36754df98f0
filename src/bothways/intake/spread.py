"""Variance between and within people, and the correlations that each holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class Spread:
    """How one variable varies. ``between`` and ``within`` are SDs; None where the data cannot tell."""

    answers: int
    people: int
    mean: float | None
    sd: float | None
    between: float | None
    within: float | None
    icc: float | None
    low: float | None
    high: float | None
    at_low: float | None
    at_high: float | None


@dataclass(frozen=True, slots=True)
class Association:
    """A correlation with its 95 % interval; ``people`` is how many took part in it."""

    level: str
    r: float
    low: float
    high: float
    people: int


def spread(person: Int[np.ndarray, "rows"], values: Float[np.ndarray, "rows"]) -> Spread:
    """Mean, SD, and the one-way random-effects split of variance for groups of unequal size.

    With k people, n_i answers each, N = sum n_i:

        MSB = sum n_i (m_i - m)^2 / (k - 1),   MSW = sum (x - m_i)^2 / (N - k)
        n0 = (N - sum n_i^2 / N) / (k - 1)
        between variance = max(0, (MSB - MSW) / n0),   ICC = between / (between + MSW)

    Donner 1986, Int Stat Rev 54:67. Needs two people and someone with two answers; None otherwise.
    """
    seen = np.isfinite(values)
    x, who = (values, person) if seen.all() else (values[seen], person[seen])
    if not x.size:
        return Spread(0, 0, *(None,) * 9)
    low, high, mean = float(x.min()), float(x.max()), float(x.mean())
    n = np.bincount(who)
    people = int((n > 0).sum())
    sd = float(x.std(ddof=1)) if x.size > 1 else None
    between, within, icc = _components(x, who, n, people, mean)
    at = (float((x == low).mean()), float((x == high).mean()))
    return Spread(x.size, people, mean, sd, between, within, icc, low, high, *at)


def associations(
    person: Int[np.ndarray, "rows"],
    a: Float[np.ndarray, "rows"],
    b: Float[np.ndarray, "rows"],
    wave: Int[np.ndarray, "rows"] | None,
) -> Iterator[Association]:
    """Correlation of person means, of deviations from them, and at one time (the first wave, or each first row).

    Only rows with both count. The pooled within-person correlation has sum(n_i - 1) - 1 degrees of freedom.
    """
    both = np.isfinite(a) & np.isfinite(b)
    x, y, who = a[both], b[both], person[both]
    if not x.size:
        return
    n = np.bincount(who)
    people = int((n > 0).sum())
    means = [np.bincount(who, v)[n > 0] / n[n > 0] for v in (x, y)]
    if (n > 1).any():
        yield from _correlation("between people (their means)", means[0], means[1], people - 3, people)
        index = np.cumsum(n > 0) - 1
        dx, dy = (v - m[index[who]] for v, m in zip((x, y), means, strict=True))
        several = n[n > 1]
        yield from _correlation("within people (at the same time)", dx, dy, int((several - 1).sum()) - 2, several.size)
    first = _first_rows(who) if wave is None else wave[both] == wave[both].min()
    label = "at each person's first time" if wave is None else f"at wave {int(wave[both].min()) + 1}"
    yield from _correlation(label, x[first], y[first], int(first.sum()) - 3, int(first.sum()))


def _components(
    x: Float[np.ndarray, "some"], who: Int[np.ndarray, "some"], n: Int[np.ndarray, "people"], k: int, mean: float
) -> tuple[float | None, float | None, float | None]:
    """(SD between, SD within, ICC)."""
    N = x.size
    if k < 2 or k >= N:
        return None, None, None
    centred = x - mean
    total = np.bincount(who, centred)
    sst = float(centred @ centred)
    ssb = float(np.sum(np.divide(np.square(total), n, out=np.zeros(n.shape), where=n > 0)))
    ssw = sst - ssb if sst - ssb > 1e-12 * sst else 0.0  # what is constant within people differs by rounding alone
    msb, msw = ssb / (k - 1), ssw / (N - k)
    n0 = (N - float((n.astype(np.float64) ** 2).sum()) / N) / (k - 1)
    between = max(0.0, (msb - msw) / n0)
    whole = between + msw
    return float(np.sqrt(between)), float(np.sqrt(msw)), between / whole if whole > 0 else None


def _correlation(
    level: str, x: Float[np.ndarray, "some"], y: Float[np.ndarray, "some"], precision: int, people: int
) -> Iterator[Association]:
    """r with tanh(atanh r -+ z / sqrt(precision)); nothing where either does not vary or too few took part."""
    if precision < 1:
        return
    x, y = x - x.mean(), y - y.mean()
    size = float(np.sqrt((x @ x) * (y @ y)))
    if size <= 1e-12 * max(1.0, float(x.size)):
        return
    r = float(np.clip((x @ y) / size, -1.0, 1.0))
    if abs(r) == 1.0:
        yield Association(level, r, r, r, people)
        return
    half = Z95 / np.sqrt(precision)
    yield Association(level, r, float(np.tanh(np.arctanh(r) - half)), float(np.tanh(np.arctanh(r) + half)), people)


def _first_rows(who: Int[np.ndarray, "some"]) -> Bool[np.ndarray, "some"]:
    first: Bool[np.ndarray, "some"] = np.r_[True, who[1:] != who[:-1]]
    return first
