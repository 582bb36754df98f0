"""Records -> series: scaled answers at their times; trend, phases, events and characteristics as regressors."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.designs.diary.impulses import Strikes, strikes_of
from bothways.designs.sampling import sampling_of, weights_of
from bothways.engine.statespace.inference import LEAST_PEOPLE
from bothways.engine.statespace.series import MINUTE, Series, insert_rows, make_series
from bothways.terms.errors import QuestionError
from bothways.terms.records import Records, TimeUnit

FEW_PEOPLE = 8  # below it, usual levels are estimated one by one and not as draws from a population
LEAST_ANSWERS = 3  # a person with fewer answers tells nothing of what follows what
MOST_LEVELS = 6  # a coded column with more levels is no phase


@dataclass(frozen=True, slots=True, eq=False)
class DiarySetup:
    """What is fitted, and how to read it.

    ``processes`` are keys: A, B, then pathways. Answers are scaled: (answer − ``center``) / ``spread``, the spread
    within persons. ``kept`` numbers the persons of the records that are used. ``phases`` name the inputs that hold
    for a while, ``impulses`` those that strike at a moment. ``indicators`` are the keys that each process is read
    from: itself, or items. ``asked`` (rows,) is false where a row stands for an event between two prompts.
    """

    records: Records
    processes: tuple[str, ...]
    series: Series
    center: Float[np.ndarray, " p"]
    spread: Float[np.ndarray, " p"]
    kept: Int[np.ndarray, " people"]
    regressors: tuple[str, ...]
    phases: tuple[str, ...]
    random_means: bool
    impulses: tuple[str, ...] = ()
    indicators: tuple[tuple[str, ...], ...] = ()
    asked: Bool[np.ndarray, " rows"] | None = None

    @property
    def one_person(self) -> bool:
        """Whether this is a single diary."""
        return self.series.people == 1

    @property
    def few_people(self) -> bool:
        """Whether there are several people, but too few for an interval to rest on how they differ."""
        return 1 < self.people < LEAST_PEOPLE

    @property
    def in_days(self) -> bool:
        """Whether time is in days; otherwise it counts waves."""
        return self.records.time_unit is TimeUnit.DAY

    @property
    def people(self) -> int:
        """How many persons are used."""
        return self.series.people

    def label(self, key: str) -> str:
        """How a person reads a process."""
        pair = self.records.pair
        named = {pair.a.key: pair.a.label, pair.b.key: pair.b.label}
        return named.get(key) or self.records.labels.get(key, key.replace("_", " "))


def resolution_of(records: Records) -> float:
    """What two times must differ by to be two: a minute, or next to nothing where time counts waves."""
    return MINUTE if records.time_unit is TimeUnit.DAY else 1e-6


def answers_by_person(records: Records) -> Int[np.ndarray, "people 2"]:
    """How often each person answered on A and on B."""
    given = np.column_stack([np.isfinite(records.values[c.key]) for c in (records.pair.a, records.pair.b)])
    return np.stack([np.bincount(records.person, given[:, j], records.people) for j in range(2)], axis=1).astype(int)


def set_up(
    records: Records,
    pathways: tuple[str, ...] = (),
    *,
    trend: bool = True,
    phases: bool = True,
    items: tuple[tuple[str, ...], tuple[str, ...]] | None = None,
) -> DiarySetup:
    """The series of A, B and ``pathways``, with a linear trend, phases and events as regressors unless told not to.

    ``items`` are the keys from which A and B are to be read in place of their scores.
    """
    processes = (records.pair.a.key, records.pair.b.key, *pathways)
    indicators = (*(items or tuple((key,) for key in processes[:2])), *((key,) for key in pathways))
    kept, weight = _people(records)
    rows = np.flatnonzero(np.isin(records.person, kept))
    person = np.searchsorted(kept, records.person[rows])
    values = np.column_stack([records.values[key][rows] for keys in indicators for key in keys]).astype(np.float64)
    strikes = strikes_of(records, rows, kept)
    names, inputs = _phases(records, rows, strikes.columns) if phases else ((), np.zeros((rows.size, 0)))
    table = _Rows(person, records.time[rows], values, inputs, strikes.at_rows, np.ones(rows.size, bool))
    table = _one_row_a_minute(_with_events(table, strikes))
    center = np.nanmean(table.values, axis=0)
    spread = within_spread(table.values, table.person, kept.size)
    random_means = kept.size >= FEW_PEOPLE
    regressors, design = _design(records, kept, table.person, table.time, trend, random_means)
    series = make_series(
        table.person,
        table.time,
        (table.values - center) / spread,
        design=design,
        inputs=table.inputs,
        impulses=table.impulses,
        basis=np.ones((table.time.size, 1)) if random_means else None,
        resolution=resolution_of(records),
    )
    series = replace(series, weight=weight, drawn=sampling_of(records, kept) if kept.size > 1 else None)
    return DiarySetup(
        records, processes, series, center, spread, kept, regressors, names, random_means, strikes.names, indicators,
        table.asked,
    )  # fmt: skip


def _people(records: Records) -> tuple[Int[np.ndarray, " people"], Float[np.ndarray, " people"] | None]:
    """Who has answers enough, and a usable weight where weights are stated; their weights, of mean 1."""
    enough = answers_by_person(records).min(axis=1) >= LEAST_ANSWERS
    weight = weights_of(records) if records.people > 1 else None
    if weight is None:
        return np.flatnonzero(enough), None
    kept = np.flatnonzero(enough & (weight > 0))
    if not kept.size:
        raise QuestionError("--weight", "nobody with a positive weight answered often enough", "Name another column")
    return kept, weight[kept] / weight[kept].mean()


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """The columns of the series while rows are put in and merged."""

    person: Int[np.ndarray, " rows"]
    time: Float[np.ndarray, " rows"]
    values: Float[np.ndarray, "rows d"]
    inputs: Float[np.ndarray, "rows c"]
    impulses: Float[np.ndarray, "rows e"]
    asked: Bool[np.ndarray, " rows"]


def _with_events(table: _Rows, strikes: Strikes) -> _Rows:
    """A row without answers at the very moment of each event; phases hold through it."""
    if strikes.person.size == 0:
        return table
    columns = (table.values, table.inputs, table.impulses)
    person, time, (values, inputs, impulses), new = insert_rows(
        table.person, table.time, columns, strikes.person, strikes.time
    )
    order = np.lexsort((strikes.time, strikes.person))
    impulses[new] = strikes.between[order]
    inputs = np.column_stack([_carried_forward(c, person) for c in inputs.T]) if inputs.shape[1] else inputs
    return _Rows(person, time, values, inputs, impulses, ~new)


def within_spread(
    values: Float[np.ndarray, "rows p"], person: Int[np.ndarray, " rows"], people: int
) -> Float[np.ndarray, " p"]:
    """The SD about each person's own mean, over all persons; 1 where nothing varies."""
    out = np.ones(values.shape[1])
    for j, column in enumerate(values.T):
        given = np.isfinite(column)
        counts = np.bincount(person[given], minlength=people)
        means = np.bincount(person[given], column[given], people) / np.maximum(counts, 1)
        freedom = int(given.sum() - (counts > 0).sum())
        deviation = column[given] - means[person[given]]
        variance = float(deviation @ deviation) / max(freedom, 1)
        out[j] = np.sqrt(variance) if variance > 0 else 1.0
    return out


