"""Outcome -> facts: one JSON-able dict that holds everything a report says. Full precision; nothing is printed here."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from bothways.reports.facts_answers import answer_facts, fit_facts, table_facts, verdict_facts
from bothways.reports.facts_context import literature_facts, settings_facts, simulated_facts, topic_facts
from bothways.reports.facts_pathways import loop_facts
from bothways.reports.facts_whom import whom_facts
from bothways.reports.wording import words_of
from bothways.terms.outcome import Outcome
from bothways.terms.question import Condition

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
        "kind": outcome.kind,
        "bothways": _version(),
        "source": _source(outcome),
        "pair": {end: _condition(c) for end, c in (("a", outcome.pair.a), ("b", outcome.pair.b))},
        "findings": [
            {"level": f.level, "code": f.code, "message": f.message, "mend": f.mend, "people": f.people}
            for f in outcome.findings
        ],
        "time_unit": outcome.time_unit,
        "answers": [answer_facts(a, settings) for r in outcome.results for a in r.answers],
        "loop": loop_facts(outcome),
        "whom": whom_facts(outcome),
        "fits": [fit_facts(f) for r in outcome.results for f in r.fits],
        "verdict": verdict_facts(outcome.verdict),
        "settings": settings_facts(settings),
        "topic": topic_facts(outcome.topic),
        "description": [table_facts(t) for t in outcome.description],
        "tables": [{**table_facts(t), "design": r.design} for r in outcome.results for t in r.tables],
        "methods": [{"design": r.design, "text": r.methods} for r in outcome.results if r.methods],
        "refusals": [{"design": r.design, "reason": r.refused, "mend": r.mend} for r in outcome.results if r.refused],
        "literature": literature_facts(outcome),
        "simulated": simulated_facts(outcome),
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


def _source(outcome: Outcome) -> Facts:
    s = outcome.source
    return {"path": s.path, "sha256": s.sha256, "rows": s.rows, "people": s.people}


def _condition(c: Condition) -> Facts:
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
