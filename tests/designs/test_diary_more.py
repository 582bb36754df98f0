"""Diaries with events, items and circumstances: set-up, truth of simulated worlds, and what is said of pure chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.linalg import expm

from bothways.designs.diary import DiaryDesign
from bothways.designs.diary.aftermath import aftermath_tables
from bothways.designs.diary.answers import Run
from bothways.designs.diary.estimation import Models, base_structure, fitted
from bothways.designs.diary.impulses import marks_moments
from bothways.designs.diary.items import item_answers, items_in
from bothways.designs.diary.lags import choose_lags
from bothways.designs.diary.persons import person_answers
from bothways.designs.diary.prompts import as_asked
from bothways.designs.diary.setup import DiarySetup, set_up
from bothways.designs.diary.whom import splits_of, whom_answers
from bothways.designs.diary.words import methods
from bothways.simulation import Observation, simulate
from bothways.terms.answer import Estimand, Status
from bothways.terms.progress import silent
from bothways.terms.question import Direction, Facet
from bothways.terms.records import Events, Records
from bothways.terms.settings import Settings
from bothways.terms.verdict import Reading, read_estimate

DESIGN = DiaryDesign()
QUICK = Settings(quick=True)
LOOK = Observation(error=0.2, missing=0.1)


def diary(people: int = 1, answers: int = 300, seed: int = 3) -> Records:
    return simulate("null", people=people, waves=answers, seed=seed, design="diary", observation=LOOK).records


def answered(setup: DiarySetup, settings: Settings = QUICK) -> Run:
    """A run with the plain model alone, which is all that the tables need."""
    model = fitted("ct-var", base_structure(setup, error=False), setup, False)
    lags = choose_lags(setup, ())
    return Run(setup, settings, Models(model, model, model, None, None, None), lags, (), ())


def struck(records: Records, rng: np.random.Generator, height: float = 3.0) -> Records:
    """The same diary with forty quarrels, after each of which B stands higher by ``height``, fading within a day."""
    key = records.pair.b.key
    first, last = records.time[0], records.time[-1]
    when = np.sort(rng.uniform(first, last, 40))
    b = records.values[key].copy()
    spread = float(np.nanstd(b))
    for t in when:
        since = records.time - t
        b += np.where(since >= 0, height * spread * np.exp(-4.0 * np.maximum(since, 0.0)), 0.0)
    events = {"quarrel": Events(np.zeros(40, np.int64), when, np.ones(40, np.int64))}
    return replace(records, values={**records.values, key: b}, events=events)


def test_dated_events_strike_at_their_own_time() -> None:
    records = struck(diary(), np.random.default_rng(1))
    setup = set_up(records)
    assert setup.impulses == ("quarrel",)
    assert setup.series.impulses.sum() == 40
    rows = np.flatnonzero(setup.series.impulses[:, 0])
    np.testing.assert_allclose(setup.series.time[rows], records.events["quarrel"].time, atol=1 / 1440)
    assert np.isnan(setup.series.values[~setup.asked]).all()
    assert setup.asked.sum() == set_up(diary()).series.rows


def test_what_follows_an_event_is_found_where_it_was_put() -> None:
    records = struck(diary(), np.random.default_rng(1))
    run = answered(set_up(records))
    (table,) = aftermath_tables(run)
    labels = (records.pair.a.label, records.pair.b.label)
    rows = {(r["outcome"], r["lag, days"]): r for r in table.as_dicts()}
    at_once = rows[labels[1], 0.0]
    truth = 3.0 * float(np.nanstd(diary().values[records.pair.b.key]))
    assert at_once["low"] < truth < at_once["high"] * 1.15
    assert at_once["low"] > 0.5 * truth
    assert rows[labels[0], 0.0]["low"] < 0.0 < rows[labels[0], 0.0]["high"]
    system, lag = run.models.chosen.fit.system, float(run.lags.curve[3])
    expected = (expm(system.drift * lag) @ system.impulses)[1, 0] * run.setup.spread[1]
    assert rows[labels[1], lag]["change, points"] == pytest.approx(expected, rel=1e-9)


def test_ones_that_stand_alone_strike_and_others_hold() -> None:
    records = diary()
    rng = np.random.default_rng(2)
    tablet = np.zeros(records.rows)
    tablet[rng.choice(records.rows // 3, 20, replace=False) * 3] = 1.0
    taper = (np.arange(records.rows) > 100).astype(float)
    nobody = np.zeros(records.rows, np.int64)
    assert marks_moments(tablet, nobody)
    assert not marks_moments(taper, nobody)
    assert not marks_moments(rng.integers(0, 2, records.rows).astype(float), nobody)
    stated = replace(
        records,
        values={**records.values, "tablet": tablet, "taper": taper},
        roles=replace(records.roles, covariates=("tablet", "taper")),
    )
    setup = set_up(stated)
    assert setup.impulses == ("tablet",)
    assert setup.phases == ("taper=1",)
    assert setup.series.impulses.sum() == 20


def test_few_events_are_left_alone() -> None:
    records = struck(diary(), np.random.default_rng(1))
    quarrels = records.events["quarrel"]
    few = replace(records, events={"quarrel": Events(quarrels.person[:3], quarrels.time[:3], quarrels.onset[:3])})
    assert set_up(few).impulses == ()


def test_pure_chance_is_answered_with_doubt() -> None:
    """Sixty days of one person whose answers are dice: an estimate that cannot tell, and the reason in words."""
    rng = np.random.default_rng(4)
    records = diary()
    pair = records.pair
    values = {key: rng.normal(size=60) for key in (pair.a.key, pair.b.key)}
    dice = replace(
        records, person=np.zeros(60, np.int64), time=np.arange(60.0), values=values, events={}, wave=None, baseline={}
    )
    found = DESIGN.answer(dice, Settings(headline_only=True), silent)
    for answer in (found.a_to_b, found.b_to_a):
        assert answer.estimate is not None
        assert read_estimate(answer.estimate, 0.05) is Reading.UNCERTAIN
        assert "no_carry_over" in {c.code for c in answer.caveats}


def with_items(records: Records, seed: int = 1) -> Records:
    """B asked by three items, each of them B with chance of its own; the score is their mean."""
    rng = np.random.default_rng(seed)
    key = records.pair.b.key
    b = records.values[key]
    spread = float(np.nanstd(b))
    items = {f"ache{k}": w * b + rng.normal(0, spread, b.size) for k, w in ((1, 1.0), (2, 0.8), (3, 1.2))}
    values = {**records.values, **items, key: np.mean(list(items.values()), axis=0)}
    return replace(records, values=values, roles=replace(records.roles, b=tuple(items)))


def test_items_take_the_chance_out_of_a_score() -> None:
    """A leads to B; the score holds much chance, and what its items share does not."""
    look = Observation(error=0.0, missing=0.1)
    seen = simulate("depression-first", people=40, waves=40, seed=5, design="diary", observation=look)
    records = with_items(seen.records)
    assert items_in(seen.records) is None
    assert items_in(records) == ((records.pair.a.key,), ("ache1", "ache2", "ache3"))
    run = answered(set_up(records))
    answers, tables = item_answers(run)
    there, back = answers
    assert there.estimate is not None
    assert back.estimate is not None
    truth = seen.truth(there.question).value
    assert there.estimate.low < truth < there.estimate.high
    assert abs(back.estimate.value) < 3 * back.estimate.se
    rows = tables[0].as_dicts()
    assert [row["item"] for row in rows][1:] == ["ache1", "ache2", "ache3"]
    assert all(0.2 < row["share that is chance"] < 0.8 for row in rows[1:])


def two_kinds() -> Records:
    """Forty people in whom A leads to B and forty in whom nothing leads to anything, told apart by a column."""
    look = Observation(error=0.0, missing=0.05)
    parts = [
        simulate(name, people=40, waves=40, seed=k, design="diary", observation=look).records
        for k, name in ((11, "depression-first"), (12, "null"))
    ]
    first, second = parts
    keys = (first.pair.a.key, first.pair.b.key)
    return replace(
        first,
        person=np.concatenate([first.person, 40 + second.person]),
        time=np.concatenate([first.time, second.time]),
        values={key: np.concatenate([first.values[key], second.values[key]]) for key in keys},
        baseline={"group": np.repeat([0.0, 1.0], 40)},
        roles=replace(first.roles, by=("group",), covariates=()),
        categories={"group": ("clinic", "street")},
    )


def test_in_whom_is_told_from_a_difference_with_an_interval() -> None:
    records = two_kinds()
    run = answered(set_up(records))
    answers, tables = whom_answers(run)
    rows = {(a.estimand, a.subgroup, a.direction): a for a in answers}
    there = Direction.A_TO_B
    clinic = rows[Estimand.CROSS_LAG, "group: clinic", there].estimate
    street = rows[Estimand.CROSS_LAG, "group: street", there].estimate
    apart = rows[Estimand.INTERACTION, "group: street", there].estimate
    assert clinic.low > 0
    assert street.low < 0 < street.high
    assert apart.value == pytest.approx(street.value - clinic.value, abs=1e-12)
    assert apart.high < 0
    back = rows[Estimand.INTERACTION, "group: street", Direction.B_TO_A].estimate
    assert abs(back.value) < 3 * back.se
    assert clinic.people == street.people == 40
    assert apart.people == 80
    assert all(a.facet is Facet.WHOM and a.question.population.where == "group" for a in answers)
    assert len(tables[0].rows) == 2


def test_levels_with_few_people_are_not_compared() -> None:
    records = two_kinds()
    few = replace(records, baseline={"group": np.repeat([0.0, 1.0], [70, 10])})
    assert not list(splits_of(set_up(few)))
    many = replace(records, baseline={"group": np.arange(80.0)})
    (split,) = splits_of(set_up(many))
    assert [m.size for m in split.members] == [40, 40]
    assert "below" in split.names[0]


def test_a_stated_circumstance_with_few_people_is_refused_and_not_passed_over() -> None:
    records = two_kinds()
    few = replace(records, baseline={"group": np.repeat([0.0, 1.0], [70, 10])})
    answers, tables = whom_answers(answered(set_up(few)))
    assert [a.status for a in answers] == [Status.REFUSED] * 2
    assert all("20 people or more" in a.status_says and a.estimate is None for a in answers)
    assert not tables
    offered = replace(few, roles=replace(few.roles, guessed=(*few.roles.guessed, "by")))
    assert whom_answers(answered(set_up(offered))) == ((), ())


def test_the_share_of_people_is_an_answer() -> None:
    run = answered(set_up(two_kinds()))
    answers, tables = person_answers(run)
    assert [a.direction for a in answers] == [Direction.A_TO_B, Direction.B_TO_A]
    assert all(a.estimand is Estimand.PERSON_SHARE and a.facet is Facet.WHOM for a in answers)
    there = answers[0]
    assert there.status is Status.ANSWERED
    assert 0 <= there.estimate.low <= there.estimate.value <= there.estimate.high <= 1
    assert there.estimate.low < 0.85  # in half of them nothing leads to anything
    assert {t.key for t in tables} == {"diary.persons", "diary.own"}


def test_rows_of_events_are_no_prompts() -> None:
    """An event between prompts is no answer withheld: the caveats and the table of the records leave it out."""
    records = struck(diary(), np.random.default_rng(1))
    setup = set_up(records)
    plain, _ = as_asked(setup, None)
    assert plain.series.rows == set_up(diary()).series.rows
    assert setup.series.rows > plain.series.rows
    np.testing.assert_array_equal(plain.series.time, set_up(diary()).series.time)
    found = DESIGN.answer(records, Settings(headline_only=True), silent)
    assert "missing_by_state" not in {c.code for c in found.a_to_b.caveats}


def test_the_methods_name_what_strikes() -> None:
    run = answered(set_up(struck(diary(), np.random.default_rng(1))))
    assert "strike at a moment and then fade with the rest: quarrel." in methods(run.setup, run.models, run.lags)
    plain = answered(set_up(diary()))
    assert "strike" not in methods(plain.setup, plain.models, plain.lags)
