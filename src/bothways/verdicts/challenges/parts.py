"""Challenges that leave something out or add something: other waves, other cut-offs, other people, more covariates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from bothways.terms.question import Kind
from bothways.terms.records import Records
from bothways.terms.verdict import Challenge
from bothways.verdicts.challenges.alter import keep_people, keep_rows, person_means
from bothways.verdicts.challenges.base import Case, compared_all

LEFT_OUT = 0.05  # the share of people left out as the most unusual
LEAST_PEOPLE = 100
MOST_COVARIATES = 5
STEP = 0.1  # how far a cut-off is moved, as a share of the scores' range


def fewer_waves(case: Case) -> Iterator[Challenge]:
    """Leave out the first wave, then the last: an answer that hangs on one wave is not about the rest."""
    wave, waves = case.records.wave, case.records.waves
    if wave is None or waves is None or waves < 4:
        return
    for left, name in ((0, "first"), (waves - 1, "last")):
        again = case.ask(keep_rows(case.records, wave != left))
        yield from compared_all(case, "fewer_waves", f"without the {name} wave", again)


def unusual_people(case: Case) -> Iterator[Challenge]:
    """Leave out the people who are furthest from everybody else (Mahalanobis distance of their means)."""
    if case.records.people < LEAST_PEOPLE:
        return
    far = distance(case.records)
    keep = far <= np.quantile(far, 1 - LEFT_OUT)
    if keep.all():
        return
    again = case.ask(keep_people(case.records, keep))
    yield from compared_all(case, "unusual_people", f"without the {int((~keep).sum()):,} most unusual people", again)


def distance(records: Records) -> Float[np.ndarray, "people"]:
    """Squared Mahalanobis distance of each person's two means from everybody's; 0 where one is not known."""
    means = np.column_stack([person_means(records, c.key) for c in (records.pair.a, records.pair.b)])
    far, complete = np.zeros(records.people), np.isfinite(means).all(axis=1)
    if complete.sum() < 3:
        return far
    centred = means[complete] - means[complete].mean(axis=0)
    spread = np.cov(centred.T)
    if np.linalg.matrix_rank(spread) == 2:
        far[complete] = np.einsum("ij,jk,ik->i", centred, np.linalg.inv(spread), centred)
    return far


def other_cuts(case: Case) -> Iterator[Challenge]:
    """Move a cut-off by a tenth of the scores' range, up and down."""
    for condition in (case.pair.a, case.pair.b):
        cut = case.settings.cuts.get(condition.key, condition.threshold)
        if condition.kind is not Kind.SCORE or cut is None:
            continue
        scores = case.records.values[condition.key]
        step = STEP * float(np.nanmax(scores) - np.nanmin(scores))
        for moved, word in ((cut - step, "lower"), (cut + step, "higher")):
            cuts = {**case.settings.cuts, condition.key: moved}
            again = case.ask(case.records, replace(case.settings, cuts=cuts))
            yield from compared_all(case, "other_cuts", f"with a {word} cut-off for {condition.label}", again)


def more_covariates(case: Case) -> Iterator[Challenge]:
    """Adjust for each measured, unchanging column that was not adjusted for yet."""
    for name in spare_covariates(case)[:MOST_COVARIATES]:
        roles = case.records.roles
        added = replace(roles, covariates=(*roles.covariates, name))
        label = case.records.labels.get(name, name)
        again = case.ask(replace(case.records, roles=added))
        yield from compared_all(case, "more_covariates", f"with {label} adjusted for", again)


def spare_covariates(case: Case) -> list[str]:
    """Columns that do not change, differ between people, and play no part yet."""
    roles, records = case.records.roles, case.records
    drawn = (roles.weight, roles.cluster, roles.strata, roles.arm)
    taken = (*roles.a, *roles.b, *roles.covariates, *drawn, case.settings.negative_control)
    return [
        name
        for name, column in records.baseline.items()
        if name not in taken and np.isfinite(column).any() and np.nanstd(column) > 0
    ]
