"""The onset design on the road: refuse -> set up -> fit -> answer."""

from __future__ import annotations

import time as clock
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from bothways.designs.base import Refusal
from bothways.designs.onset.answers import answers_of
from bothways.designs.onset.estimation import criterion, fit_all
from bothways.designs.onset.methods import methods_of
from bothways.designs.onset.models import Fitted
from bothways.designs.onset.persistence import Persistence, persistence
from bothways.designs.onset.resampling import resample
from bothways.designs.onset.room import room_of
from bothways.designs.onset.setup import prepare
from bothways.designs.onset.states import cut_of, state_rows
from bothways.designs.onset.tables import tables_of
from bothways.designs.onset.variants import variants_of
from bothways.designs.onset.whom import whom
from bothways.engine.chain.ascent import Ending
from bothways.terms.answer import DesignResult, Fit, Parameter
from bothways.terms.progress import Progress
from bothways.terms.question import Kind
from bothways.terms.records import Records
from bothways.terms.settings import Settings

LEAST_PEOPLE = 30
LEAST_ONSETS = 5


@dataclass(frozen=True, slots=True)
class OnsetDesign:
    """Two conditions present or absent over time: which comes first, and what each does to the onset of the other.

    ``hysteresis`` is by how many points a score must fall below its cut-off before it counts as recovered.
    """

    key: str = "onset"
    label: str = "onsets and recoveries"
    hysteresis: float = 0.0

    def refuse(self, records: Records, settings: Settings) -> Refusal | None:
        """It needs states, dated events or scores with a cut-off, people seen twice, and onsets to count."""
        if records.people == 1:
            return Refusal("it needs many people, and this is one person", "Add people, or ask this person's diary.")
        for condition in (records.pair.a, records.pair.b):
            if condition.kind is Kind.SCORE and cut_of(condition, settings) is None:
                return Refusal(
                    f"{condition.label} is a score, and from which value on it counts as present is not known",
                    f"Give --cut {condition.key}=VALUE.",
                )
            if condition.key not in records.values:
                return Refusal(f"{condition.label} was not recorded", "Name its column.")
        rows = state_rows(records, settings, self.hysteresis)
        joined = (np.diff(rows.person) == 0) & rows.known[:-1] & rows.known[1:]
        twice = int(np.unique(rows.person[:-1][joined]).size)
        if twice < LEAST_PEOPLE:
            return Refusal(
                f"{twice} people were seen twice with both conditions known; at least {LEAST_PEOPLE} are needed",
                "Add people or later times.",
            )
        before, after = rows.state[:-1][joined], rows.state[1:][joined]
        for bit, condition in ((1, records.pair.a), (2, records.pair.b)):
            begun = int((((before & bit) == 0) & ((after & bit) > 0) & (after < 4)).sum())
            if begun < LEAST_ONSETS:
                return Refusal(
                    f"{condition.label} was seen to begin {begun} times; at least {LEAST_ONSETS} onsets are needed",
                    "Add people who were free of it at first, or follow them for longer.",
                )
        return None

    def answer(self, records: Records, settings: Settings, progress: Progress) -> DesignResult:
        """Both directions, who came first, how much and how fast, under several stories of what made it so."""
        began = clock.perf_counter()
        progress("onset: setting up", 0.05)
        setup = prepare(records, settings, self.hysteresis)
        accuracy = {} if settings.headline_only else settings.accuracy
        fits = fit_all(setup, progress, quick=settings.quick, accuracy=accuracy)
        resampled = resample(setup, settings, fits, progress)
        progress("onset: answers", 0.85)
        room = room_of(setup, settings, fits, resampled)
        if settings.headline_only:
            return DesignResult(design=self.key, answers=answers_of(room))
        answers, tables, stays = answers_of(room), tables_of(room), Persistence()
        if fits.speaks.usable:
            progress("onset: in whom", 0.9)
            in_whom, levels = whom(room)
            answers, tables = (*answers, *in_whom), (*tables, *levels, *variants_of(room))
        if fits.speaks.usable and not settings.quick:
            progress("onset: who stays ill", 0.95)
            stays = persistence(room)
        fitted_all = (*fits.all, *stays.fits)
        seconds = clock.perf_counter() - began
        progress("onset: done", 1.0)
        return DesignResult(
            design=self.key,
            answers=(*answers, *stays.answers),
            fits=tuple(
                fit_of(fitted, settings.level, seconds / len(fitted_all), fits.sampled) for fitted in fitted_all
            ),
            tables=(*tables, *stays.tables),
            methods=" ".join(part for part in (methods_of(room), stays.methods) if part),
        )


def fit_of(fitted: Fitted, level: float, seconds: float, sampled: bool) -> Fit:
    """An engine's fit as the report knows it; parameters without a finite estimate are left out."""
    fit, reach = fitted.fit, float(ndtri(0.5 + level / 2))
    kept = np.flatnonzero(np.isfinite(np.diag(fit.robust)))
    rows = []
    for k in kept:
        value, se = float(fit.theta[k]), float(np.sqrt(fit.robust[k, k]))
        rows.append(Parameter(fit.names[k], value, se, value - reach * se, value + reach * se))
    return Fit(
        design="onset",
        model=fitted.key,
        status="converged" if fit.ending in (Ending.CONVERGED, Ending.EDGE) else str(fit.ending),
        parameters=tuple(rows),
        covariance=fit.robust[np.ix_(kept, kept)],
        loglik=fitted.loglik,
        iterations=fit.iterations,
        gradient=fit.gradient,
        seconds=seconds,
        indices={"daic" if sampled else "aic": criterion(fitted, sampled)},
        says=fit.says,
    )
