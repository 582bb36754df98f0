"""What column names say."""

from __future__ import annotations

import pytest

from bothways.intake.columns import MONTH, Name, label_number, nearest, read_name, unit_in

KNOWN = frozenset({"phq9", "pain", "cesd10", "phq"})


@pytest.mark.parametrize(
    ("column", "stem", "wave", "item", "number"),
    [
        ("phq9_t1", "phq9", 1, None, None),
        ("PHQ9.T1", "phq9", 1, None, None),
        ("PHQ9 T12", "phq9", 12, None, None),
        ("w1_pain", "pain", 1, None, None),
        ("t1.pain", "pain", 1, None, None),
        ("pain_wave2", "pain", 2, None, None),
        ("pain_baseline", "pain", 0, None, None),
        ("phq9", "phq9", None, None, None),
        ("phq9_3", "phq9", None, None, 3),
        ("pain1", "pain", None, None, 1),
        ("phq9_3_t1", "phq9", 1, 3, None),
        ("t1_phq9_3", "phq9", 1, 3, None),
        ("phq9_t1_3", "phq9", 1, 3, None),
        ("phq9_t2_item3", "phq9", 2, 3, None),
        ("phq9_item_3", "phq9", None, 3, None),
        ("phq3_t1", "phq", 1, 3, None),
        ("sf36_t1", "sf36", 1, None, None),
        ("DPQ010", "dpq", None, None, 10),
        ("weight", "weight", None, None, None),
        ("front1", "front", None, None, 1),
        ("back_pain_t2", "backpain", 2, None, None),
        ("2019_income", "2019income", None, None, None),
    ],
)
def test_stems_waves_and_items(column: str, stem: str, wave: int | None, item: int | None, number: int | None) -> None:
    name = read_name(column, KNOWN)
    assert (name.stem, name.wave, name.item, name.number) == (stem, wave, item, number)
    assert name.column == column


def test_months_in_a_name_are_a_unit() -> None:
    assert (read_name("pain_m6").wave, read_name("pain_m6").unit) == (6, MONTH)
    assert (read_name("pain_6m").wave, read_name("pain_6m").unit) == (6, MONTH)
    assert read_name("pain_t6").unit is None


def test_a_plain_number_is_settled_once() -> None:
    name = read_name("phq9_3", KNOWN)
    assert name.settled("items").item == 3
    assert name.settled("waves").wave == 3
    assert name.settled("waves").settled("items") == name.settled("waves")
    assert isinstance(name, Name)


@pytest.mark.parametrize(
    ("label", "number", "unit"),
    [("T2", 2, None), ("wave 3", 3, None), ("baseline", 0, None), ("6 months", 6, MONTH), ("month_6_arm_1", 6, MONTH)],
)
def test_labels_of_waves(label: str, number: int, unit: float | None) -> None:
    assert label_number(label) == (number, unit)


def test_words_are_no_labels_of_waves() -> None:
    assert label_number("before the operation") is None


def test_the_nearest_name_is_offered() -> None:
    assert nearest("phq8", ("id", "phq9", "pain")) == "Did you mean 'phq9'?"
    assert nearest("pain", ("phq9", "back_pain_score")) == "Did you mean 'back_pain_score'?"
    assert nearest("zzz", ("phq9",)) == ""


def test_units_of_time_columns() -> None:
    assert unit_in("months_since_start") == MONTH
    assert unit_in("wave") is None
    assert unit_in("m") is None
