"""The facts of each instrument hang together: whatever the answers, a score made from them stays a score."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bothways.terms.topic import Instrument
from bothways.topics import instruments

ALL = instruments()
FROM_ITEMS = [key for key, one in ALL.items() if one.scoring in ("sum", "mean")]
NAMED = {
    "phq9", "phq2", "gad7", "cesd20", "cesd10-andresen", "cesd10-yesno", "cesd-r", "hads-d", "hads-a", "bdi-ii",
    "promis-depression", "nrs-pain", "promis-pain-interference", "odi", "rmdq24", "rmdq23", "peg", "gcps-1992",
    "gcps-r", "psqi", "isi",
}  # fmt: skip


def turned(one: Instrument, item: int, answer: int) -> float:
    """The answer with its worse end up: x' = low + high - x for a reversed item."""
    assert one.item_low is not None
    assert one.item_high is not None
    return one.item_low + one.item_high - answer if item in one.reversed_items else answer


def total(one: Instrument, answers: list[int]) -> float:
    """The score by its definition, written apart from the package's own scoring."""
    points = [turned(one, item, answer) for item, answer in enumerate(answers, start=1)]
    return sum(points) / (len(points) if one.scoring == "mean" else 1)


def answers_to(one: Instrument) -> st.SearchStrategy[list[int]]:
    items, low, high = one.items, one.item_low, one.item_high
    assert items is not None
    assert low is not None
    assert high is not None
    return st.lists(st.integers(int(low), int(high)), min_size=items, max_size=items)


def test_the_shelf_holds_every_instrument_that_the_topic_names() -> None:
    assert set(ALL) == NAMED


@pytest.mark.parametrize("key", ALL)
def test_a_key_is_its_own_stem_and_stems_are_lower_case(key: str) -> None:
    one = ALL[key]
    assert key in one.names
    assert all(name == name.lower() and " " not in name for name in one.names)


@pytest.mark.parametrize("key", FROM_ITEMS)
@given(data=st.data())
def test_every_set_of_answers_scores_within_the_range(key: str, data: st.DataObject) -> None:
    one = ALL[key]
    assert one.low <= total(one, data.draw(answers_to(one))) <= one.high


@pytest.mark.parametrize("key", FROM_ITEMS)
def test_the_ends_of_the_range_are_reached(key: str) -> None:
    one = ALL[key]
    items = range(1, (one.items or 0) + 1)
    worst = [one.item_low if i in one.reversed_items else one.item_high for i in items]
    best = [one.item_high if i in one.reversed_items else one.item_low for i in items]
    assert total(one, worst) == one.high
    assert total(one, best) == one.low


@pytest.mark.parametrize("key", FROM_ITEMS)
@given(data=st.data())
def test_turning_an_item_twice_restores_it(key: str, data: st.DataObject) -> None:
    one = ALL[key]
    item = data.draw(st.integers(1, one.items))
    answer = data.draw(st.integers(int(one.item_low), int(one.item_high)))
    assert turned(one, item, turned(one, item, answer)) == answer


@pytest.mark.parametrize("key", FROM_ITEMS)
@given(data=st.data())
def test_one_more_point_moves_the_score_by_the_sign_of_its_item(key: str, data: st.DataObject) -> None:
    one = ALL[key]
    answers = data.draw(answers_to(one))
    item = data.draw(st.integers(1, one.items))
    answers[item - 1] = int(one.item_low)
    raised = [*answers[: item - 1], int(one.item_low) + 1, *answers[item:]]
    moved = total(one, raised) - total(one, answers)
    assert moved < 0 if item in one.reversed_items else moved > 0


@pytest.mark.parametrize("key", FROM_ITEMS)
@given(data=st.data())
def test_the_order_of_plain_items_does_not_matter(key: str, data: st.DataObject) -> None:
    one = ALL[key]
    answers = data.draw(answers_to(one))
    plain = [i for i in range(len(answers)) if i + 1 not in one.reversed_items]
    moved = list(answers)
    for here, there in zip(plain, data.draw(st.permutations(plain)), strict=True):
        moved[here] = answers[there]
    assert total(one, moved) == total(one, answers)


