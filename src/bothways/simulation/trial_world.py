"""Trials with known truth: chance pushes one condition, both or neither, and what follows is followed.

    y_t = u + w_t,   w_t = B w_{t−1} + g·p_t + ζ_t,   Cov(w_0) = S,   Cov(ζ) = S − B S B'

u, usual levels; p_t, what full treatment pushes at wave t; g, the dose of the arm. Both conditions have one SD before
treatment, and the lags are those of B. The mean shift m_t = B m_{t−1} + g·p_t is the whole effect of the arm.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Int

from bothways.terms.errors import WorldError
from bothways.terms.question import Condition, Direction, Pair
from bothways.terms.records import Records, Roles, Source, TimeUnit

OWN, TOGETHER = 0.4, 0.3  # what stays of a deviation after one gap; correlation of deviations and of usual levels
GAP = 90.0
PAIR = Pair(Condition("depression", "depression"), Condition("back_pain", "back pain"))
SCALE = np.array([[10.0, 4.0], [5.0, 2.0]])  # centre and points of one SD before treatment
ENDS = {Direction.A_TO_B: (0, 1), Direction.B_TO_A: (1, 0)}


@dataclass(frozen=True, slots=True)
class TrialSpec:
    """One world. ``lags`` are raw (A to B, B to A); ``push`` holds, by later wave, what moves (A, B) directly."""

    name: str
    says: str
    lags: tuple[float, float]
    push: tuple[tuple[float, float], ...]


_TREATS_A = ((-1.2, 0.0), (-0.7, 0.0), (-0.7, 0.0))
TRIALS: tuple[TrialSpec, ...] = (
    TrialSpec(
        "lever", "Treatment lowers depression, and less depression leads to less back pain.", (0.4, 0.0), _TREATS_A
    ),
    TrialSpec("lever-null", "Treatment lowers depression, which does nothing to back pain.", (0.0, 0.0), _TREATS_A),
    TrialSpec(
        "acts-on-both",
        "Treatment lowers depression and back pain by separate routes; neither acts on the other.",
        (0.0, 0.0),
        ((-1.2, -0.8), (-0.7, -0.4), (-0.7, -0.4)),
    ),
    TrialSpec(
        "acts-beyond",
        "Treatment lowers depression soon and back pain later, by separate routes; neither acts on the other.",
        (0.0, 0.0),
        ((-1.2, 0.0), (-0.7, -0.8), (-0.7, -0.4)),
    ),
    TrialSpec("no-lever", "Treatment does nothing, though depression leads to back pain.", (0.4, 0.0), ((0.0, 0.0),)),
)


@dataclass(frozen=True, slots=True, eq=False)
class TrialWorld:
    """A simulated trial and what it holds: ``dose`` by arm, the reference first with none."""

    spec: TrialSpec
    records: Records
    arms: tuple[str, ...]
    dose: tuple[float, ...]
    sd: float  # of both conditions before treatment, on the scale of the push

    @property
    def says(self) -> str:
        """What the world holds, in plain words."""
        return f"A simulated trial ('{self.spec.name}'): {self.spec.says}"

    def arm_effect(self, condition: int, wave: int, arm: int) -> float:
        """Of being randomised, on condition 0 (A) or 1 (B) at a wave (0 before treatment), in SDs before treatment."""
        return float(_shifts(self.spec, wave + 1)[wave, condition] * self.dose[arm] / self.sd)

    def effect(self, direction: Direction) -> float:
        """Of one SD of the first condition on the other one wave later, in SDs."""
        return self.spec.lags[0 if direction is Direction.A_TO_B else 1]

    def through(self, direction: Direction, wave: int, arm: int) -> float:
        """The part of an arm's effect one wave after ``wave`` that runs through the first condition at ``wave``."""
        cause, _ = ENDS[direction]
        return self.arm_effect(cause, wave, arm) * self.effect(direction)


