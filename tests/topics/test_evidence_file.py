"""A user's own evidence: CSV, TOML and JSON say the same, and an error names its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bothways.terms.errors import TopicError
from bothways.topics import read_evidence

HEADER = "id,citation,design,direction,scale,estimate,ci_low,ci_high,n,number_confirmed,contrast_kind"
ROW = 's1,"Smith J. A study, with a comma. 2020",cohort,a_to_b,OR,1.5,1.1,2.05,300,true,present_or_absent'
OTHER = "s2,Jones 2021,rct,b_to_a,HR,0.8,0.5,1.3,,false,present_or_absent"


def csv(folder: Path, *lines: str) -> str:
    file = folder / "evidence.csv"
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return str(file)


def refusal(path: str) -> str:
    with pytest.raises(TopicError) as caught:
        read_evidence(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_csv_is_read_with_what_it_leaves_unsaid(tmp_path: Path) -> None:
    first, second = read_evidence(csv(tmp_path, HEADER, ROW, "", OTHER))
    assert first.citation == "Smith J. A study, with a comma. 2020"
    assert (first.scale, first.estimate, first.ci_low, first.ci_high) == ("odds_ratio", 1.5, 1.1, 2.05)
    assert (first.n, first.number_confirmed, first.role) == (300, True, "effect")
    assert (first.exposure_is, first.outcome_is) == ("a", "b")
    assert (second.exposure_is, second.outcome_is, second.n) == ("b", "a", None)
    assert second.sample == "Jones 2021"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_the_separator_does_not_matter(tmp_path: Path, separator: str) -> None:
    plain = ROW.replace('"Smith J. A study, with a comma. 2020"', "Smith 2020")
    lines = [line.replace(",", separator) for line in (HEADER, plain)]
    assert read_evidence(csv(tmp_path, *lines))[0].estimate == 1.5


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = csv(tmp_path, "\ufeff" + HEADER, ROW)
    assert read_evidence(path)[0].id == "s1"


def test_three_formats_say_the_same(tmp_path: Path) -> None:
    table = {
        "id": "s1",
        "citation": "Smith 2020",
        "design": "cohort",
        "direction": "a_to_b",
        "scale": "OR",
        "estimate": 1.5,
        "n": 300,
        "number_confirmed": True,
    }
    (tmp_path / "e.json").write_text(json.dumps({"evidence": [table]}), "utf-8")
    toml = "[[evidence]]\n" + "".join(f"{k} = {json.dumps(v)}\n" for k, v in table.items())
    (tmp_path / "e.toml").write_text(toml, "utf-8")
    cells = ",".join(str(v).lower() if v is True else str(v) for v in table.values())
    (tmp_path / "e.csv").write_text(f"{','.join(table)}\n{cells}\n", "utf-8")
    read = [read_evidence(str(tmp_path / f"e.{kind}")) for kind in ("json", "toml", "csv")]
    assert read[0] == read[1] == read[2]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (ROW.replace("a_to_b", "forward"), "line 3, 'direction': the value should be 'a_to_b'"),
        (ROW.replace("1.1", "1,1"), "line 3: there are more cells than the header names"),
        (ROW.replace(",1.1,", ",low,"), "line 3, 'ci_low': the value should be a valid number"),
        (ROW.replace("1.1", "1.9"), "line 3: 'ci_low', 'estimate' and 'ci_high' do not ascend"),
        (ROW.replace("1.1", "-1.1"), "line 3: a ratio is not above zero"),
        (ROW.replace(",OR,", ",,"), "line 3: there is a number but no 'scale'"),
        (ROW.replace(",OR,", ",odds,"), "line 3: 'scale' is none of or, hr"),
        (ROW.replace("s1,", ","), "line 3, 'id': the field is missing. Add 'id'"),
        (OTHER, "line 3: line 2 has the same 'id'"),
    ],
)
def test_an_error_names_the_line_the_field_and_the_mend(tmp_path: Path, row: str, says: str) -> None:
    assert says in refusal(csv(tmp_path, HEADER, OTHER, row))


def test_a_misspelt_column_is_named_with_the_nearest(tmp_path: Path) -> None:
    sentence = refusal(csv(tmp_path, HEADER.replace("estimate", "estimat"), ROW))
    assert "'estimat': no such field is known" in sentence
    assert "Did you mean 'estimate'?" in sentence


def test_an_error_never_quotes_a_value(tmp_path: Path) -> None:
    sentence = refusal(csv(tmp_path, HEADER, ROW.replace(",300,", ",mary smith,")))
    assert "mary" not in sentence


@pytest.mark.parametrize("text", ["", HEADER])
def test_an_empty_file_is_refused(tmp_path: Path, text: str) -> None:
    assert "holds no estimate" in refusal(csv(tmp_path, text))


def test_the_same_id_twice_in_toml_is_refused(tmp_path: Path) -> None:
    one = '[[evidence]]\nid = "x"\ncitation = "c"\ndesign = "cohort"\ndirection = "a_to_b"\n'
    (tmp_path / "e.toml").write_text(one + one, "utf-8")
    assert "the same entry twice" in refusal(str(tmp_path / "e.toml"))


def test_a_json_list_is_refused(tmp_path: Path) -> None:
    (tmp_path / "e.json").write_text("[]", "utf-8")
    assert "no named tables" in refusal(str(tmp_path / "e.json"))
