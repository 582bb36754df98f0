"""The fixed sentences. Nothing here computes or rounds; a sentence follows from a word, two labels and caveats."""

from __future__ import annotations

from collections.abc import Mapping

from bothways.terms.question import Direction, Pair
from bothways.terms.verdict import Leaning, Word
from bothways.verdicts.lines import LineReading
from bothways.verdicts.rules import CAVEATS, PASSES


def capital(text: str) -> str:
    """The text with its first letter in upper case and the rest untouched."""
    return text[:1].upper() + text[1:]


def clause(word: Word, ends: tuple[str, str], lines: tuple[LineReading, ...], because: tuple[str, ...] = ()) -> str:
    """What one direction's word says of two named conditions, without a capital or a full stop."""
    start, end = ends
    amount = "less" if word in PASSES and sign_of(lines) < 0 else "more"
    return {
        Word.NO_DATA: f"no design could answer whether {start} comes before {end}",
        Word.UNCERTAIN: f"whether {start} comes before and predicts {end} is too uncertain to say",
        Word.LITTLE: f"{start} has little or no effect on later {end}{_leaning(word, lines)}",
        Word.PREDICTS: f"{start} comes before and predicts {amount} {end}",
        Word.SUPPORTED: f"that {start} comes before and predicts {amount} {end} is supported by independent designs",
        Word.DISAGREE: f"designs disagree on whether {start} comes before and predicts {end}"
        + (f", because {'; '.join(because)}" if because else ""),
    }[word]


def sign_of(lines: tuple[LineReading, ...]) -> int:
    """The sign of the first line that has one; 0 where no interval excludes no effect."""
    return next((line.speaker.sign for line in lines if line.speaker.sign), 0)


def _leaning(word: Word, lines: tuple[LineReading, ...]) -> str:
    sign = sign_of(lines) if word is Word.LITTLE else 0
    return {0: "", 1: " (a trace more, too small to matter)", -1: " (a trace less, too small to matter)"}[sign]


def rests_on(word: Word, fragile: tuple[str, ...], lines: int) -> str:
    """How a passing verdict depends on single lines: said in its first sentence."""
    if word not in PASSES or not fragile:
        return ""
    return "on one line of evidence" if lines == 1 else f"which falls without {' or '.join(fragile)}"


def though(word: Word, codes: tuple[str, ...]) -> str:
    """The caveats that could undo a word, joined for its first sentence."""
    clauses = [CAVEATS[code].clause for code in codes if word in CAVEATS[code].words]
    return f", though {'; '.join(clauses)}" if clauses else ""


def sentence(said: str, rests: str, caveat: str) -> str:
    """One direction's sentence: the clause, what it rests on, and what could undo it."""
    resting = f" ({rests})" if rests else ""
    return f"{capital(said)}{resting}{caveat}."


HEADS: Mapping[Leaning, str] = {
    Leaning.BOTH: "Both ways",
    Leaning.A_TO_B: "One way only",
    Leaning.B_TO_A: "One way only",
    Leaning.NEITHER: "Neither way",
    Leaning.CANNOT_TELL: "These data cannot tell",
}
OPEN_ENDS: Mapping[Word, str] = {
    Word.NO_DATA: "no data for the other",
    Word.UNCERTAIN: "the other too uncertain",
    Word.DISAGREE: "designs disagree on the other",
}


def leans_on(fragile_sides: int, passing_sides: int, lines: int) -> str:
    """What the short answer's head says of verdicts that fall with one line: nothing where it holds of one of two."""
    if not fragile_sides or fragile_sides < passing_sides:
        return ""
    return ", on one line of evidence" if lines == 1 else ", resting on single lines of evidence"


def head(leaning: Leaning, words: tuple[Word, Word]) -> str:
    """The first words of the short answer."""
    if leaning is not Leaning.CANNOT_TELL:
        return HEADS[leaning]
    passing, still = (words[0], words[1]) if words[0] in PASSES else (words[1], words[0])
    if passing in PASSES:
        return f"Shown one way, {OPEN_ENDS[still]}"
    if Word.LITTLE in words:
        still = words[1] if words[0] is Word.LITTLE else words[0]
        return f"Little or no effect one way, {OPEN_ENDS[still]}"
    return HEADS[leaning]


def ends_of(direction: Direction, pair: Pair) -> tuple[str, str]:
    """The labels of a direction's two ends, the earlier first."""
    start, end = direction.ends(pair)
    return start.label, end.label


def order_sentence(word: Word, first: str, second: str) -> str:
    """Who had it first: beside strength and never in its place."""
    return {
        Word.NO_DATA: f"These data do not show whether {first} or {second} came first.",
        Word.UNCERTAIN: f"Whether {first} or {second} usually comes first is too uncertain to say.",
        Word.PREDICTS: f"{capital(first)} came first more often than two unrelated conditions would show; "
        "who came first is not who acts more strongly.",
        Word.DISAGREE: f"Sources disagree on whether {first} or {second} usually comes first.",
        Word.LITTLE: f"{capital(first)} and {second} came in the order that two unrelated conditions would show.",
    }[word]


def stronger_sentence(direction: Direction | None, pair: Pair, design: str) -> str:
    """Which way is stronger, only from a difference with an interval on one scale within one design."""
    if direction is None:
        return "Which way is stronger cannot be told."
    start, end = ends_of(direction, pair)
    return f"The way from {start} to {end} is the stronger one, in the {design} design, on one scale."
