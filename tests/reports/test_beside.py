"""Through what, in whom, what if, and what an arm did: the facts, the words they allow, and the figures."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from matplotlib.backends.backend_agg import FigureCanvasAgg
from tests.reports.beside import BESIDE, SENSITIVITY, SHIPPED, THROUGH, pathway
from tests.reports.outcomes import A_TO_B, B_TO_A, COMMON, FULL, NOTHING, answer, estimate, outcome, panel
from tests.reports.test_page import FORBIDDEN, walked

from bothways.reports import facts_of, numbers, render, tables_as_csv
from bothways.reports.answers import way
from bothways.reports.document import Bullets, Grid, Paragraph
from bothways.reports.facts_whom import holm
from bothways.reports.figures import DRAWINGS
from bothways.reports.grids import thinned
from bothways.reports.loop import mediator_rows
from bothways.terms.answer import Answer, Caveat, DesignResult, Estimand, Fit, Parameter, Status, Table
from bothways.terms.question import Facet, Population
from bothways.terms.records import TimeUnit

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "facts-schema.json").read_text("utf-8"))
READERS = ("patient", "clinician", "researcher")


@pytest.fixture(scope="module")
def facts() -> dict:
    return facts_of(BESIDE)


@pytest.fixture(scope="module")
def html(facts: dict) -> str:
    return render(facts, "html", "researcher")


def lane(facts: dict, way: str, *mediators: str) -> dict:
    return next(x for x in facts["loop"]["lanes"] if (x["direction"], x["mediators"]) == (way, list(mediators)))


def told(facts: dict, way: str, *mediators: str) -> dict:
    return facts["words"]["pathways"][f"{way}.{'+'.join(mediators)}"]


def with_pathway(indirect: tuple[float, float], total: tuple[float, float] = (0.14, 0.04)) -> dict:
    rows = pathway("sleep", B_TO_A, ((0.2, 0.04), (0.2, 0.04), indirect, (0.1, 0.05), total))
    return facts_of(replace(outcome(replace(panel(), answers=(*panel().answers, *rows))), topic=SHIPPED))


def test_the_facts_keep_the_published_schema(facts: dict) -> None:
    assert [e.message for e in Draft202012Validator(SCHEMA).iter_errors(facts)] == []
    assert json.loads(json.dumps(facts, allow_nan=False)) == facts


def test_the_page_is_whole_and_honest(facts: dict, html: str) -> None:
    reader = walked(html)
    assert reader.faults == []
    assert reader.open == []
    assert len(reader.ids) == len(set(reader.ids))
    assert set(reader.refs) <= set(reader.ids)
    assert len(html.encode()) < 400_000
    for text in (re.sub(r"<style>.*?</style>", "", html, flags=re.S), render(facts, "markdown", "researcher")):
        assert [m.group() for m in FORBIDDEN.finditer(text)] == []


@pytest.mark.parametrize("reader", READERS)
def test_the_terminal_keeps_to_eighty_columns(facts: dict, reader: str) -> None:
    text = render(facts, "terminal", reader)
    assert [line for line in text.splitlines() if len(line) > 80 and " " in line.strip()] == []
    assert "seems to run through poor sleep" in " ".join(text.split())


def test_sections_that_a_study_lacks_are_left_out(html: str) -> None:
    heads = re.findall(r"<h2[^>]*>([^<]+)</h2>", html)
    assert [h for h in heads if h in ("What did the randomised arm do?", "Through what?", "In whom?", "What if?")] == [
        "What did the randomised arm do?", "Through what?", "In whom?", "What if?",
    ]  # fmt: skip
    plain = render(facts_of(FULL))
    assert "What if?" not in plain
    assert "randomised arm" not in plain


def test_a_lane_for_each_way_and_mediator_the_asked_ones_first(facts: dict) -> None:
    lanes = facts["loop"]["lanes"]
    asked = [x["asked"] for x in lanes]
    assert asked == sorted(asked, reverse=True)
    assert lane(facts, "b_to_a", "sleep")["pathways"] == ["bp_sleep"]
    assert lane(facts, "a_to_b", "sleep")["pathways"] == []
    assert lane(facts, "b_to_a", "sleep", "activity")["pathways"] == ["bp_sleep", "bp_activity"]
    assert not lane(facts, "a_to_b", "inactivity")["asked"]
    assert lane(facts, "b_to_a", "sleep")["sensitivity"] == {
        "value": 0.31,
        "says": "the correlation that makes it none",
    }
    assert lane(facts, "a_to_b", "sleep")["sensitivity"] is None


def test_a_variable_by_another_name_is_the_topics_mediator() -> None:
    rows = pathway("isi", B_TO_A, ((0.2, 0.04),) * 5)
    made = replace(outcome(replace(panel(), answers=(*panel().answers, *rows))), topic=SHIPPED)
    assert lane(facts_of(made), "b_to_a", "sleep")["label"] == "poor sleep"
    assert not any(x["mediators"] == ["isi"] for x in facts_of(made)["loop"]["lanes"])


def test_each_reading_has_its_sentence_and_only_one_says_that_it_runs_through() -> None:
    said = {
        reading: told(with_pathway(numbers_), "b_to_a", "sleep")["sentence"]
        for reading, numbers_ in {"predicts": (0.08, 0.02), "little": (0.01, 0.02), "uncertain": (0.05, 0.09)}.items()
    }
    assert said["predicts"] == (
        "Part of what goes from back pain to later depression seems to run through poor sleep: 0.08 (0.06 to 0.10)."
    )
    assert said["little"].startswith("Little or nothing of what goes")
    assert said["uncertain"].startswith("Whether any of what goes")
    assert "cannot tell" in said["uncertain"]
    assert "seems" not in said["little"] + said["uncertain"]


@given(st.floats(-0.5, 0.5), st.floats(0.001, 0.5))
def test_an_interval_that_holds_nothing_never_runs_through(value: float, half: float) -> None:
    found = told(with_pathway((value, half)), "b_to_a", "sleep")
    if value - half <= 0 <= value + half or (value - half > -0.05 and value + half < 0.05):
        assert "seems to run through" not in found["sentence"]
    else:
        assert "seems to run through" in found["sentence"]


def test_a_trace_is_told_with_its_sign() -> None:
    assert told(with_pathway((0.02, 0.01)), "b_to_a", "sleep")["sentence"].endswith(
        "(a trace more, too small to matter)."
    )
    assert told(with_pathway((-0.02, 0.01)), "b_to_a", "sleep")["sentence"].endswith(
        "(a trace less, too small to matter)."
    )
    assert "trace" not in told(with_pathway((0.01, 0.02)), "b_to_a", "sleep")["sentence"]


def test_a_part_that_works_against_the_whole_is_said() -> None:
    assert "works against the rest" in told(with_pathway((-0.08, 0.02)), "b_to_a", "sleep")["sentence"]
    assert "against" not in told(with_pathway((-0.08, 0.02), (0.01, 0.2)), "b_to_a", "sleep")["sentence"]


def test_a_pathway_that_failed_says_why() -> None:
    row = replace(
        answer(B_TO_A, None, design="diary", estimand=Estimand.INDIRECT, facet=Facet.PATHWAY, pathway="sleep"),
        status=Status.FAILED,
        status_says="It did not settle.",
    )
    facts = facts_of(replace(outcome(panel(), DesignResult("diary", (row,))), topic=SHIPPED))
    assert told(facts, "b_to_a", "sleep")["sentence"] == (
        "What runs through poor sleep could not be computed: It did not settle."
    )
    render(facts)


def test_an_arm_that_runs_through_a_condition_is_no_mediator() -> None:
    row = answer(B_TO_A, estimate(0.1, 0.05), design="trial", estimand=Estimand.INDIRECT, facet=Facet.PATHWAY,
                 pathway="back_pain")  # fmt: skip
    facts = facts_of(replace(outcome(panel(), DesignResult("trial", (row,))), topic=SHIPPED))
    assert not any(x["asked"] for x in facts["loop"]["lanes"])


def test_the_headline_speaks_and_one_design_for_the_whole_lane() -> None:
    quiet = [replace(a, headline=False) for a in pathway("sleep", B_TO_A, ((0.4, 0.01),) * 5)]
    loud = pathway("sleep", B_TO_A, ((0.2, 0.01),) * 5, design="sustained")
    made = outcome(panel(), DesignResult("diary", tuple(quiet)), DesignResult("sustained", tuple(loud)))
    found = lane(facts_of(replace(made, topic=SHIPPED)), "b_to_a", "sleep")
    assert found["design"] == "sustained"
    assert {name.split(".")[0] for name in found["answers"].values()} == {"sustained"}


def test_each_condition_keeps_something_of_itself_apart_from_the_other(facts: dict) -> None:
    assert [(r["condition"], r["kind"], r["value"]) for r in facts["loop"]["own"]] == [
        ("a", "carry_over", 0.36), ("b", "carry_over", 0.59),
    ]  # fmt: skip
    assert facts["words"]["own"][1]["sentence"] == (
        "Of more back pain than usual, 0.59 (0.53 to 0.65) of it is left one wave later, all else alike."
    )


def test_own_persistence_of_a_diary_and_of_an_onset_cohort() -> None:
    """Half is gone after log(2)/r: r = 2 a day gives 8.3 hours, and a faster rate the lower limit."""
    rate = Parameter("log drift[depression,depression]", 0.6931471805599453, 0.1, 0.0, 1.3862943611198906)
    stays = Table("onset_stays", "Stays", ("state", "years", "low", "high"), (("back pain only", 2.0, 1.0, 4.0),))
    diary = DesignResult("diary", fits=(Fit("diary", "ct-var", "converged", (rate,)),))
    made = replace(outcome(diary, DesignResult("onset", tables=(stays,))), time_unit=TimeUnit.DAY)
    half, stay = facts_of(made)["loop"]["own"]
    assert (half["condition"], half["kind"], half["unit"]) == ("a", "half_life", "days")
    assert [half[k] for k in ("low", "value", "high")] == pytest.approx([0.173287, 0.346574, 0.693147], rel=1e-5)
    assert (stay["condition"], stay["kind"], stay["value"]) == ("b", "stay", 2 * 365.25)


def test_the_numbers_on_the_arrows_are_those_of_the_table(facts: dict, html: str) -> None:
    figure = next(f for f in re.findall(r"<figure>.*?</figure>", html, re.S) if 'id="loop-title"' in f)
    drawn, table = figure.split("</svg>")
    for words in facts["words"]["pathways"].values():
        for part in ("first_leg", "second_leg"):
            value, _, interval = words[part].partition(" ")
            assert not value or (f">{value}<" in drawn and f">{interval.strip('()')}<" in drawn)
            assert words[part] in table
        assert words["indirect"] in drawn
        assert words["indirect"] in table
    for row in facts["words"]["own"]:
        assert row["short"] in drawn
        assert row["short"] in table
    assert "not asked" in table
    assert 30 < len(re.findall(r"<desc[^>]*>(.*?)</desc>", drawn)[0]) < 1500


@pytest.mark.parametrize("own", ["as it is", "long"])
def test_nothing_in_a_figure_lies_outside_it_or_on_other_text(facts: dict, own: str) -> None:
    """Text of the loop, at the size at which it is drawn: inside the sheet, and no two pieces on each other."""
    if own == "long":
        words = [{**w, "short": "11 months (8 weeks to 2.1 years)"} for w in facts["words"]["own"]]
        facts = {**facts, "words": {**facts["words"], "own": words}}
    figure = DRAWINGS["loop"](facts)
    renderer = FigureCanvasAgg(figure).get_renderer()
    boxes = [t.get_window_extent(renderer) for t in figure.axes[0].texts if t.get_text()]
    width, height = figure.get_size_inches() * figure.dpi
    assert all(b.x0 >= -1 and b.x1 <= width + 1 and b.y0 >= 0 and b.y1 <= height for b in boxes)
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[:i])


def test_a_loop_without_answers_is_grey_and_still_drawn() -> None:
    facts = facts_of(replace(NOTHING, topic=SHIPPED))
    assert all(not x["asked"] for x in facts["loop"]["lanes"])
    assert len(list(mediator_rows(facts))) == len(SHIPPED.pathways)
    assert "not asked" in render(facts)


def test_a_word_on_groups_comes_from_a_difference_and_is_counted(facts: dict) -> None:
    text = " ".join(render(facts, "markdown").split())
    assert "in “lasting pain” beside “recent pain” it is stronger (difference 0.20 (0.12 to 0.28))." in text
    assert "whether it differs in “lasting pain” beside “recent pain” cannot be told" in text
    assert "though not once all the comparisons of this report are counted" in text
    assert "3 comparisons were made" in text
    tests = [t for g in facts["whom"] for t in g["tests"]]
    assert [t["p_holm"] for t in tests] == pytest.approx([0.0012, 0.64, 0.09])


def level(where: str, name: str, kind: Estimand = Estimand.CROSS_LAG) -> Answer:
    row = answer(A_TO_B, estimate(0.1, 0.05), estimand=kind, facet=Facet.WHOM, subgroup=name, headline=False,
                 name=f"{where}.{name}.{kind}")  # fmt: skip
    return replace(row, question=replace(row.question, population=Population(name, where)))


def test_a_comparison_names_whom_it_compares_with_and_a_step_of_a_number_nobody() -> None:
    rows = (level("sex", "sex: men"), level("sex", "sex: women"), level("sex", "sex: women", Estimand.INTERACTION),
            level("age", "age below 50"), level("age", "age 50 or above"),
            level("age", "age 50 or above", Estimand.INTERACTION),
            level("age", "age, one standard deviation more", Estimand.INTERACTION))  # fmt: skip
    facts = facts_of(outcome(DesignResult("panel", rows)))
    assert list(facts["words"]["compared"].values()) == [
        "sex: women beside sex: men", "age 50 or above beside age below 50", "age, one standard deviation more",
    ]  # fmt: skip
    assert "in “sex: women” beside “sex: men”" in " ".join(render(facts, "markdown").split())


def test_a_cut_goes_by_the_records_words_and_two_cuts_of_one_column_by_their_levels() -> None:
    cut = ("back pain 0.5 or below", "back pain above 0.5")
    one = [level("back_pain_above_0_5", name) for name in cut]
    labels = {"back_pain_above_0_5": "back pain", "back_pain_above_3": "back pain"}
    made = replace(outcome(DesignResult("panel", tuple(one))), labels=labels)
    assert [g["label"] for g in facts_of(made)["whom"]] == ["back pain"]
    rows = (*one, level("back_pain_above_3", "back pain 3 or below"), level("back_pain_above_3", "back pain above 3"))
    both = facts_of(replace(outcome(DesignResult("panel", rows)), labels=labels))
    assert [g["label"] for g in both["whom"]] == ["back pain above 0.5", "back pain above 3"]


def test_a_mediator_that_the_topic_does_not_know_goes_by_the_records_words() -> None:
    rows = pathway("sit_hours_2", B_TO_A, ((0.2, 0.04), (0.2, 0.04), (0.04, 0.02), (0.1, 0.05), (0.14, 0.04)))
    made = outcome(replace(panel(), answers=(*panel().answers, *rows)))
    facts = facts_of(replace(made, labels={"sit_hours_2": "hours of sitting"}))
    assert lane(facts, "b_to_a", "sit_hours_2")["label"] == "hours of sitting"


def test_levels_alone_give_no_word_on_groups() -> None:
    row = answer(A_TO_B, estimate(0.3, 0.05), facet=Facet.WHOM, subgroup="men", name="w", headline=False)
    row = replace(row, question=replace(row.question, population=Population("men", "sex")))
    made = facts_of(outcome(DesignResult("panel", (row,))))
    assert "No difference was tested." in render(made, "markdown")


@pytest.mark.parametrize(
    ("where", "name", "shown"),
    [("chronic", "pain for long: 1", "pain for long: yes"), ("chronic", "pain for long: 0", "pain for long: no"),
     ("sex", "sex: 1", "sex: 1"), ("sites", "sites 0.0136313 or above", "sites 0.01 or above"),
     ("sites", "sites 1.5 or above", "sites 1.5 or above")],
)  # fmt: skip
def test_a_level_goes_by_words_and_rounded_numbers(where: str, name: str, shown: str) -> None:
    row = answer(A_TO_B, estimate(0.1, 0.05), facet=Facet.WHOM, subgroup=name, name="w", headline=False)
    row = replace(row, question=replace(row.question, population=Population(name, where)))
    assert facts_of(outcome(DesignResult("panel", (row,))))["words"]["answers"]["w"]["group"] == shown


def test_a_circumstance_goes_by_the_topics_name(facts: dict) -> None:
    chronic = [g for g in facts["whom"] if g["circumstance"] == "chronic"]
    assert {g["label"] for g in chronic} == {"chronic pain"}
    assert {s["value"] for g in chronic for s in g["shrunk"]} == {0.18, 0.05}
    assert {g["label"] for g in facts["whom"]} == {"chronic pain", "sex"}


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_by_its_definition(p: list[float]) -> None:
    """The adjusted p of a test is the largest of (tests not yet passed) x p among those no larger than its own."""
    found = holm(p)
    for i, one in enumerate(p):
        rank = [(x, j) for j, x in enumerate(p)]
        before = [(x, j) for x, j in rank if (x, j) <= (one, i)]
        brute = max(min(1.0, sum((y, k) >= (x, j) for y, k in rank) * x) for x, j in before)
        assert found[i] == pytest.approx(brute)
        assert found[i] >= one


def test_what_if_is_labelled_and_tells_its_greatest_difference(facts: dict) -> None:
    text = " ".join(render(facts, "markdown").split())
    assert "Model-implied: nobody's life was changed." in text
    assert "the model's depression would differ most after 14 waves, by −0.20 (−0.24 to −0.16)." in text


def test_curves_of_tables_are_drawn_and_long_ones_thinned_on_the_page_alone(facts: dict, html: str) -> None:
    figures = {m.group(1): m.group(0) for m in re.finditer(r'<title id="(\w+)-title">.*?</figure>', html, re.S)}
    assert {"onset_states", "onset_incidence", "onset_dose_curve"} <= set(figures)
    assert "Solid, with its band: as observed. Dashed: effect removed (depression to back pain). Dotted:" in html
    assert "Solid, with its band: the other present. Dashed: neither present." in html
    assert "of 132 rows; the saved table holds them all" in figures["onset_incidence"]
    assert figures["onset_incidence"].count("<tr>") <= 1 + 60
    assert len(tables_as_csv(facts)["onset_incidence"].splitlines()) == 1 + 132


def test_a_table_of_curves_without_its_columns_is_left_a_table(facts: dict) -> None:
    broken = [
        {**t, "columns": ["a", "b", "c", "d", "e"]} if t["key"] == "onset_dose_curve" else t for t in facts["tables"]
    ]
    assert 'id="onset_dose_curve-title"' not in render({**facts, "tables": broken})


def test_saved_tables_hold_what_is_drawn(facts: dict) -> None:
    saved = tables_as_csv(facts)
    assert {"loop", "pathway_doubts", "known_pathways", "subgroups", "whom_tests", "what_if", "arms"} <= set(saved)
    assert "natural_course" in saved


def test_published_legs_stand_beside_each_pathway() -> None:
    from bothways.topics import load_topic

    facts = facts_of(replace(BESIDE, topic=load_topic("depression-back-pain")))
    text = " ".join(render(facts, "markdown", "researcher").split())
    assert "Yao: odds ratio" not in text
    assert "Yao 2023: odds ratio 1.40 (1.22 to 1.60)" in text
    assert "never multiplied together" in text


@pytest.mark.parametrize(
    ("values", "scale", "shown"),
    [
        ((1.6, 1.004, 2.5), "rate_ratio", "1.600 (1.004 to 2.500)"),
        ((0.9, 0.8, 0.9996), "odds_ratio", "0.9000 (0.8000 to 0.9996)"),
        ((1.0, 0.8, 1.2), "rate_ratio", "1.00 (0.80 to 1.20)"),
        ((0.1, 0.0002, 0.2), "sd_per_sd", "0.1000 (0.0002 to 0.2000)"),
        ((2.0, 1.0, 4.0), "hazard_ratio", "2.00 (1.00 to 4.00)"),
        ((0.0, -1e-17, 1e-17), "sd_per_sd", "0.00 (0.00 to 0.00)"),
    ],
)
def test_a_limit_stays_on_its_side_of_no_effect(values: tuple[float, ...], scale: str, shown: str) -> None:
    assert numbers.interval(*values, scale) == shown


@given(st.floats(0.2, 5), st.floats(0.01, 1), st.floats(0.01, 1))
def test_no_rounded_interval_of_a_ratio_says_another_thing(value: float, below: float, above: float) -> None:
    low, high = value * (1 - below / 2), value * (1 + above)
    shown = numbers.interval(value, low, high, "rate_ratio").replace(",", "")
    left, right = re.findall(r"\((.*) to (.*)\)", shown)[0]
    if abs(low - 1) > 1e-5 and abs(high - 1) > 1e-5:
        assert (float(left) > 1, float(right) < 1) == (low > 1, high < 1)


def test_no_data_stands_alone() -> None:
    facts = facts_of(NOTHING)
    for form in ("terminal", "markdown", "html"):
        text = render(facts, form)
        assert "very low certainty" not in text
        assert re.search(r"no data", text, re.I)


def test_a_sensitivity_value_is_that_of_the_design_whose_number_is_told() -> None:
    foreign = replace(SENSITIVITY, rows=(("sleep", "back pain to depression", 0.3, 0.2, 0.4, 1.9, "Of another."),))
    other = replace(panel(), design="sustained", answers=(), tables=(foreign,), fits=())
    own = replace(THROUGH, tables=())
    made = facts_of(replace(outcome(own), results=(own, other)))
    assert lane(made, "b_to_a", "sleep")["sensitivity"] is None
    labelled = replace(
        SENSITIVITY, rows=(("poor sleep (sleep)", "back pain to depression", 0.3, 0.2, 0.4, 0.2, "the correlation"),)
    )
    own = replace(THROUGH, tables=(labelled,))
    made = facts_of(replace(outcome(own), results=(other, own)))
    assert lane(made, "b_to_a", "sleep")["sensitivity"] == {"value": 0.2, "says": "the correlation"}


def test_what_to_mind_is_of_the_number_that_is_told_and_others_come_with_their_names() -> None:
    own = answer(A_TO_B, estimate(0.6, 0.1), design="trial", model="clda", line="D", estimand=Estimand.TOTAL,
                 caveats=(Caveat("acts_beyond_target", "The arm may reach the second by another way."),))  # fmt: skip
    other = answer(A_TO_B, estimate(0.01, 0.2), caveats=(COMMON,))
    facts = facts_of(outcome(DesignResult("panel", (other,)), DesignResult("trial", (own,))))
    blocks = way(facts, "a_to_b").blocks
    minded = blocks[blocks.index(Paragraph("Mind this:")) + 1]
    assert isinstance(minded, Bullets)
    assert facts["words"]["directions"]["a_to_b"]["answer"] == own.id
    assert minded.items == (own.caveats[0].text, f"Panel of waves (RI-CLPM): {COMMON.text}")


def test_a_thinned_curve_keeps_whole_moments() -> None:
    """Every second row would show one line at whole years and the other at half years."""
    rows = tuple((str(t), line, "0.1") for line in ("with", "without") for t in range(50))
    shown = thinned(Grid("curve", "Curve", ("years", "line", "share"), rows), at="years").rows
    times = {line: [t for t, name, _ in shown if name == line] for line in ("with", "without")}
    assert times["with"] == times["without"] == [str(t) for t in range(0, 50, 2)]
