"""The command line: what it answers, what it refuses, and that no traceback and no person's answer reaches a user."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.faces.panels import csv_text, long_panel, wide

import bothways as bw
from bothways.cli import main
from bothways.terms.question import Scale


class Run:
    """What one command printed and how it left."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


@pytest.fixture
def bothways(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOTHWAYS_CACHE", str(tmp_path / "cache"))

    def run(*words: str) -> Run:
        with pytest.raises(SystemExit) as left:
            main(list(words))
        printed = capsys.readouterr()
        return Run(int(left.value.code or 0), printed.out, printed.err)

    return run


@pytest.fixture
def panel(tmp_path: Path) -> Path:
    file = tmp_path / "panel.csv"
    file.write_text(csv_text(long_panel()))
    return file


def test_ask_answers_both_directions_and_writes_facts_and_report(bothways, panel: Path) -> None:
    run = bothways("ask", "panel.csv", "--quick", "--json", "facts.json", "--report", "answer.html")
    assert run.code == 0, run.err
    assert "back pain" in run.out
    assert max(len(line) for line in run.out.splitlines()) <= 80
    facts = json.loads((panel.parent / "facts.json").read_text())
    directions = {a["direction"] for a in facts["answers"] if a["status"] == "answered"}
    assert {"a_to_b", "b_to_a"} <= directions
    assert facts["source"]["people"] == 120
    assert "<html" in (panel.parent / "answer.html").read_text()


@pytest.mark.parametrize("form", ["answer.md", "answer.txt"])
def test_the_ending_chooses_the_form(bothways, panel: Path, form: str) -> None:
    assert bothways("ask", "panel.csv", "--quick", "--report", form).code == 0
    assert (panel.parent / form).stat().st_size > 500


def test_look_says_what_is_there_and_which_designs_can_answer(bothways, panel: Path) -> None:
    run = bothways("look", "panel.csv")
    assert run.code == 0, run.err
    assert "120" in run.out
    assert "panel" in run.out
    assert max(len(line) for line in run.out.splitlines()) <= 80


def test_simulated_records_can_be_asked(bothways, tmp_path: Path) -> None:
    assert bothways("simulate", "both-ways", "--people", "200", "--waves", "4", "--out", "w.csv").code == 0
    run = bothways("ask", "w.csv", "--quick")
    assert run.code == 0, run.err


def _bad_files(place: Path) -> None:
    panel = long_panel()
    text = csv_text(panel)
    lines = text.splitlines()
    (place / "panel.csv").write_text(text)
    (place / "empty.csv").write_text("")
    (place / "header.csv").write_text(lines[0] + "\n")
    (place / "garbage.csv").write_bytes(bytes(range(256)) * 64)
    (place / "garbage.sav").write_bytes(bytes(range(256)) * 64)
    (place / "garbage.parquet").write_bytes(bytes(range(256)) * 64)
    (place / "words.csv").write_text(
        "\n".join([lines[0], *(line.replace(",1,", ",1,secretword", 1) for line in lines[1:40])])
    )
    gone = long_panel()
    gone["back_pain"] = np.full_like(gone["back_pain"], np.nan)
    (place / "gone.csv").write_text(csv_text(gone))
    clash = [*lines, lines[1].rsplit(",", 2)[0] + ",1.5,30.0"]
    (place / "clash.csv").write_text("\n".join(clash))
    numbered = "id," + ",".join(f"phq9_{i}" for i in range(1, 10)) + ",pain_1,pain_2\n" + "1," + "1," * 9 + "3,4\n"
    (place / "numbered.csv").write_text(numbered * 1)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("ask", "nowhere.csv"), "nowhere.csv"),
        (("ask", "empty.csv"), "empty"),
        (("ask", "header.csv"), "no row"),
        (("ask", "garbage.csv"), "garbage.csv"),
        (("ask", "garbage.sav"), "garbage.sav"),
        (("ask", "garbage.parquet"), "garbage.parquet"),
        (("ask", "panel.csv", "--a", "depresion", "--b", "back_pain"), "depression"),
        (("ask", "panel.csv", "--id", "idd"), "'id'"),
        (("ask", "words.csv"), "depression"),
        (("ask", "gone.csv"), "back_pain"),
        (("ask", "clash.csv"), "clash.csv"),
        (("ask", "numbered.csv"), "--numbered"),
        (("ask", "panel.csv", "--topic", "depression-back-pian"), "depression-back-pain"),
        (("ask", "panel.csv", "--design", "pannel"), "panel"),
        (("ask", "panel.csv", "--cut", "pain"), "--cut"),
        (("ask", "panel.csv", "--range", "pain=0"), "--range"),
        (("ask", "panel.csv", "--quick", "--report", "answer.docx"), ".html"),
        (("ask", "panel.csv", "--quick", "--report", "nowhere/answer.html"), "nowhere"),
        (("ask", "panel.csv", "--accuracy", "depression=0.8"), "--accuracy depression=0.8:0.95"),
        (("ask", "panel.csv", "--accuracy", "depression=x:1"), "'x' is no number"),
        (("simulate", "bothways", "--out", "x.csv"), "both-ways"),
        (("look", "nowhere.csv"), "nowhere.csv"),
        (("ask", "panel.csv", "--colour"), "--colour"),
        (("ask", "panel.csv", "--export-syntax", "stata"), "lavaan"),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, tuple) else "",
)
def test_a_mistake_gets_one_clear_sentence_and_exit_code_2(
    bothways, tmp_path: Path, words: tuple[str, ...], says: str
) -> None:
    _bad_files(tmp_path)
    run = bothways(*words)
    assert run.code == 2, run.out + run.err
    assert says in run.err
    assert "Traceback" not in run.err
    assert "secretword" not in run.err
    assert run.out == ""


