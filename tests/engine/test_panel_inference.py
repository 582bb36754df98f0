"""Bootstrap, profiles, boundary test and planning; and the third witness: worlds whose truth is known."""

import numpy as np
import pytest
from scipy.stats import chi2
from tests.engine.panel_cases import EQUAL5, case_data, case_fit

from bothways.engine.batch import fit_batch, wishart_covariances
from bothways.engine.chibar import boundary_test, chi_bar_draws
from bothways.engine.effects import direction_contrast, explained, pooled, standardised_lags, state_correlation
from bothways.engine.fitting import Outcome, PanelFit, evaluate, fit_model
from bothways.engine.inference import delta_method, parameter_function, robust, uncertainty
from bothways.engine.moments import implied_moments
from bothways.engine.panel_models.builder import PathModel
from bothways.engine.panel_models.cross_lagged import clpm, ri_clpm
from bothways.engine.panel_models.groups import over_groups
from bothways.engine.patterns import pattern_statistics
from bothways.engine.power import as_analysed, dropout_coverage, needed_people, planned_covariance, wald_power
from bothways.engine.profile import constrained_maximum, profile_interval
from bothways.engine.resample import bca, bootstrap, influence, percentile

WAVES = 4
TRUTH = {
    "B11": 0.3, "B12": 0.05, "B21": 0.15, "B22": 0.25,
    "W11": 0.6, "W21": 0.15, "W22": 0.5, "Phi11": 0.4, "Phi21": 0.2, "Phi22": 0.5,
}  # fmt: skip


def world() -> tuple[PathModel, np.ndarray]:
    """A stationary world of within-person standardised effects, and its parameters."""
    model = ri_clpm(2, WAVES, lags="equal", residuals="stationary")
    return model, model.vector(dict.fromkeys(model.names, 0.0) | TRUTH)


def sample(people: int, seed: int, missing: float = 0.0) -> np.ndarray:
    """People drawn by the equations, not by the engine."""
    rng = np.random.default_rng(seed)
    B = np.array([[0.3, 0.05], [0.15, 0.25]])
    W, phi = np.array([[0.6, 0.15], [0.15, 0.5]]), np.array([[0.4, 0.2], [0.2, 0.5]])
    b, w = rng.multivariate_normal([0, 0], phi, people), rng.multivariate_normal([0, 0], W, people)
    waves = [b + w]
    for _ in range(WAVES - 1):
        w = w @ B.T + rng.multivariate_normal([0, 0], W - B @ W @ B.T, people)
        waves.append(b + w)
    Y = np.hstack(waves)
    Y[rng.random(Y.shape) < missing] = np.nan
    return Y


@pytest.fixture(scope="module")
def fit() -> PanelFit:
    return fit_model(ri_clpm(2, WAVES, lags="equal"), pattern_statistics(sample(400, 1, 0.15)))


def test_the_truth_is_recovered_from_many_people() -> None:
    big = fit_model(ri_clpm(2, WAVES, lags="equal"), pattern_statistics(sample(60_000, 3, 0.1)))
    errors = dict(zip(big.model.names, robust(big).errors, strict=True))
    for name in ("B11", "B12", "B21", "B22", "Phi11", "Phi21", "Phi22"):
        assert abs(big.estimates[name] - TRUTH[name]) < 4 * errors[name], name


def test_intervals_cover_and_estimates_are_centred_in_a_batch_of_worlds() -> None:
    """1,000 worlds of 400 people: coverage of the cross-lag within Monte Carlo error of 95 %, bias within 3 MCSE."""
    truth, alpha = world()
    model = ri_clpm(2, WAVES, lags="equal")
    cov = implied_moments(truth.structure, truth.cells(alpha)[0]).cov
    draws = wishart_covariances(cov, 400, 1000, np.random.default_rng(8))
    found = fit_batch(model, draws[:, None], np.array([400.0]))
    assert found.converged.mean() > 0.995
    k = found.names.index("B21")
    value, error = found.alpha[found.converged, k], found.errors[found.converged, k]
    covered = np.mean(np.abs(value - TRUTH["B21"]) < 1.96 * error)
    assert 0.93 < covered < 0.97
    assert abs(value.mean() - TRUTH["B21"]) < 3 * value.std() / np.sqrt(len(value)) + 0.003
    planned = planned_covariance(model, as_analysed(truth, alpha, model), [400.0])
    i = model.parameters.index("B21")
    assert np.sqrt(planned[i, i]) == pytest.approx(value.std(), rel=0.1)
    power = wald_power(TRUTH["B21"], float(np.sqrt(planned[i, i])))
    rejected = np.mean(np.abs(value / error) > 1.96)
    assert abs(power - rejected) < 0.05


