"""Small panels made on the spot, as columns of plain arrays."""

from __future__ import annotations

import numpy as np

Columns = dict[str, np.ndarray]


def long_panel(people: int = 120, waves: int = 3, seed: int = 0, missing: float = 0.1) -> Columns:
    """A long panel with columns id, wave, depression, back_pain, age; pain at a wave follows depression before it."""
    random = np.random.default_rng(seed)
    trait = random.normal(size=(people, 2)) @ np.array([[1.0, 0.5], [0.0, 0.9]])
    state = random.normal(size=(people, 2))
    scores = np.empty((people, waves, 2))
    for wave in range(waves):
        scores[:, wave] = np.round(10 + 3 * (trait + state), 3)
        state = state @ np.array([[0.4, 0.3], [0.0, 0.4]]) + random.normal(scale=0.8, size=(people, 2))
    scores[random.random(scores.shape) < missing] = np.nan
    return {
        "id": np.repeat(np.arange(people) + 101, waves),
        "wave": np.tile(np.arange(waves) + 1, people),
        "depression": scores[:, :, 0].ravel(),
        "back_pain": scores[:, :, 1].ravel(),
        "age": np.repeat(random.integers(20, 70, people), waves).astype(float),
    }


def wide(columns: Columns) -> Columns:
    """The same panel, one row a person: depression_t1, depression_t2, ..."""
    waves = np.unique(columns["wave"])
    first = columns["wave"] == waves[0]
    table = {"id": columns["id"][first], "age": columns["age"][first]}
    for name in ("depression", "back_pain"):
        table |= {f"{name}_t{wave}": columns[name][columns["wave"] == wave] for wave in waves}
    return table


def csv_text(columns: Columns) -> str:
    """A comma-separated text, empty where missing."""
    rows = (
        ",".join("" if isinstance(x, float) and np.isnan(x) else str(x) for x in row)
        for row in zip(*columns.values(), strict=True)
    )
    return "\n".join([",".join(columns), *rows]) + "\n"
