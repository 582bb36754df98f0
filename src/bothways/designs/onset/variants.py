"""The same question asked a little differently: other cut-offs, a window after the first onset, the dose at entry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtri
from scipy.stats import norm

from bothways.designs.onset.dose import dose_tables
from bothways.designs.onset.estimation import PATHS
from bothways.designs.onset.misclassified import accuracies, accuracy_says
from bothways.designs.onset.models import Fitted, effects_of, fitted_chain, plain
from bothways.designs.onset.room import BOTH_WAYS, Room
from bothways.designs.onset.setup import OnsetSetup, prepare
from bothways.designs.onset.states import DAYS_PER_YEAR, cut_of
from bothways.terms.answer import Cell, Table
from bothways.terms.question import Kind

WINDOWS = (30.0, 90.0, 180.0)  # days after the first onset
LEAST_CHANGES = 10


def variants_of(room: Room) -> tuple[Table, ...]:
    """Every variant that these records allow."""
    tables = (_cuts(room), _accuracy(room), _windows(room), *dose_tables(room))
    return tuple(table for table in tables if table is not None)


def _both_ratios(room: Room, fitted: Fitted) -> list[Cell]:
    """Both ratios of a chain with limits; empty where there is none."""
    cells: list[Cell] = []
    reach = float(ndtri(0.5 + room.settings.level / 2))
    for direction in BOTH_WAYS:
        value, error, _ = fitted.log_ratio(*PATHS[direction])
        if fitted.usable and np.isfinite(error):
            cells += [float(v) for v in np.exp([value, value - reach * error, value + reach * error])]
        else:
            cells += [None, None, None]
    return cells


def _accuracy(room: Room) -> Table | None:
    """Both ratios with states as they were seen, and behind states seen with error."""
    errors = room.fits.errors
    if errors is None:
        return None
    found = accuracies(room.setup, errors, room.settings.accuracy, room.settings.level)
    columns = ("states", *(f"{what}, {label}" for label, what, *_ in found), *_ratio_columns(room))
    rows: tuple[tuple[Cell, ...], ...] = (
        ("as they were seen", *(1.0 for _ in found), *_both_ratios(room, room.fits.chain)),
        ("seen with error", *(value for _, _, value, *_ in found), *_both_ratios(room, errors)),
    )
    note = accuracy_says(room.setup, errors, room.settings.accuracy, room.settings.level)
    return Table("onset_accuracy", "If presence is seen with error", columns, rows, note)


def _cuts(room: Room) -> Table | None:
    """One step below and above each score's cut-off, the other left where it is."""
    setup, rows = room.setup, []
    pair = setup.records.pair
    stated = {
        c.key: cut for c in (pair.a, pair.b) if c.kind is Kind.SCORE and (cut := cut_of(c, room.settings)) is not None
    }
    for key, cut in stated.items():
        values = np.unique(setup.records.values[key][~np.isnan(setup.records.values[key])])
        below, above = values[values < cut][-1:], values[values > cut][:1]
        for other in (*below, cut, *above):
            settings = replace(room.settings, cuts={**room.settings.cuts, **stated, key: float(other)})
            again = prepare(setup.records, settings)
            if again.moves[[0, 0, 1, 2], [1, 2, 3, 3]].min() > 0:
                label = setup.records.labels.get(key, key)
                rows.append((label, float(other), *_both_ratios(room, plain(again))))
    columns = ("score", "present from", *_ratio_columns(room))
    return Table("onset_cuts", "At neighbouring cut-offs", columns, tuple(rows)) if rows else None


def _ratio_columns(room: Room) -> tuple[str, ...]:
    a, b = (c.label for c in (room.setup.records.pair.a, room.setup.records.pair.b))
    return tuple(f"{x} to {y}{end}" for x, y in ((a, b), (b, a)) for end in (", ratio", ", low", ", high"))


def _windows(room: Room) -> Table | None:
    """Ratios before and after a window since the present state began; dated onsets only.

    Without detection or reverse dating both are alike; p asks whether they are, which also checks that time in the
    state does not matter.
    """
    setup = room.setup
    if not (setup.rows.dated and setup.in_days):
        return None
    rows: list[tuple[Cell, ...]] = []
    since = _since_change(setup)
    for days in WINDOWS:
        effects, equal = effects_of(setup)
        moved = [_late(setup, since, days, ends) for ends in ((1, 3), (2, 3))]
        late = tuple(t for t, n in zip(("A>AB", "B>AB"), moved, strict=True) if min(n) >= LEAST_CHANGES)
        if not late:
            continue
        names = {**effects, "later": late}
        cut = (since, (days / DAYS_PER_YEAR,))
        fitted = fitted_chain(setup, names, equal, "chain-with-window", cut=cut)
        for direction in BOTH_WAYS:
            above, below = PATHS[direction]
            if not fitted.usable or above not in late:
                continue
            weights = fitted.log_ratio(above, below)[2]
            step = fitted.rates.row(above, later=1.0) - fitted.rates.row(above)
            after = weights + np.pad(step, (0, weights.size - step.size))
            V = np.where(np.isfinite(fitted.fit.robust), fitted.fit.robust, 0.0)
            first, second = (c.label for c in direction.ends(setup.records.pair))
            shown = [_shown(room, w, fitted.fit.theta, V) for w in (weights, after)]
            change = after - weights
            p = float(2 * norm.sf(abs(change @ fitted.fit.theta) / np.sqrt(change @ V @ change)))
            rows.append((f"{first} to {second}", days, *shown[0], *shown[1], p))
    columns = (
        "direction",
        "window in days",
        "ratio within",
        "low",
        "high",
        "ratio after",
        "low, after",
        "high, after",
        "p",
    )
    return (
        Table("onset_windows", "Within and after a window since the first onset", columns, tuple(rows))
        if rows
        else None
    )


def _shown(room: Room, weights: np.ndarray, theta: np.ndarray, V: np.ndarray) -> list[float]:
    value, reach = float(weights @ theta), float(ndtri(0.5 + room.settings.level / 2) * np.sqrt(weights @ V @ weights))
    return [float(v) for v in np.exp([value, value - reach, value + reach])]


def _since_change(setup: OnsetSetup) -> np.ndarray:
    """(rows,) time since the present state of the person began, or since entry."""
    rows = setup.rows
    new = np.r_[True, (np.diff(rows.person) != 0) | (np.diff(rows.state) != 0)]
    began = np.maximum.accumulate(np.where(new, np.arange(new.size), 0))
    return np.asarray(rows.time - rows.time[began])


def _late(setup: OnsetSetup, since: np.ndarray, days: float, ends: tuple[int, int]) -> tuple[int, int]:
    """How many moves between two states came within the window, and how many after."""
    rows = setup.rows
    moved = (np.diff(rows.person) == 0) & (rows.state[:-1] == ends[0]) & (rows.state[1:] == ends[1])
    stayed = (since[:-1] + np.diff(rows.time))[moved]
    after = int((stayed > days / DAYS_PER_YEAR).sum())
    return int(moved.sum()) - after, after
