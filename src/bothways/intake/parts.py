"""A column that is already who, when or one of the two conditions cannot play another part beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bothways.intake.columns import plain
from bothways.intake.cuts import parse
from bothways.intake.roles import Plan
from bothways.terms.errors import QuestionError
from bothways.terms.layout import Layout

CONDITION = "one of the two conditions"
_MEND: Mapping[str, str] = {
    "--by": "Name a circumstance that several people share",
    "--weight": "Name the column of sampling weights",
    "--cluster": "Name the clinic, school or region in which several people were found",
    "--strata": "Name the stratum from which people were drawn",
    "--arm": "Name the column of the arms to which people were randomised",
    "--death": "Name the column of when people died",
    "--covariates": "Name columns that are neither of the two conditions, nor who and when",
    "--pathways": "Name columns that may lie between the two conditions",
}


def check_further_parts(plan: Plan, layout: Layout) -> None:
    """Raise ``QuestionError`` where the id, the time or a condition is named for a further part.

    A cut through a condition (``--by 'phq9>=10'``) is a circumstance of its own and stays.
    """
    taken = _taken(plan)
    for option, name in _further(layout):
        cut = parse(name) if option == "--by" else None
        column = cut.column if cut else name
        what = taken.get(plain(column))
        if what is None or (cut and what.startswith(CONDITION)):
            continue
        raise QuestionError(f"{option} {name}", f"'{column}' is already {what}", _mend(option, name, what))


def _taken(plan: Plan) -> dict[str, str]:
    """What each column of the first parts already is, by its plain name; a condition also by its stem."""
    roles = plan.roles
    taken = {plain(roles.id): "who somebody is (--id)"} if roles.id else {}
    taken |= {plain(part): "when somebody was asked (--time)" for part in (roles.time or "").split("+") if part}
    for option, variable in zip(("--a", "--b"), plan.variables[:2], strict=False):
        what = f"{CONDITION} ({option})"
        taken |= {plain(name): what for name in (variable.stem, *variable.columns) if name}
    return taken


def _further(layout: Layout) -> Iterator[tuple[str, str]]:
    """(option, name) of every further part that the caller stated."""
    yield from (("--covariates", name) for name in layout.covariates)
    yield from (("--pathways", name) for name in layout.pathways)
    yield from (("--by", name) for name in layout.by)
    singles = (("--cluster", layout.cluster), ("--weight", layout.weight), ("--strata", layout.strata))
    yield from ((option, name) for option, name in (*singles, ("--arm", layout.arm), ("--death", layout.death)) if name)


def _mend(option: str, name: str, what: str) -> str:
    if option == "--by" and what.startswith(CONDITION):
        return f"Cut it at a value, in quotes: --by '{name}>=10'"
    return _MEND[option]
