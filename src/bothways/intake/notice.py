"""What is worth saying of a table: each check is small, says how many people it touches, and how to mend it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float

from bothways.intake.columns import plain
from bothways.intake.conditions import is_turned
from bothways.intake.findings import count, listed, note, warning
from bothways.intake.measure import Column
from bothways.intake.roles import Plan
from bothways.intake.table import Sheet
from bothways.intake.times import distinct
from bothways.terms.layout import Layout
from bothways.terms.question import Condition, Kind
from bothways.terms.records import Finding, Records, TimeUnit
from bothways.terms.topic import Topic

CENTURY = 36_525.0
FLOOR_SHARE = 0.5
MOST_NAMED = 4
_EMAIL = r"^[^@\s]+@[^@\s]+\.[a-zA-Z]{2,}$"
_PERSON_NAME = r"^\p{Lu}\p{Ll}+[ ,._-]+\p{Lu}\p{Ll}+$"


def guesses(plan: Plan, records: Records, time_says: str) -> list[Finding]:
    """One note that says how the table was read, the same for the same content in any shape."""
    roles = plan.roles
    lone = "all rows are one person's" if plan.shape == "long" else "each row is a person"
    who = f"'{roles.id}' says who" if roles.id else f"nobody is named, so {lone}"
    when = f"there are {records.waves} waves" if records.waves else f"times are {time_says}"
    a, b = (variable.stem for variable in plan.variables[:2])
    what = f"{records.pair.a.label} is read from '{a}' and {records.pair.b.label} from '{b}'"
    kinds = [
        f"'{variable.stem}' is taken for {variable.instrument.label}"
        for variable, condition in zip(plan.variables[:2], (records.pair.a, records.pair.b), strict=True)
        if variable.instrument and condition.instrument and not variable.stated
    ]
    says = "; ".join([who, "one time" if records.waves == 1 else when, what, *kinds])
    if not roles.guessed:
        return [note("roles", f"Read as stated: {says}")]
    return [note("guessed_roles", f"Guessed: {says}", "Correct it with --id, --time, --a, --b, --instrument")]


def mediators(plan: Plan, records: Records, layout: Layout, topic: Topic) -> list[Finding]:
    """A note on the side on which each mediator is bad: a name alone does not say whether more of it is better."""
    labels = {m.key: m.label for m in topic.mediators}
    turned = {plain(name) for name in layout.higher_is_better}
    read = []
    for variable in plan.variables:
        through = topic.pathways_through(variable.key) if variable.key in records.roles.pathways else ()
        label = labels.get(through[0].mediator, "") if through else ""
        if (
            label
            and plain(label) != plain(variable.key)
            and not variable.instrument
            and plain(variable.key) not in turned
        ):
            read.append((variable.key, label))
    if not read:
        return []
    says = "; ".join(f"higher '{key}' is taken for more {label}" for key, label in read[:MOST_NAMED])
    mend = f"Where more of it is better, say --higher-is-better {read[0][0]}"
    return [note("mediators_higher_is_worse", f"{says[:1].upper()}{says[1:]}", mend)]


def codes(columns: Sequence[Column], plan: Plan) -> list[Finding]:
    """Codes read as missing, and values that look like codes and were read as answers."""
    parts = {variable.key: variable.part for variable in plan.variables}
    return [
        *_codes(
            "codes_read_as_missing",
            "Codes that lie apart from all answers are missing",
            "If they are answers, say --answers COLUMN=CODE",
            [(c.key, c.codes.missing, parts[c.key] == "other") for c in columns if c.codes.missing],
        ),
        *_codes(
            "suspicious_codes",
            "Values after a gap are read as answers",
            "If they mean missing, say --missing COLUMN=CODE",
            [(c.key, c.codes.suspicious, parts[c.key] == "other") for c in columns if c.codes.suspicious],
        ),
    ]


def _codes(code: str, says: str, mend: str, found: Sequence[tuple[str, Sequence[float], bool]]) -> list[Finding]:
    """A warning for columns with a part; a note where only columns without one are touched."""
    named = [f"'{key}' ({', '.join(f'{value:g}' for value in values)})" for key, values, other in found if not other]
    others = [key for key, _, other in found if other]
    if others:
        named.append(f"{count(len(others), 'column')} without a part ({listed(others, 4)})")
    if not named:
        return []
    kind = warning if len(others) < len(found) else note
    return [kind(code, f"{says}: {'; '.join(named)}", mend)]


def privacy(sheet: Sheet, plan: Plan) -> list[Finding]:
    """Ids that look like people's names or e-mail addresses."""
    if plan.roles.id is None or not sheet.is_text(plan.roles.id):
        return []
    filled = max(1, int(sheet.answered(plan.roles.id).sum()))
    found = []
    for code, pattern, what in (("id_email", _EMAIL, "e-mail addresses"), ("id_name", _PERSON_NAME, "people's names")):
        if sheet.count_matching(plan.roles.id, pattern) >= 0.2 * filled:
            says = f"The ids in '{plan.roles.id}' look like {what}"
            found.append(
                warning(code, says, "Replace them by numbers before you share the table; no report shows them")
            )
    return found


