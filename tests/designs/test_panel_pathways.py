"""Pathways of the panel: against the definition, lavaan, simulated truth; what is refused; hidden causes."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from tests.designs.panel_records import PAIR, REFERENCE, records_of, simulated_scores

from bothways.designs.panel import PanelDesign
from bothways.designs.panel.design import fit_all
from bothways.designs.panel.mediators import mediators_of, together
from bothways.designs.panel.pathway_answers import estimate_of, pathway_answers, pathways_of
from bothways.designs.panel.pathways import Mediated, legs_by_name, legs_function, mediated, small_sample
from bothways.designs.panel.room import Room
from bothways.designs.panel.sensitivity import sensitivity
from bothways.designs.panel.setup import prepare
from bothways.engine.inference import delta_method
from bothways.engine.moments import implied_moments
from bothways.simulation import simulate
from bothways.terms.answer import Answer, DesignResult, Estimand, Status
from bothways.terms.progress import silent
from bothways.terms.question import Condition, Direction, Facet, Pair
from bothways.terms.records import Records
from bothways.terms.settings import Settings
from bothways.terms.verdict import Word
from bothways.verdicts.rules import CAVEATS

FORTH, BACK = Direction.A_TO_B, Direction.B_TO_A
QUICK = Settings(quick=True)
ALONE = Settings(headline_only=True)
B3 = np.array([[0.3, 0.05, 0.05], [0.1, 0.3, 0.3], [0.35, 0.0, 0.25]])  # depression -> sleep -> back pain


def chain_of(
    people: int, waves: int = 4, seed: int = 0, B: np.ndarray = B3, hidden: float = 0.0, missing: float = 0.0
) -> dict[str, np.ndarray]:
    """A panel drawn step by step; ``hidden`` correlates what is new in sleep with what is next new in pain."""
    random = np.random.default_rng(seed)
    trait = random.normal(size=(people, 3))
    state, y = random.normal(size=(people, 3)), np.empty((people, waves, 3))
    before = random.normal(size=people)
    for t in range(-8, waves):
        new = random.normal(size=(people, 3))
        new[:, 1] = hidden * before + np.sqrt(1 - hidden**2) * new[:, 1]
        before = new[:, 2]
        state = state @ B.T + new
        if t >= 0:
            y[:, t] = trait + state
    y[random.random(y.shape) < missing] = np.nan
    return {"depression": y[..., 0], "back_pain": 5 + 3 * y[..., 1], "sleep": 2 * y[..., 2]}


def room_of(records: Records, how: Settings = ALONE) -> Room:
    return replace(fit_all(prepare(records), ALONE, silent), settings=how)


@cache
def found(missing: float = 0.05) -> tuple[Room, Mediated]:
    room = room_of(records_of(chain_of(800, missing=missing), pathways=("sleep",)))
    return room, mediated(room, ("sleep",))


def ask(records: Records, how: Settings = QUICK) -> DesignResult:
    return PanelDesign().answer(records, how, silent)


def row(result: DesignResult, id_end: str) -> Answer:
    return next(a for a in result.answers if a.id == f"panel.pathway.{id_end}")


def table(result: DesignResult, key: str) -> list[dict[str, object]]:
    one = next(t for t in result.tables if t.key == key)
    return [dict(zip(one.columns, line, strict=True)) for line in one.rows]


# ---- the definition


def test_parts_are_products_of_the_fitted_lags() -> None:
    """Each part from the raw lags and the implied variances, entry by entry; direct with the mediator's row and
    column set to nil."""
    _, model = found()
    path, alpha = model.fitted.fit.model, model.fitted.fit.alpha
    B = np.array([[model.fitted.fit.estimates[f"B{i}{j}"] for j in (1, 2, 3)] for i in (1, 2, 3)])
    omega = implied_moments(path.structure, path.cells(alpha)[0]).omega
    sd = np.sqrt(np.diag(omega))[np.array(path.lagged)]
    without = B.copy()
    without[2], without[:, 2] = 0.0, 0.0
    for way, (y, x) in ((FORTH, (1, 0)), (BACK, (0, 1))):
        ratio = np.mean([sd[t, x] / sd[t + 2, y] for t in (0, 1)])
        truth = {
            Estimand.TOTAL: (B @ B)[y, x] * ratio,
            Estimand.DIRECT: (without @ without)[y, x] * ratio,
            Estimand.INDIRECT: B[y, 2] * B[2, x] * ratio,
            Estimand.FIRST_LEG: np.mean([B[2, x] * a[x] / b[2] for a, b in pairwise(sd)]),
            Estimand.SECOND_LEG: np.mean([B[y, 2] * a[2] / b[y] for a, b in pairwise(sd)]),
        }
        assert model.legs is not None
        for part, value in truth.items():
            assert float(model.parts(model.legs, part, way, ("sleep",))) == pytest.approx(value, abs=1e-12)


def test_within_a_wave_the_first_leg_is_a_slope_of_what_is_new() -> None:
    _, model = found()
    assert model.legs is not None
    path, fit = model.fitted.fit.model, model.fitted.fit
    implied = implied_moments(path.structure, path.cells(fit.alpha)[0])
    values = []
    for t in (1, 2):
        at, later = path.lagged[t], path.lagged[t + 1]
        slope = implied.S[at[2], at[0]] / implied.S[at[0], at[0]]
        sd = np.sqrt([implied.omega[at[0], at[0]], implied.omega[later[1], later[1]]])
        values.append(slope * fit.estimates["B23"] * sd[0] / sd[1])
    assert float(model.legs.same_wave(FORTH, [2])) == pytest.approx(np.mean(values), abs=1e-12)


def test_limits_are_those_of_a_product_of_normal_legs() -> None:
    """a·b of two normal estimates, drawn here by another road: limits, error, and their skew."""
    room, model = found()
    e = estimate_of(model, room, Estimand.INDIRECT, FORTH, ("sleep",))
    legs = [estimate_of(model, room, part, FORTH, ("sleep",)) for part in (Estimand.FIRST_LEG, Estimand.SECOND_LEG)]
    random = np.random.default_rng(9)
    a, b = (random.normal(leg.value, leg.se, 400_000) for leg in legs)
    low, high = np.quantile(a * b, [0.025, 0.975])
    assert (e.low, e.high) == pytest.approx((low, high), abs=0.15 * e.se)
    assert e.se == pytest.approx(float(np.std(a * b)), rel=0.1)
    assert e.high - e.value > e.value - e.low  # a product of two positive legs leans upwards


def test_the_scores_that_a_person_gave_are_taken_off_the_people() -> None:
    """The error of a leg by the delta method, widened by n/(n − p) with p = 3 scores at 4 waves and n = 120."""
    room = room_of(records_of(chain_of(120, seed=12), pathways=("sleep",)))
    model = mediated(room, ("sleep",))
    assert model.fitted.errors is not None
    plain = delta_method(legs_function(model.fitted), model.fitted.fit, model.fitted.errors.covariance)
    places = legs_by_name(np.arange(plain.value.size, dtype=float), 3).out[:, 2, 0].astype(int)
    narrow = float(np.sqrt(plain.covariance[np.ix_(places, places)].mean()))
    e = estimate_of(model, room, Estimand.FIRST_LEG, FORTH, ("sleep",))
    assert e.se / narrow == pytest.approx(np.sqrt(120 / 108), abs=0.02)  # 1.054, and the noise of 10,000 draws
    assert small_sample(120, 12) == pytest.approx(120 / 108)
    assert small_sample(30, 35) == 2.0


def test_people_resampled_give_nearly_the_same_limits() -> None:
    room = room_of(records_of(chain_of(500, seed=3), pathways=("sleep",)), Settings(bootstrap=300, workers=1))
    again, plain = mediated(room, ("sleep",)), mediated(replace(room, settings=ALONE), ("sleep",))
    assert again.resampled
    assert not plain.resampled
    one, other = (estimate_of(m, room, Estimand.INDIRECT, FORTH, ("sleep",)) for m in (again, plain))
    assert one.value == other.value
    assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=0.4 * other.se)


def test_one_drift_over_uneven_gaps_is_a_matrix_exponential() -> None:
    records = records_of(chain_of(600, waves=4, seed=2), days=(0, 90, 180, 290), pathways=("sleep",))
    model = mediated(room_of(records), ("sleep",))
    assert model.fitted.form.lags == "drift"
    assert model.legs is not None
    D = np.array([[model.fitted.fit.estimates[f"D{i}{j}"] for j in (1, 2, 3)] for i in (1, 2, 3)])
    values, vectors = np.linalg.eig(D)
    step = (vectors @ np.diag(np.exp(values)) @ np.linalg.inv(vectors)).real
    path = model.fitted.fit.model
    omega = implied_moments(path.structure, path.cells(model.fitted.fit.alpha)[0]).omega
    sd = np.sqrt(np.mean(np.diag(omega)[np.array(path.lagged)], axis=0))
    assert float(model.legs.total(FORTH)) == pytest.approx((step @ step)[1, 0] * sd[0] / sd[1], rel=1e-9)
    assert float(model.legs.indirect(FORTH, [2])) == pytest.approx(step[1, 2] * step[2, 0] * sd[0] / sd[1], rel=1e-9)


# ---- lavaan


def test_products_are_those_of_lavaan() -> None:
    """FIML with a tenth of the answers missing. Values to 1e-5, robust errors of the raw products to 1e-3."""
    with (REFERENCE / "pathways" / "pathways.csv").open() as lines:
        data = list(csv.DictReader(lines))
    wide = {k: np.array([[float(r[f"{k}{t}"] or "nan") for t in range(1, 5)] for r in data]) for k in ("x", "m", "y")}
    told = json.loads((REFERENCE / "pathways" / "pathways.json").read_text())
    pair = Pair(Condition("x", "x"), Condition("y", "y"))
    room = room_of(records_of(wide, pair=pair, pathways=("m",)))
    model = mediated(room, ("m",))
    assert model.legs is not None
    assert model.fitted.form.lags == "equal"
    for name, way in (("forth", FORTH), ("back", BACK)):
        for part, value in told["standardised"][name].items():
            assert float(model.parts(model.legs, Estimand(part), way, ("m",))) == pytest.approx(value, abs=1e-5)
    places = {name: model.fitted.fit.model.parameters.index(name) for name in ("B31", "B23", "B32", "B13")}
    s = model.setup.scale
    assert model.fitted.errors is not None
    for name, legs, unit in (("forth", ("B31", "B23"), s[1] / s[0]), ("back", ("B32", "B13"), s[0] / s[1])):
        a, b = (places[leg] for leg in legs)
        raw = delta_method(
            lambda x, a=a, b=b: x[..., [a]] * x[..., [b]], model.fitted.fit, model.fitted.errors.covariance
        )
        assert float(raw.value[0]) * unit == pytest.approx(told["raw"][name], abs=1e-5)
        assert float(raw.error[0]) * unit == pytest.approx(told["errors"][name], rel=1e-3)


# ---- worlds


def test_the_one_mediator_that_carries_is_named_and_the_others_are_not() -> None:
    world = simulate("only-sleep", people=2500, seed=4)
    result = ask(world.records)
    for key in world.records.roles.pathways:
        e = row(result, f"{key}.indirect.b_to_a").estimate
        assert e is not None
        assert (e.p < 0.001) == (key == "sleep")  # type: ignore[operator]  # each other one has its 5 % of chance
    sleep = row(result, "sleep.indirect.b_to_a").estimate
    assert sleep is not None
    assert sleep.low < float(world.truth(row(result, "sleep.indirect.b_to_a").question)) < sleep.high
    whole = row(result, "+".join(world.records.roles.pathways) + ".indirect.b_to_a")
    assert whole.headline
    assert not row(result, "sleep.indirect.b_to_a").headline
    assert row(result, "sleep.first_leg.b_to_a").lag_days == 180
    assert row(result, "sleep.total.b_to_a").lag_days == 360


def test_parts_add_up_and_a_direct_effect_is_said_not_to_be_the_total() -> None:
    result = ask(records_of(chain_of(600, seed=5), pathways=("sleep",)))
    parts = {p: row(result, f"sleep.{p}.a_to_b").estimate for p in ("total", "direct", "indirect")}
    assert parts["total"].value == pytest.approx(parts["direct"].value + parts["indirect"].value)  # type: ignore[union-attr]
    assert any("does not make" in a.text for a in row(result, "sleep.direct.a_to_b").assumptions)
    strength = next(
        a.evidence for a in row(result, "sleep.indirect.a_to_b").assumptions if "later" in a.text and a.evidence
    )
    assert "hidden cause" in strength
    headlines = [a for a in result.answers if a.facet is Facet.PATHWAY and a.headline]
    assert [a.id for a in headlines] == ["panel.pathway.sleep.indirect.a_to_b", "panel.pathway.sleep.indirect.b_to_a"]


def test_the_pair_may_be_named_the_other_way_round() -> None:
    scores = chain_of(500, seed=6)
    forth = ask(records_of(scores, pathways=("sleep",)))
    back = ask(records_of(scores, pair=PAIR.swapped(), pathways=("sleep",)))
    for part in ("total", "direct", "indirect", "first_leg", "indirect.same_wave"):
        one, other = row(forth, f"sleep.{part}.a_to_b").estimate, row(back, f"sleep.{part}.b_to_a").estimate
        assert one is not None
        assert other is not None
        assert one.value == pytest.approx(other.value, abs=1e-5)
        assert one.low == pytest.approx(other.low, abs=0.1 * one.se)


def test_a_rival_that_drives_both_is_told_from_a_mediator() -> None:
    """Anxiety leads to both and neither to the other: with it the lag between them goes."""
    result = ask(simulate("anxiety-rival", people=4000, seed=2).records)
    driver = table(result, "panel_common_drivers")[0]
    assert driver["low"] > 0  # type: ignore[operator]
    assert driver["low of it"] > 0  # type: ignore[operator]
    assert driver["p of both"] < 1e-6  # type: ignore[operator]
    for line in table(result, "panel_direct_and_total"):
        assert line["without"] > line["with"]  # type: ignore[operator]
        assert line["low with"] < 0 < line["high with"]  # type: ignore[operator]
    carried = table(ask(records_of(chain_of(3000, seed=8), pathways=("sleep",))), "panel_common_drivers")[0]
    assert carried["p of both"] > 1e-6  # type: ignore[operator]


# ---- a hidden cause


def test_a_hidden_cause_alone_is_undone_at_its_own_correlation() -> None:
    """Sleep leads nowhere, but a hidden cause ties it to later pain: the sensitivity value finds the tie."""
    B = B3.copy()
    B[1, 2] = 0.0
    room = room_of(records_of(chain_of(6000, seed=7, B=B, hidden=0.2), pathways=("sleep",)))
    model = mediated(room, ("sleep",))
    e = estimate_of(model, room, Estimand.INDIRECT, FORTH, ("sleep",))
    assert e.low > 0  # the hidden cause is read as a pathway
    at = sensitivity(model, FORTH, "sleep", 0.95)
    assert at.value == pytest.approx(0.2, abs=0.05)
    assert 0 < at.limit < at.value


def test_an_interval_that_holds_none_needs_no_hidden_cause() -> None:
    room, model = found()
    assert sensitivity(model, BACK, "sleep", 0.95).limit == 0.0
    strong = sensitivity(model, FORTH, "sleep", 0.95)
    assert 0 < strong.limit < strong.value < 1
    lines = table(ask(room.setup.records), "pathway_sensitivity")
    assert [x["sensitivity value"] for x in lines[:2]] == pytest.approx([strong.value, strong.limit], abs=1e-6)


# ---- what is refused


def test_without_three_waves_of_all_three_the_order_is_not_observed() -> None:
    scores = chain_of(300)
    two = {key: x[:, :2] for key, x in scores.items()}
    late = scores | {"sleep": np.where(np.arange(4) < 2, np.nan, scores["sleep"])}
    steady = scores | {"sleep": np.repeat(scores["sleep"][:, :1], 4, axis=1)}
    single = scores | {"sleep": np.where(np.arange(4) == 1, scores["sleep"], np.nan)}
    for given, says in ((two, "there are 2"), (late, "at 2"), (single, "at 1."), (steady, "hardly changes")):
        result = ask(records_of(given, pathways=("sleep",)))
        for way in (FORTH, BACK):
            answer = row(result, f"sleep.indirect.{way}")
            assert answer.status is Status.REFUSED
            assert answer.estimate is None
            assert says in answer.status_says
    once = records_of(simulated_scores(), baseline={"sleep": np.ones(300)}, pathways=("sleep",))
    assert "recorded once" in mediators_of(once).refused["sleep"]


def test_too_many_mediators_for_one_model_are_taken_a_family_at_a_time() -> None:
    scores = simulated_scores(people=400)
    random = np.random.default_rng(0)
    many = {f"m{k}": random.normal(size=(400, 4)) for k in range(8)}
    records = records_of(scores | many, pathways=tuple(many))
    assert together(records, tuple(many), FORTH) == ()
    assert together(records, ("m1", "m2"), FORTH) == ("m1", "m2")
    assert together(records, ("m1",), FORTH) == ()
    few = records_of({k: x[:20] for k, x in (scores | many).items()}, pathways=("m1", "m2"))
    assert together(few, ("m1", "m2"), FORTH) == ()


def test_where_no_model_holds_all_mediators_each_row_says_that_it_stands_alone() -> None:
    random = np.random.default_rng(0)
    two = {f"m{k}": random.normal(size=(12 * 4, 6)) for k in range(3)}
    few = {k: x[:48] for k, x in simulated_scores(people=48, waves=6).items()} | two
    room = room_of(records_of(few, pathways=tuple(two)))
    assert together(room.setup.records, tuple(two), FORTH) == ()
    told = [a for a in pathway_answers(room, pathways_of(room, silent)) if a.status is Status.ANSWERED]
    assert told
    assert all(a.caveats[0].code == "one_mediator_at_a_time" for a in told)


def test_beside_all_together_each_mediator_stands_alone_as_well() -> None:
    room = room_of(simulate("only-sensitivity", people=400, seed=1).records, Settings())
    rows = {a.id: a for a in pathway_answers(room, pathways_of(room, silent))}
    alone = rows["panel.pathway.alone.sensitivity.indirect.a_to_b"]
    assert any(c.code == "one_mediator_at_a_time" for c in alone.caveats)
    quick = replace(room, settings=QUICK)
    assert not any("alone" in a.id for a in pathway_answers(quick, pathways_of(quick, silent)))
    same = rows["panel.pathway.sensitivity.indirect.same_wave.a_to_b"]
    assert same.caveats[0].code == "order_not_observed"
    assert same.lag_days == 180


def test_lags_of_the_two_alone_say_what_they_miss() -> None:
    """Depression reaches pain in two waves by way of sleep alone: a model of the two has nothing of it."""
    late = np.array([[0.4, 0.0, 0.0], [0.0, 0.4, 0.4], [0.4, 0.0, 0.4]])
    for B, missed in ((late, True), (np.diag([0.4, 0.4, 0.4]), False)):
        result = PanelDesign().answer(records_of(chain_of(600, seed=4, B=B), pathways=("sleep",)), QUICK, silent)
        for way in (FORTH, BACK):
            spoken = result.headline(way)
            assert spoken is not None
            told = "missed_without_mediators" in {c.code for c in spoken.caveats}
            assert told or not missed or way is BACK
            assert missed or not told


def test_a_lag_that_its_mediators_contradict_is_rated_down() -> None:
    rule = CAVEATS["missed_without_mediators"]
    assert {Word.PREDICTS, Word.LITTLE} <= rule.words
    assert not rule.of_the_world  # another design's answer does not share this model's fault
