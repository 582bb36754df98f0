"""Any table, opened. This is the only room that names a data-frame library; columns without a part cost nothing."""

from bothways.intake.table.opening import open_table
from bothways.intake.table.series import MISSING_WORDS
from bothways.intake.table.sheet import Sheet

__all__ = ["MISSING_WORDS", "Sheet", "open_table"]
