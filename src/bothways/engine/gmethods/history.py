"""Variables of people on a common grid of waves, and the rows of a regression of one wave on what came before it.

Within a wave the order is: the outcome first, then the time-varying confounders and the mediators, the exposure last.
So nothing acts on the outcome within the wave in which it is seen: an exposure of wave k is followed from wave k+1 on,
and what the conditions share within one wave counts as confounding and not as effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

INTERCEPT_AND_TIME = 3  # 1, t, t²
Product = tuple[int, int]  # two variables whose product at the wave before stands in a row of its own


@dataclass(frozen=True, slots=True, eq=False)
class Histories:
    """What was seen of people over ``waves`` common occasions; NaN means not seen.

    ``fixed`` (people, covariates) does not change and is complete. ``binary`` says which variables are 0/1. ``died``
    (people,) is the first wave at which a person is dead, ``waves`` for everyone else. ``weight`` (people,) is a
    sampling weight. ``lags`` is how many waves back a regression looks, 1 or 2. ``products`` are pairs of variables
    that may act on another variable more (or less) together than each alone, at the wave after.
    """

    values: Float[np.ndarray, "people waves variables"]
    fixed: Float[np.ndarray, "people covariates"]
    binary: Bool[np.ndarray, "variables"]
    died: Int[np.ndarray, "people"]
    weight: Float[np.ndarray, "people"]
    lags: int = 1
    products: tuple[Product, ...] = ()

    @property
    def people(self) -> int:
        """How many people there are."""
        return len(self.values)

    @property
    def waves(self) -> int:
        """How many waves, the first included."""
        return int(self.values.shape[1])

    @property
    def variables(self) -> int:
        """How many variables change over time."""
        return int(self.values.shape[2])

    @property
    def width(self) -> int:
        """Columns of a full row: 1, t, t², fixed, the wave's own values, those of each earlier wave, products."""
        return self._alone + len(self.products)

    @property
    def _alone(self) -> int:
        """Columns before the products."""
        return INTERCEPT_AND_TIME + int(self.fixed.shape[1]) + (1 + self.lags) * self.variables

    @property
    def seen(self) -> Bool[np.ndarray, "people waves"]:
        """Everything known at the wave."""
        return np.asarray(np.isfinite(self.values).all(axis=2))

    @property
    def start(self) -> Bool[np.ndarray, "people"]:
        """Everything known at the first wave, so that a life can be simulated from it."""
        return np.asarray(self.seen[:, 0])

    @property
    def unbroken(self) -> Int[np.ndarray, "people"]:
        """How many waves from the first on are complete."""
        return np.asarray(np.cumprod(self.seen, axis=1).sum(axis=1))

    def alive(self, wave: int) -> Bool[np.ndarray, "people"]:
        """Who is alive at a wave."""
        return np.asarray(self.died > wave)

    def now(self, variables: Sequence[int]) -> tuple[int, ...]:
        """Columns of these variables at the wave itself."""
        return tuple(INTERCEPT_AND_TIME + self.fixed.shape[1] + v for v in variables)

    def past(self) -> tuple[int, ...]:
        """Columns of intercept, time, fixed covariates and every earlier wave that is looked at; no products."""
        first = INTERCEPT_AND_TIME + self.fixed.shape[1]
        time = tuple(range(min(self.waves - 1, INTERCEPT_AND_TIME)))  # one wave carries no slope, two no curve
        return (*time, *range(INTERCEPT_AND_TIME, first), *range(first + self.variables, self._alone))

    def together(self) -> tuple[int, ...]:
        """Columns of the products."""
        return tuple(range(self._alone, self.width))

    def row(self, wave: int) -> Float[np.ndarray, "people width"]:
        """Full rows of everyone at ``wave`` >= 1; t = (wave - 1) / (waves - 2). NaN where something is not known.

        Where two waves back lies before the first wave, the first stands in for it.
        """
        t = (wave - 1) / max(self.waves - 2, 1)
        time = np.broadcast_to([1.0, t, t * t], (self.people, INTERCEPT_AND_TIME))
        earlier = [self.values[:, max(wave - lag, 0)] for lag in range(1, self.lags + 1)]
        products = [earlier[0][:, a] * earlier[0][:, b] for a, b in self.products]
        return np.column_stack([time, self.fixed, self.values[:, wave], *earlier, *products])
