"""Weights, clusters and strata in the diary design: what they must change, and what they must not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bothways.designs.diary import DiaryDesign
from bothways.designs.diary.checks import caveats_of
from bothways.designs.diary.compared import criterion
from bothways.designs.diary.estimation import Models, base_structure, fitted
from bothways.designs.diary.lags import choose_lags
from bothways.designs.diary.setup import DiarySetup, set_up
from bothways.designs.diary.tables import fit_of, models_table
from bothways.engine.survey import sampling
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


def drawn_setup(times: int, people: int = PEOPLE) -> DiarySetup:
    """Everybody ``times`` over, each with their copies a cluster."""
    setup = set_up(RECORDS)
    series = setup.series.choose(np.tile(np.arange(people), times))
    return replace(setup, series=replace(series, drawn=sampling(np.tile(np.arange(people), times))))


def test_models_of_a_sample_are_compared_by_what_chance_adds_to_its_likelihood() -> None:
    """Everybody twice in one cluster is no news: the criterion doubles, where AIC would make of it twice the people."""
    once, twice = (fitted("ct-var", base_structure(s, error=False), s, False) for s in (drawn_setup(1), drawn_setup(2)))
    assert criterion(twice) == pytest.approx(2 * criterion(once), rel=1e-4)
    assert twice.fit.aic != pytest.approx(2 * once.fit.aic, rel=1e-3)
    models = Models(once, once, once, None, None, None)
    assert "Lumley" in models_table(models, "day").note
    assert set(fit_of(models, once, 0.95).indices) >= {"daic"}
    assert not {"aic", "bic"} & set(fit_of(models, once, 0.95).indices)


def test_too_few_people_of_a_sample_leave_models_uncompared() -> None:
    setup = drawn_setup(1, 12)
    few = fitted("ct-var", base_structure(setup, error=False), setup, False)
    assert few.usable
    assert criterion(few) is None
    models = Models(few, few, few, few, None, None)
    texts = [c.text for c in caveats_of(setup, models, choose_lags(setup, ()), None) if c.code == "common_cause"]
    assert ["could not be set against" in text for text in texts] == [True]
