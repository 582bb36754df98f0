"""Scoring: the rules as data, with the invariants that every instrument must keep."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tests.intake.intake_tables import BODILY_PAIN, CESD10, PHQ9

from bothways.intake.instruments import outside_items, score
from bothways.terms.errors import RecordsError
from bothways.terms.topic import Instrument
from bothways.topics import load_topic

SHIPPED = load_topic("depression-back-pain").instruments
ITEMISED = [i for i in SHIPPED.values() if i.items and i.items > 1 and i.item_high is not None]
MEAN = replace(PHQ9, key="mean", scoring="mean")
PERCENT = replace(PHQ9, key="percent", scoring="percent", item_low=1, item_high=4)


def test_by_hand() -> None:
    items = np.array([[0, 1, 2, 3, 0, 1, 2, 3, 0], [3] * 9, [0] * 9], dtype=float)
    np.testing.assert_array_equal(score(items, PHQ9).score.values, [12, 27, 0])
    items[0, 2] = items[1, 0] = items[1, 1] = np.nan  # one and two missing: the mean of the others stands in
    items[2, :3] = np.nan  # three missing: refused
    scored = score(items, PHQ9)
    np.testing.assert_allclose(scored.score.values, [10 * 9 / 8, 27, np.nan])
    assert scored.prorated.tolist() == [True, True, False]
    assert scored.refused.tolist() == [False, False, True]
    assert scored.score.counts() == {"too few items answered": 1}


def test_a_row_without_answers_is_empty_and_not_refused() -> None:
    scored = score(np.full((1, 9), np.nan), PHQ9)
    assert not scored.refused.any()
    assert scored.score.counts() == {"no answer": 1}


def test_reversed_items_by_hand() -> None:
    items = np.zeros((1, 10))
    assert score(items, CESD10).score.values.tolist() == [6]
    items[0, 4] = 3
    assert score(items, CESD10).score.values.tolist() == [3]


def test_reversal_runs_from_the_lowest_to_the_highest_answer() -> None:
    from_one = replace(CESD10, item_low=1, item_high=4, low=10, high=40)
    items = np.ones((1, 10))
    assert score(items, from_one).score.values.tolist() == [8 * 1 + 2 * 4]


def test_mean_and_percent_by_hand() -> None:
    items = np.array([[1, 2, 3, 1, 2, 3, 1, 2, 3]], dtype=float)
    assert score(items, MEAN).score.values.tolist() == [2]
    assert score(items, PERCENT).score.values[0] == pytest.approx(100 * 9 / 27)


def answers_of(instrument: Instrument, rows: int = 4) -> st.SearchStrategy[np.ndarray]:
    assert instrument.items is not None
    assert instrument.item_low is not None
    assert instrument.item_high is not None
    whole = st.integers(int(instrument.item_low), int(instrument.item_high)).map(float)
    return arrays(np.float64, (rows, instrument.items), elements=whole)


@pytest.mark.parametrize("instrument", [*ITEMISED, PHQ9, CESD10, MEAN, PERCENT], ids=lambda i: i.key)
@settings(max_examples=40)
@given(data=st.data())
def test_invariants_of_every_instrument(instrument: Instrument, data: st.DataObject) -> None:
    items = data.draw(answers_of(instrument))
    low, high = instrument.item_low, instrument.item_high
    assert low is not None
    assert high is not None
    scores = score(items, instrument).score.values
    spread = {"sum": (instrument.low, instrument.high), "mean": (low, high), "percent": (0.0, 100.0)}
    if instrument.scoring != "sum" or instrument in ITEMISED or instrument in (PHQ9, CESD10):
        assert np.all((scores >= spread[instrument.scoring][0]) & (scores <= spread[instrument.scoring][1]))
    backwards = [k - 1 for k in instrument.reversed_items]
    forwards = [k for k in range(items.shape[1]) if k not in backwards]
    permuted = items.copy()
    permuted[:, forwards] = items[:, data.draw(st.permutations(forwards))]
    np.testing.assert_allclose(score(permuted, instrument).score.values, scores)
    place = data.draw(st.integers(0, items.shape[1] - 1))
    worse = items.copy()
    worse[:, place] += -1 if place in backwards else 1
    inside = ~outside_items(worse, instrument).any(axis=1)
    assert np.all(score(worse, instrument).score.values[inside] >= scores[inside])
    turned = items.copy()
    turned[:, backwards] = low + high - items[:, backwards]
    unreversed = replace(instrument, reversed_items=())
    np.testing.assert_allclose(score(turned, unreversed).score.values, scores)


@pytest.mark.parametrize("missing", range(10))
def test_the_edge_of_the_missing_rule(missing: int) -> None:
    items = np.full((1, 9), 2.0)
    items[0, :missing] = np.nan
    found = score(items, PHQ9).score.values[0]
    assert found == 18 if missing <= 2 else np.isnan(found)


def test_totals_only_and_wrong_counts_are_refused() -> None:
    with pytest.raises(RecordsError, match="finished score only"):
        score(np.zeros((1, 2)), BODILY_PAIN)
    with pytest.raises(RecordsError, match="8 item columns for its 9 items"):
        score(np.zeros((1, 8)), PHQ9)
