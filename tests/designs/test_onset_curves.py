"""Tables of curves: every number from the matrix exponential of the rates, shares that add up, one shape for all."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from scipy.linalg import expm

from bothways.designs.onset import OnsetDesign
from bothways.designs.onset.curves import POINTS
from bothways.designs.onset.models import plain
from bothways.designs.onset.setup import prepare
from bothways.simulation import Observation, simulate
from bothways.terms.answer import Table
from bothways.terms.progress import silent
from bothways.terms.records import Records
from bothways.terms.settings import Settings

SETTINGS = Settings(quick=True)
LONG = ("onset_next", "onset_transitions", "onset_states", "onset_incidence")
NAMES = ("neither", "depression only", "back pain only", "both")


@cache
def records() -> Records:
    seen = Observation(entry="prevalent", jitter=0.0)
    return simulate("both-ways", design="onset", people=1500, seed=2, observation=seen).records


@cache
def tables() -> dict[str, Table]:
    return {table.key: table for table in OnsetDesign().answer(records(), SETTINGS, silent).tables}


@cache
def generator() -> np.ndarray:
    chain = plain(prepare(records(), SETTINGS))
    q = np.exp(chain.rates.coefficients(chain.fit.theta)[0])
    return np.asarray(chain.rates.graph.generators(q[None])[0])


def test_every_table_is_long_with_limits_around_the_value() -> None:
    for key in LONG:
        table = tables()[key]
        assert table.columns[-2:] == ("low", "high")
        for row in table.rows:
            value, low, high = row[-3:]
            assert isinstance(value, float)
            assert low <= value <= high  # type: ignore[operator]


def test_moves_over_a_gap_are_those_of_the_exponential_and_add_to_one() -> None:
    table = tables()["onset_transitions"]
    assert table.columns[:3] == ("years", "from", "to")
    for gap in {row[0] for row in table.rows}:
        P = expm(generator() * float(gap))  # type: ignore[arg-type]
        for r, name in enumerate(NAMES):
            mine = {row[2]: row[3] for row in table.rows if row[:2] == (gap, name)}
            assert [mine[s] for s in NAMES] == pytest.approx(P[r].tolist(), rel=1e-8)


def test_next_states_are_shares_of_the_exits() -> None:
    Q = generator()
    for origin, to, share, *_ in tables()["onset_next"].rows:
        r, s = NAMES.index(str(origin)), NAMES.index(str(to))
        assert share == pytest.approx(-Q[r, s] / Q[r, r], rel=1e-9)


def test_states_over_time_begin_at_neither_and_follow_the_rates_of_each_world() -> None:
    table = tables()["onset_states"]
    worlds = list(dict.fromkeys(row[1] for row in table.rows))
    assert len(worlds) == 5
    assert len(table.rows) == 5 * POINTS * 4
    Q = generator().copy()
    Q[1, 3] = Q[0, 2]
    np.fill_diagonal(Q, 0.0)
    np.fill_diagonal(Q, -Q.sum(1))
    removed = "effect removed (depression to back pain)"
    for t in {row[0] for row in table.rows}:
        mine = [row[3] for row in table.rows if row[0] == t and row[1] == removed]
        assert mine == pytest.approx(expm(Q * float(t))[0].tolist(), rel=1e-8)  # type: ignore[arg-type]
    begin = [row[3:] for row in table.rows if row[0] == 0.0 and row[2] == "neither"]
    assert begin == [(1.0, 1.0, 1.0)] * 5


def test_onsets_are_the_chain_stopped_at_its_first_entry() -> None:
    Q = generator().copy()
    Q[[2, 3]] = 0.0  # back pain has begun
    for t, _, start, share, *_ in (r for r in tables()["onset_incidence"].rows if r[1] == "back pain"):
        row = 0 if start == "neither present" else 1
        assert share == pytest.approx(expm(Q * float(t))[row, [2, 3]].sum(), rel=1e-8, abs=1e-12)  # type: ignore[arg-type]
