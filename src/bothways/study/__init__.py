"""The conductor: it alone joins the rooms, and every face calls it."""

from bothways.keeping import clear as forget
from bothways.study.evidence import evidence
from bothways.study.file import StudyFile, read_study_file
from bothways.study.result import Study, load
from bothways.study.road import ask, ask_world, care_of, look, read
from bothways.study.several import weigh, weigh_worlds
from bothways.study.syntax import check_program, export_syntax
from bothways.study.topics import SHIPPED_TOPIC
from bothways.study.what_if import parse_what_if
from bothways.study.writing import check_apart, check_writable, report_form, write_table, write_text

__all__ = [
    "SHIPPED_TOPIC",
    "Study",
    "StudyFile",
    "ask",
    "ask_world",
    "care_of",
    "check_apart",
    "check_program",
    "check_writable",
    "evidence",
    "export_syntax",
    "forget",
    "load",
    "look",
    "parse_what_if",
    "read",
    "read_study_file",
    "report_form",
    "weigh",
    "weigh_worlds",
    "write_table",
    "write_text",
]
