"""Several sources, one verdict; a study that its file repeats; and what the command line keeps."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.faces.panels import csv_text, long_panel
from tests.faces.test_cli import bothways  # noqa: F401 - the fixture that runs a command

import bothways as bw
from bothways.study import Study, read_study_file
from bothways.study.several import _groups
from bothways.study.writing import safe_names
from bothways.terms.errors import QuestionError
from bothways.terms.records import Records
from bothways.terms.verdict import Word
from bothways.verdicts import weigh

QUICK = bw.Settings(quick=True)


def records_of(seed: int, people: int = 200, effect: float = 0.3) -> Records:
    world = bw.simulate("both-ways", people=people, waves=4, seed=seed, effect=effect)
    return replace(world.records, source=replace(world.records.source, sha256=f"{seed:064d}"))


@pytest.fixture(scope="module")
def joined() -> Study:
    sources = {"clinic": records_of(1, 300), "survey": records_of(2, 150)}
    return bw.weigh(sources, literature=True, share_people=(("survey", "clinic"),), settings=QUICK)


def test_each_source_is_answered_as_it_is_alone(joined: Study) -> None:
    assert set(joined.parts) == {"clinic", "survey"}
    alone = bw.ask(records_of(1, 300), settings=QUICK)
    assert alone.table() == joined.parts["clinic"].table()
    told = {row["id"]: row["value"] for row in joined.table().as_dicts()}
    for row in alone.table().as_dicts():
        assert told[f"clinic/{row['id']}"] == row["value"]


def test_two_sources_of_one_line_count_once_and_the_larger_speaks(joined: Study) -> None:
    (line,) = (x for x in joined.verdict.a_to_b.agreements if x.line == "A")
    assert line.answer_ids[0] == "clinic/panel.ri-clpm.a_to_b"
    assert "survey/panel.ri-clpm.a_to_b" in line.answer_ids
    alone = bw.weigh({"clinic": records_of(1, 300), "survey": records_of(2, 150)}, settings=QUICK)
    assert alone.verdict.a_to_b.word is Word.PREDICTS
    assert any("of survey" in c.title for c in alone.verdict.challenges if c.key == "leave_out")


def test_the_verdict_is_that_of_all_answers_together(joined: Study) -> None:
    outcome = joined.outcome
    again = weigh(outcome.pair, outcome.results, outcome.settings)
    assert again.short_answer == joined.verdict.short_answer
    designs = {result.design for result in outcome.results}
    assert {"panel", "literature"} <= designs


def test_who_shares_people_is_said_and_nobody_counts_twice(joined: Study) -> None:
    said = [f.message for f in joined.outcome.findings if f.code == "shared_people"]
    assert said == ["clinic and survey hold some of the same people, so that they are no independent looks at the "
                    "question"]  # fmt: skip
    assert joined.outcome.source.people == 300
    apart = bw.weigh({"clinic": records_of(1, 300), "survey": records_of(2, 150)}, settings=QUICK)
    assert apart.outcome.source.people == 450
    assert not [f for f in apart.outcome.findings if f.code == "shared_people"]
    twice = bw.weigh({"one": records_of(1), "other": records_of(1)}, settings=QUICK)
    assert [f for f in twice.outcome.findings if f.code == "shared_people"]


def test_sharing_joins_groups_however_indirectly() -> None:
    assert _groups(("a", "b", "c", "d"), (("a", "b"), ("b", "c"))) == [{"a", "b", "c"}, {"d"}]
    assert _groups(("a", "b", "c"), (("a", "c"), ("b", "c"), ("a", "b"))) == [{"a", "b", "c"}]


def test_the_report_names_every_source_and_keeps_to_the_schema(joined: Study, tmp_path: Path) -> None:
    from jsonschema import Draft202012Validator

    schema = json.loads((Path(__file__).parents[2] / "docs" / "facts-schema.json").read_text())
    facts = json.loads(json.dumps(joined.facts(), allow_nan=False))
    assert list(Draft202012Validator(schema).iter_errors(facts)) == []
    for name in ("a.html", "a.md", "a.txt"):
        text = joined.report(tmp_path / name).read_text()
        assert "clinic" in text
        assert "survey" in text
    (sources,) = (t for t in facts["description"] if t["key"] == "sources")
    assert [row[0] for row in sources["rows"]] == ["clinic", "survey"]
    assert sources["rows"][0][-1] == "survey"


def test_a_joined_study_is_saved_with_its_parts(joined: Study, tmp_path: Path) -> None:
    joined.save(tmp_path / "a.study")
    again = bw.load(tmp_path / "a.study")
    assert list(again.parts) == ["clinic", "survey"]
    assert again.facts() == joined.facts()
    assert again.parts["survey"].facts() == joined.parts["survey"].facts()


def test_what_cannot_be_weighed_is_said() -> None:
    other = bw.ask(records_of(1), settings=QUICK).records
    turned = replace(other, pair=other.pair.swapped())
    with pytest.raises(QuestionError, match="'other' is not about the same two conditions as 'one'"):
        bw.weigh({"one": other, "other": turned}, settings=QUICK)
    with pytest.raises(QuestionError, match="no source named 'two'"):
        bw.weigh({"one": other}, share_people=(("one", "two"),), settings=QUICK)
    with pytest.raises(QuestionError, match="no source"):
        bw.weigh({}, settings=QUICK)
    with pytest.raises(QuestionError, match="'shoes'"):
        bw.ask(other, settings=bw.Settings(quick=True, negative_control="shoes"))


STUDY = """
topic = "depression-back-pain"
data = "tables/panel.csv"

