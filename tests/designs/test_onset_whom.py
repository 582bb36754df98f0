"""In whom, by onsets: levels, refusals, tests together, and ratios along a number."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from bothways.designs.onset import OnsetDesign
from bothways.designs.onset.answers import room_of
from bothways.designs.onset.estimation import PATHS, fit_all
from bothways.designs.onset.models import plain
from bothways.designs.onset.setup import prepare
from bothways.designs.onset.whom import fit_split, is_entry, values_at, whom
from bothways.designs.splits import holm, split_of
from bothways.simulation import simulate
from bothways.simulation.catalogue import OnsetRates
from bothways.terms.answer import DesignResult, Status
from bothways.terms.progress import silent
from bothways.terms.question import Direction, Facet
from bothways.terms.records import Records
from bothways.terms.settings import Settings

QUICK = Settings(quick=True)
OFTEN = OnsetRates(depression_onset=0.2, back_pain_onset=0.3)


def table(result: DesignResult, key: str) -> list[dict[str, object]]:
    one = next(t for t in result.tables if t.key == key)
    return [dict(zip(one.columns, line, strict=True)) for line in one.rows]


@cache
def two_ages(people: int = 2500) -> Records:
    """Depression quadruples onsets of back pain from 45 on and does nothing to them before."""
    parts = []
    for k, ratio in enumerate((1.0, 4.0)):
        world = simulate("null", design="onset", people=people, seed=k + 1, rates=replace(OFTEN, a_to_b=ratio))
        age = np.random.default_rng(k).uniform(20 + 25 * k, 45 + 25 * k, world.records.people)
        parts.append((world.records, age))
    (one, young), (other, old) = parts
    return replace(
        one,
        person=np.concatenate([one.person, other.person + one.people]),
        time=np.concatenate([one.time, other.time]),
        values={key: np.concatenate([one.values[key], other.values[key]]) for key in ("depression", "back_pain")},
        wave=None if one.wave is None else np.concatenate([one.wave, other.wave]),  # type: ignore[list-item]
        baseline={"age": np.concatenate([young, old]), "odd": np.arange(one.people + other.people) % 2.0},
        roles=replace(one.roles, by=("age", "odd", "nothing"), covariates=()),
    )


@cache
def asked() -> DesignResult:
    return OnsetDesign().answer(two_ages(), QUICK, silent)


def test_a_ratio_that_rises_with_age_is_found_along_it() -> None:
    forth = [x for x in table(asked(), "onset_whom_curve") if x["direction"] == "depression to back pain"]
    ratios = np.array([x["ratio"] for x in forth], float)
    assert len(ratios) == 5
    assert (np.diff(ratios) > 0).all()
    assert ratios[0] < 1.6
    assert ratios[-1] > 2.5
    tests = {(x["circumstance"], x["direction"], x["compared"]): x for x in table(asked(), "onset_whom_tests")}
    assert tests["age", "depression to back pain", "along the number"]["p"] < 1e-8  # type: ignore[operator]
    assert tests["age", "back pain to depression", "along the number"]["p"] > 0.01  # type: ignore[operator]
    assert tests["age", "depression to back pain", "levels"]["p"] < 1e-8  # type: ignore[operator]
    assert tests["odd", "depression to back pain", "levels"]["p"] > 0.01  # type: ignore[operator]
    own = [x["p"] for x in tests.values()]
    assert [x["p for all tests together"] for x in tests.values()] == pytest.approx(holm(own))  # type: ignore[arg-type]


def test_one_contrast_and_its_test_agree() -> None:
    """With two levels Wald's statistic is the squared ratio of the contrast to its error."""
    rows = {a.id: a for a in asked().answers if a.facet is Facet.WHOM}
    e = rows["onset.whom.odd.1.interaction.a_to_b"].estimate
    assert e is not None
    line = next(
        x
        for x in table(asked(), "onset_whom_tests")
        if (x["circumstance"], x["direction"]) == ("odd", "depression to back pain")
    )
    assert line["chi-square"] == pytest.approx((np.log(e.value) / e.se) ** 2)
    assert line["p"] == pytest.approx(e.p)
    assert rows["onset.whom.nothing.a_to_b"].status is Status.REFUSED
    assert {x["looked at"] for x in table(asked(), "whom_shrunk")} == {"contrasts of all circumstances"}


def test_a_level_is_its_people_alone() -> None:
    """Where every transition was made at both levels, the ratio at one is that of its people fitted by themselves."""
    records = two_ages()
    setup = prepare(records, QUICK)
    values = values_at(setup, "odd")
    assert values is not None
    split = split_of(records, "odd", values)
    assert split is not None
    found = fit_split(setup, split)
    above, below = PATHS[Direction.A_TO_B]
    rows = records.baseline["odd"][records.person] == 0
    keep = np.unique(records.person[rows])
    alone = replace(
        records,
        person=np.searchsorted(keep, records.person[rows]),
        time=records.time[rows],
        values={key: x[rows] for key, x in records.values.items()},
        wave=None if records.wave is None else records.wave[rows],
        baseline={},
    )
    own = plain(prepare(alone, QUICK)).log_ratio(above, below)[0]
    e = next(a.estimate for a in asked().answers if a.subgroup == split.names[0] and a.direction is Direction.A_TO_B)
    assert e is not None
    assert found.fitted.usable
    assert np.log(e.value) == pytest.approx(own, abs=1e-3)


def test_a_level_that_only_says_how_people_entered_is_not_offered() -> None:
    records = two_ages()
    first = np.r_[True, np.diff(records.person) != 0]
    depression = np.where(first & (records.person % 3 == 0), 1.0, records.values["depression"])
    records = replace(records, values={**records.values, "depression": depression})
    setup = prepare(records, QUICK)
    ill = (setup.entry & 1).astype(float)
    with_entry = replace(records, baseline={**records.baseline, "ill": ill})
    values = values_at(prepare(with_entry, QUICK), "ill")
    assert values is not None
    split, odd = split_of(with_entry, "ill", values), split_of(records, "odd", values_at(setup, "odd"))  # type: ignore[arg-type]
    assert split is not None
    assert odd is not None
    assert is_entry(setup, split)
    assert not is_entry(setup, odd)
    offered = replace(with_entry, roles=replace(records.roles, by=("ill", "odd"), guessed=("by",)))
    assert not [a for a in OnsetDesign().answer(offered, QUICK, silent).answers if a.facet is Facet.WHOM]
    room = room_of(setup, Settings(), fit_all(prepare(offered, QUICK), silent, quick=True))
    room = replace(room, setup=prepare(offered, QUICK))
    assert {a.question.population.where for a in whom(room)[0]} == {"odd"}
