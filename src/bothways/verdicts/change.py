"""What would change a verdict: leave each line and result out, and name the bias, data or design that could move it."""

from __future__ import annotations

import math
from collections.abc import Iterable

from bothways.terms.answer import Estimate
from bothways.terms.question import Direction, Pair, Scale
from bothways.terms.settings import Settings
from bothways.terms.verdict import Challenge, Reading, Word
from bothways.verdicts.lines import LineReading, Result, lines_of, word_of
from bothways.verdicts.rules import LINES, PASSES
from bothways.verdicts.words import ends_of

ALONE = (
    "A line of evidence that leans another way: something that moves one condition alone, begun and ended at times "
    "that were drawn by chance and agreed with whoever treats this person."
)
"""What one person's record could gain; families and other people's lives say nothing of one person."""


def left_out(results: tuple[Result, ...]) -> tuple[tuple[str, Word, tuple[str, ...]], ...]:
    """(what is left out, the word without it, ids left out) for each line and, in lines of several, each result."""
    rows: list[tuple[str, Word, tuple[str, ...]]] = []
    for line in lines_of(results):
        members = tuple(r.answer.id for r in (line.speaker, *line.others))
        rows.append((f"the line of {LINES[line.line].name}", _word_without(results, members), members))
        if line.others:
            rows += [
                (r.name, _word_without(results, (r.answer.id,)), (r.answer.id,))
                for r in results
                if r.answer.id in members
            ]
    return tuple(rows)


def _word_without(results: Iterable[Result], ids: tuple[str, ...]) -> Word:
    return word_of(lines_of(r for r in results if r.answer.id not in ids))


def fragile(word: Word, results: tuple[Result, ...]) -> tuple[str, ...]:
    """The lines without which a passing word no longer passes."""
    if word not in PASSES:
        return ()
    return tuple(what for what, rest, _ in left_out(results) if what.startswith("the line") and rest not in PASSES)


def leave_out_challenges(
    word: Word, results: tuple[Result, ...], direction: Direction, pair: Pair
) -> tuple[Challenge, ...]:
    """Leave one out, as challenges: "stands" where the word is the same, "broken" where a decided word is lost."""
    start, end = ends_of(direction, pair)
    return tuple(
        Challenge(
            key="leave_out",
            title=f"From {start} to {end}, without {what}",
            outcome=_outcome(word, rest),
            says="the word stays" if rest is word else f"the word becomes “{rest.value.replace('_', ' ')}”",
            answer_id=ids[0],
        )
        for what, rest, ids in left_out(results)
    )


def _outcome(word: Word, rest: Word) -> str:
    if rest is word:
        return "stands"
    if word in PASSES and rest in PASSES:
        return "weakened"
    return "weakened" if word in (Word.UNCERTAIN, Word.NO_DATA) else "broken"


def e_value(ratio: float) -> float:
    r"""The E-value of a risk ratio: E = R + sqrt(R (R - 1)), with R the ratio or its inverse, whichever is above 1.

    A shared cause would have to be tied to both conditions by a risk ratio of at least E each to explain R away
    (VanderWeele & Ding 2017, 10.7326/M16-2607). Give other ratios through ``as_risk_ratio``.
    """
    r = max(ratio, 1 / ratio)
    return r + math.sqrt(r * (r - 1))


def as_risk_ratio(ratio: float, scale: Scale) -> float:
    r"""A ratio on the risk scale where the outcome is common, the cautious reading: nearer to 1 than it stands.

    Odds ratio: :math:`\sqrt{OR}`; hazard ratio: :math:`(1-0.5^{\sqrt{HR}})/(1-0.5^{\sqrt{1/HR}})` (VanderWeele & Ding
    2017). Risk, rate and prevalence ratios stand as they are.
    """
    if scale is Scale.ODDS_RATIO:
        return math.sqrt(ratio)
    if scale is Scale.HAZARD_RATIO:
        return float((1 - 0.5 ** math.sqrt(ratio)) / (1 - 0.5 ** math.sqrt(1 / ratio)))
    return ratio


def shared_strength(limit: float) -> float:
    r"""The linear equivalent on a standardised scale: sqrt(|limit|).

    A cause tied to both with a standardised strength s each adds about s squared to a standardised step (the
    omitted-variable formula with both paths equal), so s = sqrt(|limit|) takes the nearest limit to no effect.
    """
    return math.sqrt(abs(limit))


