"""What the records show before any model: people, times, coverage, missingness, spread, associations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float

from bothways.intake.spread import Association, associations, spread
from bothways.terms.answer import Cell, Table
from bothways.terms.records import Records

_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)
_QUANTILE_NAMES = ("least", "5 %", "25 %", "median", "75 %", "95 %", "most")
MOST_PATTERNS = 12
MANY_PEOPLE = 20_000  # beyond this, patterns are counted by one integer a person


def describe(records: Records) -> tuple[Table, ...]:
    """The tables that any records allow, unrounded; those that do not apply are left out."""
    with_part, without = _variables(records)
    tables = (
        _overview(records),
        _times(records),
        _coverage(records),
        _patterns(records),
        _spread_table("variables", "The variables", records, with_part, _SPREAD_NOTE),
        _associations(records),
        _reasons(records, with_part),
        _spread_table("other_columns", "Columns without a part, as they stand", records, without, ""),
    )
    return tuple(table for table in tables if table.rows)


def _variables(records: Records) -> tuple[list[str], list[str]]:
    """(keys with a part, the two conditions first; all others)."""
    roles, pair = records.roles, records.pair
    by = () if "by" in roles.guessed else roles.by  # what is offered keeps its place among the rest
    parts = (pair.a.key, pair.b.key, *roles.covariates, *roles.pathways, *by)
    keys = [key for key in dict.fromkeys(parts) if key in records.values]
    rest = [key for key in sorted(records.values) if key not in keys and key not in records.categories]
    return [key for key in keys if key not in records.categories], rest


def _overview(records: Records) -> Table:
    a, b = (np.isfinite(records.values[c.key]) for c in (records.pair.a, records.pair.b))
    rows_each = np.bincount(records.person)
    rows: list[tuple[Cell, ...]] = [
        ("people", records.people),
        ("rows (person-times)", records.rows),
        ("waves", records.waves),
        ("rows with both conditions", int((a & b).sum())),
        ("people with one row only", int((rows_each == 1).sum())),
        ("people with both conditions at two times or more", int((np.bincount(records.person, a & b) >= 2).sum())),
    ]
    return Table("overview", "Who and how much", ("what", "count"), tuple(row for row in rows if row[1] is not None))


def _times(records: Records) -> Table:
    """Quantiles of rows per person, span per person and the gap from one row to the next."""
    unit = f"{records.time_unit.value}s"
    same = records.person[1:] == records.person[:-1]
    gaps = np.diff(records.time)[same]
    first = np.flatnonzero(np.r_[True, ~same])
    last = np.r_[first[1:], records.rows] - 1
    rows: list[tuple[Cell, ...]] = [("rows per person", *_quantiles(np.bincount(records.person).astype(np.float64)))]
    if gaps.size:
        rows.append((f"gap to the next row ({unit})", *_quantiles(gaps)))
        rows.append((f"first to last row ({unit})", *_quantiles(records.time[last] - records.time[first])))
    return Table("times", "How often and how far apart", ("what", *_QUANTILE_NAMES), tuple(rows))


def _quantiles(values: Float[np.ndarray, "some"]) -> tuple[float, ...]:
    return tuple(float(q) for q in np.quantile(values, _QUANTILES))


def _coverage(records: Records) -> Table:
    """Who answered what at each wave."""
    pair = records.pair
    columns = ("wave", "time", "people", pair.a.label, pair.b.label, "both", "share with both")
    rows: list[tuple[Cell, ...]] = []
    if records.wave is not None:
        a, b = (np.isfinite(records.values[c.key]) for c in (pair.a, pair.b))
        n, n_a, n_b, n_ab = (_by_wave(records, mask) for mask in (np.ones(records.rows, bool), a, b, a & b))
        middle = records.wave_days if records.wave_days is not None else _first_times(records)
        rows = [
            (k + 1, float(middle[k]), n[k], n_a[k], n_b[k], n_ab[k], n_ab[k] / records.people) for k in range(len(n))
        ]
    return Table("coverage", "Who answered at each wave", columns, tuple(rows))


def _by_wave(records: Records, mask: Bool[np.ndarray, "rows"]) -> list[int]:
    assert records.wave is not None
    return [int(count) for count in np.bincount(records.wave[mask], minlength=records.waves or 0)]


def _first_times(records: Records) -> Float[np.ndarray, "waves"]:
    assert records.wave is not None
    found = np.full(records.waves or 0, np.inf)
    np.minimum.at(found, records.wave, records.time)
    return found


def _patterns(records: Records) -> Table:
    """Which waves people answered (1: both conditions, a or b: one of them, -: neither), most frequent first."""
    a, b = (np.isfinite(records.values[c.key]) for c in (records.pair.a, records.pair.b))
    state = a.astype(np.int64) + 2 * b  # 0 neither, 1 only A, 2 only B, 3 both
    if records.wave is None:
        shares = np.bincount(state, minlength=4)
        names = ("neither", f"{records.pair.a.label} only", f"{records.pair.b.label} only", "both")
        cells: list[tuple[Cell, ...]] = [
            (name, int(n), float(n / records.rows)) for name, n in zip(names, shares, strict=True) if n
        ]
        return Table("missingness", "What was answered together", ("answered", "rows", "share"), tuple(cells))
    grid = np.zeros((records.people, records.waves or 0), dtype=np.uint8)
    grid[records.person, records.wave] = state
    kinds, counts = np.unique(grid, axis=0, return_counts=True) if records.people < MANY_PEOPLE else _kinds(grid)
    order = np.lexsort((np.arange(counts.size), -counts))[:MOST_PATTERNS]
    rows: list[tuple[Cell, ...]] = [
        ("".join("-ab1"[k] for k in kinds[i]), int(counts[i]), float(counts[i] / records.people)) for i in order
    ]
    left = int(counts.sum() - counts[order].sum())
    if left:
        rows.append((f"{counts.size - order.size} other patterns", left, left / records.people))
    columns = ("pattern by wave", "people", "share")
    note = f"1: both; a: {records.pair.a.label} only; b: {records.pair.b.label} only; -: neither"
    return Table("missingness", "Which waves people answered", columns, tuple(rows), note)


def _kinds(grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Distinct rows and their counts, by one integer a row where the waves fit into it (four states a wave)."""
    if grid.shape[1] > 31:
        return np.unique(grid, axis=0, return_counts=True)
    weights = 4 ** np.arange(grid.shape[1], dtype=np.int64)[::-1]
    _, where, counts = np.unique(grid @ weights, return_index=True, return_counts=True)
    return grid[where], counts


