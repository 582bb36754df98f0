"""First witness: the definitions, computed slowly: personal densities, moments by loops, derivatives by differences."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.stats import multivariate_normal
from tests.engine.panel_cases import table

from bothways.engine.batch import fit_batch, plan_of, without_saturated_means
from bothways.engine.fiml import case_scores, moment_derivatives, score_products, score_sums, symmetric
from bothways.engine.fitting import Outcome, evaluate, fit_model
from bothways.engine.inference import meat
from bothways.engine.moments import implied_moments
from bothways.engine.panel_models.builder import PathBuilder, PathModel
from bothways.engine.panel_models.cross_lagged import clpm, ri_clpm, starts_model
from bothways.engine.panel_models.dynamic_panel import dynamic_panel, predetermined_panel
from bothways.engine.panel_models.groups import over_groups
from bothways.engine.panel_models.growth import lcm_sr
from bothways.engine.panel_models.indicators import LADDER, indicator_ri_clpm
from bothways.engine.patterns import moment_data, pattern_statistics
from bothways.engine.saturated import saturate
from bothways.engine.scaled import difference_test

FIVE = table("five_waves")[:120]
COMPLETE = table("stationary")[:150]
MODELS: dict[str, tuple[PathModel, np.ndarray]] = {
    "clpm": (clpm(2, 5), FIVE),
    "ri-clpm": (ri_clpm(2, 5), FIVE),
    "everything equal": (ri_clpm(2, 5, lags="equal", residuals="equal", means="equal"), FIVE),
    "standardised": (ri_clpm(2, 5, lags="standardised"), FIVE),
    "drift": (ri_clpm(2, 5, lags="drift", gaps=(1, 0.5, 2, 1.3)), FIVE),
    "stationary drift": (ri_clpm(2, 5, lags="drift", residuals="stationary", gaps=(1, 0.5, 2, 1.3)), FIVE),
    "starts": (starts_model(2, 5), FIVE),
    "dynamic panel": (dynamic_panel(2, 5, lags="free"), FIVE),
    "predetermined": (predetermined_panel(1, 5), FIVE[:, :9]),
    "latent curve": (lcm_sr(2, 5), table("growth")[:120]),
    "groups": (over_groups(ri_clpm(2, 5, lags="equal"), 2, ("B", "mean")), FIVE),
    "covariates": (
        ri_clpm(2, 4, lags="equal", predictors=1, predictor_on="intercepts", outcomes=1),
        table("predictor_outcome")[:120],
    ),
    "indicators": (
        indicator_ri_clpm((2, 1), 3, invariance="intercepts"),
        table("indicators")[:200, [6 * t + i for t in range(3) for i in (0, 1, 3)]],
    ),
}


def data_of(name: str):
    model, Y = MODELS[name]
    return pattern_statistics(Y, groups=np.arange(len(Y)) % model.groups)


def somewhere(name: str) -> np.ndarray:
    """A point a little off the estimates, so that no term vanishes."""
    model, _ = MODELS[name]
    alpha = fit_model(model, data_of(name)).alpha
    return alpha + 0.02 * np.random.default_rng(5).standard_normal(len(alpha)) * np.maximum(np.abs(alpha), 0.1)


def by_person(mean: np.ndarray, cov: np.ndarray, Y: np.ndarray) -> float:
    total = 0.0
    for y in Y:
        seen = np.isfinite(y)
        if seen.any():
            total += multivariate_normal.logpdf(y[seen], mean[seen], cov[np.ix_(seen, seen)])
    return total


@pytest.mark.parametrize("name", MODELS)
def test_likelihood_is_the_sum_of_personal_densities(name: str) -> None:
    model, Y = MODELS[name]
    alpha = somewhere(name)
    found = evaluate(model, data_of(name).groups, alpha)
    slow = 0.0
    for g, theta in enumerate(model.cells(alpha)):
        implied = implied_moments(model.structure, theta)
        slow += by_person(implied.mean, implied.cov, Y[np.arange(len(Y)) % model.groups == g])
    assert found is not None
    assert found.loglik == pytest.approx(slow, rel=1e-9)


@pytest.mark.parametrize("name", MODELS)
def test_gradient_and_exact_observed_information(name: str) -> None:
    model, _ = MODELS[name]
    groups, alpha = data_of(name).groups, somewhere(name)

    def at(shift: np.ndarray):
        found = evaluate(model, groups, alpha + shift)
        assert found is not None
        return found

    exact = evaluate(model, groups, alpha, "observed")
    assert exact is not None
    h = 3e-4 / np.sqrt(np.abs(np.diag(exact.information)) / len(groups[0].kept))
    axes = np.diag(h)
    near, far = ([(at(c * e), at(-c * e)) for e in axes] for c in (1, 2))  # fourth order: (8 near − far)/(12 h)
    slopes, bends = (
        np.array(
            [
                (8 * (getattr(a, part) - getattr(b, part)) - (getattr(c, part) - getattr(d, part))) / (12 * step)
                for (a, b), (c, d), step in zip(near, far, h, strict=True)
            ]
        )
        for part in ("loglik", "gradient")
    )
    assert np.abs(slopes - exact.gradient).max() < 1e-6 * np.abs(slopes).max()
    assert np.abs(bends + exact.information).max() < 1e-6 * np.abs(bends).max()


def test_scores_add_up_to_the_gradient_and_their_products_to_the_meat() -> None:
    group = pattern_statistics(FIVE, weights=np.linspace(0.5, 1.5, len(FIVE))).groups[0]
    mean, cov = np.nanmean(FIVE, axis=0), np.diag(np.nanvar(FIVE, axis=0)) + 0.1
    scores = case_scores(group, mean, cov)
    found = moment_derivatives(group, mean, cov, "gradient")
    assert found is not None
    np.testing.assert_allclose(scores.sum(axis=0), found.gradient, atol=1e-8 * np.abs(found.gradient).max())
    np.testing.assert_allclose(score_products(group, mean, cov), scores.T @ scores, rtol=1e-10, atol=1e-9)
    clusters = np.arange(len(group.kept)) % 7
    sums = np.array([scores[clusters == c].sum(axis=0) for c in range(7)])
    np.testing.assert_allclose(score_sums(group, mean, cov, clusters, 7), sums, rtol=1e-10, atol=1e-9)


def test_one_cluster_a_person_is_the_sandwich_up_to_its_factor() -> None:
    fit = fit_model(*(MODELS["ri-clpm"][0], data_of("ri-clpm")))
    n = len(FIVE)
    np.testing.assert_allclose(meat(fit, np.arange(n)), meat(fit) * n / (n - 1), rtol=1e-9, atol=1e-9)


def test_ri_clpm_moments_by_loops() -> None:
    """Cov(y_t, y_s) = Φ + F_t. Ψ F_s.' with F_ts = B_t F_{t−1,s}, straight from the definition."""
    rng = np.random.default_rng(2)
    model = ri_clpm(2, 4)
    values = {name: float(rng.uniform(-0.3, 0.3)) for name in model.names}
    values |= {name: 1.0 + float(rng.uniform()) for name in values if name[:5] in ("Phi11", "Phi22", "Psi11", "Psi22")}
    implied = implied_moments(model.structure, model.cells(model.vector(values))[0])

    def matrix(prefix: str, suffix: str = "", square: bool = False) -> np.ndarray:
        cross = values[f"{prefix}12{suffix}"] if square else values[f"{prefix}21{suffix}"]
        return np.array(
            [[values[f"{prefix}11{suffix}"], cross], [values[f"{prefix}21{suffix}"], values[f"{prefix}22{suffix}"]]]
        )

    W = np.zeros((8, 8))
    W[:2, :2] = matrix("Psi", "_1")
    for t in range(1, 4):
        B, now, before = matrix("B", f"_{t + 1}", square=True), slice(2 * t, 2 * t + 2), slice(2 * t - 2, 2 * t)
        W[now, : 2 * t] = B @ W[before, : 2 * t]
        W[: 2 * t, now] = W[now, : 2 * t].T
        W[now, now] = B @ W[before, before] @ B.T + matrix("Psi", f"_{t + 1}")
    np.testing.assert_allclose(implied.cov, W + np.kron(np.ones((4, 4)), matrix("Phi")), atol=1e-12)


