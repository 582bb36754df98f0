"""Dynamics and levels that differ by what is known of a person beforehand.

    θ_i = θ + Δ z_i on the components that are moved,   ℓ = Σ_i ℓ_i(θ_i)
    ∂ℓ/∂θ = Σ_i s_i,    ∂ℓ/∂Δ = Σ_i s_i z_i',    s_i = ∂ℓ_i/∂θ_i

Persons of one z share one system and its table of gaps. Nobody differs within a z; where they do, the estimates are of
what they share, and the sandwich over persons allows for the rest.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from bothways.engine.statespace.fit import Outcome, StateSpaceFit
from bothways.engine.statespace.inference import person_meat
from bothways.engine.statespace.likelihood import log_likelihood_gradient
from bothways.engine.statespace.optimise import climb
from bothways.engine.statespace.series import Series
from bothways.engine.statespace.structure import Structure
from bothways.engine.statespace.system import System

TOLERANCE = 1e-8  # of g'H⁻¹g


@dataclass(frozen=True, slots=True, eq=False)
class Moderated:
    """A structure whose free components ``moved`` shift with z; ``series`` hold the persons of each row of ``z``.

    Free parameters stand in the order θ, Δ (moved, c).
    """

    structure: Structure
    series: tuple[Series, ...]
    z: Float[np.ndarray, "groups c"]
    moved: Int[np.ndarray, " moved"]

    @property
    def people(self) -> int:
        """All persons."""
        return sum(series.people for series in self.series)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of θ, then ``name*1`` for the shift by the first column of z."""
        own = self.structure.names
        return (*own, *(f"{own[k]}*{c + 1}" for k in self.moved for c in range(self.z.shape[1])))

    def theta(self, free: Float[np.ndarray, " k"], group: int) -> Float[np.ndarray, " q"]:
        """θ_i of the persons of one group."""
        n = self.structure.size
        out = free[:n].copy()
        out[self.moved] += free[n:].reshape(self.moved.size, -1) @ self.z[group]
        return out

    def system(self, free: Float[np.ndarray, " k"], group: int) -> System:
        """The model of one group."""
        return self.structure.system(self.theta(free, group))

    def scores(
        self, free: Float[np.ndarray, " k"], *, by_person: bool
    ) -> tuple[float, Float[np.ndarray, "rows k"]] | None:
        """ℓ, and its gradient by person or by group; None where it is not defined."""
        total, rows = 0.0, []
        for g, series in enumerate(self.series):
            theta = self.theta(free, g)
            with np.errstate(over="ignore"):
                found = log_likelihood_gradient(
                    self.structure.system(theta), series, by_person=by_person,
                    moving_loading=self.structure.moving_loading, moving_noise=self.structure.moving_noise,
                )  # fmt: skip
            if found is None:
                return None
            total += float(found[0].sum())
            own = self.structure.gradient(theta, found[1])
            shift = own[:, self.moved, None] * self.z[g]
            rows.append(np.column_stack([own, shift.reshape(len(own), -1)]))
        return total, np.concatenate(rows)


@dataclass(frozen=True, slots=True, eq=False)
class ModeratedFit:
    """A fitted moderation; ``covariance`` is the sandwich over persons (NaN where the fit did not come about)."""

    moderated: Moderated
    free: Float[np.ndarray, " k"]
    loglik: float
    covariance: Float[np.ndarray, "k k"]
    outcome: Outcome

    @property
    def converged(self) -> bool:
        """Gradient, curvature and definiteness all held."""
        return self.outcome is Outcome.CONVERGED

    def system(self, group: int) -> System:
        """The fitted model of one group."""
        return self.moderated.system(self.free, group)


def fit_moderated(
    fit: StateSpaceFit,
    members: tuple[Int[np.ndarray, " some"], ...],
    z: Float[np.ndarray, "groups c"],
    moved: tuple[str, ...],
) -> ModeratedFit:
    """Climb from a fit common to all; ``members`` number the persons of each row of ``z``, ``moved`` names components.

    Raises ValueError where a name is none of the fit's free components.
    """
    places = np.array([fit.structure.names.index(name) for name in moved], dtype=np.int64)
    moderated = Moderated(fit.structure, tuple(fit.series.choose(some) for some in members), z, places)

    def objective(free: np.ndarray) -> tuple[float, np.ndarray] | None:
        found = moderated.scores(free, by_person=False)
        return None if found is None else (found[0], found[1].sum(axis=0))

    start = np.concatenate([fit.theta, np.zeros(places.size * z.shape[1])])
    top = climb(objective, start, tolerance=TOLERANCE, central=False)
    scored = None if top is None else moderated.scores(top.point, by_person=True)
    if top is None or scored is None:
        nothing = np.full((start.size, start.size), np.nan)
        return ModeratedFit(moderated, start, float("-inf"), nothing, Outcome.NOT_CONVERGED)
    outcome = Outcome.CONVERGED if top.converged else Outcome.NOT_CONVERGED if top.positive else Outcome.NOT_POSITIVE
    V = np.full(top.hessian.shape, np.nan)
    if top.positive:
        bread, drawn = np.linalg.inv(top.hessian), fit.series.drawn
        V = bread @ person_meat(scored[1], None if drawn is None else drawn.among(np.concatenate(members))) @ bread
    return ModeratedFit(moderated, top.point, top.loglik, V, outcome)
