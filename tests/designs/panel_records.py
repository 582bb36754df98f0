"""Records of small panels for the tests of the panel design."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bothways.terms.question import Condition, Pair
from bothways.terms.records import Records, Roles, Source, TimeUnit

PAIR = Pair(Condition("depression", "depression"), Condition("back_pain", "back pain"))
REFERENCE = Path(__file__).parents[1] / "reference"


def records_of(
    scores: Mapping[str, np.ndarray],
    *,
    pair: Pair = PAIR,
    days: Sequence[float] | None = None,
    baseline: Mapping[str, np.ndarray] | None = None,
    **roles: object,
) -> Records:
    """Records from arrays (people, waves) by variable; rows without any answer are left out."""
    people = len(next(iter(scores.values())))
    seen = np.any([np.isfinite(x) for x in scores.values()], axis=0)
    seen[:, 0] = True
    person, wave = np.nonzero(seen)
    when = wave.astype(float) if days is None else np.asarray(days, float)[wave]
    return Records(
        pair=pair,
        person=person.astype(np.int64),
        time=when,
        time_unit=TimeUnit.WAVE if days is None else TimeUnit.DAY,
        values={key: np.asarray(x, float)[seen] for key, x in scores.items()},
        roles=replace(Roles("id", "wave", (pair.a.key,), (pair.b.key,)), **roles),  # type: ignore[arg-type]
        source=Source("test", "0", len(person), people),
        wave=wave.astype(np.int64),
        wave_days=None if days is None else np.asarray(days, float),
        baseline=dict(baseline or {}),
    )


def simulated_scores(
    people: int = 300,
    waves: int = 4,
    seed: int = 0,
    effects: tuple[float, float] = (0.2, 0.1),
    missing: float = 0.1,
    own: float = 0.35,
) -> dict[str, np.ndarray]:
    """A random-intercept panel drawn step by step: ``effects`` are the raw lags (A to B, B to A)."""
    random = np.random.default_rng(seed)
    trait = random.normal(size=(people, 2)) @ np.array([[1.0, 0.4], [0.0, 0.9]])
    state = random.normal(size=(people, 2))
    B = np.array([[own, effects[1]], [effects[0], own]])
    y = np.empty((people, waves, 2))
    for t in range(waves):
        state = state if t == 0 else state @ B.T + random.normal(scale=0.9, size=(people, 2))
        y[:, t] = trait + state
    y[random.random(y.shape) < missing] = np.nan
    return {"depression": 10 + 4 * y[:, :, 0], "back_pain": 5 + 2 * y[:, :, 1]}


def exported_case() -> dict[str, np.ndarray]:
    """The wide table of tests/reference/data/exported.csv, by column."""
    with (REFERENCE / "data" / "exported.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    return {name: np.array([float(row[name]) if row[name] else np.nan for row in rows]) for name in rows[0]}


def exported_records(days: Sequence[float] | None = (0, 90, 180, 270), **roles: object) -> Records:
    """That table as records; ``roles`` name covariates and clusters."""
    columns = exported_case()
    scores = {
        key: np.column_stack([columns[f"{key}_{t}"] for t in range(1, 5)])
        for key in ("depression", "back_pain", "sleep")
    }
    fixed = {key: columns[key] for key in ("age", "sex")} | {"clinic": columns["cluster"]}
    return records_of(scores, days=days, baseline=fixed, **roles)
