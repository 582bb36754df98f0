"""The g-formula: how long 200 bootstrap replicates take, and how often its intervals and those of weighting hold.

Run: python benchmarks/gformula.py
     python benchmarks/gformula.py coverage WORLDS FILE     (a line of JSON for each world; picks up where it stopped)

The first times both directions' worth of work for one direction: 2,500 people at seven visits, with a confounder that
the exposure changes and two mediators. Seconds are wall-clock and processor time; compilation is done beforehand. The
second simulates worlds in which anxiety is changed by each condition and changes both, so that leaving it out and
adjusting for it in a regression are both wrong.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from bothways.designs.sustained.answers import structural_estimate
from bothways.designs.sustained.effects import estimate, total
from bothways.designs.sustained.estimation import find
from bothways.designs.sustained.setup import SustainedSetup, prepare
from bothways.simulation.sustained_world import VisitWorld, simulate_visits
from bothways.terms.progress import silent
from bothways.terms.question import Direction, Facet, Question, Scale
from bothways.terms.records import Records
from bothways.terms.settings import Settings

PEOPLE, VISITS, REPLICATES, CORES = 2500, 7, 200, 2
WORLD, SMALL = "both-ways", (1000, 5)
WAY = Direction.A_TO_B


def with_mediators(records: Records, count: int) -> Records:
    """The first ``count`` mediators only."""
    return replace(records, roles=replace(records.roles, pathways=records.roles.pathways[:count]))


def timed(mediators: int) -> tuple[float, float]:
    """Wall-clock and processor seconds of one direction with everything that the design computes for it."""
    records = with_mediators(simulate_visits("only-sleep", PEOPLE, VISITS, 7).records, mediators)
    settings = Settings(bootstrap=REPLICATES, workers=CORES)
    find(prepare(records, settings), WAY, replace(settings, bootstrap=2), 1, silent)
    wall, processor = time.perf_counter(), time.process_time()
    found = find(prepare(records, settings), WAY, settings, 1, silent)
    assert found.usable, found.says
    assert found.simulated.converged.all()
    return time.perf_counter() - wall, time.process_time() - processor


def naive(setup: SustainedSetup) -> tuple[float, float]:
    """Difference and SE from a regression of the last outcome on the exposures, adjusted for all that was measured."""
    H = setup.histories(WAY)
    y, a = H.values[:, -1, 0], H.values[:, :-1, -1]
    X = np.column_stack([np.ones(len(y)), a[:, -1], a[:, :-1].mean(axis=1), H.values[:, :-1, 1], H.values[:, :-1, 0]])
    inverse = np.linalg.inv(X.T @ X)
    coef = inverse @ X.T @ y
    meat = (X * (y - X @ coef)[:, None]).T @ (X * (y - X @ coef)[:, None])
    ends = np.zeros(X.shape[1])
    ends[1:3] = 1.0
    return float(ends @ coef), float(np.sqrt(ends @ inverse @ meat @ inverse @ ends))


def one_world(world: VisitWorld) -> dict[str, tuple[float, float, float]]:
    """(value, low, high) of the risk difference by each method."""
    settings = Settings(bootstrap=REPLICATES, workers=1)
    setup = prepare(world.records, settings)
    found = find(setup, WAY, settings, 1, silent)
    assert found.weighted is not None
    out = {}
    rows = {
        "g-formula": estimate(found, 0, total(True), Scale.RISK_DIFFERENCE, 0.95, events=None),
        "weighting": structural_estimate(found.weighted.plain, Scale.RISK_DIFFERENCE, 0.95),
        "truncated": structural_estimate(found.weighted.truncated, Scale.RISK_DIFFERENCE, 0.95),
        "unadjusted": structural_estimate(found.weighted.crude, Scale.RISK_DIFFERENCE, 0.95),
    }
    for name, row in rows.items():
        assert row is not None
        out[name] = (row.value, row.low, row.high)
    value, se = naive(setup)
    out["regression"] = (value, value - 1.96 * se, value + 1.96 * se)
    return out


def coverage(worlds: int, file: Path) -> None:
    """Simulate what is still missing, then tell bias and coverage with their Monte Carlo errors."""
    known = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    for seed in range(len(known) + 1, worlds + 1):
        row = one_world(simulate_visits(WORLD, *SMALL, seed))
        with file.open("a") as out:
            out.write(json.dumps(row) + "\n")
        known.append(row)
    made = simulate_visits(WORLD, *SMALL, 1)
    truth = made.truth(Question(made.records.pair, Facet.STRENGTH, WAY, Scale.RISK_DIFFERENCE))
    print(f"{len(known)} worlds of {SMALL[0]:,} people at {SMALL[1]} visits; true difference {truth.value:.4f}")
    for name in known[0]:
        value, low, high = np.array([row[name] for row in known]).T
        held = ((low <= truth.value) & (truth.value <= high)).mean()
        error = np.sqrt(held * (1 - held) / len(known))
        bias, spread = value.mean() - truth.value, value.std(ddof=1)
        print(
            f"{name:12s} bias {bias:+.4f} (MCSE {spread / np.sqrt(len(known)):.4f})   SD {spread:.4f}   "
            f"covers {held:.1%} (MCSE {error:.1%})"
        )


def main() -> None:
    """Time it, or count how often intervals hold."""
    if sys.argv[1:2] == ["coverage"]:
        coverage(int(sys.argv[2]), Path(sys.argv[3]))
        return
    print(f"{REPLICATES} replicates, {PEOPLE:,} people, {VISITS} visits, {CORES} threads, seconds wall (processor)")
    for mediators in (0, 1, 2, 5):
        wall, processor = timed(mediators)
        print(f"one direction, {mediators} mediators: {wall:6.1f} ({processor:.1f})")


if __name__ == "__main__":
    main()
