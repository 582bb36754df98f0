"""Equal against free lags: lavaan's value of the strictly positive variant, and its name in the methods."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from tests.designs.panel_records import REFERENCE, records_of, simulated_scores

from bothways.designs.panel import PanelDesign
from bothways.designs.panel.design import fit_all
from bothways.designs.panel.setup import prepare
from bothways.terms.progress import silent
from bothways.terms.settings import Settings

LEAN = Settings(quick=True, headline_only=True)


def four_waves() -> dict[str, np.ndarray]:
    """The panel with drop-out of tests/reference/panel.R."""
    with (REFERENCE / "data" / "panel_four_waves.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    columns = {name: [float(r[name]) if r[name] not in ("", "NA") else np.nan for r in rows] for name in rows[0]}
    return {
        key: np.column_stack([columns[f"y{k}_{t}"] for t in range(1, 5)])
        for k, key in enumerate(("depression", "back_pain"), start=1)
    }


def test_equal_lags_are_tested_as_lavaan_does_by_the_strictly_positive_variant() -> None:
    """lavTestLRT(method = "satorra.bentler.2010") of tests/reference/panel.R; 2001 would give 4.19 and not 4.09."""
    theirs = json.loads((REFERENCE / "panel.json").read_text())["difference tests"]["equal lags"]["2010"]
    test = fit_all(prepare(records_of(four_waves())), LEAN, silent).headline.test
    assert test is not None
    assert test.method == "Satorra-Bentler 2010"
    assert test.df == theirs["df"]
    assert test.statistic == pytest.approx(theirs["chisq"], rel=1e-3)


def test_the_methods_name_the_variant() -> None:
    said = PanelDesign().answer(records_of(simulated_scores(people=150)), Settings(quick=True), silent).methods
    assert "Satorra & Bentler 2010" in said
    assert "2001" not in said
