"""Facts -> tables in words: the same rows for the page, Markdown, the terminal, CSV and APA."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bothways.reports import numbers
from bothways.reports.document import Grid
from bothways.reports.vocabulary import (
    DESIGNS,
    ESTIMANDS,
    EVIDENCE_SCALES,
    LINES,
    OUTCOMES,
    READINGS,
    SCALES,
    SCALES_IN_TABLES,
)
from bothways.reports.wording import readings_by_bound, way_words

Facts = dict[str, Any]


def answers_grid(key: str, title: str, answers: Iterable[Facts], facts: Facts, note: str = "") -> Grid:
    """Answers, one row each. A column that says the same of every row, or nothing, gives way to the note."""
    rows = list(answers)
    told = [_answer_cells(a, facts) for a in rows]
    kept = [name for name in ANSWER_COLUMNS if name in KEPT or len({cells[name] for cells in told}) > 1]
    dropped = [f"{name}: {told[0][name]}" for name in ANSWER_COLUMNS if told and name not in kept and told[0][name]]
    notes = [f"All rows, {'; '.join(dropped)}."] if dropped else []
    body = tuple(tuple(cells[name] or numbers.MISSING for name in kept) for cells in told)
    return Grid(key, title, tuple(kept), body, " ".join([*notes, *([note] if note else [])]))


ANSWER_COLUMNS = ("design", "way", "through", "what", "group", "estimate (interval)", "truth", "scale", "lag", "people",
                  "events", "smallest effect", "reads")  # fmt: skip
KEPT = frozenset({"design", "estimate (interval)", "reads"})


def _answer_cells(a: Facts, facts: Facts) -> dict[str, str]:
    w = facts["words"]["answers"][a["id"]]
    scale = a["estimate"]["scale"] if a["estimate"] else ""
    cells = (
        w["model"],
        w["way"],
        _through(a, facts),
        ESTIMANDS.get(a["estimand"], a["estimand"]),
        w["group"],
        w["estimate"] or a["status_says"],
        w["truth"],
        SCALES_IN_TABLES.get(scale, scale),
        "" if w["when"] == numbers.MISSING else w["when"],
        w["people"],
        w["events"],
        numbers.number(a["smallest_effect"]) if a["smallest_effect"] else "",
        w["reading"],
    )
    return dict(zip(ANSWER_COLUMNS, cells, strict=True))


def _through(a: Facts, facts: Facts) -> str:
    """What the pathway of an answer goes through; nothing where it is of no pathway."""
    lanes = (lane["label"] for lane in facts["loop"]["lanes"] if a["id"] in lane["answers"].values())
    return str(next(lanes, (a["pathway"] or "").replace("_", " ")))


def lines_grid(way: str, facts: Facts) -> Grid:
    """The bias lines of one direction, and what each reads."""
    rows = tuple(
        (f"{line['line']}: {LINES[line['line']]}", READINGS[line["reading"]], ", ".join(line["answers"]))
        for line in facts["verdict"][way]["lines"]
    )
    return Grid(f"lines_{way}", f"Lines of evidence {way_words(facts, way)}", ("line", "reads", "answers"), rows)


def bounds_grids(facts: Facts) -> Iterable[Grid]:
    """How each direction's word would change with the smallest effect of interest."""
    for way, _, words in readings_by_bound(facts):
        yield Grid(
            f"bounds_{way}",
            f"If another effect were the smallest that matters, {way_words(facts, way)}",
            ("smallest effect", "reads"),
            tuple(words.items()),
        )


def challenges_grid(facts: Facts) -> Grid:
    """Every challenge, its outcome and its number."""
    rows = tuple(
        (c["title"], OUTCOMES.get(c["outcome"], c["outcome"]), amount, c["says"])
        for c, amount in zip(facts["verdict"]["challenges"], facts["words"]["challenges"], strict=True)
    )
    return Grid("challenges", "Challenges", ("challenge", "outcome", "how much", "what it says"), rows)


