"""Codes for missing are told from answers, and kept as reasons."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bothways.intake.missing import Codes, Measured, apply_codes, find_codes, stack


def column(*parts: tuple[float, int]) -> np.ndarray:
    """Each value so many times."""
    return np.concatenate([np.full(times, value, dtype=np.float64) for value, times in parts])


def scale(low: int, high: int) -> tuple[tuple[float, int], ...]:
    return tuple((float(value), 5) for value in range(low, high + 1))


@pytest.mark.parametrize(
    ("values", "bounds", "missing"),
    [
        (column(*scale(0, 3), (7, 2), (9, 1)), None, (7, 9)),
        (column(*scale(1, 2), (7, 2), (9, 1)), None, (7, 9)),
        (column(*scale(1, 5), (7, 2), (9, 1)), None, (7, 9)),
        (column(*scale(0, 27), (99, 3)), None, (99,)),
        (column(*scale(0, 30), (77, 3), (99, 1)), None, (77, 99)),
        (column(*scale(0, 10), (-9, 3), (-1, 2)), None, (-9, -1)),
        (column(*scale(0, 10), (-1, 2), (-2, 2)), None, (-2, -1)),
        (column(*scale(0, 365), (999, 2)), None, (999,)),
        (column(*scale(0, 3), (9, 1), (99, 1)), None, (9, 99)),
        (column(*scale(0, 10), (99, 1)), (0, 10), (99,)),
        (column(*scale(0, 100)), None, ()),
        (column(*scale(0, 9)), None, ()),
        (column(*scale(0, 10)), (0, 10), ()),
        (column(*scale(-3, 3)), None, ()),
        (column(*scale(1, 7)), None, ()),
        (column(*scale(20, 99)), None, ()),
        (column((0.4, 3), (-1.3, 2), (-1, 1), (2.2, 4)), None, ()),
        (column((0.4, 3), (-1.3, 2), (-99, 1), (2.2, 4)), None, (-99,)),
    ],
)
def test_which_codes_are_missing(
    values: np.ndarray, bounds: tuple[float, float] | None, missing: tuple[float, ...]
) -> None:
    assert find_codes(values, bounds).missing == pytest.approx(tuple(sorted(missing)))


def test_nine_on_a_scale_to_ten_is_an_answer_and_is_said_after_a_gap() -> None:
    assert find_codes(column(*scale(0, 10)), (0, 10)) == Codes()
    assert find_codes(column(*scale(0, 5), (9, 4)), (0, 10)) == Codes((), (9.0,))


def test_the_caller_may_vouch_for_a_value() -> None:
    values = column(*scale(0, 3), (9, 4))
    assert find_codes(values).missing == (9.0,)
    assert find_codes(values, None, (9.0,)) == Codes()


@given(low=st.integers(0, 5), width=st.integers(1, 30), seed=st.integers(0, 100))
def test_a_scale_without_gaps_has_no_codes(low: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    values = np.concatenate([np.arange(low, low + width + 1), rng.integers(low, low + width + 1, 50)]).astype(float)
    assert find_codes(values).missing == ()


def test_reasons_are_counted_and_survive_stacking() -> None:
    one = apply_codes(Measured(np.array([1.0, 99.0, np.nan])), {99.0: "refused"})
    two = Measured(np.array([np.nan, 2.0, 3.0]))
    both = stack([one, two])
    np.testing.assert_array_equal(both.values, [1, np.nan, np.nan, 2, np.nan, 3])
    assert both.counts() == {"no answer": 2, "refused": 1}
    assert both.take(np.array([2, 4])).counts() == {"no answer": 1, "refused": 1}
