"""Conversions between scales, by published formulas only, and never without saying so.

===========================  =====================================================================================
odds ratio -> risk ratio     RR = OR / (1 - p0 + p0·OR), p0 the risk without exposure (Zhang and Yu 1998,
                             10.1001/jama.280.19.1690)
hazard ratio -> risk ratio   RR ≈ (1 - ½^√HR) / (1 - ½^√(1/HR)), for a common outcome (VanderWeele 2020,
                             10.1111/biom.13197)
odds ratio <-> smd           smd = ln OR · √3/π (Hasselblad and Hedges 1995, 10.1037/0033-2909.117.1.167; Chinn 2000,
                             Stat Med 19:3127)
extreme groups -> per SD     ln HR / d, d the distance between the means of the top and bottom share of a normal
                             exposure, if the log ratio is linear (Chêne and Thompson 1996, Am J Epidemiol 144:610)
===========================  =====================================================================================

Prevalence ratios, incidence ratios, genetic liabilities and within-person coefficients are left as they are: they
differ in kind and not in unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

from scipy.special import ndtri

from bothways.designs.literature.place import Entry, Group
from bothways.terms.answer import Estimate
from bothways.terms.question import Scale

ZHANG_YU = "odds ratio to risk ratio by Zhang and Yu 1998"
VANDERWEELE = "hazard ratio to risk ratio for a common outcome by VanderWeele 2020"


def odds_to_risk(odds_ratio: float, base_risk: float) -> float:
    """The risk ratio of an odds ratio where the risk without exposure is ``base_risk``.

    Raises
    ------
    ValueError : where ``base_risk`` is not between 0 and 1.
    """
    if not 0 < base_risk < 1:
        raise ValueError("a risk lies between 0 and 1")
    return odds_ratio / (1 - base_risk + base_risk * odds_ratio)


def hazard_to_risk(hazard_ratio: float) -> float:
    """The approximate risk ratio of a hazard ratio where the outcome is common (15 % or more by the end)."""
    if hazard_ratio == 1:
        return 1.0
    return (1 - math.pow(0.5, math.sqrt(hazard_ratio))) / (1 - math.pow(0.5, math.sqrt(1 / hazard_ratio)))


def odds_to_smd(odds_ratio: float) -> float:
    """The standardised mean difference of a logistic variable that an odds ratio stands for."""
    return math.log(odds_ratio) * math.sqrt(3) / math.pi


def smd_to_odds(smd: float) -> float:
    """The odds ratio that a standardised mean difference stands for."""
    return math.exp(smd * math.pi / math.sqrt(3))


def between_extremes(share: float) -> float:
    """d = 2·φ(z)/share, z the upper ``share`` quantile: 2.54 standard deviations for quartiles."""
    z = float(ndtri(1 - share))
    return 2 * math.exp(-z * z / 2) / math.sqrt(2 * math.pi) / share


def extremes_to_per_sd(ratio: float, share: float = 0.25) -> float:
    """The ratio for one standard deviation, from that of the highest against the lowest ``share``."""
    return math.pow(ratio, 1 / between_extremes(share))


def on_risk_scale(entry: Entry, base_risk: float) -> Entry:
    """The entry as a risk ratio, flagged; unchanged where no formula fits its kind."""
    formulas: Mapping[Scale, tuple[str, Callable[[float], float]]] = {
        Scale.ODDS_RATIO: (ZHANG_YU, lambda ratio: odds_to_risk(ratio, base_risk)),
        Scale.HAZARD_RATIO: (VANDERWEELE, hazard_to_risk),
    }
    if entry.group is not Group.BETWEEN or entry.estimate is None or entry.scale is None:
        return entry
    if entry.scale not in formulas:
        return entry
    name, formula = formulas[entry.scale]
    return replace(entry, scale=Scale.RISK_RATIO, estimate=_moved(entry.estimate, formula), converted=name)


def _moved(estimate: Estimate, formula: Callable[[float], float]) -> Estimate:
    """The three numbers through ``formula``; se shrinks with the log interval, so that the interval is kept."""
    low, value, high = (formula(x) for x in (estimate.low, estimate.value, estimate.high))
    shrink = math.log(high / low) / math.log(estimate.high / estimate.low) if estimate.high > estimate.low else 1.0
    return replace(estimate, value=value, low=low, high=high, se=estimate.se * shrink, scale=Scale.RISK_RATIO)
