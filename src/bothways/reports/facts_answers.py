"""The parts of the facts that answer: answers, fits, verdicts and tables, at full precision."""

from __future__ import annotations

from typing import Any

from bothways.reports.vocabulary import READABLE
from bothways.terms.answer import Answer, Estimate, Fit, Table
from bothways.terms.settings import Settings
from bothways.terms.verdict import DirectionVerdict, Verdict, read_estimate

Facts = dict[str, Any]


def smallest_effect(answer: Answer, settings: Settings) -> float | None:
    """The smallest effect that this answer is read against; None where its number has no "no effect"."""
    if answer.estimand.value not in READABLE or answer.estimate is None:
        return None
    stated = answer.question.smallest_effect
    return settings.smallest_effect(answer.estimate.scale) if stated is None else stated


def answer_facts(answer: Answer, settings: Settings) -> Facts:
    """One answer with its reading, by the contract."""
    bound = smallest_effect(answer, settings)
    readable = answer.estimand.value in READABLE
    reading = read_estimate(answer.estimate, bound if bound is not None else 1.0) if readable else None
    return {
        "id": answer.id,
        "of": answer.of,
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
        "circumstance": answer.question.population.where,
        "population": answer.question.population.label,
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


def fit_facts(fit: Fit) -> Facts:
    """What one run of an engine found; its covariance stays behind."""
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


def verdict_facts(verdict: Verdict) -> Facts:
    """Both directions, the order, dissent and challenges."""
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


def table_facts(table: Table) -> Facts:
    """A table at full precision."""
    return {
        "key": table.key,
        "title": table.title,
        "columns": table.columns,
        "rows": table.rows,
        "note": table.note,
    }
