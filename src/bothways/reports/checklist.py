"""A STROBE-style checklist, filled in where the facts can and left open, and said so, where only the authors can."""

from __future__ import annotations

from typing import Any

from bothways.reports import numbers
from bothways.reports.document import Grid
from bothways.reports.vocabulary import DESIGNS
from bothways.reports.wording import label

Facts = dict[str, Any]
AUTHORS = "for the authors to write"


def checklist(facts: Facts) -> Grid:
    """The items of an observational report (von Elm et al. 2007, 10.1371/journal.pmed.0040296), in our own words."""
    people = numbers.count(facts["source"]["people"])
    used = dict.fromkeys(DESIGNS.get(a["design"], a["design"]) for a in facts["answers"] if a["estimate"])
    events = [a["estimate"]["events"] for a in facts["answers"] if a["estimate"] and a["estimate"]["events"]]
    rows = (
        ("1 Title and summary", "The short answer"),
        ("2 Background", AUTHORS),
        ("3 Objectives", f"Whether {label(facts, 'a')} comes before and predicts {label(facts, 'b')}, and the reverse"),
        ("4 Study design", ", ".join(used) or "no design could answer"),
        ("5 Setting", AUTHORS),
        ("6 Participants", f"{people} people in the records; how they were chosen is {AUTHORS}"),
        ("7 Variables", _variables(facts)),
        ("8 Measurement", _instruments(facts)),
        ("9 Bias", "Lines of evidence, caveats and assumptions, under each direction"),
        ("10 Study size", f"{people} people; what size would decide is under “How sure are we?”"),
        ("11 Quantitative variables", "Scales of the estimates, in the tables; cut-offs, where used, in the settings"),
        ("12 Statistical methods", "The first paragraphs of this section"),
        ("13 Participants, flow", "The table and figure of who answered when"),
        ("14 Descriptive data", "The tables of the data"),
        ("15 Outcome data", f"{numbers.count(max(events))} events at most" if events else "scores, not events"),
        ("16 Main results", "The short answer and each direction, with intervals"),
        ("17 Other analyses", f"{len(facts['verdict']['challenges'])} challenges, under “How sure are we?”"),
        ("18 Key results", "The final word"),
        ("19 Limitations", "Caveats and what would change the verdict"),
        ("20 Interpretation", "The final word, beside what the literature says"),
        ("21 Generalisability", AUTHORS),
        ("22 Funding", AUTHORS),
    )
    return Grid("checklist", "Checklist of an observational report", ("item", "where, or what"), rows)


def _variables(facts: Facts) -> str:
    return " and ".join(f"{c['label']} ({c['kind']})" for c in facts["pair"].values())


def _instruments(facts: Facts) -> str:
    named = [f"{c['label']}: {c['instrument']}" for c in facts["pair"].values() if c["instrument"]]
    return "; ".join(named) or f"the instruments are {AUTHORS}"
