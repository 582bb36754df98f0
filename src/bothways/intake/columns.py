"""What a column's name says: what it measures (the stem), at which wave, which item of a questionnaire.

======================================  =======  ======  ======
name                                    stem     wave    item
======================================  =======  ======  ======
phq9_t1, PHQ9.T1, t1_phq9, w1 phq9      phq9     1
pain_wave2, pain_baseline               pain     2, 0
pain_wave_2, t_1_pain, pain (visit 3)   pain     2, 1, 3
pain_m6, pain_6m (months)               pain     6
phq9_3_t1, t1_phq9_3, phq9_t1_item3     phq9     1       3
phq9_3, pain1 (items or waves?)         phq9     number 3
======================================  =======  ======  ======
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

MONTH, YEAR, WEEK, DAY = 30.4375, 365.25, 7.0, 1.0
UNITS = {
    **dict.fromkeys(("d", "day", "days"), DAY),
    **dict.fromkeys(("wk", "wks", "week", "weeks"), WEEK),
    **dict.fromkeys(("m", "mo", "mos", "month", "months"), MONTH),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years"), YEAR),
}
SHORTER = {
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), DAY / 24),
    **dict.fromkeys(("mins", "minute", "minutes"), DAY / 1_440),
    **dict.fromkeys(("secs", "seconds"), DAY / 86_400),
}  # of times alone: no wave is so short
_WAVE_WORDS = (
    "wave",
    "time",
    "timepoint",
    "visit",
    "occasion",
    "assessment",
    "tp",
    "t",
    "w",
    "v",
    "follow_up",
    "followup",
    "fu",
)
_BASELINE = ("baseline", "base", "bl")
_ITEM_WORDS = ("item", "i", "q")
_SPLIT = re.compile(r"[^a-z0-9]+")
_MARKED = re.compile(rf"^({'|'.join((*_WAVE_WORDS, *UNITS))})_?(\d{{1,4}})$")
_COUNTED = re.compile(rf"^(\d{{1,4}})_?({'|'.join(UNITS)})$")
_ITEM = re.compile(rf"^({'|'.join(_ITEM_WORDS)})(\d{{1,3}})$")
_TAIL = re.compile(r"^(.*[a-z])(\d{1,3})$")


@dataclass(frozen=True, slots=True)
class Name:
    """One column's name, read. ``number`` is a plain number at its end, of which nobody knows what it counts."""

    column: str
    stem: str  # without case and separators: what is matched
    spelled: str  # with separators, in lower case: what a wide variable is called in the records
    wave: int | None = None
    unit: float | None = None  # days in one unit of ``wave``, where the name says (months, weeks)
    item: int | None = None
    number: int | None = None

    def settled(self, numbered: str) -> Name:
        """The same name, once it is known whether its plain number counts items or waves."""
        if self.number is None:
            return self
        if numbered == "items":
            return replace(self, item=self.number, number=None)
        return replace(self, wave=self.number, number=None)


def plain(text: str) -> str:
    """A name without case and separators: what is compared when names are matched."""
    return "".join(_SPLIT.split(text.lower()))


def read_name(column: str, known: frozenset[str] = frozenset()) -> Name:
    """Read a column's name; see the table above. What bears no mark is all stem.

    Stems that are ``known`` keep the digits that belong to them: phq9_t1 is phq9 at wave 1, not item 9 of phq.
    """
    if plain(column) in known:
        return whole(column)
    parts = _parts(column)
    wave, unit = _take_wave(parts)
    item, number = _take_item(parts, known)
    if number is None and item is None and parts:
        number = _take_glued(parts, known, marked=wave is not None)
    if wave is not None and number is not None:
        item, number = number, None
    return Name(column, "".join(parts) or plain(column), "_".join(parts) or column.lower(), wave, unit, item, number)


