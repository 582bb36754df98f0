"""In whom: circumstances that the caller names, and those that a table offers by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.intake.columns import plain
from bothways.intake.cuts import label_of, parse, variable_of
from bothways.intake.findings import note
from bothways.intake.roles import Plan, Variable
from bothways.intake.table import Sheet
from bothways.terms.errors import QuestionError
from bothways.terms.layout import Layout
from bothways.terms.question import Condition, Kind
from bothways.terms.records import Finding, Records, TimeUnit

LASTING_DAYS = 90.0  # over three months
AGE = ("age", "ageyears", "ageatbaseline", "agebaseline", "ageatentry", "ageatinclusion", "ageinyears")
SEX = ("sex", "gender", "female", "male", "woman", "women")
FEWEST_PEOPLE = 20  # on either side, for a circumstance that nobody asked for to be offered


def offered(sheet: Sheet, plan: Plan, layout: Layout) -> Plan:
    """A plan in which sex is read as levels, in words or numbers, where nobody named circumstances."""
    if layout.by:
        return plan
    changed = [replace(v, part="by") if _is_sex(sheet, v) else v for v in plan.variables]
    return replace(plan, variables=tuple(changed))


def _is_sex(sheet: Sheet, variable: Variable) -> bool:
    named = variable.part == "other" and plain(variable.stem) in SEX
    return named and any(bool(sheet.answered(column).any()) for column in variable.columns)


def with_circumstances(records: Records, plan: Plan, layout: Layout) -> tuple[Records, list[Finding]]:
    """The records with each cut as a column of its own; where none was asked for, with what the table offers."""
    if layout.by:
        return _with_cuts(records, plan, layout), []
    return _with_offers(records, plan)


def _with_cuts(records: Records, plan: Plan, layout: Layout) -> Records:
    """Each cut at a person's first answer, in the order in which the circumstances were named."""
    named = iter(records.roles.by)
    keys: list[str] = []
    for text in layout.by:
        cut = parse(text)
        if cut is None:
            keys.append(next(named))
            continue
        variable = variable_of(cut, plan, layout)
        if variable.key not in records.values:
            mend = "Cut a column of numbers, or name the column alone to compare its levels"
            raise QuestionError(f"--by {text}", f"'{cut.column}' holds no numbers", mend)
        level = cut.holds(at_first(records, records.values[variable.key]))
        if np.unique(level[np.isfinite(level)]).size < 2:
            raise QuestionError(f"--by {text}", "everybody is on one side of it", "Give another number")
        label = label_of(cut, variable, records.labels)
        records = _added(records, cut.key, level[records.person], label, cut.levels(label))
        keys.append(cut.key)
    return replace(records, roles=replace(records.roles, by=tuple(dict.fromkeys(keys))))


def at_first(records: Records, values: Float[np.ndarray, "rows"]) -> Float[np.ndarray, "people"]:
    """Each person's first answer, NaN for none."""
    first = np.full(records.people, np.nan)
    known = np.flatnonzero(np.isfinite(values))[::-1]
    first[records.person[known]] = values[known]
    return first


def _added(
    records: Records, key: str, column: Float[np.ndarray, "rows"], label: str, levels: Sequence[str] = ()
) -> Records:
    """The records with one more column, among what does not change where it does not."""
    first = at_first(records, column)
    same = np.isnan(column) | (column == first[records.person])
    return replace(
        records,
        values={**records.values, key: column},
        labels={**records.labels, key: label},
        categories={**records.categories, key: tuple(levels)} if levels else records.categories,
        baseline={**records.baseline, key: first} if bool(same.all()) else records.baseline,
    )


# ---- what the table offers


def _with_offers(records: Records, plan: Plan) -> tuple[Records, list[Finding]]:
    """Lasting pain, clinical depression, age and sex, each where the table has what it needs."""
    keys: list[str] = []
    told: list[str] = []
    for offer in (_lasting_pain, _clinical_depression, _age, _sex):
        found = offer(records, plan)
        if found is not None:
            records, key, says = found
            keys.append(key)
            told.append(says)
    if not keys:
        return records, []
    roles = replace(records.roles, by=tuple(keys), guessed=(*records.roles.guessed, "by"))
    says = f"Asked in whom as well, since nobody said: by {'; by '.join(told)}"
    mend = "Name circumstances with --by, or leave them out with --quick"
    return replace(records, roles=roles), [note("offered_circumstances", says, mend)]


Offer = tuple[Records, str, str] | None


