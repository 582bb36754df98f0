"""Variance shares and correlations, each against brute force, a reference and a simulated truth."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from scipy import stats
from statsmodels.stats.anova import anova_lm

from bothways.intake.spread import associations, spread


def unbalanced(people: int, seed: int, icc: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n = rng.integers(1, 7, people)
    person = np.repeat(np.arange(people), n)
    return person, 5 + rng.normal(0, np.sqrt(icc), people)[person] + rng.normal(0, np.sqrt(1 - icc), person.size)


def test_the_split_by_hand() -> None:
    # Two people: 1, 3 and 5, 7, 9. MSB = 2*(2-5)^2 + 3*(7-5)^2 = 30; MSW = (2+8)/3; n0 = 5 - 13/5 = 2.4.
    found = spread(np.array([0, 0, 1, 1, 1]), np.array([1.0, 3, 5, 7, 9]))
    between = (30 - 10 / 3) / 2.4
    assert found.between == pytest.approx(np.sqrt(between))
    assert found.within == pytest.approx(np.sqrt(10 / 3))
    assert found.icc == pytest.approx(between / (between + 10 / 3))


def test_the_split_by_a_reference_anova() -> None:
    person, x = unbalanced(40, 1)
    table = anova_lm(smf.ols("x ~ C(person)", pd.DataFrame({"x": x, "person": person})).fit())
    msb, msw = table["mean_sq"]
    n = np.bincount(person)
    n0 = (n.sum() - (n**2).sum() / n.sum()) / (n.size - 1)
    found = spread(person, x)
    assert found.within == pytest.approx(np.sqrt(msw), rel=1e-10)
    assert found.between == pytest.approx(np.sqrt((msb - msw) / n0), rel=1e-10)


def test_the_split_finds_the_truth() -> None:
    person, x = unbalanced(20_000, 2, icc=0.4)
    assert spread(person, x).icc == pytest.approx(0.4, abs=0.02)
    assert spread(person, np.random.default_rng(3).standard_normal(x.size)).icc == pytest.approx(0, abs=0.02)


def test_what_cannot_be_told_is_none() -> None:
    assert spread(np.array([0, 1, 2]), np.array([1.0, 2, 3])).icc is None
    assert spread(np.array([0, 0, 0]), np.array([1.0, 2, 3])).icc is None
    nothing = spread(np.array([0, 1]), np.array([np.nan, np.nan]))
    assert (nothing.answers, nothing.mean) == (0, None)


def test_missing_values_and_people_without_answers_do_not_count() -> None:
    person, x = unbalanced(30, 5)
    gaps = np.where(np.arange(x.size) % 3 == 0, np.nan, x)
    seen = np.isfinite(gaps)
    alone = spread(np.unique(person[seen], return_inverse=True)[1], gaps[seen])
    assert astuple(spread(person, gaps)) == pytest.approx(astuple(alone), rel=1e-12)


def test_what_never_changes_within_people_has_no_variance_there() -> None:
    person = np.repeat(np.arange(50), 4)
    found = spread(person, np.random.default_rng(1).normal(40, 12, 50)[person])
    assert (found.within, found.icc) == (0, 1)


def test_floor_and_ceiling() -> None:
    found = spread(np.array([0, 0, 1, 1]), np.array([0.0, 0, 3, 0]))
    assert (found.low, found.high, found.at_low, found.at_high) == (0, 3, 0.75, 0.25)


def test_correlations_by_brute_force() -> None:
    person, x = unbalanced(50, 7)
    y = 0.5 * x + unbalanced(50, 7)[1][::-1]
    y[::9] = np.nan
    kept = np.isfinite(y)
    frame = pd.DataFrame({"p": person[kept], "x": x[kept], "y": y[kept]})
    means = frame.groupby("p").mean()
    inside = frame[["x", "y"]] - frame.groupby("p")[["x", "y"]].transform("mean")
    first = frame.groupby("p").first()
    found = {a.level: a for a in associations(person, x, y, None)}
    between, within, once = found.values()
    assert between.r == pytest.approx(stats.pearsonr(means.x, means.y).statistic)
    assert within.r == pytest.approx(stats.pearsonr(inside.x, inside.y).statistic)
    assert once.r == pytest.approx(stats.pearsonr(first.x, first.y).statistic)
    interval = stats.pearsonr(means.x, means.y).confidence_interval(0.95)
    assert (between.low, between.high) == pytest.approx(tuple(interval))
    assert within.people == int((frame.groupby("p").size() > 1).sum())


def test_a_correlation_within_people_alone_is_found_as_such() -> None:
    rng = np.random.default_rng(11)
    person = np.repeat(np.arange(4000), 5)
    u, v = rng.standard_normal((2, 4000))
    e = rng.standard_normal(person.size)
    a = 2 * u[person] + e
    b = 2 * v[person] + 0.6 * e + 0.8 * rng.standard_normal(person.size)
    wave = np.tile(np.arange(5), 4000)
    between, within, once = associations(person, a, b, wave)
    assert within.low < 0.6 < within.high
    assert abs(between.r) < 0.08
    assert once.level == "at wave 1"
    assert once.r == pytest.approx(0.6 / 5, abs=0.05)


def test_nothing_is_said_of_what_does_not_vary() -> None:
    person = np.repeat(np.arange(10), 3)
    assert list(associations(person, np.ones(30), np.arange(30.0), None)) == []
