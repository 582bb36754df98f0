"""``bothways plan``: what it prints, refuses and saves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import bothways as bw
from bothways.cli import main


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["plan", "panel", *words])
    return int(left.value.code or 0)


def test_a_plan_says_reach_power_and_people_needed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    assert run("--people", "300", "--waves", "4", "--effect", "0.1", "--json", str(file)) == 0
    out = capsys.readouterr().out
    facts = json.loads(file.read_text())
    assert max(len(line) for line in out.splitlines()) <= 80
    assert f"{facts['needed'][0]:,} people" in out
    assert facts["point"]["power"][0] == pytest.approx(facts["curve"][3]["power"][0])
    powers = [row["power"][0] for row in facts["curve"]]
    assert powers == sorted(powers)


def test_the_needed_people_reach_the_wanted_power(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "plan.json"
    run("--effect", "0.1", "--power", "0.9", "--json", str(file))
    needed = json.loads(file.read_text())["needed"][0]
    run("--effect", "0.1", "--people", str(needed), "--json", str(file))
    assert json.loads(file.read_text())["point"]["power"][0] == pytest.approx(0.9, abs=0.001)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--effect", "much"), "--effect"),
        (("--effect", "0.1,0.1,0.1"), "--effect"),
        (("--waves", "2"), "--waves"),
        (("--icc", "1.5"), "--icc"),
        (("--dropout", "1"), "--dropout"),
        (("--effect", "0.9,0.9"), "Lower"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(
    words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == 2
    err = capsys.readouterr().err
    assert says in err
    assert "Traceback" not in err


def run_diary(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(["plan", "diary", *words])
    return int(left.value.code or 0)


@pytest.mark.parametrize(("people", "of"), [("1", "days"), ("40", "people")])
def test_a_planned_diary_says_reach_power_and_what_is_needed(
    people: str, of: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "plan.json"
    assert run_diary("--people", people, "--days", "20", "--effect", "0.15,0.05", "--json", str(file)) == 0
    out = capsys.readouterr().out
    facts = json.loads(file.read_text())
    assert max(len(line) for line in out.splitlines()) <= 80
    for needed in facts["needed"]:
        assert f"{needed:,} {of}" in out
    assert "3 hours later" in out
    assert "causes" not in out
    assert facts["point"] in facts["curve"]


def test_a_planned_diary_is_verified_where_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_diary("--people", "20", "--days", "6", "--effect", "0.3", "--simulations", "2") == 0
    assert "Verified by simulating and fitting 2 such diaries" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("words", "says"), [(("--effect", "much"), "--effect"), (("--days", "5"), "--days"), (("--night", "25"), "--night")]
)
def test_a_diary_that_cannot_be_planned_is_refused(
    words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_diary(*words) == 2
    err = capsys.readouterr().err
    assert says in err
    assert "Traceback" not in err


def test_plans_stand_under_power() -> None:
    """``bw.power`` holds what the command line calls."""
    plan = bw.power.plan_diary(days=30, effect=(0.2, 0.1))
    assert len(plan.curve) == len(bw.power.plan_facts(plan)["curve"])
