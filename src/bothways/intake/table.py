"""Any table, opened: csv, parquet, arrow, Excel, Stata, SPSS, SAS, data frames.

This is the only file that names a data-frame library. Text stays text until a column is asked for as numbers, so that
nothing is guessed from its first rows, and columns without a part cost nothing.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from jaxtyping import Bool, Float, Int

from bothways.intake.sniff import HEAD, check_header, decoded, sniff
from bothways.terms.errors import RecordsError

MISSING_WORDS = (
    *("", "NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "#N/A", "<NA>", "NULL", "Null", "null", "None", "none"),
    *(".", "-", "--", "?", "<undefined>", "#NULL!", "missing", "Missing", "MISSING"),
    *(f".{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"),
)
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
_TRUTH = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0, "y": 1.0, "n": 0.0}


@dataclass(frozen=True, slots=True)
class Sheet:
    """An opened table. ``declared`` holds, by column, the codes that the file itself declares missing, and why."""

    name: str
    sha256: str
    frame: pl.DataFrame
    declared: Mapping[str, Mapping[float, str]] = field(default_factory=dict)
    lettered: Mapping[str, Mapping[str, Bool[np.ndarray, "rows"]]] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in the file's order."""
        return tuple(self.frame.columns)

    @property
    def rows(self) -> int:
        """How many rows the table holds below its header."""
        return self.frame.height

    def is_text(self, column: str) -> bool:
        """Whether the column came as text (every column of a text file does)."""
        return self.frame.schema[column] == pl.String

    def is_calendar(self, column: str) -> bool:
        """Whether the column came as dates or date-times."""
        return self.frame.schema[column] in (pl.Date, pl.Datetime)

    def answered(self, column: str) -> Bool[np.ndarray, "rows"]:
        """Where the column is not empty."""
        return _trimmed(self.frame.get_column(column)).is_not_null().to_numpy()

    def head(self, column: str, rows: int) -> Sheet:
        """The first filled cells of one column, as a small sheet to try things on."""
        few = self.frame.select(column).drop_nulls().head(rows)
        return Sheet(self.name, self.sha256, few)

    def texts(self, column: str) -> Sequence[str | None]:
        """The column as text, trimmed."""
        return _trimmed(self.frame.get_column(column)).to_list()

    def count_words(self, column: str) -> int:
        """How many filled cells are no numbers; a look at the first cells settles most columns of words."""
        if self.frame.schema[column].is_numeric() or self.frame.schema[column] == pl.Boolean:
            return 0
        return int(self.numbers(column)[1].sum())

    def count_matching(self, column: str, pattern: str) -> int:
        """How many cells match a regular expression; names no cell."""
        return int(_trimmed(self.frame.get_column(column)).str.contains(pattern).sum() or 0)

    def numbers(self, column: str) -> tuple[Float[np.ndarray, "rows"], Bool[np.ndarray, "rows"]]:
        """The column as numbers (NaN where empty), and where a cell holds something that is no number."""
        series = self.frame.get_column(column)
        if series.dtype in (pl.Date, pl.Datetime, pl.Time, pl.Duration):
            return np.full(self.rows, np.nan), series.is_not_null().to_numpy()
        numbers = series.cast(pl.Float64, strict=False)
        if series.dtype == pl.String and numbers.null_count() > series.null_count():
            series = _trimmed(series)
            numbers = _harder(series)
        found = numbers.fill_null(np.nan).to_numpy()
        endless = np.isinf(found)
        return np.where(endless, np.nan, found) if endless.any() else found, _strange(series, numbers)

    def codes(self, column: str) -> tuple[Int[np.ndarray, "rows"], tuple[str, ...]]:
        """The column as categories: (index into the sorted levels, -1 where empty), levels."""
        series = _trimmed(self.frame.get_column(column))
        levels = series.drop_nulls().unique().sort()
        places = pl.DataFrame({"level": levels, "code": np.arange(len(levels))})
        joined = pl.DataFrame({"level": series}).join(places, on="level", how="left", maintain_order="left")
        return joined.get_column("code").fill_null(-1).to_numpy().astype(np.int64), tuple(levels.to_list())

    def repeats(self, column: str) -> bool:
        """Whether any filled cell occurs twice."""
        filled = _trimmed(self.frame.get_column(column)).drop_nulls()
        return filled.n_unique() < len(filled)

    def identities(self, column: str) -> Int[np.ndarray, "rows"]:
        """Who each row belongs to: the same number for the same id, -1 where the id is empty. The ids stay behind."""
        series = self.frame.get_column(column)
        if series.dtype.is_integer():  # never by way of floats, which cannot tell ids above 2**53 apart
            keys = series.fill_null(0).to_numpy()
        elif series.dtype.is_numeric():
            series = series.cast(pl.Float64).fill_nan(None)
            keys = series.fill_null(0).to_numpy()
        else:
            series = _trimmed(series)
            keys = series.hash(seed=0).fill_null(0).to_numpy()
        run = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]])  # people mostly stand together: sort runs, not rows
        _, first, people = np.unique(keys[run], return_index=True, return_inverse=True)
        number = np.empty(first.size, dtype=np.int64)
        number[np.argsort(first)] = np.arange(first.size)  # in the order of appearance: sorted tables stay sorted
        found = np.repeat(number[people], np.diff(np.r_[run, keys.size]))
        found[series.is_null().to_numpy()] = -1
        return found

    def moments(self, column: str, formats: Sequence[str] = ()) -> list[Float[np.ndarray, "rows"]]:
        """Days since 1970-01-01 UTC as float64, one array per format (NaN where a cell does not follow it).

        Columns that came as dates need no format and give one array. Zones are honoured: 12:00+02:00 is 10:00 UTC.
        """
        series = self.frame.get_column(column)
        if self.is_calendar(column):
            return [_days(series)]
        texts = _trimmed(series)
        return [_days(_parsed(texts, form)) for form in formats]

    def clock(self, column: str) -> Float[np.ndarray, "rows"]:
        """A column of clock times ("08:58" or "08:58:56") as a share of the day; NaN where it is none."""
        series = self.frame.get_column(column)
        if series.dtype != pl.Time:
            parts = _trimmed(series).str.extract_groups(r"^(\d{1,2}):(\d{2})(?::(\d{2}))?$").struct.unnest()
            hours, minutes, seconds = (parts.to_series(i).cast(pl.Float64) for i in range(3))
            return ((hours + minutes / 60 + seconds.fill_null(0.0) / 3600) / 24).fill_null(np.nan).to_numpy()
        return (series.cast(pl.Int64).cast(pl.Float64) / 86_400e9).fill_null(np.nan).to_numpy()


