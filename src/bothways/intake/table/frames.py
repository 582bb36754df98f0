"""A pandas, polars or pyarrow frame -> a sheet."""

from __future__ import annotations

import hashlib
from typing import Any

import polars as pl

from bothways.intake.sniff import check_header
from bothways.intake.table.sheet import Sheet
from bothways.terms.errors import RecordsError


def from_frame(source: Any) -> Sheet:
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
