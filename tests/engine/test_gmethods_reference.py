"""Against an independent computation in R: pooled regressions, exact g-formula, weights, marginal structural model."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bothways.engine.gmethods.gformula import model_of, simulate
from bothways.engine.gmethods.history import Histories
from bothways.engine.gmethods.plans import ALWAYS, NEVER, sustained
from bothways.engine.gmethods.structural import structural
from bothways.engine.gmethods.weights import Weights, weights_of

FOLDER = Path(__file__).parents[1] / "reference" / "gformula"
REFERENCE = json.loads((FOLDER / "gformula.json").read_text())
ORDER, EXPOSURE = (0, 1, 2), 2


@cache
def histories() -> Histories:
    table = np.genfromtxt(FOLDER / "visits.csv", delimiter=",", names=True)
    people = int(table["id"].max())
    values = np.stack([table[key].reshape(people, -1) for key in "yla"], axis=2)
    fixed = table["x"].reshape(people, -1)[:, :1]
    return Histories(values, fixed, np.ones(3, dtype=bool), np.full(people, values.shape[1]), np.ones(people))


@cache
def weights() -> Weights:
    return weights_of(histories(), ORDER, EXPOSURE)


def test_the_g_formula_is_that_of_r() -> None:
    found = simulate(
        model_of(histories(), [sustained(ORDER, EXPOSURE, (1.0, 0.0))]), np.random.default_rng(1), draws=300
    )
    for target, key in ((0, "outcome"), (1, "confounder")):
        m = found.model.uses[0][target]
        assert sorted(found.fitted[m].coef) == pytest.approx(sorted(REFERENCE[key]), abs=1e-7)
    # R sums over histories; 270,000 lives with a mean at the last step err by less than 0.0003, so this is over four
    for plan, key in ((ALWAYS, "always"), (NEVER, "never")):
        assert found.point[0].mean[plan, -1, 0] == pytest.approx(REFERENCE[key], abs=0.0013)


def test_the_weights_are_those_of_r() -> None:
    final = weights().value[:, -1]
    known = final[np.isfinite(final)]
    assert known[:20] == pytest.approx(REFERENCE["weights"], rel=1e-7)
    assert known.mean() == pytest.approx(REFERENCE["weight_mean"], rel=1e-7)
    assert known.max() == pytest.approx(REFERENCE["weight_max"], rel=1e-7)


def test_the_marginal_structural_model_is_that_of_r() -> None:
    found = structural(histories(), weights().value[:, -1], EXPOSURE, 0)
    assert found.coef == pytest.approx(REFERENCE["msm"], abs=1e-7)
    assert np.sqrt(np.diag(found.robust)) == pytest.approx(REFERENCE["robust"], abs=1e-7)
    assert found.means == pytest.approx([REFERENCE["msm_always"], REFERENCE["msm_never"]], abs=1e-7)
    assert found.people == int(np.isfinite(weights().value[:, -1]).sum())
