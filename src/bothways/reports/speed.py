"""The section "How fast?": peaks, courses by lag, how soon an onset follows, and how many have it by when."""

from __future__ import annotations

import math
from typing import Any

from bothways.reports import numbers
from bothways.reports.aside import occupancy_figure
from bothways.reports.curvetables import curve_figures
from bothways.reports.document import Block, Bullets, Figure, Paragraph, Section
from bothways.reports.grids import answers_grid, curve_rows
from bothways.reports.wording import capital

Facts = dict[str, Any]
WAYS = ("a_to_b", "b_to_a")


def speed(facts: Facts) -> Section:
    """How the effect grows and fades with the time between."""
    peaks = [a for a in facts["answers"] if a["estimand"] == "peak_lag" and a["estimate"] and not a["pathway"]]
    blocks: list[Block] = []
    if peaks:
        blocks.append(Bullets(tuple(_peak_sentence(a, facts) for a in peaks)))
    blocks += [Bullets(told) for told in (_begun_told(facts),) if told]
    if curve_rows(facts):
        blocks += [Bullets(told) for told in (_curves_told(facts),) if told and all(map(_is_joint, peaks))]
        blocks.append(curve_figure(facts))
    if not blocks:
        blocks.append(Paragraph(_one_lag(facts)))
        blocks.append(Paragraph("A diary, or waves at several distances, would show how fast it grows and fades."))
    over_time = curve_figures(facts, "onset_incidence", "onset_states") or occupancy_figure(facts)
    return Section("speed", "How fast?", (*blocks, *over_time))


def _curves_told(facts: Facts) -> tuple[str, ...]:
    """Each way's course in words, at no more than four lags: a reader of plain text sees no figure."""
    told = []
    for way in WAYS:
        names = [a["curve"] for a in curve_rows(facts) if a["direction"] == way]
        rows = [a for a in curve_rows(facts) if names and a["curve"] == names[0]]
        step = max(1, math.ceil(len(rows) / 4))
        words = [facts["words"]["answers"][a["id"]] for a in rows[::step]]
        course = "; ".join(f"{w['estimate']} after {w['when']}" for w in words)
        if course:
            told.append(f"{capital(_way(rows[0], facts))}: {course}.")
    return tuple(told)


def _begun_told(facts: Facts) -> tuple[str, ...]:
    """How many have the second condition by a horizon, with the first present now and with neither."""
    told = []
    for way in WAYS:
        rows = [
            a
            for a in facts["answers"]
            if a["facet"] == "speed"
            and a["estimand"] == "state_probability"
            and a["direction"] == way
            and a["estimate"]
        ]
        words = [(a["contrast"], facts["words"]["answers"][a["id"]]) for a in rows]
        if words:
            shares = "; ".join(f"with {contrast}, {w['estimate']}" for contrast, w in words)
            told.append(f"{capital(rows[0]['target'])} within {words[0][1]['when']}: {shares}.")
    return tuple(told)


def _is_joint(answer: Facts) -> bool:
    return bool(answer["direction"] == "joint")


def _peak_sentence(answer: Facts, facts: Facts) -> str:
    if not _is_joint(answer):
        return f"{capital(_way(answer, facts))}, greatest after {_peak(answer, facts)}."
    return (
        f"Where they are there at all, both ways are greatest after {_peak(answer, facts)}: this model gives both one "
        "and the same lag, so that it does not say which is quicker."
    )


def _peak(answer: Facts, facts: Facts) -> str:
    e = answer["estimate"]
    unit = numbers.duration if e["scale"] == "days" else (lambda x: numbers.duration(None, x))
    return f"{unit(e['value'])} ({unit(e['low'])} to {unit(e['high'])})"


def _way(answer: Facts, facts: Facts) -> str:
    return str(facts["words"]["answers"][answer["id"]]["way"])


def _one_lag(facts: Facts) -> str:
    lags = dict.fromkeys(
        facts["words"]["answers"][a["id"]]["when"] for a in facts["answers"] if a["headline"] and a["estimate"]
    )
    known = [x for x in lags if x != numbers.MISSING]
    if not known:
        return "These data do not show how fast."
    return f"These data look over one span of time only ({' and '.join(known)}), so they do not show how fast."


def curve_figure(facts: Facts) -> Figure:
    """The effect by lag, both directions."""
    rows = curve_rows(facts)
    grid = answers_grid("curve", "The effect by the time between", rows, facts)
    alt = "Curves of the effect against the time between the two conditions, with their intervals, one for each way."
    return Figure("curve", "The effect by the time between", alt, grid)
