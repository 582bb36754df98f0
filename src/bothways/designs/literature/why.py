"""Why published studies disagree: a closed list of reasons, each checked against the estimates and shown with them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from bothways.designs.literature.convert import between_extremes, extremes_to_per_sd, odds_to_risk
from bothways.designs.literature.place import Entry, Group, interval, place, short_citation
from bothways.terms.answer import Table
from bothways.terms.question import Direction, Scale
from bothways.terms.topic import Evidence

COLUMNS = ("reason", "what it does", "seen here", "estimates")
MEDIATORS = ("sleep", "activity", "inactivity", "smoking", "alcohol", "health behaviours", "drinking")
Seen = tuple[str, list[Entry]]


def why_studies_disagree(evidence: tuple[Evidence, ...]) -> Table:
    """One row for each reason; "not seen here" where no estimate shows it. Computed numbers are said to be so."""
    entries = place(evidence)
    rows = []
    for reason, does, look in REASONS:
        seen, ids = look(entries, evidence)
        rows.append((reason, does, seen or "not seen here", ", ".join(e.evidence.id for e in ids)))
    note = "A smaller number is not by itself a truer one: error shrinks contrasts within persons and pairs most."
    return Table("why_disagree", "Why studies disagree", COLUMNS, tuple(rows), note)


def span(values: Iterable[float]) -> str:
    """ "1.5" or "1.5 to 3.97", as printed."""
    sorted_values = sorted(values)
    ends = dict.fromkeys(f"{x:g}" for x in (sorted_values[0], sorted_values[-1]))
    return " to ".join(ends)


def _persons(entries: tuple[Entry, ...], _: tuple[Evidence, ...]) -> Seen:
    within = [e for e in entries if e.group is Group.WITHIN and e.estimate is not None]
    between = [e for e in entries if e.group is Group.BETWEEN and e.estimate is not None and _effect(e)]
    if not within or not between:
        return "", []
    ratios = [e.estimate.value for e in between if e.estimate and e.estimate.scale.is_ratio]
    inside = [x for e in within for x in (e.evidence.standardised_low, e.evidence.standardised_high) if x is not None]
    told = f"between people, ratios of {span(ratios)}; " if ratios else ""
    return f"{told}within persons, {span(inside)} standard deviations" if inside else told, [*between, *within]


def _contrast(entries: tuple[Entry, ...], _: tuple[Evidence, ...]) -> Seen:
    extreme = [e for e in entries if e.evidence.contrast_kind == "extreme_groups" and e.estimate]
    if not extreme or extreme[0].estimate is None or "quartile" not in extreme[0].evidence.contrast:
        return "", extreme
    number = extreme[0].estimate
    each = (f"{extremes_to_per_sd(x):.3g}" for x in (number.value, number.low, number.high))
    value, low, high = each
    return (
        f"{number.value:g} compares outer quarters, {between_extremes(0.25):.3g} standard deviations apart in a normal "
        f"score; for one, about {value} ({low} to {high}) if the log ratio is linear (computed here)"
    ), extreme


def _scale(entries: tuple[Entry, ...], evidence: tuple[Evidence, ...]) -> Seen:
    direct = [e for e in entries if _effect(e) and e.scale is not None]
    if len({e.scale for e in direct}) < 2:
        return "", []
    names = ", ".join(sorted({e.scale.value.replace("_", " ") for e in direct if e.scale}))
    pooled = [e for e in direct if e.scale is Scale.ODDS_RATIO and e.evidence.design == "meta_analysis"]
    whole = [r for r in evidence if r.role == "base_rate" and r.outcome_is == "b" and r.exposure_is == "other"]
    if not pooled or not whole or pooled[0].evidence.estimate is None or whole[0].estimate is None:
        return f"in use: {names}", direct
    risk, odds = whole[0].estimate, pooled[0].evidence.estimate
    return (
        f"in use: {names}; at a risk of {risk:.3g} over {whole[0].follow_up_years or 0:g} years, an odds ratio of "
        f"{odds:g} is a risk ratio of about {odds_to_risk(odds, risk):.3g} (computed here)"
    ), direct


def _time(entries: tuple[Entry, ...], _: tuple[Evidence, ...]) -> Seen:
    by_study: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for e in entries:
        if e.evidence.follow_up_years is not None:
            by_study[e.evidence.sample, e.direction].append(e)
    for same in by_study.values():
        years = sorted({e.evidence.follow_up_years or 0 for e in same})
        if len(years) > 1 and any(e.evidence.finding == "no_association" for e in same):
            numbers = span(e.evidence.estimate for e in same if e.evidence.estimate is not None)
            study = short_citation(same[0].evidence)
            return f"{study}: no association at year {years[0]:g}, {numbers} at year {years[-1]:g}", same
    known = [e for e in entries if e.evidence.follow_up_years is not None]
    return (f"follow-up of {span(e.evidence.follow_up_years or 0 for e in known)} years", known) if known else ("", [])


def _outcome(entries: tuple[Entry, ...], _: tuple[Evidence, ...]) -> Seen:
    classed = [e for e in entries if _effect(e) and e.evidence.outcome_kind]
    kinds = dict.fromkeys(e.evidence.outcome_kind.replace("_", " ") for e in classed)
    return ("outcomes: " + ", ".join(kinds), classed) if len(kinds) > 1 else ("", [])


def _family(entries: tuple[Entry, ...], _: tuple[Evidence, ...]) -> Seen:
    twins = [e for e in entries if e.group is Group.FAMILY and e.estimate is not None]
    told = [f"{e.evidence.contrast}: {interval(e)}" for e in twins]
    return "; ".join(told), twins


def _visits(entries: tuple[Entry, ...], _: tuple[Evidence, ...]) -> Seen:
    cohorts = [e for e in entries if e.evidence.design == "cohort" and e.outcome_family == "onset"]
    return (f"{len(cohorts)} estimates of onset from visits", cohorts) if cohorts else ("", [])


def _detection(entries: tuple[Entry, ...], _: tuple[Evidence, ...]) -> Seen:
    registers = [e for e in entries if e.evidence.design == "register" and e.estimate]
    told = f"register diagnoses: {span(e.estimate.value for e in registers if e.estimate)}" if registers else ""
    return told, registers


def _error(entries: tuple[Entry, ...], _: tuple[Evidence, ...]) -> Seen:
    shrunk = [e for e in entries if e.evidence.contrast_kind in ("within_person", "within_pair")]
    return (f"{len(shrunk)} estimates within persons or pairs", shrunk) if shrunk else ("", [])


def _mediators(entries: tuple[Entry, ...], _: tuple[Evidence, ...]) -> Seen:
    adjusted = [e for e in entries if any(m in (e.evidence.adjusted_for or "") for m in MEDIATORS)]
    told = "; ".join(f"{short_citation(e.evidence)}: {e.evidence.adjusted_for}" for e in adjusted)
    return told, adjusted


def _effect(entry: Entry) -> bool:
    """An estimate of one direction between the two conditions themselves."""
    return entry.direct and entry.evidence.role == "effect" and entry.direction is not Direction.JOINT


Look = Callable[[tuple[Entry, ...], tuple[Evidence, ...]], Seen]
REASONS: tuple[tuple[str, str, Look], ...] = (
    (
        "between or within persons",
        "a cohort compares people; a within-person model asks what follows a person's own worse time",
        _persons,
    ),
    (
        "contrast",
        "the top against the bottom of a score, ill against well, and one point more are different distances",
        _contrast,
    ),
    ("scale", "odds, hazard, risk and prevalence ratios part as the outcome grows common", _scale),
    ("time", "a year, ten years and the weeks between two looks see different things", _time),
    (
        "outcome and people at risk",
        "any, troublesome, lasting and disabling forms differ, and getting a condition is not keeping it",
        _outcome,
    ),
    ("family", "genes and a shared home may lie behind both", _family),
    ("onset seen only at visits", "recovery, death and the order between two visits are not seen", _visits),
    ("detection", "being examined for the first finds the second", _detection),
    ("error of measurement", "it shrinks contrasts within persons and pairs more than those between people", _error),
    ("adjusting for steps on the way", "what is left is a direct effect", _mediators),
)
