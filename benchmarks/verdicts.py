"""Do the words keep their promise? Worlds of the seven kinds, each asked and weighed, counted by what they say.

    python benchmarks/verdicts.py [--worlds 2000] [--only "null;planned"] [--workers 2] [--fresh]

Every world is seen as a panel, asked by the panel design's headline and weighed alone, as `bothways ask` does. Counted:
an arrow of the planned size that reads "predicts" against the planned chance of it; a null arrow that reads so; a null
arrow that reads "little or no effect" where the standard error is small (0.015); "both ways" without the caveat of a
shared cause or of a shared way of answering in its first sentence, in worlds made by either; and how many true
both-ways worlds carry the caveat too. Finished blocks are kept in out/verdicts. Shares stand with their Monte Carlo
errors; the exit code is 1 where a limit is missed by more than two of them.
"""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from joblib import Parallel, delayed

from bothways.designs.panel import PanelDesign
from bothways.simulation import simulate_each, simulate_many
from bothways.terms.progress import silent
from bothways.terms.question import Scale
from bothways.terms.settings import Settings
from bothways.terms.verdict import Leaning, Verdict, Word
from bothways.verdicts import weigh
from bothways.verdicts.rules import CAVEATS
from calibration import Case, Limit, people_of, plan_of, records_of, share, truths

KEPT = Path(__file__).parents[1] / "out" / "verdicts"
BLOCK = 50
SETTINGS = Settings(headline_only=True, quick=True, smallest_effects={Scale.SD_PER_SD: 0.05})
SURE = 0.015
WORDS = tuple(Word)
SHARED = tuple(CAVEATS[code].clause for code in ("common_cause", "reporting_style"))

CASES = {
    "null": Case("null"),
    "null, standard error 0.015": Case("null", people=0),
    "pain-first": Case("pain-first"),
    "pain-first, planned": Case("pain-first", people=None),
    "depression-first": Case("depression-first"),
    "depression-first, planned": Case("depression-first", people=None),
    "both-ways": Case("both-ways"),
    "shared-cause": Case("shared-cause"),
    "reporting-style": Case("reporting-style"),
    "chronic-only": Case("chronic-only"),
}


def size_of(case: Case) -> int:
    """People of a case; where it asks for a small error, as many as bring both errors to it."""
    if case.people != 0:
        return people_of(case)
    planned = 1000
    return int(np.ceil(planned * (max(plan_of(case, planned).point.se) / SURE) ** 2))


def asked(scores: np.ndarray) -> np.ndarray:
    """One world's verdict as numbers: both words, the leaning, whether the first sentence carries the caveat."""
    records = records_of(scores)
    result = PanelDesign().answer(records, SETTINGS, silent)
    return as_row(weigh(records.pair, (result,), SETTINGS))


def as_row(verdict: Verdict) -> np.ndarray:
    first = verdict.short_answer.split(". ")[0]
    words = [WORDS.index(side.word) for side in (verdict.a_to_b, verdict.b_to_a)]
    return np.array([*words, verdict.leaning is Leaning.BOTH, any(clause in first for clause in SHARED)], float)


def block_of(name: str, people: int, number: int) -> np.ndarray:
    """A block of worlds: read where it is kept, else made; its seed follows from the case and its number alone."""
    case = CASES[name]
    kept = KEPT / f"{''.join(c if c.isalnum() else '-' for c in name)}-{people}-{number}.npy"
    if kept.exists():
        return np.load(kept)
    rng = np.random.default_rng([606, *name.encode(), number])
    rows = np.array([asked(scores) for scores in panels(case, people, rng)])
    KEPT.mkdir(parents=True, exist_ok=True)
    np.save(kept, rows)
    return rows


def panels(case: Case, people: int, rng: np.random.Generator):
    """Scores of a block of worlds; those whose arrows switch are lived small step by small step."""
    if case.world != "chronic-only":
        yield from simulate_many(
            case.world, worlds=BLOCK, people=people, waves=case.waves, seed=rng, effect=case.effect
        )
        return
    for world in simulate_each(case.world, worlds=BLOCK, people=people, waves=case.waves, seed=rng):
        columns = [world.records.values[c.key] for c in (world.pair.a, world.pair.b)]
        yield np.stack(columns, axis=-1).reshape(people, case.waves, 2)


