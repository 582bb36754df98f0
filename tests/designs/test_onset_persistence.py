"""Recent and lasting as two states: against brute force, R's msm, simulated truth, and what must be refused."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import expm

from bothways.designs.onset import OnsetDesign
from bothways.designs.onset.estimation import Fits
from bothways.designs.onset.models import plain
from bothways.designs.onset.persistence import Persistence, fit_stages, persistence
from bothways.designs.onset.room import room_of
from bothways.designs.onset.setup import prepare
from bothways.designs.onset.stages import STATES, Staged, stage_column, staged, told_by_visits, why_not
from bothways.designs.onset.turning import FATES, episode_after
from bothways.designs.onset.whom import values_at
from bothways.engine.chain.fit import PlainTarget, fit
from bothways.engine.chain.graph import graph
from bothways.engine.chain.likelihood import ChainModel, evaluate
from bothways.engine.chain.predictor import predictor
from bothways.engine.chain.sequences import ENTERED, SEEN, observe, sequences
from bothways.intake.circumstances import lasting_for
from bothways.simulation import Observation, World, simulate
from bothways.simulation.catalogue import find
from bothways.simulation.kernels import A_OFF, A_ON, CHRONIC_ON
from bothways.simulation.lives import YEAR, live_people
from bothways.terms.answer import Answer, Estimand, Status
from bothways.terms.progress import silent
from bothways.terms.question import Direction, Facet
from bothways.terms.records import Records
from bothways.terms.settings import Settings
from bothways.terms.topic import Circumstance, Topic

PLAIN = Settings()
STAYS = find("persistence").onset
MSM = json.loads((Path(__file__).parents[1] / "reference" / "persistence.json").read_text("utf-8"))
EVERY = ("0>O", "R>OR", "L>OL", "O>0", "OR>R", "OL>L", "0>R", "O>OR", "R>L", "OR>OL", "R>0", "OR>O", "L>0", "OL>O")


@cache
def world(name: str = "persistence", people: int = 2000, **how: object) -> World:
    return simulate(name, people=people, waves=6, seed=11, design="onset", observation=Observation(**how))  # type: ignore[arg-type]


def told(records: Records, asked: Settings = PLAIN) -> Persistence:
    setup = prepare(records, asked)
    chain = plain(setup)
    return persistence(room_of(setup, asked, Fits(chain, chain)))


def made_of(records: Records) -> Staged:
    setup, found = prepare(records, PLAIN), stage_column(records)
    assert found is not None
    values = values_at(setup, found[1])
    assert values is not None
    assert why_not(setup, found[0], values) == ""
    return staged(setup, *found, values)


def rows_of(found: Persistence) -> dict[str, Answer]:
    return {a.id.removeprefix("onset.persistence."): a for a in found.answers}


def generator(rates: dict[str, float], mortal: bool) -> np.ndarray:
    names = (*STATES, "D") if mortal else STATES
    q = np.zeros((len(names), len(names)))
    for edge, rate in rates.items():
        r, s = (names.index(x) for x in edge.split(">"))
        q[r, s] = rate
    return q - np.diag(q.sum(axis=1))


def brute(records: Records, rates: dict[str, float], death: dict[int, float]) -> float:
    """log P of what each person showed after their first known state, from the definition and dense exponentials."""
    q, total = generator(rates, bool(death)), 0.0
    a, b, c = (records.values[key] for key in ("depression", "back_pain", "chronic_pain"))
    for person in range(records.people):
        p, before = None, 0.0
        for i in np.flatnonzero(records.person == person):
            if np.isnan(a[i]) and np.isnan(b[i]) and not death:
                continue
            fits = np.zeros(len(q))
            for k in range(6):
                ill, stage = k >= 2, k // 2
                same = np.isnan(a[i]) or k % 2 == a[i]
                same &= bool(np.isnan(b[i]) or ill == bool(b[i]))
                same &= not ill or np.isnan(c[i]) or (stage == 2) == bool(c[i])
                fits[k] = same
            years = records.time[i] / 365.25
            if p is None:
                if fits.sum() == 1:  # what a person showed before is given, and not part of the likelihood
                    p = fits
            else:
                p = (p @ expm(q * (years - before))) * fits
            before = years
        if p is None:
            continue
        if person in death:
            p = p @ expm(q * (death[person] / 365.25 - before))
            total += np.log(p[:6] @ q[:6, 6])
        else:
            total += np.log(p.sum())
    return float(total)


def few(mortal: bool) -> Records:
    """Some people of a world, with gaps in every column; the world's people mirrored where deaths are wanted."""
    rates = replace(STAYS, death=0.06 if mortal else 0.0)
    records = simulate(
        "persistence", people=60, waves=6, seed=5, design="onset", rates=rates, observation=Observation(missing=0.25)
    ).records
    return replace(records, roles=replace(records.roles, covariates=()))


