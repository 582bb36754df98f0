"""What a change is called: the column, the topic's words for it, and words for its side where that side is known."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from tests.designs.panel_records import records_of, simulated_scores

from bothways.designs.named import named
from bothways.designs.panel.design import fit_all
from bothways.designs.panel.setup import prepare
from bothways.designs.panel.whatif import what_if_tables
from bothways.study.topics import SHIPPED_TOPIC, topic_named
from bothways.study.what_if import meant, parse_what_if, resolved
from bothways.terms.errors import QuestionError
from bothways.terms.layout import Layout
from bothways.terms.progress import silent
from bothways.terms.records import Records
from bothways.terms.settings import Settings, WhatIf


@pytest.fixture(scope="module")
def records() -> Records:
    scores = simulated_scores(people=200, waves=4, seed=3)
    rng = np.random.default_rng(8)
    scores |= {key: rng.normal(size=(200, 4)) for key in ("psqi", "screen_hours", "smoking")}
    made = records_of(scores, days=(0, 90, 180, 270), a=("phq9",), b=("back_pain",))
    return replace(made, topic=topic_named(SHIPPED_TOPIC, Layout()), labels={"screen_hours": "screen hours"})


def change_of(records: Records, text: str) -> WhatIf:
    return resolved(records, Settings(what_if=parse_what_if((text,)))).what_if[0]


@pytest.mark.parametrize(
    ("text", "key", "size"),
    [
        ("psqi -1", "psqi", -1.0),
        ("Poor sleep -1", "psqi", -1.0),
        ("sleep -1", "psqi", -1.0),
        ("Sleep quality +0.5", "psqi", 0.5),
        ("bp_sleep -1", "psqi", -1.0),
        ("back pain spoils sleep and leaves people tired -1", "psqi", -1.0),
        ("BACK PAIN -1", "back_pain", -1.0),
        ("phq9 -1", "depression", -1.0),
        ("Screen_Hours 1", "screen_hours", 1.0),
        ("sleep 1 SD better", "psqi", -1.0),
        ("sleep better by 1", "psqi", -1.0),
        ("worse sleep 1.5 SD", "psqi", 1.5),
        ("depression 1 less", "depression", -1.0),
        ("less poor sleep 1", "psqi", -1.0),
        ("more smoking 1", "smoking", 1.0),
        ("screen hours 1 SD more", "screen_hours", 1.0),
    ],
)
def test_a_change_goes_by_the_words_that_people_write(records: Records, text: str, key: str, size: float) -> None:
    found = change_of(records, f"{text} for 4 weeks")
    assert (found.variable, found.by_sd, found.days) == (key, size, 28.0)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("less sleep 1", "'less sleep' may be good or bad: 'psqi' is scored as poor sleep. Write better or worse"),
        ("screen hours 1 better", "on which side 'screen hours' is bad is not known here. Give the sign"),
        ("sleep -1 better", "says its side twice. Give a sign"),
        ("better sleep 1 SD worse", "says its side twice"),
        ("moonlight -1", "nothing that changes over time is named 'moonlight'"),
    ],
)
def test_what_is_not_known_is_one_clear_sentence(records: Records, text: str, says: str) -> None:
    with pytest.raises(QuestionError, match=re.escape(says)):
        change_of(records, text)


def test_two_columns_of_one_meaning_are_asked_apart(records: Records) -> None:
    two = replace(records, values={**records.values, "insomnia": records.values["psqi"]})
    with pytest.raises(QuestionError, match="'poor sleep' may mean insomnia or psqi"):
        change_of(two, "poor sleep -1")


def test_what_never_changes_is_no_change(records: Records) -> None:
    fixed = replace(records, baseline={"smoking": np.zeros(records.people)})
    with pytest.raises(QuestionError, match="'smoking' never changes within a person in these records"):
        change_of(fixed, "smoking -1")


def test_the_column_that_was_meant_is_said(records: Records) -> None:
    stated = Settings(what_if=parse_what_if(("sleep 1 SD better", "psqi -1", "back pain -1")))
    (finding,) = meant(records, stated, resolved(records, stated))
    assert finding.message == "What if: 'sleep' was taken for 'psqi', better as −1 SD (higher is worse)"


def test_a_change_of_one_of_the_two_says_that_its_own_course_was_put_in(records: Records) -> None:
    both = Settings(quick=True, what_if=(WhatIf("back_pain", -1.0), WhatIf("psqi", -1.0)))
    (table,) = what_if_tables(fit_all(prepare(records), both, silent))
    assert "Back pain is itself one of the two conditions" in table.note
    assert "Depression is itself" not in table.note
    (alone,) = what_if_tables(fit_all(prepare(records), replace(both, what_if=both.what_if[1:]), silent))
    assert "is itself one of the two" not in alone.note


def test_a_mediator_goes_by_the_name_of_its_bad_side(records: Records) -> None:
    """Of a column "sleep" that holds poor sleep, "sleep −1 SD" would read as sleeping worse."""
    assert named(records, "sleep") == "poor sleep"
    assert named(records, "screen_hours") == "screen hours"
    assert named(records, records.pair.b.key) == records.pair.b.label
    assert named(replace(records, topic=None), "sleep") == "sleep"
