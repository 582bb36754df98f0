"""``"sleep -1 for 4 weeks"`` -> a hypothetical change that these records can be asked about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from bothways.terms.errors import QuestionError
from bothways.terms.records import Finding, Level, Records, TimeUnit
from bothways.terms.settings import Settings, WhatIf

OPTION = "--what-if"
DAYS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
MOST_SD = 10.0  # beyond which no model of these records has anything to say
MOST_SPANS = 10.0  # times as long as the records reach
BAR = "|"  # between a name and the word for its side, until the records tell whether that side is known
SIDES = {"better": -1, "worse": 1, "less": -1, "lower": -1, "more": 1, "higher": 1}
"""Words for a sign, in a scoring in which higher is worse."""
_SIDE = "|".join(SIDES)
FORM = re.compile(
    rf"^\s*(?:(?P<before>{_SIDE})\s+)?(?P<name>.*?\S)[\s=:]+(?:(?P<between>{_SIDE})\s+)?(?:by\s+)?"
    rf"(?P<size>[+\-−]?\d+(?:\.\d+)?)\s*(?:sds?)?(?:\s+(?P<after>{_SIDE}))?"
    r"(?:\s+for\s+(?P<count>\d+(?:\.\d+)?)\s*(?P<unit>day|week|month|year)s?)?\s*$",
    re.IGNORECASE,
)
HOW = f'Write it as {OPTION} "sleep -1 for 4 weeks": a name, SDs, and for how long if it is let go'


def parse_what_if(texts: Iterable[str]) -> tuple[WhatIf, ...]:
    """Every change, as stated. Raises ``QuestionError``: one sentence with what was written and how to write it."""
    return tuple(_one(text) for text in texts)


def _one(text: str) -> WhatIf:
    found = FORM.match(text)
    if found is None:
        raise QuestionError(OPTION, f"'{text}' is no NAME, number of SDs and duration", HOW)
    size = _signed(text, found)
    days = None if found["count"] is None else float(found["count"]) * DAYS[found["unit"].lower()]
    if size == 0:
        raise QuestionError(OPTION, f"'{text}' changes nothing", "Give a number of SDs such as -1 or 0.5")
    if abs(size) > MOST_SD:
        find = f"'{text}' is a change of more than {MOST_SD:g} SD, and nobody changes by as much"
        raise QuestionError(OPTION, find, "Give a number of SDs such as -1 or 0.5")
    if days == 0:
        raise QuestionError(OPTION, f"'{text}' lasts no time", "Give a duration such as 4 weeks, or leave it out")
    return WhatIf(_named(found), size, days)


def _words(found: re.Match[str]) -> list[str]:
    return [found[place].lower() for place in ("before", "between", "after") if found[place]]


def _signed(text: str, found: re.Match[str]) -> float:
    """The number of SDs with its sign, which one word may stand for. Raises ``QuestionError`` where both or two do."""
    size, words = float(found["size"].replace("−", "-")), _words(found)
    if not words:
        return size
    if len(words) > 1 or found["size"][0] in "+-−":
        raise QuestionError(OPTION, f"'{text}' says its side twice", "Give a sign (-1) or one word (1 better)")
    return SIDES[words[0]] * size


def _named(found: re.Match[str]) -> str:
    """The name, with the word for the side behind a bar: what it means is known once the records are."""
    words = _words(found)
    return found["name"].strip() + (f"{BAR}{words[0]}" if words else "")


def resolved(records: Records, settings: Settings) -> Settings:
    """The settings with every change named by its key in the records.

    Raises ``QuestionError`` where a name is not among them, a duration is asked of waves whose gap is not known, or
    one is far longer than the records reach.
    """
    if not settings.what_if:
        return settings
    return replace(settings, what_if=tuple(_known(records, change) for change in settings.what_if))


def meant(records: Records, stated: Settings, known: Settings) -> tuple[Finding, ...]:
    """A note for each change whose variable goes by another name in the records, or whose side was said in a word."""
    told = []
    for change, found in zip(stated.what_if, known.what_if, strict=True):
        name, _, side = change.variable.partition(BAR)
        if _spoken(name) not in (_spoken(found.variable), _spoken(_label(records, found.variable))) or side:
            sign = f", {side} as {found.by_sd:+g} SD (higher is worse)".replace("-", "−") if side else ""
            told.append(f"'{name}' was taken for '{_column(records, found.variable)}'{sign}")
    if not told:
        return ()
    return (Finding(Level.NOTE, "what_if_meant", f"What if: {'; '.join(told)}", "Name the column itself"),)


def _known(records: Records, change: WhatIf) -> WhatIf:
    name, _, side = change.variable.partition(BAR)
    key = _key(records, name)
    if side:
        _check_side(records, key, name, side)
    if change.days is not None and records.time_unit is TimeUnit.WAVE:
        raise QuestionError(
            OPTION,
            "it lasts some days, and the records do not say how far apart waves are",
            'Give --wave-gap "6 months", or leave "for ..." out',
        )
    span = float(np.ptp(records.time)) if records.time.size else 0.0
    if change.days is not None and change.days > MOST_SPANS * span:
        find = f"it lasts {change.days:g} days, and the records reach over {span:g}"
        raise QuestionError(OPTION, find, 'Give a shorter time, or leave "for ..." out')
    return replace(change, variable=key)


def _key(records: Records, name: str) -> str:
    """The variable that a name means: its own name, else the topic's words for what it measures."""
    moving = [key for key in records.values if key not in records.baseline]
    wanted = _spoken(name)
    for spelled in (_own_names(records, moving), _topic_names(records, moving)):
        keys = sorted({key for key, names in spelled.items() if wanted in {_spoken(n) for n in names}})
        if len(keys) > 1:
            raise QuestionError(OPTION, f"'{name}' may mean {' or '.join(keys)}", "Name the column itself")
        if keys:
            return keys[0]
    if any(wanted in {_spoken(key), _spoken(_label(records, key))} for key in records.baseline):
        mend = "Name something that was asked again"
        raise QuestionError(OPTION, f"'{name}' never changes within a person in these records", mend)
    known = ", ".join(sorted(moving))
    find = f"nothing that changes over time is named '{name}'"
    raise QuestionError(OPTION, find, f"Use one of: {known}")


