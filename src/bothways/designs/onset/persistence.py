"""Who stays ill is another question than who falls ill: recent and lasting as two states, asked four things.

    persistence            q(OR>OL) / q(R>L)      does a recent episode turn lasting more readily with the other?
    onset of the other     q(R>OR) / q(0>O), q(L>OL) / q(0>O), and lasting over recent: q(L>OL) / q(R>OR)
    a new episode          q(O>OR) / q(0>R)
    recovery               q(OR>O) / q(R>0) while recent, q(OL>O) / q(L>0) once lasting

and the share of new episodes that turn lasting within a year, ended and dead being final with it. All are functions of
one chain (``stages``), so that their intervals are of one likelihood, robust by person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bothways.designs.onset.models import Fitted
from bothways.designs.onset.persistence_says import caveats_of, methods_of, tables_of
from bothways.designs.onset.room import Room, answer_row, given, interval, log_estimate
from bothways.designs.onset.stages import LEAST_TURNS, Staged, effects_of, stage_column, staged, why_not
from bothways.designs.onset.turning import episode_after
from bothways.designs.onset.whom import values_at
from bothways.engine.chain.delta import Link
from bothways.engine.chain.fit import PlainTarget, fit_target, starting_values
from bothways.engine.chain.likelihood import ChainModel
from bothways.engine.chain.predictor import predictor
from bothways.engine.chain.sequences import sequences
from bothways.terms.answer import Answer, Assumption, Estimand, Status, Table
from bothways.terms.question import Direction, Facet, Population, Scale

LEAST = 5  # moves on either side without which no ratio is given
VAGUE = 2.0  # error of a log ratio beyond which its 95 % limits lie a factor of 50 and more to either side
NO_OTHER, OTHER, LASTING = (0, 2), (1, 3), (4, 5)
CLOCK = Assumption(
    "a recent episode turns lasting at a rate that does not depend on its age; where lasting means longer than a fixed "
    "time, the ratio stands for how much more readily episodes come to last so long"
)


@dataclass(frozen=True, slots=True)
class Persistence:
    """What is told of recent and lasting; empty where no column tells them apart."""

    answers: tuple[Answer, ...] = ()
    tables: tuple[Table, ...] = ()
    fits: tuple[Fitted, ...] = ()
    methods: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """One ratio: ``above`` over ``below``, with the moves that tell of each: (states before, states after)."""

    slug: str
    estimand: Estimand
    above: str
    below: str
    seen: tuple[tuple[tuple[int, ...], tuple[int, ...]], tuple[tuple[int, ...], tuple[int, ...]]]
    toward: bool  # from the other condition to the staged one
    target: str
    contrast: str
    stage: str = ""  # of the staged condition: "1" lasting, "0" recent, "any" their contrast
    headline: bool = False


def persistence(room: Room) -> Persistence:
    """Every answer on recent and lasting, or one refusal with its reason."""
    found = stage_column(room.setup.records)
    if found is None:
        return Persistence()
    condition, column = found
    values = values_at(room.setup, column)
    if values is None:
        return Persistence()
    why = why_not(room.setup, condition, values)
    made = None if why else staged(room.setup, condition, column, values)
    if made is not None:
        why = _too_few(made)
    if made is None or why:
        return Persistence((_refused(room, condition == room.setup.records.pair.a, why),))
    fitted = fit_stages(made)
    if not fitted.usable:
        row = _refused(room, condition == room.setup.records.pair.a, fitted.fit.says)
        return Persistence((replace(row, status=Status.FAILED),), fits=(fitted,))
    own = replace(room, assumptions=_assumptions(room), caveats=caveats_of(room, made, fitted))
    answers = [_ratio(own, made, fitted, asked) for asked in asked_of(made)]
    return Persistence(
        (*answers, *_turning(own, made, fitted)), tables_of(own, made, fitted), (fitted,), methods_of(own, made)
    )


def fit_stages(made: Staged) -> Fitted:
    """The chain of six states with the covariates and nothing hidden."""
    rates = predictor(made.states, *effects_of(made))
    model = ChainModel(rates, sequences(made.states, made.seen))
    target = PlainTarget(model)
    found = fit_target(target, starting_values(model))
    return Fitted("stages", "a Markov chain of six states", target, rates, found, found.loglik)


def asked_of(made: Staged) -> list[Asked]:
    """The ratios of which both rates are part of the graph."""
    ill, other = made.condition.label, made.other.label
    with_other = f"{other} present against absent, at the same moment"
    anyone, whole = (1, 3, 5), (0, 1, 2, 3)
    rows = [
        Asked(
            "turns_lasting", Estimand.PERSISTENCE_RATIO, "OR>OL", "R>L", ((OTHER, LASTING), (NO_OTHER, LASTING)), True,
            f"a recent episode of {ill} turns lasting", with_other, headline=True,
        ),
        Asked(
            "onset_recent", Estimand.RATE_RATIO, "R>OR", "0>O", (((2,), anyone), ((0,), anyone)), False,
            f"onset of {other}", f"recent {ill} against none, at the same moment", "0",
        ),
        Asked(
            "onset_lasting", Estimand.RATE_RATIO, "L>OL", "0>O", (((4,), anyone), ((0,), anyone)), False,
            f"onset of {other}", f"lasting {ill} against none, at the same moment", "1",
        ),
        Asked(
            "lasting_against_recent", Estimand.INTERACTION, "L>OL", "R>OR", (((4,), anyone), ((2,), anyone)), False,
            f"onset of {other}", f"lasting against recent {ill}, at the same moment", "any", headline=True,
        ),
        Asked(
            "new_episode", Estimand.RATE_RATIO, "O>OR", "0>R", (((1,), (2, 3, 4, 5)), ((0,), (2, 3, 4, 5))), True,
            f"a new episode of {ill}", with_other,
        ),
        Asked(
            "recovery_recent", Estimand.RECOVERY_RATIO, "OR>O", "R>0", (((3,), (0, 1)), ((2,), (0, 1))), True,
            f"end of recent {ill}", with_other, "0",
        ),
        Asked(
            "recovery_lasting", Estimand.RECOVERY_RATIO, "OL>O", "L>0", (((5,), whole), ((4,), whole)), True,
            f"end of lasting {ill}", with_other, "1",
        ),
    ]  # fmt: skip
    there = set(made.states.transitions)
    return [row for row in rows if {row.above, row.below} <= there]


def _too_few(made: Staged) -> str:
    turns = made.moved((0, 1, 2, 3), LASTING)
    recent = made.moved((0, 1, 2, 3, 4, 5), (2, 3))
    if min(turns, recent) >= LEAST_TURNS:
        return ""
    what = "lasting in people in whom it was not before" if turns <= recent else "recent"
    return f"{made.condition.label} was seen to be {what} {min(turns, recent)} times; at least {LEAST_TURNS} are needed"


def _assumptions(room: Room) -> tuple[Assumption, ...]:
    """Those of the four states; a common cause was not held against these rates."""
    own = (replace(a, checked=None, evidence="") if a.checked is not None else a for a in room.assumptions)
    return (*own, CLOCK)


def _refused(room: Room, of_a: bool, why: str) -> Answer:
    pair = room.setup.records.pair
    ill, other = (pair.a, pair.b) if of_a else (pair.b, pair.a)
    direction = Direction.B_TO_A if of_a else Direction.A_TO_B
    row = answer_row(
        room, "persistence.turns_lasting", Facet.PERSISTENCE, direction, Estimand.PERSISTENCE_RATIO, Scale.RATE_RATIO
    )
    return replace(
        row, model="stages", status=Status.REFUSED, status_says=why, headline=True, caveats=(),
        target=f"a recent episode of {ill.label} turns lasting", contrast=f"{other.label} present against absent",
    )  # fmt: skip


def _row(room: Room, made: Staged, slug: str, estimand: Estimand, scale: Scale, toward: bool, where: str) -> Answer:
    direction = made.direction if toward else made.direction.reversed()
    row = answer_row(room, f"persistence.{slug}", Facet.PERSISTENCE, direction, estimand, scale)
    return replace(row, model="stages", question=replace(row.question, population=Population(where=where or None)))


def _ratio(room: Room, made: Staged, fitted: Fitted, asked: Asked) -> Answer:
    """One ratio with an interval robust by person, or why there is none."""
    where = {"": "", "any": made.column}.get(asked.stage, f"{made.column}={asked.stage}")
    row = replace(
        _row(room, made, asked.slug, asked.estimand, Scale.RATE_RATIO, asked.toward, where),
        target=asked.target, contrast=asked.contrast, headline=asked.headline,
    )  # fmt: skip
    above, below = (made.moved(*ends) for ends in asked.seen)
    if min(above, below) < LEAST:
        says = f"{asked.target}: seen {above} and {below} times ({asked.contrast}); at least {LEAST} of each are needed"
        return replace(row, status=Status.REFUSED, status_says=says)
    value, error, _ = fitted.log_ratio(asked.above, asked.below)
    if not error < VAGUE:
        says = f"{asked.target}, {asked.contrast}: visits so far apart do not bound one of the two rates"
        return replace(row, status=Status.FAILED, status_says=says)
    return replace(row, estimate=log_estimate(room, value, error, min(above, below)))


def _turning(room: Room, made: Staged, fitted: Fitted) -> list[Answer]:
    """The share of new episodes that turn lasting within a year (or a wave), with the other condition and without."""
    rows, h = [], 1.0
    for key, start, words in (("with", "OR", "present"), ("without", "R", "absent")):
        row = replace(
            _row(
                room, made, f"within.{key}", Estimand.STATE_PROBABILITY, Scale.PROBABILITY, True,
                f"{made.other.key}={int(start == 'OR')}",
            ),
            target=f"a new episode of {made.condition.label} turns lasting",
            contrast=f"{made.other.label} {words} on the day it begins",
            horizon_days=made.setup.days(h),
        )  # fmt: skip
        found = interval(room, episode_after(made.states, h, start), Link.LOGIT, fitted=fitted)
        rows.append(given(row, room, found, Scale.PROBABILITY))
    return rows
