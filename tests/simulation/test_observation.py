"""What is written down of a world: rates of loss, floors, errors, the shape of the records, and the same digits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bothways.simulation import Observation, World, simulate, simulate_each, simulate_many, worlds
from bothways.terms.errors import WorldError
from bothways.terms.records import Records, TimeUnit

NAMES = [spec.name for spec in worlds()]


def same(one: Records, other: Records) -> bool:
    keys = one.values.keys() == other.values.keys()
    columns = all(np.array_equal(one.values[k], other.values[k], equal_nan=True) for k in one.values)
    return keys and columns and np.array_equal(one.time, other.time) and one.source == other.source


@pytest.mark.parametrize("design", ["panel", "diary", "onset"])
@pytest.mark.parametrize("name", NAMES)
def test_records_of_every_world_are_whole(name: str, design: str) -> None:
    records = simulate(name, people=30, waves=4, design=design).records  # type: ignore[arg-type]
    assert records.people == 30
    assert records.rows == 120
    assert records.time_unit is TimeUnit.DAY
    assert records.waves == (4 if design == "panel" else None)
    order = np.lexsort((records.time, records.person))
    assert np.array_equal(order, np.arange(records.rows))
    named = {*records.roles.pathways, *records.roles.covariates, *records.roles.by, "depression", "back_pain"}
    assert named == set(records.values)
    assert set(records.values) | {"age", "sex"} == set(records.labels)
    assert all(np.isfinite(column).all() for column in records.values.values())


def test_the_table_has_plain_columns_of_one_length() -> None:
    world = simulate("only-sleep", people=7, waves=3)
    table = world.table()
    assert list(table)[:4] == ["id", "wave", "depression", "back_pain"]
    assert {len(column) for column in table.values()} == {21}
    assert table["id"].min() == 1
    assert sorted(set(table["wave"].tolist())) == [1, 2, 3]
    assert "day" in simulate("null", people=3, design="diary").table()


@pytest.mark.parametrize("design", ["panel", "diary", "onset"])
def test_the_same_seed_gives_the_same_digits(design: str) -> None:
    how = Observation(missing=0.2, error=0.3, dropout=0.05)

    def once(seed: int | np.random.Generator) -> Records:
        return simulate("both-ways", people=1500, seed=seed, design=design, observation=how).records  # type: ignore[arg-type]

    assert same(once(4), once(4))
    assert same(once(4), once(np.random.default_rng(4)))
    assert not same(once(4), once(5))


def test_batches_repeat_and_differ_between_worlds() -> None:
    one, other = (list(simulate_many("null", worlds=3, people=50, seed=9)) for _ in range(2))
    assert np.array_equal(one, other)
    assert not np.array_equal(one[0], one[1])
    whole = [world.records for world in simulate_each("null", worlds=2, people=20, seed=9)]
    assert not same(*whole)


def moments(values: np.ndarray) -> np.ndarray:
    flat = values.reshape(len(values), -1)
    return np.concatenate((flat.mean(axis=0), np.cov(flat.T).ravel()))


@pytest.mark.parametrize("name", ["both-ways", "shared-cause", "reporting-style"])
def test_batches_follow_the_same_law_as_single_worlds(name: str) -> None:
    people, waves = 20_000, 3
    walked = simulate(name, people=people, waves=waves, seed=1).records
    single = np.stack([walked.values[k].reshape(people, waves) for k in ("depression", "back_pain")], axis=2)
    batch = next(simulate_many(name, worlds=1, people=people, waves=waves, seed=2))
    assert moments(single) == pytest.approx(moments(batch), abs=0.1)  # SE of a covariance of 2 here: 0.02 each


def losses(world: World) -> np.ndarray:
    return np.isnan(world.records.values["depression"])


@settings(max_examples=15)
@given(share=st.floats(0.05, 0.6), follows=st.sampled_from([0.0, 1.0]), by=st.sampled_from(["cell", "wave"]))
def test_as_many_answers_are_lost_as_asked_for(share: float, follows: float, by: str) -> None:
    how = Observation(missing=share, missing_follows=follows, missing_by=by)  # type: ignore[arg-type]
    records = simulate("null", people=4000, waves=4, observation=how).records
    gone = np.isnan(records.values["back_pain"]).reshape(4000, 4)
    asked = gone[:, 1:] if follows else gone
    assert asked.mean() == pytest.approx(share, abs=0.025)
    assert not follows or not gone[:, 0].any()
    both = np.array_equal(np.isnan(records.values["depression"]), np.isnan(records.values["back_pain"]))
    assert both == (by == "wave")
    assert records.reasons["back_pain"]["not answered"] == gone.sum()


def test_loss_at_random_follows_what_was_seen_and_completely_at_random_does_not() -> None:
    for follows, differs in ((0.0, False), (1.5, True)):
        how = Observation(missing=0.3, missing_follows=follows)
        records = simulate("null", people=8000, waves=2, observation=how).records
        first, second = records.values["depression"].reshape(8000, 2).T
        gone = np.isnan(second)
        gap = np.nanmean(first[gone]) - np.nanmean(first[~gone])
        assert (gap > 0.3) == differs


def test_people_who_leave_do_not_come_back_and_leave_no_rows() -> None:
    how = Observation(dropout=0.2, dropout_follows=1.0)
    records = simulate("both-ways", people=5000, waves=5, observation=how).records
    counts = np.bincount(records.person)
    assert records.people == 5000
    assert counts.mean() == pytest.approx(sum(0.8**k for k in range(5)), rel=0.02)
    assert records.wave is not None
    assert np.array_equal(records.wave, np.concatenate([np.arange(n) for n in counts]))
    start = records.values["depression"][records.wave == 0] + records.values["back_pain"][records.wave == 0]
    assert start[counts == 1].mean() > start[counts == 5].mean() + 0.5


def test_questionnaires_have_whole_numbers_between_floor_and_ceiling() -> None:
    records = simulate("null", people=3000, observation=Observation(scale="questionnaire")).records
    for key, ceiling in (("depression", 27), ("back_pain", 10)):
        column = records.values[key]
        assert np.array_equal(column, np.round(column))
        assert column.min() == 0
        assert column.max() <= ceiling
        assert 0.1 < (column == 0).mean() < 0.3


def test_skew_keeps_mean_and_spread() -> None:
    z = simulate("null", people=20_000, waves=2, icc=0.5, observation=Observation(skew=0.6)).records.values[
        "depression"
    ]
    assert z.mean() == pytest.approx(0, abs=0.05)
    assert z.std() == pytest.approx(np.sqrt(2), rel=0.05)
    assert ((z - z.mean()) ** 3).mean() / z.std() ** 3 > 1


def test_errors_of_measurement_are_shared_as_far_as_asked_for() -> None:
    plain, noisy = (
        simulate("null", people=20_000, waves=1, seed=2, observation=Observation(error=error, shared_error=0.6)).records
        for error in (0.0, 0.8)
    )
    noise = np.stack([noisy.values[k] - plain.values[k] for k in ("depression", "back_pain")])
    assert noise.std(axis=1) == pytest.approx(0.8, rel=0.03)
    assert np.corrcoef(noise)[0, 1] == pytest.approx(0.6, abs=0.03)


def test_stable_differences_have_the_share_and_the_correlation_asked_for() -> None:
    values = next(simulate_many("null", worlds=1, people=60_000, waves=9, icc=0.7, trait_correlation=-0.5))
    between = np.cov(values[:, 0].T, values[:, 8].T)[:2, 2:]  # eight gaps apart nothing but stable levels is shared
    within = np.var(values[:, 0] - values[:, 8], axis=0) / 2
    assert np.diag(between) / (np.diag(between) + within) == pytest.approx(0.7, abs=0.02)
    assert between[0, 1] / np.sqrt(np.prod(np.diag(between))) == pytest.approx(-0.5, abs=0.02)


def test_one_day_in_five_is_a_day_in_pain_and_fewer_people_have_chronic_pain() -> None:
    chronic = simulate("any-pain", people=4000, waves=2).records.values["chronic_pain"]
    assert 0.1 < chronic.mean() < 0.25


def test_diary_prompts_keep_to_the_waking_day_and_to_their_order() -> None:
    records = simulate("both-ways", people=40, waves=50, design="diary").records
    hours = (records.time % 1) * 24
    assert hours.min() >= 8 - 1 / 4
    assert hours.max() <= 22 + 1 / 4
    days = records.time.reshape(40, 50)
    assert (np.diff(days, axis=1) > 0).all()
    assert days.max() < 10
    assert np.unique(np.round(np.diff(days, axis=1), 6)).size > 20


def test_visits_of_a_panel_may_be_at_peoples_own_times() -> None:
    records = simulate("both-ways", people=50, waves=4, observation=Observation(jitter=0.4)).records
    assert records.wave is None
    assert np.abs(records.time.reshape(50, 4) - np.arange(4) * 180).max() <= 36.5


def test_impossible_wishes_are_refused() -> None:
    with pytest.raises(WorldError, match="between 0 and 1"):
        Observation(missing=1.4)
    with pytest.raises(WorldError, match="out of range"):
        Observation(error=0.3, shared_error=1.2)
    with pytest.raises(WorldError, match="hours"):
        Observation(wake=23.0)
    with pytest.raises(WorldError, match="at least one"):
        simulate("null", people=0)
    with pytest.raises(WorldError, match="icc"):
        simulate("null", icc=1.0)
    with pytest.raises(WorldError, match="no one step"):
        next(simulate_many("chronic-only"))
