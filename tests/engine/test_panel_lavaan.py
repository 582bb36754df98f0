"""Second witness: lavaan 0.6-14 on the same data (tests/reference/panel.R, panel.json).

Tolerances. Log-likelihood 1e-6. Estimates 1e-4 of their size (or of their standard error where they are near zero);
standard errors and indices 1e-3 relative. Most agree to 1e-6: what remains is lavaan's stopping rule, since the
engine's likelihood is never the lower one.
"""

import numpy as np
import pytest
from tests.engine.panel_cases import EQUAL5, MODELS, answers, case_clusters, case_data, case_fit, lavaan_name

from bothways.engine.effects import standardised
from bothways.engine.fitindices import Indices, indices
from bothways.engine.fitting import Outcome, PanelFit, evaluate, fit_model
from bothways.engine.inference import Flavour, robust, uncertainty
from bothways.engine.panel_models.cross_lagged import ri_clpm
from bothways.engine.scaled import difference_test, embedded, satorra_bentler, saturated_pieces

FLAVOURS: dict[str, Flavour] = {
    "ri-clpm three waves, expected information": "expected",
    "ri-clpm four waves, ML": "observed",
    "unequal gaps": "expected",
    "stationary": "expected",
    "starts": "expected",
}
CONSTRAINED = {"unequal gaps", "stationary", "starts"}  # nonlinear constraints in lavaan, reparametrised here
MLM = "clpm three waves, Satorra-Bentler"
NOT_SHARED = {  # parameters that lavaan's syntax has in another form: intercepts, D for B, W for the first Ψ
    "predictor on waves": 8,
    "predictor on intercepts, distal outcome": 9,
    "dynamic panel": 10,
    "predetermined regressor": 9,
    "unequal gaps": 4,
    "stationary": 3,
    "starts": 1,
}


def shared(case: str) -> list[str]:
    """The parameters that both sides name alike."""
    fit, theirs = case_fit(case), answers()[case]["estimates"]
    names = [name for name in fit.model.names if lavaan_name(name) in theirs]
    assert len(fit.model.names) - len(names) == NOT_SHARED.get(case, 0)
    return names


@pytest.mark.parametrize("case", MODELS)
def test_likelihood_and_estimates(case: str) -> None:
    fit, theirs = case_fit(case), answers()[case]
    assert fit.status.outcome is Outcome.CONVERGED
    assert fit.status.degrees_of_freedom == theirs["measures"]["df"]
    assert len(fit.alpha) == theirs["measures"]["npar"]
    slack = 5e-4 if case in CONSTRAINED else 1e-6  # lavaan meets nonlinear constraints to 1e-5 or so, see below
    assert fit.loglik == pytest.approx(theirs["measures"]["logl"], abs=slack)
    if case not in CONSTRAINED:
        assert fit.loglik > theirs["measures"]["logl"] - 1e-8
    for name in shared(case):
        reference, error = theirs["estimates"][lavaan_name(name)], theirs["errors"][lavaan_name(name)]
        assert abs(fit.estimates[name] - reference) < 1e-4 * max(abs(reference), error), name


@pytest.mark.parametrize("case", [case for case in MODELS if case != MLM])
def test_standard_errors(case: str) -> None:
    """Robust unless the case was fitted otherwise. (MLM's errors are another sandwich, which the engine has not.)"""
    fit, theirs = case_fit(case), answers()[case]["errors"]
    found = uncertainty(fit, FLAVOURS.get(case, "sandwich"), case_clusters(case)).errors
    for name in shared(case):
        assert found[fit.model.parameters.index(name)] == pytest.approx(theirs[lavaan_name(name)], rel=1e-3), name


@pytest.mark.parametrize("case", [case for case in MODELS if case != "clpm two waves"])
def test_fit_indices(case: str) -> None:
    theirs = answers()[case]["measures"]
    found = indices(case_fit(case), clusters=case_clusters(case))
    mine = {
        "unrestricted.logl": found.saturated_loglik, "baseline.chisq": found.baseline_chisq,
        "baseline.df": found.baseline_df, "srmr": found.srmr, "aic": found.aic, "bic": found.bic,
        "bic2": found.sabic, "chisq": found.plain.chisq, "pvalue": found.plain.p, **named(found.plain, ""),
    }  # fmt: skip
    if case not in FLAVOURS and case != MLM:
        mine |= {
            "chisq.scaling.factor": found.scaling, "baseline.chisq.scaling.factor": found.baseline_scaling,
            "chisq.scaled": found.scaled.chisq, "pvalue.scaled": found.scaled.p,
            **named(found.scaled, ".scaled"), **named(found.robust, ".robust"),
        }  # fmt: skip
    if found.scaling * found.plain.df < 1:  # lavaan sets this limit to 0 where the scaled df fall below one
        mine.pop("rmsea.ci.upper.scaled", None)
    for name, value in mine.items():
        if name in theirs:  # lavaan leaves the baseline out for models with nonlinear constraints
            assert value == pytest.approx(theirs[name], rel=1e-3, abs=2e-6), name


