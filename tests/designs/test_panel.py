"""The panel design against the truth, against brute force, and against what must not move it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm
from scipy.stats import multivariate_normal
from tests.designs.panel_records import PAIR, records_of, simulated_scores

from bothways.designs.panel import PanelDesign
from bothways.designs.panel.design import fit_all
from bothways.designs.panel.effects import contrast, headline_function, lag_effects
from bothways.designs.panel.estimation import estimate, headline
from bothways.designs.panel.models import Form, headline_forms
from bothways.designs.panel.parameters import parameter_words, unit
from bothways.designs.panel.setup import prepare
from bothways.designs.panel.tables import unit_loglik
from bothways.terms.answer import Answer, DesignResult, Estimand, Status
from bothways.terms.progress import silent
from bothways.terms.question import Condition, Direction, Facet, Kind, Pair
from bothways.terms.records import Records
from bothways.terms.settings import Settings
from bothways.terms.verdict import Reading, read_estimate

QUICK = Settings(quick=True)
DESIGN = PanelDesign()


def ask(records: Records, how: Settings = QUICK) -> DesignResult:
    assert DESIGN.refuse(records, how) is None
    return DESIGN.answer(records, how, silent)


def numbers(result: DesignResult) -> dict[str, tuple[float, ...]]:
    return {a.id: (a.estimate.value, a.estimate.low, a.estimate.high) for a in result.answers if a.estimate}


def assert_same(one: DesignResult, other: DesignResult, tolerance: float = 1e-5) -> None:
    left, right = numbers(one), numbers(other)
    assert left.keys() == right.keys()
    for key, values in left.items():
        assert values == pytest.approx(right[key], abs=tolerance), key


@pytest.fixture(scope="module")
def scores() -> dict[str, np.ndarray]:
    return simulated_scores()


@pytest.fixture(scope="module")
def plain(scores: dict[str, np.ndarray]) -> DesignResult:
    return ask(records_of(scores))


# ---- what must not move an answer


@settings(max_examples=5)
@given(st.integers(0, 1000))
def test_people_may_come_in_any_order(scores: dict[str, np.ndarray], plain: DesignResult, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(300)
    assert_same(plain, ask(records_of({key: x[order] for key, x in scores.items()})))


@settings(max_examples=5)
@given(st.floats(0.01, 100), st.floats(-50, 50))
def test_the_unit_of_a_score_does_not_matter(
    scores: dict[str, np.ndarray], plain: DesignResult, factor: float, shift: float
) -> None:
    moved = dict(scores, back_pain=factor * scores["back_pain"] + shift)
    assert_same(plain, ask(records_of(moved)))


def test_swapping_the_conditions_mirrors_every_answer(scores: dict[str, np.ndarray], plain: DesignResult) -> None:
    back = ask(records_of(scores, pair=PAIR.swapped()))
    for direction in (Direction.A_TO_B, Direction.B_TO_A):
        left, right = plain.headline(direction), back.headline(direction.reversed())
        assert left is not None
        assert right is not None
        assert left.estimate is not None
        assert right.estimate is not None
        assert left.estimate.value == pytest.approx(right.estimate.value, abs=1e-6)
        assert left.estimate.se == pytest.approx(right.estimate.se, abs=1e-6)
        assert left.target == right.target
    one, other = (r.headline(Direction.JOINT).estimate for r in (plain, back))  # type: ignore[union-attr]
    assert one.value == pytest.approx(-other.value, abs=1e-6)  # type: ignore[union-attr]
    assert one.low == pytest.approx(-other.high, abs=1e-6)  # type: ignore[union-attr]


def test_days_are_only_a_unit(scores: dict[str, np.ndarray], plain: DesignResult) -> None:
    days = ask(records_of(scores, days=(0, 30, 60, 90)))
    assert_same(plain, days, 1e-9)
    assert days.a_to_b is not None
    assert days.a_to_b.lag_days == 30
    assert plain.a_to_b is not None
    assert plain.a_to_b.lag_days is None
    assert plain.a_to_b.lag_waves == 1


def test_weights_of_one_change_nothing_and_weights_of_two_are_two_people(scores: dict[str, np.ndarray]) -> None:
    def weighted(values: dict[str, np.ndarray], weight: np.ndarray | None) -> tuple[float, ...]:
        baseline = {} if weight is None else {"w": weight}
        roles = {} if weight is None else {"weight": "w"}
        setup = prepare(records_of(values, baseline=baseline, **roles))
        fitted = estimate(setup, Form("ri-clpm"))
        return tuple(lag_effects(fitted, (1.0,), 0.95).value)

    assert weighted(scores, np.ones(300)) == pytest.approx(weighted(scores, None), abs=1e-7)
    doubled = {key: np.concatenate([x, x[:100]]) for key, x in scores.items()}
    twice = np.where(np.arange(300) < 100, 2.0, 1.0)
    # scales differ a little between the two tables, standardised effects do not
    assert weighted(scores, twice) == pytest.approx(weighted(doubled, None), abs=1e-6)


# ---- brute force


def test_the_likelihood_is_that_of_each_person_in_recorded_units(scores: dict[str, np.ndarray]) -> None:
    setup = prepare(records_of(scores))
    fitted = estimate(setup, Form("ri-clpm"))
    implied = fitted.fit.implied()[0]
    scale = np.tile(setup.scale, setup.T)
    mean, cov = implied.mean * scale + np.tile(setup.centre, setup.T), implied.cov * np.outer(scale, scale)
    table = np.stack([scores["depression"], scores["back_pain"]], axis=2).reshape(300, -1)
    total = 0.0
    for row in table:
        known = np.isfinite(row)
        if known.any():
            total += multivariate_normal(mean[known], cov[np.ix_(known, known)]).logpdf(row[known])
    assert fitted.fit.loglik + unit_loglik(setup) == pytest.approx(total, rel=1e-10)


@pytest.mark.parametrize("form", [Form("ri-clpm"), Form("ri-clpm", "free"), Form("clpm"), Form("dpm")])
def test_the_standardised_course_is_the_product_of_the_lags(scores: dict[str, np.ndarray], form: Form) -> None:
    setup = prepare(records_of(scores))
    fitted = estimate(setup, form)
    implied, places = fitted.fit.implied()[0], np.array(fitted.fit.model.lagged)
    A = np.eye(len(implied.F)) - np.linalg.inv(implied.F)
    sd = np.sqrt(np.diag(implied.omega))
    found = lag_effects(fitted, (1.0, 2.0, 3.0), 0.95).value.reshape(3, 2, 2)
    for h in (1, 2, 3):
        for i in range(2):
            for j in range(2):
                effects = []
                for t in range(4 - h):
                    product = np.eye(2)
                    for step in range(h):
                        product = A[np.ix_(places[t + step + 1], places[t + step])] @ product
                    effects.append(product[i, j] * sd[places[t, j]] / sd[places[t + h, i]])
                assert found[h - 1, i, j] == pytest.approx(np.mean(effects), abs=1e-10)


def test_errors_of_effects_are_those_of_numeric_slopes(scores: dict[str, np.ndarray]) -> None:
    setup = prepare(records_of(scores))
    fitted = estimate(setup, Form("ri-clpm"))
    assert fitted.errors is not None
    function, alpha, V = headline_function(fitted), fitted.fit.alpha, fitted.errors.covariance
    step = 1e-6
    slope = np.column_stack(
        [(function(alpha + e) - function(alpha - e)) / (2 * step) for e in step * np.eye(len(alpha))]
    )
    interval = lag_effects(fitted, (1.0,), 0.95)
    assert interval.error == pytest.approx(np.sqrt(np.diag(slope @ V @ slope.T)), rel=1e-5)
    difference = slope[2] * np.sign(interval.value[2]) - slope[1] * np.sign(interval.value[1])
    delta = contrast(fitted, 0.95)
    assert delta.value[0] == pytest.approx(abs(interval.value[2]) - abs(interval.value[1]))
    assert delta.error[0] == pytest.approx(np.sqrt(difference @ V @ difference), rel=1e-5)


def test_parameters_in_recorded_units_reproduce_the_covariances_of_raw_scores(scores: dict[str, np.ndarray]) -> None:
    setup = prepare(records_of(scores))
    fitted = estimate(setup, Form("clpm", "free"))
    raw = {n: v * unit(setup, fitted.form, n)[0] for n, v in fitted.fit.estimates.items()}
    cov = np.array([[raw["Psi11_1"], raw["Psi21_1"]], [raw["Psi21_1"], raw["Psi22_1"]]])
    B = np.array([[raw["B11_2"], raw["B12_2"]], [raw["B21_2"], raw["B22_2"]]])
    psi = np.array([[raw["Psi11_2"], raw["Psi21_2"]], [raw["Psi21_2"], raw["Psi22_2"]]])
    units = np.outer(setup.scale, setup.scale)
    assert B @ cov @ B.T + psi == pytest.approx(fitted.fit.implied()[0].cov[2:4, 2:4] * units, rel=1e-8)


# ---- simulated truth


def test_known_lags_are_found_and_the_clpm_is_not_the_same() -> None:
    random_scores = simulated_scores(people=8000, waves=5, seed=4, effects=(0.2, 0.0), missing=0.15)
    result = ask(records_of(random_scores))
    # the mean within-person SDs of this process make 0.2 and 0 on the raw scale so standardised
    B, W = np.array([[0.35, 0.0], [0.2, 0.35]]), np.eye(2)
    betas = []
    for _ in range(4):
        later = B @ W @ B.T + 0.81 * np.eye(2)
        betas.append(0.2 * np.sqrt(W[0, 0] / later[1, 1]))
        W = later
    assert result.a_to_b is not None
    assert result.b_to_a is not None
    one, other = result.a_to_b.estimate, result.b_to_a.estimate
    assert one is not None
    assert other is not None
    assert abs(one.value - np.mean(betas)) < 3.5 * one.se
    assert abs(other.value) < 3.5 * other.se
    assert read_estimate(one, 0.05) is Reading.PREDICTS
    assert read_estimate(other, 0.05) is Reading.LITTLE


def test_one_drift_over_unequal_gaps_is_found() -> None:
    random = np.random.default_rng(2)
    D, days = np.array([[-0.010, 0.002], [0.004, -0.012]]), np.array([0.0, 60, 240, 330, 420])
    people, W = 20_000, np.array([[1.0, 0.3], [0.3, 1.0]])
    trait = random.normal(size=(people, 2))
    state = random.multivariate_normal([0, 0], W, people)
    y = np.empty((people, 5, 2))
    for t, gap in enumerate(np.diff(days, prepend=0.0)):
        if t:
            B = expm(D * gap)
            state = state @ B.T + random.multivariate_normal([0, 0], W - B @ W @ B.T, people)
        y[:, t] = trait + state
    records = records_of({"depression": y[:, :, 0], "back_pain": y[:, :, 1]}, days=days.tolist())
    result = ask(records)
    assert result.a_to_b is not None
    assert result.a_to_b.model == "ct-ri-clpm"
    assert result.a_to_b.lag_days == 90
    curves = {a.lag_days: a for a in result.answers if a.curve == "panel.ct-ri-clpm.a_to_b.course"}
    for lag, answer in curves.items():
        assert answer.estimate is not None
        assert abs(answer.estimate.value - expm(D * lag)[1, 0]) < 4 * answer.estimate.se, lag


# ---- what is said


def test_every_part_of_the_answer_is_there(plain: DesignResult) -> None:
    heads = [a for a in plain.answers if a.headline and a.facet is Facet.STRENGTH]
    assert [a.direction for a in heads] == [Direction.A_TO_B, Direction.B_TO_A, Direction.JOINT]
    for answer in heads[:2]:
        assert answer.estimand is Estimand.CROSS_LAG
        assert answer.model == "ri-clpm"
        assert {c.code for c in answer.caveats} >= {"common_cause", "missing_not_random"}
        assert answer.assumptions
    assert len({a.id for a in plain.answers}) == len(plain.answers)
    refused = [a for a in plain.answers if a.status is Status.REFUSED]
    assert {a.facet for a in refused} == {Facet.FIRST, Facet.SPEED}
    assert any(a.estimand is Estimand.ASSOCIATION for a in plain.answers)
    assert {a.model for a in plain.answers} >= {"clpm", "dpm", "lcm-sr"}
    assert {t.key for t in plain.tables} >= {
        f"panel.{key}"
        for key in (
            *("coverage", "leaving", "models", "lags_equal", "icc", "correlations", "lags", "explained"),
            *("persistence", "covariances", "means"),
        )
    }
    for table in plain.tables:
        assert all(len(row) == len(table.columns) for row in table.rows)
        assert all(isinstance(cell, str | int | float | None) for row in table.rows for cell in row)
    assert "random-intercept" in plain.methods


def test_fits_carry_their_tables_in_words(plain: DesignResult) -> None:
    first = plain.fits[0]
    assert first.converged
    names = [p.name for p in first.parameters]
    assert len(set(names)) == len(names)
    assert "back pain on depression, one wave before" in names
    assert first.covariance is not None
    assert np.sqrt(np.diag(first.covariance)) == pytest.approx([p.se for p in first.parameters])
    assert {"chisq", "df", "cfi", "tli", "rmsea", "rmsea_low", "rmsea_high", "srmr", "aic", "bic"} <= set(first.indices)
    assert first.indices["aic"] == pytest.approx(2 * len(names) - 2 * first.loglik)  # type: ignore[operator]


def test_two_waves_answer_with_their_caveat() -> None:
    result = ask(records_of(simulated_scores(waves=2, missing=0.0)))
    assert result.a_to_b is not None
    assert result.a_to_b.model == "clpm"
    assert result.a_to_b.caveats[0].code == "two_waves"
    assert not any(a.estimand is Estimand.ASSOCIATION for a in result.answers)


def test_lags_that_differ_are_given_one_by_one() -> None:
    random = np.random.default_rng(5)
    people, state = 4000, np.random.default_rng(6).normal(size=(4000, 2))
    trait, y = random.normal(size=(people, 2)), np.empty((people, 4, 2))
    for t in range(4):
        B = np.array([[0.3, 0.0], [0.5 if t == 1 else -0.1, 0.3]])
        state = state if t == 0 else state @ B.T + random.normal(scale=0.9, size=(people, 2))
        y[:, t] = trait + state
    result = ask(records_of({"depression": y[:, :, 0], "back_pain": y[:, :, 1]}))
    waves = [a for a in result.answers if ".wave" in a.id and a.direction is Direction.A_TO_B]
    assert [a.id for a in waves] == [f"panel.ri-clpm.a_to_b.wave{t}" for t in (2, 3, 4)]
    values = [a.estimate.value for a in waves if a.estimate]
    assert values[0] > 0.3
    assert max(values[1:]) < 0
    assert result.a_to_b is not None
    assert result.a_to_b.estimate is not None
    assert result.a_to_b.estimate.value == pytest.approx(np.mean(values))
    assert any(a.checked is False and "same in every interval" in a.text for a in result.a_to_b.assumptions)


def test_a_covariate_that_drives_both_is_held_constant() -> None:
    random = np.random.default_rng(8)
    base = simulated_scores(people=1500, effects=(0.15, 0.0), missing=0.1, seed=3)
    x = random.normal(size=1500)
    moved = {key: column + np.outer(x, np.linspace(0, 9, 4)) for key, column in base.items()}
    adjusted = ask(records_of(moved, baseline={"x": x}, covariates=("x",)))
    without, raw = ask(records_of(base)), ask(records_of(moved))
    shifts = []
    for direction in (Direction.A_TO_B, Direction.B_TO_A):
        one, other, biased = (r.headline(direction).estimate for r in (adjusted, without, raw))  # type: ignore[union-attr]
        assert one.value == pytest.approx(other.value, abs=0.25 * other.se)  # type: ignore[union-attr]
        shifts.append(abs(biased.value - other.value) / other.se)  # type: ignore[union-attr]
    assert max(shifts) > 3
    assert any(p.name == "back pain at wave 2 on x" for p in adjusted.fits[0].parameters)


def test_a_covariate_that_changes_is_a_third_process() -> None:
    base = simulated_scores(missing=0.05)
    third = np.random.default_rng(1).normal(size=(300, 4)) + 0.3 * base["depression"]
    setup = prepare(records_of(dict(base, sleep=third), covariates=("sleep",)))
    assert setup.processes == ("depression", "back_pain", "sleep")
    result = ask(records_of(dict(base, sleep=third), covariates=("sleep",)))
    assert "sleep" in result.methods
    assert any(p.name == "back pain on sleep, one wave before" for p in result.fits[0].parameters)


def test_age_in_years_at_each_wave_is_no_change() -> None:
    base = simulated_scores(missing=0.05)
    age = np.random.default_rng(1).uniform(20, 70, 300)[:, None] + np.arange(4)
    setup = prepare(records_of(dict(base, age=age), covariates=("age",)))
    assert setup.processes == ("depression", "back_pain")
    assert setup.fixed == ("age",)


def test_clusters_widen_the_intervals_of_what_they_share() -> None:
    random = np.random.default_rng(3)
    base = simulated_scores(people=600, missing=0.0)
    clinic = np.repeat(np.arange(60), 10)
    drift = random.normal(size=(60, 4))[clinic] * 3
    moved = {key: x + drift for key, x in base.items()}
    alone = prepare(records_of(moved, baseline={"c": clinic.astype(float)}))
    grouped = prepare(records_of(moved, baseline={"c": clinic.astype(float)}, cluster="c"))
    wide, narrow = (lag_effects(estimate(s, Form("ri-clpm")), (1.0,), 0.95) for s in (grouped, alone))
    assert wide.value == pytest.approx(narrow.value, abs=1e-8)
    assert (wide.error > 1.2 * narrow.error).any()


def test_floor_and_two_values_are_noticed() -> None:
    base = simulated_scores(people=400, missing=0.0)
    floored = dict(base, back_pain=np.maximum(base["back_pain"], 5.0))
    answer = ask(records_of(floored)).a_to_b
    assert answer is not None
    assert "floor" in {c.code for c in answer.caveats}
    binary = dict(base, back_pain=(base["back_pain"] > 5).astype(float))
    answer = ask(records_of(binary)).a_to_b
    assert answer is not None
    assert "binary_outcome" in {c.code for c in answer.caveats}


# ---- refusals and failures


def test_what_this_design_cannot_carry_is_refused() -> None:
    base = simulated_scores(people=300, missing=0.0)
    states = Pair(Condition("depression", "depression", Kind.STATE), Condition("back_pain", "back pain", Kind.STATE))
    both = {key: (x > np.median(x)).astype(float) for key, x in base.items()}
    cases = {
        "one wave": records_of({key: x[:, :1] for key, x in base.items()}),
        "two waves or more": records_of({key: x[:40] for key, x in base.items()}),
        "onset design": records_of(both, pair=states),
        "two values": records_of(both),
        "times of their own": replace(records_of(base), wave=None),
        "at most 15": records_of(simulated_scores(people=60, waves=16)),
        "hardly ever changes": records_of(dict(base, back_pain=np.repeat(base["back_pain"][:, :1], 4, axis=1))),
        "fewer than two waves": records_of(dict(base, back_pain=np.full_like(base["back_pain"], 3.0))),
    }
    for words, records in cases.items():
        refusal = DESIGN.refuse(records, QUICK)
        assert refusal is not None, words
        assert words in f"{refusal.reason} {refusal.mend}", refusal


def test_a_wave_that_asked_nothing_of_one_condition_is_left_out_and_its_gap_kept() -> None:
    base = simulated_scores(waves=5, missing=0.0)
    base["back_pain"][:, 2] = np.nan
    setup = prepare(records_of(base))
    assert setup.waves.kept == (0, 1, 3, 4)
    assert setup.waves.gaps == (1, 2, 1)
    assert not setup.waves.even
    assert "wave 3" in setup.left_out


def test_a_fit_that_fails_gives_words_and_no_number() -> None:
    """Nobody answered both waves 1 and 4, and the copy of one condition by the other leaves nothing to estimate."""
    base = simulated_scores(people=200, missing=0.0)
    same = {"depression": base["depression"], "back_pain": base["depression"] * 2 + 1}
    records = records_of(same)
    assert DESIGN.refuse(records, QUICK) is None
    result = DESIGN.answer(records, QUICK, silent)
    for direction in (Direction.A_TO_B, Direction.B_TO_A, Direction.JOINT):
        answer = result.headline(direction)
        assert answer is not None
        assert answer.status is Status.FAILED
        assert answer.estimate is None
        assert answer.status_says
    assert all(f.status != "converged" and not f.parameters and f.loglik is None for f in result.fits)


def test_an_impossible_variance_is_named_and_not_trimmed() -> None:
    """A process without lasting differences, whose correlations alternate, drives the variance of levels below zero."""
    random = np.random.default_rng(11)
    y, state = np.empty((400, 4, 2)), random.normal(size=(400, 2))
    for t in range(4):
        state = state if t == 0 else state * np.array([-0.5, 0.3]) + random.normal(scale=0.8, size=(400, 2))
        y[:, t] = state
    y[:, :, 0] -= 0.35 * y[:, :, 0].mean(axis=1, keepdims=True)
    result = ask(records_of({"depression": y[:, :, 0], "back_pain": y[:, :, 1]}))
    assert result.fits[0].status == "inadmissible"
    assert "usual level of depression" in result.fits[0].says
    assert result.a_to_b is not None
    assert "improper" in {c.code for c in result.a_to_b.caveats}


def test_free_lags_are_tested_against_equal_ones_with_the_right_degrees_of_freedom(
    scores: dict[str, np.ndarray],
) -> None:
    setup = prepare(records_of(scores))
    found = headline(setup, headline_forms(setup))
    assert found.test is not None
    assert found.test.df == 8
    assert found.pooled == (found.test.p >= 0.05)


@pytest.mark.parametrize(
    ("key", "free"), [("ri-clpm", True), ("ri-clpm", False), ("clpm", False), ("dpm", False), ("lcm-sr", False)]
)
def test_every_parameter_has_words_of_its_own(key: str, free: bool) -> None:
    setup = prepare(records_of(simulated_scores(people=120), baseline={"x": np.arange(120.0)}, covariates=("x",)))
    fitted = estimate(setup, Form(key, "free" if free else "equal"))  # type: ignore[arg-type]
    words = [parameter_words(setup, fitted.form, name) for name in fitted.fit.model.names]
    assert len(set(words)) == len(words)
    assert not set(words) & set(fitted.fit.model.names)


def test_the_level_widens_every_interval(scores: dict[str, np.ndarray]) -> None:
    setup = prepare(records_of(scores))
    narrow, wide = (fit_all(setup, Settings(quick=True, level=level), silent) for level in (0.9, 0.99))
    one, other = (lag_effects(room.headline.chosen, (1.0,), room.settings.level) for room in (narrow, wide))
    assert (other.high - other.low > 1.5 * (one.high - one.low)).all()


def rivals(result: DesignResult) -> list[Answer]:
    return [a for a in result.answers if a.model in ("dpm", "lcm-sr", "starts") and a.estimate]


def test_models_that_decide_otherwise_are_named() -> None:
    """Straight lines of their own, steeply correlated: the RI-CLPM takes trends for lags, the LCM-SR does not."""
    random = np.random.default_rng(4)
    people, waves = 3000, 6
    slope = random.multivariate_normal([0, 0], [[0.3, 0.25], [0.25, 0.3]], people)
    y = np.empty((people, waves, 2))
    for t in range(waves):
        y[:, t] = (t - 2.5) * slope + random.normal(size=(people, 2))
    result = ask(records_of({"depression": y[:, :, 0], "back_pain": y[:, :, 1]}))
    assert result.a_to_b is not None
    assert "models_disagree" in {c.code for c in result.a_to_b.caveats}
    assert rivals(result)
