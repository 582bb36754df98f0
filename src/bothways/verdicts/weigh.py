"""Answers that may disagree -> one verdict per direction, dissent kept. See rules.py for every table that decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bothways.terms.answer import Answer, DesignResult
from bothways.terms.question import Direction, Pair
from bothways.terms.settings import Settings
from bothways.terms.verdict import Challenge, DirectionVerdict, Leaning, Verdict, Word
from bothways.verdicts.because import dissent, why_lines_differ
from bothways.verdicts.certainty import rate
from bothways.verdicts.change import (
    fragile,
    leave_out_challenges,
    missing_design,
    needed_challenge,
    shared_cause_challenge,
    would_change,
)
from bothways.verdicts.lines import LineReading, Result, agreement, candidates, lines_of, preference, read, word_of
from bothways.verdicts.order import order_verdict, stronger
from bothways.verdicts.rules import CAVEATS, LEANINGS, PASSES, standing
from bothways.verdicts.words import clause, ends_of, head, leans_on, rests_on, sentence, stronger_sentence, though


@dataclass(frozen=True, slots=True)
class _Side:
    """Everything that one direction's verdict is made of."""

    direction: Direction
    results: tuple[Result, ...]
    lines: tuple[LineReading, ...]
    word: Word
    codes: tuple[str, ...]  # caveat codes that bear on the word
    because: tuple[str, ...]


def weigh(
    pair: Pair,
    results: tuple[DesignResult, ...],
    settings: Settings,
    challenges: tuple[Challenge, ...] = (),
) -> Verdict:
    """Weigh the answers of all designs into one verdict per direction.

    Each direction is read by itself: answers -> bias lines (designs that share a key bias count once) -> the first
    row of ``VERDICT_TABLE`` that holds. No estimate is pooled with another. Exchanging the two conditions exchanges
    the two verdicts exactly.

    Parameters
    ----------
    results : one ``DesignResult`` per design; only headline answers of facet STRENGTH can support a word.
    challenges : attempts to break an answer; one that broke it rates certainty down.

    Source: Lawlor, Tilling & Davey Smith 2016, 10.1093/ije/dyw314; GRADE for the moves of certainty.
    """
    answers = tuple(a for result in results for a in result.answers)
    sides = tuple(_side(d, answers, settings) for d in (Direction.A_TO_B, Direction.B_TO_A))
    a_to_b, b_to_a = (_direction_verdict(side, pair, challenges) for side in sides)
    leaning = LEANINGS[standing(sides[0].word), standing(sides[1].word)]
    return Verdict(
        pair=pair,
        a_to_b=a_to_b,
        b_to_a=b_to_a,
        order=order_verdict(answers, pair),
        leaning=leaning,
        short_answer=_short_answer(sides, pair, leaning, answers),
        answers=answers,
        challenges=(*challenges, *(c for side in sides for c in _own_challenges(side, pair, settings, challenges))),
        dissent=tuple(s for side in sides for s in dissent(side.lines, side.direction, pair)),
        would_change_it=_would_change(sides, pair),
        caveats=_caveat_texts(sides),
    )


def _side(direction: Direction, answers: tuple[Answer, ...], settings: Settings) -> _Side:
    results = tuple(read(a, settings) for a in candidates(answers, direction))
    lines = lines_of(results)
    word = word_of(lines)
    because = why_lines_differ(lines) if word is Word.DISAGREE else ()
    return _Side(direction, results, lines, word, _codes(results, lines), because)


def _codes(results: Iterable[Result], lines: tuple[LineReading, ...]) -> tuple[str, ...]:
    """Caveat codes in the table's order: of the speakers, and of any result where they speak of the people."""
    spoken = {c.code for line in lines if line.speaker.decided for c in line.speaker.answer.caveats}
    world = {c.code for r in results for c in r.answer.caveats if c.code in CAVEATS and CAVEATS[c.code].of_the_world}
    return tuple(code for code in CAVEATS if code in spoken | world)


