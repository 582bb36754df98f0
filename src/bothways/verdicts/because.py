"""Why results disagree: a closed list of reasons, each printed only where the two answers themselves show it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

from bothways.terms.question import Direction, Pair
from bothways.verdicts.lines import LineReading, Result
from bothways.verdicts.rules import READING_WORDS

FAR_APART = 3.0  # two lags differ in time scale when one is at least this many times the other


def _lag(result: Result) -> float | None:
    answer = result.answer
    return answer.lag_days if answer.lag_days is not None else answer.horizon_days


def _time_scale(x: Result, y: Result) -> bool:
    one, other = _lag(x), _lag(y)
    return one is not None and other is not None and max(one, other) >= FAR_APART * min(one, other)


def _scale(x: Result, y: Result) -> bool:
    one, other = x.answer.estimate, y.answer.estimate
    return one is not None and other is not None and one.scale is not other.scale


def _one_has(*codes: str) -> Callable[[Result, Result], bool]:
    def holds(x: Result, y: Result) -> bool:
        return any(c.code in codes for r in (x, y) for c in r.answer.caveats)

    return holds


BECAUSE: tuple[tuple[str, Callable[[Result, Result], bool]], ...] = (
    ("one compares people with themselves, the other with each other", lambda x, y: x.within != y.within),
    ("they use different scales", _scale),
    ("they look over different spans of time", _time_scale),
    ("they measure different outcomes, or in people at different risk", _one_has("indirect", "at_risk_set")),
    ("one holds the family constant", lambda x, y: ("B" in (x.answer.line, y.answer.line)) and _lines_differ(x, y)),
    ("being examined for one condition finds the other", _one_has("detection")),
    ("onsets were seen only at visits", _one_has("censoring_at_visits", "same_visit")),
    ("error of measurement shrinks one of them", _one_has("measurement_error")),
    ("one adjusts for steps on the way", _one_has("adjusted_for_mediators")),
)
NOT_YET_KNOWN = "the reason is not yet known"


def _lines_differ(x: Result, y: Result) -> bool:
    return x.answer.line != y.answer.line


def because(x: Result, y: Result) -> tuple[str, ...]:
    """The listed reasons that these two answers show; "not yet known" where none does."""
    return tuple(words for words, holds in BECAUSE if holds(x, y)) or (NOT_YET_KNOWN,)


def why_lines_differ(lines: tuple[LineReading, ...]) -> tuple[str, ...]:
    """Reasons over all pairs of decided lines that say different things, each once and in the list's order."""
    speakers = [line.speaker for line in lines if line.speaker.decided]
    found = {reason for x, y in combinations(speakers, 2) if x.says != y.says for reason in because(x, y)}
    known = tuple(words for words, _ in BECAUSE if words in found)
    return known or ((NOT_YET_KNOWN,) if found else ())


def dissent(lines: tuple[LineReading, ...], direction: Direction, pair: Pair) -> tuple[str, ...]:
    """One sentence for each decided result that says otherwise than its line's speaker, and for lines that differ."""
    start, end = (c.label for c in direction.ends(pair))
    within = [
        (other, line.speaker, ", which speaks for this line of evidence,")
        for line in lines
        for other in line.others
        if other.decided and other.says != line.speaker.says
    ]
    speakers = [line.speaker for line in lines if line.speaker.decided]
    across = [(x, y, "") for x, y in combinations(speakers, 2) if x.says != y.says]
    return tuple(
        f"From {start} to {end}, {x.name} reads “{_reads(x)}” where {y.name}{role} reads “{_reads(y)}”: "
        f"{'; '.join(because(x, y))}."
        for x, y, role in (*within, *across)
    )


def _reads(result: Result) -> str:
    less = ", less of it" if result.sign < 0 and result.decided else ""
    return READING_WORDS[result.reading] + less
