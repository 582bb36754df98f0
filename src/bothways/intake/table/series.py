"""One column of an opened table: trimmed, as numbers, as moments. Words for missing become empty cells."""

from __future__ import annotations

import numpy as np
import polars as pl
from jaxtyping import Bool, Float

MISSING_WORDS = (
    *("", "NA", "N/A", "n/a", "na", "NaN", "nan", "NAN", "#N/A", "<NA>", "NULL", "Null", "null", "None", "none"),
    *(".", "-", "--", "?", "<undefined>", "#NULL!", "missing", "Missing", "MISSING"),
    *(f".{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"),
)
_TRUTH = {"yes": 1.0, "no": 0.0, "true": 1.0, "false": 0.0, "y": 1.0, "n": 0.0}

_CLOCK = r"^(\d{1,2}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?\s*(?:([ap])\.?m\.?)?$"  # 14:05, 14:05:30, 2:05 pm


def strange(series: pl.Series, numbers: pl.Series) -> Bool[np.ndarray, "rows"]:
    """Filled cells that are no numbers."""
    if series.null_count() == numbers.null_count():
        return np.zeros(len(series), dtype=bool)
    strange: Bool[np.ndarray, "rows"] = (series.is_not_null() & numbers.is_null()).to_numpy()
    return strange


def plain(series: pl.Series) -> pl.Series:
    """Categories, lists and other kinds as text; words for missing as empty cells."""
    kind = series.dtype
    if kind == pl.Boolean or kind.is_numeric():
        return series.cast(pl.Float64) if kind.is_decimal() else series
    if kind in (pl.Date, pl.Datetime, pl.Time):
        return series
    if kind == pl.String:
        return series
    return series.cast(pl.String, strict=False)


def trimmed(series: pl.Series) -> pl.Series:
    text = series if series.dtype == pl.String else series.cast(pl.String)
    text = text.str.strip_chars()
    return text.set(text.is_in(list(MISSING_WORDS)), None)


def without_decimals(ids: pl.Series) -> pl.Series:
    """Whole numbers that a spreadsheet wrote as 1.0 read as 1, where every id is a whole number; else as they stand."""
    if not ids.str.ends_with(".0").any() or not ids.str.contains(r"^\d+(\.0)?$").all():
        return ids
    return ids.str.strip_suffix(".0")


def harder(text: pl.Series) -> pl.Series:
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


def parsed(texts: pl.Series, form: str) -> pl.Series:
    if "z" in form:
        return texts.str.to_datetime(form, strict=False, time_unit="us", time_zone="UTC")
    if "%H" in form or "%I" in form:
        return texts.str.to_datetime(form, strict=False, time_unit="us")
    return texts.str.to_date(form, strict=False)


def days(series: pl.Series) -> Float[np.ndarray, "rows"]:
    if series.dtype == pl.Date:
        return series.cast(pl.Int32).cast(pl.Float64).fill_null(np.nan).to_numpy()
    zone = getattr(series.dtype, "time_zone", None)
    plain = series.dt.convert_time_zone("UTC").dt.replace_time_zone(None) if zone else series
    micro = plain.cast(pl.Datetime("us")).cast(pl.Int64).cast(pl.Float64)
    return (micro / 86_400e6).fill_null(np.nan).to_numpy()


def clock_times(text: pl.Series) -> Float[np.ndarray, "rows"]:
    """Times of day as a share of the day; 12 am is midnight and 12 pm noon. NaN for what is no time of day."""
    parts = text.str.to_lowercase().str.extract_groups(_CLOCK).struct.unnest()
    hours, minutes, seconds = (parts.to_series(i).cast(pl.Float64).fill_null(np.nan).to_numpy() for i in range(3))
    half = parts.to_series(3)
    halved = half.is_not_null().to_numpy()
    ok = np.where(halved, (hours >= 1) & (hours <= 12), hours < 24)
    hours = np.where(halved, hours % 12 + 12 * (half == "p").fill_null(False).to_numpy(), hours)
    share: Float[np.ndarray, "rows"] = (hours + minutes / 60 + np.nan_to_num(seconds) / 3600) / 24
    return np.where(ok, share, np.nan)
