"""What follows an event: by how much each condition stands higher at a lag after it, with its interval."""

from __future__ import annotations

import numpy as np

from bothways.designs.diary.answers import Run
from bothways.designs.diary.estimation import delta_of, estimate
from bothways.engine.drift import total_effect
from bothways.engine.statespace.system import System
from bothways.terms.answer import Cell, Table
from bothways.terms.question import Scale

NOTE = (
    "By how many points each condition stands higher than without the event, first at once and then by lag: T(h) Ξ. "
    "An event is no experiment: what brought it about may have moved the condition as well."
)


def aftermath_tables(run: Run) -> list[Table]:
    """One table of all events, or none where the records tell of none."""
    setup, model = run.setup, run.models.chosen
    names = setup.impulses
    if not names:
        return []
    lags = np.concatenate([[0.0], run.lags.curve])
    value, C = delta_of(model, lambda systems: _after(systems, lags))
    shape = (lags.size, 2, len(names))
    rows: list[tuple[Cell, ...]] = []
    for e, name in enumerate(names):
        for i in range(2):
            for k, lag in enumerate(lags.tolist()):
                place = int(np.ravel_multi_index((k, i, e), shape))
                se = float(np.sqrt(max(C[place, place], 1e-18)))
                x = estimate(float(value[place]), se, model, run.settings.level, Scale.POINTS)
                points = float(setup.spread[i])
                cells = (x.value * points, x.low * points, x.high * points)
                rows.append((setup.label(name), setup.label(setup.processes[i]), lag, *cells))
    unit = "days" if setup.in_days else "occasions"
    columns = ("event", "outcome", f"lag, {unit}", "change, points", "low", "high")
    return [Table("diary.events", "What follows an event", columns, tuple(rows), NOTE)]


def _after(systems: list[System], lags: np.ndarray) -> np.ndarray:
    """T(h) Ξ of the pair, flat: (lag, outcome, event)."""
    T = total_effect(np.array([s.drift for s in systems]), lags)
    struck = np.array([s.impulses for s in systems])
    return np.asarray((T @ struck[:, None])[:, :, :2].reshape(len(systems), -1))
