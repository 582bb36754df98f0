"""Conversions: by brute force from their definitions, at their known values, and only where they belong."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from bothways.designs.literature.convert import (
    between_extremes,
    extremes_to_per_sd,
    hazard_to_risk,
    odds_to_risk,
    odds_to_smd,
    on_risk_scale,
    smd_to_odds,
)
from bothways.designs.literature.place import place
from bothways.terms.question import Scale
from bothways.topics import load_topic

BY_ID = {e.evidence.id: e for e in place(load_topic("depression-back-pain").evidence)}
ratios = st.floats(0.1, 10)
risks = st.floats(0.01, 0.9)


@given(risks, risks)
def test_an_odds_ratio_of_two_risks_comes_back_as_their_ratio(exposed: float, unexposed: float) -> None:
    odds = exposed / (1 - exposed) / (unexposed / (1 - unexposed))
    assert odds_to_risk(odds, unexposed) == pytest.approx(exposed / unexposed)


def test_the_published_example() -> None:
    """1.59 at a risk of 17.7 % is about 1.44, and 3.97 between outer quarters about 1.72 for one SD."""
    assert odds_to_risk(1.59, 0.177) == pytest.approx(1.44, abs=0.005)
    assert [extremes_to_per_sd(x) for x in (3.97, 1.81, 8.72)] == pytest.approx([1.72, 1.26, 2.34], abs=0.006)


@given(ratios)
def test_a_hazard_ratio_turned_around_gives_the_risk_ratio_turned_around(hazard: float) -> None:
    assert hazard_to_risk(1 / hazard) == pytest.approx(1 / hazard_to_risk(hazard))
    assert min(1.0, hazard) - 1e-9 <= hazard_to_risk(hazard) <= max(1.0, hazard) + 1e-9


def test_a_hazard_ratio_against_exponential_survival() -> None:
    """The formula is exact where the two cumulative risks lie symmetrically: S1 = S0^HR with S0^√HR = ½."""
    for hazard in (0.5, 1.5, 3.97):
        cumulative = math.log(2) / math.sqrt(hazard)
        risk = (1 - math.exp(-hazard * cumulative)) / (1 - math.exp(-cumulative))
        assert hazard_to_risk(hazard) == pytest.approx(risk)


@given(st.floats(-3, 3))
def test_there_and_back(smd: float) -> None:
    assert odds_to_smd(smd_to_odds(smd)) == pytest.approx(smd, abs=1e-12)


def test_an_odds_ratio_of_a_split_logistic_variable_is_the_one_of_its_shift() -> None:
    """Two logistic populations of SD 1, shifted by 0.5, split anywhere: the odds ratio is exp(0.5·π/√3)."""
    scale = math.sqrt(3) / math.pi
    for cut in (-1.0, 0.0, 0.7):
        high, low = (stats.logistic.sf(cut, loc=shift, scale=scale) for shift in (0.5, 0.0))
        assert smd_to_odds(0.5) == pytest.approx(high / (1 - high) / (low / (1 - low)))


def test_the_distance_between_outer_quarters_by_simulation() -> None:
    z = np.sort(np.random.default_rng(1).normal(size=400_000))
    assert between_extremes(0.25) == pytest.approx(z[300_000:].mean() - z[:100_000].mean(), abs=0.01)


@pytest.mark.parametrize("risk", [0.0, 1.0, -0.2])
def test_a_risk_has_to_be_one(risk: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        odds_to_risk(2.0, risk)


def test_a_converted_entry_says_so_and_keeps_its_place() -> None:
    moved = on_risk_scale(BY_ID["currie2005_mdd_cbp_or"], 0.011)
    assert moved.scale is Scale.RISK_RATIO
    assert "Zhang and Yu" in moved.converted
    assert moved.estimate.low < moved.estimate.value < moved.estimate.high < 7.0
    assert moved.estimate.value == pytest.approx(2.9 / (1 - 0.011 + 0.011 * 2.9))
    half = 1.959963984540054 * moved.estimate.se
    assert math.log(moved.estimate.high / moved.estimate.low) == pytest.approx(2 * half)


@pytest.mark.parametrize(
    "identity", ["yang2023_mdd_bp_pr", "tang2022_mdd_bp_or", "werneck2024_depr_pain_hrs", "pinheiro2015_twins_mz_or"]
)
def test_what_differs_in_kind_is_left_as_it_is(identity: str) -> None:
    assert on_risk_scale(BY_ID[identity], 0.1) is BY_ID[identity]


def test_an_entry_without_interval_is_left_as_it_is() -> None:
    bare = replace(BY_ID["currie2005_mdd_cbp_or"], estimate=None)
    assert on_risk_scale(bare, 0.1) is bare
