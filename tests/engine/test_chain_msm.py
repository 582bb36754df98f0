"""The chain engine against R msm: the same -2 log-likelihood at the same point, and an optimum that is never worse.

Reference: tests/reference/msm.R and the msm.json beside it. Tolerance 1e-6 relative at fixed parameters (two routes to
the same exponential agree far closer); at the optimum ours may be lower than msm's by no more than 1e-6.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.engine.chain_witness import differences, loglik

from bothways.engine.chain.emission import FixedErrors, Initial, MultinomialErrors
from bothways.engine.chain.fit import fit
from bothways.engine.chain.graph import Graph, four_states, graph
from bothways.engine.chain.likelihood import ChainModel, evaluate
from bothways.engine.chain.predictor import Predictor, predictor
from bothways.engine.chain.sequences import DATED, ENTERED, SEEN, Observations, observe, sequences

REFERENCE = Path(__file__).parents[1] / "reference"
MSM = json.loads((REFERENCE / "msm.json").read_text("utf-8"))
VISIBLE = ("forward", "recovery", "death", "censored", "covariates", "dated", "piecewise")
UNKNOWN = 99


def states_of(case: dict) -> Graph:
    names = ("0", "A", "B", "AB", "D") if any(k.endswith(">D") for k in case["rates"]) else ("0", "A", "B", "AB")
    in_rows = [f"{r}>{s}" for r in names for s in names if f"{r}>{s}" in case["rates"]]
    return graph(names, in_rows)  # msm numbers transitions row by row


def observations(name: str, states: int) -> Observations:
    data = {k: np.array(v) for k, v in MSM[name]["data"].items()}
    _, unit = np.unique(data["subject"], return_inverse=True)
    state = data["state"] - 1
    seen = np.where(data["state"] == UNKNOWN, states, state)
    kind = np.where(state == 4, ENTERED, DATED if name == "dated" else SEEN)
    x = np.column_stack([data[k] for k in ("x", "z") if k in data] or [np.zeros((unit.size, 0))])
    masks = np.array([[1.0, 1, 1, 1, 0][:states]])
    return observe(unit, data["time"].astype(float), seen, states=states, kind=kind, x=x.astype(float), masks=masks)


def visible(name: str) -> tuple[ChainModel, np.ndarray]:
    """The model of a case, and msm's point as theta."""
    case = MSM[name]
    states = states_of(case)
    seen = observations(name, states.size)
    base = np.log([case["rates"][t] for t in states.transitions])
    if name == "covariates":
        rates = predictor(states, {"x": None, "z": None}, equal=[[("x", "0>A"), ("x", "0>B")]])
        x, z = case["beta"]["x"], case["beta"]["z"]
        return ChainModel(rates, sequences(states, seen)), np.concatenate([base, x[:1], x[2:], z])
    if name == "piecewise":
        rates = predictor(states, {"late": None})
        cut = sequences(states, seen, clock=seen.time, breaks=[2.0])
        return ChainModel(rates, cut), np.concatenate([base, np.full(base.size, 0.3)])
    return ChainModel(predictor(states), sequences(states, seen)), base


@pytest.mark.parametrize("name", VISIBLE)
def test_the_likelihood_at_a_point_is_that_of_msm(name: str) -> None:
    model, theta = visible(name)
    assert -2 * evaluate(model, theta).loglik == pytest.approx(MSM[name]["at"], rel=1e-6)


@pytest.mark.parametrize("name", VISIBLE)
def test_the_optimum_is_never_worse_than_that_of_msm(name: str) -> None:
    found = fit(visible(name)[0])
    assert found.ending == "converged", found.says
    assert -2 * found.loglik <= MSM[name]["fitted"] + 1e-6


@pytest.mark.parametrize("name", ["forward", "recovery", "death", "covariates"])
def test_rates_at_an_interior_optimum_are_those_of_msm(name: str) -> None:
    model, _ = visible(name)
    found = fit(model)
    T = len(model.predictor.graph.transitions)
    theirs = np.array(MSM[name]["log_rates"])[:T]
    np.testing.assert_allclose(np.exp(found.theta[:T]), np.exp(theirs), rtol=2e-3)


def hidden(name: str) -> tuple[ChainModel, np.ndarray]:
    """msm's hidden cases: error probabilities known, or free where they are not 0."""
    case = MSM[name]
    states, E = states_of(case), np.array(case["E"])
    errors = FixedErrors(E) if name == "misclassified" else MultinomialErrors(states.states, E > 0, E)
    data = sequences(states, observations(name, 4), hidden=True)
    rates: Predictor = predictor(states)
    base = np.log([case["rates"][t] for t in states.transitions])
    model = ChainModel(rates, data, errors, Initial(np.array(case["start"])))
    return model, np.concatenate([base, errors.start])


@pytest.mark.parametrize("name", ["misclassified", "misclassified_free"])
def test_misclassified_states_are_those_of_msm(name: str) -> None:
    model, theta = hidden(name)
    assert -2 * evaluate(model, theta).loglik == pytest.approx(MSM[name]["at"], rel=1e-6)
    found = fit(model, start=theta)
    assert -2 * found.loglik <= MSM[name]["fitted"] + 1e-6


GRADIENT = json.loads((REFERENCE / "msm_gradient.json").read_text("utf-8"))["cases"]


@pytest.mark.parametrize("case", GRADIENT, ids=lambda c: f"gap {c['gap']}")
def test_msm_has_the_value_right_and_the_gradient_wrong_where_eigenvalues_are_complex(case: dict) -> None:
    """0 > A > AB > B > 0 at rate 1: eigenvalues 0, -2, -1 +- i. Three witnesses agree against msm's gradient."""
    cycle = graph(("0", "A", "B", "AB"), ("0>A", "A>AB", "B>0", "AB>B"))
    data = {k: np.array(v) for k, v in case["data"].items()}
    seen = observe(data["subject"] - 1, data["time"].astype(float), data["state"] - 1, states=4)
    model = ChainModel(predictor(cycle), sequences(cycle, seen))
    here = evaluate(model, np.zeros(4), 1)
    assert -2 * here.loglik == pytest.approx(case["minus2loglik"], rel=1e-9)
    brute = differences(lambda q: -2 * loglik(cycle, seen, np.tile(q, (seen.unit.size, 1))), np.zeros(4), 1e-3)
    np.testing.assert_allclose(-2 * here.gradient, brute, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(-2 * here.gradient, case["numeric"], atol=1e-5)
    assert np.abs(np.array(case["analytic"]) - brute).max() > 5e-3


def test_the_built_in_graph_has_the_cycle_in_it() -> None:
    assert {"0>A", "A>AB", "B>0", "AB>B"} <= set(four_states().transitions)
