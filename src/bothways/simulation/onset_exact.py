"""Exact answers of an onset world: the Kolmogorov equations of its own hazards, solved and not counted.

With p the probabilities of a person's states and Q their rates (``onset_chain``), dp/dt = p Q. A lasting proneness is
integrated over its distribution; a cause that drifts over paths drawn once, the same under every intervention, given
which p is solved and not drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from scipy.linalg import expm

from bothways.simulation.catalogue import OnsetRates
from bothways.simulation.kernels import drift_slowly
from bothways.simulation.lives import BURN, GRID, Entry
from bothways.simulation.onset_chain import Chain, Memory, State, chain_of, clock, nothing
from bothways.simulation.truth import REFERENCE_SEED
from bothways.terms.errors import WorldError

NODES = (48, 24)  # of a proneness shared wholly, and in each of two dimensions otherwise
PATHS = 20_000  # of a cause that drifts
SMALL = 0.4  # moves expected within one step of Runge and Kutta at most


@dataclass(frozen=True, slots=True)
class Crowd:
    """Kinds of people: their shares, lasting multipliers of both onset rates, and paths of the slow cause.

    ``drawn`` tells that they are a sample and not nodes of an integral; ``loading`` is that of the slow cause.
    """

    share: Float[np.ndarray, "kinds"]
    prone: Float[np.ndarray, "kinds 2"]
    cause: Float[np.ndarray, "kinds cells"]
    loading: float
    drawn: bool


@dataclass(frozen=True, slots=True)
class Stand:
    """Where each kind of people stands: probabilities of the chain's states, and each kind's share."""

    chain: Chain
    share: Float[np.ndarray, "kinds"]
    p: Float[np.ndarray, "kinds states"]
    drawn: bool

    def by_kind(self, test: Callable[[State], bool]) -> Float[np.ndarray, "kinds"]:
        """The probability of states that pass a test, kind by kind."""
        return np.asarray(self.p @ self.chain.where(test))

    def of(self, test: Callable[[State], bool]) -> float:
        """The same over everyone."""
        return float(self.share @ self.by_kind(test))


def ratio_of(over: Stand, above: Callable[[State], bool], under: Stand, below: Callable[[State], bool]) -> list[float]:
    """[ratio of two probabilities, its Monte Carlo error], with the same people in both; the error 0 if exact."""
    one, other = over.by_kind(above), under.by_kind(below)
    base = float(under.share @ other)
    if base == 0:
        return [float("nan"), float("nan")]
    value = float(over.share @ one) / base
    if not over.drawn:
        return [value, 0.0]
    mirrored = (over.share * (one - value * other)).reshape(2, -1).sum(axis=0)  # paths come in pairs, z and -z
    return [value, float(np.sqrt((mirrored**2).sum())) / base]


def stand_at(
    rates: OnsetRates,
    day: float,
    entry: Entry,
    memory: Memory = nothing,
    before: OnsetRates | None = None,
    among: Callable[[State], bool] | None = None,
) -> Stand:
    """Where people stand on ``day`` after entry, of those who passed the test ``among`` at entry.

    ``before`` are the rates that they lived in until entry; left out, the same. Nobody dies before entry.
    """
    past = replace(before or rates, death=0.0)
    born = 0.0 if entry == "birth" else -BURN
    crowd = crowd_of(past, day - born)
    early, chain = chain_of(past, nothing), chain_of(rates, memory)
    p = _grown(past, day, born) * early.where(lambda s: _admitted(s, entry) and (among is None or among(s)))
    mass = p.sum(axis=1)
    if not (crowd.share @ mass) > 0:
        raise WorldError("onset rates", "nobody is in that state at entry", "Raise the rates of onset.")
    at_entry = np.zeros((p.shape[0], len(chain.states)))  # every chain begins with the same states of the living
    living = [k for k, state in enumerate(early.states) if state[0] >= 0]
    at_entry[:, : len(living)] = (p / np.where(mass > 0, mass, 1.0)[:, None])[:, living]
    share = crowd.share * mass / (crowd.share @ mass)
    return Stand(chain, share, _onward(chain, at_entry, crowd, born, 0.0, day), crowd.drawn)


@lru_cache(maxsize=2)  # what is compared by intervention entered in the same way
def _grown(past: OnsetRates, day: float, born: float) -> Float[np.ndarray, "kinds states"]:
    """Where each kind of people, free of both when born, stands at entry; their paths last until ``day``."""
    crowd, chain = crowd_of(past, day - born), chain_of(past, nothing)
    p = np.zeros((crowd.share.size, len(chain.states)))
    p[:, 0] = 1.0
    return _onward(chain, p, crowd, born, born, 0.0)


def _admitted(state: State, entry: Entry) -> bool:
    """Whether people in a state may enter the study."""
    return {"free": state[:2] == (0, 0), "free_of_pain": state[1] == 0}.get(entry, True)


@lru_cache(maxsize=2)
def crowd_of(rates: OnsetRates, days: float) -> Crowd:
    """The people of a world, from the start of their lives for ``days``."""
    if rates.cause_loading:
        if clock(rates):
            raise WorldError(
                "onset rates", "a drifting cause and a clock of chronic pain together", "Give a persistence instead."
            )
        rng = np.random.default_rng(REFERENCE_SEED)
        cells = int(np.ceil(days / GRID)) + 1
        cause = drift_slowly(rng, PATHS // 2, cells, np.exp(-GRID / rates.cause_days))
        z = rng.standard_normal((PATHS // 2, 2))
        share = np.full(PATHS, 1.0 / PATHS)
        prone, both = _multipliers(rates, np.concatenate((z, -z))), np.concatenate((cause, -cause))
        return Crowd(share, prone, both, rates.cause_loading, drawn=True)
    z, share = _nodes(rates)
    return Crowd(share, _multipliers(rates, z), np.zeros((share.size, 0)), 0.0, drawn=False)


def _nodes(rates: OnsetRates) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal nodes (kinds, 2) and their weights."""
    if not rates.proneness:
        return np.zeros((1, 2)), np.ones(1)
    alone = abs(rates.proneness_correlation) == 1
    x, w = np.polynomial.hermite_e.hermegauss(NODES[0] if alone else NODES[1])
    w = w / w.sum()
    if alone:
        return np.column_stack([x, x]), w
    return np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2), np.outer(w, w).ravel()


