"""Pooled regressions over waves: one for each variable given its past, fitted again and again under other weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.linalg import qr
from scipy.special import expit

from bothways.engine.gmethods.history import INTERCEPT_AND_TIME, Histories
from bothways.engine.kernels.gformula import linear, logistic

MOST, TOLERANCE = 60, 1e-12
DEATH, LEAVING = -1, -2  # targets that are no variable: dying, or leaving while alive, since the wave before
LEAST_EXITS, FEW_EXITS = 5, 10  # who die or leave: from which on a rate is learnt, and what it depends on
FAR = 20.0  # a linear predictor beyond this on the log odds stands for a probability of 0 or 1: separation


@dataclass(frozen=True, slots=True)
class Spec:
    """A regression: which variable (or DEATH, LEAVING) on which columns of a full row."""

    target: int
    columns: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """The rows of one regression over all waves. ``kept`` are the columns that the rows can tell apart."""

    spec: Spec
    binary: bool
    kept: tuple[int, ...]
    X: Float[np.ndarray, "rows kept"]
    y: Float[np.ndarray, "rows"]
    person: Int[np.ndarray, "rows"]
    wave: Int[np.ndarray, "rows"]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Coefficients on the kept columns, the residual standard deviation (1 for states), and whether it came about."""

    coef: Float[np.ndarray, "kept"]
    spread: float
    converged: bool


def target_of(histories: Histories, spec: Spec, wave: int) -> Float[np.ndarray, "people"]:
    """The left-hand side at one wave; NaN for people who are not at risk or not seen.

    Dying: among those alive and seen at the wave before. Leaving: among those complete so far and alive now.
    """
    if spec.target >= 0:
        return np.where(histories.alive(wave), histories.values[:, wave, spec.target], np.nan)
    if spec.target == DEATH:
        return np.where(histories.alive(wave - 1), (~histories.alive(wave)).astype(float), np.nan)
    unbroken = histories.unbroken
    return np.where((unbroken >= wave) & histories.alive(wave), (unbroken == wave).astype(float), np.nan)


def exits_on(histories: Histories, target: int) -> tuple[int, ...]:
    """Columns of the regression of dying or leaving; none where too few do so for any to be learnt.

    Of fewer than ten the rate is one for all; it has no course in time where at some wave nobody dies or leaves.
    """
    seen = [target_of(histories, Spec(target, ()), k) for k in range(1, histories.waves)]
    counts = [float(np.nansum(x)) for x in seen]
    if sum(counts) < LEAST_EXITS:
        return ()
    if sum(counts) < FEW_EXITS:
        return (0,)
    past = histories.past()
    whole = any(n == np.isfinite(x).sum() > 0 for n, x in zip(counts, seen, strict=True))  # the end of everyone
    return past if min(counts) > 0 or whole else tuple(c for c in past if not 0 < c < INTERCEPT_AND_TIME)


def pool(histories: Histories, specs: Iterable[Spec]) -> tuple[Pooled, ...]:
    """The rows of each regression: every wave of every person at which all that it needs is known."""
    rows = [histories.row(wave) for wave in range(1, histories.waves)]
    return tuple(_pooled(histories, spec, rows) for spec in specs)


def _pooled(histories: Histories, spec: Spec, rows: list[Float[np.ndarray, "people width"]]) -> Pooled:
    X, y, person, waves = [], [], [], []
    for wave, full in enumerate(rows, start=1):
        part, target = full[:, spec.columns], target_of(histories, spec, wave)
        good = np.isfinite(target) & np.isfinite(part).all(axis=1)
        X.append(part[good])
        y.append(target[good])
        person.append(np.flatnonzero(good))
        waves.append(np.full(int(good.sum()), wave))
    binary = spec.target < 0 or bool(histories.binary[spec.target])
    return pooled_of(spec, binary, *(np.concatenate(part) for part in (X, y, person, waves)))


def pooled_of(
    spec: Spec,
    binary: bool,
    X: Float[np.ndarray, "rows columns"],
    y: Float[np.ndarray, "rows"],
    person: Int[np.ndarray, "rows"],
    wave: Int[np.ndarray, "rows"],
) -> Pooled:
    """Rows of a regression, without the columns that they cannot tell from the others."""
    kept = independent(X)
    named = tuple(spec.columns[c] for c in kept)
    return Pooled(spec, binary, named, np.ascontiguousarray(X[:, kept]), y, person, wave)


def independent(X: Float[np.ndarray, "rows columns"]) -> list[int]:
    """The columns that are no combination of the others, earlier ones preferred."""
    if not X.size:
        return []
    scale = np.sqrt((X**2).mean(axis=0))
    kept: list[int] = []
    R = np.linalg.qr(X / np.where(scale > 0, scale, 1.0), mode="r") / np.sqrt(len(X))
    for c in range(X.shape[1]):
        if scale[c] > 0 and np.abs(np.diag(qr(R[:, [*kept, c]], mode="r")[0])).min() > 1e-5:
            kept.append(c)
    return kept


def fit(pooled: Pooled, weight: Float[np.ndarray, "people"], start: Fitted | None = None) -> Fitted:
    """Weighted maximum likelihood; ``weight`` counts people. A regression that separates has not converged."""
    w = weight[pooled.person]
    coef = np.zeros(len(pooled.kept)) if start is None else start.coef.copy()
    if not len(pooled.y) or not pooled.kept:
        return Fitted(coef, 1.0, False)
    if pooled.binary:
        done = logistic(pooled.X, pooled.y, w, coef, MOST, TOLERANCE) > 0
        return Fitted(coef, 1.0, bool(done and np.abs(pooled.X @ coef)[w > 0].max(initial=0.0) < FAR))
    variance = linear(pooled.X, pooled.y, w, coef)
    return Fitted(coef, float(np.sqrt(max(variance, 0.0))), bool(variance >= 0 and np.isfinite(coef).all()))


def probability(pooled: Pooled, fitted: Fitted) -> Float[np.ndarray, "rows"]:
    """Fitted means of the rows: probabilities of states, means of scores."""
    eta = pooled.X @ fitted.coef
    return np.asarray(expit(eta)) if pooled.binary else np.asarray(eta)
