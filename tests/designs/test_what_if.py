"""Stated changes: the course of panels and diaries against the fitted process itself, and the words about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import solve_continuous_lyapunov
from tests.designs.panel_records import records_of, simulated_scores

import bothways as bw
from bothways.designs.diary import DiaryDesign
from bothways.designs.diary.estimation import Models, base_structure, fitted
from bothways.designs.diary.setup import DiarySetup
from bothways.designs.panel.design import fit_all
from bothways.designs.panel.effects import within_sd
from bothways.designs.panel.setup import prepare
from bothways.designs.panel.whatif import what_if_tables
from bothways.designs.what_if import COLUMNS, change_words, days_words
from bothways.engine.effects import raw_lags
from bothways.simulation import Observation, simulate
from bothways.study.file import read_study_file
from bothways.study.notes import unused
from bothways.study.what_if import parse_what_if, resolved
from bothways.terms.answer import DesignResult, Table
from bothways.terms.errors import QuestionError
from bothways.terms.progress import Progress, silent
from bothways.terms.records import Records
from bothways.terms.settings import Settings, WhatIf


@pytest.fixture(scope="module")
def panel() -> Records:
    scores = simulated_scores(people=600, waves=5, seed=3, effects=(0.25, 0.1), missing=0.05)
    rng = np.random.default_rng(8)
    scores["sleep"] = -0.3 * scores["depression"] + rng.normal(size=scores["depression"].shape)
    return replace(records_of(scores, days=(0, 90, 180, 270, 360)), labels={"sleep": "poor sleep"})


def table_of(records: Records, *changes: WhatIf) -> Table:
    room = fit_all(prepare(records), Settings(what_if=changes, quick=True), silent)
    (table,) = what_if_tables(room)
    return table


def course(table: Table, outcome: str, change: str | None = None) -> np.ndarray:
    """(times, 7): time, value, low, high and the three in points."""
    rows = [r for r in table.rows if r[1] == outcome and change in (None, r[0])]
    return np.array([r[2:] for r in rows], float)


def test_a_panels_course_is_its_own_process_with_one_equation_replaced(panel: Records) -> None:
    settings = Settings(what_if=(WhatIf("depression", 1.0, 120.0),), quick=True)
    room = fit_all(prepare(panel), settings, silent)
    (table,) = what_if_tables(room)
    assert table.key == "what_if"
    assert table.columns == COLUMNS
    fit = room.headline.chosen.fit
    B = raw_lags(fit.model)(fit.alpha)[0].mean(axis=0)
    sd = within_sd(fit.model)(fit.alpha).mean(axis=0)
    x, expected = np.array([sd[0], 0.0]), []
    for s in range(5):
        expected.append(x / sd)
        x = B @ x
        if s + 1 < 2:  # 120 days: at the change and at the wave after it
            x[0] = sd[0]
    pain = course(table, "back pain")
    np.testing.assert_allclose(pain[:, 0], [0, 90, 180, 270, 360])
    np.testing.assert_allclose(pain[:, 1], np.array(expected)[:, 1], atol=1e-12)
    np.testing.assert_allclose(course(table, "depression")[:2, 1], 1.0)
    unit = sd[1] * room.setup.scale[1]
    np.testing.assert_allclose(pain[:, 4:], pain[:, 1:4] * unit, rtol=1e-12)
    assert (pain[1:, 2] < pain[1:, 1]).all()
    assert (pain[1:, 1] < pain[1:, 3]).all()
    assert "stands at 2 waves" in table.note
    assert "model implies" in table.note
    assert "will" not in table.note


def test_the_band_is_the_covariance_carried_over(panel: Records) -> None:
    """One wave on, the course of pain is a lag times a ratio of fixed SDs: its band has that lag's own error."""
    room = fit_all(prepare(panel), Settings(what_if=(WhatIf("depression", -1.0, None),), quick=True), silent)
    chosen = room.headline.chosen
    assert chosen.errors is not None
    pain = course(what_if_tables(room)[0], "back pain")[1]
    k = chosen.fit.model.parameters.index("B21")
    sd = within_sd(chosen.fit.model)(chosen.fit.alpha).mean(axis=0)
    error = chosen.errors.errors[k] * sd[0] / sd[1]
    assert (pain[3] - pain[2]) / (2 * 1.959964) == pytest.approx(error, rel=0.05)
    again = course(what_if_tables(room)[0], "back pain")[1]
    np.testing.assert_array_equal(pain, again)


