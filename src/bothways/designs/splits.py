"""Circumstances in levels, and what several of them looked at together call for: shrinkage and adjusted p-values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import ndtri

from bothways.terms.records import Records
from bothways.terms.settings import Settings

MOST_LEVELS = 5
KNOTS = (0.1, 0.5, 0.9)  # quantiles at which a restricted cubic spline of three knots bends (Harrell 2001)
GRID, REACH = 400, 4.0  # values of the SD between levels, up to so many times the spread of what was found
ANYONE = "by"  # among the guessed roles: nobody named the circumstances


@dataclass(frozen=True, slots=True)
class Split:
    """A circumstance in levels: ``level`` (rows or people,) with -1 where it is not known; the first is the reference.

    ``cut`` is where a number with many values was cut in two.
    """

    key: str
    label: str
    names: tuple[str, ...]
    level: Int[np.ndarray, "rows"]
    cut: float | None = None


def asked(records: Records, settings: Settings) -> tuple[str, ...]:
    """The circumstances to look at: what was named; what was not named but offered, only where there is time for it."""
    offered = ANYONE in records.roles.guessed
    return () if offered and settings.quick else records.roles.by


def split_of(records: Records, key: str, values: Float[np.ndarray, "rows"], cut: float | None = None) -> Split | None:
    """A column in levels: its categories, its few values, or two halves at ``cut`` (else the median); None for one."""
    known = np.isfinite(values)
    label, level = records.labels.get(key, key), np.full(values.size, -1)
    codes = np.unique(values[known])
    if codes.size < 2:
        return None
    if many_valued(records, key, values) or cut is not None:
        middle = float(np.median(values[known])) if cut is None else cut
        level[known] = values[known] >= middle
        names: tuple[str, ...] = (f"{label} below {middle:g}", f"{label} {middle:g} or above")
        return Split(key, label, names, level, middle) if np.unique(level[known]).size == 2 else None
    level[known] = np.searchsorted(codes, values[known])
    told = records.categories.get(key, ())
    return Split(key, label, tuple(_name(label, code, told) for code in codes.tolist()), level)


def many_valued(records: Records, key: str, values: Float[np.ndarray, "rows"]) -> bool:
    """Whether a column is a number of many values, and not levels."""
    return not records.categories.get(key) and np.unique(values[np.isfinite(values)]).size > MOST_LEVELS


def _name(label: str, code: float, told: Sequence[str]) -> str:
    """ "sex: female"; a level that names its column already stands by itself: "phq9 below 10"."""
    name = told[int(code)] if code.is_integer() and 0 <= code < len(told) else f"{code:g}"
    return name if name.startswith(label) else f"{label}: {name}"


def holm(p: Sequence[float]) -> list[float]:
    """Holm's step-down p-values: however many tests, the chance of any false one stays at the level of each.

    p̃_(i) = max over j ≤ i of min(1, (m − j + 1) p_(j)).
    """
    order = np.argsort(p)
    steps = np.minimum(1.0, np.asarray(p, float)[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.maximum.accumulate(steps)
    return adjusted.tolist()


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Estimates pulled towards their centre: values, limits, the SD between levels, and the centre."""

    value: Float[np.ndarray, "levels"]
    low: Float[np.ndarray, "levels"]
    high: Float[np.ndarray, "levels"]
    between: float
    centre: float


def shrink(
    value: Float[np.ndarray, "levels"], error: Float[np.ndarray, "levels"], level: float, centre: float | None = None
) -> Shrunk:
    """Partially pooled estimates of independent levels: y_k ~ N(θ_k, s_k²), θ_k ~ N(μ, τ²).

    Given τ, with B_k = s_k²/(s_k² + τ²) and μ the weighted mean unless ``centre`` is given,

        E θ_k = μ + (1 − B_k)(y_k − μ),      var θ_k = (1 − B_k) s_k² + B_k² var μ

    and τ is averaged out over its likelihood with a flat prior, on a grid (Gelman 2006; Röver 2020): one value of it
    put in its place would make limits too narrow. ``between`` is its most likely value.
    """
    v = error[:, None] ** 2
    far = float(np.ptp(np.append(value, [] if centre is None else centre))) + float(error.max())
    tau = np.linspace(0.0, REACH * far, GRID)
    w = 1 / (v + tau**2)
    mean = np.full(GRID, centre) if centre is not None else (w * value[:, None]).sum(axis=0) / w.sum(axis=0)
    of_mean = np.zeros(GRID) if centre is not None else 1 / w.sum(axis=0)
    loglik = 0.5 * (np.log(w) - w * (value[:, None] - mean) ** 2).sum(axis=0)
    loglik += 0.0 if centre is not None else 0.5 * np.log(of_mean)
    share = np.exp(loglik - loglik.max())
    share /= share.sum()
    B = v * w
    middle = mean + (1 - B) * (value[:, None] - mean)
    spread = (1 - B) * v + B**2 * of_mean
    found = middle @ share
    error_of = np.sqrt((spread + middle**2) @ share - found**2)
    reach = float(ndtri(0.5 + level / 2)) * error_of
    return Shrunk(found, found - reach, found + reach, float(tau[loglik.argmax()]), float(mean @ share))


def spline(x: Float[np.ndarray, "n"], knots: Float[np.ndarray, "k"]) -> Float[np.ndarray, "n terms"]:
    """A restricted cubic spline: x itself, and cubic terms between the knots that are straight beyond them.

    (x−k_j)³₊ − (x−k_{K−1})³₊ (k_K−k_j)/(k_K−k_{K−1}) + (x−k_K)³₊ (k_{K−1}−k_j)/(k_K−k_{K−1}), over (k_K−k_1)².
    """
    last, before = knots[-1], knots[-2]

    def cube(k: float) -> np.ndarray:
        return np.asarray(np.maximum(x - k, 0.0) ** 3)

    terms = [x]
    for k in knots[:-2].tolist():
        bent = cube(k) - cube(before) * (last - k) / (last - before) + cube(last) * (before - k) / (last - before)
        terms.append(bent / (last - knots[0]) ** 2)
    return np.column_stack(terms)
