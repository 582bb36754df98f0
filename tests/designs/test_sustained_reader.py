"""What a reader would try with the sustained design: every trial ends in an honest sentence, never in a traceback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from tests.designs.test_sustained import coins, made, row, table, world

from bothways.designs.sustained import SustainedDesign, estimation
from bothways.designs.sustained.answers import structural_estimate
from bothways.designs.sustained.effects import interval, quantile
from bothways.engine.gmethods.structural import Structural
from bothways.simulation.sustained_world import GAP
from bothways.terms.answer import DesignResult, Status
from bothways.terms.errors import QuestionError
from bothways.terms.progress import silent
from bothways.terms.question import Facet, Scale
from bothways.terms.records import Events, Records
from bothways.terms.settings import Settings

DESIGN = SustainedDesign()
QUICK = Settings(bootstrap=12, designs=("sustained",))
LEAN = replace(QUICK, headline_only=True)


@pytest.fixture(autouse=True, scope="module")
def few_lives() -> Iterator[None]:
    """Fewer simulated lives and resamples than a study takes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimation, "LIVES", 2_000)
        patch.setattr(estimation, "LIVES_AGAIN", 1)
        patch.setattr(estimation, "FEW_REPLICATES", 12)
        yield


def records() -> Records:
    return world(people=500).records


def holding(base: Records, **columns: np.ndarray) -> Records:
    return replace(base, values={**base.values, **columns})


def drawn_as(base: Records, *, strata: np.ndarray | None = None, town: np.ndarray | None = None) -> Records:
    rng = np.random.default_rng(1)
    columns = {"town": rng.integers(0, 40, base.people).astype(float) if town is None else town}
    columns["region"] = rng.integers(0, 4, base.people).astype(float) if strata is None else strata
    columns["w"], columns["age"] = rng.uniform(0.5, 2, base.people), rng.normal(50, 10, base.people)
    roles = replace(base.roles, weight="w", cluster="town", strata="region", covariates=(*base.roles.covariates, "age"))
    return replace(base, baseline={**base.baseline, **columns}, roles=roles)


@cache
def everything() -> DesignResult:
    return DESIGN.answer(drawn_as(records()), QUICK, silent)


def test_everything_at_once() -> None:
    result = everything()
    assert {a.status for a in result.answers} <= {Status.ANSWERED, Status.REFUSED}
    assert all(a.estimate is not None or a.status_says for a in result.answers)
    assert "clusters within strata, with sampling weights" in result.methods
    assert "Rao & Wu 1988" in result.methods
    assert "product of exposure and each mediator" in result.methods
    names = {p.name for fit in result.fits for p in fit.parameters}
    assert "depression ~ back pain and poor sleep together, 1 before" in names
    assert not any(name.startswith("poor sleep ~") and "together" in name for name in names)


def test_the_interaction_table_adds_up() -> None:
    result = everything()
    shown = table(result, "pathway_interaction")
    assert {r[0] for r in shown.rows} == {"sleep", "relationships", "sleep+relationships"}
    for r in shown.rows:
        cells = [float(x) for x in r[5:] if x is not None]  # type: ignore[arg-type]
        exposed, bare, gap, low, high, plain = cells
        assert exposed - bare == pytest.approx(gap, abs=1e-12)
        assert low <= gap <= high
        way = "b_to_a" if r[1] == "back pain to depression" else "a_to_b"
        told = row(result, f"pathway.{r[0]}.indirect.{way}").estimate
        assert told is not None
        assert told.value == exposed
        assert abs(plain - exposed) < 0.1
        assert (r[2] is None) == ("+" in str(r[0]))


def test_without_products_nothing_is_said_of_them() -> None:
    result = SustainedDesign(interaction=False).answer(records(), QUICK, silent)
    assert "pathway_interaction" not in {t.key for t in result.tables}
    assert "product" not in result.methods
    assert not any("together" in p.name for fit in result.fits for p in fit.parameters)