def open_table(source: Any, sheet: str | None = None) -> Sheet:
    """Open a path, or a pandas, polars or pyarrow frame.

    Raises ``RecordsError`` (where, found, mend) for whatever is missing, empty, unreadable or of an unknown kind.
    """
    if not isinstance(source, str | Path):
        return _checked(_from_frame(source))
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
        return _checked(_from_text(path) if ending in TEXT_ENDINGS else _from_binary(path, ending, sheet))
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
    frame = sheet.frame.select(_plain(sheet.frame.get_column(name)) for name in sheet.frame.columns)
    return Sheet(sheet.name, sheet.sha256, frame, sheet.declared, sheet.lettered)


def _from_text(path: Path) -> Sheet:
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


def _from_binary(path: Path, ending: str, sheet: str | None) -> Sheet:
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


def _from_frame(source: Any) -> Sheet:
    import narwhals as nw  # heavy, and needed here alone

    if isinstance(source, pl.LazyFrame):
        source = source.collect()
    index = getattr(source, "index", None)
    if any(getattr(index, "names", ())):  # a named pandas index is a column that was set aside
        source = source.reset_index()
    if hasattr(source, "set_axis"):  # pandas takes any object as a column's name, and a name twice
        names = [str(name) for name in source.columns]
        check_header(names, "the table")
        source = source.set_axis(names, axis=1)
    try:
        frame = nw.from_native(source, eager_only=True)
    except TypeError:
        kind = type(source).__name__
        raise RecordsError(
            "the table", f"a '{kind}' is no table", "Give a path or a pandas, polars or pyarrow frame"
        ) from None
    polars = pl.DataFrame({name: _column(frame[name]) for name in frame.columns})
    digest = hashlib.sha256(polars.write_csv().encode()).hexdigest()
    return Sheet(f"a {frame.implementation.name.lower()} frame", digest, polars)


