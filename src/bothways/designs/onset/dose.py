"""How much of the first at entry, and how soon the second begins: quarters, a straight line, and a smooth curve.

The form of Carroll 2004, read as interval-censored: among people free of the second condition at entry, the rate of
its first onset is exp(alpha + f(score) + adjustment), with f a step per quarter, a line, or a restricted cubic spline
(Stone & Koo 1985; knots at the quantiles of Harrell 2015), all relative to the lowest quarter or to the median.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import chdtrc, ndtri
from scipy.stats import norm

from bothways.designs.onset.room import BOTH_WAYS, Room
from bothways.designs.onset.states import DEAD
from bothways.engine.chain.fit import ChainFit, fit
from bothways.engine.chain.graph import graph
from bothways.engine.chain.likelihood import ChainModel
from bothways.engine.chain.predictor import predictor
from bothways.engine.chain.sequences import observe, sequences
from bothways.engine.survey import Sampling
from bothways.terms.answer import Cell, Table
from bothways.terms.question import Condition, Direction, Kind

LEAST_ONSETS = 10
KNOTS = {4: (0.05, 0.35, 0.65, 0.95), 3: (0.10, 0.50, 0.90)}  # quantiles, by how many
ONSETS_A_KNOT = 15  # with fewer onsets for each of four knots, three are used
CURVE = np.linspace(0.05, 0.95, 19)  # quantiles between which the curve is drawn
NOTE = "People free of the second condition at entry; onset lies between two visits."


@dataclass(frozen=True, slots=True)
class Free:
    """Rows of people free of the second condition at entry, up to its first onset; ``score`` (people,) at entry.

    ``index`` (rows,) numbers those people, ``x`` (rows, covariates) is what is adjusted for, ``weight`` (people,) and
    ``drawn`` are how they were sampled.
    """

    name: str
    label: str
    index: Int[np.ndarray, "rows"]
    time: Float[np.ndarray, "rows"]
    ill: Int[np.ndarray, "rows"]
    x: Float[np.ndarray, "rows covariates"]
    score: Float[np.ndarray, "people"]
    weight: Float[np.ndarray, "people"] | None = None
    drawn: Sampling | None = None


def dose_tables(room: Room) -> tuple[Table, ...]:
    """By quarters with a trend and a test of straightness, and as a curve; for conditions that come as scores."""
    steps: list[tuple[Cell, ...]] = []
    curve: list[tuple[Cell, ...]] = []
    for direction in BOTH_WAYS:
        first, second = direction.ends(room.setup.records.pair)
        free = _free(room, direction, first, second) if first.kind is Kind.SCORE else None
        if free is not None:
            steps += _quarters(room, free)
            smooth, straight = _smooth(room, free)
            steps += straight
            curve += smooth
    columns = ("direction", "at entry", "people", "ratio", "low", "high", "p")
    note = NOTE + _adjusted(room)
    tables = (Table("onset_dose", "By how much of the first at entry", columns, tuple(steps), note),) if steps else ()
    drawn = ("direction", "score at entry", "ratio", "low", "high")
    title = "By how much of the first at entry, as a curve"
    says = f"{note} Restricted cubic spline; against the median score."
    return (*tables, Table("onset_dose_curve", title, drawn, tuple(curve), says)) if curve else tables


def _adjusted(room: Room) -> str:
    names = ", ".join(room.setup.covariates.names)
    return f" Adjusted for {names}." if names else ""


def _free(room: Room, direction: Direction, first: Condition, second: Condition) -> Free | None:
    """Who was free of the second at entry, until its onset; None where too few ever had one."""
    setup, rows = room.setup, room.setup.rows
    bit = 2 if direction is Direction.A_TO_B else 1
    head = np.flatnonzero(np.r_[True, np.diff(rows.person) != 0])
    score = np.full(rows.people, np.nan)
    score[rows.person[head]] = setup.records.values[first.key][np.maximum(rows.row[head], 0)]
    free = (setup.entry >= 0) & (setup.entry < DEAD) & ((setup.entry & bit) == 0) & np.isfinite(score)
    use = np.flatnonzero(free[rows.person] & rows.known & (rows.state != DEAD))
    ill, person = (rows.state[use] & bit) > 0, rows.person[use]
    had = np.r_[0, np.cumsum(ill)]
    kept = had[:-1] == had[np.searchsorted(person, person)]
    use, ill = use[kept], ill[kept]
    people, index = np.unique(rows.person[use], return_inverse=True)
    if ill.sum() < LEAST_ONSETS or np.unique(score[people]).size < 2:
        return None
    name = f"{first.label} to {second.label}"
    x = setup.covariates.x[use]
    weight, drawn = setup.seen.weight, setup.drawn
    return Free(
        name, first.label, index, rows.time[use], ill.astype(np.int64), x, score[people],
        None if weight is None else weight[people], None if drawn is None else drawn.among(people),
    )  # fmt: skip


def _fitted(free: Free, dose: Float[np.ndarray, "people columns"]) -> ChainFit:
    """The rate of first onset by columns of the score, then the adjustment; errors robust by person."""
    two = graph(("free", "ill"), ("free>ill",))
    x = np.column_stack([dose[free.index], free.x])
    seen = observe(free.index, free.time, free.ill, states=2, x=x, weight=free.weight, drawn=free.drawn)
    names = [f"x{k}" for k in range(x.shape[1])]
    return fit(ChainModel(predictor(two, dict.fromkeys(names)), sequences(two, seen)))


def _quarters(room: Room, free: Free) -> list[tuple[Cell, ...]]:
    """Each quarter against the lowest, and the trend per standard deviation."""
    level = np.searchsorted(np.unique(np.quantile(free.score, [0.25, 0.5, 0.75])), free.score, "left")
    levels = np.unique(level)
    steps = _fitted(free, np.column_stack([(level == k) * 1.0 for k in levels[1:]])) if levels.size > 1 else None
    line = _fitted(free, ((free.score - free.score.mean()) / free.score.std())[:, None])
    rows: list[tuple[Cell, ...]] = []
    for k, which in enumerate(levels[1:], start=1):
        assert steps is not None
        count = int((level == which).sum())
        cells = _one(room, float(steps.theta[k]), float(steps.robust_errors[k]))
        rows.append((free.name, f"quarter {int(which) + 1}", count, *cells))
    trend = _one(room, float(line.theta[1]), float(line.robust_errors[1]))
    return [*rows, (free.name, "trend per SD", free.score.size, *trend)]


def _smooth(room: Room, free: Free) -> tuple[list[tuple[Cell, ...]], list[tuple[Cell, ...]]]:
    """The curve against the median, and p of all that bends it (Wald, robust by person)."""
    knots = knots_of(free.score, int(free.ill.sum()))
    if knots is None:
        return [], []
    found = _fitted(free, restricted_cubic(free.score, knots))
    own = slice(1, knots.size)
    beta, V = found.theta[own], found.robust[own, own]
    if not np.isfinite(V).all():
        return [], []
    middle = float(np.median(free.score))
    at = np.unique(np.append(np.quantile(free.score, CURVE), middle))
    away = restricted_cubic(at, knots) - restricted_cubic(np.array([middle]), knots)
    value, error = away @ beta, np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", away, V, away), 0.0))
    reach = float(ndtri(0.5 + room.settings.level / 2)) * error
    ratios = np.exp(np.column_stack([value, value - reach, value + reach]))
    curve: list[tuple[Cell, ...]] = [
        (free.name, float(v), *(float(r) for r in row)) for v, row in zip(at, ratios, strict=True)
    ]
    bend = float(beta[1:] @ np.linalg.solve(V[1:, 1:], beta[1:]))
    p = float(chdtrc(beta.size - 1, bend))
    return curve, [(free.name, "departure from a straight line", free.score.size, None, None, None, p)]


def knots_of(score: Float[np.ndarray, "people"], onsets: int) -> Float[np.ndarray, "knots"] | None:
    """Four knots, or three where onsets are few or values tied; None where not even three lie apart."""
    for count in (4, 3) if onsets >= 4 * ONSETS_A_KNOT else (3,):
        knots = np.unique(np.quantile(score, KNOTS[count]))
        if knots.size == count:
            return np.asarray(knots)
    return None


def restricted_cubic(
    value: Float[np.ndarray, "values"], knots: Float[np.ndarray, "knots"]
) -> Float[np.ndarray, "values columns"]:
    """x and, for every knot t_j but the last two, with t = t_k and s = t_{k-1} the last ones,

    [(x - t_j)+^3 - (x - s)+^3 (t - t_j) / (t - s) + (x - t)+^3 (s - t_j) / (t - s)] / (t - t_1)^2,

    a cubic between knots that is straight beyond the outer ones; columns in units of the score.
    """
    cube = np.maximum(value[:, None] - knots, 0.0) ** 3
    last, before = knots[-1], knots[-2]
    bends = [
        cube[:, j] - cube[:, -2] * (last - t) / (last - before) + cube[:, -1] * (before - t) / (last - before)
        for j, t in enumerate(knots[:-2])
    ]
    return np.column_stack([value, *(bend / (last - knots[0]) ** 2 for bend in bends)])


def _one(room: Room, value: float, error: float) -> tuple[Cell, ...]:
    """Ratio, limits and p from a log ratio; empty where it has none."""
    if not np.isfinite(error):
        return (None, None, None, None)
    reach = float(ndtri(0.5 + room.settings.level / 2)) * error
    low, middle, high = (float(v) for v in np.exp([value - reach, value, value + reach]))
    return (middle, low, high, float(2 * norm.sf(abs(value) / error)))