[layout]
id = "id"
time = "wave"
wave_gap = "6 months"

[settings]
quick = true
seed = 3
designs = "panel"
smallest_effects = { sd_per_sd = 0.1 }

[output]
report = "answer.html"
json = "facts.json"
tables = "tables-out"
save = "kept.study"
for = "researcher"
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "panel.csv").write_text(csv_text(long_panel()))
    (tmp_path / "study.toml").write_text(STUDY)
    return tmp_path


def test_a_file_repeats_a_study(bothways, place: Path) -> None:  # noqa: F811
    first = bothways("ask", "study.toml")
    assert first.code == 0, first.err
    facts = json.loads((place / "facts.json").read_text())
    assert facts["settings"]["seed"] == 3
    assert facts["settings"]["smallest_effects"]["sd_per_sd"] == 0.1
    assert facts["time_unit"] == "day"
    assert (place / "answer.html").exists()
    assert (place / "tables-out" / "answers_full.csv").exists()
    assert bw.load(place / "kept.study").facts()["answers"] == facts["answers"]
    again = bothways("ask", "study.toml", "--json", "other.json")
    assert again.code == 0, again.err
    other = json.loads((place / "other.json").read_text())
    assert {**other, "command": ""} == {**facts, "command": ""}  # remembered: even the seconds are the same
    assert bothways("ask", "study.toml", "--no-cache", "--json", "anew.json").code == 0
    anew = json.loads((place / "anew.json").read_text())
    assert anew["answers"] == facts["answers"]


def test_the_cache_can_be_found_and_forgotten(bothways, place: Path) -> None:  # noqa: F811
    assert bothways("ask", "study.toml").code == 0
    where = bothways("cache")
    assert where.out.strip() == os.environ["BOTHWAYS_CACHE"]
    assert bothways("cache", "--clear").out.startswith("1 remembered")
    assert bothways("cache", "--clear").out.startswith("0 remembered")
    assert bothways("ask", "study.toml", "--no-cache").code == 0
    assert bothways("cache", "--clear").out.startswith("0 remembered")


