"""Columns -> measured variables: numbers with reasons for what is missing, scored, in range, one column over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from bothways.intake.findings import count, listed, note, stop, warning
from bothways.intake.instruments import outside_items, score
from bothways.intake.missing import Codes, Measured, apply_codes, find_codes, reason, stack
from bothways.intake.roles import Plan, Variable
from bothways.intake.table import Sheet
from bothways.terms.errors import RecordsError
from bothways.terms.layout import Layout
from bothways.terms.records import Finding
from bothways.terms.topic import Instrument

OUTSIDE_ITEM = "outside the item's range"
MOST_OUTSIDE = 0.05  # beyond this share the answers are on another scale, and the range is wrong rather than they
T = TypeVar("T")
_NO_CODES = Codes()
CATEGORICAL = ("covariate", "by", "cluster", "arm")


@dataclass(frozen=True, slots=True)
class Column:
    """One variable as it goes into the records, with what was noticed while reading it.

    ``rows`` are the rows of the long table; ``codes`` the values read as missing; ``levels`` the names of categories.
    """

    key: str
    measured: Measured
    findings: tuple[Finding, ...] = ()
    levels: tuple[str, ...] = ()
    instrument: Instrument | None = None
    codes: Codes = _NO_CODES
    condition: bool = False


def measure(sheet: Sheet, plan: Plan, variable: Variable, layout: Layout) -> Column | None:
    """Read one variable over all its waves. None for a column without a part that holds no numbers.

    Raises ``RecordsError`` for text in a column of numbers, with the count and the first rows and never the text.
    """
    column = _measured(sheet, plan, variable, layout)
    if column is not None and variable.part != "other" and not np.isfinite(column.measured.values).any():
        raise RecordsError(f"{sheet.name}, '{variable.stem}'", "every value is missing", "Name another column")
    return column


def _measured(sheet: Sheet, plan: Plan, variable: Variable, layout: Layout) -> Column | None:
    if variable.part in CATEGORICAL and _is_words(sheet, variable.columns):
        return _categories(sheet, plan, variable)
    if variable.part == "other":
        return _left_over(sheet, plan, variable, layout)
    if variable.instrument is not None and any(len(cell) > 1 for cell in variable.cells):
        return _scored(sheet, plan, variable, layout)
    if len(variable.cells) == 1 and len(variable.cells[0]) > 1:
        return _averaged(sheet, plan, variable, layout)
    waves = [read_column(sheet, cell[0], layout, variable) if cell else _blank(sheet.rows) for cell in variable.cells]
    return _decoded(variable, over_time(waves, plan), layout)


def _averaged(sheet: Sheet, plan: Plan, variable: Variable, layout: Layout) -> Column:
    """Columns that were named together, without a questionnaire that says how: their mean, where all are answered."""
    (columns,) = variable.cells
    items = [
        _decoded(variable, over_time([read_column(sheet, column, layout, variable)], plan), layout).measured.values
        for column in columns
    ]
    says = f"'{variable.key}' is the mean of {listed(sorted(columns), 9)} where all are answered"
    told = note("mean_of_columns", says, f"Say --instrument {variable.key}=NAME if they are a questionnaire's items")
    return Column(variable.key, Measured(np.mean(items, axis=0)), (told,), condition=True)


def _left_over(sheet: Sheet, plan: Plan, variable: Variable, layout: Layout) -> Column | None:
    """A column without a part is described where it holds numbers, and left alone where it holds words or nothing."""
    try:
        waves = [
            read_column(sheet, cell[0], layout, variable) if cell else _blank(sheet.rows) for cell in variable.cells
        ]
    except RecordsError:
        return None
    column = _decoded(variable, over_time(waves, plan), layout)
    return column if np.isfinite(column.measured.values).any() else None


def read_column(sheet: Sheet, column: str, layout: Layout, variable: Variable) -> Measured:
    """A column of numbers, with what the file or the caller declares missing (for it or its variable) as reasons."""
    values, strange, endless = sheet.numbers(column)
    if strange.any():
        rows = ", ".join(str(row + 1) for row in np.flatnonzero(strange)[:3])
        found = count(int(strange.sum()), "row")
        find = f"{found} of {sheet.rows:,} hold text where a number is needed (data rows {rows})"
        raise RecordsError(
            f"{sheet.name}, column '{column}'", find, "Correct or empty these cells, or name another column"
        )
    measured = Measured(values, dict(sheet.lettered.get(column, {}))).without(endless, "an infinite number")
    measured = apply_codes(measured, sheet.declared.get(column, {}))
    stated = stated_for(layout.missing_codes, ("", variable.key, variable.stem, column))
    return apply_codes(measured, {code: reason(code) for codes in stated for code in codes})


def stated_for(given: Mapping[str, T], places: Sequence[str]) -> list[T]:
    """What the caller stated under any of a variable's names, each once."""
    return [given[place] for place in dict.fromkeys(places) if place in given]


