"""In whom: one panel model in several groups of people, with a test of whether a named path is the same."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Int
from scipy.special import ndtr, ndtri

from bothways.designs.panel.models import Form, path_model
from bothways.designs.panel.room import DIRECTIONS, place_of
from bothways.designs.panel.setup import PanelSetup, prepare
from bothways.designs.sampling import person_column
from bothways.engine.effects import pooled
from bothways.engine.fitting import Outcome, PanelFit, fit_model
from bothways.engine.inference import Interval, Uncertainty, robust
from bothways.engine.panel_models.groups import family, over_groups
from bothways.engine.patterns import pattern_statistics
from bothways.engine.saturated import saturate
from bothways.engine.scaled import Test, difference_test
from bothways.engine.survey import Sampling
from bothways.terms.answer import Answer, Estimand, Estimate, Status, Table
from bothways.terms.errors import QuestionError
from bothways.terms.question import Direction, Facet, Population, Question, Scale
from bothways.terms.records import Records
from bothways.terms.settings import Settings

LEAST_IN_GROUP = 50


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """People by group: ``codes`` (people of the set-up, −1 for no group), ``labels`` of the groups."""

    codes: Int[np.ndarray, "people"]
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class GroupComparison:
    """The lags of each group, their difference where there are two groups, and the test of each direction's path."""

    answers: tuple[Answer, ...]
    tests: dict[Direction, Test]
    table: Table


@dataclass(frozen=True, slots=True, eq=False)
class _Fits:
    setup: PanelSetup
    groups: Groups
    fit: PanelFit
    errors: Uncertainty
    clusters: Sampling | None

    @property
    def counts(self) -> list[int]:
        return [int((self.groups.codes == g).sum()) for g in range(len(self.groups.labels))]


def compare_groups(records: Records, by: str, settings: Settings) -> GroupComparison:
    """The panel of ``records`` with lags equal over time and everything free between the groups of column ``by``.

    For each direction the path is then made equal in all groups, and the scaled difference of the two fits is the
    test. Groups of fewer than 50 people, and people without a group, are left out.

    Raises QuestionError where fewer than two groups remain, the waves are not evenly spaced, or a fit fails.
    """
    fits = _fitted(records, by, settings)
    interval = pooled(fits.fit, fits.errors.covariance, settings.level)
    rows: list[Answer] = []
    for direction in DIRECTIONS:
        rows += [_group_answer(fits, by, direction, interval, g, settings) for g in range(len(fits.groups.labels))]
        if len(fits.groups.labels) == 2:
            rows.append(_difference(fits, by, direction, interval, settings))
    tests = {direction: path_test(fits, [path_name(direction)]) for direction in DIRECTIONS}
    return GroupComparison(tuple(rows), tests, _table(fits, by, rows, tests))


def path_name(direction: Direction) -> str:
    """The engine's name of a direction's lag."""
    return "B21" if direction is Direction.A_TO_B else "B12"


def _fitted(records: Records, by: str, settings: Settings) -> _Fits:
    setup = prepare(records)
    groups = groups_of(setup, by)
    if not setup.waves.even:
        raise QuestionError(f"--by {by}", "groups are compared at evenly spaced waves only", "Leave out a wave")
    form = Form("ri-clpm" if setup.T >= 3 else "clpm", "equal")
    kept = groups.codes >= 0
    weights = None if setup.weights is None else setup.weights[kept]
    clusters = None if setup.sampling is None else setup.sampling.among(kept)
    data = pattern_statistics(setup.table[kept], weights, groups.codes[kept])
    model = over_groups(path_model(setup, form), len(groups.labels))
    fit = fit_model(model, data, saturated=saturate(data))
    return _Fits(setup, groups, fit, _errors(fit, clusters, by), clusters)


def _errors(fit: PanelFit, clusters: Sampling | None, by: str) -> Uncertainty:
    if fit.status.outcome not in (Outcome.CONVERGED, Outcome.INADMISSIBLE):
        raise QuestionError(
            f"--by {by}", f"the model of the groups is {fit.status.outcome}", "Compare fewer or larger groups"
        )
    return robust(fit, clusters)


def groups_of(setup: PanelSetup, by: str) -> Groups:
    """Groups of a person's column, in the order of its values; small ones are left out."""
    column = person_column(setup.records, by)
    if column is None:
        raise QuestionError(f"--by {by}", "the records hold no such column", "Name a column of the table")
    x = column[setup.rows]
    values, counts = np.unique(x[np.isfinite(x)], return_counts=True)
    large = values[counts >= LEAST_IN_GROUP]
    if len(large) < 2:
        raise QuestionError(
            f"--by {by}", f"fewer than two groups have {LEAST_IN_GROUP} people", "Join small groups or cut the column"
        )
    codes = np.full(len(x), -1, np.int64)
    for g, value in enumerate(large):
        codes[x == value] = g
    names = setup.records.categories.get(by, ())
    return Groups(codes, tuple(_label(by, value, names) for value in large))


