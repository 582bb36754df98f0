"""Panels and diaries: people walk through a mechanism and are asked how they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from bothways.simulation.mechanism import Mechanism
from bothways.simulation.observe import Gaps, Observation, gaps, on_scale, with_error
from bothways.simulation.paths import begin, go


@dataclass(frozen=True, slots=True)
class Answers:
    """What was asked, when, and answered: all (people, times, ...), NaN where an answer is missing."""

    days: Float[np.ndarray, "people times"]
    values: Float[np.ndarray, "people times variables"]
    gaps: Gaps


def ask_people(mechanism: Mechanism, people: int, times: int, how: Observation, rng: np.random.Generator) -> Answers:
    """Simulate ``people`` and ask each ``times`` times; the chronic flag is the last variable."""
    lives, clock, error, loss = rng.spawn(4)
    if mechanism.pace == "diary":
        days = _prompt_days(people, times, how, clock)
    else:
        days = wave_days(people, times, mechanism.gap, how.jitter or 0.0, clock)
    order = np.arange(times)
    stops = np.round(days / mechanism.step).astype(np.int64)
    stops = np.maximum.accumulate(stops - order, axis=1) + order  # nobody is asked twice at one moment
    walkers = begin(mechanism, people, lives)
    course = go(mechanism, walkers, stops, lives)
    reports = course.states @ mechanism.reported.T + walkers.levels[:, None, :]
    reports = with_error(reports, how, error)
    reports = on_scale(reports, mechanism.variables, float(np.sqrt(1 + mechanism.trait_sd**2)), how)
    values = np.concatenate([reports, course.chronic[..., None].astype(float)], axis=2)
    lost = gaps(values, how, loss)
    values[lost.skipped | lost.left[..., None]] = np.nan
    return Answers(stops * mechanism.step, values, lost)


def wave_days(
    people: int, waves: int, gap: float, jitter: float, rng: np.random.Generator
) -> Float[np.ndarray, "people times"]:
    """Days of the waves: a common grid, or whole days up to half of jitter·gap away from it, each person's own."""
    days = np.broadcast_to(np.arange(waves) * gap, (people, waves)).copy()
    if jitter:
        days[:, 1:] = np.round(days[:, 1:] + rng.uniform(-jitter / 2, jitter / 2, (people, waves - 1)) * gap)
    return days


def _prompt_days(
    people: int, times: int, how: Observation, rng: np.random.Generator
) -> Float[np.ndarray, "people times"]:
    """Prompts at random moments, one in each equal block of the waking day; nights pass unasked."""
    block = (how.sleep - how.wake) / how.prompts
    order = np.arange(times)
    hour = how.wake + block * (order % how.prompts + rng.uniform(0, 1, (people, times)))
    return np.asarray(order // how.prompts + hour / 24)