@dataclass(frozen=True)
class Counted:
    """The rows of one case."""

    name: str
    people: int
    rows: np.ndarray

    def reads(self, way: int, word: Word) -> tuple[float, float]:
        """The share of worlds in which a direction reads a word."""
        return share(self.rows[:, way] == WORDS.index(word))

    @property
    def both(self) -> np.ndarray:
        """Which worlds read "both ways"."""
        return self.rows[:, 2] == 1

    @property
    def warned(self) -> np.ndarray:
        """Which first sentences carry the caveat."""
        return self.rows[:, 3] == 1


def limits_of(counted: Counted) -> list[Limit]:
    """Print one case; return what is bound by a limit."""
    case = CASES[counted.name]
    print(f"\n{counted.name}: {counted.people:,} people, {len(counted.rows):,} worlds")
    limits: list[Limit] = []
    for way, label in enumerate(("a_to_b", "b_to_a")):
        told = "  ".join(f"{word.value} {_shown(counted.reads(way, word))}" for word in WORDS[:4])
        print(f"  {label}: {told}")
        limits += _one_way(counted, case, way, label)
    unwarned = share(counted.both & ~counted.warned)
    both, warned = share(counted.both), share(counted.both & counted.warned)
    print(f"  both ways {_shown(both)}, with the caveat {_shown(warned)}, without it {_shown(unwarned)}")
    if case.world in ("shared-cause", "reporting-style"):
        limits.append(Limit(f"{counted.name}: both ways without the caveat", *unwarned, 0.0, 0.10))
    return limits


def _one_way(counted: Counted, case: Case, way: int, label: str) -> list[Limit]:
    if case.world in ("shared-cause", "reporting-style", "chronic-only"):
        return []
    truth, named = truths(case)[way], f"{counted.name}, {label}"
    predicts = counted.reads(way, Word.PREDICTS)
    if abs(truth) < 1e-9:
        limits = [Limit(f"{named}: a null arrow reads predicts", *predicts, 0.0, 0.06)]
        if case.people == 0:
            little = counted.reads(way, Word.LITTLE)
            limits.append(Limit(f"{named}: a null arrow reads little or no effect", *little, 0.78, 1.0))
        return limits
    if case.people is not None:
        return []
    planned = plan_of(case, counted.people).point.predicts[way]
    return [Limit(f"{named}: reads predicts as planned", *predicts, planned - 0.02, planned + 0.02)]


def _shown(pair: tuple[float, float]) -> str:
    return f"{100 * pair[0]:.1f}% ± {100 * pair[1]:.1f}"


def run(names: list[str], worlds: int, workers: int) -> bool:
    """Every case; True where every limit held."""
    limits: list[Limit] = []
    for name in names:
        people = size_of(CASES[name])
        blocks = -(-worlds // BLOCK)
        rows = Parallel(n_jobs=workers)(delayed(block_of)(name, people, number) for number in range(blocks))
        limits += limits_of(Counted(name, people, np.concatenate(rows)[:worlds]))
    print("\nLimits")
    for limit in limits:
        mark = "held  " if limit.held else "MISSED"
        print(f"  {mark} {limit.says}: {_shown((limit.share, limit.error))} in {limit.low:.3f} to {limit.high:.3f}")
    return all(limit.held for limit in limits)


def main() -> int:
    """Read the options and run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=2000)
    parser.add_argument("--only", default="", help="names of cases, or beginnings of them, with ; between")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--fresh", action="store_true", help="forget what was kept")
    given = parser.parse_args()
    wanted = [part.strip() for part in given.only.split(";") if part.strip()]
    names = [name for name in CASES if not wanted or any(name.startswith(part) for part in wanted)]
    if given.fresh:
        for file in KEPT.glob("*.npy"):
            file.unlink()
    return 0 if run(names, given.worlds, given.workers) else 1


if __name__ == "__main__":
    sys.exit(main())