def shared_cause_challenge(result: Result, direction: Direction, pair: Pair) -> Challenge | None:
    """How strong an unmeasured shared cause must be to take the limit nearest to no effect there."""
    estimate = result.answer.estimate
    if result.reading is not Reading.PREDICTS or estimate is None:
        return None
    start, end = ends_of(direction, pair)

    def strength(value: float) -> float:
        scale = estimate.scale
        return e_value(as_risk_ratio(value, scale)) if scale.is_ratio else shared_strength(value)

    near = estimate.low if result.sign > 0 else estimate.high
    if not (near > 0 if estimate.scale.is_ratio else abs(near) <= 1):
        return None
    return Challenge(
        key="e_value" if estimate.scale.is_ratio else "shared_cause",
        title=f"From {start} to {end}, an unmeasured cause of both",
        outcome="for scale",
        says="it would have to be tied to each condition, beyond what was measured, at least this strongly to explain "
        "the estimate away (low: to move the interval to no effect)",
        answer_id=result.answer.id,
        value=strength(estimate.value),
        low=strength(near),
    )


def needed_factor(estimate: Estimate, smallest_effect: float) -> float | None:
    r"""How many times as many people would decide an uncertain interval, were the estimate to stay where it is.

    Half-widths shrink with sqrt(n). With half-width h, distance v from no effect and bound d, the interval excludes
    no effect at n (h/v)^2 and fits inside the bounds at n (h/(d - v))^2; the smaller of the two, where it exists.
    """
    low, value, high = estimate.analysis()
    half, bound = (high - low) / 2, math.log(smallest_effect) if estimate.scale.is_ratio else smallest_effect
    gaps = [gap for gap in (abs(value), abs(bound) - abs(value)) if gap > 0]
    return (half / max(gaps)) ** 2 if gaps and math.isfinite(half) else None


def needed_challenge(result: Result, direction: Direction, pair: Pair, settings: Settings) -> Challenge | None:
    """The people that an undecided result would need."""
    estimate = result.answer.estimate
    if result.reading is not Reading.UNCERTAIN or estimate is None:
        return None
    stated = result.answer.question.smallest_effect
    factor = needed_factor(estimate, settings.smallest_effect(estimate.scale) if stated is None else stated)
    if factor is None:
        return None
    start, end = ends_of(direction, pair)
    if estimate.people == 1:  # one person is not made more people; a diary is made longer
        return Challenge(
            key="length_needed",
            title=f"From {start} to {end}, length of record needed to decide",
            outcome="for scale",
            says="a record this many times as long, answered at the same rate, would decide the word, were the "
            "estimate to stay where it is",
            answer_id=result.answer.id,
            value=factor,
        )
    return Challenge(
        key="people_needed",
        title=f"From {start} to {end}, people needed to decide",
        outcome="for scale",
        says="this many people of the same kind would decide the word, were the estimate to stay where it is",
        answer_id=result.answer.id,
        value=factor * estimate.people,
    )


def would_change(word: Word, lines: tuple[LineReading, ...]) -> tuple[str, ...]:
    """Clauses, without numbers: what would decide an undecided line, and the bias that would cancel a word."""
    clauses = []
    if any(line.speaker.reading is Reading.UNCERTAIN for line in lines):
        more = "a longer record of the same kind" if _of_one(lines) else "more people followed in the same way"
        clauses.append(f"{more} would narrow the interval.")
    if word in PASSES:
        clauses.append("an unmeasured cause of both, strong enough, would take the interval to no effect.")
    return tuple(clauses)


def _of_one(lines: Iterable[LineReading]) -> bool:
    """Whether every line rests on one person's record."""
    estimates = [line.speaker.answer.estimate for line in lines]
    return bool(estimates) and all(estimate is not None and estimate.people == 1 for estimate in estimates)


def missing_design(lines: Iterable[LineReading]) -> tuple[str, ...]:
    """The first line of evidence that neither direction has, as the design to wish for; for one person, ``ALONE``."""
    lines = tuple(lines)
    if _of_one(lines):
        return (ALONE,)
    present = {line.line for line in lines}
    absent = next((rule for key, rule in LINES.items() if key not in present), None)
    kind = "A line of evidence that leans another way" if present else "A line of evidence at all"
    return (f"{kind}: {absent.would_add}.",) if absent else ()
