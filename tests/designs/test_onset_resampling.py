"""People drawn again: each draw is the fit of the records of the people drawn, and the answers carry its limits."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bothways.designs.onset.answers import answers_of, room_of
from bothways.designs.onset.estimation import PATHS, Fits, fit_all
from bothways.designs.onset.methods import methods_of
from bothways.designs.onset.models import frailty, plain
from bothways.designs.onset.resampling import Resampled, resample
from bothways.designs.onset.setup import prepare
from bothways.simulation import Observation, simulate
from bothways.terms.answer import DesignResult, Estimand
from bothways.terms.progress import silent
from bothways.terms.question import Direction, Facet
from bothways.terms.records import Records
from bothways.terms.settings import Settings

SETTINGS = Settings(bootstrap=60, workers=1, seed=4)


@cache
def records() -> Records:
    seen = Observation(entry="prevalent")
    return simulate("both-ways", design="onset", people=1200, seed=8, observation=seen).records


@cache
def drawn() -> tuple[Fits, Resampled]:
    setup = prepare(records(), SETTINGS)
    fits = fit_all(setup, silent, quick=True)
    return fits, resample(setup, SETTINGS, fits, silent)


def of_people(chosen: np.ndarray) -> Records:
    """The records of these people, each draw a person of its own."""
    all_ = records()
    rows = [np.flatnonzero(all_.person == k) for k in chosen]
    at = np.concatenate(rows)
    person = np.repeat(np.arange(chosen.size), [r.size for r in rows])
    wave = None if all_.wave is None else all_.wave[at]
    values = {k: v[at] for k, v in all_.values.items()}
    return replace(all_, person=person, time=all_.time[at], wave=wave, values=values, baseline={}, events={})


def test_a_draw_is_the_fit_of_the_people_drawn() -> None:
    found = drawn()[1].values
    people = records().people
    for k, stream in enumerate(np.random.default_rng(SETTINGS.seed).spawn(2)):
        again = plain(prepare(of_people(stream.integers(0, people, people)), SETTINGS))
        for direction, path in PATHS.items():
            assert found[f"chain.rate_ratio.{direction}"][k] == pytest.approx(again.log_ratio(*path)[0], abs=2e-3)


def test_spread_of_the_draws_is_that_of_the_robust_errors() -> None:
    fits, found = drawn()
    for direction, path in PATHS.items():
        limits = found.limits(f"chain.rate_ratio.{direction}")
        assert limits is not None
        assert limits[2] == pytest.approx(fits.chain.log_ratio(*path)[1], rel=0.35)


def test_workers_change_no_digit() -> None:
    setup = prepare(records(), SETTINGS)
    one, two = (resample(setup, replace(SETTINGS, bootstrap=6, workers=w), drawn()[0], silent).values for w in (1, 2))
    for key, values in one.items():
        np.testing.assert_array_equal(values, two[key])


def test_the_answers_carry_the_limits() -> None:
    setup = prepare(records(), SETTINGS)
    fits, found = drawn()
    room = room_of(setup, SETTINGS, fits, found)
    result = DesignResult("onset", answers_of(room), methods=methods_of(room))
    for direction in (Direction.A_TO_B, Direction.B_TO_A):
        head = result.headline(direction)
        assert head is not None
        assert head.estimate is not None
        limits = found.limits(f"chain.rate_ratio.{direction}")
        assert limits is not None
        assert (head.estimate.low, head.estimate.high) == pytest.approx(np.exp(limits[:2]))
        assert head.estimate.se == pytest.approx(limits[2])
        share = next(
            a for a in result.answers if a.estimand is Estimand.ATTRIBUTABLE_SHARE and a.direction is direction
        )
        limits = found.limits(f"chain.attributable_share.{direction}")
        assert limits is not None
        assert share.estimate is not None
        assert (share.estimate.low, share.estimate.high) == pytest.approx(limits[:2])
    one, other = (result.headline(d, Facet.FIRST) for d in (Direction.A_TO_B, Direction.B_TO_A))
    assert one is not None
    assert other is not None
    assert one.estimate is not None
    assert other.estimate is not None
    assert one.estimate.low == pytest.approx(1 - other.estimate.high)
    limits = found.limits("chain.order_entered")
    assert limits is not None
    assert one.estimate.low == pytest.approx(limits[0])
    assert "60 samples of people" in result.methods


def test_a_chain_with_bounds_is_drawn_within_them() -> None:
    setup = prepare(records(), SETTINGS)
    chain = plain(setup)
    lasting = frailty(setup, chain, nodes=5)
    found = resample(setup, replace(SETTINGS, bootstrap=4), Fits(lasting, chain, lasting), silent)
    values = found.values["frailty.rate_ratio.a_to_b"]
    assert np.isfinite(values).all()
    assert np.abs(values - lasting.log_ratio("A>AB", "0>B")[0]).max() < 2


def test_draws_that_give_no_number_give_no_limits() -> None:
    made = Resampled(0.95, {"x": np.r_[np.full(20, np.inf), np.ones(80)], "y": np.arange(101.0)})
    assert made.limits("x") is None
    assert made.limits("z") is None
    assert made.limits("y") == pytest.approx((2.5, 97.5, np.arange(101.0).std(ddof=1)))
