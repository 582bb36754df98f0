"""What can happen to a person of an onset world, as states and rates between them.

A person stands in (depression, phase of pain, memory); with multipliers m of the two onset rates that differ between
people, and with the memory that a question needs (which came first, has it begun)::

    Q = quiet + m_A · onsets of depression + m_B · onsets of back pain.

Where pain turns chronic after a fixed time, its first days are split into phases that all pass on at every tick, which
errs by the square of a tick (three days).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float

from bothways.simulation.catalogue import OnsetRates
from bothways.simulation.kernels import A_OFF, A_ON, B_OFF, B_ON, CHRONIC_ON, DIED, hazards
from bothways.simulation.lives import rates_row

PHASES = 30  # of recent pain, where a clock turns it chronic
LETTER: dict[int, str] = {A_ON: "A", B_ON: "B"}
PART: dict[int, int] = {A_ON: 1, B_ON: 2}  # of Q, by kind of event; all others 0
State = tuple[int, int, str]  # depression, phase of pain, memory; (-1, -1, memory) where it ended
Memory = Callable[[str, int, int, int], tuple[str, bool]]  # memory, a, b, kind of event -> memory, ended


def nothing(memory: str, _a: int, _b: int, kind: int) -> tuple[str, bool]:
    """Remember nothing but death."""
    return ("dead", True) if kind == DIED else (memory, False)


@cache
def first_onset(which: int) -> Memory:
    """Stop at the first onset of one kind."""

    def remember(memory: str, a: int, b: int, kind: int) -> tuple[str, bool]:
        return ("begun", True) if kind == which else nothing(memory, a, b, kind)

    return remember


def who_was_first(memory: str, a: int, b: int, kind: int) -> tuple[str, bool]:
    """Stop where both are present, with two letters: which of the two was ever first, from which both was entered."""
    ever = memory or LETTER.get(kind, "")
    if (kind == A_ON and b) or (kind == B_ON and a):
        return ever + ("A" if kind == B_ON else "B"), True
    return nothing(ever, a, b, kind)


def episode(memory: str, _a: int, _b: int, kind: int) -> tuple[str, bool]:
    """Stop where the present episode of pain turns chronic or ends."""
    found = {CHRONIC_ON: "chronic", B_OFF: "ended"}.get(kind)
    return (found, True) if found else nothing(memory, _a, _b, kind)


@dataclass(frozen=True, slots=True)
class Chain:
    """States, the three parts of Q per day, and where all phases pass on to at every tick (days; 0: no clock)."""

    states: tuple[State, ...]
    parts: Float[np.ndarray, "3 states states"]
    onward: Float[np.ndarray, "states states"]
    tick: float

    def where(self, test: Callable[[State], bool]) -> Float[np.ndarray, "states"]:
        """1 for the states that pass a test."""
        return np.array([float(test(state)) for state in self.states])


def clock(rates: OnsetRates) -> bool:
    """Whether it matters, after a fixed time and not at a rate, that pain has turned chronic."""
    other = rates.chronic_recovery is not None and rates.chronic_recovery != rates.back_pain_recovery
    return rates.persistence == 0 and (rates.chronic_only or other)


@cache
def chain_of(rates: OnsetRates, memory: Memory) -> Chain:
    """Every state that can be reached, those without a memory first, and the rates between them."""
    row, ticking = rates_row(rates), clock(rates)
    recent = PHASES if ticking else 1
    states: list[State] = [(a, phase, "") for a in (0, 1) for phase in range(recent + 2)]
    place = {state: k for k, state in enumerate(states)}
    moves: list[tuple[int, int, int, float]] = []
    passed: list[int] = []

    def at(state: State) -> int:
        if state not in place:
            place[state] = len(states)
            states.append(state)
        return place[state]

    h = np.empty(6)
    for k, (a, phase, kept) in enumerate(states):  # grows as new states are met
        passed.append(at((a, phase + 1, kept)) if ticking and 1 <= phase <= recent else k)
        if a < 0:
            continue
        hazards(row, a, int(phase > 0), int(phase > recent), h)
        for kind in np.flatnonzero(h):
            new, ended = memory(kept, a, int(phase > 0), int(kind))
            to = (-1, -1, new) if ended else (*_moved(a, phase, int(kind), recent), new)
            moves.append((k, at(to), PART.get(int(kind), 0), float(h[kind])))
    parts = np.zeros((3, len(states), len(states)))
    for source, target, part, rate in moves:
        parts[part, source, target] += rate
        parts[part, source, source] -= rate
    tick = rates.chronic_after_days / (PHASES - 0.5) if ticking else 0.0
    return Chain(tuple(states), parts, np.eye(len(states))[passed], tick)


def _moved(a: int, phase: int, kind: int, recent: int) -> tuple[int, int]:
    """Depression and phase of pain after an event."""
    after = {A_ON: (1, phase), A_OFF: (0, phase), B_ON: (a, 1), B_OFF: (a, 0), CHRONIC_ON: (a, recent + 1)}
    return after[kind]
