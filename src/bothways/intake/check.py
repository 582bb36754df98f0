"""Table + layout + topic -> Records with findings: the road of intake on one screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.intake import notice
from bothways.intake.care import self_harm_items
from bothways.intake.circumstances import offered, with_circumstances
from bothways.intake.conditions import higher_is_worse, settled_pair
from bothways.intake.cuts import without_cuts
from bothways.intake.dated import DatedColumns, watch
from bothways.intake.deaths import DEATH, after_death, deaths, on_axis, unread_deaths
from bothways.intake.findings import count, in_order, warning
from bothways.intake.measure import Column, measure, together
from bothways.intake.missing import Measured
from bothways.intake.options import check_options
from bothways.intake.people import by_fingerprint, per_person, sorted_rows, without_repeats
from bothways.intake.plan import make_plan
from bothways.intake.roles import Plan, Variable
from bothways.intake.stacked import unstacked
from bothways.intake.table import Sheet, open_table
from bothways.intake.times import Axis, Clock, axis, read_clock
from bothways.intake.untimed import possible_time
from bothways.terms.errors import RecordsError
from bothways.terms.layout import Layout
from bothways.terms.progress import Progress, silent
from bothways.terms.records import Events, Finding, Records, Source, TimeUnit
from bothways.terms.topic import Topic

_GUESS_ALL = Layout()


@dataclass(frozen=True, slots=True)
class Long:
    """The table with a row per person and time, before it is sorted; ``person`` is -1 where nobody is named."""

    person: Int[np.ndarray, "rows"]
    clock: Clock
    columns: tuple[Column, ...]
    events: Mapping[str, Events] = field(default_factory=dict)  # by the numbers in ``person``
    findings: tuple[Finding, ...] = ()


def read(source: Any, *, topic: Topic, layout: Layout = _GUESS_ALL, progress: Progress = silent) -> Records:
    """Read any table (a path, or a pandas, polars or pyarrow frame) into records.

    What ``layout`` leaves open is guessed, and the guess is among the findings. The same content gives the same
    records whatever the format, the order of rows and columns, or the names of the people. Raises ``RecordsError``
    (where, found, mend) for whatever cannot become records, and ``QuestionError`` for a gap that is none.
    """
    progress("reading the table", 0.0)
    sheet, stacked = unstacked(open_table(source, layout.sheet), topic, layout)
    plan = offered(sheet, make_plan(sheet, topic, without_cuts(layout)), layout)
    check_options(sheet, plan, layout)
    progress("reading the columns", 0.4)
    long = _lengthened(sheet, plan, layout) if plan.dated is None else _watched(sheet, plan, plan.dated, layout)
    progress("checking", 0.8)
    long, found = _with_whom_and_when(long, sheet)
    clock_axis = axis(long.clock, long.person, layout, f"{sheet.name}, '{plan.roles.time or 'waves'}'")
    events = {key: on_axis(event, long.clock.time, clock_axis.time) for key, event in long.events.items()}
    long = replace(long, events=events)
    rows, repeats = _canonical(long, clock_axis, sheet.name)
    records = _records(sheet, plan, topic, layout, long, clock_axis, rows)
    records, circumstances = with_circumstances(records, plan, layout)
    found += circumstances
    found += [*repeats, *(finding for column in long.columns for finding in column.findings)]
    found += notice.guesses(plan, records, long.clock.says)
    found += notice.mediators(plan, records, layout, topic)
    found += notice.codes(long.columns, plan)
    found += self_harm_items(sheet, plan, topic, layout)
    found += notice.privacy(sheet, plan)
    found += [*stacked, *possible_time(sheet, plan, layout)]
    found += notice.records_themselves(records, plan, layout)
    progress("checking", 1.0)
    return replace(records, findings=in_order(found))


def _columns(sheet: Sheet, plan: Plan, variables: Iterable[Variable], layout: Layout) -> tuple[Column, ...]:
    """Every variable read over all its waves, higher is worse, in the order of their keys."""
    found = []
    for variable in variables:
        column = measure(sheet, plan, variable, layout)
        if column is not None:
            found.append(higher_is_worse(column, variable, layout))
    return tuple(sorted(found, key=lambda column: column.key))


def _lengthened(sheet: Sheet, plan: Plan, layout: Layout) -> Long:
    """Every variable over time, and who and when for each row."""
    columns = _columns(sheet, plan, plan.variables, layout)
    person = np.arange(sheet.rows) if plan.roles.id is None else sheet.identities(plan.roles.id)
    if plan.shape == "long":
        assert plan.roles.time is not None
        if plan.roles.id is None:
            person = np.zeros(sheet.rows, dtype=np.int64)
        clock = read_clock(sheet, plan.roles.time, layout)
        return _with_deaths(Long(person, clock, columns), sheet, plan, layout, person)
    numbers = np.array(plan.wave_numbers or (1,), dtype=np.float64) * (plan.wave_unit or 1.0)
    unit = TimeUnit.DAY if plan.wave_unit else TimeUnit.WAVE
    clock = Clock(np.tile(numbers, sheet.rows), unit, True, "waves in the columns' names" if plan.wave_numbers else "")
    return _with_deaths(Long(np.repeat(person, numbers.size), clock, columns), sheet, plan, layout, person)


def _with_deaths(long: Long, sheet: Sheet, plan: Plan, layout: Layout, person: Int[np.ndarray, "given"]) -> Long:
    """With the deaths that the table dates; ``person`` are its own rows."""
    died, found = deaths(sheet, layout, long.clock, plan.roles.time, person)
    found += after_death(died, long.person, long.clock.time)
    return replace(long, events={} if died is None else {DEATH: died}, findings=tuple(found))


def _watched(sheet: Sheet, plan: Plan, dated: DatedColumns, layout: Layout) -> Long:
    """Dated onsets as 0/1 states at entry, at each change and at exit, with the events beside."""
    seen = watch(sheet, dated, layout)
    person = np.arange(sheet.rows) if plan.roles.id is None else sheet.identities(plan.roles.id)
    others = [variable for variable in plan.variables if variable.key not in dated.onset]
    rest = [replace(c, measured=c.measured.take(seen.row)) for c in _columns(sheet, plan, others, layout)]
    states = [Column(key, Measured(state), condition=True) for key, state in seen.states.items()]
    columns = tuple(sorted((*states, *rest), key=lambda column: column.key))
    clock = Clock(seen.time, TimeUnit.DAY, False, "dates" if seen.in_dates else "day numbers")
    events = {key: Events(person[e.person], e.time, e.onset) for key, e in seen.events.items()}
    found = (*seen.findings, *unread_deaths(sheet, layout))
    return Long(person[seen.row], clock, columns, events, found)


def _with_whom_and_when(long: Long, sheet: Sheet) -> tuple[Long, list[Finding]]:
    """Rows that name a person and a time and hold any answer of the conditions, mediators or covariates."""
    nobody, never = long.person < 0, np.isnan(long.clock.time)
    found = list(long.findings)
    if nobody.any():
        says = f"{count(int(nobody.sum()), 'row')} name no person and are left out"
        found.append(warning("no_id", says, "Fill in the id"))
    if (never & ~nobody).any():
        says = f"{count(int((never & ~nobody).sum()), 'row')} have no time and are left out"
        people = np.unique(long.person[never & ~nobody]).size
        found.append(warning("no_time", says, "Fill in the time", people))
    keep = ~(nobody | never) & _says_anything(long)
    if keep.all():
        return long, found
    if not keep.any():
        raise RecordsError(sheet.name, "no row has a person, a time and an answer", "Check --id, --time, --a and --b")
    gone = np.setdiff1d(long.person[~nobody], long.person[keep]).size
    if gone:
        says = f"{count(gone, 'person', 'people')} gave no answer at any time and are left out"
        found.append(warning("no_answers", says, "Leave it so if they never took part", gone))
    clock = replace(long.clock, time=long.clock.time[keep])
    columns = tuple(replace(column, measured=column.measured.take(keep)) for column in long.columns)
    return replace(long, person=long.person[keep], clock=clock, columns=columns), found


def _says_anything(long: Long) -> Bool[np.ndarray, "rows"]:
    """Rows that hold an answer, or a reason for none, to either condition: the rest were never asked."""
    spoke = np.zeros(long.person.shape, dtype=bool)
    for column in long.columns:
        if column.condition:
            spoke |= ~column.measured.empty
    return spoke


def _canonical(long: Long, when: Axis, where: str) -> tuple[Int[np.ndarray, "kept"], list[Finding]]:
    """(rows to keep, in order; findings): people by fingerprint, each in time order, no repeats."""
    order = sorted_rows(long.person, when.time)
    person, time = long.person[order], when.time[order]
    columns = {column.key: column.measured.values for column in long.columns}
    keep, repeats = without_repeats(person, time, columns, order, where)
    if not keep.all():
        order, person, time = order[keep], person[keep], time[keep]
    rank = by_fingerprint(person, time, (column[order] for column in columns.values()))
    return order[np.argsort(rank, kind="stable")], repeats


def _records(
    sheet: Sheet,
    plan: Plan,
    topic: Topic,
    layout: Layout,
    long: Long,
    when: Axis,
    rows: Int[np.ndarray, "some"],
) -> Records:
    columns = [replace(column, measured=column.measured.take(rows)) for column in long.columns]
    values = {column.key: column.measured.values for column in columns}
    labels = {topic.pair.a.key: topic.pair.a.label, topic.pair.b.key: topic.pair.b.label, **_readable(values, topic)}
    at = long.person[rows]
    person = np.cumsum(np.r_[False, at[1:] != at[:-1]]).astype(np.int64)
    people = int(person[-1]) + 1
    return Records(
        pair=settled_pair(topic, plan, layout, columns, values),
        person=person,
        time=when.time[rows],
        time_unit=when.unit,
        values=values,
        roles=plan.roles,
        source=Source(sheet.name, sheet.sha256, sheet.rows, people),
        wave=None if when.wave is None else when.wave[rows],
        wave_days=when.wave_days,
        baseline=_baseline(person, values, topic),
        labels=labels,
        events={key: _events(events, at, person) for key, events in long.events.items()},
        categories={column.key: column.levels for column in columns if column.levels},
        reasons=together(columns),
        topic=topic,
    )


def _readable(keys: Iterable[str], topic: Topic) -> dict[str, str]:
    """Names of columns as people write them, but for those whose meaning the topic knows: it has its own words."""
    pair = (topic.pair.a.key, topic.pair.b.key)
    plain_words = (key for key in keys if "_" in key and key not in pair and not topic.pathways_through(key))
    return {key: " ".join(key.replace("_", " ").split()) for key in plain_words}


def _events(events: Events, at: Int[np.ndarray, "rows"], person: Int[np.ndarray, "rows"]) -> Events:
    """Events by the records' own numbers of people (``person``) in place of the table's (``at``), in order."""
    number = np.full(int(max(at.max(initial=0), events.person.max(initial=0))) + 1, -1)
    number[at] = person
    who = number[events.person]
    order = np.lexsort((events.time, who))
    order = order[who[order] >= 0]
    return Events(who[order].astype(np.int64), events.time[order], events.onset[order].astype(np.int64))


def _baseline(
    person: Int[np.ndarray, "rows"], values: Mapping[str, Float[np.ndarray, "rows"]], topic: Topic
) -> dict[str, Float[np.ndarray, "people"]]:
    """What never changes within a person, but for the two conditions."""
    found = {}
    for key, column in values.items():
        if key not in (topic.pair.a.key, topic.pair.b.key):
            constant = per_person(person, column)
            if constant is not None:
                found[key] = constant
    return found
