"""Fit the models of a diary, choose the one that speaks, and carry its uncertainty through an estimand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from bothways.designs.diary.resampling import widening
from bothways.designs.diary.setup import DiarySetup
from bothways.engine.statespace.bootstrap import Resamples, bootstrap
from bothways.engine.statespace.carryover import carry_over
from bothways.engine.statespace.effects import standardised_effect
from bothways.engine.statespace.fit import StateSpaceFit, fit_series
from bothways.engine.statespace.inference import LEAST_PEOPLE, Covariance, covariance
from bothways.engine.statespace.rivals import hidden_common_cause
from bothways.engine.statespace.structure import Structure, multivariate
from bothways.engine.statespace.system import System
from bothways.terms.answer import Estimate
from bothways.terms.question import Scale

CARRIES_OVER = 0.05  # p of the test of any carry-over, above which there is none to speak of

Function = Callable[[Float[np.ndarray, "n p p"], Float[np.ndarray, "n p p"]], np.ndarray]
"""A stack of drifts and diffusions -> (n, outputs): the estimand as one function of the parameters."""


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A fit with its covariance (None where the fit did not come about) and the name it goes by.

    ``draws`` are refits of the bootstrap: where they reach further than the covariance says, they are believed.
    """

    name: str
    fit: StateSpaceFit
    covariance: Covariance | None
    error: bool
    draws: Resamples | None = None

    @property
    def usable(self) -> bool:
        """Whether estimates may be read."""
        return self.fit.converged and self.covariance is not None

    @property
    def degrees(self) -> float:
        """Degrees of freedom of intervals: persons less one (clusters less strata) where the sandwich rests on them."""
        if self.covariance is None or self.covariance.kind != "sandwich":
            return float("inf")
        drawn = self.fit.series.drawn
        return float(self.fit.series.people - 1 if drawn is None else max(drawn.freedom, 1))


@dataclass(frozen=True, slots=True, eq=False)
class Models:
    """``chosen`` speaks; ``plain`` takes answers as free of error; ``hidden`` replaces the arrows by an unseen cause.

    ``hidden_with_arrows`` holds both; ``untrended`` is the chosen model without the trend.
    """

    chosen: Fitted
    plain: Fitted
    with_error: Fitted
    hidden: Fitted | None
    hidden_with_arrows: Fitted | None
    untrended: Fitted | None


def base_structure(setup: DiarySetup, *, error: bool) -> Structure:
    """Every process drives every other; fixed or random usual levels; trend, phases and characteristics on them."""
    return multivariate(
        setup.processes,
        random_means=setup.random_means,
        error=error,
        regressors=setup.regressors,
        input_names=setup.phases,
        impulse_names=setup.impulses,
    )


def fitted(name: str, structure: Structure, setup: DiarySetup, error: bool, start: np.ndarray | None = None) -> Fitted:
    """One fit and its covariance.

    Only a model of the pair's own processes without error is bounded where its drift runs away: what else fits answers
    in which nothing carries over, an error or an unseen process, cannot be told apart from them and need not end.
    """
    bounding = not error and "hidden" not in structure.processes
    fit = fit_series(structure, setup.series, start, bounding=bounding)
    return Fitted(name, fit, covariance(fit) if fit.converged else None, error)


def fit_pair(setup: DiarySetup) -> tuple[Fitted, Fitted]:
    """Answers free of error, and answers with it (an error that goes to zero is held there)."""
    plain = fitted("ct-var", base_structure(setup, error=False), setup, False)
    return plain, fitted("ct-var-error", base_structure(setup, error=True), setup, True)


def choose(plain: Fitted, with_error: Fitted) -> Fitted:
    """Error of measurement wherever it can be told apart, because leaving it out makes arrows where there are none.

    Where nothing carries over from one answer to the next, error and process are one and the same: to tell them apart
    then finds a process in the pattern of chance, and arrows with it. Where the errors would leave a process without
    a shock of its own, they have eaten it: what is left is a clockwork fitted to chance, with narrow intervals.
    """
    if not plain.usable:
        return with_error
    return with_error if with_error.usable and not _clockwork(with_error) and carries_over(plain) else plain


