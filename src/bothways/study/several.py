"""Several sources (a cohort, a diary, the literature), each answered by itself and weighed into one verdict."""

from __future__ import annotations

import time as clock
from collections.abc import Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import combinations
from pathlib import Path

from bothways.simulation import World
from bothways.study.evidence import literature as published
from bothways.study.evidence import no_records
from bothways.study.result import Study
from bothways.study.road import ask, true_value
from bothways.study.topics import topic_of, with_smallest_effects
from bothways.terms.answer import Answer, Cell, DesignResult, Table
from bothways.terms.errors import QuestionError
from bothways.terms.outcome import Outcome, SimulatedTruth
from bothways.terms.progress import Progress, silent
from bothways.terms.question import Pair
from bothways.terms.records import Finding, Level, Records, Source, TimeUnit
from bothways.terms.settings import Settings
from bothways.terms.verdict import Challenge
from bothways.verdicts import weigh as weigh_results
from bothways.verdicts.challenges import CHALLENGERS

Sharing = tuple[tuple[str, str], ...]


def weigh(
    sources: Mapping[str, Records],
    *,
    literature: bool = False,
    share_people: Sharing = (),
    settings: Settings | None = None,
    command: str = "",
    cache: Path | None = None,
    progress: Progress = silent,
) -> Study:
    """Ask each source by itself, then weigh all answers into one verdict per direction.

    No numbers are pooled: designs of one bias line count once, however many sources hold them. The studies of the
    sources stay apart in ``Study.parts``.

    Parameters
    ----------
    sources : by a name of your own, records of the same two conditions.
    literature : whether the topic's published estimates join the verdict, and not only stand beside it.
    share_people : pairs of names of sources that hold (some of) the same people.

    Raises ``QuestionError`` where the sources are about different conditions, or a name is not known.
    """
    start = clock.perf_counter()
    pair = _one_pair(sources)
    topic = topic_of(next(iter(sources.values())))
    chosen = with_smallest_effects(settings or Settings(), topic)
    sharing = _sharing(sources, share_people)
    parts = {
        name: ask(
            records,
            settings=replace(chosen, challenge_seconds=chosen.challenge_seconds / len(sources)),
            cache=cache,
            progress=lambda stage, share, name=name: progress(f"{name}: {stage}", share),  # type: ignore[misc]  # the default binds this name
        )
        for name, records in sources.items()
    }
    told, verdict_of_it = published(topic, chosen)
    results = tuple(_named(name, result) for name, part in parts.items() for result in part.outcome.results)
    joined = (*results, told) if literature and told is not None else results
    tried = tuple(c for name, part in parts.items() for c in _challenges_of(name, part))
    source, findings = _source(sources, sharing), _findings(parts, sharing)
    outcome = Outcome(
        topic=topic,
        pair=pair,
        source=source,
        time_unit=_time_unit(sources.values()),
        findings=findings,
        settings=chosen,
        description=(_sources_table(parts, sharing), *_descriptions(parts)),
        results=joined,
        verdict=weigh_results(pair, joined, chosen, tried),
        literature=told,
        literature_verdict=verdict_of_it,
        command=command,
        care=tuple(dict.fromkeys(line for part in parts.values() for line in part.outcome.care)),
        one_person=all(records.people == 1 for records in sources.values()) and source.people == 1,
        seconds=clock.perf_counter() - start,
        labels={key: label for part in parts.values() for key, label in part.outcome.labels.items()},
    )
    return Study(no_records(topic, source), outcome, parts)


def weigh_worlds(
    worlds: Mapping[str, World],
    *,
    settings: Settings | None = None,
    command: str = "",
    cache: Path | None = None,
    progress: Progress = silent,
) -> Study:
    """Weigh what several looks at simulated worlds of one kind show, with the truth beside every answer."""
    sources = {name: world.records for name, world in worlds.items()}
    study = weigh(sources, settings=settings, command=command, cache=cache, progress=progress)
    answers = ((worlds[a.of], a) for result in study.outcome.results for a in result.answers if a.estimate)
    known = {a.id: value for world, a in answers if (value := true_value(world, a)) is not None}
    first = next(iter(worlds.values()))
    truth = SimulatedTruth(first.name, first.spec.says, known)
    return replace(study, outcome=replace(study.outcome, simulated=truth))


def _one_pair(sources: Mapping[str, Records]) -> Pair:
    if not sources:
        raise QuestionError("weigh", "there is no source", "Give at least one table")
    (name, first), *others = sources.items()
    keys = (first.pair.a.key, first.pair.b.key)
    for other, records in others:
        if (records.pair.a.key, records.pair.b.key) != keys:
            found = f"'{other}' is not about the same two conditions as '{name}', in the same order"
            raise QuestionError("weigh", found, "Name the same topic, or the same two columns, for every source")
    return first.pair


