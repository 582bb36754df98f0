"""In whom, along a number: both rates and their ratio as a restricted cubic spline of age or the like.

    log q = ... + s(z)'γ on each onset rate,      log ratio at z = log ρ + (γ_above − γ_below)' s(z)

s has two terms, turned so that they are uncorrelated in the rows: a straight one, and one that bends at the middle of
three knots. Rates may bend alike without the ratio moving: the tests are of the differences of γ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float
from scipy.special import chdtrc, ndtri

from bothways.designs.onset.answers import BOTH_WAYS, Room
from bothways.designs.onset.estimation import PATHS
from bothways.designs.onset.models import Fitted, effects_of, fitted_chain
from bothways.designs.onset.setup import Covariates
from bothways.designs.splits import KNOTS, spline
from bothways.designs.together import Compared, arrow
from bothways.engine.chain.graph import FORWARD
from bothways.terms.answer import Cell, Table

AT = (0.05, 0.25, 0.5, 0.75, 0.95)  # quantiles at which the ratio is told
TERMS = ("straight", "bent")
Row = tuple[Cell, ...]


def along(room: Room, key: str, label: str, values: Float[np.ndarray, "rows"]) -> tuple[list[Compared], list[Row]]:
    """Per direction: whether the ratio moves with the number, whether other than straight, and the ratio at five of
    its values; nothing where the chain cannot be fitted so."""
    z, known = _standard(values), np.isfinite(values)
    knots = np.quantile(z[known], KNOTS)
    if np.unique(knots).size < len(KNOTS):
        return [], []
    basis = spline(z[known], knots)
    mean = basis.mean(axis=0)
    turn = np.linalg.inv(np.linalg.qr(basis - mean, mode="r")) * np.sqrt(len(basis))
    columns = np.where(known[:, None], (spline(np.where(known, z, 0.0), knots) - mean) @ turn, 0.0)
    fitted = _fitted(room, key, columns)
    if not fitted.usable:
        return [], []
    tests: list[Compared] = []
    rows: list[Row] = []
    for direction in BOTH_WAYS:
        above, below = PATHS[direction]
        slopes = np.array([_difference(fitted, f"{key} {term}", above, below) for term in TERMS])
        tests.append(Compared(label, direction, "along the number", *wald_test(fitted, slopes)))
        tests.append(Compared(label, direction, "bent against straight", *wald_test(fitted, slopes[1:])))
        ratio = fitted.log_ratio(above, below)[2]
        reach = float(ndtri(0.5 + room.settings.level / 2))
        for q in AT:
            here = (spline(np.array([np.quantile(z[known], q)]), knots)[0] - mean) @ turn
            value, error = _linear(fitted, ratio + here @ slopes)
            told = np.exp([value, value - reach * error, value + reach * error]).tolist()
            spot = float(np.quantile(values[known], q))
            rows.append((label, arrow(room.setup.records.pair, direction), spot, *told))
    return tests, rows


def _standard(values: np.ndarray) -> np.ndarray:
    return np.asarray((values - np.nanmean(values)) / max(float(np.nanstd(values)), 1e-12))


def _fitted(room: Room, key: str, columns: Float[np.ndarray, "rows terms"]) -> Fitted:
    setup = room.setup
    x = np.column_stack([setup.seen.x, columns])
    wider = replace(setup, seen=replace(setup.seen, x=x), covariates=Covariates((), x, ()))
    effects, equal = effects_of(setup)
    bent = {f"{key} {term}": FORWARD for term in TERMS}
    return fitted_chain(wider, {**effects, **bent}, equal, f"chain-along-{key}")


def _difference(fitted: Fitted, name: str, above: str, below: str) -> Float[np.ndarray, "parameters"]:
    """γ of one term on the rate above less that on the rate below."""
    weights = np.zeros(fitted.fit.theta.size)
    for sign, transition in ((1.0, above), (-1.0, below)):
        weights[fitted.rates.names.index(f"{name} {transition}")] = sign
    return weights


def _linear(fitted: Fitted, weights: np.ndarray) -> tuple[float, float]:
    V = np.where(np.isfinite(fitted.fit.robust), fitted.fit.robust, 0.0)
    return float(weights @ fitted.fit.theta), float(np.sqrt(max(weights @ V @ weights, 0.0)))


def wald_test(fitted: Fitted, weights: Float[np.ndarray, "terms parameters"]) -> tuple[float, int, float]:
    """Wald's test that these combinations are all nil: statistic, degrees of freedom, p; NaN where one has no error."""
    used = (weights != 0).any(axis=0)
    V = fitted.fit.robust[np.ix_(used, used)]
    if not np.isfinite(V).all():
        return np.nan, len(weights), np.nan
    W = weights[:, used]
    b, C = W @ fitted.fit.theta[used], W @ V @ W.T
    statistic = float(b @ np.linalg.pinv(C) @ b)
    return statistic, len(weights), float(chdtrc(len(weights), statistic))


def curve_table(rows: Sequence[Row]) -> Table:
    """Ratios along a number."""
    return Table(
        "onset_whom_curve",
        "In whom: along a number",
        ("circumstance", "direction", "at", "ratio", "low", "high"),
        tuple(rows),
        "The ratio at five values of the number: the rates are restricted cubic splines of it with three knots "
        "(Harrell 2001).",
    )
