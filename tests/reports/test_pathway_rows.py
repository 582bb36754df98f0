"""Rows of two pathways are told apart by what they go through."""

from __future__ import annotations

from tests.reports.outcomes import A_TO_B, answer, estimate, outcome, panel

from bothways.reports import facts_of
from bothways.reports.grids import answers_grid
from bothways.terms.answer import DesignResult, Estimand
from bothways.terms.question import Facet


def test_every_row_of_a_pathway_names_it() -> None:
    rows = tuple(
        answer(
            A_TO_B, estimate(0.1, 0.05), design="diary", estimand=part, facet=Facet.PATHWAY, pathway=key,
            headline=False, name=f"diary.pathway.{key}.{part.value}.a_to_b",
        )
        for key in ("bad_sleep", "stress")
        for part in (Estimand.TOTAL, Estimand.INDIRECT)
    )  # fmt: skip
    facts = facts_of(outcome(panel(), DesignResult("diary", answers=rows)))
    asked = [a for a in facts["answers"] if a["pathway"]]
    grid = answers_grid("pathway_answers", "Parts", asked, facts)
    place = grid.columns.index("through")
    named = [row[place] for row in grid.rows]
    assert len(set(named)) == 2
    assert all("sleep" in name for name in named[:2])
    assert named[2:] == ["stress", "stress"]
    alone = [a for a in facts["answers"] if not a["pathway"]]
    assert "through" not in answers_grid("others", "Others", alone, facts).columns
