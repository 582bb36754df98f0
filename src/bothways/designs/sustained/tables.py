"""Tables behind the answers: the natural course, the regimes, the weights, the pathways and what could undo them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from bothways.designs.sustained.answers import Room, contrast_of, scale_of
from bothways.designs.sustained.effects import direct, estimate, indirect, overall, share, survivors
from bothways.designs.sustained.estimation import Found
from bothways.designs.sustained.interaction import interaction_table
from bothways.designs.sustained.pathways import number, sensitivity
from bothways.designs.sustained.words import followed, natural_course
from bothways.engine.gmethods.plans import ALWAYS, NATURAL_COURSE, NEVER
from bothways.terms.answer import Cell, Table
from bothways.terms.question import Scale

Row = tuple[Cell, ...]


def tables_of(rooms: Iterable[Room]) -> tuple[Table, ...]:
    """Every table for which there is something to show."""
    usable = [(room, room.found) for room in rooms if room.found is not None and room.found.usable]
    strengths = (_natural(usable), _regimes(usable), _weights(usable), _weighting(usable))
    made = (*strengths, _paths(usable), interaction_table(usable), _undo(usable))
    return tuple(table for table in made if table.rows)


def way(room: Room) -> str:
    """The direction in words."""
    return f"{room.exposure.label} to {room.outcome.label}"


def _natural(usable: list[tuple[Room, Found]]) -> Table:
    rows: list[Row] = []
    for room, found in usable:
        simulated, seen = natural_course(found)
        for v, variable in enumerate(room.setup.variables(room.direction)):
            for k in range(found.histories.waves):
                one, other = float(simulated[k, v]), float(seen[k, v])
                gap = one - other
                rows.append((way(room), variable.label, k + 1, one, other if np.isfinite(other) else None, gap))
    return Table(
        "natural_course",
        "The course as simulated beside the course as seen",
        ("direction", "variable", "occasion", "simulated", "seen", "difference"),
        tuple(rows),
        "Shares of states and means of scores (in SDs), among those alive and complete so far; people leave in the "
        "simulation as they did.",
    )


def _regimes(usable: list[tuple[Room, Found]]) -> Table:
    rows: list[Row] = []
    for room, found in usable:
        point = found.simulated.point[0]
        seen = followed(found) if room.exposure.state else (None, None)
        for words, plan, count in (
            ("as it is", NATURAL_COURSE, None),
            ("always", ALWAYS, seen[0]),
            ("never", NEVER, seen[1]),
        ):
            alive = float(point.alive[plan, -1])
            mean = float(point.mean[plan, -1, 0])
            rows.append((way(room), words, mean if room.outcome.state else None, mean / alive, alive, count))
        gap = estimate(found, 0, survivors, Scale.RISK_DIFFERENCE, room.settings.level, events=None)
        if gap is not None:
            rows.append((way(room), "always less never, survivors", None, gap.value, None, None))
    return Table(
        "sustained_regimes",
        "The outcome at the end under each regime",
        ("direction", "regime", "alive and with it", "with it or mean, in survivors", "alive", "people who did so"),
        tuple(rows),
        "For a score 'always' and 'never' are half an SD above and below the mean throughout. Survivors of two regimes "
        "need not be the same people.",
    )  # fmt: skip


def _weights(usable: list[tuple[Room, Found]]) -> Table:
    rows: list[Row] = []
    for room, found in usable:
        if found.weighted is None or not found.weighted.weights.converged:
            continue
        weights = found.weighted.weights
        for k in range(weights.value.shape[1]):
            own = weights.value[np.isfinite(weights.value[:, k]), k]
            if not own.size:
                continue
            low, high = np.percentile(own, (1, 99))
            lacking = float(weights.lacking[k]) if k < len(weights.lacking) else None
            cells = (own.mean(), own.std(), own.min(), low, high, own.max())
            rows.append((way(room), k + 1, own.size, *(float(x) for x in cells), lacking))
    return Table(
        "weights",
        "Stabilised weights by occasion",
        ("direction", "occasion", "people", "mean", "SD", "least", "1st percentile", "99th percentile", "greatest",
         "share of strata without both exposures"),
        tuple(rows),
        "Means near 1 are as they should be. Strata are groups of people of like probability of exposure.",
    )  # fmt: skip


def _weighting(usable: list[tuple[Room, Found]]) -> Table:
    rows: list[Row] = []
    for room, found in usable:
        if found.weighted is None:
            continue
        own = found.weighted
        for words, model in (
            ("weighted", own.plain),
            ("weights truncated at 1 and 99 %", own.truncated),
            ("unweighted", own.crude),
        ):
            if model.converged:
                always, never = (float(x) for x in model.means)
                rows.append((way(room), words, always, never, always - never, model.people))
    return Table(
        "weighting",
        "The marginal structural model, with and without weights",
        ("direction", "weights", "always", "never", "difference", "people"),
        tuple(rows),
        "Unweighted, it is adjusted for nothing. Scores are in SDs.",
    )


def _paths(usable: list[tuple[Room, Found]]) -> Table:
    rows: list[Row] = []
    for room, found in usable:
        scale, factor = scale_of(room.exposure, room.outcome)
        state = room.outcome.state
        for place, path in enumerate(found.paths, start=1):
            whole, own, through = (number(room, place, f(state), scale, factor) for f in (overall, direct, indirect))
            if whole is None or own is None or through is None:
                continue
            clear = not whole.low <= 0 <= whole.high
            part = number(room, place, share(state), Scale.SHARE) if clear else None
            cells = (part.value, part.low, part.high) if part else (None, None, None)
            rows.append((path.key, way(room), whole.value, own.value, through.value, through.low, through.high, *cells))
    return Table(
        "pathways",
        "What runs by way of each mediator",
        ("pathway", "direction", "total", "direct", "indirect", "low", "high", "share", "share low", "share high"),
        tuple(rows),
        "A share is given only where the interval of the total excludes nil. Paths overlap: the parts need not add up.",
    )


def _undo(usable: list[tuple[Room, Found]]) -> Table:
    rows: list[Row] = []
    for room, found in usable:
        for place, path in enumerate(found.paths, start=1):
            own = sensitivity(room, place)
            if own is not None:
                words = _meaning(room, " and ".join(path.labels), own.value, own.limit, own.frequency)
                rows.append(
                    (path.key, way(room), own.indirect.value, own.indirect.low, own.indirect.high, own.value, words)
                )
    return Table(
        "pathway_sensitivity",
        "What would undo each pathway",
        ("pathway", "direction", "indirect", "low", "high", "sensitivity value", "what it means"),
        tuple(rows),
        "Mediational E-values (Smith & VanderWeele 2019), as risk ratios.",
    )


def _meaning(room: Room, through: str, value: float, limit: float, frequency: float | None) -> str:
    """The E-value in a sentence, with how common the outcome is."""
    regime = contrast_of(room.exposure)
    common = (
        f"The outcome is reached by {frequency:.0%} with the mediator as without the exposure ({regime})."
        if frequency is not None
        else "For a score the risk ratio is taken to be exp(0.91 d), d the difference in SDs."
    )
    if limit <= 1:
        return f"The interval holds nil already: nothing is needed to undo it. {common}"
    return (
        f"An unmeasured cause tied to {through}, and to {room.outcome.label}, by risk ratios of {value:.2f} each, "
        f"beyond what was adjusted for, could make all of it; {limit:.2f} would bring the interval to nil. {common}"
    )