def _label(by: str, value: float, names: tuple[str, ...]) -> str:
    known = value.is_integer() and 0 <= value < len(names)
    return f"{by}: {names[int(value)]}" if known else f"{by} = {value:g}"


def path_test(fits: _Fits, equal: list[str]) -> Test:
    """The scaled difference test of paths made equal in all groups; whole names ("B21") or families ("Phi")."""
    labels = [name.partition("@")[0] for name in fits.fit.model.names]
    known = set(labels) | {family(name) for name in labels}
    if unknown := set(equal) - known:
        raise QuestionError(
            "path", f"there is none called {', '.join(sorted(unknown))}", "Name one of the model's paths"
        )
    form = Form("ri-clpm" if fits.setup.T >= 3 else "clpm", "equal")
    model = over_groups(path_model(fits.setup, form), len(fits.groups.labels), equal)
    tied = fit_model(model, fits.fit.data, saturated=fits.fit.saturated)
    tau = (_errors(tied, fits.clusters, "path").tau, fits.errors.tau)
    return difference_test(tied, fits.fit, tau=tau, clusters=fits.clusters)


def _question(fits: _Fits, direction: Direction, label: str, where: str | None) -> Question:
    population = Population(label, where)
    return Question(fits.setup.records.pair, Facet.WHOM, direction, Scale.SD_PER_SD, population=population)


def _group_answer(fits: _Fits, by: str, direction: Direction, interval: Interval, g: int, settings: Settings) -> Answer:
    K, label = fits.setup.K, fits.groups.labels[g]
    place = g * K * K + place_of(direction, K)
    estimate = _estimate(interval, np.eye(len(interval.value))[place], fits.counts[g], settings)
    first, second = direction.ends(fits.setup.records.pair)
    days = fits.setup.waves.gap if fits.setup.waves.in_days else None
    return Answer(
        id=f"panel.by.{by}.{g + 1}.{direction}",
        question=_question(fits, direction, label, label),
        design="panel",
        model="ri-clpm" if fits.setup.T >= 3 else "clpm",
        estimand=Estimand.CROSS_LAG,
        status=Status.ANSWERED,
        estimate=estimate,
        target=f"{second.label}, one wave later",
        contrast=f"one standard deviation more {first.label}, at the same {second.label}",
        lag_days=days,
        lag_waves=None if days else 1.0,
        subgroup=label,
        source=fits.setup.records.source,
    )


def _difference(fits: _Fits, by: str, direction: Direction, interval: Interval, settings: Settings) -> Answer:
    """The second group less the first: one number with its interval, for both are in one covariance matrix."""
    K = fits.setup.K
    weights = np.zeros(len(interval.value))
    weights[place_of(direction, K)], weights[K * K + place_of(direction, K)] = -1.0, 1.0
    one, other = fits.groups.labels
    base = _group_answer(fits, by, direction, interval, 1, settings)
    return replace(
        base,
        id=f"panel.by.{by}.difference.{direction}",
        question=_question(fits, direction, f"{other} against {one}", None),
        estimand=Estimand.INTERACTION,
        estimate=_estimate(interval, weights, sum(fits.counts), settings),
        contrast=f"how much stronger the lag is in “{other}” than in “{one}”",
        subgroup=None,
        headline=True,
    )


def _estimate(interval: Interval, weights: np.ndarray, people: int, settings: Settings) -> Estimate:
    value, se = float(weights @ interval.value), float(np.sqrt(weights @ interval.covariance @ weights))
    reach = float(ndtri(0.5 + settings.level / 2)) * se
    p = float(2 * ndtr(-abs(value) / se)) if se > 0 else None
    return Estimate(value, value - reach, value + reach, se, Scale.SD_PER_SD, people, settings.level, p)


def _table(fits: _Fits, by: str, answers: list[Answer], tests: dict[Direction, Test]) -> Table:
    rows = []
    for answer in answers:
        first, second = answer.direction.ends(fits.setup.records.pair)
        e, test = answer.estimate, tests[answer.direction]
        assert e is not None
        tail = (test.statistic, test.df, test.p) if answer.estimand is Estimand.INTERACTION else (None,) * 3
        label = answer.subgroup or answer.question.population.label
        rows.append((label, f"{first.label} to {second.label}", e.people, e.value, e.low, e.high, *tail))
    return Table(
        f"panel.by.{by}",
        f"In whom: by {by}",
        ("group", "direction", "people", "value", "low", "high", "chi-square of no difference", "df", "p"),
        tuple(rows),
        "Lags equal over time, all else free in each group; the test makes the raw lag equal in all groups "
        "(Satorra & Bentler 2001). Many groups looked at find differences by chance.",
    )
