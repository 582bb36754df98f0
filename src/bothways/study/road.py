"""The whole road: read -> check -> question -> design -> answer -> challenge -> verdict, on one screen."""

from __future__ import annotations

import math
import time as clock
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from bothways import intake, simulation
from bothways.designs.base import refused
from bothways.designs.choose import check_names, design_of, qualify
from bothways.intake import describe
from bothways.keeping import fingerprint, recall, remember
from bothways.study.evidence import literature
from bothways.study.notes import unused
from bothways.study.result import Study
from bothways.study.threads import one_blas_thread
from bothways.study.topics import SHIPPED_TOPIC, topic_named, topic_of, with_smallest_effects
from bothways.study.what_if import meant, resolved
from bothways.terms.answer import Answer, DesignResult, Estimand, Table
from bothways.terms.errors import BothwaysError, QuestionError, RecordsError, WorldError
from bothways.terms.layout import Layout
from bothways.terms.outcome import Outcome, SimulatedTruth
from bothways.terms.progress import Progress, silent
from bothways.terms.question import Direction
from bothways.terms.records import Level, Records
from bothways.terms.settings import Settings
from bothways.terms.topic import Topic
from bothways.terms.verdict import Challenge
from bothways.verdicts import weigh
from bothways.verdicts.challenges import challenge
from bothways.verdicts.challenges.run import SPENT


def read(
    source: Any,
    *,
    topic: str | Path | Topic | None = SHIPPED_TOPIC,
    id: str | None = None,  # noqa: A002 - the word that people use for it
    time: str | None = None,
    a: str | tuple[str, ...] = (),
    b: str | tuple[str, ...] = (),
    covariates: str | tuple[str, ...] = (),
    layout: Layout | None = None,
    progress: Progress = silent,
) -> Records:
    """Read any table (a path, or a pandas, polars or pyarrow frame) into records.

    The roles that are not stated are guessed, and the guess is among ``records.findings``. What the keywords do not
    cover stands in ``layout``. Raises ``RecordsError`` where the table cannot become records.
    """
    stated = layout or Layout()
    stated = replace(
        stated,
        id=id or stated.id,
        time=time or stated.time,
        a=_names(a) or stated.a,
        b=_names(b) or stated.b,
        covariates=_names(covariates) or stated.covariates,
    )
    known = topic_named(topic, stated)
    return replace(intake.read(source, topic=known, layout=stated, progress=progress), topic=known)


@one_blas_thread()
def ask(
    records: Records,
    *,
    settings: Settings | None = None,
    truth: SimulatedTruth | None = None,
    command: str = "",
    cache: Path | None = None,
    progress: Progress = silent,
) -> Study:
    """Ask every design that can answer, both directions, try to break what they say, and weigh it.

    ``settings`` with these records fix every digit of the answer; only how many challenges were reached depends on
    the machine. ``cache`` is a folder in which outcomes (never records) are remembered by their content, so that the
    same question is computed once. ``progress`` is called with the stage and its share.
    """
    _check(records, settings or Settings())
    topic = topic_of(records)
    stated = with_smallest_effects(settings or Settings(), topic)
    settings = resolved(records, stated)
    key = fingerprint(replace(records, topic=topic), settings) if cache else ""
    outcome = recall(cache, key) if cache else None
    if outcome is None:
        outcome = _outcome(records, topic, settings, progress)
        if cache and not any(c.says == SPENT for c in outcome.verdict.challenges):
            remember(cache, key, outcome)
    findings = (*outcome.findings, *meant(records, stated, settings))
    told = replace(outcome, source=records.source, findings=findings, command=command, simulated=truth)
    return Study(records, told)


def _outcome(records: Records, topic: Topic, settings: Settings, progress: Progress) -> Outcome:
    """From records to everything that a report may read."""
    start = clock.perf_counter()
    results = tuple(
        refused(design, refusal) if refusal else design.answer(records, settings, progress)
        for design, refusal in qualify(records, settings)
    )
    broken = _challenged(records, results, settings, progress)
    published, published_verdict = literature(topic, settings)
    return Outcome(
        topic=topic,
        pair=records.pair,
        source=records.source,
        time_unit=records.time_unit,
        findings=(*records.findings, *unused(records, settings, results)),
        settings=settings,
        description=describe(records),
        results=results,
        verdict=weigh(records.pair, results, settings, broken),
        literature=published,
        literature_verdict=published_verdict,
        care=_care(records, topic),
        one_person=records.people == 1,
        labels=records.labels,
        seconds=clock.perf_counter() - start,
    )


