"""One person is never told to become more people: a longer record would decide, and a change drawn by chance."""

from __future__ import annotations

from dataclasses import replace

from tests.verdicts.answers import A_TO_B, B_TO_A, PAIR, SETTINGS, STATES, answer, result

from bothways.terms.verdict import Verdict
from bothways.verdicts import weigh


def verdict_of(people: int) -> Verdict:
    rows = [answer(way, STATES["uncertain"], design="diary", model="var", people=people) for way in (A_TO_B, B_TO_A)]
    return weigh(PAIR, result(*rows), SETTINGS)


def test_one_person_needs_a_longer_record_and_many_need_more_people() -> None:
    alone, many = verdict_of(1), verdict_of(400)
    assert {c.key for c in alone.challenges if "needed" in c.key} == {"length_needed"}
    assert {c.key for c in many.challenges if "needed" in c.key} == {"people_needed"}
    factor = next(c.value for c in alone.challenges if c.key == "length_needed")
    people = next(c.value for c in many.challenges if c.key == "people_needed")
    assert factor is not None
    assert people == 400 * factor
    told = " ".join(alone.would_change_it)
    assert "longer record" in told
    assert "drawn by chance" in told
    assert not {"people", "twins", "siblings"} & set(told.replace(",", " ").split())


def test_a_line_of_many_beside_one_person_is_many() -> None:
    rows = [answer(A_TO_B, STATES["uncertain"], people=1), answer(A_TO_B, STATES["uncertain"], "B", people=90)]
    verdict = weigh(PAIR, result(*rows, replace(answer(B_TO_A, None))), SETTINGS)
    assert "more people" in " ".join(verdict.would_change_it)
