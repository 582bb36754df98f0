"""How long `bothways ask --quick` takes with its report, and the panel design's own share of it.

    python benchmarks/ask.py [--people 1000,100000] [--waves 5] [--runs 5] [--missing 0.2]

Each run is a new process, as a person would start it: start, read a CSV, ask, write the HTML report. Below it, in one
process and after a first call, the panel design alone: setting up, fitting, and writing its answers and tables. Wall
and CPU seconds, medians over runs; compiled code comes from numba's cache, which the first run fills.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import polars as pl

from bothways.designs.panel import PanelDesign
from bothways.designs.panel.answers import answers_of
from bothways.designs.panel.design import fit_all
from bothways.designs.panel.setup import prepare
from bothways.designs.panel.tables import tables_of
from bothways.simulation import Observation, World, simulate
from bothways.terms.progress import silent
from bothways.terms.settings import Settings

LIMITS = {1_000: 3.0, 100_000: 6.0}


def main() -> int:
    """Time every size; exit code 1 where a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", default="1000,100000")
    parser.add_argument("--waves", type=int, default=5)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--missing", type=float, default=0.2)
    given = parser.parse_args()
    held = True
    for people in (int(part) for part in given.people.split(",")):
        world = simulate(
            "both-ways", people=people, waves=given.waves, seed=1, observation=Observation(missing=given.missing)
        )
        held &= whole(world, people, given.runs)
        own_share(world, given.runs)
    return 0 if held else 1


def whole(world: World, people: int, runs: int) -> bool:
    """The command, from start to report."""
    with tempfile.TemporaryDirectory() as place:
        data = Path(place) / "panel.csv"
        pl.DataFrame(world.table(), nan_to_null=True).write_csv(data)
        command = ["ask", str(data), "--quick", "--report", str(Path(place) / "answer.html")]
        times = [_command(command) for _ in range(runs + 1)][1:]
        size = (Path(place) / "answer.html").stat().st_size
    wall, cpu = (statistics.median(t[k] for t in times) for k in (0, 1))
    limit = LIMITS.get(people)
    print(
        f"\n{people:,} people: bothways ask --quick --report: {wall:.2f} s wall, {cpu:.2f} s CPU, {size / 1e6:.2f} MB"
    )
    if limit is None:
        return True
    print(f"  limit {limit:.1f} s wall: {'held' if wall < limit else 'MISSED'}")
    return wall < limit


def _command(words: list[str]) -> tuple[float, float]:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "bothways", *words], check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, cpu


def own_share(world: World, runs: int) -> None:
    """The parts of the panel design, in this process."""
    how = Settings(quick=True)
    PanelDesign().answer(world.records, how, silent)
    parts: dict[str, list[tuple[float, float]]] = {}
    for _ in range(runs):
        clock = _Clock(parts)
        PanelDesign().refuse(world.records, how)
        clock("refuse or not")
        setup = prepare(world.records)
        clock("set up")
        room = fit_all(setup, how, silent)
        clock("fit the models")
        answers_of(room)
        clock("answers")
        tables_of(room)
        clock("tables")
    for name, times in parts.items():
        wall, cpu = (statistics.median(t[k] for t in times) for k in (0, 1))
        print(f"  {name:16} {wall:7.3f} s wall {cpu:7.3f} s CPU")


class _Clock:
    """Keeps what passed since it was last asked."""

    def __init__(self, parts: dict[str, list[tuple[float, float]]]) -> None:
        self.parts = parts
        self.last = time.perf_counter(), time.process_time()

    def __call__(self, name: str) -> None:
        now = time.perf_counter(), time.process_time()
        self.parts.setdefault(name, []).append((now[0] - self.last[0], now[1] - self.last[1]))
        self.last = time.perf_counter(), time.process_time()


if __name__ == "__main__":
    sys.exit(main())
