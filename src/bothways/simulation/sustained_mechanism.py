"""Visits in discrete time: what each state or score at one visit owes to the visit before, under interventions or not.

Every variable v at visit k has the linear predictor

    η_kv = intercept_v + Σ_u gain_vu · x_{k-1,u},

a state is present with probability expit(η), a score is η plus a standard normal disturbance of size ``spread``. All
of a visit hangs on the visit before and on nothing within it. Anxiety feeds both conditions. It is fed by each that
acts on the other, but in worlds whose effect runs through one mediator alone: a confounder that the exposure changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from bothways.simulation.catalogue import WorldSpec, find
from bothways.simulation.processes import MEDIATORS
from bothways.simulation.write import A, B
from bothways.terms.errors import WorldError

WARM_UP = 12  # visits before the first one that is seen
CONFOUNDER = "anxiety"
Lives = Float[np.ndarray, "people visits variables"]
Noise = Float[np.ndarray, "people steps variables"]  # a step leads from one visit to the next


@dataclass(frozen=True, slots=True)
class Gains:
    """Sizes of the arrows, on log odds for states and in SDs of disturbance for scores.

    ``memory`` of each variable; ``effect`` of one condition on the other, directly or split over the two legs of a
    mediator; ``feeds`` of anxiety on both conditions; ``fed`` of both on anxiety; ``response`` of mediators.
    """

    memory: float
    effect: float
    feeds: float
    fed: float
    response: float
    carries: float


STATES = Gains(memory=1.4, effect=0.8, feeds=0.45, fed=0.5, response=1.0, carries=1.2)
SCORES = Gains(memory=0.5, effect=0.2, feeds=0.2, fed=0.2, response=0.35, carries=0.35)


@dataclass(frozen=True, slots=True, eq=False)
class VisitMechanism:
    """``names`` of the variables: depression, back pain, anxiety, then mediators. ``gain`` [target, source].

    ``state`` says which are 0/1. ``death`` is the log odds of dying between two visits (None: nobody dies), to which
    back pain adds ``death_gain``.
    """

    names: tuple[str, ...]
    state: Bool[np.ndarray, "variables"]
    intercept: Float[np.ndarray, "variables"]
    gain: Float[np.ndarray, "variables variables"]
    spread: Float[np.ndarray, "variables"]
    gap: float
    visits: int
    death: float | None = None
    death_gain: float = 0.8

    def row(self, name: str) -> int:
        """Place of a variable; WorldError where this world has none of that name."""
        if name not in self.names:
            raise WorldError(f"variable '{name}'", "this world does not hold it", f"Use: {', '.join(self.names)}.")
        return self.names.index(name)

    def mean(self, before: Float[np.ndarray, "people variables"]) -> Float[np.ndarray, "people variables"]:
        """Probability of a state, mean of a score, at the next visit."""
        eta = self.intercept + before @ self.gain.T
        return np.where(self.state, 1 / (1 + np.exp(-np.where(self.state, eta, 0.0))), eta)

    def disturbances(self, people: int, steps: int, rng: np.random.Generator) -> Noise:
        """Uniform for states, standard normal for scores."""
        shape = (people, steps, len(self.names))
        return np.where(self.state, rng.random(shape), rng.standard_normal(shape))

    def begin(self, people: int, rng: np.random.Generator) -> Float[np.ndarray, "people variables"]:
        """People at the first visit that is seen, after a warm-up."""
        now = np.zeros((people, len(self.names)))
        for noise in np.moveaxis(self.disturbances(people, WARM_UP, rng), 1, 0):
            now = self.drawn(self.mean(now), noise)
        return now

    def drawn(
        self, mean: Float[np.ndarray, "people variables"], noise: Float[np.ndarray, "people variables"]
    ) -> Float[np.ndarray, "people variables"]:
        """Values from means and disturbances."""
        return np.where(self.state, (noise < mean).astype(float), mean + self.spread * noise)

    def live(
        self,
        start: Float[np.ndarray, "people variables"],
        noise: Noise,
        held: Mapping[int, float] | None = None,
        given: Mapping[int, Float[np.ndarray, "people visits"]] | None = None,
    ) -> Lives:
        """The visits from ``start`` on; ``held`` variables are set at all of them, ``given`` ones after the first."""
        out = np.empty((len(start), self.visits, len(self.names)))
        out[:, 0] = start
        for k in range(self.visits):
            if k:
                out[:, k] = self.drawn(self.mean(out[:, k - 1]), noise[:, k - 1])
                for v, course in (given or {}).items():
                    out[:, k, v] = course[:, k]
            for v, level in (held or {}).items():
                out[:, k, v] = level
        return out

    def survival(self, lives: Lives) -> Float[np.ndarray, "people visits"]:
        """Probability of being alive at each visit, given the course as it would be lived."""
        out = np.ones(lives.shape[:2])
        if self.death is not None:
            hazard = 1 / (1 + np.exp(-(self.death + self.death_gain * lives[:, :-1, self.row(B)])))
            out[:, 1:] = np.cumprod(1 - hazard, axis=1)
        return out


def visit_mechanism(name: str, *, states: bool, visits: int, gap: float, death: bool = False) -> VisitMechanism:
    """The named world at visits. WorldError for worlds whose point is not to be seen at visits in discrete time."""
    spec = find(name)
    if name != "anxiety-rival" and (not any(spec.effects) or spec.chronic_only or spec.split_pain):
        raise WorldError(f"world '{name}'", "it is not held at regular visits", "Use design='panel' or 'onset'.")
    return _mechanism(spec, STATES if states else SCORES, states, visits, gap, death)


def _mechanism(spec: WorldSpec, size: Gains, states: bool, visits: int, gap: float, death: bool) -> VisitMechanism:
    family = MEDIATORS.get(spec.carried_by or "")
    rivals = tuple(key for key, _ in family.shares) if family else ()
    names = (A, B, CONFOUNDER, *rivals)
    state = np.array([states and key != CONFOUNDER for key in names])
    gain = np.where(state, size.memory, 0.5) * np.eye(len(names))
    gain[:2, 2] = size.feeds
    gain[2, :2] = [size.fed * (family is None and effect > 0) for effect in spec.effects]
    if family is None:
        gain[1, 0], gain[0, 1] = (size.effect * (effect > 0) for effect in spec.effects)
    else:
        source, target = names.index(family.source), names.index(family.target)
        gain[3:, source] = size.response
        gain[target, names.index(str(spec.carried_by))] = size.carries
    # about a third of people in each state, whatever feeds it
    intercept = np.where(state, -0.7 - 0.35 * (gain * state).sum(axis=1), 0.0)
    intercept[2] = -0.35 * gain[2, :2].sum() if states else 0.0
    return VisitMechanism(
        names, state, intercept, gain, np.where(state, 0.0, 1.0), gap, visits, -4.0 if death and states else None
    )
