"""Does the past of one process improve forecasts of another, on answers that the model has not seen?

gain = mean over held-out answers of log p(y_i | both pasts) − log p(y_i | without the routes from j)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from scipy.special import stdtrit

from bothways.engine.statespace.fit import StateSpaceFit, refit
from bothways.engine.statespace.likelihood import predict
from bothways.engine.statespace.structure import Structure, replace_pattern


@dataclass(frozen=True, slots=True)
class ForecastGain:
    """Mean log-score gain for each held-out answer, its interval over blocks (of time or of persons), and errors.

    ``rmse`` with and ``rmse_without`` the routes closed; ``answers`` were foreseen in ``blocks`` blocks.
    """

    gain: float
    se: float
    low: float
    high: float
    rmse: float
    rmse_without: float
    answers: int
    blocks: int


def close_routes(structure: Structure, cause: int) -> Structure:
    """No process depends on ``cause`` any more: its column of the drift is zero but for its own rate."""
    drift = structure.drift.copy()
    others = np.arange(len(drift)) != cause
    drift[others, cause] = 0.0
    return replace_pattern(structure, "drift", drift)


def forecast_gain(
    fit: StateSpaceFit, outcome: int, cause: int, *, folds: int = 5, level: float = 0.95
) -> ForecastGain | None:
    """Blocked cross-validation: ``folds`` groups of persons or, of a single person, of stretches of time.

    Both models are fitted with a fold left out (its answers taken as missing), then foresee every answer of the fold
    one step ahead from all that came before it. Stretches of a fold lie apart, so that no phase of a record is left
    out as a whole. None where too few refits came about.
    """
    series, closed = fit.series, close_routes(fit.structure, cause)
    block = series.person if series.people > 1 else _stretches(series.rows)
    fold = block % folds
    scores = np.full((series.rows, 2), np.nan)
    errors = np.full((series.rows, 2), np.nan)
    start = closed.theta(fit.structure.patterns(fit.theta))
    kept = [k for k, name in enumerate(fit.structure.names) if name in closed.names]
    curvatures = (fit.hessian, fit.hessian[np.ix_(kept, kept)])
    for k in range(folds):
        held = fold == k
        for m, (structure, theta) in enumerate(((fit.structure, fit.theta), (closed, start))):
            training = series.with_values(np.where(held[:, None], np.nan, series.values))
            found = refit(structure, training, theta, curvatures[m])
            foreseen = None if found is None else predict(structure.system(found.point), series)
            if foreseen is not None:
                scores[held, m] = foreseen.density[held, outcome]
                errors[held, m] = series.values[held, outcome] - foreseen.center[held, outcome]
    return _summary(scores, errors, block, level)


def _stretches(rows: int) -> Int[np.ndarray, " rows"]:
    """Successive stretches of about fifteen rows, ten to sixty of them."""
    count = min(max(rows // 15, 10), 60)
    return np.asarray(np.arange(rows) * count // rows, dtype=np.int64)


def _summary(
    scores: Float[np.ndarray, "rows 2"],
    errors: Float[np.ndarray, "rows 2"],
    block: Int[np.ndarray, " rows"],
    level: float,
) -> ForecastGain | None:
    """The mean gain; its error from the spread of the sums of blocks (or persons) about their share of the mean."""
    seen = np.isfinite(scores).all(axis=1)
    if seen.sum() < 10:
        return None
    gains, where = scores[seen, 0] - scores[seen, 1], block[seen]
    n, blocks = gains.size, np.unique(where).size
    mean = float(gains.mean())
    sums = np.bincount(where, weights=gains - mean)
    se = float(np.sqrt(blocks / max(blocks - 1, 1) * np.sum(sums**2)) / n)
    reach = float(stdtrit(max(blocks - 1, 1), 0.5 + level / 2)) * se
    rmse = np.sqrt(np.mean(errors[seen] ** 2, axis=0))
    return ForecastGain(mean, se, mean - reach, mean + reach, float(rmse[0]), float(rmse[1]), n, blocks)