def _multipliers(rates: OnsetRates, z: np.ndarray) -> Float[np.ndarray, "kinds 2"]:
    """Log-normal with mean one and the stated correlation on the log scale."""
    r = rates.proneness_correlation
    second = r * z[:, 0] + np.sqrt(1 - r**2) * z[:, 1]
    return np.asarray(np.exp(rates.proneness * np.column_stack([z[:, 0], second]) - rates.proneness**2 / 2))


def _onward(
    chain: Chain, p: Float[np.ndarray, "kinds states"], crowd: Crowd, born: float, start: float, end: float
) -> Float[np.ndarray, "kinds states"]:
    """p carried from one day to another; ``born`` is the day on which the cells of the slow cause begin."""
    if end <= start:
        return p
    if crowd.drawn:
        return _drifting(chain, p, crowd, born, start, end)
    Q = chain.parts[0] + np.tensordot(crowd.prone, chain.parts[1:], axes=1)
    if not chain.tick:
        return np.asarray((p[:, None] @ expm(Q * (end - start)))[:, 0])
    ticks = int((end - start) / chain.tick)
    rest = expm(Q * (end - start - ticks * chain.tick))
    whole = np.linalg.matrix_power(expm(Q * chain.tick) @ chain.onward, ticks)
    # Before entry everybody begins without pain, so that what is left of a tick comes first; after it, last.
    return np.asarray((p[:, None] @ (rest @ whole if start < 0 else whole @ rest))[:, 0])


def _drifting(chain: Chain, p: np.ndarray, crowd: Crowd, born: float, start: float, end: float) -> np.ndarray:
    """Runge and Kutta's fourth order within each cell in which the slow cause stands still."""
    first, last = int((start - born) / GRID + 1e-9), int(np.ceil((end - born) / GRID - 1e-9))
    for cell in range(first, last):
        length = min(end, born + (cell + 1) * GRID) - max(start, born + cell * GRID)
        m = crowd.prone * np.exp(crowd.loading * crowd.cause[:, [cell]] - crowd.loading**2 / 2)
        fastest = np.abs(np.diagonal(chain.parts, axis1=1, axis2=2)).max(axis=1) @ np.r_[1.0, np.quantile(m, 0.999, 0)]
        steps = int(np.ceil(length * fastest / SMALL))
        for _ in range(steps):
            p = _step(chain, p, m, length / steps)
    return p


def _step(chain: Chain, p: np.ndarray, m: np.ndarray, h: float) -> np.ndarray:
    def slope(at: np.ndarray) -> np.ndarray:
        quiet, a, b = chain.parts
        return np.asarray(at @ quiet + m[:, :1] * (at @ a) + m[:, 1:] * (at @ b))

    one = slope(p)
    two = slope(p + h / 2 * one)
    three = slope(p + h / 2 * two)
    return np.asarray(p + h / 6 * (one + 2 * two + 2 * three + slope(p + h * three)))
