"""How long, and in how much memory, a whole process looks at 1,000,000 rows x 20 columns of CSV.

    python benchmarks/intake.py [--rows 1000000] [--repeat 3] [--command]

Goal: under 4 s and 1.5 GB on two cores, imports included. ``--command`` times ``bothways look`` as a user runs it,
instead of ``read`` and ``describe`` alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import polars as pl

GOAL_SECONDS, GOAL_GIGABYTES = 4.0, 1.5
LOOK = """
import sys
from bothways.intake import describe, read
from bothways.topics import load_topic
describe(read(sys.argv[1], topic=load_topic("depression-back-pain")))
"""


def write_table(path: Path, rows: int, waves: int = 5) -> None:
    """A long panel of 20 columns: id, wave, two conditions with gaps, a group, 15 other measurements."""
    rng = np.random.default_rng(20)
    people = rows // waves
    trait = np.repeat(rng.standard_normal(people), waves)
    columns = {
        "id": np.repeat(np.arange(people), waves),
        "wave": np.tile(np.arange(1, waves + 1), people),
        "phq9": np.clip(np.round(6 + 3 * trait + 3 * rng.standard_normal(people * waves)), 0, 27),
        "pain": np.clip(np.round(3 + trait + 2 * rng.standard_normal(people * waves)), 0, 10),
        "group": np.repeat(rng.integers(0, 2, people), waves),
    }
    for k in range(15):
        columns[f"measure_{chr(97 + k)}"] = np.round(trait + rng.standard_normal(people * waves), 3)
    table = pl.DataFrame(columns)
    lost = pl.Series(rng.random(people * waves) < 0.1)
    table.with_columns(pl.when(lost).then(None).otherwise(pl.col("phq9")).alias("phq9")).write_csv(path)


def run_once(command: list[str]) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and the peak memory in gigabytes of one fresh process."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"the run ended with exit code {process.returncode}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / (1 << 20)


def main() -> None:
    """Write the table, look at it some times, say the best and the worst."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--command", action="store_true", help="time `bothways look` as a user runs it")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "panel.csv"
        write_table(table, given.rows)
        look = ["-m", "bothways", "look", str(table)] if given.command else ["-c", LOOK, str(table)]
        runs = [run_once([sys.executable, *look]) for _ in range(given.repeat)]
    seconds, processor, memory = zip(*runs, strict=True)
    print(f"{given.rows:,} rows x 20 columns: {min(seconds):.2f} to {max(seconds):.2f} s, {max(memory):.2f} GB at most")
    print(f"processor time, all cores together: {min(processor):.2f} to {max(processor):.2f} s")
    print(f"goal at 1,000,000 rows: under {GOAL_SECONDS:g} s and {GOAL_GIGABYTES:g} GB")


if __name__ == "__main__":
    main()
