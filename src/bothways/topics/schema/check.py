"""From a raw table to a checked part; what is wrong is said in one sentence with the place, the find and the mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bothways.terms.errors import TopicError
from bothways.topics.schema.evidence import EvidencePart
from bothways.topics.schema.instrument import CutoffPart, InstrumentPart
from bothways.topics.schema.parts import Part
from bothways.topics.schema.topic import (
    CircumstancePart,
    ClaimPart,
    ConditionPart,
    PathwayPart,
    SmallestEffectPart,
)

P = TypeVar("P", bound=Part)
TABLES: Mapping[str, type[Part]] = {
    "a": ConditionPart,
    "b": ConditionPart,
    "mediators": ConditionPart,
    "instrument": InstrumentPart,
    "instruments": InstrumentPart,
    "cutoffs": CutoffPart,
    "pathways": PathwayPart,
    "circumstances": CircumstancePart,
    "smallest_effects": SmallestEffectPart,
    "claims": ClaimPart,
    "evidence": EvidencePart,
}


def checked(model: type[P], raw: object, where: str) -> P:
    """``raw`` (from TOML or JSON) as ``model``.

    Raises
    ------
    TopicError : naming the file, the table, the field, the find and the mend; values are never quoted.
    """
    return _or_sentence(model, lambda: model.model_validate(raw), where)


def checked_strings(model: type[P], row: Mapping[str, str], where: str) -> P:
    """One row of a CSV as ``model``: every cell is a string, and an empty cell says nothing.

    Raises
    ------
    TopicError : as ``checked``; ``where`` names the row.
    """
    return _or_sentence(model, lambda: model.model_validate_strings(dict(row)), where)


def _or_sentence(model: type[P], read: Callable[[], P], where: str) -> P:
    try:
        return read()
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise _sentence(model, details, where) from None


def _sentence(model: type[Part], details: list[ErrorDetails], where: str) -> TopicError:
    first, more = details[0], len(details) - 1
    found, mend = _find_and_mend(model, first)
    rest = f" ({more} more like this)" if more else ""
    return TopicError(f"{where}{_place(first['loc'])}", found + rest, mend)


def _place(loc: tuple[int | str, ...]) -> str:
    """ ", evidence 3, field 'estimate'" from ("evidence", 2, "estimate"); entries are counted from one."""
    words = ""
    for step in loc:
        words += f" {step + 1}" if isinstance(step, int) else f", '{step}'"
    return words


def _find_and_mend(model: type[Part], error: ErrorDetails) -> tuple[str, str]:
    last = str(error["loc"][-1]) if error["loc"] else ""
    match error["type"]:
        case "missing":
            return "the field is missing", f"Add '{last}'"
        case "extra_forbidden":
            return "no such field is known", _nearest(last, _fields(model, error["loc"]))
        case "value_error":
            return str(error["ctx"]["error"]), "Correct one of the two"
        case _:
            return error["msg"].replace("Input should", "the value should"), "Correct the value"


def _fields(model: type[Part], loc: tuple[int | str, ...]) -> list[str]:
    """The fields of the table that ``loc`` points into."""
    tables: list[Any] = [TABLES[str(step)] for step in loc[:-1] if str(step) in TABLES]
    return list((tables[-1] if tables else model).model_fields)


def _nearest(name: str, known: list[str]) -> str:
    near = get_close_matches(name, known, n=1, cutoff=0.5)
    return f"Did you mean '{near[0]}'?" if near else f"Use one of: {', '.join(known)}"
