"""What the caller stated must be about something in the table: an option that would change nothing is refused."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from bothways.intake.columns import nearest
from bothways.intake.findings import listed
from bothways.intake.parts import check_further_parts
from bothways.intake.roles import Plan, Variable
from bothways.intake.table import Sheet
from bothways.terms.errors import QuestionError
from bothways.terms.layout import Layout


def check_options(sheet: Sheet, plan: Plan, layout: Layout) -> None:
    """Raise ``QuestionError`` for a name that is in no option's reach, a number that is none, or a column used twice.

    A misspelt ``--higher-is-better`` that was passed over in silence would turn every answer round.
    """
    for option, given, variables in _stated(plan, layout):
        names = {name for v in variables for name in (v.key, v.stem, *v.columns)}
        for name in given:
            if name and name not in names:
                mend = nearest(name, sorted(names)) or f"Use one of {listed(sorted(names))}"
                where, find = f"{option} {name}", f"nothing that is read from {sheet.name} has this name"
                raise QuestionError(where, find, mend)
    _check_numbers(layout)
    _check_parts(plan)
    check_further_parts(plan, layout)


def _stated(plan: Plan, layout: Layout) -> Iterator[tuple[str, Sequence[str], Sequence[Variable]]]:
    """(option, the names that it was given, the variables that it may be about)."""
    conditions = plan.variables[:2]
    yield "--cut", tuple(layout.cuts), conditions
    yield "--instrument", tuple(layout.instruments), conditions
    yield "--range", tuple(layout.ranges), plan.variables
    yield "--missing", tuple(layout.missing_codes), plan.variables
    yield "--answers", tuple(layout.answer_codes), plan.variables
    yield "--higher-is-better", layout.higher_is_better, plan.variables


def _check_numbers(layout: Layout) -> None:
    for name, value in layout.cuts.items():
        if not math.isfinite(value):
            raise QuestionError(f"--cut {name}", "this is no number", "Give a number such as 4 or 0.5")
    for name, (low, high) in layout.ranges.items():
        if not low < high:
            find = "its lowest value is not below its highest"
            raise QuestionError(f"--range {name}", find, f"Write it as --range {name}=0:100")


def _check_parts(plan: Plan) -> None:
    """One column cannot be who, when and either condition at once."""
    time = plan.roles.time.split("+") if plan.roles.time else []
    a, b = plan.variables[:2]
    parts: dict[str, set[str]] = {
        "--id": {plan.roles.id} if plan.roles.id else set(),
        "--time": {column.strip() for column in time},
        "--a": set(a.columns),
        "--b": set(b.columns),
    }
    options = list(parts)
    for place, option in enumerate(options):
        for other in options[place + 1 :]:
            if shared := parts[option] & parts[other]:
                find = f"both are read from {listed(sorted(shared), 3)}"
                raise QuestionError(f"{option} and {other}", find, "Name two different columns")
