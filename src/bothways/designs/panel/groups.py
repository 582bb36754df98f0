"""In whom: one panel model in several groups of people, with a test of whether a named path is the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr, ndtri

from bothways.designs.panel.group_fits import (
    GroupFits,
    fitted_groups,
    form_of,
    path_name,
    standardised_in_groups,
    tested,
)
from bothways.designs.panel.room import DIRECTIONS, place_of
from bothways.engine.inference import Interval, delta_method
from bothways.engine.scaled import Test
from bothways.terms.answer import Answer, Caveat, Estimand, Estimate, Status, Table
from bothways.terms.question import Direction, Facet, Population, Question, Scale
from bothways.terms.records import Records
from bothways.terms.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class GroupComparison:
    """The lags of each group, their difference where there are two groups, and the test of each direction's path."""

    answers: tuple[Answer, ...]
    tests: dict[Direction, Test]
    table: Table


def compare_groups(records: Records, by: str, settings: Settings) -> GroupComparison:
    """The panel of ``records`` with lags equal over time and everything free between the groups of column ``by``.

    For each direction the path is then made equal in all groups, and the scaled difference of the two fits is the
    test. Groups of fewer than 50 people, and people without a group, are left out. A number with many values is cut
    at ``settings.cuts``, or at its median.

    Raises QuestionError where fewer than two groups remain, the waves are not evenly spaced, or a fit fails.
    """
    fits = fitted_groups(records, by, settings)
    tests: dict[Direction, Test] = {}
    for direction in DIRECTIONS:
        fits, tests[direction] = tested(fits, [path_name(direction)])
    interval = delta_method(standardised_in_groups(fits.fit.model), fits.fit, fits.errors.covariance, settings.level)
    rows: list[Answer] = []
    for direction in DIRECTIONS:
        rows += [_level(fits, by, direction, interval, g, settings) for g in range(len(fits.groups.labels))]
        rows += [_against(fits, by, direction, interval, g, settings) for g in range(1, len(fits.groups.labels))]
    return GroupComparison(tuple(rows), tests, _table(fits, by, rows, tests))


def _level(fits: GroupFits, by: str, direction: Direction, interval: Interval, g: int, settings: Settings) -> Answer:
    K, setup, label = fits.setup.K, fits.setup, fits.groups.labels[g]
    place = g * K * K + place_of(direction, K)
    estimate = _estimate(interval, np.eye(len(interval.value))[place], fits.counts[g], settings)
    first, second = direction.ends(setup.records.pair)
    days = setup.waves.gap if setup.waves.in_days else None
    where = Population(label, by)
    return Answer(
        id=f"panel.by.{by}.{g + 1}.{direction}",
        question=Question(setup.records.pair, Facet.WHOM, direction, Scale.SD_PER_SD, population=where),
        design="panel",
        model=form_of(setup).key,
        estimand=Estimand.CROSS_LAG,
        status=Status.ANSWERED,
        estimate=estimate,
        target=f"{second.label}, one wave later",
        contrast=f"one standard deviation more {first.label}, at the same {second.label}",
        lag_days=days,
        lag_waves=None if days else 1.0,
        subgroup=label,
        caveats=_improper(fits),
        source=setup.records.source,
    )


def _improper(fits: GroupFits) -> tuple[Caveat, ...]:
    """What came out impossible, and in which group."""
    status = fits.fit.status
    states = (*status.negative_variances, *status.excessive_correlations)
    named = dict.fromkeys(fits.groups.labels[int(state.rpartition("@")[2]) - 1] for state in states if "@" in state)
    if not states:
        return ()
    among = f" among “{'” and “'.join(named)}”" if named else ""
    text = (
        f"Some of the model's estimates are impossible{among}. Groups may be too small for it, or lasting differences"
    )
    return (Caveat("improper", f"{text} small."),)


def _against(fits: GroupFits, by: str, direction: Direction, interval: Interval, g: int, settings: Settings) -> Answer:
    """A group less the first: one number with its interval, for both are in one covariance matrix."""
    K = fits.setup.K
    weights = np.zeros(len(interval.value))
    weights[place_of(direction, K)], weights[g * K * K + place_of(direction, K)] = -1.0, 1.0
    one, other = fits.groups.labels[0], fits.groups.labels[g]
    base = _level(fits, by, direction, interval, g, settings)
    return replace(
        base,
        id=f"panel.by.{by}.difference.{direction}" if len(fits.groups.labels) == 2 else f"{base.id}.difference",
        estimand=Estimand.INTERACTION,
        estimate=_estimate(interval, weights, fits.counts[0] + fits.counts[g], settings),
        contrast=f"how much stronger the lag is in “{other}” than in “{one}”",
    )


def _estimate(interval: Interval, weights: np.ndarray, people: int, settings: Settings) -> Estimate:
    value, se = float(weights @ interval.value), float(np.sqrt(weights @ interval.covariance @ weights))
    reach = float(ndtri(0.5 + settings.level / 2)) * se
    p = float(2 * ndtr(-abs(value) / se)) if se > 0 else None
    return Estimate(value, value - reach, value + reach, se, Scale.SD_PER_SD, people, settings.level, p)


def _table(fits: GroupFits, by: str, answers: list[Answer], tests: dict[Direction, Test]) -> Table:
    rows = []
    for answer in answers:
        first, second = answer.direction.ends(fits.setup.records.pair)
        e, test = answer.estimate, tests[answer.direction]
        assert e is not None
        compared = answer.estimand is Estimand.INTERACTION
        tail = (test.statistic, test.df, test.p) if compared else (None,) * 3
        label = f"{answer.subgroup} against {fits.groups.labels[0]}" if compared else answer.subgroup
        rows.append((label, f"{first.label} to {second.label}", e.people, e.value, e.low, e.high, *tail))
    return Table(
        f"panel.by.{by}",
        f"In whom: by {fits.setup.records.labels.get(by, by)}",
        ("group", "direction", "people", "value", "low", "high", "chi-square of no difference", "df", "p"),
        tuple(rows),
        "Lags equal over time, all else free in each group, and standardised in each; the test makes the raw lag equal "
        "in all groups (Satorra & Bentler 2010). Many groups looked at find differences by chance.",
    )
