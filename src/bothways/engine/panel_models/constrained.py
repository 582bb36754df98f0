"""The constrained longitudinal model of a randomised comparison (Liang & Zeger 2000, Sankhya B 62:134-148).

    y_b = μ_b + Γ_b z + ε_b                 before: one mean for all arms, since chance alone made them
    y_t = μ_t + D_t x + Γ_t z + ε_t         later: x indicates the arms beside the reference
    Cov(ε) free over all conditions and times;  x, z as they are found

D is the effect of being randomised. On complete data its estimate and sandwich are those of the analysis of
covariance of y_t on the arms and every answer given before; with missing answers it uses everybody randomised.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from bothways.engine.moments import implied_moments
from bothways.engine.panel_models.builder import PathBuilder, PathModel
from bothways.engine.parameters import Smooth


def constrained_longitudinal(
    arms: Sequence[str], covariates: Sequence[str], before: Sequence[str], later: Sequence[str]
) -> PathModel:
    """The model; observed variables stand in the order of the arguments.

    Effects of arms are labelled ``effect[<later>,<arm>]``. Raises ValueError without an arm or a later answer.
    """
    if not arms or not later:
        raise ValueError("a randomised comparison needs at least two arms and one later answer")
    builder = PathBuilder()
    place = {name: builder.state(name) for name in (*arms, *covariates, *before, *later)}
    for name, state in place.items():
        builder.observe(name, [state])
    found, answers = [*arms, *covariates], [*before, *later]
    for name in answers:
        for cause in found if name in later else covariates:
            kind = "effect" if cause in arms else "slope"
            builder.path(place[name], place[cause], f"{kind}[{name},{cause}]")
    for block in (found, answers):
        for i, one in enumerate(block):
            for other in block[: i + 1]:
                builder.covary(place[one], place[other], f"cov[{one},{other}]")
    names = (tuple(arms), tuple(covariates), tuple(before), tuple(later))

    def start(mean: np.ndarray, cov: np.ndarray) -> Mapping[str, float]:
        return _starts(names, mean, cov)

    return builder.build(start)


def _starts(names: tuple[tuple[str, ...], ...], mean: np.ndarray, cov: np.ndarray) -> dict[str, float]:
    """Moments: regressions of every answer on what precedes it, and what they leave."""
    arms, covariates, before, later = names
    order = [name for part in names for name in part]
    place = {name: i for i, name in enumerate(order)}
    A = np.zeros_like(cov)
    proposed: dict[str, float] = {}
    for name in (*before, *later):
        causes = [*arms, *covariates] if name in later else list(covariates)
        at = [place[cause] for cause in causes]
        slopes = np.linalg.lstsq(cov[np.ix_(at, at)], cov[at, place[name]], rcond=None)[0] if at else []
        for cause, slope in zip(causes, slopes, strict=True):
            kind = "effect" if cause in arms else "slope"
            proposed[f"{kind}[{name},{cause}]"] = float(slope)
            A[place[name], place[cause]] = slope
    rest = np.eye(len(cov)) - A
    left, level = rest @ cov @ rest.T, rest @ mean
    for i, one in enumerate(order):
        proposed[f"mean.{one}"] = float(level[i])
        for j, other in enumerate(order[: i + 1]):
            proposed[f"cov[{one},{other}]"] = float(left[i, j])
    return proposed


def slopes(model: PathModel, outcome: str, on: Sequence[str]) -> Smooth:
    """α -> the coefficients of ``outcome`` regressed on all of ``on`` together, as the model implies them."""
    i, at = model.observed.index(outcome), [model.observed.index(name) for name in on]

    def function(alpha: np.ndarray) -> np.ndarray:
        cov = implied_moments(model.structure, model.cells(alpha)[..., 0, :]).cov
        inside = cov[..., np.array(at)[:, None], np.array(at)]
        return np.asarray(np.linalg.solve(inside, cov[..., at, i][..., None])[..., 0])

    return function


def partial_correlation(model: PathModel, one: str, other: str, given: Sequence[str]) -> Smooth:
    """α -> the correlation of two variables once all of ``given`` are held, as the model implies it."""
    at = np.array([model.observed.index(name) for name in (one, other, *given)])

    def function(alpha: np.ndarray) -> np.ndarray:
        cov = implied_moments(model.structure, model.cells(alpha)[..., 0, :]).cov
        P = np.linalg.inv(cov[..., at[:, None], at])
        return np.asarray(-P[..., 0, 1] / np.sqrt(P[..., 0, 0] * P[..., 1, 1]))[..., None]

    return function
