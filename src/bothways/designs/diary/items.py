"""A condition asked by several items: the process is what they share from prompt to prompt, and not their sum.

The sum of items carries the chance in each of them, which pulls effects towards nothing and leaks from one arrow to the
other. Two items or more tell the process from their chance at one and the same prompt.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bothways.designs.diary.answers import DIRECTIONS, Run, effect_at
from bothways.designs.diary.endings import not_fitted
from bothways.designs.diary.estimation import Fitted, base_structure, fitted
from bothways.designs.diary.setup import DiarySetup, set_up
from bothways.engine.statespace.indicators import measured_by
from bothways.terms.answer import Answer, Cell, Estimand, Status, Table
from bothways.terms.question import Condition, Facet, Question, Scale
from bothways.terms.records import Records

LEAST_SHARE = 0.5  # of the prompts at which an item must be answered


def items_in(records: Records) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The items of A and of B among the values; the score itself for one that has none. None where neither has any."""
    pair, roles = records.pair, records.roles
    found = (_items(records, pair.a, roles.a), _items(records, pair.b, roles.b))
    return found if max(len(keys) for keys in found) > 1 else None


def _items(records: Records, condition: Condition, columns: tuple[str, ...]) -> tuple[str, ...]:
    """Columns that the condition was read from, where they are kept, answered often enough, and move."""
    kept = []
    for key in columns:
        column = records.values.get(key)
        given = column[np.isfinite(column)] if column is not None else np.zeros(0)
        if given.size >= LEAST_SHARE * records.rows and np.unique(given).size > 1:
            kept.append(key)
    return tuple(kept) if len(kept) > 1 else (condition.key,)


def fit_items(records: Records, items: tuple[tuple[str, ...], tuple[str, ...]]) -> tuple[DiarySetup, Fitted]:
    """Both processes read from their items; a score that stands alone has an error of measurement as well."""
    setup = set_up(records, items=items)
    structure = measured_by(base_structure(setup, error=True), setup.indicators)
    return setup, fitted("ct-var-items", structure, setup, True)


def item_answers(run: Run) -> tuple[tuple[Answer, ...], tuple[Table, ...]]:
    """Both directions at the headline lag by what the items share, and how each item hangs on it."""
    items = items_in(run.setup.records)
    if items is None:
        return (), ()
    setup, model = fit_items(run.setup.records, items)
    if not model.usable:
        return tuple(_row(run, model, k) for k in range(2)), ()
    return tuple(_row(run, model, k) for k in range(2)), (_table(setup, model),)


def _row(run: Run, model: Fitted, k: int) -> Answer:
    """One direction; failed, in words, where the model of the items could not be fitted."""
    direction, lag = DIRECTIONS[k], run.lags.headline
    first, second = direction.ends(run.setup.records.pair)
    row = Answer(
        id=f"diary.items.{direction}",
        question=Question(run.setup.records.pair, Facet.STRENGTH, direction, Scale.SD_PER_SD, horizon=lag),
        design="diary",
        model=model.name,
        estimand=Estimand.CROSS_LAG,
        status=Status.FAILED,
        status_says=not_fitted("The model of the items", model.fit.outcome),
        target=f"what the items of {second.label} share, {run.lags.headline_words} later",
        contrast=f"one standard deviation more than usual of what the items of {first.label} share",
        lag_days=lag if run.setup.in_days else None,
        lag_waves=None if run.setup.in_days else lag,
        caveats=run.caveats,
        source=run.setup.records.source,
    )
    if not model.usable:
        return row
    value = effect_at(model, np.array([lag]), direction, run.settings.level)[0]
    return replace(row, status=Status.ANSWERED, status_says="", estimate=value)


def _table(setup: DiarySetup, model: Fitted) -> Table:
    """Loadings in points of the items, and the share of each item's variance within persons that is its own chance."""
    system, rows = model.fit.system, []
    owner = [j for j, keys in enumerate(setup.indicators) for _ in keys]
    for k, key in enumerate(key for keys in setup.indicators for key in keys):
        weight = float(system.loading[k, owner[k]] * setup.spread[k])
        chance = float(system.noise[k])  # of answers scaled to SD 1 within persons
        cells: tuple[Cell, ...] = (setup.label(setup.processes[owner[k]]), setup.label(key), weight, chance)
        rows.append(cells)
    return Table(
        "diary.items",
        "How the items hang on what they share",
        ("condition", "item", "points for one step of the first item's unit", "share that is chance"),
        tuple(rows),
        "Shares are of the variance within persons; a share near one says that an item measures something else.",
    )
