"""A quick run says that it did not ask, and never that nobody asked for it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.reports.outcomes import NOTHING, SETTINGS

from bothways.reports import facts_of, render


@pytest.mark.parametrize("quick", [False, True])
def test_what_a_quick_run_left_out_is_no_fault_of_the_records(quick: bool) -> None:
    made = replace(NOTHING, settings=replace(SETTINGS, quick=quick))
    text = " ".join(render(facts_of(made), "terminal", "researcher").split())
    for said in ("This quick run compared no groups", "This quick run did not ask through what"):
        assert (said in text) is quick
    for said in ("No groups were compared: a grouping column", "These data were not asked through what"):
        assert (said in text) is not quick
