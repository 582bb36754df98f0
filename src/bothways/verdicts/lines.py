"""From answers to bias lines: which answers are eligible, which one speaks for its line, and what it reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bothways.terms.answer import Answer, Line
from bothways.terms.question import Direction, Facet
from bothways.terms.settings import Settings
from bothways.terms.verdict import Agreement, Reading, Word, read_estimate
from bothways.verdicts.rules import (
    CAVEATS,
    LINES,
    PREFERENCE,
    REQUIREMENTS,
    SUPPORTING,
    VERDICT_TABLE,
    WITHIN_DESIGNS,
    WITHIN_MODELS,
    Bias,
    Tally,
)


@dataclass(frozen=True, slots=True)
class Result:
    """One answer, read.

    ``sign`` is that of an interval that excludes no effect, else 0; ``lacks`` says why the answer is not eligible.
    """

    answer: Answer
    reading: Reading
    sign: int
    lacks: str = ""

    @property
    def decided(self) -> bool:
        """Whether it says something: it predicts, or it reads little or no effect."""
        return self.reading in (Reading.PREDICTS, Reading.LITTLE)

    @property
    def says(self) -> tuple[Reading, int]:
        """What another result would have to say to agree: the word, and the sign where it predicts."""
        return self.reading, self.sign if self.reading is Reading.PREDICTS else 0

    @property
    def name(self) -> str:
        """The design and model, with the source where several are weighed."""
        of = f" of {self.answer.of}" if self.answer.of else ""
        return f"the {self.answer.design} design ({self.answer.model}){of}"

    @property
    def within(self) -> bool:
        """Whether people were compared with themselves and not with each other."""
        return self.answer.design in WITHIN_DESIGNS or self.answer.model in WITHIN_MODELS


@dataclass(frozen=True, slots=True)
class LineReading:
    """A line's word: ``speaker`` gives it, ``others`` stand beside it."""

    line: Line
    speaker: Result
    others: tuple[Result, ...] = ()

    @property
    def inconsistent(self) -> bool:
        """Whether decided results of this line say different things."""
        return len({r.says for r in (self.speaker, *self.others) if r.decided}) > 1


def candidates(answers: Iterable[Answer], direction: Direction) -> list[Answer]:
    """The rows that speak for everyone, one per design, on the strength of one direction."""
    return [
        a
        for a in answers
        if a.headline
        and a.direction is direction
        and a.facet is Facet.STRENGTH
        and a.estimand in SUPPORTING
        and a.subgroup is None
        and a.question.pathway is None
    ]


def read(answer: Answer, settings: Settings) -> Result:
    """Read one answer; one that lacks a requirement reads "no data" and says what it lacks."""
    lacks = next((words for words, met in REQUIREMENTS if not met(answer)), "")
    estimate = answer.estimate
    if lacks or estimate is None:
        return Result(answer, Reading.NO_DATA, 0, lacks)
    stated = answer.question.smallest_effect
    reading = read_estimate(estimate, settings.smallest_effect(estimate.scale) if stated is None else stated)
    if reading is Reading.NO_DATA:
        return Result(answer, reading, 0, "its interval could not be computed")
    low, _, high = estimate.analysis()
    return Result(answer, reading, int(low > 0) - int(high < 0))


def preference(result: Result) -> tuple[int, int, int, str]:
    """The rule fixed beforehand: fewest biasing caveats, then design, then most people, then id."""
    answer = result.answer
    biases = sum(c.code in CAVEATS and not CAVEATS[c.code].of_the_world for c in answer.caveats)
    rank = PREFERENCE.index(answer.design) if answer.design in PREFERENCE else len(PREFERENCE)
    return biases, rank, -(answer.estimate.people if answer.estimate else 0), answer.id


def lines_of(results: Iterable[Result]) -> tuple[LineReading, ...]:
    """Group results by bias line; within each the preferred eligible one speaks."""
    kept = list(results)
    lines: list[LineReading] = []
    for line in LINES:
        members = sorted((r for r in kept if r.answer.line == line), key=lambda r: (bool(r.lacks), preference(r)))
        if members:
            lines.append(LineReading(line, members[0], tuple(members[1:])))
    return tuple(lines)


def tally(lines: Iterable[LineReading]) -> Tally:
    """Count the lines of one direction by what their speakers say."""
    speakers = [line.speaker for line in lines]
    predicting = [s for s in speakers if s.reading is Reading.PREDICTS]
    leans = {LINES[s.answer.line].expected for s in predicting}
    return Tally(
        seen=sum(s.reading is not Reading.NO_DATA for s in speakers),
        little=sum(s.reading is Reading.LITTLE for s in speakers),
        more=sum(s.sign > 0 for s in predicting),
        less=sum(s.sign < 0 for s in predicting),
        opposed=Bias.TOWARDS in leans,
    )


def word_of(lines: Iterable[LineReading]) -> Word:
    """The first row of the verdict table that holds."""
    counted = tally(lines)
    return next(row.word for row in VERDICT_TABLE if row.holds(counted))


def agreement(line: LineReading, direction: Direction) -> Agreement:
    """The line's word in the form that facts carry."""
    ids = tuple(r.answer.id for r in (line.speaker, *line.others))
    return Agreement(line.line, direction, line.speaker.reading, ids, line.speaker.sign)