@pytest.mark.parametrize("mortal", [False, True])
def test_the_likelihood_is_that_of_the_definition(mortal: bool) -> None:
    records = few(mortal)
    made = made_of(records)
    model = ChainModel(predictor(made.states), sequences(made.states, made.seen))
    rng = np.random.default_rng(2)
    theta = rng.normal(-0.7, 0.4, len(model.names))
    rates = dict(zip(made.states.transitions, np.exp(theta), strict=True))
    dead = records.events.get("death")
    death = {} if dead is None else dict(zip(dead.person.tolist(), dead.time.tolist(), strict=True))
    assert bool(death) == mortal
    assert (made.seen.seen >= made.states.size).sum() > 20
    assert evaluate(model, theta).loglik == pytest.approx(brute(records, rates, death), rel=1e-9)


def of_msm(case: str) -> ChainModel:
    told, mortal = MSM[case]["data"], case == "death"
    edges = tuple(MSM[case]["rates"])
    states = graph((*STATES, "D") if mortal else STATES, edges)
    code = np.array(told["state"]) - 1
    masks = np.array([[0, 0, 1, 0, 1, 0], [0, 0, 0, 1, 0, 1.0]])
    code = np.where(code == 97, 6, np.where(code == 98, 7, code))
    kind = np.where(mortal & (code == 6), ENTERED, SEEN)
    unit = np.unique(told["subject"], return_inverse=True)[1]
    seen = observe(unit, np.array(told["time"]), code, states=states.size, kind=kind,
                   masks=masks if case == "unknown" else None)  # fmt: skip
    return ChainModel(predictor(states), sequences(states, seen))


@pytest.mark.parametrize("case", ["alive", "death", "unknown"])
def test_the_likelihood_is_that_of_msm(case: str) -> None:
    model = of_msm(case)
    theta = np.log([MSM[case]["rates"][t] for t in model.predictor.graph.transitions])
    assert -2 * evaluate(model, theta).loglik == pytest.approx(MSM[case]["at"], rel=1e-6)


def test_the_fit_is_never_worse_than_that_of_msm() -> None:
    found = fit(of_msm("alive"))
    assert -2 * found.loglik <= MSM["alive"]["fitted"] * (1 + 1e-9)
    assert -2 * found.loglik == pytest.approx(MSM["alive"]["fitted"], abs=1e-2)


@pytest.mark.parametrize("name", ["persistence", "persistence-null"])
def test_a_large_world_shows_its_truth(name: str) -> None:
    big = world(name, 30_000)
    rows = rows_of(told(big.records))
    assert len(rows) == 9
    for a in rows.values():
        e = a.estimate
        assert e is not None
        true = big.truth(replace(a.question, horizon=a.horizon_days), a.estimand).value
        slack = 0.35 * (e.high - e.low)
        assert e.low - slack < true < e.high + slack, a.id
    turns = rows["turns_lasting"].estimate
    assert turns is not None
    assert (turns.low > 1.5) == (name == "persistence")


def test_the_truth_is_the_worlds_own_rates_and_what_is_counted_in_it() -> None:
    """Exact truth against the world's definition: one year of two competing rates, depression coming and going."""
    one = world()
    rows = rows_of(told(one.records))
    ask = rows["turns_lasting"]
    assert one.truth(ask.question).value == pytest.approx(2.0)
    assert world("persistence-null").truth(ask.question).value == pytest.approx(1.0)
    r = STAYS
    q = np.zeros((4, 4))  # recent, recent and depressed, chronic, ended
    q[0, 1], q[0, 2], q[0, 3] = r.depression_onset, r.persistence, r.back_pain_recovery
    q[1, 0], q[1, 2], q[1, 3] = r.depression_recovery, 2 * r.persistence, r.back_pain_recovery
    reached = expm(q - np.diag(q.sum(axis=1)))[:, 2]
    for key, start in (("within.with", 1), ("within.without", 0)):
        question = replace(rows[key].question, horizon=365.25)
        assert one.truth(question, Estimand.STATE_PROBABILITY).value == pytest.approx(reached[start], abs=1e-9)


