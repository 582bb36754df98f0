"""The fitted panel model in the language of another program, with its table, so that anyone can refit it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from bothways.study.writing import write_texts
from bothways.terms.errors import QuestionError
from bothways.terms.records import Records
from bothways.terms.settings import Settings

FILES = {"lavaan": ("panel.R", "panel.csv"), "mplus": ("panel.inp", "panel.dat")}
MPLUS_MISSING = "-999"


def check_program(program: str) -> None:
    """Raise where no script can be written for a program."""
    if program not in FILES:
        mend = f"Choose one of: {', '.join(FILES)}"
        raise QuestionError("--export-syntax", f"'{program}' is no program that is known", mend)


def export_syntax(records: Records, program: str, folder: str | Path | None = None) -> Path:
    """Write the headline model of the panel design as a script, and the table that it reads, into ``folder``.

    ``program`` is ``lavaan`` or ``mplus``; the folder is ``bothways-lavaan`` or ``bothways-mplus`` unless another is
    given, and is made where it does not exist. Returns the script's path. Raises ``QuestionError`` for another
    program, or where the panel design cannot answer these records.
    """
    from bothways.designs.choose import design_of
    from bothways.designs.panel.estimation import headline
    from bothways.designs.panel.export import export_syntax as written
    from bothways.designs.panel.export import wide_columns
    from bothways.designs.panel.models import headline_forms
    from bothways.designs.panel.setup import prepare

    check_program(program)
    refusal = design_of("panel").refuse(records, Settings())
    if refusal:
        raise QuestionError("--export-syntax", f"the panel design cannot answer: {refusal.reason}", refusal.mend)
    setup = prepare(records)
    script = written(setup, headline(setup, headline_forms(setup)), program)
    place = Path(folder or f"bothways-{program}")
    name, table = FILES[program]
    return write_texts(place, {table: _text(wide_columns(setup, program), program), name: script}, "")[1]


def _text(columns: Mapping[str, np.ndarray], program: str) -> str:
    """A header and empty cells for R; no header and -999 for Mplus, both at full precision."""
    gap, separator = ("", ",") if program == "lavaan" else (MPLUS_MISSING, " ")
    cells = [[gap if value != value else repr(value) for value in column.tolist()] for column in columns.values()]
    lines = [separator.join(row) for row in zip(*cells, strict=True)]
    return "\n".join([separator.join(columns), *lines] if program == "lavaan" else lines) + "\n"