def crossing(strength: float, people: int = 1500) -> Records:
    """Depression comes from poor mood only where there is pain, or from mood alike in all."""
    rng = np.random.default_rng(2)
    v = np.zeros((people, 6, 3))
    for k in range(1, 6):
        dep, mood, pain = v[:, k - 1].T
        chance = 1 / (1 + np.exp(1.2 - 0.5 * dep - (0.8 - 0.5 * strength) * mood - strength * mood * pain))
        v[:, k, 0] = rng.random(people) < chance
        v[:, k, 1] = rng.random(people) < 1 / (1 + np.exp(0.8 - 0.6 * mood - 1.0 * pain))
        v[:, k, 2] = rng.random(people) < 1 / (1 + np.exp(0.7 - 1.2 * pain))
    base = made(v[:, 2:, 0], v[:, 2:, 2], v[:, 2:, 1])
    return replace(base, roles=replace(base.roles, covariates=(), pathways=("mood",)))


def test_a_mediator_that_acts_under_the_exposure_is_said_to() -> None:
    result = DESIGN.answer(crossing(1.6), QUICK, silent)
    answer = row(result, "pathway.mood.indirect.b_to_a")
    text = next(c.text for c in answer.caveats if c.code == "exposure_mediator_interaction")
    assert "mood goes with more depression where back pain is present" in text
    (shown,) = (r for r in table(result, "pathway_interaction").rows if r[1] == "back pain to depression")
    assert float(shown[3]) > 0  # type: ignore[arg-type]
    assert float(shown[5]) > float(shown[10]) > 0  # type: ignore[arg-type]  # without it the effect is too small


def test_products_that_break_the_fit_are_left_out_and_said() -> None:
    """Nobody with both pain and poor mood is depressed next time: the product separates, all else is well."""
    rng = np.random.default_rng(4)
    pain, mood, dep = coins(900, 4, seed=5), coins(900, 4, 0.35, seed=6), coins(900, 4, seed=7)
    for k in range(1, 4):
        share = 0.3 + 0.15 * pain[:, k - 1] + 0.15 * mood[:, k - 1] + 0.1 * dep[:, k - 1]
        dep[:, k] = (rng.random(900) < share) & ~((pain[:, k - 1] == 1) & (mood[:, k - 1] == 1))
    base = made(dep, pain, mood)
    result = DESIGN.answer(replace(base, roles=replace(base.roles, covariates=(), pathways=("mood",))), QUICK, silent)
    answer = row(result, "pathway.mood.indirect.b_to_a")
    assert answer.status is Status.ANSWERED
    assert "interaction_left_out" in {c.code for c in answer.caveats}
    assert {r[1] for r in table(result, "pathway_interaction").rows} == {"depression to back pain"}


def _first(base: Records) -> np.ndarray:
    return np.where(base.time == 0, base.values["sleep"], 1.0)


TRIALS: Mapping[str, tuple[str, str]] = {
    "constant": ("never changes within a person", "sleep"),
    "settled": ("after the first occasion it is the same", "sleep"),
    "copy": ("says what another column says", "sleep"),
    "late": ("is known of 0 people at occasion 1", "sleep"),
    "early": ("is known of 0 people at occasion 3", "sleep"),
    "condition": ("it is one of the two conditions", "back_pain"),
    "baseline": ("it does not change over time", "age"),
    "absent": ("it is not in the records", "nothing_such"),
}


def tried(name: str) -> Records:
    base = records()
    nothing = np.full(base.rows, np.nan)
    columns = {
        "constant": np.zeros(base.rows),
        "settled": _first(base),
        "copy": 1 - base.values["back_pain"],
        "late": np.where(base.time > 0, base.values["sleep"], nothing),
        "early": np.where(base.time < 1.5 * GAP, base.values["sleep"], nothing),
    }
    if name in columns:
        return holding(base, sleep=columns[name])
    baseline = {**base.baseline, "age": np.arange(base.people, dtype=float)}
    return replace(base, baseline=baseline, roles=replace(base.roles, pathways=(TRIALS[name][1], "relationships")))


