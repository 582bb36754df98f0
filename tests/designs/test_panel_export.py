"""The exported scripts, fitted by lavaan: what they found is what this package finds."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import numpy as np
import pytest
from tests.designs.export_cases import cases
from tests.designs.panel_records import REFERENCE, exported_case, exported_records, records_of, simulated_scores

from bothways.designs.panel.estimation import Fitted, estimate, pieces_of, with_indices
from bothways.designs.panel.export import export_syntax, mplus_names, script_of, wide_columns
from bothways.designs.panel.models import Form, path_model
from bothways.designs.panel.parameters import unit
from bothways.designs.panel.setup import prepare
from bothways.designs.panel.tables import unit_loglik
from bothways.engine.effects import raw_lags
from bothways.engine.fiml import moment_derivatives
from bothways.engine.fitting import evaluate
from bothways.engine.inference import delta_method, meat, observed_information
from bothways.engine.moments import moment_jacobian
from bothways.terms.errors import QuestionError
from bothways.terms.question import Condition, Pair

NAMES = (
    *("ri_clpm_equal", "ri_clpm_free", "ri_clpm_covariates", "ri_clpm_three", "ri_clpm_clusters", "ri_clpm_uneven"),
    *("clpm_equal", "dpm_equal", "dpm_covariates", "lcm_sr_equal"),
)


@cache
def case(name: str) -> tuple[Any, Form, Fitted]:
    setup, form = _cases()[name]
    fitted = estimate(setup, form)
    return setup, form, with_indices(fitted, pieces_of(setup, fitted), setup)


_cases = cache(cases)


@cache
def answers() -> dict[str, Any]:
    return json.loads((REFERENCE / "exported.json").read_text())


def test_every_case_is_compared() -> None:
    assert set(NAMES) == set(_cases()) == set(answers()) - {"versions"}


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_script_is_what_is_exported(name: str) -> None:
    setup, form = _cases()[name]
    assert export_syntax(setup, form, "lavaan") == (REFERENCE / "exported" / f"{name}.R").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_lavaan_finds_the_same_likelihood_and_chi_square(name: str) -> None:
    setup, _, fitted = case(name)
    theirs = answers()[name]
    assert fitted.indices is not None
    # lavaan's search under nonlinear constraints stops a little below the maximum
    assert fitted.fit.loglik + unit_loglik(setup) == pytest.approx(theirs["loglik"], abs=1e-5)
    assert fitted.indices.plain.chisq == pytest.approx(theirs["chisq"], abs=1e-4)
    assert fitted.indices.plain.df == theirs["df"]
    if name != "ri_clpm_uneven":
        assert fitted.indices.scaled.chisq == pytest.approx(theirs["chisq_scaled"], rel=1e-4)
        assert fitted.indices.scaling == pytest.approx(theirs["scaling"], rel=1e-4)


@pytest.mark.parametrize("name", NAMES)
def test_lavaan_finds_the_same_estimates_in_recorded_units(name: str) -> None:
    """Standard errors too, except under a drift: there lavaan leaves out the curvature of nonlinear constraints."""
    setup, form, fitted = case(name)
    theirs, compared = answers()[name], 0
    assert fitted.errors is not None
    for label, value, error in zip(fitted.fit.model.names, fitted.fit.alpha, fitted.errors.errors, strict=True):
        if label not in theirs["estimates"]:
            continue
        if form.key == "dpm" and label.startswith("G"):
            continue  # there x acts on the scores that lags carry on, here beside them: the same model, other numbers
        factor, shift = unit(setup, form, label)
        size = theirs["errors"][label]
        assert value * factor + shift == pytest.approx(theirs["estimates"][label], abs=2e-4 * size), label
        if name != "ri_clpm_uneven":
            assert error * factor == pytest.approx(size, rel=1e-4), label
        compared += 1
    assert compared >= 15


def test_the_powers_of_the_first_matrix_are_the_drift_over_each_gap() -> None:
    setup, _, fitted = case("ri_clpm_uneven")
    ours = raw_lags(fitted.fit.model)(fitted.fit.alpha)[0] * setup.scale[:, None] / setup.scale
    theirs = answers()["ri_clpm_uneven"]
    for t in range(3):
        for i in range(2):
            for j in range(2):
                label = f"B{i + 1}{j + 1}_{t + 2}"
                expected = theirs["estimates"][label]
                assert ours[t, i, j] == pytest.approx(expected, abs=5e-4 * theirs["errors"][label])


def test_errors_under_a_drift_are_lavaans_once_the_curvature_of_the_constraints_is_left_out() -> None:
    """Ours keep Σ g ∇²θ and agree with slopes of the exact gradient; without it they are lavaan's to five digits."""
    setup, _, fitted = case("ri_clpm_uneven")
    fit, alpha, theirs = fitted.fit, fitted.fit.alpha, answers()["ri_clpm_uneven"]["errors"]

    def gradient(point: np.ndarray) -> np.ndarray:
        found = evaluate(fit.model, fit.data.groups, point)
        assert found is not None
        return found.gradient

    step = 1e-5 * np.eye(len(alpha))
    slopes = np.column_stack([(gradient(alpha - e) - gradient(alpha + e)) / 2e-5 for e in step])
    J = observed_information(fit)
    assert pytest.approx(slopes, abs=1e-6 * np.abs(J).max()) == J
    implied = fit.implied()[0]
    found = moment_derivatives(fit.data.groups[0], implied.mean, implied.cov, "gradient")
    assert found is not None
    slope = moment_jacobian(fit.model.structure, implied).T @ found.gradient
    bread = np.linalg.inv(J + fit.model.parameters.curvature(alpha, slope))

    def lags(point: np.ndarray) -> np.ndarray:
        return raw_lags(fit.model)(point)[..., 0, :, :, :].reshape(*point.shape[:-1], -1)

    errors = delta_method(lags, fit, bread @ meat(fit) @ bread).error.reshape(3, 2, 2)
    errors = errors * setup.scale[:, None] / setup.scale
    for t in range(3):
        for i in range(2):
            for j in range(2):
                assert errors[t, i, j] == pytest.approx(theirs[f"B{i + 1}{j + 1}_{t + 2}"], rel=1e-4)


