"""The words of pathways, own persistence and groups: decided once from the facts, said with care."""

from __future__ import annotations

import re
from typing import Any

from bothways.reports import numbers
from bothways.reports.vocabulary import DESIGNS, EVIDENCE_SCALES, FINDINGS

Facts = dict[str, Any]
CLEAR = 0.05  # an adjusted p below which a difference between groups stands among the many that were looked at


def lane_key(lane: Facts) -> str:
    """The name of a lane: its way and its mediators."""
    return f"{lane['direction']}.{'+'.join(lane['mediators'])}"


def short_label(lane: Facts) -> str:
    """A lane's mediators where there is little room: three and more are counted."""
    many = len(lane["mediators"])
    return f"all {many} together" if many > 2 else str(lane["label"])


def lane_words(lane: Facts, facts: Facts, answers: Facts) -> Facts:
    """One way through one mediator, for people; ``answers`` are the words of the answers by id."""
    told = {part: answers[name]["estimate"] for part, name in lane["answers"].items()}
    return {
        "word": lane_word(lane, facts),
        "sentence": lane_sentence(lane, facts, answers),
        **{part: told.get(part, "") for part in ("first_leg", "second_leg", "indirect", "direct", "total")},
        "share": told.get("attributable_share", ""),
        "sensitivity": numbers.number(lane["sensitivity"]["value"]) if lane["sensitivity"] else "",
        "design": DESIGNS.get(lane["design"], lane["design"]),
    }


def lane_reading(lane: Facts, facts: Facts) -> str:
    """The reading of what runs through: not_asked, no_data, or that of the indirect effect."""
    if not lane["asked"]:
        return "not_asked"
    answer = answer_of(lane, "indirect", facts)
    return str(answer["reading"] or "no_data") if answer else "no_data"


def lane_word(lane: Facts, facts: Facts) -> str:
    """The reading in a few words for a table."""
    return {
        "not_asked": "not asked",
        "no_data": "no answer",
        "predicts": "seems to run through it",
        "little_or_no_effect": "little or nothing runs through it",
        "too_uncertain": "cannot tell",
    }[lane_reading(lane, facts)]


def lane_sentence(lane: Facts, facts: Facts, answers: Facts) -> str:
    """The reading as a sentence: only an interval that excludes nothing may say "seems to run through"."""
    start, end = _ends(facts, lane["direction"])
    label, reading = short_label(lane), lane_reading(lane, facts)
    if reading == "not_asked":
        return f"Whether any of it runs through {label} was not asked of these records."
    if reading == "no_data":
        why = lane["says"].rstrip(".")
        return f"What runs through {label} could not be computed{f': {why}' if why else ''}."
    told = answers[lane["answers"]["indirect"]]["estimate"] + lane_unit(lane, facts)
    if reading == "predicts":
        against = _against(lane, facts)
        part = f"{'A part that works against the rest' if against else 'Part'} of what goes from {start} to later {end}"
        share = answers[lane["answers"]["attributable_share"]]["estimate"] if _shared(lane, facts) else ""
        return f"{part} seems to run through {label}: {told}{f', {share} of the whole' if share else ''}."
    if reading == "little_or_no_effect":
        trace = lane_trace(lane, facts)
        return f"Little or nothing of what goes from {start} to later {end} runs through {label}: {told}{trace}."
    return f"Whether any of what goes from {start} to later {end} runs through {label}, these data cannot tell: {told}."


def lane_trace(lane: Facts, facts: Facts) -> str:
    """The sign of what is too small to matter, where its interval excludes nothing; "" elsewhere."""
    answer = answer_of(lane, "indirect", facts)
    if not answer or answer["reading"] != "little_or_no_effect":
        return ""
    e, none = answer["estimate"], 1.0 if answer["estimate"]["scale"] in numbers.RATIOS else 0.0
    if e["low"] > none:
        return " (a trace more, too small to matter)"
    return " (a trace less, too small to matter)" if e["high"] < none else ""


def lane_unit(lane: Facts, facts: Facts) -> str:
    """A difference of shares is one of people, and no share of what goes from one to the other."""
    answer = answer_of(lane, "indirect", facts)
    return " of people" if answer and answer["estimate"]["scale"] == "risk_difference" else ""


def _shared(lane: Facts, facts: Facts) -> bool:
    """Whether a share of the whole was given, and means one: what works against the whole is none of it."""
    return "attributable_share" in lane["answers"] and not _against(lane, facts)


def _against(lane: Facts, facts: Facts) -> bool:
    """Whether what runs through has the other sign than the whole, and the whole's sign is known."""
    indirect, total = answer_of(lane, "indirect", facts), answer_of(lane, "total", facts)
    if not indirect or not total or total["reading"] != "predicts":
        return False
    none = 1.0 if total["estimate"]["scale"] in numbers.RATIOS else 0.0
    return bool((indirect["estimate"]["value"] - none) * (total["estimate"]["value"] - none) < 0)


def answer_of(lane: Facts, part: str, facts: Facts) -> Facts | None:
    """The answer to a part of a pathway (its indirect effect, a leg), where there is one."""
    name = lane["answers"].get(part)
    return next((a for a in facts["answers"] if a["id"] == name), None) if name else None


def _ends(facts: Facts, way: str) -> tuple[str, str]:
    first, second = ("b", "a") if way == "b_to_a" else ("a", "b")
    return facts["pair"][first]["label"], facts["pair"][second]["label"]


