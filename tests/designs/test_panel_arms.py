"""Many arms: the panel takes what each did out of the lags in a pleasant time, and says what it spared."""

from __future__ import annotations

import time

import pytest

from bothways.designs.choose import design_of
from bothways.designs.panel import PanelDesign
from bothways.designs.panel.resampling import MOST_FIXED
from bothways.designs.panel.setup import prepare
from bothways.simulation import simulate_trial
from bothways.terms.progress import silent
from bothways.terms.records import Records
from bothways.terms.settings import Settings


@pytest.fixture(scope="module")
def twelve() -> Records:
    arms = ("usual care", *(f"arm {k}" for k in range(1, 12)))
    return simulate_trial("lever-null", people=600, arms=arms, dose=tuple(k / 11 for k in range(12)), seed=3).records


def test_twelve_arms_take_seconds_and_the_methods_say_that_nobody_was_resampled(twelve: Records) -> None:
    assert len(prepare(twelve).fixed) > MOST_FIXED
    start = time.process_time()
    result = PanelDesign().answer(twelve, Settings(), silent)
    assert time.process_time() - start < 30  # 2 to 6 on an idle machine; 500 draws took over a minute
    assert "With 11 covariates people were not resampled" in result.methods
    assert result.a_to_b is not None


def test_a_trial_of_more_arms_than_can_be_compared_says_what_to_do(twelve: Records) -> None:
    refusal = design_of("trial").refuse(twelve, Settings())
    assert refusal is not None
    assert "12 arms" in refusal.reason
    assert refusal.mend == "Join arms that were treated alike, or name the column of the arms."
