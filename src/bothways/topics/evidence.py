"""A user's own file of published estimates: one row or table for each, in the form that the package ships."""

from __future__ import annotations

from pathlib import Path

from bothways.terms.errors import TopicError
from bothways.terms.topic import Evidence
from bothways.topics.files import read_rows, read_tables


def read_evidence(path: str) -> tuple[Evidence, ...]:
    """Published estimates from a CSV (any of comma, semicolon, tab), TOML or JSON file.

    Needed: ``id``, ``citation``, ``design``, ``direction`` (a_to_b, b_to_a, both, none). Used where given: ``scale``
    (OR, HR, RR, IRR, PR or the long names), ``estimate``, ``ci_low``, ``ci_high``, ``contrast_kind``,
    ``outcome_kind``, ``sample``, ``adjusted_for``, ``n``, ``follow_up_years``, ``doi`` and the other fields of
    ``Evidence``. ``number_confirmed`` is false unless stated: a number counts once someone has read it.

    Raises
    ------
    TopicError : naming the file, the line or table, the field, the find and the mend.
    """
    # pydantic is loaded where a file is checked
    from bothways.topics.schema.check import checked, checked_strings
    from bothways.topics.schema.evidence import EvidenceFile, EvidencePart

    file = Path(path)
    if file.suffix.lower() in (".toml", ".json"):
        return tuple(part.term() for part in checked(EvidenceFile, read_tables(file), str(file)).evidence)
    seen: dict[str, int] = {}
    found = []
    for line, row in read_rows(file):
        part = checked_strings(EvidencePart, row, f"{file}, line {line}")
        if part.id in seen:
            raise TopicError(f"{file}, line {line}", f"line {seen[part.id]} has the same 'id'", "Give each its own")
        seen[part.id] = line
        found.append(part.term())
    return tuple(found)