def test_uneven_waves_run_in_time(panel: Records) -> None:
    uneven = replace(panel, wave_days=np.array([0.0, 90, 180, 270, 380]))
    table = table_of(uneven, WhatIf("back_pain", 1.0, 30.0))
    times = course(table, "depression")[:, 0]
    assert len(times) == 25
    pain = course(table, "back pain")
    np.testing.assert_allclose(pain[times <= 30.0, 1], 1.0)
    assert pain[-1, 1] < 0.5


def test_a_mediator_is_a_process_of_its_own(panel: Records) -> None:
    table = table_of(panel, WhatIf("sleep", -1.0, 90.0), WhatIf("sleep", 3.0, None))
    assert table.rows[0][0] == "poor sleep −1 SD for 90 days"
    assert {r[1] for r in table.rows} == {"depression", "back pain"}
    assert "beyond most of what was seen" in table.note
    assert np.isfinite(course(table, "depression")).all()


def test_what_cannot_be_held_is_said(panel: Records) -> None:
    flat = replace(panel, values={**panel.values, "flat": np.ones(panel.rows)})
    settings = Settings(what_if=(WhatIf("flat", 1.0, None),), quick=True)
    (table,) = what_if_tables(fit_all(prepare(flat), settings, silent))
    assert table.rows == ()
    assert table.note.startswith("No course for flat")
    (finding,) = unused(flat, settings, (DesignResult("panel", tables=(table,)),))
    assert finding.code == "what_if_not_drawn"
    assert "No course for flat" in finding.message


def one_model(setup: DiarySetup, _settings: Settings, _progress: Progress) -> Models:
    """The plain model alone, without its rivals."""
    plain = fitted("ct-var", base_structure(setup, error=False), setup, False)
    return Models(plain, plain, plain, None, None, None)


@pytest.fixture(scope="module")
def diary() -> DesignResult:
    look = Observation(error=0.0, missing=0.1)
    world = simulate("depression-first", people=25, waves=30, seed=5, design="diary", observation=look)
    changes = (WhatIf("depression", 1.0, 1.0), WhatIf("depression", 1.0, None))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bothways.designs.diary.design._fit_all", one_model)
        return DiaryDesign().answer(world.records, Settings(quick=True, what_if=changes), silent)


def test_a_diarys_course_is_its_drift_with_one_equation_replaced(diary: DesignResult) -> None:
    table = next(t for t in diary.tables if t.key == "what_if")
    held, throughout = (f"depression +1 SD {span}" for span in ("for 1 day", "held throughout"))
    mood, pain = course(table, "depression", held), course(table, "back pain", held)
    np.testing.assert_allclose(mood[mood[:, 0] <= 1.0, 1], 1.0, atol=1e-12)
    assert mood[-1, 1] < 0.9
    np.testing.assert_allclose(course(table, "depression", throughout)[:, 1], 1.0, atol=1e-12)
    assert pain[0, 1] == 0.0
    assert (pain[1:, 2] <= pain[1:, 1]).all()
    assert (pain[1:, 1] <= pain[1:, 3]).all()
    assert pain[1:, 1].max() > 0.05  # the world's arrow
    assert course(table, "back pain", throughout)[-1, 1] > pain[-1, 1]


