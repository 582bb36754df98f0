"""One direction in sentences: the number that speaks, single studies, wider ones, within persons, genes, words only.

Numbers stand as their papers print them; our own pooled or converted numbers are written to three figures.
"""

from __future__ import annotations

from dataclasses import dataclass

from bothways.designs.literature.families import ENOUGH, Family
from bothways.designs.literature.place import Entry, Group, interval, short_citation
from bothways.designs.literature.speakers import Speaker, speaker
from bothways.designs.literature.why import span
from bothways.terms.question import Condition, Direction, Pair, Scale
from bothways.terms.settings import Settings
from bothways.terms.topic import Evidence
from bothways.terms.verdict import Reading, read_estimate

PRESENCE = " Being ill at follow-up mixes falling ill with staying ill."
SCALES = {Scale.SD_PER_SD: "standardised coefficient"}


@dataclass(frozen=True, slots=True)
class Way:
    """One direction: its two ends, who speaks between people and within persons, and what that reads."""

    start: Condition
    end: Condition
    between: Speaker | None
    within: Speaker | None
    entries: tuple[Entry, ...]
    families: tuple[Family, ...]
    reading: Reading
    inside: Reading


def way(
    direction: Direction, pair: Pair, made: tuple[Family, ...], entries: tuple[Entry, ...], settings: Settings
) -> Way:
    """Read one direction of estimates that were placed and pooled."""
    start, end = direction.ends(pair)
    between, within = (speaker(direction, g, made, entries) for g in (Group.BETWEEN, Group.WITHIN))
    readings = [_read(s, settings) for s in (between, within)]
    mine = tuple(e for e in entries if e.direction is direction)
    return Way(start, end, between, within, mine, tuple(f for f in made if f.direction is direction), *readings)


def _read(chosen: Speaker | None, settings: Settings) -> Reading:
    estimate = chosen.estimate if chosen else None
    return read_estimate(estimate, settings.smallest_effect(estimate.scale) if estimate else 1.0)


def one_way(way: Way) -> tuple[str, ...]:
    """All that is told of one direction."""
    told = [
        _spoken(way),
        *_pooling(way),
        *_singles(way),
        *_wider_singles(way),
        *_within(way),
        *_trials(way),
        *_genes(way),
        *_in_words_only(way),
    ]
    return tuple(capital(s) for s in told if s)


def _spoken(way: Way) -> str:
    chosen, start, end = way.between, way.start.label, way.end.label
    if chosen is None:
        return f"No confirmed estimate of {start} before {end}, with an interval, was found."
    if isinstance(chosen.source, Family):
        number = chosen.source.estimate()
        assert number is not None
        size = f"{number.value:.3g} ({number.low:.3g} to {number.high:.3g})"
        return f"Pooling {len(chosen.source.entries)} studies gives {_a(chosen.source.scale)} of {size}."
    e = chosen.source.evidence
    how = {"published meta-analysis": "A published meta-analysis", "single study": "One study"}[chosen.kind]
    return (
        f"{how} gives {_a(chosen.source.scale)} of {interval(chosen.source)} for {e.outcome}, {e.contrast} "
        f"({short_citation(e)}); it compares different people, and what they were adjusted for is {_adjusted(e)}."
        f"{PRESENCE if chosen.source.outcome_family == 'presence' else ''}"
    )


def _pooling(way: Way) -> list[str]:
    """Why nothing was pooled here, where nothing was."""
    if any(f.pooled is not None for f in way.families):
        return []
    most = max((len(f.entries) for f in way.families), default=0)
    number = {0: "no single study can", 1: "no two studies can", 2: "no more than two studies can"}.get(most, "too few")
    return [f"Nothing was pooled here: {number} be put on one scale, contrast and outcome, and {ENOUGH} are needed."]


def _singles(way: Way) -> list[str]:
    speaks = way.between.entry if way.between else None
    single = [
        e
        for e in way.entries
        if e.group is Group.BETWEEN and e.direct and e.estimate and e.evidence.design != "meta_analysis"
        and e.evidence.role == "effect" and e.evidence.number_confirmed and e is not speaks
    ]  # fmt: skip
    listed = "; ".join(
        f"{scale_words(e.scale)} {interval(e)} for {e.evidence.outcome}, {e.evidence.contrast} "
        f"({short_citation(e.evidence)})"
        for e in single
    )
    return [f"Single studies, each on its own scale: {listed}."] if single else []


