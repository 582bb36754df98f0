"""Are the onset design's intervals as sure as they say? Simulated worlds, each asked, counted against its truth.

    python benchmarks/onset_calibration.py --worlds 2000 --scenario plain --out onset_calibration.jsonl
    python benchmarks/onset_calibration.py --worlds 200 --scenario rivals --out onset_calibration.jsonl
    python benchmarks/onset_calibration.py --worlds 2000 --scenario carroll --out onset_calibration.jsonl
    python benchmarks/onset_calibration.py --summary --out onset_calibration.jsonl

One line a world; worlds already in the file are not run anew, and the summary is of all that the file holds. Truths
come from `bothways.simulation`, which shares no code with what is judged, and are found when the summary is made.

"plain" scenarios fit the chain alone and keep every answer. "rivals" fit all that `bothways ask` fits: the chain, the
chain with a lasting proneness, with a hidden cause that drifts, and with that cause and no influence; they keep both
rate ratios of each, which one speaks (smallest AIC), and whether the caveat "cannot be told apart from a common cause"
is set. "carroll" is the simulated twin of a published study, beside three naive readings of the same records.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import numpy as np

from bothways.designs.onset.answers import BOTH_WAYS, answers_of, room_of
from bothways.designs.onset.estimation import PATHS, Fits, fit_all, told_apart
from bothways.designs.onset.models import Fitted, plain
from bothways.designs.onset.setup import OnsetSetup, prepare
from bothways.engine.cox import cox, cox_data
from bothways.simulation import Observation, OnsetRates, World, carroll_twin, simulate
from bothways.simulation.catalogue import find
from bothways.terms.answer import Answer, Estimand, Estimate
from bothways.terms.progress import silent
from bothways.terms.question import Direction, Facet, Question, Scale
from bothways.terms.records import Records
from bothways.terms.settings import Settings
from bothways.terms.verdict import Reading, read_estimate

YEAR, LEVEL, REACH = 365.25, 0.95, 1.959963984540054
SETTINGS = Settings(quick=True, level=LEVEL, horizon_days=(5 * YEAR, YEAR))
PREVALENT = Observation(entry="prevalent")  # people as they are: the state at entry goes with what they carry along
Row = dict[str, object]


@dataclass(frozen=True)
class Scenario:
    """A kind of world, how many people are seen how often, and what is fitted to them."""

    name: str
    make: Callable[[np.random.Generator, int], World]
    people: int
    fits: str  # "plain", "rivals" or "twin"
    truths: dict[Direction, float] = field(default_factory=dict)  # rate ratios, where they are all that is judged


def _world(
    name: str, look: Observation, rates: OnsetRates | None = None
) -> Callable[[np.random.Generator, int], World]:
    return lambda rng, people: simulate(name, people=people, seed=rng, design="onset", observation=look, rates=rates)


def _twin(effect: tuple[float, float]) -> Callable[[np.random.Generator, int], World]:
    return lambda rng, people: carroll_twin(people, rng, effect)


def _ratios(a_to_b: float, b_to_a: float) -> dict[Direction, float]:
    return {Direction.A_TO_B: a_to_b, Direction.B_TO_A: b_to_a}


PRONE = OnsetRates(proneness=1.0)  # a lasting proneness of SD 1 on both log onset rates, and no influence
PRONE_BOTH = replace(find("both-ways").onset, proneness=1.0)
PLAIN = ("null", "pain-first", "both-ways")
SCENARIOS = {
    s.name: s
    for s in (
        *(Scenario(f"plain: {w}", _world(w, Observation()), 2000, "plain") for w in PLAIN),
        Scenario("rivals: null, lasting proneness", _world("null", PREVALENT, PRONE), 5000, "rivals", _ratios(1, 1)),
        Scenario("rivals: shared cause that drifts", _world("shared-cause", PREVALENT), 5000, "rivals", _ratios(1, 1)),
        Scenario("rivals: both-ways", _world("both-ways", PREVALENT), 5000, "rivals", _ratios(2, 2)),
        Scenario(
            "rivals: both-ways, lasting proneness", _world("both-ways", PREVALENT, PRONE_BOTH), 5000, "rivals",
            _ratios(2, 2),
        ),
        Scenario("carroll: depression leads to pain", _twin((4.0, 2.0)), 790, "twin", _ratios(4, 2)),
        Scenario("carroll: pain leads to depression", _twin((1.0, 4.0)), 790, "twin", _ratios(1, 4)),
    )
}  # fmt: skip


def made(scenario: Scenario, seed: int) -> World:
    """One world of a scenario; each has a stream of its own."""
    stream = np.random.default_rng([seed, list(SCENARIOS).index(scenario.name)])
    return scenario.make(stream, scenario.people)


def one_world(scenario: Scenario, seed: int) -> Row:
    """Simulate, fit, and write down what is claimed."""
    records = made(scenario, seed).records
    began = time.process_time()
    setup = prepare(records, SETTINGS)
    found = _rivals(setup) if scenario.fits == "rivals" else _chain(setup, scenario.fits == "plain")
    if scenario.fits == "twin":
        found["naive"] = naive(records)
    return {"scenario": scenario.name, "seed": seed, **found, "seconds": time.process_time() - began}


def _chain(setup: OnsetSetup, everything: bool) -> Row:
    """The plain chain: every answer with its interval, or the two ratios."""
    fitted = plain(setup)
    if not everything:
        return {"chain": _both(fitted)}
    room = room_of(setup, SETTINGS, Fits(fitted, fitted))
    shown = (a for a in answers_of(room) if a.model != "observed")
    return {"answers": {_name(a): None if a.estimate is None else _limits(a.estimate) for a in shown}}


def _name(answer: Answer) -> str:
    return f"{answer.id.removeprefix('onset.')}@{answer.horizon_days:g}" if answer.horizon_days else answer.id[6:]


def _limits(estimate: Estimate) -> list[float]:
    return [estimate.value, estimate.low, estimate.high]


def _both(fitted: Fitted | None) -> dict[str, list[float]] | None:
    """Both log ratios with their errors; None where the model was not fitted or has no maximum."""
    if fitted is None or not fitted.usable:
        return None
    return {d.value: list(fitted.log_ratio(*PATHS[d])[:2]) for d in BOTH_WAYS}


def _rivals(setup: OnsetSetup) -> Row:
    """All chains of one run, which of them speaks, and what is said of a common cause."""
    fits = fit_all(setup, silent)
    models = {"chain": fits.chain, "frailty": fits.frailty, "drifting": fits.drifting, "speaks": fits.speaks}
    said = {d.value: told_apart(fits, d, LEVEL) for d in BOTH_WAYS}
    ends = {f.key: [f.fit.ending.value, f.loglik] for f in fits.all}
    return {**{key: _both(f) for key, f in models.items()}, "speaker": fits.speaks.key, "caveat": said, "ends": ends}


def naive(records: Records) -> dict[str, list[float]]:
    """Three usual readings of depression -> back pain from visits: [log ratio, error].

    Cox on the date of the visit at which pain was first seen, by depression at entry; the odds ratio of depression at
    entry and pain at any later visit; Cox by depression as seen at the very visit that showed the pain, so that what
    was new at one visit counts as depression first.
    """
    visits = int(np.bincount(records.person)[0])
    a, b = (records.values[key].reshape(-1, visits) for key in ("depression", "back_pain"))
    at_risk = np.cumsum(b, axis=1)[:, :-1] == 0
    person, k = np.nonzero(at_risk)
    days = records.time.reshape(-1, visits)
    event = b[person, k + 1] == 1
    rows = days[person, k], days[person, k + 1], event
    ever = b[:, 1:].max(axis=1)
    table = np.array([[np.sum((a[:, 0] == i) & (ever == j)) for j in (0, 1)] for i in (0, 1)], dtype=float)
    odds = float(np.log(table[1, 1] * table[0, 0] / (table[1, 0] * table[0, 1])))
    return {
        "Cox on visit dates": _cox(*rows, a[person, 0]),
        "odds ratio": [odds, float(np.sqrt((1 / table).sum()))],
        "same visit as order": _cox(*rows, a[person, k + 1]),
    }


def _cox(start: np.ndarray, stop: np.ndarray, event: np.ndarray, x: np.ndarray) -> list[float]:
    found = cox(cox_data(start, stop, event, x[:, None]))
    return [float(found.beta[0]), float(found.errors[0])]


def calibrate(worlds: int, out: Path, wanted: str) -> None:
    """Run what is not yet in the file, a world of each scenario in turn."""
    done = {(row["scenario"], row["seed"]) for row in _read(out)}
    with out.open("a") as file:
        file.write("\n" if out.stat().st_size and not out.read_bytes().endswith(b"\n") else "")
        for seed in range(worlds):
            for scenario in SCENARIOS.values():
                if wanted in scenario.name and (scenario.name, seed) not in done:
                    file.write(json.dumps(one_world(scenario, seed)) + "\n")
                    file.flush()


def _read(out: Path) -> list[dict]:
    """Whole lines; one that was cut off is left out and run anew."""
    lines = out.read_text().splitlines() if out.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def summarise(out: Path) -> None:
    """Shares by scenario with their Monte Carlo errors in brackets, in the order of the scenarios."""
    groups = defaultdict(list)
    for row in _read(out):
        groups[row["scenario"]].append(row)
    tables = {"plain": _plain_table, "rivals": _rivals_table, "twin": _twin_table}
    for name, scenario in SCENARIOS.items():
        if groups[name]:
            print(f"\n{name}: {len(groups[name]):,} worlds of {scenario.people:,} people")
            for line in tables[scenario.fits](scenario, groups[name]):
                print(f"  {line}")


def _plain_table(scenario: Scenario, rows: list[dict]) -> Iterator[str]:
    """Every answer of the plain chain: truth, mean, coverage, and for ratios how often one reads "predicts"."""
    yield f"{'answer':58s} {'truth':>7s} {'median':>7s} {'covered':>13s} {'predicts':>13s} no interval"
    world = made(replace(scenario, people=30), 0)
    for name in rows[0]["answers"]:
        found = [row["answers"].get(name) for row in rows]
        number = np.array([x for x in found if x is not None])
        truth = _truth(world, name)
        covered = (number[:, 1] <= truth) & (truth <= number[:, 2])
        reads = [_predicts(*x) for x in number] if "ratio" in name else []
        shown = _share(reads) if reads else ""
        missing = len(found) - len(number)
        yield f"{name:58s} {truth:7.4f} {np.median(number[:, 0]):7.4f} {_share(covered):>13s} {shown:>13s} {missing}"


def _truth(world: World, name: str) -> float:
    """The true value of an answer, by its name: estimand.direction[.kind][@days]."""
    what, _, days = name.partition("@")
    horizon = float(days) if days else None
    estimand, *rest = what.split(".")
    direction, kind = Direction(rest[0]) if rest else Direction.JOINT, rest[1:]
    if estimand == "state_probability":
        named = {"as_is": "as_is", "effect_removed": "effect_removed", "prevented": "onset_prevented"}
        shares = world.occupancy(float(days), direction, named[kind[0]])  # type: ignore[arg-type]
        return float(shares[2 if direction is Direction.A_TO_B else 1] + shares[3])
    if estimand == "speed":
        return world.begun(float(days), direction, kind[0] == "with")
    question = Question(world.pair, Facet.STRENGTH, direction, horizon=horizon)
    return world.truth(question, Estimand(estimand)).value


def _rivals_table(scenario: Scenario, rows: list[dict]) -> Iterator[str]:
    """Each model's ratios, what the headline says, and how often a common cause is said not to be told apart."""
    keys = ("chain", "frailty", "drifting-cause")
    yield "speaks: " + ", ".join(f"{key} {np.mean([row['speaker'] == key for row in rows]):.3f}" for key in keys)
    yield f"{'way':6s} {'model':10s} {'truth':>5s} {'median':>7s} {'covered':>13s} {'excludes 1':>13s} no maximum"
    for way, truth in scenario.truths.items():
        for model in ("chain", "frailty", "drifting", "speaks"):
            found = np.array([row[model][way.value] for row in rows if row[model]])
            z = (found[:, 0] - np.log(truth)) / found[:, 1]
            covers, excludes = np.abs(z) <= REACH, np.abs(found[:, 0] / found[:, 1]) > REACH
            yield (
                f"{way.value:6s} {model:10s} {truth:5.2f} {np.exp(np.median(found[:, 0])):7.3f} {_share(covers):>13s} "
                f"{_share(excludes):>13s} {len(rows) - len(found)}"
            )
        caveat = np.array([bool(row["caveat"][way.value]) for row in rows])
        hints = np.array([_excludes(row, "chain", way) for row in rows])
        speaks = np.array([_excludes(row, "speaks", way) for row in rows])
        yield (
            f"{way.value:6s} caveat {_share(caveat)}, of worlds whose plain chain excludes 1 {_share(caveat[hints])}; "
            f"headline excludes 1 without a caveat {_share(speaks & ~caveat)}"
        )


