"""Which column plays which part: what the caller stated, and for the rest a guess that is said."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bothways.intake.columns import Name, nearest, plain, read_name, runs
from bothways.intake.dated import (
    END_WORDS,
    ENTRY_NAMES,
    EXIT_NAMES,
    FILLERS,
    ONSET_WORDS,
    DatedColumns,
    bound_column,
    dated_column,
)
from bothways.intake.findings import listed
from bothways.intake.table import Sheet
from bothways.terms.errors import RecordsError
from bothways.terms.layout import Layout
from bothways.terms.question import Condition
from bothways.terms.records import Roles
from bothways.terms.topic import Instrument, Topic

ID_NAMES = (
    *("id", "pid", "person", "personid", "participant", "participantid", "participantnumber", "subject", "subjectid"),
    *("subj", "subjid", "recordid", "patient", "patientid", "patid", "case", "caseid", "respondent", "respondentid"),
    *("uid", "userid", "user", "idno", "idnumber", "studyid", "seqn", "mergeid", "pidp", "hhidpn", "eid", "code"),
)
TIME_NAMES = (
    *("wave", "timepoint", "visit", "occasion", "assessment", "session", "time", "t", "tp", "redcapeventname"),
    *("date", "datetime", "timestamp", "day", "dayno", "daynumber", "studyday", "week", "weeks", "month", "months"),
    *("year", "years", "visitdate", "dateofvisit", "startdate", "surveydate", "beeptime"),
    *("when", "moment", "fulldate", "responsetime"),
)
_DATE_NAMES = ("fulldate", "date", "day", "surveydate", "startdate", "visitdate", "dateofvisit")
Part = Literal["condition", "covariate", "pathway", "by", "cluster", "weight", "strata", "arm", "other"]
Shape = Literal["long", "wide", "once", "dated"]


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the records and the columns that it is read from.

    ``cells`` holds, by wave (one entry where the table is long or the variable does not change), the columns: one
    for a number as it stands, several for the items of ``instrument``, none where that wave did not ask.
    """

    key: str
    part: Part
    cells: tuple[tuple[str, ...], ...]
    stem: str = ""
    instrument: Instrument | None = None
    stated: bool = False  # the instrument was stated, not recognised by name

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column that the variable is read from."""
        return tuple(column for cell in self.cells for column in cell)


@dataclass(frozen=True, slots=True)
class Plan:
    """How the table becomes records."""

    shape: Shape
    roles: Roles
    variables: tuple[Variable, ...]
    wave_numbers: tuple[int, ...] = ()
    wave_unit: float | None = None
    dated: DatedColumns | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The columns of one condition, as their names were read."""

    condition: Condition
    names: tuple[Name, ...]
    guessed: bool

    @property
    def stem(self) -> str:
        return self.names[0].spelled


class Guide:
    """What is known of the table's names: the readings of all columns, and how to look one up."""

    def __init__(self, sheet: Sheet, topic: Topic, layout: Layout) -> None:
        self.sheet, self.topic, self.layout = sheet, topic, layout
        singles = (given[0] for given in (layout.a, layout.b) if len(given) == 1)
        stated = (*singles, *layout.covariates, *layout.pathways, *layout.by)
        known = frozenset(plain(name) for name in (*stated, *_topic_names(topic)))
        known -= _marked(stated, sheet) | runs(sheet.columns, known)
        self.names = {column: read_name(column, known) for column in sheet.columns}

    def column(self, name: str, option: str) -> str:
        """A column that the caller named; ``RecordsError`` with the nearest name where there is none."""
        if name in self.names:
            return name
        where = f"{self.sheet.name}, {option} {name}"
        stems = {read.spelled for read in self.names.values()}
        mend = nearest(name, (*self.names, *stems)) or f"The columns are {listed(self.names)}"
        raise RecordsError(where, "there is no such column", mend)

    def group(self, stem: str) -> tuple[Name, ...]:
        """Every column of a stem, in the order of wave, item and number."""
        wanted = plain(stem)
        found = [name for name in self.names.values() if name.stem == wanted]
        return tuple(sorted(found, key=lambda n: (n.wave or 0, n.item or 0, n.number or 0, n.column)))

    def stated(self, given: Sequence[str], option: str) -> tuple[Name, ...]:
        """Columns, or the stem of columns, that the caller named."""
        found: list[Name] = []
        for name in given:
            group = () if name in self.names else self.group(name)
            found += group or [self.names[self.column(name, option)]]
        return tuple(dict.fromkeys(found))


def find_condition(guide: Guide, condition: Condition, given: Sequence[str], option: str, taken: set[str]) -> Found:
    """The columns of a condition: as stated, else the first of the topic's names for it that the table has."""
    if given:
        return Found(condition, guide.stated(given, option), False)
    for stem in stems_of(guide.topic, condition):
        names = tuple(name for name in guide.group(stem) if name.column not in taken)
        if names:
            return Found(condition, names, True)
    where = f"{guide.sheet.name}, {option}"
    find = f"no column can be told to be {condition.label}"
    raise RecordsError(where, find, f"Name it with {option} COLUMN; the columns are {listed(guide.names)}")


