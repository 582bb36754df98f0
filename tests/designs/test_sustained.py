"""The sustained design end to end: known truths, mirrored names, refusals in words, and what its tables must hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bothways.designs.base import Design
from bothways.designs.sustained import SustainedDesign, estimation
from bothways.designs.sustained.grid import grid_of
from bothways.designs.sustained.setup import prepare
from bothways.simulation.sustained_world import GAP, VisitWorld, simulate_visits
from bothways.terms.answer import Answer, DesignResult, Estimand, Status, Table
from bothways.terms.progress import silent
from bothways.terms.question import Condition, Direction, Facet, Kind, Pair, Scale
from bothways.terms.records import Records, Roles, Source, TimeUnit
from bothways.terms.settings import Settings

DESIGN = SustainedDesign()
QUICK = Settings(bootstrap=24)  # so few replicates give normal intervals
ASKED = replace(QUICK, designs=("sustained",))
BOTH = (Direction.A_TO_B, Direction.B_TO_A)


@pytest.fixture(autouse=True, scope="module")
def few_lives() -> Iterator[None]:
    """Fewer simulated lives than a study takes: rougher numbers, in less time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimation, "LIVES", 12_000)
        patch.setattr(estimation, "LIVES_AGAIN", 1)
        yield


@cache
def world(name: str = "only-sleep", states: bool = True, death: bool = False, people: int = 1500) -> VisitWorld:
    made = simulate_visits(name, people, 4, 11, states=states, death=death, leaving=0.03 if death else 0.0)
    keep = made.records.roles.pathways[2:4]  # sleep, which carries, and relationships, which do not
    return replace(made, records=replace(made.records, roles=replace(made.records.roles, pathways=keep)))


@cache
def answered(name: str = "only-sleep", states: bool = True, death: bool = False) -> DesignResult:
    return DESIGN.answer(world(name, states, death).records, QUICK, silent)


def row(result: DesignResult, slug: str) -> Answer:
    return next(a for a in result.answers if a.id == f"sustained.{slug}")


def table(result: DesignResult, key: str) -> Table:
    return next(t for t in result.tables if t.key == key)


def holds(answer: Answer, truth: float, errors: float = 3.0) -> bool:
    """Within so many standard errors of the truth, so that many looks at one world do not fail by chance."""
    assert answer.estimate is not None, answer.status_says
    low, value, _ = answer.estimate.analysis()
    known = np.log(truth) if answer.estimate.scale.is_ratio else truth
    return bool(low < value and abs(value - known) < errors * answer.estimate.se)


def test_it_is_a_design() -> None:
    assert isinstance(DESIGN, Design)
    assert (DESIGN.key, DESIGN.label) == ("sustained", "sustained exposure")
    assert DESIGN.refuse(world().records, QUICK) is None


@pytest.mark.parametrize("states", [True, False])
def test_every_answer_has_its_terms(states: bool) -> None:
    result = answered(states=states)
    assert len({a.id for a in result.answers}) == len(result.answers)
    for answer in result.answers:
        assert answer.target
        assert answer.contrast
        assert answer.line == "A"
        assert answer.horizon_days == answer.question.horizon == 3 * GAP
        assert not answer.headline
        texts = " ".join(a.text for a in answer.assumptions)
        for word in ("unmeasured", "order", "positivity", "consistency", "regressions"):
            assert word in texts
        assert "between_and_within_mixed" in {c.code for c in answer.caveats}
        if answer.facet is Facet.PATHWAY:
            assert answer.question.pathway in ("sleep", "relationships", "sleep+relationships")
            assert "interventional" in texts
        if answer.status is Status.ANSWERED:
            assert answer.estimate is not None
            assert answer.estimate.low <= answer.estimate.value <= answer.estimate.high
    assert {f.status for f in result.fits} == {"converged"}
    assert all(np.isfinite(p.se) for f in result.fits for p in f.parameters)


CASES = [("only-sleep", True, False), ("only-sleep", False, False), ("both-ways", True, True)]


@pytest.mark.parametrize(("name", "states", "death"), CASES)
def test_the_truth_is_near(name: str, states: bool, death: bool) -> None:
    made_up, result = world(name, states, death), answered(name, states, death)
    looked = 0
    for answer in result.answers:
        wanted = answer.estimand in (Estimand.TOTAL, Estimand.DIRECT, Estimand.INDIRECT)
        if wanted and answer.model == "g-formula" and answer.question.pathway in (None, "sleep"):
            truth = made_up.truth(answer.question, answer.estimand)
            assert holds(answer, truth.value), (answer.id, truth)
            looked += 1
    assert looked >= 4


