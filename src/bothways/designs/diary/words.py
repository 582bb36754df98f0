"""The sentences of a diary: what it rests on, and the paragraph to paste into a paper."""

from __future__ import annotations

import numpy as np

from bothways.designs.diary.estimation import Models
from bothways.designs.diary.lags import Lags
from bothways.designs.diary.setup import DiarySetup
from bothways.designs.sampling import sampling_words
from bothways.terms.answer import Assumption, Caveat

UNWEIGHED = (
    " Forecasts, differences between people, checks of the records and scales take people as they are, unweighted and "
    "one by one."
)


def assumptions_of(setup: DiarySetup, models: Models, caveats: tuple[Caveat, ...]) -> tuple[Assumption, ...]:
    """What must hold, and whether these records speak against it."""
    codes = {caveat.code for caveat in caveats}
    error = "the share of chance was estimated" if models.chosen.error else "the share of chance was taken as none"
    found = [
        Assumption("Nothing unseen moves both conditions from day to day.", _held("common_cause", codes)),
        Assumption(
            "Each condition pulls on the other at once and fades evenly, day and night, over the whole record.",
            not codes & {"nights", "delayed", "residual_memory", "trend"},
        ),
        Assumption(
            "Whether an answer is missing depends on nothing but what was recorded before.",
            False if "missing_by_state" in codes else None,
        ),
        Assumption("Answers stand for what they measure, up to chance.", None, error),
        Assumption("A step on the scale means the same at every level.", not codes & {"floor", "ceiling"}),
    ]
    if not setup.one_person:
        found.append(Assumption("People differ in their usual levels but not in how one condition pulls on the other."))
    return tuple(found)


def _held(code: str, codes: set[str]) -> bool | None:
    """False where something was found against it; never True, for data cannot show that nothing is unseen."""
    return False if code in codes else None


def methods(setup: DiarySetup, models: Models, lags: Lags) -> str:
    """How it was done, in one paragraph."""
    series, pair = setup.series, setup.records.pair
    given = int(np.isfinite(series.values[:, :2]).any(axis=1).sum())
    who = "one person" if setup.one_person else f"{setup.people:,} people"
    left = setup.records.people - setup.people
    weights = ", with sampling weights" if setup.series.weight is not None else ""
    unweighed = " or without a usable weight" if setup.series.weight is not None else ""
    out = f" ({left:,} with fewer than three answers on either condition{unweighed} were left out)" if left else ""
    inputs = f" Stepwise inputs, held from one answer to the next: {', '.join(setup.phases)}." if setup.phases else ""
    if setup.impulses:
        inputs += f" Events that strike at a moment and then fade with the rest: {', '.join(setup.impulses)}."
    return (
        f"A first-order vector process in continuous time was fitted to {given:,} prompts of {who}{out} by maximum "
        f"likelihood{weights}: {pair.a.label} and {pair.b.label} change by a linear stochastic differential equation, "
        "seen at the times of the answers, so that uneven gaps, nights and missing answers need no filling in. "
        f"{_levels(setup)}; a linear trend over each record was taken out.{inputs} {_errors(models)} The likelihood "
        "came from a Kalman filter with exact transitions over every gap and its gradient from a reverse sweep. "
        "Effects are total effects exp(Ah) at a lag h, in standard deviations within persons (Ryan & Hamaker 2021); "
        f"the headline lag, {lags.headline_words}, was set before any estimate was seen, as the one stated or the "
        f"familiar lag nearest to the median gap. Intervals are from the delta method on {_spread(setup, models)}. A "
        "rival model in which an unseen common process stands in for the arrows, one with both, one without the trend "
        f"and one {'without' if models.chosen.error else 'with'} errors of measurement were fitted beside it."
        f"{UNWEIGHED if setup.series.weight is not None or setup.series.drawn is not None else ''}"
    )


def _levels(setup: DiarySetup) -> str:
    if setup.random_means:
        return "Usual levels were random over people, latent, estimated with all else and never subtracted beforehand"
    who = "The usual level of each condition was" if setup.one_person else "The usual levels of each person were"
    return f"{who} estimated as fixed"


def _errors(models: Models) -> str:
    if not models.chosen.error:
        why = ", since too little carries over between them to tell it from quick change" * models.with_error.usable
        return f"Answers were taken as free of error of measurement{why}."
    held = len(models.chosen.fit.at_limit)
    spreads = "one spread" if held == 1 else f"{held} spreads"
    told = f" ({spreads} went to zero and {'was' if held == 1 else 'were'} held there)" if held else ""
    return f"Errors of measurement were estimated{told}."


def _spread(setup: DiarySetup, models: Models) -> str:
    by_person = models.chosen.covariance is not None and models.chosen.covariance.kind == "sandwich"
    draws = models.chosen.draws
    if by_person:
        return f"a sandwich over {sampling_words(setup.records, setup.series.drawn)[1]}"
    if draws is not None:
        refits = f"{len(draws.points):,} refits to answers drawn from the model"
        return f"the curvature of the likelihood, widened where {refits} reach further (symmetric bootstrap-t)"
    short = " alone, which for a single diary is a little too narrow (a full run adds a bootstrap)"
    few = f" alone, which takes one condition to pull on the other alike in these {setup.people:,} people"
    return "the curvature of the likelihood" + short * setup.one_person + few * setup.few_people