def _lasting_pain(records: Records, plan: Plan) -> Offer:
    """A column of that name; else pain that was there at every answer of more than 90 days."""
    known = _known(records, "chronic_pain")
    if known is None:
        return None
    column = _named(records, plan, ("chronicpain", "chronic"))
    if column is not None:
        return (records, column, f"'{column}'") if _two_sides(records, records.values[column]) else None
    pain = next((c for c in (records.pair.a, records.pair.b) if "pain" in c.key), None)
    present = None if pain is None else _present(records, pain)
    if pain is None or present is None or records.time_unit is not TimeUnit.DAY or "chronic_pain" in records.values:
        return None
    lasting = lasting_for(records.person, records.time, present, LASTING_DAYS)
    if not _two_sides(records, lasting):
        return None
    says = f"{pain.label} that was there at every answer of more than {LASTING_DAYS:g} days"
    return _added(records, "chronic_pain", lasting, known, ("no", "yes")), "chronic_pain", says


def lasting_for(
    person: Int[np.ndarray, "rows"], time: Float[np.ndarray, "rows"], present: Float[np.ndarray, "rows"], days: float
) -> Float[np.ndarray, "rows"]:
    """1 where a condition has been there at every answer for more than ``days``, 0 where it has not, NaN where a spell
    that stood at the first answer may or may not have. Rows without an answer are passed over. Rows are sorted."""
    lasting = np.full(present.size, np.nan)
    known = np.flatnonzero(np.isfinite(present))
    who, there, at = person[known], present[known] > 0, time[known]
    opens = np.r_[True, who[1:] != who[:-1]]
    begins = opens | np.r_[True, there[1:] != there[:-1]]
    spell = np.maximum.accumulate(np.where(begins, np.arange(known.size), 0))
    long = at - at[spell] > days
    told = np.where(there & long, 1.0, 0.0)
    told[there & ~long & opens[spell]] = np.nan
    lasting[known] = told
    return lasting


def _clinical_depression(records: Records, plan: Plan) -> Offer:
    """A score at or above its verified cut-off at a person's first answer: a screen, never a diagnosis."""
    known = _known(records, "clinical_depression")
    depression = next((c for c in (records.pair.a, records.pair.b) if c.key == "depression"), None)
    if known is None or depression is None or depression.kind is not Kind.SCORE or depression.threshold is None:
        return None
    at = depression.threshold
    first = at_first(records, records.values[depression.key])
    level = np.where(np.isfinite(first), first >= at, np.nan)
    if "clinical_depression" in records.values or not _two_sides(records, level[records.person]):
        return None
    names = (f"{depression.label} below {at:g} at the start", f"{depression.label} {at:g} or above at the start")
    added = _added(records, "clinical_depression", level[records.person], depression.label, names)
    return added, "clinical_depression", f"{names[1]} (a screen and no diagnosis)"


def _age(records: Records, plan: Plan) -> Offer:
    """Age, at a person's first answer where it moves on."""
    column = _named(records, plan, AGE)
    if column is None or np.unique(records.values[column][np.isfinite(records.values[column])]).size < 2:
        return None
    if column in records.baseline:
        return records, column, "age"
    first = at_first(records, records.values[column])[records.person]
    return _added(records, "age_at_start", first, "age at the start"), "age_at_start", "age at the start"


def _sex(records: Records, plan: Plan) -> Offer:
    column = _named(records, plan, SEX)
    if column is None or column not in records.baseline or not _two_sides(records, records.values[column]):
        return None
    return records, column, f"'{column}'"


def _known(records: Records, key: str) -> str | None:
    """The topic's words for a circumstance, None where it has none of this name."""
    circumstances = records.topic.circumstances if records.topic else ()
    return next((c.label for c in circumstances if c.key == key), None)


def _named(records: Records, plan: Plan, stems: Sequence[str]) -> str | None:
    """The column without a part, or read as levels, that is called so, where it was read."""
    for variable in plan.variables:
        if variable.part in ("other", "by") and plain(variable.stem) in stems and variable.key in records.values:
            return variable.key
    return None


def _present(records: Records, condition: Condition) -> Float[np.ndarray, "rows"] | None:
    """Whether a condition is there, row by row; None for a score without a cut-off."""
    values = records.values[condition.key]
    if condition.kind is not Kind.SCORE:
        return values
    if condition.threshold is None:
        return None
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(values), values >= condition.threshold, np.nan)


def _two_sides(records: Records, column: Float[np.ndarray, "rows"]) -> bool:
    """Whether at least two and few levels were seen, each in people enough."""
    codes = np.unique(column[np.isfinite(column)])
    return 2 <= codes.size <= 5 and all(_people(records, column == code) >= FEWEST_PEOPLE for code in codes)


def _people(records: Records, rows: Bool[np.ndarray, "rows"]) -> int:
    return int(np.unique(records.person[rows]).size)