def find_dated(guide: Guide) -> DatedColumns | None:
    """Columns of dated onsets for both conditions; not looked for where the conditions stand as scores or states."""
    onset, end = {}, {}
    pair, columns = guide.topic.pair, guide.sheet.columns
    for condition, given, letter in ((pair.a, guide.layout.a, "a"), (pair.b, guide.layout.b, "b")):
        stems = [*stems_of(guide.topic, condition), letter]
        if len(given) == 1 and given[0] in columns:
            stems = _without_onset(given[0])
            column = given[0] if stems else None
        elif given or any(guide.group(stem) for stem in stems[:-1]):
            return None
        else:
            column = dated_column(columns, stems, ONSET_WORDS)
        if column is None:
            return None
        onset[condition.key] = column
        if (over := dated_column(columns, stems, END_WORDS)) is not None:
            end[condition.key] = over
    entry, out = bound_column(columns, ENTRY_NAMES), bound_column(columns, EXIT_NAMES)
    return DatedColumns(onset, end, entry, out, death_column(guide))


def death_column(guide: Guide) -> str | None:
    """The column of deaths that the caller named. Raises ``RecordsError`` where there is no such column."""
    return None if guide.layout.death is None else guide.column(guide.layout.death, "--death")


def choose_id(guide: Guide) -> str | None:
    """The stated id, or the column whose name is usual for one."""
    if guide.layout.id is not None:
        return guide.column(guide.layout.id, "--id")
    by_plain = {plain(column): column for column in reversed(guide.sheet.columns)}
    return next((by_plain[name] for name in ID_NAMES if name in by_plain), None)


def choose_time(guide: Guide) -> str | None:
    """The stated time (``date+clock`` names two columns), or the column whose name is usual for one.

    A usual column that holds only times of day ('time') is read together with the date that stands beside it.
    """
    time = guide.layout.time
    if time is not None:
        if time not in guide.names and "+" in time:
            return "+".join(guide.column(part.strip(), "--time") for part in time.split("+", 1))
        return guide.column(time, "--time")
    by_plain = {plain(column): column for column in reversed(guide.sheet.columns)}
    usual = next((by_plain[name] for name in TIME_NAMES if name in by_plain), None)
    if usual is None or not guide.sheet.is_clock(usual):
        return usual
    dates = [by_plain[name] for name in _DATE_NAMES if name in by_plain and by_plain[name] != usual]
    return f"{dates[0]}+{usual}" if dates else usual


def instrument_of(found: Found, guide: Guide) -> tuple[Instrument | None, bool]:
    """(instrument, whether it was stated). A name that several versions share settles none of them."""
    stated, known = guide.layout.instruments, guide.topic.instruments
    places = (found.condition.key, found.stem, *(name.column for name in found.names))
    wanted = next((stated[place] for place in places if place in stated), None)
    if wanted is not None:
        if wanted in known:
            return known[wanted], True
        mend = f"{nearest(wanted, known)} The known instruments are {listed(sorted(known), 40)}".strip()
        raise RecordsError("--instrument", f"'{wanted}' is no instrument of this topic", mend)
    stem = found.names[0].stem
    by_key = [i for key, i in known.items() if plain(key) == stem]
    named = by_key or [i for i in known.values() if stem in {plain(name) for name in i.names}]
    return (named[0], False) if len(named) == 1 else (None, False)


def stems_of(topic: Topic, condition: Condition) -> Iterable[str]:
    """What a condition's columns may be called, best first."""
    yield condition.key
    yield from topic.names.get(condition.key, ())
    words = {condition.key, *condition.key.split("_")}
    for key, instrument in topic.instruments.items():
        if instrument.measures in words:
            yield from (key, *instrument.names)


def _without_onset(column: str) -> list[str]:
    """The stem of a column that names an onset, in a list; nothing where it names none."""
    parts = [part for part in re.split(r"[^a-z0-9]+", column.lower()) if part]
    rest = [part for part in parts if part not in ONSET_WORDS and part not in FILLERS]
    return ["".join(rest)] if set(parts) & ONSET_WORDS else []


def _topic_names(topic: Topic) -> Iterable[str]:
    for names in topic.names.values():
        yield from names
    for key, instrument in topic.instruments.items():
        yield from (key, *instrument.names)
    yield from (topic.pair.a.key, topic.pair.b.key)
    for pathway in topic.pathways:
        yield from (pathway.mediator, *pathway.names)


def _marked(stated: Sequence[str], sheet: Sheet) -> frozenset[str]:
    """Stated columns whose names bear a wave or item mark: they are read, not taken whole."""
    return frozenset(plain(name) for name in stated if name in sheet.columns and read_name(name).wave is not None)


def by_stem(names: Iterable[Name]) -> Mapping[str, list[Name]]:
    """Columns grouped by stem, in order of appearance."""
    groups: dict[str, list[Name]] = {}
    for name in names:
        groups.setdefault(name.stem, []).append(name)
    return groups
