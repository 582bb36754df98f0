"""What every fit of the onset design starts from: rows, covariates, the graph the data can carry, counts, horizons."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from bothways.designs.onset.states import DAYS_PER_YEAR, DEAD, MASKS, StateRows, state_rows
from bothways.designs.sampling import sampling_of, weights_of
from bothways.engine.chain.graph import EXITS, FORWARD, Graph, graph
from bothways.engine.chain.sequences import Observations, observe
from bothways.engine.survey import Sampling
from bothways.terms.errors import QuestionError
from bothways.terms.records import Records, TimeUnit
from bothways.terms.settings import Settings

FEW_DEATHS = 20  # below this the four death rates share one
HORIZONS = (1.0, 5.0, 10.0)  # years


@dataclass(frozen=True, slots=True)
class Covariates:
    """Centred columns (rows of the state rows, covariates) with their names; continuous ones are in SDs."""

    names: tuple[str, ...]
    x: Float[np.ndarray, "rows covariates"]
    missing: tuple[str, ...]  # those with gaps that were filled


@dataclass(frozen=True, slots=True)
class OnsetSetup:
    """Everything that a fit needs, and what the guards look at.

    ``moves`` (5, 5) counts neighbouring known states; ``entry`` (people,) is the first known state, -1 for none.
    ``horizons`` are in the unit of time of ``rows``; the first is the one that the headline speaks of. Sampling weights
    (mean 1 over those followed), clusters and strata are held by ``seen``; whoever has no usable weight has no rows.
    """

    records: Records
    rows: StateRows
    states: Graph
    seen: Observations
    covariates: Covariates
    moves: Int[np.ndarray, "from to"]
    entry: Int[np.ndarray, "people"]
    horizons: tuple[float, ...]
    follow_up: float

    @property
    def people(self) -> int:
        """How many people were seen in a known state and then again."""
        joined = np.diff(self.rows.person) == 0
        known = self.rows.known[:-1] & joined
        return int(np.unique(self.rows.person[:-1][known]).size)

    @property
    def in_days(self) -> bool:
        """Time is known in days (held in years); else in waves."""
        return self.records.time_unit is TimeUnit.DAY

    def days(self, time: float) -> float | None:
        """A length of time in days, or None where a wave's length is not known."""
        return time * DAYS_PER_YEAR if self.in_days else None

    @property
    def drawn(self) -> Sampling | None:
        """Who was drawn together."""
        return self.seen.drawn

    @property
    def sampled(self) -> bool:
        """Weights, clusters or strata are stated."""
        return self.seen.weight is not None or self.seen.drawn is not None

    @property
    def mortal(self) -> bool:
        """Deaths are part of the graph."""
        return self.states.size > DEAD


def prepare(records: Records, settings: Settings, margin: float = 0.0) -> OnsetSetup:
    """Four-state rows, covariates and the graph. Assumes that the design did not refuse."""
    rows, weight = _weighed(records, state_rows(records, settings, margin))
    covariates = _covariates(records, rows)
    moves = _moves(rows)
    states = _graph(moves, rows.deaths > 0)
    K = states.size
    code = np.where(rows.state > DEAD, rows.state - 5 + K, rows.state)
    seen = observe(
        rows.person, rows.time, code, states=K, kind=rows.kind, x=covariates.x, masks=MASKS[:, :K], weight=weight,
        drawn=sampling_of(records, np.arange(int(rows.person.max(initial=-1)) + 1)),
    )  # fmt: skip
    entry = np.full(rows.people, -1)
    known = np.flatnonzero(rows.known)[::-1]
    entry[rows.person[known]] = rows.state[known]
    spans = _spans(rows)
    follow_up = float(spans.max(initial=0.0))
    return OnsetSetup(
        records, rows, states, seen, covariates, moves, entry, _horizons(settings, records, follow_up), follow_up
    )


