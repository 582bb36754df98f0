"""Diaries that hold one answer a row - when, what was asked, the value - told from tables with a column for each."""

from __future__ import annotations

from collections.abc import Sequence

from bothways.intake.columns import plain
from bothways.intake.findings import count, note
from bothways.intake.roles import Guide, choose_id, choose_time, stems_of
from bothways.intake.table import Sheet
from bothways.intake.table.stacked import unstack
from bothways.terms.errors import RecordsError
from bothways.terms.layout import Layout
from bothways.terms.records import Finding
from bothways.terms.topic import Topic

WHAT_NAMES = (
    *("variable", "variablename", "name", "item", "itemname", "question", "questionname", "measure", "metric"),
    *("parameter", "key", "symptom", "category", "what", "label", "field", "type"),
)
VALUE_NAMES = ("value", "answer", "response", "score", "rating", "amount", "result", "val", "numericvalue")
MOST_KINDS = 200  # with more, a column holds texts and not what was asked


def unstacked(sheet: Sheet, topic: Topic, layout: Layout) -> tuple[Sheet, list[Finding]]:
    """The sheet with a row for each moment and a note that says so, where it holds one answer a row; else as it is.

    Raises ``RecordsError`` where it holds one answer a row and nothing says when, or which answers are meant.
    """
    guide = Guide(sheet, topic, layout)
    columns = _columns(guide)
    if columns is None:
        return sheet, []
    what, value = columns
    _, kinds = sheet.codes(what)
    if not _meant(guide, kinds):
        if layout.a or layout.b:
            return sheet, []  # what was named is neither a column nor anything that was asked: said where it is read
        find = f"'{what}' and '{value}' seem to hold one answer a row, on {count(len(kinds), 'thing')}"
        raise RecordsError(sheet.name, find, f"Name the two conditions as they stand in '{what}', with --a and --b")
    person, time = choose_id(guide), choose_time(guide)
    if time is None:
        find = f"'{what}' and '{value}' hold one answer a row, and no column says when"
        raise RecordsError(sheet.name, find, "Name the date or date-time with --time COLUMN")
    moment = [column for column in (person, *(part.strip() for part in time.split("+"))) if column]
    wide = unstack(sheet, what, value, list(dict.fromkeys(moment)))
    says = (
        f"'{what}' and '{value}' hold one answer a row: {count(sheet.rows, 'row')} became "
        f"{count(wide.rows, 'moment')}, with a column for each of {count(len(kinds), 'thing')} asked"
    )
    return wide, [note("unstacked", says, "If they do not, give each condition a column of its own")]


def _columns(guide: Guide) -> tuple[str, str] | None:
    """(what was asked, the value), by their usual names; None where the conditions have columns of their own."""
    sheet, layout = guide.sheet, guide.layout
    by_plain = {plain(column): column for column in reversed(sheet.columns)}
    what, value = (_first(names, by_plain) for names in (WHAT_NAMES, VALUE_NAMES))
    named = (layout.id, *((layout.time or "").split("+")), layout.weight, layout.cluster, layout.strata, layout.arm)
    if what is None or value is None or what in named or value in (*layout.a, *layout.b, *named):
        return None
    if any(guide.group(stem) or stem in sheet.columns for stem in (*layout.a, *layout.b)):
        return None
    pair = guide.topic.pair
    if not (layout.a or layout.b) and any(guide.group(s) for c in (pair.a, pair.b) for s in stems_of(guide.topic, c)):
        return None
    kinds = sheet.codes(what)[1] if sheet.count_words(what) else ()
    return (what, value) if 2 <= len(kinds) <= min(MOST_KINDS, sheet.rows // 2) else None


def _first(names: Sequence[str], by_plain: dict[str, str]) -> str | None:
    return next((by_plain[name] for name in names if name in by_plain), None)


def _meant(guide: Guide, kinds: Sequence[str]) -> bool:
    """Whether both conditions are among what was asked: as stated, else by the names that the topic knows."""
    layout, topic = guide.layout, guide.topic
    there = {plain(kind) for kind in kinds}
    for condition, given in ((topic.pair.a, layout.a), (topic.pair.b, layout.b)):
        wanted = given or tuple(stems_of(topic, condition))
        if not any(plain(name) in there for name in wanted):
            return False
    return True
