"""The facts file: its published schema, its precision, and the words decided from it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from tests.reports.outcomes import A_TO_B, B_TO_A, FULL, NOTHING, OUTCOMES, PLAIN, answer, estimate, outcome, panel

from bothways.reports import facts_of
from bothways.reports.facts import plain
from bothways.reports.wording import plain_size
from bothways.terms.answer import Answer, DesignResult, Estimand, Status
from bothways.terms.question import Direction, Facet, Kind, Scale
from bothways.terms.verdict import Certainty, Leaning, Reading, Word

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "facts-schema.json").read_text("utf-8"))
CHECK = Draft202012Validator(SCHEMA)


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", OUTCOMES)
def test_facts_keep_the_published_schema(name: str) -> None:
    facts = facts_of(OUTCOMES[name])
    assert [e.message for e in CHECK.iter_errors(facts)] == []
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts


def test_the_schema_names_every_word_of_the_terms() -> None:
    answers = SCHEMA["$defs"]["answer"]["properties"]
    for names, words in (
        (SCHEMA["$defs"]["word"], Word),
        (SCHEMA["$defs"]["reading"], Reading),
        (SCHEMA["$defs"]["certainty"], Certainty),
        (SCHEMA["$defs"]["estimate"]["properties"]["scale"], Scale),
        (SCHEMA["$defs"]["condition"]["properties"]["kind"], Kind),
        (SCHEMA["$defs"]["verdict"]["properties"]["leaning"], Leaning),
        (answers["estimand"], Estimand),
        (answers["facet"], Facet),
        (answers["direction"], Direction),
        (answers["status"], Status),
    ):
        assert set(names["enum"]) == {w.value for w in words}


def test_the_schema_refuses_what_is_not_facts() -> None:
    facts = facts_of(PLAIN)
    for broken in (
        {**facts, "schema": 2},
        {k: v for k, v in facts.items() if k != "verdict"},
        {**facts, "answers": [{**facts["answers"][0], "reading": "causes"}]},
        {**facts, "unknown": 1},
    ):
        assert list(CHECK.iter_errors(broken))


def test_numbers_keep_full_precision_and_what_is_not_finite_becomes_null() -> None:
    wild = replace(estimate(1 / 3, 0.05), se=math.nan, high=math.inf)
    made = DesignResult("panel", (answer(A_TO_B, wild), answer(B_TO_A, estimate(0.1, 0.05))))
    facts = facts_of(outcome(made))
    row = facts["answers"][0]["estimate"]
    assert row["value"] == 1 / 3
    assert row["se"] is None
    assert row["high"] is None
    assert [e.message for e in CHECK.iter_errors(facts)] == []
    assert plain({"x": (math.inf, Scale.DAYS, 2)}) == {"x": [None, "days", 2]}


def test_only_numbers_with_a_no_effect_are_read() -> None:
    rows = {a["id"]: a for a in facts_of(FULL)["answers"]}
    assert rows["onset.four-state.first.a_to_b"]["reading"] is None
    assert rows["diary.ct.speed.a_to_b"]["smallest_effect"] is None
    assert rows["panel.ri-clpm.strength.a_to_b"]["reading"] == "predicts"
    assert rows["panel.ri-clpm.first.joint"]["reading"] is None
    assert rows["onset.four-state.strength.a_to_b"]["smallest_effect"] == 1.25


def test_a_refused_study_still_has_facts() -> None:
    facts = facts_of(NOTHING)
    assert facts["answers"] == []
    assert facts["refusals"] == [{"design": "panel", "reason": "there is one wave only", "mend": "Add a later wave."}]
    assert facts["verdict"]["a_to_b"]["word"] == "no_data"
    assert facts["description"][0]["key"] == "coverage"


def test_words_are_decided_once_from_the_facts() -> None:
    words = facts_of(FULL)["words"]
    assert words["directions"]["a_to_b"] == {
        "way": "from depression to back pain",
        "question": "Can depression lead to back pain?",
        "word": "comes before and predicts",
        "certainty": "low certainty",
        "certainty_means": "More research is likely to change this word.",
        "needed": "",
        "estimate": "0.12 (0.07 to 0.17)",
        "plain": "One standard deviation more depression went with 0.12 standard deviations more back pain "
        "6 months later (95% interval 0.07 to 0.17).",
        "answer": "panel.ri-clpm.strength.a_to_b",
    }
    assert words["answers"]["onset.four-state.strength.b_to_a"]["plain"] == (
        "The onset of depression was 1.40 times as frequent with back pain as without it (95% interval 1.22 to 1.61)."
    )
    assert words["order"]["shares"][1] == (
        "back pain came first in 47% (42% to 52%); it would be 58% if the two were unrelated"
    )
    assert words["answers"]["panel.ri-clpm.strength.a_to_b"]["truth"] == "0.10"


def test_less_of_it_is_said() -> None:
    facts = facts_of(outcome(panel((-0.12, 0.05), (0.0, 0.03))))
    assert "predicts less back pain" in facts["verdict"]["a_to_b"]["sentence"]
    words = facts["words"]["answers"]["panel.ri-clpm.strength.a_to_b"]
    assert words["reading"] == "comes before and predicts (less of it)"
    assert "0.12 standard deviations less back pain" in words["plain"]


def test_an_undecided_word_says_what_would_decide_it() -> None:
    """Half-width 0.3 about 0.1: excluding nothing takes (0.3 / 0.1) squared, 9 times 1,000 people."""
    words = facts_of(outcome(panel((0.1, 0.3), (0.12, 0.05))))["words"]["directions"]
    assert words["a_to_b"]["certainty_means"].endswith("this is not a “no”.")
    assert words["a_to_b"]["needed"].startswith("About 9,000 people")
    assert words["b_to_a"]["needed"] == ""


def test_a_curve_holds_effects_of_one_scale_and_no_occupancy() -> None:
    from bothways.reports.grids import curve_rows

    def row(scale: str, estimand: str = "cross_lag", curve: str | None = "c") -> dict:
        return {"curve": curve, "estimand": estimand, "estimate": {"value": 0.1, "scale": scale}}

    effects = [row("sd_per_sd"), row("sd_per_sd")]
    others = [row("probability", "state_probability"), row("rate_ratio", "rate_ratio"), row("sd_per_sd", curve=None)]
    assert curve_rows({"answers": [others[0], *effects, *others[1:]]}) == effects
    assert curve_rows({"answers": others[:1]}) == []


def size_of(row: Answer) -> str:
    facts = facts_of(outcome(DesignResult(row.design, (row,))))
    return plain_size(next(a for a in facts["answers"] if a["id"] == row.id), facts)


def test_a_condition_held_at_every_occasion_is_no_onset_and_no_single_step() -> None:
    base = answer(A_TO_B, estimate(1.3, 1.2, Scale.RISK_RATIO), design="sustained", lag_days=None, name="held.ratio")
    ratio = replace(base, target="alive and with back pain 1095 days after the first occasion")
    said = size_of(ratio)
    assert said.startswith(
        "Being alive and with back pain was, in the end, 1.30 times as frequent with depression at every occasion "
        "before as with it at none (95% interval"
    )
    base = answer(A_TO_B, estimate(0.17, 0.07), design="sustained", lag_days=None, name="held.score")
    said = size_of(base)
    assert "One standard deviation more depression at every occasion before went with 0.17" in said
    assert said.split(" (")[0].endswith("more back pain in the end")


def test_published_estimates_of_unknown_size_are_not_of_nobody() -> None:
    row = answer(A_TO_B, estimate(1.6, 1.2, Scale.ODDS_RATIO, people=0), design="literature", name="pooled")
    facts = facts_of(outcome(DesignResult("literature", (row,))))
    assert facts["words"]["answers"]["pooled"]["people"] == ""