def _one_row_a_minute(table: _Rows) -> _Rows:
    """Answers given within the same minute are averaged: they are one look at one moment."""
    minute = np.rint(table.time / MINUTE)
    first = np.ones(minute.size, bool)
    first[1:] = (table.person[1:] != table.person[:-1]) | (minute[1:] != minute[:-1])
    if first.all():
        return table
    starts = np.flatnonzero(first)
    given = np.isfinite(table.values)
    counts = np.add.reduceat(given, starts, axis=0)
    sums = np.add.reduceat(np.where(given, table.values, 0.0), starts, axis=0)
    merged = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    last = np.append(starts[1:], minute.size) - 1
    impulses = (
        np.maximum.reduceat(table.impulses, starts, axis=0) if table.impulses.shape[1] else table.impulses[starts]
    )
    asked = np.logical_or.reduceat(table.asked, starts)
    return _Rows(table.person[starts], table.time[starts], merged, table.inputs[last], impulses, asked)


def _design(
    records: Records, kept: np.ndarray, person: np.ndarray, time: np.ndarray, trend: bool, random_means: bool
) -> tuple[tuple[str, ...], Float[np.ndarray, "rows r"]]:
    """Usual level (one for all, or one for each of few persons), trend since the first answer, characteristics."""
    columns, names = [np.ones(time.size)], ["usual level"]
    if not random_means:
        for i in range(1, kept.size):
            columns.append((person == i).astype(np.float64))
            names.append(f"person {i + 1}")
    if trend:
        start = time[np.searchsorted(person, np.arange(kept.size))]
        since = time - start[person]
        columns.append((since - since.mean()) / max(float(since.std()), 1e-9))
        names.append("trend")
    for key in records.roles.covariates if random_means else ():
        constant = records.baseline.get(key)
        if constant is None or not np.isfinite(constant[kept]).all() or np.std(constant[kept]) == 0:
            continue
        column = (constant[kept] - constant[kept].mean()) / constant[kept].std()
        columns.append(column[person])
        names.append(key)
    return tuple(names), np.column_stack(columns)


def _phases(
    records: Records, rows: Int[np.ndarray, " rows"], struck: tuple[str, ...]
) -> tuple[tuple[str, ...], Float[np.ndarray, "rows c"]]:
    """Stated columns that change over time and do not strike (``struck``), as inputs that hold from row to row.

    A column of few levels becomes one 0/1 input for each level but the first; another is scaled to SD 1. A value
    that is missing is that of the row before.
    """
    names: list[str] = []
    columns: list[np.ndarray] = []
    for key in (*records.roles.covariates, *records.roles.by):
        column = records.values.get(key)
        if column is None or key in records.baseline or key in struck:
            continue
        held = _carried_forward(column[rows], records.person[rows])
        levels = np.unique(held)
        if levels.size < 2:
            continue
        if levels.size <= MOST_LEVELS:
            for level in levels[1:]:
                columns.append((held == level).astype(np.float64))
                names.append(f"{key}={_level_name(records, key, float(level))}")
        else:
            columns.append((held - held.mean()) / held.std())
            names.append(key)
    return tuple(names), np.column_stack(columns) if columns else np.zeros((rows.size, 0))


def _level_name(records: Records, key: str, level: float) -> str:
    words = records.categories.get(key, ())
    return words[int(level)] if level == int(level) and 0 <= int(level) < len(words) else f"{level:g}"


def _carried_forward(
    column: Float[np.ndarray, " rows"], person: Int[np.ndarray, " rows"]
) -> Float[np.ndarray, " rows"]:
    """The last value given by the same person; the first one given where none came before."""
    out = column.copy()
    for i in np.unique(person):
        mine = np.flatnonzero(person == i)
        given = np.flatnonzero(np.isfinite(out[mine]))
        if given.size == 0:
            out[mine] = 0.0
            continue
        source = given[np.maximum(np.searchsorted(given, np.arange(mine.size), side="right") - 1, 0)]
        out[mine] = out[mine[source]]
    return out