def _own_names(records: Records, moving: list[str]) -> dict[str, set[str]]:
    """By variable, its key, its label and, for the two conditions, the columns that it was read from."""
    spelled = {key: {key, records.labels.get(key, key)} for key in moving}
    pair, roles = records.pair, records.roles
    for condition, columns in ((pair.a, roles.a), (pair.b, roles.b)):
        spelled[condition.key] = {condition.key, condition.label, *columns}
    return spelled


def _topic_names(records: Records, moving: list[str]) -> dict[str, set[str]]:
    """By variable that measures a mediator, the topic's words for it and for the pathways through it."""
    topic = records.topic
    if topic is None:
        return {}
    spelled: dict[str, set[str]] = {}
    for key in moving:
        for pathway in topic.pathways_through(key, records.labels.get(key, "")):
            labels = {m.label for m in topic.mediators if m.key == pathway.mediator}
            own = {pathway.key, pathway.label, pathway.mediator, *pathway.names, *labels}
            spelled.setdefault(key, set()).update(own, topic.names.get(pathway.mediator, ()), _qualities(own))
    return spelled


def _qualities(names: set[str]) -> set[str]:
    """ "sleep quality" beside "sleep": how people call the thing whose bad side is scored."""
    return {f"{name} {what}" for name in names for what in ("quality", "score")}


def _check_side(records: Records, key: str, name: str, side: str) -> None:
    """Raise ``QuestionError`` for a word whose side the records do not tell: a score's more need not be the thing's."""
    pair, topic = records.pair, records.topic
    conditions = (pair.a.key, pair.b.key)
    through = topic.pathways_through(key, records.labels.get(key, "")) if topic else ()
    labels = {m.label for m in topic.mediators if m.key in {p.mediator for p in through}} if topic else set()
    if side in ("better", "worse"):
        if key not in conditions and not through:
            mend = "Give the sign in its own scoring, such as -1"
            raise QuestionError(OPTION, f"on which side '{name}' is bad is not known here", mend)
    elif through and _spoken(name) not in {_spoken(label) for label in labels}:
        find = f"'{side} {name}' may be good or bad: '{key}' is scored as {' or '.join(sorted(labels))}"
        raise QuestionError(OPTION, find, "Write better or worse, or give the sign in that scoring, such as -1")


def _spoken(name: str) -> str:
    """A name without case, underscores and doubled spaces."""
    return " ".join(re.split(r"[\W_]+", name.lower())).strip()


def _label(records: Records, key: str) -> str:
    labels = {c.key: c.label for c in (records.pair.a, records.pair.b)}
    return labels.get(key) or records.labels.get(key, key)


def _column(records: Records, key: str) -> str:
    """The columns that a condition was read from, else the variable's own name."""
    own = {records.pair.a.key: records.roles.a, records.pair.b.key: records.roles.b}.get(key, ())
    return own[0] if len(own) == 1 else key