@pytest.mark.parametrize("key", ALL)
def test_cutoffs_ascend_within_the_range_and_checked_ones_name_their_source(key: str) -> None:
    one = ALL[key]
    values = [cutoff.value for cutoff in one.cutoffs]
    assert values == sorted(set(values))
    assert all(one.low < value <= one.high for value in values)
    assert all(cutoff.source for cutoff in one.cutoffs if cutoff.checked)


@pytest.mark.parametrize("key", ALL)
def test_no_unchecked_fact_drives_a_default(key: str) -> None:
    one = ALL[key]
    if one.default_cutoff is not None:
        assert {c.value: c.checked for c in one.cutoffs}[one.default_cutoff]
        assert "default_cutoff" in one.checked
    assert one.smallest_change_checked == ("smallest_change" in one.checked)


@pytest.mark.parametrize("key", ALL)
def test_every_fact_is_marked_as_checked_or_not(key: str) -> None:
    one = ALL[key]
    stated = {
        "range": True,
        "scoring": one.scoring == "total_only",
        "items": one.items is not None,
        "item_range": one.item_low is not None,
        "reversed_items": bool(one.reversed_items),
        "max_missing": one.max_missing > 0,
        "cutoffs": bool(one.cutoffs),
        "default_cutoff": one.default_cutoff is not None,
        "smallest_change": one.smallest_change is not None,
        "self_harm_item": one.self_harm_item is not None,
        "recall_days": one.recall_days is not None,
        "licence": True,
    }
    marked = {*one.checked, *one.unchecked}
    assert {fact for fact, there in stated.items() if there} <= marked
    assert not set(one.checked) & set(one.unchecked)
    assert one.licence
    assert one.sources or not one.checked


@pytest.mark.parametrize("key", [k for k, one in ALL.items() if one.scoring == "total_only"])
def test_where_only_a_total_is_taken_nothing_of_the_items_is_held(key: str) -> None:
    one = ALL[key]
    assert one.items is None
    assert one.reversed_items == ()


@pytest.mark.parametrize("key", ALL)
def test_no_field_is_long_enough_to_hold_the_text_of_an_item(key: str) -> None:
    assert {f.name for f in dataclasses.fields(ALL[key])}.isdisjoint({"texts", "wording", "responses"})
    assert all(len(cutoff.means) < 100 for cutoff in ALL[key].cutoffs)


def test_versions_that_reverse_different_items_share_a_stem_so_that_it_has_to_be_named() -> None:
    holders = [key for key, one in ALL.items() if "cesd10" in one.names]
    assert holders == ["cesd10-andresen", "cesd10-yesno"]
    assert ALL["cesd10-andresen"].reversed_items != ALL["cesd10-yesno"].reversed_items


def test_only_the_phq9_holds_an_item_on_self_harm() -> None:
    assert {key: one.self_harm_item for key, one in ALL.items() if one.self_harm_item} == {"phq9": 9}


def test_the_numbers_of_the_primary_sources() -> None:
    """Typed in from the sources once more, apart from the data files."""
    assert [c.value for c in ALL["phq9"].cutoffs] == [5, 10, 15, 20]
    assert (ALL["phq9"].low, ALL["phq9"].high, ALL["phq9"].default_cutoff) == (0, 27, 10)
    assert ALL["cesd20"].reversed_items == (4, 8, 12, 16)
    assert (ALL["cesd20"].high, ALL["cesd20"].default_cutoff) == (60, 16)
    assert (ALL["cesd10-yesno"].reversed_items, ALL["cesd10-yesno"].max_missing) == ((4, 7), 0)
    assert [c.value for c in ALL["isi"].cutoffs] == [8, 10, 15, 22]
    assert [c.value for c in ALL["promis-depression"].cutoffs] == [55, 60, 65, 70]
    changes = {key: one.smallest_change for key, one in ALL.items() if one.smallest_change_checked}
    assert changes == {
        "gad7": 4, "hads-a": 1.5, "promis-depression": 3.5, "nrs-pain": 2, "odi": 10, "rmdq24": 5, "peg": 1, "isi": 8.4,
    }  # fmt: skip
