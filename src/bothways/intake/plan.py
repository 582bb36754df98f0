"""Long, wide or one time; items or waves: how the columns become variables over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from bothways.intake.columns import Name, plain
from bothways.intake.dated import DatedColumns
from bothways.intake.findings import listed
from bothways.intake.roles import (
    Found,
    Guide,
    Part,
    Plan,
    Shape,
    Variable,
    by_stem,
    choose_id,
    choose_time,
    death_column,
    find_condition,
    find_dated,
    instrument_of,
)
from bothways.intake.table import Sheet
from bothways.terms.errors import RecordsError
from bothways.terms.layout import Layout
from bothways.terms.records import Roles
from bothways.terms.topic import Instrument, Topic


def make_plan(sheet: Sheet, topic: Topic, layout: Layout) -> Plan:
    """Decide every column's part.

    Long is a table with a row per person and time; wide has a row per person and the waves in its columns' names; a
    table with neither is one time. Raises ``RecordsError`` where a reading would be a guess between two stories.
    """
    guide = Guide(sheet, topic, layout)
    person, time = choose_id(guide), choose_time(guide)
    dated = None if layout.time or (person and sheet.repeats(person)) else find_dated(guide)
    if dated is not None:
        return _dated_plan(guide, person, dated)
    taken = {column for column in (person, *_parts_of(time)) if column}
    pair = topic.pair
    a = find_condition(guide, pair.a, layout.a, "--a", taken)
    b = find_condition(guide, pair.b, layout.b, "--b", taken | {name.column for name in a.names})
    instruments = {found.condition.key: instrument_of(found, guide) for found in (a, b)}
    waves_named = any(_names_waves(found, instruments[found.condition.key][0], layout) for found in (a, b))
    long = _is_long(sheet, person, time, waves_named, layout)
    if long:
        a, b = (_settled(found, "items") for found in (a, b))
    else:
        a, b = _settle_flat(guide, a, b, {key: found[0] for key, found in instruments.items()})
        time = None
    waves = () if long else _waves_of((*a.names, *b.names))
    conditions = tuple(_condition(found, waves, long, instruments[found.condition.key], guide) for found in (a, b))
    rest = _rest(guide, conditions, waves, long, taken | {column for column in (death_column(guide),) if column})
    shape: Shape = "long" if long else "wide" if waves else "once"
    unit = next((name.unit for name in a.names if name.unit), None)
    roles = _roles(layout, person, time, (a, b), conditions, rest)
    return Plan(shape, roles, (*conditions, *rest), waves, unit)


def _dated_plan(guide: Guide, person: str | None, dated: DatedColumns) -> Plan:
    pair = guide.topic.pair
    conditions = [Variable(c.key, "condition", ((dated.onset[c.key],),), dated.onset[c.key]) for c in (pair.a, pair.b)]
    both = [
        Found(c, (guide.names[dated.onset[c.key]],), not given)
        for c, given in ((pair.a, guide.layout.a), (pair.b, guide.layout.b))
    ]
    rest = _rest(guide, conditions, (), True, {column for column in (person, *dated.columns) if column})
    roles = _roles(guide.layout, person, None, both, conditions, rest)
    return Plan("dated", roles, (*conditions, *rest), dated=dated)


def _parts_of(time: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in time.split("+")) if time else ()


def _names_waves(found: Found, instrument: Instrument | None, layout: Layout) -> bool:
    """Whether a condition's columns are, or may be, its waves, and not one score or the items of one."""
    if any(name.wave is not None for name in found.names):
        return True
    as_items = layout.numbered == "items" or _all_items(instrument, _numbers(found))
    return bool(_numbers(found)) and not (_whole(found) or as_items)


def _all_items(instrument: Instrument | None, numbers: set[int]) -> bool:
    items = instrument.items if instrument else None
    return items is not None and items > 1 and set(range(1, items + 1)) <= numbers


def _is_long(sheet: Sheet, person: str | None, time: str | None, waves_named: bool, layout: Layout) -> bool:
    if layout.time is not None:
        return True
    if person is None:
        return time is not None and not waves_named
    if not sheet.repeats(person):
        return False
    if time is not None:
        return True
    find = f"'{person}' has several rows for a person, and no column says when"
    raise RecordsError(sheet.name, find, "Name the wave, day or date with --time COLUMN")


def _settled(found: Found, numbered: str) -> Found:
    return Found(found.condition, tuple(name.settled(numbered) for name in found.names), found.guessed)


