"""Onset worlds observed: states at visits, or onsets and recoveries with their dates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.simulation.catalogue import OnsetRates
from bothways.simulation.kernels import A_OFF, A_ON, B_OFF, B_ON, BOTH, DEAD, DIED
from bothways.simulation.lives import GRID, Lives, live_people
from bothways.simulation.observe import Gaps, Observation, gaps
from bothways.simulation.onset_truth import OnsetMechanism
from bothways.simulation.score_world import wave_days
from bothways.terms.records import Events

CHANGE = np.array([1, -1, 2, -2])  # of a state numbered depression + 2 · back pain, by kind of event
STYLED = 1.5  # a reporting style beyond this many SDs makes both answers yes, below its negative both no


@dataclass(frozen=True, slots=True)
class Followed:
    """Long rows of an onset cohort in order of person and day, with the dates where they are known."""

    person: Int[np.ndarray, "rows"]
    day: Float[np.ndarray, "rows"]
    values: dict[str, Float[np.ndarray, "rows"]]
    events: dict[str, Events]
    skipped: dict[str, int]


def follow(mechanism: OnsetMechanism, people: int, visits: int, how: Observation, rng: np.random.Generator) -> Followed:
    """Live ``people`` and see them at visits, or date what happens to them."""
    lives_rng, clock, error, loss = rng.spawn(4)
    gap = mechanism.follow_up / max(visits - 1, 1)
    jitter = 0.25 if how.jitter is None else how.jitter
    days = wave_days(people, visits, gap, jitter, clock)
    lives = live_people(mechanism.rates, people, float(days.max()) + 1, mechanism.entry, lives_rng)
    state, chronic = lives.states(days)
    answers = _answers(mechanism.rates, lives, days, state, chronic, how, error)
    lost = gaps(answers, how, loss)
    if how.seen == "dated":
        return _dated(mechanism, lives, days, lost)
    return _visited(mechanism.rates, lives, days, state, answers, lost)


def keys_of(rates: OnsetRates) -> tuple[str, ...]:
    """What is asked at each visit: the pair, whether pain is chronic where that matters, the cause where seen."""
    extra = (("chronic_pain",) if _staged(rates) else ()) + (("anxiety",) if rates.cause_seen else ())
    return ("depression", "back_pain", *extra)


def _staged(rates: OnsetRates) -> bool:
    """Whether it matters that pain is chronic: for what it does, or as a passage of its own."""
    return rates.chronic_only or rates.persistence > 0


def _answers(
    rates: OnsetRates,
    lives: Lives,
    days: Float[np.ndarray, "people visits"],
    state: Int[np.ndarray, "people visits"],
    chronic: Int[np.ndarray, "people visits"],
    how: Observation,
    rng: np.random.Generator,
) -> Float[np.ndarray, "people visits variables"]:
    """What people say at their visits; NaN after death."""
    present = np.stack([(state == 1) | (state == BOTH), (state == 2) | (state == BOTH)], axis=2)
    said = _misreported(present, how, rng)
    if rates.style:
        said = _styled(said, days, rates, rng)
    columns = [said.astype(float)]
    if _staged(rates):
        columns.append(chronic[..., None].astype(float))
    if rates.cause_seen:
        cell = np.minimum((days / GRID).astype(int), lives.cause.shape[1] - 1)
        columns.append(np.take_along_axis(lives.cause, cell, axis=1)[..., None])
    values = np.concatenate(columns, axis=2)
    values[state == DEAD] = np.nan
    return values


def _misreported(
    present: Bool[np.ndarray, "people visits 2"], how: Observation, rng: np.random.Generator
) -> Bool[np.ndarray, "people visits 2"]:
    """Yes with the sensitivity where the condition is present, and with 1 − specificity where it is not."""
    luck = rng.random(present.shape)
    return np.where(present, luck < how.sensitivity, luck >= how.specificity)


def _styled(
    said: Bool[np.ndarray, "people visits 2"],
    days: Float[np.ndarray, "people visits"],
    rates: OnsetRates,
    rng: np.random.Generator,
) -> Bool[np.ndarray, "people visits 2"]:
    """Both answers yes while the person's slow style is high, both no while it is low."""
    style = rng.standard_normal(days.shape)
    for k in range(1, days.shape[1]):
        kept = np.exp(-(days[:, k] - days[:, k - 1]) / rates.cause_days)
        style[:, k] = kept * style[:, k - 1] + np.sqrt(1 - kept**2) * style[:, k]
    style = (rates.style * style)[..., None]
    return (said | (style > STYLED)) & (style >= -STYLED)


