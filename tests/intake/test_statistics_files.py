"""What Stata, SPSS and export programs write beside plain numbers."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from bothways.intake import read
from bothways.terms.errors import RecordsError
from bothways.terms.layout import Layout
from bothways.terms.topic import Topic

BASE = {"id": [1, 1, 2, 2, 3, 3], "wave": [1, 2, 1, 2, 1, 2]}


def test_spss_missing_values_keep_their_labels(topic: Topic, tmp_path: Path) -> None:
    frame = pd.DataFrame({**BASE, "phq9": [3.0, 98, 5, 4, 99, 2], "pain": [1.0, 2, 3, 4, 5, np.nan]})
    path = tmp_path / "a.sav"
    labels = {"phq9": {98: "Refused", 99: "Do not know"}}
    pyreadstat.write_sav(frame, str(path), missing_ranges={"phq9": [98, 99]}, variable_value_labels=labels)
    records = read(path, topic=topic)
    assert records.reasons == {"back_pain": {"no answer": 1}, "depression": {"do not know": 1, "refused": 1}}
    assert np.nanmax(records.values["depression"]) == 5


def test_spss_ranges_of_missing_values(topic: Topic, tmp_path: Path) -> None:
    frame = pd.DataFrame({**BASE, "phq9": [3.0, 24, 5, 4, 25, 2], "pain": [1.0, 2, 3, 4, 5, 6]})
    path = tmp_path / "a.sav"
    pyreadstat.write_sav(frame, str(path), missing_ranges={"phq9": [{"lo": 24, "hi": 27}]})
    assert read(path, topic=topic).reasons == {"depression": {"code 24": 1, "code 25": 1}}


def test_stata_letters_are_reasons(topic: Topic, tmp_path: Path) -> None:
    frame = pd.DataFrame({**BASE, "phq9": [3, "a", 5, 4, "b", 2], "pain": [1, 2, 3, 4, 5, 6]})
    path = tmp_path / "a.dta"
    pyreadstat.write_dta(frame, str(path), missing_user_values={"phq9": ["a", "b"]})
    records = read(path, topic=topic)
    assert records.reasons == {"depression": {"code .a": 1, "code .b": 1}}
    assert np.nansum(records.values["depression"]) == 14


def test_dates_of_stata_and_spss(topic: Topic, tmp_path: Path) -> None:
    frame = pd.DataFrame({**BASE, "phq9": [3, 4, 5, 4, 1, 2], "pain": [1, 2, 3, 4, 5, 6]}).drop(columns="wave")
    frame["date"] = pd.to_datetime(["2020-01-01", "2020-01-11", "2020-02-01", "2020-02-21", "2020-01-05", "2020-01-06"])
    times = []
    for ending, write in ((".sav", pyreadstat.write_sav), (".dta", pyreadstat.write_dta)):
        write(frame, str(tmp_path / f"a{ending}"))
        times.append(read(tmp_path / f"a{ending}", topic=topic).time.tolist())
    assert times[0] == times[1] == read(frame, topic=topic).time.tolist()
    assert sorted(times[0]) == [0, 4, 5, 10, 31, 51]


def workbook(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    """The least that a spreadsheet program would write: one XML file a sheet, zipped."""
    start = '<?xml version="1.0" encoding="UTF-8"?>'
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    number = list(enumerate(sheets, 1))
    with zipfile.ZipFile(path, "w") as file:
        parts = "".join(f'<Override PartName="/xl/s{k}.xml" ContentType="{kind}.worksheet+xml"/>' for k, _ in number)
        rels = '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        book = f'<Override PartName="/xl/workbook.xml" ContentType="{kind}.sheet.main+xml"/>'
        file.writestr(
            "[Content_Types].xml", f'{start}<Types xmlns="{package}/content-types">{rels}{book}{parts}</Types>'
        )
        root = f'<Relationship Id="r0" Type="{office}/officeDocument" Target="xl/workbook.xml"/>'
        file.writestr("_rels/.rels", f'{start}<Relationships xmlns="{package}/relationships">{root}</Relationships>')
        names = "".join(f'<sheet name="{name}" sheetId="{k}" r:id="r{k}"/>' for k, name in number)
        whole = f'{start}<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{names}</sheets></workbook>'
        file.writestr("xl/workbook.xml", whole)
        links = "".join(f'<Relationship Id="r{k}" Type="{office}/worksheet" Target="s{k}.xml"/>' for k, _ in number)
        file.writestr(
            "xl/_rels/workbook.xml.rels",
            f'{start}<Relationships xmlns="{package}/relationships">{links}</Relationships>',
        )
        for k, name in number:
            rows = "".join(f"<row>{''.join(cell(value) for value in row)}</row>" for row in sheets[name])
            file.writestr(f"xl/s{k}.xml", f'{start}<worksheet xmlns="{main}"><sheetData>{rows}</sheetData></worksheet>')
    return path


def cell(value: object) -> str:
    if value is None:
        return "<c/>"
    return f'<c t="inlineStr"><is><t>{value}</t></is></c>' if isinstance(value, str) else f"<c><v>{value}</v></c>"


def test_a_workbook_and_its_sheets(topic: Topic, tmp_path: Path) -> None:
    head: list[list[object]] = [["id", "wave", "phq9", "pain"]]
    first = [["a", 1, 4, 3], ["a", 2, 5, None], ["b", 1, 6, 5.5], ["b", 2, 7, 6]]
    second = [["a", 1, 9, 3], ["a", 2, 9, 4]]
    path = workbook(tmp_path / "a.xlsx", {"all": head + first, "few": head + second})
    records = read(path, topic=topic)
    assert (records.people, records.rows) == (2, 4)
    assert sorted(records.values["depression"]) == [4, 5, 6, 7]
    assert np.nansum(records.values["back_pain"]) == 14.5
    assert read(path, topic=topic, layout=Layout(sheet="few")).people == 1
    with pytest.raises(RecordsError, match=r"no such sheet. The sheets are 'all', 'few'"):
        read(path, topic=topic, layout=Layout(sheet="none"))


def test_redcap_events_are_waves(topic: Topic, tmp_path: Path) -> None:
    path = tmp_path / "redcap.csv"
    path.write_text(
        "record_id,redcap_event_name,phq9,pain\n"
        "1,baseline_arm_1,4,3\n1,month_6_arm_1,5,4\n2,baseline_arm_1,6,5\n2,month_6_arm_1,7,6\n"
    )
    records = read(path, topic=topic)
    assert (records.roles.id, records.roles.time) == ("record_id", "redcap_event_name")
    assert records.wave_days is not None
    assert records.wave_days.tolist() == [0, 6 * 30.4375]


def test_the_extra_header_rows_of_qualtrics_are_left_out(topic: Topic, tmp_path: Path) -> None:
    path = tmp_path / "q.csv"
    path.write_text(
        "id,wave,phq9,pain\nWho,Which wave,Sum,How much pain\n"
        '"{""ImportId"":""a""}","{""ImportId"":""b""}","{""ImportId"":""c""}","{""ImportId"":""d""}"\n'
        "1,1,4,3\n1,2,5,4\n2,1,6,5\n2,2,7,6\n"
    )
    assert read(path, topic=topic).rows == 4
