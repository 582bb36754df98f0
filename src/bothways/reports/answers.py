"""The sections that answer: the short answer, each way by itself, who was first, the final word."""

from __future__ import annotations

from typing import Any

from bothways.reports import numbers
from bothways.reports.courses import course_table
from bothways.reports.document import Block, Bullets, Card, Cards, Details, Figure, Grid, Paragraph, Section
from bothways.reports.grids import (
    answers_grid,
    assumptions_grid,
    caveats_grid,
    lines_grid,
    named_table,
    table_grid,
)
from bothways.reports.rows import arm_rows
from bothways.reports.vocabulary import DESIGNS
from bothways.reports.wording import capital, ends, label, reading_words

Facts = dict[str, Any]
WAYS = ("a_to_b", "b_to_a")
CLOSING = (
    "Coming before and predicting is what records can show. Whether treating the one would ease the other is another "
    "question, which a trial answers."
)
CLOSING_TRIAL = (
    "Coming before and predicting is what records can show. Whether treating the one eases the other is another "
    "question: what the randomised arm says of it stands under “What did the randomised arm do?”."
)
FIRST_WANTED = "Dated onsets of both conditions, or visits close together, would tell."
FIRST_ALONE = "The dates at which each of the two first began in this person's life would tell."
TELLING = frozenset({"arm_is_no_lever", "shared_people"})
ASKING = frozenset({"time_not_named"})  # findings that ask something back, told with what to answer
DIRECTIONAL = frozenset({"cross_lag", "rate_ratio", "total", "pooled"})


def short_answer(facts: Facts) -> Section:
    """The verdict first, drawn and in words; its numbers one click below."""
    blocks: list[Block] = [*_simulated(facts), Paragraph(facts["verdict"]["short_answer"], "lead")]
    blocks += [glance(facts), cards(facts)]
    blocks += [
        *(Paragraph(text, "note") for text in _few_people(facts)),
        *_notes(facts),
        *course_of_person(facts),
        *_refusals(facts),
    ]
    headline = [a for a in facts["answers"] if a["headline"] and a["facet"] == "strength"]
    if headline:
        note = "The smallest effect was set before any estimate was seen."
        blocks.append(Details("The numbers", (answers_grid("answers", "Headline answers", headline, facts, note),)))
    return Section("short-answer", "The short answer", tuple(blocks), short="Short answer")


def cards(facts: Facts) -> Cards:
    """The two directions side by side."""
    return Cards(tuple(_card(facts, x) for x in WAYS))


def _simulated(facts: Facts) -> list[Block]:
    world = facts["simulated"]
    if world is None:
        return []
    named = "" if world["world"] in world["says"] else f"The world is “{world['world']}”. "
    text = (
        f"These records are simulated: nobody lived them. {named}{world['says']} Its truth stands beside every answer."
    )
    return [Paragraph(text, "note")]


def _few_people(facts: Facts) -> list[str]:
    """That the answer is about these people alone, where every design that speaks found them too few for more."""
    rows = [a for a in facts["answers"] if a["headline"] and a["facet"] == "strength" and a["estimate"]]
    if not rows or any(a["design"] != "diary" or "few_people" not in _codes(a) for a in rows):
        return []
    return [f"All of this speaks of these {rows[0]['estimate']['people']} people, and not of people in general."]


def _codes(answer: Facts) -> set[str]:
    return {caveat["code"] for caveat in answer["caveats"]}


def _notes(facts: Facts) -> list[Block]:
    """What was noticed of the records as a whole and bears on how the answer is read."""
    told = (f["message"] for f in facts["findings"] if f["code"] in TELLING)
    asked = (f"{f['message']} {f['mend']}" for f in facts["findings"] if f["code"] in ASKING)
    return [Paragraph(text.rstrip(".") + ".", "note") for text in (*asked, *told)]


def _card(facts: Facts, way: str) -> Card:
    w = facts["words"]["directions"][way]
    truth = _truth_sentence(facts, way)
    return Card(way, capital(w["way"]), w["word"], w["certainty"], " ".join(x for x in (w["plain"], truth) if x))


def _truth_sentence(facts: Facts, way: str) -> str:
    answer = facts["words"]["answers"].get(facts["words"]["directions"][way]["answer"])
    return f"The truth of this simulated world is {answer['truth']}." if answer and answer["truth"] else ""


