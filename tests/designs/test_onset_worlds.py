"""A simulated twin of a published onset study: what panel data can say, beside usual readings of the same records."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from bothways.designs.onset import OnsetDesign
from bothways.designs.onset.estimation import PATHS
from bothways.designs.onset.models import plain
from bothways.designs.onset.setup import prepare
from bothways.engine.cox import cox, cox_data
from bothways.simulation import World, carroll_twin
from bothways.terms.answer import Estimand
from bothways.terms.progress import silent
from bothways.terms.question import Direction, Facet, Question
from bothways.terms.settings import Settings

QUICK = Settings(quick=True)
WORLDS, LARGE, REACH = 100, 40_000, 1.959963984540054
THERE, BACK = Direction.A_TO_B, Direction.B_TO_A
Log = tuple[float, float]  # a log ratio and its standard error


@cache
def large(effect: tuple[float, float] | None = None) -> World:
    """Fifty times the study, so that what is wrong stands out from chance."""
    return carroll_twin(LARGE, seed=2004, effect=effect)


def panel_answer(world: World, direction: Direction) -> Log:
    """The rate ratio of four states seen at visits."""
    value, error, _ = plain(prepare(world.records, QUICK)).log_ratio(*PATHS[direction])
    return value, error


def grids(world: World) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days, depression and back pain by person and visit."""
    values = world.records.values
    return tuple(x.reshape(-1, 3) for x in (world.records.time, values["depression"], values["back_pain"]))  # type: ignore[return-value]


def cox_on_visit_dates(world: World, *, by_entry: bool) -> Log:
    """First visit with pain as its date, by depression at entry, or as found at that very visit."""
    days, a, b = grids(world)
    person, k = np.nonzero(np.cumsum(b, axis=1)[:, :-1] == 0)
    x = a[person, 0] if by_entry else a[person, k + 1]
    found = cox(cox_data(days[person, k], days[person, k + 1], b[person, k + 1] == 1, x[:, None]))
    return float(found.beta[0]), float(found.errors[0])


def odds_ratio(world: World) -> Log:
    """Depression at entry and pain at any later visit."""
    _, a, b = grids(world)
    ever = b[:, 1:].max(axis=1)
    n = np.array([[((a[:, 0] == i) & (ever == j)).sum() for j in (0, 1)] for i in (0, 1)])
    return float(np.log(n[1, 1] * n[0, 0] / n[1, 0] / n[0, 1])), float(np.sqrt((1 / n).sum()))


def off(found: Log, truth: float) -> float:
    """By how many standard errors."""
    return (found[0] - float(np.log(truth))) / found[1]


def truth_of(world: World, direction: Direction) -> float:
    return world.truth(Question(world.pair, Facet.STRENGTH, direction), Estimand.RATE_RATIO).value


def test_the_twin_is_a_study_of_people_free_of_pain_seen_three_times() -> None:
    world = carroll_twin()
    days, a, b = grids(world)
    assert world.records.people == 790
    assert np.abs(days - [0, 182.625, 365.25]).max() < 1
    assert b[:, 0].sum() == 0
    assert 0.18 < a[:, 0].mean() < 0.30
    assert truth_of(world, THERE) == 4.0
    assert truth_of(world, BACK) == 2.0


def test_the_panel_answer_covers_the_truth_in_studies_of_this_size() -> None:
    """95 of 100 intervals on average; fewer than 88 would come about once in 700 times.

    The other way round, one study in fourteen sees no depression begin with pain, and gives a limit but no interval.
    """
    given, covered = np.zeros(2), np.zeros(2)
    for seed in range(WORLDS):
        fitted = plain(prepare(carroll_twin(seed=seed).records, QUICK))
        for k, (direction, truth) in enumerate(((THERE, 4.0), (BACK, 2.0))):
            value, error, _ = fitted.log_ratio(*PATHS[direction])
            given[k] += np.isfinite(error)
            covered[k] += np.isfinite(error) and abs(value - np.log(truth)) <= REACH * error
    assert given[0] >= 98
    assert given[1] >= 80
    assert (covered / given >= 0.88).all()


def test_naive_readings_of_the_large_twin_are_off_and_the_panel_answer_is_not() -> None:
    """Depression ends and begins between visits, and so does pain: dates of visits and states at entry dilute."""
    world = large()
    assert abs(off(panel_answer(world, THERE), 4.0)) < 3
    assert panel_answer(world, THERE)[1] < 0.05
    for naive in (cox_on_visit_dates(world, by_entry=True), odds_ratio(world)):
        assert off(naive, 4.0) < -10
        assert np.exp(naive[0]) < 3


def test_what_is_new_at_one_visit_is_no_evidence_of_order() -> None:
    """Pain leads to depression here and not the other way: read at the visit itself, depression seems to."""
    world = large((1.0, 4.0))
    assert truth_of(world, THERE) == 1.0
    assert abs(off(panel_answer(world, THERE), 1.0)) < 3
    assert abs(off(panel_answer(world, BACK), 4.0)) < 3
    same_visit = cox_on_visit_dates(world, by_entry=False)
    assert off(same_visit, 1.0) > 10
    assert np.exp(same_visit[0]) > 1.3


@pytest.mark.parametrize("effect", [None, (1.0, 4.0)])
def test_order_and_shares_of_the_large_twin_hold_the_truth(effect: tuple[float, float] | None) -> None:
    """Who was first among people free of both, what is attributable, and how fast: each within its 99.8 % interval."""
    world = large(effect)
    result = OnsetDesign().answer(world.records, Settings(quick=True, level=0.998), silent)
    found = {a.id.removeprefix("onset."): a for a in result.answers}
    for way in (THERE, BACK):
        for slug in (f"order_share.{way}", f"attributable_share.{way}", f"recovery_ratio.{way}"):
            answer = found[slug]
            question = Question(world.pair, answer.question.facet, way, horizon=answer.horizon_days)
            truth = world.truth(question, answer.estimand).value
            assert answer.estimate is not None
            assert answer.estimate.low < truth < answer.estimate.high, slug
        for kind in ("with", "without"):
            answer = found[f"speed.{way}.{kind}"]
            assert answer.estimate is not None
            assert answer.horizon_days is not None
            truth = world.begun(answer.horizon_days, way, kind == "with")
            assert answer.estimate.low < truth < answer.estimate.high, (way, kind)
