"""Facts -> Document: the sections of a report, in reading order. A section without data says so and what would tell."""

from __future__ import annotations

from typing import Any

from bothways.reports import numbers
from bothways.reports.answers import final_word, first, short_answer, way
from bothways.reports.aside import arms, changes
from bothways.reports.backmatter import glossary, help_section, methods, references
from bothways.reports.beside import literature, sure
from bothways.reports.document import Bullets, Document, Paragraph, Section
from bothways.reports.evidence import evidence_document
from bothways.reports.pathways import pathways
from bothways.reports.speed import speed
from bothways.reports.staying import staying
from bothways.reports.whom import whom

Facts = dict[str, Any]


def document_of(facts: Facts) -> Document:
    """The whole report, whoever reads it. Where help comes first, it stands above the answer."""
    if facts["kind"] == "evidence":
        return evidence_document(facts)
    made = [
        short_answer(facts),
        way(facts, "a_to_b"),
        way(facts, "b_to_a"),
        arms(facts),
        first(facts),
        speed(facts),
        pathways(facts),
        whom(facts),
        staying(facts),
        changes(facts),
        sure(facts),
        literature(facts),
        final_word(facts),
        references(facts),
        methods(facts),
        glossary(),
        help_section(facts),
    ]
    sections = [section for section in made if section is not None]
    if facts["care"]:
        sections.insert(0, _care(facts))
    return Document(facts["words"]["title"], _lede(facts), tuple(sections), f"Made by bothways {facts['bothways']}.")


def _care(facts: Facts) -> Section:
    return Section(
        "care",
        "Where to get help",
        (
            Paragraph(
                "An answer in these records speaks of thoughts of death or of self-harm. Before anything else: "
                "you are not alone with this, and people are ready to listen now.",
                "warning",
            ),
            Bullets(tuple(facts["care"])),
        ),
    )


def _lede(facts: Facts) -> str:
    people = facts["source"]["people"]
    who = "one person" if people == 1 else f"{numbers.count(people)} people"
    what = "A simulated world" if facts["simulated"] else "Records"
    return f"{what} of {who}, {numbers.counted(facts['source']['rows'], 'row')}."