def named(found: Indices, version: str) -> dict[str, float]:
    """lavaan's names of one version of the indices."""
    return {
        f"cfi{version}": found.cfi, f"tli{version}": found.tli, f"rmsea{version}": found.rmsea,
        f"rmsea.ci.lower{version}": found.rmsea_low, f"rmsea.ci.upper{version}": found.rmsea_high,
        f"rmsea.pvalue{version}": found.p_close,
    }  # fmt: skip


def test_satorra_bentler_factor() -> None:
    fit, theirs = case_fit(MLM), answers()[MLM]["measures"]
    found = satorra_bentler(fit, saturated_pieces(fit))
    assert found.scaling == pytest.approx(theirs["chisq.scaling.factor"], rel=1e-6)
    assert found.statistic == pytest.approx(theirs["chisq.scaled"], rel=1e-6)


@pytest.mark.parametrize("small", ["equal lags", "all equal"])
@pytest.mark.parametrize("method", ["2001", "2010"])
def test_scaled_difference(small: str, method: str) -> None:
    theirs = answers()["difference tests"][small][method]
    large = case_fit("ri-clpm four waves, dropout")
    found = difference_test(case_fit(f"ri-clpm four waves, dropout, {small}"), large, method)
    assert found.df == theirs["df"]
    assert found.statistic == pytest.approx(theirs["chisq"], rel=1e-3)


def test_within_person_standardised_lags() -> None:
    """lavaan's standardizedSolution of the same lags, with its delta-method errors."""
    fit, theirs = case_fit(EQUAL5), answers()[EQUAL5]["standardised"]
    found = standardised(fit, robust(fit).covariance)
    value, error = (part.reshape(4, 2, 2) for part in (found.value, found.error))
    for left, right, estimate, se in zip(*(theirs[key] for key in ("lhs", "rhs", "est", "se")), strict=True):
        t, i, j = int(left[-1]) - 2, int(left[1]) - 1, int(right[1]) - 1
        assert value[t, i, j] == pytest.approx(estimate, rel=1e-4)
        assert error[t, i, j] == pytest.approx(se, rel=1e-3)


def test_where_stationary_likelihoods_differ_lavaan_misses_its_constraints() -> None:
    """lavaan meets nonlinear constraints, and then its equality labels too, only approximately.

    At its own estimates, wave by wave, the engine finds its likelihood; the difference from the engine's maximum is
    what the violations buy, to second order: g'd − ½ d'Jd with d the distance from the constrained estimates.
    """
    theirs, fit = answers()["stationary"], case_fit("stationary")
    free = ri_clpm(2, 5, lags="free", residuals="free")
    waves = {"B": range(2, 6), "Psi": range(2, 6)}
    point = {}
    for name, values in theirs["every"].items():
        family = name.rstrip("0123456789")
        if family in waves:
            point |= {f"{name}_{t}": value for t, value in zip(waves[family], values, strict=True)}
        else:
            point[name] = values
    lavaan = free.vector(point)
    mine = embedded(fit, case_free_fit())
    groups = case_data("stationary").groups
    there, here = evaluate(free, groups, lavaan), evaluate(free, groups, mine, "observed")
    assert there is not None
    assert here is not None
    assert there.loglik == pytest.approx(theirs["measures"]["logl"], abs=1e-6)
    assert here.loglik == pytest.approx(fit.loglik, abs=1e-6)
    d = lavaan - mine
    bought = float(here.gradient @ d - 0.5 * d @ here.information @ d)
    assert theirs["measures"]["logl"] - fit.loglik == pytest.approx(bought, abs=2e-6)
    assert max(np.ptp(theirs["every"][name]) for name in ("B11", "B12", "B21", "B22")) > 1e-7


def case_free_fit() -> PanelFit:
    """The RI-CLPM without equality constraints on the stationary data."""
    return fit_model(ri_clpm(2, 5), case_data("stationary"))


def test_groups_need_matching_data() -> None:
    with pytest.raises(ValueError, match="2 groups"):
        fit_model(MODELS["two groups, free"](), case_data(EQUAL5))