def _column(series: Any) -> pl.Series:
    """One column of any frame as polars; pandas without pyarrow goes by way of lists."""
    try:
        return series.to_polars()  # type: ignore[no-any-return]  # narwhals is untyped here
    except (ImportError, pl.exceptions.PolarsError, TypeError):
        return pl.Series(series.name, [None if v is None or v != v else v for v in series.to_list()], strict=False)


def _strange(series: pl.Series, numbers: pl.Series) -> Bool[np.ndarray, "rows"]:
    """Filled cells that are no numbers."""
    if series.null_count() == numbers.null_count():
        return np.zeros(len(series), dtype=bool)
    strange: Bool[np.ndarray, "rows"] = (series.is_not_null() & numbers.is_null()).to_numpy()
    return strange


def _plain(series: pl.Series) -> pl.Series:
    """Categories, lists and other kinds as text; words for missing as empty cells."""
    kind = series.dtype
    if kind == pl.Boolean or kind.is_numeric():
        return series.cast(pl.Float64) if kind.is_decimal() else series
    if kind in (pl.Date, pl.Datetime, pl.Time):
        return series
    if kind == pl.String:
        return series
    return series.cast(pl.String, strict=False)


def _trimmed(series: pl.Series) -> pl.Series:
    text = series if series.dtype == pl.String else series.cast(pl.String)
    text = text.str.strip_chars()
    return text.set(text.is_in(list(MISSING_WORDS)), None)


def _harder(text: pl.Series) -> pl.Series:
    """Numbers from text that did not pass at once: spaces round them, decimal commas, yes and no."""
    numbers = text.cast(pl.Float64, strict=False)
    if numbers.null_count() == text.null_count():
        return numbers
    if text.str.contains(r"^[+-]?\d*,\d+$").any() and not _grouped(text):
        numbers = text.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    words = text.str.to_lowercase().drop_nulls().unique()
    if len(words) <= len(_TRUTH) and words.is_in(list(_TRUTH)).all():
        return text.str.to_lowercase().replace_strict(_TRUTH, default=None, return_dtype=pl.Float64)
    return numbers


def _grouped(text: pl.Series) -> bool:
    """Whether the commas may part thousands (1,234): then nobody can tell, and the column stays text."""
    commas = text.filter(text.str.contains(",", literal=True).fill_null(False))
    return bool(commas.str.contains(r"^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$").all())


def _parsed(texts: pl.Series, form: str) -> pl.Series:
    if "z" in form:
        return texts.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
    if "%H" in form or "%I" in form:
        return texts.str.to_datetime(form, strict=False, time_unit="us")
    return texts.str.to_date(form, strict=False)


def _days(series: pl.Series) -> Float[np.ndarray, "rows"]:
    if series.dtype == pl.Date:
        return series.cast(pl.Int32).cast(pl.Float64).fill_null(np.nan).to_numpy()
    zone = getattr(series.dtype, "time_zone", None)
    plain = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else series
    micro = plain.cast(pl.Datetime("us")).cast(pl.Int64).cast(pl.Float64)
    return (micro / 86_400e6).fill_null(np.nan).to_numpy()


def _without_export_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Qualtrics writes two more header rows, the second as {"ImportId": ...}; empty rows hold nothing."""
    if frame.height >= 2 and any(str(cell).startswith('{"ImportId"') for cell in frame.row(1)):
        frame = frame.slice(2)
    return frame.filter(~pl.all_horizontal(pl.all().is_null()))


def _sha256_of_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


__all__ = ["MISSING_WORDS", "Sheet", "open_table"]
