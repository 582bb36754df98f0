"""How a study is run: the choices that are not about the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bothways.terms.question import Scale


@dataclass(frozen=True, slots=True)
class WhatIf:
    """A stated hypothetical change: ``variable`` (a condition or a mediator) moved by ``by_sd`` standard deviations.

    The change is held for ``days`` and then let go; None holds it for as long as the course is drawn. The sign is in
    the variable's own scoring, in which higher is worse.
    """

    variable: str
    by_sd: float
    days: float | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that, with the records, fixes the answer: the same settings give the same digits.

    ``smallest_effects`` hold the smallest effect of interest by scale; ``workers`` never changes a number.
    ``quick`` leaves out the challenges and the bootstrap. ``headline_only`` asks a design for what a headline needs
    and nothing else: no rivals, no tables, no bootstrap. ``negative_control`` names a column that cannot be affected
    by either condition; an answer that "finds" it is under suspicion. ``challenge_seconds`` end the challenges; what
    they leave no time for is reported as not run. ``what_if`` names hypothetical changes whose model-implied course is
    wanted. ``accuracy`` states how well a condition's presence is seen: (sensitivity, specificity) by its key, NaN for
    one that is to be estimated.
    """

    level: float = 0.95
    seed: int = 1
    workers: int = 0  # 0: as many as there are cores
    bootstrap: int = 0
    quick: bool = False
    headline_only: bool = False
    negative_control: str | None = None
    challenge_seconds: float = 10.0
    horizon_days: tuple[float, ...] = ()
    smallest_effects: Mapping[Scale, float] = field(default_factory=dict)
    cuts: Mapping[str, float] = field(default_factory=dict)
    accuracy: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    what_if: tuple[WhatIf, ...] = ()
    designs: tuple[str, ...] = ()  # empty: every design that can answer

    def smallest_effect(self, scale: Scale) -> float:
        """The smallest effect of interest on ``scale``; 1.25 for ratios and 0.05 otherwise where none is stated."""
        return self.smallest_effects.get(scale, 1.25 if scale.is_ratio else 0.05)
