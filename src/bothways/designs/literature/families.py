"""Which estimates may be pooled together, and what pooling them gives.

One family holds one direction, one group, one scale, one contrast and one kind of outcome. One sample of people
counts once in it: the most adjusted estimate, then the first in the file. Below three estimates nothing is pooled.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace

import numpy as np

from bothways.designs.literature.place import Entry, Group
from bothways.engine.pooling import Pooled, pool, prediction_interval
from bothways.terms.answer import Estimate
from bothways.terms.question import Direction, Scale

ENOUGH = 3


@dataclass(frozen=True, slots=True)
class Family:
    """Estimates that answer the same question on the same scale; ``pooled`` is None below three."""

    direction: Direction
    group: Group
    scale: Scale
    contrast_kind: str
    outcome_family: str
    entries: tuple[Entry, ...]
    pooled: Pooled | None = None

    @property
    def label(self) -> str:
        """What the family holds, in words."""
        contrast, outcome = self.contrast_kind.replace("_", " "), self.outcome_family or "outcome not classed"
        return f"{self.group.value}: {self.scale.value.replace('_', ' ')}, {contrast}, {outcome}"

    def estimate(self) -> Estimate | None:
        """The pooled number on its natural scale, or None where nothing was pooled."""
        if self.pooled is None:
            return None
        people = sum(e.evidence.n or 0 for e in self.entries)
        low, value, high = (float(x[0]) for x in (self.pooled.low, self.pooled.beta, self.pooled.high))
        low, value, high = (self.natural(x) for x in (low, value, high))
        se, p = float(self.pooled.se[0]), float(self.pooled.p[0])
        return Estimate(value, low, high, se, self.scale, people, self.pooled.level, p)

    def prediction(self) -> tuple[float, float] | None:
        """The prediction interval on the natural scale (t with k - 1 degrees of freedom, as metafor has it)."""
        if self.pooled is None:
            return None
        low, high = prediction_interval(self.pooled)
        return self.natural(low), self.natural(high)

    def natural(self, x: float) -> float:
        """From the analysis scale to the scale that people read."""
        return math.exp(x) if self.scale.is_ratio else x

    def arrays(self) -> tuple[np.ndarray, np.ndarray]:
        """Estimates and sampling variances on the analysis scale."""
        numbers = [e.estimate for e in self.entries if e.estimate is not None]
        return np.array([n.analysis()[1] for n in numbers]), np.array([n.se**2 for n in numbers])


def families(entries: tuple[Entry, ...], level: float) -> tuple[tuple[Family, ...], tuple[Entry, ...]]:
    """The families, largest first, and the entries with those shut out that share their people with a chosen one."""
    kept, out = one_per_sample(entries)
    keys = {key: None for e in kept if (key := _key(e)) is not None}
    made = [Family(*key, tuple(e for e in kept if _key(e) == key)) for key in keys]
    pooled = [replace(f, pooled=_pool(f, level)) if len(f.entries) >= ENOUGH else f for f in made]
    return tuple(sorted(pooled, key=lambda f: -len(f.entries))), out


def one_per_sample(entries: tuple[Entry, ...]) -> tuple[tuple[Entry, ...], tuple[Entry, ...]]:
    """(those that may be pooled, all of them with a reason where another of the same people was chosen)."""
    chosen: dict[tuple[object, str], Entry] = {}
    for entry in entries:
        key = _key(entry)
        if key is None:
            continue
        holder = chosen.get((key, entry.evidence.sample))
        if holder is None or adjustment(entry.evidence.adjusted_for) > adjustment(holder.evidence.adjusted_for):
            chosen[key, entry.evidence.sample] = entry
    out = []
    for entry in entries:
        key = _key(entry)
        speaker = None if key is None else chosen[key, entry.evidence.sample]
        same = speaker is not None and speaker is not entry
        reason = f"its people count once, through {speaker.evidence.id}" if same and speaker else entry.shut_out
        out.append(replace(entry, shut_out=reason))
    return tuple(e for e in out if not e.shut_out), tuple(out)


def adjustment(text: str | None) -> int:
    """How much was adjusted for: 0 crude, 1 unknown, above that one more for each thing named."""
    if text is None or text.startswith(("not stated", "varies", "see paper")):
        return 1
    if text.startswith("none"):
        return 0
    return 1 + len([x for x in re.split(r",|;|\band\b", text) if x.strip()])


def _key(entry: Entry) -> tuple[Direction, Group, Scale, str, str] | None:
    if entry.shut_out or entry.scale is None:
        return None
    return entry.direction, entry.group, entry.scale, entry.evidence.contrast_kind, entry.outcome_family


def _pool(family: Family, level: float) -> Pooled:
    y, v = family.arrays()
    return pool(y, v, tau2="reml", test="adhoc", level=level)
