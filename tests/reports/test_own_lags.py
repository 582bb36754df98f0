"""What a condition keeps of itself where lags differ by interval: which one is told, and where the others stand."""

from __future__ import annotations

import pytest

from bothways.reports.words_beside import own_words


@pytest.mark.parametrize("span", ["", "from wave 3 to 4"])
def test_an_own_lag_of_one_interval_says_which_and_where_the_others_are(span: str) -> None:
    facts = {"pair": {"a": {"label": "depression"}, "b": {"label": "back pain"}}}
    row = {"condition": "a", "kind": "carry_over", "value": 0.4, "low": 0.3, "high": 0.5, "span": span}
    said = own_words(row, facts)["sentence"]
    assert f"is left {span or 'one wave later'}, all else alike." in said
    assert ("this is the last of them, and each stands in the table of lags" in said) == bool(span)
