"""The diary design on worlds with known answers: readings, refusals, mirrors, caveats, and what it hands on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bothways.designs.diary import DiaryDesign, design, pathways
from bothways.designs.diary.answers import Run
from bothways.designs.diary.checks import caveats_of
from bothways.designs.diary.estimation import Fitted, Models, base_structure, choose, fit_pair, fitted
from bothways.designs.diary.lags import choose_lags, lag_words
from bothways.designs.diary.pathways import pathway_answers
from bothways.designs.diary.plan import need
from bothways.designs.diary.setup import DiarySetup, set_up
from bothways.designs.onset import OnsetDesign
from bothways.designs.panel import PanelDesign
from bothways.simulation import Observation, World, simulate
from bothways.terms.answer import DesignResult, Estimand, Status
from bothways.terms.progress import silent
from bothways.terms.question import Direction, Facet
from bothways.terms.records import Records
from bothways.terms.settings import Settings
from bothways.terms.verdict import Reading, read_estimate

DESIGN = DiaryDesign()
QUICK = Settings(quick=True)
HEADLINE = Settings(headline_only=True)
LOOK = Observation(error=0.3, missing=0.1)


def world(name: str, people: int, answers: int, seed: int = 5, look: Observation = LOOK) -> World:
    return simulate(name, people=people, waves=answers, seed=seed, design="diary", observation=look)


@pytest.fixture(scope="module")
def group() -> World:
    return world("depression-first", 36, 26)


@pytest.fixture(scope="module")
def result(group: World) -> DesignResult:
    assert DESIGN.refuse(group.records, Settings()) is None
    return DESIGN.answer(group.records, QUICK, silent)


@pytest.fixture(scope="module")
def alone() -> World:
    return world("depression-first", 1, 220, seed=2)


@pytest.fixture(scope="module")
def own(alone: World) -> DesignResult:
    return DESIGN.answer(alone.records, Settings(bootstrap=4), silent)


def made(records: Records) -> Run:
    """What the answers of one run share, without the rivals."""
    setup = set_up(records)
    plain, with_error = fit_pair(setup)
    models = Models(choose(plain, with_error), plain, with_error, None, None, None)
    return Run(setup, Settings(), models, choose_lags(setup, ()), (), ())


def plain_only(setup: DiarySetup) -> tuple[Fitted, Fitted]:
    """The model without errors of measurement, in place of both."""
    plain = fitted("ct-var", base_structure(setup, error=False), setup, False)
    return plain, plain


def test_one_direction_is_found_and_the_other_is_not(group: World, result: DesignResult) -> None:
    there, back = result.a_to_b, result.b_to_a
    assert there is not None
    assert back is not None
    assert read_estimate(there.estimate, 0.05) is Reading.PREDICTS
    assert there.estimate.value > 0
    assert read_estimate(back.estimate, 0.05) is not Reading.PREDICTS
    for answer in (there, back):
        truth = group.truth(answer.question).value
        assert abs(answer.estimate.value - truth) < 3.5 * answer.estimate.se


def test_order_is_refused_and_so_is_which_is_quicker(result: DesignResult) -> None:
    first = [a for a in result.answers if a.facet is Facet.FIRST]
    assert [a.status for a in first] == [Status.REFUSED]
    peaks = [a for a in result.answers if a.estimand is Estimand.PEAK_LAG and a.direction is not Direction.JOINT]
    assert {a.status for a in peaks} == {Status.REFUSED}
    joint = next(a for a in result.answers if a.id == "diary.peak.joint")
    assert joint.estimate.low < joint.estimate.value < joint.estimate.high


def test_no_two_models_of_one_effect_bear_one_name(result: DesignResult) -> None:
    for direction in (Direction.A_TO_B, Direction.B_TO_A):
        rows = [
            a
            for a in result.answers
            if a.id.startswith(("diary.strength.", "diary.other.")) and a.id.endswith(direction)
        ]
        names = [a.model for a in rows]
        assert len(names) >= 3
        assert len(set(names)) == len(names)


def test_every_answer_says_what_it_is(result: DesignResult) -> None:
    ids = [a.id for a in result.answers]
    assert len(ids) == len(set(ids))
    for answer in result.answers:
        assert answer.design == "diary"
        assert answer.line == "A"
        assert (answer.estimate is None) == (answer.status is not Status.ANSWERED)
        assert bool(answer.status_says) == (answer.status is not Status.ANSWERED)
        if answer.estimate is not None:
            assert answer.estimate.low <= answer.estimate.value <= answer.estimate.high
            assert answer.target
    words = " ".join(a.text for row in result.answers for a in (*row.assumptions, *row.caveats)) + result.methods
    assert "causes" not in words
    assert "proves" not in words


def test_the_course_passes_through_the_headline(result: DesignResult) -> None:
    for direction in (Direction.A_TO_B, Direction.B_TO_A):
        headline = result.headline(direction)
        course = [a for a in result.answers if a.curve == f"diary.{direction}.course"]
        lags = [a.lag_days for a in course]
        assert lags == sorted(lags)
        at = next(a for a in course if a.lag_days == headline.lag_days)
        assert at.estimate.value == pytest.approx(headline.estimate.value, rel=1e-9)
        assert at.estimate.se == pytest.approx(headline.estimate.se, rel=1e-6)


def test_the_contrast_is_the_difference_of_sizes(result: DesignResult) -> None:
    contrast = result.headline(Direction.JOINT)
    there, back = result.a_to_b.estimate.value, result.b_to_a.estimate.value
    assert contrast.estimate.value == pytest.approx(abs(there) - abs(back), abs=1e-9)


def test_tables_are_whole(result: DesignResult) -> None:
    keys = {table.key for table in result.tables}
    assert {"diary.records", "diary.models", "diary.impulse", "diary.plan"} <= keys
    for table in result.tables:
        assert all(len(row) == len(table.columns) for row in table.rows)
    assert result.fits[0].converged
    assert "random over people" in result.methods


def _swapped(records: Records) -> Records:
    return replace(records, pair=records.pair.swapped())


@pytest.fixture(scope="module")
def bare(alone: World) -> DesignResult:
    """The headlines of one person, without the bootstrap."""
    return DESIGN.answer(alone.records, HEADLINE, silent)


def _few(records: Records) -> Records:
    people = records.person < 8
    values = {k: v[people] for k, v in records.values.items()}
    return replace(records, person=records.person[people], time=records.time[people], values=values)


@pytest.mark.parametrize("many", [False, True], ids=["one person", "random usual levels"])
def test_swapping_the_conditions_mirrors_the_answers(
    group: World, alone: World, bare: DesignResult, many: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if many:
        monkeypatch.setattr(design, "fit_pair", plain_only)  # the quicker model: the one person has the other
    records = _few(group.records) if many else alone.records
    one = DESIGN.answer(records, HEADLINE, silent) if many else bare
    other = DESIGN.answer(_swapped(records), HEADLINE, silent)
    for direction in (Direction.A_TO_B, Direction.B_TO_A):
        a, b = one.headline(direction).estimate, other.headline(direction.reversed()).estimate
        assert a.value == pytest.approx(b.value, abs=2e-5)
        assert a.low == pytest.approx(b.low, abs=1e-4)


def test_units_of_the_scales_do_not_matter(alone: World, own: DesignResult, bare: DesignResult) -> None:
    key = alone.records.pair.a.key
    values = {**alone.records.values, key: 10.0 * alone.records.values[key] + 3.0}
    other = DESIGN.answer(replace(alone.records, values=values), HEADLINE, silent)
    assert other.a_to_b.estimate.value == pytest.approx(own.a_to_b.estimate.value, abs=1e-6)
    assert other.a_to_b.estimate.se == pytest.approx(bare.a_to_b.estimate.se, rel=1e-4)
    assert other.a_to_b.estimate.se <= own.a_to_b.estimate.se * (1 + 1e-6)  # the bootstrap only ever widens


def test_one_person_is_told_their_course_and_what_it_would_take(own: DesignResult, alone: World) -> None:
    assert "one_person" in {c.code for c in own.a_to_b.caveats}
    course = next(t for t in own.tables if t.key == "course")
    assert len(course.rows) > 150
    forecast = next(t for t in own.tables if t.key == "diary.forecast").as_dicts()
    gain = {row["direction"]: row["gain in log score"] for row in forecast}
    assert gain["depression to back pain"] > gain["back pain to depression"]
    assert "bootstrap" in own.methods
    assert course.columns[:3] == ("day", "depression", "back pain")
    for place in (0, 1):  # time, both answers, then the band of each
        rows = [(row[1 + place], *row[3 + 2 * place : 5 + 2 * place]) for row in course.rows if row[1 + place]]
        assert 0.88 < np.mean([low <= given <= high for given, low, high in rows]) < 1.0
    plan = next(t for t in own.tables if t.key == "diary.plan")
    assert len(plan.rows) == 2


def test_need_of_a_longer_record() -> None:
    """Half-width 0.2 at estimate 0.1: four times the length shows it; 0.02 of 0.05 is ruled out at (0.2/0.03)²."""
    assert need(0.1, -0.1, 0.3, 0.05).to_show == pytest.approx(4.0)
    assert need(0.02, -0.18, 0.22, 0.05).to_rule_out == pytest.approx((0.2 / 0.03) ** 2)
    assert need(0.0, -0.2, 0.2, 0.05).to_show == float("inf")


@pytest.mark.parametrize(
    ("people", "answers", "part"), [(1, 30, "at least 50"), (20, 10, "at least 20")], ids=["one short", "many short"]
)
def test_short_diaries_are_refused_in_words(people: int, answers: int, part: str) -> None:
    refusal = DESIGN.refuse(world("null", people, answers).records, Settings())
    assert refusal is not None
    assert part in refusal.reason
    assert refusal.mend


def test_what_does_not_move_is_refused(alone: World) -> None:
    key = alone.records.pair.b.key
    records = replace(alone.records, values={**alone.records.values, key: np.ones(alone.records.rows)})
    assert "the same" in DESIGN.refuse(records, Settings()).reason


def test_waves_belong_to_the_panel() -> None:
    panel = simulate("null", people=60, waves=5, seed=1, design="panel")
    assert "panel" in DESIGN.refuse(panel.records, Settings()).mend


def test_a_floor_is_said(alone: World) -> None:
    key = alone.records.pair.b.key
    values = alone.records.values[key]
    floored = np.maximum(values, np.nanquantile(values, 0.6))
    records = replace(alone.records, values={**alone.records.values, key: floored})
    run = made(alone.records)
    for recorded, said in ((alone.records, False), (records, True)):
        found = caveats_of(set_up(recorded), run.models, run.lags, None)
        assert ("floor" in {c.code for c in found}) is said


def test_an_unseen_common_cause_is_said() -> None:
    shared = world("shared-cause", 20, 25, seed=4)
    answer = DESIGN.answer(shared.records, QUICK, silent)
    reads = [read_estimate(a.estimate, 0.05) for a in (answer.a_to_b, answer.b_to_a)]
    said = "common_cause" in {c.code for c in (*answer.a_to_b.caveats, *answer.b_to_a.caveats)}
    assert said or Reading.PREDICTS not in reads


def test_missing_by_state_is_said(group: World, result: DesignResult) -> None:
    """Answers on B go missing when A was high at the prompt before."""
    records = group.records
    a, b = (records.values[c.key] for c in (records.pair.a, records.pair.b))
    rng = np.random.default_rng(1)
    last = np.nan_to_num(np.r_[0.0, a[:-1]])
    gone = rng.random(b.size) < 0.6 / (1 + np.exp(-2.5 * (last - np.nanmean(a)) / np.nanstd(a)))
    changed = replace(records, values={**records.values, records.pair.b.key: np.where(gone, np.nan, b)})
    found = DESIGN.answer(changed, HEADLINE, silent)
    assert "missing_by_state" in {c.code for c in found.a_to_b.caveats}
    plain = result.a_to_b
    assert "missing_by_state" not in {c.code for c in plain.caveats}


def test_answers_of_the_same_minute_are_one_look(alone: World) -> None:
    records = alone.records
    twice = np.repeat(np.arange(records.rows), 2)
    doubled = replace(
        records,
        person=records.person[twice],
        time=records.time[twice],
        values={k: v[twice] for k, v in records.values.items()},
    )
    setup = set_up(doubled)
    assert setup.series.rows == set_up(records).series.rows


def test_stated_columns_that_change_are_phases(alone: World) -> None:
    records = alone.records
    half = (records.time > np.median(records.time)).astype(float)
    stated = replace(
        records, values={**records.values, "taper": half}, roles=replace(records.roles, covariates=("taper",))
    )
    setup = set_up(stated)
    assert setup.phases == ("taper=1",)
    assert setup.series.inputs.shape == (setup.series.rows, 1)


def test_lags_are_chosen_before_estimates_and_named(alone: World) -> None:
    lags = choose_lags(set_up(alone.records), ())
    assert lags.headline in lags.curve
    assert lags.headline_words in ("an hour", "three hours", "six hours")
    assert choose_lags(set_up(alone.records), (0.5,)).headline_words == "half a day"
    assert lag_words(1.0, in_days=False) == "one occasion"


def test_a_pathway_gives_parts_that_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The indirect effect of three processes; peaks of the two directions are now two questions."""
    seen = world("only-sleep", 1, 100, seed=3)
    monkeypatch.setattr(pathways, "fit_pair", plain_only)  # an identity of any fit: the quicker one will do
    key = next(k for k in seen.records.roles.pathways if k in seen.records.values)
    run = made(seen.records)
    rows, (course,) = pathway_answers(run, key)
    parts = {a.estimand: a.estimate for a in rows if a.direction is Direction.A_TO_B and a.facet is Facet.PATHWAY}
    total = parts[Estimand.DIRECT].value + parts[Estimand.INDIRECT].value
    assert parts[Estimand.TOTAL].value == pytest.approx(total, abs=1e-9)
    assert len([a for a in rows if a.estimand is Estimand.PEAK_LAG]) == 2
    told = course.as_dicts()
    assert len(told) == 2 * run.lags.curve.size
    for row in told:
        assert row["total"] == pytest.approx(row["direct"] + row["indirect"], abs=1e-9)
        assert row["indirect: low"] <= row["indirect"] <= row["indirect: high"]
    there = next(r for r in told if r["days later"] == run.lags.headline and r["direction"].startswith("depression"))
    assert there["total"] == parts[Estimand.TOTAL].value


