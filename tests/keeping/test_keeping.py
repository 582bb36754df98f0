"""What is saved comes back to the digit, nothing foreign is ever built, and the cache neither lies nor fails."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import os
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import bothways as bw
from bothways.keeping import clear, fingerprint, load, recall, remember, save
from bothways.keeping.archive import FORMAT
from bothways.keeping.cache import MOST_KEPT
from bothways.keeping.code import WORDS, decode, encode
from bothways.study import Study
from bothways.terms.answer import Caveat, Estimate
from bothways.terms.errors import ReportError
from bothways.terms.question import Direction, Scale
from bothways.terms.settings import Settings


def same(x: Any, y: Any) -> bool:
    """Equal to the digit, in every field, with NaN equal to NaN and types kept."""
    if dataclasses.is_dataclass(x):
        return type(x) is type(y) and all(same(getattr(x, f.name), getattr(y, f.name)) for f in dataclasses.fields(x))
    if isinstance(x, np.ndarray):
        return x.dtype == y.dtype and np.array_equal(x, y, equal_nan=x.dtype.kind == "f")
    if isinstance(x, Mapping):
        return list(x) == list(y) and all(same(x[k], y[k]) for k in x)
    if isinstance(x, tuple):
        return isinstance(y, tuple) and len(x) == len(y) and all(same(a, b) for a, b in zip(x, y, strict=True))
    if isinstance(x, float) and math.isnan(x):
        return isinstance(y, float) and math.isnan(y)
    return bool(x == y) and isinstance(x, str) == isinstance(y, str)


@pytest.fixture(scope="module")
def study() -> Study:
    world = bw.simulate("both-ways", people=150, waves=4, seed=2)
    return bw.ask_world(world, settings=bw.Settings(quick=True))


def test_a_study_comes_back_to_the_digit(study: Study, tmp_path: Path) -> None:
    study.save(tmp_path / "a.study")
    again = bw.load(tmp_path / "a.study")
    assert same(study.outcome, again.outcome)
    assert same(study.records, again.records)
    assert study.facts() == again.facts()


PLAIN = st.none() | st.booleans() | st.integers(-(2**62), 2**62) | st.floats() | st.text(max_size=8)
VALUES = st.recursive(
    PLAIN | st.sampled_from([Scale.DAYS, Direction.JOINT]) | st.builds(Caveat, st.text(), st.text()),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(VALUES)
def test_every_value_of_ours_survives(value: Any) -> None:
    arrays: dict[str, np.ndarray] = {}
    text = json.dumps(encode(value, arrays), allow_nan=False)
    assert same(value, decode(json.loads(text), arrays))


def test_text_that_looks_like_code_stays_text() -> None:
    for text in ('["object", "Estimate", {}]', "array", "enum"):
        assert decode(encode((text,), {}), {}) == (text,)


def test_only_words_of_the_terms_are_written() -> None:
    for foreign in (object(), {1, 2}, Path("x"), [1], np.array([object()])):
        with pytest.raises(TypeError):
            encode(foreign, {})
    assert all(word.__module__.startswith("bothways.terms.") for word in WORDS.values())


@pytest.mark.parametrize(
    "code",
    [
        ["object", "Popen", {"args": "x"}],
        ["object", "Estimate", {"no_such_field": 1}],
        ["object", "Scale", {}],
        ["enum", "Estimate", "x"],
        ["enum", "Scale", "furlongs"],
        ["array", "7"],
        ["import", "os"],
        {"bare": 1},
        [],
    ],
)
def test_foreign_code_builds_nothing(tmp_path: Path, code: Any) -> None:
    file = tmp_path / "x.study"
    save(file, {})
    _rewrite(file, {"format": FORMAT, "bothways": "9", "parts": {"outcome": code}})
    with pytest.raises(ReportError, match="does not know"):
        load(file)


def _rewrite(file: Path, told: Any, arrays: bytes | None = None) -> None:
    with zipfile.ZipFile(file) as old:
        held = old.read("arrays.npz") if arrays is None else arrays
    with zipfile.ZipFile(file, "w") as new:
        new.writestr("study.json", json.dumps(told))
        new.writestr("arrays.npz", held)


def test_a_file_that_was_changed_by_hand_is_not_believed(study: Study, tmp_path: Path) -> None:
    file = study.save(tmp_path / "x.study")
    with zipfile.ZipFile(file) as archive:
        told, seal = json.loads(archive.read("study.json")), archive.read("seal.sha256")
    changed = json.loads(json.dumps(told).replace("back pain", "front pain"))
    assert changed != told
    _rewrite(file, changed)
    with zipfile.ZipFile(file, "a") as archive:
        archive.writestr("seal.sha256", seal)
    with pytest.raises(ReportError, match="changed after it was saved"):
        bw.load(file)


def test_what_is_no_study_gets_one_sentence(tmp_path: Path) -> None:
    text = tmp_path / "text.study"
    text.write_text("hello")
    empty = tmp_path / "empty.study"
    with zipfile.ZipFile(empty, "w"):
        pass
    newer = tmp_path / "newer.study"
    save(newer, {})
    _rewrite(newer, {"format": FORMAT + 1, "bothways": "3.0", "parts": {}})
    half = tmp_path / "half.study"
    save(half, {"outcome": Caveat("a", "b")})
    for file, says in ((text, "no study"), (empty, "no study"), (newer, "bothways 3.0"), (half, "no whole study")):
        with pytest.raises(ReportError, match=says):
            bw.load(file)
    with pytest.raises(ReportError, match="cannot be read"):
        bw.load(tmp_path / "nowhere.study")
    with pytest.raises(ReportError, match="cannot be written"):
        save(tmp_path / "no" / "folder.study", {})
    assert not list(tmp_path.glob(".*"))


def test_pickled_arrays_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "x.study"
    save(file, {})
    room = io.BytesIO()
    np.savez(room, a0=np.array([{"a": 1}], dtype=object))
    _rewrite(file, {"format": FORMAT, "bothways": "0", "parts": {"x": ["array", "0"]}}, room.getvalue())
    with pytest.raises(ReportError):
        load(file)


def test_the_fingerprint_moves_with_content_and_choices_alone(study: Study) -> None:
    records, settings = study.records, Settings()
    key = fingerprint(records, settings)
    moved = dataclasses.replace(records, source=dataclasses.replace(records.source, path="elsewhere.csv"))
    assert fingerprint(moved, settings) == key
    assert fingerprint(records, Settings(workers=7)) == key
    values = {k: v.copy() for k, v in records.values.items()}
    values["depression"][0] += 1e-12
    assert fingerprint(dataclasses.replace(records, values=values), settings) != key
    for other in (Settings(seed=2), Settings(level=0.9), Settings(cuts={"depression": 1.0}), Settings(quick=True)):
        assert fingerprint(records, other) != key
    swapped = {k: records.values[v] for k, v in (("depression", "back_pain"), ("back_pain", "depression"))}
    assert fingerprint(dataclasses.replace(records, values={**records.values, **swapped}), settings) != key


def test_the_same_question_is_computed_once(study: Study, tmp_path: Path) -> None:
    folder, settings = tmp_path / "cache", bw.Settings(quick=True, challenge_seconds=600.0)
    first = bw.ask(study.records, settings=settings, cache=folder)
    stages: list[str] = []
    again = bw.ask(
        study.records, settings=settings, cache=folder, command="other", progress=lambda s, _: stages.append(s)
    )
    assert stages == []  # nothing was computed
    assert same(dataclasses.replace(first.outcome, command="other"), again.outcome)
    other = bw.ask(study.records, settings=dataclasses.replace(settings, seed=2), cache=folder)
    assert other.outcome.settings.seed == 2
    assert len(list(folder.iterdir())) == 2
    assert clear(folder) == 2
    assert clear(folder) == 0
    assert clear(tmp_path / "nowhere") == 0


@pytest.mark.skipif(os.name == "nt", reason="POSIX permissions")
def test_the_cache_is_private_and_holds_no_records(study: Study, tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    folder.mkdir(mode=0o755)
    bw.ask(study.records, settings=bw.Settings(quick=True), cache=folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (file,) = folder.iterdir()
    parts = load(file)
    assert set(parts) == {"outcome"}
    with zipfile.ZipFile(file) as archive, np.load(io.BytesIO(archive.read("arrays.npz"))) as held:
        for name in held.files:
            assert not np.isin(study.records.values["depression"][:20], held[name]).any()


def test_a_broken_or_unwritable_cache_is_as_good_as_none(study: Study, tmp_path: Path) -> None:
    settings = bw.Settings(quick=True)
    folder = tmp_path / "cache"
    bw.ask(study.records, settings=settings, cache=folder)
    (file,) = folder.iterdir()
    file.write_bytes(b"garbage")
    assert recall(folder, file.stem) is None
    bw.ask(study.records, settings=settings, cache=folder)
    assert recall(folder, file.stem) is not None
    place = tmp_path / "a file"
    place.write_text("")
    remember(place / "cache", "x", study.outcome)
    assert place.read_text() == ""


def test_the_oldest_give_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, study: Study) -> None:
    monkeypatch.setattr("bothways.keeping.cache.MOST_KEPT", 3)
    for number in range(5):
        remember(tmp_path, f"{number}", study.outcome)
        os.utime(tmp_path / f"{number}.study", (number, number))
    assert sorted(f.stem for f in tmp_path.iterdir()) == ["2", "3", "4"]
    assert MOST_KEPT > 3


def test_ratios_and_tiny_numbers_are_exact() -> None:
    e = Estimate(0.1 + 0.2, 5e-324, 1.7976931348623157e308, float("nan"), Scale.RATE_RATIO, 3)
    assert same(e, decode(json.loads(json.dumps(encode(e, {}))), {}))
