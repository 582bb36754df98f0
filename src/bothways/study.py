"""The conductor: read -> check -> question -> design -> answer -> verdict -> facts -> report, on one screen."""

from __future__ import annotations

import time as clock
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bothways import intake
from bothways.designs.base import refused
from bothways.designs.choose import check_names, qualify
from bothways.designs.literature import answer_literature
from bothways.intake import describe
from bothways.reports import facts_of, render
from bothways.simulation import World
from bothways.terms.answer import Answer, DesignResult, Status, Table
from bothways.terms.errors import ReportError, WorldError
from bothways.terms.layout import Layout
from bothways.terms.outcome import Outcome, SimulatedTruth
from bothways.terms.progress import Progress, silent
from bothways.terms.question import Scale
from bothways.terms.records import Records, Roles, Source, TimeUnit
from bothways.terms.settings import Settings
from bothways.terms.topic import Topic
from bothways.terms.verdict import Verdict
from bothways.topics import generic_topic, load_topic, read_evidence
from bothways.verdicts import weigh

SHIPPED_TOPIC = "depression-back-pain"
REPORT_FORMS: Mapping[str, str] = {".html": "html", ".htm": "html", ".md": "markdown", ".txt": "terminal"}


@dataclass(frozen=True, slots=True)
class Study:
    """A finished study: what was asked of which records, and what came of it."""

    records: Records
    outcome: Outcome

    def __getitem__(self, design: str) -> DesignResult:
        """What one design has to say: ``study["panel"].b_to_a.estimate``."""
        for result in self.outcome.results:
            if result.design == design:
                return result
        raise KeyError(design)

    @property
    def verdict(self) -> Verdict:
        """Both directions, in fixed words, with their dissent."""
        return self.outcome.verdict

    @property
    def answered(self) -> bool:
        """Whether any design could answer ("cannot tell" is an answer)."""
        return any(answer.status is Status.ANSWERED for result in self.outcome.results for answer in result.answers)

    def table(self) -> Table:
        """Every answer, one row each, at full precision."""
        columns = (
            "id",
            "direction",
            "facet",
            "estimand",
            "status",
            "value",
            "low",
            "high",
            "se",
            "p",
            "scale",
            "people",
        )
        rows = []
        for answer in (answer for result in self.outcome.results for answer in result.answers):
            head = (answer.id, answer.direction, answer.facet, answer.estimand, answer.status)
            e = answer.estimate
            rows.append(
                (*head, *((None,) * 7 if e is None else (e.value, e.low, e.high, e.se, e.p, e.scale, e.people)))
            )
        return Table("answers", "Every answer", columns, tuple(rows))

    def facts(self) -> dict[str, Any]:
        """The facts file as a dict: full precision, versioned, ready for JSON."""
        return facts_of(self.outcome)

    def report(self, path: str | Path, for_reader: str = "clinician") -> Path:
        """Write the report; the ending chooses its form: .html, .md or .txt."""
        target = Path(path)
        forms = {".html": "html", ".htm": "html", ".md": "markdown", ".txt": "terminal"}
        form = forms.get(target.suffix.lower())
        if form is None:
            raise ReportError(
                target.name, f"'{target.suffix}' is no form of report", "Let the name end in .html, .md or .txt"
            )
        return write_text(target, render(self.facts(), form, for_reader))


def read(
    source: Any,
    *,
    topic: str | Path | Topic | None = SHIPPED_TOPIC,
    id: str | None = None,  # noqa: A002 - the word that people use for it
    time: str | None = None,
    a: str | tuple[str, ...] = (),
    b: str | tuple[str, ...] = (),
    covariates: tuple[str, ...] = (),
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
        covariates=tuple(covariates) or stated.covariates,
    )
    known = _topic(topic, stated)
    return replace(intake.read(source, topic=known, layout=stated, progress=progress), topic=known)


def ask(
    records: Records,
    *,
    settings: Settings | None = None,
    truth: SimulatedTruth | None = None,
    command: str = "",
    progress: Progress = silent,
) -> Study:
    """Ask every design that can answer, both directions, and weigh what they say.

    ``settings`` with these records fix every digit of the answer. ``progress`` is called with the stage and its share.
    """
    start = clock.perf_counter()
    topic = records.topic or _topic_of(records)
    settings = _with_smallest_effects(settings or Settings(), topic)
    check_names(settings.designs)
    results = tuple(
        refused(design, refusal) if refusal else design.answer(records, settings, progress)
        for design, refusal in qualify(records, settings)
    )
    literature, literature_verdict = _literature(topic, settings)
    outcome = Outcome(
        topic=topic,
        pair=records.pair,
        source=records.source,
        time_unit=records.time_unit,
        findings=records.findings,
        settings=settings,
        description=describe(records),
        results=results,
        verdict=weigh(records.pair, results, settings),
        literature=literature,
        literature_verdict=literature_verdict,
        command=command,
        simulated=truth,
        care=_care(records, topic),
        one_person=records.people == 1,
        seconds=clock.perf_counter() - start,
    )
    return Study(records, outcome)


