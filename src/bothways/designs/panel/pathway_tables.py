"""Tables of pathways: every part of each, what a hidden cause would take, third processes that drive both."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bothways.designs.panel.covariates import sort_covariates
from bothways.designs.panel.effects import lag_effects
from bothways.designs.panel.estimation import estimate
from bothways.designs.panel.mediators import label_of
from bothways.designs.panel.pathway_answers import PARTS, Pathways, estimate_of, one_wave, speaking
from bothways.designs.panel.pathways import Mediated, mediated
from bothways.designs.panel.room import DIRECTIONS, Room, place_of
from bothways.designs.panel.sensitivity import sensitivity
from bothways.designs.panel.setup import prepare
from bothways.engine.inference import Interval
from bothways.terms.answer import Cell, Estimand, Table
from bothways.terms.question import Direction

Row = tuple[Cell, ...]


def pathway_tables(room: Room, found: Pathways) -> tuple[Table, ...]:
    """The tables that hold anything."""
    tables = (_parts(room, found), _sensitivities(room, found), *_thirds(room, found))
    return tuple(table for table in tables if table.rows)


def arrow(room: Room, direction: Direction) -> str:
    """A direction in words."""
    first, second = direction.ends(room.setup.records.pair)
    return f"{first.label} to {second.label}"


def _parts(room: Room, found: Pathways) -> Table:
    rows: list[Row] = []
    for direction, key, model in speaking(found):
        rows += _parts_of(room, model, direction, key)
        alone = found.alone.get(key)
        if alone is not None and alone is not model and alone.usable:
            rows += _parts_of(room, alone, direction, key)
    limits = (
        "resampled people" if any(m.resampled for _, _, m in speaking(found)) else "draws from the joint normal law"
    )
    return Table(
        "panel_pathways",
        "Pathways, part by part",
        ("pathway", "direction", "mediators in the model", "part", "value", "low", "high", "p"),
        tuple(rows),
        "Standardised within people. Indirect, direct and total are over two waves, the legs over one. Limits of "
        f"products are percentiles of {limits}. A direct effect is not the total effect.",
    )


def _parts_of(room: Room, model: Mediated, direction: Direction, key: str) -> list[Row]:
    name = label_of(room.setup.records, key)
    rows: list[Row] = []
    for part in (*PARTS[3:], *PARTS[:3]):
        e = estimate_of(model, room, part, direction, (key,))
        words = part.value.replace("_", " ")
        rows.append((name, arrow(room, direction), len(model.mediators), words, e.value, e.low, e.high, e.p))
    return rows


def _sensitivities(room: Room, found: Pathways) -> Table:
    rows: list[Row] = []
    for direction, key, model in speaking(found):
        e = estimate_of(model, room, Estimand.INDIRECT, direction, (key,))
        at = sensitivity(model, direction, key, room.settings.level)
        if not np.isfinite(at.value):
            continue
        head = (label_of(room.setup.records, key), arrow(room, direction), e.value, e.low, e.high)
        none = "the correlation, by a hidden cause, of what is left of mediator and outcome that makes the effect none"
        limit = (
            "the interval holds none already"
            if at.limit == 0
            else "the correlation that brings the nearer limit of the interval to none"
        )
        rows += [(*head, at.value, none), (*head, at.limit, limit)]
    return Table(
        "pathway_sensitivity",
        "How strong a hidden cause would have to be",
        ("pathway", "direction", "indirect", "low", "high", "sensitivity value", "what it means"),
        tuple(rows),
        "A cause that explains a share R of what is left of both, mediator and later outcome, brings a correlation of "
        "R (after Imai, Keele & Tingley 2010). Usual levels take part of a hidden cause that is slow beside the waves: "
        "such a one would have to be stronger.",
    )


def _thirds(room: Room, found: Pathways) -> tuple[Table, Table]:
    """Third processes: whether each leads to both conditions, and the lag between the two without and with it."""
    drivers: list[Row] = []
    beside: list[Row] = []
    for key, model in _third_models(room, found).items():
        drivers += _driver(room, model, key)
        before = _without(room, key)
        for direction in DIRECTIONS:
            with_it = one_wave(model, room, direction)
            place = place_of(direction, 2)
            was: Row = (None, None, None)
            if before is not None:
                was = tuple(float(x[place]) for x in (before.value, before.low, before.high))
            now = (with_it.value, with_it.low, with_it.high)
            beside.append((label_of(room.setup.records, key), arrow(room, direction), *was, *now))
    a, b = (condition.label for condition in (room.setup.records.pair.a, room.setup.records.pair.b))
    return (
        Table(
            "panel_common_drivers",
            "Third processes that may drive both",
            ("third process", f"to {a}", "low", "high", f"to {b}", "low of it", "high of it", "p of both"),
            tuple(drivers),
            "Lags of one wave within people, both conditions held. The p is the larger of the two: a common driver has "
            "to lead to both.",
        ),
        Table(
            "panel_direct_and_total",
            "The lag between the two, without and with a third process",
            ("third process", "direction", "without", "low", "high", "with", "low with", "high with"),
            tuple(beside),
            "Over one wave. A lag that goes when a mediator is added was carried by it: what is left is the direct "
            "effect and not the total. A lag that goes when a common driver is added was never one of the two.",
        ),
    )


def _third_models(room: Room, found: Pathways) -> dict[str, Mediated]:
    """Each third process with the smallest model that holds it."""
    models = {key: model for _, key, model in speaking(found)} | {k: m for k, m in found.alone.items() if m.usable}
    changing = [key for key in sort_covariates(room.setup.records).changing if key not in models]
    if changing:
        shared = next(iter(models.values()), None) or mediated(room, ())
        models |= {key: shared for key in changing if shared.usable}
    return models


def _driver(room: Room, model: Mediated, key: str) -> list[Row]:
    legs = [estimate_of(model, room, Estimand.SECOND_LEG, way, (key,)) for way in reversed(DIRECTIONS)]
    numbers = [x for e in legs for x in (e.value, e.low, e.high)]
    return [(label_of(room.setup.records, key), *numbers, max(e.p if e.p is not None else 1.0 for e in legs))]


def _without(room: Room, key: str) -> Interval | None:
    """The lags of the two conditions in the model without this process."""
    records, level = room.setup.records, room.settings.level
    if key not in room.setup.processes:
        fitted = room.headline.chosen
        places = [0, 1, room.setup.K, room.setup.K + 1]
    else:
        fewer = tuple(name for name in records.roles.covariates if name != key)
        setup = prepare(replace(records, roles=replace(records.roles, covariates=fewer)))
        fitted = estimate(setup, room.headline.chosen.form)
        places = [0, 1, setup.K, setup.K + 1]
    if not fitted.usable:
        return None
    whole = lag_effects(fitted, (1.0,), level)
    value, error, low, high = (x[places] for x in (whole.value, whole.error, whole.low, whole.high))
    return Interval(value, error, low, high, whole.covariance[np.ix_(places, places)])