@settings(max_examples=25)
@given(st.lists(st.floats(-3, 1.5), min_size=14, max_size=14), st.floats(0.05, 5))
def test_an_episode_has_one_fate(logs: list[float], years: float) -> None:
    states = graph(STATES, EVERY)
    rates = np.exp(np.array(logs))
    by_name = dict(zip(EVERY, rates, strict=True))
    q = np.zeros((4, 4))
    q[0] = [0, by_name["R>OR"], by_name["R>L"], by_name["R>0"]]
    q[1] = [by_name["OR>R"], 0, by_name["OR>OL"], by_name["OR>O"]]
    p = expm((q - np.diag(q.sum(axis=1))) * years)
    for k, start in enumerate(("R", "OR")):
        fates = episode_after(states, years, start, FATES)(rates)
        assert fates[:3] == pytest.approx([p[k, 2], p[k, 3], p[k, 0] + p[k, 1]], abs=1e-9)
        assert fates.sum() == pytest.approx(1.0)


def test_swapping_the_pair_mirrors_the_answers() -> None:
    records = world().records
    there, back = rows_of(told(records)), rows_of(told(replace(records, pair=records.pair.swapped())))
    assert there.keys() == back.keys()
    for key, a in there.items():
        assert back[key].direction is a.direction.reversed()
        assert a.estimate is not None
        assert back[key].estimate is not None
        assert back[key].estimate.low == pytest.approx(a.estimate.low, rel=1e-5)  # type: ignore[union-attr]
    assert there["turns_lasting"].direction is Direction.A_TO_B
    assert {a.facet for a in there.values()} == {Facet.PERSISTENCE}


def derived(records: Records) -> Records:
    lasting = lasting_for(records.person, records.time, records.values["back_pain"], 90.0)
    return replace(records, values={**records.values, "chronic_pain": lasting})


def test_a_stage_made_of_the_same_answers_is_refused_with_its_reason() -> None:
    records = world().records
    person, time, pain = records.person, records.time, records.values["back_pain"]
    assert not told_by_visits(person, time, pain, records.values["chronic_pain"])
    assert told_by_visits(person, time, pain, derived(records).values["chronic_pain"])
    (row,) = told(derived(records)).answers
    assert row.status is Status.REFUSED
    assert row.direction is Direction.A_TO_B
    assert "made from the same answers" in row.status_says


def test_what_such_a_stage_would_have_said_depends_on_the_visits() -> None:
    """Why it is refused: seen every other year instead of every year, nearly nobody would ever be recent twice."""
    records = derived(world("persistence-null").records)
    setup, found = prepare(records, PLAIN), stage_column(records)
    assert found is not None
    values = values_at(setup, found[1])
    assert values is not None
    moves = staged(setup, *found, values).moves
    assert moves[2:4, 2:4].sum() == 0
    assert moves[2:4, 4:6].sum() > 100


def test_dated_records_and_few_passages_are_refused() -> None:
    dated = world(seen="dated").records
    dated = replace(
        dated,
        values={**dated.values, "chronic_pain": dated.values["back_pain"]},
        roles=replace(dated.roles, stages={"back_pain": "chronic_pain"}),
    )
    (row,) = told(dated).answers
    assert "not when it became lasting" in row.status_says
    some = simulate("persistence", people=40, waves=3, seed=2, design="onset").records
    (row,) = told(some).answers
    assert row.status is Status.REFUSED
    assert "at least 10 are needed" in row.status_says


def test_a_ratio_of_few_events_is_refused_and_the_others_stand() -> None:
    small = simulate("persistence", people=150, waves=5, seed=4, design="onset").records
    rows = rows_of(told(small))
    refused = [a for a in rows.values() if a.status is Status.REFUSED]
    assert refused
    assert all("at least 5 of each are needed" in a.status_says and a.estimate is None for a in refused)
    assert any(a.estimate for a in rows.values())