def _direction_verdict(side: _Side, pair: Pair, challenges: tuple[Challenge, ...]) -> DirectionVerdict:
    certainty, moves = rate(side.word, side.lines, side.codes, side.because, challenges)
    rests = rests_on(side.word, fragile(side.word, side.results), len(side.lines))
    said = clause(side.word, ends_of(side.direction, pair), side.lines, side.because)
    return DirectionVerdict(
        direction=side.direction,
        word=side.word,
        sentence=sentence(said, rests, though(side.word, side.codes)),
        certainty=certainty,
        moves=moves,
        agreements=tuple(agreement(line, side.direction) for line in side.lines),
        because=side.because,
    )


def _short_answer(sides: tuple[_Side, ...], pair: Pair, leaning: Leaning, answers: tuple[Answer, ...]) -> str:
    """Fixed words, both directions, then the caveats that could undo either: one sentence; then which is stronger."""
    resting = [s for s in sides if fragile(s.word, s.results)]
    passing = sum(s.word in PASSES for s in sides)
    mixed = len(resting) < passing  # one way rests on a line that the other does not need: said of that one alone
    said = [_clause(s, pair, rests=mixed and s in resting) for s in _told_first(sides)]
    codes = tuple(c for c in CAVEATS if any(c in s.codes and s.word in CAVEATS[c].words for s in sides))
    caveat = though(Word.PREDICTS if leaning is not Leaning.NEITHER else Word.LITTLE, codes)
    leans = leans_on(len(resting), passing, max((len(s.lines) for s in resting), default=0))
    first = f"{head(leaning, (sides[0].word, sides[1].word))}{leans}: {', and '.join(said)}{caveat}."
    if leaning is not Leaning.BOTH:
        return first
    direction, design = stronger(answers)
    return f"{first} {stronger_sentence(direction, pair, design)}"


def _clause(side: _Side, pair: Pair, *, rests: bool) -> str:
    """One direction's clause, with what it rests on where the head cannot say that of both."""
    said = clause(side.word, ends_of(side.direction, pair), side.lines, side.because)
    on = rests_on(side.word, fragile(side.word, side.results), len(side.lines)) if rests else ""
    return f"{said} ({on})" if on else said


def _told_first(sides: tuple[_Side, ...]) -> list[_Side]:
    """The direction that says something before the one that does not; else in the order of the pair."""
    rank = {"passes": 0, "little": 1, "open": 2}
    return sorted(sides, key=lambda s: rank[standing(s.word)])


def _own_challenges(side: _Side, pair: Pair, settings: Settings, told: tuple[Challenge, ...]) -> Iterable[Challenge]:
    """What follows from the answers alone; a hidden cause's strength only where the records did not tell it."""
    measured = {c.answer_id for c in told if c.key == "robustness_value"}
    yield from leave_out_challenges(side.word, side.results, side.direction, pair)
    for line in side.lines:
        answer = line.speaker.answer.id
        made = (
            None if answer in measured else shared_cause_challenge(line.speaker, side.direction, pair),
            needed_challenge(line.speaker, side.direction, pair, settings),
        )
        yield from (c for c in made if c is not None)


def _would_change(sides: tuple[_Side, ...], pair: Pair) -> tuple[str, ...]:
    """What would change either way, each clause once: "either way" where it holds for both."""
    ways: dict[str, list[str]] = {}
    for side in sides:
        for what in would_change(side.word, side.lines):
            ways.setdefault(what, []).append("From {} to {}".format(*ends_of(side.direction, pair)))
    own = (f"{named[0] if len(named) == 1 else 'Either way'}: {what}" for what, named in ways.items())
    return (*own, *missing_design(line for side in sides for line in side.lines if side.word is not Word.NO_DATA))


def _caveat_texts(sides: tuple[_Side, ...]) -> tuple[str, ...]:
    """Every caveat of the answers that speak, once each, in a stable order."""
    speakers = (line.speaker for side in sides for line in side.lines)
    spoken = (c.text for r in sorted(speakers, key=preference) for c in r.answer.caveats)
    return tuple(dict.fromkeys(spoken))
