"""The whole table of verdict words, every cell, by constructed intervals; and what no path may reach."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.verdicts.answers import A_TO_B, B_TO_A, PAIR, SETTINGS, STATES, answer, result

from bothways.terms.answer import Line
from bothways.terms.question import Scale
from bothways.terms.verdict import Leaning, Reading, Verdict, Word
from bothways.verdicts import weigh
from bothways.verdicts.lines import candidates, lines_of, read, word_of
from bothways.verdicts.rules import LEANINGS, LINES, VERDICT_TABLE, Tally, standing

ALL_LINES: tuple[Line, ...] = tuple(LINES)
PASSING = {Word.PREDICTS, Word.SUPPORTED}


def verdict_of(states: dict[Line, str], reverse: dict[Line, str] | None = None) -> Verdict:
    answers = [answer(A_TO_B, STATES[s], line) for line, s in states.items()]
    answers += [answer(B_TO_A, STATES[s], line) for line, s in (reverse or {}).items()]
    return weigh(PAIR, result(*answers), SETTINGS)


def word_by_hand(states: dict[Line, str]) -> Word:
    """The note's table, restated from its prose and not from the code."""
    said = {line: s for line, s in states.items() if s != "no data"}
    if not said:
        return Word.NO_DATA
    decided = {line: s for line, s in said.items() if s != "uncertain"}
    if not decided:
        return Word.UNCERTAIN
    if len(set(decided.values())) > 1:
        return Word.DISAGREE
    if set(decided.values()) == {"little"}:
        return Word.LITTLE
    if len(decided) == 1:
        return Word.PREDICTS
    # Only families are expected to be biased towards no effect; none is expected opposite to another otherwise.
    return Word.SUPPORTED if "B" in decided else Word.PREDICTS


@pytest.mark.parametrize("first", STATES)
def test_every_cell_of_the_table(first: str) -> None:
    """5 lines in 5 states each: 3,125 patterns, of which 625 start with this state of line A."""
    for rest in product(STATES, repeat=4):
        states = dict(zip(ALL_LINES, (first, *rest), strict=True))
        results = [read(a, SETTINGS) for a in (answer(A_TO_B, STATES[s], line) for line, s in states.items())]
        assert word_of(lines_of(results)) is word_by_hand(states), states


@pytest.mark.parametrize(("state", "word"), [("no data", Word.NO_DATA), ("uncertain", Word.UNCERTAIN),
                                             ("little", Word.LITTLE), ("more", Word.PREDICTS),
                                             ("less", Word.PREDICTS)])  # fmt: skip
def test_one_line_gives_its_own_word(state: str, word: Word) -> None:
    assert verdict_of({"A": state}).a_to_b.word is word


@given(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.booleans())
def test_some_row_of_the_table_always_holds(little: int, more: int, less: int, other: int, opposed: bool) -> None:
    counted = Tally(little + more + less + other, little, more, less, opposed)
    assert any(row.holds(counted) for row in VERDICT_TABLE)


JOINT_WORDS = {
    ("more", "more"): Leaning.BOTH,
    ("more", "less"): Leaning.BOTH,
    ("more", "little"): Leaning.A_TO_B,
    ("little", "more"): Leaning.B_TO_A,
    ("little", "little"): Leaning.NEITHER,
}


@pytest.mark.parametrize(("a_to_b", "b_to_a"), list(product(STATES, repeat=2)))
def test_every_cell_of_the_joint_table(a_to_b: str, b_to_a: str) -> None:
    """Both ways needs both to pass; one way only needs the other to read little or no effect; else it cannot tell."""
    verdict = verdict_of({"A": a_to_b}, {"A": b_to_a})
    alike = tuple("more" if s == "less" else s for s in (a_to_b, b_to_a))
    assert verdict.leaning is JOINT_WORDS.get(alike, Leaning.CANNOT_TELL)
    assert (verdict.leaning is Leaning.BOTH) == (verdict.a_to_b.word in PASSING and verdict.b_to_a.word in PASSING)
    assert verdict.short_answer.startswith("Both ways") == (verdict.leaning is Leaning.BOTH)
    assert verdict.short_answer.startswith("One way only") == (verdict.leaning in (Leaning.A_TO_B, Leaning.B_TO_A))


def test_the_joint_table_is_whole_and_mirrors() -> None:
    standings = {standing(word) for word in Word}
    assert set(LEANINGS) == set(product(standings, repeat=2))
    swap = {Leaning.A_TO_B: Leaning.B_TO_A, Leaning.B_TO_A: Leaning.A_TO_B}
    for (a, b), leaning in LEANINGS.items():
        assert LEANINGS[b, a] is swap.get(leaning, leaning)


def test_shown_one_way_is_not_one_way_only() -> None:
    assert verdict_of({"A": "more"}, {"A": "uncertain"}).short_answer.startswith("Shown one way, the other too")
    assert verdict_of({"A": "more"}).short_answer.startswith("Shown one way, no data for the other")


@given(st.lists(st.sampled_from([s for s in STATES if s != "no data"]), min_size=1, max_size=6),
       st.sampled_from(ALL_LINES))  # fmt: skip
def test_designs_of_one_line_never_support_each_other(states: list[str], line: Line) -> None:
    designs = ("panel", "onset", "diary", "records", "pathway", "literature")
    answers = [answer(A_TO_B, STATES[s], line, design=d) for s, d in zip(states, designs, strict=False)]
    verdict = weigh(PAIR, result(*answers), SETTINGS)
    assert verdict.a_to_b.word is not Word.SUPPORTED
    assert len(verdict.a_to_b.agreements) == 1


def test_an_uncertain_line_disagrees_with_nothing() -> None:
    assert verdict_of({"A": "more", "B": "uncertain"}).a_to_b.word is Word.PREDICTS
    assert verdict_of({"A": "little", "B": "uncertain"}).a_to_b.word is Word.LITTLE


def test_disagreement_says_why_from_the_closed_list() -> None:
    verdict = verdict_of({"A": "more", "B": "little"})
    assert verdict.a_to_b.word is Word.DISAGREE
    assert verdict.a_to_b.because == ("one holds the family constant",)
    assert "because one holds the family constant" in verdict.a_to_b.sentence
    unknown = verdict_of({"A": "more", "D": "less"})
    assert unknown.a_to_b.because == ("the reason is not yet known",)
    assert verdict.dissent
    assert candidates(verdict.answers, B_TO_A) == []


def test_an_interval_that_cannot_be_is_no_data() -> None:
    whole = answer(A_TO_B, STATES["more"])
    estimate = whole.estimate
    assert estimate is not None
    for low, high in ((0.3, 0.06), (0.2, 0.3), (float("nan"), 0.3)):
        odd = replace(whole, estimate=replace(estimate, low=low, high=high))
        assert read(odd, SETTINGS).reading is Reading.NO_DATA
    ratio = replace(estimate, value=2.0, low=-1.0, high=3.0, scale=Scale.RATE_RATIO)
    assert read(replace(whole, estimate=ratio), SETTINGS).reading is Reading.NO_DATA
    assert read(whole, SETTINGS).reading is Reading.PREDICTS
