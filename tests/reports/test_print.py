"""On paper: the answer, the sections and the main tables; what is long or technical stays on the screen, said so."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from tests.reports.outcomes import FULL, outcome, panel

from bothways.reports import facts_of, render
from bothways.reports.grids import table_grid
from bothways.terms.answer import Cell, Table
from bothways.terms.outcome import Outcome

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def table(rows: int, key: str = "long") -> Table:
    return Table(key, "A table of curves", ("at", "value"), tuple((float(i), 0.5) for i in range(rows)))


def described(rows: int) -> Outcome:
    """A study whose description, which is no technical table, holds a table of so many rows."""
    return replace(FULL, description=(*FULL.description, table(rows)))


def test_a_long_table_is_marked_and_says_where_it_stands() -> None:
    assert "A table of curves: 31 rows, left to the screen and the saved table." in render(facts_of(described(31)))
    assert "A table of curves: 30 rows" not in render(facts_of(described(30)))


def pages(made: Outcome, folder: Path) -> int:
    """How many pages a browser prints of a report."""
    source, target = folder / "report.html", folder / "report.pdf"
    source.write_text(render(facts_of(made), "html", "researcher"), "utf-8")
    command = [str(BROWSER), "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    subprocess.run(
        [*command, f"--print-to-pdf={target}", source.as_uri()], check=True, capture_output=True, timeout=120
    )
    return len(re.findall(rb"/Type\s*/Page[^s]", target.read_bytes()))


@pytest.mark.skipif(BROWSER is None, reason="no browser to print with")
def test_neither_long_nor_technical_tables_reach_the_paper(tmp_path: Path) -> None:
    plain = replace(outcome(panel()), topic=FULL.topic)
    technical = replace(panel(), tables=tuple(table(25, f"technical_{k}") for k in range(12)))
    heavy = replace(outcome(technical), topic=FULL.topic, description=(*plain.description, table(59)))
    assert pages(heavy, tmp_path) <= pages(plain, tmp_path) + 1


@pytest.mark.parametrize("column", ["p", "p, by Holm", "p of misfit", "naive p", "p for a difference"])
def test_no_p_value_is_told_as_nought(column: str) -> None:
    rows: tuple[tuple[Cell, ...], ...] = ((3e-9, 0.0002), (0.04, 0.0))
    shown = table_grid({"key": "k", "title": "t", "columns": [column, "points"], "rows": rows, "note": ""})
    assert [row[0] for row in shown.rows] == ["< 0.001", "0.040"]
    assert [row[1] for row in shown.rows] == ["0.000", "0"]
