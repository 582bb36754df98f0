"""Cox's model against R survival (tests/reference/survival.R), against its definition, and where it has no maximum."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.engine.test_survey import loops

from bothways.engine.cox import CoxData, CoxEnding, cox, cox_data, score_residuals
from bothways.engine.proportionality import proportionality

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "survival.json").read_text("utf-8"))
ROWS = {k: np.array(v) for k, v in REFERENCE["data"].items()}
CASES = ("efron", "breslow", "strata", "cluster", "cluster_breslow", "cluster_strata")
WEIGHTED = ("weighted_cluster", "weighted_cluster_breslow")


def reference_data(case: str) -> CoxData:
    x = np.column_stack([ROWS["exposed"], ROWS["age"]]).astype(float)
    return cox_data(
        ROWS["start"].astype(float),
        ROWS["stop"].astype(float),
        ROWS["event"] == 1,
        x,
        stratum=ROWS["site"] if "strata" in case else None,
        cluster=ROWS["clinic" if "weighted" in case else "id"] if "cluster" in case else None,
        weight=ROWS["w"].astype(float) if "weighted" in case else None,
        ties="breslow" if "breslow" in case else "efron",
    )


@pytest.mark.parametrize("case", CASES + WEIGHTED)
def test_estimates_errors_and_likelihood_are_those_of_coxph(case: str) -> None:
    theirs, ours = REFERENCE[case], cox(reference_data(case))
    assert ours.ending is CoxEnding.CONVERGED
    np.testing.assert_allclose(ours.beta, theirs["beta"], rtol=1e-8)
    np.testing.assert_allclose(ours.covariance, theirs["naive"], rtol=1e-8)
    np.testing.assert_allclose([ours.loglik_null, ours.loglik], theirs["loglik"], rtol=1e-10)
    if ours.robust is not None:
        np.testing.assert_allclose(ours.robust, theirs["var"], rtol=1e-8)


@pytest.mark.parametrize("transform", ["km", "identity", "log", "rank"])
@pytest.mark.parametrize("case", ["efron", "breslow", "strata"])
def test_the_proportionality_test_is_that_of_cox_zph(case: str, transform: str) -> None:
    data = reference_data(case)
    ours, theirs = proportionality(data, cox(data), transform), REFERENCE[case]["zph"][transform]  # type: ignore[arg-type]
    np.testing.assert_allclose([*ours.statistic, ours.joint], theirs["chisq"], rtol=1e-6)
    np.testing.assert_allclose([*ours.p, ours.joint_p], theirs["p"], rtol=1e-6)


def partial_loglik(data: CoxData, beta: np.ndarray, strata: np.ndarray) -> float:
    """Efron's (or Breslow's) partial likelihood, risk set by risk set."""
    total, risk = 0.0, np.exp(data.x @ beta)
    for s in np.unique(strata):
        for t in np.unique(data.stop[data.event & (strata == s)]):
            at_risk = (data.start < t) & (data.stop >= t) & (strata == s)
            dies = data.event & (data.stop == t) & (strata == s)
            total += (data.x @ beta)[dies].sum()
            for r in range(int(dies.sum())):
                share = r / dies.sum() if data.efron else 0.0
                total -= np.log(risk[at_risk].sum() - share * risk[dies].sum())
    return float(total)


@settings(max_examples=30)
@given(st.integers(0, 10_000), st.sampled_from(["efron", "breslow"]), st.integers(1, 3))
def test_value_and_residuals_are_those_of_the_definition(seed: int, ties: str, strata: int) -> None:
    rng = np.random.default_rng(seed)
    n = 25
    start = rng.integers(0, 6, n).astype(float)
    stop = start + rng.integers(1, 6, n)
    event = rng.random(n) < 0.6
    event[0] = True
    label = rng.integers(0, strata, n)
    x = rng.normal(size=(n, 2))
    data = cox_data(start, stop, event, x, stratum=label, ties=ties)  # type: ignore[arg-type]
    found = cox(data)
    beta = np.where(found.lost, 0.0, found.beta)
    if not found.lost.any():
        assert found.loglik == pytest.approx(partial_loglik(data, beta, label), rel=1e-10)
        for k in range(2):
            for move in (-0.1, 0.1):
                there = beta + move * np.eye(2)[k]
                assert partial_loglik(data, there, label) <= found.loglik + 1e-9
    h = 1e-6
    slope = [
        (partial_loglik(data, beta + h * e, label) - partial_loglik(data, beta - h * e, label)) / (2 * h)
        for e in np.eye(2)
    ]
    np.testing.assert_allclose(score_residuals(data, beta).sum(0), slope, atol=1e-5)


def test_robust_errors_are_those_of_leaving_each_cluster_out_to_first_order() -> None:
    """Score residuals times V approximate the change of the estimate when a cluster is left out."""
    data = reference_data("cluster")
    found, ids = cox(data), ROWS["id"]
    change = score_residuals(data, found.beta) @ found.covariance
    for unit in np.unique(ids)[:5]:
        keep = ids != unit
        mine = keep
        without = cox(cox_data(data.start[mine], data.stop[mine], data.event[mine], data.x[mine]))
        np.testing.assert_allclose(found.beta - without.beta, change[~keep].sum(0), atol=2e-3)


def test_separation_is_said_and_no_interval_is_invented() -> None:
    rng = np.random.default_rng(3)
    x = np.column_stack([np.r_[np.zeros(40), np.ones(10)], rng.normal(size=50)])
    event = np.r_[np.ones(30, bool), np.zeros(20, bool)]
    found = cox(cox_data(np.zeros(50), rng.uniform(1, 2, 50), event, x))
    assert found.ending is CoxEnding.MONOTONE
    assert found.lost.tolist() == [True, False]
    assert np.isinf(found.errors[0])
    assert np.isfinite(found.errors[1])


def test_a_repeated_column_carries_no_information_of_its_own() -> None:
    x = np.column_stack([ROWS["age"], ROWS["age"]]).astype(float)
    found = cox(cox_data(ROWS["start"] * 1.0, ROWS["stop"] * 1.0, ROWS["event"] == 1, x))
    assert found.ending is CoxEnding.NO_INFORMATION
    assert found.lost.all()


def test_what_cannot_be_fitted_is_refused() -> None:
    one = np.ones(2)
    with pytest.raises(ValueError, match="no events"):
        cox_data(0 * one, one, np.zeros(2, bool), np.ones((2, 1)))
    with pytest.raises(ValueError, match="do not end after"):
        cox_data(one, one, np.ones(2, bool), np.ones((2, 1)))


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_a_weight_of_two_is_the_row_twice_where_the_row_has_no_event(ties: str) -> None:
    """Twice an event would be a tie, which is no matter of weights; equal weights change nothing at all."""
    rng = np.random.default_rng(3)
    n = 80
    stop, event, x = rng.random(n) + 0.1, rng.random(n) < 0.6, rng.normal(size=(n, 2))
    times = np.where(event, 1, 1 + np.arange(n) % 2)
    at = np.repeat(np.arange(n), times)
    a = cox(cox_data(np.zeros(n), stop, event, x, weight=times * 1.0, ties=ties))  # type: ignore[arg-type]
    b = cox(cox_data(np.zeros(at.size), stop[at], event[at], x[at], ties=ties))  # type: ignore[arg-type]
    np.testing.assert_allclose(a.beta, b.beta, rtol=1e-8)
    np.testing.assert_allclose(a.covariance, b.covariance, rtol=1e-8)
    equal = cox(cox_data(np.zeros(n), stop, event, x, weight=np.full(n, 3.0), ties=ties))  # type: ignore[arg-type]
    plain = cox(cox_data(np.zeros(n), stop, event, x, ties=ties))  # type: ignore[arg-type]
    np.testing.assert_allclose(equal.beta, plain.beta, atol=1e-5)  # the decrement scales with the weights


def test_clusters_within_strata_have_the_sandwich_written_out() -> None:
    rows = reference_data("weighted_cluster")
    clinic, strata = ROWS["clinic"], ROWS["clinic"] // 9
    data = cox_data(rows.start, rows.stop, rows.event, rows.x, cluster=clinic, strata=strata, weight=rows.case)
    found = cox(data)
    M = loops(score_residuals(data, found.beta), clinic.tolist(), strata.tolist())
    assert found.robust is not None
    np.testing.assert_allclose(found.robust, found.covariance @ M @ found.covariance, rtol=1e-8)
    with pytest.raises(ValueError, match="weights must be positive"):
        cox_data(rows.start, rows.stop, rows.event, rows.x, weight=np.zeros(rows.stop.size))
