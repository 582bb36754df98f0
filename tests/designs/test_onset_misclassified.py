"""States seen with error: the truth behind them is found at the stated accuracy, and what is read is said."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bothways.designs.onset import OnsetDesign
from bothways.designs.onset.estimation import PATHS, fit_all
from bothways.designs.onset.misclassified import accuracies, stated
from bothways.designs.onset.setup import prepare
from bothways.simulation import Observation, simulate
from bothways.terms.answer import Estimand
from bothways.terms.errors import QuestionError
from bothways.terms.progress import silent
from bothways.terms.question import Direction
from bothways.terms.records import Records
from bothways.terms.settings import Settings

TRUTH = 2.0
SEEN = {"depression": (0.85, 0.96), "back_pain": (0.9, 0.94)}


@cache
def blurred() -> Records:
    """A both-ways world whose states are seen with independent errors, and now and then one of them not at all."""
    seen = Observation(entry="prevalent", jitter=0.0)
    world = simulate("both-ways", design="onset", people=6000, waves=6, seed=12, observation=seen)
    records, rng = world.records, np.random.default_rng(12)
    values = dict(records.values)
    for condition in (records.pair.a, records.pair.b):
        true = values[condition.key] > 0
        sensitivity, specificity = SEEN[condition.key]
        shown = np.where(true, rng.random(true.size) < sensitivity, rng.random(true.size) >= specificity) * 1.0
        shown[rng.random(true.size) < 0.03] = np.nan
        values[condition.key] = shown
    return replace(records, values=values)


def test_the_keys_of_the_world_are_those_of_the_test() -> None:
    assert {blurred().pair.a.key, blurred().pair.b.key} == set(SEEN)


def test_ratios_behind_errors_are_the_true_ones_and_those_seen_are_not() -> None:
    result = OnsetDesign().answer(blurred(), Settings(quick=True, accuracy=SEEN), silent)
    found = {(a.model, a.direction): a for a in result.answers if a.estimand is Estimand.RATE_RATIO}
    for direction in (Direction.A_TO_B, Direction.B_TO_A):
        behind, seen = (found[model, direction] for model in ("chain-with-errors", "chain"))
        assert behind.estimate is not None
        assert seen.estimate is not None
        assert seen.headline
        assert not behind.headline
        assert behind.estimate.low < TRUTH < behind.estimate.high
        assert seen.estimate.high < TRUTH
        assert "seen_with_error" in {c.code for c in seen.caveats}
    table = next(t for t in result.tables if t.key == "onset_accuracy")
    assert [row[0] for row in table.rows] == ["as they were seen", "seen with error"]
    assert table.rows[1][1:5] == (0.85, 0.96, 0.9, 0.94)
    assert "independent" in table.note
    assert "sensitivity of depression 0.85" in result.methods
    assert {"chain", "chain-with-errors"} == {fit.model for fit in result.fits}


@pytest.mark.slow
def test_what_is_not_known_is_estimated() -> None:
    nan = float("nan")
    settings = Settings(quick=True, accuracy=dict.fromkeys(SEEN, (nan, nan)))
    setup = prepare(blurred(), settings)
    fits = fit_all(setup, silent, quick=True, accuracy=settings.accuracy)
    assert fits.errors is not None
    rows = accuracies(setup, fits.errors, settings.accuracy, 0.99)
    for row, true in zip(rows, [p for key in ("depression", "back_pain") for p in SEEN[key]], strict=True):
        assert row[3] is not None
        assert row[4] is not None
        assert row[3] < true < row[4]
    value, error, _ = fits.errors.log_ratio(*PATHS[Direction.B_TO_A])
    assert abs(value - np.log(TRUTH)) < 2.6 * error


def test_perfect_accuracy_is_the_plain_chain() -> None:
    exact = prepare(blurred(), Settings())
    plain = fit_all(exact, silent, quick=True)
    almost = fit_all(exact, silent, quick=True, accuracy={"depression": (1 - 1e-9, 1.0)})
    assert almost.errors is not None
    for paths in PATHS.values():
        one, other = plain.chain.log_ratio(*paths), almost.errors.log_ratio(*paths)
        assert one[0] == pytest.approx(other[0], abs=0.02)
        assert one[1] == pytest.approx(other[1], rel=0.05)


def test_what_no_test_can_be_is_refused() -> None:
    pair = blurred().pair
    with pytest.raises(QuestionError, match="neither of the two"):
        stated(pair, {"sleep": (0.9, 0.9)})
    with pytest.raises(QuestionError, match="add to more than 1"):
        stated(pair, {"depression": (0.4, 0.5)})
    assert stated(pair, {"back_pain": (0.9, 0.8)}) == (1.0, 1.0, 0.9, 0.8)
