"""The rules of a verdict, as data: every table that decides a word stands here and nowhere else.

Lawlor, Tilling & Davey Smith 2016 (10.1093/ije/dyw314) ask for designs whose key biases are unrelated; the tables
say which designs share a bias, which way it leans, what word follows from which pattern, and what moves certainty.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bothways.terms.answer import Answer, Estimand, Line, Status
from bothways.terms.verdict import Certainty, Leaning, Reading, Word


class Bias(StrEnum):
    """Which way a line's key bias is expected to lean."""

    AWAY = "away from no effect"
    TOWARDS = "towards no effect"
    EITHER = "either way"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class LineRule:
    """A bias line: designs that share one key bias, and therefore count once."""

    name: str
    key_bias: str
    expected: Bias
    would_add: str  # the design to wish for where the line is absent


LINES: Mapping[Line, LineRule] = {
    "A": LineRule(
        "records of the same lives (panel, onset, diary, health records)",
        "unmeasured shared causes, seeking help and being examined",
        Bias.AWAY,
        "records of the same people over time, with both conditions asked about at every time",
    ),
    "B": LineRule(
        "families (twins and siblings compared with each other)",
        "what twins do not share, and error amplified within pairs",
        Bias.TOWARDS,
        "twins or siblings of whom one has the first condition, followed from before either had the second",
    ),
    "C": LineRule(
        "genes (separate instruments for each direction)",
        "genes that act on both conditions by separate routes",
        Bias.EITHER,
        "genetic instruments of each condition apart, with intervals on one stated scale",
    ),
    "D": LineRule(
        "trials that treat one condition and measure the other",
        "a treatment that acts beyond its target, and reports by people who know their arm",
        Bias.AWAY,
        "a randomised trial that treats the first condition and measures the second later",
    ),
    "E": LineRule(
        "ages of onset remembered once",
        "misdated memories, coloured by the mood of the day",
        Bias.UNKNOWN,
        "dated onsets of both conditions",
    ),
}

MINIMUM_EVENTS = 10  # fewer second onsets than this are "no data", whatever the interval

SUPPORTING = frozenset({Estimand.CROSS_LAG, Estimand.RATE_RATIO, Estimand.TOTAL, Estimand.POOLED})
"""Estimands that speak of one direction's strength; all others are shown and never read as a verdict."""


def _has_timing(answer: Answer) -> bool:
    """A lag or a horizon; a rate ratio compares people just before the event and so carries its timing itself."""
    stated = (answer.lag_days, answer.lag_waves, answer.horizon_days, answer.question.horizon)
    return any(x is not None for x in stated) or answer.estimand is Estimand.RATE_RATIO


def _possible(answer: Answer) -> bool:
    """Limits around the estimate, which is a number, and above zero where it is a ratio; a limit may be infinite."""
    e = answer.estimate
    if e is None:
        return True
    return math.isfinite(e.value) and e.low <= e.value <= e.high and (e.value > 0 <= e.low or not e.scale.is_ratio)


REQUIREMENTS: tuple[tuple[str, Callable[[Answer], bool]], ...] = (
    ("it was not answered", lambda a: a.status is Status.ANSWERED and a.estimate is not None),
    ("it does not state its target question", lambda a: bool(a.target)),
    ("it states no time lag", _has_timing),
    ("its interval is none: the limits do not enclose the estimate, or a ratio is not above zero", _possible),
    (
        f"it rests on fewer than {MINIMUM_EVENTS} events",
        lambda a: a.estimate is None or a.estimate.events is None or a.estimate.events >= MINIMUM_EVENTS,
    ),
)
"""What a result must carry to enter a verdict, with the words for one that does not."""


@dataclass(frozen=True, slots=True)
class CaveatRule:
    """What a caveat does to a verdict.

    ``clause`` stands in the first sentence after "though". ``lowers`` is the reason to rate certainty down.
    ``of_the_world`` caveats speak of the people, so any design's finding counts; the others speak of one model.
    ``words`` are those that the caveat could undo: a shared cause can feign an effect, not its absence.
    """

    clause: str
    lowers: str
    of_the_world: bool = False
    words: frozenset[Word] = frozenset({Word.PREDICTS, Word.SUPPORTED, Word.DISAGREE})


_DECIDED = frozenset({Word.PREDICTS, Word.SUPPORTED, Word.DISAGREE, Word.LITTLE})