@pytest.mark.parametrize("keep", ["one wave", "three people"])
def test_what_no_design_can_answer_leaves_with_3_and_still_describes(bothways, tmp_path: Path, keep: str) -> None:
    columns = long_panel(people=200)
    chosen = columns["wave"] == 1 if keep == "one wave" else columns["id"] < 104
    (tmp_path / "few.csv").write_text(csv_text({name: column[chosen] for name, column in columns.items()}))
    run = bothways("ask", "few.csv", "--report", "few.html")
    assert run.code == 3, run.err
    assert "panel" in run.err
    assert "back pain" in (tmp_path / "few.html").read_text()


def test_wide_and_long_give_the_same_answers(bothways, tmp_path: Path) -> None:
    columns = long_panel()
    (tmp_path / "long.csv").write_text(csv_text(columns))
    (tmp_path / "wide.csv").write_text(csv_text(wide(columns)))
    facts = []
    for name in ("long", "wide"):
        assert bothways("ask", f"{name}.csv", "--quick", "--json", f"{name}.json").code == 0
        facts.append(json.loads((tmp_path / f"{name}.json").read_text()))
    assert [a["estimate"] for a in facts[0]["answers"]] == [a["estimate"] for a in facts[1]["answers"]]


@pytest.mark.parametrize(
    ("program", "files"), [("lavaan", ("panel.R", "panel.csv")), ("mplus", ("panel.inp", "panel.dat"))]
)
def test_the_model_can_be_taken_to_another_program(bothways, panel: Path, program: str, files: tuple[str, str]) -> None:
    run = bothways("ask", "panel.csv", "--quick", "--export-syntax", program)
    assert run.code == 0, run.err
    folder = panel.parent / f"bothways-{program}"
    script, table = (folder / name for name in files)
    assert files[1] in script.read_text()
    rows = table.read_text().splitlines()
    assert len(rows) == 120 + (program == "lavaan")
    assert ("-999" in rows[5]) <= (program == "mplus")


def test_an_unasked_design_is_named() -> None:
    world = bw.simulate("both-ways", people=60, waves=3)
    study = bw.ask(world.records, settings=bw.Settings(quick=True, designs=("panel",)))
    with pytest.raises(bw.BothwaysError, match="Choose one of: panel"):
        study["diary"]


@pytest.mark.parametrize("option", ["--json", "--report"])
def test_a_folder_is_no_file_to_write(bothways, panel: Path, option: str) -> None:
    (panel.parent / "taken.html").mkdir()
    run = bothways("ask", "panel.csv", option, "taken.html")
    assert run.code == 2
    assert "folder" in run.err


def test_a_file_is_no_folder_of_tables(bothways, panel: Path) -> None:
    run = bothways("ask", "panel.csv", "--quick", "--tables", "panel.csv")
    assert run.code == 2
    assert "this is a file" in run.err
    assert panel.read_text().startswith("id,")


@pytest.mark.parametrize("words", [("--json", "panel.csv"), ("--json", "same.html", "--report", "same.html")])
def test_no_result_overwrites_what_is_read_or_another(bothways, panel: Path, words: tuple[str, ...]) -> None:
    before = panel.read_text()
    run = bothways("ask", "panel.csv", "--quick", *words)
    assert run.code == 2
    assert "name" in run.err
    assert panel.read_text() == before


@pytest.mark.parametrize("least", [0.0, -5.0, float("nan")])
def test_a_smallest_effect_that_is_none_is_refused(least: float) -> None:
    world = bw.simulate("both-ways", people=60, waves=3)
    with pytest.raises(bw.BothwaysError, match="smallest effect"):
        bw.ask(world.records, settings=bw.Settings(quick=True, smallest_effects={Scale.SD_PER_SD: least}))


@pytest.mark.parametrize("level", [0.1, 0.9, 1.0])
def test_words_are_read_from_intervals_of_95_percent_or_more(level: float) -> None:
    world = bw.simulate("both-ways", people=60, waves=3)
    with pytest.raises(bw.BothwaysError, match="level"):
        bw.ask(world.records, settings=bw.Settings(quick=True, level=level))


def test_a_condition_is_no_negative_control_of_its_own(bothways, panel: Path) -> None:
    run = bothways("ask", "panel.csv", "--negative-control", "back_pain")
    assert run.code == 2
    assert "is one of the two conditions" in run.err


def test_whoever_stops_the_work_is_told_that_nothing_half_was_written(
    bothways, panel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("bothways.study.read", stopped)
    run = bothways("look", "panel.csv")
    assert run.code == 130
    assert "Stopped" in run.err


def test_help_comes_first_where_one_person_answered_the_item_on_self_harm(bothways, tmp_path: Path) -> None:
    rows = [f"{day},{day % 4},{(day * 7) % 10},{int(day == 3)}" for day in range(60)]
    (tmp_path / "mine.csv").write_text("\n".join(["day,depression,back_pain,DPQ090", *rows]))
    run = bothways("look", "mine.csv", "--time", "day")
    assert run.code == 0, run.err
    assert run.out.startswith("If you might harm yourself")


def test_a_result_replaces_a_file_whole_and_follows_links(bothways, panel: Path) -> None:
    (panel.parent / "kept.json").write_text("old")
    (panel.parent / "link.json").symlink_to(panel.parent / "kept.json")
    assert bothways("ask", "panel.csv", "--quick", "--json", "link.json").code == 0
    assert (panel.parent / "link.json").is_symlink()
    assert json.loads((panel.parent / "kept.json").read_text())["schema"] == 1
    assert not list(panel.parent.glob(".*"))
