"""In whom, as facts: the answers of each circumstance by direction, and its tests, counted as many as they are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from bothways.reports.numbers import usable
from bothways.terms.answer import Answer, Estimand
from bothways.terms.outcome import Outcome
from bothways.terms.question import Facet
from bothways.terms.topic import Topic

Facts = dict[str, Any]
SHRUNK = (("shrunken", "shrunk"), ("shrunken low", "shrunk low", "low"), ("shrunken high", "shrunk high", "high"))
"""Columns by which a table may call the value drawn towards the rest, and its limits."""


def whom_facts(outcome: Outcome) -> list[Facts]:
    """A row for each circumstance, direction and design: ids of its levels' answers and of its tests."""
    rows = [a for r in outcome.results for a in r.answers if a.facet is Facet.WHOM and a.estimate]
    adjusted = holm_by_id(rows)
    found = []
    for key in dict.fromkeys((a.design, a.of, circumstance_of(a, outcome.topic), a.direction) for a in rows):
        mine = [a for a in rows if (a.design, a.of, circumstance_of(a, outcome.topic), a.direction) == key]
        design, of, circumstance, direction = key
        found.append(
            {
                "design": design,
                "of": of,
                "circumstance": circumstance,
                "label": _label(circumstance, mine, rows, outcome),
                "direction": direction.value,
                "levels": [a.id for a in mine if a.estimand is not Estimand.INTERACTION],
                "shrunk": [told for a in mine if (told := _shrunk(a, outcome))],
                "tests": [
                    {"answer": a.id, "p": _p(a), "p_holm": adjusted.get(a.id)}
                    for a in mine
                    if a.estimand is Estimand.INTERACTION
                ],
            }
        )
    return found


def circumstance_of(answer: Answer, topic: Topic) -> str:
    """The topic's name of the circumstance that an answer was split by; the column's own where it has none."""
    where = answer.question.population.where or ""
    column = where.split("=")[0].split(">")[0].strip().lower()
    named = (c.key for c in topic.circumstances if column and column in (c.key, *c.needs))
    return next(named, column)


def circumstance_label(key: str, outcome: Outcome) -> str:
    """How people call a circumstance: the topic's words for it, else the records'."""
    columns = {name.lower(): label for name, label in outcome.labels.items()}
    named = {**columns, **{c.key: c.label for c in outcome.topic.circumstances}}
    return named.get(key, key.replace("_", " ") or "groups")


def _label(key: str, mine: list[Answer], rows: list[Answer], outcome: Outcome) -> str:
    """The circumstance's label; where another bears the same (two cuts through one column), its last level's name."""
    label = circumstance_label(key, outcome)
    others = {circumstance_of(a, outcome.topic) for a in rows} - {key}
    shared = any(circumstance_label(other, outcome) == label for other in others)
    levels = [a.subgroup for a in mine if a.estimand is not Estimand.INTERACTION and a.subgroup]
    return levels[-1] if shared and levels else label


def holm_by_id(answers: Sequence[Answer]) -> dict[str, float]:
    """By answer id, the p value of each interaction, adjusted for how many the whole report tests."""
    tests = {a.id: p for a in answers if a.estimand is Estimand.INTERACTION and (p := _p(a)) is not None}
    return dict(zip(tests, holm(tuple(tests.values())), strict=True))


def holm(p: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down adjustment: the k-th smallest of m is the running maximum of (m - k + 1) p, at most 1.

    Source: Holm 1979, Scand J Statist 6:65-70. No p is made smaller, and their order is kept.
    """
    x = np.asarray(p, dtype=float)
    order = np.argsort(x, kind="stable")
    stepped = np.minimum(1.0, np.maximum.accumulate(x[order] * np.arange(x.size, 0, -1)))
    out = np.empty(x.size)
    out[order] = stepped
    return tuple(map(float, out))


def _shrunk(answer: Answer, outcome: Outcome) -> Facts | None:
    """An answer's value drawn towards the rest, where a design's table ``whom_shrunk`` holds it.

    A level and its contrast may bear one name: where the table tells the value that was drawn, it is the answer's.
    """
    start, end = (c.label for c in answer.direction.ends(outcome.pair))
    spelled = {answer.direction.value, f"{start} to {end}", f"from {start} to {end}"}
    tables = (t for r in outcome.results if r.design == answer.design for t in r.tables)
    for row in (row for t in tables if t.key.endswith("whom_shrunk") for row in t.as_dicts()):
        level = next((row[name] for name in ("group", "subgroup", "level") if name in row), None)
        numbers = [next((row[n] for n in names if n in row), None) for names in SHRUNK]
        same = "value" not in row or _same(row["value"], answer)
        if same and answer.subgroup and level == answer.subgroup and row.get("direction") in spelled:
            return {"answer": answer.id, **dict(zip(("value", "low", "high"), numbers, strict=True))}
    return None


def _same(value: object, answer: Answer) -> bool:
    return (
        answer.estimate is not None
        and isinstance(value, int | float)
        and usable(value)
        and math.isclose(value, answer.estimate.value, rel_tol=1e-9, abs_tol=1e-12)
    )


def _p(answer: Answer) -> float | None:
    p = answer.estimate.p if answer.estimate else None
    return p if p is not None and 0 <= p <= 1 else None
