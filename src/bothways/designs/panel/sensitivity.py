"""How strong a hidden cause of mediator and outcome would have to be to make an indirect effect none.

A hidden cause that changes over time, moves the mediator m at one wave and the outcome y at the next makes what is
new in y go together with what is left of m beside everything else at its wave. At a correlation ρ of the two the
second leg is overstated by ρ times the ratio of their spreads, and

    b(ρ) = b − ρ / √(1 − ρ²) · σ_y / σ_m,      indirect(ρ) = a b(ρ)

with σ_m the SD within people of m given the other processes at its wave, and σ_y that of what the lags leave of y.
The effect is none at ρ = r, the partial correlation of m and the later y: the ρ of Imai, Keele & Tingley (2010) in
this model. A cause that explains a share R of what is left of both, and nothing else, brings ρ = R.

Usual levels take part of a hidden cause that is slow beside the waves: such a one must bring more than r. At the
moments of simulated worlds of 5 waves 180 days apart, a cause that wears off in 120 days made the whole effect at
1.02 r, one of 360 days at 1.56 r.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq

from bothways.designs.panel.pathways import Mediated
from bothways.designs.panel.room import ENDS
from bothways.engine.moments import implied_moments
from bothways.terms.question import Direction

MOST = 0.999  # a correlation beyond which nothing is searched


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """Correlations at which the indirect effect, and its limit nearer to none, are none; ``limit`` is 0 where the
    interval already holds none."""

    value: float
    limit: float


def sensitivity(found: Mediated, direction: Direction, mediator: str, level: float) -> Sensitivity:
    """Both correlations for one pathway of a usable fit."""
    assert found.legs is not None
    assert found.drawn is not None
    spread = spread_ratio(found, direction, mediator)
    a, b = (float(leg(direction, found.place(mediator))) for leg in (found.legs.first, found.legs.second))
    tilt = b / spread
    value = tilt / np.sqrt(1 + tilt**2)
    first, indirect = _draws(found, direction, mediator)
    low, high = np.quantile(indirect, [0.5 - level / 2, 0.5 + level / 2])
    if low <= 0 <= high:
        return Sensitivity(float(value), 0.0)
    side, tail = (low, 0.5 - level / 2) if low > 0 else (high, 0.5 + level / 2)

    def limit(rho: float) -> float:
        return float(np.quantile(indirect - first * rho / np.sqrt(1 - rho**2) * spread, tail))

    toward = float(np.copysign(MOST, side * a))
    if limit(toward) * side > 0:
        return Sensitivity(float(value), toward)
    return Sensitivity(float(value), float(brentq(limit, *sorted((0.0, toward)), xtol=1e-6)))


def spread_ratio(found: Mediated, direction: Direction, mediator: str) -> float:
    """σ_y / σ_m in units of the SDs within people, the mean over waves."""
    model = found.fitted.fit.model
    implied = implied_moments(model.structure, model.cells(found.fitted.fit.alpha)[0])
    y, m = ENDS[direction][0], found.place(mediator)
    ratios = []
    for before, after in zip(model.lagged[1:-1], model.lagged[2:], strict=True):
        within = implied.omega[np.ix_(before, before)]
        left_m = 1.0 / np.linalg.inv(within)[m, m] / within[m, m]
        left_y = implied.S[after[y], after[y]] / implied.omega[after[y], after[y]]
        ratios.append(np.sqrt(left_y / left_m) if left_y > 0 and left_m > 0 else np.nan)
    return float(np.mean(ratios))


def _draws(found: Mediated, direction: Direction, mediator: str) -> tuple[np.ndarray, np.ndarray]:
    """Draws of the first leg (as it stands in the product) and of the indirect effect."""
    assert found.drawn is not None
    m, x = found.place(mediator), ENDS[direction][1]
    return found.drawn.out[..., :-1, m, x].mean(axis=-1), found.drawn.indirect(direction, [m])
