"""A diary as it was asked: without the rows that stand for events between prompts, at which nobody was asked anything.

The model needs those rows, so that an event strikes at its own time; whoever counts what was asked does not.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bothways.designs.diary.checks import Surprises
from bothways.designs.diary.setup import DiarySetup, resolution_of
from bothways.engine.statespace.likelihood import Predictions
from bothways.engine.statespace.series import make_series


def as_asked(setup: DiarySetup, seen: Surprises | None) -> tuple[DiarySetup, Surprises | None]:
    """The set-up and what was foreseen, at prompts alone."""
    if setup.asked is None or setup.asked.all():
        return setup, seen
    kept, series = setup.asked, setup.series
    prompts = make_series(
        series.person[kept],
        series.time[kept],
        series.values[kept],
        design=series.design[kept],
        inputs=series.inputs[kept],
        impulses=series.impulses[kept],
        basis=series.basis[kept] if series.basis.shape[1] else None,
        resolution=resolution_of(setup.records),
    )
    plain = replace(setup, series=prompts, asked=np.ones(prompts.rows, bool))
    return plain, None if seen is None else Surprises(seen.z[kept], _at(seen.foreseen, kept))


def _at(foreseen: Predictions, kept: np.ndarray) -> Predictions:
    return Predictions(foreseen.center[kept], foreseen.spread[kept], foreseen.density[kept], foreseen.state[kept])
