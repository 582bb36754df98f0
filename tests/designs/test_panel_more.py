"""Beyond the headline: resampled people, groups, items, imputed data sets, hints."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student
from tests.designs.panel_records import PAIR, records_of, simulated_scores

from bothways.designs.panel import PanelDesign
from bothways.designs.panel.design import fit_all
from bothways.designs.panel.effects import headline_function, lag_effects
from bothways.designs.panel.estimation import estimate
from bothways.designs.panel.groups import compare_groups
from bothways.designs.panel.hints import Candidate, candidates, freed, score_test
from bothways.designs.panel.imputations import combine, pool_imputations
from bothways.designs.panel.indicators import answer_by_items
from bothways.designs.panel.models import Form
from bothways.designs.panel.resampling import contrast_of_sizes, resampled
from bothways.designs.panel.setup import PanelSetup, prepare
from bothways.engine.fitting import evaluate, fit_model
from bothways.engine.moments import Kind, implied_moments
from bothways.engine.panel_models.cross_lagged import clpm
from bothways.engine.patterns import pattern_statistics
from bothways.terms.answer import DesignResult, Estimand, Estimate, Status
from bothways.terms.errors import QuestionError
from bothways.terms.progress import silent
from bothways.terms.question import Direction
from bothways.terms.settings import Settings

QUICK = Settings(quick=True)
WAYS = (Direction.A_TO_B, Direction.B_TO_A)


def ask(scores: dict[str, np.ndarray], how: Settings = QUICK) -> DesignResult:
    return PanelDesign().answer(records_of(scores), how, silent)


# ---- resampling


def drawn(setup: PanelSetup, draws: int, seed: int = 1, workers: int = 1) -> dict[Direction, Estimate]:
    how = Settings(bootstrap=draws, seed=seed, workers=workers, headline_only=True)
    return resampled(fit_all(setup, how, silent), silent)


def test_resampling_depends_on_the_seed_and_on_nothing_else() -> None:
    setup = prepare(records_of(simulated_scores(people=200)))
    one, other, third = (drawn(setup, 60, seed, workers) for seed, workers in ((1, 1), (1, 2), (2, 1)))
    assert one.keys() == {*WAYS, Direction.JOINT}
    assert one == other
    assert one != third


def test_resampled_limits_are_those_of_people_drawn_by_hand() -> None:
    scores = simulated_scores(people=250, missing=0.0)
    found = drawn(prepare(records_of(scores)), 400)[Direction.A_TO_B]
    random, values = np.random.default_rng(0), []
    for _ in range(100):
        chosen = random.integers(0, 250, 250)
        setup = prepare(records_of({key: x[chosen] for key, x in scores.items()}))
        values.append(lag_effects(estimate(setup, Form("ri-clpm")), (1.0,), 0.95).value[2])
    assert found.se == pytest.approx(np.std(values), rel=0.25)
    assert found.low == pytest.approx(np.quantile(values, 0.025), abs=0.6 * found.se)


def test_near_zero_the_contrast_is_resampled_by_itself_and_otherwise_not() -> None:
    quiet = ask(simulated_scores(people=250, effects=(0.0, 0.0)), Settings())
    loud = ask(simulated_scores(people=1500, effects=(0.4, 0.4), missing=0.0), Settings())
    assert "The interval of the contrast" in quiet.methods
    assert "resamples" not in loud.methods
    assert {t.key for t in quiet.tables} >= {"panel.intervals", "panel.stability", "panel.hints"}
    beside = [a.model for a in quiet.answers if a.direction is Direction.A_TO_B and a.id == f"panel.{a.model}.a_to_b"]
    assert sorted(beside)[:2] == ["clpm", "dpm"]
    assert len(beside) == len(set(beside))


@settings(max_examples=20)
@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4))
def test_the_contrast_is_of_sizes(beta: list[float]) -> None:
    difference = contrast_of_sizes(lambda alpha: alpha, 2)(np.array(beta))
    assert difference[0] == abs(beta[2]) - abs(beta[1])


# ---- groups


def two_groups() -> tuple[dict[str, np.ndarray], np.ndarray]:
    strong = simulated_scores(people=900, effects=(0.45, 0.0), seed=1, missing=0.05)
    weak = simulated_scores(people=700, effects=(0.0, 0.0), seed=2, missing=0.05)
    return {key: np.concatenate([strong[key], weak[key]]) for key in strong}, np.repeat([1.0, 0.0], [900, 700])


def test_each_group_free_is_each_group_alone() -> None:
    scores, group = two_groups()
    found = compare_groups(records_of(scores, baseline={"chronic": group}), "chronic", QUICK)
    for g, value in enumerate((0.0, 1.0)):
        part = {key: x[group == value] for key, x in scores.items()}
        alone = lag_effects(estimate(prepare(records_of(part)), Form("ri-clpm")), (1.0,), 0.95)
        for way, place in ((Direction.A_TO_B, 2), (Direction.B_TO_A, 1)):
            answer = next(a for a in found.answers if a.id == f"panel.by.chronic.{g + 1}.{way}")
            assert answer.estimate is not None
            assert answer.estimate.value == pytest.approx(alone.value[place], abs=1e-5)
            assert answer.estimate.se == pytest.approx(alone.error[place], rel=1e-4)
            assert answer.estimate.people == int((group == value).sum())


def test_a_path_that_differs_between_groups_is_found_and_the_other_is_not() -> None:
    scores, group = two_groups()
    found = compare_groups(records_of(scores, baseline={"chronic": group}), "chronic", QUICK)
    assert found.tests[Direction.A_TO_B].p < 1e-6
    assert found.tests[Direction.B_TO_A].p > 0.01
    assert found.tests[Direction.A_TO_B].df == 1
    differences = {a.direction: a.estimate for a in found.answers if a.estimand is Estimand.INTERACTION}
    for way in WAYS:
        first, second = (next(a for a in found.answers if a.id == f"panel.by.chronic.{g}.{way}") for g in (1, 2))
        assert differences[way].value == pytest.approx(second.estimate.value - first.estimate.value)  # type: ignore[union-attr]
        # groups are different people: the errors add in squares
        expected = np.hypot(first.estimate.se, second.estimate.se)  # type: ignore[union-attr]
        assert differences[way].se == pytest.approx(expected, rel=1e-6)  # type: ignore[union-attr]


def test_groups_that_cannot_be_compared_are_refused() -> None:
    scores, group = two_groups()
    with pytest.raises(QuestionError, match="no such column"):
        compare_groups(records_of(scores), "sex", QUICK)
    with pytest.raises(QuestionError, match="fewer than two groups"):
        compare_groups(records_of(scores, baseline={"sex": np.where(group > -1, 1.0, 0.0)}), "sex", QUICK)


# ---- items


def items_of(loadings: tuple[float, ...], seed: int, drift: float = 0.0) -> dict[str, np.ndarray]:
    scores = simulated_scores(people=1200, waves=4, effects=(0.3, 0.0), seed=seed, missing=0.0)
    random, found = np.random.default_rng(seed), {}
    for key, scale in (("depression", 4.0), ("back_pain", 2.0)):
        latent = (scores[key] - scores[key].mean()) / scale
        for i, loading in enumerate(loadings):
            noise = random.normal(scale=0.7, size=latent.shape) + random.normal(scale=0.4, size=(1200, 1))
            change = drift * np.arange(4) if i == 1 else 0.0
            found[f"{key}_{i + 1}"] = (loading + change) * latent + noise
    return found | scores


@pytest.mark.parametrize(("drift", "last"), [(0.0, "loadings and intercepts"), (0.4, "the same items")])
def test_items_speak_from_the_rung_that_stands(drift: float, last: str) -> None:
    values = items_of((1.0, 0.8, 1.2), 3, drift)
    records = records_of(values)
    keys = [[f"{c}_{i}" for i in (1, 2, 3)] for c in ("depression", "back_pain")]
    result = answer_by_items(records, keys[0], keys[1], QUICK)
    assert last in result.methods
    one, other = (a.estimate for a in result.answers)
    assert one is not None
    assert other is not None
    assert one.low > 0.15
    if not drift:
        assert other.low < 0 < other.high
    (table,) = result.tables
    assert table.rows[0][0] == "the same items at every wave"
    assert len(table.rows) >= 2


def test_items_correct_for_error_that_scores_of_one_item_carry() -> None:
    values = items_of((1.0, 1.0, 1.0), 5)
    keys = [[f"{c}_{i}" for i in (1, 2, 3)] for c in ("depression", "back_pain")]
    corrected = answer_by_items(records_of(values), keys[0], keys[1], QUICK).answers[0].estimate
    single = {"depression": values["depression_1"], "back_pain": values["back_pain_1"]}
    noisy, true = (ask(x).a_to_b.estimate for x in (single, {k: values[k] for k in single}))  # type: ignore[union-attr]
    assert abs(corrected.value - true.value) < 2 * corrected.se  # type: ignore[union-attr]
    assert noisy.value < true.value - 2 * noisy.se  # type: ignore[union-attr]


def test_items_that_are_not_there_are_named() -> None:
    with pytest.raises(QuestionError, match="phq9_1"):
        answer_by_items(records_of(simulated_scores()), ("depression", "phq9_1"), ("back_pain",), QUICK)


# ---- imputed data sets


def test_rubins_rules_by_hand() -> None:
    found = combine([1.0, 1.4, 1.2], [0.5, 0.4, 0.6], complete_df=99)
    within, between = (0.25 + 0.16 + 0.36) / 3, 0.04
    total = within + 4 / 3 * between
    share = 4 / 3 * between / total
    old, seen = 2 / share**2, 100 / 102 * 99 * (1 - share)
    assert found.value == pytest.approx(1.2)
    assert found.se == pytest.approx(np.sqrt(total))
    assert found.df == pytest.approx(1 / (1 / old + 1 / seen))
    assert found.limits(0.95)[1] == pytest.approx(1.2 + student.ppf(0.975, found.df) * np.sqrt(total))
    assert found.missing_information == pytest.approx(share)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(-5, 5), st.floats(0.1, 3)), min_size=2, max_size=8))
def test_pooled_errors_are_never_smaller_than_the_mean_within(pairs: list[tuple[float, float]]) -> None:
    values, errors = zip(*pairs, strict=True)
    found = combine(values, errors)
    assert found.se**2 >= np.mean(np.square(errors)) - 1e-12
    assert min(values) - 1e-12 <= found.value <= max(values) + 1e-12
    same = combine([values[0]] * 3, [errors[0]] * 3)
    assert same.se == pytest.approx(errors[0])
    assert same.df > 1e6


def test_imputed_panels_become_one_and_agree_with_full_information() -> None:
    """Imputed from the right model, they estimate what full information estimates from the holes themselves."""
    scores = simulated_scores(people=500, waves=3, missing=0.2, seed=6)
    setup = prepare(records_of(scores))
    h1, random = setup.h1[0], np.random.default_rng(1)
    results = []
    for _ in range(8):
        table = setup.table.copy()
        draw = random.multivariate_normal(h1.mean, h1.cov / 500)  # the mean's own uncertainty, roughly
        for row in table:
            gone = ~np.isfinite(row)
            if not gone.any():
                continue
            known = ~gone
            slope = h1.cov[np.ix_(gone, known)] @ np.linalg.inv(h1.cov[np.ix_(known, known)])
            spread = h1.cov[np.ix_(gone, gone)] - slope @ h1.cov[np.ix_(known, gone)]
            row[gone] = random.multivariate_normal(draw[gone] + slope @ (row[known] - draw[known]), spread)
        filled = table.reshape(-1, 3, 2)
        results.append(ask({"depression": filled[:, :, 0], "back_pain": filled[:, :, 1]}))
    pooled, full = pool_imputations(results), ask(scores)
    for way in WAYS:
        one, other = pooled.headline(way).estimate, full.headline(way).estimate  # type: ignore[union-attr]
        assert one.value == pytest.approx(other.value, abs=0.6 * other.se)  # type: ignore[union-attr]
        assert one.se == pytest.approx(other.se, rel=0.35)  # type: ignore[union-attr]
        assert one.se > np.mean([r.headline(way).estimate.se for r in results])  # type: ignore[union-attr]
    assert pooled.fits[0].parameters
    assert "Rubin" in pooled.methods


def test_an_imputed_set_without_an_estimate_is_said() -> None:
    result = ask(simulated_scores(people=120))
    broken = replace(result, answers=tuple(replace(a, status=Status.FAILED, estimate=None) for a in result.answers))
    pooled = pool_imputations([result, result, broken])
    answer = pooled.a_to_b
    assert answer is not None
    assert answer.status is Status.FAILED
    assert "1 of 3" in answer.status_says
    with pytest.raises(QuestionError, match="two or more"):
        pool_imputations([result])


# ---- hints


def lag_two_panel() -> dict[str, np.ndarray]:
    random = np.random.default_rng(9)
    y = np.empty((1500, 5, 2))
    states = [random.normal(size=(1500, 2)) for _ in range(2)]
    trait = random.normal(size=(1500, 2))
    for t in range(5):
        if t >= 2:
            new = states[-1] * 0.3 + random.normal(scale=0.9, size=(1500, 2))
            if t == 4:
                new[:, 1] += 0.4 * states[-2][:, 0]
            states.append(new)
        y[:, t] = trait + states[t]
    return {"depression": y[:, :, 0], "back_pain": y[:, :, 1]}


def test_the_largest_hint_is_the_path_that_was_left_out() -> None:
    setup = prepare(records_of(lag_two_panel()))
    fitted = estimate(setup, Form("ri-clpm", "free"))
    scored = [(found[0], c.says) for c in candidates(setup, fitted.fit.model) if (found := score_test(fitted.fit, c))]
    largest = [says for _, says in sorted(scored, reverse=True)[:3]]
    assert "back pain at wave 5 on depression, two waves before" in largest


def test_a_hint_foretells_what_freeing_does() -> None:
    """The index is close to twice the gain in log-likelihood, the change close to the estimate."""
    setup = prepare(records_of(simulated_scores(people=4000, missing=0.1)))
    fitted = estimate(setup, Form("ri-clpm"))
    w = fitted.fit.model.lagged
    for candidate in (
        Candidate(Kind.A, w[2][1], w[1][0], "one lag on its own"),
        Candidate(Kind.S, w[2][0], w[1][1], "residuals over time"),
        Candidate(Kind.A, w[3][0], w[1][0], "two waves before"),
    ):
        found = score_test(fitted.fit, candidate)
        assert found is not None
        index, change, _ = found
        model = freed(fitted.fit.model, candidate)
        start = np.append(fitted.fit.alpha, 0.0)
        larger = fit_model(model, setup.data, saturated=setup.h1, start=start)
        assert index == pytest.approx(2 * (larger.loglik - fitted.fit.loglik), rel=0.15, abs=0.05)
        assert change == pytest.approx(larger.alpha[-1], rel=0.2, abs=0.01)


def test_freeing_at_zero_is_the_model_itself() -> None:
    setup = prepare(records_of(simulated_scores()))
    fitted = estimate(setup, Form("ri-clpm"))
    for candidate in candidates(setup, fitted.fit.model):
        model = freed(fitted.fit.model, candidate)
        cells = model.cells(np.append(fitted.fit.alpha, 0.0))[0]
        assert len(cells) - len(fitted.fit.model.cells(fitted.fit.alpha)[0]) in (0, 1)
        assert headline_function(replace(fitted, fit=replace(fitted.fit, model=model)))(
            np.append(fitted.fit.alpha, 0.0)
        ) == pytest.approx(headline_function(fitted)(fitted.fit.alpha))


def test_the_pair_may_be_named_the_other_way_round_in_every_part() -> None:
    scores, group = two_groups()
    forth = compare_groups(records_of(scores, baseline={"g": group}), "g", QUICK)
    back = compare_groups(records_of(scores, pair=PAIR.swapped(), baseline={"g": group}), "g", QUICK)
    for way in WAYS:
        assert forth.tests[way].statistic == pytest.approx(back.tests[way.reversed()].statistic, rel=1e-4)


@pytest.mark.parametrize(("growth", "singular"), [(6.0, False), (20.0, False), (40.0, True), (80.0, True)])
def test_a_drift_that_grows_beyond_all_bounds_is_a_step_not_taken_and_no_crash(growth: float, singular: bool) -> None:
    """A trial step can make the lags of a long gap so large that Id − A is singular to rounding."""
    data = pattern_statistics(np.random.default_rng(3).normal(size=(100, 8)))
    model = clpm(2, 4, lags="drift", gaps=(1, 5.67, 0.33))
    point = np.full(len(model.names), 0.5)
    point[[model.parameters.index(name) for name in ("D11", "D12", "D21", "D22")]] = growth * np.array([1, 0.3, 0.2, 1])
    with np.errstate(all="ignore"):
        with pytest.raises(np.linalg.LinAlgError) if singular else nullcontext():
            implied_moments(model.structure, model.cells(point)[0])
        assert evaluate(model, data.groups, point) is None
