"""Is the right mediator named, and is a circumstance found where it matters and not where it does not?

    python benchmarks/pathways.py pathways --worlds 200 [--only sleep sensitivity ...]
    python benchmarks/pathways.py circumstances --worlds 200 [--people 2500]

``pathways``: worlds in which one mediator of a family carries the whole effect while the others follow the source and
lead nowhere. N is what `plan panel` asks for the carrying mediator's second leg, with all processes in the model: at
85 % power, for the product needs both legs to be found, and 300 at least, for so many scores at once are not modelled
in fewer people. Named: the interval of the indirect effect over two waves, in the model with all mediators, holds no
nought.
``circumstances``: `chronic-only` (pain acts only once it has lasted) and its twin `any-pain`; found: p < 0.05 of the
contrast. Every share stands with its Monte Carlo error. Results are for the seeds given and are the same on every
machine; with ``--keep`` a run that was stopped goes on.

Measured (carrier named; the others named; the carrier's truth in its 95 % interval), in per cent:

    sleep          N =   568, seeds 1501-1800   86.7 ± 2.0   3.3 to 5.0 (± 1.3)   94.0 ± 1.4
    medicines      N =   922, seeds 1-300       82.7 ± 2.2   2.7 to 7.7 (± 1.5)   95.0 ± 1.3
    attention      N = 1,680, seeds 1-300       84.7 ± 2.1   3.7 to 6.3 (± 1.4)   96.3 ± 1.1
    relationships  N =   300, seeds 1-230       99.1 ± 0.7   0.9 to 6.1 (± 1.6)   93.9 ± 1.6

At a world's own moments the design gives its truth to 1e-7 (tests/designs/test_panel_pathways_exactly.py), so that
what is left in a sample is sampling. Before the errors were widened by n/(n − p), sleep's truth lay in the interval in
93.1 ± 0.7 of 1,500 worlds (91.3 of the first 300), relationships' in 93.7 ± 1.4 of 300, activity's (N = 300) in 94.7
± 1.1 of 450; the others of sleep's family were then named in 2.9 to 5.5.

A contrast that is not there, found at N = 2,500: from depression to back pain in `chronic-only` in 5.4 ± 0.8 of 800
worlds (seeds 201-1000), in `any-pain` in 4.5 ± 1.0 of 400 (201-600); from back pain to depression in `any-pain` in 5.0
± 1.1. The one that is there, in `chronic-only`, was found in 84.4 ± 1.3 and came out at 0.150 ± 0.002 where the
world's truth is 0.168 ± 0.001.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bothways.designs.panel.design import fit_all
from bothways.designs.panel.pathway_answers import estimate_of
from bothways.designs.panel.pathways import mediated
from bothways.designs.panel.setup import prepare
from bothways.designs.panel.whom import in_whom
from bothways.designs.power.panel import plan_panel
from bothways.simulation import simulate
from bothways.simulation.processes import A_TO_B, MEDIATORS
from bothways.simulation.truth import effect_at
from bothways.terms.answer import Estimand
from bothways.terms.progress import silent
from bothways.terms.question import Direction
from bothways.terms.settings import Settings

WAVES = 5
FEWEST = 300
ALONE = Settings(headline_only=True)


def planned(mediator: str) -> int:
    """People for 85 % power on the second leg, from what a planner could know: legs, memory, how all go together."""
    mechanism = simulate(f"only-{mediator}", people=2, seed=1).mechanism
    family = MEDIATORS[mediator]
    keys = [family.source, family.target, *(key for key, _ in family.shares)]
    leg = effect_at(mechanism, mediator, family.target, mechanism.gap)
    own = tuple(effect_at(mechanism, key, key, mechanism.gap) for key in keys)
    places = [mechanism.row(key) for key in keys]
    together = (mechanism.latent @ mechanism.stationary @ mechanism.latent.T)[np.ix_(places, places)]
    r = float(together[np.tril_indices(len(keys), -1)].mean())
    plan = plan_panel(
        people=1000,
        waves=WAVES,
        effect=(leg, 0.0),
        autoregression=own,
        correlation=r,
        processes=len(keys),
        power=0.85,
    )
    assert plan.needed[0] is not None
    return max(plan.needed[0], FEWEST)


@dataclass(frozen=True, slots=True)
class Named:
    """One world: which mediators of the family are named; whether the carrying one's truth lies in its interval."""

    seed: int
    which: list[bool]
    inside: bool