def _settle_flat(guide: Guide, a: Found, b: Found, known: Mapping[str, Instrument | None]) -> tuple[Found, Found]:
    """One row per person: say for each condition whether its plain numbers count items or waves."""
    stated = guide.layout.numbered
    if stated:
        return _settled(a, stated), _settled(b, stated)
    for found, other in ((a, b), (b, a)):
        numbers = _numbers(found)
        if not numbers or _whole(found):
            continue
        instrument = known[found.condition.key]
        items = instrument.items if instrument else None
        alike = numbers in (_numbers(other), {name.wave for name in other.names})
        if _all_items(instrument, numbers) or not (alike or (instrument is not None and items in (None, 1))):
            raise _ask(guide, found)
    return tuple(_settled(found, "waves") if not _whole(found) else found for found in (a, b))  # type: ignore[return-value]  # two in, two out


def _ask(guide: Guide, found: Found) -> RecordsError:
    columns = [name.column for name in found.names if name.number is not None]
    find = (
        f"'{columns[0]}' to '{columns[-1]}' may be the items of one questionnaire or its score at {len(columns)} waves"
    )
    return RecordsError(guide.sheet.name, find, "Say --numbered items or --numbered waves")


def _numbers(found: Found) -> set[int]:
    return {name.number for name in found.names if name.number is not None}


def _whole(found: Found) -> bool:
    """Whether a score stands there under the bare name, so that numbered columns beside it can be left alone."""
    return any(name.number is None and name.item is None and name.wave is None for name in found.names)


