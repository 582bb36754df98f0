"""What the rates mean over time, as rows that a figure can draw: next states, moves over any gap, states, onsets.

Everything is read from the plain chain at the mean of the covariates; limits come by the delta method on the logit.
Every table is long: one number with its limits a row, under the same heads.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from bothways.designs.onset.guards import labels
from bothways.designs.onset.resampling import LETTER
from bothways.designs.onset.room import BOTH_WAYS, PREVENTED, REMOVED, Room, interval
from bothways.engine.chain.delta import Link
from bothways.engine.chain.estimands import Function, World, incidence, next_state, occupancy
from bothways.terms.answer import Cell, Table

POINTS = 21  # times at which a curve is drawn, 0 among them
LIMITS = ("low", "high")


def curve_tables(room: Room) -> tuple[Table, ...]:
    """All of them, whatever is asked."""
    return (_next(room), _transitions(room), _states(room), _onsets(room))


def state_names(room: Room) -> tuple[str, ...]:
    """The states in words, in the order of the graph."""
    a, b = labels(room.setup)
    return ("neither", f"{a} only", f"{b} only", "both", "dead")[: room.setup.states.size]


def worlds_of(room: Room) -> dict[str, World]:
    """Under what: as observed, and two interventions each way, in words."""
    a, b = labels(room.setup)
    return {"as observed": World.AS_IS} | {
        f"{words} ({x} to {y})": table[d]
        for d, (x, y) in zip(BOTH_WAYS, ((a, b), (b, a)), strict=True)
        for words, table in (("effect removed", REMOVED), ("onset of the first prevented", PREVENTED))
    }


def _unit(room: Room) -> str:
    return "years" if room.setup.in_days else "waves"


def _limited(room: Room, function: Function) -> list[tuple[float | None, float | None, float | None]]:
    """(value, low, high) of each value of a share; limits are the value where it cannot vary."""
    found = interval(room, function, Link.LOGIT)
    out: list[tuple[float | None, float | None, float | None]] = []
    for value, low, high in zip(found.value, found.low, found.high, strict=True):
        if value <= 0 or value >= 1:
            low = high = value
        out.append((_cell(value), _cell(low), _cell(high)))
    return out


def _cell(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _next(room: Room) -> Table:
    """Where people go when they leave a state."""
    names, states = state_names(room), room.setup.states
    found = _limited(room, next_state(states))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (names[r], names[s], *cells) for r, s, cells in zip(states.source, states.target, found, strict=True)
    )
    return Table("onset_next", "Where people go when they leave a state", ("from", "to", "share", *LIMITS), rows)


def gaps_of(room: Room) -> Float[np.ndarray, "gaps"]:
    """The usual time between two observations, and every horizon."""
    rows = room.setup.rows
    usual = float(np.median(np.diff(rows.time)[np.diff(rows.person) == 0]))
    return np.unique(np.array([usual, *room.setup.horizons]))


def _transitions(room: Room) -> Table:
    """P(state after a gap | state now), for the usual gap and for every horizon."""
    names, states = state_names(room), room.setup.states
    rows: list[tuple[Cell, ...]] = []
    for gap in gaps_of(room):
        for r, origin in enumerate(names[:4]):
            found = _limited(room, occupancy(states, float(gap), start=r))
            rows += [(float(gap), origin, name, *cells) for name, cells in zip(names, found, strict=True)]
    columns = (_unit(room), "from", "to", "probability", *LIMITS)
    return Table("onset_transitions", "From one state to another, by how long", columns, tuple(rows))


def _grid(room: Room) -> Float[np.ndarray, "times"]:
    """Times from 0 to the longest horizon."""
    return np.linspace(0.0, max(room.setup.horizons), POINTS)


def _states(room: Room) -> Table:
    """The share in each state by time, from neither: as observed and under each intervention."""
    names = state_names(room)
    rows: list[tuple[Cell, ...]] = []
    for words, world in worlds_of(room).items():
        for t in _grid(room):
            found = _limited(room, occupancy(room.setup.states, float(t), world))
            rows += [(float(t), words, name, *cells) for name, cells in zip(names, found, strict=True)]
    columns = (_unit(room), "under", "state", "probability", *LIMITS)
    return Table("onset_states", "In each state over time, from neither", columns, tuple(rows), _note(room))


def _onsets(room: Room) -> Table:
    """The share in whom a condition has begun by time, with the other present at the start and with neither."""
    rows: list[tuple[Cell, ...]] = []
    for d in BOTH_WAYS:
        first, second = (condition.label for condition in d.ends(room.setup.records.pair))
        starts = ((f"{first} present", "A" if LETTER[d] == "B" else "B"), ("neither present", "0"))
        for words, start in starts:
            for t in _grid(room):
                found = _limited(room, incidence(room.setup.states, LETTER[d], float(t), start=start))
                rows.append((float(t), second, words, *found[0]))
    columns = (_unit(room), "onset of", "from", "share", *LIMITS)
    title = "In how many a condition has begun, with the other and without"
    return Table("onset_incidence", title, columns, tuple(rows), _note(room))


def _note(room: Room) -> str:
    h = room.setup.follow_up
    beyond = max(room.setup.horizons) > 1.001 * h
    return f"People were followed for {h:.3g} {_unit(room)} at most; beyond, rates are carried on." if beyond else ""
