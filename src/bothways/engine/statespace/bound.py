"""A soft upper bound on how fast a drift may be, for series in which nothing carries over from one answer to the next.

Where answers are as unlike their neighbours as chance makes them, the likelihood rises for ever as some root of A goes
to −∞ and the diffusion with it: there is no maximum to be found. The model at the end of that road is reached, to any
precision that the answers have, at a finite rate. So the sum of the rates s = −tr A is bounded,

    penalty = −½ {K (s/B − 1)₊}²,     B = p ln(10 √n) / τ,

at which p equal roots leave 1/(10 √n) of a deviation after a gap τ: a tenth of the sampling error of an
autocorrelation from n answers. Below B the penalty is nothing, so that a maximum that exists stays where it is. A bound
on the trace is smooth where roots meet or turn complex, and bounds every root of a stable drift.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from bothways.engine.statespace.series import Series
from bothways.engine.statespace.structure import Structure

STIFFNESS = 50.0  # K: a sum of rates one fiftieth beyond the bound costs half a unit of log-likelihood
SHARE = 0.1  # of the sampling error of an autocorrelation: what may still carry over at the bound
QUANTILES = (0.5, 0.1, 0.0)  # of the gaps: the bound is raised to shorter ones while it costs anything
PULL = 3.0  # of log-likelihood for each doubling of the rates: below it, a bound costs nothing worth having


def bounded(structure: Structure, series: Series, quantile: float) -> Structure:
    """``structure`` with B set for the ``quantile`` of the gaps between answers."""
    answered = np.isfinite(series.values).any(axis=1)
    gaps = np.diff(series.time[answered])[np.diff(series.person[answered]) == 0]
    gap = float(np.quantile(gaps[gaps > 0], quantile)) if (gaps > 0).any() else 1.0
    reach = float(np.log(np.sqrt(max(answered.sum(), 2)) / SHARE))
    return replace(structure, fastest=len(structure.drift) * reach / gap)


def penalty(structure: Structure, theta: Float[np.ndarray, " q"]) -> tuple[float, Float[np.ndarray, " q"]]:
    """The penalty and its gradient in θ."""
    slope = np.zeros(theta.size)
    if not np.isfinite(structure.fastest):
        return 0.0, slope
    beyond = excess(structure, theta)
    if beyond <= 0:
        return 0.0, slope
    for block in structure.blocks:
        if block.matrix == "drift":
            values = theta[block.first : block.first + len(block.names)]
            rate = np.where(block.log, np.exp(np.where(block.log, values, 0.0)), -1.0)  # ∂s/∂θ
            own = block.cells[0] == block.cells[1]
            slope[block.first : block.first + len(block.names)] = np.where(own, rate, 0.0)
    return -0.5 * (STIFFNESS * beyond) ** 2, -(STIFFNESS**2) * beyond / structure.fastest * slope


def excess(structure: Structure, theta: Float[np.ndarray, " q"]) -> float:
    """s/B − 1: by how much the sum of the rates lies beyond the bound; −1 and more where it does not."""
    with np.errstate(over="ignore"):
        rates = -np.diag(structure.patterns(theta)["drift"])
    return float(rates.sum() / structure.fastest - 1.0)


def pull(structure: Structure, theta: Float[np.ndarray, " q"]) -> float:
    """∂ℓ/∂ log₂ s that the bound holds back at an optimum: how much the likelihood would still have to gain."""
    beyond = max(excess(structure, theta), 0.0)
    return float(STIFFNESS**2 * beyond * (1.0 + beyond) * np.log(2.0))
