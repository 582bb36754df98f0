"""A plan tried out: worlds drawn from what is assumed, fitted as they will be, and counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from bothways.designs.power.assumed import Assumed, analysed, coverage, pair_of_lags
from bothways.engine.batch import fit_batch, wishart_covariances, without_saturated_means
from bothways.engine.fitting import Outcome, fit_model
from bothways.engine.moments import implied_moments
from bothways.engine.parameters import complex_step
from bothways.engine.patterns import pattern_statistics
from bothways.terms.progress import Progress

BLOCK = 50


@dataclass(frozen=True, slots=True)
class Verification:
    """Shares of simulated worlds; pairs are A to B, B to A, each share with its Monte Carlo error √(p(1−p)/worlds).

    ``failed`` counts worlds without an estimate, ``improper`` those with an impossible variance or correlation
    (complete data: variances of usual levels only). ``bias`` is the mean estimate less the truth.
    """

    worlds: int
    failed: int
    power: tuple[float, float]
    power_error: tuple[float, float]
    coverage: tuple[float, float]
    coverage_error: tuple[float, float]
    bias: tuple[float, float]
    se_mean: tuple[float, float]
    se_true: tuple[float, float]
    improper: int


def verify(assumed: Assumed, people: int, level: float, worlds: int, seed: int, progress: Progress) -> Verification:
    """Draw, fit and count; complete data as one batch, holes world by world."""
    rng = np.random.default_rng(seed)
    if assumed.dropout == 0 and assumed.missing == 0:
        estimates, errors, improper = _batch(assumed, people, worlds, rng)
        progress("plan: simulating", 1.0)
    else:
        estimates, errors, improper = _with_holes(assumed, people, worlds, rng, progress)
    return _counted(np.array(assumed.effects), estimates, errors, improper, level)


def _batch(
    assumed: Assumed, people: int, worlds: int, rng: np.random.Generator
) -> tuple[Float[np.ndarray, "worlds 2"], Float[np.ndarray, "worlds 2"], int]:
    model, alpha = analysed(assumed)
    cov = implied_moments(model.structure, model.cells(alpha)[0]).cov
    drawn = wishart_covariances(cov, people, worlds, rng)
    found = fit_batch(model, drawn[:, None], np.array([float(people)]))
    slim = without_saturated_means(model)
    function = pair_of_lags(slim)
    values = function(found.alpha)
    steps = 1e-30j * np.eye(found.alpha.shape[1])
    slopes = np.stack([function(found.alpha + step).imag / 1e-30 for step in steps], axis=-1)
    variance = np.einsum("rai,rij,raj->ra", slopes, found.covariance, slopes)
    errors = np.sqrt(np.where(variance > 0, variance, np.nan))
    values[~found.converged] = np.nan
    levels = [slim.parameters.index(f"Phi{k + 1}{k + 1}") for k in range(assumed.processes)]
    return values, errors, int((found.alpha[found.converged][:, levels] < 0).any(axis=1).sum())


def _with_holes(
    assumed: Assumed, people: int, worlds: int, rng: np.random.Generator, progress: Progress
) -> tuple[Float[np.ndarray, "worlds 2"], Float[np.ndarray, "worlds 2"], int]:
    model, alpha = analysed(assumed)
    cov, seen = implied_moments(model.structure, model.cells(alpha)[0]).cov, coverage(assumed)
    root, function = np.linalg.cholesky(cov), pair_of_lags(model)
    values, errors = np.full((worlds, 2), np.nan), np.full((worlds, 2), np.nan)
    improper = 0
    for world, child in enumerate(rng.spawn(worlds)):
        table = child.standard_normal((people, len(cov))) @ root.T
        unseen = 1.0 - seen.shares.sum()  # people who are never seen send no rows
        shares = np.append(seen.shares, max(unseen, 0.0))
        pattern = child.choice(len(shares), people, p=shares / shares.sum())
        table[~np.vstack([seen.observed, np.zeros(len(cov), bool)])[pattern]] = np.nan
        fit = fit_model(model, pattern_statistics(table), start=alpha)
        if fit.status.outcome in (Outcome.CONVERGED, Outcome.INADMISSIBLE):
            slope = complex_step(function, fit.alpha)
            values[world] = function(fit.alpha)
            errors[world] = np.sqrt(np.diag(slope @ np.linalg.inv(fit.information) @ slope.T))
            improper += fit.status.outcome is Outcome.INADMISSIBLE
        if world % BLOCK == 0:
            progress("plan: simulating", world / worlds)
    return values, errors, improper


def _counted(
    truth: Float[np.ndarray, "2"],
    estimates: Float[np.ndarray, "worlds 2"],
    errors: Float[np.ndarray, "worlds 2"],
    improper: int,
    level: float,
) -> Verification:
    good = np.isfinite(estimates).all(axis=1) & np.isfinite(errors).all(axis=1)
    x, se, n = estimates[good], errors[good], int(good.sum())
    reach = float(ndtri(0.5 + level / 2))
    power = (np.abs(x) > reach * se).mean(axis=0)
    covered = (np.abs(x - truth) <= reach * se).mean(axis=0)

    def both(values: np.ndarray) -> tuple[float, float]:
        return float(values[0]), float(values[1])

    return Verification(
        len(estimates),
        len(estimates) - n,
        both(power),
        both(np.sqrt(power * (1 - power) / n)),
        both(covered),
        both(np.sqrt(covered * (1 - covered) / n)),
        both(x.mean(axis=0) - truth),
        both(se.mean(axis=0)),
        both(x.std(axis=0, ddof=1)),
        improper,
    )