def _weighed(records: Records, rows: StateRows) -> tuple[StateRows, Float[np.ndarray, "units"] | None]:
    """The rows of people with a usable weight, and everybody's weight, whose mean over those followed is 1."""
    weight = weights_of(records)
    if weight is None:
        return rows, None
    kept = weight[rows.person] > 0
    own = replace(
        rows, person=rows.person[kept], time=rows.time[kept], state=rows.state[kept], kind=rows.kind[kept],
        row=rows.row[kept], deaths=int((rows.state[kept] == DEAD).sum()),
    )  # fmt: skip
    followed = np.unique(own.person[:-1][np.diff(own.person) == 0])
    if not followed.size:
        raise QuestionError("--weight", "nobody with a positive weight was seen twice", "Name another column")
    return own, weight[: int(own.person[-1]) + 1] / weight[followed].mean()


def _horizons(settings: Settings, records: Records, follow_up: float) -> tuple[float, ...]:
    """The stated ones, else the length of follow-up, and 1, 5 and 10 years."""
    if records.time_unit is not TimeUnit.DAY:
        return (follow_up,)
    if settings.horizon_days:
        return tuple(days / DAYS_PER_YEAR for days in settings.horizon_days)
    return (follow_up, *HORIZONS)


def _spans(rows: StateRows) -> np.ndarray:
    """How long each person was followed."""
    first = np.flatnonzero(np.r_[True, np.diff(rows.person) != 0])
    last = np.r_[first[1:], rows.person.size] - 1
    return np.asarray(rows.time[last] - rows.time[first])


def _moves(rows: StateRows) -> np.ndarray:
    """How often one known state was followed by another at the next row."""
    joined = (np.diff(rows.person) == 0) & rows.known[:-1] & rows.known[1:]
    out = np.zeros((5, 5), dtype=np.int64)
    np.add.at(out, (rows.state[:-1][joined], rows.state[1:][joined]), 1)
    return out


def _graph(moves: np.ndarray, mortal: bool) -> Graph:
    """Onsets always; recoveries of a condition where anyone was ever seen to recover from it; deaths where dated."""
    a_ends = moves[np.ix_([1, 3], [0, 2])].sum() > 0
    b_ends = moves[np.ix_([2, 3], [0, 1])].sum() > 0
    recoveries = (("A>0", "AB>B") if a_ends else ()) + (("B>0", "AB>A") if b_ends else ())
    states = ("0", "A", "B", "AB", "D") if mortal else ("0", "A", "B", "AB")
    return graph(states, FORWARD + recoveries + (EXITS if mortal else ()))


def _covariates(records: Records, rows: StateRows) -> Covariates:
    """The adjustment covariates at each row: categories as 0/1 columns, the rest in SDs, all centred; gaps filled."""
    names: list[str] = []
    columns: list[np.ndarray] = []
    missing: list[str] = []
    at = np.where(rows.row >= 0, rows.row, 0)
    for key in records.roles.covariates:
        values = records.baseline[key][rows.person] if key in records.baseline else records.values[key][at]
        values = np.where(rows.row >= 0, values, np.nan) if key not in records.baseline else values
        filled = _carried(values, rows.person)
        if np.isnan(values[rows.row >= 0]).any():
            missing.append(key)
        levels = records.categories.get(key, ())
        codes = np.unique(filled[~np.isnan(filled)])
        parts = (
            [(f"{key} = {levels[int(c)]}", (filled == c) * 1.0) for c in codes[1:]]
            if len(levels) > 2
            else [(key, filled)]
        )
        for name, column in parts:
            column = np.where(np.isnan(column), np.nanmean(column), column) if np.isfinite(column).any() else column * 0
            spread = 1.0 if np.isin(column, (0.0, 1.0)).all() else float(column.std())
            if column.std() > 0:
                names.append(name)
                columns.append((column - column.mean()) / spread)
    x = np.column_stack(columns) if columns else np.zeros((rows.person.size, 0))
    return Covariates(tuple(names), x, tuple(missing))


def _carried(values: np.ndarray, person: np.ndarray) -> np.ndarray:
    """The last value seen of each person; before the first one, the first."""
    out = values.copy()
    for step in (1, -1):
        order = np.arange(values.size)[::step]
        good = ~np.isnan(out[order])
        place = np.maximum.accumulate(np.where(good, np.arange(values.size), -1))
        source = order[np.maximum(place, 0)]
        fits = (place >= 0) & (person[source] == person[order])
        out[order] = np.where(~good & fits, out[source], out[order])
    return out
