"""A report about one person speaks of one person, and to a clinician as to the person."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.reports.outcomes import CARED, NOTHING, ONE_WAY, PLAIN, answer, diary, estimate, outcome

from bothways.reports import facts_of, render
from bothways.terms.answer import Caveat, Estimand
from bothways.terms.question import Direction, Facet, Scale
from bothways.terms.records import Finding, Level

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


def test_one_person_is_promised_a_longer_record_and_no_research() -> None:
    alone = " ".join(render(facts_of(CARED), "terminal", "patient").split())
    many = " ".join(render(facts_of(ONE_WAY), "terminal", "patient").split())
    assert "More research is likely to change this word" in many
    assert "More research" not in alone
    decided = replace(ONE_WAY, one_person=True)
    assert "A longer record is likely to change this word" in " ".join(
        render(facts_of(decided), "terminal", "patient").split()
    )


def test_few_people_are_not_promised_how_many_more_it_takes() -> None:
    """Their interval does not rest on how people differ."""
    few = Caveat("few_people", "This speaks of these 3 people and not of people in general.")
    rows = tuple(replace(answer, caveats=(few,)) for answer in diary().answers)
    told = " ".join(render(facts_of(outcome(replace(diary(), answers=rows))), "terminal", "patient").split())
    assert "people of the same kind would decide" in " ".join(
        render(facts_of(outcome(diary())), "terminal", "patient").split()
    )
    assert "people of the same kind would decide" not in told


def test_a_peak_that_a_model_gives_both_ways_is_said_to_be_the_models() -> None:
    hours = estimate(10 / 24, 3 / 24, Scale.DAYS)
    peak = answer(Direction.JOINT, hours, design="diary", model="ct-var", estimand=Estimand.PEAK_LAG, facet=Facet.SPEED)
    own = [a for a in diary().answers if a.estimand is not Estimand.PEAK_LAG]
    text = " ".join(render(facts_of(outcome(replace(diary(), answers=(*own, peak)))), "terminal", "patient").split())
    assert "Where they are there at all, both ways are greatest after 10 hours" in text
    assert "together, greatest" not in text
    assert text.count(" after 1 day") > 0  # the courses by lag are told beside it


def test_a_question_about_the_table_stands_with_the_answer_and_what_to_say() -> None:
    asked = Finding(Level.WARNING, "time_not_named", "Dates rise: is 'started' the time?", "If so, say --time started.")
    text = " ".join(render(facts_of(replace(NOTHING, findings=(asked,))), "terminal", "patient").split())
    assert "is 'started' the time? If so, say --time started." in text


def undecided(*caveats: Caveat) -> str:
    """One person's diary that a longer record would decide, in plain text."""
    rows = tuple(replace(a, caveats=caveats, estimate=estimate(0.08, 0.09, people=1)) for a in diary().answers[:1])
    made = replace(outcome(replace(diary(), answers=rows)), one_person=True, source=replace(PLAIN.source, people=1))
    return " ".join(render(facts_of(made), "terminal", "patient").split())


def test_a_longer_record_does_not_rule_out_what_is_unseen() -> None:
    told = "times as long would decide it"
    unseen = "would not by itself tell an influence from something unseen that moves both"
    shared = undecided(Caveat("common_cause", "Something unseen fits as well."))
    assert told in shared
    assert unseen in shared
    assert told in undecided()
    assert unseen not in undecided()


def test_an_estimate_of_nothing_is_neither_more_nor_less() -> None:
    none = replace(diary().answers[0], estimate=estimate(0.0004, 0.09, people=60))
    text = " ".join(render(facts_of(outcome(replace(diary(), answers=(none,)))), "terminal", "patient").split())
    assert "went with neither more nor less back pain" in text
    assert "0.00 standard deviations more" not in text
