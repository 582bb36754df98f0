"""A design small enough to check by hand: within-person regression of one wave on the wave before, by least squares."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bothways.terms.answer import Answer, DesignResult, Estimand, Estimate, Status
from bothways.terms.question import Condition, Direction, Facet, Pair, Question, Scale
from bothways.terms.records import Events, Records, Roles, Source, TimeUnit
from bothways.terms.settings import Settings

PAIR = Pair(Condition("depression", "depression"), Condition("back_pain", "back pain"))


def records_of(a: np.ndarray, b: np.ndarray, **more: object) -> Records:
    """Records of two arrays (people, waves); people without an answer at a wave have no row there."""
    seen = np.isfinite(a) | np.isfinite(b)
    person, wave = np.nonzero(seen)
    made = Records(
        pair=PAIR,
        person=person.astype(np.int64),
        time=wave.astype(float) * 30,
        time_unit=TimeUnit.DAY,
        values={"depression": a[seen], "back_pain": b[seen]},
        roles=Roles("id", "wave", ("depression",), ("back_pain",)),
        source=Source("test", "0", len(person), len(a)),
        wave=wave.astype(np.int64),
        wave_days=np.arange(a.shape[1]) * 30.0,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def world(people: int = 400, waves: int = 5, lag: float = 0.3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Scores in which A leads to B by ``lag`` and nothing leads back."""
    random = np.random.default_rng(seed)
    a, b = np.zeros((people, waves)), np.zeros((people, waves))
    a[:, 0], b[:, 0] = random.normal(size=(2, people))
    for t in range(1, waves):
        a[:, t] = 0.3 * a[:, t - 1] + random.normal(size=people)
        b[:, t] = 0.3 * b[:, t - 1] + lag * a[:, t - 1] + random.normal(size=people)
    return a, b


def wide(records: Records, key: str) -> np.ndarray:
    table = np.full((records.people, records.waves or 0), np.nan)
    table[records.person, records.wave] = records.values[key]
    return table


def lagged(records: Records, settings: Settings) -> DesignResult:
    """Both lags of the pooled regression of each condition on both a wave before, as a design would hand them in."""
    a, b = (wide(records, c.key) for c in (records.pair.a, records.pair.b))
    answers = []
    for direction, x, y in ((Direction.A_TO_B, a, b), (Direction.B_TO_A, b, a)):
        rows = np.column_stack([x[:, :-1].ravel(), y[:, :-1].ravel(), y[:, 1:].ravel()])
        rows = rows[np.isfinite(rows).all(axis=1)]
        design = np.column_stack([np.ones(len(rows)), rows[:, :2]])
        slope, left, *_ = np.linalg.lstsq(design, rows[:, 2], rcond=None)
        spread = float(left[0]) / (len(rows) - 3) * np.linalg.inv(design.T @ design)
        answers.append(answer(direction, float(slope[1]), float(np.sqrt(spread[1, 1])), records.pair, records.people))
    return DesignResult("panel", tuple(answers))


def answer(direction: Direction, value: float, se: float, pair: Pair = PAIR, people: int = 400) -> Answer:
    """A headline lag with its interval."""
    return Answer(
        id=f"panel.{direction}",
        question=Question(pair, Facet.STRENGTH, direction),
        design="panel",
        model="ri-clpm",
        estimand=Estimand.CROSS_LAG,
        status=Status.ANSWERED,
        estimate=Estimate(value, value - 1.96 * se, value + 1.96 * se, se, Scale.SD_PER_SD, people),
        target="later",
        lag_waves=1.0,
        headline=True,
    )


def with_events(records: Records, person: list[int], time: list[float], onset: list[int]) -> Records:
    events = Events(np.array(person, np.int64), np.array(time, float), np.array(onset, np.int64))
    return replace(records, events={"depression": events})