def assumptions_grid(key: str, title: str, answers: Iterable[Facts]) -> Grid | None:
    """What the answers rest on, each once, with whether these data checked it."""
    seen: dict[str, tuple[str, str, str]] = {}
    for a in answers:
        for x in a["assumptions"]:
            held = {True: "checked, holds", False: "checked, does not hold"}.get(x["checked"], "data cannot tell")
            seen.setdefault(x["text"], (x["text"], held, x["evidence"]))
    return Grid(key, title, ("assumption", "in these data", "evidence"), tuple(seen.values())) if seen else None


def caveats_grid(key: str, title: str, answers: Iterable[Facts], facts: Facts) -> Grid | None:
    """Reasons to read answers with care, each once, with the models that carry them."""
    carriers: dict[str, dict[str, None]] = {}
    for a in answers:
        for c in a["caveats"]:
            carriers.setdefault(c["text"], {})[facts["words"]["answers"][a["id"]]["model"]] = None
    rows = tuple((", ".join(models), text) for text, models in carriers.items())
    return Grid(key, title, ("model", "mind this"), rows) if rows else None


def smallest_effects_grid(facts: Facts) -> Grid:
    """The smallest effects of interest, set before any estimate is seen."""
    reasons = {s["scale"]: s["reason"] for s in facts["topic"]["smallest_effects"]}
    used = {a["estimate"]["scale"]: a["smallest_effect"] for a in facts["answers"] if a["smallest_effect"]}
    rows = tuple(
        (SCALES.get(scale, scale), numbers.number(value), reasons.get(scale, "project choice, not evidence"))
        for scale, value in used.items()
    )
    return Grid("smallest_effects", "Smallest effects of interest", ("scale", "at least", "reason"), rows)


def curve_rows(facts: Facts) -> list[Facts]:
    """The answers that draw an effect by its lag: those of one scale, the first that has a curve.

    How many have a condition at a time is no effect; those curves stand in the tables alone.
    """
    rows = [
        a
        for a in facts["answers"]
        if a["curve"] and a["estimand"] != "state_probability" and a["estimate"] and a["estimate"]["value"] is not None
    ]
    return [a for a in rows if a["estimate"]["scale"] == rows[0]["estimate"]["scale"]]


def findings_grid(facts: Facts) -> Grid:
    """What was noticed in the table, and how to mend it."""
    rows = tuple(
        (f["level"], f["message"], numbers.count(f["people"]) if f["people"] else "", f["mend"])
        for f in facts["findings"]
    )
    return Grid("findings", "What was noticed in the records", ("level", "what", "people", "how to mend it"), rows)


def table_grid(table: Facts) -> Grid:
    """A table that came with the outcome, its numbers rounded."""
    columns = [str(name) for name in table["columns"]]
    rows = tuple(tuple(_cell(x, name) for x, name in zip(row, columns, strict=True)) for row in table["rows"])
    return Grid(table["key"], table["title"], tuple(table["columns"]), rows, table["note"])


P_COLUMN = re.compile(r"^(naive )?p($|[ ,])")
"""Names of columns that hold p values: "p", "p, by Holm", "p of misfit", "naive p"."""


def _cell(x: object, column: str) -> str:
    """A cell as its column is read: no p value is ever "0"."""
    if P_COLUMN.match(column) and isinstance(x, float) and 0 <= x <= 1:
        return numbers.p_value(x)
    return numbers.cell(x)