def named(mediator: str, people: int, seed: int) -> Named:
    """One world of the benchmark."""
    world = simulate(f"only-{mediator}", people=people, seed=seed, waves=WAVES)
    family = MEDIATORS[mediator]
    way = Direction.A_TO_B if family.direction is A_TO_B else Direction.B_TO_A
    keys = tuple(key for key, _ in family.shares)
    room = fit_all(prepare(world.records), ALONE, silent)
    found = mediated(room, keys)
    rows = [estimate_of(found, room, Estimand.INDIRECT, way, (key,)) for key in keys]
    own = rows[keys.index(mediator)]
    mechanism = world.mechanism
    truth = effect_at(mechanism, family.source, mediator, mechanism.gap)
    truth *= effect_at(mechanism, mediator, family.target, mechanism.gap)
    return Named(seed, [row.low > 0 or row.high < 0 for row in rows], own.low < truth < own.high)


def kept(mediator: str, people: int, seeds: range, folder: Path | None) -> list[Named]:
    """The worlds of ``seeds``; those that a file of ``folder`` already holds are read, others are added to it."""
    if folder is None:
        return [named(mediator, people, seed) for seed in seeds]
    path = folder / f"{mediator}-{people}.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    done = {world.seed: world for world in (Named(**json.loads(line)) for line in lines)}
    for seed in seeds:
        if seed not in done:
            done[seed] = named(mediator, people, seed)
            with path.open("a") as file:
                file.write(json.dumps(asdict(done[seed])) + "\n")
    return [done[seed] for seed in seeds]


def pathways(seeds: range, only: list[str], folder: Path | None) -> Iterator[str]:
    """A line for each world: the planned N, the share in which each mediator is named, coverage."""
    worlds = len(seeds)
    for mediator in only or list(MEDIATORS):
        people = planned(mediator)
        found = kept(mediator, people, seeds, folder)
        shares = np.mean([world.which for world in found], axis=0)
        keys = [key for key, _ in MEDIATORS[mediator].shares]
        told = ", ".join(f"{key} {_share(s, worlds)}" for key, s in zip(keys, shares, strict=True))
        covered = _share(float(np.mean([world.inside for world in found])), worlds)
        yield f"only-{mediator}: N = {people:,}; named: {told}; truth in the interval: {covered}"


def circumstances(seeds: range, people: int) -> Iterator[str]:
    """The contrast by lasting pain in the world in which it matters and in its twin."""
    for name in ("chronic-only", "any-pain"):
        p = {Direction.A_TO_B: [], Direction.B_TO_A: []}
        inside = []
        for seed in seeds:
            world = simulate(name, people=people, seed=seed, waves=WAVES)
            room = fit_all(prepare(world.records), ALONE, silent)
            for row in in_whom(room, silent)[0]:
                if row.estimand is Estimand.INTERACTION and row.estimate is not None:
                    p[row.direction].append(row.estimate.p)
                    if row.direction is Direction.B_TO_A and len(inside) < len(seeds):
                        inside.append((row.estimate.value, row.estimate.se))
        told = ", ".join(f"{way} {_share(float(np.mean(np.array(v) < 0.05)), len(v))}" for way, v in p.items())
        value, se = np.mean(inside, axis=0)
        yield f"{name}: N = {people:,}; contrast found: {told}; b_to_a {value:.3f}, mean error {se:.3f}"


def _share(share: float, worlds: int) -> str:
    return f"{100 * share:.1f} % (±{100 * np.sqrt(max(share * (1 - share), 1 / worlds / 4) / worlds):.1f})"


def main() -> None:
    """Read the command line and print line by line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("pathways", "circumstances"))
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--keep", type=Path, help="a folder that holds each world found, so that a run goes on")
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--people", type=int, default=2500)
    given = parser.parse_args()
    seeds = range(given.first, given.first + given.worlds)
    asked = given.what == "pathways"
    for line in pathways(seeds, given.only, given.keep) if asked else circumstances(seeds, given.people):
        print(line, flush=True)


if __name__ == "__main__":
    main()