def test_the_mediator_that_carries_is_told_from_the_one_that_does_not() -> None:
    result = answered()
    sleep, rival = (row(result, f"pathway.{key}.indirect.b_to_a").estimate for key in ("sleep", "relationships"))
    assert sleep is not None
    assert rival is not None
    assert sleep.low > 0
    assert abs(rival.value) < 0.35 * sleep.value
    share = row(result, "pathway.sleep.attributable_share.b_to_a").estimate
    legs = [row(result, f"pathway.sleep.{leg}.b_to_a").estimate for leg in ("first_leg", "second_leg")]
    assert share is not None
    assert 0.1 < share.value < 1.1
    assert all(leg is not None and leg.low > 0 for leg in legs)


def test_a_shared_confounder_is_not_taken_for_an_effect() -> None:
    """Anxiety feeds both conditions and so feigns an effect of each on the other where there is none."""
    result = answered("anxiety-rival")
    for direction, words in zip(BOTH, ("depression to back pain", "back pain to depression"), strict=True):
        rows = {r[1]: r[4] for r in table(result, "weighting").rows if r[0] == words}
        assert rows["unweighted"] > 0.04  # type: ignore[operator]
        found = [row(result, f"{m}.risk_difference.{direction}") for m in ("g_formula", "weighting")]
        assert all(holds(answer, 0.0, 2.6) for answer in found)


def test_swapping_the_names_mirrors_every_digit() -> None:
    records = world().records
    plain = answered()
    swapped = DESIGN.answer(replace(records, pair=records.pair.swapped()), QUICK, silent)
    assert len(plain.answers) == len(swapped.answers)
    for answer in plain.answers:
        slug = answer.id.removeprefix("sustained.")
        stem, way = slug.rsplit(".", 1)
        other = row(swapped, f"{stem}.{Direction(way).reversed()}")
        assert answer.estimate == other.estimate
        assert (answer.status, answer.target, answer.contrast) == (other.status, other.target, other.contrast)


def test_the_order_in_which_mediators_are_named_moves_hardly_anything() -> None:
    records = world().records
    turned = replace(records, roles=replace(records.roles, pathways=records.roles.pathways[::-1]))
    other = DESIGN.answer(turned, QUICK, silent)
    for key in ("sleep", "relationships"):
        one, two = (row(r, f"pathway.{key}.indirect.b_to_a").estimate for r in (answered(), other))
        assert one is not None
        assert two is not None
        assert one.value == pytest.approx(two.value, abs=max(one.se, two.se))  # other random numbers


def test_waves_in_other_units_change_the_unit_alone() -> None:
    records = world(states=False).records
    slot = np.rint(records.time / GAP).astype(int)
    waves = replace(records, wave=slot, time=slot.astype(float), time_unit=TimeUnit.WAVE)
    found = row(DESIGN.answer(waves, QUICK, silent), "g_formula.sd_per_sd.a_to_b")
    known = row(answered(states=False), "g_formula.sd_per_sd.a_to_b")
    assert found.estimate == known.estimate
    assert found.horizon_days is None
    assert found.question.horizon == 3
    assert "3 waves" in found.target


def test_the_tables_hold_what_they_promise() -> None:
    result = answered()
    natural = table(result, "natural_course")
    assert {r[1] for r in natural.rows} == {
        "depression",
        "back pain",
        "anxiety",
        "poor sleep",
        "strained relationships",
    }
    assert max(abs(float(r[5])) for r in natural.rows) < 0.08  # type: ignore[arg-type]
    weights = table(result, "weights")
    assert all(0.9 < float(r[3]) < 1.1 for r in weights.rows)  # type: ignore[arg-type]
    undo = table(result, "pathway_sensitivity")
    assert undo.columns == ("pathway", "direction", "indirect", "low", "high", "sensitivity value", "what it means")
    assert {r[0] for r in undo.rows} == {"sleep", "relationships", "sleep+relationships"}
    words = next(r[6] for r in undo.rows if r[0] == "sleep" and r[1] == "back pain to depression")
    assert "risk ratios of" in str(words)
    assert "%" in str(words)  # how common the outcome is
    shares = {r[:2]: r[7] for r in table(result, "pathways").rows}
    assert shares["sleep", "back pain to depression"] is not None


def test_an_e_value_by_hand() -> None:
    """RR = Q(1,1)/Q(1,0) from the table's own means: E = RR + sqrt(RR (RR - 1)) of RR or its inverse."""
    result = answered(states=False)
    undo = {r[:2]: r for r in table(result, "pathway_sensitivity").rows}
    key = ("sleep", "back pain to depression")
    ratio = np.exp(0.91 * float(undo[key][2]))  # type: ignore[arg-type]
    assert undo[key][5] == pytest.approx(ratio + np.sqrt(ratio * (ratio - 1)))


