"""The true answer of a panel or diary question, by intervening in the mechanism that made the data.

One person lives twice with the same disturbances; in the second life one cause is raised at one moment and
everything else is left as it stands. The difference between the two lives is the effect, in within-person
standard deviations of the latent variables: no estimator and no formula of one has a part in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from bothways.simulation.mechanism import Mechanism
from bothways.simulation.paths import begin, go
from bothways.terms.answer import Estimand
from bothways.terms.errors import WorldError

REFERENCE = 40_000  # pairs of lives where the effect differs between people
REFERENCE_SEED = 20_040_107


@dataclass(frozen=True, slots=True)
class Truth:
    """A true answer. ``se`` is its Monte Carlo error, 0 where it is exact; ``intervention`` says what was done."""

    value: float
    estimand: Estimand
    intervention: str
    se: float = 0.0

    def __float__(self) -> float:
        return self.value


def effect_course(
    mechanism: Mechanism, source: str, target: str, days: float, held: Sequence[str] = ()
) -> Float[np.ndarray, "steps"]:
    """The effect on ``target`` at each step from 0 to ``days`` after ``source`` was raised by one SD.

    The two lives differ by d, and d <- (I + Ah + (Ah)²/2) d at each step, because their disturbances are the same.
    States named in ``held`` follow the first life in the second: their rows and columns leave A. For mechanisms
    without a switch only.
    """
    _refuse_switch(mechanism)
    change = mechanism.raised(source)
    kept = np.array([state not in held for state in mechanism.states], dtype=float)
    small = kept[:, None] * mechanism.drift[0] * kept * mechanism.step
    move = np.eye(len(kept)) + small + small @ small / 2
    row = mechanism.latent[mechanism.row(target)]
    course = np.empty(int(np.ceil(days / mechanism.step - 1e-9)) + 1)
    for k in range(course.size):
        course[k] = row @ change
        change = move @ change
    return course


def at_lag(mechanism: Mechanism, course: Float[np.ndarray, "steps"], days: float) -> float:
    """The course at a lag, between two steps in a straight line."""
    return float(np.interp(days / mechanism.step, np.arange(course.size), course))


def effect_at(mechanism: Mechanism, source: str, target: str, days: float, held: Sequence[str] = ()) -> float:
    """The effect on ``target`` ``days`` after ``source`` was raised by one SD."""
    return at_lag(mechanism, effect_course(mechanism, source, target, days, held), days)


def effect_by_waves(mechanism: Mechanism, source: str, mediator: str, target: str) -> float:
    """What a mediator, as it stands one gap later, hands on to the target after another gap.

    ``source`` is raised at wave t; the change of the mediator at wave t+1 alone is carried into the untreated
    life; the target is read at wave t+2.
    """
    first = effect_at(mechanism, source, mediator, mechanism.gap)
    return first * effect_at(mechanism, mediator, target, mechanism.gap)


def peak_lag(mechanism: Mechanism, source: str, target: str) -> float:
    """Days after which the effect is greatest; NaN where there is none."""
    from_slowest = 10 / _rate(mechanism)
    course = np.abs(effect_course(mechanism, source, target, from_slowest))
    k = int(course.argmax())
    if course[k] < 1e-12 or not 0 < k < course.size - 1:
        return float("nan") if course[k] < 1e-12 else k * mechanism.step
    before, here, after = course[k - 1 : k + 2]
    return float((k + 0.5 * (before - after) / (before - 2 * here + after)) * mechanism.step)


def _rate(mechanism: Mechanism) -> float:
    return -float(np.log(np.abs(np.linalg.eigvals(mechanism.move[0])).max())) / mechanism.step


@dataclass(frozen=True, slots=True)
class PairedEffects:
    """Effects person by person in the reference population, and who was in the second regime ("chronic": of pain, or
    severe depression) when the cause was raised."""

    effects: Float[np.ndarray, "people"]
    chronic: Bool[np.ndarray, "people"]

    def mean(self, where: str | None) -> tuple[float, float]:
        """Mean and its standard error: over everyone, the "chronic" or the "recent" (not chronic)."""
        part = self.effects if where is None else self.effects[self.chronic == (where == "chronic")]
        return float(part.mean()), float(part.std(ddof=1) / np.sqrt(part.size))

    def difference(self) -> tuple[float, float]:
        """Chronic less not chronic, and its standard error."""
        (one, se_one), (other, se_other) = self.mean("chronic"), self.mean("recent")
        return one - other, float(np.hypot(se_one, se_other))


def paired_effects(
    mechanism: Mechanism, source: str, target: str, days: float, people: int = REFERENCE
) -> PairedEffects:
    """Two lives of a large population with common random numbers, one with ``source`` raised by one SD.

    Standard deviations are those of the reference population, in which chronic phases come and go.
    """
    rng = np.random.default_rng(REFERENCE_SEED)
    first = begin(mechanism, people, rng)
    cause, outcome = mechanism.latent[mechanism.row(source)], mechanism.latent[mechanism.row(target)]
    sds = (first.states @ cause).std(), (first.states @ outcome).std()
    second = first.copied()
    second.states[:] += mechanism.raised(source) * sds[0]
    chronic = first.chronic == 1
    stops = np.full((people, 1), round(days / mechanism.step))
    seed = int(rng.integers(2**63))
    lives = [go(mechanism, life, stops, np.random.default_rng(seed)) for life in (first, second)]
    change = (lives[1].states[:, 0] - lives[0].states[:, 0]) @ outcome / sds[1]
    return PairedEffects(np.asarray(change), chronic)


def _refuse_switch(mechanism: Mechanism) -> None:
    if mechanism.switches:
        what = "how long pain has lasted" if mechanism.watched == "back_pain" else "how severe depression is"
        raise WorldError(
            "truth of this question",
            f"the effect depends on {what}, so no single course describes it",
            f"Ask for the strength at one lag, over everyone or by {mechanism.flag}.",
        )
