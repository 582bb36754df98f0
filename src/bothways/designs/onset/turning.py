"""What becomes of a new episode: functions of the rates of the six states."""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm

from bothways.engine.chain.estimands import Function, generator, rewired
from bothways.engine.chain.graph import Graph

FATES = ("lasting", "ended", "recent", "dead")


def episode_after(states: Graph, horizon: float, start: str, fates: tuple[str, ...] = FATES[:1]) -> Function:
    """What has become of one episode by ``horizon``, of an episode new in state ``start`` (R or OR): (fates,).

    p(h) = e_start exp(Q h) on the states R, OR, with lasting, ended and dead final; the other condition comes and goes
    meanwhile at its own rates. "recent" is still neither.
    """
    to = {"R": "R", "OR": "OR", "L": "lasting", "OL": "lasting", "0": "ended", "O": "ended", "D": "dead"}
    moves = [t.split(">") for t in states.transitions if t.split(">")[0] in ("R", "OR")]
    edges = {f"{r}>{to[s]}": f"{r}>{s}" for r, s in moves}
    new, places = rewired(states, ("R", "OR", "lasting", "ended", "dead"), edges)
    first = new.states.index(start)

    def share(rates: np.ndarray) -> np.ndarray:
        p = dict(zip(new.states, expm(generator(new, rates[places]) * horizon)[first], strict=True))
        p["recent"] = p["R"] + p["OR"]
        return np.array([p[fate] for fate in fates])

    return share
