"""Bad input: each with one clear sentence that names the place and the mend, and no person's data."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bothways.intake import read
from bothways.terms.errors import BothwaysError, QuestionError, RecordsError
from bothways.terms.layout import Layout
from bothways.terms.topic import Topic

HEAD = "id,wave,phq9,pain\n"
GOOD = HEAD + "".join(f"{i},{w},{(i * w) % 20},{(i + w) % 10}\n" for i in range(1, 21) for w in (1, 2, 3))
NOISE = bytes(np.random.default_rng(0).integers(0, 256, 4000, dtype=np.uint8))
ITEMS = "id," + ",".join(f"phq9_{k}" for k in range(1, 10)) + ",pain\n"

BAD: dict[str, tuple[str, bytes | str, str]] = {
    "empty": ("a.csv", "", "the file is empty"),
    "blank": ("a.csv", "\n \n", "the file is empty"),
    "header only": ("a.csv", HEAD, "a header but no row"),
    "binary csv": ("a.csv", NOISE, "not a text table"),
    "zipped binary": ("a.csv.gz", gzip.compress(NOISE), "not a text table"),
    "broken zip": ("a.csv.gz", NOISE, "cannot be read"),
    **{f"binary {end}": (f"a{end}", NOISE, f"no readable {end} file")
       for end in (".parquet", ".arrow", ".xlsx", ".sav", ".dta", ".sas7bdat", ".xpt")},
    "unknown kind": ("a.docx", "x", "no known kind of table"),
    "ragged": ("a.csv", GOOD + "1,2,3,4,5,6\n", "more fields than the header"),
    "column twice": ("a.csv", "id,wave,phq9,phq9\n1,1,2,3\n", "stand twice: phq9"),
    "text": ("a.csv", GOOD + "77,1,awful,3\n77,2,terrible,3\n", r"'phq9': 2 rows of 62 hold text .*rows 61, 62"),
    "all missing": ("a.csv", HEAD + "1,1,NA,3\n1,2,,4\n2,1,.,5\n", "'phq9': every value is missing"),
    "conflicting repeats": ("a.csv", GOOD + "3,2,19,5\n", "1 row of 1 person repeat a time with other answers"),
    "items or waves": ("a.csv", ITEMS + "1," + "1," * 9 + "4\n2," + "2," * 9 + "4\n", "--numbered items or"),
    "no time": ("a.csv", "id,phq9,pain\n1,2,3\n1,3,4\n", "no column says when"),
    "mixed dates": (
        "a.csv",
        "id,date,phq9,pain\n1,2021-03-04,2,3\n1,2021-05-04,2,4\n1,5/6/2021,3,4\n2,2021-05-04,2,4\n",
        "1 row of 4 do not follow the form",
    ),
    "either date order": ("a.csv", "id,date,phq9,pain\n1,03/04/2021,2,3\n1,5/6/2021,3,4\n", "--date-order dmy or"),
    "no time at all": ("a.csv", "id,wave,phq9,pain\n1,soon,2,3\n1,late,3,4\n", "neither a number nor a date"),
    "no such condition": ("a.csv", "id,wave,temper,twinge\n1,1,2,3\n", "no column can be told to be depression"),
    "nobody and never": ("a.csv", HEAD + ",1,2,3\n,2,3,4\n", "no row has a person, a time and an answer"),
}  # fmt: skip


@pytest.mark.parametrize("case", list(BAD))
def test_bad_files(case: str, topic: Topic, tmp_path: Path) -> None:
    name, content, says = BAD[case]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(RecordsError, match=says) as caught:
        read(path, topic=topic)
    text = str(caught.value)
    assert text.startswith(str(path))
    assert text.endswith((".", "?"))
    assert "\n" not in text
    for value in ("awful", "terrible", "2021-03-04", "soon"):
        assert value not in text


def test_places_that_are_no_tables(topic: Topic, tmp_path: Path) -> None:
    with pytest.raises(RecordsError, match="no such file"):
        read(tmp_path / "nowhere.csv", topic=topic)
    with pytest.raises(RecordsError, match="a folder"):
        read(tmp_path, topic=topic)
    with pytest.raises(RecordsError, match="a 'dict' is no table"):
        read({"id": [1]}, topic=topic)
    with pytest.raises(RecordsError, match="no row below"):
        read(pl.DataFrame({"id": [], "wave": []}), topic=topic)


OPTIONS: dict[str, tuple[Layout, type[BothwaysError], str]] = {
    "a": (Layout(a=("phq8",)), RecordsError, r"--a phq8: there is no such column. Did you mean 'phq9'\?"),
    "b": (Layout(b=("pian",)), RecordsError, "Did you mean 'pain'"),
    "id": (Layout(id="idd"), RecordsError, "Did you mean 'id'"),
    "time": (Layout(time="wave2"), RecordsError, "Did you mean 'wave'"),
    "covariates": (Layout(covariates=("nothing_like_it",)), RecordsError, "The columns are 'id'"),
    "pathways": (Layout(pathways=("slep",)), RecordsError, "--pathways slep"),
    "instrument": (Layout(instruments={"depression": "phq"}), RecordsError, "Did you mean 'phq9'"),
    "gap": (Layout(wave_gap=("six months",)), QuestionError, "no length of time"),
    "gap unit": (Layout(wave_gap=("6 fortnights",)), QuestionError, "no length of time"),
    "gaps": (Layout(wave_gap=("1 week", "2 weeks", "3 weeks")), QuestionError, "3 gaps for 3 waves"),
}


@pytest.mark.parametrize("case", list(OPTIONS))
def test_bad_options(case: str, topic: Topic, tmp_path: Path) -> None:
    layout, kind, says = OPTIONS[case]
    (tmp_path / "a.csv").write_text(GOOD)
    with pytest.raises(kind, match=says):
        read(tmp_path / "a.csv", topic=topic, layout=layout)


@pytest.mark.parametrize(
    "mend",
    [
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.replace("pain", "Rückenpain").encode("cp1252"),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace(",", "|").encode(),
        lambda text: text.replace(",", " , ").encode(),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: gzip.compress(text.encode()),
    ],
    ids=["utf-16", "no mark", "utf-8 mark", "windows", "semicolon", "bar", "spaces", "crlf", "gz"],
)
def test_encodings_and_separators(mend: Callable[[str], bytes], topic: Topic, tmp_path: Path) -> None:
    content = mend(GOOD)
    path = tmp_path / ("a.csv.gz" if content[:2] == b"\x1f\x8b" else "a.csv")
    path.write_bytes(content)
    records = read(path, topic=topic, layout=Layout(b=("Rückenpain",)) if b"ckenpain" in content else Layout())
    assert (records.people, records.rows, records.waves) == (20, 60, 3)
    assert np.nansum(records.values["depression"]) == sum((i * w) % 20 for i in range(1, 21) for w in (1, 2, 3))


def test_empty_columns_at_the_end_are_nothing(topic: Topic, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("".join(f"{line},,\n" for line in GOOD.splitlines()))
    assert read(path, topic=topic).rows == 60


def test_a_late_letter_of_another_encoding(topic: Topic, tmp_path: Path) -> None:
    lines = [f"{i},{w},{i % 20},{(i + w) % 10},x" for i in range(1, 9000) for w in (1, 2)]
    (tmp_path / "a.csv").write_bytes(("id,wave,phq9,pain,place\n" + "\n".join(lines) + "ü\n").encode("cp1252"))
    assert read(tmp_path / "a.csv", topic=topic).rows == 2 * 8999


def test_decimal_commas_and_grouped_thousands(topic: Topic, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;wave;phq9;pain\n1;1;2,5;3\n1;2;3;4\n2;1;1,25;5\n2;2;2;5\n")
    assert sorted(read(path, topic=topic).values["depression"]) == [1.25, 2, 2.5, 3]
    path.write_text("id;wave;phq9;pain\n1;1;2,500;3\n1;2;3;4\n2;1;1,250;5\n2;2;2;5\n")
    with pytest.raises(RecordsError, match="2 rows of 4 hold text"):
        read(path, topic=topic)
