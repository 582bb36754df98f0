"""A cut through a column as a caller writes it: "phq9>=10", "age<50"."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from bothways.intake.columns import nearest, plain
from bothways.intake.conditions import is_turned
from bothways.intake.findings import listed
from bothways.intake.roles import Plan, Variable
from bothways.terms.errors import QuestionError
from bothways.terms.layout import Layout

_WRITTEN = re.compile(r"^\s*(?P<column>[^<>=!]+?)\s*(?P<sign>>=|<=|==|!=|>|<|=)\s*(?P<number>[^<>=!]*?)\s*$")
_SPLITS: Mapping[str, tuple[str, str, str, Callable[[np.ndarray, float], np.ndarray]]] = {
    # what the key says, the level where it does not hold, the level where it does, when it does
    ">=": ("{0}_{1}_or_above", "{0} below {1}", "{0} {1} or above", lambda x, at: x >= at),
    ">": ("{0}_above_{1}", "{0} {1} or below", "{0} above {1}", lambda x, at: x > at),
    "==": ("{0}_is_{1}", "{0} not {1}", "{0} {1}", lambda x, at: x == at),
}
_SAME = {"<": ">=", "<=": ">", "=": "==", "!=": "=="}  # a cut is the same from either side


@dataclass(frozen=True, slots=True)
class Expression:
    """A cut through a column: ``text`` as written, ``sign`` one of >=, > and ==."""

    text: str
    column: str
    sign: str
    number: float

    @property
    def key(self) -> str:
        """A name for the cut that holds in ids and file names: "phq9_10_or_above", also for "phq9<10"."""
        at = f"{self.number:g}".replace("-", "minus_").replace(".", "_")
        return _SPLITS[self.sign][0].format(re.sub(r"\W+", "_", self.column.strip().lower()), at)

    def levels(self, label: str) -> tuple[str, str]:
        """("PHQ-9 below 10", "PHQ-9 10 or above"), by how a person reads the column."""
        _, no, yes, _ = _SPLITS[self.sign]
        return no.format(label, f"{self.number:g}"), yes.format(label, f"{self.number:g}")

    def holds(self, values: Float[np.ndarray, "n"]) -> Float[np.ndarray, "n"]:
        """1 where it holds, 0 where not, NaN where the value is missing."""
        with np.errstate(invalid="ignore"):
            return np.where(np.isfinite(values), _SPLITS[self.sign][3](values, self.number), np.nan)


def parse(text: str) -> Expression | None:
    """A cut such as "phq9>=10" or "age<50"; None for the name of a column.

    Raises QuestionError for a sign without a column before it or a number behind it.
    """
    if not re.search(r"[<>=!]", text):
        return None
    written = _WRITTEN.match(text)
    try:
        number = float(written["number"]) if written else np.nan
    except ValueError:
        number = np.nan
    if written is None or not np.isfinite(number):
        mend = "Write a column, one of >= > < <= = and a number, in quotes: --by 'phq9>=10'"
        raise QuestionError(f"--by {text}", "this is no cut through a column", mend)
    sign = written["sign"]
    return Expression(text, written["column"], _SAME.get(sign, sign), number)


def without_cuts(layout: Layout) -> Layout:
    """The layout with the names of columns alone among its circumstances."""
    return replace(layout, by=tuple(name for name in layout.by if parse(name) is None))


def label_of(cut: Expression, variable: Variable, labels: Mapping[str, str]) -> str:
    """How a person reads a cut's column: its questionnaire's name where that is what was written, else its own."""
    if variable.instrument is not None and plain(cut.column) != plain(variable.key):
        return variable.instrument.label
    return labels.get(variable.key, cut.column.replace("_", " "))


def variable_of(cut: Expression, plan: Plan, layout: Layout) -> Variable:
    """The variable that a cut names: a condition first, as it was scored."""
    wanted = plain(cut.column)
    own = [v for v in plan.variables if wanted in {plain(name) for name in (v.key, *v.columns)}]
    stems = [v for v in plan.variables if wanted == plain(v.stem)]
    for variable in (*own, *stems):  # 'age' beside 'age2' is 'age'
        if is_turned(variable, variable.instrument, layout):
            find = f"'{cut.column}' was turned round, so that higher is worse, and the cut may be meant either way"
            raise QuestionError(f"--by {cut.text}", find, "Add a column with the levels to the table and name it")
        return variable
    names = [name for v in plan.variables for name in (v.stem, v.key, *v.columns)]
    mend = nearest(cut.column, names) or f"The columns are {listed(dict.fromkeys(names))}"
    raise QuestionError(f"--by {cut.text}", f"there is no column '{cut.column}'", mend)