def thinned(grid: Grid, most: int = 60, at: str = "") -> Grid:
    """A long table at every k-th row, or at every k-th value of the column ``at``; saved tables hold every row.

    Curves are thinned by their abscissa, so that what stands side by side can be compared.
    """
    step = -(-len(grid.rows) // most)
    if step <= 1:
        return grid
    if at in grid.columns:
        place = grid.columns.index(at)
        kept = set(list(dict.fromkeys(row[place] for row in grid.rows))[::step])
        rows = tuple(row for row in grid.rows if row[place] in kept)
        note = f"{len(rows)} of {len(grid.rows)} rows; the saved table holds them all."
        return replace(grid, rows=rows, note=f"{grid.note} {note}".strip())
    note = f"One row in {step} of {len(grid.rows)} rows; the saved table holds them all."
    return replace(grid, rows=grid.rows[::step], note=f"{grid.note} {note}".strip())


def named_table(facts: Facts, key: str) -> Facts | None:
    """The table of this key, of any design or of the description, if it has rows."""
    tables = (*facts["description"], *facts["tables"])
    return next((t for t in tables if t["key"] == key and t["rows"]), None)


def fit_grids(facts: Facts) -> Iterable[Grid]:
    """For each fit, its indices and its parameters."""
    for i, fit in enumerate(facts["fits"]):
        name = f"{DESIGNS.get(fit['design'], fit['design'])}, {fit['model']}"
        indices = {"log-likelihood": fit["loglik"], **fit["indices"]}
        rows = [(k, numbers.number(v, 3)) for k, v in indices.items() if v is not None]
        yield Grid(f"fit_{i}_indices", f"{name}: fit", ("index", "value"),
                   (("status", fit["says"] or fit["status"]), *rows))  # fmt: skip
        if fit["parameters"]:
            yield Grid(
                f"fit_{i}_parameters",
                f"{name}: parameters",
                ("parameter", "estimate", "standard error", "low", "high", "standardised"),
                tuple(
                    (p["name"], *(numbers.number(p[k], 3) for k in ("value", "se", "low", "high", "standardised")))
                    for p in fit["parameters"]
                ),
            )


def evidence_rows(facts: Facts, way: str) -> list[Facts]:
    """Published estimates of one direction that have a confirmed number; those of back pain itself first."""
    rows = [
        e
        for e in facts["literature"]["evidence"]
        if e["role"] == "effect" and e["direction"] == way and e["estimate"] is not None and e["number_confirmed"]
    ]
    return sorted(rows, key=lambda e: (bool(e["wider"]), e["ci_low"] is None, e["citation"]))


def drawn_evidence(facts: Facts) -> list[tuple[str, Facts]]:
    """(direction, estimate) of the published ratios that have an interval: the first of each study and direction."""
    drawn: dict[tuple[str, str], Facts] = {}
    for way in ("a_to_b", "b_to_a"):
        for e in evidence_rows(facts, way):
            if e["scale"] in EVIDENCE_SCALES and e["ci_low"] is not None and e["ci_high"] is not None:
                drawn.setdefault((way, e["citation"]), e)
    return [(way, e) for (way, _), e in drawn.items()]


def evidence_grid(facts: Facts, way: str) -> Grid:
    """Published estimates of one direction, as they were printed."""
    rows = tuple(_evidence_row(e) for e in evidence_rows(facts, way))
    columns = ("study", "what with what", "estimate (interval)", "scale", "people", "years", "mind")
    return Grid(f"evidence_{way}", f"Published estimates {way_words(facts, way)}", columns, rows,
                "As printed, each on its own scale; not pooled.")  # fmt: skip


def _evidence_row(e: Facts) -> tuple[str, ...]:
    scale = EVIDENCE_SCALES.get(e["scale"] or "", e["scale"] or "")
    estimate = numbers.number(e["estimate"])
    if e["ci_low"] is not None:
        estimate += f" ({numbers.number(e['ci_low'])} to {numbers.number(e['ci_high'])})"
    mind = "wider pain, not back pain itself" if e["wider"] else ""
    years = numbers.number(e["follow_up_years"], 1) if e["follow_up_years"] else ""
    return (
        short_citation(e),
        f"{e['exposure']} → {e['outcome']}",
        estimate,
        SCALES.get(scale, scale),
        numbers.count(e["n"]) if e["n"] else "",
        years,
        mind,
    )


def short_citation(e: Facts) -> str:
    """Author and year."""
    author = e["citation"].split(",")[0].split(".")[0].split(" et al")[0].strip()
    return f"{author.split(' ')[0] if ' ' in author else author} {e['year'] or ''}".strip()
