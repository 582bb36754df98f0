"""Any table, opened and checked: csv, parquet, arrow, Excel, Stata, SPSS, SAS, data frames."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from bothways.intake.table.files import from_binary, from_text
from bothways.intake.table.frames import from_frame
from bothways.intake.table.series import plain
from bothways.intake.table.sheet import Sheet
from bothways.terms.errors import RecordsError

TEXT_ENDINGS = (".csv", ".tsv", ".txt", ".tab", ".dat")
KNOWN = (
    *TEXT_ENDINGS,
    ".parquet",
    ".arrow",
    ".feather",
    ".ipc",
    ".xlsx",
    ".xls",
    ".dta",
    ".sav",
    ".zsav",
    ".sas7bdat",
    ".xpt",
)
_UNNAMED = re.compile(r"^\s*$|^_duplicated_\d+$|^__UNNAMED__\d+$")  # how readers call columns without a name


def open_table(source: Any, sheet: str | None = None) -> Sheet:
    """Open a path, or a pandas, polars or pyarrow frame.

    Raises ``RecordsError`` (where, found, mend) for whatever is missing, empty, unreadable or of an unknown kind.
    """
    if not isinstance(source, str | Path):
        return _checked(from_frame(source))
    path = Path(source)
    if not path.exists():
        raise RecordsError(str(path), "there is no such file", "Check the path")
    if path.is_dir():
        raise RecordsError(str(path), "this is a folder", "Name the file in it")
    if path.stat().st_size == 0:
        raise RecordsError(str(path), "the file is empty", "Give a table with a header row")
    ending = Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if ending not in KNOWN:
        raise RecordsError(str(path), f"'{ending}' is no known kind of table", f"Use one of {', '.join(KNOWN)}")
    if sheet is not None and ending not in (".xlsx", ".xls"):
        raise RecordsError(f"{path}, --sheet {sheet}", "this file has no sheets", "Leave --sheet out")
    try:
        return _checked(from_text(path) if ending in TEXT_ENDINGS else from_binary(path, ending, sheet))
    except OSError as error:
        raise RecordsError(str(path), f"it cannot be read ({error.strerror or 'damaged'})", "Check the file") from None


def _checked(sheet: Sheet) -> Sheet:
    """No header without rows, no column twice, empty words as empty cells, empty rows dropped."""
    if not sheet.frame.width or not sheet.frame.height:
        raise RecordsError(sheet.name, "there is a header but no row below it", "Give at least one row of data")
    unnamed = [name for name in sheet.frame.columns if _UNNAMED.match(name) and sheet.answered(name).any()]
    if 2 * len(unnamed) >= sheet.frame.width:
        find = f"{len(unnamed)} of its {sheet.frame.width} columns have no name: a title may stand above the names"
        raise RecordsError(sheet.name, find, "Let the first row hold the names of the columns")
    frame = sheet.frame.select(plain(sheet.frame.get_column(name)) for name in sheet.frame.columns)
    return Sheet(sheet.name, sheet.sha256, frame, sheet.declared, sheet.lettered)
