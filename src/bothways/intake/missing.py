"""Answers and non-answers: codes such as 9, 99 or -8 are kept as missing with a reason, never read as values.

A code is missing where the file declares it, where the caller does, or where it lies outside the scale's range. Where
the range is not known the answers themselves give it: a code beyond them, after a gap that no scale has, is missing;
a candidate next to them is an answer, and is said where a gap makes it suspicious.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Float, Int

FAMILIES = (
    (7.0, 8.0, 9.0),
    (77.0, 88.0, 97.0, 98.0, 99.0),
    (777.0, 888.0, 997.0, 998.0, 999.0),
    (7777.0, 8888.0, 9997.0, 9998.0, 9999.0),
)
HIGH_CODES = tuple(code for family in FAMILIES for code in family)
LOW_CODES = (*(-float(k) for k in range(1, 10)), -77.0, -88.0, -97.0, -98.0, -99.0, -999.0, -9999.0)
NO_ANSWER = "no answer"


@dataclass(frozen=True, slots=True)
class Measured:
    """A variable as read: (rows,) values, NaN where missing, and by reason the rows that are missing for it.

    Rows that are NaN for no stated reason were left empty.
    """

    values: Float[np.ndarray, "rows"]
    because: Mapping[str, Bool[np.ndarray, "rows"]] = field(default_factory=dict)

    @property
    def empty(self) -> Bool[np.ndarray, "rows"]:
        """Rows that are missing and say no more."""
        bare: Bool[np.ndarray, "rows"] = np.isnan(self.values)
        for rows in self.because.values():
            bare = bare & ~rows
        return bare

    def take(self, rows: Int[np.ndarray, "some"] | Bool[np.ndarray, "rows"]) -> Measured:
        """The same variable at some rows, in the order given."""
        return Measured(self.values[rows], {why: mask[rows] for why, mask in self.because.items()})

    def without(self, rows: Bool[np.ndarray, "rows"], why: str) -> Measured:
        """The same variable with some rows set missing for a reason."""
        if not rows.any():
            return self
        before = self.because.get(why, np.zeros(rows.shape, dtype=bool))
        return Measured(np.where(rows, np.nan, self.values), {**self.because, why: before | rows})

    def counts(self) -> dict[str, int]:
        """How many rows are missing, by reason."""
        found = {why: int(rows.sum()) for why, rows in self.because.items()}
        found[NO_ANSWER] = int(self.empty.sum())
        return {why: count for why, count in sorted(found.items()) if count}


@dataclass(frozen=True, slots=True)
class Codes:
    """Which values of a variable are codes for missing, and which look like codes but are read as answers."""

    missing: tuple[float, ...] = ()
    suspicious: tuple[float, ...] = ()


def stack(parts: Sequence[Measured]) -> Measured:
    """Waves, each (people,), -> one variable (people * waves,), person by person."""
    reasons = {why for part in parts for why in part.because}
    nowhere = np.zeros(parts[0].values.shape, dtype=bool)
    values = np.column_stack([part.values for part in parts]).ravel()
    return Measured(
        values,
        {why: np.column_stack([part.because.get(why, nowhere) for part in parts]).ravel() for why in sorted(reasons)},
    )


def find_codes(
    values: Float[np.ndarray, "rows"],
    bounds: tuple[float, float] | None = None,
    answers: Sequence[float] = (),
) -> Codes:
    """Which of the usual codes occur as codes; ``answers`` are values that the caller vouches for."""
    candidates = [code for code in (*HIGH_CODES, *LOW_CODES) if code not in answers]
    low, high = (np.nanmin(values), np.nanmax(values)) if np.isfinite(values).any() else (np.nan, np.nan)
    present = [code for code in candidates if low <= code <= high and bool((values == code).any())]
    if not present:
        return Codes()
    if bounds is not None:
        outside = tuple(code for code in present if not bounds[0] <= code <= bounds[1])
        inside = [code for code in present if code not in outside]
        rest = values[np.isfinite(values) & ~np.isin(values, outside)]
        return Codes(outside, tuple(code for code in inside if code >= 7 and _after_a_gap(rest, code, 0.3)))
    return _beyond_the_answers(values, present)


def apply_codes(measured: Measured, labels: Mapping[float, str]) -> Measured:
    """Set each coded value missing, with its label as the reason."""
    for code, why in sorted(labels.items()):
        measured = measured.without(measured.values == code, why)
    return measured


def reason(code: float) -> str:
    """How an unlabelled code is named among the reasons."""
    return f"code {code:g}"


def _beyond_the_answers(values: Float[np.ndarray, "rows"], present: Sequence[float]) -> Codes:
    """Negative codes first; then, from the top, each family of positive codes that stands apart from what is below."""
    low_codes = _low_codes(values, [code for code in present if code < 0])
    rest = values[np.isfinite(values) & ~np.isin(values, low_codes)]
    high_codes: list[float] = []
    suspicious: list[float] = []
    for family in reversed(FAMILIES):
        here = [code for code in family if code in present]
        if not here or rest.max() > here[-1]:
            continue
        if _stands_apart(rest, here):
            high_codes += here
            rest = rest[~np.isin(rest, here)]
        else:
            suspicious += [here[-1]] if _after_a_gap(rest, here[-1], 0.3) else []
            break
    return Codes(tuple(sorted([*low_codes, *high_codes])), tuple(suspicious))


def _stands_apart(rest: Float[np.ndarray, "some"], here: Sequence[float]) -> bool:
    """Whether all codes of a family lie beyond every answer, after a gap of 3 and of half the answers' spread.

    7 and 9 without 6 and 8 are codes as well: no scale of whole numbers leaves out every second step at its top.
    """
    answers = rest[~np.isin(rest, here)]
    if not answers.size or answers.max() >= here[0]:
        return False
    top, spread = float(answers.max()), float(answers.max() - answers.min())
    alternate = list(here) == [7.0, 9.0] and top <= 5.0 and bool(np.all(answers == np.floor(answers)))
    return alternate or here[0] - top >= max(3.0, 0.5 * spread)


def _after_a_gap(values: Float[np.ndarray, "some"], code: float, share: float) -> bool:
    below = values[values < code]
    if not below.size:
        return False
    top, bottom = float(below.max()), float(below.min())
    return code - top >= max(2.0, share * (top - bottom)) and not bool((values > code).any())


def _low_codes(values: Float[np.ndarray, "rows"], present: Sequence[float]) -> list[float]:
    """Negative codes. A scale that is negative itself (-3 to 3, standard scores) has none unless far below the rest."""
    if not present:
        return []
    rest = values[np.isfinite(values) & ~np.isin(values, present)]
    if not rest.size:
        return []
    if rest.min() >= 0:
        consecutive = sorted(-code for code in present) == list(range(1, len(present) + 1))
        two_sided = consecutive and rest.max() <= 1.5 * max(-code for code in present)
        return [] if two_sided else list(present)
    spread = float(rest.max() - rest.min())
    return [code for code in present if code < rest.min() - max(1.0, 0.5 * spread)]
