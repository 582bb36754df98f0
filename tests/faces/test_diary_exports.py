"""Every command of ``docs/diary-exports.md`` reads a small table with the columns that the page names."""

from __future__ import annotations

import csv
import re
import shlex
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bothways.cli import main
from bothways.study import read
from bothways.terms.layout import Layout

PAGE = Path(__file__).parents[2] / "docs" / "diary-exports.md"
COMMANDS = [shlex.split(c) for c in re.findall(r"```sh\n(bothways ask .+?)\n```", PAGE.read_text("utf-8"), re.S)]
STEPS = re.findall(r"```python\n(.+?)```", PAGE.read_text("utf-8"), re.S)
PROMPTS = 60

Row = tuple[datetime, int, int]


def diary() -> list[Row]:
    """Three prompts a day for twenty days; two scores from 0 to 10."""
    rng = np.random.default_rng(1)
    start = datetime(2024, 3, 4)
    when = [start + timedelta(days=k // 3, minutes=int(540 + 300 * (k % 3) + rng.integers(90))) for k in range(PROMPTS)]
    return [(t, int(a), int(b)) for t, a, b in zip(when, *rng.integers(0, 11, (2, PROMPTS)), strict=True)]


def plain(t: datetime, a: int, b: int) -> list[object]:
    return [f"{t:%Y-%m-%d}", f"{t:%H:%M}", a, b]


def stacked(t: datetime, a: int, b: int) -> list[list[object]]:
    return [[f"{t:%Y-%m-%d %H:%M}", name, value] for name, value in (("low_mood", a), ("back_pain", b))]


def redcap(t: datetime, a: int, b: int) -> list[object]:
    return [1, "diary_arm_1", "diary", 1, f"{t:%Y-%m-%d %H:%M:%S}", a, b]


def avicenna(t: datetime, a: int, b: int) -> list[object]:
    return ["Person 1", 7, f"{t:%Y-%m-%d %H:%M:%S}", f"{t:%Y-%m-%d %H:%M:%S}", f"{t:%Y-%m-%d %H:%M:%S}", a, b]


def m_path(t: datetime, a: int, b: int) -> list[object]:
    seconds = int((t - datetime(1970, 1, 1)).total_seconds())
    return [234609, "abc", 1, "esm", seconds, seconds, seconds, seconds, 3600, a, b]


def prompts(t: datetime, a: int, b: int) -> list[object]:
    return [7, f"{t:%Y-%m-%d}", f"{t:%H:%M:%S}", a, b]


def daylio(t: datetime, a: int, b: int) -> list[object]:
    mood = ("rad", "good", "meh ", "bad", "awful")[min(a // 2, 4)]
    clock = f"{t:%I:%M %p}".lower().lstrip("0")
    return [f"{t:%Y-%m-%d}", f"{t:%B} {t.day}", f"{t:%A}", clock, mood, "back pain | walk" if b > 4 else "", "", ""]


def bearable(t: datetime, a: int, b: int) -> list[list[object]]:
    moment = [f"{t:%Y-%m-%d}", f"{t.day} {t:%b %Y}", f"{t:%A}", ("am", "mid", "pm")[(t.hour - 9) // 5]]
    return [[*moment, "Mood", a, "", ""], [*moment, "Symptom", b, "Back pain", ""], [*moment, "Energy", "ok", "", ""]]


ITEMS = "low_mood,back_pain"
EXPORTS: dict[str, tuple[str, str, Callable[..., list]]] = {
    "plain.csv": (",", f"date,time,{ITEMS}", plain),
    "answers.csv": (",", "time,variable,value", stacked),
    "redcap.csv": (
        ",",
        f"record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,diary_timestamp,{ITEMS}",
        redcap,
    ),
    "avicenna.csv": (
        ",",
        "Name,Device ID,Scheduled Time,Issued Time,Response Time,[1] low_mood,[2] back_pain",
        avicenna,
    ),
    "basic.csv": (
        ";",
        "connectionId,alias,scheduledBeepId,questionListName,timeStampScheduled,timeStampSent,timeStampStart,"
        f"timeStampStop,timeZoneOffset,{ITEMS}",
        m_path,
    ),
    "prompts.csv": (",", f"Participant,Date,Time,{ITEMS}", prompts),
    "daylio_export.csv": (",", "full_date,date,weekday,time,mood,activities,note_title,note", daylio),
    "bearable_export.csv": (
        ",",
        "date,date formatted,weekday,time of day,category,rating/amount,detail,notes",
        bearable,
    ),
}
MADE = {"daylio.csv": "daylio_export.csv", "bearable.csv": "bearable_export.csv"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All exports, and what the page's own lines make of them."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOTHWAYS_CACHE", str(tmp_path / "cache"))
    for name, (between, head, rows_of) in EXPORTS.items():
        rows = [rows_of(*row) for row in diary()]
        flat = [r for row in rows for r in row] if isinstance(rows[0][0], list) else rows
        with open(name, "w", newline="") as file:
            writer = csv.writer(file, delimiter=between)
            writer.writerows([head.split(","), *flat])
    for step in STEPS:
        exec(compile(step, str(PAGE), "exec"), {})
    return tmp_path


def option(words: list[str], name: str) -> str:
    return words[words.index(name) + 1] if name in words else ""


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[2])
def test_the_command_reads_the_export(folder: Path, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["look", *words[2:]]
    if "--report" in asked:
        del asked[asked.index("--report") : asked.index("--report") + 2]
    with pytest.raises(SystemExit) as left:
        main(asked)
    assert left.value.code in (0, None), capsys.readouterr().err
    assert "diary" in capsys.readouterr().out.lower()


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[2])
def test_times_and_answers_are_those_that_were_written(folder: Path, words: list[str]) -> None:
    stated = {name: option(words, f"--{name}") or None for name in ("id", "time")}
    a, b, better = (option(words, o) for o in ("--a", "--b", "--higher-is-better"))
    layout = Layout(a=(a,), b=(b,), higher_is_better=(better,) if better else (), **stated)
    records = read(words[2], layout=layout)
    assert (records.people, records.rows) == (1, PROMPTS)
    parts = words[2] == "bearable.csv"  # the parts of the day stand for the clock
    hours = [(t.date(), (9, 14, 20)[(t.hour - 9) // 5] * 60 if parts else t.hour * 60 + t.minute) for t, *_ in diary()]
    days = np.array([(d - hours[0][0]).days + m / 1440 for d, m in hours])
    assert np.sort(records.time) - records.time.min() == pytest.approx(days - days[0], abs=1e-6)
    values = records.values[records.pair.b.key]
    truth = np.array([float(b > 4 if words[2] == "daylio.csv" else b) for *_, b in diary()])
    order = np.argsort(records.time, kind="stable")
    assert values[order] == pytest.approx(truth)


def test_the_page_and_this_file_name_the_same_exports() -> None:
    named = {words[2] for words in COMMANDS}
    assert named == (set(EXPORTS) - set(MADE.values())) | set(MADE)


def test_seconds_since_1970_are_no_days(folder: Path) -> None:
    raw = pl.read_csv("basic.csv", separator=";")
    records = read(raw, layout=Layout(id="connectionId", time="timeStampStart", a=("low_mood",), b=("back_pain",)))
    assert 18 < records.time.max() - records.time.min() < 21
