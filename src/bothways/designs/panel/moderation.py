"""In whom, where it changes or counts: the dynamic panel model with products of the first condition and a circumstance.

    y_t = μ_t + α + b_0 y_{t−1} + b_1 x_{t−1} + Σ_l (b_2l c_l + b_3l x c_l + b_4l y c_l)_{t−1} + ε_t,      t ≥ 2

α is a lasting cause of each person that may go with everything; regressors are predetermined: Cov(ε_t, ·_s) = 0 for
s < t, and later ones may follow y (Allison, Williams & Moral-Benito 2017). b_1 is the lag at the reference level, b_3l
how much stronger it is at level l. c may change from wave to wave, be a number, or be made of the scores themselves at
the start: groups by such a status would be groups by the scores' own deviations, for which the random-intercept model,
in which usual level and first deviation are independent, is wrong. A c that does not change is part of α.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import chdtrc

from bothways.designs.panel.covariates import sort_covariates
from bothways.designs.panel.effects import within_sd
from bothways.designs.panel.room import ENDS, Room
from bothways.designs.panel.setup import PanelSetup, wide
from bothways.engine.fitting import Outcome, fit_model
from bothways.engine.inference import robust
from bothways.engine.panel_models.builder import PathModel, start_vector, symmetric_labels
from bothways.engine.panel_models.dynamic_panel import predetermined_panel
from bothways.engine.patterns import pattern_statistics
from bothways.engine.saturated import Saturated, saturate
from bothways.terms.errors import QuestionError
from bothways.terms.question import Direction

CHANGING = 1e-9  # variance within people below which a column is one value a person
LEAST_WAVES = 3


@dataclass(frozen=True, slots=True, eq=False)
class Moderated:
    """b_1 and all b_3 of one direction, standardised within people, with their joint robust covariance."""

    value: Float[np.ndarray, "terms"]
    covariance: Float[np.ndarray, "terms terms"]
    people: int

    def at(self, weights: Sequence[float]) -> tuple[float, float]:
        """A combination of the terms and its standard error."""
        w = np.asarray(weights, float)
        return float(w @ self.value), float(np.sqrt(max(w @ self.covariance @ w, 0.0)))

    def none_differs(self, terms: Sequence[int]) -> tuple[float, int, float]:
        """Wald's test that these b_3 are all nil: statistic, degrees of freedom, p."""
        b, V = self.value[list(terms)], self.covariance[np.ix_(terms, terms)]
        statistic = float(b @ np.linalg.solve(V, b))
        return statistic, len(terms), float(chdtrc(len(terms), statistic))


def moderated(
    room: Room, direction: Direction, terms: Float[np.ndarray, "people waves terms"], where: str
) -> Moderated:
    """The lag of one direction and how it moves with ``terms`` of the circumstance, at the waves of the set-up.

    Raises QuestionError with too few waves, uneven ones, or where no best fit is found.
    """
    setup = room.setup
    if setup.T < LEAST_WAVES or not setup.waves.even:
        raise QuestionError(where, f"it takes {LEAST_WAVES} evenly spaced waves", "Add a wave, or leave one out")
    begin = _first_wave(terms)
    if setup.T - begin < LEAST_WAVES:
        find = f"its levels differ between people at fewer than {LEAST_WAVES - 1} waves that a later one follows"
        raise QuestionError(where, find, "Add a wave, or name a level that was known from the start")
    scores = ((setup.waves.scores - setup.centre) / setup.scale)[setup.rows]
    y, x = (scores[..., k] for k in ENDS[direction])
    first, more = _regressors(setup, x, y, terms)
    table = _stacked(y, [x, *first, *more], begin)
    keep = np.isfinite(table).any(axis=1)
    sampling = None if setup.sampling is None else setup.sampling.among(keep)
    weights = None if setup.weights is None else setup.weights[keep]
    data = pattern_statistics(table[keep], weights)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        model, h1 = predetermined_panel(1 + len(first) + len(more), setup.T - begin), saturate(data)
        fit = fit_model(model, data, saturated=h1, start=_start(model, h1[0]))
        if fit.status.outcome not in (Outcome.CONVERGED, Outcome.INADMISSIBLE):
            raise QuestionError(where, f"the model of products is {fit.status.outcome}", "Join levels or add people")
        errors = robust(fit, sampling)
    places = [fit.model.parameters.index(f"B1{k + 2}") for k in range(1 + len(first))]
    V = errors.covariance[np.ix_(places, places)]
    if not np.isfinite(V).all() or not (np.diag(V) > 0).all():
        raise QuestionError(where, "the model of products has no standard errors", "Join levels or add people")
    unit = _within(room, direction)
    return Moderated(fit.alpha[places] * unit, V * unit**2, int(keep.sum()))


