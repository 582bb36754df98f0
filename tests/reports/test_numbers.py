"""Rounding for people: nothing lost that matters, nothing shown that is not known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bothways.reports import numbers


@pytest.mark.parametrize(
    ("x", "text"),
    [(0.123, "0.12"), (-0.004, "0.00"), (12.34, "12.3"), (1234.5, "1,234"), (7, "7"), (None, "–"), (math.nan, "–"),
     (-1.5, "−1.50"), (math.inf, "–")],
)  # fmt: skip
def test_number(x: float | None, text: str) -> None:
    assert numbers.number(x) == text


@pytest.mark.parametrize(
    ("x", "text"), [(0.41, "41%"), (0.004, "0.4%"), (0.999, "99.9%"), (1.0, "100%"), (0.0, "0%"), (-0.05, "−5%")]
)
def test_percent(x: float, text: str) -> None:
    assert numbers.percent(x) == text


@pytest.mark.parametrize(
    ("days", "waves", "text"),
    [(0.25, None, "6 hours"), (1.0, None, "1 day"), (10.0, None, "10 days"), (21.0, None, "3 weeks"),
     (182.6, None, "6 months"), (365.25, None, "12 months"), (1461.0, None, "4 years"), (None, 1.0, "one wave"),
     (None, 2.0, "2 waves"), (None, None, "–"), (1 / 24, None, "1 hour"),
     (0.3 / 24, None, "18 minutes"), (1e-6, None, "under 1 minute"), (1e9, None, "over 100 years")],
)  # fmt: skip
def test_duration(days: float | None, waves: float | None, text: str) -> None:
    assert numbers.duration(days, waves) == text


def test_interval_keeps_one_number_of_decimals_and_signs() -> None:
    assert numbers.interval(0.12, 0.07, 0.17, "sd_per_sd") == "0.12 (0.07 to 0.17)"
    assert numbers.interval(0.02, 0.004, 0.036, "sd_per_sd") == "0.020 (0.004 to 0.036)"
    assert numbers.interval(0.41, 0.36, 0.46, "share") == "41% (36% to 46%)"
    assert numbers.interval(1.6, None, 1.92, "rate_ratio") == "1.60 (– to 1.92)"


@pytest.mark.parametrize(("p", "text"), [(0.0001, "< 0.001"), (0.0123, "0.012"), (0.5, "0.50"), (None, "–")])
def test_p_value_is_never_zero(p: float | None, text: str) -> None:
    assert numbers.p_value(p) == text


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_any_number_becomes_text_without_words_for_infinity(x: float) -> None:
    for text in (numbers.number(x), numbers.cell(x), numbers.percent(x), numbers.count(x)):
        assert text
        assert "nan" not in text
        assert "inf" not in text


@given(st.floats(0.5, 1e7))
def test_a_rough_count_never_promises_too_few(n: float) -> None:
    assert int(numbers.about(n).replace(",", "")) >= math.floor(n)
