"""Records -> the wide table of everybody randomised, each condition in standard deviations before treatment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.designs.base import Refusal
from bothways.designs.panel.covariates import fixed_columns
from bothways.designs.panel.setup import wide
from bothways.designs.sampling import sampling_of, weights_of
from bothways.designs.trial.arms import Arms
from bothways.engine.survey import Sampling
from bothways.terms.question import Condition
from bothways.terms.records import Records

LEAST_ANSWERS = 5  # of each arm on a condition at a wave, for that wave to be compared
KEYS = ("a", "b")


@dataclass(frozen=True, slots=True, eq=False)
class TrialSetup:
    """All that the comparison needs.

    ``scores`` (people, waves, 2) as recorded, the first wave before treatment. ``cells`` are the (condition, wave)
    that can be compared, condition 0 for A and 1 for B; ``before`` the conditions known at the first wave. ``unit``
    is each condition's SD then (where it was not asked, its SD at the first wave at which it was).
    """

    records: Records
    arms: Arms
    rows: Int[np.ndarray, "people"]
    arm: Int[np.ndarray, "people"]
    waves: tuple[int, ...]
    scores: Float[np.ndarray, "people waves 2"]
    before: tuple[int, ...]
    cells: tuple[tuple[int, int], ...]
    centre: Float[np.ndarray, "2"]
    unit: Float[np.ndarray, "2"]
    covariates: tuple[str, ...]
    fixed: Float[np.ndarray, "people covariates"]
    left_out: tuple[str, ...]
    weights: Float[np.ndarray, "people"] | None
    sampling: Sampling | None

    @property
    def people(self) -> int:
        """How many were randomised."""
        return len(self.rows)

    @property
    def conditions(self) -> tuple[Condition, Condition]:
        """A and B."""
        return self.records.pair.a, self.records.pair.b

    @property
    def dummies(self) -> tuple[str, ...]:
        """Names of the indicators of the arms beside the reference."""
        return tuple(f"arm{g}" for g in range(1, len(self.arms.labels)))

    @property
    def regressors(self) -> int:
        """What each later answer is regressed on, with its mean."""
        return 1 + len(self.dummies) + len(self.covariates) + len(self.before)

    @property
    def freedom(self) -> float:
        """Degrees of freedom of a contrast: people less regressors; with clusters, those less strata and arms."""
        own = self.people - self.regressors
        if self.sampling is not None:
            own = min(own, self.sampling.freedom - len(self.dummies))
        return float(max(own, 1))

    @property
    def table(self) -> Float[np.ndarray, "people variables"]:
        """Indicators of arms, covariates, answers before, answers after."""
        arms = (self.arm[:, None] == np.arange(1, len(self.arms.labels))).astype(float)
        scaled = (self.scores - self.centre) / self.unit
        before = [scaled[:, 0, k] for k in self.before]
        later = [scaled[:, t, k] for k, t in self.cells]
        return np.column_stack([arms, self.fixed, *before, *later])

    def day(self, t: int) -> float | None:
        """Days from the first wave to the t-th kept one, where the records know days."""
        days = self.records.wave_days
        return None if days is None else float(days[self.waves[t]] - days[self.waves[0]])

    def wave_name(self, t: int) -> str:
        """The t-th kept wave as a person counts: from 1, by its place in the records."""
        return str(self.waves[t] + 1)


def variable(k: int, t: int) -> str:
    """The name of condition k at wave t in the model."""
    return f"{KEYS[k]}{t}"


def set_up(records: Records, arms: Arms) -> TrialSetup | Refusal:
    """Everybody randomised, with a usable weight; or why their answers cannot be compared."""
    weights = weights_of(records)
    in_it = arms.code >= 0 if weights is None else (arms.code >= 0) & (weights > 0)
    rows = np.flatnonzero(in_it)
    scores = wide(records, [c.key for c in (records.pair.a, records.pair.b)])[rows]
    waves = np.flatnonzero(np.isfinite(scores).any(axis=(0, 2)))
    scores, arm = scores[:, waves], arms.code[rows]
    usable = _usable(scores, arm, len(arms.labels))
    later = [(k, t) for t in range(1, len(waves)) for k in range(2) if usable[t, k]]
    if len(waves) < 2 or {k for k, _ in later} != {0, 1}:
        least = f"{LEAST_ANSWERS} people of each arm"
        return Refusal(
            f"after the first wave, {least} must have answered on both conditions, and they did not",
            "Add a wave after treatment.",
        )
    before = tuple(k for k in range(2) if usable[0, k])
    if not before:
        return Refusal(
            "the first wave holds no answers of every arm on either condition, so that arms cannot be compared from "
            "the same start",
            "Add the wave before treatment.",
        )
    names, lost = _covariates(records, arms.column)
    fixed = fixed_columns(records, names, rows)
    centre, unit = _units(scores, before, later)
    return TrialSetup(
        records, arms, rows, arm, tuple(waves.tolist()), scores, before, tuple(later), centre, unit, fixed.names,
        fixed.standardised, (*lost, *fixed.left_out), None if weights is None else weights[rows],
        sampling_of(records, rows),
    )  # fmt: skip


def _usable(
    scores: Float[np.ndarray, "people waves 2"], arm: Int[np.ndarray, "people"], arms: int
) -> Bool[np.ndarray, "waves 2"]:
    """Where every arm gave answers enough, and answers differ."""
    given = np.isfinite(scores)
    enough = np.all([given[arm == g].sum(axis=0) >= LEAST_ANSWERS for g in range(arms)], axis=0)
    high, low = np.where(given, scores, -np.inf).max(axis=0), np.where(given, scores, np.inf).min(axis=0)
    return np.asarray(enough & (high > low))


def _units(
    scores: np.ndarray, before: tuple[int, ...], later: list[tuple[int, int]]
) -> tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    """Mean and SD of each condition before treatment, or when it was first asked."""
    at = [0 if k in before else next(t for j, t in later if j == k) for k in range(2)]
    columns = [scores[:, t, k] for k, t in enumerate(at)]
    return np.array([np.nanmean(x) for x in columns]), np.array([np.nanstd(x, ddof=1) for x in columns])


def _covariates(records: Records, arm: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Covariates that were so before treatment, and those that may have been changed by it."""
    asked = [n for n in records.roles.covariates if n not in (arm, records.pair.a.key, records.pair.b.key)]
    kept = tuple(name for name in asked if name in records.baseline)
    lost = tuple(
        f"{name} (it changes over time, and what follows treatment is not adjusted for)"
        for name in asked
        if name not in kept
    )
    return kept, lost
