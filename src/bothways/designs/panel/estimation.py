"""Fit the forms of a panel, and choose between lags equal over time and lags free, by a scaled test."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from bothways.designs.panel.models import Form, path_model
from bothways.designs.panel.setup import PanelSetup
from bothways.engine.fitindices import FitIndices, indices
from bothways.engine.fitting import Outcome, PanelFit, fit_model
from bothways.engine.inference import Uncertainty, robust
from bothways.engine.scaled import SaturatedPieces, Test, difference_test, saturated_pieces

STANDS = 0.05  # equal lags stand unless the test's p is below this
METHODS: tuple[Literal["2010", "2001"], ...] = ("2010", "2001")  # of scaling, the first that can be had


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """One form fitted to one set-up. ``errors`` is None where no standard errors exist, and then nothing is said."""

    form: Form
    fit: PanelFit
    errors: Uncertainty | None
    seconds: float
    indices: FitIndices | None = None

    @property
    def usable(self) -> bool:
        """Whether estimates may be shown: gradient and rank held, and every standard error exists."""
        ended = self.fit.status.outcome in (Outcome.CONVERGED, Outcome.INADMISSIBLE)
        return ended and self.errors is not None

    @property
    def improper(self) -> bool:
        """Whether a variance came out negative or a correlation beyond one."""
        return self.fit.status.outcome is Outcome.INADMISSIBLE


@dataclass(frozen=True, slots=True, eq=False)
class Headline:
    """The model that speaks: ``chosen``, with the form with free lags beside it and the test between the two."""

    chosen: Fitted
    free: Fitted | None
    test: Test | None

    @property
    def pooled(self) -> bool:
        """Whether one set of lags holds for all intervals (None of this with two waves)."""
        return self.chosen.form.lags in ("equal", "drift")


def estimate(setup: PanelSetup, form: Form) -> Fitted:
    """Fit one form by full-information maximum likelihood with robust (sandwich) errors.

    A search that runs into numbers beyond all bounds ends in a status; numpy need not warn of it as well.
    """
    start = time.perf_counter()
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        fit = fit_model(path_model(setup, form), setup.data, saturated=setup.h1)
        errors = _errors(fit, setup)
    return Fitted(form, fit, errors, time.perf_counter() - start)


def _errors(fit: PanelFit, setup: PanelSetup) -> Uncertainty | None:
    if fit.status.outcome not in (Outcome.CONVERGED, Outcome.INADMISSIBLE) or not _scalable(fit):
        return None
    try:
        errors = robust(fit, setup.sampling)
    except np.linalg.LinAlgError:
        return None
    return errors if np.isfinite(errors.errors).all() else None


def _scalable(fit: PanelFit) -> bool:
    """Whether everything that lags connect has a positive variance, so that lags can be standardised."""
    variances = np.diag(fit.implied()[0].omega)
    return bool((variances[np.array(fit.model.lagged)] > 0).all())


def headline(setup: PanelSetup, forms: Sequence[Form]) -> Headline:
    """Constrained and free form; equal lags speak while the scaled difference test lets them stand.

    Where only one of the two can be fitted it speaks untested.
    """
    fits = [estimate(setup, form) for form in forms]
    if len(fits) == 1:
        return Headline(fits[0], None, None)
    tied, free = fits
    if not tied.usable or not free.usable:
        return Headline(free if free.usable and not tied.usable else tied, free if free.usable else None, None)
    test = compare(tied, free, setup)
    stands = test is None or not test.p < STANDS
    return Headline(tied if stands else free, free, test)


def compare(small: Fitted, large: Fitted, setup: PanelSetup) -> Test | None:
    """The scaled difference test of two nested forms (Satorra & Bentler 2010); None where it cannot be had.

    The factor of 2001 is a difference of two traces at two estimates and may come out near nil, or below, by chance:
    a small difference of likelihoods is then divided by it. The variant of 2010 takes both traces at the small form's
    estimates and is strictly positive. The former stands in where the large form cannot be brought to those estimates.
    """
    if small.errors is None or large.errors is None:
        return None
    tau = (small.errors.tau, large.errors.tau)
    for method in METHODS:
        try:
            test = difference_test(small.fit, large.fit, method, tau=tau, clusters=setup.sampling)
        except (ValueError, np.linalg.LinAlgError):
            continue
        if np.isfinite(test.p):
            return test
    return None


def pieces_of(setup: PanelSetup, fitted: Fitted) -> SaturatedPieces | None:
    """What fit indices need of the saturated model, once for all models; None where it is not identified."""
    try:
        return saturated_pieces(fitted.fit, setup.sampling)
    except np.linalg.LinAlgError:
        return None


def with_indices(fitted: Fitted, pieces: SaturatedPieces | None, setup: PanelSetup) -> Fitted:
    """``fitted`` with its fit indices, where they can be had."""
    if pieces is None or not fitted.usable:
        return fitted
    try:
        return replace(fitted, indices=indices(fitted.fit, fitted.errors, pieces, setup.sampling))
    except (np.linalg.LinAlgError, ValueError):
        return fitted
