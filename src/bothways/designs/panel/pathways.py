"""Through what: the within-person model with mediators as further processes, and effects over two waves.

With β_t the lags into wave t+1, standardised within people, x the first condition, y the second, m a mediator:

    total     = mean over t of (β_{t+1} β_t)_yx                      x(t) -> y(t+2), by every way
    indirect  = mean over t of Σ_m (β_{t+1})_ym (β_t)_mx             x(t) -> m(t+1) -> y(t+2)
    direct    = total − indirect       the same product with the rows and columns of the mediators left out
    same wave = mean over t of (β_{t+1})_ym s_mx,t                   x(t) -> m(t) -> y(t+1)

    s_mx,t = (Ψ_mx / Ψ_xx) sd(w_x) / sd(w_m)  at wave t: what is new in m beside what is new in x

The product over two waves has all three measurements in order (Cole & Maxwell 2003); the one within a wave takes it
that x moves m before it is asked, and not the other way around. With one drift matrix over unequal gaps, β is e^D.
Products of estimates are skew: limits are percentiles of draws from the joint normal law of the estimates (MacKinnon,
Lockwood & Williams 2004), or of resampled people. With n people and p scores of each, residuals use up p of n: the
law's covariance is the robust one times n/(n − p) (HC1; MacKinnon & White 1985). Over simulated worlds with p = 35 the
robust errors of legs alone were 4 % (±1) below their spread at n = 300 and level with it (±1) at 568, so that the
factor errs a little to the safe side.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import expm

from bothways.designs.panel.effects import drift_places
from bothways.designs.panel.estimation import Fitted, estimate
from bothways.designs.panel.models import Form
from bothways.designs.panel.room import ENDS, Room
from bothways.designs.panel.setup import PanelSetup, prepare
from bothways.engine.effects import raw_lags
from bothways.engine.fitting import PanelFit
from bothways.engine.inference import delta_method
from bothways.engine.moments import Implied, implied_moments
from bothways.engine.panel_models.builder import PathModel
from bothways.engine.parameters import Smooth
from bothways.engine.resample import bootstrap
from bothways.terms.answer import Estimand
from bothways.terms.question import Direction

DRAWS = 10_000
LEAST_CONVERGED = 0.9
CHUNK = 50  # resamples whose moments are held at once


@dataclass(frozen=True, slots=True, eq=False)
class Legs:
    """Standardised lags into and out of the pair, of the estimate or of draws along a leading axis.

    ``into`` (..., intervals, 2, K) are effects of every process on the pair, ``out`` (..., intervals, K, 2) those of
    the pair on every process; ``same`` (..., intervals − 1, K, 2) what is new in each process beside what is new in
    one of the pair, at the waves at which the second interval and those after it begin.
    """

    into: Float[np.ndarray, "*draws intervals 2 K"]
    out: Float[np.ndarray, "*draws intervals K 2"]
    same: Float[np.ndarray, "*draws waves K 2"]

    def first(self, direction: Direction, m: int) -> np.ndarray:
        """x -> m over one wave."""
        return np.asarray(self.out[..., m, ENDS[direction][1]].mean(axis=-1))

    def second(self, direction: Direction, m: int) -> np.ndarray:
        """m -> y over one wave, x held still."""
        return np.asarray(self.into[..., ENDS[direction][0], m].mean(axis=-1))

    def total(self, direction: Direction) -> np.ndarray:
        """x -> y over two waves, by every way."""
        y, x = ENDS[direction]
        return np.asarray((self.into[..., 1:, y, :] * self.out[..., :-1, :, x]).sum(axis=-1).mean(axis=-1))

    def indirect(self, direction: Direction, through: Sequence[int]) -> np.ndarray:
        """x -> m -> y over two waves, summed over the mediators."""
        y, x = ENDS[direction]
        m = list(through)
        return np.asarray((self.into[..., 1:, y, :][..., m] * self.out[..., :-1, m, x]).sum(axis=-1).mean(axis=-1))

    def same_wave(self, direction: Direction, through: Sequence[int]) -> np.ndarray:
        """x -> m within a wave, m -> y over one."""
        y, x = ENDS[direction]
        m = list(through)
        return np.asarray((self.into[..., 1:, y, :][..., m] * self.same[..., m, x]).sum(axis=-1).mean(axis=-1))


@dataclass(frozen=True, slots=True, eq=False)
class Mediated:
    """One fitted model with mediators: ``legs`` at the estimates, ``drawn`` in draws from their joint law."""

    mediators: tuple[str, ...]
    setup: PanelSetup
    fitted: Fitted
    legs: Legs | None = None
    drawn: Legs | None = None
    resampled: bool = False

    @property
    def usable(self) -> bool:
        """Whether its numbers may be shown."""
        return self.legs is not None

    def place(self, mediator: str) -> int:
        """A mediator's place among the processes."""
        return self.setup.processes.index(mediator)

    def parts(self, legs: Legs, estimand: Estimand, direction: Direction, through: Sequence[str]) -> np.ndarray:
        """One estimand of a pathway, from the estimates or from draws."""
        m = [self.place(key) for key in through]
        match estimand:
            case Estimand.TOTAL:
                return legs.total(direction)
            case Estimand.INDIRECT:
                return legs.indirect(direction, m)
            case Estimand.DIRECT:
                return np.asarray(legs.total(direction) - legs.indirect(direction, m))
            case Estimand.FIRST_LEG:
                return legs.first(direction, m[0])
            case _:
                return legs.second(direction, m[0])


