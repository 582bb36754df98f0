"""What weighing must and must not do: mirror, never decide by widening, keep dissent, list its moves."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.answers import A_TO_B, B_TO_A, JOINT, PAIR, SETTINGS, STATES, answer, contrast, mirrored, result

from bothways.terms.answer import Answer, Estimand, Estimate, Line
from bothways.terms.question import Direction, Facet, Scale
from bothways.terms.verdict import Certainty, Challenge, Leaning, Verdict, Word
from bothways.verdicts import weigh
from bothways.verdicts.change import e_value, needed_factor, shared_strength
from bothways.verdicts.rules import CAVEATS, LINES

LINE = st.sampled_from(tuple(LINES))
STATE = st.sampled_from(tuple(STATES))
CODES = st.lists(st.sampled_from(tuple(CAVEATS)), unique=True, max_size=3)


ROW = st.tuples(
    st.sampled_from((A_TO_B, B_TO_A)), STATE, LINE, st.sampled_from(("panel", "onset", "diary")), CODES,
    st.integers(50, 5000),
)  # fmt: skip
PATTERN = st.tuples(st.lists(ROW, max_size=6), st.none() | st.floats(-0.3, 0.2))
"""Any answers, both ways: lines, designs, states and caveats as they come, and a contrast of both ways or none."""

Pattern = tuple[list[tuple[Direction, str, Line, str, list[str], int]], float | None]


def answers_of(pattern: Pattern) -> tuple[Answer, ...]:
    rows, low = pattern
    made = [
        answer(way, STATES[state], line, design, caveats=tuple(codes), people=people)
        for way, state, line, design, codes, people in rows
    ]
    answers = {a.id: a for a in made}
    if low is not None:
        answers["contrast"] = contrast(low, low + 0.2)
    return tuple(answers.values())


@given(PATTERN)
def test_exchanging_the_conditions_exchanges_the_verdicts_exactly(pattern: Pattern) -> None:
    answers = answers_of(pattern)
    straight = weigh(PAIR, result(*answers), SETTINGS)
    turned = weigh(PAIR.swapped(), result(*(mirrored(a) for a in answers)), SETTINGS)
    swap = {Leaning.A_TO_B: Leaning.B_TO_A, Leaning.B_TO_A: Leaning.A_TO_B}
    assert turned.leaning is swap.get(straight.leaning, straight.leaning)
    for one, other in ((straight.a_to_b, turned.b_to_a), (straight.b_to_a, turned.a_to_b)):
        assert (one.word, one.sentence, one.certainty) == (other.word, other.sentence, other.certainty)
        assert (one.moves, one.because) == (other.moves, other.because)
    assert set(straight.dissent) == set(turned.dissent)
    assert set(straight.would_change_it) == set(turned.would_change_it)
    assert {(c.key, c.title, c.outcome) for c in straight.challenges} == {
        (c.key, c.title, c.outcome) for c in turned.challenges
    }
    assert ("is the stronger one" in straight.short_answer) == ("is the stronger one" in turned.short_answer)


@given(
    st.lists(st.tuples(LINE, st.floats(-0.5, 0.5), st.floats(0.0, 0.5), st.floats(1.0, 4.0)), min_size=1, max_size=5)
)
def test_widening_an_interval_never_decides(rows: list[tuple[Line, float, float, float]]) -> None:
    """An undecided verdict stays undecided when every interval grows about its middle."""

    def word(widen: bool) -> Word:
        made = [
            answer(A_TO_B, (v - h * (k if widen else 1), v + h * (k if widen else 1)), line, design=f"d{i}")
            for i, (line, v, h, k) in enumerate(rows)
        ]
        return weigh(PAIR, result(*made), SETTINGS).a_to_b.word

    if word(widen=False) is Word.UNCERTAIN:
        assert word(widen=True) is Word.UNCERTAIN


def test_a_result_without_target_lag_or_events_is_shown_and_supports_nothing() -> None:
    whole = answer(A_TO_B, STATES["more"])
    for lame in (replace(whole, target=""), replace(whole, lag_days=None)):
        verdict = weigh(PAIR, result(lame), SETTINGS)
        assert verdict.a_to_b.word is Word.NO_DATA
        assert verdict.answers == (lame,)
    few = answer(A_TO_B, (1.5, 3.0), scale=Scale.RATE_RATIO, events=9, design="onset")
    assert weigh(PAIR, result(few), SETTINGS).a_to_b.word is Word.NO_DATA
    enough = answer(A_TO_B, (1.5, 3.0), scale=Scale.RATE_RATIO, events=10, design="onset")
    assert weigh(PAIR, result(enough), SETTINGS).a_to_b.word is Word.PREDICTS


@pytest.mark.parametrize(
    "change", [{"subgroup": "women"}, {"headline": False}, {"estimand": Estimand.INDIRECT}, {"curve": None, "id": "x"}]
)
def test_only_headline_answers_for_everyone_give_a_word(change: dict[str, object]) -> None:
    verdict = weigh(PAIR, result(replace(answer(A_TO_B, STATES["more"]), **change)), SETTINGS)
    assert (verdict.a_to_b.word is Word.PREDICTS) == ("id" in change)


def test_one_design_speaks_for_its_line_whatever_it_says() -> None:
    """The panel's within-person contrast speaks; a decided onset result beside an undecided panel decides nothing."""
    both = (answer(A_TO_B, STATES["uncertain"]), answer(A_TO_B, STATES["more"], design="onset", model="four-state"))
    verdict = weigh(PAIR, result(*both), SETTINGS)
    assert verdict.a_to_b.word is Word.UNCERTAIN
    assert "the onset design (four-state) reads “comes before and predicts”" in verdict.dissent[0]
    mixed = (answer(A_TO_B, STATES["uncertain"], caveats=("two_waves",)), both[1])
    assert weigh(PAIR, result(*mixed), SETTINGS).a_to_b.word is Word.PREDICTS


