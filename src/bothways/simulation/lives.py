"""Onset worlds: people who move between neither, depression, back pain and both, in continuous time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float, Int

from bothways.simulation.catalogue import OnsetRates
from bothways.simulation.kernels import drift_slowly, live, states_at, time_in
from bothways.simulation.paths import BLOCK
from bothways.terms.errors import WorldError

YEAR = 365.25
GRID = 30.0  # days in which the slow cause stands still
BURN = 12 * YEAR  # life before entry: recurrences, chronic pain and who is prone to what have settled by then
Entry = Literal["free", "free_of_pain", "prevalent", "birth"]


@dataclass(frozen=True, slots=True)
class Lives:
    """Whole lives, unobserved: transitions after entry in order of person and time, and the state at entry.

    ``kind`` is 0/1 for the onset and end of depression, 2/3 of back pain, 4 where pain turns chronic, 5 for death.
    ``start`` (people, 3) is depression, back pain and chronic pain at entry. ``cause`` (people, cells) is the slow
    common process in SDs from entry on, in cells of 30 days.
    """

    person: Int[np.ndarray, "events"]
    time: Float[np.ndarray, "events"]
    kind: Int[np.ndarray, "events"]
    start: Int[np.ndarray, "people 3"]
    cause: Float[np.ndarray, "people cells"]

    @property
    def people(self) -> int:
        """How many people lived."""
        return len(self.start)

    def states(
        self, days: Float[np.ndarray, "people times"]
    ) -> tuple[Int[np.ndarray, "people times"], Int[np.ndarray, "people times"]]:
        """State (0 neither, 1 depression, 2 back pain, 3 both, 4 dead) and whether pain is chronic."""
        state, chronic = states_at(self.person, self.time, self.kind, self.start, np.ascontiguousarray(days))
        return state, chronic

    def days_in(self, end: float) -> Float[np.ndarray, "5 2"]:
        """Days that all people together spent in each state (rows), not chronic and chronic, up to ``end``."""
        return np.asarray(time_in(self.person, self.time, self.kind, self.start, end))


def rates_row(rates: OnsetRates) -> Float[np.ndarray, "14"]:
    """The row that the kernel reads: rates per day, ratios as they are."""
    chronic = rates.back_pain_recovery if rates.chronic_recovery is None else rates.chronic_recovery
    row = np.array(
        [
            rates.depression_onset / YEAR,
            rates.back_pain_onset / YEAR,
            rates.depression_recovery / YEAR,
            rates.back_pain_recovery / YEAR,
            rates.a_to_b,
            rates.b_to_a,
            rates.recovery_a_to_b,
            rates.recovery_b_to_a,
            float(rates.chronic_only),
            rates.chronic_after_days,
            rates.persistence / YEAR,
            chronic / YEAR,
            rates.death / YEAR,
            rates.persistence_a_to_b,
        ]
    )
    if (row < 0).any() or not np.isfinite(row).all():
        raise WorldError("onset rates", "a rate or ratio is negative or not finite", "Give rates of 0 or more.")
    return row


def live_people(
    rates: OnsetRates,
    people: int,
    end: float,
    entry: Entry,
    rng: np.random.Generator,
    before: OnsetRates | None = None,
) -> Lives:
    """Live ``people`` from entry to ``end`` (days).

    "birth" starts everybody free of both; "prevalent" takes people as they are after twelve years of life in the
    rates ``before`` (left out: in the same rates); "free" takes of those only the people who at entry have neither
    condition, "free_of_pain" those without back pain. Nobody dies before entry.
    """
    rows = rates_row(replace(before or rates, death=0.0)), rates_row(rates)
    burn = 0.0 if entry == "birth" else BURN
    done: list[Lives] = []
    found = tried = 0
    while found < people:
        if tried > 100 * (people + BLOCK):
            raise WorldError("onset rates", "hardly anybody is free of both at entry", "Lower the rates of onset.")
        wanted = people - found
        batch = [BLOCK] * (-(-wanted // BLOCK))
        with ThreadPoolExecutor() as pool:
            jobs = pool.map(lambda r: _block(rates, rows, burn, end, r), rng.spawn(len(batch)))
            done += [_admitted(lives, entry) for lives in jobs]
        found = sum(lives.people for lives in done)
        tried += sum(batch)
    return _joined(done, people)


def _block(
    rates: OnsetRates,
    rows: tuple[Float[np.ndarray, "14"], Float[np.ndarray, "14"]],
    burn: float,
    end: float,
    rng: np.random.Generator,
) -> Lives:
    prone = _proneness(rates, rng)
    cells = int(np.ceil((burn + end) / GRID)) + 1 if rates.cause_loading else 0
    cause = drift_slowly(rng, BLOCK, cells, np.exp(-GRID / rates.cause_days))
    person, time, kind, start = live(rng, *rows, prone, cause, rates.cause_loading, GRID, burn, end)
    return Lives(person, time, kind, start, cause[:, round(burn / GRID) :])


def _proneness(rates: OnsetRates, rng: np.random.Generator) -> Float[np.ndarray, "people 2"]:
    """Each person's lasting multipliers of the two onset rates: log-normal with mean one."""
    z = rng.standard_normal((BLOCK, 2))
    r = rates.proneness_correlation
    z[:, 1] = r * z[:, 0] + np.sqrt(1 - r**2) * z[:, 1]
    return np.asarray(np.exp(rates.proneness * z - rates.proneness**2 / 2))


def _admitted(lives: Lives, entry: Entry) -> Lives:
    """Those who may enter the study."""
    if entry not in ("free", "free_of_pain"):
        return lives
    barred = lives.start if entry == "free" else lives.start[:, 1:]
    return _chosen(lives, np.flatnonzero(barred.sum(axis=1) == 0))


def _chosen(lives: Lives, chosen: Int[np.ndarray, "chosen"]) -> Lives:
    """The lives of some people, renumbered from 0 in order."""
    number = np.full(lives.people, -1)
    number[chosen] = np.arange(chosen.size)
    kept = number[lives.person] >= 0
    return Lives(
        number[lives.person[kept]], lives.time[kept], lives.kind[kept], lives.start[chosen], lives.cause[chosen]
    )


def _joined(parts: list[Lives], people: int) -> Lives:
    """All parts as one, cut to ``people``."""
    first = np.cumsum([0, *(part.people for part in parts)])
    whole = Lives(
        np.concatenate([part.person + shift for part, shift in zip(parts, first, strict=False)]),
        np.concatenate([part.time for part in parts]),
        np.concatenate([part.kind for part in parts]),
        np.concatenate([part.start for part in parts]),
        np.concatenate([part.cause for part in parts]),
    )
    return _chosen(whole, np.arange(people))
