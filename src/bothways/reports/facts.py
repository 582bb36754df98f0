"""Outcome -> facts: one JSON-able dict that holds everything a report says. Full precision; nothing is printed here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from bothways.reports.vocabulary import READABLE
from bothways.reports.wording import words_of
from bothways.terms.answer import Answer, DesignResult, Estimate, Fit, Table
from bothways.terms.outcome import Outcome
from bothways.terms.question import Scale
from bothways.terms.settings import Settings
from bothways.terms.topic import Topic
from bothways.terms.verdict import DirectionVerdict, Verdict, read_estimate

SCHEMA = 1
Facts = dict[str, Any]


def facts_of(outcome: Outcome) -> Facts:
    """The facts of a study, by the published schema (docs/facts-schema.json), ready for ``json.dumps``.

    Numbers keep full precision and those that are not finite become null; ``words`` holds every rounded string and
    every adjective, so that all renderings say the same. Ratios stand on their natural scale with ``se`` on the log
    scale.
    """
    settings = outcome.settings
    facts: Facts = {
        "schema": SCHEMA,
        "bothways": _version(),
        "source": _source(outcome),
        "pair": {end: _condition(c) for end, c in (("a", outcome.pair.a), ("b", outcome.pair.b))},
        "findings": [
            {"level": f.level, "code": f.code, "message": f.message, "mend": f.mend, "people": f.people}
            for f in outcome.findings
        ],
        "time_unit": outcome.time_unit,
        "answers": [_answer(a, settings) for r in outcome.results for a in r.answers],
        "fits": [_fit(f) for r in outcome.results for f in r.fits],
        "verdict": _verdict(outcome.verdict),
        "settings": _settings(settings),
        "topic": _topic(outcome.topic),
        "description": [_table(t) for t in outcome.description],
        "tables": [{**_table(t), "design": r.design} for r in outcome.results for t in r.tables],
        "methods": [{"design": r.design, "text": r.methods} for r in outcome.results if r.methods],
        "refusals": [{"design": r.design, "reason": r.refused, "mend": r.mend} for r in outcome.results if r.refused],
        "literature": _literature(outcome),
        "simulated": _simulated(outcome),
        "care": list(outcome.care),
        "one_person": outcome.one_person,
        "command": outcome.command,
        "seconds": outcome.seconds,
    }
    clean: Facts = plain(facts)
    clean["words"] = words_of(clean)
    return clean


def plain(x: Any) -> Any:
    """Any of our values as JSON knows it: enums by value, tuples as lists, numbers that are not finite as null."""
    if isinstance(x, Enum):
        return x.value
    if isinstance(x, Mapping):
        return {str(plain(k)): plain(v) for k, v in x.items()}
    if isinstance(x, list | tuple | set | frozenset):
        return [plain(v) for v in x]
    if isinstance(x, np.generic):
        return plain(x.item())
    if isinstance(x, float):
        return x if math.isfinite(x) else None
    return x


def smallest_effect(answer: Answer, settings: Settings) -> float | None:
    """The smallest effect that this answer is read against; None where its number has no "no effect"."""
    if answer.estimand.value not in READABLE or answer.estimate is None:
        return None
    stated = answer.question.smallest_effect
    return settings.smallest_effect(answer.estimate.scale) if stated is None else stated


def _answer(answer: Answer, settings: Settings) -> Facts:
    bound = smallest_effect(answer, settings)
    readable = answer.estimand.value in READABLE
    reading = read_estimate(answer.estimate, bound if bound is not None else 1.0) if readable else None
    return {
        "id": answer.id,
        "design": answer.design,
        "model": answer.model,
        "facet": answer.facet,
        "direction": answer.direction,
        "estimand": answer.estimand,
        "target": answer.target,
        "contrast": answer.contrast,
        "line": answer.line,
        "lag_days": answer.lag_days,
        "lag_waves": answer.lag_waves,
        "horizon_days": answer.horizon_days,
        "curve": answer.curve,
        "pathway": answer.question.pathway,
        "subgroup": answer.subgroup,
        "headline": answer.headline,
        "expected": answer.expected,
        "status": answer.status,
        "status_says": answer.status_says,
        "estimate": _estimate(answer.estimate),
        "smallest_effect": bound,
        "reading": reading,
        "assumptions": [{"text": a.text, "checked": a.checked, "evidence": a.evidence} for a in answer.assumptions],
        "caveats": [{"code": c.code, "text": c.text} for c in answer.caveats],
    }


def _estimate(e: Estimate | None) -> Facts | None:
    if e is None:
        return None
    return {
        "value": e.value,
        "se": e.se,
        "low": e.low,
        "high": e.high,
        "level": e.level,
        "scale": e.scale,
        "p": e.p,
        "people": e.people,
        "events": e.events,
    }


def _fit(fit: Fit) -> Facts:
    return {
        "design": fit.design,
        "model": fit.model,
        "loglik": fit.loglik,
        "status": fit.status,
        "says": fit.says,
        "iterations": fit.iterations,
        "seconds": fit.seconds,
        "indices": fit.indices,
        "parameters": [
            {"name": p.name, "value": p.value, "se": p.se, "low": p.low, "high": p.high, "standardised": p.standardised}
            for p in fit.parameters
        ],
    }


def _direction(v: DirectionVerdict) -> Facts:
    return {
        "word": v.word,
        "sentence": v.sentence,
        "certainty": v.certainty,
        "moves": v.moves,
        "because": v.because,
        "lines": [
            {"line": a.line, "reading": a.reading, "sign": a.sign, "answers": a.answer_ids} for a in v.agreements
        ],
    }


def _verdict(verdict: Verdict) -> Facts:
    return {
        "a_to_b": _direction(verdict.a_to_b),
        "b_to_a": _direction(verdict.b_to_a),
        "order": _direction(verdict.order),
        "leaning": verdict.leaning,
        "short_answer": verdict.short_answer,
        "dissent": verdict.dissent,
        "would_change_it": verdict.would_change_it,
        "caveats": verdict.caveats,
        "challenges": [
            {
                "key": c.key,
                "title": c.title,
                "outcome": c.outcome,
                "says": c.says,
                "answer": c.answer_id,
                "value": c.value,
                "low": c.low,
                "high": c.high,
            }
            for c in verdict.challenges
        ],
    }


def _table(table: Table) -> Facts:
    return {
        "key": table.key,
        "title": table.title,
        "columns": table.columns,
        "rows": table.rows,
        "note": table.note,
    }


def _literature(outcome: Outcome) -> Facts:
    """Published estimates as they were found, and, where a literature design ran, its answers and verdict."""
    result: DesignResult | None = outcome.literature
    return {
        "evidence": [_evidence(e) for e in outcome.topic.evidence if e.role in ("effect", "confounding_check")],
        "claims": [
            {"direction": c.direction, "claim": c.claim, "standing": c.standing, "correction": c.correction}
            for c in outcome.topic.claims
        ],
        "answers": [_answer(a, outcome.settings) for a in result.answers] if result else [],
        "tables": [_table(t) for t in result.tables] if result else [],
        "methods": result.methods if result else "",
        "verdict": _verdict(outcome.literature_verdict) if outcome.literature_verdict else None,
    }


def _evidence(e: Any) -> Facts:
    names = (
        "id", "citation", "year", "doi", "doi_confirmed", "design", "role", "direction", "exposure", "outcome",
        "contrast", "scale", "estimate", "ci_low", "ci_high", "finding", "n", "follow_up_years", "population",
        "wider", "number_confirmed",
    )  # fmt: skip
    return {name: getattr(e, name) for name in names}


def _topic(topic: Topic) -> Facts:
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
            }
            for p in topic.pathways
        ],
        "circumstances": [
            {"key": c.key, "label": c.label, "definition": c.definition, "caution": c.caution}
            for c in topic.circumstances
        ],
        "smallest_effects": [{"scale": s.scale, "value": s.value, "reason": s.reason} for s in topic.smallest_effects],
    }


def _settings(settings: Settings) -> Facts:
    effects: Mapping[Scale, float] = settings.smallest_effects
    return {
        "level": settings.level,
        "seed": settings.seed,
        "bootstrap": settings.bootstrap,
        "quick": settings.quick,
        "designs": settings.designs,
        "cuts": settings.cuts,
        "smallest_effects": effects,
    }


def _simulated(outcome: Outcome) -> Facts | None:
    truth = outcome.simulated
    return None if truth is None else {"world": truth.world, "says": truth.says, "values": truth.values}


def _source(outcome: Outcome) -> Facts:
    s = outcome.source
    return {"path": s.path, "sha256": s.sha256, "rows": s.rows, "people": s.people}


def _condition(c: Any) -> Facts:
    return {"key": c.key, "label": c.label, "kind": c.kind, "instrument": c.instrument, "threshold": c.threshold}


def _version() -> str:
    try:
        return version("bothways")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"


def headlines(facts: Facts, direction: str | None = None, facet: str = "strength") -> Iterable[Facts]:
    """Answered headline rows of one facet, in the order of the designs."""
    return (
        a
        for a in facts["answers"]
        if a["headline"]
        and a["facet"] == facet
        and a["estimate"]
        and (direction is None or a["direction"] == direction)
    )
