"""How strong unmeasured confounding would have to be: the E-value (VanderWeele & Ding 2017)."""

from __future__ import annotations

import numpy as np


def risk_ratio(hazard_ratio: float, *, rare: bool) -> float:
    """The risk ratio that a hazard or rate ratio amounts to: itself where the outcome is rare (under 15 %).

    Else RR = (1 - 0.5^sqrt(HR)) / (1 - 0.5^sqrt(1/HR)).
    """
    if rare:
        return hazard_ratio
    return float((1 - 0.5 ** np.sqrt(hazard_ratio)) / (1 - 0.5 ** np.sqrt(1 / hazard_ratio)))


def e_value(ratio: float) -> float:
    """E = RR + sqrt(RR (RR - 1)), of RR or of its inverse where RR < 1."""
    ratio = max(ratio, 1 / ratio)
    return float(ratio + np.sqrt(ratio * (ratio - 1)))


def e_values(value: float, low: float, high: float, *, rare: bool) -> tuple[float, float]:
    """(of the estimate, of the limit nearer to 1); 1 for the limit where the interval holds 1."""
    estimate = e_value(risk_ratio(value, rare=rare))
    if low <= 1 <= high:
        return estimate, 1.0
    return estimate, e_value(risk_ratio(low if value > 1 else high, rare=rare))