def test_drift_is_the_matrix_exponential_and_stationary() -> None:
    gaps = (1.0, 0.5, 2.0)
    model = clpm(2, 4, lags="drift", residuals="stationary", gaps=gaps)
    D, W = np.array([[-0.9, 0.2], [0.1, -0.7]]), np.array([[1.0, 0.3], [0.3, 1.2]])
    values = {"D11": -0.9, "D12": 0.2, "D21": 0.1, "D22": -0.7, "W11": 1.0, "W21": 0.3, "W22": 1.2}
    alpha = model.vector(values | {name: 0.0 for name in model.names if name.startswith("mean")})
    cov = implied_moments(model.structure, model.cells(alpha)[0]).cov
    for t in range(4):
        np.testing.assert_allclose(cov[2 * t : 2 * t + 2, 2 * t : 2 * t + 2], W, atol=1e-12)
        for s in range(t):
            lagged = expm(D * sum(gaps[s:t])) @ W
            np.testing.assert_allclose(cov[2 * t : 2 * t + 2, 2 * s : 2 * s + 2], lagged, atol=1e-12)


def test_standardised_lags_are_equal_and_variances_one() -> None:
    model, _ = MODELS["standardised"]
    alpha = fit_model(model, data_of("standardised")).alpha
    values = dict(zip(model.names, alpha.tolist(), strict=True))
    implied = implied_moments(model.structure, model.cells(alpha)[0])
    for t, wave in enumerate(model.lagged):
        sd = np.sqrt(np.diag(implied.omega)[list(wave)])
        np.testing.assert_allclose(sd, [abs(values[f"sd1_{t + 1}"]), abs(values[f"sd2_{t + 1}"])], rtol=1e-10)


