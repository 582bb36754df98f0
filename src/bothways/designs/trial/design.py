"""The randomised arm on the road: refuse -> set up -> compare -> ask what moved -> answer."""

from __future__ import annotations

from dataclasses import dataclass

from bothways.designs.base import Refusal, refused
from bothways.designs.trial.answers import Run, answers_of, failures_of
from bothways.designs.trial.arms import arms_of
from bothways.designs.trial.estimation import compare
from bothways.designs.trial.lever import levers
from bothways.designs.trial.mediation import mediated
from bothways.designs.trial.setup import TrialSetup, set_up
from bothways.designs.trial.tables import balance_table, effects_table, fit_of, flow_table, lever_table, mediation_table
from bothways.designs.trial.words import methods_of
from bothways.terms.answer import DesignResult
from bothways.terms.progress import Progress
from bothways.terms.question import Kind
from bothways.terms.records import Records
from bothways.terms.settings import Settings

MOST_WAVES = 12


@dataclass(frozen=True, slots=True)
class TrialDesign:
    """What chance gave some and not others: what it moved, and what that tells of each direction."""

    key: str = "trial"
    label: str = "randomised arm"

    def refuse(self, records: Records, settings: Settings) -> Refusal | None:
        """A trial needs arms drawn by chance, a wave before treatment and one after, and scores."""
        found = _set_up(records)
        return found if isinstance(found, Refusal) else None

    def answer(self, records: Records, settings: Settings, progress: Progress) -> DesignResult:
        """What the arm did to both conditions, and, where it moved one before the other, what that one does."""
        progress("trial: comparing the arms", 0.1)
        setup = _set_up(records)
        if isinstance(setup, Refusal):
            return refused(self, setup)
        compared = compare(setup)
        fits, tables = (fit_of(compared, settings.level),), (flow_table(setup), balance_table(setup))
        if not compared.usable:
            failed = failures_of(compared)
            return DesignResult(self.key, failed[:2] if settings.headline_only else failed, fits, tables)
        progress("trial: what moved", 0.7)
        run = Run(compared, settings, *levers(compared, settings.level))
        answers = answers_of(run)
        if settings.headline_only:
            return DesignResult(self.key, tuple(a for a in answers if a.headline))
        parts = tuple(m for lever in run.levers for m in mediated(compared, lever, settings.level, settings.seed))
        through = (mediation_table(setup, parts, settings.level),) if parts else ()
        progress("trial: done", 1.0)
        return DesignResult(
            design=self.key,
            answers=answers,
            fits=fits,
            tables=(*tables, effects_table(run), lever_table(run), *through),
            methods=methods_of(compared, settings.level),
        )


def _set_up(records: Records) -> TrialSetup | Refusal:
    arms = arms_of(records)
    if isinstance(arms, Refusal):
        return arms
    if Kind.EVENT in (records.pair.a.kind, records.pair.b.kind):
        return Refusal("a condition is recorded as dated events, not as answers", "Give scores at each wave.")
    if records.wave is None:
        return Refusal("people were asked at times of their own", "Give --waves if they are waves.")
    if (records.waves or 0) > MOST_WAVES:
        return Refusal(f"there are more than {MOST_WAVES} waves", "Keep the waves that matter.")
    return set_up(records, arms)
