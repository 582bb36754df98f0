"""The parts of the facts that stand around the answer: literature, topic, settings, and the truth of a simulation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bothways.reports.facts_answers import answer_facts, table_facts, verdict_facts
from bothways.reports.facts_pathways import links_facts
from bothways.terms.answer import DesignResult
from bothways.terms.outcome import Outcome
from bothways.terms.question import Scale
from bothways.terms.settings import Settings
from bothways.terms.topic import Evidence, Topic

Facts = dict[str, Any]


def literature_facts(outcome: Outcome) -> Facts:
    """Published estimates as they were found, and, where a literature design ran, its answers and verdict."""
    result: DesignResult | None = outcome.literature
    return {
        "evidence": [_evidence(e) for e in outcome.topic.evidence if e.role in ("effect", "confounding_check")],
        "claims": [
            {
                "direction": c.direction,
                "kind": c.kind,
                "claim": c.claim,
                "standing": c.standing,
                "correction": c.correction,
            }
            for c in outcome.topic.claims
        ],
        "links": links_facts(outcome.topic),
        "answers": [answer_facts(a, outcome.settings) for a in result.answers] if result else [],
        "tables": [table_facts(t) for t in result.tables] if result else [],
        "methods": result.methods if result else "",
        "verdict": verdict_facts(outcome.literature_verdict) if outcome.literature_verdict else None,
    }


def _evidence(e: Evidence) -> Facts:
    names = (
        "id", "citation", "year", "doi", "doi_confirmed", "design", "role", "direction", "exposure", "outcome",
        "contrast", "scale", "estimate", "ci_low", "ci_high", "finding", "n", "follow_up_years", "population",
        "wider", "number_confirmed",
    )  # fmt: skip
    return {name: getattr(e, name) for name in names}


def topic_facts(topic: Topic) -> Facts:
    """What the topic says beforehand, without its instruments."""
    return {
        "key": topic.key,
        "label": topic.label,
        "help": topic.help,
        "pathways": [
            {
                "key": p.key,
                "label": p.label,
                "from": p.starts_from,
                "to": p.leads_to,
                "mediator": p.mediator,
                "measures": p.measures,
                "standing": p.standing,
                "worlds": p.worlds,
            }
            for p in topic.pathways
        ],
        "circumstances": [
            {
                "key": c.key,
                "label": c.label,
                "definition": c.definition,
                "caution": c.caution,
                "worlds": c.worlds,
                "estimates": c.estimates,
                "needs": c.needs,
            }
            for c in topic.circumstances
        ],
        "smallest_effects": [{"scale": s.scale, "value": s.value, "reason": s.reason} for s in topic.smallest_effects],
    }


def settings_facts(settings: Settings) -> Facts:
    """The choices that, with the records, fix every digit."""
    effects: Mapping[Scale, float] = settings.smallest_effects
    return {
        "level": settings.level,
        "seed": settings.seed,
        "bootstrap": settings.bootstrap,
        "quick": settings.quick,
        "designs": settings.designs,
        "horizon_days": settings.horizon_days,
        "accuracy": settings.accuracy,
        "what_if": [{"variable": x.variable, "by_sd": x.by_sd, "days": x.days} for x in settings.what_if],
        "cuts": settings.cuts,
        "smallest_effects": effects,
        "negative_control": settings.negative_control,
    }


def simulated_facts(outcome: Outcome) -> Facts | None:
    """The truth that made the records; null where people did."""
    truth = outcome.simulated
    return None if truth is None else {"world": truth.world, "says": truth.says, "values": truth.values}
