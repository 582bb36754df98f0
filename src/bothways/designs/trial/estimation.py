"""Fit the comparison, and read what each arm did to each condition at each wave."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from bothways.designs.trial.setup import TrialSetup, variable
from bothways.engine.fitting import Outcome, PanelFit, fit_model
from bothways.engine.inference import Interval, delta_method, robust
from bothways.engine.lever import wald
from bothways.engine.panel_models.constrained import constrained_longitudinal
from bothways.engine.parameters import Smooth
from bothways.engine.patterns import pattern_statistics


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """A fit and the covariance of its parameters (None where there is none).

    ``effects`` (cells, arms) in standard deviations before treatment and their joint ``covariance`` in that order.
    """

    setup: TrialSetup
    fit: PanelFit
    errors: Float[np.ndarray, "free free"] | None
    effects: Float[np.ndarray, "cells arms"]
    covariance: Float[np.ndarray, "effects effects"]
    seconds: float

    @property
    def usable(self) -> bool:
        """Whether estimates may be read: gradient and rank held, nothing impossible, every error exists."""
        return self.errors is not None

    def places(self, k: int, t: int) -> list[int]:
        """Where the arms' effects on condition k at wave t stand in ``covariance``."""
        arms = self.effects.shape[1]
        first = self.setup.cells.index((k, t)) * arms
        return list(range(first, first + arms))

    def effect(self, k: int, t: int) -> Float[np.ndarray, "arms"]:
        """The arms' effects on one condition at one wave."""
        return np.asarray(self.effects[self.setup.cells.index((k, t))])

    def test(self, k: int, t: int) -> float:
        """p of "no arm moved this condition at this wave"."""
        at = self.places(k, t)
        return wald(self.effect(k, t), self.covariance[np.ix_(at, at)], self.setup.freedom)

    def function(self, of: Smooth, level: float) -> Interval:
        """Any function of the model with its errors."""
        assert self.errors is not None
        return delta_method(of, self.fit, self.errors, level)


def compare(setup: TrialSetup) -> Compared:
    """Full-information maximum likelihood with sandwich errors, widened for the regressors as n/(n − k) does."""
    start = time.perf_counter()
    before = [variable(k, 0) for k in setup.before]
    later = [variable(k, t) for k, t in setup.cells]
    model = constrained_longitudinal(setup.dummies, [f"z.{n}" for n in setup.covariates], before, later)
    fit = fit_model(model, pattern_statistics(setup.table, setup.weights))
    errors = _errors(setup, fit)
    at = [model.parameters.index(f"effect[{y},{x}]") for y in later for x in setup.dummies]
    V = np.full((len(at), len(at)), np.nan) if errors is None else errors[np.ix_(at, at)]
    effects = fit.alpha[at].reshape(len(later), -1)
    return Compared(setup, fit, errors, effects, V, time.perf_counter() - start)


def _errors(setup: TrialSetup, fit: PanelFit) -> Float[np.ndarray, "free free"] | None:
    if fit.status.outcome is not Outcome.CONVERGED:
        return None
    try:
        V = robust(fit, setup.sampling).covariance
    except np.linalg.LinAlgError:
        return None
    told = [not name.startswith(("mean.arm", "cov[arm")) for name in fit.model.names]
    if not np.isfinite(V).all() or not (np.diag(V)[told] > 0).all():  # the share of an arm fixes its own variance
        return None
    n = setup.people
    gained = n if setup.sampling is None else n - 1  # clusters carry their own C/(C − 1)
    return np.asarray(V * (gained / max(n - setup.regressors, 1)))