def mediated(room: Room, mediators: Sequence[str]) -> Mediated:
    """The within-person model of the pair and these mediators, in the headline's form where that can be fitted."""
    setup = prepare(room.setup.records, tuple(mediators))
    fitted = estimate(setup, _form(room, setup))
    if not fitted.usable and fitted.form.lags == "free":
        fitted = estimate(setup, Form("ri-clpm", "equal" if setup.waves.even else "drift"))
    if not fitted.usable:
        return Mediated(tuple(mediators), setup, fitted)
    function = legs_function(fitted)
    K = setup.K
    again = _resampled(room, fitted.fit, function)
    draws = _normal_draws(room, fitted, function) if again is None else again
    here = np.asarray(function(fitted.fit.alpha))
    return Mediated(tuple(mediators), setup, fitted, legs_by_name(here, K), legs_by_name(draws, K), again is not None)


def _form(room: Room, setup: PanelSetup) -> Form:
    """Lags free over time only where the two conditions alone called for it."""
    if room.headline.chosen.form.lags == "free":
        return Form("ri-clpm", "free")
    return Form("ri-clpm", "equal" if setup.waves.even else "drift")


def legs_function(fitted: Fitted) -> Smooth:
    """α -> the entries of ``Legs``, flat, for one α or a batch. The moments, which cost most, are made once."""
    model, drift = fitted.fit.model, fitted.form.lags == "drift"
    places, lags = np.array(model.lagged), _one_step(model) if drift else raw_lags(model)

    def function(alpha: np.ndarray) -> np.ndarray:
        implied = implied_moments(model.structure, model.cells(alpha)[..., 0, :])
        sd = np.sqrt(np.diagonal(implied.omega, axis1=-2, axis2=-1)[..., places])
        same = _same_wave(implied, places[1:-1], sd[..., 1:-1, :])
        if drift:
            mean = np.sqrt((sd**2).mean(axis=-2))
            beta = lags(alpha) * (mean[..., None, :] / mean[..., :, None])[..., None, :, :]
            same = same.mean(axis=-3, keepdims=True)
        else:
            beta = lags(alpha)[..., 0, :, :, :] * sd[..., :-1, None, :] / sd[..., 1:, :, None]
        parts = (beta[..., :2, :], beta[..., :, :2], same)
        return np.concatenate([part.reshape(*alpha.shape[:-1], -1) for part in parts], axis=-1)

    return function


def _one_step(model: PathModel) -> Smooth:
    """α -> e^D over one median gap, twice in a row, (..., 2, K, K)."""
    D, K = drift_places(model)

    def lags(alpha: np.ndarray) -> np.ndarray:
        step = np.asarray(expm(alpha[..., D].reshape(*alpha.shape[:-1], K, K)))
        return np.stack([step, step], axis=-3)

    return lags


def _same_wave(implied: Implied, places: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """s_t of the waves between the first and the last, (..., T − 2, K, 2)."""
    new = implied.S[..., places[:, :, None], places[:, None, :2]]
    own = np.diagonal(implied.S, axis1=-2, axis2=-1)[..., places[:, :2]]
    return np.asarray(new / own[..., None, :] * sd[..., None, :2] / sd[..., :, None])


def legs_by_name(flat: np.ndarray, K: int) -> Legs:
    """The parts of ``legs_function`` by name: 4K entries for each interval, and 2K more for each but the first."""
    intervals = (flat.shape[-1] + 2 * K) // (6 * K)
    cut = intervals * 2 * K
    into, out, same = np.split(flat, [cut, 2 * cut], axis=-1)
    lead = flat.shape[:-1]
    return Legs(
        into.reshape(*lead, intervals, 2, K), out.reshape(*lead, intervals, K, 2), same.reshape(*lead, -1, K, 2)
    )


def _normal_draws(room: Room, fitted: Fitted, function: Smooth) -> np.ndarray:
    """Draws from N(θ̂, V) of the legs, V by the delta method; half of the draws mirror the other half."""
    assert fitted.errors is not None
    covariance = fitted.errors.covariance * small_sample(fitted.fit.data.total, len(fitted.fit.model.observed))
    interval = delta_method(function, fitted.fit, covariance, room.settings.level)
    values, vectors = np.linalg.eigh(interval.covariance)
    kept = values > 1e-12 * values.max(initial=0.0)
    rng = np.random.default_rng([room.settings.seed, len(values)])
    z = rng.standard_normal((DRAWS // 2, int(kept.sum())))
    away = z @ (vectors[:, kept] * np.sqrt(values[kept])).T
    return np.asarray(interval.value + np.concatenate([away, -away]))


def small_sample(people: float, scores: int) -> float:
    """n/(n − p), at most 2: beyond it there are too few people for this model, and no factor mends that."""
    return people / max(people - scores, people / 2)


def _resampled(room: Room, fit: PanelFit, function: Smooth) -> np.ndarray | None:
    """The legs of resampled people; None where none are asked for, or too few resamples can be fitted.

    None with clusters or strata, which would have to be resampled as wholes.
    """
    settings = room.settings
    if settings.quick or not settings.bootstrap or room.setup.sampling is not None:
        return None
    rng = np.random.default_rng([settings.seed, len(fit.alpha)])
    found = bootstrap(fit, settings.bootstrap, rng, workers=settings.workers or os.cpu_count() or 1)
    if found.converged.mean() < LEAST_CONVERGED:
        return None
    good = found.alpha[found.converged]
    with np.errstate(invalid="ignore"):
        parts = [np.asarray(function(good[i : i + CHUNK])) for i in range(0, len(good), CHUNK)]
    draws = np.concatenate(parts)
    return np.asarray(draws[np.isfinite(draws).all(axis=1)])
