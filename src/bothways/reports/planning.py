"""A plan in words: what a number of people or of days buys, and how many are needed."""

from __future__ import annotations

import textwrap
from typing import Any

from bothways.reports import numbers

Facts = dict[str, Any]
WIDTH, BAR = 80, 20
WAYS = ("A to B", "B to A")


def render_plan(facts: Facts) -> str:
    """The plan of a panel as text of 80 columns; ``facts`` are those of ``study.plan_facts``."""
    assumed, point = facts["assumed"], facts["point"]
    parts = [_fill(_assumed(assumed))]
    parts += [_fill(_way(facts, point, k)) for k in (0, 1)]
    parts += [_fill(_needed(facts, k)) for k in (0, 1) if assumed["effects"][k]]
    parts.append(_curve(facts, "people"))
    if facts["verified"]:
        parts.append(_fill(_verified(facts["verified"], "studies")))
    parts.append(_fill("Computed from the expected information of a random-intercept cross-lagged panel model with "
                       "normal scores; skewed scores and shorter scales cost more people."))  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _assumed(a: Facts) -> str:
    own = a["autoregression"]
    own = own if isinstance(own, float | int) else own[0]
    lost = f", with {_percent(a['dropout'])} leaving before each later wave" if a["dropout"] else ""
    lost += f", with {_percent(a['missing'])} of answers skipped" if a["missing"] else ""
    return (
        f"Assumed: {a['waves']} waves{lost}; {_percent(a['icc'])} of the variance lies between people; within a "
        f"person each condition carries over {numbers.number(own)} from wave to wave, and at one wave the two go "
        f"together at {numbers.number(a['correlation'])}. True lags: {numbers.number(a['effects'][0])} from A to B, "
        f"{numbers.number(a['effects'][1])} from B to A (standard deviations per standard deviation)."
    )


def _way(facts: Facts, point: Facts, k: int) -> str:
    effect, people = facts["assumed"]["effects"][k], numbers.count(point["people"])
    reach = numbers.number(point["half_width"][k], 3)
    if not effect:
        return (
            f"From {WAYS[k]}, where nothing is assumed: with {people} people the interval reaches {reach} either way, "
            f"and {_percent(point['predicts'][k])} of such studies would read “comes before and predicts” by chance."
        )
    return (
        f"From {WAYS[k]}: with {people} people the interval reaches {reach} either way; "
        f"{_percent(point['power'][k])} of such studies would find the lag, and {_percent(point['predicts'][k])} would "
        f"read “comes before and predicts” against a smallest effect of {numbers.number(facts['smallest_effect'])}."
    )


def _needed(facts: Facts, k: int) -> str:
    needed = facts["needed"][k]
    return f"For {_percent(facts['target'])} power from {WAYS[k]}: {numbers.count(needed)} people."


def _curve(facts: Facts, of: str) -> str:
    """People (or days) against power, a bar for each row, for the direction with the larger effect."""
    k = int(abs(facts["assumed"]["effects"][1]) > abs(facts["assumed"]["effects"][0]))
    lines = [f"What more {of} buy, from {WAYS[k]}", f"{of:>8}   reach ±   power"]
    for row in facts["curve"]:
        bar = "█" * round(BAR * row["power"][k])
        reach = numbers.number(row["half_width"][k], 3)
        lines.append(f"{numbers.count(row[of]):>8}   {reach:>7}   {_percent(row['power'][k]):>5}  {bar}")
    return "\n".join(lines)


def _verified(v: Facts, of: str) -> str:
    failed = f"; {numbers.count(v['failed'])} could not be fitted" if v["failed"] else ""
    return (
        f"Verified by simulating and fitting {numbers.count(v['worlds'])} such {of}: power "
        f"{_percent(v['power'][0])} from A to B and {_percent(v['power'][1])} from B to A; intervals held the truth in "
        f"{_percent(v['coverage'][0])} and {_percent(v['coverage'][1])}{failed}."
    )


def render_diary_plan(facts: Facts) -> str:
    """The plan of a diary as text of 80 columns; ``facts`` are those of ``study.plan_facts``."""
    assumed, of = facts["assumed"], "days" if facts["assumed"]["people"] == 1 else "people"
    parts = [_fill(_diary_assumed(facts))]
    parts += [_fill(_diary_way(facts, k)) for k in (0, 1)]
    parts += [_fill(_diary_needed(facts, k, of)) for k in (0, 1) if assumed["effects"][k]]
    parts.append(_curve(facts, of))
    if facts["verified"]:
        parts.append(_fill(_verified(facts["verified"], "diaries")))
    parts.append(_fill("Computed from the expected information of a first-order process in continuous time with normal "
                       "answers. Answers at the end of their scale and rare swings cost more, and what is found in one "
                       "person holds for that person." if of == "days" else
                       "Computed from the expected information of a first-order process in continuous time with normal "
                       "answers and one pull of A on B for all. Answers at the end of their scale, and people who "
                       "differ, cost more."))  # fmt: skip
    return "\n\n".join(parts) + "\n"


def _diary_assumed(facts: Facts) -> str:
    a, later = facts["assumed"], numbers.duration(facts["lag_hours"] / 24)
    who = "one person" if a["people"] == 1 else f"{numbers.count(a['people'])} people"
    prompts = numbers.counted(a["prompts"], "prompt") + " a day"
    night = f", none in {numbers.cell(a['night'])} hours of night" if a["night"] else ""
    return (
        f"Assumed: {who}, {numbers.counted(a['days'], 'day')}, {prompts}{night}, {_percent(a['missing'])} of them "
        f"unanswered; {_percent(a['error'])} of what varies within a person is chance in answering; of the rest "
        f"{numbers.number(a['carry_over'])} carries over to {later} later, and at one moment the two go together at "
        f"{numbers.number(a['correlation'])}. True effects {later} later: {numbers.number(a['effects'][0])} from A to "
        f"B, {numbers.number(a['effects'][1])} from B to A (standard deviations per standard deviation)."
    )


def _diary_way(facts: Facts, k: int) -> str:
    point, effect = facts["point"], facts["assumed"]["effects"][k]
    reach, answers = numbers.number(point["half_width"][k], 3), numbers.about(point["answers"])
    if not effect:
        return (
            f"From {WAYS[k]}, where nothing is assumed: with about {answers} answers the interval reaches {reach} "
            f"either way, and {_percent(point['predicts'][k])} of such diaries would read “comes before and predicts” "
            "by chance."
        )
    return (
        f"From {WAYS[k]}: with about {answers} answers the interval reaches {reach} either way; "
        f"{_percent(point['power'][k])} of such diaries would find the effect, and {_percent(point['predicts'][k])} "
        "would read “comes before and predicts” against a smallest effect of "
        f"{numbers.number(facts['smallest_effect'])}."
    )


def _diary_needed(facts: Facts, k: int, of: str) -> str:
    a = facts["assumed"]
    each = (
        f" of {numbers.counted(a['prompts'], 'prompt')}"
        if of == "days"
        else f" over {numbers.counted(a['days'], 'day')}"
    )
    return f"For {_percent(facts['target'])} power from {WAYS[k]}: {numbers.count(facts['needed'][k])} {of}{each}."


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"


def _fill(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False)
