"""Facts -> one HTML file: self-contained, and readable offline, on a phone, in print, aloud and in the dark."""

from __future__ import annotations

from typing import Any

from bothways.reports.document import DEPTHS, Figure
from bothways.reports.sections import document_of

Facts = dict[str, Any]


MOST_PRINTED = 30  # rows of a table; longer ones stay on the screen and in the saved tables


def page(facts: Facts, for_reader: str = "clinician") -> str:
    """The report as HTML. ``for_reader`` opens the numbers for a researcher; the facts are the same for all."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    from bothways.reports.figures import draw

    room = Environment(
        loader=PackageLoader("bothways.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    room.tests["kind"] = lambda block, name: type(block).__name__ == name

    def svg(figure: Figure) -> str:
        return draw(figure, facts)

    template = room.get_template("report.html")
    return template.render(
        document=document_of(facts), svg=svg, depth=DEPTHS[for_reader], reader=for_reader, most_printed=MOST_PRINTED
    )
