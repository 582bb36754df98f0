"""Tables of one direction: the ladder of every estimate, what was pooled, and what the pool rests on."""

from __future__ import annotations

import numpy as np

from bothways.designs.literature.families import ENOUGH, Family
from bothways.designs.literature.place import Entry, Group, short_citation
from bothways.engine.pooling_checks import SMALL_STUDY_TEST_FROM, leave_one_out, regress, small_studies, subgroups
from bothways.terms.answer import Cell, Table
from bothways.terms.question import Direction, Pair

LADDER = (
    "study", "id", "compared", "line", "design", "exposure", "outcome", "contrast", "scale", "estimate", "low", "high",
    "converted", "converted, low", "converted, high", "conversion", "people", "years followed", "adjusted for",
    "measured", "number", "standing", "what was reported", "doi",
)  # fmt: skip
POOL = (
    "family", "studies", "estimate", "low", "high", "prediction, low", "prediction, high", "tau squared",
    "tau squared, low", "tau squared, high", "I squared", "Q", "Q, p", "says",
)  # fmt: skip
COVARIATE_FROM = 10  # a regression on a covariate needs about ten studies for each


def ladder(direction: Direction, pair: Pair, entries: tuple[Entry, ...]) -> Table:
    """Every estimate that bears on a direction, one rung each; those without order stand on both ladders."""
    start, end = (c.label for c in direction.ends(pair))
    mine = [e for e in entries if e.direction in (direction, Direction.JOINT)]
    order = {group: place for place, group in enumerate(Group)}
    ranked = sorted(mine, key=lambda e: (order[e.group], not e.direct, e.evidence.estimate is None, e.evidence.id))
    return Table(
        f"ladder_{direction.value}",
        f"From {start} to {end}: every published estimate",
        LADDER,
        tuple(_rung(e) for e in ranked),
        "Numbers as printed. Rungs are never averaged across lines; an odds, a hazard and a prevalence ratio differ.",
    )


def _rung(entry: Entry) -> tuple[Cell, ...]:
    e = entry.evidence
    standard = entry.estimate if entry.converted else None
    moved = (None, None, None) if standard is None else (standard.value, standard.low, standard.high)
    measured = "the two conditions" if entry.direct else "something wider"
    return (
        short_citation(e), e.id, entry.group.value, entry.line, e.design.replace("_", " "), e.exposure, e.outcome,
        e.contrast, (e.scale or "").replace("_", " "), e.estimate, e.ci_low, e.ci_high, *moved, entry.converted,
        e.n, e.follow_up_years, e.adjusted_for or "not known", measured,
        "confirmed" if e.number_confirmed else "not confirmed", entry.shut_out or "may be pooled",
        (e.finding or "").replace("_", " "), e.doi,
    )  # fmt: skip


def pools(direction: Direction, pair: Pair, families: tuple[Family, ...]) -> Table:
    """What was pooled in a direction, and which families are too small."""
    start, end = (c.label for c in direction.ends(pair))
    rows = tuple(_pool_row(f) for f in families if f.direction is direction)
    note = f"Random effects by REML; intervals by Knapp-Hartung, never narrower than without. From {ENOUGH} studies on."
    return Table(f"pools_{direction.value}", f"From {start} to {end}: what could be pooled", POOL, rows, note)


def _pool_row(family: Family) -> tuple[Cell, ...]:
    k, estimate, prediction = len(family.entries), family.estimate(), family.prediction()
    if family.pooled is None or estimate is None or prediction is None:
        ids = ", ".join(e.evidence.id for e in family.entries)
        return (family.label, k, *[None] * 11, f"not pooled: fewer than {ENOUGH} ({ids})")
    spread = family.pooled.heterogeneity
    return (
        family.label, k, estimate.value, estimate.low, estimate.high, *prediction, spread.tau2, spread.tau2_low,
        spread.tau2_high, spread.i2, spread.q, spread.q_p, "pooled",
    )  # fmt: skip


def checks(families: tuple[Family, ...]) -> tuple[Table, ...]:
    """What each pooled number rests on."""
    pooled = [f for f in families if f.pooled is not None]
    made = (_left_out(pooled), _by_subgroup(pooled), _regressions(pooled), _small(pooled))
    return tuple(table for table in made if table.rows)


def _left_out(pooled: list[Family]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for family in pooled:
        results = leave_one_out(*family.arrays(), level=_level(family))
        for entry, without in zip(family.entries, results, strict=True):
            numbers = (family.natural(float(x[0])) for x in (without.beta, without.low, without.high))
            rows.append((family.label, short_citation(entry.evidence), *numbers, without.heterogeneity.i2))
    columns = ("family", "without", "estimate", "low", "high", "I squared")
    return Table("leave_one_out", "The pooled number without each study", columns, tuple(rows))


def _by_subgroup(pooled: list[Family]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for family in pooled:
        for name, values in (
            ("design", [e.evidence.design for e in family.entries]),
            ("outcome", [e.evidence.outcome_kind for e in family.entries]),
        ):
            rows += _groups(family, name, values)
    columns = ("family", "by", "group", "studies", "estimate", "low", "high", "p for a difference")
    note = "One spread between studies for all groups; shown where every group holds two studies or more."
    return Table("subgroups", "The pooled number by kind of study", columns, tuple(rows), note)


def _groups(family: Family, name: str, values: list[str]) -> list[tuple[Cell, ...]]:
    kinds = sorted(set(values))
    counts = [values.count(kind) for kind in kinds]
    if len(kinds) < 2 or min(counts) < 2:
        return []
    found = subgroups(*family.arrays(), np.array([kinds.index(v) for v in values]), level=_level(family))
    ends = zip(found.pooled.beta, found.pooled.low, found.pooled.high, strict=True)
    return [
        (family.label, name, kind.replace("_", " "), count, *(family.natural(float(x)) for x in numbers), found.p)
        for kind, count, numbers in zip(kinds, counts, ends, strict=True)
    ]


def _regressions(pooled: list[Family]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for family in pooled:
        years = [e.evidence.follow_up_years for e in family.entries]
        known = np.array([y is not None for y in years])
        covariate = np.array([y for y in years if y is not None], dtype=float)
        if covariate.size >= COVARIATE_FROM and np.ptp(covariate) > 0:
            y, v = family.arrays()
            line = regress(y[known], v[known], covariate, level=_level(family))
            numbers = (family.natural(float(x[1])) for x in (line.beta, line.low, line.high))
            rows.append((family.label, "years followed", int(covariate.size), *numbers, float(line.p[1])))
    columns = ("family", "covariate", "studies", "per unit", "low", "high", "p")
    return Table("regressions", "Whether the number moves with the time followed", columns, tuple(rows))


def _small(pooled: list[Family]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for family in pooled:
        y, v = family.arrays()
        if y.size >= SMALL_STUDY_TEST_FROM and np.ptp(v) > 0:
            found = small_studies(y, v)
            rows.append((family.label, y.size, found.slope, found.t, found.df, found.p))
    columns = ("family", "studies", "slope on the standard error", "t", "df", "p")
    note = "Egger's test has little power below twenty studies; a large p shows no symmetry."
    return Table("small_studies", "Whether small studies say something else", columns, tuple(rows), note)


def _level(family: Family) -> float:
    return family.pooled.level if family.pooled is not None else 0.95