def _visited(
    rates: OnsetRates,
    lives: Lives,
    days: Float[np.ndarray, "people visits"],
    state: Int[np.ndarray, "people visits"],
    answers: Float[np.ndarray, "people visits variables"],
    lost: Gaps,
) -> Followed:
    """A row for each visit before death and drop-out; a death, dated to the day, is a row of its own."""
    answers = np.where(lost.skipped, np.nan, answers)
    here = ~lost.left & (state != DEAD)
    keys = keys_of(rates)
    person, _ = np.nonzero(here)
    values = {key: answers[here, k] for k, key in enumerate(keys)}
    day = days[here]
    skipped = {key: int((lost.skipped[..., k] & here).sum()) for k, key in enumerate(keys)}
    if not rates.death:
        return Followed(person, day, values, {}, skipped)
    died, date = _deaths(lives, np.where(lost.left.any(axis=1), -1.0, days.max(axis=1)))
    order = np.lexsort((np.concatenate((day, date)), np.concatenate((person, died))))
    blank = np.full(died.size, np.nan)
    values = {key: np.concatenate((column, blank))[order] for key, column in values.items()}
    values["death"] = np.concatenate((np.zeros(day.size), np.ones(died.size)))[order]
    events = {"death": Events(died, date, np.ones(died.size, np.int64))}
    return Followed(np.concatenate((person, died))[order], np.concatenate((day, date))[order], values, events, skipped)


def _deaths(
    lives: Lives, until: Float[np.ndarray, "people"]
) -> tuple[Int[np.ndarray, "deaths"], Float[np.ndarray, "deaths"]]:
    """Who died while still followed, and when."""
    here = (lives.kind == DIED) & (lives.time <= until[lives.person])
    return lives.person[here], lives.time[here]


def _dated(mechanism: OnsetMechanism, lives: Lives, days: Float[np.ndarray, "people visits"], lost: Gaps) -> Followed:
    """Every change with its date: a row at entry, at each onset and recovery, and at the end of a person's time.

    The end is the end of follow-up, death, or the last visit before drop-out. ``values`` hold the state from that
    day on; the events of each condition are dated beside them.
    """
    stayed = np.where(lost.left, -np.inf, days).max(axis=1)
    until = np.where(lost.left.any(axis=1), stayed, mechanism.follow_up)
    died, date = _deaths(lives, until)
    until[died] = date
    moves = np.isin(lives.kind, (A_ON, A_OFF, B_ON, B_OFF)) & (lives.time < until[lives.person])
    everyone, nothing = np.arange(lives.people), np.zeros(lives.people, np.int64)
    person = np.concatenate((everyone, lives.person[moves], everyone))
    day = np.concatenate((np.zeros(lives.people), lives.time[moves], until))
    change = np.concatenate((nothing, CHANGE[lives.kind[moves]], nothing))
    order = np.lexsort((day, person))
    person, day = person[order], day[order]
    values = _states_on_rows(lives, person, change[order])
    if mechanism.rates.death:
        last = np.flatnonzero(np.diff(person, append=lives.people))
        values["death"] = np.zeros(person.size)
        values["death"][last] = np.isin(everyone, died).astype(float)
    return Followed(person, day, values, _events(lives, moves, died, date), {})


def _states_on_rows(
    lives: Lives, person: Int[np.ndarray, "rows"], change: Int[np.ndarray, "rows"]
) -> dict[str, Float[np.ndarray, "rows"]]:
    """0/1 of each condition from each row on: the state at entry and the changes since."""
    since = np.cumsum(change)
    first = np.flatnonzero(np.diff(person, prepend=-1))
    state = (lives.start[:, 0] + 2 * lives.start[:, 1] - since[first])[person] + since
    return {"depression": (state % 2).astype(float), "back_pain": (state // 2).astype(float)}


def _events(
    lives: Lives, moves: Bool[np.ndarray, "events"], died: Int[np.ndarray, "deaths"], date: Float[np.ndarray, "deaths"]
) -> dict[str, Events]:
    """Dated onsets and recoveries by condition, and deaths."""
    found = {}
    for key, (on, off) in (("depression", (A_ON, A_OFF)), ("back_pain", (B_ON, B_OFF))):
        mine = moves & np.isin(lives.kind, (on, off))
        found[key] = Events(lives.person[mine], lives.time[mine], (lives.kind[mine] == on).astype(np.int64))
    if died.size:
        found["death"] = Events(died, date, np.ones(died.size, np.int64))
    return found
