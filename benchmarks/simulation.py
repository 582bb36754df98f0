"""How long simulated worlds take: `python benchmarks/simulation.py`.

Prints wall and CPU seconds of each job, the median of three runs after one that compiles the kernels.
"""

from __future__ import annotations

import statistics
import time
from collections import deque
from collections.abc import Callable

from bothways.simulation import Observation, simulate, simulate_each, simulate_many
from bothways.terms.question import Direction, Facet, Question

LOSSES = Observation(missing=0.2, missing_follows=0.5, dropout=0.05)


def drained(worlds: object) -> None:
    deque(worlds, maxlen=0)  # type: ignore[call-overload]


def truth_of_chronic_only() -> None:
    world = simulate("chronic-only", people=10)
    world.truth(Question(world.pair, Facet.STRENGTH, Direction.B_TO_A))


JOBS: dict[str, Callable[[], object]] = {
    "panel, 10,000 people x 10 waves, direct arrows": lambda: simulate("both-ways", people=10_000, waves=10),
    "panel, 10,000 people x 10 waves, all mediators": lambda: simulate(
        "both-ways", people=10_000, waves=10, mediators="modelled"
    ),
    "panel, 10,000 people x 10 waves, chronic-only": lambda: simulate("chronic-only", people=10_000, waves=10),
    "onset, 5,000 people x 6 visits": lambda: simulate("both-ways", people=5000, design="onset"),
    "diary, 100 people x 50 prompts": lambda: simulate("both-ways", people=100, design="diary"),
    "diary, 1 person x 500 prompts": lambda: simulate("both-ways", people=1, waves=500, design="diary"),
    "2,000 panels of 1,000 x 5": lambda: drained(simulate_many("both-ways")),
    "2,000 panels of 1,000 x 5, answers missing": lambda: drained(simulate_many("both-ways", observation=LOSSES)),
    "100 chronic-only panels of 1,000 x 5": lambda: drained(simulate_each("chronic-only", worlds=100)),
    "truth of chronic-only, 40,000 pairs of lives": truth_of_chronic_only,
}


def main() -> None:
    for name, job in JOBS.items():
        job()
        walls, processor = [], []
        for _ in range(3):
            wall, cpu = time.perf_counter(), time.process_time()
            job()
            walls.append(time.perf_counter() - wall)
            processor.append(time.process_time() - cpu)
        print(f"{name:50s} {statistics.median(walls):8.2f} s wall {statistics.median(processor):8.2f} s CPU")


if __name__ == "__main__":
    main()
