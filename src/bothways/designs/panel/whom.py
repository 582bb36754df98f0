"""In whom: every circumstance that was named or offered, by groups of people or by products, all tests together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from jaxtyping import Float
from scipy.special import ndtr, ndtri

from bothways.designs.panel.group_fits import LEAST_IN_GROUP
from bothways.designs.panel.groups import compare_groups
from bothways.designs.panel.moderation import LEAST_WAVES, moderated
from bothways.designs.panel.room import DIRECTIONS, Room, lag_days, lag_waves, question_of
from bothways.designs.panel.setup import wide
from bothways.designs.sampling import person_column
from bothways.designs.splits import ANYONE, KNOTS, Split, asked, many_valued, spline, split_of
from bothways.designs.together import Compared, arrow, shrunk_table, tests_table
from bothways.terms.answer import Answer, Caveat, Cell, Estimand, Estimate, Status, Table
from bothways.terms.errors import QuestionError
from bothways.terms.progress import Progress
from bothways.terms.question import Direction, Facet, Population, Scale

AT = (0.05, 0.25, 0.5, 0.75, 0.95)  # quantiles of a number at which its curve is told
FEWEST_FOR_CURVE = 200
CHANGES_OVER_TIME = Caveat(
    "status_at_each_wave",
    "People may pass from one level to another: the level is the one at the wave before, wave by wave.",
)
MADE_OF_SCORES = Caveat(
    "made_of_scores",
    "The levels are made of the scores at the start themselves. People at one level differ from those at another in "
    "what they had to fall or rise, so the model is one that takes the start as given (the dynamic panel model).",
)


@dataclass(frozen=True, slots=True)
class Looked:
    """What one circumstance showed."""

    answers: tuple[Answer, ...] = ()
    tests: tuple[Compared, ...] = ()
    curve: tuple[tuple[Cell, ...], ...] = ()


def in_whom(room: Room, progress: Progress) -> tuple[tuple[Answer, ...], tuple[Table, ...]]:
    """Rows by level, contrasts and refusals; tables of tests, of shrunken estimates and of curves."""
    records = room.setup.records
    looked: list[Looked] = []
    for key in asked(records, room.settings):
        progress(f"panel: in whom, by {records.labels.get(key, key)}", 0.95)
        try:
            looked.append(_look(room, key))
        except QuestionError as error:
            if ANYONE not in records.roles.guessed:
                looked.append(Looked(tuple(_refused(room, key, str(error), way) for way in DIRECTIONS)))
    answers = _with_headlines([a for x in looked for a in x.answers])
    tests = [t for x in looked for t in x.tests]
    note = (
        "Groups: scaled difference test of equal lags (Satorra & Bentler 2010). Products: Wald's test, robust errors. "
        "A product takes the score itself: where only what differs from a person's usual level acts, and the level of "
        "the circumstance changes over time, the difference comes out a little too small (by a tenth in simulated "
        "worlds)."
    )
    tables = (
        tests_table("panel_whom", tests, records.pair, note),
        shrunk_table(answers, records.pair, room.settings.level),
        _curves([row for x in looked for row in x.curve]),
    )
    return tuple(answers), tuple(table for table in tables if table.rows)


def _with_headlines(answers: Sequence[Answer]) -> list[Answer]:
    """The first contrast of each direction speaks for it."""
    first = {a.direction: a.id for a in reversed(answers) if a.estimand is Estimand.INTERACTION and a.estimate}
    return [replace(a, headline=first.get(a.direction) == a.id) for a in answers]


def _look(room: Room, key: str) -> Looked:
    """Groups of people where a level lasts and has nothing to do with the scores; products otherwise."""
    setup, records = room.setup, room.setup.records
    column = person_column(records, key)
    if column is None:
        raise QuestionError(f"--by {key}", "the records hold no such column", "Name a column of the table")
    person, cut = column[setup.rows], room.settings.cuts.get(key)
    split = split_of(records, key, person, cut)
    lasting = key in records.baseline
    if setup.T < LEAST_WAVES:
        return _by_groups(room, key)
    if lasting and many_valued(records, key, person):
        halves, number = _by_groups(room, key), _by_number(room, key, person)
        return Looked(halves.answers + number.answers, halves.tests + number.tests, number.curve)
    if lasting and (split is None or not _made_of_scores(room, split)):
        return _by_groups(room, key)
    over_time = np.repeat(person[:, None], setup.T, axis=1)
    if not lasting:
        over_time = wide(records, (key,))[setup.rows][:, list(setup.waves.kept), 0]
    return _by_levels(room, key, over_time, MADE_OF_SCORES if lasting else CHANGES_OVER_TIME)


def _made_of_scores(room: Room, split: Split) -> bool:
    """Whether the levels do not overlap in one of the conditions' first answers: a cut through the score itself."""
    known = split.level >= 0
    for k in range(2):
        scores = room.setup.waves.scores[room.setup.rows][:, :, k]
        first = np.array([next(iter(row[np.isfinite(row)]), np.nan) for row in scores])
        seen = known & np.isfinite(first)
        spans = [first[seen & (split.level == level)] for level in range(len(split.names))]
        spans = sorted((s for s in spans if s.size), key=lambda s: float(s.min()))
        if len(spans) > 1 and all(a.max() < b.min() for a, b in pairwise(spans)):
            return True
    return False