@pytest.mark.parametrize("name", TRIALS)
def test_a_mediator_that_cannot_be_asked_is_refused_alone(name: str) -> None:
    result = DESIGN.answer(tried(name), QUICK, silent)
    words, key = TRIALS[name]
    for way in ("a_to_b", "b_to_a"):
        refused = row(result, f"pathway.{key}.indirect.{way}")
        assert refused.status is Status.REFUSED
        assert words in refused.status_says
        assert row(result, f"pathway.relationships.indirect.{way}").estimate is not None
        assert row(result, f"g_formula.risk_difference.{way}").estimate is not None
    assert len({a.id for a in result.answers}) == len(result.answers)


def test_a_confounder_that_was_not_asked_is_left_out_and_said() -> None:
    base = records()
    anxiety = np.where(base.time > 2.5 * GAP, np.nan, base.values["anxiety"])
    answer = row(DESIGN.answer(holding(base, anxiety=anxiety), LEAN, silent), "g_formula.risk_difference.a_to_b")
    assert answer.estimate is not None
    assert "anxiety (it is known of 0 people at occasion 4)" in next(
        c.text for c in answer.caveats if c.code == "left_out"
    )


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_an_exposure_of_nobody_or_everybody_is_refused(level: float) -> None:
    base = records()
    refusal = DESIGN.refuse(holding(base, depression=np.full(base.rows, level)), QUICK)
    assert refusal is not None
    assert f"0 people were seen {'without' if level else 'with'} depression" in refusal.reason
    assert "the same in everyone" in refusal.reason


def test_what_the_past_settles_fails_in_words() -> None:
    base = records()
    settled = holding(base, depression=(base.values["anxiety"] > 0).astype(float))
    result = DESIGN.answer(settled, QUICK, silent)
    failed = row(result, "g_formula.risk_ratio.a_to_b")
    assert "the regression of depression" in failed.status_says
    assert all(a.estimate is not None or a.status_says for a in result.answers)
    rare = holding(base, sleep=(np.arange(base.rows) % 97 == 0).astype(float))
    failed = row(DESIGN.answer(rare, QUICK, silent), "g_formula.risk_ratio.b_to_a")
    assert failed.status is Status.FAILED
    assert failed.status_says.endswith("leave poor sleep out")


def test_weights_that_cannot_be_learnt_are_said() -> None:
    """At the first occasion anxiety settles who is depressed; later it does not, so that the g-formula goes on."""
    base = records()
    settled = np.where(base.time == 0, base.values["anxiety"] > 0, base.values["depression"]).astype(float)
    result = DESIGN.answer(holding(base, depression=settled), QUICK, silent)
    answer = row(result, "g_formula.risk_difference.a_to_b")
    assert answer.estimate is not None
    assert "no weights could be learnt" in next(c.text for c in answer.caveats if c.code == "positivity")
    assert any(a.checked is False and a.text.startswith("positivity") for a in answer.assumptions)
    assert row(result, "weighting.risk_difference.a_to_b").status is Status.FAILED
    assert row(result, "weighting.risk_difference.b_to_a").status is Status.ANSWERED
    assert {r[0] for r in table(result, "weights").rows} == {"back pain to depression"}


def test_one_cluster_is_the_callers_mistake() -> None:
    base = records()
    one = drawn_as(base, town=np.zeros(base.people))
    with pytest.raises(QuestionError, match="one cluster"):
        DESIGN.refuse(replace(one, roles=replace(one.roles, strata=None)), QUICK)
    with pytest.raises(QuestionError, match="one cluster in all"):
        DESIGN.refuse(drawn_as(base, town=np.zeros(base.people), strata=np.zeros(base.people)), QUICK)


def test_few_clusters_are_not_overrated() -> None:
    base = records()
    two = drawn_as(base, town=np.arange(base.people) % 2.0, strata=np.zeros(base.people))
    answer = row(DESIGN.answer(two, LEAN, silent), "g_formula.risk_difference.b_to_a")
    assert answer.estimate is not None
    reach = (answer.estimate.high - answer.estimate.low) / 2
    assert reach == pytest.approx(12.706 * answer.estimate.se, rel=1e-3)  # Student's t with one degree of freedom
    assert "few_clusters" in {c.code for c in answer.caveats}


