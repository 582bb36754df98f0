"""Tables and fits of a diary: what was recorded, what was estimated, forecasts, impulses, a person's own course."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from bothways.designs.diary.answers import DIRECTIONS, ENDS
from bothways.designs.diary.checks import Surprises
from bothways.designs.diary.compared import SURVEY_NOTE, criterion, is_sampled
from bothways.designs.diary.endings import ENDINGS
from bothways.designs.diary.estimation import Fitted, Models
from bothways.designs.diary.lags import Lags, answered_gaps
from bothways.designs.diary.setup import DiarySetup
from bothways.engine.statespace.effects import Impulse, half_lives, impulse_response, periods
from bothways.engine.statespace.fit import StateSpaceFit
from bothways.engine.statespace.forecast import ForecastGain
from bothways.terms.answer import Cell, Fit, Parameter, Table
from bothways.terms.question import Direction

MODEL_LABELS = {
    "ct-var": "both directions, answers free of error",
    "ct-var-error": "both directions, answers with error",
    "hidden-cause": "an unseen common cause in place of both directions",
    "ct-var-hidden": "both directions beside an unseen common cause",
}
KINDS = {
    Impulse.EXPERIMENTAL: "it alone is raised by one",
    Impulse.SHOCK: "a surprise of one is seen, with what comes with it",
    Impulse.LEVEL: "it is seen one above its mean",
    Impulse.PUSH: "it is pushed up at one a unit of time from then on",
}


def records_table(setup: DiarySetup) -> Table:
    """What the diary holds."""
    series = setup.series
    given = np.isfinite(series.values)
    gaps = answered_gaps(series)
    unit = "day" if setup.in_days else "occasion"
    span = series.time[series.starts[1:] - 1] - series.time[series.starts[:-1]]
    rows: list[tuple[Cell, ...]] = [
        ("people", setup.people),
        ("prompts with any answer", int(given.any(axis=1).sum())),
        ("prompts a person, median", float(np.median(np.diff(series.starts)))),
        (f"length of a record, {unit}s, median", float(np.median(span))),
        *((f"gap between answers, {unit}s, {q:.0%} quantile", float(np.quantile(gaps, q))) for q in (0.05, 0.5, 0.95)),
        ("distinct gaps", int(np.unique(series.gaps).size)),
    ]
    for j, key in enumerate(setup.processes):
        answers = setup.records.values[key]
        answers = answers[np.isfinite(answers)]
        rows += [
            (f"{setup.label(key)}: answers missing among these prompts", int((~given[:, j]).sum())),
            (f"{setup.label(key)}: SD within persons", float(setup.spread[j])),
            (f"{setup.label(key)}: share at the lowest value", float(np.mean(answers == answers.min()))),
            (f"{setup.label(key)}: share at the highest value", float(np.mean(answers == answers.max()))),
        ]
    return Table("diary.records", "What the diary holds", ("what", "value"), tuple(rows))


def models_table(models: Models, unit: str) -> Table:
    """The models side by side."""
    rows: list[tuple[Cell, ...]] = []
    for model in _all(models):
        fit = model.fit
        slowest = float(half_lives(fit.system.drift)[0]) if model.usable else None
        rows.append(
            (
                _label(models, model), "yes" if model is models.chosen else "", fit.loglik, fit.structure.size,
                criterion(model),
                slowest, ENDINGS[fit.outcome], ", ".join(fit.at_limit),
            )
        )  # fmt: skip
    columns = (
        "model", "speaks", "log-likelihood", "parameters", "AIC", f"slowest half-life, {unit}s", "ended",
        "held at zero",
    )  # fmt: skip
    note = SURVEY_NOTE if is_sampled(models.chosen.fit.series) else ""
    return Table("diary.models", "The models", columns, tuple(rows), note)


def _all(models: Models) -> list[Fitted]:
    rows = (models.with_error, models.plain, models.hidden, models.hidden_with_arrows, models.untrended)
    return [model for model in rows if model is not None]


def _label(models: Models, model: Fitted) -> str:
    label = MODEL_LABELS.get(model.name, model.name)
    return f"{label}, trend left in" if model is models.untrended else label


def fit_of(models: Models, model: Fitted, level: float, seconds: float = 0.0) -> Fit:
    """A fit as facts: every parameter on the scale it was estimated on, named so."""
    fit = model.fit
    se = np.full(fit.theta.size, np.nan)
    if model.covariance is not None:
        se = np.sqrt(np.maximum(np.diag(model.covariance.matrix), 0.0))
    reach = float(ndtri(0.5 + level / 2))
    logs = {name for b in fit.structure.blocks for name, log in zip(b.names, b.log, strict=True) if log}
    rows = tuple(
        Parameter(
            f"log {name}" if name in logs else name, float(v), float(s), float(v - reach * s), float(v + reach * s)
        )
        for name, v, s in zip(fit.structure.names, fit.theta, se, strict=True)
    )
    drift = fit.system.drift
    indices = _criteria(model)
    indices |= {f"half_life_{k + 1}": float(h) for k, h in enumerate(half_lives(drift))}
    indices |= {f"period_{k + 1}": float(h) for k, h in enumerate(periods(drift))}
    return Fit(
        design="diary",
        model=f"{model.name}-untrended" if model is models.untrended else model.name,
        status=fit.outcome.value,
        parameters=rows,
        covariance=None if model.covariance is None else model.covariance.matrix,
        loglik=fit.loglik,
        iterations=fit.evaluations,
        gradient=float(np.sqrt(max(fit.decrement, 0.0))) if np.isfinite(fit.decrement) else None,
        seconds=seconds,
        indices=indices,
        says=f"held at zero: {', '.join(fit.at_limit)}" if fit.at_limit else "",
    )


def _criteria(model: Fitted) -> dict[str, float | None]:
    """AIC and BIC; of a sample the like of AIC alone."""
    if is_sampled(model.fit.series):
        return {"daic": criterion(model)}
    size = model.fit.theta.size
    return {"aic": model.fit.aic, "bic": model.fit.aic + (np.log(answers_seen(model.fit)) - 2) * size}


def answers_seen(fit: StateSpaceFit) -> float:
    """How many answers a fit rests on."""
    return float(np.isfinite(fit.series.values).sum())


def fits_of(models: Models, level: float) -> tuple[Fit, ...]:
    """Every model as facts, the one that speaks first."""
    rest = [model for model in _all(models) if model is not models.chosen]
    return tuple(fit_of(models, model, level) for model in (models.chosen, *rest))


def forecast_table(setup: DiarySetup, gains: dict[Direction, ForecastGain | None]) -> Table | None:
    """Does the past of one improve forecasts of the other, on answers that the model has not seen?"""
    rows: list[tuple[Cell, ...]] = []
    for direction, gain in gains.items():
        if gain is None:
            continue
        first, second = direction.ends(setup.records.pair)
        spread = float(setup.spread[ENDS[direction][0]])
        rows.append(
            (
                f"{first.label} to {second.label}", gain.gain, gain.low, gain.high, gain.rmse * spread,
                gain.rmse_without * spread, gain.answers, gain.blocks,
            )
        )  # fmt: skip
    if not rows:
        return None
    return Table(
        "diary.forecast",
        "Does the past of one improve forecasts of the other?",
        ("direction", "gain in log score", "low", "high", "error with", "error without", "answers", "blocks"),
        tuple(rows),
        "Each answer was foreseen one prompt ahead by models fitted without its block. A gain above zero says that the "
        "past of the first helps; the log score is in natural units for each answer.",
    )


def impulse_table(setup: DiarySetup, models: Models, lags: Lags) -> Table:
    """What follows an impulse, by its kind: acting and seeing are different questions and kept apart."""
    fit, p = models.chosen.fit, 2
    A, Q = fit.system.drift[None, :p, :p], fit.system.diffusion[None, :p, :p]
    rows: list[tuple[Cell, ...]] = []
    for direction in DIRECTIONS:
        outcome, cause = ENDS[direction]
        first, second = direction.ends(setup.records.pair)
        for kind, words in KINDS.items():
            response = impulse_response(A, Q, lags.curve, cause, kind)[0, :, outcome]
            for lag, value in zip(lags.curve.tolist(), response.tolist(), strict=True):
                scaled = value * float(setup.spread[outcome] / setup.spread[cause])
                rows.append((first.label, kind.value, words, second.label, lag, scaled))
    unit = "days" if setup.in_days else "occasions"
    return Table(
        "diary.impulse",
        "What follows an impulse, by its kind",
        ("impulse in", "kind", "what happens", "outcome", f"lag, {unit}", "change, points"),
        tuple(rows),
        "In points of the scales. 'Experimental' and 'sustained push' speak of acting, the observed kinds of seeing.",
    )


def course_table(setup: DiarySetup, seen: Surprises, level: float) -> Table:
    """One person's own course: time, both answers, then for each the band in which the model expected it."""
    reach = float(ndtri(0.5 + level / 2))
    center = seen.foreseen.center[:, :2] * setup.spread[:2] + setup.center[:2]
    half = reach * seen.foreseen.spread[:, :2] * setup.spread[:2]
    answers = setup.series.values[:, :2] * setup.spread[:2] + setup.center[:2]
    rows: list[tuple[Cell, ...]] = []
    for t, when in enumerate(setup.series.time.tolist()):
        given = (float(x) if np.isfinite(x) else None for x in answers[t])
        bands = np.stack([center[t] - half[t], center[t] + half[t]], axis=1).ravel().tolist()
        rows.append((when, *given, *bands))
    labels = [setup.label(key) for key in setup.processes[:2]]
    bands_of = (f"{label}, expected {end}" for label in labels for end in ("from", "to"))
    columns = ("day" if setup.in_days else "occasion", *labels, *bands_of)
    return Table("course", "The course of the diary", columns, tuple(rows))