def _wider_singles(way: Way) -> list[str]:
    """Numbers on something wider than the two conditions, in people or in genes; said, and never pooled."""
    wide = [
        e
        for e in way.entries
        if not e.direct and e.estimate and e.group in (Group.BETWEEN, Group.GENES) and e.evidence.role == "effect"
        and e.evidence.number_confirmed and "other" not in (e.evidence.exposure_is, e.evidence.outcome_is)
    ]  # fmt: skip
    listed = "; ".join(
        f"{scale_words(e.scale)} {interval(e)} for {e.evidence.outcome} by {e.evidence.exposure} "
        f"({short_citation(e.evidence)})"
        for e in wide
    )
    return [f"On something wider, not pooled with the rest: {listed}."] if wide else []


def _within(way: Way) -> list[str]:
    inside = [e for e in way.entries if e.group is Group.WITHIN and e.estimate and e.evidence.number_confirmed]
    if not inside:
        return []
    ends = [x for e in inside for x in (e.evidence.standardised_low, e.evidence.standardised_high) if x is not None]
    ends = ends or [e.estimate.value for e in inside if e.estimate]
    wider = (
        ""
        if any(e.direct for e in inside)
        else f", where what was measured is wider than the two conditions, {_wider(inside[0])},"
    )
    names = " and ".join(dict.fromkeys(short_citation(e.evidence) for e in inside))
    return [
        f"Within the same person, a time worse than usual in {way.start.label} was followed by {span(ends)} standard "
        f"deviations more of {way.end.label} at the next wave{_later(inside)}{wider} ({names}): {_small(way)}."
    ]


def _later(inside: list[Entry]) -> str:
    years = [e.evidence.lag_years for e in inside if e.evidence.lag_years is not None]
    return f", about {span(years)} years on" if years else ""


def _small(way: Way) -> str:
    estimate = way.within.estimate if way.within else None
    if way.inside is Reading.LITTLE:
        above = estimate is not None and estimate.low > 0
        return f"{'above zero, yet ' if above else ''}inside the bounds of what is held too small to matter"
    return "an interval beyond zero" if way.inside is Reading.PREDICTS else "too uncertain to say"


def _trials(way: Way) -> list[str]:
    """What moving one condition in randomised trials did to the other."""
    direction = next((e.direction for e in way.entries), Direction.JOINT)
    chosen = speaker(direction, Group.TRIAL, way.families, way.entries)
    number = chosen.estimate if chosen else None
    if chosen is None or number is None:
        return []
    k = len(chosen.source.entries) if isinstance(chosen.source, Family) else 1
    who = f"pooled from {k} trials" if k > 1 else chosen.origin
    size = f"{number.value:.3g} ({number.low:.3g} to {number.high:.3g})"
    return [
        f"Randomised trials that moved {way.start.label} and measured {way.end.label} give {_a(number.scale)} of "
        f"{size} ({who}); what a treatment does beside moving {way.start.label} is in it too."
    ]


def _genes(way: Way) -> list[str]:
    genes = [e for e in way.entries if e.group is Group.GENES and e.direct and e.evidence.number_confirmed]
    numbers = [f"{interval(e)}{'' if e.estimate else ', without an interval'} ({short_citation(e.evidence)})"
               for e in genes if e.evidence.estimate is not None]  # fmt: skip
    unmet = [e for e in way.entries if e.group is Group.GENES and e.evidence.finding == "criteria_not_met"]
    told = []
    if numbers:
        told.append(f"Genetic liability: {'; '.join(numbers)}; the units are not comparable, so this decides nothing.")
    if unmet:
        names = ", ".join(short_citation(e.evidence) for e in unmet)
        told.append(f"Genetic criteria set beforehand were not met ({names}); with few instruments that is no null.")
    return told


def _in_words_only(way: Way) -> list[str]:
    told = []
    for finding, words in (("no_association", "no association"), ("association", "an association")):
        found = [e for e in way.entries if e.evidence.finding == finding]
        if found:
            studies = ", ".join(f"{e.evidence.outcome} in {short_citation(e.evidence)}" for e in found)
            told.append(f"In words only, without a number, studies report {words}: {studies}.")
    return told


def _wider(entry: Entry) -> str:
    e = entry.evidence
    wide = [text for text, slot in ((e.exposure, e.exposure_is), (e.outcome, e.outcome_is)) if slot == "wider"]
    return " and ".join(text.removesuffix(" at the next wave") for text in wide) or "a wider measure"


def _adjusted(e: Evidence) -> str:
    return "not known" if e.adjusted_for is None else f"said to be: {e.adjusted_for}"


def scale_words(scale: Scale | None) -> str:
    """How a sentence names a scale."""
    return "number" if scale is None else SCALES.get(scale, scale.value.replace("_", " "))


def _a(scale: Scale | None) -> str:
    words = scale_words(scale)
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def capital(text: str) -> str:
    """The text with its first letter large."""
    return text[:1].upper() + text[1:]