def own_words(row: Facts, facts: Facts) -> Facts:
    """What a condition keeps of itself: short for a figure, long for a sentence."""
    label = facts["pair"][row["condition"]]["label"]
    values = (row["value"], row["low"], row["high"])
    if row["kind"] == "carry_over":
        short = numbers.interval(*values, "sd_per_sd")
        when = row["span"] or "one wave later"
        long = f"Of more {label} than usual, {short} of it is left {when}, all else alike."
        if row["span"]:
            long += " The intervals differ: this is the last of them, and each stands in the table of lags."
        return {"short": short, "what": f"left {when}", "sentence": long}
    one, low, high = (numbers.duration(x) if row["unit"] == "days" else numbers.duration(None, x) for x in values)
    units = {x.split(" ")[-1].rstrip("s") for x in (one, low, high)}
    limits = [x.rsplit(" ", 1)[0] for x in (low, high)] if len(units) == 1 else [low, high]
    short = f"{one} ({limits[0]} to {limits[1]})"
    if row["kind"] == "half_life":
        long = f"Of more {label} than usual, half is gone after {short}, were the other held still."
        return {"short": short, "what": "half of it gone after", "sentence": long}
    long = f"A stay with {label} alone lasts {short} on average."
    return {"short": short, "what": "a stay lasts", "sentence": long}


def group_words(answer: Facts, facts: Facts) -> str:
    """How people call a level: its numbers rounded, and yes or no where a circumstance of the topic is there or not."""
    name = answer["subgroup"] or (answer["population"] if answer["facet"] == "whom" else "")
    name = re.sub(r"\d+\.\d{3,}", lambda found: numbers.number(float(found.group())), name)
    name = name.replace("_", " ")
    named = {word for c in facts["topic"]["circumstances"] for word in (c["key"], *c["needs"])}
    ends = {": 0": ": no", ": 1": ": yes"}
    return name[:-3] + ends[name[-3:]] if answer["circumstance"] in named and name[-3:] in ends else name


def reference_of(test: Facts, group: Facts, facts: Facts) -> str:
    """The id of the level that a test compares with: the one level of the circumstance that has no test of its own.

    "" where there is none, as for a number's step, which is compared with no group.
    """
    levels = {name: answer_by_id(name, facts)["subgroup"] for name in group["levels"]}
    tested = {answer_by_id(t["answer"], facts)["subgroup"] for t in group["tests"]}
    left = [name for name, level in levels.items() if level not in tested]
    own = answer_by_id(test["answer"], facts)["subgroup"]
    return left[0] if len(left) == 1 and own in levels.values() else ""


def answer_by_id(name: str, facts: Facts) -> Facts:
    """The answer of this id."""
    found: Facts = next(a for a in facts["answers"] if a["id"] == name)
    return found


def compared_words(test: Facts, group: Facts, facts: Facts, answers: Facts) -> str:
    """Who is compared with whom: "women beside men"."""
    reference = reference_of(test, group, facts)
    own = str(answers[test["answer"]]["group"])
    return f"{own} beside {answers[reference]['group']}" if reference else own


def test_words(test: Facts, group: Facts, facts: Facts, answers: Facts) -> str:
    """An interaction as a sentence; the only door by which a word about groups may come."""
    answer, told = answer_by_id(test["answer"], facts), answers[test["answer"]]["estimate"]
    both = " beside ".join(f"“{name}”" for name in compared_words(test, group, facts, answers).split(" beside "))
    what = "ratio of the two" if answer["estimate"]["scale"] in numbers.RATIOS else "difference"
    reading = answer["reading"]
    told = f"({what} {told})"
    if reading == "predicts":
        many = test["p_holm"] is not None and test["p_holm"] >= CLEAR
        doubt = ", though not once all the comparisons of this report are counted" if many else ""
        return f"in {both} it is {_stronger(answer)} {told}{doubt}."
    if reading == "little_or_no_effect":
        return f"in {both} it differs little or not at all {told}."
    return f"whether it differs in {both} cannot be told {told}."


def _stronger(answer: Facts) -> str:
    none = 1.0 if answer["estimate"]["scale"] in numbers.RATIOS else 0.0
    return "stronger" if answer["estimate"]["value"] > none else "weaker, or the other way round"


def link_words(link: Facts) -> str:
    """A published leg of a pathway: who, and what number or word was read."""
    who = f"{_author(link)} {link['year'] or ''}".strip()
    scale = EVIDENCE_SCALES.get(link["scale"] or "", link["scale"] or "").replace("_", " ")
    if link["estimate"] is None:
        return f"{who}: {FINDINGS.get(link['finding'] or '', 'in words only')}"
    reach = ""
    if link["ci_low"] is not None and link["ci_high"] is not None:
        reach = f" ({numbers.number(link['ci_low'])} to {numbers.number(link['ci_high'])})"
    wider = ", wider pain" if link["wider"] else ""
    return f"{who}: {scale} {numbers.number(link['estimate'])}{reach}{wider}"


def _author(link: Facts) -> str:
    """The first author's family name, which may have several words, before the initials."""
    found = re.match(r"(.+?) [A-Z]{1,3}\b", link["citation"])
    return found.group(1) if found else str(link["citation"].split(",")[0])