def records_themselves(records: Records, plan: Plan, layout: Layout) -> list[Finding]:
    """Everything that shows only once the rows stand in order."""
    conditions = (records.pair.a, records.pair.b)
    found: list[Finding] = []
    for condition in conditions:
        found += (*_spread(records, condition), *_units(records, condition))
    return [*found, *_turned(plan, records, layout), *_reversed(records, layout), *_visits(records), *_gaps(records)]


def _spread(records: Records, condition: Condition) -> Iterable[Finding]:
    values = records.values[condition.key]
    seen = values[np.isfinite(values)]
    if not seen.size:
        return []
    if seen.min() == seen.max():
        says = f"{condition.label} never changes and nobody differs"
        return [warning("constant", says, "Name a column that varies", records.people)]
    if condition.kind is Kind.SCORE and np.all((seen == seen.min()) | (seen == seen.max())):
        says = f"{condition.label} takes two values only, and they are not 0 and 1"
        return [warning("two_values", says, "If they mean absent and present, code them as 0 and 1", records.people)]
    share = float((seen == seen.min()).mean())
    if condition.kind is Kind.SCORE and share >= FLOOR_SHARE:
        people = _people(records, values == seen.min())
        says = f"{condition.label} stands at its lowest value in {100 * share:.0f} of 100 answers"
        return [warning("floor_bound", says, "Read linear answers with care, or set a cut-off with --cut", people)]
    return []


def _units(records: Records, condition: Condition) -> Iterable[Finding]:
    """A hump up to 10, a dip from 10 to 20 and a hump above: two scales in one column."""
    values = records.values[condition.key]
    seen = values[np.isfinite(values) & (values > 0)]
    if not seen.size or not 20 < seen.max() <= 100:
        return []
    low, dip, high = (seen <= 10).mean(), ((seen > 10) & (seen <= 20)).mean(), (seen > 20).mean()
    if low < 0.1 or high < 0.1 or dip > 0.25 * min(low, high):
        return []
    says = f"{condition.label} seems to mix a scale of 0-10 with one of 0-100"
    return [warning("mixed_units", says, "Bring all answers to one scale", _people(records, values > 20))]


def _turned(plan: Plan, records: Records, layout: Layout) -> Iterable[Finding]:
    stated = set(layout.higher_is_better)
    for variable in plan.variables:
        if is_turned(variable, variable.instrument, layout):
            why = (
                "as you said" if {variable.key, variable.stem, *variable.columns} & stated else "as its instrument says"
            )
            says = f"'{variable.stem}' counts the good and was turned round ({why}); higher is now worse"
            yield note("turned_round", says, "", records.people)


def _reversed(records: Records, layout: Layout) -> Iterable[Finding]:
    """People with more of one condition have clearly less of the other: one scale may run the other way."""
    a, b = (person_means(records, c.key) for c in (records.pair.a, records.pair.b))
    both = np.isfinite(a) & np.isfinite(b)
    if both.sum() < 10 or a[both].std() == 0 or b[both].std() == 0:
        return []
    r = float(np.corrcoef(a[both], b[both])[0, 1])
    upper = np.tanh(np.arctanh(np.clip(r, -0.999999, 0.999999)) + 3.29 / np.sqrt(both.sum() - 3))
    if upper >= -0.1:
        return []
    says = (
        f"People with more {records.pair.a.label} have less {records.pair.b.label}: "
        "does one of the two scales run the other way?"
    )
    mend = "Say --higher-is-better COLUMN for the one where more is better"
    return [warning("reversed_scale", says, mend, int(both.sum()))]


def _visits(records: Records) -> Iterable[Finding]:
    """People seen once tell nothing about change."""
    once = int((np.bincount(records.person) == 1).sum())
    if not once or once == records.people:
        return []
    says = f"{count(once, 'person', 'people')} of {records.people:,} were seen once only"
    return [
        note("one_wave_people", says, "They count in descriptions; designs that follow change leave them out", once)
    ]


def _gaps(records: Records) -> Iterable[Finding]:
    """Gaps longer than a life, and wave numbers that skip."""
    if records.time_unit is TimeUnit.DAY:
        long = np.diff(records.time) > CENTURY
        long &= np.diff(records.person) == 0
        if long.any():
            people = np.unique(records.person[1:][long]).size
            says = f"{count(int(long.sum()), 'gap')} between two times of a person are longer than 100 years"
            return [warning("impossible_gap", says, "Correct the dates", people)]
    elif records.wave is not None and _uneven(distinct(records.time)):
        says = "The wave numbers skip, so the gaps between waves differ"
        return [note("waves_skip", says, "Say what they are: --wave-gap with one gap per interval")]
    return []


def _uneven(times: Float[np.ndarray, "times"]) -> bool:
    steps = np.diff(times)
    return bool(steps.size and np.any(steps != steps[0]))


def person_means(records: Records, key: str) -> Float[np.ndarray, "people"]:
    """Each person's mean, NaN for people without an answer."""
    values = records.values[key]
    seen = np.isfinite(values)
    n = np.bincount(records.person, seen, records.people)
    total = np.bincount(records.person, np.where(seen, values, 0.0), records.people)
    means: Float[np.ndarray, "people"] = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
    return means


def _people(records: Records, rows: Bool[np.ndarray, "rows"]) -> int:
    return int(np.unique(records.person[rows]).size)
