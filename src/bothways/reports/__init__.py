"""Outcome -> facts -> page, Markdown, terminal text and tables: readings of the same facts; they compute nothing."""

from bothways.reports.facts import facts_of
from bothways.reports.planning import render_plan
from bothways.reports.rendering import render
from bothways.reports.tables import tables_as_apa, tables_as_csv
from bothways.reports.terminal import render_look

__all__ = ["facts_of", "render", "render_look", "render_plan", "tables_as_apa", "tables_as_csv"]
