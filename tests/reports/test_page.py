"""The page: whole, self-contained, described, in order, honest in its words, light to make."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from tests.reports.outcomes import CARED, FULL, OUTCOMES, PLAIN

from bothways.reports import facts_of, render
from bothways.reports.ladders import forest
from bothways.terms.errors import ReportError

ROOT = Path(__file__).parents[2]
READERS = ("patient", "clinician", "researcher")
VOID = {"meta", "link", "br", "img", "input", "hr", "path", "use", "rect", "circle", "line"}
FORBIDDEN = re.compile(r"\b(causes|caused by|proves|proven|proof)\b", re.I)


class Reader(HTMLParser):
    """Walks a page and notes what a browser or a screen reader would trip over."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.headings: list[int] = []
        self.loads: list[str] = []
        self.faults: list[str] = []
        self.refs: list[str] = []
        self.heads = 0
        self.lang = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.ids += [str(told["id"])] if "id" in told else []
        if re.fullmatch(r"h[1-6]", tag):
            self.headings.append(int(tag[1]))
        self.loads += [str(v) for k, v in attrs if k in ("src", "srcset", "data", "action")]
        if tag in ("script", "link", "iframe", "object", "embed", "img", "base"):
            self.faults.append(f"<{tag}> has no place in a page of one file")
        href = told.get("href") or told.get("xlink:href")
        if href:
            self._follow(tag, href)
        if tag == "th" and told.get("scope") not in ("col", "row"):
            self.faults.append("a table head without a scope")
        if tag == "svg" and (told.get("role") != "img" or not told.get("aria-labelledby")):
            self.faults.append("a figure without a role or a name")
        self.refs += str(told.get("aria-labelledby") or "").split()
        self.lang = str(told.get("lang") or self.lang)
        if tag not in VOID:
            self.open.append(tag)

    def _follow(self, tag: str, href: str) -> None:
        if href.startswith("#"):
            self.refs.append(href[1:])
        elif tag != "a" or not href.startswith("https://"):
            self.faults.append(f"<{tag}> loads {href}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")


