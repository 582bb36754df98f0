"""The E-value reads odds and hazard ratios as for a common outcome (VanderWeele & Ding 2017)."""

from __future__ import annotations

import pytest

from bothways.terms.question import Scale
from bothways.verdicts.change import as_risk_ratio, e_value


@pytest.mark.parametrize(
    ("ratio", "scale", "expected"),
    [
        (3.97, Scale.HAZARD_RATIO, 4.53),  # Carroll 2004, worked by hand
        (1.81, Scale.HAZARD_RATIO, 2.38),
        (4.00, Scale.ODDS_RATIO, 2 + 2**0.5),
        (2.00, Scale.RISK_RATIO, 2 + 2**0.5),
    ],
)
def test_by_hand(ratio: float, scale: Scale, expected: float) -> None:
    assert e_value(as_risk_ratio(ratio, scale)) == pytest.approx(expected, abs=0.005)
