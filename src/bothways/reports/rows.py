"""Facts -> the rows that a figure draws and its table tells: the one choice behind both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bothways.reports import numbers

Facts = dict[str, Any]
LAG_UNITS = ((2.0, "hours", 1 / 24), (60.0, "days", 1.0), (1100.0, "months", 30.4375))
"""Up to how many days a time is told in which unit, and how many days the unit has."""


def forest_rows(facts: Facts) -> list[Facts]:
    """Headline answers that are read against a smallest effect, those of the literature last."""
    told = {
        a["id"]: a for a in (*facts["answers"], *facts["literature"]["answers"])
    }  # each once, where they are joined
    return [
        a
        for a in told.values()
        if a["headline"]
        and a["estimate"]
        and a["smallest_effect"]
        and a["direction"] != "joint"
        and a["facet"] == "strength"
        and a["subgroup"] is None
    ]


def staying_rows(facts: Facts) -> list[Facts]:
    """Ratios of recent and lasting that have an estimate: a facet of their own, which no other section counts."""
    return [
        a
        for a in facts["answers"]
        if a["facet"] == "persistence" and a["estimate"] and a["estimand"] != "state_probability"
    ]


def whom_blocks(facts: Facts) -> dict[tuple[str, str], list[Facts]]:
    """By circumstance and scale, what each design has of each way: its levels' answers and its tests."""
    by_id = {a["id"]: a for a in facts["answers"]}
    blocks: dict[tuple[str, str], list[Facts]] = {}
    for group in facts["whom"]:
        levels = [by_id[name] for name in group["levels"] if by_id[name]["estimate"]["value"] is not None]
        tests = [{**t, "of": by_id[t["answer"]]} for t in group["tests"]]
        scale = (levels or [t["of"] for t in tests])[0]["estimate"]["scale"] if levels or tests else ""
        row = {**group, "levels": levels, "tests": tests}
        blocks.setdefault((group["label"], scale), []).append(row)
    return blocks


def arm_rows(facts: Facts) -> list[Facts]:
    """Effects of being randomised, on one scale: in standard deviations where a design gives them so, else its own."""
    rows = [
        a
        for a in facts["answers"]
        if a["estimand"] == "arm_effect" and a["estimate"] and a["estimate"]["value"] is not None
    ]
    standard = [a for a in rows if a["estimate"]["scale"] == "sd"]
    return standard or rows


def arm_place(answer: Facts, facts: Facts) -> tuple[str, str]:
    """(what the arm may have moved, when): "back pain at wave 2" is back pain, at wave 2."""
    target = str(answer["target"])
    names = [facts["pair"][end]["label"] for end in ("a", "b")]
    name = next((n for n in names if target.startswith(n)), target)
    when = str(facts["words"]["answers"][answer["id"]]["when"])
    parts = (target[len(name) :].strip(" ,"), "" if when == numbers.MISSING else f"after {when}")
    return name, ", ".join(x for x in parts if x) or "at the end"


def change_rows(facts: Facts) -> list[Facts]:
    """Rows of every design's table of hypothetical changes that can be drawn."""
    tables = (t for t in facts["tables"] if t["key"].endswith("what_if"))
    rows = (dict(zip(t["columns"], row, strict=True)) for t in tables for row in t["rows"])
    return [r for r in rows if numbers.usable(r.get("time")) and numbers.usable(r.get("value"))]


def occupancy_rows(facts: Facts) -> list[Facts]:
    """Shares of people who have the second condition by a horizon, in curves of two points or more."""
    rows = [
        a
        for a in facts["answers"]
        if a["curve"] and a["estimand"] == "state_probability" and a["estimate"] and a["horizon_days"]
    ]
    rows = [a for a in rows if a["estimate"]["value"] is not None]
    return sorted(
        (a for a in rows if sum(b["curve"] == a["curve"] for b in rows) > 1),
        key=lambda a: (a["direction"], [b["curve"] for b in rows].index(a["curve"]), a["horizon_days"]),
    )


def time_unit(times: Sequence[float], facts: Facts) -> tuple[str, float]:
    """The unit that people use for so long a time, and how many days it has; waves stay waves."""
    if facts["time_unit"] == "wave":
        return "waves", 1.0
    longest = max(times)
    return next(((name, size) for limit, name, size in LAG_UNITS if longest <= limit), ("years", 365.25))