def test_several_tables_or_one_file_are_weighed(bothways, place: Path) -> None:  # noqa: F811
    (place / "other.csv").write_text(csv_text(long_panel(people=90)))
    run = bothways("weigh", "tables/panel.csv", "other.csv", "--quick", "--literature", "--json", "facts.json")
    assert run.code == 0, run.err
    facts = json.loads((place / "facts.json").read_text())
    assert {a["of"] for a in facts["answers"]} == {"panel", "other", ""}
    (place / "two.toml").write_text(
        'literature = true\n[settings]\nquick = true\n[[source]]\nname = "clinic"\ndata = "tables/panel.csv"\n'
        'shares_people_with = "survey"\n[[source]]\nname = "survey"\ndata = "other.csv"\n'
    )
    run = bothways("weigh", "two.toml", "--json", "facts.json")
    assert run.code == 0, run.err
    told = json.loads((place / "facts.json").read_text())
    assert {a["of"] for a in told["answers"]} == {"clinic", "survey", ""}
    assert told["source"]["people"] == 120
    assert bothways("ask", "two.toml").code == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dat = 'x.csv'", "Did you mean 'data'?"),
        ("data = 'x.csv'\n[settings]\nsed = 1", "'settings', 'sed': no such key is known here. Did you mean 'seed'?"),
        ("data = 'x.csv'\n[settings]\nseed = 'one'", "'settings', 'seed'"),
        ("data = 'x.csv'\n[settings.smallest_effects]\nfurlongs = 1", "furlongs"),
        ("data = 'x.csv'\n[layout]\nidd = 'x'", "Did you mean 'id'?"),
        ("data = 'x.csv'\n[output]\nfor = 'everyone'", "'output', 'for'"),
        ("data = 'x.csv'\n[[source]]\ndata = 'y.csv'", "both 'data' and [[source]]"),
        ("[[source]]\nname = 'x'", "Add 'data'"),
        ("[[source]]\ndata = 'a/x.csv'\n[[source]]\ndata = 'b/x.csv'", "two sources are named 'x'"),
        ("literature = true", "it names no table"),
        ("data = [", "it is no TOML"),
        ("data = 'nowhere.csv'", "nowhere.csv"),
        ("data = 'x.csv'\n[settings]\nhorizon_days = [-1]", "'settings', 'horizon_days' 1"),
        ("data = 'x.csv'\n[settings]\nhorizon_days = [nan]", "'settings', 'horizon_days' 1"),
        ("data = 'x.csv'\n[settings]\nlevel = 0.5", "'settings', 'level'"),
    ],
)
def test_a_slip_in_the_file_gets_one_sentence(bothways, tmp_path: Path, text: str, says: str) -> None:  # noqa: F811
    (tmp_path / "study.toml").write_text(text)
    run = bothways("ask", "study.toml")
    assert run.code == 2, run.out + run.err
    assert says in run.err
    assert len(run.err.strip().splitlines()) == 1
    assert run.out == ""


def test_options_beside_a_file_are_refused_and_a_missing_file_named(bothways, place: Path) -> None:  # noqa: F811
    assert "Say them under [layout]" in bothways("ask", "study.toml", "--id", "id").err
    assert "nowhere.toml" in bothways("ask", "nowhere.toml").err


def test_every_key_of_the_layout_and_settings_arrives(place: Path) -> None:
    file = place / "all.toml"
    file.write_text(
        'data = "tables/panel.csv"\n[layout]\na = "depression"\nb = ["back_pain"]\ncuts = {depression = 5}\n'
        "[layout.ranges]\ndepression = [0, 50]\n[settings]\ncuts = {back_pain = 4}\nhorizon_days = [30]\n"
    )
    told = read_study_file(file)
    assert told.settings.cuts == {"depression": 5.0, "back_pain": 4.0}
    assert told.settings.horizon_days == (30.0,)
    (records,) = told.read().values()
    assert (records.pair.a.key, records.pair.b.key) == ("depression", "back_pain")


def test_tables_have_names_that_every_file_system_takes() -> None:
    keys = dict.fromkeys(
        ["panel.models", "clinic/panel.models", "clinic:panel.models", "a" * 200, "…", "CON fig", "con_fig"]
    )
    names = safe_names(keys)
    assert len({name.lower() for name in names.values()}) == len(keys)
    assert all(
        set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") for name in names.values()
    )
    assert max(map(len, names.values())) <= 90


def test_demo_tells_the_literature_first_and_the_truth_beside(
    bothways,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bothways.cli.demo.PEOPLE", {"panel": 300, "onset": 300})
    monkeypatch.setattr("bothways.cli.demo.SECONDS", 0.0)
    run = bothways("demo", "--json", "facts.json")
    assert run.code == 0, run.err
    assert run.out.index("PUBLISHED") < run.out.index("SIMULATED") < run.out.index("The short answer")
    facts = json.loads((tmp_path / "facts.json").read_text())
    assert {a["design"] for a in facts["answers"]} >= {"panel", "onset"}
    speaking = [a for a in facts["answers"] if a["headline"] and a["estimate"] and a["direction"] != "joint"]
    truths = facts["simulated"]["values"]
    assert [a["id"] for a in speaking if a["id"] in truths and a["facet"] == "strength"]
    assert "The truth of this simulated world" in run.out or "truth" in run.out


def test_the_files_of_the_documentation_can_be_read(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "study-file.md").read_text("utf-8")
    files = page.split("```toml\n")[1:]
    for number, text in enumerate(files):
        (tmp_path / f"{number}.toml").write_text(text.split("```")[0])
    one, two = (read_study_file(tmp_path / f"{number}.toml") for number in range(2))
    assert one.settings.negative_control == "shoe_size"
    assert [source.name for source in two.sources] == ["cohort", "diary"]
    assert two.share_people == (("diary", "cohort"),)