def test_shares_need_a_total_that_is_not_nil() -> None:
    made = simulate_visits("only-sleep", 400, 4, 5)
    roles = replace(made.records.roles, pathways=("medicines",))
    result = DESIGN.answer(replace(made.records, roles=roles), QUICK, silent)
    for direction in BOTH:
        total = row(result, f"pathway.medicines.total.{direction}").estimate
        share = row(result, f"pathway.medicines.attributable_share.{direction}")
        assert total is not None
        clear = not total.low <= 0 <= total.high
        assert (share.status is Status.ANSWERED) == clear
        assert clear or "nothing" in share.status_says


def test_it_speaks_for_itself_only_where_it_was_named() -> None:
    result = DESIGN.answer(world("both-ways", death=True).records, ASKED, silent)
    for direction in BOTH:
        speaker = result.headline(direction)
        assert speaker is not None
        assert speaker.estimand is Estimand.TOTAL
        assert speaker.estimate is not None
        assert speaker.estimate.scale is Scale.RISK_RATIO
        assert speaker.estimate.events is not None
        assert speaker.estimate.events > 10
    assert answered("both-ways", death=True).a_to_b is None


def test_death_is_said_and_counted() -> None:
    result = answered("both-ways", death=True)
    answer = row(result, "g_formula.risk_difference.a_to_b")
    assert "competing_death" in {c.code for c in answer.caveats}
    assert "left_early" in {c.code for c in answer.caveats}
    assert answer.target.startswith("alive and with ")
    rows = {r[:2]: r for r in table(result, "sustained_regimes").rows}
    always, never = (rows["back pain to depression", w] for w in ("always", "never"))
    assert 0.5 < float(always[4]) < float(never[4]) < 1  # type: ignore[arg-type]  # pain shortens lives in this world
    assert "survivors" in rows["depression to back pain", "always less never, survivors"][1]  # type: ignore[operator]


def test_progress_rises_and_the_headline_alone_is_lean() -> None:
    shares: list[float] = []
    result = DESIGN.answer(
        world().records, replace(ASKED, headline_only=True), lambda _stage, share: shares.append(share)
    )
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert len(shares) > 5
    assert result.tables == ()
    assert {a.facet for a in result.answers} == {Facet.STRENGTH}
    assert result.a_to_b is not None
    full = row(answered(), "g_formula.risk_difference.a_to_b").estimate
    lean = row(result, "g_formula.risk_difference.a_to_b").estimate
    assert full is not None
    assert lean is not None
    assert lean.value == pytest.approx(full.value, abs=1e-12)


def made(
    a: np.ndarray, b: np.ndarray, other: np.ndarray | None = None, *, kind: Kind = Kind.STATE, gap: float = 100.0
) -> Records:
    """People x visits of both conditions, and of one covariate."""
    people, visits = a.shape
    values = {"dep": a.ravel().astype(float), "pain": b.ravel().astype(float)}
    roles = Roles("id", "day", ("dep",), ("pain",), ("mood",) if other is not None else ())
    if other is not None:
        values["mood"] = other.ravel().astype(float)
    pair = Pair(Condition("dep", "depression", kind), Condition("pain", "back pain", kind))
    time, person = np.tile(np.arange(visits) * gap, people), np.repeat(np.arange(people), visits)
    return Records(pair, person, time, TimeUnit.DAY, values, roles, Source("made", "0", people * visits, people))


def coins(people: int, visits: int, share: float = 0.4, seed: int = 1) -> np.ndarray:
    return (np.random.default_rng(seed).random((people, visits)) < share).astype(float)


def said(records: Records, settings: Settings = QUICK) -> str:
    refusal = DESIGN.refuse(records, settings)
    return "" if refusal is None else f"{refusal.reason} {refusal.mend}"


def test_it_refuses_in_words() -> None:
    a, b, mood = coins(200, 4), coins(200, 4, seed=2), coins(200, 4, seed=3)
    assert "nothing that changes over time was named" in said(made(a, b))
    assert "--design sustained" in said(made(a, b))
    assert said(made(a, b), ASKED) == ""
    assert said(made(a, b, mood)) == ""
    assert "needs at least 3" in said(made(a[:, :2], b[:, :2], mood[:, :2]))
    assert "50 people" in said(made(a[:20], b[:20], mood[:20]))
    rare = coins(200, 4, 0.02)
    assert "were seen with depression" in said(made(rare, rare[::-1].copy(), mood))
    assert "at most 15" in said(made(coins(60, 40), coins(60, 40, seed=2), coins(60, 40, seed=3)))
    odd = made(a, b, mood)
    days = odd.time + np.where(np.arange(800) % 4 == 0, 0, np.random.default_rng(1).uniform(-49, 49, 800))
    assert "regular" in said(replace(odd, time=days))
    gone = replace(odd, values={k: v for k, v in odd.values.items() if k != "pain"})
    assert "back pain was not recorded" in said(gone)
    assert "same in everyone" in said(made(np.ones((200, 4)), np.zeros((200, 4)), mood))


