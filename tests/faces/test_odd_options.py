"""Options that no run could take are refused before any work begins."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.faces.panels import csv_text, long_panel

import bothways as bw
from bothways.cli import main


@pytest.mark.parametrize("words", [("simulate", "null", "--out", "a.csv"), ("ask", "a.csv"), ("demo",)])
def test_a_seed_below_zero_is_a_mistake_of_the_caller(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as left:
        main([*words, "--seed", "-1"])
    assert left.value.code == 2


def test_one_covariate_may_be_given_as_one_word(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(csv_text(long_panel()))
    assert bw.read(tmp_path / "a.csv", covariates="age").roles.covariates == ("age",)