def walked(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


@pytest.fixture(scope="module")
def pages() -> dict[tuple[str, str], str]:
    """Every outcome for a clinician, and the fullest for every reader."""
    wanted = [(name, "clinician") for name in OUTCOMES] + [("full", "patient"), ("full", "researcher")]
    return {(name, reader): render(facts_of(OUTCOMES[name]), "html", reader) for name, reader in wanted}


def test_every_page_is_whole_and_loads_nothing(pages: dict[tuple[str, str], str]) -> None:
    for place, html in pages.items():
        reader = walked(html)
        assert reader.faults == [], place
        assert reader.open == [], place
        assert reader.loads == [], place
        assert len(reader.ids) == len(set(reader.ids)), place
        assert set(reader.refs) <= set(reader.ids), place
        assert reader.lang == "en"
        assert "@import" not in html
        assert not re.search(r"url\((?!#)", html), place


def test_headings_are_in_order(pages: dict[tuple[str, str], str]) -> None:
    for place, html in pages.items():
        levels = walked(html).headings
        assert levels[0] == 1, place
        assert levels.count(1) == 1, place
        assert all(after <= before + 1 for before, after in pairwise(levels)), place


def test_every_figure_is_titled_described_and_has_its_numbers_as_a_table(pages: dict[tuple[str, str], str]) -> None:
    for place, html in pages.items():
        figures = re.findall(r"<figure>.*?</figure>", html, re.S)
        assert figures, place
        for figure in figures:
            assert re.search(r"<title id=\"[^\"]+\">[^<]{5,}</title>", figure)
            assert re.search(r"<desc id=\"[^\"]+\">[^<]{20,}</desc>", figure)
            assert "<table>" in figure
            assert "<text" in figure
            assert "#0102" not in figure, "a colour that the page cannot turn dark"


def test_the_numbers_in_a_figure_are_those_of_its_table() -> None:
    html = render(facts_of(FULL))
    glance = re.findall(r"<figure>.*?</figure>", html, re.S)[0]
    drawn, table = glance.split("</svg>")
    for text in ("0.12 (0.07 to 0.17)", "0.14 (0.09 to 0.19)", "comes before and predicts"):
        assert text in drawn
        assert text in table


def test_sections_stand_in_their_order(pages: dict[tuple[str, str], str]) -> None:
    for html in pages.values():
        heads = re.findall(r"<h2[^>]*>([^<]+)</h2>", html)
        wanted = [
            "The short answer", "Can depression lead to back pain?",
            "Can back pain lead to depression? (the other way around)", "Which came first?", "How fast?",
            "Through what?", "In whom?", "How sure are we, and what would change this?", "What the literature says",
            "The final word", "References", "Methods, assumptions and the data&#39;s flow", "Words used here",
            "Getting help",
        ]  # fmt: skip
        assert [h for h in heads if h != "Where to get help"] == wanted


def test_forbidden_words_are_absent(pages: dict[tuple[str, str], str]) -> None:
    texts = [re.sub(r"<style>.*?</style>", "", html, flags=re.S) for html in pages.values()]
    texts += [
        render(facts_of(made), form, reader)
        for made in OUTCOMES.values()
        for form in ("markdown", "terminal")
        for reader in READERS
    ]
    for text in texts:
        assert [m.group() for m in FORBIDDEN.finditer(text)] == []


@pytest.mark.parametrize("form", ["html", "markdown", "terminal"])
def test_where_to_get_help_comes_first(form: str) -> None:
    text = render(facts_of(CARED), form, "patient")
    assert (
        0
        < text.index("Where to get help")
        < text.index("The short answer\n" if form != "html" else 'id="short-answer"')
    )
    assert text.index("emergency number") < text.index("predicts")
    assert "Where to get help" not in render(facts_of(PLAIN), form, "patient")


@pytest.mark.parametrize("form", ["html", "markdown", "terminal"])
def test_a_simulated_world_says_so_beside_its_truth(form: str) -> None:
    text = " ".join(render(facts_of(FULL), form).split())
    assert "These records are simulated: nobody lived them." in text
    assert "The truth of this simulated world is 0.10." in text
    assert "simulated" not in render(facts_of(PLAIN), form)


def test_the_reader_chooses_the_depth_and_never_the_facts(pages: dict[tuple[str, str], str]) -> None:
    bare = {reader: re.sub(r' open|class="for-\w+"', "", pages["full", reader]) for reader in READERS}
    assert bare["patient"] == bare["clinician"] == bare["researcher"]
    assert pages["full", "patient"].count("<details open") < pages["full", "researcher"].count("<details open")
    facts = facts_of(FULL)
    for form in ("markdown", "terminal"):
        sizes = [len(render(facts, form, reader)) for reader in READERS]
        assert sizes == sorted(sizes)
        assert sizes[0] < sizes[2]
        assert all(facts["verdict"]["short_answer"][:30] in render(facts, form, reader) for reader in READERS)


def test_the_same_facts_give_the_same_bytes() -> None:
    assert render(facts_of(FULL)) == render(facts_of(FULL))


def test_labels_from_a_table_cannot_break_out_of_the_page() -> None:
    facts = facts_of(PLAIN)
    facts["pair"]["a"]["label"] = "<script>alert(1)</script>"
    facts["verdict"]["short_answer"] = "<img src=x>"
    assert walked(render(facts)).faults == []


@pytest.mark.parametrize(("form", "reader"), [("pdf", "clinician"), ("html", "nobody")])
def test_unknown_forms_and_readers_are_refused(form: str, reader: str) -> None:
    with pytest.raises(ReportError, match="Choose one of"):
        render(facts_of(PLAIN), form, reader)


def test_a_page_is_small(pages: dict[tuple[str, str], str]) -> None:
    assert max(len(html.encode()) for html in pages.values()) < 2_000_000


def test_importing_reports_loads_no_drawing_library() -> None:
    code = "import bothways.reports, sys; print([m for m in ('matplotlib', 'jinja2', 'rich') if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def _palettes() -> dict[str, dict[str, str]]:
    """The page's colours by name, in the light and in the dark."""
    html = render(facts_of(PLAIN))
    roots = re.findall(r":root \{(.*?)\}", html, re.S)
    light, dark = (dict(re.findall(r"--([\w-]+): (#\w{6})", root)) for root in roots[:2])
    return {"light": light, "dark": dark}


def _luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    r, g, b = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * r + 0.7152 * g + 0.0722 * b


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_text_stands_out_from_its_ground(mode: str) -> None:
    """Contrast AA: 4.5 to 1 for every colour of text on every ground that it stands on."""
    colours = _palettes()[mode]
    for text in ("ink", "soft", "a-to-b", "b-to-a", "link"):
        for ground in ("paper", "wash"):
            light, dark = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (mode, text, ground)
    for ground in ("note", "alarm", "band"):
        light, dark = sorted((_luminance(colours["ink"]), _luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (mode, ground)


def test_figures_that_need_their_own_table_come_with_it() -> None:
    assert '<desc id="state_flow-desc">' in render(facts_of(FULL))
    assert '<desc id="course-desc">' in render(facts_of(CARED))
    crowd = facts_of(CARED)
    crowd["one_person"] = False
    assert "course-desc" not in render(crowd), "a course is shown to the person alone"


def test_a_page_of_everything_is_made_within_its_time() -> None:
    """A fresh process, the drawing library's import included, in processor seconds."""
    code = (
        "import time; from tests.reports.outcomes import FULL; from bothways.reports import facts_of, render;"
        "start = time.process_time(); render(facts_of(FULL)); print(time.process_time() - start)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert float(told.stdout) < 1.5


def test_names_in_a_forest_end_before_their_numbers_begin() -> None:
    facts = facts_of(OUTCOMES["full"])
    for words in facts["words"]["answers"].values():
        words["model"] = "Published studies (published meta-analysis of many cohorts)"
    figure = forest(facts)
    renderer = FigureCanvasAgg(figure).get_renderer()
    for axes in figure.axes:
        lines: dict[float, list[object]] = {}
        for text in axes.texts:
            lines.setdefault(text.get_position()[1], []).append(text.get_window_extent(renderer))
        for name, number in (boxes for boxes in lines.values() if len(boxes) == 2):
            assert name.x1 < number.x0  # type: ignore[attr-defined]