def _by_groups(room: Room, key: str) -> Looked:
    found = compare_groups(room.setup.records, key, room.settings)
    label = room.setup.records.labels.get(key, key)
    tests = [Compared(label, way, "groups", t.statistic, t.df, t.p) for way, t in found.tests.items()]
    return Looked(found.answers, tuple(tests))


def _by_levels(room: Room, key: str, over_time: Float[np.ndarray, "people waves"], caveat: Caveat) -> Looked:
    """Products with an indicator of each level but the first."""
    setup = room.setup
    split = split_of(setup.records, key, over_time.reshape(-1), room.settings.cuts.get(key))
    names = () if split is None else split.names
    level = np.full(over_time.shape, -1) if split is None else split.level.reshape(over_time.shape)
    people = [int((level == k).any(axis=1).sum()) for k in range(len(names))]
    large = [k for k, count in enumerate(people) if count >= LEAST_IN_GROUP]
    if len(large) < 2:
        find = f"fewer than two levels were seen in {LEAST_IN_GROUP} people"
        raise QuestionError(f"--by {key}", find, "Join small levels or cut the column")
    known = np.isin(level, large)
    terms = np.stack([np.where(known, level == k, np.nan) for k in large[1:]], axis=-1).astype(float)
    answers: list[Answer] = []
    tests = []
    for way in DIRECTIONS:
        found = moderated(room, way, terms, f"--by {key}")
        for place, k in enumerate(large):
            at = np.r_[1.0, np.zeros(len(large) - 1)]
            at[place] = 1.0
            answers.append(_row(room, key, way, names[k], found.at(at.tolist()), people[k], f"{k + 1}.{way}", caveat))
        for place, k in enumerate(large[1:], start=1):
            contrast = np.eye(len(large))[place]
            end = f"difference.{way}" if len(large) == 2 else f"{k + 1}.{way}.difference"
            both = f"how much stronger the lag is at “{names[k]}” than at “{names[large[0]]}”"
            answers.append(_row(room, key, way, names[k], found.at(contrast.tolist()), found.people, end, caveat, both))
        label = setup.records.labels.get(key, key)
        tests.append(Compared(label, way, "products", *found.none_differs(range(1, len(large)))))
    return Looked(tuple(answers), tuple(tests))


def _by_number(room: Room, key: str, person: Float[np.ndarray, "people"]) -> Looked:
    """A product with the number itself, and with a restricted cubic spline of it where there are people enough."""
    setup = room.setup
    label = setup.records.labels.get(key, key)
    z = (person - np.nanmean(person)) / np.nanstd(person)
    answers, tests, curve = [], [], []
    for way in DIRECTIONS:
        found = moderated(room, way, np.repeat(z[:, None, None], setup.T, axis=1), f"--by {key}")
        more = f"{label}, one standard deviation more"
        words = f"how much stronger the lag is for {more}"
        end = f"per_sd.{way}"
        answers.append(_row(room, key, way, more, found.at((0.0, 1.0)), found.people, end, None, words))
        tests.append(Compared(label, way, "as a number", *found.none_differs((1,))))
        if int(np.isfinite(z).sum()) >= FEWEST_FOR_CURVE:
            bent, rows = _bent(room, way, label, person, z)
            tests.append(bent)
            curve += rows
    return Looked(tuple(answers), tuple(tests), tuple(curve))


