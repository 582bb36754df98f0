"""Which states there are and which transitions are possible."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, slots=True)
class Graph:
    """States and the transitions that may happen at once, in a fixed order.

    ``source`` and ``target`` (transitions,) index ``states``. A transition is named ``"A>AB"``.
    """

    states: tuple[str, ...]
    source: Int[np.ndarray, "transitions"]
    target: Int[np.ndarray, "transitions"]

    @property
    def size(self) -> int:
        """How many states there are."""
        return len(self.states)

    @property
    def transitions(self) -> tuple[str, ...]:
        """The names of the transitions, ``"from>to"``."""
        pairs = zip(self.source, self.target, strict=True)
        return tuple(f"{self.states[r]}>{self.states[s]}" for r, s in pairs)

    @property
    def absorbing(self) -> tuple[int, ...]:
        """The states that nothing leaves."""
        left = set(self.source.tolist())
        return tuple(k for k in range(self.size) if k not in left)

    def index(self, transition: str) -> int:
        """The place of a transition by its name; KeyError where there is none."""
        try:
            return self.transitions.index(transition)
        except ValueError:
            raise KeyError(f"no transition {transition!r}; there are {', '.join(self.transitions)}") from None

    def generators(self, rates: Float[np.ndarray, "rows transitions"]) -> Float[np.ndarray, "rows states states"]:
        """Q (rows, K, K): q_rs off the diagonal, q_rr = -sum_{s != r} q_rs."""
        Q = np.zeros((rates.shape[0], self.size, self.size))
        Q[:, self.source, self.target] = rates
        diagonal = np.arange(self.size)
        Q[:, diagonal, diagonal] = -Q.sum(axis=2)
        return Q


def graph(states: Sequence[str], transitions: Sequence[str]) -> Graph:
    """A graph from the names of its states and of its transitions (``"0>A"``).

    Raises ValueError where a transition names an unknown state, leads to itself or stands twice.
    """
    place = {state: k for k, state in enumerate(states)}
    ends = [tuple(name.split(">")) for name in transitions]
    bad = [">".join(e) for e in ends if len(e) != 2 or e[0] == e[1] or not set(e) <= place.keys()]
    if bad or len(place) != len(states) or len(set(ends)) != len(ends):
        raise ValueError(f"transitions must join two different known states once each; at fault: {bad or 'repeats'}")
    source, target = ([place[e[k]] for e in ends] for k in (0, 1))
    return Graph(tuple(states), np.array(source, dtype=np.int64), np.array(target, dtype=np.int64))


FORWARD = ("0>A", "0>B", "A>AB", "B>AB")
RECOVERY = ("A>0", "B>0", "AB>A", "AB>B")
EXITS = ("0>D", "A>D", "B>D", "AB>D")


def four_states(*, recovery: bool = True, exit_state: bool = False) -> Graph:
    """Two binary coordinates that change one at a time: 0, A, B, AB, with recoveries and with an absorbing D."""
    states = ("0", "A", "B", "AB", "D") if exit_state else ("0", "A", "B", "AB")
    return graph(states, FORWARD + (RECOVERY if recovery else ()) + (EXITS if exit_state else ()))