def _excludes(row: dict, model: str, way: Direction) -> bool:
    value, error = row[model][way.value]
    return abs(value) > REACH * error


def _twin_table(scenario: Scenario, rows: list[dict]) -> Iterator[str]:
    """The panel answer beside the naive readings of depression -> back pain, and its own other direction."""
    yield f"{'reading':32s} {'truth':>5s} {'median':>7s} {'covered':>13s} {'excludes 1':>13s} no interval"
    there = scenario.truths[Direction.A_TO_B]
    lines = {f"four states, {way.value}": (truth, "chain", way.value) for way, truth in scenario.truths.items()}
    lines |= {key: (there, "naive", key) for key in rows[0]["naive"]}
    for label, (truth, part, key) in lines.items():
        found = np.array([row[part][key] for row in rows if row[part]])
        found = found[np.isfinite(found).all(axis=1)]
        covers = np.abs(found[:, 0] - np.log(truth)) <= REACH * found[:, 1]
        excludes = np.abs(found[:, 0]) > REACH * found[:, 1]
        middle = np.exp(np.median(found[:, 0]))
        yield (
            f"{label:32s} {truth:5.2f} {middle:7.3f} {_share(covers):>13s} {_share(excludes):>13s} "
            f"{len(rows) - len(found)}"
        )


def _predicts(value: float, low: float, high: float) -> bool:
    number = Estimate(value, low, high, float(np.log(high / low) / (2 * REACH)), Scale.RATE_RATIO, 1)
    return read_estimate(number, SETTINGS.smallest_effect(Scale.RATE_RATIO)) is Reading.PREDICTS


def _share(hits: object) -> str:
    """A share with its Monte Carlo error."""
    found = np.asarray(hits, dtype=float)
    if not found.size:
        return "-"
    share = float(found.mean())
    return f"{share:.3f} ({np.sqrt(share * (1 - share) / found.size):.3f})"


def main() -> None:
    """Parse and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--scenario", default="", help="part of a scenario's name; all where left out")
    parser.add_argument("--out", type=Path, default=Path("onset_calibration.jsonl"))
    parser.add_argument("--summary", action="store_true", help="count what the file holds and run nothing")
    asked = parser.parse_args()
    if not asked.summary:
        calibrate(asked.worlds, asked.out, asked.scenario)
    summarise(asked.out)


if __name__ == "__main__":
    main()
