"""The dose at entry: a curve that finds a bend, says straight where it is, and is straight beyond its knots."""

from __future__ import annotations

import numpy as np
import pytest

from bothways.designs.onset import OnsetDesign
from bothways.designs.onset.dose import knots_of, restricted_cubic
from bothways.terms.answer import Table
from bothways.terms.progress import silent
from bothways.terms.question import Condition, Kind, Pair
from bothways.terms.records import Records, Roles, Source, TimeUnit
from bothways.terms.settings import Settings

YEAR = 365.25


def cohort(seed: int, bent: bool, people: int = 4000) -> Records:
    """A score that stays as it is, and pain that begins at a rate that rises with it, in a line or in a bow."""
    rng = np.random.default_rng(seed)
    score = rng.uniform(0, 20, people)
    effect = 0.012 * (score - 10) ** 2 if bent else 0.08 * (score - 10)
    begins = rng.exponential(1 / (0.15 * np.exp(effect)))
    T = 5
    pain = (np.arange(T)[None, :] >= begins[:, None]) * 1.0
    pain[rng.random(pain.shape) < 0.02] = 0.0
    mood = np.repeat(score[:, None], T, 1) + np.where(np.arange(T) > 0, rng.normal(0, 4, (people, T)), 0.0)
    pair = Pair(Condition("dep", "depression", Kind.SCORE), Condition("pain", "back pain", Kind.STATE))
    roles, source = Roles("id", "day", ("dep",), ("pain",)), Source("made", "0", people * T, people)
    values = {"dep": mood.ravel(), "pain": pain.ravel()}
    time = np.tile(np.arange(T) * YEAR, people)
    return Records(pair, np.repeat(np.arange(people), T), time, TimeUnit.DAY, values, roles, source)


def tables(records: Records) -> dict[str, Table]:
    result = OnsetDesign().answer(records, Settings(quick=True, cuts={"dep": 10.0}), silent)
    return {table.key: table for table in result.tables}


@pytest.mark.parametrize("bent", [False, True])
def test_the_curve_covers_the_truth_and_the_bend_is_tested(bent: bool) -> None:
    found = tables(cohort(1, bent))
    curve = found["onset_dose_curve"]
    assert curve.columns == ("direction", "score at entry", "ratio", "low", "high")
    rows = np.array([row[1:] for row in curve.rows if row[0] == "depression to back pain"], dtype=float)
    score, ratio, low, high = rows.T
    middle = score[ratio == 1.0][0]
    truth = 0.012 * ((score - 10) ** 2 - (middle - 10) ** 2) if bent else 0.08 * (score - middle)
    inside = (low <= np.exp(truth) * 1.03) & (np.exp(truth) * 0.97 <= high)
    assert inside.mean() > 0.9
    p = next(r[6] for r in found["onset_dose"].rows if r[1] == "departure from a straight line")
    assert isinstance(p, float)
    assert (p < 1e-4) is bent


def test_a_spline_through_a_line_is_the_line_and_beyond_the_knots_it_is_straight() -> None:
    knots = np.array([1.0, 3.0, 4.0, 9.0])
    far = restricted_cubic(np.array([9.0, 10, 11, 12, 1, 0, -1, -2]), knots)
    np.testing.assert_allclose(np.diff(far[:4], 2, axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(far[4:, 1:], 0, atol=1e-12)
    at = np.linspace(-2, 12, 2000)
    basis = restricted_cubic(at, knots)
    step = at[1] - at[0]
    second = np.diff(basis, 2, axis=0) / step**2
    assert np.abs(np.diff(second, axis=0)).max() < 20 * step


def test_knots_are_fewer_where_onsets_are_few_or_values_tied() -> None:
    score = np.arange(200.0)
    assert knots_of(score, 100).size == 4  # type: ignore[union-attr]
    assert knots_of(score, 20).size == 3  # type: ignore[union-attr]
    assert knots_of(np.r_[np.zeros(190), np.arange(10.0)], 100) is None