def test_wishart_draws_have_the_right_mean_and_spread() -> None:
    S = np.array([[2.0, 0.5], [0.5, 1.0]])
    draws = wishart_covariances(S, 50, 20_000, np.random.default_rng(0))
    np.testing.assert_allclose(draws.mean(axis=0), S * 49 / 50, atol=0.02)
    assert draws[:, 0, 1].var() == pytest.approx(49 / 50**2 * (S[0, 0] * S[1, 1] + S[0, 1] ** 2), rel=0.05)


def test_bootstrap_is_the_same_for_any_number_of_workers_and_reports_progress(fit: PanelFit) -> None:
    seen: list[tuple[int, int]] = []
    one = bootstrap(fit, 60, np.random.default_rng(4), progress=lambda done, total: seen.append((done, total)))
    two = bootstrap(fit, 60, np.random.default_rng(4), workers=2)
    np.testing.assert_array_equal(one.alpha, two.alpha)
    assert seen[-1] == (60, 60)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_draw_is_a_refit_of_its_people(fit: PanelFit) -> None:
    """Each draw equals a fresh fit of the drawn rows themselves."""
    found = bootstrap(fit, 3, np.random.default_rng(9))
    rows = fit.data.groups[0].kept
    Y = sample(400, 1, 0.15)[rows]
    spread = robust(fit).errors
    for r, rng in enumerate(np.random.default_rng(9).spawn(3)):
        again = fit_model(fit.model, pattern_statistics(Y[rng.integers(0, len(Y), len(Y))]))
        assert np.abs((found.alpha[r] - again.alpha) / spread).max() < 1e-3


def test_bootstrap_of_a_curved_model_and_of_groups() -> None:
    Y = sample(300, 2, 0.1)
    curved = fit_model(ri_clpm(2, WAVES, lags="standardised"), pattern_statistics(Y))
    assert bootstrap(curved, 4, np.random.default_rng(1)).converged.all()
    data = pattern_statistics(Y, groups=np.arange(300) % 2)
    grouped = fit_model(over_groups(ri_clpm(2, WAVES, lags="equal"), 2, ("B",)), data)
    assert bootstrap(grouped, 20, np.random.default_rng(1)).converged.mean() > 0.9


def test_bootstrap_intervals_agree_with_robust_ones(fit: PanelFit) -> None:
    found = bootstrap(fit, 1000, np.random.default_rng(5))
    assert found.converged.mean() > 0.99

    def effect(alpha: np.ndarray) -> np.ndarray:
        return standardised_lags(fit.model)(alpha).mean(axis=-3)[..., 0, 1, 0][..., None]

    wald = delta_method(effect, fit, robust(fit).covariance)
    width = float(wald.high[0] - wald.low[0])
    for limits in (percentile(found, effect), bca(found, effect)):
        assert abs(limits[0, 0] - wald.low[0]) < 0.15 * width
        assert abs(limits[1, 0] - wald.high[0]) < 0.15 * width


def test_influence_is_the_derivative_by_a_persons_weight(fit: PanelFit) -> None:
    group = fit.data.groups[0]
    pull = influence(fit)
    weights = np.ones(len(group.kept))
    weights[7] += 1e-3
    Y = sample(400, 1, 0.15)
    heavier = pattern_statistics(Y, weights)
    scale = len(weights) / weights.sum()  # weights are rescaled to the number of people; estimates do not mind
    moved = fit_model(fit.model, heavier)
    assert scale < 1
    spread = robust(fit).errors
    assert np.abs(((moved.alpha - fit.alpha) / 1e-3 - pull[7]) / spread).max() < 2e-2


