"""The literature design on the shipped evidence: what may be pooled, what speaks, and in which words."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bothways.designs.literature import answer_literature, in_words, references_table, why_studies_disagree
from bothways.designs.literature.place import Group, place, short_citation
from bothways.engine.pooling import pool, prediction_interval
from bothways.study.evidence import evidence
from bothways.terms.answer import DesignResult, Estimand, Status, Table
from bothways.terms.errors import TopicError
from bothways.terms.question import Condition, Direction, Pair, Scale
from bothways.terms.settings import Settings
from bothways.terms.topic import Evidence
from bothways.terms.verdict import Reading, read_estimate
from bothways.topics import load_topic

TOPIC = load_topic("depression-back-pain")
SHIPPED = answer_literature(TOPIC.evidence, TOPIC.pair, Settings(), TOPIC.claims)
WAYS = (Direction.A_TO_B, Direction.B_TO_A)
FORBIDDEN = re.compile(r"\b(causes|caused|proves|proven|because of|no effect)\b")


def table(result: DesignResult, key: str) -> Table:
    return next(t for t in result.tables if t.key == key)


def column(found: Table, name: str) -> list[object]:
    return [row[found.columns.index(name)] for row in found.rows]


def study(number: int, value: float, low: float, high: float, **changes: object) -> Evidence:
    plain = Evidence(
        id=f"s{number}", citation=f"Author{number} AB. A study {2000 + number}", year=2000 + number, doi=None,
        doi_confirmed=False, design="cohort", role="effect", direction="a_to_b", pathway=None, exposure="a",
        outcome="b", contrast="ill against well", scale="odds_ratio", estimate=value, ci_low=low, ci_high=high,
        finding=None, n=100 * number, follow_up_years=float(number), adjusted_for="age, sex", population="adults",
        exposure_is="a", outcome_is="b", wider=False, note="", number_confirmed=True, sample=f"people {number}",
        contrast_kind="present_or_absent", outcome_kind="first_onset",
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


FOUR = (study(1, 1.5, 1.1, 2.05), study(2, 2.0, 1.2, 3.33), study(3, 1.2, 0.8, 1.8), study(4, 3.0, 1.5, 6.0))
PAIR = Pair(Condition("x", "exposure"), Condition("y", "outcome"))


def answered(*evidence: Evidence, **options: float) -> DesignResult:
    return answer_literature(tuple(evidence), PAIR, Settings(), **options)


def test_the_published_meta_analysis_speaks_one_way_and_a_single_study_the_other() -> None:
    forward, backward = (SHIPPED.headline(way) for way in WAYS)
    assert forward is not None
    assert backward is not None
    assert (forward.model, backward.model) == ("published meta-analysis", "single study")
    assert (forward.estimate.value, forward.estimate.low, forward.estimate.high) == (1.59, 1.26, 2.01)
    assert (backward.estimate.value, backward.estimate.low, backward.estimate.high) == (1.96, 1.41, 2.74)
    assert forward.estimate.scale is Scale.ODDS_RATIO
    assert backward.estimate.scale is Scale.PREVALENCE_RATIO
    assert {forward.estimand, backward.estimand} == {Estimand.POOLED}
    assert "at_risk_set" in {c.code for c in backward.caveats}


def test_nothing_of_the_shipped_evidence_is_pooled() -> None:
    for way in WAYS:
        says = column(table(SHIPPED, f"pools_{way.value}"), "says")
        assert says
        assert all(str(s).startswith("not pooled") for s in says)
    assert not [t for t in SHIPPED.tables if t.key in ("leave_one_out", "subgroups", "small_studies")]


def test_within_persons_stands_beside_and_reads_little_at_the_shipped_bound_and_not_at_a_smaller_one() -> None:
    rows = [a for a in SHIPPED.answers if a.headline and a.estimand is Estimand.CROSS_LAG]
    assert [a.direction for a in rows] == list(WAYS)
    for answer in rows:
        assert answer.estimate.scale is Scale.SD_PER_SD
        assert {"indirect", "converted"} <= {c.code for c in answer.caveats}
        assert read_estimate(answer.estimate, 0.05) is Reading.LITTLE
        assert read_estimate(answer.estimate, 0.001) is Reading.PREDICTS
    # by hand, HRS, depression to pain: 0.011 (0.005 to 0.017) raw, 0.020 to 0.021 standardised
    assert rows[0].estimate.value == pytest.approx(0.0205)
    assert rows[0].estimate.low == pytest.approx(0.005 * 0.0205 / 0.011)
    assert rows[0].lag_days == 2 * 365.25


def test_every_estimate_that_bears_on_a_direction_stands_on_its_ladder_with_its_state() -> None:
    for way in WAYS:
        mine = {e.id for e in TOPIC.evidence if e.direction in (way.value, "both")}
        rungs = table(SHIPPED, f"ladder_{way.value}")
        assert set(column(rungs, "id")) == mine
        confirmed = {e.id: e.number_confirmed for e in TOPIC.evidence}
        for identity, state in zip(column(rungs, "id"), column(rungs, "number"), strict=True):
            assert (state == "confirmed") == confirmed[str(identity)]


def test_the_reasons_for_which_an_estimate_is_not_pooled() -> None:
    rungs = [table(SHIPPED, f"ladder_{way.value}") for way in WAYS]
    why = {str(i): str(s) for t in rungs for i, s in zip(column(t, "id"), column(t, "standing"), strict=True)}
    assert why["magni1994_msk_depr_or"] == "its number is not confirmed"
    assert "published pooling" in why["pinheiro2015_meta_any"]
    assert "wider" in why["bondesson2018_mental_pain_irr"]
    assert "prognosis" in why["shaw2010_depr_chronic_lbp_or"]
    assert "no interval" in why["williams2022_mdd_cbp_or"]
    assert "order" in why["larson2004_cross_section_or"]
    assert why["larson2004_depr_persistent_ibp_or"] == "its people count once, through larson2004_depr_ibp_or_13y"
    assert why["currie2005_mdd_cbp_or"] == "may be pooled"


def test_lines_follow_designs_and_only_the_speakers_are_headlines() -> None:
    lines = {a.id.split(".")[-1]: a.line for a in SHIPPED.answers}
    assert lines["pinheiro2015_twins_mz_or"] == "B"
    assert lines["tang2022_mdd_bp_or"] == "C"
    assert lines["carroll2004_depr_spinal_hr"] == "A"
    assert sum(a.headline for a in SHIPPED.answers) == 4
    assert len({a.id for a in SHIPPED.answers}) == len(SHIPPED.answers)


def test_four_studies_are_pooled_as_the_engine_pools_them() -> None:
    result = answered(*FOUR)
    headline = result.headline(Direction.A_TO_B)
    y = np.log([1.5, 2.0, 1.2, 3.0])
    se = (np.log([2.05, 3.33, 1.8, 6.0]) - np.log([1.1, 1.2, 0.8, 1.5])) / (2 * 1.959963984540054)
    expected = pool(y, se**2)
    assert headline.model.startswith("random effects")
    assert math.log(headline.estimate.value) == pytest.approx(expected.beta[0])
    assert math.log(headline.estimate.low) == pytest.approx(expected.low[0])
    assert headline.estimate.people == 1000
    row = table(result, "pools_a_to_b")
    low, high = prediction_interval(expected)
    assert column(row, "prediction, low") == [pytest.approx(math.exp(low))]
    assert column(row, "prediction, high") == [pytest.approx(math.exp(high))]
    assert len(table(result, "leave_one_out").rows) == 4


def test_two_studies_are_not_pooled() -> None:
    result = answered(*FOUR[:2])
    assert result.headline(Direction.A_TO_B).model == "single study"
    assert "fewer than 3" in str(column(table(result, "pools_a_to_b"), "says")[0])


@pytest.mark.parametrize(
    "change",
    [
        {"scale": "hazard_ratio"},
        {"contrast_kind": "per_unit"},
        {"contrast_kind": ""},
        {"outcome_kind": "present_at_follow_up"},
        {"role": "prognosis"},
        {"direction": "b_to_a", "exposure_is": "b", "outcome_is": "a"},
        {"design": "mr"},
        {"design": "meta_analysis"},
        {"number_confirmed": False},
        {"wider": True},
        {"ci_low": None},
        {"sample": "people 1"},
    ],
)
def test_what_differs_in_kind_is_never_pooled(change: dict[str, object]) -> None:
    three = (*FOUR[:2], replace(FOUR[2], **change))  # type: ignore[arg-type]
    pools = table(answered(*three), "pools_a_to_b")
    assert all(str(s).startswith("not pooled") for s in column(pools, "says"))


def test_of_the_same_people_the_most_adjusted_counts() -> None:
    crude, full = replace(FOUR[0], id="crude", adjusted_for="none (crude)"), replace(FOUR[0], id="full", estimate=1.4)
    for order in ((crude, full), (full, crude)):
        rungs = table(answered(*order, *FOUR[1:3]), "ladder_a_to_b")
        why = dict(zip(column(rungs, "id"), column(rungs, "standing"), strict=True))
        assert why["crude"] == "its people count once, through full"
        assert why["full"] == "may be pooled"


def test_swapping_the_conditions_mirrors_the_answer() -> None:
    turned = {"a_to_b": "b_to_a", "b_to_a": "a_to_b"}
    slots = {"a": "b", "b": "a"}

    def mirror(e: Evidence) -> Evidence:
        return replace(
            e,
            direction=turned.get(e.direction, e.direction),
            exposure_is=slots.get(e.exposure_is, e.exposure_is),
            outcome_is=slots.get(e.outcome_is, e.outcome_is),
        )

    result = answer_literature(tuple(mirror(e) for e in TOPIC.evidence), TOPIC.pair.swapped(), Settings())
    for way in WAYS:
        assert result.headline(way.reversed()).estimate == SHIPPED.headline(way).estimate


def test_the_order_of_the_file_does_not_change_a_pool() -> None:
    one, other = answered(*FOUR), answered(*reversed(FOUR))
    first, second = (r.headline(Direction.A_TO_B).estimate for r in (one, other))
    assert first.value == pytest.approx(second.value, rel=1e-9)


def test_no_evidence_is_refused_and_wider_evidence_alone_does_not_speak() -> None:
    assert answered().refused
    silent = answered(replace(FOUR[0], wider=True)).headline(Direction.A_TO_B)
    assert silent.status is Status.REFUSED
    assert silent.estimate is None


def test_an_unconfirmed_number_never_speaks() -> None:
    unread = replace(FOUR[3], number_confirmed=False)
    assert answered(unread).headline(Direction.A_TO_B).status is Status.REFUSED
    assert answered(FOUR[0], unread).headline(Direction.A_TO_B).estimate.value == 1.5
    pooled = replace(unread, design="meta_analysis")
    assert answered(FOUR[0], pooled).headline(Direction.A_TO_B).model == "single study"


def test_of_single_studies_the_plain_contrast_then_the_most_adjusted_then_the_largest_speaks() -> None:
    def speaking(*evidence: Evidence) -> float:
        return answered(*evidence).headline(Direction.A_TO_B).estimate.value

    assert speaking(FOUR[0], FOUR[1]) == 2.0
    assert speaking(FOUR[0], replace(FOUR[1], contrast_kind="extreme_groups")) == 1.5
    assert speaking(replace(FOUR[0], adjusted_for="age, sex, smoking"), FOUR[1]) == 1.5


def test_a_subgroup_of_one_study_is_not_shown() -> None:
    odd = replace(FOUR[3], outcome_kind="chronic_onset")
    assert not [t for t in answered(*FOUR[:3], odd).tables if t.key == "subgroups"]
    two = replace(FOUR[2], outcome_kind="chronic_onset")
    assert column(table(answered(*FOUR[:2], two, odd), "subgroups"), "studies") == [2, 2]


def test_a_base_risk_turns_odds_and_hazards_into_risks_and_says_so() -> None:
    mixed = (FOUR[0], FOUR[1], replace(FOUR[2], scale="hazard_ratio"))
    assert answered(*mixed).headline(Direction.A_TO_B).model == "single study"
    result = answered(*mixed, base_risk=0.2)
    headline = result.headline(Direction.A_TO_B)
    assert headline.estimate.scale is Scale.RISK_RATIO
    assert headline.model.startswith("random effects")
    assert {c.code for c in headline.caveats} == {"common_cause", "converted"}
    assert headline.status_says == "pooled here from: Author1 2001, Author2 2002, Author3 2003"
    one = answered(FOUR[0], base_risk=0.2).headline(Direction.A_TO_B)
    assert one.status_says == "converted (odds ratio to risk ratio by Zhang and Yu 1998): Author1 2001"
    assert "Zhang and Yu" in result.methods
    assert all(column(table(result, "ladder_a_to_b"), "conversion"))


def test_within_person_studies_are_pooled_apart_and_speak_beside() -> None:
    inside = tuple(
        study(i, x, x - 0.02, x + 0.02, scale="sd_per_sd", contrast_kind="within_person", design="panel_model",
              outcome_kind="score_at_next_wave", lag_years=1.0)
        for i, x in ((5, 0.02), (6, 0.05), (7, 0.04))
    )  # fmt: skip
    result = answered(*FOUR, *inside)
    between, within = (a for a in result.answers if a.headline and a.direction is Direction.A_TO_B)
    assert between.estimand is Estimand.POOLED
    assert (within.id, within.estimand) == ("literature.a_to_b.within", Estimand.CROSS_LAG)
    assert within.estimate.value == pytest.approx(0.11 / 3)
    assert (within.lag_days, within.lag_waves) == (365.25, None)
    assert (between.horizon_days, between.lag_waves) == (None, 1.0)
    assert len({a.id for a in result.answers}) == len(result.answers)


def test_ten_studies_bring_subgroups_a_regression_and_eggers_test() -> None:
    rng = np.random.default_rng(3)
    many = []
    for i in range(1, 13):
        value, se = math.exp(rng.normal(0.4, 0.3)), float(rng.uniform(0.1, 0.4))
        kind = "chronic_onset" if i % 2 else "first_onset"
        many.append(study(i, value, value * math.exp(-1.96 * se), value * math.exp(1.96 * se), outcome_kind=kind))
    result = answered(*many)
    assert column(table(result, "subgroups"), "group") == ["chronic onset", "first onset"]
    assert column(table(result, "regressions"), "studies") == [12]
    assert column(table(result, "small_studies"), "studies") == [12]
    fewer = answered(*many[:9])
    assert not [t for t in fewer.tables if t.key in ("regressions", "small_studies")]


def test_the_answer_in_words_says_what_an_epidemiologist_would_sign() -> None:
    passages = in_words(TOPIC.evidence, TOPIC.pair, Settings(), TOPIC.claims)
    assert [p.title for p in passages] == [
        "The short answer",
        "Can depression lead to back pain?",
        "Can back pain lead to depression?",
        "The final word",
    ]
    text = {p.key: " ".join(p.sentences) for p in passages}
    assert "low certainty" in text["short_answer"]
    assert "1.59 (1.26 to 2.01)" in text["a_to_b"]
    assert "3.97 (1.81 to 8.72)" in text["a_to_b"]
    assert "Nothing was pooled here" in text["a_to_b"]
    assert "0.017 to 0.021 standard deviations" in text["a_to_b"]
    assert "no association" in text["a_to_b"]
    assert "above zero, yet inside the bounds" in text["a_to_b"]
    assert "1.96 (1.41 to 2.74)" in text["b_to_a"]
    assert "that is no null" in text["b_to_a"]
    assert "0.92 (0.42 to 2.05)" in text["final_word"]
    assert "unresolved, not a null" in text["final_word"]
    assert "Not a trial" in text["final_word"]
    for passage in passages:
        for sentence in passage.sentences:
            assert not FORBIDDEN.search(sentence.replace("little or no effect", "")), sentence
            assert sentence.endswith(".")


def test_the_words_move_with_the_smallest_effect() -> None:
    strict = Settings(smallest_effects={Scale.SD_PER_SD: 0.001})
    told = in_words(TOPIC.evidence, TOPIC.pair, strict)
    assert not any("carry-over that was measured is small" in s for s in told[0].sentences)


def test_every_reason_to_disagree_is_looked_for_and_seen() -> None:
    found = why_studies_disagree(TOPIC.evidence)
    assert len(found.rows) == 10
    seen = {str(row[0]): str(row[2]) for row in found.rows}
    assert "not seen here" not in seen.values()
    assert "about 1.72 (1.26 to 2.34)" in seen["contrast"]
    assert "risk ratio of about 1.44" in seen["scale"]
    assert "Larson 2004: no association at year 1, 1.9 to 3.4 at year 13" in seen["time"]
    assert "0.92 (0.42 to 2.05)" in seen["family"]
    assert set(column(why_studies_disagree((FOUR[0],)), "seen here")) >= {"not seen here"}


def test_every_source_stands_in_the_references_with_its_states() -> None:
    found = references_table(TOPIC.evidence)
    assert set(column(found, "source")) == {e.citation for e in TOPIC.evidence}
    by_source = dict(zip(column(found, "source"), column(found, "doi is"), strict=True))
    for e in TOPIC.evidence:
        assert (by_source[e.citation] == "confirmed") == e.doi_confirmed
    assert len(column(table(SHIPPED, "claims"), "number")) == 24


def test_short_citations() -> None:
    by_id = {e.id: short_citation(e) for e in TOPIC.evidence}
    assert by_id["carroll2004_depr_spinal_hr"] == "Carroll 2004"
    assert by_id["vonkorff1993_depr_bp_direction"] == "Von Korff 1993"
    assert by_id["vantland2011_cbp_mood_direction"] == "van 't Land 2011"


def test_recalled_onsets_and_trials_have_lines_of_their_own() -> None:
    made = place((replace(FOUR[0], outcome_kind="recalled_onset"), replace(FOUR[1], design="rct")))
    assert [e.group for e in made] == [Group.RECALL, Group.TRIAL]
    assert [e.line for e in made] == ["E", "D"]


def test_trials_speak_beside_the_cohorts_on_a_line_of_their_own() -> None:
    trials = tuple(replace(e, id=f"t{e.id}", sample=f"t{e.id}", design="rct") for e in FOUR)
    result = answered(*FOUR, *trials)
    spoken = {a.id: a for a in result.answers if a.headline and a.direction is Direction.A_TO_B}
    assert spoken["literature.a_to_b.trials"].line == "D"
    assert spoken["literature.a_to_b.trials"].estimate == spoken["literature.a_to_b.between"].estimate
    words = " ".join(str(row[-1]) for row in table(result, "in_words").rows)
    assert "Randomised trials that moved exposure" in words


@pytest.mark.parametrize(("own", "speaks"), [(4, "published meta-analysis"), (10, "random effects")])
def test_a_handful_of_studies_does_not_outrank_a_systematic_review(own: int, speaks: str) -> None:
    review = replace(FOUR[0], id="review", sample="review", design="meta_analysis")
    studies = [replace(FOUR[k % 4], id=f"s{k}", sample=f"s{k}") for k in range(own)]
    headline = answered(review, *studies).headline(Direction.A_TO_B)
    assert headline is not None
    assert headline.model.startswith(speaks)


def test_what_a_row_leaves_unsaid_is_named_by_the_condition() -> None:
    headline = answered(replace(FOUR[0], exposure="", outcome="")).headline(Direction.A_TO_B)
    assert headline is not None
    assert headline.target.startswith("outcome, by exposure, in ")


def test_an_estimate_that_is_known_already_or_contradicts_itself_is_refused(tmp_path: Path) -> None:
    head = "id,citation,design,direction,scale,estimate,ci_low,ci_high,exposure_is,outcome_is"
    for rows, says in (
        ("carroll2004_depr_spinal_hr,x,cohort,a_to_b,HR,2,1,3,a,b", "is known already"),
        ("mine,x,cohort,a_to_b,HR,2,1,3,b,a", "opposite of 'direction'"),
    ):
        file = tmp_path / "mine.csv"
        file.write_text(f"{head}\n{rows}\n")
        with pytest.raises(TopicError, match=says):
            evidence(file=file)
