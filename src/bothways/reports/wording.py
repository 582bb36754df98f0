"""Every rounded string and adjective of a report, decided once from the facts and carried in ``facts["words"]``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from bothways.reports import numbers
from bothways.reports.vocabulary import (
    CERTAINTIES,
    CERTAINTY_MEANS,
    CERTAINTY_MEANS_ALONE,
    DESIGNS,
    DIRECTED,
    MODEL_FORMS,
    MODELS,
    ORDER_WORDS,
    READINGS,
    SCALES,
    VERDICTS,
    WORD_MEANS,
)
from bothways.reports.words_beside import (
    compared_words,
    group_words,
    lane_key,
    lane_words,
    link_words,
    own_words,
    test_words,
)
from bothways.terms.answer import Estimate
from bothways.terms.question import Scale
from bothways.terms.verdict import read_estimate

Facts = dict[str, Any]

PARTS = frozenset({"first_leg", "second_leg", "arm_effect", "indirect", "direct"})
"""Estimands that are steps, and of which "comes before and predicts" would be no sentence."""
RATIO_BOUNDS = (1.05, 1.1, 1.25, 1.5, 2.0)
STEP_BOUNDS = (0.01, 0.02, 0.05, 0.1, 0.2)
"""Smallest effects of interest at which a report shows how its words would change."""


def words_of(facts: Facts) -> Facts:
    """The words of a report: per direction, per answer, per challenge."""
    answers = [*facts["answers"], *facts["literature"]["answers"]]
    told = {a["id"]: answer_words(a, facts) for a in answers}
    return {
        "title": f"{capital(label(facts, 'a'))} and {label(facts, 'b')}: which comes first, and does it run both ways?",
        "directions": {way: _direction_words(facts, way) for way in ("a_to_b", "b_to_a")},
        "order": _order_words(facts),
        "answers": told,
        "pathways": {lane_key(lane): lane_words(lane, facts, told) for lane in facts["loop"]["lanes"]},
        "own": [own_words(row, facts) for row in facts["loop"]["own"]],
        "whom": {t["answer"]: test_words(t, group, facts, told) for group in facts["whom"] for t in group["tests"]},
        "compared": {t["answer"]: compared_words(t, g, facts, told) for g in facts["whom"] for t in g["tests"]},
        "links": {link["id"]: link_words(link) for link in facts["literature"]["links"]},
        "challenges": [challenge_words(c) for c in facts["verdict"]["challenges"]],
        "people": numbers.count(facts["source"]["people"]),
        "rows": numbers.count(facts["source"]["rows"]),
        "level": numbers.percent(facts["settings"]["level"]),
    }


def capital(text: str) -> str:
    """The text with its first letter in upper case."""
    return text[:1].upper() + text[1:]


def label(facts: Facts, end: str) -> str:
    """How people call a condition, inside a sentence."""
    return str(facts["pair"][end]["label"])


def ends(facts: Facts, way: str) -> tuple[str, str]:
    """The two labels of a direction, the earlier first."""
    first, second = ("b", "a") if way == "b_to_a" else ("a", "b")
    return label(facts, first), label(facts, second)


def way_words(facts: Facts, way: str) -> str:
    """A direction, in words."""
    start, end = ends(facts, way)
    return f"{start} and {end} together" if way == "joint" else f"from {start} to {end}"


def _direction_words(facts: Facts, way: str) -> Facts:
    verdict = facts["verdict"][way]
    start, end = ends(facts, way)
    speaker = speaking(facts, way)
    means = CERTAINTY_MEANS_ALONE if facts["one_person"] else CERTAINTY_MEANS
    return {
        "way": way_words(facts, way),
        "question": f"Can {start} lead to {end}?",
        "word": VERDICTS[verdict["word"]],
        "certainty": "" if verdict["word"] == "no_data" else CERTAINTIES[verdict["certainty"]],
        "certainty_means": WORD_MEANS.get(verdict["word"]) or means[verdict["certainty"]],
        "needed": _needed(facts, speaker),
        "estimate": estimate_words(speaker) if speaker else "",
        "plain": plain_size(speaker, facts) if speaker else "",
        "answer": speaker["id"] if speaker else "",
    }


def _needed(facts: Facts, speaker: Facts | None) -> str:
    """How many people, or how long a record, would decide an undecided word; "" where that is not known."""
    keys = ("people_needed", "length_needed")
    found = (c for c in facts["verdict"]["challenges"] if c["key"] in keys and c["value"])
    of_speaker = next((c for c in found if speaker and c["answer"] == speaker["id"]), None)
    if of_speaker is None or speaker is None:
        return ""
    if any(caveat["code"] == "few_people" for caveat in speaker["caveats"]):
        return ""  # an interval that speaks of these people alone does not say how many others it would take
    if of_speaker["key"] == "length_needed":
        shared = any(caveat["code"] == "common_cause" for caveat in speaker["caveats"])
        return _longer(of_speaker["value"]) + UNSEEN_STAYS * shared
    people = numbers.about(of_speaker["value"])
    return f"About {people} people of the same kind would decide it, were the estimate to stay where it is."


UNSEEN_STAYS = " It would not by itself tell an influence from something unseen that moves both."
MANY = 3  # times; above it a whole number says it
LONGEST = 20  # times the present length; beyond it the wait is no advice


def _longer(times: float) -> str:
    if times > LONGEST:
        return f"Not even a record {LONGEST} times as long would decide it, were the estimate to stay where it is."
    length = numbers.about(times) if times > MANY else numbers.number(times, 1)
    return f"A record about {length} times as long would decide it, were the estimate to stay where it is."


def speaking(facts: Facts, way: str) -> Facts | None:
    """The answer from which a direction's word was read: the first line's that decides, else the first line's."""
    lines = facts["verdict"][way]["lines"]
    decided = [x for x in lines if x["reading"] in ("predicts", "little_or_no_effect")]
    by_id = {a["id"]: a for a in facts["answers"]}
    for line in (*decided, *lines):
        found: Facts | None = by_id.get(line["answers"][0])
        if found and found["estimate"]:
            return found
    return None


