"""Through what, as facts: each way and mediator with what was asked and found, and each condition's own persistence."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bothways.reports import numbers
from bothways.reports.facts_loops import own_loops
from bothways.terms.answer import Answer, Estimand, Table
from bothways.terms.outcome import Outcome
from bothways.terms.question import Direction, Facet
from bothways.terms.topic import Evidence, Topic

Facts = dict[str, Any]
PARTS = (
    *(Estimand.FIRST_LEG, Estimand.SECOND_LEG, Estimand.INDIRECT, Estimand.DIRECT, Estimand.TOTAL),
    Estimand.ATTRIBUTABLE_SHARE,
)
WAYS = (Direction.A_TO_B, Direction.B_TO_A)
LINKS = ("pathway_link", "direction_only", "confounding_check", "persistence")
"""Roles of published records that speak of a leg of a pathway, of a rival to all, or of a condition's own loop."""


def loop_facts(outcome: Outcome) -> Facts:
    """``lanes``: a row for each way and mediator, asked ones first; ``own``: what each condition keeps of itself."""
    answers = [a for r in outcome.results for a in r.answers if _between(a, outcome.topic)]
    asked = list(_asked(answers, outcome))
    told = {(lane["direction"], m) for lane in asked for m in lane["mediators"]}
    return {"lanes": [*asked, *_not_asked(outcome, told)], "own": list(own_loops(outcome))}


def _between(answer: Answer, topic: Topic) -> bool:
    """Whether it speaks of something between the two; a trial's arm runs through the conditions themselves."""
    ends = {topic.pair.a.key, topic.pair.b.key}
    through = answer.question.pathway
    return answer.facet is Facet.PATHWAY and through is not None and not ends & set(through.split("+"))


def mediators_of(pathway: str, topic: Topic) -> tuple[str, ...]:
    """The topic's names of the mediators that an answer took together; a variable's own key where it has none."""
    return tuple(dict.fromkeys(_mediator(key, topic) for key in pathway.split("+")))


def _mediator(key: str, topic: Topic) -> str:
    known = {m.key for m in topic.mediators}
    through = topic.pathways_through(key)
    return key if key in known or not through else through[0].mediator


def mediator_label(key: str, topic: Topic, labels: Mapping[str, str]) -> str:
    """How people call a mediator: the topic's words for it, else the records'."""
    named = {m.key: m.label for m in topic.mediators} | {
        p.mediator: p.label for p in topic.pathways if not topic.mediators
    }
    return named.get(key) or labels.get(key, key.replace("_", " "))


def _asked(answers: list[Answer], outcome: Outcome) -> Iterator[Facts]:
    """One lane for each way and set of mediators, from the design that speaks: a headline's, else the first's."""
    topic = outcome.topic
    for key in dict.fromkeys((a.direction, mediators_of(str(a.question.pathway), topic)) for a in answers):
        rows = [a for a in answers if (a.direction, mediators_of(str(a.question.pathway), topic)) == key]
        speaker = _speaker(rows)
        own = [a for a in rows if (a.design, a.model, a.of) == (speaker.design, speaker.model, speaker.of)]
        way, through = key
        if way in WAYS:
            yield {
                **_lane(way, through, outcome),
                "asked": True,
                "design": speaker.design,
                "says": speaker.status_says,
                "answers": {part.value: found for part in PARTS if (found := _part(own, part))},
                "sensitivity": _sensitivity(_doubts(speaker, outcome), str(speaker.question.pathway), way, outcome),
            }


def _speaker(rows: list[Answer]) -> Answer:
    """The indirect effect that speaks: answered before failed, headline before the rest."""
    return min(rows, key=lambda a: (a.estimate is None, a.estimand is not Estimand.INDIRECT, not a.headline))


def _doubts(speaker: Answer, outcome: Outcome) -> list[Table]:
    """The sensitivity tables of the design whose number is told: another's speak of another number."""
    own = (r for r in outcome.results if any(a is speaker for a in r.answers))
    return [t for r in own for t in r.tables if t.key.endswith("pathway_sensitivity")]


def _part(rows: list[Answer], part: Estimand) -> str | None:
    found = sorted(
        (a for a in rows if a.estimand is part and a.estimate), key=lambda a: (not a.headline, bool(a.curve))
    )
    return found[0].id if found else None


def _lane(way: Direction, through: tuple[str, ...], outcome: Outcome) -> Facts:
    topic = outcome.topic
    start = way.ends(topic.pair)[0].key
    return {
        "direction": way.value,
        "mediators": list(through),
        "label": _listed([mediator_label(m, topic, outcome.labels) for m in through]),
        "pathways": [p.key for p in topic.pathways if p.starts_from == start and p.mediator in through],
    }


def _listed(names: list[str]) -> str:
    """Names as a sentence lists them."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _not_asked(outcome: Outcome, told: set[tuple[str, str]]) -> Iterator[Facts]:
    """The pathways that the topic names and nobody asked of these records."""
    topic = outcome.topic
    for pathway in topic.pathways:
        way = next(w for w in WAYS if w.ends(topic.pair)[0].key == pathway.starts_from)
        if (way.value, pathway.mediator) not in told:
            lane = _lane(way, (pathway.mediator,), outcome)
            yield {**lane, "asked": False, "design": "", "says": "", "answers": {}, "sensitivity": None}


def _sensitivity(tables: Iterable[Table], pathway: str, way: Direction, outcome: Outcome) -> Facts | None:
    """The row of a design's sensitivity table that speaks of this pathway and way."""
    start, end = (c.label for c in way.ends(outcome.pair))
    spelled = {way.value, f"{start} to {end}", f"from {start} to {end}"}
    keys = mediators_of(pathway, outcome.topic)
    names = {pathway, "+".join(keys), _listed([mediator_label(k, outcome.topic, outcome.labels) for k in keys])}
    for table in tables:
        for row in table.as_dicts():
            value = next((x for name, x in row.items() if name.startswith("sensitivity")), None)
            named = str(row.get("pathway"))
            this = named in names or named.endswith(f"({pathway})")
            if this and row.get("direction") in spelled and numbers.usable(value):
                return {"value": value, "says": str(row.get("what it means") or table.note)}
    return None


def links_facts(topic: Topic) -> list[Facts]:
    """Published estimates of what lies between the two conditions or behind both, with the arrow each speaks of.

    Those that a circumstance of the topic names are among them; their ``pathway`` is empty where they have none.
    """
    named = {name for c in topic.circumstances for name in c.estimates}
    return [
        {
            "id": e.id,
            "pathway": e.pathway or "",
            "from": _place(e, e.exposure_is, topic),
            "to": _place(e, e.outcome_is, topic),
            "citation": e.citation,
            "year": e.year,
            "exposure": e.exposure,
            "outcome": e.outcome,
            "scale": e.scale,
            "estimate": e.estimate if e.number_confirmed else None,
            "ci_low": e.ci_low if e.number_confirmed else None,
            "ci_high": e.ci_high if e.number_confirmed else None,
            "finding": e.finding,
            "wider": e.wider,
            "note": e.note,
        }
        for e in topic.evidence
        if (e.pathway and e.role in LINKS) or e.id in named
    ]


def _place(e: Evidence, slot: str, topic: Topic) -> str:
    """The node of the loop at one end of a link: a condition's key, or the mediator's."""
    return {"a": topic.pair.a.key, "b": topic.pair.b.key}.get(slot, str(e.pathway))
