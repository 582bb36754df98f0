"""Weights, clusters and strata in the diary design: what they must change, and what they must not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bothways.designs.diary import DiaryDesign
from bothways.simulation import simulate
from bothways.terms.answer import Answer, DesignResult
from bothways.terms.progress import silent
from bothways.terms.question import Direction
from bothways.terms.records import Records
from bothways.terms.settings import Settings

PEOPLE = 24
RECORDS = simulate("both-ways", design="diary", people=PEOPLE, seed=3).records


def answer(**columns: np.ndarray) -> DesignResult:
    roles = replace(RECORDS.roles, **{name: name for name in columns})
    records: Records = replace(RECORDS, baseline={**RECORDS.baseline, **columns}, roles=roles)
    return DiaryDesign().answer(records, Settings(quick=True, headline_only=True), silent)


def speaks(result: DesignResult) -> Answer:
    found = result.headline(Direction.A_TO_B)
    assert found is not None
    assert found.estimate is not None
    return found


def test_weights_and_clusters_move_what_they_should() -> None:
    plain, equal = speaks(answer()), speaks(answer(weight=np.full(PEOPLE, 3.0)))
    assert plain.estimate is not None
    assert equal.estimate is not None
    assert equal.estimate.value == pytest.approx(plain.estimate.value, rel=1e-5)
    assert equal.estimate.se == pytest.approx(plain.estimate.se, rel=1e-5)
    drawn = speaks(answer(cluster=np.arange(PEOPLE) % 8 * 1.0, strata=np.arange(PEOPLE) % 2 * 1.0))
    assert drawn.estimate is not None
    assert drawn.estimate.value == pytest.approx(plain.estimate.value, rel=1e-9)
    assert drawn.estimate.se != plain.estimate.se
    assert "8 clusters in 2 strata" in " ".join(c.text for c in drawn.caveats)
    uneven = speaks(answer(weight=1.0 + np.arange(PEOPLE) % 3))
    assert uneven.estimate is not None
    assert uneven.estimate.value != plain.estimate.value