def test_equal_gaps_make_drift_and_equal_lags_the_same_model() -> None:
    data = data_of("ri-clpm")
    drift = fit_model(ri_clpm(2, 5, lags="drift", gaps=(1, 1, 1, 1)), data)
    equal = fit_model(ri_clpm(2, 5, lags="equal"), data)
    assert drift.loglik == pytest.approx(equal.loglik, abs=1e-8)
    D = np.array([[drift.estimates[f"D{i}{j}"] for j in (1, 2)] for i in (1, 2)])
    B = np.array([[equal.estimates[f"B{i}{j}"] for j in (1, 2)] for i in (1, 2)])
    np.testing.assert_allclose(expm(D), B, atol=1e-6)


def test_complete_data_are_one_pattern_and_maximum_likelihood() -> None:
    people, moments = (
        pattern_statistics(COMPLETE),
        moment_data(COMPLETE.mean(axis=0), np.cov(COMPLETE.T, bias=True), 150),
    )
    assert len(people.groups[0].counts) == 1
    model = ri_clpm(2, 5)
    alpha = fit_model(model, people).alpha
    one, two = evaluate(model, people.groups, alpha), evaluate(model, [moments], alpha)
    assert one is not None
    assert two is not None
    assert one.loglik == pytest.approx(two.loglik, rel=1e-12)


def test_saturated_model_has_no_gradient_left_and_beats_em() -> None:
    data = pattern_statistics(FIVE)
    h1 = saturate(data)[0]
    found = moment_derivatives(data.groups[0], h1.mean, h1.cov, "gradient")
    assert found is not None
    assert h1.converged
    assert np.abs(found.gradient).max() < 1e-4
    assert np.linalg.eigvalsh(h1.cov)[0] > 0


def test_variables_never_seen_together_are_said_not_to_be_identified() -> None:
    Y = FIVE.copy()
    Y[::2, 0] = np.nan
    Y[1::2, 9] = np.nan
    assert not saturate(pattern_statistics(Y))[0].identified


@pytest.mark.parametrize(
    "name", ["ri-clpm", "everything equal", "dynamic panel", "latent curve", "groups", "stationary drift"]
)
def test_batch_equals_single_fits(name: str) -> None:
    model, _ = MODELS[name]
    Y = table("unequal_gaps") if "drift" in name else COMPLETE
    samples = [Y[i : i + 100 * model.groups] for i in (0, 20, 50)] if model.groups == 1 else [Y]
    splits = [[y[np.arange(len(y)) % model.groups == g] for g in range(model.groups)] for y in samples]
    covs = np.array([[np.cov(part.T, bias=True) for part in parts] for parts in splits])
    means = np.array([[part.mean(axis=0) for part in parts] for parts in splits])
    people = np.array([float(len(part)) for part in splits[0]])
    found = fit_batch(model, covs, people, means)
    assert found.converged.all()
    for r, y in enumerate(samples):
        single = fit_model(model, pattern_statistics(y, groups=np.arange(len(y)) % model.groups))
        mine = np.array([single.estimates[name] for name in found.names])
        places = [single.model.names.index(name) for name in found.names]
        expected = np.sqrt(np.diag(np.linalg.inv(single.information)))[places]
        np.testing.assert_allclose(found.errors[r], expected, rtol=1e-3)
        assert np.abs((found.alpha[r] - mine) / expected).max() < 1e-4


def test_a_feedback_loop_is_left_to_the_general_code() -> None:
    builder = PathBuilder()
    a, b = builder.state("a"), builder.state("b")
    builder.path(a, b, 0.2)
    builder.path(b, a, "loop")
    builder.covary(a, a, "Va")
    builder.covary(b, b, "Vb")
    builder.observe("a", [a])
    builder.observe("b", [b])
    model = builder.build(lambda mean, cov: {"Va": cov[0, 0], "Vb": cov[1, 1]})
    assert plan_of(model) is None
    Y = COMPLETE[:, :2]
    single = fit_model(model, pattern_statistics(Y))
    found = fit_batch(model, np.cov(Y.T, bias=True)[None, None], np.array([150.0]))
    np.testing.assert_allclose(found.alpha[0], [single.estimates[name] for name in found.names], atol=1e-5)


