"""Worlds seen at regular visits, with mediators and with a confounder that the exposure changes; and their truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bothways.simulation.catalogue import WorldSpec, find
from bothways.simulation.sustained_mechanism import CONFOUNDER, VisitMechanism, visit_mechanism
from bothways.simulation.sustained_truth import sustained_truth
from bothways.simulation.truth import Truth
from bothways.simulation.write import LABELS, A, B, source_of, who
from bothways.terms.answer import Estimand
from bothways.terms.errors import WorldError
from bothways.terms.question import Condition, Kind, Pair, Question
from bothways.terms.records import Events, Records, Roles, TimeUnit

GAP = 182.0  # days between visits


@dataclass(frozen=True, slots=True, eq=False)
class VisitWorld:
    """A simulated world at visits: what a study would hold, and the truth of what it may be asked."""

    spec: WorldSpec
    records: Records
    mechanism: VisitMechanism

    def truth(self, question: Question, estimand: Estimand | None = None) -> Truth:
        """The true answer, by intervening; see ``sustained_truth``. The horizon is the last visit."""
        return sustained_truth(self.mechanism, question, estimand)


def simulate_visits(
    name: str,
    people: int,
    visits: int,
    seed: int,
    *,
    states: bool = True,
    leaving: float = 0.0,
    death: bool = False,
    jitter: float = 0.0,
) -> VisitWorld:
    """Simulate ``people`` at ``visits`` visits half a year apart.

    ``states``: the conditions and mediators are 0/1, else scores. ``leaving`` is the chance of leaving before each
    visit, twice that for people anxious at the last one. ``death`` lets people die between visits, on a known day.
    ``jitter`` moves each visit by up to that share of the gap. Raises WorldError where the world is not held at visits.
    """
    if people < 1 or visits < 2:
        raise WorldError(f"world '{name}'", f"{people} people at {visits} visits are no study", "Ask for more.")
    mechanism = visit_mechanism(name, states=states, visits=visits, gap=GAP, death=death)
    life, fixed, loss, clock = np.random.default_rng(seed).spawn(4)
    start = mechanism.begin(people, life)
    lives = mechanism.live(start, mechanism.disturbances(people, visits - 1, life))
    anxious = lives[..., mechanism.row(CONFOUNDER)] > 0
    left = np.cumsum(loss.random((people, visits))[:, 1:] < leaving * (1 + anxious[:, :-1]), axis=1) > 0
    here = np.concatenate([np.ones((people, 1), dtype=bool), ~left], axis=1)
    alive = mechanism.survival(lives)
    dead = alive < loss.random((people, 1))
    moved = np.round(clock.uniform(-jitter, jitter, (people, visits)) * GAP)
    day = np.arange(visits) * GAP + np.where(np.arange(visits) > 0, moved, 0.0)
    events = _deaths(dead, here, clock)
    records = _records(name, mechanism, lives, here & ~dead, day, events, who(people, fixed))
    return VisitWorld(find(name), records, mechanism)


def _deaths(dead: np.ndarray, here: np.ndarray, rng: np.random.Generator) -> dict[str, Events]:
    """Dated deaths of those who had not left: within the gap before the first visit that they no longer see."""
    first = dead.argmax(axis=1)
    person = np.flatnonzero(dead.any(axis=1) & here[np.arange(len(dead)), np.maximum(first - 1, 0)])
    if not person.size:
        return {}
    time = (first[person] - rng.uniform(0.05, 0.6, person.size)) * GAP
    return {"death": Events(person, time, np.ones(person.size, dtype=np.int64))}


def _records(
    name: str,
    mechanism: VisitMechanism,
    lives: np.ndarray,
    here: np.ndarray,
    day: np.ndarray,
    events: dict[str, Events],
    baseline: dict[str, np.ndarray],
) -> Records:
    person, _ = np.nonzero(here)
    values = {key: lives[..., v][here] for v, key in enumerate(mechanism.names)}
    kind = Kind.STATE if mechanism.state[0] else Kind.SCORE
    return Records(
        pair=Pair(Condition(A, LABELS[A], kind), Condition(B, LABELS[B], kind)),
        person=person,
        time=day[here],
        time_unit=TimeUnit.DAY,
        values=values,
        roles=Roles("id", "day", (A,), (B,), (CONFOUNDER,), mechanism.names[3:]),
        source=source_of(name, values, len(here)),
        baseline=baseline,
        labels={key: LABELS[key] for key in (*mechanism.names, *baseline)},
        events=events,
    )
