"""Covariates: which of them change over time, and the columns that those which do not become."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from bothways.designs.sampling import person_column
from bothways.terms.records import Records

CHANGES = 0.05  # a share of its variance: a column that moves less against others within people counts as fixed
MOST_LEVELS = 12


@dataclass(frozen=True, slots=True)
class Covariates:
    """Names of the covariates by part; ``left_out`` says which could not be used, and why."""

    fixed: tuple[str, ...]
    changing: tuple[str, ...]
    left_out: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """Covariates that do not change, centred and divided by their SD; coded ones as one indicator a level but one."""

    names: tuple[str, ...]
    standardised: Float[np.ndarray, "people covariates"]
    centre: Float[np.ndarray, "covariates"]
    scale: Float[np.ndarray, "covariates"]
    left_out: tuple[str, ...] = ()


def sort_covariates(records: Records) -> Covariates:
    """Covariates of the records' roles that are fixed, and those that change; the pair itself is neither.

    The arm of a trial is a covariate whether it is named as one or not: treatment that moves both conditions would
    otherwise pass for a lag.
    """
    pair, arm = {records.pair.a.key, records.pair.b.key}, records.roles.arm
    fixed, changing, left_out = [], [], []
    for name in dict.fromkeys((*records.roles.covariates, *((arm,) if arm in records.baseline else ()))):
        if name in pair:
            continue
        if name in records.baseline:
            fixed.append(name)
        elif name not in records.values:
            left_out.append(f"{name} (not in the records)")
        elif not changes(records, name):
            fixed.append(name)
        elif not _at_every_wave(records, name):
            left_out.append(f"{name} (it changes over time but was not recorded at every wave)")
        else:
            changing.append(name)
    return Covariates(tuple(fixed), tuple(changing), tuple(left_out))


def changes(records: Records, name: str) -> bool:
    """Whether a column moves differently in different people; what all share (age, calendar) is no change.

    The column less the mean of its wave is split into people's own means and the rest; it changes where the rest
    holds at least a twentieth of the variance.
    """
    assert records.wave is not None
    x = records.values[name]
    known = np.isfinite(x)
    person, wave, x = records.person[known], records.wave[known], x[known]
    centred = x - _means(x, wave)[wave]
    own = _means(centred, person)[person]
    total = float(centred @ centred)
    return total > 0 and float(((centred - own) ** 2).sum()) >= CHANGES * total


def _means(x: Float[np.ndarray, "n"], group: Int[np.ndarray, "n"]) -> Float[np.ndarray, "groups"]:
    return np.bincount(group, x) / np.maximum(np.bincount(group), 1)


def _at_every_wave(records: Records, name: str) -> bool:
    """Whether it was recorded wherever the pair was."""
    assert records.wave is not None
    a, b = (records.values[c.key] for c in (records.pair.a, records.pair.b))
    waves = [set(np.unique(records.wave[np.isfinite(x)]).tolist()) for x in (a, b, records.values[name])]
    return (waves[0] & waves[1]) <= waves[2]


def fixed_columns(records: Records, names: Sequence[str], rows: Int[np.ndarray, "people"]) -> Fixed:
    """The table of fixed covariates for the people in ``rows``; a column without variance is left out."""
    columns: dict[str, np.ndarray] = {}
    for name in names:
        x = person_column(records, name)
        if x is not None:
            columns |= _expanded(records, name, x[rows])
    usable = {name: x for name, x in columns.items() if np.isfinite(x).sum() > 1 and np.nanstd(x) > 0}
    lost = tuple(f"{name} (it is the same in everyone)" for name in columns if name not in usable)
    table = np.column_stack(list(usable.values())) if usable else np.empty((len(rows), 0))
    if not usable:
        return Fixed((), table, np.empty(0), np.empty(0), lost)
    independent = _independent(table)
    lost += tuple(f"{n} (it follows from the others)" for n, ok in zip(usable, independent, strict=True) if not ok)
    kept = tuple(n for n, ok in zip(usable, independent, strict=True) if ok)
    table = table[:, independent]
    centre, scale = np.nanmean(table, axis=0), np.nanstd(table, axis=0)
    return Fixed(kept, (table - centre) / scale, centre, scale, lost)


def _independent(table: Float[np.ndarray, "people covariates"]) -> np.ndarray:
    """Which columns add something to those before them."""
    z = np.nan_to_num((table - np.nanmean(table, axis=0)) / np.nanstd(table, axis=0))
    diagonal = np.abs(np.diag(np.linalg.qr(z, mode="r")))
    ok = np.zeros(table.shape[1], bool)
    ok[: len(diagonal)] = diagonal > 1e-7 * np.sqrt(len(table))
    return ok


def _expanded(records: Records, name: str, x: Float[np.ndarray, "people"]) -> dict[str, np.ndarray]:
    """A number stands as it is; a coded column (or arm) of three or more levels becomes indicators of all but one."""
    levels = records.categories.get(name, ())
    coded = bool(levels) or name == records.roles.arm
    codes, counts = np.unique(x[np.isfinite(x)], return_counts=True)
    if not coded or not 2 < len(codes) <= MOST_LEVELS:
        return {name: x}
    reference = codes[counts.argmax()]
    return {
        f"{name}: {levels[int(code)] if 0 <= int(code) < len(levels) else int(code)}": np.where(
            np.isfinite(x), (x == code).astype(float), np.nan
        )
        for code in codes
        if code != reference
    }