def test_a_diarys_course_solves_its_equations(diary: DesignResult) -> None:
    """dx/dt = A x with the changed row at rest while it is held, in small steps from the printed parameters."""
    told = {p.name: p.value for p in diary.fits[0].parameters}
    keys = ("depression", "back_pain")
    A = np.array([[told.get(f"drift[{i},{j}]", 0.0) for j in keys] for i in keys])
    A[np.diag_indices(2)] = [-np.exp(told[f"log drift[{k},{k}]"]) for k in keys]
    root = [np.exp(told[f"log diffusion_root[{k},{k}]"]) for k in keys]
    R = np.array([[root[0], 0.0], [told[f"diffusion_root[{keys[1]},{keys[0]}]"], root[1]]])
    sd = np.sqrt(np.diag(solve_continuous_lyapunov(A, -R @ R.T)))
    table = next(t for t in diary.tables if t.key == "what_if")
    pain = course(table, "back pain", "depression +1 SD for 1 day")
    step, x, at = 1e-4, np.array([sd[0], 0.0]), []
    grid = np.arange(0.0, pain[-1, 0] + step, step)
    for when in grid:
        at.append(x[1] / sd[1])
        move = A @ x
        if when < 1.0 - step / 2:
            move[0] = 0.0
        x = x + step * move
    np.testing.assert_allclose(np.interp(pain[:, 0], grid, at), pain[:, 1], atol=2e-4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sleep -1 for 4 weeks", WhatIf("sleep", -1.0, 28.0)),
        ("back pain +0.5 SD", WhatIf("back pain", 0.5, None)),
        ("sleep −1 for 1 day", WhatIf("sleep", -1.0, 1.0)),
        ("phq9: 2 for 3 months", WhatIf("phq9", 2.0, 3 * 30.4375)),
        ("phq_9 -1.5 FOR 10 Days", WhatIf("phq_9", -1.5, 10.0)),
        ("sleep -1 for 2 years", WhatIf("sleep", -1.0, 730.5)),
    ],
)
def test_a_change_is_read_as_it_is_written(text: str, expected: WhatIf) -> None:
    assert parse_what_if((text,)) == (expected,)


@pytest.mark.parametrize(
    "text", ["", "sleep", "-1", "sleep one", "sleep -1 for", "sleep -1 for weeks", "sleep 0", "sleep -1 for 0 days",
             "sleep -1 for 4 fortnights", "sleep nan", "sleep 1000", "sleep -999999999999 for 1 day",
             "sleep 1e3 for ever"]
)  # fmt: skip
def test_what_cannot_be_read_gets_one_sentence(text: str) -> None:
    with pytest.raises(QuestionError) as told:
        parse_what_if((text,))
    assert told.value.where == "--what-if"
    assert told.value.mend


def test_names_are_found_by_label_key_or_column(panel: Records) -> None:
    def asked(name: str, records: Records = panel, days: float | None = None) -> str:
        return resolved(records, Settings(what_if=(WhatIf(name, 1.0, days),))).what_if[0].variable

    assert [asked(n) for n in ("Back Pain", "back_pain", "poor sleep", "SLEEP")] == ["back_pain"] * 2 + ["sleep"] * 2
    with pytest.raises(QuestionError, match="Use one of: back_pain, depression, sleep"):
        asked("snoring")
    waves = records_of(simulated_scores(people=60))
    assert asked("depression", waves) == "depression"
    with pytest.raises(QuestionError, match="--wave-gap"):
        asked("depression", waves, 28.0)
    with pytest.raises(QuestionError, match="the records reach over 360"):
        asked("depression", days=100_000 * 30.4375)


def test_words_keep_the_units_that_come_out_even() -> None:
    assert [days_words(d) for d in (28.0, 7.0, 10.0, 30.4375, 0.5, 730.5, None)] == [
        "for 4 weeks", "for 1 week", "for 10 days", "for 1 month", "for 0.5 days", "for 2 years", "held throughout",
    ]  # fmt: skip
    assert change_words(WhatIf("x", -0.25), "pain", "for 1 day") == "pain −0.25 SD for 1 day"


def test_the_whole_road_draws_it_and_a_study_file_may_ask(panel: Records, tmp_path: Path) -> None:
    rows = zip(
        panel.person.tolist(), panel.time.tolist(), *(panel.values[k].tolist() for k in panel.values), strict=True
    )
    lines = [",".join(["id", "day", *panel.values]), *(",".join(f"{x:g}" for x in row) for row in rows)]
    (tmp_path / "panel.csv").write_text("\n".join(lines))
    (tmp_path / "study.toml").write_text(
        'data = "panel.csv"\n[layout]\nid = "id"\ntime = "day"\nwaves = true\npathways = ["sleep"]\n'
        '[settings]\nquick = true\ndesigns = ["panel"]\nwhat_if = "sleep -1 for 4 weeks"\n'
    )
    told = read_study_file(tmp_path / "study.toml")
    (records,) = told.read().values()
    study = bw.ask(records, settings=told.settings)
    (table,) = [t for r in study.outcome.results for t in r.tables if t.key == "what_if"]
    assert table.rows[0][0] == "poor sleep −1 SD for 4 weeks"
    assert not any(f.code == "what_if_not_drawn" for f in study.outcome.findings)