def test_one_direction_may_be_refused_alone() -> None:
    rare = coins(300, 4, 0.03)
    records = made(rare, coins(300, 4, seed=2), coins(300, 4, seed=3))
    assert said(records) == ""
    result = DESIGN.answer(records, QUICK, silent)
    there, back = ([a for a in result.answers if a.direction is d] for d in BOTH)
    assert [a.status for a in there] == [Status.REFUSED]
    assert "were seen with depression" in there[0].status_says
    assert {a.status for a in back} <= {Status.ANSWERED, Status.FAILED}


def test_what_settles_a_regression_is_a_failure_in_words() -> None:
    a = coins(300, 4)
    b = coins(300, 4, seed=2)
    b[:, 1:] = a[:, :-1]
    result = DESIGN.answer(made(a, b, coins(300, 4, seed=3)), QUICK, silent)
    failed = row(result, "g_formula.risk_ratio.a_to_b")
    assert failed.status is Status.FAILED
    assert "the regression of back pain" in failed.status_says
    assert result.fits[0].status == "failed"


@pytest.mark.parametrize("seed", range(6))
def test_gaps_anywhere_end_in_answers_or_words(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = int(rng.integers(60, 160))
    parts = [coins(people, 4, rng.uniform(0.3, 0.7), seed + k) for k in range(3)]
    for part in parts:
        part[rng.random(part.shape) < rng.uniform(0, 0.3)] = np.nan
    if seed % 2:
        parts[2] = np.where(np.isnan(parts[2]), np.nan, parts[2] + rng.normal(size=parts[2].shape))
    records = made(*parts)
    if said(records):
        assert said(records)[0].islower() or said(records)[0].isdigit()
        return
    result = DESIGN.answer(records, QUICK, silent)
    for answer in result.answers:
        assert answer.estimate is not None or answer.status_says


def test_visits_find_their_place_on_the_grid() -> None:
    records = made(coins(3, 4), coins(3, 4))
    time = records.time.copy()
    time[1], time[5], time[6], time[10] = 140.0, 190.0, 205.0, 325.0
    grid = grid_of(replace(records, time=time))
    assert grid.step == 100
    assert grid.slot.tolist() == [0, -1, 2, 3, 0, -1, 2, 3, 0, 1, 3, -1] or grid.unused == 3
    assert grid.slot[1] == -1  # 40 % of a step away
    assert grid.slot[5] == -1  # the other visit of that place lies nearer
    assert grid.filled(records.values["dep"], records.person).shape == (3, 4)


def test_weights_and_clusters_are_taken() -> None:
    base = world("both-ways", death=True).records
    rng = np.random.default_rng(1)
    extra = {"w": rng.uniform(0.5, 2, base.people), "town": rng.integers(0, 40, base.people).astype(float)}
    records = replace(base, baseline={**base.baseline, **extra}, roles=replace(base.roles, weight="w", cluster="town"))
    setup = prepare(records, QUICK)
    assert setup.weight.mean() == pytest.approx(1)
    assert setup.drawn is not None
    assert setup.drawn.units == 40
    lean = replace(QUICK, headline_only=True)
    one, other = (
        row(DESIGN.answer(r, lean, silent), "g_formula.risk_difference.a_to_b").estimate for r in (records, base)
    )
    assert one is not None
    assert other is not None
    assert one.value != other.value
    assert one.value == pytest.approx(other.value, abs=3 * one.se)


def test_two_occasions_back_and_scores_with_a_cut() -> None:
    records = world(states=False).records
    cut = replace(QUICK, cuts={"depression": 0.5, "back_pain": 0.5})
    result = SustainedDesign(lags=2).answer(records, cut, silent)
    answer = row(result, "g_formula.risk_ratio.a_to_b")
    assert answer.estimate is not None
    assert "two occasions" in result.methods
    assert "counted as present at 0.5 or above" in result.methods
    mixed = replace(records.pair.b, kind=Kind.STATE)
    state = np.where(records.values["back_pain"] > 0.5, 1.0, 0.0)
    both = replace(records, pair=replace(records.pair, b=mixed), values={**records.values, "back_pain": state})
    other = DESIGN.answer(both, QUICK, silent)
    assert row(other, "g_formula.risk_difference.a_to_b").estimate is not None
    assert row(other, "g_formula.points.b_to_a").estimate is not None
