"""Real open data, where it is there: numbers that its own publications and codebooks give."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from bothways.intake import describe, read
from bothways.terms.answer import Table
from bothways.terms.layout import Layout
from bothways.terms.question import Kind
from bothways.terms.records import Records
from bothways.topics import generic_topic, load_topic


def table(records: Records, key: str) -> Table:
    return next(t for t in describe(records) if t.key == key)


def test_a_trial_at_two_waves(open_data: Path) -> None:
    path = open_data / "ashar2022" / "Ashar2022_outcomes_demographics.csv"
    records = read(path, topic=load_topic("depression-back-pain"), layout=Layout(arm="group"))
    assert (records.roles.id, records.roles.time) == ("id", "time")
    assert records.roles.b == ("pain_avg",)
    assert records.waves == 2
    both = np.bincount(records.person) == 2
    assert both.sum() == 135  # patients seen at both waves
    assert [row[2] for row in table(records, "coverage").rows] == [205, 135]


def test_one_mans_diary(open_data: Path) -> None:
    path = open_data / "kossakowski2017" / "ESMdata.csv.gz"
    told = Layout(a=("mood_down",), b=("phy_pain",), time="date+resptime_s")
    records = read(path, topic=generic_topic("mood_down", "phy_pain"), layout=told)
    assert records.people == 1
    assert records.source.rows == 1476
    assert 236 < records.time[-1] < 240
    assert np.all(np.diff(records.time) > 0)
    pain = records.values["phy_pain"]
    assert (np.nanmin(pain), np.nanmax(pain)) == (1, 3)
    assert np.nanmean(pain == 1) == pytest.approx(0.69, abs=0.005)
    assert "floor_bound" in {f.code for f in records.findings}


def test_a_survey_at_one_time(open_data: Path) -> None:
    path = open_data / "nhanes2009" / "nhanes_2009_2010_lbp_phq9.csv.gz"
    topic = load_topic("depression-back-pain")
    told = Layout(b=("lbp_current",), weight="WTMEC2YR", covariates=("SMQ020",))
    records = read(path, topic=topic, layout=told)
    assert records.source.rows == 5106
    assert records.waves == 1
    assert records.pair.b.kind is Kind.STATE
    answered = np.isfinite(records.values["depression"])
    assert answered.sum() == 4390
    items = tuple(f"DPQ0{k}0" for k in range(1, 10))
    scored = read(
        path,
        topic=topic,
        layout=Layout(a=items, b=("lbp_current",), numbered="items", instruments={"depression": "phq9"}),
    )
    total, own = scored.values["phq9"], scored.values["depression"]
    whole = np.isfinite(total)
    assert whole.sum() > 4000
    np.testing.assert_array_equal(own[whole], total[whole])  # the survey's own sum, where it is given
    harm = next(f for f in scored.findings if f.code == "self_harm_item")
    assert 100 < harm.people < 400
    says = next(f.message for f in scored.findings if f.code == "item_codes")
    assert "code 7" in says
    assert "code 9" in says