def test_saturated_means_leave_the_batch_and_structured_means_do_not() -> None:
    slim = without_saturated_means(ri_clpm(2, 5))
    assert not any(name.startswith("mean") for name in slim.names)
    growth = lcm_sr(2, 5)
    assert without_saturated_means(growth) is growth
    with pytest.raises(ValueError, match="means"):
        fit_batch(growth, np.eye(10)[None, None], np.array([100.0]))


@settings(max_examples=12)
@given(seed=st.integers(0, 10_000), shift=st.floats(-50, 50), unit=st.floats(0.01, 100))
def test_estimates_follow_order_place_and_unit(seed: int, shift: float, unit: float) -> None:
    """Relabelling people moves nothing; another origin moves means; another unit scales variances and not the lags."""
    model, rng = ri_clpm(2, 5, lags="equal"), np.random.default_rng(seed)
    here = fit_model(model, pattern_statistics(FIVE))
    there = fit_model(model, pattern_statistics(shift + unit * rng.permutation(FIVE)))
    moved = here.estimates
    for name, value in there.estimates.items():
        power = 0 if name.startswith("B") else 1 if name.startswith("mean") else 2
        expected = moved[name] * unit**power + (shift if power == 1 else 0.0)
        assert value == pytest.approx(expected, rel=1e-4, abs=1e-5 * unit**power)


def test_swapping_the_processes_mirrors_the_answer() -> None:
    swapped = FIVE.reshape(-1, 5, 2)[:, :, ::-1].reshape(-1, 10)
    model = ri_clpm(2, 5, lags="equal")
    one, two = (fit_model(model, pattern_statistics(Y)) for Y in (FIVE, swapped))
    assert one.loglik == pytest.approx(two.loglik, abs=1e-7)
    for mine, yours in (("B11", "B22"), ("B12", "B21"), ("Phi11", "Phi22"), ("Phi21", "Phi21")):
        assert one.estimates[mine] == pytest.approx(two.estimates[yours], abs=1e-5)


def test_an_empty_model_of_two_waves_and_too_few_waves_are_refused() -> None:
    with pytest.raises(ValueError, match="three waves"):
        ri_clpm(2, 2)
    with pytest.raises(ValueError, match="four waves"):
        starts_model(2, 3)
    with pytest.raises(ValueError, match="gaps"):
        ri_clpm(2, 4, lags="drift")


def test_what_is_not_identified_is_named() -> None:
    builder = PathBuilder()
    common, own = builder.state("common"), builder.state("own")
    builder.covary(common, common, "V1")
    builder.covary(own, own, "V2")
    builder.observe("y", [common, own])
    model = builder.build(lambda mean, cov: {"V1": 0.5, "V2": 0.5})
    found = fit_model(model, pattern_statistics(COMPLETE[:, :1])).status
    assert found.outcome is Outcome.NOT_IDENTIFIED
    assert set(found.unidentified) == {"V1", "V2"}


def test_negative_variances_are_named() -> None:
    """A world without stable differences and with strong lags makes the random intercepts' variance negative."""
    rng = np.random.default_rng(11)
    w = rng.standard_normal((150, 2))
    waves = [w]
    for _ in range(3):
        w = 0.2 * w + rng.standard_normal((150, 2)) + (-0.3) * (waves[-2] if len(waves) > 1 else 0)
        waves.append(w)
    found = fit_model(ri_clpm(2, 4, lags="equal"), pattern_statistics(np.hstack(waves)))
    assert found.status.outcome is Outcome.INADMISSIBLE
    assert set(found.status.negative_variances) & {"b1", "b2"}


def test_difference_test_wants_nested_models() -> None:
    data = data_of("ri-clpm")
    with pytest.raises(ValueError, match="fewer"):
        difference_test(fit_model(ri_clpm(2, 5), data), fit_model(ri_clpm(2, 5, lags="equal"), data))
    with pytest.raises(ValueError, match="nested"):
        difference_test(fit_model(lcm_sr(2, 5), data), fit_model(clpm(2, 5), data), "2010")


@given(st.lists(st.floats(-3, 3), min_size=10, max_size=10))
def test_symmetric_inverts_half_vector(values: list[float]) -> None:
    X = symmetric(np.array(values), 4)
    assert (X == X.T).all()
    assert X[2, 1] == values[4]


@pytest.mark.parametrize(("step", "df"), list(zip(LADDER, (363, 379, 395, 413), strict=True)))
def test_degrees_of_freedom_of_the_invariance_ladder(step, df: int) -> None:
    """The counts of Mulder & Hamaker's (2021) example: two processes, three indicators, five waves."""
    assert indicator_ri_clpm((3, 3), 5, invariance=step).degrees_of_freedom == df