_SPREAD_COLUMNS = (
    *("variable", "answers", "people", "missing share", "mean", "SD", "SD between people", "SD within people"),
    *("between share (ICC)", "lowest", "highest", "share at lowest", "share at highest"),
)
_SPREAD_NOTE = (
    "ICC: the share of the variance that lies between people (one-way random effects, unbalanced); the rest is change "
    "within people and error"
)


def _spread_table(key: str, title: str, records: Records, keys: Sequence[str], note: str) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name in keys:
        s = spread(records.person, records.values[name])
        share = 1.0 - s.answers / records.rows
        label = records.labels.get(name, name)
        row = (label, s.answers, s.people, share, s.mean, s.sd, s.between, s.within, s.icc, s.low, s.high)
        rows.append((*row, s.at_low, s.at_high))
    return Table(key, title, _SPREAD_COLUMNS, tuple(rows), note)


def _associations(records: Records) -> Table:
    """A with B: between people, within people, and at one time."""
    a, b = (records.values[c.key] for c in (records.pair.a, records.pair.b))
    rows = [_row(found) for found in associations(records.person, a, b, records.wave)]
    title = f"How {records.pair.a.label} and {records.pair.b.label} go together"
    note = "95 % intervals by Fisher's z; association only: no order in time is used"
    return Table("associations", title, ("level", "correlation", "low", "high", "people"), tuple(rows), note)


def _row(found: Association) -> tuple[Cell, ...]:
    return found.level, found.r, found.low, found.high, found.people


def _reasons(records: Records, keys: Sequence[str]) -> Table:
    rows: Iterable[tuple[Cell, ...]] = (
        (records.labels.get(key, key), why, count)
        for key in keys
        for why, count in records.reasons.get(key, {}).items()
    )
    return Table("reasons", "Why values are missing", ("variable", "reason", "rows"), tuple(rows))
