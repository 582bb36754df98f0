"""Weights, clusters and strata in the onset design: what they must change, and what they must not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bothways.designs.onset import OnsetDesign
from bothways.designs.onset.estimation import PATHS, criterion, design_effect
from bothways.designs.onset.models import drifting_cause, frailty, plain
from bothways.designs.onset.setup import prepare
from bothways.simulation import Observation, simulate
from bothways.terms.answer import DesignResult
from bothways.terms.errors import QuestionError
from bothways.terms.progress import silent
from bothways.terms.question import Direction
from bothways.terms.records import Records
from bothways.terms.settings import Settings

PEOPLE = 500
RECORDS = simulate("both-ways", design="onset", people=PEOPLE, seed=6, observation=Observation(jitter=0.0)).records
COUNTS = 1.0 + np.arange(PEOPLE) % 2


def drawn(records: Records = RECORDS, **columns: np.ndarray) -> Records:
    """The records with columns for the sampling roles of these names."""
    roles = replace(records.roles, **{name: name for name in columns})
    return replace(records, baseline={**records.baseline, **columns}, roles=roles)


def twice(times: np.ndarray) -> Records:
    """Everybody as often as ``times`` says; no deaths."""
    at = np.concatenate([np.flatnonzero(RECORDS.person == i) for i in np.repeat(np.arange(PEOPLE), times)])
    lengths = np.bincount(RECORDS.person, minlength=PEOPLE)[np.repeat(np.arange(PEOPLE), times)]
    return replace(
        RECORDS,
        person=np.repeat(np.arange(lengths.size), lengths),
        time=RECORDS.time[at],
        values={k: v[at] for k, v in RECORDS.values.items()},
        wave=None if RECORDS.wave is None else RECORDS.wave[at],
        baseline={k: np.repeat(v, times) for k, v in RECORDS.baseline.items()},
        events={},
    )


def answer(records: Records, **settings: object) -> DesignResult:
    return OnsetDesign().answer(records, replace(Settings(quick=True), **settings), silent)  # type: ignore[arg-type]


def test_a_person_of_weight_two_is_that_person_twice() -> None:
    base = replace(RECORDS, events={})
    one, two = prepare(drawn(base, weight=COUNTS), Settings()), prepare(twice(COUNTS.astype(int)), Settings())
    a, b = plain(one), plain(two)
    np.testing.assert_allclose(a.fit.theta, b.fit.theta, atol=1e-5)
    for way in PATHS.values():
        assert a.log_ratio(*way)[0] == pytest.approx(b.log_ratio(*way)[0], abs=1e-5)
    for model in (frailty, drifting_cause):
        first, second = model(one, a), model(two, b)
        theta = first.fit.theta
        scale = COUNTS.sum() / PEOPLE
        assert isinstance(first.target, type(second.target))
        ours, theirs = first.target.evaluate(theta, 1), second.target.evaluate(theta, 1)
        assert ours.loglik * scale == pytest.approx(theirs.loglik, rel=1e-8)
        np.testing.assert_allclose(ours.gradient * scale, theirs.gradient, rtol=1e-5, atol=1e-5)
        entry = [f.fit.loglik - f.loglik for f in (first, second)]
        assert entry[0] * scale == pytest.approx(entry[1], rel=1e-9)


def test_the_scale_of_weights_does_not_matter_and_equal_ones_change_nothing() -> None:
    base, equal = answer(RECORDS), answer(drawn(weight=np.full(PEOPLE, 7.0)))
    for a, b in zip(base.answers, equal.answers, strict=True):
        if a.estimate is not None:
            assert b.estimate is not None
            np.testing.assert_allclose(
                [b.estimate.value, b.estimate.low, b.estimate.high],
                [a.estimate.value, a.estimate.low, a.estimate.high],
                rtol=1e-6,
            )
    assert "with sampling weights" in equal.methods
    assert "with sampling weights" not in base.methods
    assert "robust by person" in base.methods


def test_clusters_that_share_their_course_widen_the_interval() -> None:
    """Everybody twice, as two people or as one cluster: the errors differ by the root of two, and nothing else does."""
    double = twice(np.full(PEOPLE, 2))
    single, together = answer(double), answer(drawn(double, cluster=np.repeat(np.arange(PEOPLE), 2) * 1.0))
    for direction in (Direction.A_TO_B, Direction.B_TO_A):
        a, b = single.headline(direction), together.headline(direction)
        assert a is not None
        assert b is not None
        assert a.estimate is not None
        assert b.estimate is not None
        assert b.estimate.value == pytest.approx(a.estimate.value, rel=1e-9)
        assert b.estimate.se / a.estimate.se == pytest.approx(np.sqrt(2), rel=0.01)
    assert "sandwich estimates over clusters" in together.methods


def test_whoever_has_no_weight_is_left_out() -> None:
    weight = np.where(np.arange(PEOPLE) < 400, 1.0, np.nan)
    few = prepare(drawn(weight=weight), Settings())
    assert few.rows.person.max() < 400
    assert few.seen.weight is not None
    assert few.seen.weight[np.unique(few.rows.person)].mean() == pytest.approx(1.0, abs=1e-2)
    with pytest.raises(QuestionError, match="no positive weight"):
        prepare(drawn(weight=np.zeros(PEOPLE)), Settings())


def test_resampling_and_words_follow_the_design() -> None:
    columns = {"weight": COUNTS, "cluster": np.arange(PEOPLE) % 20 * 1.0, "strata": np.arange(PEOPLE) % 4 * 1.0}
    result = answer(drawn(**columns), quick=False, bootstrap=12, workers=1, headline_only=False)
    assert "20 clusters in 4 strata" in " ".join(c.text for a in result.answers for c in a.caveats)
    assert "clusters within strata drawn with replacement and reweighted (Rao & Wu 1988)" in result.methods
    unseen = next(a for a in result.answers if a.id == "onset.order_share.joint")
    assert "counted_unweighted" in {c.code for c in unseen.caveats}
    assert "misfit" not in {c.code for a in result.answers for c in a.caveats}


def test_chains_of_a_sample_are_compared_by_what_chance_adds_to_their_likelihood() -> None:
    """Everybody twice in one cluster is no news: the criterion doubles, where AIC would make of it twice the people."""
    base = replace(RECORDS, events={})
    who = np.arange(PEOPLE) * 1.0
    once = plain(prepare(drawn(base, cluster=who), Settings()))
    both = twice(np.full(PEOPLE, 2))
    pairs = replace(both, baseline={**both.baseline, "cluster": np.repeat(who, 2)})
    doubled = plain(prepare(replace(pairs, roles=replace(both.roles, cluster="cluster")), Settings()))
    assert criterion(doubled, sampled=True) == pytest.approx(2 * criterion(once, sampled=True), rel=1e-4)
    assert criterion(once, sampled=True) != criterion(once, sampled=False)
    assert design_effect(doubled, sampled=True) == pytest.approx(2 * design_effect(once, sampled=True), rel=1e-2)
    assert design_effect(once, sampled=False) == 1.0


def test_a_sample_says_how_its_models_were_compared() -> None:
    weighted = answer(drawn(weight=COUNTS), quick=False, bootstrap=0)
    assert "Lumley & Scott 2015" in weighted.methods
    assert "Lumley" in next(t.note for t in weighted.tables if t.key == "onset_models")
    assert {"daic"} == {key for fit in weighted.fits for key in fit.indices}
