"""Try to break every answer, within a time budget, and say what came of each attempt."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator

import numpy as np

from bothways.terms.answer import DesignResult
from bothways.terms.progress import Progress, silent
from bothways.terms.records import Records
from bothways.terms.settings import Settings
from bothways.terms.verdict import Challenge
from bothways.verdicts.challenges.base import NOT_RUN, Ask, Case, Challenger
from bothways.verdicts.challenges.confounding import hidden_cause, negative_control
from bothways.verdicts.challenges.errors import measurement_error, missing_for_a_reason
from bothways.verdicts.challenges.links import exchanged, people_shuffled, time_reversed
from bothways.verdicts.challenges.parts import fewer_waves, more_covariates, other_cuts, unusual_people

CHALLENGERS: tuple[Challenger, ...] = (
    Challenger("robustness_value", "A hidden cause", ("panel", "diary"), hidden_cause),
    Challenger("exchanged", "A and B exchanged", (), exchanged),
    Challenger("negative_control", "A negative control", ("panel", "diary"), negative_control),
    Challenger("time_reversed", "Time reversed", ("panel", "diary"), time_reversed),
    Challenger("unusual_people", "Without unusual people", ("panel", "onset"), unusual_people),
    Challenger("fewer_waves", "Fewer waves", ("panel", "onset"), fewer_waves),
    Challenger("other_cuts", "Other cut-offs", ("onset",), other_cuts),
    Challenger("missing_for_a_reason", "Missing for a reason", ("panel",), missing_for_a_reason),
    Challenger("measurement_error", "Measurement error", ("panel",), measurement_error),
    Challenger("more_covariates", "More covariates", ("panel", "onset"), more_covariates),
    Challenger("people_shuffled", "People shuffled", ("panel", "onset"), people_shuffled),
)
"""Cheapest and most telling first: what a budget leaves no time for stands at the end."""

AskDesign = Callable[[str, Records, Settings], DesignResult]
SPENT = "The time budget was spent before it was done."


class _SpentError(Exception):
    """The budget ended in the middle of a challenge."""


def challenge(
    records: Records,
    results: tuple[DesignResult, ...],
    ask: AskDesign,
    settings: Settings,
    *,
    seconds: float = 10.0,
    progress: Progress = silent,
) -> tuple[Challenge, ...]:
    """Every challenge of every design that answered, in order, until ``seconds`` are spent.

    ``ask(design, records, settings)`` asks one design of altered records; it must be quick and must not challenge in
    turn. Time is looked at before each question, so the budget is passed by one question at most. What it leaves no
    time for is among the outcomes, as "not run". The random draws depend on ``settings.seed`` and on the challenge
    alone, so that a shorter budget changes no outcome that it reaches.
    """
    done: list[Challenge] = []
    end = time.perf_counter() + seconds
    trials = [(result, c) for c in CHALLENGERS for result in results if _fits(c, result)]
    for number, (result, challenger) in enumerate(trials):
        progress(f"challenge: {challenger.title.lower()}", number / len(trials))
        random = np.random.default_rng([settings.seed, zlib.crc32(challenger.key.encode())])
        case = Case(records, result, settings, _within(end, ask, result.design), random)
        done.extend(_attempts(challenger, case))
    progress("challenge: done", 1.0)
    return tuple(done)


def _within(end: float, ask: AskDesign, design: str) -> Ask:
    def asked(records: Records, settings: Settings) -> DesignResult:
        if time.perf_counter() > end:
            raise _SpentError
        return ask(design, records, settings)

    return asked


def _attempts(challenger: Challenger, case: Case) -> Iterator[Challenge]:
    """Outcomes while there is time; then one "not run" in place of what is left."""
    try:
        yield from challenger.attempts(case)
    except _SpentError:
        yield Challenge(challenger.key, challenger.title, NOT_RUN, SPENT)


def _fits(challenger: Challenger, result: DesignResult) -> bool:
    """Whether the challenge is for this design, and the design has a headline to be challenged."""
    named = not challenger.designs or result.design in challenger.designs
    return named and any(a.headline and a.estimate is not None for a in result.answers)
