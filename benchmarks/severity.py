"""Is "only clinical depression acts" found where it is so, and not where any depression acts?

    python benchmarks/severity.py --worlds 200 [--people 2500] [--kept FILE]

`severe-only` (depression acts on back pain only while it is severe) and its twin `any-depression`, as panels of five
waves. Found: p < 0.05 of the panel's contrast between the levels of `clinical_depression`, which is the status at the
wave before. The truth is the difference of effects between those who were severe and the others when depression was
raised by one SD. Every share stands with its Monte Carlo error; seeds are 1, 2, ... and give the same digits on every
machine. Worlds that a kept file holds are not made again.

With 2,500 people, 200 worlds each: `severe-only`: found in 97.0 % (±1.2), mean 0.208 where the truth is 0.199, mean
standard error 0.057; the way back, where nothing acts, in 7.5 % (±1.9), mean 0.000. `any-depression`: found in 5.5 %
(±1.6), mean -0.002; the way back in 5.0 % (±1.5).
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from bothways.designs.panel.design import fit_all
from bothways.designs.panel.setup import prepare
from bothways.designs.panel.whom import in_whom
from bothways.simulation import simulate
from bothways.terms.answer import Estimand
from bothways.terms.progress import silent
from bothways.terms.question import Direction
from bothways.terms.settings import Settings

WORLDS = ("severe-only", "any-depression")
WAVES = 5
ALONE = Settings(headline_only=True)


def contrasts(name: str, people: int, seed: int) -> dict[str, list[float | None]]:
    """By direction: value, standard error and p of the contrast of severe against mild, and its truth."""
    world = simulate(name, people=people, seed=seed, waves=WAVES)
    room = fit_all(prepare(world.records), ALONE, silent)
    rows = [row for row in in_whom(room, silent)[0] if row.estimand is Estimand.INTERACTION and row.estimate]
    return {row.direction.value: [row.estimate.value, row.estimate.se, row.estimate.p] for row in rows if row.estimate}


def run(name: str, worlds: int, people: int, kept: Path | None) -> list[dict[str, list[float]]]:
    """Every world, those that ``kept`` holds read from it."""
    lines = kept.read_text().splitlines() if kept and kept.exists() else []
    done = {(x["world"], x["people"], x["seed"]): x["found"] for x in map(json.loads, lines)}
    for seed in range(1, worlds + 1):
        if (name, people, seed) not in done:
            done[name, people, seed] = contrasts(name, people, seed)
            if kept:
                line = {"world": name, "people": people, "seed": seed, "found": done[name, people, seed]}
                with kept.open("a") as file:
                    file.write(json.dumps(line) + "\n")
    return [done[name, people, seed] for seed in range(1, worlds + 1)]


def told(name: str, found: list[dict[str, list[float]]]) -> str:
    """A line: how often each direction's contrast was found, its mean and mean error."""
    parts = []
    for way in (Direction.A_TO_B.value, Direction.B_TO_A.value):
        rows = np.array([x[way] for x in found if way in x])
        share = float(np.mean(rows[:, 2] < 0.05))
        error = np.sqrt(max(share * (1 - share), 0.25 / len(rows)) / len(rows))
        parts.append(f"{way} found {100 * share:.1f} % (±{100 * error:.1f}), {rows[:, 0].mean():.3f}, "
                     f"error {rows[:, 1].mean():.3f}")  # fmt: skip
    return f"{name}, {len(found)} worlds: {'; '.join(parts)}"


def main() -> None:
    """Read the command line and print a line for each world."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--people", type=int, default=2500)
    parser.add_argument("--kept", type=Path, default=None)
    given = parser.parse_args()
    for name in WORLDS:
        print(told(name, run(name, given.worlds, given.people, given.kept)), flush=True)


if __name__ == "__main__":
    main()
