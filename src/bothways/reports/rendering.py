"""One door to every form of a report."""

from __future__ import annotations

from typing import Any

from bothways.reports.document import DEPTHS
from bothways.reports.markdown import markdown
from bothways.reports.page import page
from bothways.reports.terminal import terminal
from bothways.terms.errors import ReportError

FORMS = {"html": page, "markdown": markdown, "terminal": terminal}


def render(facts: dict[str, Any], form: str = "html", for_reader: str = "clinician") -> str:
    """The report of ``facts`` as ``html``, ``markdown`` or ``terminal`` text.

    ``for_reader`` ("patient", "clinician", "researcher") chooses the depth, never the facts. Raises ``ReportError``
    for a form or a reader that does not exist.
    """
    if form not in FORMS:
        raise ReportError("form", f"'{form}' is no form of report", f"Choose one of {', '.join(FORMS)}")
    if for_reader not in DEPTHS:
        raise ReportError("for_reader", f"'{for_reader}' is no reader", f"Choose one of {', '.join(DEPTHS)}")
    return FORMS[form](facts, for_reader)
