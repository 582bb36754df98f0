"""Mechanism -> people living through time: who they are, where they stand, how they go on."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from bothways.simulation.kernels import walk
from bothways.simulation.mechanism import CHRONIC_SD, Mechanism

BLOCK = 1000  # people who share one generator; fixed, so that the digits do not depend on the number of threads


@dataclass(frozen=True, slots=True)
class People:
    """Where people stand at one moment: states, stable levels by variable, days in pain, chronic or not."""

    states: Float[np.ndarray, "people n"]
    levels: Float[np.ndarray, "people variables"]
    counter: Float[np.ndarray, "people"]
    chronic: Int[np.ndarray, "people"]

    def copied(self) -> People:
        """The same people, free to go another way."""
        return People(self.states.copy(), self.levels, self.counter.copy(), self.chronic.copy())


@dataclass(frozen=True, slots=True)
class Course:
    """What was passed: the states and whether pain was chronic, by person and stop."""

    states: Float[np.ndarray, "people stops n"]
    chronic: Int[np.ndarray, "people stops"]


def begin(mechanism: Mechanism, people: int, rng: np.random.Generator) -> People:
    """People somewhere in the middle of their lives, in the mechanism's own long-run state.

    States start at their long-run covariance
    and walk on for three relaxation times, until the shape that shocks give and chronicity have settled too. A
    diary is too short for pain to turn chronic in it: there, those with the highest usual level have chronic pain.
    """
    levels = levels_of(mechanism, people, rng)
    n = len(mechanism.states)
    states = rng.standard_normal((people, n)) @ root(mechanism.stationary).T
    usual = levels[:, mechanism.row(mechanism.watched)]
    lasting = usual >= CHRONIC_SD * mechanism.trait_sd if mechanism.pace == "diary" else np.zeros(people, bool)
    start = People(states, levels, np.where(lasting, mechanism.spell, 0.0), lasting.astype(np.int64))
    go(mechanism, start, np.full((people, 1), round(3 * max_relaxation(mechanism) / mechanism.step)), rng)
    return start


def levels_of(mechanism: Mechanism, people: int, rng: np.random.Generator) -> Float[np.ndarray, "people variables"]:
    """People's usual levels: Gaussian, with one correlation between any two variables.

    One common factor gives every pair the correlation |r|; its sign enters with the second variable.
    """
    variables, r = len(mechanism.variables), mechanism.trait_correlation
    shared, own = rng.standard_normal((people, 1)), rng.standard_normal((people, variables))
    lean = np.where(np.arange(variables) == 1, np.sign(r), 1.0) * np.sqrt(abs(r))
    return np.asarray(mechanism.trait_sd * (lean * shared + np.sqrt(1 - abs(r)) * own))


def go(
    mechanism: Mechanism, people: People, stops: Int[np.ndarray, "people stops"], rng: np.random.Generator
) -> Course:
    """Walk ``people`` on, in place, and tell what they passed at ``stops`` (numbers of steps, rising)."""
    threshold = CHRONIC_SD * np.sqrt(1 + mechanism.trait_sd**2)
    tick = mechanism.step if mechanism.pace == "panel" else 0.0  # in a diary the clock of chronicity stands still
    rule = np.array([threshold, mechanism.spell, tick])
    pain = mechanism.row(mechanism.watched)
    stops = np.ascontiguousarray(stops, dtype=np.int64)
    target, source = np.nonzero(np.abs(mechanism.drift).sum(axis=0))
    weight = np.ascontiguousarray(mechanism.drift[:, target, source] * mechanism.step)

    def block(job: tuple[slice, np.random.Generator]) -> tuple[np.ndarray, np.ndarray]:
        part, own = job
        seen, flags = walk(
            own,
            people.states[part],
            np.ascontiguousarray(people.levels[part, pain]),
            people.counter[part],
            people.chronic[part],
            target,
            source,
            weight,
            mechanism.gaussian,
            mechanism.chance,
            mechanism.mark,
            np.ascontiguousarray(mechanism.latent[pain]),
            rule,
            stops[part],
        )
        return seen, flags

    with ThreadPoolExecutor() as pool:
        done = list(pool.map(block, blocks(len(stops), rng)))
    return Course(np.concatenate([d[0] for d in done]), np.concatenate([d[1] for d in done]))


def blocks(people: int, rng: np.random.Generator) -> Iterator[tuple[slice, np.random.Generator]]:
    """Blocks of people, each with a generator of its own."""
    count = -(-people // BLOCK)
    for k, child in enumerate(rng.spawn(count)):
        yield slice(k * BLOCK, min(people, (k + 1) * BLOCK)), child


def root(covariance: Float[np.ndarray, "n n"]) -> Float[np.ndarray, "n n"]:
    """A matrix R with R R' = covariance, also where that is not of full rank."""
    values, vectors = np.linalg.eigh(covariance)
    return np.asarray(vectors * np.sqrt(np.clip(values, 0, None)))


def max_relaxation(mechanism: Mechanism) -> float:
    """Days in which the slowest process of the mechanism wears off by a factor of e."""
    slowest = float(np.abs(np.linalg.eigvals(mechanism.move[1])).max())
    return -mechanism.step / float(np.log(slowest))
