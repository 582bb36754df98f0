"""Speed and calibration of the diary design.

    python benchmarks/diary.py --speed
    python benchmarks/diary.py --calibration --worlds 200 --out diary_calibration.jsonl [--scenario "one person, 150"]
    python benchmarks/diary.py --summary --out diary_calibration.jsonl

Calibration can be stopped and taken up again: worlds already in the file are not run anew, and the summary is of all
that the file holds. The scenarios that are hardest (`FIRST`) come first, then the rest. Worlds come from
`bothways.simulation`, which shares no code with what is judged.

Of 2,000 worlds a shape, two arrows each, Monte Carlo errors in brackets: coverage 95.5 % (0.3) for one person asked 150
times, 96.3 % (0.3) for 500, 95.1 % (0.3) for 60 people asked 50 times; null arrows read "predicts" in 4.6 % (0.5), 4.0
(0.5) and 4.6 % (0.5). The hardest cell, a null world of one person asked 150 times who drops out by state (one in seven
is left with fewer than 50 answers and refused): coverage 93.5 % (1.3), "predicts" in 6.5 % (1.3).

A world of one person costs 1.2 to 1.7 seconds of CPU, most of them the bootstrap; one of 60 people 0.6. Each row also
holds the errors before the bootstrap widened them, so that what it does can be read from the same run.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bothways.designs.diary import DiaryDesign
from bothways.designs.diary.answers import DIRECTIONS, effect_at
from bothways.designs.diary.design import DRAWS
from bothways.designs.diary.estimation import choose, fit_pair, resampled
from bothways.designs.diary.lags import choose_lags
from bothways.designs.diary.setup import set_up
from bothways.engine.statespace.fit import fit_series, objective, total_and_gradient
from bothways.engine.statespace.inference import covariance
from bothways.engine.statespace.personal_fit import fit_personal
from bothways.engine.statespace.series import Series, make_series
from bothways.engine.statespace.structure import multivariate
from bothways.simulation import Observation, simulate
from bothways.terms.question import Facet, Question, Scale
from bothways.terms.settings import Settings
from bothways.terms.verdict import Reading, read_estimate

SMALLEST = 0.05
HEADS = (("n", 5), ("truth", 6), ("bias", 14), ("coverage", 13), ("predicts", 13), ("fail", 4), ("refused", 7))


@dataclass(frozen=True)
class Scenario:
    """A world and how it is looked at."""

    name: str
    world: str
    people: int
    answers: int
    look: Observation


LOOKS = {
    "clean": Observation(missing=0.1),
    "error": Observation(error=0.4, missing=0.1),
    "drop-out by state": Observation(error=0.4, missing=0.2, missing_follows=0.7, dropout=0.003, dropout_follows=0.7),
}
SHAPES = {"one person, 150": (1, 150), "one person, 500": (1, 500), "60 people, 50": (60, 50)}
WORLDS = ("null", "depression-first", "both-ways")
SCENARIOS = tuple(
    Scenario(f"{shape}; {world}; {look}", world, *SHAPES[shape], LOOKS[look])
    for shape in SHAPES
    for world in WORLDS
    for look in LOOKS
)
FIRST = tuple(s for s in SCENARIOS if s.world in ("null", "both-ways") and s.look.error)


def one_world(scenario: Scenario, seed: int) -> dict[str, object]:
    """Simulate, fit, and write down both directions beside the truth."""
    stream = np.random.default_rng([seed, SCENARIOS.index(scenario)])
    world = simulate(
        scenario.world, people=scenario.people, waves=scenario.answers, seed=stream, design="diary",
        observation=scenario.look,
    )  # fmt: skip
    refusal = DiaryDesign().refuse(world.records, Settings())
    if refusal is not None:
        return {"scenario": scenario.name, "seed": seed, "outcome": "refused"}
    began = time.process_time()
    setup = set_up(world.records)
    lags = choose_lags(setup, ())
    plain, with_error = fit_pair(setup)
    chosen = choose(plain, with_error)
    if scenario.people == 1 and chosen.usable:
        chosen = resampled(chosen, DRAWS, seed)
    row: dict[str, object] = {
        "scenario": scenario.name, "seed": seed, "model": chosen.name, "outcome": chosen.fit.outcome.value,
        "limits": list(chosen.fit.at_limit),
    }  # fmt: skip
    if chosen.usable:
        for direction in DIRECTIONS:
            value = effect_at(chosen, np.array([lags.headline]), direction, 0.95)[0]
            question = Question(world.records.pair, Facet.STRENGTH, direction, Scale.SD_PER_SD, horizon=lags.headline)
            row[direction.value] = [value.value, value.low, value.high, value.se, world.truth(question).value]
            bare = effect_at(replace(chosen, draws=None), np.array([lags.headline]), direction, 0.95)[0]
            row[f"{direction.value} before the bootstrap"] = bare.se
    row["seconds"] = time.process_time() - began
    return row


def calibrate(worlds: int, out: Path, wanted: str) -> None:
    """Run what is not yet in the file, the hardest scenarios first, then print the summary."""
    done = {(row["scenario"], row["seed"]) for row in _read(out)}
    rest = tuple(s for s in SCENARIOS if s not in FIRST)
    with out.open("a") as file:
        for scenarios in (FIRST, rest):
            for seed in range(worlds):
                for scenario in scenarios:
                    if wanted in scenario.name and (scenario.name, seed) not in done:
                        file.write(json.dumps(one_world(scenario, seed)) + "\n")
                        file.flush()
    summarise(out)


def summarise(out: Path) -> None:
    """Coverage, readings and bias by scenario and direction, each with its Monte Carlo error."""
    groups = defaultdict(list)
    refused: dict[str, int] = defaultdict(int)
    for row in _read(out):
        refused[row["scenario"]] += row["outcome"] == "refused"
        for direction in ("a_to_b", "b_to_a"):
            if row["outcome"] != "refused":
                groups[row["scenario"], direction].append(row.get(direction))
    heads = "".join(f" {head:>{wide}s}" for head, wide in HEADS)
    print(f"{'scenario':52s} {'dir':7s}{heads}")
    for (name, direction), rows in groups.items():
        found = np.array([row for row in rows if row is not None])
        failed = sum(row is None for row in rows)
        if len(found) < 2:
            continue
        value, low, high, _, truth = found.T
        covers = np.mean((low <= truth) & (truth <= high))
        reads = np.mean([_reads(*row[:4]) for row in found])
        n = len(found)
        print(
            f"{name:52s} {direction:7s} {n:5d} {truth.mean():6.3f} "
            f"{np.mean(value - truth):+.3f} ({np.std(value - truth) / np.sqrt(n):.3f}) "
            f"{covers:.3f} ({np.sqrt(covers * (1 - covers) / n):.3f}) "
            f"{reads:.3f} ({np.sqrt(reads * (1 - reads) / n):.3f}) {failed:4d} {refused[name]:7d}"
        )

    for shape in SHAPES:
        _pooled(shape, {key: rows for key, rows in groups.items() if key[0].startswith(shape)})


def _pooled(shape: str, groups: dict[tuple[str, str], list]) -> None:
    """All worlds of one shape together: coverage, and how often a null arrow reads "predicts"."""
    found = np.array([row for rows in groups.values() for row in rows if row is not None])
    if len(found) < 2:
        return
    covers = (found[:, 1] <= found[:, 4]) & (found[:, 4] <= found[:, 2])
    null = np.array([_reads(*row[:4]) for row in found if row[4] == 0.0])
    share, false = covers.mean(), null.mean()
    print(
        f"{shape}: coverage {share:.3f} ({np.sqrt(share * (1 - share) / len(found)):.3f}, n = {len(found)}), "
        f"null arrows read 'predicts' {false:.3f} ({np.sqrt(false * (1 - false) / null.size):.3f}, n = {null.size})"
    )


def _reads(value: float, low: float, high: float, se: float) -> bool:
    from bothways.terms.answer import Estimate

    number = Estimate(value, low, high, se, Scale.SD_PER_SD, 1)
    return read_estimate(number, SMALLEST) is Reading.PREDICTS


def _read(out: Path) -> list[dict]:
    return [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []


def speed() -> None:
    """The shapes of the design note: seconds of CPU after compilation, which is timed first."""
    _clock("first use (compiles, or loads what was compiled)", lambda: _fit("null", 10, 20, False))
    _clock("first use with three processes", lambda: _gradient(3, 5, 10))
    _clock("whole fit with errors, 1 x 500", lambda: _fit("both-ways", 1, 500, False))
    _clock("whole fit with errors, 100 x 50, random means", lambda: _fit("both-ways", 100, 50, False))
    _clock("the same with errors of measurement", lambda: _fit("both-ways", 100, 50, True))
    _clock("one gradient, 1 x 1,476, four processes", lambda: _gradient(4, 1, 1476), 20)
    _clock("one gradient, 1,000 x 100, four processes", lambda: _gradient(4, 1000, 100), 5)
    _clock("one gradient, 10,000 x 20 on common days, complete", lambda: _common(10_000, 20), 5)
    _clock("random dynamics, 100 x 50", lambda: _personal(100, 50))
    _clock("whole fit, 10,000 x 100, random means", lambda: _fit("both-ways", 10_000, 100, False))
    print(f"most memory so far: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")


def _clock(what: str, prepare: Callable[[], Callable[[], object]], times: int = 1) -> None:
    """Preparation is not timed."""
    run = prepare()
    began, wall = time.process_time(), time.perf_counter()
    for _ in range(times):
        run()
    cpu, seconds = (time.process_time() - began) / times, (time.perf_counter() - wall) / times
    print(f"{what:55s} {cpu:8.3f} s of CPU, {seconds:8.3f} s")


def _series(world: str, people: int, answers: int) -> Series:
    made = simulate(world, people=people, waves=answers, seed=1, design="diary", observation=Observation(missing=0.1))
    return set_up(made.records, trend=False).series


def _fit(world: str, people: int, answers: int, error: bool) -> Callable[[], object]:
    series = _series(world, people, answers)
    structure = multivariate(("a", "b"), random_means=people > 1, error=error)
    return lambda: covariance(fit_series(structure, series))


def _personal(people: int, answers: int) -> Callable[[], object]:
    fit = fit_series(multivariate(("a", "b"), random_means=True), _series("both-ways", people, answers))
    random = tuple(
        n for n in fit.structure.names if n.startswith(("drift", "diffusion_root[a,a]", "diffusion_root[b,b]"))
    )
    return lambda: fit_personal(fit, random, np.random.default_rng(1))


def _gradient(p: int, people: int, answers: int) -> Callable[[], object]:
    rng = np.random.default_rng(1)
    time_of = np.concatenate([np.cumsum(rng.uniform(0.05, 1.0, answers)) for _ in range(people)])
    series = make_series(np.repeat(np.arange(people), answers), time_of, rng.normal(size=(people * answers, p)))
    structure = multivariate(tuple("abcd"[:p]), random_means=False)
    theta = np.full(structure.size, 0.1)
    return lambda: total_and_gradient(structure, series, theta)


def _common(people: int, days: int) -> Callable[[], object]:
    """Everybody asked on the same days, and nothing missing: persons of one pattern count as one."""
    rng = np.random.default_rng(1)
    time_of, basis = np.tile(np.arange(float(days)), people), np.ones((people * days, 1))
    person = np.repeat(np.arange(people), days)
    series = make_series(person, time_of, rng.normal(size=(people * days, 2)), basis=basis)
    structure = multivariate(("a", "b"), random_means=True, error=True)
    wanted = objective(structure, series)
    return lambda: wanted(np.full(structure.size, 0.1))


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speed", action="store_true")
    parser.add_argument("--calibration", action="store_true")
    parser.add_argument("--summary", action="store_true")
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--scenario", default="")
    parser.add_argument("--out", type=Path, default=Path("diary_calibration.jsonl"))
    asked = parser.parse_args()
    if asked.calibration:
        calibrate(asked.worlds, asked.out, asked.scenario)
    if asked.summary:
        summarise(asked.out)
    if asked.speed:
        speed()


if __name__ == "__main__":
    main()
