"""A file of any known kind -> a sheet: text, parquet, arrow, workbooks, Stata, SPSS and SAS."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool

from bothways.intake.sniff import HEAD, check_header, decoded, sniff
from bothways.intake.table.sheet import Sheet
from bothways.terms.errors import RecordsError


def from_text(path: Path) -> Sheet:
    content: bytes | None = gzip.decompress(path.read_bytes()) if path.suffix.lower() == ".gz" else None
    with path.open("rb") as file:
        head = file.read(HEAD)
    dialect = sniff(content[:HEAD] if content is not None else head, str(path))
    check_header(dialect.header, str(path))
    if dialect.encoding is not None:
        content = decoded(content or path.read_bytes(), dialect.encoding).encode()
    if dialect.old_line_ends:
        content = (content or path.read_bytes()).replace(b"\r", b"\n")
    try:
        frame = _csv(content or path, dialect.separator)
    except (pl.exceptions.ComputeError, UnicodeDecodeError) as error:
        if "utf" not in str(error).lower():
            mend = "Check quotes and separators, and take out lines above the names of the columns"
            raise RecordsError(str(path), "some rows have more fields than the header", mend) from None
        frame = _csv(decoded(content or path.read_bytes(), "cp1252").encode(), dialect.separator)
    except pl.exceptions.NoDataError:
        raise RecordsError(str(path), "there is a header but no row below it", "Give at least one row") from None
    return Sheet(str(path), _sha256_of_file(path), _without_export_rows(frame))


def _csv(source: bytes | Path, separator: str) -> pl.DataFrame:
    # Words for missing are read when a column is asked for: naming them here would triple the time.
    return pl.scan_csv(source, separator=separator, infer_schema=False).collect()


def from_binary(path: Path, ending: str, sheet: str | None) -> Sheet:
    declared: Mapping[str, Mapping[float, str]] = {}
    lettered: Mapping[str, Mapping[str, Bool[np.ndarray, "rows"]]] = {}
    try:
        if ending == ".parquet":
            frame = pl.read_parquet(path)
        elif ending in (".arrow", ".feather", ".ipc"):
            frame = pl.read_ipc(path)
        elif ending in (".xlsx", ".xls"):
            frame = _from_workbook(path, sheet)
        else:
            frame, declared, lettered = _from_statistics(path, ending)
    except RecordsError:
        raise
    except Exception as error:  # noqa: BLE001 - each reader has its own errors, and their words may hold values
        kind = type(error).__name__
        mend = "Check that it opens where it was made, or save it as CSV"
        raise RecordsError(str(path), f"it is no readable {ending} file ({kind})", mend) from None
    return Sheet(str(path), _sha256_of_file(path), frame, declared, lettered)


def _from_workbook(path: Path, sheet: str | None) -> pl.DataFrame:
    """One sheet of a workbook, the first where none is named."""
    import fastexcel  # heavy, and needed here alone

    book = fastexcel.read_excel(path)
    names = book.sheet_names
    if sheet is not None and sheet not in names:
        shown = ", ".join(f"'{name}'" for name in names)
        raise RecordsError(f"{path}, --sheet {sheet}", "there is no such sheet", f"The sheets are {shown}")
    place = sheet or names[0]
    top = book.load_sheet(place, header_row=None, n_rows=1, dtypes="string").to_polars()
    if not top.width:
        raise RecordsError(f"{path}, sheet '{place}'", "the sheet is empty", "Name another with --sheet")
    if top.width == 1 and sheet is None and len(names) > 1:
        shown = ", ".join(f"'{name}'" for name in names)
        find = "its first sheet holds one column, as a cover page does"
        raise RecordsError(str(path), find, f"Name the sheet with --sheet; there are {shown}")
    check_header([name or "" for name in top.row(0)], str(path))
    # All as text: a typed column would lose the cells that are of another kind without a word.
    return _without_export_rows(book.load_sheet(place, dtypes="string").to_polars())


def _from_statistics(
    path: Path, ending: str
) -> tuple[pl.DataFrame, dict[str, dict[float, str]], dict[str, dict[str, Bool[np.ndarray, "rows"]]]]:
    """Stata, SPSS and SAS files, with what they declare missing kept as reasons."""
    import pyreadstat  # heavy, and needed here alone

    reader: Any = {
        ".dta": pyreadstat.read_dta,
        ".sas7bdat": pyreadstat.read_sas7bdat,
        ".xpt": pyreadstat.read_xport,
    }.get(ending, pyreadstat.read_sav)
    named = {} if ending == ".xpt" else {"user_missing": True}
    cells, meta = reader(str(path), output_format="dict", **named)
    lettered: dict[str, dict[str, Bool[np.ndarray, "rows"]]] = {}
    columns = {}
    for name, values in cells.items():
        letters = set(getattr(meta, "missing_user_values", {}).get(name, ()))
        columns[name], marks = _without_letters(list(values), letters)
        if marks:
            lettered[name] = {f"code .{letter}": rows for letter, rows in marks.items()}
    return pl.DataFrame(columns, strict=False), _declared(meta, columns), lettered


def _without_letters(values: list[Any], letters: set[str]) -> tuple[list[Any], dict[str, Bool[np.ndarray, "rows"]]]:
    """Stata and SAS letter codes (.a-.z) -> empty cells, and where each letter stood."""
    present = sorted({value for value in values if isinstance(value, str) and value in letters})
    marks = {letter: np.array([value == letter for value in values]) for letter in present}
    return [None if isinstance(v, str) and v in letters else v for v in values] if present else values, marks


def _declared(meta: Any, columns: Mapping[str, Sequence[Any]]) -> dict[str, dict[float, str]]:
    """SPSS missing values and ranges -> by column, each code that occurs with its label."""
    found: dict[str, dict[float, str]] = {}
    labels = getattr(meta, "variable_value_labels", {}) or {}
    for name, spans in (getattr(meta, "missing_ranges", {}) or {}).items():
        numbers = {float(v) for v in columns[name] if isinstance(v, int | float)}
        for span in spans:
            low, high = span["lo"], span["hi"]
            if isinstance(low, str):
                continue
            inside = sorted(value for value in numbers if low <= value <= high)
            says = labels.get(name, {})
            found.setdefault(name, {}).update({v: str(says.get(v, f"code {v:g}")).strip().lower() for v in inside})
    return found


def _without_export_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Qualtrics writes two more header rows, the second as {"ImportId": ...}; empty rows hold nothing."""
    if frame.height >= 2 and any(str(cell).startswith('{"ImportId"') for cell in frame.row(1)):
        frame = frame.slice(2)
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def _sha256_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