def over_time(waves: Sequence[Measured], plan: Plan) -> Measured:
    """Waves -> rows person by person; what does not change is repeated."""
    if plan.shape != "wide":
        return waves[0]
    parts = waves if len(waves) > 1 else [waves[0]] * len(plan.wave_numbers)
    return stack(parts)


def bounds_of(variable: Variable, layout: Layout) -> tuple[float, float] | None:
    """The range that the caller states, or the instrument's."""
    stated = stated_for(layout.ranges, (variable.key, variable.stem, *variable.columns))
    if stated:
        return stated[0]
    return (variable.instrument.low, variable.instrument.high) if variable.instrument else None


def _blank(rows: int) -> Measured:
    return Measured(np.full(rows, np.nan))


def _is_words(sheet: Sheet, columns: Sequence[str]) -> bool:
    """Whether more than half of the filled cells are words: categories, and not mistyped numbers."""
    strange = sum(sheet.count_words(column) for column in columns)
    return strange > 0 and 2 * strange > sum(int(sheet.answered(column).sum()) for column in columns)


def _categories(sheet: Sheet, plan: Plan, variable: Variable) -> Column:
    """Words -> places in the sorted list of all words, over all waves."""
    read = [sheet.codes(cell[0]) if cell else (np.full(sheet.rows, -1), ()) for cell in variable.cells]
    levels = tuple(sorted({level for _, names in read for level in names}))
    waves = []
    for codes, names in read:
        places = np.array([levels.index(name) for name in names] or [0], dtype=np.float64)
        waves.append(Measured(np.where(codes >= 0, places[codes], np.nan)))
    return Column(variable.key, over_time(waves, plan), levels=levels)


def _decoded(variable: Variable, measured: Measured, layout: Layout) -> Column:
    """Codes for missing set aside; then what is outside the range."""
    bounds = bounds_of(variable, layout)
    codes = _codes(variable, measured, bounds, layout)
    measured = apply_codes(measured, {code: reason(code) for code in codes.missing})
    column = Column(variable.key, measured, (), (), variable.instrument, codes, variable.part == "condition")
    return column if bounds is None else _in_range(column, variable, bounds, layout)


def _codes(variable: Variable, measured: Measured, bounds: tuple[float, float] | None, layout: Layout) -> Codes:
    if variable.part in ("weight", "cluster", "strata"):
        return Codes()
    stated = stated_for(layout.answer_codes, ("", variable.key, variable.stem, *variable.columns))
    answers = [value for values in stated for value in values]
    return find_codes(measured.values, bounds, answers)


def _in_range(column: Column, variable: Variable, bounds: tuple[float, float], layout: Layout) -> Column:
    low, high = bounds
    values = column.measured.values
    with np.errstate(invalid="ignore"):
        outside = (values < low) | (values > high)
    if not outside.any():
        return column
    answered = int(np.isfinite(values).sum())
    stated = bool({variable.key, variable.stem, *variable.columns} & set(layout.ranges)) or variable.stated
    known = stated or (variable.instrument is not None and "range" in variable.instrument.checked)
    says = f"'{variable.stem}': {int(outside.sum()):,} of {answered:,} values lie outside {low:g}-{high:g}"
    mend = f"Correct them, or give --range {variable.stem}=LOW:HIGH if the scale is another"
    if outside.sum() <= MOST_OUTSIDE * answered and known:
        found = warning("out_of_range", f"{says}; they are read as missing", mend)
        kept = column.measured.without(outside, f"outside {low:g}-{high:g}")
        return replace(column, measured=kept, findings=(*column.findings, found))
    if stated:
        return replace(column, findings=(*column.findings, stop("out_of_range", f"{says}, too many to be slips", mend)))
    found = warning("range_unlike_instrument", f"{says}, so it is not taken for {_label(variable)}", mend)
    return replace(column, findings=(*column.findings, found), instrument=None)


def _label(variable: Variable) -> str:
    return variable.instrument.label if variable.instrument else "the instrument"


