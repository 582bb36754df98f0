"""Try to break every answer, within a time budget, and say what came of each attempt."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np

from bothways.terms.answer import DesignResult
from bothways.terms.progress import Progress, silent
from bothways.terms.records import Records
from bothways.terms.settings import Settings
from bothways.terms.verdict import Challenge
from bothways.verdicts.challenges.base import Case, Challenger
from bothways.verdicts.challenges.errors import measurement_error, missing_for_a_reason
from bothways.verdicts.challenges.links import exchanged, people_shuffled, time_reversed
from bothways.verdicts.challenges.parts import fewer_waves, more_covariates, other_cuts, unusual_people

CHALLENGERS: tuple[Challenger, ...] = (
    Challenger("exchanged", "A and B exchanged", (), exchanged),
    Challenger("time_reversed", "Time reversed", ("panel", "diary"), time_reversed),
    Challenger("unusual_people", "Without unusual people", ("panel", "onset"), unusual_people),
    Challenger("fewer_waves", "Fewer waves", ("panel",), fewer_waves),
    Challenger("other_cuts", "Other cut-offs", ("onset",), other_cuts),
    Challenger("more_covariates", "More covariates", ("panel", "onset"), more_covariates),
    Challenger("measurement_error", "Measurement error", ("panel",), measurement_error),
    Challenger("missing_for_a_reason", "Missing for a reason", ("panel",), missing_for_a_reason),
    Challenger("people_shuffled", "People shuffled", ("panel", "onset"), people_shuffled),
)


def challenge(
    records: Records,
    results: tuple[DesignResult, ...],
    ask: Callable[[str, Records], DesignResult],
    settings: Settings,
    *,
    seconds: float = 10.0,
    progress: Progress = silent,
) -> tuple[Challenge, ...]:
    """Every challenge of every design that answered, in order, until ``seconds`` are spent.

    ``ask(design, records)`` asks one design of altered records; it must be quick and must not challenge in turn.
    What the budget leaves no time for is among the outcomes, as "not run". The random draws depend on
    ``settings.seed`` and on the challenge alone, so that a shorter budget changes no outcome that it reaches.
    """
    done: list[Challenge] = []
    end = time.perf_counter() + seconds
    trials = [(result, c) for result in results if result.answers for c in CHALLENGERS if _fits(c, result)]
    for number, (result, challenger) in enumerate(trials):
        progress(f"challenge: {challenger.title.lower()}", number / len(trials))
        if time.perf_counter() > end:
            done.append(Challenge(challenger.key, challenger.title, "not run", "The time budget was spent before it."))
            continue
        random = np.random.default_rng([settings.seed, CHALLENGERS.index(challenger)])
        case = Case(records, result, settings, partial(ask, result.design), random)
        done.extend(challenger.attempts(case))
    progress("challenge: done", 1.0)
    return tuple(done)


def _fits(challenger: Challenger, result: DesignResult) -> bool:
    return not challenger.designs or result.design in challenger.designs
