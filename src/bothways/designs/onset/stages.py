"""Recent and lasting as two states: the six states of two conditions, one of which is recent or lasting while present.

    0, O, R, OR, L, OL (and death)      O the other condition, R the staged one while recent, L once it is lasting

One coordinate changes at a time. An episode begins as recent, may turn lasting, and ends from either; what is lasting
is not recent again without having ended. Which it is must have been asked at each visit. Two ways of knowing it are
turned away. A column made of the answers themselves ("there at every answer for over three months") says how far
apart the visits lie: where these are further apart than that, everybody seen ill twice is lasting and nobody is seen to
be recent twice, so that its passages are a matter of the calendar of visits and not of people. And where onsets and
ends alone are dated, lasting is nothing but not having ended by some day: the ratio of recovery has said it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.designs.onset.setup import FEW_DEATHS, Covariates, OnsetSetup
from bothways.designs.onset.states import DEAD, MASKS
from bothways.engine.chain.graph import Graph, graph
from bothways.engine.chain.predictor import RATE
from bothways.engine.chain.sequences import Observations, observe
from bothways.terms.question import Condition, Direction
from bothways.terms.records import Records

STATES = ("0", "O", "R", "OR", "L", "OL")
GROUPS: dict[str, tuple[str, ...]] = {  # transitions on which a covariate acts alike
    "onset of the other": ("0>O", "R>OR", "L>OL"),
    "end of the other": ("O>0", "OR>R", "OL>L"),
    "new episode": ("0>R", "O>OR"),
    "turns lasting": ("R>L", "OR>OL"),
    "end while recent": ("R>0", "OR>O"),
    "end once lasting": ("L>0", "OL>O"),
}
LEAST_TURNS = 10  # first sights of lasting in people who were without it, below which nothing is fitted


@dataclass(frozen=True, slots=True)
class Staged:
    """Everything that the chain of six states is fitted to.

    ``condition`` is the staged one and ``other`` the other; ``direction`` leads from the other to the staged.
    ``moves`` (7, 7) counts neighbouring known states, death last. ``odd`` are answers that call lasting what is
    absent at that answer: there they are not heeded.
    """

    setup: OnsetSetup
    column: str
    condition: Condition
    other: Condition
    direction: Direction
    states: Graph
    seen: Observations
    covariates: Covariates
    moves: Int[np.ndarray, "from to"]
    odd: int

    def moved(self, before: tuple[int, ...], after: tuple[int, ...]) -> int:
        """How often one of some states was followed by one of others."""
        return int(self.moves[np.ix_(before, after)].sum())


def stage_column(records: Records) -> tuple[Condition, str] | None:
    """The condition of the pair that has a stage, and the column that tells it: by its role, else by the topic."""
    for condition in (records.pair.a, records.pair.b):
        stated = records.roles.stages.get(condition.key)
        if stated in records.values:
            return condition, str(stated)
        told = (c for c in (records.topic.circumstances if records.topic else ()) if c.stage_of == condition.key)
        names = {_plain(name) for c in told for name in (c.key, *c.needs)}
        for key, values in records.values.items():
            if _plain(key) in names and np.isin(values[np.isfinite(values)], (0.0, 1.0)).all():
                return condition, key
    return None


def _plain(name: str) -> str:
    return "".join(x for x in name.lower() if x.isalnum())


def why_not(setup: OnsetSetup, condition: Condition, values: Float[np.ndarray, "rows"]) -> str:
    """Why recent and lasting cannot be told apart in these records; empty where they can. ``values`` by state row."""
    rows, label = setup.rows, condition.label
    if rows.dated:
        return (
            f"onsets and ends of {label} are dated, but not when it became lasting: then lasting is nothing but not "
            "having ended yet, of which the ratio of recovery speaks"
        )
    present = _present(setup, condition)
    if not np.isin(values[np.isfinite(values)], (0.0, 1.0)).all():
        return f"the column that tells how long {label} has lasted holds more than 0 and 1"
    if told_by_visits(rows.person, rows.time, present, values):
        return (
            f"that {label} is lasting was made from the same answers, by how long it had been there: so it depends on "
            "how far apart the visits lie, and its rate would be theirs; ask at each visit for how long it has lasted"
        )
    return ""


def _present(setup: OnsetSetup, condition: Condition) -> Float[np.ndarray, "rows"]:
    """0/1/NaN of one condition at each state row."""
    state, bit = setup.rows.state, 1 if condition == setup.records.pair.a else 2
    masks = np.vstack([np.eye(5), MASKS])[:, :4]
    has = np.array([(k & bit) > 0 for k in range(4)])
    with_it, without = masks[state][:, has].any(axis=1), masks[state][:, ~has].any(axis=1)
    return np.where(with_it == without, np.nan, with_it * 1.0)


def told_by_visits(
    person: Int[np.ndarray, "rows"],
    time: Float[np.ndarray, "rows"],
    present: Float[np.ndarray, "rows"],
    lasting: Float[np.ndarray, "rows"],
) -> bool:
    """Whether "lasting" says no more than that a spell has been seen for longer than some length of time.

    Of spells that began under observation, every answer that calls one lasting must come later in it than every answer
    that does not; where one is called lasting on the day it is first seen, somebody has been asked.
    """
    known = np.flatnonzero(np.isfinite(present))
    who, there, at, told = person[known], present[known] > 0, time[known], lasting[known]
    if not known.size:
        return False
    opens = np.r_[True, who[1:] != who[:-1]]
    begins = opens | np.r_[True, there[1:] != there[:-1]]
    spell = np.maximum.accumulate(np.where(begins, np.arange(known.size), 0))
    used = there & ~opens[spell] & np.isfinite(told)
    age = at - at[spell]
    yes, no = age[used & (told == 1)], age[used & (told == 0)]
    return bool(yes.size and yes.min() > no.max(initial=0.0))


def staged(setup: OnsetSetup, condition: Condition, column: str, values: Float[np.ndarray, "rows"]) -> Staged:
    """The rows in six states. Assumes that ``why_not`` found nothing; an unknown stage leaves both open."""
    pair, rows = setup.records.pair, setup.rows
    allowed = _allowed(setup, 1 if condition == pair.a else 2, values)
    single, dead = allowed.sum(axis=1) == 1, rows.state == DEAD
    K = len(STATES) + setup.mortal
    masks, place = np.unique(allowed[~single & ~dead], axis=0, return_inverse=True)
    code = allowed.argmax(axis=1)
    code[~single & ~dead] = K + place.reshape(-1)
    code[dead] = len(STATES)
    covariates = _without(setup.covariates, column)
    seen = observe(
        rows.person, rows.time, code, states=K, kind=rows.kind, x=covariates.x,
        masks=np.column_stack([masks * 1.0, *[np.zeros(len(masks))] * setup.mortal]),
        weight=setup.seen.weight, drawn=setup.seen.drawn,
    )  # fmt: skip
    moves = np.zeros((7, 7), dtype=np.int64)
    joined = (np.diff(rows.person) == 0) & (single | dead)[:-1] & (single | dead)[1:]
    np.add.at(moves, (code[:-1][joined], code[1:][joined]), 1)
    odd = int(((_present(setup, condition) == 0) & (values == 1)).sum())
    return Staged(
        setup, column, condition, pair.b if condition == pair.a else pair.a,
        Direction.B_TO_A if condition == pair.a else Direction.A_TO_B,
        _graph(allowed, rows.person, setup.mortal), seen, covariates, moves, odd,
    )  # fmt: skip


def _allowed(setup: OnsetSetup, bit: int, values: Float[np.ndarray, "rows"]) -> Bool[np.ndarray, "rows 6"]:
    """Which of the six states each row leaves open; none for the dead."""
    open_to = np.vstack([np.eye(5), MASKS])[setup.rows.state, :4] > 0
    out = np.zeros((values.size, len(STATES)), dtype=bool)
    for state in range(4):
        other, ill = int((state & (3 - bit)) > 0), (state & bit) > 0
        if not ill:
            out[:, other] |= open_to[:, state]
        else:
            out[:, other + 2] |= open_to[:, state] & ~(values == 1)
            out[:, other + 4] |= open_to[:, state] & ~(values == 0)
    return out


def _without(covariates: Covariates, column: str) -> Covariates:
    """The covariates but those made of the column that tells the stage."""
    kept = [k for k, name in enumerate(covariates.names) if name.split(" = ")[0] != column]
    return Covariates(tuple(covariates.names[k] for k in kept), covariates.x[:, kept], covariates.missing)


def _graph(allowed: Bool[np.ndarray, "rows 6"], person: Int[np.ndarray, "rows"], mortal: bool) -> Graph:
    """Onsets and the passage always; ends of what anyone, at any later answer, had recovered from; dated deaths."""
    known = allowed.any(axis=1)

    def only(*states: int) -> Bool[np.ndarray, "rows"]:
        """Rows that leave none but these states open."""
        others = [k for k in range(len(STATES)) if k not in states]
        return np.asarray(known & ~allowed[:, others].any(axis=1))

    ends = {
        "end of the other": (only(1, 3, 5), only(0, 2, 4)),
        "end while recent": (only(2, 3, 4, 5) & allowed[:, 2:4].any(axis=1), only(0, 1)),
        "end once lasting": (only(4, 5), only(0, 1, 2, 3)),
    }
    seen = {name: _later(*rows, person) for name, rows in ends.items()}
    edges = tuple(t for name, group in GROUPS.items() if seen.get(name, True) for t in group)
    exits = tuple(f"{state}>D" for state in STATES) if mortal else ()
    return graph((*STATES, "D") if mortal else STATES, edges + exits)


def _later(before: Bool[np.ndarray, "rows"], after: Bool[np.ndarray, "rows"], person: Int[np.ndarray, "rows"]) -> bool:
    """Whether anyone has a row of the second kind after one of the first."""
    place = np.arange(person.size)
    last = np.maximum.accumulate(np.where(before, place, -1))
    first = np.maximum.accumulate(np.where(np.r_[True, np.diff(person) != 0], place, 0))
    return bool((after & (last >= first)).any())


def effects_of(made: Staged) -> tuple[dict[str, tuple[str, ...]], list[list[tuple[str, str]]]]:
    """Covariates act alike on the rates of a group; few deaths share one rate."""
    there = set(made.states.transitions)
    groups = [group for group in GROUPS.values() if set(group) <= there]
    flat = tuple(t for group in groups for t in group)
    names = made.covariates.names
    equal = [[(name, t) for t in group] for name in names for group in groups]
    exits = [t for t in made.states.transitions if t.endswith(">D")]
    if exits and made.setup.rows.deaths < FEW_DEATHS:
        equal.append([(RATE, t) for t in exits])
    return dict.fromkeys(names, flat), equal