def _scored(sheet: Sheet, plan: Plan, variable: Variable, layout: Layout) -> Column:
    """Items -> scores, wave by wave; the missing-item rule holds where it is verified or the instrument was stated."""
    instrument = usable_rules(variable, sheet.name)
    waves: list[Measured] = []
    tallies: list[tuple[int, int, int]] = []
    dropped: dict[str, int] = {}
    for cell in variable.cells:
        if not cell:
            waves.append(_blank(sheet.rows))
            continue
        items = _items(sheet, variable, cell, instrument, layout, dropped)
        scored = score(items, instrument)
        waves.append(scored.score)
        tallies.append((int((scored.complete).sum()), int(scored.prorated.sum()), int(scored.refused.sum())))
    findings = [_tally(variable, instrument, tallies)]
    answered = sum(int(sheet.answered(column).sum()) for column in variable.columns)
    if dropped.get(OUTSIDE_ITEM, 0) > MOST_OUTSIDE * answered:
        says = (
            f"items of '{variable.stem}': {dropped[OUTSIDE_ITEM]:,} of {answered:,} answers lie outside "
            f"{instrument.item_low:g}-{instrument.item_high:g}, too many to be slips"
        )
        findings.append(
            stop("items_out_of_range", says, f"Code the items as {instrument.label} does, or give the score")
        )
    if dropped:
        says = ", ".join(f"{why} ({rows:,})" for why, rows in sorted(dropped.items()))
        findings.append(note("item_codes", f"items of '{variable.stem}' read as missing: {says}"))
    return Column(variable.key, over_time(waves, plan), tuple(findings), (), instrument, condition=True)


def usable_rules(variable: Variable, where: str) -> Instrument:
    """The instrument with the rules that may be used: all where it was stated, only verified ones where guessed.

    Raises ``RecordsError`` where a guess would turn items round by a list that nobody has verified.
    """
    instrument = variable.instrument
    assert instrument is not None
    if variable.stated:
        return instrument
    if instrument.reversed_items and "reversed_items" not in instrument.checked:
        find = f"they look like {instrument.label}, whose reversed items are not verified"
        mend = f"Say --instrument {variable.key}={instrument.key} to use its list, or give the score"
        raise RecordsError(f"{where}, items of '{variable.stem}'", find, mend)
    return instrument if "max_missing" in instrument.checked else replace(instrument, max_missing=0)


def _items(
    sheet: Sheet,
    variable: Variable,
    cell: Sequence[str],
    instrument: Instrument,
    layout: Layout,
    dropped: dict[str, int],
) -> np.ndarray:
    """(rows, items): answers, with codes and whatever an item cannot be set missing and counted."""
    read = [read_column(sheet, column, layout, variable) for column in cell]
    items = np.column_stack([measured.values for measured in read])
    for measured in read:
        for why, rows in measured.because.items():
            dropped[why] = dropped.get(why, 0) + int(rows.sum())
    outside = outside_items(items, instrument)
    for value in np.unique(items[outside]).tolist():
        why = reason(value) if value in (7, 8, 9, 77, 88, 97, 98, 99) or value < 0 else OUTSIDE_ITEM
        dropped[why] = dropped.get(why, 0) + int((items == value).sum())
    items[outside] = np.nan
    return items


def _tally(variable: Variable, instrument: Instrument, tallies: Sequence[tuple[int, int, int]]) -> Finding:
    complete, prorated, refused = (sum(column) for column in zip(*tallies, strict=True))
    says = (
        f"'{variable.stem}' scored as {instrument.label}: {complete:,} complete, {prorated:,} prorated, "
        f"{refused:,} refused for missing items"
    )
    if len(tallies) > 1 and prorated + refused:
        says += "; by wave " + ", ".join("/".join(f"{n:,}" for n in tally) for tally in tallies)
    own = variable.instrument.max_missing if variable.instrument else 0
    mend = ""
    if refused and own > instrument.max_missing:
        use = f"--instrument {variable.key}={instrument.key}"
        mend = f"Its rule for up to {own} missing items is not verified: {use} uses it"
    elif prorated:
        mend = "Compare the answer without the prorated scores"
    return note("scored", says, mend)


def together(columns: Sequence[Column]) -> dict[str, Mapping[str, int]]:
    """Reasons for missing values by variable, where there are any."""
    counts = {column.key: column.measured.counts() for column in columns}
    return {key: found for key, found in sorted(counts.items()) if found}
