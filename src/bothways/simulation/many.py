"""Thousands of worlds of one kind, for calibration: exact steps from wave to wave, composed of the small ones."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from bothways.simulation.build import build
from bothways.simulation.catalogue import OnsetRates, WorldSpec, find, with_effect
from bothways.simulation.mechanism import Mechanism
from bothways.simulation.observe import Observation, gaps, on_scale, with_error
from bothways.simulation.paths import levels_of, root
from bothways.simulation.processes import Mediators
from bothways.simulation.world import DesignName, World, plan_of, simulate
from bothways.terms.errors import WorldError


def simulate_many(
    name: str | WorldSpec,
    *,
    worlds: int = 2000,
    people: int = 1000,
    waves: int = 5,
    seed: int | np.random.Generator = 1,
    effect: float | tuple[float, float] | None = None,
    observation: Observation | None = None,
    mediators: Mediators | None = None,
    icc: float = 0.5,
    trait_correlation: float = 0.4,
    variables: int = 2,
) -> Iterator[Float[np.ndarray, "people waves variables"]]:
    """Panels of many worlds, one array (people, waves, variables) at a time; NaN is a missing answer.

    The small step x' = M x + P z, composed n times, is x(t+gap) = M^n x(t) + w with Cov(w) = Σ M^k P q P' M'^k:
    the means and covariances of ``simulate``, drawn wave by wave. Disturbances are Gaussian: where the world has
    shocks ("modelled" mediators) higher moments differ. The first ``variables`` are depression and back pain, then
    what else is asked about. Raises WorldError for a world whose arrows switch with chronicity and for visits at
    times of people's own: use ``simulate_each``.
    """
    how = observation or Observation()
    spec = with_effect(find(name) if isinstance(name, str) else name, effect)
    mechanism = build(plan_of(spec, "panel", how, mediators, icc, trait_correlation))
    if mechanism.switches or how.jitter:
        raise WorldError(f"world '{spec.name}'", "it has no one step from wave to wave", "Use simulate_each.")
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    onward, spread = wave_step(mechanism)
    roots = root(mechanism.stationary), root(spread)
    for child in rng.spawn(worlds):
        yield _one(mechanism, onward, roots, (people, waves), how, child)[..., :variables]


def simulate_each(
    name: str | WorldSpec,
    *,
    worlds: int = 2000,
    people: int = 1000,
    waves: int | None = None,
    seed: int | np.random.Generator = 1,
    design: DesignName = "panel",
    effect: float | tuple[float, float] | None = None,
    observation: Observation | None = None,
    mediators: Mediators | None = None,
    icc: float = 0.5,
    trait_correlation: float = 0.4,
    rates: OnsetRates | None = None,
) -> Iterator[World]:
    """Many whole worlds of any kind and design, small step by small step; see ``simulate``."""
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    for child in rng.spawn(worlds):
        yield simulate(
            name,
            people=people,
            waves=waves,
            seed=child,
            design=design,
            effect=effect,
            observation=observation,
            mediators=mediators,
            icc=icc,
            trait_correlation=trait_correlation,
            rates=rates,
        )


def wave_step(mechanism: Mechanism) -> tuple[Float[np.ndarray, "n n"], Float[np.ndarray, "n n"]]:
    """The small step composed over one gap: matrix and covariance of the disturbance."""
    move, push = mechanism.move[0], mechanism.push[0]
    onward, spread = np.eye(len(move)), np.zeros_like(move)
    small = (push * mechanism.disturbance) @ push.T
    for _ in range(round(mechanism.gap / mechanism.step)):
        spread = move @ spread @ move.T + small
        onward = move @ onward
    return onward, spread


def _one(
    mechanism: Mechanism,
    onward: Float[np.ndarray, "n n"],
    roots: tuple[Float[np.ndarray, "n n"], Float[np.ndarray, "n n"]],
    shape: tuple[int, int],
    how: Observation,
    rng: np.random.Generator,
) -> Float[np.ndarray, "people waves variables"]:
    people, waves = shape
    n = len(onward)
    states = np.empty((waves, people, n))
    fresh = rng.standard_normal((waves, people, n))
    states[0] = fresh[0] @ roots[0].T
    for t in range(1, waves):
        states[t] = states[t - 1] @ onward.T + fresh[t] @ roots[1].T
    levels = levels_of(mechanism, people, rng)
    values = np.ascontiguousarray((states @ mechanism.reported.T + levels).transpose(1, 0, 2))
    values = with_error(values, how, rng)
    values = on_scale(values, mechanism.variables, float(np.sqrt(1 + mechanism.trait_sd**2)), how)
    lost = gaps(values, how, rng)
    values[lost.skipped | lost.left[..., None]] = np.nan
    return values