def _order_words(facts: Facts) -> Facts:
    order = facts["verdict"]["order"]
    return {
        "word": ORDER_WORDS[order["word"]],
        "certainty": CERTAINTIES[order["certainty"]],
        "shares": [_share_words(a, facts) for a in facts["answers"] if _is_share(a)],
    }


def _is_share(answer: Facts) -> bool:
    return answer["estimand"] == "order_share" and bool(answer["estimate"]) and answer["subgroup"] is None


def _share_words(answer: Facts, facts: Facts) -> str:
    first, _ = ends(facts, answer["direction"])
    who = "it was not seen which came first" if answer["direction"] == "joint" else f"{first} came first"
    if answer["expected"] is None:
        return f"{who} in {estimate_words(answer)}"
    expected = numbers.percent(answer["expected"])
    return f"{who} in {estimate_words(answer)}; it would be {expected} if the two were unrelated"


def answer_words(answer: Facts, facts: Facts) -> Facts:
    """One answer for people."""
    estimate = answer["estimate"]
    return {
        "design": DESIGNS.get(answer["design"], answer["design"]),
        "model": model_words(answer),
        "way": way_words(facts, answer["direction"]),
        "estimate": estimate_words(answer),
        "scale": SCALES.get(estimate["scale"], estimate["scale"]) if estimate else "",
        "reading": reading_words(answer),
        "when": numbers.duration(answer["lag_days"] or answer["horizon_days"], answer["lag_waves"]),
        "plain": plain_size(answer, facts),
        "group": group_words(answer, facts),
        "people": numbers.count(estimate["people"]) if estimate and estimate["people"] else "",
        "events": numbers.count(estimate["events"]) if estimate and estimate["events"] is not None else "",
        "p": numbers.p_value(estimate["p"]) if estimate else "",
        "truth": _truth(answer, facts),
    }


def model_words(answer: Facts) -> str:
    """Design and model, as a table names them."""
    design = DESIGNS.get(answer["design"], answer["design"])
    model = model_label(answer["model"])
    named = f"{design} ({model})" if model else design
    return f"{named}, {answer['of']}" if answer["of"] else named


def model_label(key: str) -> str:
    """How a report calls a model; a model that published studies share already stands in words."""
    for mark, words in MODEL_FORMS:
        base, found, _ = key.partition(mark)
        if found:
            return f"{MODELS.get(base, base)}, {words}"
    return MODELS.get(key, key)


def reading_words(answer: Facts) -> str:
    """An answer's reading; a contrast or an interaction "differs", it does not come before anything."""
    reading = answer["reading"]
    if reading is None:
        return ""
    if reading == "predicts" and answer["estimand"] not in DIRECTED | PARTS:
        return "a difference"
    if reading == "little_or_no_effect" and answer["estimand"] not in DIRECTED | PARTS:
        return "little or no difference"
    if answer["estimand"] in PARTS and reading == "predicts":
        return "differs from none"
    less = " (less of it)" if reading == "predicts" and _below_null(answer) else ""
    return READINGS[reading] + less


def _below_null(answer: Facts) -> bool:
    e = answer["estimate"]
    return bool(e["value"] < (1 if e["scale"] in numbers.RATIOS else 0))


def estimate_words(answer: Facts) -> str:
    """The estimate and its interval, rounded."""
    e = answer["estimate"]
    return numbers.interval(e["value"], e["low"], e["high"], e["scale"]) if e else ""