def ask_world(
    world: simulation.World,
    *,
    settings: Settings | None = None,
    command: str = "",
    cache: Path | None = None,
    progress: Progress = silent,
) -> Study:
    """Ask a simulated world, and set its truth beside every answer."""
    study = ask(world.records, settings=settings, command=command, cache=cache, progress=progress)
    answers = [answer for result in study.outcome.results for answer in result.answers if answer.estimate]
    known = {answer.id: value for answer in answers if (value := true_value(world, answer)) is not None}
    truth = SimulatedTruth(world.name, world.spec.says, known)
    return Study(study.records, replace(study.outcome, simulated=truth))


def look(records: Records, settings: Settings | None = None) -> tuple[Table, ...]:
    """What is in the records, and which designs they can carry; the last table says why not the others."""
    rows = tuple(
        (
            design.label,
            "can answer" if refusal is None else "cannot",
            refusal.reason if refusal else "",
            refusal.mend if refusal else "",
        )
        for design, refusal in qualify(records, settings or Settings())
    )
    return (
        *describe(records),
        Table("designs", "Which designs can answer", ("design", "", "why not", "what would let it"), rows),
    )


def ask_again(key: str, records: Records, settings: Settings) -> DesignResult:
    """One design's headline from altered records; what cannot be asked so is refused in words."""
    design = design_of(key)
    lean = replace(settings, quick=True, headline_only=True, bootstrap=0)
    try:
        refusal = design.refuse(records, lean)
        return refused(design, refusal) if refusal else design.answer(records, lean, silent)
    except (BothwaysError, np.linalg.LinAlgError) as error:
        why = error.found if isinstance(error, BothwaysError) else "its equations have no solution there"
        return DesignResult(design=key, refused=why)


def _challenged(
    records: Records, results: tuple[DesignResult, ...], settings: Settings, progress: Progress
) -> tuple[Challenge, ...]:
    if settings.quick:
        return ()
    return challenge(records, results, ask_again, settings, seconds=settings.challenge_seconds, progress=progress)


def _check(records: Records, settings: Settings) -> None:
    """Raise where there are no records, a finding stops everything, or something asked for does not exist."""
    if not isinstance(records, Records):
        raise QuestionError("ask", "a table was given where records are needed", "Write ask(read(table))")
    for finding in records.findings:
        if finding.level is Level.STOP:
            raise RecordsError(records.source.path, finding.message, finding.mend)
    check_names(settings.designs)
    if not 0.95 <= settings.level < 1:
        mend = "Give 0.95 or more: the fixed words are read from intervals of at least 95%"
        raise QuestionError("level", f"{settings.level:g} is too low for a verdict", mend)
    for scale, least in settings.smallest_effects.items():
        if not (math.isfinite(least) and least > 0 and least != scale.null):
            mend = "Give a ratio such as 1.25" if scale.is_ratio else "Give a number above zero such as 0.05"
            raise QuestionError("smallest effect", f"{least:g} is none on the scale {scale}", mend)
    control = settings.negative_control
    if control is not None and control not in records.values:
        known = ", ".join(sorted(key for key in records.values if key not in (records.pair.a.key, records.pair.b.key)))
        mend = f"Choose one of: {known}" if known else "Add it to the table"
        raise QuestionError("--negative-control", f"the table holds no column of numbers named '{control}'", mend)
    if control in (records.pair.a.key, records.pair.b.key):
        mend = "Name a column that neither condition can affect"
        raise QuestionError("--negative-control", f"'{control}' is one of the two conditions", mend)


def true_value(world: simulation.World, answer: Answer) -> float | None:
    """What the world's mechanism holds, or None where it holds no such thing.

    A probability of being ill depends on who was watched and on what was removed, and the share whose order nobody saw
    on when people were visited: a question says neither, so no truth is set beside these. Shares are over a horizon.
    Nor is there one for what is held over a course, for legs at one wave, or for a circumstance the world lacks.
    """
    question = answer.question
    if answer.design == "sustained" or any(c.code == "order_not_observed" for c in answer.caveats):
        return None
    scores = answer.design in ("panel", "diary")
    named = frozenset({"chronic_pain", "clinical_depression"} if scores else {"chronic_pain"})
    if answer.estimand is Estimand.INTERACTION and question.population.where not in named:
        return None
    if answer.estimand is Estimand.STATE_PROBABILITY:
        return None
    if answer.estimand in (Estimand.ORDER_SHARE, Estimand.ATTRIBUTABLE_SHARE):
        if answer.direction is Direction.JOINT:
            return None
        question = replace(question, horizon=question.horizon or answer.horizon_days)
    try:
        return world.truth(question, answer.estimand).value
    except WorldError:
        return None


def care_of(records: Records) -> tuple[str, ...]:
    """The lines that must come first where one person answered an item on self-harm above its lowest answer."""
    return _care(records, topic_of(records))


def _care(records: Records, topic: Topic) -> tuple[str, ...]:
    flagged = any(finding.code == "self_harm_item" and finding.people > 0 for finding in records.findings)
    return topic.help if flagged and records.people == 1 else ()


def _names(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
