"""Planning: standard errors and power from one evaluation of the expected information at assumed true values."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import ndtr, ndtri

from bothways.engine.fitting import evaluate
from bothways.engine.moments import implied_moments
from bothways.engine.panel_models.builder import PathModel, start_vector
from bothways.engine.patterns import PatternStatistics
from bothways.engine.scaled import reproduce


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Which variables are seen together, and by which share of the people (shares sum to one)."""

    observed: Bool[np.ndarray, "patterns p"]
    shares: Float[np.ndarray, " patterns"]


def complete_coverage(p: int) -> Coverage:
    """Everything seen in everyone."""
    return Coverage(np.ones((1, p), bool), np.ones(1))


def dropout_coverage(processes: int, waves: int, rate: float) -> Coverage:
    """A share `rate` of those still present leaves for good before each wave after the first."""
    stay = (1.0 - rate) ** np.arange(waves)
    observed = np.repeat(np.tril(np.ones((waves, waves), bool)), processes, axis=1)
    shares = np.append(stay[:-1] * rate, stay[-1])
    return Coverage(observed[shares > 0], shares[shares > 0])


def planned_covariance(
    model: PathModel,
    alpha: Float[np.ndarray, " free"],
    people: Sequence[float],
    coverage: Coverage | None = None,
) -> Float[np.ndarray, "free free"]:
    """The inverse expected information at the true α for `people` per group; `coverage` holds for each group.

    Raises numpy.linalg.LinAlgError if the information is singular there.
    """
    seen = complete_coverage(len(model.observed)) if coverage is None else coverage
    groups = []
    for theta, n in zip(model.cells(alpha), people, strict=True):
        implied = implied_moments(model.structure, theta)
        groups.append(_population(implied.mean, implied.cov, n, seen))
    found = evaluate(model, groups, alpha)
    if found is None:
        raise np.linalg.LinAlgError("the covariance matrix at the true values is not positive definite")
    return np.linalg.inv(found.information)


def as_analysed(
    truth: PathModel, alpha: Float[np.ndarray, " free"], model: PathModel
) -> Float[np.ndarray, " analysed"]:
    """The parameters of the analysis `model` in a world where `truth` holds with α, a special case of it.

    Raises ValueError if it is not one.
    """
    implied = [implied_moments(truth.structure, theta) for theta in truth.cells(alpha)]
    moments = [(m.mean, m.cov) for m in implied]
    return reproduce(model, moments, [1000.0] * len(moments), start_vector(model, moments))


def wald_power(effect: float, error: float, level: float = 0.05) -> float:
    """Chance that a two-sided Wald test at `level` rejects, for a true effect and its standard error."""
    z, shift = float(ndtri(1.0 - level / 2)), effect / error
    return float(ndtr(shift - z) + ndtr(-shift - z))


def needed_people(effect: float, error: float, people: float, power: float = 0.8, level: float = 0.05) -> int:
    """People for the wanted power, when `people` give the standard error `error` (errors fall with √N).

    The chance of rejecting in the wrong direction is neglected, as is usual.
    """
    reach = float(ndtri(1.0 - level / 2) + ndtri(power))
    return int(np.ceil(people * (reach * error / effect) ** 2))


def _population(mean: np.ndarray, cov: np.ndarray, people: float, coverage: Coverage) -> PatternStatistics:
    """Pattern statistics of a sample that agrees with its population exactly."""
    seen = coverage.observed
    both = seen[:, :, None] & seen[:, None, :]
    return PatternStatistics(
        seen, np.full(len(seen), 2), people * coverage.shares, seen * mean, both * cov,
        np.empty((0, len(mean))), np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64),
    )  # fmt: skip