@pytest.mark.parametrize("name", ["B21", "Phi11"])
def test_profile_limits_lose_exactly_half_a_chi_square(fit: PanelFit, name: str) -> None:
    function = parameter_function(fit, name)
    found = profile_interval(fit, function)
    wald = delta_method(function, fit, uncertainty(fit, "observed").covariance)
    assert found.low < found.value < found.high
    assert abs(found.low - wald.low[0]) < 0.3 * wald.error[0]
    for limit in (found.low, found.high):
        point = constrained_maximum(fit, function, limit, fit.alpha)
        assert point is not None
        assert 2 * (fit.loglik - point.loglik) == pytest.approx(chi2.ppf(0.95, 1), abs=1e-5)
        fixed = fit.model.parameters.index(name)
        found_at = evaluate(fit.model, fit.data.groups, point.alpha)
        assert found_at is not None
        others = np.delete(found_at.gradient, fixed)
        assert np.abs(others / np.sqrt(np.delete(np.diag(found_at.information), fixed))).max() < 1e-5


def test_effects_follow_from_their_definition(fit: PanelFit) -> None:
    V = robust(fit).covariance
    omega, S = fit.implied()[0].omega, fit.implied()[0].S
    beta = pooled(fit, V).value.reshape(2, 2)
    slow = np.mean(
        [
            fit.estimates["B21"] * np.sqrt(omega[a[0], a[0]] / omega[b[1], b[1]])
            for a, b in zip(fit.model.lagged[:-1], fit.model.lagged[1:], strict=True)
        ]
    )
    assert beta[1, 0] == pytest.approx(slow, rel=1e-12)
    contrast = direction_contrast(fit, V)
    assert contrast.value[0] == pytest.approx(abs(beta[1, 0]) - abs(beta[0, 1]), rel=1e-12)
    assert direction_contrast(fit, V, 1, 0).value[0] == pytest.approx(-contrast.value[0], rel=1e-12)
    names = fit.estimates
    between = names["Phi21"] / np.sqrt(names["Phi11"] * names["Phi22"])
    assert state_correlation(fit, V, "b1", "b2").value[0] == pytest.approx(between, rel=1e-12)
    last = fit.model.lagged[-1][1]
    assert explained(fit, V).value[-1] == pytest.approx(1 - S[last, last] / omega[last, last], rel=1e-12)


def test_delta_method_by_differences(fit: PanelFit) -> None:
    def effect(alpha: np.ndarray) -> np.ndarray:
        return standardised_lags(fit.model)(alpha)[..., 0, 0, 1, 0][..., None]

    V, h = robust(fit).covariance, 1e-6
    slope = np.array([(effect(fit.alpha + h * e) - effect(fit.alpha - h * e))[0] for e in np.eye(len(V))]) / (2 * h)
    assert delta_method(effect, fit, V).error[0] == pytest.approx(np.sqrt(slope @ V @ slope), rel=1e-7)


def test_boundary_law_of_one_variance_is_half_and_half() -> None:
    z = np.random.default_rng(1).standard_normal((500, 1)) * 2.0
    found = chi_bar_draws(np.array([[4.0]]), [1], z)
    np.testing.assert_allclose(found, np.maximum(z[:, 0] / 2.0, 0.0) ** 2, atol=1e-9)


