"""Challenges that leave something out or add something: other waves, other cut-offs, other people, more covariates."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from bothways.terms.answer import DesignResult
from bothways.terms.question import Kind
from bothways.terms.verdict import Challenge
from bothways.verdicts.challenges.alter import keep_people, keep_rows, person_means
from bothways.verdicts.challenges.base import Case, compared, headlines

LEFT_OUT = 0.05  # the share of people left out as the most unusual


def fewer_waves(case: Case) -> Iterator[Challenge]:
    """Leave out the first wave, then the last: an answer that hangs on one wave is not about the rest."""
    wave, waves = case.records.wave, case.records.waves
    if wave is None or waves is None or waves < 4:
        return
    for left, name in ((0, "first"), (waves - 1, "last")):
        again = case.ask(keep_rows(case.records, wave != left))
        yield from _all(case, ("fewer_waves", f"Without the {name} wave"), again, f"without the {name} wave")


def unusual_people(case: Case) -> Iterator[Challenge]:
    """Leave out the people who are furthest from everybody else (Mahalanobis distance of their means)."""
    if case.records.people < 100:
        return
    means = np.column_stack([person_means(case.records, case.pair.a.key), person_means(case.records, case.pair.b.key)])
    centred = means - np.nanmean(means, axis=0)
    complete = np.isfinite(centred).all(axis=1)
    spread = np.cov(centred[complete].T)
    if np.linalg.matrix_rank(spread) < 2:
        return
    far = np.zeros(case.records.people)
    far[complete] = np.einsum("ij,jk,ik->i", centred[complete], np.linalg.inv(spread), centred[complete])
    keep = far <= np.quantile(far, 1 - LEFT_OUT)
    again = case.ask(keep_people(case.records, keep))
    words = f"without the {np.sum(~keep):,} most unusual people"
    yield from _all(case, ("unusual_people", words.capitalize()), again, words)


def other_cuts(case: Case) -> Iterator[Challenge]:
    """Move a cut-off by a tenth of the scores' range, up and down."""
    for condition in (case.pair.a, case.pair.b):
        cut = case.settings.cuts.get(condition.key, condition.threshold)
        if condition.kind is not Kind.SCORE or cut is None:
            continue
        scores = case.records.values[condition.key]
        step = (np.nanmax(scores) - np.nanmin(scores)) / 10
        for moved, word in ((cut - step, "lower"), (cut + step, "higher")):
            pair = replace(case.pair, **{_slot(case, condition.key): replace(condition, threshold=float(moved))})
            again = case.ask(replace(case.records, pair=pair))
            words = f"with a {word} cut-off for {condition.label}"
            yield from _all(case, ("other_cuts", words.capitalize()), again, words)


def more_covariates(case: Case) -> Iterator[Challenge]:
    """Adjust for each measured, unchanging column that was not adjusted for yet."""
    roles = case.records.roles
    spare = [name for name in case.records.baseline if name not in (*roles.covariates, roles.weight, roles.cluster)]
    for name in spare[:5]:
        column = case.records.baseline[name]
        if np.nanstd(column) == 0 or not np.isfinite(column).any():
            continue
        added = replace(roles, covariates=(*roles.covariates, name))
        words = f"with {case.records.labels.get(name, name)} adjusted for"
        again = case.ask(replace(case.records, roles=added))
        yield from _all(case, ("more_covariates", words.capitalize()), again, words)


def _slot(case: Case, key: str) -> str:
    return "a" if case.pair.a.key == key else "b"


def _all(case: Case, challenger: tuple[str, str], again: DesignResult, words: str) -> Iterator[Challenge]:
    for answer in headlines(case):
        yield compared(case, challenger, answer, again, words)
