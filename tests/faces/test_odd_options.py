"""Options that no run could take are refused before any work begins."""

from __future__ import annotations

import pytest

from bothways.cli import main


@pytest.mark.parametrize("words", [("simulate", "null", "--out", "a.csv"), ("ask", "a.csv"), ("demo",)])
def test_a_seed_below_zero_is_a_mistake_of_the_caller(words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as left:
        main([*words, "--seed", "-1"])
    assert left.value.code == 2
