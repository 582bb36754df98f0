"""Starting values from moments: levels by least squares, rates from the autocorrelation at observed gaps."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from bothways.engine.statespace.series import Series
from bothways.engine.statespace.structure import Structure

RATE_GRID = np.geomspace(0.03, 4.0, 40)  # rates tried, in units of one over the median gap
ERROR_SHARE = 0.2  # of the variance within persons, where errors of measurement are estimated


def starting_values(structure: Structure, series: Series, *, error_share: float = ERROR_SHARE) -> dict[str, np.ndarray]:
    """Matrices to start from, in the keys of `Structure.patterns`; cross effects start at zero.

    A process is read from the first indicator that loads on it with a fixed value; one without starts slow, at rate
    a tenth of the others.
    """
    p = len(structure.processes)
    filled = {m: np.nan_to_num(pattern, nan=0.0) for m, pattern in _patterns(structure).items()}
    median = float(np.median(series.gaps[series.step][_follows(series)])) or 1.0
    readings = [_reference(structure, j) for j in range(p)]
    residuals = np.full((series.rows, p), np.nan)
    for j, k in enumerate(readings):
        if k is not None:
            coefficients, residuals[:, j] = _least_squares(series, k, structure.loading[k, j])
            filled["level"][j] = np.where(np.isnan(structure.level[j]), coefficients, structure.level[j])
    between, within = _split(residuals, series, bool(structure.static_root.size))
    share = 1.0 - error_share * np.isnan(structure.noise)
    S = np.eye(p)
    rates = np.full(p, 0.1 / median)
    for j, k in enumerate(readings):
        if k is not None:
            S[j, j] = max(np.nanvar(within[:, j]) * share[k], 1e-6)
            rates[j] = _rate(within[:, j], series, S[j, j], median) * (1 + 0.07 * j)
            filled["noise"][k] = (1 - share[k]) * np.nanvar(within[:, j]) if np.isnan(structure.noise[k]) else 0.0
    held = -np.diag(structure.drift)
    rates = np.where(held > 0, held, rates)  # false where free (NaN)
    _cross_covariance(S, within, readings)
    _fill(filled, structure, "drift", -np.diag(rates))
    _fill(filled, structure, "diffusion_root", _root(S * (rates[:, None] + rates[None, :])))
    statics = np.sqrt(np.maximum(between, 0.05 * np.diag(S)))
    copies = structure.static_root.shape[0] // p
    scale = np.concatenate([statics * 0.3**b for b in range(copies)]) if copies else np.zeros(0)
    _fill(filled, structure, "static_root", np.diag(scale))
    if structure.start_root is not None:
        _fill(filled, structure, "start_root", _root(S))
    _fill_indicators(filled, structure, series, readings)
    return filled


def _patterns(structure: Structure) -> dict[str, np.ndarray]:
    names = ("drift", "diffusion_root", "loading", "intercept", "noise", "level", "inputs", "impulses", "static_root")
    found = {m: getattr(structure, m) for m in (*names, "start_mean", "start_root")}
    return {m: pattern for m, pattern in found.items() if pattern is not None}


def _fill(filled: dict[str, np.ndarray], structure: Structure, matrix: str, values: np.ndarray) -> None:
    pattern = getattr(structure, matrix)
    filled[matrix] = np.where(np.isnan(pattern), values, pattern)


def _follows(series: Series) -> np.ndarray:
    """Rows that have a row of the same person before them."""
    follows = np.ones(series.rows, bool)
    follows[series.starts[:-1]] = False
    return follows


def _reference(structure: Structure, j: int) -> int | None:
    fixed = np.flatnonzero(~np.isnan(structure.loading[:, j]) & (structure.loading[:, j] != 0))
    return int(fixed[0]) if fixed.size else None


def _least_squares(series: Series, k: int, loading: float) -> tuple[np.ndarray, np.ndarray]:
    y = series.values[:, k] / loading
    given = np.isfinite(y)
    coefficients = np.linalg.lstsq(series.design[given], y[given], rcond=None)[0]
    return coefficients, y - series.design @ coefficients


def _split(residuals: np.ndarray, series: Series, means: bool) -> tuple[np.ndarray, np.ndarray]:
    """Variance between persons, and residuals within them (untouched where persons have no mean of their own)."""
    if not means:
        return np.zeros(residuals.shape[1]), residuals
    given = np.isfinite(residuals)
    sums = np.add.reduceat(np.where(given, residuals, 0.0), series.starts[:-1], axis=0)
    counts = np.add.reduceat(given, series.starts[:-1], axis=0)
    averages = sums / np.maximum(counts, 1)
    return averages.var(axis=0), residuals - averages[series.person]


def _rate(w: np.ndarray, series: Series, variance: float, median: float) -> float:
    """The rate whose exponential comes nearest to the products of neighbouring residuals."""
    rows = np.flatnonzero(_follows(series) & np.isfinite(w))
    rows = rows[np.isfinite(w[rows - 1])]
    if rows.size < 5:
        return 1.0 / median
    gaps, products = series.gaps[series.step[rows]], w[rows] * w[rows - 1]
    misfit = [np.mean((products - variance * np.exp(-r / median * gaps)) ** 2) for r in RATE_GRID]
    return float(RATE_GRID[int(np.argmin(misfit))] / median)


def _cross_covariance(S: np.ndarray, within: np.ndarray, readings: list[int | None]) -> None:
    for i in range(len(S)):
        for j in range(i):
            both = np.isfinite(within[:, i]) & np.isfinite(within[:, j])
            if readings[i] is not None and readings[j] is not None and both.sum() > 5:
                r = np.corrcoef(within[both, i], within[both, j])[0, 1]
                S[i, j] = S[j, i] = 0.9 * np.nan_to_num(r) * np.sqrt(S[i, i] * S[j, j])


def _root(C: Float[np.ndarray, "p p"]) -> Float[np.ndarray, "p p"]:
    """A lower root of C, with its smallest eigenvalues lifted where it is not positive definite."""
    values, vectors = np.linalg.eigh(C)
    lifted = np.maximum(values, 1e-3 * values.max())
    return np.linalg.cholesky((vectors * lifted) @ vectors.T)


def _fill_indicators(
    filled: dict[str, np.ndarray], structure: Structure, series: Series, readings: list[int | None]
) -> None:
    """Free loadings and intercepts by regression on the process's reference; latent processes load a little on each."""
    for k, j in zip(*np.nonzero(np.isnan(structure.loading)), strict=True):
        reference = readings[j]
        y = series.values[:, k]
        filled["loading"][k, j] = 0.5 * np.nanstd(y)
        if reference is not None and reference != k:
            x = series.values[:, reference]
            both = np.isfinite(x) & np.isfinite(y)
            slope = np.cov(x[both], y[both])[0, 1] / np.var(x[both])
            filled["loading"][k, j] = slope
            if np.isnan(structure.intercept[k]):
                filled["intercept"][k] = y[both].mean() - slope * x[both].mean()
            if np.isnan(structure.noise[k]):
                filled["noise"][k] = max(0.5 * np.var(y[both]), 1e-6)