def _start(model: PathModel, found: Saturated) -> Float[np.ndarray, "free"]:
    """The model's own starting values with α uncorrelated with everything: regressors that nearly follow from each
    other (a score and the same score above a cut) leave no room for one covariance with α among noughts."""
    values = start_vector(model, [(found.mean, found.cov)])
    count = sum(name.startswith("X.") for name in model.names)
    exogenous = int((np.sqrt(8 * count + 1) - 1) / 2)
    for i, j, label in symmetric_labels("X.", exogenous):
        if j == 0 and i > 0:
            values[model.parameters.index(label)] = 0.0
    return values


def _regressors(
    setup: PanelSetup, x: np.ndarray, y: np.ndarray, terms: Float[np.ndarray, "people waves terms"]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """(products with x, everything beside: levels that change, products with y, covariates that change)."""
    each = [terms[..., k] for k in range(terms.shape[-1])]
    beside = [c for c in each if _changes(c)] + [y * c for c in each]
    changing = sort_covariates(setup.records).changing
    if changing:
        columns = wide(setup.records, changing)[setup.rows][:, list(setup.waves.kept)]
        beside += [_standard(columns[..., k]) for k in range(len(changing))]
    return [x * c for c in each], beside


def _changes(c: Float[np.ndarray, "people waves"]) -> bool:
    seen = np.isfinite(c)
    filled, n = np.where(seen, c, 0.0), np.maximum(seen.sum(axis=1), 1)
    mean = filled.sum(axis=1) / n
    return bool((np.where(seen, c - mean[:, None], 0.0) ** 2).sum() > CHANGING * max(seen.sum(), 1))


def _standard(c: np.ndarray) -> np.ndarray:
    return np.asarray((c - np.nanmean(c)) / max(float(np.nanstd(c)), 1e-12))


def _first_wave(terms: Float[np.ndarray, "people waves terms"]) -> int:
    """The first wave from which on every term differs between people (whether pain has lasted is not known at once)."""
    alike = [any(np.unique(c[np.isfinite(c)]).size < 2 for c in terms[:, t].T) for t in range(terms.shape[1] - 1)]
    return max((t + 1 for t, same in enumerate(alike) if same), default=0)


def _stacked(y: np.ndarray, regressors: Sequence[np.ndarray], begin: int) -> np.ndarray:
    """y_1, x_1, ..., y_2, x_2, ..., y_T as the engine wants them, from wave ``begin`` on."""
    columns = []
    for t in range(begin, y.shape[1]):
        columns += [y[:, t]] + ([x[:, t] for x in regressors] if t < y.shape[1] - 1 else [])
    return np.column_stack(columns)


def _within(room: Room, direction: Direction) -> float:
    """SD within people of the first condition over that of the second, under the headline model."""
    fitted = room.headline.chosen
    if fitted.form.key != "ri-clpm":
        return 1.0
    sd = within_sd(fitted.fit.model)(fitted.fit.alpha)
    y, x = ENDS[direction]
    return float((sd[:-1, x] / sd[1:, y]).mean())
