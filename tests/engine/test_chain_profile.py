"""A profile limit is found, or none is claimed; never an error, whatever the contrast runs into."""

from __future__ import annotations

import numpy as np
import pytest

from bothways.engine.chain import profile
from bothways.engine.chain.ascent import Ending, ImpossibleError
from bothways.engine.chain.fit import ChainFit
from bothways.engine.chain.likelihood import Evaluation

UNKNOWN = np.full((1, 1), np.inf)
NOWHERE = np.zeros(1, dtype=np.int64)


class Nothing:
    """Fittable in name; its likelihood is never asked for."""

    names = ("x",)
    exact = True
    drawn = None

    def evaluate(self, theta: np.ndarray, order: int) -> Evaluation:
        raise NotImplementedError

    def unit_scores(self, theta: np.ndarray) -> np.ndarray:
        raise NotImplementedError


def _found(loglik: float) -> ChainFit:
    nothing = NOWHERE.astype(bool)
    return ChainFit(("x",), np.zeros(1), loglik, Ending.CONVERGED, "", UNKNOWN, UNKNOWN, NOWHERE, nothing, 0.0, 1)


def test_a_bracket_keeps_the_sign_it_had(monkeypatch: pytest.MonkeyPatch) -> None:
    """A constrained fit of one place that ends elsewhere the second time must not undo the bracket."""
    asked: list[float] = []

    def wavering(_target: object, theta: np.ndarray, _c: np.ndarray, d: float) -> tuple[np.ndarray, float]:
        again = d in asked
        asked.append(d)
        return theta, 0.0 if again else -0.5 * d**2

    monkeypatch.setattr(profile, "constrained", wavering)
    low, high = profile.profile_interval(Nothing(), _found(0.0), np.ones(1))
    assert high == pytest.approx(1.959964, abs=1e-3)
    assert low == pytest.approx(-high, abs=1e-3)


def test_no_limit_is_claimed_where_nothing_can_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def impossible(*_args: object) -> tuple[np.ndarray, float]:
        raise ImpossibleError("impossible")

    monkeypatch.setattr(profile, "constrained", impossible)
    limits = profile.profile_interval(Nothing(), _found(0.0), np.ones(1))
    assert limits == (-np.inf, np.inf)