def _truth(answer: Facts, facts: Facts) -> str:
    simulated, e = facts["simulated"], answer["estimate"]
    value = simulated["values"].get(answer["id"]) if simulated and e else None
    return numbers.on_scale(value, e["scale"]) if value is not None else ""


def plain_size(answer: Facts, facts: Facts) -> str:
    """The size of one estimate as a sentence; "" where there is none or it is no step from one to the other."""
    e = answer["estimate"]
    if not e or e["value"] is None or answer["estimand"] not in DIRECTED or answer["direction"] == "joint":
        return ""
    if answer["facet"] == "persistence":  # with recent or lasting, of which these sentences do not know
        return ""
    start, end = ends(facts, answer["direction"])
    value, low, high = numbers.together((abs(e["value"]), e["low"], e["high"]), e["scale"])
    span = f"({e['level'] * 100:.0f}% interval {_reach(e, low, high)})"
    held = answer["design"] == "sustained"  # a condition held at every occasion: neither an onset nor one more SD once
    if e["scale"] in numbers.RATIOS and held:
        what = f"being alive and with {end}" if "alive" in answer["target"] else end
        often = f"{value} times as frequent with {start} at every occasion before as with it at none"
        return f"{capital(what)} was, in the end, {often} {span}."
    if e["scale"] in numbers.RATIOS:
        return f"{capital(_what(answer, end))} {value} times as {_how(e['scale'])} with {start} as without it {span}."
    if e["scale"] == "sd_per_sd":
        amount = f"{value} standard deviations {'more' if e['value'] >= 0 else 'less'}"
        if not value.strip("0."):  # so near to none that "0.00 more" would be all that is left of it
            amount = "neither more nor less"
        every, when = (" at every occasion before", "in the end") if held else ("", _later(answer))
        return f"One standard deviation more {start}{every} went with {amount} {end} {when} {span}."
    return f"{capital(start)} to {end}: {estimate_words(answer)}, in {SCALES.get(e['scale'], e['scale'])}."


def _reach(e: Facts, low: str, high: str) -> str:
    """The limits beside an amount of "more" or "less": with these words where they are not both of more."""
    if e["scale"] in numbers.RATIOS or e["low"] is None or e["high"] is None or min(e["value"], e["low"]) >= 0:
        return f"{low} to {high}"
    least, most = (f"{x.lstrip('−')} {'less' if x.startswith('−') else 'more'}" for x in (low, high))
    return f"{least} to {most}"


def _what(answer: Facts, end: str) -> str:
    """What a ratio multiplies: a rate of onset or of recovery, the odds of having it, or how many have it."""
    if answer["estimand"] == "recovery_ratio":
        return f"recovery from {end} was"
    scale = answer["estimate"]["scale"]
    if scale == "odds_ratio":
        return f"the odds of {end} were"
    return f"{end} at follow-up was" if scale == "prevalence_ratio" else f"the onset of {end} was"


def _how(scale: str) -> str:
    return {"odds_ratio": "high", "prevalence_ratio": "common"}.get(scale, "frequent")


def _later(answer: Facts) -> str:
    when = numbers.duration(answer["lag_days"], answer["lag_waves"])
    return "later" if when == numbers.MISSING else f"{when} later"


def challenge_words(challenge: Facts) -> str:
    """The number of a challenge, for people; "" where it has none."""
    value, low = challenge["value"], challenge["low"]
    if value is None:
        return ""
    if challenge["key"] == "people_needed":
        return f"about {numbers.about(value)}"
    if challenge["key"] == "length_needed":
        return f"about {numbers.number(value)}"
    reach = f" ({numbers.number(low)})" if low is not None and challenge["high"] is None else ""
    if low is not None and challenge["high"] is not None:
        reach = f" ({numbers.number(low)} to {numbers.number(challenge['high'])})"
    return numbers.number(value) + reach


def readings_by_bound(facts: Facts) -> Iterator[tuple[str, str, dict[str, str]]]:
    """How each direction's word moves with the smallest effect of interest: (direction, answer id, {bound: word})."""
    for way in ("a_to_b", "b_to_a"):
        answer = speaking(facts, way)
        if answer and answer["estimate"]["low"] is not None and answer["smallest_effect"]:
            yield way, answer["id"], _readings(answer)


def _readings(answer: Facts) -> dict[str, str]:
    scale = Scale(answer["estimate"]["scale"])
    bounds = RATIO_BOUNDS if scale.is_ratio else STEP_BOUNDS
    e = answer["estimate"]
    estimate = Estimate(e["value"], e["low"], e["high"], math.nan, scale, e["people"])
    return {numbers.number(bound): READINGS[read_estimate(estimate, bound)] for bound in bounds}
