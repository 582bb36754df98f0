"""From the command line: a randomised arm, a stated change, a sampling plan; what went unused is said."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.faces.panels import csv_text, long_panel

import bothways as bw
from bothways.cli import main
from bothways.simulation import simulate_trial
from bothways.study.notes import unused
from bothways.terms.answer import Answer, DesignResult, Estimand, Status
from bothways.terms.layout import Layout
from bothways.terms.question import Condition, Direction, Facet, Pair, Question
from bothways.terms.settings import Settings


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        main(list(words))
    return int(left.value.code or 0)


@pytest.fixture
def trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    records = simulate_trial("lever", people=400, seed=4).records
    arm = np.array(["usual care", "treatment"])[records.baseline["arm"][records.person].astype(int)]
    columns = {"id": records.person, "day": records.time, "arm": arm, **records.values}
    (tmp_path / "trial.csv").write_text(csv_text(columns))
    return tmp_path


def facts_of(folder: Path, *words: str) -> dict[str, Any]:
    assert run("ask", "trial.csv", "--quick", "--no-cache", "--json", "facts.json", *words) == 0
    told: dict[str, Any] = json.loads((folder / "facts.json").read_text())
    return told


def test_an_arm_becomes_a_line_of_its_own(trial: Path) -> None:
    words = ("--arm", "arm", "--waves", "--id", "id", "--time", "day", "--design", "panel,trial")
    told = facts_of(trial, *words)
    (lever,) = [a for a in told["answers"] if a["id"] == "trial.lever.a_to_b"]
    assert (lever["line"], lever["status"], lever["reading"]) == ("D", "answered", "predicts")
    lines = {row["line"]: row["reading"] for row in told["verdict"]["a_to_b"]["lines"]}
    assert lines["D"] == "predicts"
    assert "by another way than through the first" in told["verdict"]["a_to_b"]["sentence"]
    assert not {"arm_in_lags", "arm_is_no_lever"} & {f["code"] for f in told["findings"]}
    assert "adjusted for arm" in next(m["text"] for m in told["methods"] if m["design"] == "panel")


def test_a_change_is_drawn_from_the_command_line(trial: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("--waves", "--id", "id", "--time", "day", "--design", "panel")
    told = facts_of(trial, *words, "--what-if", "depression -1 for 4 weeks", "--what-if", "back pain 0.5")
    (table,) = [t for t in told["tables"] if t["key"] == "what_if"]
    assert {row[0] for row in table["rows"]} == {"depression −1 SD for 4 weeks", "back pain +0.5 SD held throughout"}
    capsys.readouterr()
    assert run("ask", "trial.csv", "--what-if", "depression lower") == 2
    error = capsys.readouterr().err
    assert error.startswith("--what-if: 'depression lower' is no NAME")
    assert len(error.splitlines()) == 1
    assert run("ask", "trial.csv", *words, "--what-if", "snoring -1") == 2
    assert "Use one of" in capsys.readouterr().err


def test_a_sampling_plan_is_used_by_panels_and_said_where_it_is_not(tmp_path: Path) -> None:
    columns = long_panel(people=150, waves=4)
    own = np.unique(columns["id"], return_inverse=True)[1]
    rng = np.random.default_rng(1)
    columns |= {"w": np.round(rng.lognormal(size=150), 3)[own], "clinic": own % 12, "region": own % 3}
    (tmp_path / "panel.csv").write_text(csv_text(columns))
    plans = (Layout(), Layout(weight="w", cluster="clinic", strata="region"))
    told = {}
    for k, layout in enumerate(plans):
        records = bw.read(tmp_path / "panel.csv", id="id", time="wave", layout=layout)
        told[k] = bw.ask(records, settings=Settings(quick=True, cuts={"depression": 12.0, "back_pain": 12.0}))
    plain, drawn = (s["panel"].a_to_b.estimate for s in told.values())
    assert plain is not None
    assert drawn is not None
    assert plain.se != drawn.se
    assert "within strata (Taylor linearisation)" in told[1]["panel"].methods
    left = [f for f in told[1].outcome.findings if f.code == "sampling_unused"]
    answered = [r.design for r in told[1].outcome.results if r.answers and r.design == "onset"]
    assert answered, "the cut-offs let the onset design answer"
    assert "within strata (Taylor linearisation)" in told[1]["onset"].methods
    assert not left
    assert not [f for f in told[0].outcome.findings if f.code == "sampling_unused"]


def test_each_design_is_told_what_it_left_out_and_no_more() -> None:
    design = {"weight": "w", "cluster": "clinic", "strata": "region"}
    world = bw.simulate("both-ways", people=40, seed=1)
    records = replace(world.records, roles=replace(world.records.roles, **design))
    answered = [
        DesignResult(design=key, answers=(_answered(key),)) for key in ("onset", "sustained", "elsewhere", "panel")
    ]
    left = [f for f in unused(records, Settings(), tuple(answered)) if f.code == "sampling_unused"]
    everything = "The weights ('w'), clusters ('clinic') and strata ('region') were not used by the elsewhere"
    assert [f.message.split(" design")[0] for f in left] == [everything]
    assert "take them as drawn one by one" in left[0].message


def _answered(design: str) -> Answer:
    question = Question(Pair(Condition("a", "A"), Condition("b", "B")), Facet.STRENGTH, Direction.A_TO_B)
    return Answer(f"{design}.x", question, design, design, Estimand.TOTAL, Status.ANSWERED)


def test_people_without_a_weight_and_arms_that_were_not_compared_are_told() -> None:
    world = bw.simulate("both-ways", people=40, seed=1)
    weights = np.where(np.arange(40) < 5, np.nan, 1.0)
    weights[6] = -1.0
    roles = replace(world.records.roles, weight="w", arm="g")
    records = replace(world.records, roles=roles, baseline={**world.records.baseline, "w": weights})
    found = unused(records, Settings(), (DesignResult("trial", refused="there is one arm only"),))
    told = {f.code: f for f in found}
    assert told["no_weight"].people == 6
    assert "there is one arm only" in told["arm_not_compared"].message
