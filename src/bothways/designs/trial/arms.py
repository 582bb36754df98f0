"""The arms of a trial: who was randomised to which, and which arm the others are compared with."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from bothways.designs.base import Refusal
from bothways.terms.records import Records

REFERENCES = (
    r"controls?|ctrl|comparison|comparator",
    r"usual|tau|cau|standard care|routine",
    r"wait|waiting|waitlist|wl|delayed",
    r"no treatment|untreated|none|nothing",
    r"placebo|sham|attention",
)
"""What names the arm that others are compared with; where two arms are so named, the earlier line counts."""

MOST_ARMS = 8
LEAST_IN_ARM = 10


@dataclass(frozen=True, slots=True, eq=False)
class Arms:
    """``labels`` with the reference first; ``code`` (people,) counts them from 0, −1 for who was not randomised."""

    column: str
    labels: tuple[str, ...]
    code: Int[np.ndarray, "people"]
    by_name: bool

    @property
    def reference(self) -> str:
        """The arm that the others are compared with."""
        return self.labels[0]

    @property
    def others(self) -> tuple[str, ...]:
        """The arms beside the reference."""
        return self.labels[1:]

    @property
    def says(self) -> str:
        """Which arm is the reference, and why."""
        why = "by its name" if self.by_name else f"as the first level of '{self.column}'"
        return f"The other arms are compared with {self.reference} ({why})."


def arms_of(records: Records) -> Arms | Refusal:
    """The arms, or why they cannot be used."""
    name = records.roles.arm
    if name is None:
        return Refusal("no column is named as the arm of a randomised trial", "Give --arm COL where there is one.")
    if name not in records.baseline:
        known = name in records.values
        why = "changes over time within people" if known else "is not among the records"
        mend = "Give one column that says what each person was randomised to."
        return Refusal(f"the arm '{name}' {why}", mend)
    column = np.asarray(records.baseline[name], float)
    codes = np.unique(column[np.isfinite(column)])
    if not 2 <= len(codes) <= MOST_ARMS:
        return Refusal(
            f"'{name}' holds {len(codes)} arms; from 2 to {MOST_ARMS} can be compared",
            "Join arms that were treated alike, or name the column of the arms.",
        )
    labels = [_label(records, name, float(code)) for code in codes]
    first, by_name = _reference(labels)
    order = [first, *(k for k in range(len(codes)) if k != first)]
    code = np.full(len(column), -1, np.int64)
    for place, k in enumerate(order):
        code[column == codes[k]] = place
    fewest = int(np.bincount(code[code >= 0]).min())
    if fewest < LEAST_IN_ARM:
        return Refusal(f"an arm holds {fewest} people; at least {LEAST_IN_ARM} are needed", "Join arms, or add people.")
    return Arms(name, tuple(labels[k] for k in order), code, by_name)


def _label(records: Records, name: str, code: float) -> str:
    words = records.categories.get(name, ())
    return words[int(code)] if code == int(code) and 0 <= int(code) < len(words) else f"{name} {code:g}"


def _reference(labels: list[str]) -> tuple[int, bool]:
    """The place of the reference, and whether its name says so."""
    for words in REFERENCES:
        for k, label in enumerate(labels):
            if re.search(rf"(?<![a-z])({words})(?![a-z])", label.lower().replace("_", " ")):
                return k, True
    return 0, False
