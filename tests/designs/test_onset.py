"""The onset design end to end: simulated worlds, mirrored names, guards that must fire, refusals in words."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bothways.designs.onset import OnsetDesign
from bothways.designs.onset.estimation import fit_all, told_apart
from bothways.designs.onset.room import room_of
from bothways.designs.onset.setup import prepare
from bothways.designs.onset.states import DEAD, present, state_rows
from bothways.simulation import Observation, OnsetRates, World, simulate
from bothways.terms.answer import Answer, DesignResult, Estimand, Status
from bothways.terms.progress import silent
from bothways.terms.question import Condition, Direction, Facet, Kind, Pair
from bothways.terms.records import Events, Records, Roles, Source, TimeUnit
from bothways.terms.settings import Settings

QUICK = Settings(quick=True)
DESIGN = OnsetDesign()


@cache
def both_ways() -> World:
    return simulate("both-ways", design="onset", people=4000, seed=6, observation=Observation(jitter=0.0))


@cache
def answered() -> DesignResult:
    return DESIGN.answer(both_ways().records, Settings(), silent)


def row(result: DesignResult, slug: str) -> Answer:
    return next(a for a in result.answers if a.id == f"onset.{slug}")


def small(
    a: list[list[float]], b: list[list[float]], *, days: list[float] | None = None, kind: Kind = Kind.STATE
) -> Records:
    """People (lists) at visits 100 days apart, repeated 20 times so that nothing is refused for want of people."""
    a, b = a * 20, b * 20
    n, T = len(a), len(a[0])
    pair = Pair(Condition("dep", "depression", kind), Condition("pain", "back pain", kind))
    time = np.tile(np.array(days or [100.0 * t for t in range(T)]), n)
    values = {"dep": np.array(a, float).ravel(), "pain": np.array(b, float).ravel()}
    roles, source = Roles("id", "day", ("dep",), ("pain",)), Source("made", "0", n * T, n)
    return Records(pair, np.repeat(np.arange(n), T), time, TimeUnit.DAY, values, roles, source)


def test_every_direction_has_its_headline_and_every_answer_its_terms() -> None:
    result = answered()
    for direction in (Direction.A_TO_B, Direction.B_TO_A):
        strength = result.headline(direction)
        assert strength is not None
        assert strength.estimand is Estimand.RATE_RATIO
        order = result.headline(direction, Facet.FIRST)
        assert order is not None
        assert order.expected is not None
    for answer in result.answers:
        assert answer.status is Status.ANSWERED
        assert answer.target
        assert answer.contrast
        assert answer.assumptions
        assert answer.estimate is not None
        assert answer.estimate.low <= answer.estimate.value <= answer.estimate.high
    assert len({a.id for a in result.answers}) == len(result.answers)
    assert {"converged"} == {f.status for f in result.fits}


def test_the_truth_lies_in_the_intervals_of_one_large_world() -> None:
    world, result = both_ways(), answered()
    for answer in result.answers:
        if answer.estimand in (Estimand.RATE_RATIO, Estimand.RECOVERY_RATIO, Estimand.ATTRIBUTABLE_SHARE):
            truth = world.truth(replace(answer.question, horizon=answer.horizon_days), answer.estimand).value
            assert answer.estimate is not None
            assert answer.estimate.low < truth < answer.estimate.high, answer.id
    order = world.order()
    share = row(result, "order_share.a_to_b").estimate
    assert share is not None
    assert share.low < order.a_first < share.high
    _, ever = next(t for t in result.tables if t.key == "onset_order").rows
    assert ever[2] < order.ever_a_first < ever[3]  # type: ignore[operator]
    unrelated = world.order(unrelated=True)
    assert row(result, "order_share.a_to_b").expected == pytest.approx(unrelated.a_first, abs=0.05)
    assert ever[4] == pytest.approx(unrelated.ever_a_first, abs=0.05)


def test_occupancy_under_interventions_is_that_of_the_world() -> None:
    world, result = both_ways(), answered()
    named = {"as_is": "as_is", "effect_removed": "effect_removed", "prevented": "onset_prevented"}
    for name, intervention in named.items():
        found = row(result, f"state_probability.b_to_a.{name}.5").estimate
        truth = world.occupancy(5 * 365.25, Direction.B_TO_A, intervention)  # type: ignore[arg-type]
        assert found is not None
        assert found.low - 0.004 < truth[1] + truth[3] < found.high + 0.004


def test_swapping_the_names_mirrors_every_answer() -> None:
    records = both_ways().records
    swapped = DESIGN.answer(replace(records, pair=records.pair.swapped()), QUICK, silent)
    plain = DESIGN.answer(records, QUICK, silent)
    for slug in ("rate_ratio", "recovery_ratio", "order_share", "attributable_share"):
        one, other = row(plain, f"{slug}.a_to_b"), row(swapped, f"{slug}.b_to_a")
        assert one.estimate is not None
        assert other.estimate is not None
        assert one.estimate.value == pytest.approx(other.estimate.value, rel=1e-5)
        assert one.estimate.low == pytest.approx(other.estimate.low, rel=1e-4)
    contrast = [row(r, "direction_contrast").estimate for r in (plain, swapped)]
    assert contrast[0] is not None
    assert contrast[1] is not None
    assert contrast[0].value * contrast[1].value == pytest.approx(1, rel=1e-5)


def test_relabelling_people_moves_nothing_and_weeks_only_change_the_unit() -> None:
    records = both_ways().records
    rng = np.random.default_rng(0)
    label = rng.permutation(records.people)
    order = np.argsort(label[records.person], kind="stable")
    moved = replace(
        records,
        person=label[records.person][order],
        time=records.time[order],
        wave=None if records.wave is None else records.wave[order],
        values={k: v[order] for k, v in records.values.items()},
    )
    slower = replace(records, time=records.time * 7)
    base, other, weeks = (DESIGN.answer(r, QUICK, silent) for r in (records, moved, slower))
    ratio, again, long = (row(r, "rate_ratio.a_to_b").estimate for r in (base, other, weeks))
    assert ratio is not None
    assert again is not None
    assert long is not None
    assert again.value == pytest.approx(ratio.value, rel=1e-6)
    assert again.se == pytest.approx(ratio.se, rel=1e-5)
    assert long.value == pytest.approx(ratio.value, rel=1e-5)


@pytest.mark.slow
def test_a_drifting_common_cause_is_not_called_influence() -> None:
    world = simulate(
        "shared-cause", design="onset", people=5000, seed=0, observation=Observation(entry="prevalent", jitter=0.0)
    )
    setup = prepare(world.records, Settings())
    fits = fit_all(setup, silent)
    assert fits.rival is not None
    assert fits.rival.loglik > fits.chain.loglik
    for direction in (Direction.A_TO_B, Direction.B_TO_A):
        assert told_apart(fits, direction, 0.95)
    result = DESIGN.answer(world.records, Settings(), silent)
    head = result.headline(Direction.A_TO_B)
    assert head is not None
    assert "common_cause" in {c.code for c in head.caveats}


@pytest.mark.slow
def test_influence_in_a_world_of_influence_is_told_from_a_common_cause() -> None:
    world = simulate(
        "both-ways", design="onset", people=5000, seed=1, observation=Observation(entry="prevalent", jitter=0.0)
    )
    fits = fit_all(prepare(world.records, Settings()), silent)
    assert not any(told_apart(fits, direction, 0.95) for direction in (Direction.A_TO_B, Direction.B_TO_A))


def test_dated_records_are_answered_with_events_over_time_at_risk() -> None:
    world = simulate("both-ways", design="onset", people=2000, seed=2, observation=Observation(seen="dated"))
    setup = prepare(world.records, Settings())
    assert setup.rows.dated
    head = DESIGN.answer(world.records, QUICK, silent).headline(Direction.B_TO_A)
    assert head is not None
    assert head.estimate is not None
    joined = np.diff(setup.rows.person) == 0
    spent = np.bincount(setup.rows.state[:-1][joined], weights=np.diff(setup.rows.time)[joined], minlength=4)
    by_hand = setup.moves[2, 3] / spent[2] / (setup.moves[0, 1] / spent[0])
    assert head.estimate.value == pytest.approx(by_hand, rel=1e-6)
    assert head.estimate.low < 2.0 < head.estimate.high


def test_deaths_are_a_state_of_their_own() -> None:
    rates = OnsetRates(death=0.05, a_to_b=2.0, b_to_a=2.0)
    world = simulate("both-ways", design="onset", people=1500, seed=3, rates=rates)
    setup = prepare(world.records, Settings())
    assert setup.mortal
    assert setup.rows.deaths > 100
    assert (setup.rows.state == DEAD).sum() == setup.rows.deaths
    head = DESIGN.answer(world.records, QUICK, silent).headline(Direction.A_TO_B)
    assert head is not None
    assert head.estimate is not None
    assert head.estimate.low < 2.0 < head.estimate.high


def test_one_missing_condition_leaves_two_states_open() -> None:
    nan = np.nan
    records = small([[0, 1, nan, 1], [0, 0, 1, 0]], [[0, nan, 1, 0], [0, 1, nan, nan]])
    rows = state_rows(records, Settings())
    assert rows.state[:4].tolist() == [0, 6, 8, 1]
    assert rows.state[4:8].tolist() == [0, 2, 6, 5]
    empty = small([[0, nan, 1]], [[0, nan, 1]])
    assert state_rows(empty, Settings()).state[:2].tolist() == [0, 3]


def test_scores_become_states_at_the_cut_with_hysteresis_on_request() -> None:
    score, person = np.array([3.0, 5, 4, 3, 5, 4.0]), np.array([0, 0, 0, 0, 1, 1])
    assert present(score, person, 5.0).tolist() == [0, 1, 0, 0, 1, 0]
    assert present(score, person, 5.0, margin=1.0).tolist() == [0, 1, 1, 0, 1, 1]
    scores = small([[2, 9, 8, 1]], [[1, 1, 1, 1]], kind=Kind.SCORE)
    refusal = DESIGN.refuse(scores, Settings(cuts={"dep": 5.0}))
    assert refusal is not None
    assert "--cut pain" in refusal.mend
    assert state_rows(scores, Settings(cuts={"dep": 5.0, "pain": 4.0})).state[:4].tolist() == [0, 1, 1, 0]


def test_refusals_say_what_was_found_and_how_to_mend_it() -> None:
    nothing = DESIGN.refuse(small([[0, 0, 0]] * 2, [[0, 1, 1]] * 2), Settings())
    assert nothing is not None
    assert "depression was seen to begin 0 times" in nothing.reason
    once = DESIGN.refuse(small([[0]], [[1]]), Settings())
    assert once is not None
    assert "seen twice" in once.reason


def caveats(records: Records) -> dict[str, str]:
    result = DESIGN.answer(records, QUICK, silent)
    return {c.code: c.text for a in result.answers for c in a.caveats}


def test_prevalent_people_and_unseen_orders_are_counted() -> None:
    a = [[1, 0, 1, 0], [0, 1, 1, 0], [0, 1, 0, 1], [0, 0, 1, 1]]
    b = [[0, 1, 1, 0], [0, 1, 0, 0], [1, 0, 0, 1], [0, 1, 0, 1]]
    records = small(a, b)
    found = caveats(records)
    assert "20 of 80 people already had depression" in found["prevalent_at_entry"]
    assert "order_unseen" in found


def test_leaving_alive_and_few_events_are_said() -> None:
    rng = np.random.default_rng(1)
    a = (rng.random((60, 5)) < 0.3).astype(float)
    b = (rng.random((60, 5)) < 0.3).astype(float)
    a[:20, 2:] = b[:20, 2:] = np.nan
    records = small(a.tolist(), b.tolist())
    found = caveats(records)
    assert "400 of 1,200" in found["left_early"]


def test_visits_that_follow_illness_are_noticed() -> None:
    rng = np.random.default_rng(2)
    people, days, a, b = 300, [], [], []
    for _ in range(people):
        t, x, y = [0.0], [0.0], [0.0]
        for _ in range(5):
            ill = rng.random() < 0.25
            t.append(t[-1] + (rng.uniform(20, 60) if ill else rng.uniform(150, 250)))
            x.append(float(ill and rng.random() < 0.5))
            y.append(float(ill and not x[-1]))
        days += t
        a.append(x)
        b.append(y)
    records = small(a, b)
    repeated = replace(records, time=np.tile(np.array(days), 20))
    assert "visits_follow_illness" in caveats(repeated)
    assert "visits_follow_illness" not in caveats(both_ways().records)


def test_a_ratio_that_runs_away_is_given_no_interval() -> None:
    """Back pain never begins while depression is present: the ratio runs to zero, with an upper limit in words."""
    records = small(
        [[0, 1, 1, 0], [0, 1, 0, 1], [0, 0, 0, 0], [0, 0, 1, 1], [0, 0, 0, 1]],
        [[0, 0, 0, 0], [0, 0, 0, 0], [0, 1, 0, 1], [1, 1, 1, 0], [1, 1, 1, 1]],
    )
    dated = replace(
        records,
        pair=Pair(replace(records.pair.a, kind=Kind.EVENT), replace(records.pair.b, kind=Kind.EVENT)),
        events={k: Events(np.zeros(0, int), np.zeros(0), np.zeros(0, int)) for k in ("dep", "pain")},
    )
    result = DESIGN.answer(dated, QUICK, silent)
    ratio = row(result, "rate_ratio.a_to_b")
    assert ratio.status is Status.FAILED
    assert "zero" in ratio.status_says
    assert "at most" in ratio.status_says
    assert "separation" in {c.code for c in ratio.caveats}


def test_people_who_enter_when_they_fall_ill_are_noticed() -> None:
    rng = np.random.default_rng(4)
    a, b = [], []
    for k in range(10):
        a.append([1, 1, float(k % 2)] if k < 6 else [0, float(k % 2), 1])
        b.append([0, float(rng.random() < 0.5), float(rng.random() < 0.5)])
    records = small(a, b)
    person, onset = np.arange(120), np.ones(120, int)
    sick = np.flatnonzero(np.array(a * 20)[:, 0] == 1)
    events = {
        "dep": Events(sick, np.zeros(sick.size), np.ones(sick.size, int)),
        "pain": Events(person, np.full(120, 100.0), onset),
    }
    dated = replace(
        records,
        pair=Pair(replace(records.pair.a, kind=Kind.EVENT), replace(records.pair.b, kind=Kind.EVENT)),
        events=events,
    )
    found = caveats(dated)
    assert "depression are watched only from the day it began" in found["immortal_time"]
    assert "no_end_of_follow_up" in found


def test_covariates_are_adjusted_for_and_named() -> None:
    world = simulate("anxiety-rival", design="onset", people=3000, seed=1, observation=Observation(entry="prevalent"))
    records = world.records
    bare = replace(records, roles=replace(records.roles, covariates=()))
    crude, adjusted = (DESIGN.answer(r, QUICK, silent) for r in (bare, records))
    one, other = (row(r, "rate_ratio.b_to_a").estimate for r in (crude, adjusted))
    assert one is not None
    assert other is not None
    assert other.value < one.value
    assert "anxiety" in adjusted.methods
    assert any("anxiety" in p.name for p in adjusted.fits[0].parameters)


def test_pain_that_lasted_is_told_from_pain_that_is_new() -> None:
    """In the chronic-only world pain acts on depression only once it has lasted; the contrast must find that."""
    rates = OnsetRates(b_to_a=4.0, chronic_only=True, depression_onset=0.15, back_pain_onset=0.4)
    world = simulate("chronic-only", design="onset", people=4000, seed=3, rates=rates)
    result = DESIGN.answer(world.records, QUICK, silent)
    recent = row(result, "whom.chronic_pain.0.rate_ratio.b_to_a").estimate
    lasting = row(result, "whom.chronic_pain.1.rate_ratio.b_to_a").estimate
    contrast = row(result, "whom.chronic_pain.1.interaction.b_to_a").estimate
    assert recent is not None
    assert lasting is not None
    assert contrast is not None
    assert lasting.low > 1.5
    assert contrast.low > 1
    assert contrast.value == pytest.approx(lasting.value / recent.value)
    table = next(t for t in result.tables if t.key == "onset_whom")
    for line in table.rows:
        assert line[4] == pytest.approx(line[2] - line[3])  # type: ignore[operator]


def test_dated_ratios_within_and_after_a_window_are_events_over_time_at_risk() -> None:
    world = simulate("both-ways", design="onset", people=4000, seed=2, observation=Observation(seen="dated"))
    result = DESIGN.answer(world.records, QUICK, silent)
    table = next(t for t in result.tables if t.key == "onset_windows")
    line = next(r for r in table.rows if r[0] == "back pain to depression" and r[1] == 180.0)
    setup = prepare(world.records, QUICK)
    rows, w = setup.rows, 180.0 / 365.25
    inside = outside = time_in = time_out = 0.0
    free_events = free_time = 0.0
    began = 0.0
    for i in range(rows.person.size - 1):
        new = i == 0 or rows.person[i] != rows.person[i - 1] or rows.state[i] != rows.state[i - 1]
        began = rows.time[i] if new else began
        if rows.person[i + 1] != rows.person[i]:
            continue
        low, high = rows.time[i] - began, rows.time[i + 1] - began
        event = rows.state[i] == 2 and rows.state[i + 1] == 3
        if rows.state[i] == 2:
            time_in += min(high, w) - min(low, w)
            time_out += max(high, w) - max(low, w)
            inside, outside = inside + (event and high <= w), outside + (event and high > w)
        if rows.state[i] == 0:
            free_time += high - low
            free_events += rows.state[i + 1] == 1
    base = free_events / free_time
    assert line[2] == pytest.approx(inside / time_in / base, rel=1e-5)
    assert line[5] == pytest.approx(outside / time_out / base, rel=1e-5)


def test_scores_are_answered_at_neighbouring_cuts_and_by_dose() -> None:
    rng = np.random.default_rng(6)
    people, T = 1200, 4
    dep, pain = np.zeros((people, T)), np.zeros((people, T))
    dep[:, 0] = rng.integers(0, 20, people)
    for t in range(1, T):
        dep[:, t] = np.clip(dep[:, t - 1] + rng.integers(-4, 5, people), 0, 27)
        risk = 1 - np.exp(-0.04 * np.exp(0.1 * dep[:, t - 1]))
        stays = (pain[:, t - 1] >= 4) & (rng.random(people) < 0.6)
        ill = stays | (rng.random(people) < risk)
        pain[:, t] = np.where(ill, rng.integers(4, 9, people), rng.integers(0, 4, people))
    records = replace(
        small([[0, 0, 0, 0]], [[0, 0, 0, 0]], kind=Kind.SCORE),
        person=np.repeat(np.arange(people), T),
        time=np.tile(np.arange(T) * 180.0, people),
        values={"dep": dep.ravel(), "pain": pain.ravel()},
    )
    result = DESIGN.answer(records, Settings(quick=True, cuts={"dep": 10.0, "pain": 4.0}), silent)
    cuts = next(t for t in result.tables if t.key == "onset_cuts")
    assert [r[1] for r in cuts.rows if r[0] == "dep"] == [9.0, 10.0, 11.0]
    dose = next(t for t in result.tables if t.key == "onset_dose")
    ratios = [r[3] for r in dose.rows if r[0] == "depression to back pain"]
    assert ratios == sorted(ratios[:3]) + ratios[3:]
    assert ratios[2] > 2
    trend = next(r for r in dose.rows if r[0] == "depression to back pain" and r[1] == "trend per SD")
    assert trend[4] is not None
    assert trend[4] > 1
    assert "present at 10 or above" in result.methods


def test_dated_records_are_not_said_to_be_told_from_a_cause_that_drifts() -> None:
    """A dated change names one state, so that a hidden cause could not switch: no such rival is held against them."""
    world = simulate("both-ways", design="onset", people=400, seed=2, observation=Observation(seen="dated"))
    fits = fit_all(prepare(world.records, Settings()), silent)
    assert fits.rival is None
    assert fits.drifting is None
    assert fits.frailty is not None
    room = room_of(prepare(world.records, Settings()), Settings(), fits)
    assert any(c.code == "common_cause" and "dated records" in c.text for c in room.caveats)
    none = [a for a in room.assumptions if "unmeasured cause" in a.text]
    assert none
    assert none[0].checked is None


def test_both_always_new_at_one_visit_gives_words_and_no_number() -> None:
    ill = [[0.0] * k + [1.0] * (4 - k) for k in (1, 2, 3, 4)]
    records = small(ill, ill)
    result = DESIGN.answer(records, QUICK, silent)
    ratios = [a for a in result.answers if a.estimand is Estimand.RATE_RATIO]
    assert ratios
    assert all(a.status is Status.FAILED and a.estimate is None for a in ratios)
    assert all(table.rows for table in result.tables)
    assert "was never seen" in caveats(records)["few_events"]
