"""Rows of "when, what, value" -> one row for each moment, with a column for each thing that was asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from bothways.intake.table.series import trimmed
from bothways.intake.table.sheet import Sheet
from bothways.terms.errors import RecordsError


def unstack(sheet: Sheet, what: str, value: str, moment: Sequence[str]) -> Sheet:
    """One row for each combination of the ``moment`` columns, in the order in which they first stand.

    Each level of ``what`` becomes a column with its cells of ``value``; of the other columns those stay that say one
    thing at each moment. Rows that name nothing are left out. Raises ``RecordsError`` where one thing has two values
    at one moment, or bears the name of a column of the moment.
    """
    frame = sheet.frame.with_columns(trimmed(sheet.frame.get_column(what))).filter(pl.col(what).is_not_null())
    _refuse_clashes(sheet, frame, what, moment)
    cells = frame.select(*moment, what, value).unique(maintain_order=True)
    doubled = cells.height - cells.select(*moment, what).n_unique()
    if doubled:
        find = f"{doubled:,} rows give a second value of the same '{what}' at the same {_words(moment)}"
        raise RecordsError(sheet.name, find, "Keep one row for each, or name a --time that tells them apart")
    wide = cells.pivot(what, index=list(moment), values=value, maintain_order=True)
    settled = _settled(frame, moment, [c for c in frame.columns if c not in (*moment, what, value, *wide.columns)])
    wide = wide.join(settled, on=list(moment), how="left", nulls_equal=True, maintain_order="left")
    codes = sheet.declared.get(value)
    declared = {name: codes for name in wide.columns if name not in frame.columns} if codes else {}
    kept = {name: codes for name, codes in sheet.declared.items() if name in wide.columns}
    return replace(sheet, frame=wide, declared={**kept, **declared}, lettered={})


def _refuse_clashes(sheet: Sheet, frame: pl.DataFrame, what: str, moment: Sequence[str]) -> None:
    names = set(frame.get_column(what).unique().to_list())
    if clash := sorted(names & set(moment)):
        find = f"'{clash[0]}' is a column and stands in '{what}' as well"
        raise RecordsError(sheet.name, find, "Rename the column")


def _settled(frame: pl.DataFrame, moment: Sequence[str], columns: Sequence[str]) -> pl.DataFrame:
    """The moments, and the columns that are nowhere two things at one of them."""
    groups = frame.group_by(list(moment), maintain_order=True)
    once = groups.agg(pl.col(c).drop_nulls().n_unique() <= 1 for c in columns)
    kept = [c for c in columns if once.get_column(c).all()]
    return groups.agg(pl.col(c).drop_nulls().first() for c in kept)


def _words(moment: Sequence[str]) -> str:
    return " and ".join(f"'{column}'" for column in moment)