@pytest.mark.parametrize("code", CAVEATS)
def test_caveats_that_could_undo_a_word_stand_in_the_first_sentence(code: str) -> None:
    made = [answer(way, STATES["more"], caveats=(code,)) for way in (A_TO_B, B_TO_A)]
    verdict = weigh(PAIR, result(*made), SETTINGS)
    first = verdict.short_answer.split(". ")[0]
    assert verdict.leaning is Leaning.BOTH
    assert CAVEATS[code].clause in first
    assert CAVEATS[code].clause in verdict.a_to_b.sentence
    assert verdict.a_to_b.certainty is Certainty.VERY_LOW
    assert f"text of {code}" in verdict.caveats


def test_a_shared_cause_found_by_any_design_counts_and_a_models_own_caveat_does_not_spread() -> None:
    panel = answer(A_TO_B, STATES["more"])
    warned = answer(A_TO_B, STATES["more"], design="onset", model="four-state", caveats=("common_cause",))
    assert CAVEATS["common_cause"].clause in weigh(PAIR, result(panel, warned), SETTINGS).short_answer
    mixed = answer(A_TO_B, STATES["more"], design="onset", model="four-state", caveats=("two_waves",))
    assert CAVEATS["two_waves"].clause not in weigh(PAIR, result(panel, mixed), SETTINGS).short_answer


def test_certainty_starts_low_and_never_rises_what_was_rated_down() -> None:
    lone = weigh(PAIR, result(answer(A_TO_B, STATES["more"])), SETTINGS).a_to_b
    assert lone.certainty is Certainty.LOW
    assert lone.moves == ("starts low, as every answer from observation does",)
    family = answer(A_TO_B, STATES["more"], "B", design="twins")
    two = weigh(PAIR, result(answer(A_TO_B, STATES["more"]), family), SETTINGS).a_to_b
    assert (two.word, two.certainty) == (Word.SUPPORTED, Certainty.MODERATE)
    warned = answer(A_TO_B, STATES["more"], caveats=("common_cause",))
    held = weigh(PAIR, result(warned, family), SETTINGS).a_to_b
    assert (held.word, held.certainty) == (Word.SUPPORTED, Certainty.VERY_LOW)
    assert not any(move.startswith("up") for move in held.moves)


def test_a_large_ratio_counts_only_beyond_two_and_with_a_challenge_that_left_it_standing() -> None:
    def certainty(low: float, high: float, *challenges: Challenge) -> Certainty:
        made = answer(A_TO_B, (low, high), scale=Scale.HAZARD_RATIO, design="onset")
        return weigh(PAIR, result(made), SETTINGS, challenges).a_to_b.certainty

    stood = Challenge("negative_control", "Negative control", "stands", "", answer_id=f"onset.A.ri-clpm.{A_TO_B}")
    assert certainty(2.4, 6.0, stood) is Certainty.MODERATE
    assert certainty(2.4, 6.0) is Certainty.LOW
    assert certainty(1.81, 8.72, stood) is Certainty.LOW  # Carroll 2004
    assert certainty(2.4, 6.0, replace(stood, outcome="broken")) is Certainty.VERY_LOW


def test_leaving_one_out_is_reported_and_said_first() -> None:
    lone = weigh(PAIR, result(answer(A_TO_B, STATES["more"])), SETTINGS)
    assert "on one line of evidence" in lone.a_to_b.sentence
    assert [c.outcome for c in lone.challenges if c.key == "leave_out"] == ["broken"]
    family = answer(A_TO_B, STATES["more"], "B", design="twins")
    two = weigh(PAIR, result(answer(A_TO_B, STATES["more"]), family), SETTINGS)
    assert "on one line" not in two.a_to_b.sentence
    assert [c.outcome for c in two.challenges if c.key == "leave_out"] == ["weakened", "weakened"]