def _sharing(sources: Mapping[str, Records], stated: Sharing) -> Sharing:
    """Pairs that share people: as stated, and those that were read from one and the same table."""
    for name in (name for both in stated for name in both):
        if name not in sources:
            raise QuestionError("shared people", f"there is no source named '{name}'", f"Use: {', '.join(sources)}")
    seals = {name: records.source.sha256 for name, records in sources.items()}
    found = {frozenset(both) for both in stated}
    found |= {
        frozenset(both) for both in combinations(sources, 2) if seals[both[0]] and seals[both[0]] == seals[both[1]]
    }
    return tuple(both for both in combinations(sources, 2) if frozenset(both) in found)


def _named(name: str, result: DesignResult) -> DesignResult:
    """A design's result as one of several: its answers, fits and tables carry the source's name."""
    return replace(
        result,
        answers=tuple(_answer(name, answer) for answer in result.answers),
        fits=tuple(replace(fit, model=f"{fit.model}, {name}") for fit in result.fits),
        tables=tuple(_table(name, table) for table in result.tables),
        methods=f"{name}: {result.methods}" if result.methods else "",
        refused=f"{name}: {result.refused}" if result.refused else "",
    )


def _answer(name: str, answer: Answer) -> Answer:
    curve = f"{name}/{answer.curve}" if answer.curve else None
    return replace(answer, id=f"{name}/{answer.id}", of=name, curve=curve)


def _table(name: str, table: Table) -> Table:
    return replace(table, key=f"{name}/{table.key}", title=f"{table.title} ({name})")


def _challenges_of(name: str, part: Study) -> Iterable[Challenge]:
    """What tried to break this source's answers; what follows from the words alone is told anew of all together."""
    tries = {challenger.key for challenger in CHALLENGERS}
    for c in part.outcome.verdict.challenges:
        if c.key in tries:
            yield replace(c, title=f"{c.title} ({name})", answer_id=f"{name}/{c.answer_id}" if c.answer_id else "")


def _descriptions(parts: Mapping[str, Study]) -> Iterable[Table]:
    return (_table(name, table) for name, part in parts.items() for table in part.outcome.description)


def _findings(parts: Mapping[str, Study], sharing: Sharing) -> tuple[Finding, ...]:
    own = (
        replace(finding, message=f"{name}: {finding.message}")
        for name, part in parts.items()
        for finding in part.outcome.findings
    )
    shared = (
        Finding(
            Level.NOTE,
            "shared_people",
            f"{one} and {other} hold some of the same people, so that they are no independent looks at the question",
        )
        for one, other in sharing
    )
    return (*shared, *own)


def _sources_table(parts: Mapping[str, Study], sharing: Sharing) -> Table:
    """Each source by itself: who, which designs answered, and what its own verdict would be."""
    pair = next(iter(parts.values())).outcome.pair
    columns = ("source", "people", "rows", "designs that answered", f"{pair.a.label} to {pair.b.label}",
               f"{pair.b.label} to {pair.a.label}", "shares people with")  # fmt: skip
    rows: list[tuple[Cell, ...]] = []
    for name, part in parts.items():
        o = part.outcome
        designs = ", ".join(r.design for r in o.results if r.answers) or "none"
        words = (v.word.value.replace("_", " ") for v in (o.verdict.a_to_b, o.verdict.b_to_a))
        others = ", ".join(other for both in sharing if name in both for other in both if other != name)
        rows.append((name, o.source.people, o.source.rows, designs, *words, others or "nobody"))
    return Table("sources", "Each source by itself", columns, tuple(rows))


def _source(sources: Mapping[str, Records], sharing: Sharing) -> Source:
    """All sources as one: rows add up; people too, but where sources share them the largest of each group counts."""
    seal = sha256(" ".join(records.source.sha256 for records in sources.values()).encode()).hexdigest()
    rows = sum(records.source.rows for records in sources.values())
    people = sum(max(sources[name].people for name in group) for group in _groups(tuple(sources), sharing))
    return Source(" + ".join(sources), seal, rows, people)


def _groups(names: tuple[str, ...], sharing: Sharing) -> list[set[str]]:
    """Names joined by sharing, however indirectly."""
    groups = [{name} for name in names]
    for one, other in sharing:
        first = next(group for group in groups if one in group)
        second = next(group for group in groups if other in group)
        if first is not second:
            first |= second
            groups.remove(second)
    return groups


def _time_unit(sources: Iterable[Records]) -> TimeUnit:
    units = {records.time_unit for records in sources}
    return units.pop() if len(units) == 1 else TimeUnit.DAY
