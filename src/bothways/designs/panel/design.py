"""The panel design on the road: refuse -> set up -> fit -> answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bothways.designs.base import Refusal
from bothways.designs.panel.answers import answers_of
from bothways.designs.panel.caveats import assumptions_of, caveats_of
from bothways.designs.panel.delayed import warned
from bothways.designs.panel.estimation import Fitted, Headline, estimate, headline, pieces_of, with_indices
from bothways.designs.panel.failures import failure_words
from bothways.designs.panel.hints import hint_table
from bothways.designs.panel.methods import methods_of
from bothways.designs.panel.missing import leaving
from bothways.designs.panel.models import compared_forms, headline_forms
from bothways.designs.panel.parameters import parameter_table, unit_factors
from bothways.designs.panel.pathway_answers import pathway_answers, pathways_of
from bothways.designs.panel.pathway_tables import pathway_tables
from bothways.designs.panel.pathway_words import methods_words
from bothways.designs.panel.resampling import interval_table, is_resampled, resampled
from bothways.designs.panel.room import Room, slug_of
from bothways.designs.panel.setup import PanelSetup, Waves, answered, prepare, usable_waves
from bothways.designs.panel.stability import stability_table
from bothways.designs.panel.tables import tables_of, unit_loglik
from bothways.designs.panel.whatif import what_if_tables
from bothways.designs.panel.whom import in_whom
from bothways.terms.answer import Answer, DesignResult, Estimate, Fit, Table
from bothways.terms.progress import Progress
from bothways.terms.question import Direction, Kind
from bothways.terms.records import Records
from bothways.terms.settings import Settings

LEAST_PEOPLE = 50
MOST_WAVES = 15
UNCHANGING = 1e-4  # a share of the variance within people below which there is nothing to explain


@dataclass(frozen=True, slots=True)
class PanelDesign:
    """A few common waves of many people: within-person lags in both directions at once."""

    key: str = "panel"
    label: str = "panel of waves"

    def refuse(self, records: Records, settings: Settings) -> Refusal | None:
        """Panels need common occasions, at least one scored condition, and enough people seen twice."""
        if records.people == 1:
            return Refusal("it needs many people, and this is one person", "Add people, or ask this person's diary.")
        if records.wave is None:
            return Refusal(
                "people were asked at times of their own, not at common occasions", "Give --waves if they are waves."
            )
        waves = records.waves or 0
        if waves < 2:
            return Refusal("there is one wave only, and what follows cannot be seen in one look", "Add a later wave.")
        if waves > MOST_WAVES:
            return Refusal(
                f"there are {waves} occasions; this design is for at most {MOST_WAVES}", "Use the diary design."
            )
        if Kind.SCORE not in (records.pair.a.kind, records.pair.b.kind):
            return Refusal("both conditions are only present or absent", "Use the onset design.")
        usable = usable_waves(records, (records.pair.a.key, records.pair.b.key))
        return _refuse_waves(usable) or _refuse_scores(records, usable)

    def answer(self, records: Records, settings: Settings, progress: Progress) -> DesignResult:
        """Both directions and their contrast, the lags over time, other models beside, and what cannot be asked."""
        progress("panel: setting up", 0.05)
        setup = prepare(records)
        room = fit_all(setup, settings, progress)
        if settings.headline_only:
            return DesignResult(design=self.key, answers=tuple(a for a in answers_of(room) if a.headline))
        drawn = resampled(room, progress)
        more = () if settings.quick or not room.headline.chosen.usable else _more_tables(room, drawn)
        through, parts, how = _through_what(room, progress)
        whom, levels = in_whom(room, progress) if room.headline.chosen.usable else ((), ())
        progress("panel: done", 1.0)
        return DesignResult(
            design=self.key,
            answers=(*warned(answers_of(room, drawn), through), *through, *whom),
            fits=tuple(fit_of(setup, fitted, settings.level, slug_of(room, fitted)) for fitted in fits_of(room)),
            tables=(*tables_of(room), *what_if_tables(room), *more, *parts, *levels),
            methods=" ".join(x for x in (methods_of(room), is_resampled(room, drawn), how) if x),
        )


def _through_what(room: Room, progress: Progress) -> tuple[tuple[Answer, ...], tuple[Table, ...], str]:
    """Pathways and other third processes; nothing where the model of the two conditions alone could not be fitted."""
    if not room.headline.chosen.usable:
        return (), (), ""
    found = pathways_of(room, progress)
    again = any(model.resampled for model in (*found.alone.values(), *found.joint.values()))
    words = methods_words(found.keys, room, resampled=again)
    return pathway_answers(room, found), pathway_tables(room, found), words


def _more_tables(room: Room, drawn: dict[Direction, Estimate]) -> tuple[Table, ...]:
    """What takes longer than a quick look."""
    tables = (interval_table(room, drawn), stability_table(room), hint_table(room))
    return tuple(table for table in tables if table.rows)


def _refuse_waves(waves: Waves) -> Refusal | None:
    if len(waves.kept) < 2:
        return Refusal(
            "fewer than two waves hold answers on both conditions that differ between people", "Add a later wave."
        )
    twice = int((answered(waves).sum(axis=1) > 1).sum())
    if twice < LEAST_PEOPLE:
        return Refusal(
            f"{twice} people answered at two waves or more; at least {LEAST_PEOPLE} are needed", "Add people or waves."
        )
    return None


def _refuse_scores(records: Records, waves: Waves) -> Refusal | None:
    """A pair of which both only take two values, or of which one never changes in anyone."""
    two = []
    for k, condition in enumerate((records.pair.a, records.pair.b)):
        x = waves.scores[..., k]
        seen = np.isfinite(x)
        low, high = (np.min(x[seen]), np.max(x[seen]))
        two.append(bool(np.isin(x[seen], (low, high)).all()))
        person = np.where(seen, x, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
        within = np.where(seen, x - person[:, None], 0.0)
        if float((within**2).sum()) < UNCHANGING * float(((x[seen] - x[seen].mean()) ** 2).sum()):
            return Refusal(
                f"{condition.label} hardly ever changes within a person, so that nothing can be seen to follow",
                "Name a condition that was asked anew at each wave.",
            )
    return Refusal("both conditions only ever take two values", "Use the onset design.") if all(two) else None


def fit_all(setup: PanelSetup, settings: Settings, progress: Progress) -> Room:
    """The headline model in its forms and every model beside it, with fit indices."""
    speaking = headline(setup, headline_forms(setup))
    if settings.headline_only:
        alone = Headline(speaking.chosen, None, speaking.test)
        return Room(setup, settings, alone, (), (), (), caveats_of(setup, alone, ()))
    pieces = pieces_of(setup, speaking.chosen)
    forms = compared_forms(setup, settings.quick)
    others = []
    for n, form in enumerate(forms):
        progress(f"panel: {form.name}, {form.says}", 0.3 + 0.6 * n / len(forms))
        others.append(with_indices(estimate(setup, form), pieces, setup))
    chosen = with_indices(speaking.chosen, pieces, setup)
    free = speaking.free
    if free is not None:
        free = chosen if free is speaking.chosen else with_indices(free, pieces, setup)
    spoken, gone = Headline(chosen, free, speaking.test), leaving(setup)
    rests_on, care = assumptions_of(setup, spoken, gone), caveats_of(setup, spoken, gone)
    return Room(setup, settings, spoken, tuple(others), gone, rests_on, care)


def fits_of(room: Room) -> tuple[Fitted, ...]:
    """Every fit once, the speaking one first."""
    free = room.headline.free
    beside = () if free is None or free is room.headline.chosen else (free,)
    return (room.headline.chosen, *beside, *room.others)


def fit_of(setup: PanelSetup, fitted: Fitted, level: float, slug: str) -> Fit:
    """An engine's fit as the report knows it, in recorded units; a failed one holds no numbers."""
    status = fitted.fit.status
    usable = fitted.usable
    covariance = None
    if usable and fitted.errors is not None:
        unit = unit_factors(setup, fitted)
        covariance = fitted.errors.covariance * np.outer(unit, unit)
    ended = str(status.outcome) if usable or str(status.outcome) != "converged" else "no standard errors"
    return Fit(
        design="panel",
        model=slug,
        status=ended,
        parameters=parameter_table(setup, fitted, level),
        covariance=covariance,
        loglik=fitted.fit.loglik + unit_loglik(setup) if usable else None,
        iterations=status.iterations,
        gradient=status.gradient if usable else None,
        seconds=fitted.seconds,
        indices=_indices(setup, fitted),
        says=failure_words(setup, fitted),
    )


def _indices(setup: PanelSetup, fitted: Fitted) -> dict[str, float | None]:
    """Indices by name: scaled ones plainly, the others marked; likelihood in recorded units."""
    x = fitted.indices
    if x is None:
        return {}
    shift = unit_loglik(setup)
    found: dict[str, float | None] = {
        "chisq": x.scaled.chisq,
        "df": x.plain.df,
        "p": x.scaled.p,
        "scaling": x.scaling,
        "cfi": x.scaled.cfi,
        "tli": x.scaled.tli,
        "rmsea": x.scaled.rmsea,
        "rmsea_low": x.scaled.rmsea_low,
        "rmsea_high": x.scaled.rmsea_high,
        "srmr": x.srmr,
        "aic": x.aic - 2 * shift,
        "bic": x.bic - 2 * shift,
        "sabic": x.sabic - 2 * shift,
        "chisq_unscaled": x.plain.chisq,
        "cfi_robust": x.robust.cfi,
        "tli_robust": x.robust.tli,
        "rmsea_robust": x.robust.rmsea,
        "parameters": float(x.parameters),
    }
    return {key: float(value) if value is not None and np.isfinite(value) else None for key, value in found.items()}
