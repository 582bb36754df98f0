"""The chains that are fitted to one setup: plain, with a shared frailty, and with a hidden common cause that drifts."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.special import chdtrc

from bothways.designs.onset.setup import FEW_DEATHS, OnsetSetup
from bothways.designs.onset.states import MASKS
from bothways.engine.chain.ascent import Ending
from bothways.engine.chain.bounded import ascend_within
from bothways.engine.chain.emission import FixedErrors, Initial
from bothways.engine.chain.fit import ChainFit, Fittable, PlainTarget, finished, fit_target, starting_values
from bothways.engine.chain.frailty import FrailtyModel, NormalProneness
from bothways.engine.chain.graph import FORWARD, graph
from bothways.engine.chain.likelihood import ChainModel
from bothways.engine.chain.predictor import RATE, Predictor, predictor
from bothways.engine.chain.sequences import Observations, sequences

ONSETS = {"A": ("0>A", "B>AB"), "B": ("0>B", "A>AB")}
ENDS = {"A": ("A>0", "AB>B"), "B": ("B>0", "AB>A")}
SURE = 6.0  # bound of the log odds of the hidden cause at entry
WIDE = 15.0  # bound of a log rate, an effect or a log odds: beyond it nothing is seen
ENTRY = ("entered with A", "entered with B", "entered with both")


@dataclass(frozen=True, slots=True)
class Fitted:
    """One fitted chain. ``rates`` reads log rates off theta; ``loglik`` is conditional on the first observation.

    ``bounds`` are the lowest and the highest theta between which it was fitted, where it was.
    """

    key: str
    says: str
    target: Fittable
    rates: Predictor
    fit: ChainFit
    loglik: float
    marks: tuple[str, str] = ("", "")  # what the model's own transitions add to the names of the two states
    bounds: tuple[Float[np.ndarray, "parameters"], Float[np.ndarray, "parameters"]] | None = None

    @property
    def usable(self) -> bool:
        """A maximum was found, or one that lies at infinity for named parameters only."""
        return self.fit.ending is not Ending.STOPPED

    def _own(self, transition: str) -> str:
        return ">".join(state + mark for state, mark in zip(transition.split(">"), self.marks, strict=True))

    def log_ratio(self, above: str, below: str) -> tuple[float, float, Float[np.ndarray, "parameters"]]:
        """(log q_above - log q_below, its standard error robust by person, the contrast); covariates at their mean.

        A standard error beyond ``WIDE`` is none: the records do not bound the ratio.
        """
        contrast = np.zeros(self.fit.theta.size)
        contrast[: self.rates.size] = self.rates.row(self._own(above)) - self.rates.row(self._own(below))
        used = np.abs(contrast) > 0
        if not np.isfinite(np.diag(self.fit.robust)[used]).all():
            return float(contrast @ self.fit.theta), np.inf, contrast
        kept = np.where(np.isfinite(self.fit.robust), self.fit.robust, 0.0)
        error = float(np.sqrt(contrast @ kept @ contrast))
        return float(contrast @ self.fit.theta), error if error < WIDE else np.inf, contrast


def effects_of(
    setup: OnsetSetup, extra: tuple[str, ...] = ()
) -> tuple[dict[str, tuple[str, ...]], list[list[tuple[str, str]]]]:
    """Covariates act alike on both onsets of a condition, and on both its recoveries; ``extra`` on all onsets alike."""
    there = set(setup.states.transitions)
    groups = [tuple(t for t in pair if t in there) for table in (ONSETS, ENDS) for pair in table.values()]
    groups = [group for group in groups if group]
    flat = tuple(t for group in groups for t in group)
    effects: dict[str, tuple[str, ...]] = dict.fromkeys(setup.covariates.names, flat)
    equal = [[(name, t) for t in group] for name in setup.covariates.names for group in groups]
    effects |= dict.fromkeys(extra, FORWARD)
    equal += [[(name, t) for t in FORWARD] for name in extra]
    exits = [t for t in setup.states.transitions if t.endswith(">D")]
    if exits and setup.rows.deaths < FEW_DEATHS:
        equal.append([(RATE, t) for t in exits])
    return effects, equal


def plain(setup: OnsetSetup) -> Fitted:
    """The chain with the covariates and nothing hidden."""
    return fitted_chain(setup, *effects_of(setup), "chain")


def fitted_chain(
    setup: OnsetSetup,
    effects: dict[str, tuple[str, ...]],
    equal: list[list[tuple[str, str]]],
    key: str,
    cut: tuple[Float[np.ndarray, "rows"], tuple[float, ...]] | None = None,
) -> Fitted:
    """A chain without anything hidden; ``cut`` is a clock at each row and where on it the rates may change."""
    rates = predictor(setup.states, effects, equal)
    clock, breaks = cut if cut is not None else (None, ())
    model = ChainModel(rates, sequences(setup.states, setup.seen, clock=clock, breaks=breaks))
    target = PlainTarget(model)
    found = fit_target(target, starting_values(model))
    return Fitted(key, "a Markov chain of four states", target, rates, found, found.loglik)


def frailty(setup: OnsetSetup, start: Fitted, nodes: int = 11) -> Fitted:
    """A proneness of each person, normal on the log scale, on all four onsets; its mean differs by state at entry."""
    entered = [k for k in (1, 2, 3) if (setup.entry == k).any() and (setup.entry != k).any()]
    names = tuple(ENTRY[k - 1] for k in entered)
    x = np.column_stack([setup.seen.x, *((setup.entry[setup.rows.person] == k) * 1.0 for k in entered)])
    effects, equal = effects_of(setup, names)
    rates = predictor(setup.states, effects, equal)
    chain = ChainModel(rates, sequences(setup.states, replace(setup.seen, x=x)))
    loading = np.isin(setup.states.transitions, FORWARD) * 1.0
    units = chain.sequences.units
    target = FrailtyModel(chain, NormalProneness(nodes), loading, np.zeros(units, dtype=np.int64))
    theta = np.zeros(len(target.names))
    place = {name: k for k, name in enumerate(start.rates.names)}
    for k, name in enumerate(rates.names):
        theta[k] = start.fit.theta[place[name]] if name in place else 0.0
    theta[: rates.size] = np.clip(theta[: rates.size], -12, 12)
    theta[-1] = 0.25
    low, high = np.full(theta.size, -WIDE), np.full(theta.size, WIDE)
    low[-1], high[-1] = 0.0, 16.0
    found = finished(target, ascend_within(target.evaluate, theta, low, high))
    says = "the chain with a lasting proneness of each person"
    return Fitted("frailty", says, target, rates, found, found.loglik, bounds=(low, high))


def drifting_cause(setup: OnsetSetup, start: Fitted, *, influence: bool = True) -> Fitted:
    """A hidden cause of both, low or high, that switches over time and raises all four onsets alike.

    Without ``influence`` it is the rival: having one condition changes nothing about the onset of the other.

    States (cause, state) are seen through the state alone. At entry the cause's distribution is free given the state,
    and the states have the shares that they had: the total less their part is the likelihood given the entry states.
    """
    K = setup.states.size
    names = [f"{s}.{z}" for z in ("low", "high") for s in setup.states.states if s != "D"]
    names += ["D"] if setup.mortal else []
    alive = 4
    edges = [(t, z) for z in ("low", "high") for t in setup.states.transitions]
    label = [_with_cause(t, z) for t, z in edges]
    switches = [f"{s}.{u}>{s}.{v}" for s in setup.states.states[:alive] for u, v in (("low", "high"), ("high", "low"))]
    wide = graph(names, label + switches)
    own = start.rates if influence else _without_influence(setup)
    P = own.size
    basis = np.zeros((*own.basis.shape[:1], len(edges) + len(switches), P + 2))
    offset = np.zeros(basis.shape[:2])
    for k, (t, z) in enumerate(edges):
        basis[:, k, :P] = own.basis[:, setup.states.index(t)]
        offset[:, k] = own.offset[:, setup.states.index(t)]
        if z == "high" and t in FORWARD:
            basis[0, k, P] = 1.0
    basis[0, len(edges) :, P + 1] = 1.0
    rates = Predictor(wide, own.covariates, (*own.names, "cause high", "cause switches"), offset, basis)
    E = np.zeros((wide.size, wide.size))
    place = [k % alive for k in range(2 * alive)] + ([K - 1] if setup.mortal else [])
    E[np.arange(wide.size), place[: 2 * alive] + [wide.size - 1] * setup.mortal] = 1.0
    masks = np.array([[m[p] for p in place] for m in MASKS[:, :K]])
    seen = _from_first_known(setup, K, wide.size, masks)
    counts = _entered(setup, alive)
    first = np.concatenate([np.tile(counts / counts.sum() / 2, 2), np.zeros(wide.size - 2 * alive)])
    model = ChainModel(rates, sequences(wide, seen, hidden=True), FixedErrors(E), Initial(first, True, np.array(place)))
    pace = np.log(0.5 / _gap(setup))
    known = dict(zip(start.fit.names, np.clip(start.fit.theta, -12, 12), strict=True))
    theta = np.concatenate([[known.get(name, 0.0) for name in own.names], [1.0, pace]])
    theta[[k for k, n in enumerate(own.names) if n.split()[-1] in FORWARD and n.startswith(RATE)]] -= 0.5
    assert model.initial is not None
    target = PlainTarget(model)
    theta = np.concatenate([theta, model.initial.start])
    low, high = np.full(theta.size, -WIDE), np.full(theta.size, WIDE)
    low[P], high[P] = 0.0, 5.0
    low[P + 1], high[P + 1] = pace - np.log(50), pace + np.log(10)
    low[P + 2 :], high[P + 2 :] = -SURE, SURE
    found = finished(target, ascend_within(target.evaluate, theta, low, high))
    there = counts[counts > 0]
    entry_loglik = float((there * np.log(there / there.sum())).sum())
    says = "the chain with a hidden cause of both that comes and goes"
    key = "drifting-cause" if influence else "drifting-cause-alone"
    says += "" if influence else ", and no influence of one condition on the onset of the other"
    return Fitted(key, says, target, rates, found, found.loglik - entry_loglik, (".low", ".low"), (low, high))


def _without_influence(setup: OnsetSetup) -> Predictor:
    """Onset rates that do not know of the other condition."""
    effects, equal = effects_of(setup)
    tied = [[(RATE, "0>B"), (RATE, "A>AB")], [(RATE, "0>A"), (RATE, "B>AB")]]
    return predictor(setup.states, effects, [*equal, *tied])


def _with_cause(transition: str, z: str) -> str:
    return ">".join(s if s == "D" else f"{s}.{z}" for s in transition.split(">"))


def _from_first_known(setup: OnsetSetup, K: int, size: int, masks: np.ndarray) -> Observations:
    """Rows from each person's first known state on, with masks renumbered behind the wider set of states."""
    known = setup.seen.seen < min(K, 4)
    begun = np.zeros(known.size, dtype=bool)
    order = np.arange(known.size)
    head = np.r_[True, np.diff(setup.seen.unit) != 0]
    since = np.maximum.accumulate(np.where(known, order, -1))
    begun = since >= np.maximum.accumulate(np.where(head, order, 0))
    code = np.where(setup.seen.seen >= K, setup.seen.seen - K + size, setup.seen.seen)
    if setup.mortal:
        code = np.where(setup.seen.seen == K - 1, size - 1, code)
    return replace(setup.seen, seen=code, masks=masks).choose(begun)


def _entered(setup: OnsetSetup, alive: int) -> np.ndarray:
    """(alive,): how many people entered in each state, by their weights."""
    who = np.flatnonzero(setup.entry >= 0)
    each = None if setup.seen.weight is None else setup.seen.weight[who]
    return np.bincount(setup.entry[who], weights=each, minlength=alive)[:alive] * 1.0


def _gap(setup: OnsetSetup) -> float:
    """The median time between two rows of one person."""
    joined = np.diff(setup.rows.person) == 0
    return float(np.median(np.diff(setup.rows.time)[joined]))


def better(large: Fitted, small: Fitted, df: int) -> float:
    """p of the likelihood-ratio test that the larger model adds nothing; 1 where it is not usable."""
    return float(chdtrc(df, max(2 * (large.loglik - small.loglik), 0.0))) if large.usable else 1.0