def ask_world(
    world: World, *, settings: Settings | None = None, command: str = "", progress: Progress = silent
) -> Study:
    """Ask a simulated world, and set its truth beside every answer."""
    study = ask(world.records, settings=settings, command=command, progress=progress)
    answers = [answer for result in study.outcome.results for answer in result.answers if answer.estimate]
    known = {answer.id: value for answer in answers if (value := _true_value(world, answer)) is not None}
    truth = SimulatedTruth(world.name, world.spec.says, known)
    return Study(study.records, replace(study.outcome, simulated=truth))


def evidence(
    topic: str | Path | Topic = SHIPPED_TOPIC,
    *,
    file: str | Path | None = None,
    settings: Settings | None = None,
    command: str = "",
) -> Study:
    """What has been published on a topic's two conditions, with estimates of one's own ``file`` (CSV, TOML) added.

    The study holds no records; its verdict is the literature's. Raises ``TopicError`` for a file that is not evidence.
    """
    known = topic if isinstance(topic, Topic) else load_topic(str(topic))
    own = read_evidence(str(file)) if file else ()
    known = replace(known, evidence=(*known.evidence, *own))
    settings = _with_smallest_effects(settings or Settings(), known)
    result = answer_literature(known.evidence, known.pair, settings, known.claims)
    name = f"the published estimates of {known.label}"
    outcome = Outcome(
        topic=known,
        pair=known.pair,
        source=Source(name, "", len(known.evidence), 0),
        time_unit=TimeUnit.DAY,
        findings=(),
        settings=settings,
        description=(),
        results=(result,),
        verdict=weigh(known.pair, (result,), settings),
        command=command,
        kind="evidence",
    )
    return Study(_no_records(known, outcome.source), outcome)


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


def report_form(path: Path) -> str:
    """The form of report that a file's ending asks for."""
    form = REPORT_FORMS.get(path.suffix.lower())
    if form is None:
        raise ReportError(path.name, f"'{path.suffix}' is no form of report", "Let the name end in .html, .md or .txt")
    return form


def check_writable(path: Path) -> None:
    """Raise before the work begins where its result could not be written."""
    if not path.parent.is_dir():
        raise ReportError(str(path), "its folder does not exist", "Make the folder first, or give another place")


def write_table(columns: Mapping[str, np.ndarray], path: Path) -> int:
    """Write columns as comma-separated text, empty where missing; returns the number of rows."""
    if path.suffix.lower() != ".csv":
        raise ReportError(path.name, f"'{path.suffix}' cannot be written", "Let the name end in .csv")
    texts = [["" if value != value else f"{value:g}" for value in column.tolist()] for column in columns.values()]
    lines = [",".join(columns), *map(",".join, zip(*texts, strict=True))]
    write_text(path, "\n".join(lines) + "\n")
    return len(lines) - 1


def write_text(path: Path, text: str) -> Path:
    """Write a file, or say in one sentence why it cannot be written."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReportError(
            str(path), f"it cannot be written ({error.strerror})", "Give a place that you may write to"
        ) from error
    return path


def _no_records(topic: Topic, source: Source) -> Records:
    nobody = np.zeros(0, np.int64)
    roles = Roles(None, None, (), ())
    return Records(topic.pair, nobody, np.zeros(0), TimeUnit.DAY, {}, roles, source, topic=topic)


def _literature(topic: Topic, settings: Settings) -> tuple[DesignResult | None, Verdict | None]:
    """What others have published on this pair, and its own verdict: beside the answer, never inside it."""
    if not topic.evidence:
        return None, None
    result = answer_literature(topic.evidence, topic.pair, settings, topic.claims)
    return result, weigh(topic.pair, (result,), settings)


def _true_value(world: World, answer: Answer) -> float | None:
    """What the world's mechanism holds, or None where the world holds no such thing."""
    try:
        return world.truth(answer.question, answer.estimand).value
    except WorldError:
        return None


def _topic(topic: str | Path | Topic | None, layout: Layout) -> Topic:
    if isinstance(topic, Topic):
        return topic
    if topic is None:
        return generic_topic(layout.a[0] if layout.a else "a", layout.b[0] if layout.b else "b")
    return load_topic(str(topic))


def _topic_of(records: Records) -> Topic:
    shipped = load_topic(SHIPPED_TOPIC)
    keys = {shipped.pair.a.key, shipped.pair.b.key}
    return (
        shipped
        if {records.pair.a.key, records.pair.b.key} == keys
        else generic_topic(records.pair.a.key, records.pair.b.key)
    )


def _with_smallest_effects(settings: Settings, topic: Topic) -> Settings:
    stated: Mapping[Scale, float] = {scale: topic.smallest_effect(scale) for scale in Scale}
    return replace(settings, smallest_effects={**stated, **settings.smallest_effects})


def _care(records: Records, topic: Topic) -> tuple[str, ...]:
    flagged = any(finding.code == "self_harm_item" and finding.people > 0 for finding in records.findings)
    return topic.help if flagged and records.people == 1 else ()


def _names(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
