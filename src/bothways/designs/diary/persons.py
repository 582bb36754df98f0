"""In whom: how much the pull of one condition on the other differs between people, and in how many it holds."""

from __future__ import annotations

import numpy as np

from bothways.designs.diary.answers import DIRECTIONS, ENDS, Run
from bothways.engine.statespace.personal_fit import PersonalFit, fit_personal, persons_effects, share_beyond
from bothways.terms.answer import Cell, Table
from bothways.terms.question import Scale

LEAST_FOR_DIFFERENCES = 30  # people
WORST_K = 0.7  # Pareto k beyond which the approximation is not vouched for


def persons_tables(run: Run) -> list[Table]:
    """Shares with their intervals, and each person's own effect, drawn towards the mean; empty where none differ.

    The drift's four rates differ between people (Laplace's approximation, checked by importance weights).
    """
    fit = run.models.chosen.fit
    random = tuple(name for name in fit.structure.names if name.startswith("drift["))
    found = fit_personal(fit, random, np.random.default_rng(run.settings.seed))
    if found is None or not found.converged:
        return []
    return [_shares(run, found), _own(run, found)]


def _shares(run: Run, found: PersonalFit) -> Table:
    smallest = run.settings.smallest_effect(Scale.SD_PER_SD)
    rng = np.random.default_rng(run.settings.seed)
    rows: list[tuple[Cell, ...]] = []
    for direction in DIRECTIONS:
        outcome, cause = ENDS[direction]
        first, second = direction.ends(run.setup.records.pair)
        share = share_beyond(found, run.lags.headline, outcome, cause, smallest, rng, level=run.settings.level)
        rows.append((f"{first.label} to {second.label}", share.mean, share.sd, share.value, share.low, share.high))
    check = found.check
    doubt = "" if check is None or check.pareto_k <= WORST_K else " The approximation is doubtful for some people."
    none = f" Found to be alike in all: {', '.join(found.at_limit)}." if found.at_limit else ""
    columns = (
        "direction", "mean effect", "SD between people", "share beyond the smallest effect", "low", "high"
    )  # fmt: skip
    return Table(
        "diary.persons",
        f"In how many people each direction holds, {run.lags.headline_words} on",
        columns,
        tuple(rows),
        f"The share on the side of the mean effect, in the population that these people stand for.{none}{doubt}",
    )


def _own(run: Run, found: PersonalFit) -> Table:
    """Sorted by the first direction, so that no row can be told to be anyone's."""
    columns = []
    for direction in DIRECTIONS:
        outcome, cause = ENDS[direction]
        columns.append(persons_effects(found, run.lags.headline, outcome, cause))
    order = np.argsort(columns[0])
    pair = run.setup.records.pair
    rows = tuple((k + 1, float(columns[0][i]), float(columns[1][i])) for k, i in enumerate(order))
    return Table(
        "diary.own",
        "Each person's own effects, drawn towards the mean as far as their answers are few",
        ("place", f"{pair.a.label} to {pair.b.label}", f"{pair.b.label} to {pair.a.label}"),
        rows,
    )