def _clockwork(model: Fitted) -> bool:
    """Whether some process has no shocks of its own left."""
    return any("diffusion" in name for name in model.fit.at_limit)


def carries_over(plain: Fitted) -> bool:
    """Whether the answers are more like the ones before them than chance makes them."""
    return carry_over(plain.fit).p < CARRIES_OVER


def fit_rivals(setup: DiarySetup, chosen: Fitted) -> tuple[Fitted, Fitted]:
    """An unseen slow common cause, in place of the arrows and beside them."""
    rivals = []
    for arrows in (False, True):
        structure = hidden_common_cause(chosen.fit.structure, setup.series, (0, 1), arrows=arrows)
        rivals.append(fitted("ct-var-hidden" if arrows else "hidden-cause", structure, setup, chosen.error))
    return rivals[0], rivals[1]


def resampled(model: Fitted, count: int, seed: int) -> Fitted:
    """With bootstrap draws: answers drawn anew from the model for few persons, persons drawn anew for many."""
    many = model.fit.series.people >= LEAST_PEOPLE
    rng = np.random.default_rng(seed)
    draws = bootstrap(model.fit, "person" if many else "parametric", count, rng, covariances=not many)
    return replace(model, draws=draws) if len(draws.points) > count // 2 else model


def effect_function(lags: Float[np.ndarray, " lags"], p: int) -> Function:
    """Standardised total effects at all lags of the first ``p`` processes, flat: (lag, outcome, cause)."""

    def function(drift: np.ndarray, diffusion: np.ndarray) -> np.ndarray:
        return standardised_effect(drift, diffusion, lags)[:, :, :p, :p].reshape(len(drift), -1)

    return function


def delta(model: Fitted, function: Function) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "k k"]]:
    """The estimand at the estimates and its covariance J V J', J by central differences on the free scale.

    Unlike draws from N(θ̂, V) it does not depend on the scale of a parameter, so that a nearly flat error variance
    (log variance −8 ± 10) does not send the band astray. Where there are bootstrap draws and they reach further, the
    errors are widened to theirs (the module `resampling`).
    """
    return delta_of(model, lambda systems: function(*_stacked(systems)))


def delta_of(
    model: Fitted, function: Callable[[list[System]], np.ndarray]
) -> tuple[Float[np.ndarray, " k"], Float[np.ndarray, "k k"]]:
    """As `delta`, for an estimand of any of the model's matrices: a list of systems -> (n, k)."""
    fit = model.fit
    assert model.covariance is not None

    def estimand(thetas: np.ndarray) -> np.ndarray:
        return function(_systems(model, thetas))

    q = fit.theta.size
    steps = 1e-5 * np.eye(q)
    values = estimand(np.vstack([fit.theta[None], fit.theta + steps, fit.theta - steps]))
    J = (values[1 : q + 1] - values[q + 1 :]).T / 2e-5
    C = J @ model.covariance.matrix @ J.T
    if model.draws is not None:
        wider = widening(model.draws, estimand, values[0], np.sqrt(np.maximum(np.diag(C), 1e-18)))
        C = C * np.outer(wider, wider)
    return values[0], np.asarray(C)


def _systems(model: Fitted, thetas: Float[np.ndarray, "n q"]) -> list[System]:
    return [model.fit.structure.system(theta) for theta in thetas]


def _stacked(systems: list[System]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([s.drift for s in systems]), np.array([s.diffusion for s in systems])


def estimate(value: float, se: float, model: Fitted, level: float, scale: Scale = Scale.SD_PER_SD) -> Estimate:
    """A number with its interval: normal, or Student's where the error rests on few persons."""
    reach = float(stdtrit(model.degrees, 0.5 + level / 2) if np.isfinite(model.degrees) else ndtri(0.5 + level / 2))
    tail = stdtr(model.degrees, -abs(value) / se) if np.isfinite(model.degrees) else ndtr(-abs(value) / se)
    return Estimate(
        value, value - reach * se, value + reach * se, se, scale, model.fit.series.people, level, float(2 * tail)
    )
