"""The question answered in its own form from published estimates: short answer, one way, the other, final word."""

from __future__ import annotations

from dataclasses import dataclass

from bothways.designs.literature.families import Family, families
from bothways.designs.literature.place import Entry, Group, interval, place
from bothways.designs.literature.sentences import Way, one_way, scale_words, way
from bothways.terms.answer import Table
from bothways.terms.question import Direction, Pair
from bothways.terms.settings import Settings
from bothways.terms.topic import Claim, Evidence
from bothways.terms.verdict import Reading

SAYS = {
    Reading.PREDICTS: "{start} comes before and predicts {end}",
    Reading.LITTLE: "{start} has little or no effect on later {end}",
    Reading.UNCERTAIN: "whether {start} comes before {end} is too uncertain to say",
    Reading.NO_DATA: "whether {start} comes before {end} has no confirmed estimate",
}


@dataclass(frozen=True, slots=True)
class Passage:
    """A part of the answer: its heading and its sentences."""

    key: str
    title: str
    sentences: tuple[str, ...]


def in_words(
    evidence: tuple[Evidence, ...], pair: Pair, settings: Settings, claims: tuple[Claim, ...] = ()
) -> tuple[Passage, ...]:
    """Four passages: the short answer, one way, the other way around, and the final word."""
    return tell(*families(place(evidence), settings.level), pair, settings, claims)


def tell(
    made: tuple[Family, ...], entries: tuple[Entry, ...], pair: Pair, settings: Settings, claims: tuple[Claim, ...]
) -> tuple[Passage, ...]:
    """``in_words`` for estimates that were already placed and pooled."""
    ways = [way(d, pair, made, entries, settings) for d in (Direction.A_TO_B, Direction.B_TO_A)]
    unordered = [e for e in entries if e.direction is Direction.JOINT and e.group is Group.FAMILY]
    return (
        Passage("short_answer", "The short answer", _short(ways, unordered)),
        *(
            Passage(d.value, f"Can {w.start.label} lead to {w.end.label}?", one_way(w))
            for d, w in zip((Direction.A_TO_B, Direction.B_TO_A), ways, strict=True)
        ),
        Passage("final_word", "The final word", _final(ways, unordered, claims)),
    )


def as_table(passages: tuple[Passage, ...]) -> Table:
    """The passages as rows, for a report to show."""
    rows = tuple((p.key, p.title, sentence) for p in passages for sentence in p.sentences)
    return Table("in_words", "What the literature says, in words", ("part", "heading", "sentence"), rows)


def _short(ways: list[Way], unordered: list[Entry]) -> tuple[str, ...]:
    said = [f"{SAYS[w.reading].format(start=w.start.label, end=w.end.label)}{_basis(w)}" for w in ways]
    first = f"Where people are compared with one another, {said[0]}, and {said[1]}."
    second = []
    if any(w.inside is Reading.LITTLE for w in ways):
        wider = " (of something wider than the two conditions)" if any(_wider_within(w) for w in ways) else ""
        second.append(f"Within the same person over time the carry-over that was measured{wider} is small.")
    if unordered:
        second.append("Twins do not settle whether the family lies behind both.")
    both = all(w.reading is Reading.PREDICTS for w in ways)
    last = ["So the published answer is both ways, with low certainty at best, and a shared cause is not ruled out."]
    return (first, *second, *(last if both else []))


def _wider_within(w: Way) -> bool:
    """Whether every within-person estimate of a way speaks of something wider than the two conditions."""
    inside = [e for e in w.entries if e.group is Group.WITHIN and e.estimate]
    return bool(inside) and not any(e.direct for e in inside)


def _basis(w: Way) -> str:
    """The kind of number behind a reading, in brackets."""
    return f" ({w.between.kind})" if w.between else ""


def _final(ways: list[Way], unordered: list[Entry], claims: tuple[Claim, ...]) -> tuple[str, ...]:
    told = [_opening(ways), _twins(unordered), _unsettled(ways), *_circumstances(claims), *_corrections(claims)]
    return tuple(s for s in told if s)


def _opening(ways: list[Way]) -> str:
    shown = [w for w in ways if w.reading is Reading.PREDICTS]
    if len(shown) == len(ways):
        return "Each condition is found more often after the other when people are compared; each way passes by itself."
    if not shown:
        return "Neither direction is shown by published estimates."
    one = shown[0]
    return f"From {one.start.label} to {one.end.label} it is shown between people; the other way around it is not."


def _circumstances(claims: tuple[Claim, ...]) -> list[str]:
    return [f"On circumstances (claim {c.number}): {c.correction}" for c in claims if c.kind == "circumstance"]


def _twins(unordered: list[Entry]) -> str:
    pairs = [e for e in unordered if e.evidence.contrast_kind in ("within_pair", "present_or_absent") and e.estimate]
    listed = "; ".join(f"{e.evidence.contrast}: {interval(e)}" for e in pairs)
    if not pairs:
        return ""
    wide = "an interval that holds both no difference and the whole sample's is unresolved, not a null"
    return f"Twins seen at one time, without order ({scale_words(pairs[0].scale)}): {listed}; {wide}."


def _unsettled(ways: list[Way]) -> str:
    if not any(w.between for w in ways):
        return "Published studies leave the question open."
    inside = any(w.inside is Reading.LITTLE for w in ways)
    within = "; the small within-person numbers come from long gaps between waves" if inside else ""
    return f"A cause shared by both is not ruled out, and strengths from different studies are not compared{within}."


def _corrections(claims: tuple[Claim, ...]) -> list[str]:
    return [
        f"The article's claim {c.number} needs correcting: {c.correction}" for c in claims if c.standing == "corrected"
    ]
