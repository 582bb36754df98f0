"""A report about one person speaks of one person, and to a clinician as to the person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.reports.outcomes import CARED, NOTHING, PLAIN, diary, outcome

from bothways.reports import facts_of, render
from bothways.terms.answer import Caveat

ALONE_UNANSWERED = replace(NOTHING, one_person=True, source=replace(NOTHING.source, people=1))


@pytest.mark.parametrize("reader", ["patient", "clinician", "researcher"])
def test_what_would_tell_one_person_is_no_study_of_others(reader: str) -> None:
    text = " ".join(render(facts_of(ALONE_UNANSWERED), "terminal", reader).split())
    assert "Records of this person over time" in text
    assert "began in this person's life would tell" in text
    assert "Records of the same people" not in text
    assert "Records of the same people" in " ".join(render(facts_of(NOTHING), "terminal", reader).split())


@pytest.mark.parametrize("reader", ["patient", "clinician"])
def test_a_course_is_headed_alike_for_whoever_reads_it(reader: str) -> None:
    page = render(facts_of(CARED), "html", reader)
    assert "The course over time" in page
    assert "Your course over time" not in page


def test_a_few_people_are_not_people_in_general() -> None:
    few = Caveat("few_people", "This speaks of these 3 people and not of people in general.")
    rows = tuple(replace(answer, caveats=(few,)) for answer in diary().answers)
    text = {}
    for name, answers in (("few", rows), ("many", diary().answers)):
        made = replace(outcome(replace(diary(), answers=answers)), source=replace(PLAIN.source, people=3))
        text[name] = " ".join(render(facts_of(made), "terminal", "patient").split())
    assert text["few"].count("these 60 people, and not of people in general") == 2
    assert "people in general" not in text["many"]