def test_the_table_is_what_was_recorded() -> None:
    setup, _ = _cases()["ri_clpm_covariates"]
    columns, recorded = wide_columns(setup), exported_case()
    kept = np.isfinite(np.column_stack([recorded[n] for n in recorded if "depression" in n or "back" in n])).any(1)
    for name, column in columns.items():
        np.testing.assert_allclose(column, recorded[name][kept], atol=1e-12)


@pytest.mark.parametrize("name", ["ri_clpm_covariates", "dpm_equal", "lcm_sr_equal", "ri_clpm_uneven"])
def test_mplus_syntax_keeps_to_its_limits(name: str) -> None:
    setup, form = _cases()[name]
    text = export_syntax(setup, form, "mplus")
    lines = text.splitlines()
    assert max(len(line) for line in lines) <= 90
    assert all(line.rstrip().endswith((";", ":")) or line.startswith(("!", "    ", "  ")) for line in lines if line)
    assert all(len(word) <= 8 for word in mplus_names(setup))
    body = text.split("MODEL:")[1]
    labels = {part.split(")")[0] for part in body.split("(")[1:]}
    assert all(len(label) <= 8 for label in labels if label.isidentifier())
    free = sum(line.rstrip().endswith(");") for line in body.split("MODEL CONSTRAINT")[0].splitlines())
    assert free >= len(estimate(setup, form).fit.alpha)


def test_records_alone_give_the_script_of_the_form_that_speaks() -> None:
    text = script_of(exported_records(), "lavaan")
    assert text in {(REFERENCE / "exported" / f"ri_clpm_{form}.R").read_text() for form in ("equal", "free")}


def test_what_cannot_be_written_is_refused_in_words() -> None:
    setup = prepare(exported_records())
    with pytest.raises(QuestionError, match="lavaan or mplus"):
        export_syntax(setup, Form("ri-clpm"), "amos")  # type: ignore[arg-type]
    with pytest.raises(QuestionError, match="equal lags"):
        export_syntax(setup, Form("starts", "equal", "stationary"), "lavaan")


@pytest.mark.parametrize("keys", [("w1", "b1"), ("2pain", "1dep"), ("_low", "s2")])
def test_names_in_the_script_are_free_for_the_columns(keys: tuple[str, str]) -> None:
    """Neither an element of the model (w1_1, b1), nor a name that R cannot read."""
    scores = dict(zip(keys, simulated_scores().values(), strict=True))
    pair = Pair(*(Condition(key, key) for key in keys))
    setup = prepare(records_of(scores, pair=pair))
    latent = {state for form in (Form("ri-clpm"), Form("lcm-sr")) for state in path_model(setup, form).states}
    assert not latent & set(wide_columns(setup))
    assert all(re.fullmatch(r"[A-Za-z]\w*", name) for name in wide_columns(setup))


def test_a_covariate_called_weight_is_not_written_over_by_the_weights() -> None:
    """Columns "weight" and "cluster" of the table are the design's own; "b1" is an element of the model."""
    random = np.random.default_rng(3)
    baseline = {name: random.normal(size=300) for name in ("weight", "b1", "in")} | {"w": random.gamma(2, size=300)}
    names = ("weight", "b1", "in")
    setup = prepare(records_of(simulated_scores(), baseline=baseline, covariates=names, weight="w"))
    columns = wide_columns(setup)
    for name in names:
        np.testing.assert_allclose(columns[f"v_{name}"], baseline[name][setup.rows])
    np.testing.assert_allclose(columns["weight"], baseline["w"][setup.rows])
