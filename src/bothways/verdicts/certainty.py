"""Certainty: starts low, every move is listed, and nothing that was rated down is rated up (after GRADE)."""

from __future__ import annotations

import math
from collections.abc import Iterable

from bothways.terms.verdict import Certainty, Challenge, Word
from bothways.verdicts.because import NOT_YET_KNOWN
from bothways.verdicts.lines import LineReading
from bothways.verdicts.rules import (
    CAVEATS,
    CERTAINTIES,
    LARGE_CHALLENGES,
    LARGE_RATIO,
    PASSES,
    START,
)

STARTS = "starts low, as every answer from observation does"


def rate(
    word: Word,
    lines: tuple[LineReading, ...],
    codes: tuple[str, ...],
    because: tuple[str, ...],
    challenges: Iterable[Challenge],
) -> tuple[Certainty, tuple[str, ...]]:
    """The certainty of one direction's word, and the moves that led to it, in order."""
    if word is Word.NO_DATA:
        return Certainty.VERY_LOW, ("there is no answer to be sure of",)
    downs = [*_biases(word, codes), *_inconsistent(word, lines, because), *_imprecise(word)]
    broken = list(_broken(lines, challenges))
    ups = [] if downs or broken else [*_independent(word), *_large(word, lines, challenges)]
    place = CERTAINTIES.index(START) - len(downs) - len(broken) + len(ups)
    level = CERTAINTIES[min(max(place, 0), len(CERTAINTIES) - 1)]
    return level, (STARTS, *(f"down: {why}" for why in (*downs, *broken)), *(f"up: {why}" for why in ups))


def _biases(word: Word, codes: tuple[str, ...]) -> Iterable[str]:
    return (CAVEATS[code].lowers for code in codes if word in CAVEATS[code].words)


def _inconsistent(word: Word, lines: tuple[LineReading, ...], because: tuple[str, ...]) -> Iterable[str]:
    if any(line.inconsistent for line in lines):
        yield "inconsistency: results of one line of evidence read differently"
    if word is Word.DISAGREE and NOT_YET_KNOWN in because:
        yield "inconsistency: lines of evidence disagree and no reason is known"


def _imprecise(word: Word) -> Iterable[str]:
    if word is Word.UNCERTAIN:
        yield "imprecision: the interval holds both nothing and something that matters"


def _broken(lines: tuple[LineReading, ...], challenges: Iterable[Challenge]) -> Iterable[str]:
    speaking = {line.speaker.answer.id for line in lines}
    for challenge in challenges:
        if challenge.outcome == "broken" and challenge.answer_id in speaking:
            yield f"a challenge broke it: {challenge.title[:1].lower()}{challenge.title[1:]}"


def _independent(word: Word) -> Iterable[str]:
    if word is Word.SUPPORTED:
        yield "lines whose key biases lean against each other agree"


def _large(word: Word, lines: tuple[LineReading, ...], challenges: Iterable[Challenge]) -> Iterable[str]:
    """A ratio whose nearest limit lies beyond 2 *and* that an E-value or a negative control left standing."""
    stood = {c.answer_id for c in challenges if c.key in LARGE_CHALLENGES and c.outcome == "stands"}
    for line in lines:
        estimate = line.speaker.answer.estimate
        if word not in PASSES or estimate is None or not estimate.scale.is_ratio or line.speaker.lacks:
            continue
        low, _, high = estimate.analysis()
        if max(low, -high) > math.log(LARGE_RATIO) and line.speaker.answer.id in stood:
            yield "large effect: the limit nearest to no effect lies beyond two, and the challenge left it standing"
            return
