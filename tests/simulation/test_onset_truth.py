"""Onset worlds against the matrix exponential, against counted lives, and against values known by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm
from tests.simulation.simulated_questions import BACK, JOINT, THERE, ask

from bothways.simulation import Observation, OnsetRates, World, simulate, worlds
from bothways.simulation.catalogue import find
from bothways.simulation.kernels import A_OFF, A_ON, B_OFF, B_ON, CHRONIC_ON
from bothways.simulation.lives import YEAR, Lives, live_people
from bothways.simulation.onset_truth import Intervention, OnsetMechanism, order
from bothways.terms.answer import Estimand
from bothways.terms.errors import WorldError
from bothways.terms.question import Direction, Facet, Kind

NAMES = [spec.name for spec in worlds()]


def cohort(name: str, **options: object) -> World:
    return simulate(name, people=30, design="onset", **options)  # type: ignore[arg-type]


def generator(r: OnsetRates) -> np.ndarray:
    """The five-state rates per year, written from the definition: neither, A, B, both, dead."""
    q = np.zeros((5, 5))
    q[0, 1], q[0, 2] = r.depression_onset, r.back_pain_onset
    q[1, 0], q[1, 3] = r.depression_recovery, r.back_pain_onset * r.a_to_b
    q[2, 0], q[2, 3] = r.back_pain_recovery, r.depression_onset * r.b_to_a
    q[3, 2], q[3, 1] = r.depression_recovery * r.recovery_b_to_a, r.back_pain_recovery * r.recovery_a_to_b
    q[:4, 4] = r.death
    return q - np.diag(q.sum(axis=1))


def lives_of(rates: OnsetRates, people: int, years: float, entry: str = "free", seed: int = 1) -> Lives:
    return live_people(rates, people, years * YEAR, entry, np.random.default_rng(seed))  # type: ignore[arg-type]


@pytest.mark.parametrize("rates", [find("both-ways").onset, replace(find("pain-first").onset, death=0.05)])
@pytest.mark.parametrize("years", [0.5, 3.0])
def test_shares_in_each_state_follow_the_kolmogorov_equations(rates: OnsetRates, years: float) -> None:
    world = cohort("null", rates=rates)
    expected = expm(generator(rates) * years)[0]
    assert world.occupancy(years * YEAR) == pytest.approx(expected, abs=1e-12)


def test_interventions_change_the_rates_that_they_name() -> None:
    rates = find("both-ways").onset
    world = cohort("both-ways")
    changes: dict[Intervention, OnsetRates] = {
        "effect_removed": replace(rates, a_to_b=1.0),
        "onset_prevented": replace(rates, depression_onset=0.0),
    }
    for intervention, changed in changes.items():
        expected = expm(generator(changed) * 5)[0]
        assert world.occupancy(5 * YEAR, THERE, intervention) == pytest.approx(expected, abs=1e-12)
    assert world.occupancy(5 * YEAR, BACK, "onset_prevented")[2:4].sum() == 0


@pytest.mark.parametrize(("years", "share"), [(1, 0.446), (10, 0.727), (400, 0.952)])
def test_order_shares_have_the_values_known_by_hand(years: float, share: float) -> None:
    """Rates .2 and .01, ratios 2 and 3, no recovery: the stronger effect is not the earlier onset."""
    rates = OnsetRates(0.2, 0.01, 0.0, 0.0, a_to_b=2.0, b_to_a=3.0)
    found = order(OnsetMechanism(rates, "birth", 1.0), years * YEAR)
    assert found.a_first == pytest.approx(share, abs=5e-4)
    assert found.ever_a_first == pytest.approx(found.a_first)
    assert found.se == 0
    assert found.a_first + found.b_first == 1


def test_order_shares_are_the_flow_into_both() -> None:
    """s(h) from the state probabilities with both made absorbing: the flow from A over all flow."""
    rates = find("depression-first").onset
    q = generator(rates)
    q[3] = 0
    fine = np.linspace(0, 5, 2001)
    before = np.array([expm(q * t)[0] for t in fine[:-1] + np.diff(fine) / 2])
    flow = (before[:, 1] * q[1, 3]).sum(), (before[:, 2] * q[2, 3]).sum()
    world = cohort("depression-first")
    shares = [world.truth(ask(world, d, Facet.FIRST, horizon=5 * YEAR)) for d in (THERE, BACK)]
    assert shares[0].value == pytest.approx(flow[0] / sum(flow), abs=1e-6)
    assert shares[0].value + shares[1].value == pytest.approx(1)
    unrelated = world.order(5 * YEAR, unrelated=True)
    assert unrelated.a_first != pytest.approx(shares[0].value, abs=0.05)


def rate(lives: Lives, kind: int, state: int, end: float) -> float:
    """Occurrences over exposure: events of a kind out of a state, by the time all people spent there (per year)."""
    events = 0
    change = np.array([1, -1, 2, -2, 0, 0])
    now = lives.start[:, 0] + 2 * lives.start[:, 1]
    for person, time, what in zip(lives.person, lives.time, lives.kind, strict=True):
        events += int(what == kind and now[person] == state and time < end)
        now[person] += change[what]
    return float(events / lives.days_in(end)[state].sum() * YEAR)


@pytest.mark.parametrize("name", ["both-ways", "pain-first", "null"])
def test_rate_and_recovery_ratios_are_those_counted_in_whole_lives(name: str) -> None:
    lives, end = lives_of(find(name).onset, 12_000, 8.0, "prevalent"), 8 * YEAR
    counted = {
        (THERE, Estimand.RATE_RATIO): rate(lives, B_ON, 1, end) / rate(lives, B_ON, 0, end),
        (BACK, Estimand.RATE_RATIO): rate(lives, A_ON, 2, end) / rate(lives, A_ON, 0, end),
        (THERE, Estimand.RECOVERY_RATIO): rate(lives, B_OFF, 3, end) / rate(lives, B_OFF, 2, end),
        (BACK, Estimand.RECOVERY_RATIO): rate(lives, A_OFF, 3, end) / rate(lives, A_OFF, 1, end),
    }
    world = cohort(name)
    for (direction, estimand), value in counted.items():
        assert world.truth(ask(world, direction), estimand).value == pytest.approx(value, rel=0.12)


def test_chronic_pain_is_pain_of_over_three_months_and_alone_acts() -> None:
    rates = find("chronic-only").onset
    lives = lives_of(rates, 8000, 6.0)
    began = np.full(lives.people, np.nan)
    waits = []
    for person, time, kind in zip(lives.person, lives.time, lives.kind, strict=True):
        began[person] = time if kind == B_ON else began[person]
        if kind == CHRONIC_ON:
            waits.append(time - began[person])
    assert np.array(waits) == pytest.approx(90.0, abs=1e-9)
    world = cohort("chronic-only")
    by = {where: world.truth(ask(world, BACK, where=where)).value for where in (None, "chronic", "recent")}
    assert by["chronic"] == 3.0
    assert by["recent"] == 1.0
    assert 2.2 < by[None] < 2.8
    assert by[None] == pytest.approx(rate(lives, A_ON, 2, 6 * YEAR) / rate(lives, A_ON, 0, 6 * YEAR), rel=0.12)
    assert world.truth(ask(world, BACK, Facet.WHOM)).value == 3.0
    assert world.truth(ask(world, THERE)).value == 1.0


def test_a_strain_heals_or_turns_chronic_as_a_transition_of_its_own() -> None:
    rates = find("strain-and-chronic").onset
    lives = lives_of(rates, 4000, 6.0)
    onsets, turned = (lives.kind == B_ON).sum(), (lives.kind == CHRONIC_ON).sum()
    assert turned / onsets == pytest.approx(1.5 / (1.5 + 10), rel=0.1)


@pytest.mark.parametrize("rates", [OnsetRates(proneness=1.0), find("shared-cause").onset, find("anxiety-rival").onset])
def test_what_drives_both_lifts_the_counted_ratios_and_not_the_true_ones(rates: OnsetRates) -> None:
    lives, end = lives_of(rates, 12_000, 8.0, "prevalent"), 8 * YEAR
    world = cohort("null", rates=rates)
    for direction, kind, state in ((THERE, B_ON, 1), (BACK, A_ON, 2)):
        assert rate(lives, kind, state, end) / rate(lives, kind, 0, end) > 1.2
        assert world.truth(ask(world, direction)).value == 1.0


def test_attributable_share_is_the_risk_that_the_effect_adds() -> None:
    world = cohort("pain-first")
    truth = world.truth(ask(world, BACK), Estimand.ATTRIBUTABLE_SHARE)

    def risk(rates: OnsetRates) -> float:
        q = generator(rates)
        q[[1, 3]] = 0  # the first onset of depression ends the count
        return float(expm(q * world_years)[0, [1, 3]].sum())

    world_years = 5.0
    rates = find("pain-first").onset
    expected = 1 - risk(replace(rates, b_to_a=1.0)) / risk(rates)
    assert truth.value == pytest.approx(expected, abs=1e-12)
    assert truth.se == 0
    assert world.truth(ask(world, THERE), Estimand.ATTRIBUTABLE_SHARE).value == pytest.approx(0.0, abs=1e-12)


def counted_order(lives: Lives) -> tuple[int, int, int]:
    """People who reached both; of these, who entered from depression, and who had depression before ever pain."""
    reached = entered = ever = 0
    kinds = np.split(lives.kind, np.searchsorted(lives.person, np.arange(1, lives.people)))
    for events in kinds:
        state, first = 0, -1
        for kind in events:
            first = kind if first < 0 and kind in (A_ON, B_ON) else first
            state += {A_ON: 1, A_OFF: -1, B_ON: 2, B_OFF: -2}.get(int(kind), 0)
            if state == 3:
                reached, entered, ever = reached + 1, entered + (kind == B_ON), ever + (first == A_ON)
                break
    return reached, entered, ever


def begun_in(lives: Lives, kind: int) -> float:
    """The share of people to whom it happened."""
    return float(np.unique(lives.person[lives.kind == kind]).size / lives.people)


PRONE = replace(find("both-ways").onset, proneness=0.8, proneness_correlation=0.6)
CAUSE = replace(find("shared-cause").onset, b_to_a=2.5, proneness=0.5)
HEALS = replace(find("both-ways").onset, chronic_recovery=0.2, death=0.05)


@pytest.mark.parametrize(
    "rates",
    [find("both-ways").onset, PRONE, CAUSE, HEALS, find("chronic-only").onset, find("strain-and-chronic").onset],
)
def test_exact_truths_are_those_counted_in_whole_lives(rates: OnsetRates) -> None:
    """Everything that is solved (proneness, a drifting cause, a clock of chronic pain, death) against what happens."""
    people, years = 60_000, 5.0
    lives = lives_of(rates, people, years)
    world = cohort("null", rates=rates)
    found = world.order(years * YEAR)
    reached, entered, ever = counted_order(lives)
    assert found.reached == pytest.approx(reached / people, abs=4 * np.sqrt(0.2 / people))
    for share, count in ((found.a_first, entered), (found.ever_a_first, ever)):
        assert share == pytest.approx(count / reached, abs=4 * np.sqrt(0.25 / reached))
    assert found.se < 0.0003
    seen = np.bincount(lives.states(np.full((people, 1), years * YEAR))[0][:, 0], minlength=5) / people
    assert world.occupancy(years * YEAR) == pytest.approx(seen, abs=4 * np.sqrt(0.25 / people))


@pytest.mark.parametrize("rates", [find("both-ways").onset, PRONE, CAUSE, find("chronic-only").onset])
def test_attributable_shares_are_those_of_two_counted_populations(rates: OnsetRates) -> None:
    """People who enter as the world has them, then live on with and without the effect of pain."""
    people, end = 60_000, 5 * YEAR
    free = [
        live_people(after, people, end, "free", np.random.default_rng(k), rates)
        for k, after in enumerate((rates, replace(rates, b_to_a=1.0)))
    ]
    now, then = (begun_in(lives, A_ON) for lives in free)
    world = cohort("null", rates=rates)
    truth = world.truth(ask(world, BACK, horizon=end), Estimand.ATTRIBUTABLE_SHARE)
    assert truth.value == pytest.approx(1 - then / now, abs=4 * np.sqrt(2 / (now * people)))
    assert truth.se < 0.0003


@pytest.mark.parametrize("rates", [find("both-ways").onset, PRONE])
def test_speed_is_how_many_have_begun_the_second_of_those_with_the_first(rates: OnsetRates) -> None:
    lives = lives_of(rates, 60_000, 1.0, "prevalent")
    world = cohort("null", rates=rates)
    for direction, has, kind in ((THERE, (1, 0, 0), B_ON), (BACK, (0, 1), A_ON)):
        for present in (True, False):
            wanted = np.array(has[:2]) * present
            people = np.flatnonzero((lives.start[:, :2] == wanted).all(axis=1))
            hit = np.isin(people, lives.person[lives.kind == kind]).mean()
            found = world.begun(YEAR, direction, present)
            assert found == pytest.approx(hit, abs=4 * np.sqrt(hit / people.size))
        speed = ask(world, direction, Facet.SPEED, horizon=YEAR)
        assert world.truth(speed, Estimand.STATE_PROBABILITY).value == world.begun(YEAR, direction)


def test_half_have_begun_it_by_the_median_time() -> None:
    world = cohort("null", rates=OnsetRates(0.2, 0.1, 0.0, 0.0, a_to_b=3.0))
    assert world.median_time(THERE) == pytest.approx(np.log(2) / 0.3 * YEAR, rel=1e-8)
    assert world.begun(world.median_time(BACK, cause_present=False), BACK, cause_present=False) == pytest.approx(0.5)
    deadly = cohort("null", rates=OnsetRates(death=1.0))
    assert deadly.median_time(THERE) == np.inf


@pytest.mark.parametrize("name", NAMES)
def test_naming_the_conditions_the_other_way_round_changes_nothing(name: str) -> None:
    world = cohort(name)
    for direction in (THERE, BACK, JOINT):
        question = ask(world, direction)
        one, other = world.truth(question).value, world.truth(question.mirrored()).value
        assert other == pytest.approx(1 / one if direction is JOINT else one)


def test_the_ratio_asked_for_moves_only_the_arrows_there_are() -> None:
    one = cohort("pain-first", effect=3.0)
    assert [one.truth(ask(one, d)).value for d in (THERE, BACK)] == [1.0, 3.0]
    both = cohort("both-ways", effect=(1.5, 0.8))
    assert [both.truth(ask(both, d)).value for d in (THERE, BACK)] == pytest.approx([1.5, 0.8])


def test_people_free_of_pain_may_be_depressed() -> None:
    records = simulate("both-ways", people=3000, design="onset", observation=Observation(entry="free_of_pain")).records
    first = records.time == 0
    assert records.values["back_pain"][first].sum() == 0
    r = generator(find("both-ways").onset)
    long_run = expm(r * 200)[0]
    depressed = records.values["depression"][first].mean()
    assert depressed == pytest.approx(long_run[1] / long_run[[0, 1]].sum(), abs=0.012)


@pytest.mark.parametrize("entry", ["free", "birth"])
def test_people_enter_free_of_both(entry: str) -> None:
    how = Observation(entry=entry)  # type: ignore[arg-type]
    records = simulate("both-ways", people=500, design="onset", observation=how).records
    first = records.time == 0
    assert records.values["depression"][first].sum() == records.values["back_pain"][first].sum() == 0
    assert records.pair.a.kind is Kind.STATE


def test_prevalent_people_enter_in_the_long_run_shares() -> None:
    rates = find("both-ways").onset
    lives = lives_of(rates, 20_000, 1.0, "prevalent")
    shares = np.bincount(lives.start[:, 0] + 2 * lives.start[:, 1], minlength=4) / 20_000
    assert shares == pytest.approx(expm(generator(rates) * 200)[0, :4], abs=0.012)


def test_visits_are_whole_days_and_answers_err_as_often_as_asked() -> None:
    how = Observation(sensitivity=0.8, specificity=0.9, entry="prevalent")
    seen = simulate("null", people=6000, design="onset", observation=how, seed=2).records
    true = simulate("null", people=6000, design="onset", observation=Observation(entry="prevalent"), seed=2).records
    assert np.array_equal(seen.time, np.round(seen.time))
    for key in ("depression", "back_pain"):
        said, is_so = seen.values[key] == 1, true.values[key] == 1
        assert said[is_so].mean() == pytest.approx(0.8, abs=0.03)
        assert said[~is_so].mean() == pytest.approx(0.1, abs=0.01)


def test_the_dead_are_dated_and_not_seen_again() -> None:
    rates = OnsetRates(death=0.08)
    records = simulate("null", people=4000, design="onset", rates=rates).records
    died = records.values["death"] == 1
    last = np.diff(records.person, append=records.people) > 0
    assert (last | ~died).all()
    assert np.isnan(records.values["depression"][died]).all()
    assert not np.isnan(records.values["depression"][~died]).any()
    assert np.array_equal(records.events["death"].time, records.time[died])
    assert died.sum() / 4000 == pytest.approx(1 - np.exp(-0.08 * 5), rel=0.1)


@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_dated_rows_and_dated_events_tell_the_same_lives(dropout: float) -> None:
    how = Observation(seen="dated", dropout=dropout, entry="prevalent")
    records = simulate("both-ways", people=800, design="onset", observation=how, rates=OnsetRates(death=0.02)).records
    assert records.pair.a.kind is Kind.EVENT
    first = np.diff(records.person, prepend=-1) > 0
    assert (records.time[first] == 0).all()
    assert np.array_equal(np.lexsort((records.time, records.person)), np.arange(records.rows))
    assert records.time.max() <= 5 * YEAR
    for key in ("depression", "back_pain"):
        step = np.where(first, 0, np.diff(records.values[key], prepend=0))
        moves = np.flatnonzero(step)
        assert np.array_equal(records.person[moves], records.events[key].person)
        assert np.array_equal(records.time[moves], records.events[key].time)
        assert np.array_equal(step[moves] > 0, records.events[key].onset == 1)


def test_visits_and_dates_agree_on_where_people_stand() -> None:
    how = Observation(entry="prevalent")
    visits, dates = (
        simulate("both-ways", people=300, design="onset", seed=6, observation=replace(how, seen=seen)).records  # type: ignore[arg-type]
        for seen in ("visits", "dated")
    )
    for person in range(0, 300, 17):
        seen, dated = visits.person == person, dates.person == person
        within = visits.time[seen] <= 5 * YEAR
        at = np.searchsorted(dates.time[dated], visits.time[seen][within], side="right") - 1
        for key in ("depression", "back_pain"):
            assert np.array_equal(visits.values[key][seen][within], dates.values[key][dated][at])


def test_reporting_style_makes_both_answers_go_together() -> None:
    plain, styled = (simulate(name, people=5000, design="onset").records.values for name in ("null", "reporting-style"))
    together = [np.corrcoef(v["depression"], v["back_pain"])[0, 1] for v in (plain, styled)]
    assert abs(together[0]) < 0.04
    assert together[1] > 0.2


def test_what_cannot_be_asked_is_refused() -> None:
    world = cohort("both-ways")
    with pytest.raises(WorldError, match="peak_lag"):
        world.truth(ask(world, BACK, Facet.SPEED))
    with pytest.raises(WorldError, match="it is joint"):
        world.truth(ask(world, Direction.JOINT), Estimand.RATE_RATIO)
    with pytest.raises(WorldError, match="clock of chronic pain"):
        cohort("chronic-only", rates=replace(find("chronic-only").onset, cause_loading=0.5)).order()
    with pytest.raises(WorldError, match="negative"):
        cohort("null", rates=OnsetRates(death=-1.0))
    with pytest.raises(WorldError, match="free of both at entry"):
        cohort("null", rates=OnsetRates(back_pain_onset=1e5))