CAVEATS: Mapping[str, CaveatRule] = {
    "common_cause": CaveatRule(
        "a cause shared by both could look the same", "risk of bias: a shared cause is not ruled out", True
    ),
    "reporting_style": CaveatRule(
        "a shared way of answering the questions could look the same",
        "risk of bias: both conditions were told by the same person at the same time",
        True,
    ),
    "two_waves": CaveatRule(
        "with two waves, lasting differences between people are mixed in",
        "risk of bias: two waves cannot tell change within a person from differences between people",
        words=_DECIDED,
    ),
    "between_and_within_mixed": CaveatRule(
        "lasting differences between people are mixed with change within them",
        "risk of bias: differences between people are mixed with change within them",
        words=_DECIDED,
    ),
    "missed_without_mediators": CaveatRule(
        "a model with what was measured between the two says otherwise",
        "risk of bias: what takes two waves by way of a third is not in these lags, and can shift them",
        words=_DECIDED,
    ),
    "acts_beyond_target": CaveatRule(
        "what was randomised may reach the second condition by another way than through the first",
        "risk of bias: a treatment may act beyond its target",
    ),
    "indirect": CaveatRule(
        "it was measured by something wider than the condition itself",
        "indirectness: a wider or composite measure stands for the condition",
        words=_DECIDED,
    ),
}
"""By caveat code. Other codes are shown with the answer and move nothing."""

PREFERENCE: tuple[str, ...] = ("panel", "diary", "onset", "trial", "sustained", "records", "literature")
"""Which design speaks for a line that has several: within-person contrasts first, since they remove lasting
differences. Before it: fewest biasing caveats. After it: most people, then the answer's id. No estimate is read."""

WITHIN_MODELS = frozenset({"ri-clpm", "dpm", "lcm-sr", "starts", "ct-ri-clpm"})
WITHIN_DESIGNS = frozenset({"diary"})


@dataclass(frozen=True, slots=True)
class Tally:
    """The lines of one direction, counted: how many hold data, and how the decided ones read."""

    seen: int
    little: int
    more: int  # lines that predict more of the other condition
    less: int  # lines that predict less of it
    opposed: bool  # at least one predicting line leans towards no effect, or two lean against each other

    @property
    def decided(self) -> int:
        """Lines that read anything but "too uncertain"."""
        return self.little + self.more + self.less

    @property
    def kinds(self) -> int:
        """How many different things the decided lines say."""
        return sum(count > 0 for count in (self.little, self.more, self.less))


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One row of the verdict table: the first that holds gives the word."""

    word: Word
    says: str
    holds: Callable[[Tally], bool]


VERDICT_TABLE: tuple[VerdictRow, ...] = (
    VerdictRow(Word.NO_DATA, "no line has data", lambda t: t.seen == 0),
    VerdictRow(Word.UNCERTAIN, "no line decides", lambda t: t.decided == 0),
    VerdictRow(Word.DISAGREE, "decided lines differ in word or sign", lambda t: t.kinds > 1),
    VerdictRow(Word.LITTLE, "all decided lines read little or no effect", lambda t: t.little > 0),
    VerdictRow(
        Word.SUPPORTED,
        "two or more lines predict with one sign, and their key biases lean against each other or towards no effect",
        lambda t: t.more + t.less >= 2 and t.opposed,
    ),
    VerdictRow(Word.PREDICTS, "one line predicts, or several that may share a bias", lambda t: t.more + t.less >= 1),
)

PASSES = frozenset({Word.PREDICTS, Word.SUPPORTED})


def standing(word: Word) -> str:
    """How a direction enters the joint verdict: it passes, it reads little or no effect, or it is open."""
    return "passes" if word in PASSES else "little" if word is Word.LITTLE else "open"


LEANINGS: Mapping[tuple[str, str], Leaning] = {
    ("passes", "passes"): Leaning.BOTH,
    ("passes", "little"): Leaning.A_TO_B,
    ("little", "passes"): Leaning.B_TO_A,
    ("little", "little"): Leaning.NEITHER,
    ("passes", "open"): Leaning.CANNOT_TELL,
    ("open", "passes"): Leaning.CANNOT_TELL,
    ("little", "open"): Leaning.CANNOT_TELL,
    ("open", "little"): Leaning.CANNOT_TELL,
    ("open", "open"): Leaning.CANNOT_TELL,
}
"""Both directions at once. "One way only" needs the other direction to reach "little or no effect"."""

CERTAINTIES: tuple[Certainty, ...] = (Certainty.VERY_LOW, Certainty.LOW, Certainty.MODERATE, Certainty.HIGH)
START = Certainty.LOW
LARGE_RATIO = (
    2.0  # the interval limit nearest to no effect must lie beyond this, and a challenge must leave it standing
)
LARGE_CHALLENGES = frozenset({"e_value", "negative_control"})

READING_WORDS: Mapping[Reading, str] = {
    Reading.NO_DATA: "no data",
    Reading.LITTLE: "little or no effect",
    Reading.PREDICTS: "comes before and predicts",
    Reading.UNCERTAIN: "too uncertain",
}
WORD_WORDS: Mapping[Word, str] = {
    Word.NO_DATA: "no data",
    Word.UNCERTAIN: "too uncertain",
    Word.LITTLE: "little or no effect",
    Word.PREDICTS: "comes before and predicts",
    Word.SUPPORTED: "supported by independent designs",
    Word.DISAGREE: "designs disagree",
}
