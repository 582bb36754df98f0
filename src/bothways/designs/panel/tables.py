"""The tables of a panel: who answered, what is lasting and what varies, each model, each interval."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bothways.designs.panel.effects import by_wave, lag_effects
from bothways.designs.panel.estimation import Fitted
from bothways.designs.panel.failures import failure_words
from bothways.designs.panel.missing import Leaving
from bothways.designs.panel.models import FAMILIES, Key
from bothways.designs.panel.moments import (
    correlation_table,
    covariance_table,
    explained_table,
    icc_table,
    mean_table,
    persistence_table,
)
from bothways.designs.panel.room import DIRECTIONS, Room, estimate_of, place_of
from bothways.designs.panel.setup import PanelSetup
from bothways.engine.effects import raw_lags
from bothways.engine.scaled import Test
from bothways.terms.answer import Cell, Table
from bothways.terms.verdict import read_estimate

Row = tuple[Cell, ...]


def tables_of(room: Room) -> tuple[Table, ...]:
    """Every table that these records and fits allow."""
    tables = [coverage_table(room.setup), leaving_table(room.setup, room.gone), comparison_table(room)]
    if room.headline.test is not None:
        tables.append(test_table(room.headline.test))
    chosen = room.headline.chosen
    if not chosen.usable:
        return tuple(tables)
    tables += [icc_table(room), correlation_table(room), lag_table(room), explained_table(room)]
    tables += [persistence_table(room), covariance_table(room), mean_table(room)]
    return tuple(table for table in tables if table.rows)


def coverage_table(setup: PanelSetup) -> Table:
    """Answers, mean and SD of each process at each wave."""
    scores = setup.waves.scores[setup.rows]
    rows: list[Row] = []
    for t in range(setup.T):
        for k, key in enumerate(setup.processes):
            x = scores[np.isfinite(scores[:, t, k]), t, k]
            rows.append((setup.wave_name(t), setup.label(key), len(x), float(x.mean()), float(x.std(ddof=1))))
    left_out = f" Left out: {', '.join(setup.left_out)}." if setup.left_out else ""
    return Table(
        "panel.coverage",
        "Who answered what, wave by wave",
        ("wave", "condition", "answers", "mean", "SD"),
        tuple(rows),
        f"{setup.people:,} people with at least one answer; {len(setup.data.groups[0].counts):,} patterns of "
        f"answered and missing.{left_out}",
    )


def leaving_table(setup: PanelSetup, gone: Sequence[Leaving]) -> Table:
    """How those who are missing at a wave had differed at the wave before."""
    rows: list[Row] = []
    for row in gone:
        if row.missing == 0:
            continue
        for k, key in enumerate(setup.processes):
            head = (setup.wave_name(row.wave), row.before, row.missing, setup.label(key))
            rows.append((*head, _number(row.difference[k]), _number(row.z[k])))
    return Table(
        "panel.leaving",
        "Who is missing at the next wave",
        ("wave", "there at the wave before", "missing now", "condition", "difference before, in SD", "z"),
        tuple(rows),
        "Difference at the wave before: those missing now less those still there. Full-information likelihood allows "
        "for differences that were recorded, and not for others.",
    )


COMPARED = (
    *("model", "form", "status", "chisq", "df", "p", "scaling", "cfi", "tli", "rmsea", "rmsea_low", "rmsea_high"),
    *("srmr", "loglik", "parameters", "aic", "bic", "a_to_b", "a_to_b_low", "a_to_b_high", "a_to_b_reading"),
    *("b_to_a", "b_to_a_low", "b_to_a_high", "b_to_a_reading", "says"),
)


def comparison_table(room: Room) -> Table:
    """Every model with its fit (chi-square scaled for non-normality) and the two lags it gives."""
    headline = room.headline
    beside = [] if headline.free is None or headline.free is headline.chosen else [headline.free]
    rows = [_compared(room, fitted) for fitted in (headline.chosen, *beside, *room.others)]
    return Table(
        "panel.models",
        "The same question under other models",
        COMPARED,
        tuple(rows),
        "The first row speaks. Lags are standardised, over one wave gap. Chi-square, CFI, TLI and RMSEA are scaled "
        "(Yuan & Bentler 2000). "
        + " ".join(_assumes(FAMILIES[key].label, FAMILIES[key].assumes) for key in _keys(room)),
    )


def _assumes(label: str, assumption: str) -> str:
    return f"{label[0].upper()}{label[1:]}: {assumption}."


def _keys(room: Room) -> tuple[Key, ...]:
    return tuple(dict.fromkeys(f.form.key for f in (room.headline.chosen, *room.others)))


def _compared(room: Room, fitted: Fitted) -> Row:
    head: Row = (fitted.form.name, fitted.form.says, str(fitted.fit.status.outcome))
    return (*head, *_fit_cells(room.setup, fitted), *_lag_cells(room, fitted), failure_words(room.setup, fitted))


def _fit_cells(setup: PanelSetup, fitted: Fitted) -> Row:
    x = fitted.indices
    if x is None:
        return (None,) * 14
    s = x.scaled
    cells = (s.chisq, x.plain.df, s.p, x.scaling, s.cfi, s.tli, s.rmsea, s.rmsea_low, s.rmsea_high, x.srmr)
    shift = unit_loglik(setup)
    likelihood = (x.loglik + shift, x.parameters, x.aic - 2 * shift, x.bic - 2 * shift)
    return tuple(_number(cell) for cell in (*cells, *likelihood))


def unit_loglik(setup: PanelSetup) -> float:
    """What the log-likelihood gains from the scaled units to the recorded ones: −Σ log(scale) over observed cells."""
    logs = np.concatenate([np.tile(np.log(setup.scale), setup.T), np.log(setup.fixed_scale)])
    group = setup.data.groups[0]
    return -float(group.counts @ (group.observed @ logs))


def _lag_cells(room: Room, fitted: Fitted) -> Row:
    if not fitted.usable:
        return (None,) * 8
    interval = lag_effects(fitted, (1.0,), room.settings.level)
    cells: list[Cell] = []
    for direction in DIRECTIONS:
        estimate = estimate_of(interval, place_of(direction, room.setup.K), room)
        reading = read_estimate(estimate, room.settings.smallest_effect(estimate.scale))
        cells += [estimate.value, estimate.low, estimate.high, reading.value]
    return tuple(cells)


def test_table(test: Test) -> Table:
    """The test of lags equal over time."""
    return Table(
        "panel.lags_equal",
        "Are the lags the same in every interval?",
        ("statistic", "df", "p", "scaling", "method"),
        ((test.statistic, test.df, test.p, test.scaling, test.method),),
        "Scaled difference of the model with one set of lags from the model whose lags differ by interval; a small p "
        "speaks against one set.",
    )


def lag_table(room: Room) -> Table:
    """Every lag into every wave, in recorded units and standardised, with lags free where that form was fitted."""
    setup = room.setup
    fitted = room.headline.free or room.headline.chosen
    raw = _raw_lags(setup, fitted)
    interval = by_wave(fitted, room.settings.level)
    rows: list[Row] = []
    for t in range(setup.T - 1):
        for i, outcome in enumerate(setup.processes):
            for j, predictor in enumerate(setup.processes):
                e = estimate_of(interval, (t * setup.K + i) * setup.K + j, room)
                head = (setup.wave_name(t), setup.wave_name(t + 1), setup.label(predictor), setup.label(outcome))
                rows.append((*head, float(raw[t, i, j]), e.value, e.se, e.low, e.high, e.p))
    return Table(
        "panel.lags",
        "Lags between waves",
        ("from wave", "to wave", "from", "to", "lag", "standardised", "se", "low", "high", "p"),
        tuple(rows),
        f"From the {FAMILIES[fitted.form.key].label} with {fitted.form.says}; robust standard errors.",
    )


def _raw_lags(setup: PanelSetup, fitted: Fitted) -> np.ndarray:
    """B by interval in recorded units, (T−1, K, K)."""
    lags = raw_lags(fitted.fit.model)(fitted.fit.alpha)[0]
    return np.asarray(lags * setup.scale[:, None] / setup.scale[None, :])


def _number(x: float) -> float | None:
    return float(x) if np.isfinite(x) else None
