"""Findings in one shape each: a stable code, a sentence with counts and no values, how to mend."""

from __future__ import annotations

from collections.abc import Iterable

from bothways.terms.records import Finding, Level


def note(code: str, message: str, mend: str = "", people: int = 0) -> Finding:
    """Read it."""
    return Finding(Level.NOTE, code, _sentence(message), _sentence(mend), people)


def warning(code: str, message: str, mend: str, people: int = 0) -> Finding:
    """Mind it."""
    return Finding(Level.WARNING, code, _sentence(message), _sentence(mend), people)


def stop(code: str, message: str, mend: str, people: int = 0) -> Finding:
    """Nothing can be answered until it is mended."""
    return Finding(Level.STOP, code, _sentence(message), _sentence(mend), people)


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "?")) else f"{text}."


def in_order(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """A person in distress first, then the gravest, by code and sentence: never by the order of columns or rows."""
    grave = {Level.STOP: 0, Level.WARNING: 1, Level.NOTE: 2}
    return tuple(sorted(set(found), key=lambda f: (f.code != "self_harm_item", grave[f.level], f.code, f.message)))


def listed(names: Iterable[str], most: int = 8) -> str:
    """``'a', 'b' and 3 more``: column names only, never values."""
    quoted = [f"'{name}'" for name in names]
    shown = ", ".join(quoted[:most])
    return shown if len(quoted) <= most else f"{shown} and {len(quoted) - most} more"


def count(number: int, one: str, many: str = "") -> str:
    """``1 person``, ``2,310 people``."""
    return f"{number:,} {one if number == 1 else (many or one + 's')}"
