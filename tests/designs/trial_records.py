"""Trials for the tests: the table that R read, and small hand-made ones."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
from tests.designs.panel_records import records_of

from bothways.terms.records import Records

REFERENCE = Path(__file__).parents[1] / "reference" / "trial"
ARMS = ("usual care", "full", "half")


def reference() -> dict[str, Any]:
    """What R found."""
    found: dict[str, Any] = json.loads((REFERENCE / "trial.json").read_text())
    return found


def table() -> dict[str, np.ndarray]:
    """The table that R read, by column."""
    with (REFERENCE / "trial.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}


def trial_of(columns: dict[str, np.ndarray], keep: np.ndarray | None = None, holes: bool = False) -> Records:
    """Records of that table; ``holes`` removes what R removed for the incomplete case."""
    part = np.ones(len(columns["arm"]), bool) if keep is None else keep
    scores = {key: np.column_stack([columns[f"{v}{t}"][part] for t in range(3)]) for key, v in _KEYS}
    if holes:
        for x in scores.values():
            x[columns["leaves"][part] == 1, 2] = np.nan
        scores["back_pain"][columns["gone"][part] == 1, 1] = np.nan
    records = records_of(scores, days=(0, 90, 180), baseline={"arm": columns["arm"][part]}, arm="arm")
    object.__setattr__(records, "categories", {"arm": ARMS})
    return records


_KEYS = (("depression", "a"), ("back_pain", "b"))
