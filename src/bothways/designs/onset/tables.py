"""Tables behind the answers: who moved where, rates, ratios under every model, occupancy, times, E-values, fit."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from bothways.designs.onset.curves import curve_tables, state_names, worlds_of
from bothways.designs.onset.estimation import PATHS, criterion
from bothways.designs.onset.guards import labels
from bothways.designs.onset.resampling import LETTER
from bothways.designs.onset.room import BOTH_WAYS, Room, interval
from bothways.designs.onset.shares import order_of
from bothways.designs.onset.states import DAYS_PER_YEAR
from bothways.engine.chain.adequacy import pearson, prevalence
from bothways.engine.chain.delta import Link
from bothways.engine.chain.estimands import (
    incidence,
    median_time,
    next_state,
    order_entered,
    order_first,
    sojourn,
    time_in_state,
)
from bothways.engine.chain.evalue import e_values
from bothways.engine.chain.fit import PlainTarget
from bothways.terms.answer import Cell, Table

SURVEY_NOTE = (
    " AIC allows for the sampling design by tr(H⁻¹ J) in place of the number of parameters (Lumley & Scott 2015)."
)
COMMON = 0.15  # an outcome that this share of people reach is not rare
LONGEST = 200.0


def tables_of(room: Room) -> tuple[Table, ...]:
    """Every table; those that need a fit are left out where there is none."""
    first = (_moves(room),)
    if not room.fits.speaks.usable:
        return first
    made = (
        _rates(room),
        _order(room),
        _models(room),
        _stays(room),
        _time_in_state(room),
        _times(room),
        _e_values(room),
    )
    target = room.fits.chain.target
    fit = (
        (_fit(room), _prevalence(room))
        if isinstance(target, PlainTarget) and target.model.sequences.plain.any()
        else ()
    )
    return tuple(table for table in (*first, *made, *curve_tables(room), *fit) if table.rows)


def _named(room: Room, transition: str) -> str:
    place = {"0": 0, "A": 1, "B": 2, "AB": 3, "D": 4}
    names = state_names(room)
    return " to ".join(names[place[s]] for s in transition.split(">"))


def _unit(room: Room) -> str:
    return "year" if room.setup.in_days else "wave"


def _moves(room: Room) -> Table:
    names, K = state_names(room), room.setup.states.size
    rows: list[tuple[Cell, ...]] = [(names[r], *(int(n) for n in room.setup.moves[r, :K])) for r in range(min(K, 4))]
    note = "Neighbouring observations of one person in which both states are known."
    return Table("onset_moves", "From one observation to the next", ("from", *names), tuple(rows), note)


def _rates(room: Room) -> Table:
    chain, setup = room.fits.chain, room.setup
    found = interval(room, lambda q: q, Link.LOG)
    share = next_state(setup.states)(found.value)
    rows: list[tuple[Cell, ...]] = []
    for k, transition in enumerate(setup.states.transitions):
        value, low, high = (float(x[k]) if np.isfinite(x[k]) else None for x in (found.value, found.low, found.high))
        rows.append((_named(room, transition), value, low, high, float(share[k])))
    columns = ("transition", f"rate per {_unit(room)}", "low", "high", "share of exits")
    note = "At the mean of the covariates." if chain.rates.covariates[1:] else ""
    return Table("onset_rates", "Rates", columns, tuple(rows), note)


def _order(room: Room) -> Table:
    """Who was first, in two senses, with the share expected were the two unrelated."""
    a, b = labels(room.setup)
    rows: list[tuple[Cell, ...]] = []
    for words, order in (("just before both", order_entered), ("ever", order_first)):
        found, expected = order_of(room, order)
        cells = [float(x[0]) if np.isfinite(x[0]) else None for x in (found.value, found.low, found.high)]
        rows.append((f"{a} {words}", *cells, expected))
    note = (
        f"Among people free of both who come to have both by {room.setup.horizons[0]:g} {_unit(room)}s; {b} makes up "
        f"the rest. Where conditions can end, {a} may have come first long ago and be back only after {b}."
    )
    return Table(
        "onset_order",
        "Who had it first, in two senses",
        ("first", "share", "low", "high", "if unrelated"),
        tuple(rows),
        note,
    )


def _models(room: Room) -> Table:
    """How far both ratios fall under a lasting proneness and under a hidden cause that drifts."""
    rows: list[tuple[Cell, ...]] = []
    a, b = labels(room.setup)
    reach = float(ndtri(0.5 + room.settings.level / 2))
    for fitted in room.fits.all:
        if fitted is room.fits.errors:  # its likelihood is of the first observation too: not to be compared
            continue
        cells: list[Cell] = []
        for direction in BOTH_WAYS:
            value, error, _ = fitted.log_ratio(*PATHS[direction])
            shown = np.isfinite(error) and fitted is not room.fits.rival
            cells += (
                [float(x) for x in np.exp([value, value - reach * error, value + reach * error])]
                if shown
                else [None] * 3
            )
        rows.append((fitted.says, *cells, fitted.loglik, criterion(fitted, room.fits.sampled), str(fitted.fit.ending)))
    ratios = [
        f"{word} {x}"
        for x in (f"of {a} on onset of {b}", f"of {b} on onset of {a}")
        for word in ("ratio", "low,", "high,")
    ]
    columns = ("model", *ratios, "log-likelihood", "AIC", "ended")
    note = f"Given the first observation.{SURVEY_NOTE if room.fits.sampled else ''}"
    return Table("onset_models", "Influence, or a common cause?", columns, tuple(rows), note)


def _stays(room: Room) -> Table:
    found = interval(room, lambda q: sojourn(room.setup.states)(q)[:4], Link.LOG)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (name, *(float(x[k]) if np.isfinite(x[k]) else None for x in (found.value, found.low, found.high)))
        for k, name in enumerate(state_names(room)[:4])
    )
    return Table("onset_stays", "How long a stay lasts on average", ("state", f"{_unit(room)}s", "low", "high"), rows)


def _time_in_state(room: Room) -> Table:
    setup, names = room.setup, state_names(room)
    worlds = worlds_of(room)
    rows: list[tuple[Cell, ...]] = []
    for h in sorted(set(setup.horizons)):
        for words, world in worlds.items():
            found = interval(room, time_in_state(setup.states, h, world), Link.IDENTITY)
            cells = [
                float(x[k]) if np.isfinite(x[k]) else None
                for k in range(setup.states.size)
                for x in (found.value, found.low, found.high)
            ]
            rows.append((h, words, *cells))
    columns = (f"{_unit(room)}s", "under", *(f"{name}{end}" for name in names for end in ("", ", low", ", high")))
    return Table("onset_time_in_state", "Expected time in each state, from neither", columns, tuple(rows))


def _times(room: Room) -> Table:
    """Median time until the second condition begins, with the first and without."""
    setup, scale = room.setup, DAYS_PER_YEAR if room.setup.in_days else 1.0
    rows: list[tuple[Cell, ...]] = []
    for d in BOTH_WAYS:
        first, second = (condition.label for condition in d.ends(setup.records.pair))
        for words, state in ((f"{first} present", "A" if d is BOTH_WAYS[0] else "B"), ("neither present", "0")):
            found = interval(room, median_time(setup.states, LETTER[d], state, LONGEST), Link.LOG)
            cells = [float(x[0]) * scale if np.isfinite(x[0]) else None for x in (found.value, found.low, found.high)]
            rows.append((f"onset of {second}", words, *cells))
    unit = "days" if setup.in_days else "waves"
    note = "Empty where fewer than half ever come to have it."
    return Table("onset_times", "Median time to onset", ("of", "from", unit, "low", "high"), tuple(rows), note)


def _e_values(room: Room) -> Table:
    rows: list[tuple[Cell, ...]] = []
    reach = float(ndtri(0.5 + room.settings.level / 2))
    for d in BOTH_WAYS:
        first, second = (condition.label for condition in d.ends(room.setup.records.pair))
        value, error, _ = room.fits.speaks.log_ratio(*PATHS[d])
        risk = float(
            interval(room, incidence(room.setup.states, LETTER[d], room.setup.horizons[0]), Link.LOGIT).value[0]
        )
        if np.isfinite(error):
            ratios = np.exp([value, value - reach * error, value + reach * error])
            estimate, limit = e_values(*(float(x) for x in ratios), rare=risk < COMMON)
            rows.append((f"{first} to {second}", estimate, limit, risk))
    note = (
        "An unmeasured cause would have to be associated with both by risk ratios of this size, above the covariates, "
        f"to explain the ratio, or to move its limit to 1. Outcomes that {COMMON:.0%} or more reach are common."
    )
    columns = ("direction", "E-value of the estimate", "of the limit", "reached by the horizon")
    return Table("onset_e_values", "How strong an unmeasured cause would have to be", columns, tuple(rows), note)


def _fit(room: Room) -> Table:
    target = room.fits.chain.target
    assert isinstance(target, PlainTarget)
    found, names = pearson(target.model, room.fits.chain.fit.theta), state_names(room)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (names[int(r)], float(low), float(high), *(float(v) for pair in zip(o, e, strict=True) for v in pair))
        for r, low, high, o, e in zip(
            found.origin, found.gap_low, found.gap_high, found.observed, found.expected, strict=True
        )
    )
    heads = tuple(f"{name}, {word}" for name in names for word in ("observed", "expected"))
    note = (
        f"Pearson-type statistic {found.statistic:.1f}, between {found.df_low} and {found.df_high} degrees of freedom."
    )
    return Table("onset_fit", "Moves observed and expected", ("from", "gap from", "gap to", *heads), rows, note)


def _prevalence(room: Room) -> Table:
    target, setup = room.fits.chain.target, room.setup
    assert isinstance(target, PlainTarget)
    times = np.linspace(0.0, setup.follow_up, 7)
    found = prevalence(target.model, room.fits.chain.fit.theta, setup.seen, times)
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (float(t), int(n), *(float(v) for pair in zip(o, e, strict=True) for v in pair))
        for t, n, o, e in zip(found.times, found.seen, found.observed, found.expected, strict=True)
    )
    heads = tuple(f"{name}, {word}" for name in state_names(room) for word in ("observed", "expected"))
    return Table("onset_prevalence", "Prevalence observed and expected", (f"{_unit(room)}s", "people", *heads), rows)