def runs(columns: Iterable[str], known: frozenset[str]) -> frozenset[str]:
    """The ``known`` names that are one of a row of numbered columns: phq2 and phq9 beside phq1, phq3, phq4.

    They are items (or waves) there, and not the questionnaires that bear the same name.
    """
    numbers: dict[str, set[str]] = {}
    for column in columns:
        parts = _parts(column)
        _take_wave(parts)
        stem, number = ("".join(parts[:-1]), parts[-1]) if parts[1:] and parts[-1].isdigit() else ("", "")
        if not stem and (match := _TAIL.match("".join(parts))):
            stem, number = match[1], match[2]
        if stem:
            numbers.setdefault(stem, set()).add(number)
    rows = {stem: found for stem, found in numbers.items() if sum(stem + n not in known for n in found) >= 2}
    return frozenset(stem + n for stem, found in rows.items() for n in found) & known


def whole(column: str) -> Name:
    """A name of which nothing is a mark: ``phq9`` as the stem ``phq9``."""
    return Name(column, plain(column), column.lower())


def nearest(name: str, choices: Iterable[str]) -> str:
    """The question "Did you mean 'x'?" for the choices that look most like ``name``, or nothing."""
    by_plain = {plain(choice): choice for choice in choices}
    close = difflib.get_close_matches(plain(name), by_plain, n=3, cutoff=0.5)
    close += [key for key in by_plain if plain(name) and plain(name) in key and key not in close][: 3 - len(close)]
    quoted = [f"'{by_plain[key]}'" for key in close]
    return f"Did you mean {' or '.join(quoted)}?" if quoted else ""


def unit_in(name: str) -> float | None:
    """Days in one unit of a time column, where its name says so (``week``, ``hours``, ``months_since_start``)."""
    units = {**UNITS, **SHORTER}
    words = [part for part in _SPLIT.split(name.lower()) if part]
    return next((units[word] for word in words if len(word) > 1 and word in units), None)


def label_number(text: str) -> tuple[int, float | None] | None:
    """The wave that a label names: ``T2``, ``wave 3``, ``baseline``, ``6 months``, ``month_6_arm_1``."""
    bare = re.sub(r"_arm_\d+$", "", text.strip().lower())
    joined = "_".join(part for part in _SPLIT.split(bare) if part)
    return (int(joined), None) if joined.isdigit() else _wave_of(joined)


def _parts(column: str) -> list[str]:
    """A name's words in lower case; a word for waves and a number after it are one ("wave", "2" -> "wave2")."""
    parts = [part for part in _SPLIT.split(column.lower()) if part]
    for place in range(len(parts) - 1, 0, -1):
        if len(parts) > 2 and parts[place].isdigit() and parts[place - 1] in (*_WAVE_WORDS, *UNITS):
            parts[place - 1 : place + 1] = [parts[place - 1] + parts[place]]
    return parts


def _take_wave(parts: list[str]) -> tuple[int | None, float | None]:
    """Remove the wave's mark: at the end, at the front, or before an item number; never the only part."""
    for place in (len(parts) - 1, 0, len(parts) - 2):
        if len(parts) > 1 and (found := _wave_of(parts[place])) is not None:
            del parts[place]
            return found
    return None, None


def _take_item(parts: list[str], known: frozenset[str]) -> tuple[int | None, int | None]:
    """Remove a mark such as item3 or a plain number at the end: (item, number of unknown meaning)."""
    if len(parts) < 2 or "".join(parts) in known:
        return None, None
    if match := _ITEM.match(parts[-1]):
        parts.pop()
        return int(match[2]), None
    if not parts[-1].isdigit() or len(parts[-1]) > 3:
        return None, None
    number = int(parts.pop())
    if len(parts) > 1 and parts[-1] in _ITEM_WORDS:
        parts.pop()
        return number, None
    return None, number


def _take_glued(parts: list[str], known: frozenset[str], marked: bool) -> int | None:
    """pain1 -> 1. Beside a wave's mark, and after other words, digits belong to the stem unless the rest is known."""
    match = _TAIL.match(parts[-1])
    name = "".join(parts)
    if name in known or not match or ((marked or len(parts) > 1) and name.removesuffix(match[2]) not in known):
        return None
    parts[-1] = match[1]
    return int(match[2])


def _wave_of(part: str) -> tuple[int, float | None] | None:
    if part in _BASELINE:
        return 0, None
    if match := _MARKED.match(part):
        return int(match[2]), UNITS.get(match[1])
    if match := _COUNTED.match(part):
        return int(match[1]), UNITS[match[2]]
    return None
