"""Diary design: refuse, or set up, fit, try to break, answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bothways.designs.base import Refusal
from bothways.designs.diary.aftermath import aftermath_tables
from bothways.designs.diary.answers import DIRECTIONS, ENDS, Run, answers_of
from bothways.designs.diary.checks import caveats_of, surprises
from bothways.designs.diary.course import course_caveats, refuse_courses
from bothways.designs.diary.estimation import (
    Fitted,
    Models,
    base_structure,
    choose,
    fit_pair,
    fit_rivals,
    fitted,
    resampled,
)
from bothways.designs.diary.items import item_answers
from bothways.designs.diary.lags import choose_lags
from bothways.designs.diary.limits import limits_of
from bothways.designs.diary.pathways import pathway_answers, pathways_in
from bothways.designs.diary.persons import LEAST_FOR_DIFFERENCES, person_answers
from bothways.designs.diary.plan import plan_table
from bothways.designs.diary.prompts import as_asked
from bothways.designs.diary.setup import DiarySetup, answers_by_person, set_up
from bothways.designs.diary.tables import (
    course_table,
    fits_of,
    forecast_table,
    impulse_table,
    models_table,
    records_table,
)
from bothways.designs.diary.whatif import what_if_tables
from bothways.designs.diary.whom import whom_answers
from bothways.designs.diary.words import assumptions_of, methods
from bothways.engine.statespace.forecast import ForecastGain, forecast_gain
from bothways.terms.answer import Answer, DesignResult, Table
from bothways.terms.progress import Progress
from bothways.terms.question import Direction, Kind
from bothways.terms.records import Records
from bothways.terms.settings import Settings

LEAST_ANSWERS = 20  # median a person
LEAST_ANSWERS_ALONE = 50
DRAWS = 99  # of the bootstrap for a single diary, whose curvature alone promises too much
MOST_WAVES = 15  # with so few common occasions the panel design speaks


@dataclass(frozen=True, slots=True)
class DiaryDesign:
    """Diaries of one person or many, at any times, answered in continuous time."""

    key: str = "diary"
    label: str = "diary"

    def refuse(self, records: Records, settings: Settings) -> Refusal | None:
        """Diaries need scores that move, and enough answers of each person."""
        pair = records.pair
        if Kind.EVENT in (pair.a.kind, pair.b.kind):
            return Refusal("a condition is recorded as dated events, not as answers", "Use the onset design.")
        if records.people > 1 and records.waves == 1:
            return Refusal("there is one occasion only, and a diary has many", "Say when each row was with --time COL.")
        if records.people > 1 and records.waves is not None and records.waves <= MOST_WAVES:
            return Refusal(f"there are {records.waves} common occasions, and a diary has many", "Use the panel design.")
        counts = answers_by_person(records).min(axis=1)
        least = LEAST_ANSWERS_ALONE if records.people == 1 else LEAST_ANSWERS
        median = float(np.median(counts)) if counts.size else 0.0
        if median < least:
            who = "the person" if records.people == 1 else "the median person"
            return Refusal(
                f"{who} answered {median:g} times on the condition answered less; at least {least} are needed",
                "Record for longer, or more often.",
            )
        for condition in (pair.a, pair.b):
            answers = records.values[condition.key]
            if np.unique(answers[np.isfinite(answers)]).size < 2:
                return Refusal(f"every answer on {condition.label} is the same", "Record where it changes.")
        return refuse_courses(records)

    def answer(self, records: Records, settings: Settings, progress: Progress) -> DesignResult:
        """Both directions, their contrast and course, the rivals, forecasts, and what would decide what is open."""
        progress("diary: preparing (the first use on a machine compiles for some seconds)", 0.0)
        setup = set_up(records)
        lags = choose_lags(setup, settings.horizon_days)
        models = _fit_all(setup, settings, progress)
        asked, seen = as_asked(setup, surprises(models) if models.chosen.usable else None)
        caveats = (*limits_of(models), *course_caveats(records), *caveats_of(asked, models, lags, seen))
        run = Run(setup, settings, models, lags, caveats, assumptions_of(setup, models, caveats))
        answers = answers_of(run)
        if settings.headline_only:
            return DesignResult(design=self.key, answers=tuple(a for a in answers if a.headline))
        tables = [records_table(asked), models_table(models, "day" if setup.in_days else "occasion")]
        if models.chosen.usable:
            tables += [impulse_table(setup, models, lags), plan_table(setup, settings, answers)]
            tables += aftermath_tables(run)
            tables += _forecasts(setup, models.chosen, settings, progress)
            if setup.one_person and seen is not None:
                tables.append(course_table(asked, seen, settings.level))
            tables += what_if_tables(run)
            more, told = ((), []) if settings.quick else _further(run, progress)
            answers, tables = (*answers, *more), [*tables, *told]
        progress("diary: done", 1.0)
        return DesignResult(
            design=self.key,
            answers=answers,
            fits=fits_of(models, settings.level),
            tables=tuple(tables),
            methods=methods(setup, models, lags),
        )


def _fit_all(setup: DiarySetup, settings: Settings, progress: Progress) -> Models:
    """The pair of models that may speak; their rivals where the run is not to be quick."""
    progress("diary: both directions", 0.1)
    plain, with_error = fit_pair(setup)
    chosen = choose(plain, with_error)
    if not chosen.usable or settings.headline_only:
        return Models(chosen, plain, with_error, None, None, None)
    count = settings.bootstrap or (0 if setup.random_means or settings.quick else DRAWS)
    if count:
        progress("diary: bootstrap", 0.2)
        wider = resampled(chosen, count, settings.seed)
        plain, with_error = (wider if model is chosen else model for model in (plain, with_error))
        chosen = wider
    progress("diary: an unseen common cause", 0.4)
    hidden, both = fit_rivals(setup, chosen)
    bare = set_up(setup.records, trend=False, phases=False)
    untrended: Fitted = fitted(chosen.name, base_structure(bare, error=chosen.error), bare, chosen.error)
    return Models(chosen, plain, with_error, hidden, both, untrended)


def _further(run: Run, progress: Progress) -> tuple[tuple[Answer, ...], list[Table]]:
    """What takes further models: items, circumstances, differences between people, pathways."""
    answers, tables = item_answers(run)
    progress("diary: in whom", 0.8)
    found = [whom_answers(run)]
    if run.setup.people >= LEAST_FOR_DIFFERENCES:
        progress("diary: differences between people", 0.85)
        found.append(person_answers(run))
    for more, told in found:
        answers, tables = (*answers, *more), (*tables, *told)
    for pathway in pathways_in(run.setup.records):
        progress(f"diary: pathway {run.setup.label(pathway)}", 0.9)
        rows, courses = pathway_answers(run, pathway)
        answers, tables = (*answers, *rows), (*tables, *courses)
    return answers, list(tables)


def _forecasts(setup: DiarySetup, chosen: Fitted, settings: Settings, progress: Progress) -> list[Table]:
    if settings.quick:
        return []
    gains: dict[Direction, ForecastGain | None] = {}
    for k, direction in enumerate(DIRECTIONS):
        progress("diary: forecasts of answers left out", 0.6 + 0.15 * k)
        gains[direction] = forecast_gain(chosen.fit, *ENDS[direction], level=settings.level)
    table = forecast_table(setup, gains)
    return [] if table is None else [table]
