"""Dynamics that differ between persons, by Laplace's approximation, with its exact gradient and a check by weights.

    θ_i = θ + Δ z_i + L u_i on the random components,   u_i ~ N(0, I),   L = diag(e^τ)
    log L_i ≈ ℓ_i(û) − ½ û'û − ½ log|H_i|,   û the mode of g(u) = ℓ_i(u) − ½ u'u,   H_i = −∂²g/∂u∂u'

With G = ∂g/∂Θ, H⁻¹ = Σ_k r_k r_k' and w = ½ Σ_k D²_{r_k} ∂g/∂u, the gradient of log L_i is

    G + ½ Σ_k D²_{r_k} G + D_{H⁻¹w} G        (the last two by differences of G along 2q + 2 directions)

because ∂_Θ H = −∂² G/∂u² and dû/dΘ = H⁻¹ ∂²g/∂u∂Θ. No third derivative is ever written down.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.engine.statespace.likelihood import log_likelihood, log_likelihood_gradient
from bothways.engine.statespace.series import Series
from bothways.engine.statespace.structure import Structure
from bothways.engine.statespace.system import Adjoint, Dynamics

EPSILON = 1e-3  # of second differences, in units of the posterior SD
MODE_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Mixture:
    """A structure whose free components ``random`` differ between persons; ``moderators`` (people, z) shift them.

    Outer parameters Θ stand in the order θ, τ = log SD, Δ (random, z).
    """

    structure: Structure
    series: Series
    random: Int[np.ndarray, " q"]
    moderators: Float[np.ndarray, "people z"]
    stacks: dict[int, Series] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of Θ."""
        own = self.structure.names
        moved = [own[k] for k in self.random]
        by = [f"{name}*{c + 1}" for name in moved for c in range(self.moderators.shape[1])]
        return (*own, *(f"log sd {name}" for name in moved), *by)

    def split(self, outer: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """θ, τ, Δ."""
        n, q = self.structure.size, self.random.size
        return outer[:n], outer[n : n + q], outer[n + q :].reshape(q, -1)

    def stack(self, copies: int) -> Series:
        """The series ``copies`` times over, so that many points are evaluated in one pass."""
        if copies not in self.stacks:
            self.stacks[copies] = self.series.choose(np.tile(np.arange(self.series.people), copies))
        return self.stacks[copies]


@dataclass(frozen=True, slots=True, eq=False)
class Modes:
    """û (people, q), H and the values g(û); ``slope`` is ∂ℓ/∂θ_i there."""

    u: Float[np.ndarray, "people q"]
    curvature: Float[np.ndarray, "people q q"]
    value: Float[np.ndarray, " people"]
    slope: Float[np.ndarray, "people n"]


def persons_theta(mixture: Mixture, outer: np.ndarray, u: Float[np.ndarray, "m people q"]) -> np.ndarray:
    """θ_i for every point: (m, people, n)."""
    theta, tau, shift = mixture.split(outer)
    out = np.broadcast_to(theta, (*u.shape[:2], theta.size)).copy()
    out[:, :, mixture.random] += np.exp(tau) * u + mixture.moderators @ shift.T
    return out


def dynamics_of(structure: Structure, thetas: Float[np.ndarray, "n q"]) -> tuple[Dynamics, np.ndarray]:
    """Drift and diffusion of every row of free vectors, and the Cholesky roots."""
    filled = {}
    for matrix in ("drift", "diffusion_root"):
        filled[matrix] = np.tile(np.nan_to_num(getattr(structure, matrix)), (len(thetas), 1, 1))
    for block in structure.blocks:
        if block.matrix in filled:
            values = thetas[:, block.first : block.first + len(block.names)]
            with np.errstate(over="ignore"):
                natural = np.where(block.log, block.sign * np.exp(np.where(block.log, values, 0.0)), values)
            rows, columns = block.cells
            filled[block.matrix][:, rows, columns] = natural
    root = filled["diffusion_root"]
    return Dynamics(filled["drift"], root @ root.transpose(0, 2, 1)), root


def _gradient_by_person(
    structure: Structure, theta: np.ndarray, adjoint: Adjoint, dynamics: Dynamics, root: np.ndarray
) -> np.ndarray:
    """The chain rule of `Structure.gradient` where drift and diffusion are each person's own."""
    out = structure.gradient(theta, adjoint)
    for block in structure.blocks:
        if block.matrix not in ("drift", "diffusion_root"):
            continue
        own = dynamics.drift if block.matrix == "drift" else root
        bar = adjoint.drift if block.matrix == "drift" else 2.0 * adjoint.diffusion @ root
        rows, columns = block.cells
        slope = np.where(block.log, own[:, rows, columns], 1.0)
        out[:, block.first : block.first + len(block.names)] = bar[:, rows, columns] * slope
    return out


def evaluate(
    mixture: Mixture, outer: np.ndarray, u: Float[np.ndarray, "m people q"], *, gradient: bool = True
) -> tuple[np.ndarray, np.ndarray] | None:
    """g(u) (m, people) and ∂ℓ/∂θ_i (m, people, n); −∞ where a person's drift is not stable."""
    m, people = u.shape[:2]
    theta = mixture.split(outer)[0]
    with np.errstate(over="ignore"):
        system = mixture.structure.system(theta)
        flat = persons_theta(mixture, outer, u).reshape(m * people, -1)
    dynamics, root = dynamics_of(mixture.structure, flat)
    wild = ~_stable(dynamics)
    if wild.all():
        return None
    for matrices in (dynamics.drift, dynamics.diffusion, root):
        matrices[wild] = matrices[np.argmin(wild)]
    series = mixture.stack(m)
    penalty = 0.5 * np.einsum("mpq,mpq->mp", u, u)
    if not gradient:
        loglik = log_likelihood(system, series, dynamics)
        slope = np.zeros((m, people, 0))
    else:
        found = log_likelihood_gradient(
            system, series, dynamics, by_person=True, moving_loading=mixture.structure.moving_loading
        )
        loglik = None if found is None else found[0]
        if found is not None:
            flat_slope = _gradient_by_person(mixture.structure, theta, found[1], dynamics, root)
            slope = flat_slope.reshape(m, people, -1)
    if loglik is None:
        return None
    value = np.where(wild, -np.inf, loglik).reshape(m, people) - penalty
    return value, slope


def _stable(dynamics: Dynamics) -> Bool[np.ndarray, " n"]:
    finite = np.isfinite(dynamics.drift).all(axis=(1, 2)) & np.isfinite(dynamics.diffusion).all(axis=(1, 2))
    drift = np.where(finite[:, None, None], dynamics.drift, 0.0)
    return np.asarray(finite & (np.linalg.eigvals(drift).real.max(axis=1) < -1e-8))


def _mode_slope(mixture: Mixture, outer: np.ndarray, u: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """∂g/∂u = L' s − u."""
    return np.asarray(slope[..., mixture.random] * np.exp(mixture.split(outer)[1]) - u)


def find_modes(mixture: Mixture, outer: np.ndarray, start: Modes | None = None) -> Modes | None:
    """Damped Newton for all persons at once, each with a step length of their own; H refreshed while it moves."""
    people, q = mixture.series.people, mixture.random.size
    u = np.zeros((people, q)) if start is None else start.u
    found = evaluate(mixture, outer, u[None])
    if found is None:
        return None
    value, slope = found[0][0], found[1][0]
    H = np.tile(np.eye(q), (people, 1, 1)) if start is None else start.curvature
    fresh, length = start is not None, np.ones(people)
    for iteration in range(40):
        if not fresh or iteration % 4 == 3:
            refreshed = _curvature(mixture, outer, u)
            if refreshed is None:
                return None
            H = refreshed
        fresh = True
        toward = _mode_slope(mixture, outer, u, slope)
        step = np.linalg.solve(H, toward[:, :, None])[:, :, 0]
        gain = np.einsum("pq,pq->p", toward, step)
        if np.max(gain) < MODE_TOLERANCE:
            break
        trial = u + length[:, None] * step
        tried = evaluate(mixture, outer, trial[None])
        if tried is None:
            return None
        better = (tried[0][0] >= value - 1e-10 * (1 + np.abs(value))) | (gain < MODE_TOLERANCE)
        u = np.where(better[:, None], trial, u)
        slope = np.where(better[:, None], tried[1][0], slope)
        value = np.where(better, tried[0][0], value)
        length = np.where(better, 1.0, 0.4 * length)
    H_final = _curvature(mixture, outer, u)
    return None if H_final is None else Modes(u, H_final, value, slope)


def _curvature(mixture: Mixture, outer: np.ndarray, u: np.ndarray) -> Float[np.ndarray, "people q q"] | None:
    """−∂²g/∂u∂u' by central differences, its eigenvalues kept at or above a tenth (the prior gives one)."""
    q = u.shape[1]
    e = EPSILON * np.eye(q)
    points = np.concatenate([u[None] + e[:, None, :], u[None] - e[:, None, :]])
    found = evaluate(mixture, outer, points)
    if found is None:
        return None
    toward = _mode_slope(mixture, outer, points, found[1])
    H = (toward[q:] - toward[:q]).transpose(1, 0, 2) / (2 * EPSILON)
    values, vectors = np.linalg.eigh(0.5 * (H + H.transpose(0, 2, 1)))
    lifted = np.maximum(values, 0.1)
    return np.asarray((vectors * lifted[:, None, :]) @ vectors.transpose(0, 2, 1))


def laplace(
    mixture: Mixture, outer: np.ndarray, start: Modes | None = None
) -> tuple[np.ndarray, np.ndarray, Modes] | None:
    """log L_i (people,), its gradient (people, Θ), and the modes; None where not defined."""
    modes = find_modes(mixture, outer, start)
    if modes is None:
        return None
    q = mixture.random.size
    root = np.linalg.inv(np.linalg.cholesky(modes.curvature)).transpose(0, 2, 1)  # H⁻¹ = root root'
    value = modes.value + np.log(np.abs(np.einsum("pii->pi", root))).sum(axis=1)
    along = EPSILON * root.transpose(2, 0, 1)
    sides = evaluate(mixture, outer, np.concatenate([modes.u[None] + along, modes.u[None] - along]))
    if sides is None:
        return None
    points = np.concatenate([modes.u[None] + along, modes.u[None] - along])
    G = _outer_slope(mixture, outer, points, sides[1])
    here = _outer_slope(mixture, outer, modes.u[None], modes.slope[None])[0]
    bend = 0.5 * (G[:q] + G[q:] - 2 * here).sum(axis=0) / EPSILON**2
    toward = _mode_slope(mixture, outer, points, sides[1])
    middle = _mode_slope(mixture, outer, modes.u, modes.slope)
    w = 0.5 * (toward[:q] + toward[q:] - 2 * middle).sum(axis=0) / EPSILON**2
    drag = np.linalg.solve(modes.curvature, w[:, :, None])[:, :, 0]
    size = np.maximum(np.sqrt(np.einsum("pq,pqr,pr->p", drag, modes.curvature, drag)), 1e-12)[:, None]
    unit = EPSILON * drag / size
    pair = np.stack([modes.u + unit, modes.u - unit])
    ends = evaluate(mixture, outer, pair)
    if ends is None:
        return None
    moved = _outer_slope(mixture, outer, pair, ends[1])
    return value, here + bend + (moved[0] - moved[1]) * size / (2 * EPSILON), modes


def _outer_slope(mixture: Mixture, outer: np.ndarray, u: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """∂g/∂Θ: s for θ, s_a e^{τ_a} u_a for τ, s_a z_c for Δ."""
    tau = mixture.split(outer)[1]
    own = slope[..., mixture.random]
    z = mixture.moderators
    shift = (own[..., :, None] * z[:, None, :]).reshape(*slope.shape[:2], -1)
    return np.concatenate([slope, own * np.exp(tau) * u, shift], axis=2)


@dataclass(frozen=True, slots=True)
class WeightCheck:
    """Laplace beside importance sampling: the difference in total ℓ, the least effective draws, the worst Pareto k."""

    difference: float
    effective: float
    pareto_k: float
    draws: int


def importance_check(
    mixture: Mixture, outer: np.ndarray, modes: Modes, rng: np.random.Generator, draws: int = 400
) -> WeightCheck | None:
    """u = û + H^{−½} ξ;   log L_i = log mean exp{g(u) + ½ ξ'ξ} − ½ log|H|."""
    people, q = modes.u.shape
    root = np.linalg.inv(np.linalg.cholesky(modes.curvature)).transpose(0, 2, 1)
    halves = np.log(np.abs(np.einsum("pii->pi", root))).sum(axis=1)
    pieces = []
    for _ in range(max(draws // 20, 1)):
        xi = rng.standard_normal((20, people, q))
        found = evaluate(mixture, outer, modes.u + np.einsum("pij,mpj->mpi", root, xi), gradient=False)
        if found is None:
            return None
        pieces.append(found[0] + 0.5 * np.einsum("mpq,mpq->mp", xi, xi))
    logs = np.concatenate(pieces)
    top = logs.max(axis=0)
    weights = np.exp(logs - top)
    sampled = np.log(weights.mean(axis=0)) + top + halves
    effective = weights.sum(axis=0) ** 2 / (weights**2).sum(axis=0)
    k = max(_pareto_k(weights[:, i]) for i in range(people))
    return WeightCheck(float(np.sum(sampled - modes.value - halves)), float(effective.min()), k, len(logs))


def _pareto_k(weights: Float[np.ndarray, " draws"]) -> float:
    """Shape of a generalised Pareto tail of the largest fifth, by probability-weighted moments (Hosking & Wallis)."""
    tail = np.sort(weights)[-max(weights.size // 5, 10) :]
    excess = tail - tail[0]
    n = excess.size
    a0 = float(excess.mean())
    a1 = float(np.mean(excess * (n - 1 - np.arange(n)) / (n - 1)))
    return float(2.0 - a0 / (a0 - 2.0 * a1)) if a0 > 2.0 * a1 > 0 else 0.0
