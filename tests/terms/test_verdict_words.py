"""The reading of one interval: fixed words bound to fixed rules."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bothways.terms.answer import Estimate
from bothways.terms.question import Scale
from bothways.terms.verdict import Reading, read_estimate


def interval(low: float, high: float, scale: Scale = Scale.SD_PER_SD) -> Estimate:
    middle = math.sqrt(low * high) if scale.is_ratio else (low + high) / 2
    return Estimate(middle, low, high, 0.1, scale, people=100)


@pytest.mark.parametrize(
    ("low", "high", "reading"),
    [
        (-0.049, 0.049, Reading.LITTLE),
        (0.001, 0.049, Reading.LITTLE),  # beyond zero, and too small to matter
        (0.001, 0.050, Reading.PREDICTS),
        (-0.050, -0.001, Reading.PREDICTS),  # less of the other is a prediction too
        (-0.001, 0.050, Reading.UNCERTAIN),
        (-0.2, 0.2, Reading.UNCERTAIN),
        (0.0, 0.2, Reading.UNCERTAIN),
    ],
)
def test_lags(low: float, high: float, reading: Reading) -> None:
    assert read_estimate(interval(low, high), 0.05) is reading


@pytest.mark.parametrize(
    ("low", "high", "reading"),
    [
        (0.81, 1.24, Reading.LITTLE),
        (0.79, 1.24, Reading.UNCERTAIN),
        (1.01, 1.26, Reading.PREDICTS),
        (0.50, 0.99, Reading.PREDICTS),
        (1.81, 8.72, Reading.PREDICTS),
        (0.42, 2.05, Reading.UNCERTAIN),
    ],
)
def test_ratios_are_read_on_the_log_scale(low: float, high: float, reading: Reading) -> None:
    assert read_estimate(interval(low, high, Scale.HAZARD_RATIO), 1.25) is reading


def test_no_estimate_is_no_data() -> None:
    assert read_estimate(None, 0.05) is Reading.NO_DATA
    nowhere = Estimate(math.nan, math.nan, math.nan, math.nan, Scale.SD_PER_SD, 0)
    assert read_estimate(nowhere, 0.05) is Reading.NO_DATA


@given(st.floats(-2, 2), st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 0.5))
def test_widening_never_decides(middle: float, reach: float, more: float, bound: float) -> None:
    narrow = read_estimate(interval(middle - reach, middle + reach), bound)
    wide = read_estimate(interval(middle - reach - more, middle + reach + more), bound)
    if narrow is Reading.UNCERTAIN:
        assert wide is Reading.UNCERTAIN


@given(st.floats(0.05, 20), st.floats(0, 2), st.floats(1.05, 3))
def test_a_ratio_and_its_inverse_read_alike(value: float, reach: float, bound: float) -> None:
    low, high = value * math.exp(-reach), value * math.exp(reach)
    edges = (0.0, math.log(bound), -math.log(bound))
    assume(all(abs(math.log(x) - edge) > 1e-9 for x in (low, high) for edge in edges))
    up = read_estimate(interval(low, high, Scale.ODDS_RATIO), bound)
    down = read_estimate(interval(1 / high, 1 / low, Scale.ODDS_RATIO), bound)
    assert up is down
