"""What a generator of two binary coordinates means: order, ratios, occupancy, shares, times; each a function of rates.

Every function takes rates (transitions,) in the order of the graph and works for complex arguments, so that its
derivative is exact by a complex step. States are named 0, A, B, AB and perhaps D. First letter: which of the two.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import numpy as np
from scipy.linalg import expm

from bothways.engine.chain.graph import Graph, graph

Rates = np.ndarray  # (transitions,), real or complex
Function = Callable[[Rates], np.ndarray]  # rates -> (values,)


class World(StrEnum):
    """Under which rates: three different interventions, not one."""

    AS_IS = "as observed"
    A_EFFECT_REMOVED = "A's effect on the onset of B removed"  # A>AB := 0>B
    B_EFFECT_REMOVED = "B's effect on the onset of A removed"  # B>AB := 0>A
    UNRELATED = "neither affects the onset of the other"  # both of the above
    A_PREVENTED = "onset of A prevented"  # 0>A := B>AB := 0
    B_PREVENTED = "onset of B prevented"  # 0>B := A>AB := 0


_SWAPS: dict[World, dict[str, str | None]] = {
    World.AS_IS: {},
    World.A_EFFECT_REMOVED: {"A>AB": "0>B"},
    World.B_EFFECT_REMOVED: {"B>AB": "0>A"},
    World.UNRELATED: {"A>AB": "0>B", "B>AB": "0>A"},
    World.A_PREVENTED: {"0>A": None, "B>AB": None},
    World.B_PREVENTED: {"0>B": None, "A>AB": None},
}


def under(states: Graph, rates: Rates, world: World) -> Rates:
    """The rates under an intervention."""
    out = rates.copy()
    for name, other in _SWAPS[world].items():
        out[states.index(name)] = 0.0 if other is None else rates[states.index(other)]
    return out


def generator(states: Graph, rates: Rates) -> np.ndarray:
    """Q of one row of rates, real or complex."""
    Q = np.zeros((states.size, states.size), dtype=rates.dtype)
    Q[states.source, states.target] = rates
    return Q - np.diag(Q.sum(axis=1))


def rewired(states: Graph, names: tuple[str, ...], edges: dict[str, str]) -> tuple[Graph, np.ndarray]:
    """A graph on other states whose transitions borrow the rates of the first: {new: old}. Returns (graph, places)."""
    new = graph(names, tuple(edges))
    return new, np.array([states.index(old) for old in edges.values()])


def order_entered(states: Graph, horizon: float, world: World = World.AS_IS) -> Function:
    """Share of those reaching AB by ``horizon`` from 0 who entered it from A: s(h) = F_A / (F_A + F_B).

    F_r(h) = int_0^h P_0r(u) q_{r,AB} du with AB absorbing. h -> 0: kappa / (1 + kappa).
    """
    edges = {t: t for t in states.transitions if not t.startswith("AB>") and not t.endswith(">AB")}
    edges |= {"A>viaA": "A>AB", "B>viaB": "B>AB"}
    names = (*(s for s in states.states if s != "AB"), "viaA", "viaB")
    return _share(*rewired(states, names, edges), states, horizon, world)


def order_first(states: Graph, horizon: float, world: World = World.AS_IS) -> Function:
    """Share of those reaching AB by ``horizon`` from 0 in whom A was the first of the two ever to appear.

    Differs from ``order_entered`` only where A can go before B comes: the state carries which was first.
    """
    edges, names = {"0>A": "0>A", "0>B": "0>B"}, ["0", "A", "B", "0a", "Ba", "0b", "Ab", "viaA", "viaB"]
    moves = {"A": ("0a", "A", "Ba", "viaA"), "B": ("0b", "Ab", "B", "viaB")}
    for neither, only_a, only_b, both in moves.values():
        place = {"0": neither, "A": only_a, "B": only_b, "AB": both, "D": "D"}
        for t in states.transitions:
            r, s = t.split(">")
            if r != "AB":
                edges[f"{place[r]}>{place[s]}"] = t
    if "D" in states.states:
        names.append("D")
        edges["0>D"] = "0>D"
    return _share(*rewired(states, tuple(names), edges), states, horizon, world)


def _share(new: Graph, places: np.ndarray, states: Graph, horizon: float, world: World) -> Function:
    via = [new.states.index(name) for name in ("viaA", "viaB")]

    def share(rates: Rates) -> np.ndarray:
        reached = expm(generator(new, under(states, rates, world)[places]) * horizon)[0, via]
        return np.asarray(reached[:1] / reached.sum())

    return share


def occupancy(states: Graph, horizon: float, world: World = World.AS_IS, start: int = 0) -> Function:
    """P(state at ``horizon``) from ``start``: (states,)."""
    return lambda rates: np.asarray(expm(generator(states, under(states, rates, world)) * horizon)[start])


def time_in_state(states: Graph, horizon: float, world: World = World.AS_IS, start: int = 0) -> Function:
    """Expected time spent in each state up to ``horizon``: int_0^h P(u) du, (states,)."""
    K = states.size

    def spent(rates: Rates) -> np.ndarray:
        block = np.zeros((2 * K, 2 * K), dtype=rates.dtype)
        block[:K, :K] = generator(states, under(states, rates, world))
        block[:K, K:] = np.eye(K)
        return np.asarray(expm(block * horizon)[start, K:])

    return spent


def _without(states: Graph, which: str) -> tuple[Graph, np.ndarray]:
    """The graph in which having ``which`` (alone or with the other) is absorbing and called ``hit``."""
    place = {"0": "0", "A": "A", "B": "B", "AB": "hit", "D": "D"} | {which: "hit"}
    edges: dict[str, str] = {}
    for t in states.transitions:
        r, s = (place[e] for e in t.split(">"))
        if r != "hit":
            edges[f"{r}>{s}"] = t
    names = tuple(dict.fromkeys(place[s] for s in states.states))
    return rewired(states, names, edges)


def incidence(states: Graph, which: str, horizon: float, world: World = World.AS_IS, start: str = "0") -> Function:
    """P(``which`` ("A" or "B") has begun by ``horizon``) from ``start``, other exits competing: (1,)."""
    new, places = _without(states, which)
    i, hit = new.states.index(start), new.states.index("hit")

    def begun(rates: Rates) -> np.ndarray:
        return np.asarray(expm(generator(new, under(states, rates, world)[places]) * horizon)[i, [hit]])

    return begun


def attributable_share(states: Graph, which: str, horizon: float) -> Function:
    """1 - F_removed(h) / F(h): the share of first ``which`` by h, from 0, that the other's effect accounts for."""
    world = World.A_EFFECT_REMOVED if which == "B" else World.B_EFFECT_REMOVED
    now, then = incidence(states, which, horizon), incidence(states, which, horizon, world)
    return lambda rates: 1.0 - then(rates) / now(rates)


