"""The conductor: it alone joins the rooms, and every face calls it."""

from bothways.study.evidence import evidence
from bothways.study.result import Study
from bothways.study.road import ask, ask_world, look, read
from bothways.study.topics import SHIPPED_TOPIC
from bothways.study.writing import check_writable, report_form, write_table, write_text

__all__ = [
    "SHIPPED_TOPIC",
    "Study",
    "ask",
    "ask_world",
    "check_writable",
    "evidence",
    "look",
    "read",
    "report_form",
    "write_table",
    "write_text",
]
