"""A plan in words: what a number of people buys, and how many are needed."""

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
    parts.append(_curve(facts))
    if facts["verified"]:
        parts.append(_fill(_verified(facts["verified"])))
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


def _curve(facts: Facts) -> str:
    """People against power, a bar for each row, for the direction with the larger effect."""
    k = int(abs(facts["assumed"]["effects"][1]) > abs(facts["assumed"]["effects"][0]))
    lines = [f"What more people buy, from {WAYS[k]}", "  people   reach ±   power"]
    for row in facts["curve"]:
        bar = "█" * round(BAR * row["power"][k])
        reach = numbers.number(row["half_width"][k], 3)
        lines.append(f"{numbers.count(row['people']):>8}   {reach:>7}   {_percent(row['power'][k]):>5}  {bar}")
    return "\n".join(lines)


def _verified(v: Facts) -> str:
    return (
        f"Verified by simulating and fitting {numbers.count(v['worlds'])} such studies: power "
        f"{_percent(v['power'][0])} from A to B and {_percent(v['power'][1])} from B to A; intervals held the truth in "
        f"{_percent(v['coverage'][0])} and {_percent(v['coverage'][1])}."
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.1 else f"{100 * share:.1f} %"


def _fill(text: str) -> str:
    return textwrap.fill(text, WIDTH, break_long_words=False)
