"""The section "Who stays ill?": recent and lasting as two states. Onset is not prognosis, and the two never mix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bothways.reports import numbers
from bothways.reports.document import Block, Bullets, Details, Figure, Grid, Paragraph, Section
from bothways.reports.grids import assumptions_grid, table_grid
from bothways.reports.published import without
from bothways.reports.rows import staying_rows
from bothways.reports.wording import capital, ends

Facts = dict[str, Any]
COLUMNS = ("what", "compared", "estimate (interval)", "truth", "events", "reads")
EVENTS = "Events: how often it was seen on the side on which it was seen less often."
APART = (
    "Who falls ill and who stays ill are two questions, told apart here; neither direction's word above counts what "
    "stands here. Of so many comparisons one may differ by chance alone."
)


def staying(facts: Facts) -> Section | None:
    """Persistence as a passage of its own; None where no column tells recent from lasting."""
    rows = [a for a in facts["answers"] if a["facet"] == "persistence"]
    if not rows:
        return None
    if not any(a["estimate"] for a in rows):
        said = dict.fromkeys(capital(a["status_says"]).rstrip(".") + "." for a in rows if a["status_says"])
        return Section("persistence", "Who stays ill?", tuple(Paragraph(text) for text in said), depth=1)
    ratios = [a for a in rows if a["estimand"] != "state_probability"]
    lead = next((a for a in ratios if a["estimand"] == "persistence_ratio"), ratios[0])
    blocks: list[Block] = [Paragraph(_sentence(lead, facts), "lead"), Paragraph(APART, "note")]
    blocks += [Paragraph(text) for text in _shares(rows, facts)]
    blocks.append(Bullets(tuple(_sentence(a, facts) for a in ratios if a is not lead)))
    blocks += [_figure(facts)] if staying_rows(facts) else []
    warned = dict.fromkeys(capital(c["text"]).rstrip(".") + "." for a in rows for c in a["caveats"])
    blocks += [Paragraph("Mind this:"), Bullets(tuple(warned))] if warned else []
    inside: list[Block] = [replace(_grid(rows, facts), key="answers_persistence")]
    assumed = assumptions_grid("assumptions_persistence", "What it rests on", rows)
    inside += [assumed] if assumed else []
    inside += [table_grid(t) for t in facts["tables"] if t["key"] == "onset_stages_episode"]
    blocks.append(Details("The numbers and what they rest on", tuple(inside)))
    return Section("persistence", "Who stays ill?", tuple(blocks))


def _sentence(answer: Facts, facts: Facts) -> str:
    """One ratio in words: what, how much, compared how; or why there is none."""
    if not answer["estimate"]:
        return capital(answer["status_says"]).rstrip(".") + "."
    e, what = answer["estimate"], capital(answer["target"])
    value, low, high = numbers.together((e["value"], e["low"], e["high"]), e["scale"])
    truth = facts["words"]["answers"][answer["id"]]["truth"]
    span = f"{e['level'] * 100:.0f}% interval {low} to {high}" + (f"; truth {truth}" if truth else "")
    verb, often = ("", "often") if answer["estimand"] == "persistence_ratio" else ("was ", "frequent")
    against = _against(answer, facts)
    if answer["reading"] == "predicts":
        return f"{what} {verb}{value} times as {often} {against} ({span})."
    if answer["reading"] == "little_or_no_effect":
        return f"{what} {verb}about as {often} {against}: {value} times ({span})."
    return f"{what}: whether it {verb}as {often} {against} cannot be told ({value} times, {span})."


def _against(answer: Facts, facts: Facts) -> str:
    """Who is compared with whom: with the other condition or without it, or with one stage or another."""
    other, _ = ends(facts, answer["direction"])
    how = str(answer["contrast"]).removesuffix(", at the same moment")
    if " against absent" in how:
        return f"with {other} as without it"
    first, _, second = how.partition(" against ")
    return f"with {first} as with {second}"


def _shares(rows: list[Facts], facts: Facts) -> Iterator[str]:
    """How many new episodes turn lasting within the year, with the other condition and without."""
    told = [a for a in rows if a["estimand"] == "state_probability" and a["estimate"]]
    if len(told) < 2:
        return
    words = facts["words"]["answers"]
    when = words[told[0]["id"]]["when"]
    within = "by the next wave" if when == numbers.MISSING else f"within {when}"
    other, _ = ends(facts, told[0]["direction"])
    first, second = (words[a["id"]]["estimate"] for a in told)
    what = f"{capital(told[0]['target'])} {within}"
    yield f"{what} in {first} with {other} on the day it begins, and in {second} without."


def _figure(facts: Facts) -> Figure:
    alt = (
        "A row for each ratio, by direction: a point for the estimate and a line for its interval; the shaded band "
        "holds ratios too small to matter. The table below holds the numbers."
    )
    note = "Shaded: too small to matter. Upright line: no difference."
    note += " Diamond: the truth." if facts["simulated"] else ""
    return Figure("staying", "Falling ill and staying ill, apart", alt, _grid(staying_rows(facts), facts), note)


def _grid(rows: list[Facts], facts: Facts) -> Grid:
    """Every answer by what begins, turns or ends, and against what; "how often" is a ratio or a share of episodes."""
    words = facts["words"]["answers"]
    told = tuple(
        (
            capital(a["target"]), a["contrast"], words[a["id"]]["estimate"] or a["status_says"],
            words[a["id"]]["truth"] or numbers.MISSING, words[a["id"]]["events"] or numbers.MISSING,
            words[a["id"]]["reading"] or numbers.MISSING,
        )
        for a in rows
    )  # fmt: skip
    made = Grid("persistence", "Recent and lasting, apart", COLUMNS, told, EVENTS)
    return made if facts["simulated"] else without(made, "truth")