def _refusals(facts: Facts) -> list[Block]:
    reasons = (*(refusal_words(r) for r in facts["refusals"]), *_failures(facts))
    if any(a["estimate"] for a in facts["answers"]) or not reasons:
        return []
    blocks: list[Block] = [
        Paragraph("No design could answer from these records, for these reasons:"),
        Bullets(reasons),
    ]
    together = named_table(facts, "associations")
    if together is not None:
        text = "What these records do show is how the two go together, which says nothing of order:"
        blocks += [Paragraph(text), table_grid(together)]
    blocks += [Paragraph(text) for text in _ages_of_onset(facts)]
    blocks.append(Paragraph("More of what they hold stands under “Methods, assumptions and the data's flow”."))
    return blocks


def _failures(facts: Facts) -> tuple[str, ...]:
    """Designs that tried and failed, each reason once: without it "no data" would stand beside the data."""
    failed = [a for a in facts["answers"] if a["status"] == "failed" and a["facet"] == "strength"]
    return tuple(dict.fromkeys(f"{DESIGNS.get(a['design'], a['design'])}: {a['status_says']}" for a in failed))


def _ages_of_onset(facts: Facts) -> list[str]:
    """Remembered ages of onset among the columns without a part: told, since they invite a conclusion."""
    told = []
    for row in (named_table(facts, "other_columns") or {"rows": []})["rows"]:
        name, people, mean, spread = str(row[0]), row[2], row[4], row[5]
        if "onset" in name.lower() and numbers.usable(mean) and numbers.usable(spread):
            told.append(
                f"'{name}' tells an onset in {numbers.count(people)} people: {numbers.number(mean)} on average (SD "
                f"{numbers.number(spread)}). Without the onset of the other condition in the same people it says "
                "nothing of which came first."
            )
    return told


def refusal_words(refusal: Facts) -> str:
    """A design, why it cannot answer, and what would let it."""
    reason = refusal["reason"].rstrip(".")
    return f"{DESIGNS.get(refusal['design'], refusal['design'])}: {reason}. {refusal['mend']}".strip()


def glance(facts: Facts) -> Figure:
    """Two arrows between the two named conditions."""
    w = facts["words"]["directions"]
    said = "; ".join(
        f"{w[x]['way']}: {w[x]['word']}" + (f", {w[x]['estimate']}" if w[x]["estimate"] else "") for x in WAYS
    )
    rows = tuple(
        (capital(w[x]["way"]), w[x]["word"], w[x]["estimate"] or numbers.MISSING, w[x]["certainty"] or numbers.MISSING)
        for x in WAYS
    )
    grid = Grid("glance", "The answer at a glance", ("way", "word", "estimate (interval)", "certainty"), rows)
    return Figure(
        "glance",
        "The answer at a glance",
        f"Two arrows between {label(facts, 'a')} and {label(facts, 'b')}: {said}.",
        grid,
    )


def way(facts: Facts, direction: str) -> Section:
    """One direction by itself."""
    verdict, w = facts["verdict"][direction], facts["words"]["directions"][direction]
    start, end = ends(facts, direction)
    around = " (the other way around)" if direction == "b_to_a" else ""
    rows = [a for a in facts["answers"] if a["direction"] == direction and a["facet"] == "strength" and not a["curve"]]
    blocks: list[Block] = [Paragraph(verdict["sentence"], "lead")]
    if w["plain"]:
        blocks.append(Paragraph(w["plain"]))
    if verdict["word"] == "no_data":
        of = "this person" if facts["one_person"] else "the same people"
        blocks.append(Paragraph(f"Records of {of} over time, with {start} asked about before {end}, would tell."))
    else:
        blocks.append(Paragraph(f"{capital(w['certainty'])}. {w['certainty_means']} {w['needed']}".strip()))
    blocks += _beside(rows, w["answer"], facts)
    blocks += _caveats([a for a in rows if a["headline"] and a["estimate"]], w["answer"], facts)
    if rows:
        blocks.append(_way_details(rows, direction, facts))
    short = f"From {start} to {end}"
    return Section(direction.replace("_", "-"), f"Can {start} lead to {end}?{around}", tuple(blocks), short=short)