@pytest.mark.parametrize("waves", [None, 12])
def test_one_person_is_not_sent_to_a_panel(alone: World, waves: int | None) -> None:
    """Too few answers of one person: more of them are asked for, never people, waves or another design."""
    records, few = alone.records, slice(0, 12)
    short = replace(
        records,
        person=records.person[few],
        time=np.arange(12.0) if waves else records.time[few],
        values={k: v[few] for k, v in records.values.items()},
        wave=np.arange(12) if waves else None,
        wave_days=np.arange(12.0) if waves else None,
    )
    refused = DESIGN.refuse(short, Settings())
    assert "at least 50" in refused.reason
    for other in (PanelDesign(), OnsetDesign()):
        refused = other.refuse(short, Settings())
        assert "one person" in refused.reason
        assert "--" not in refused.mend


def test_errors_that_leave_a_process_no_shocks_do_not_speak(alone: World) -> None:
    """Where the noise has eaten every shock of a process, what is left is a clockwork fitted to chance."""
    plain, with_error = fit_pair(set_up(alone.records))
    assert choose(plain, with_error) is with_error
    eaten = replace(with_error, fit=replace(with_error.fit, at_limit=("diffusion_root[back_pain,back_pain]",)))
    assert choose(plain, eaten) is plain
    held = replace(with_error, fit=replace(with_error.fit, at_limit=("noise[back_pain]",)))
    assert choose(plain, held) is held
