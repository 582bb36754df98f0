"""``"sleep -1 for 4 weeks"`` -> a hypothetical change that these records can be asked about."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from bothways.terms.errors import QuestionError
from bothways.terms.records import Records, TimeUnit
from bothways.terms.settings import Settings, WhatIf

OPTION = "--what-if"
DAYS = {"day": 1.0, "week": 7.0, "month": 30.4375, "year": 365.25}
MOST_SD = 10.0  # beyond which no model of these records has anything to say
MOST_SPANS = 10.0  # times as long as the records reach
FORM = re.compile(
    r"^\s*(?P<name>.*?\S)[\s=:]+(?P<size>[+\-−]?\d+(?:\.\d+)?)\s*(?:sd)?"
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
    size = float(found["size"].replace("−", "-"))
    days = None if found["count"] is None else float(found["count"]) * DAYS[found["unit"].lower()]
    if size == 0:
        raise QuestionError(OPTION, f"'{text}' changes nothing", "Give a number of SDs such as -1 or 0.5")
    if abs(size) > MOST_SD:
        find = f"'{text}' is a change of more than {MOST_SD:g} SD, and nobody changes by as much"
        raise QuestionError(OPTION, find, "Give a number of SDs such as -1 or 0.5")
    if days == 0:
        raise QuestionError(OPTION, f"'{text}' lasts no time", "Give a duration such as 4 weeks, or leave it out")
    return WhatIf(found["name"].strip(), size, days)


def resolved(records: Records, settings: Settings) -> Settings:
    """The settings with every change named by its key in the records.

    Raises ``QuestionError`` where a name is not among them, a duration is asked of waves whose gap is not known, or
    one is far longer than the records reach.
    """
    if not settings.what_if:
        return settings
    return replace(settings, what_if=tuple(_known(records, change) for change in settings.what_if))


def _known(records: Records, change: WhatIf) -> WhatIf:
    pair = records.pair
    moving = [key for key in records.values if key not in records.baseline]
    spelled = {name.lower(): key for key in moving for name in (records.labels.get(key, key), key)}
    spelled |= {name.lower(): c.key for c in (pair.a, pair.b) for name in (c.label, c.key)}
    spelled |= {
        column.lower(): c.key for c, own in ((pair.a, records.roles.a), (pair.b, records.roles.b)) for column in own
    }
    key = spelled.get(change.variable.lower()) or spelled.get(change.variable.lower().replace(" ", "_"))
    if key is None:
        known = ", ".join(sorted(moving))
        find = f"nothing that changes over time is named '{change.variable}'"
        raise QuestionError(OPTION, find, f"Use one of: {known}")
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