def test_boundary_law_of_two_by_two_against_a_grid() -> None:
    """Outside the cone the nearest matrix has rank one: search its direction on a grid."""
    rng = np.random.default_rng(3)
    V = np.array([[2.0, 0.3, 0.1], [0.3, 1.0, 0.4], [0.1, 0.4, 1.5]])
    z, W = rng.multivariate_normal(np.zeros(3), V, 500), np.linalg.inv(V)
    angle = np.linspace(0, np.pi, 20_001)
    u = np.column_stack([np.cos(angle) ** 2, np.cos(angle) * np.sin(angle), np.sin(angle) ** 2])
    best = (np.maximum(z @ W @ u.T, 0) ** 2 / np.einsum("ij,jk,ik->i", u, W, u)).max(axis=1)
    inside = (z[:, 0] > 0) & (z[:, 0] * z[:, 2] > z[:, 1] ** 2)
    slow = np.where(inside, np.einsum("ri,ij,rj->r", z, W, z), best)
    np.testing.assert_allclose(chi_bar_draws(V, [3], z), slow, atol=1e-6)


def test_boundary_test_finds_stable_differences_and_keeps_its_size() -> None:
    data = case_data(EQUAL5)
    null = fit_model(clpm(2, 5, lags="equal"), data)
    found = boundary_test(null, case_fit(EQUAL5), np.random.default_rng(0), simulations=2000)
    assert found.p == 0.0
    assert found.df == 3
    rejected = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        w = rng.standard_normal((300, 2))
        waves = [w]
        for _ in range(3):
            w = 0.3 * w + rng.standard_normal((300, 2))
            waves.append(w)
        world = pattern_statistics(np.hstack(waves))
        small, large = (fit_model(build(2, 4, lags="equal"), world) for build in (clpm, ri_clpm))
        test = boundary_test(small, large, rng, simulations=500)
        assert test.p <= test.naive_p + 0.05
        rejected.append(test.p < 0.2)
    assert np.mean(rejected) < 0.5  # 20 % expected, four Monte Carlo errors are 29 points


def test_planning_follows_its_definition() -> None:
    truth, alpha = world()
    model = ri_clpm(2, WAVES, lags="equal")
    point, i = as_analysed(truth, alpha, model), model.parameters.index("B21")
    assert point[i] == pytest.approx(TRUTH["B21"], abs=1e-8)
    few, many = (np.sqrt(planned_covariance(model, point, [n])[i, i]) for n in (200.0, 800.0))
    assert few == pytest.approx(2 * many, rel=1e-12)
    lost = planned_covariance(model, point, [200.0], dropout_coverage(2, WAVES, 0.1))
    assert lost[i, i] > few**2
    none = planned_covariance(model, point, [200.0], dropout_coverage(2, WAVES, 0.0))
    assert none[i, i] == pytest.approx(few**2, rel=1e-12)
    n = needed_people(TRUTH["B21"], float(few), 200.0, power=0.8)
    at_n = float(np.sqrt(planned_covariance(model, point, [float(n)])[i, i]))
    assert wald_power(TRUTH["B21"], at_n) == pytest.approx(0.8, abs=0.005)
    with pytest.raises(ValueError, match="nested"):
        as_analysed(truth, alpha, clpm(2, WAVES, lags="equal"))


def test_dropout_shares_add_up() -> None:
    found = dropout_coverage(2, 4, 0.2)
    assert found.shares.sum() == pytest.approx(1.0)
    np.testing.assert_allclose(found.shares @ found.observed, np.repeat(0.8 ** np.arange(4), 2))


def test_far_starts_end_at_the_same_maximum(fit: PanelFit) -> None:
    far = np.zeros(len(fit.alpha))
    for i, name in enumerate(fit.model.names):
        far[i] = (
            5.0 if name.startswith(("Psi11", "Psi22", "Phi11", "Phi22")) else 0.7 if name in ("B12", "B21") else 0.0
        )
    again = fit_model(fit.model, fit.data, saturated=fit.saturated, start=far)
    assert again.loglik == pytest.approx(fit.loglik, abs=1e-8)


def test_an_impossible_start_is_given_up_with_a_status(fit: PanelFit) -> None:
    start = np.where([name.startswith("Psi") for name in fit.model.names], -50.0, 0.0)
    found = fit_model(fit.model, fit.data, saturated=fit.saturated, start=start)
    assert found.status.outcome is not Outcome.CONVERGED
    assert found.status.attempts > 1