def _beside(rows: list[Facts], speaker: str, facts: Facts) -> list[Block]:
    """What the other designs say of the same direction."""
    others = [
        a for a in rows if a["headline"] and a["id"] != speaker and a["estimate"] and a["estimand"] in DIRECTIONAL
    ]
    items = tuple(
        f"{facts['words']['answers'][a['id']]['model']}: {reading_words(a)}, "
        f"{facts['words']['answers'][a['id']]['estimate']}"
        for a in others
    )
    return [Paragraph("Beside it:"), Bullets(items)] if items else []


def _caveats(rows: list[Facts], speaker: str, facts: Facts) -> list[Block]:
    """What to mind of the number above; what only the other designs call for comes after it, with their names."""
    own = [capital(c["text"]).rstrip(".") + "." for a in rows if a["id"] == speaker for c in a["caveats"]]
    rest: dict[str, dict[str, None]] = {}
    for a in rows:
        for c in a["caveats"]:
            text = capital(c["text"]).rstrip(".") + "."
            if text not in own:
                rest.setdefault(text, {})[facts["words"]["answers"][a["id"]]["model"]] = None
    alone = len({a["id"] for a in rows}) < 2
    others = [text if alone else f"{', '.join(models)}: {text}" for text, models in rest.items()]
    texts = tuple(dict.fromkeys([*own, *others]))
    return [Paragraph("Mind this:"), Bullets(texts)] if texts else []


def _way_details(rows: list[Facts], direction: str, facts: Facts) -> Details:
    blocks: list[Block] = [answers_grid(f"answers_{direction}", "Every answer in this direction", rows, facts)]
    if facts["verdict"][direction]["lines"]:
        blocks.append(lines_grid(direction, facts))
    assumed = assumptions_grid(f"assumptions_{direction}", "What it rests on", rows)
    if assumed:
        blocks.append(assumed)
    warned = caveats_grid(f"caveats_{direction}", "What to mind", rows, facts)
    if warned:
        blocks.append(warned)
    return Details("The numbers and what they rest on", tuple(blocks))


def flow_of_states(facts: Facts) -> list[Block]:
    """The moves between neither, one, the other and both, where a design counted them."""
    table = named_table(facts, "state_flow")
    if table is None:
        return []
    alt = "Four states with arrows between them, as wide as the moves are many; the table below counts the moves."
    return [Figure("state_flow", "Moves between the states", alt, table_grid(table))]


def course_of_person(facts: Facts) -> list[Block]:
    """The person's own course, only in a report about one person."""
    table = course_table(facts) if facts["one_person"] else None
    if table is None:
        return []
    alt = (
        "Two lines over time, one for each condition, each in the band in which a model expected the answer where "
        "there is one; the table below holds the values."
    )
    return [Figure("course", "The course over time", alt, table_grid(table))]


def first(facts: Facts) -> Section:
    """Who had it first: beside strength, never in its place."""
    order, words = facts["verdict"]["order"], facts["words"]["order"]
    rows = [a for a in facts["answers"] if a["facet"] == "first"]
    blocks: list[Block] = [Paragraph(order["sentence"], "lead"), *flow_of_states(facts)]
    if words["shares"]:
        blocks.append(Bullets(tuple(capital(s) + "." for s in words["shares"])))
        blocks.append(Details("The numbers", (answers_grid("answers_first", "Who had it first", rows, facts),)))
    else:
        said = dict.fromkeys(a["status_says"] for a in rows if a["status_says"])
        blocks += [Paragraph(text) for text in said]
        blocks.append(Paragraph(FIRST_ALONE if facts["one_person"] else FIRST_WANTED))
    return Section("first", "Which came first?", tuple(blocks), short="Which first?")


def _word_and_certainty(w: Facts) -> str:
    return ", ".join(x for x in (w["word"], w["certainty"]) if x)


def final_word(facts: Facts) -> Section:
    """The whole in a few sentences."""
    verdict, w = facts["verdict"], facts["words"]["directions"]
    items = tuple(f"{capital(w[x]['way'])}: {_word_and_certainty(w[x])}." for x in WAYS)
    blocks: list[Block] = [
        Paragraph(verdict["short_answer"], "lead"),
        Bullets(items),
        Paragraph(verdict["order"]["sentence"]),
    ]
    blocks.append(Paragraph(CLOSING_TRIAL if arm_rows(facts) else CLOSING))
    if facts["one_person"]:
        blocks.append(Paragraph("All of this speaks of one person and of nobody else."))
    blocks += [Paragraph(text) for text in _few_people(facts)]
    return Section("final-word", "The final word", tuple(blocks))
