"""The precision promised for a diary against what simulated diaries of that plan come to."""

from __future__ import annotations

import numpy as np
import pytest

from bothways.designs.diary.planning import DiaryPlan, _occasions, _truth, expected_precision
from bothways.engine.statespace.effects import standardised_effect
from bothways.engine.statespace.fit import fit_series
from bothways.engine.statespace.simulate import simulate_answers
from bothways.engine.statespace.structure import multivariate


def test_longer_diaries_are_more_precise_as_the_root_says() -> None:
    short = expected_precision(DiaryPlan(people=1, days=40, error=0.0))
    long = expected_precision(DiaryPlan(people=1, days=160, error=0.0))
    assert short.se / long.se == pytest.approx(2.0, rel=0.2)
    assert long.power > short.power
    assert long.answers == pytest.approx(4 * short.answers, rel=0.1)


def test_promise_is_kept() -> None:
    """The spread of thirty fitted effects is near the standard error that was promised."""
    plan = DiaryPlan(people=1, days=40, error=0.0, effect=0.15)
    structure = multivariate(("a", "b"), random_means=False)
    theta = _truth(structure, plan)
    effects = []
    for child in np.random.default_rng(3).spawn(30):
        series = _occasions(plan, child)
        fit = fit_series(structure, series.with_values(simulate_answers(structure.system(theta), series, child)))
        s = fit.system
        effects.append(standardised_effect(s.drift[None], s.diffusion[None], np.array([plan.lag]))[0, 0, 1, 0])
    promised = expected_precision(plan)
    assert np.std(effects) == pytest.approx(promised.se, rel=0.4)
    assert np.mean(effects) == pytest.approx(plan.effect, abs=4 * promised.se / np.sqrt(30))


def test_impossible_effects_are_refused() -> None:
    with pytest.raises(ValueError, match="last longer"):
        expected_precision(DiaryPlan(people=1, days=30, effect=0.9))