def test_stronger_needs_a_contrast_within_one_design_and_both_ways() -> None:
    both = [answer(A_TO_B, STATES["more"]), answer(B_TO_A, STATES["more"])]
    said = weigh(PAIR, result(*both, contrast(0.02, 0.2)), SETTINGS).short_answer
    assert "The way from depression to back pain is the stronger one, in the panel design" in said
    said = weigh(PAIR, result(*both, contrast(-0.2, -0.02)), SETTINGS).short_answer
    assert "The way from back pain to depression is the stronger one" in said
    assert (
        "Which way is stronger cannot be told" in weigh(PAIR, result(*both, contrast(-0.1, 0.1)), SETTINGS).short_answer
    )
    assert "stronger" not in weigh(PAIR, result(both[0], contrast(0.02, 0.2)), SETTINGS).short_answer


def test_order_stands_beside_strength_and_needs_the_expected_share() -> None:
    def share(way: object, value: float, expected: float | None) -> Answer:
        made = answer(A_TO_B, None)
        question = replace(made.question, facet=Facet.FIRST, direction=way)
        estimate = Estimate(value, value - 0.03, value + 0.03, 0.015, Scale.SHARE, 500)
        return replace(made, id=f"onset.first.{way}", question=question, estimand=Estimand.ORDER_SHARE,
                       estimate=estimate, expected=expected, status=answer(A_TO_B, (0, 1)).status)  # fmt: skip

    def order(*rows: Answer) -> Verdict:
        return weigh(PAIR, result(*rows), SETTINGS)

    assert order().order.word is Word.NO_DATA
    base = order(share(A_TO_B, 0.84, 0.84), share(B_TO_A, 0.16, 0.16), share(JOINT, 0.0, None))
    assert base.order.word is Word.UNCERTAIN
    found = order(share(A_TO_B, 0.40, 0.50), share(B_TO_A, 0.60, 0.50))
    assert found.order.word is Word.PREDICTS
    assert found.order.sentence.startswith("Back pain came first more often than two unrelated")
    assert found.leaning is Leaning.CANNOT_TELL
    assert order(share(A_TO_B, 0.84, None)).order.word is Word.UNCERTAIN


@given(PATTERN)
def test_forbidden_words_and_digits_never_appear(pattern: Pattern) -> None:
    verdict = weigh(PAIR, result(*answers_of(pattern)), SETTINGS)
    sides = (verdict.a_to_b, verdict.b_to_a, verdict.order)
    texts = [verdict.short_answer, *verdict.dissent, *verdict.would_change_it]
    texts += [t for s in sides for t in (s.sentence, *s.moves, *s.because)]
    texts += [t for c in verdict.challenges for t in (c.title, c.says)]
    for text in texts:
        assert not re.search(r"\b(causes|caused by|proves|proven|because of)\b", text, re.I), text
        assert not re.search(r"(?<!or )(?<!to )(?<!towards )no effect", text, re.I), text
        assert not re.search(r"\d", text), text


def test_numbers_of_what_would_change_it() -> None:
    assert e_value(2.0) == pytest.approx(2 + math.sqrt(2))
    assert e_value(0.5) == pytest.approx(e_value(2.0))
    assert shared_strength(0.09) == pytest.approx(0.3)
    # half-width 0.2 about 0.1: excluding nothing needs (0.2/0.1)^2 = 4 times the people.
    assert needed_factor(Estimate(0.1, -0.1, 0.3, 0.1, Scale.SD_PER_SD, 100), 0.05) == pytest.approx(4)
    # about 0.01, the bound 0.05 is nearer: (0.2/0.04)^2 = 25.
    assert needed_factor(Estimate(0.01, -0.19, 0.21, 0.1, Scale.SD_PER_SD, 100), 0.05) == pytest.approx(25)
    assert needed_factor(Estimate(0.0, -math.inf, 0.2, 0.1, Scale.SD_PER_SD, 100), 0.05) is None


def test_the_worked_illustration_of_published_numbers() -> None:
    """Depression to back pain: pooled cohorts predict, identical twins are too uncertain: one line, low certainty."""
    cohorts = answer(A_TO_B, (1.26, 2.01), "A", design="literature", scale=Scale.ODDS_RATIO)
    twins = answer(A_TO_B, (0.42, 2.05), "B", design="twins", scale=Scale.ODDS_RATIO)
    back = answer(B_TO_A, (1.41, 2.74), "A", design="literature", scale=Scale.PREVALENCE_RATIO)
    verdict = weigh(PAIR, result(cohorts, twins, back), SETTINGS)
    assert verdict.a_to_b.word is Word.PREDICTS
    assert verdict.a_to_b.certainty is Certainty.LOW
    assert verdict.leaning is Leaning.BOTH