def _bent(
    room: Room, way: Direction, label: str, person: np.ndarray, z: np.ndarray
) -> tuple[Compared, list[tuple[Cell, ...]]]:
    """The test that the lag moves with the number in a straight line, and the lag at five of its values."""
    known = z[np.isfinite(z)]
    knots = np.quantile(known, KNOTS)
    mean, turn = _upright(spline(known, knots))
    basis = (spline(z, knots) - mean) @ turn
    found = moderated(room, way, np.repeat(basis[:, None, :], room.setup.T, axis=1), f"--by {label}")
    reach = float(ndtri(0.5 + room.settings.level / 2))
    rows: list[tuple[Cell, ...]] = []
    for at in AT:
        here = (spline(np.array([np.quantile(known, at)]), knots)[0] - mean) @ turn
        value, se = found.at((1.0, *here.tolist()))
        spot = float(np.nanquantile(person, at))
        rows.append((label, arrow(room.setup.records.pair, way), spot, value, value - reach * se, value + reach * se))
    return Compared(label, way, "bent against straight", *found.none_differs((2,))), rows


def _upright(basis: Float[np.ndarray, "people terms"]) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the triangle that make the terms uncorrelated with variance one, the first but for its unit."""
    mean = basis.mean(axis=0)
    return mean, np.linalg.inv(np.linalg.qr(basis - mean, mode="r")) * np.sqrt(len(basis))


def _curves(rows: Sequence[tuple[Cell, ...]]) -> Table:
    return Table(
        "panel_whom_curve",
        "In whom: along a number",
        ("circumstance", "direction", "at", "lag", "low", "high"),
        tuple(rows),
        "The lag at five values of the number, from a restricted cubic spline with three knots (Harrell 2001), in the "
        "dynamic panel model with products.",
    )


def _row(
    room: Room,
    key: str,
    way: Direction,
    name: str,
    number: tuple[float, float],
    people: int,
    end: str,
    caveat: Caveat | None,
    compared: str = "",
) -> Answer:
    """A lag at a level, or where ``compared`` says so the difference of two."""
    setup, level = room.setup, room.settings.level
    first, second = way.ends(setup.records.pair)
    value, se = number
    reach = float(ndtri(0.5 + level / 2)) * se
    p = float(2 * ndtr(-abs(value) / se)) if se > 0 else None
    return Answer(
        id=f"panel.by.{key}.{end}",
        question=replace(question_of(room, Facet.WHOM, way), population=Population(name, key)),
        design="panel",
        model="dpm",
        estimand=Estimand.INTERACTION if compared else Estimand.CROSS_LAG,
        status=Status.ANSWERED,
        estimate=Estimate(value, value - reach, value + reach, se, Scale.SD_PER_SD, people, level, p),
        target=f"{second.label}, one wave later",
        contrast=compared or f"one standard deviation more {first.label}, at the same {second.label}",
        lag_days=lag_days(setup, 1.0),
        lag_waves=lag_waves(setup, 1.0),
        subgroup=name,
        caveats=() if caveat is None else (caveat,),
        source=setup.records.source,
    )


def _refused(room: Room, key: str, reason: str, way: Direction) -> Answer:
    label = room.setup.records.labels.get(key, key)
    return Answer(
        id=f"panel.by.{key}.{way}",
        question=replace(question_of(room, Facet.WHOM, way), population=Population(label, key)),
        design="panel",
        model=room.model,
        estimand=Estimand.INTERACTION,
        status=Status.REFUSED,
        status_says=reason,
        target=f"{way.ends(room.setup.records.pair)[1].label}, one wave later",
        source=room.setup.records.source,
    )