def test_lonely_strata_do_not_feign_certainty() -> None:
    base = records()
    eight = np.arange(base.people) % 8.0
    lonely = DESIGN.answer(drawn_as(base, town=eight, strata=eight), LEAN, silent)
    together = DESIGN.answer(drawn_as(base, town=eight, strata=np.zeros(base.people)), LEAN, silent)
    one, other = (row(r, "g_formula.risk_difference.b_to_a") for r in (lonely, together))
    assert one.estimate == other.estimate
    assert "lonely_stratum" in {c.code for c in one.caveats}
    assert (
        "Strata of one cluster were taken together"
        in DESIGN.answer(drawn_as(base, town=eight, strata=eight), QUICK, silent).methods
    )


def test_people_without_weight_do_not_count() -> None:
    base = drawn_as(records())
    w = base.baseline["w"].copy()
    w[:100], w[100:120] = 0.0, np.nan
    result = DESIGN.answer(replace(base, baseline={**base.baseline, "w": w}), LEAN, silent)
    answer = row(result, "g_formula.risk_difference.b_to_a")
    assert answer.estimate is not None
    assert answer.estimate.people == base.people - 120


def test_visits_go_missing() -> None:
    base = records()
    here = np.random.default_rng(3).random(base.rows) > 0.3
    people, person = np.unique(base.person[here], return_inverse=True)
    thin = replace(base, person=person, time=base.time[here], values={k: v[here] for k, v in base.values.items()},
                   baseline={k: v[people] for k, v in base.baseline.items()})  # fmt: skip
    result = DESIGN.answer(thin, LEAN, silent)
    answer = row(result, "g_formula.risk_difference.b_to_a")
    assert answer.estimate is not None
    assert "left_early" in {c.code for c in answer.caveats}


@pytest.mark.parametrize(
    ("dead", "words"), [(3, "too few to learn from"), (7, "some people died"), (60, "some people")]
)
def test_a_few_deaths_do_not_stop_the_rest(dead: int, words: str) -> None:
    base = records()
    gone = {"death": Events(np.arange(dead), np.full(dead, 2.5 * GAP), np.ones(dead, dtype=np.int64))}
    after = (base.person < dead) & (base.time > 2.5 * GAP)
    values = {k: np.where(after, np.nan, v) for k, v in base.values.items()}
    result = DESIGN.answer(replace(base, events=gone, values=values), LEAN, silent)
    for way in ("a_to_b", "b_to_a"):
        answer = row(result, f"g_formula.risk_difference.{way}")
        assert answer.estimate is not None, answer.status_says
        assert words in next(c.text for c in answer.caveats if c.code == "competing_death")


def test_intervals_of_shares_stay_within_bounds() -> None:
    wide = Structural(np.array([0.97, 0.04]), np.eye(2) * 0.02, np.zeros(3), np.eye(3), 100, 40, True)
    found = structural_estimate(wide, Scale.RISK_DIFFERENCE, 0.95)
    assert found is not None
    assert -1 < found.low < found.value < found.high < 1
    se = np.sqrt(0.04) / (1 - 0.93**2)
    assert np.arctanh(found.high) - np.arctanh(0.93) == pytest.approx(1.959964 * se, rel=1e-6)
    few = structural_estimate(wide, Scale.RISK_DIFFERENCE, 0.95, freedom=3)
    assert few is not None
    assert few.low < found.low
    assert few.p is not None
    assert found.p is not None
    assert few.p > found.p


def test_few_clusters_take_student_and_not_percentiles() -> None:
    drawn = np.random.default_rng(1).normal(size=400)
    se, low, high = interval(0.0, drawn, 0.95, 4)
    assert (low, high) == pytest.approx((-2.776445 * se, 2.776445 * se), rel=1e-6)
    assert quantile(0.95, None) == pytest.approx(1.959964, rel=1e-6)
    _, low, high = interval(0.0, drawn, 0.95)
    assert (low, high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])))


def test_pathways_are_not_asked_for_a_headline() -> None:
    result = DESIGN.answer(tried("constant"), LEAN, silent)
    assert {a.facet for a in result.answers} == {Facet.STRENGTH}