def simulate_trial(
    name: str | TrialSpec,
    *,
    people: int = 300,
    waves: int = 3,
    arms: tuple[str, ...] = ("usual care", "treatment"),
    dose: tuple[float, ...] = (),
    leave: float = 0.0,
    usual: float = 1.0,
    clusters: int = 0,
    seed: int | np.random.Generator = 1,
) -> TrialWorld:
    """Draw a trial.

    Parameters
    ----------
    name : a world of ``TRIALS`` or one of one's own.
    arms, dose : labels with the reference first; the share of full treatment in each (0, 1, then half each time).
    leave : chance of leaving for good before a wave after treatment, greater for who was worse on A the wave before.
    usual : SD of people's usual levels, beside deviations from them of SD one. They confound the step from A to B
        in whoever is compared with others; the arm's ratio they leave alone.
    clusters : where positive, whole clusters are randomised and their people share a part of their usual levels.

    Raises WorldError for an unknown world, fewer than two waves, or arms and doses that do not match.
    """
    spec = _find(name) if isinstance(name, str) else name
    given = dose or (0.0, *(0.5**k for k in range(len(arms) - 1)))
    if waves < 2 or len(arms) < 2 or len(given) != len(arms):
        raise WorldError("trial", "it needs two waves, two arms and a dose for each", "Give them.")
    rng = seed if isinstance(seed, np.random.Generator) else np.random.default_rng(seed)
    unit = np.arange(people) % clusters if clusters else np.arange(people)
    arm = (rng.permutation(clusters or people) % len(arms))[unit]
    y = _course(spec, np.array(given)[arm], waves, usual, rng)
    sd = float(np.hypot(1.0, usual))
    if clusters:
        y += 0.4 * rng.standard_normal((clusters, 1, 2))[unit]
    y[_left(y, leave, rng)] = np.nan
    points = SCALE[:, 0] + SCALE[:, 1] * y / sd
    return TrialWorld(spec, _records(points, arm, unit if clusters else None, arms), arms, given, sd)


def _find(name: str) -> TrialSpec:
    known = {spec.name: spec for spec in TRIALS}
    if name not in known:
        raise WorldError(f"trial '{name}'", "there is no such world", f"Choose one of: {', '.join(known)}")
    return known[name]


def _lags(spec: TrialSpec) -> Float[np.ndarray, "2 2"]:
    return np.array([[OWN, spec.lags[1]], [spec.lags[0], OWN]])


def _shifts(spec: TrialSpec, waves: int) -> Float[np.ndarray, "waves 2"]:
    """m_t at full dose; the last push goes on where there are more waves than pushes."""
    shift = np.zeros((waves, 2))
    for t in range(1, waves):
        shift[t] = _lags(spec) @ shift[t - 1] + np.array(spec.push[min(t, len(spec.push)) - 1])
    return shift


def _course(spec: TrialSpec, dose: np.ndarray, waves: int, usual: float, rng: np.random.Generator) -> np.ndarray:
    """Everyone's scores, (people, waves, 2), stationary but for the shift."""
    S, B = np.array([[1.0, TOGETHER], [TOGETHER, 1.0]]), _lags(spec)
    root, rest = np.linalg.cholesky(S), np.linalg.cholesky(S - B @ S @ B.T)
    people = len(dose)
    level = usual * rng.standard_normal((people, 2)) @ root.T
    state = rng.standard_normal((people, 2)) @ root.T
    y = np.empty((people, waves, 2))
    for t in range(waves):
        if t:
            state = state @ B.T + rng.standard_normal((people, 2)) @ rest.T
        y[:, t] = level + state + dose[:, None] * _shifts(spec, waves)[t]
    return y


def _left(y: np.ndarray, leave: float, rng: np.random.Generator) -> np.ndarray:
    gone = np.zeros(y.shape[:2], bool)
    for t in range(1, y.shape[1]):
        chance = leave * np.exp(0.3 * y[:, t - 1, 0])
        gone[:, t] = gone[:, t - 1] | (rng.random(len(y)) < chance)
    return gone


def _records(
    points: np.ndarray, arm: Int[np.ndarray, " people"], unit: np.ndarray | None, arms: tuple[str, ...]
) -> Records:
    seen = np.isfinite(points).all(axis=2)
    person, wave = np.nonzero(seen)
    roles = Roles("id", "wave", ("depression",), ("back_pain",), arm="arm")
    own = {"arm": arm.astype(float)}
    if unit is not None:
        own, roles = {**own, "clinic": unit.astype(float)}, replace(roles, cluster="clinic")
    rows = points[seen]
    return Records(
        pair=PAIR,
        person=person.astype(np.int64),
        time=wave * GAP,
        time_unit=TimeUnit.DAY,
        values={"depression": rows[:, 0], "back_pain": rows[:, 1]},
        roles=roles,
        source=Source("a simulated trial", "", len(person), len(points)),
        wave=wave.astype(np.int64),
        wave_days=np.arange(points.shape[1]) * GAP,
        baseline=own,
        categories={"arm": arms},
    )
