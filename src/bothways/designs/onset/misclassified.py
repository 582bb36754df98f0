"""States seen with error: the chain of the true states behind them, at a stated or estimated accuracy.

P(seen s | true r) is the product of both conditions' sensitivities and specificities; the true state at the first
observation is free. One error too many of a condition that lasts looks like a recovery and a new onset, so that
rates come out too high where states are taken as they were seen, and ratios move towards 1 or away from it.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.special import expit, ndtri

from bothways.designs.onset.models import WIDE, Fitted
from bothways.designs.onset.setup import OnsetSetup
from bothways.engine.chain.bounded import ascend_within
from bothways.engine.chain.emission import Initial, PairErrors
from bothways.engine.chain.fit import PlainTarget, finished
from bothways.engine.chain.likelihood import ChainModel
from bothways.engine.chain.sequences import sequences
from bothways.terms.errors import QuestionError
from bothways.terms.question import Pair

Accuracy = Mapping[str, tuple[float, float]]  # (sensitivity, specificity) by condition; NaN: to be estimated
Row = tuple[str, str, float, float | None, float | None]  # condition, what, value, low, high
NAMES = ("sensitivity", "specificity")
BEST = 9.0  # bound of the logit of an estimated sensitivity or specificity; the other bound is chance, 0
CHANCE = 1.0  # sensitivity + specificity at or below which seeing a condition says nothing of it


def stated(pair: Pair, accuracy: Accuracy) -> tuple[float, float, float, float]:
    """Sensitivity and specificity of A, then of B; 1 where nothing is said, NaN where they are to be estimated.

    Raises QuestionError for a key that is neither condition's and for numbers that no test can have.
    """
    unknown = sorted(set(accuracy) - {pair.a.key, pair.b.key})
    if unknown:
        raise QuestionError(
            f"accuracy of '{unknown[0]}'", "it is neither of the two conditions", f"Name {pair.a.key} or {pair.b.key}."
        )
    for key, (sensitivity, specificity) in accuracy.items():
        known = [p for p in (sensitivity, specificity) if not np.isnan(p)]
        if any(not 0 < p <= 1 for p in known) or (len(known) == 2 and sum(known) <= CHANCE):
            raise QuestionError(
                f"accuracy of '{key}'",
                "sensitivity and specificity are probabilities that add to more than 1",
                "Give two numbers such as 0.9 and 0.95.",
            )
    both = (accuracy.get(c.key, (1.0, 1.0)) for c in (pair.a, pair.b))
    (a, b), (c, d) = both
    return float(a), float(b), float(c), float(d)


def misclassified(setup: OnsetSetup, start: Fitted, accuracy: Accuracy) -> Fitted | None:
    """The chain behind states seen with error; None where nothing is said of errors, or states are dated exactly."""
    known = stated(setup.records.pair, accuracy)
    if setup.rows.dated or known == (1.0, 1.0, 1.0, 1.0):
        return None
    K = setup.states.size
    errors = PairErrors(K, known)
    counts = np.bincount(setup.entry[setup.entry >= 0], minlength=K)[:4] + 1.0
    first = np.r_[counts / counts.sum(), np.zeros(K - 4)]
    initial = Initial(first, free=True)
    model = ChainModel(start.rates, sequences(setup.states, setup.seen, hidden=True), errors, initial)
    theta = np.concatenate([np.clip(start.fit.theta, -12, 12), errors.start, initial.start])
    low, high = np.full(theta.size, -WIDE), np.full(theta.size, WIDE)
    place = slice(start.rates.size, start.rates.size + len(errors.names))
    low[place], high[place] = 0.0, BEST
    target = PlainTarget(model)
    found = finished(target, ascend_within(target.evaluate, theta, low, high))
    says = "the chain of the true states, seen with error"
    return Fitted("chain-with-errors", says, target, start.rates, found, found.loglik, bounds=(low, high))


def accuracies(setup: OnsetSetup, fitted: Fitted, accuracy: Accuracy, level: float) -> list[Row]:
    """(condition, what, value, low, high) of every sensitivity and specificity; no limits for stated ones."""
    pair, reach = setup.records.pair, float(ndtri(0.5 + level / 2))
    known, place = stated(pair, accuracy), fitted.rates.size
    rows: list[Row] = []
    for k, value in enumerate(known):
        label = (pair.a, pair.b)[k // 2].label
        if not np.isnan(value):
            rows.append((label, NAMES[k % 2], value, None, None))
            continue
        at, error = float(fitted.fit.theta[place]), float(fitted.fit.robust_errors[place])
        low, high = (float(expit(at + s * reach * error)) if np.isfinite(error) else None for s in (-1, 1))
        rows.append((label, NAMES[k % 2], float(expit(at)), low, high))
        place += 1
    return rows


def accuracy_says(setup: OnsetSetup, errors: Fitted | None, accuracy: Accuracy, level: float) -> str:
    """What was taken to be seen how well, and whether any of it was estimated; empty where nothing was stated."""
    if not accuracy:
        return ""
    if setup.rows.dated:
        return "a sensitivity or specificity was stated, but exactly dated states are taken as they are recorded"
    if errors is None:
        return ""
    if not errors.usable:
        return "the chain of true states behind those seen could not be fitted at the stated accuracy"
    found = accuracies(setup, errors, accuracy, level)
    parts = [f"{what} {value:.3g} for {label}" for label, what, value, *_ in found if value < 1]
    guessed = any(np.isnan(p) for both in accuracy.values() for p in both)
    return (
        f"the headline takes states as they were seen; the chain with errors takes them as seen with {', '.join(parts)}"
        + (", in part estimated from these records alone, which rests on the chain being right" if guessed else "")
        + "; errors are taken to be independent from visit to visit"
    )
