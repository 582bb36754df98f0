"""The moving parts of a world: matrices of one small step, disturbances, what is read out of the states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from bothways.simulation.catalogue import WorldSpec
from bothways.simulation.processes import Mediators

Pace = Literal["panel", "diary"]
Matrix = Float[np.ndarray, "n n"]

STEP = {"panel": 1.0, "diary": 1.0 / 96.0}  # a day; a quarter of an hour
SHOCK_SHARE = 0.3  # of the disturbance's variance, where shocks are modelled: strains on the back, life events
SHOCKS_PER_RELAXATION = 2.0  # how many shocks arrive while one wears off: rare enough to be seen as events
SHOCKED = ("depression", "back_pain", "strain")
CHRONIC_SD = 0.84  # pain above this many SD of its level counts as a day in pain: one day in five
CHRONIC_DAYS = 90.0  # over three months
SEVERE_DAYS = 14.0  # depression above the same number of SDs for two weeks counts as clinical


@dataclass(frozen=True, slots=True)
class Mechanism:
    """A world in motion.

    ``latent`` (variables, n) reads each variable's deviation from the person's usual level out of the n states;
    ``reported`` adds what colours the report. Both are scaled so that every latent variable has a within-person
    standard deviation of one. ``drift`` (2, n, n) holds the rates per day while pain is not chronic and while it
    is; ``move`` and ``push`` the same two as one step of Heun's method; ``disturbance`` (n,) is the variance of
    one step's disturbance; ``stationary`` is the states' covariance while pain is not chronic. ``switches`` tells
    whether the two regimes differ.
    """

    states: tuple[str, ...]
    variables: tuple[str, ...]
    latent: Float[np.ndarray, "variables n"]
    reported: Float[np.ndarray, "variables n"]
    drift: Float[np.ndarray, "2 n n"]
    move: Float[np.ndarray, "2 n n"]
    push: Float[np.ndarray, "2 n n"]
    disturbance: Float[np.ndarray, "n"]
    chance: Float[np.ndarray, "n"]
    stationary: Matrix
    step: float
    gap: float
    pace: Pace
    trait_sd: float
    trait_correlation: float
    watched: str = "back_pain"  # whose days above the line open the second regime, and end it when they are used up
    spell: float = CHRONIC_DAYS

    @property
    def flag(self) -> str:
        """The name of the second regime, as it is seen."""
        return "chronic_pain" if self.watched == "back_pain" else "clinical_depression"

    @property
    def switches(self) -> bool:
        """True where an arrow is open in the second regime alone, which makes the mechanism non-linear."""
        return not np.array_equal(self.move[0], self.move[1])

    @property
    def gaussian(self) -> Float[np.ndarray, "n"]:
        """SD of the steady part of one step's disturbance."""
        return np.asarray(np.sqrt(self.disturbance * np.where(self.chance > 0, 1 - SHOCK_SHARE, 1.0)))

    @property
    def mark(self) -> Float[np.ndarray, "n"]:
        """Mean size of a shock: variance per step is chance·2·mark² − (chance·mark)²."""
        spread = 2 * self.chance - self.chance**2
        return np.asarray(
            np.sqrt(np.divide(SHOCK_SHARE * self.disturbance, spread, out=np.zeros_like(spread), where=spread > 0))
        )

    def row(self, variable: str) -> int:
        """Where ``variable`` stands among the variables."""
        return self.variables.index(variable)

    def raised(self, variable: str) -> Float[np.ndarray, "n"]:
        """The change of states that raises ``variable`` by one within-person SD.

        A state of its own is raised alone. Pain made of strain and chronic pain is raised as it naturally
        differs: each part in proportion to its covariance with the whole.
        """
        row = self.latent[self.row(variable)]
        parts = np.flatnonzero(row)
        if parts.size == 1:
            change = np.zeros(len(self.states))
            change[parts[0]] = 1 / row[parts[0]]
            return change
        mixture = np.where(row != 0, self.stationary @ row, 0.0)
        return np.asarray(mixture / (row @ mixture))


@dataclass(frozen=True, slots=True)
class Plan:
    """How a world is to be set in motion: which of its forms, at which pace, with which gap and step (days)."""

    spec: WorldSpec
    pace: Pace
    mediators: Mediators
    gap: float
    step: float
    icc: float
    trait_correlation: float