def median_time(states: Graph, which: str, start: str, longest: float) -> Function:
    """Time by which half have had ``which`` after being in ``start``: F(t) = 1/2; infinite beyond ``longest``.

    Bisection on the real part, then one Newton step, which is what carries a complex derivative through the root.
    """
    new, places = _without(states, which)
    i, hit = new.states.index(start), new.states.index("hit")

    def time(rates: Rates) -> np.ndarray:
        Q = generator(new, rates[places])
        low, high = 0.0, longest
        if expm(Q.real * high)[i, hit] < 0.5:
            return np.array([np.inf + 0 * rates[0].real])
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (middle, high) if expm(Q.real * middle)[i, hit] < 0.5 else (low, middle)
        P = expm(Q * high)
        return np.array([high - (P[i, hit] - 0.5) / (P[i] @ Q[:, hit])])

    return time


def sojourn(states: Graph) -> Function:
    """Mean time in each state per stay, 1 / -q_rr: (states,), infinite where absorbing."""

    def mean(rates: Rates) -> np.ndarray:
        out = -np.diag(generator(states, rates))
        return np.asarray(np.where(out == 0, np.inf, 1.0 / np.where(out == 0, 1.0, out)))

    return mean


def next_state(states: Graph) -> Function:
    """P(this transition | leaving its origin) = q_rs / -q_rr: (transitions,)."""
    return lambda rates: rates / -np.diag(generator(states, rates))[states.source]


def rate_ratio(states: Graph, above: str, below: str) -> Function:
    """q_above / q_below: (1,)."""
    a, b = states.index(above), states.index(below)
    return lambda rates: rates[[a]] / rates[[b]]


RATIOS = {  # the effect of having one on the other's onset and recovery
    "onset of B by A": ("A>AB", "0>B"),
    "onset of A by B": ("B>AB", "0>A"),
    "recovery of A by B": ("AB>B", "A>0"),
    "recovery of B by A": ("AB>A", "B>0"),
}


def asymmetry(states: Graph) -> Function:
    """kappa = (q_{A,AB} / q_{0B}) / (q_{B,AB} / q_{0A}): (1,)."""
    one, other = (rate_ratio(states, *RATIOS[k]) for k in ("onset of B by A", "onset of A by B"))
    return lambda rates: one(rates) / other(rates)
