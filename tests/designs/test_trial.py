"""A randomised arm: against R, closed forms and worlds with known truth; what it may say, and what it must not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import f as fisher
from scipy.stats import t as student
from tests.designs.trial_records import reference, table, trial_of

import bothways
from bothways.designs.base import Refusal
from bothways.designs.choose import design_of
from bothways.designs.panel.effects import lag_effects
from bothways.designs.panel.estimation import headline
from bothways.designs.panel.models import headline_forms
from bothways.designs.panel.setup import prepare
from bothways.designs.trial.arms import Arms, arms_of
from bothways.designs.trial.estimation import compare
from bothways.designs.trial.lever import levers
from bothways.designs.trial.mediation import mediated
from bothways.designs.trial.setup import TrialSetup, set_up
from bothways.engine.fitting import evaluate
from bothways.engine.lever import ratio
from bothways.engine.panel_models.constrained import constrained_longitudinal, partial_correlation, slopes
from bothways.simulation import simulate_trial
from bothways.terms.answer import Answer, DesignResult, Estimand, Estimate, Status
from bothways.terms.errors import WorldError
from bothways.terms.layout import Layout
from bothways.terms.question import Direction, Facet, Kind, Scale
from bothways.terms.records import Records
from bothways.terms.settings import Settings
from bothways.verdicts import weigh

A_TO_B, B_TO_A = Direction.A_TO_B, Direction.B_TO_A
TWO = table()["arm"] < 2


def ready(records: Records) -> TrialSetup:
    arms = arms_of(records)
    assert isinstance(arms, Arms)
    setup = set_up(records, arms)
    assert isinstance(setup, TrialSetup)
    return setup


def asked(records: Records, **settings: object) -> DesignResult:
    return design_of("trial").answer(records, Settings(**settings), lambda *_: None)  # type: ignore[arg-type]


def found(result: DesignResult, id_end: str) -> Answer:
    return next(a for a in result.answers if a.id == f"trial.{id_end}")


def number(answer: Answer) -> Estimate:
    assert answer.estimate is not None
    return answer.estimate


def codes(answer: Answer) -> set[str]:
    return {c.code for c in answer.caveats}


@pytest.mark.parametrize("holes", [False, True])
def test_effects_of_arms_are_those_of_lavaan(holes: bool) -> None:
    told = reference()["incomplete" if holes else "complete"]
    setup = ready(trial_of(table(), holes=holes))
    compared = compare(setup)
    names = [(k, t) for t in (1, 2) for k in (0, 1)]
    scale = [setup.unit[k] for k, _ in names for _ in range(2)]
    effects = np.concatenate([compared.effect(k, t) for k, t in names]) * scale
    order = [f"{'ab'[k]}{t},x{g}" for k, t in names for g in (1, 2)]
    assert order == told["name"]
    np.testing.assert_allclose(effects, told["effect"], atol=3e-6)
    widened = np.sqrt(setup.people / (setup.people - setup.regressors))
    errors = np.concatenate([np.sqrt(np.diag(compared.covariance)[compared.places(k, t)]) for k, t in names]) * scale
    np.testing.assert_allclose(errors / widened, told["error"], rtol=2e-5)
    cells = np.isfinite(setup.table[:, 2:]).sum(axis=0)
    units = np.log([setup.unit[k] for k in setup.before] + [setup.unit[k] for k, _ in setup.cells])
    assert compared.fit.loglik - float(cells @ units) == pytest.approx(told["loglik"], abs=1e-4)


def test_complete_data_give_the_analysis_of_covariance() -> None:
    setup = ready(trial_of(table(), TWO))
    compared = compare(setup)
    widened = np.sqrt(setup.people / (setup.people - 4))
    for (value, error), (k, t) in zip(reference()["ancova"], [(0, 1), (1, 1), (0, 2), (1, 2)], strict=True):
        assert compared.effect(k, t)[0] * setup.unit[k] == pytest.approx(value, rel=1e-6)
        at = compared.places(k, t)[0]
        assert np.sqrt(compared.covariance[at, at]) * setup.unit[k] / widened == pytest.approx(error, rel=1e-6)


def test_weights_clusters_and_strata_are_those_of_weighted_least_squares() -> None:
    """Complete data: the analysis of covariance with weights, its errors by Taylor's formula over strata."""
    records = trial_of(table(), TWO)
    n, rng = records.people, np.random.default_rng(2)
    own = {"w": rng.lognormal(size=n), "clinic": np.arange(n) % 14.0, "region": np.arange(n) % 14 // 5.0}
    roles = replace(records.roles, weight="w", cluster="clinic", strata="region")
    setup = ready(replace(records, baseline={**records.baseline, **own}, roles=roles))
    compared = compare(setup)
    X = np.column_stack([np.ones(n), setup.table[:, :3]])  # the arm, a0, b0
    y, w = setup.table[:, 3], own["w"] * n / own["w"].sum()
    bread = np.linalg.inv(X.T @ (w[:, None] * X))
    beta = bread @ X.T @ (w * y)
    assert compared.effect(0, 1)[0] == pytest.approx(beta[1], rel=1e-6)
    scores = X * (w * (y - X @ beta))[:, None]
    M = np.zeros((4, 4))
    for h in np.unique(own["region"]):
        mine = np.array([scores[own["clinic"] == c].sum(axis=0) for c in np.unique(own["clinic"][own["region"] == h])])
        about = mine - mine.mean(axis=0)
        M += len(mine) / (len(mine) - 1) * about.T @ about
    se = np.sqrt((bread @ M @ bread)[1, 1] * (n - 1) / (n - 4))
    assert np.sqrt(compared.covariance[0, 0]) == pytest.approx(se, rel=1e-5)
    assert setup.freedom == 14 - 3 - 1


def test_the_ratio_is_two_stage_least_squares_with_the_limits_of_fieller() -> None:
    setup = ready(trial_of(table(), TWO))
    compared = compare(setup)
    places = [*compared.places(0, 1), *compared.places(1, 2)]
    narrow = (setup.people - 4) / setup.people
    V = compared.covariance[np.ix_(places, places)] * narrow
    unit = setup.unit[1] / setup.unit[0]
    r = ratio(compared.effect(0, 1), compared.effect(1, 2), V)
    assert (r.value * unit, r.se * unit) == pytest.approx(tuple(reference()["iv"]), rel=1e-6)
    assert (r.low * unit, r.high * unit) == pytest.approx(tuple(reference()["fieller_normal"]), rel=1e-6)
    by_t = ratio(compared.effect(0, 1), compared.effect(1, 2), V, 116.0)
    assert (by_t.low * unit, by_t.high * unit) == pytest.approx(tuple(reference()["fieller_t"]), rel=1e-6)


def test_the_second_step_is_a_regression_and_its_sensitivity_a_partial_correlation() -> None:
    setup = ready(trial_of(table(), TWO))
    compared = compare(setup)
    held = ["b1", "arm1", "a0", "b0"]
    unit = setup.unit[1] / setup.unit[0]
    step = compared.function(slopes(compared.fit.model, "b2", ["a1", *held]), 0.95)
    widened = np.sqrt(setup.people / (setup.people - setup.regressors))
    assert step.value[0] * unit == pytest.approx(reference()["second"][0], rel=1e-5)
    assert step.error[0] * unit / widened == pytest.approx(reference()["second"][1], rel=1e-5)
    rho = partial_correlation(compared.fit.model, "a1", "b2", held)(compared.fit.alpha)
    assert rho[0] == pytest.approx(reference()["partial"], abs=1e-6)


def test_likelihood_is_the_density_person_by_person() -> None:
    setup = ready(trial_of(table(), holes=True))
    fit = compare(setup).fit
    implied = fit.implied()[0]
    total = 0.0
    for row in setup.table:
        seen = np.isfinite(row)
        S, e = implied.cov[np.ix_(seen, seen)], row[seen] - implied.mean[seen]
        total -= 0.5 * (seen.sum() * np.log(2 * np.pi) + np.linalg.slogdet(S)[1] + e @ np.linalg.solve(S, e))
    assert fit.loglik == pytest.approx(total, rel=1e-10)
    assert np.abs(evaluate(fit.model, fit.data.groups, fit.alpha).gradient).max() < 1e-4  # type: ignore[union-attr]


def test_ratio_of_several_arms_is_where_the_criterion_is_least() -> None:
    rng = np.random.default_rng(3)
    cause, outcome = np.array([-1.2, -0.7]), np.array([-0.5, -0.2])
    root = rng.normal(size=(4, 4))
    V = 0.01 * (root @ root.T + np.eye(4))

    def Q(beta: float) -> float:  # noqa: N802 - as in the equation
        miss = outcome - beta * cause
        spread = V[2:, 2:] - beta * (V[:2, 2:] + V[:2, 2:].T) + beta**2 * V[:2, :2]
        return float(miss @ np.linalg.inv(spread) @ miss)

    grid = np.linspace(-3, 3, 6001)
    values = np.array([Q(b) for b in grid])
    r = ratio(cause, outcome, V, 200.0)
    assert r.value == pytest.approx(grid[values.argmin()], abs=1e-3)
    far = Q(r.value) + fisher.ppf(0.95, 1, 200)
    assert Q(r.low) == pytest.approx(far, rel=1e-8)
    assert Q(r.high) == pytest.approx(far, rel=1e-8)
    assert r.misfit == pytest.approx(values.min(), abs=1e-4)
    assert r.misfit <= values.min()
    assert r.strength == pytest.approx(float(cause @ np.linalg.inv(V[:2, :2]) @ cause) / 2)


def test_a_lever_that_moved_nothing_leaves_no_limit() -> None:
    r = ratio(np.array([0.05]), np.array([0.3]), np.diag([0.04, 0.04]))
    assert (r.low, r.high) == (-np.inf, np.inf)
    assert r.strength == pytest.approx(0.0625)
    strong = ratio(np.array([-2.0]), np.array([-1.0]), np.diag([0.01, 0.02]))
    assert strong.low < 0.5 < strong.high
    mirrored = ratio(np.array([2.0]), np.array([1.0]), np.diag([0.01, 0.02]))
    assert (mirrored.value, mirrored.low, mirrored.high) == pytest.approx((strong.value, strong.low, strong.high))


def test_the_lever_tells_of_what_it_moved_first() -> None:
    world = simulate_trial("lever", people=600, seed=4)
    result = asked(world.records)
    answer = found(result, "lever.a_to_b")
    e = number(answer)
    assert answer.headline
    assert (answer.line, answer.estimand, e.scale) == ("D", Estimand.TOTAL, Scale.SD_PER_SD)
    assert e.low < world.effect(A_TO_B) < e.high
    assert e.low > 0
    assert answer.lag_days == 90.0
    assert codes(answer) == {"acts_beyond_target"}
    back = found(result, "lever.b_to_a")
    assert back.status is Status.REFUSED
    assert "before it moved" in back.status_says
    order = found(result, "order")
    assert (order.facet, order.status) == (Facet.FIRST, Status.REFUSED)


def test_arms_that_do_nothing_tell_nothing() -> None:
    result = asked(simulate_trial("no-lever", people=400, seed=2).records)
    for direction, label in ((A_TO_B, "depression"), (B_TO_A, "back pain")):
        answer = found(result, f"lever.{direction}")
        assert answer.status is Status.REFUSED
        assert answer.status_says == f"The arm did not clearly move {label}, so it cannot tell what {label} does."
        assert answer.estimate is None
    assert not any(t.key == "trial.mediation" for t in result.tables)


def test_an_arm_that_moves_both_at_once_reads_neither_way() -> None:
    world = simulate_trial("acts-on-both", people=600, seed=3)
    result = asked(world.records)
    for direction in (A_TO_B, B_TO_A):
        answer = found(result, f"lever.{direction}")
        assert answer.status is Status.REFUSED
        assert "moved first was not observed" in answer.status_says
        shown = found(result, f"same_wave.{direction}")
        assert not shown.headline
        assert shown.estimand is Estimand.ASSOCIATION
        assert (shown.lag_days, shown.lag_waves, shown.horizon_days) == (None, None, 90.0)
        assert {"order_not_observed", "acts_beyond_target"} <= codes(shown)
    verdict = weigh(world.records.pair, (result,), Settings())
    assert verdict.a_to_b.word == verdict.b_to_a.word == "no_data"


def test_one_later_wave_can_only_speak_of_nothing() -> None:
    """With one wave after treatment the order is not seen: what may then be read is that little moved, or nothing."""
    for seed in range(3):
        world = simulate_trial("lever-null", people=3000, waves=2, seed=seed)
        answer = found(asked(world.records), "lever.a_to_b")
        if answer.status is Status.ANSWERED:
            assert not number(answer).low > 0
            assert "order_not_observed" in codes(answer)
            assert (answer.lag_days, answer.horizon_days) == (None, 90.0)
    verdict = weigh(world.records.pair, (asked(world.records),), Settings(smallest_effects={Scale.SD_PER_SD: 0.1}))
    assert verdict.a_to_b.word == "little_or_no_effect"


def test_a_treatment_that_acts_beyond_its_target_is_never_read_without_saying_so() -> None:
    world = simulate_trial("acts-beyond", people=900, seed=5)
    result = asked(world.records)
    answer = found(result, "lever.a_to_b")
    assert "acts_beyond_target" in codes(answer)
    verdict = weigh(world.records.pair, (result,), Settings())
    assert verdict.a_to_b.word == "predicts"
    assert "may reach the second condition by another way" in verdict.a_to_b.sentence
    assert any("act beyond its target" in move for move in verdict.a_to_b.moves)


def test_effects_hold_in_points_and_in_standard_deviations() -> None:
    world = simulate_trial("lever", people=500, seed=8)
    result = asked(world.records)
    sd, points = (number(found(result, f"arm.depression.wave2.1.{s}")) for s in ("sd", "points"))
    unit = ready(world.records).unit[0]
    assert points.value == pytest.approx(sd.value * unit)
    assert points.p == pytest.approx(sd.p)
    assert sd.low < world.arm_effect(0, 1, 1) < sd.high
    freedom = ready(world.records).freedom
    assert sd.p == pytest.approx(2 * student.sf(abs(sd.value / sd.se), freedom))


def test_mediation_has_the_worlds_parts() -> None:
    world = simulate_trial("lever", people=4000, usual=0.0, seed=9)
    compared = compare(ready(world.records))
    lever = levers(compared, 0.95)[1][0]
    (m,) = mediated(compared, lever, 0.95, 1)
    true = world.through(A_TO_B, 1, 1)
    assert m.through.low < true < m.through.high
    assert m.through.value + m.rest.value == pytest.approx(m.total.value)
    assert m.share is not None
    assert m.share.value == pytest.approx(m.through.value / m.total.value)
    assert m.through.high < 0
    assert 0 < m.nil_at < 0.5
    again = mediated(compared, lever, 0.95, 1)
    assert again == (m,)


def test_usual_levels_confound_the_second_step_and_not_the_ratio() -> None:
    """People who always have more of both: the product is off, the lever is not. That is what the lever is for."""
    world = simulate_trial("lever", people=8000, usual=1.5, seed=3)
    compared = compare(ready(world.records))
    lever = levers(compared, 0.95)[1][0]
    (m,) = mediated(compared, lever, 0.95, 1)
    assert lever.found is not None
    assert lever.found.low < world.effect(A_TO_B) < lever.found.high
    assert not m.through.low < world.through(A_TO_B, 1, 1) < m.through.high


def test_the_reference_arm_is_said_and_does_not_matter_to_the_ratio() -> None:
    world = simulate_trial("lever", people=600, arms=("a", "b", "c"), dose=(0.0, 1.0, 0.5), seed=6)
    named = replace(world.records, categories={"arm": ("new", "wait list", "old")})
    first, second = (arms_of(r) for r in (world.records, named))
    assert isinstance(first, Arms)
    assert isinstance(second, Arms)
    assert (first.reference, first.by_name) == ("a", False)
    assert (second.reference, second.by_name) == ("wait list", True)
    ratios = [number(found(asked(r), "lever.a_to_b")) for r in (world.records, named)]
    assert ratios[0].value == pytest.approx(ratios[1].value, rel=1e-4)
    assert ratios[0].high == pytest.approx(ratios[1].high, rel=1e-3)


@pytest.mark.parametrize(
    ("labels", "reference_arm"),
    [
        (("drug", "placebo", "usual care"), "usual care"),
        (("control", "usual"), "control"),
        (("sham laser", "laser"), "sham laser"),
        (("TAU", "CBT"), "TAU"),
        (("x", "waiting list"), "waiting list"),
        (("uncontrolled", "new"), "uncontrolled"),  # contains the word, is not it: the first
        (("new", "uncontrolled"), "new"),
    ],
)
def test_reference_by_name(labels: tuple[str, ...], reference_arm: str) -> None:
    world = simulate_trial("lever", people=120, arms=labels)
    arms = arms_of(world.records)
    assert isinstance(arms, Arms)
    assert arms.reference == reference_arm


def test_relabelled_people_and_swapped_conditions_change_nothing() -> None:
    world = simulate_trial("lever", people=500, leave=0.08, seed=4)
    records = world.records
    here = found(asked(records), "lever.a_to_b")
    swapped = found(asked(replace(records, pair=records.pair.swapped())), "lever.b_to_a")
    assert number(here).value == pytest.approx(number(swapped).value, rel=1e-6)
    turned = records.people - 1 - records.person
    order = np.lexsort((records.wave, turned))  # type: ignore[arg-type]
    mirrored = replace(
        records,
        person=turned[order],
        time=records.time[order],
        wave=records.wave[order],  # type: ignore[index]
        values={k: v[order] for k, v in records.values.items()},
        baseline={k: v[::-1].copy() for k, v in records.baseline.items()},
    )
    assert number(found(asked(mirrored), "lever.a_to_b")).high == pytest.approx(number(here).high, rel=1e-6)


def test_those_without_an_arm_take_no_part() -> None:
    records = simulate_trial("lever", people=300, seed=11).records
    arm = records.baseline["arm"].copy()
    arm[::5] = np.nan
    part = replace(records, baseline={**records.baseline, "arm": arm})
    assert ready(part).people == 240
    note = next(t for t in asked(part).tables if t.key == "trial.flow").note
    assert "60 people of the records have no arm" in note


def test_a_panel_takes_the_arm_out_of_its_lags() -> None:
    """Treatment that moves depression now and pain later would else pass for part of the lag."""
    records = simulate_trial("lever", people=500, waves=4, seed=1).records
    assert prepare(records).fixed == ("arm",)
    unnamed = replace(records, roles=replace(records.roles, arm=None))
    assert prepare(unnamed).fixed == ()
    lag = {}
    for name, r in (("with", records), ("without", unnamed)):
        setup = prepare(r)
        chosen = headline(setup, headline_forms(setup)).chosen
        assert chosen.usable  # a column that halves the people fixes its own variance, and that is no failure
        lag[name] = float(lag_effects(chosen, (1.0,), 0.95).value[2])
    assert lag["with"] < lag["without"]
    three = simulate_trial("lever", people=500, waves=4, arms=("a", "b", "c"), seed=2).records
    assert len(prepare(replace(three, categories={})).fixed) == 2


def test_clusters_widen_and_few_of_them_are_said() -> None:
    world = simulate_trial("lever", people=600, clusters=20, seed=12)
    with_clusters = asked(world.records)
    alone = asked(replace(world.records, roles=replace(world.records.roles, cluster=None)))
    effect = "arm.depression.wave2.1.sd"
    assert number(found(with_clusters, effect)).se != pytest.approx(number(found(alone, effect)).se, rel=0.01)
    assert "few_clusters" in codes(found(with_clusters, effect))
    assert ready(world.records).freedom == 18
    strata = {**world.records.baseline, "region": np.arange(600) % 20 // 10.0}
    layered = replace(world.records, baseline=strata, roles=replace(world.records.roles, strata="region"))
    assert ready(layered).freedom == 17


def test_unequal_loss_is_said() -> None:
    records = simulate_trial("lever", people=400, seed=13).records
    last = (records.wave == 2) & (records.baseline["arm"][records.person] == 1) & (records.person % 3 == 0)
    lost = replace(records, values={k: np.where(last, np.nan, v) for k, v in records.values.items()})
    answer = found(asked(lost), "lever.a_to_b")
    assert "differential_dropout" in codes(answer)


def test_refusals_name_the_mend() -> None:
    records = simulate_trial("lever", people=120).records
    design, roles = design_of("trial"), records.roles
    event = replace(records.pair, a=replace(records.pair.a, kind=Kind.EVENT))
    coarse = np.where(np.arange(120) < 3, 0.0, 1.0)
    cases = {
        "no column is named": replace(records, roles=replace(roles, arm=None)),
        "is not among the records": replace(records, roles=replace(roles, arm="group")),
        "changes over time": replace(records, roles=replace(roles, arm="depression")),
        "holds 1 arms": replace(records, baseline={"arm": np.zeros(120)}),
        "an arm holds 3 people": replace(records, baseline={"arm": coarse}),
        "dated events": replace(records, pair=event),
        "times of their own": replace(records, wave=None),
        "after the first wave": _only(records, records.wave == 0),
    }
    for words, case in cases.items():
        refusal = design.refuse(case, Settings())
        assert isinstance(refusal, Refusal), words
        assert words in refusal.reason
        assert refusal.mend
    assert design.refuse(records, Settings()) is None
    with pytest.raises(WorldError):
        simulate_trial("nowhere")
    with pytest.raises(ValueError, match="two arms"):
        constrained_longitudinal((), (), ("a0",), ("a1",))


def _only(records: Records, rows: np.ndarray) -> Records:
    assert records.wave is not None
    return replace(
        records,
        person=records.person[rows],
        time=records.time[rows],
        wave=records.wave[rows],
        values={k: v[rows] for k, v in records.values.items()},
    )


def test_waves_of_one_condition_alone_are_used() -> None:
    """Pain at every wave, depression at the last: the lever on pain must not be lost with the wave."""
    records = simulate_trial("lever", people=400, seed=14).records
    partly = np.where(records.wave == 1, np.nan, records.values["back_pain"])
    setup = ready(replace(records, values={**records.values, "back_pain": partly}))
    assert setup.cells == ((0, 1), (0, 2), (1, 2))
    answer = found(asked(setup.records), "lever.a_to_b")
    assert answer.status is Status.ANSWERED
    assert any("not asked at that wave" in a.evidence for a in answer.assumptions)


def test_covariates_of_before_sharpen_and_later_ones_are_left_out() -> None:
    records = simulate_trial("lever", people=400, seed=15).records
    arm, told = records.baseline["arm"].astype(int), np.bincount(records.person, records.values["depression"])
    told += np.random.default_rng(0).normal(scale=6, size=400)
    usual = told - (np.bincount(arm, told) / np.bincount(arm))[arm]  # what the arm did taken out again
    with_age = replace(
        records,
        baseline={**records.baseline, "age": usual},
        values={**records.values, "sleep": records.values["depression"] * 0.5},
        roles=replace(records.roles, covariates=("age", "sleep", "arm")),
    )
    setup = ready(with_age)
    assert setup.covariates == ("age",)
    assert "sleep (it changes over time" in setup.left_out[0]
    plain, sharper = (compare(ready(r)) for r in (records, with_age))
    assert sharper.covariance[0, 0] < plain.covariance[0, 0]
    assert sharper.effects[0, 0] == pytest.approx(plain.effects[0, 0], abs=0.15)


def test_a_fit_that_fails_says_so() -> None:
    records = simulate_trial("lever", people=200, seed=16).records
    twins = {**records.values, "back_pain": records.values["depression"] * 2 + 1}
    result = asked(replace(records, values=twins))
    answer = found(result, "lever.a_to_b")
    assert answer.status is Status.FAILED
    assert answer.estimate is None
    assert answer.status_says


def test_headlines_alone_are_two() -> None:
    records = simulate_trial("lever", people=200, seed=17).records
    assert [a.id for a in asked(records, headline_only=True).answers] == ["trial.lever.a_to_b", "trial.lever.b_to_a"]


def test_coverage_and_errors_over_worlds() -> None:
    """Trials with loss at random: nearly all intervals hold the truth; a lever without effect rarely reads."""
    rng = np.random.default_rng(20)
    held, read_null = 0, 0
    for _ in range(24):
        world = simulate_trial("lever", people=240, leave=0.08, seed=rng)
        compared = compare(ready(world.records))
        lever = levers(compared, 0.95)[1][0]
        held += lever.found is not None and lever.found.low < world.effect(A_TO_B) < lever.found.high
        null = compare(ready(simulate_trial("lever-null", people=240, leave=0.08, seed=rng).records))
        idle = levers(null, 0.95)[1][0]
        read_null += not idle.refusal and idle.found is not None and not idle.found.low < 0 < idle.found.high
    assert held >= 19
    assert read_null <= 4


def test_the_open_trial_reads_as_a_careful_reader_would(open_data: Path) -> None:
    path = open_data / "ashar2022" / "Ashar2022_outcomes_demographics.csv"
    records = bothways.read(path, id="id", time="time", a="promis_dep", b="pain_avg", layout=Layout(arm="group"))
    result = asked(records)
    pain = number(found(result, "arm.back_pain.wave2.2.sd"))
    assert abs(pain.value) > 1  # the published effect on pain is very large
    assert all(a.status is Status.REFUSED for a in result.answers if a.headline)
    assert found(result, "lever.a_to_b").status_says.startswith("Taken together, the arms did not clearly move")
    assert ready(records).people == 151
