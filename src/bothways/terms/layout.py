"""What a caller states about a table. Whatever is left out is guessed, and the guess is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Layout:
    """Corrections to what intake would guess; the command line's options, one to one.

    ``a`` and ``b`` name one column (long tables), or the columns of the waves or of the items. ``numbered`` settles
    whether ``phq9_1 ... phq9_9`` are items or waves. ``waves`` asks for dates to be read as common occasions.
    ``wave_gap`` is one gap ("6 months") or one per interval. ``date_order`` settles 03/04/2021.
    ``death`` is the column of when people died, empty for who did not.
    """

    id: str | None = None
    time: str | None = None
    a: tuple[str, ...] = ()
    b: tuple[str, ...] = ()
    covariates: tuple[str, ...] = ()
    pathways: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    cluster: str | None = None
    weight: str | None = None
    strata: str | None = None
    arm: str | None = None
    death: str | None = None
    numbered: Literal["items", "waves"] | None = None
    waves: bool = False
    wave_gap: tuple[str, ...] = ()
    date_order: Literal["dmy", "mdy", "ymd"] | None = None
    instruments: Mapping[str, str] = field(default_factory=dict)  # column or condition key -> instrument key
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    higher_is_better: tuple[str, ...] = ()
    missing_codes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # "" holds for every column
    answer_codes: Mapping[str, tuple[float, ...]] = field(default_factory=dict)  # suspicious values that are answers
    cuts: Mapping[str, float] = field(default_factory=dict)
    sheet: str | None = None
