"""In whom: levels, groups, products, tests that hold in small groups, shrinkage and numbers of tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.interpolate import CubicSpline
from tests.designs.panel_records import records_of, simulated_scores

from bothways.designs.panel import PanelDesign
from bothways.designs.panel.design import fit_all
from bothways.designs.panel.groups import compare_groups
from bothways.designs.panel.setup import prepare
from bothways.designs.panel.whom import in_whom
from bothways.designs.splits import holm, shrink, spline, split_of
from bothways.intake.circumstances import lasting_for
from bothways.simulation import simulate
from bothways.terms.answer import Answer, DesignResult, Estimand, Status
from bothways.terms.errors import QuestionError
from bothways.terms.progress import silent
from bothways.terms.question import Direction, Facet, Population
from bothways.terms.records import Records
from bothways.terms.settings import Settings

FORTH, BACK = Direction.A_TO_B, Direction.B_TO_A
QUICK = Settings(quick=True)


def ask(records: Records, how: Settings = QUICK) -> DesignResult:
    return PanelDesign().answer(records, how, silent)


def row(result: DesignResult, id_end: str) -> Answer:
    return next(a for a in result.answers if a.id == f"panel.by.{id_end}")


def table(result: DesignResult, key: str) -> list[dict[str, object]]:
    one = next(t for t in result.tables if t.key == key)
    return [dict(zip(one.columns, line, strict=True)) for line in one.rows]


# ---- levels


def test_levels_are_categories_few_values_or_two_halves() -> None:
    records = replace(
        records_of(simulated_scores(people=6)),
        labels={"age": "age", "sex": "sex", "phq9_ge_10": "phq9"},
        categories={"sex": ("female", "male"), "phq9_ge_10": ("phq9 below 10", "phq9 10 or above")},
    )
    sex = split_of(records, "sex", np.array([0.0, 1, np.nan, 1, 0, 0]))
    assert sex is not None
    assert sex.names == ("sex: female", "sex: male")
    assert sex.level.tolist() == [0, 1, -1, 1, 0, 0]
    ages = np.array([20.0, 30, 40, 50, 60, 70])
    halves = split_of(records, "age", ages)
    stated = split_of(records, "age", ages, 65)
    assert halves is not None
    assert stated is not None
    assert halves.names == ("age below 45", "age 45 or above")
    assert stated.level.tolist() == [0, 0, 0, 0, 0, 1]
    cut = split_of(records, "phq9_ge_10", np.array([0.0, 1, 1, 0, 0, 1]))
    assert cut is not None
    assert cut.names == ("phq9 below 10", "phq9 10 or above")
    assert split_of(records, "age", np.ones(6)) is None
    assert split_of(records, "age", ages, 200.0) is None


# ---- the test of equal paths


def test_equal_paths_are_not_called_different_in_small_groups() -> None:
    """65 people a group: worlds in which the factor of 2001 comes out near nil, and p with it (6e-25 at the worst)."""
    p = []
    for seed in (5084, 5129, 5187, 5264):
        scores = simulated_scores(people=130, effects=(0.2, 0.1), seed=seed, missing=0.05)
        records = records_of(scores, baseline={"g": np.repeat([0.0, 1.0], 65)})
        p += [test.p for test in compare_groups(records, "g", QUICK).tests.values()]
    assert min(p) > 0.003
    assert np.mean(np.array(p) < 0.05) < 0.3  # chosen as the worst of 266 worlds


def test_impossible_estimates_are_said_of_the_group_they_are_in() -> None:
    for seed in range(5006, 5060):
        scores = simulated_scores(people=130, waves=3, effects=(0.2, 0.1), seed=seed, missing=0.05)
        try:
            found = compare_groups(records_of(scores, baseline={"g": np.repeat([0.0, 1.0], 65)}), "g", QUICK)
        except QuestionError:
            continue
        if caveats := found.answers[0].caveats:
            assert caveats[0].code == "improper"
            assert "g: " in caveats[0].text
            assert all(a.estimate is not None and np.isfinite(a.estimate.se) for a in found.answers)
            return
    pytest.fail("no world with an impossible estimate was met")


# ---- on the road


def test_circumstances_become_rows_contrasts_tests_and_refusals() -> None:
    people = 600
    scores = simulated_scores(people=people, effects=(0.3, 0.0), missing=0.0)
    random = np.random.default_rng(1)
    fixed = {"sex": random.integers(0, 2, people) * 1.0, "site": random.integers(0, 3, people) * 1.0}
    fixed["age"] = random.normal(50, 10, people)
    result = ask(records_of(scores, baseline=fixed, by=("sex", "site", "age", "unknown")))
    rows = {a.id: a for a in result.answers if a.facet is Facet.WHOM}
    level = rows["panel.by.sex.2.a_to_b"]
    assert (level.subgroup, level.question.population.where) == ("sex: 1", "sex")
    contrast = rows["panel.by.sex.difference.a_to_b"]
    assert contrast.estimand is Estimand.INTERACTION
    assert contrast.subgroup == "sex: 1"
    assert contrast.headline
    assert sum(a.headline for a in rows.values()) == 2
    assert {"panel.by.site.2.a_to_b.difference", "panel.by.site.3.a_to_b.difference"} <= rows.keys()
    assert {"panel.by.age.per_sd.a_to_b", "panel.by.age.difference.a_to_b"} <= rows.keys()
    assert rows["panel.by.unknown.a_to_b"].status is Status.REFUSED
    assert "no such column" in rows["panel.by.unknown.a_to_b"].status_says
    tests = table(result, "panel_whom")
    own = [x["p"] for x in tests]
    assert [x["p for all tests together"] for x in tests] == holm(own)  # type: ignore[arg-type]
    assert {x["looked at"] for x in table(result, "whom_shrunk")} == {"its levels", "contrasts of all circumstances"}
    assert len(table(result, "panel_whom_curve")) == 10


def test_what_is_offered_is_left_out_of_a_quick_look_and_never_refused() -> None:
    scores = simulated_scores(people=300)
    roles = {"by": ("sex", "few"), "guessed": ("by",)}
    fixed = {"sex": np.arange(300) % 2.0, "few": (np.arange(300) < 10) * 1.0}
    records = records_of(scores, baseline=fixed, **roles)
    room = fit_all(prepare(records), Settings(headline_only=True), silent)
    assert not in_whom(replace(room, settings=QUICK), silent)[0]
    rows = in_whom(replace(room, settings=Settings()), silent)[0]
    assert rows
    assert {a.question.population.where for a in rows} == {"sex"}


def test_a_level_that_changes_is_read_wave_by_wave() -> None:
    """Pain acts only while chronic, and people pass in and out of it: the contrast is found, its twin has none."""
    found = {}
    for name in ("chronic-only", "any-pain"):
        world = simulate(name, people=5000, seed=5)
        result = ask(world.records)
        contrast = row(result, "chronic_pain.difference.b_to_a")
        assert contrast.caveats[0].code == "status_at_each_wave"
        assert contrast.estimate is not None
        truth = float(world.truth(replace(contrast.question, population=Population()), Estimand.INTERACTION))
        assert contrast.estimate.low < truth < contrast.estimate.high
        found[name] = contrast.estimate
        one, other = (row(result, f"chronic_pain.{k}.b_to_a").estimate for k in (1, 2))
        assert other.value - one.value == pytest.approx(contrast.estimate.value)  # type: ignore[union-attr]
    assert found["chronic-only"].low > 0 > found["any-pain"].low


def test_a_level_that_cannot_be_known_at_first_is_asked_from_when_it_is() -> None:
    """Whether pain has lasted is not known at the first answer: the model begins a wave later, with one wave fewer."""
    world = simulate("chronic-only", people=1500, seed=2)
    records = world.records
    pain = np.where(records.values["back_pain"] > 0.8, 1.0, 0.0)
    lasting = lasting_for(records.person, records.time, pain, 90.0)
    late = replace(records, values={**records.values, "chronic_pain": lasting})
    contrast = row(ask(late), "chronic_pain.difference.b_to_a")
    assert contrast.status is Status.ANSWERED
    assert late.wave is not None
    assert late.wave_days is not None
    seen = late.wave < 3
    short = replace(
        late,
        person=late.person[seen],
        time=late.time[seen],
        values={key: x[seen] for key, x in late.values.items()},
        wave=late.wave[seen],
        wave_days=late.wave_days[:3],
    )
    few = row(ask(short), "chronic_pain.b_to_a")
    assert few.status is Status.REFUSED
    assert "fewer than 2 waves" in few.status_says


def test_groups_cut_from_the_first_score_itself_do_not_bend_the_lag() -> None:
    """One lag for all: groups by the first score under the random-intercept model would see two, products see one."""
    values = []
    for seed in range(4):
        scores = simulated_scores(people=1500, waves=5, effects=(0.2, 0.1), seed=seed, missing=0.0)
        worse = (scores["depression"][:, 0] > 12) * 1.0
        result = ask(records_of(scores, baseline={"worse": worse}, by=("worse",)))
        contrast = row(result, "worse.difference.a_to_b")
        assert contrast.caveats[0].code == "made_of_scores"
        assert contrast.estimate is not None
        values.append(contrast.estimate.value / contrast.estimate.se)
    assert abs(np.mean(values)) < 2.5 / np.sqrt(4)


def test_along_a_number_the_slope_is_that_of_the_world() -> None:
    """The lag grows by 0.1 with each SD of age."""
    random = np.random.default_rng(3)
    people, waves = 4000, 5
    age = random.normal(size=people)
    trait, y = random.normal(size=(people, 2)), np.empty((people, waves, 2))
    state = random.normal(size=(people, 2))
    for t in range(-6, waves):
        carried = np.stack([0.3 * state[:, 0], 0.3 * state[:, 1] + (0.2 + 0.1 * age) * state[:, 0]], axis=1)
        state = carried + random.normal(size=(people, 2))
        if t >= 0:
            y[:, t] = trait + state
    scores = {"depression": y[..., 0], "back_pain": y[..., 1]}
    result = ask(records_of(scores, baseline={"age": 50 + 10 * age}, by=("age",)))
    slope = row(result, "age.per_sd.a_to_b").estimate
    assert slope is not None
    assert slope.low < 0.1 * 0.96 < slope.high  # within-standardised: the outcome's SD is a little larger
    assert slope.p is not None
    assert slope.p < 1e-4
    back = row(result, "age.per_sd.b_to_a").estimate
    assert back is not None
    assert back.low < 0 < back.high
    curve = [x["lag"] for x in table(result, "panel_whom_curve")[:5]]
    assert np.polyfit((-1.645, -0.674, 0, 0.674, 1.645), np.array(curve, float), 1)[0] == pytest.approx(0.1, abs=0.03)


# ---- looked at together


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.5]) == [0.5]
    assert holm([0.9, 0.8]) == [1.0, 1.0]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_lowers_a_p_and_keeps_their_order(p: list[float]) -> None:
    adjusted = holm(p)
    assert all(a >= b for a, b in zip(adjusted, p, strict=True))
    order = np.argsort(p, kind="stable")
    assert (np.diff(np.array(adjusted)[order]) >= 0).all()


def test_levels_are_pulled_to_their_mean_as_normal_theory_has_it() -> None:
    """θ ~ N(0.2, 0.1²), twenty levels: the shrunken ones are nearer to the truth, their limits cover it."""
    random = np.random.default_rng(0)
    better, covered, between = [], [], []
    for _ in range(300):
        truth, error = random.normal(0.2, 0.1, 20), random.uniform(0.05, 0.2, 20)
        raw = random.normal(truth, error)
        found = shrink(raw, error, 0.95)
        better.append(np.mean((found.value - truth) ** 2) / np.mean((raw - truth) ** 2))
        covered.append(np.mean((found.low < truth) & (truth < found.high)))
        between.append(found.between)
    assert np.mean(better) < 0.7
    assert np.mean(covered) == pytest.approx(0.95, abs=0.035)
    assert np.mean(between) == pytest.approx(0.1, abs=0.02)


def test_levels_that_do_not_differ_become_one() -> None:
    found = shrink(np.array([0.1, 0.1, 0.1]), np.array([0.1, 0.2, 0.3]), 0.95)
    assert found.between == 0
    assert found.value == pytest.approx(0.1)
    fixed = shrink(np.array([0.01, -0.02]), np.array([0.1, 0.1]), 0.95, 0.0)
    assert (np.abs(fixed.value) < (0.01, 0.02)).all()
    far = shrink(np.array([0.0, 1.0, 2.0]), np.full(3, 1e-3), 0.95)
    assert far.value == pytest.approx([0, 1, 2], abs=1e-3)


def test_a_spline_is_cubic_between_its_knots_and_straight_beyond() -> None:
    knots = np.array([-1.0, 0.2, 1.5])
    x = np.linspace(-1, 1.5, 41)
    term = spline(x, knots)[:, 1]
    natural = CubicSpline(knots, spline(knots, knots)[:, 1], bc_type="natural")
    assert term == pytest.approx(natural(x), abs=1e-12)
    beyond = spline(np.array([2.0, 3.0, 4.0]), knots)[:, 1]
    assert np.diff(beyond, 2) == pytest.approx(0, abs=1e-12)
    assert not spline(np.array([-3.0, -2.0]), knots)[:, 1].any()


@pytest.mark.parametrize("role", ["covariates", "arm"])
def test_what_the_groups_tell_already_is_not_adjusted_for_within_them(role: str) -> None:
    scores = simulated_scores(people=240)
    sex, age = np.arange(240) % 2.0, np.random.default_rng(0).normal(50, 9, 240)
    records = records_of(scores, baseline={"sex": sex, "age": age})
    bare = replace(records, roles=replace(records.roles, covariates=("age",)))
    asked_too = ("age", "sex") if role == "covariates" else ("age",)
    roles = replace(records.roles, covariates=asked_too, arm="sex" if role == "arm" else None)
    told, plain = (compare_groups(r, "sex", QUICK) for r in (replace(records, roles=roles), bare))
    assert [a.estimate for a in told.answers] == [a.estimate for a in plain.answers]
    levels = replace(records, roles=roles, baseline={**records.baseline, "old": (age > 50).astype(float)})
    assert compare_groups(levels, "old", QUICK).answers