def test_the_column_is_found_by_its_role_or_by_the_topic_alone() -> None:
    records = world().records
    bare = replace(records, roles=replace(records.roles, stages={}))
    assert stage_column(bare) is None
    assert told(bare).answers == ()
    told_of = Circumstance("chronic_pain", "lasting", "", "", needs=("chronic",), stage_of="back_pain")
    topic = Topic("t", "t", records.pair, {}, circumstances=(told_of,))
    assert stage_column(replace(bare, topic=topic)) == (records.pair.b, "chronic_pain")
    named = {"Chronic" if k == "chronic_pain" else k: v for k, v in records.values.items()}
    assert stage_column(replace(bare, topic=topic, values=named)) == (records.pair.b, "Chronic")


def test_lasting_where_it_is_absent_is_not_heeded_but_said() -> None:
    records = world().records
    absent = np.flatnonzero(records.values["back_pain"] == 0)[::50]
    wrong = records.values["chronic_pain"].copy()
    wrong[absent] = 1.0
    found = told(replace(records, values={**records.values, "chronic_pain": wrong}))
    clean = rows_of(told(records))
    for key, a in rows_of(found).items():
        assert a.estimate == clean[key].estimate
        assert any(c.code == "lasting_while_absent" and f"{absent.size:,}" in c.text for c in a.caveats)


def test_errors_are_robust_by_person() -> None:
    """Everybody twice halves the variance where they are strangers, and says nothing new where they are the same."""
    made = made_of(world().records)
    one = fit_stages(made).log_ratio("OR>OL", "R>L")[1]
    unit = np.r_[made.seen.unit, made.seen.unit + made.setup.people + 1]
    assert isinstance(fit_stages(made).target, PlainTarget)
    seen = replace(made.seen, **{k: np.r_[x, x] for k, x in (("time", made.seen.time), ("seen", made.seen.seen),
                   ("kind", made.seen.kind))}, x=np.vstack([made.seen.x] * 2), unit=unit)  # type: ignore[arg-type]  # fmt: skip
    two = fit_stages(replace(made, seen=seen)).log_ratio("OR>OL", "R>L")[1]
    assert one / two == pytest.approx(np.sqrt(2), rel=1e-3)


def test_the_headline_does_not_move_and_quick_runs_leave_it_out() -> None:
    records = simulate("persistence", people=250, waves=5, seed=3, design="onset").records
    bare = replace(records, roles=replace(records.roles, by=(), stages={}))
    records = replace(bare, roles=replace(bare.roles, stages={"back_pain": "chronic_pain"}))
    whole = OnsetDesign().answer(records, PLAIN, silent)
    assert len([a for a in whole.answers if a.facet is Facet.PERSISTENCE]) == 9
    assert [f.model for f in whole.fits][-1] == "stages"
    assert {"onset_stages_moves", "onset_stages_rates", "onset_stages_episode"} <= {t.key for t in whole.tables}
    assert "apart from onset" in whole.methods
    for quick in (Settings(quick=True), Settings(quick=True, headline_only=True)):
        left, none = (OnsetDesign().answer(x, quick, silent) for x in (records, bare))
        assert left.answers == none.answers
        assert not [a for a in left.answers if a.facet is Facet.PERSISTENCE]
    own = told(records)
    assert not any(a.facet is not Facet.PERSISTENCE for a in own.answers)


def test_lives_turn_chronic_at_the_rates_that_they_are_said_to() -> None:
    """Passages counted in whole lives over the time at risk, with depression and without."""
    lives = live_people(STAYS, 20_000, 10 * YEAR, "free", np.random.default_rng(8))
    turns, ill, spent = np.zeros(2), np.zeros(20_000, dtype=int), lives.days_in(10 * YEAR)[2:4, 0] / YEAR
    for person, kind, day in zip(lives.person.tolist(), lives.kind.tolist(), lives.time.tolist(), strict=True):
        if kind in (A_ON, A_OFF):
            ill[person] = kind == A_ON
        elif kind == CHRONIC_ON and day < 10 * YEAR:
            turns[ill[person]] += 1
    rates = turns / spent
    assert rates == pytest.approx([STAYS.persistence, 2 * STAYS.persistence], rel=4 / np.sqrt(turns.min()))