def _waves_of(names: Sequence[Name]) -> tuple[int, ...]:
    waves = {name.wave for name in names if name.wave is not None}
    unmarked = len([name for name in names if name.wave is None and name.item is None])
    if not waves and unmarked > 2:  # columns stated wave by wave, in order (pain_before, pain_after)
        return tuple(range(1, unmarked // 2 + 1))
    return tuple(sorted(waves))


def _condition(
    found: Found, waves: Sequence[int], long: bool, instrument: tuple[Instrument | None, bool], guide: Guide
) -> Variable:
    cells = _long_cell(found) if long or not waves else _wide_cells(found, waves, guide)
    many = any(len(cell) > 1 for cell in cells)
    averaged = long and not found.guessed  # columns that somebody named together, at each time: their mean is the score
    if many and instrument[0] is None and not averaged:
        where = f"{guide.sheet.name}, items of '{found.stem}'"
        known = listed(sorted(guide.topic.instruments), 40) or "none"
        mend = f"Say --instrument {found.condition.key}=NAME (known: {known}), or give a column with the score"
        raise RecordsError(where, f"{len(cells[0])} columns, and nothing says how they are scored", mend)
    return Variable(found.condition.key, "condition", cells, found.stem, *instrument)


def _long_cell(found: Found) -> tuple[tuple[str, ...], ...]:
    """In a long table: the score where it stands, else its items in their order."""
    whole = [name.column for name in found.names if name.item is None]
    if found.guessed and whole:
        return ((whole[0],),)
    return (tuple(name.column for name in sorted(found.names, key=lambda n: n.item or 0)),)


def _wide_cells(found: Found, waves: Sequence[int], guide: Guide) -> tuple[tuple[str, ...], ...]:
    marked = [name for name in found.names if name.wave is not None]
    if not marked:
        if len(found.names) != len(waves):
            where = f"{guide.sheet.name}, {found.condition.label}"
            find = f"{len(found.names)} columns for {len(waves)} waves"
            raise RecordsError(where, find, "Name one column per wave for both conditions, in order")
        return tuple((name.column,) for name in found.names)
    cells = []
    for wave in waves:
        here = [name for name in marked if name.wave == wave]
        scores = [name.column for name in here if name.item is None]
        cells.append((scores[0],) if scores else tuple(n.column for n in sorted(here, key=lambda n: n.item or 0)))
    return tuple(cells)


def _rest(
    guide: Guide, conditions: Sequence[Variable], waves: Sequence[int], long: bool, taken: set[str]
) -> tuple[Variable, ...]:
    """Every variable but the two conditions: those with a stated part, mediators by name, and what is left."""
    used = taken | {column for variable in conditions for column in variable.columns}
    used |= {name.column for variable in conditions for name in guide.group(variable.stem)}
    found: list[Variable] = []
    for part, stated in _stated_parts(guide.layout):
        for name in stated:
            names = guide.stated((name,), f"--{_OPTIONS[part]}")
            key = name if name in guide.names else names[0].spelled
            found.append(Variable(key, part, _cells(names, waves), names[0].spelled))
            used |= {n.column for n in names}
    for variable in conditions:  # what was averaged stays readable, for models of the items themselves
        averaged = long and variable.instrument is None and len(variable.columns) > 1
        found += [Variable(column, "other", ((column,),), column) for column in variable.columns if averaged]
    for stem, names_of in by_stem(n for n in guide.names.values() if n.column not in used).items():
        found += _unstated(guide, stem, names_of, waves, long)
    return _keyed_apart(_once_each(found), {variable.key for variable in conditions})


_OPTIONS: Mapping[Part, str] = {
    "covariate": "covariates",
    "pathway": "pathways",
    "by": "by",
    "cluster": "cluster",
    "weight": "weight",
    "strata": "strata",
    "arm": "arm",
}


def _stated_parts(layout: Layout) -> tuple[tuple[Part, tuple[str, ...]], ...]:
    return (
        ("covariate", layout.covariates),
        ("pathway", layout.pathways),
        ("by", layout.by),
        ("cluster", (layout.cluster,) if layout.cluster else ()),
        ("weight", (layout.weight,) if layout.weight else ()),
        ("strata", (layout.strata,) if layout.strata else ()),
        ("arm", (layout.arm,) if layout.arm else ()),
    )


def _unstated(guide: Guide, stem: str, names: Sequence[Name], waves: Sequence[int], long: bool) -> list[Variable]:
    """A mediator of the topic where the name says so, else a column without a part."""
    mediators = {plain(name) for p in guide.topic.pathways for name in (p.mediator, *p.names)} | {
        plain(m.key) for m in guide.topic.mediators
    }
    part: Part = "pathway" if stem in mediators else "other"
    if not long and waves and {name.wave for name in names} & set(waves):
        if any(name.item is not None for name in names):
            return []  # items of a questionnaire that nobody asked about
        return [Variable(names[0].spelled, part, _cells(names, waves), names[0].spelled)]
    return [Variable(name.column, part, ((name.column,),), name.spelled) for name in names]


def _cells(names: Sequence[Name], waves: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    if not any(name.wave in waves for name in names):
        return ((names[0].column,),)
    by_wave = {name.wave: name.column for name in reversed(names)}
    return tuple((by_wave[wave],) if wave in by_wave else () for wave in waves)


def _once_each(variables: Sequence[Variable]) -> list[Variable]:
    """A column may have two parts (a covariate to split by): it is read once."""
    return list({variable.key: variable for variable in reversed(variables)}.values())[::-1]


def _keyed_apart(variables: Sequence[Variable], taken: set[str]) -> tuple[Variable, ...]:
    """A column that bears a condition's key without being it ('back_pain' beside --b nrs) gets a key of its own."""
    used = taken | {variable.key for variable in variables}

    def apart(variable: Variable) -> Variable:
        key = variable.key
        while key in taken or (key != variable.key and key in used):
            key = f"{key}_column"
        return replace(variable, key=key)

    return tuple(apart(variable) for variable in variables)


def _roles(
    layout: Layout,
    person: str | None,
    time: str | None,
    both: Sequence[Found],
    conditions: Sequence[Variable],
    rest: Sequence[Variable],
) -> Roles:
    mediators = tuple(sorted(variable.key for variable in rest if variable.part == "pathway"))
    guessed = (
        *(("id",) if layout.id is None and person else ()),
        *(("time",) if layout.time is None else ()),
        *(role for role, found in zip(("a", "b"), both, strict=True) if found.guessed),
        *(("pathways",) if mediators and not layout.pathways else ()),
        *(f"instrument of {v.stem}" for v in conditions if v.instrument and not v.stated),
    )
    # a name is first the column of that name, and only then the stem of another: 'age' beside 'age2' is 'age'
    key_of = {plain(v.stem): v.key for v in reversed(rest)} | {plain(v.key): v.key for v in reversed(rest)}
    named = {part: tuple(key_of.get(plain(name), name) for name in names) for part, names in _stated_parts(layout)}
    return Roles(
        person,
        time,
        conditions[0].columns,
        conditions[1].columns,
        named["covariate"],
        named["pathway"] or mediators,
        named["by"],
        next(iter(named["cluster"]), None),
        next(iter(named["weight"]), None),
        next(iter(named["strata"]), None),
        next(iter(named["arm"]), None),
        guessed,
        layout.death,
    )
