"""Is the panel answer as sure as it says? Thousands of simulated worlds, each asked, counted against its truth.

    python benchmarks/calibration.py [--worlds 2000] [--only "null;planned"] [--workers 2] [--fresh]

The truth of every world comes from intervening in the mechanism that made it (bothways.simulation), never from an
estimator. Every world is asked as `bothways ask` does: the random-intercept model with lags equal over time, or their
mean where a test rejects that; beside it the plain cross-lagged panel model in the same worlds. Finished blocks of
worlds are kept in out/calibration and not run again. Shares stand with their Monte Carlo errors. The exit code
is 1 where a limit below is missed by more than two of them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from joblib import Parallel, delayed

from bothways.designs.panel.effects import contrast, lag_effects
from bothways.designs.panel.estimation import Fitted, estimate, headline
from bothways.designs.panel.models import Form, headline_forms
from bothways.designs.panel.room import place_of
from bothways.designs.panel.setup import prepare
from bothways.designs.power import Plan, plan_panel
from bothways.simulation import Observation, World, simulate, simulate_many
from bothways.simulation.many import wave_step
from bothways.terms.question import Direction, Facet, Question, Scale
from bothways.terms.records import Records, Roles, Source, TimeUnit

KEPT = Path(__file__).parents[1] / "out" / "calibration"
BLOCK = 100
LEVEL, SMALLEST = 0.95, 0.05
WAYS = (Direction.A_TO_B, Direction.B_TO_A)
CLEAN = Observation()


@dataclass(frozen=True)
class Case:
    """A kind of world as it is looked at. ``people`` None: as many as the plan asks for, for a power of 0.8."""

    world: str
    people: int | None = 1000
    waves: int = 5
    effect: float | tuple[float, float] | None = None
    how: Observation = field(default_factory=Observation)
    exact: bool = True  # scores are on the scale of the truth, so that coverage has a meaning


CASES = {
    "null": Case("null"),
    "null, 250 people, 4 waves": Case("null", people=250, waves=4),
    "null, skewed scores with a floor": Case("null", how=Observation(skew=0.8, scale="questionnaire"), exact=False),
    "pain-first": Case("pain-first"),
    "pain-first, 3 waves": Case("pain-first", people=1500, waves=3),
    "both-ways": Case("both-ways"),
    "both-ways, one twice the other": Case("both-ways", effect=(0.16, 0.08)),
    "both-ways, answers missing and people leaving": Case(
        "both-ways", how=Observation(missing=0.15, missing_follows=0.5, dropout=0.08, dropout_follows=0.5)
    ),
    "pain-first, skewed scores": Case("pain-first", how=Observation(skew=0.5), exact=False),
    "planned, 0.12": Case("pain-first", people=None, effect=0.12),
    "planned, 0.07": Case("pain-first", people=None, effect=0.07),
    "planned, 0.12, people leaving": Case("pain-first", people=None, effect=0.12, how=Observation(dropout=0.1)),
}


def world_of(case: Case) -> World:
    """One small world of the case, for its mechanism and truth."""
    return simulate(case.world, people=2, waves=case.waves, effect=case.effect, observation=case.how)


def truths(case: Case) -> np.ndarray:
    """The true effect of each direction, and their contrast, by intervention."""
    world = world_of(case)
    asked = [Question(world.pair, Facet.STRENGTH, way, Scale.SD_PER_SD) for way in (*WAYS, Direction.JOINT)]
    return np.array([float(world.truth(question)) for question in asked])


def plan_of(case: Case, people: int = 1000) -> Plan:
    """A plan that knows the persistence and correlation of the world, as one who plans would hope to."""
    mechanism = world_of(case).mechanism
    onward, _ = wave_step(mechanism)
    rows = [int(np.flatnonzero(mechanism.latent[mechanism.row(key)])[0]) for key in ("depression", "back_pain")]
    B, W = onward[np.ix_(rows, rows)], mechanism.stationary[np.ix_(rows, rows)]
    r = float(W[0, 1] / np.sqrt(W[0, 0] * W[1, 1]))
    own = (float(B[0, 0]), float(B[1, 1]))
    a_to_b, b_to_a, _ = truths(case)
    return plan_panel(
        people, case.waves, 0.5, (a_to_b, b_to_a), own, r, 0.4, dropout=case.how.dropout, missing=case.how.missing
    )


def people_of(case: Case) -> int:
    """People of the case: as stated, or as planned for the only arrow."""
    if case.people is not None:
        return case.people
    return next(n for n in reversed(plan_of(case).needed) if n is not None)


def records_of(scores: np.ndarray) -> Records:
    """A panel as records, without a person's rows where nothing was answered."""
    pair = _PAIR.pair
    here = np.isfinite(scores).any(axis=2)
    person, wave = np.nonzero(here)
    people = len(scores)
    values = {pair.a.key: scores[here, 0], pair.b.key: scores[here, 1]}
    source = Source("simulated", "", len(person), people)
    roles = Roles("id", "wave", (pair.a.key,), (pair.b.key,))
    days = np.arange(scores.shape[1]) * 180.0
    return Records(pair, person, days[wave], TimeUnit.DAY, values, roles, source, wave=wave, wave_days=days)


_PAIR = simulate("null", people=2, waves=3)
COLUMNS = (
    *("a_to_b", "a_to_b_se", "b_to_a", "b_to_a_se", "contrast", "contrast_se", "improper", "pooled"),
    *("clpm_a_to_b", "clpm_a_to_b_se", "clpm_b_to_a", "clpm_b_to_a_se"),
)


def ask(scores: np.ndarray) -> np.ndarray:
    """One world's answers; NaN where a fit failed."""
    setup = prepare(records_of(scores))
    speaking = headline(setup, headline_forms(setup))
    plain = estimate(setup, Form("clpm"))
    own = _pair_of(speaking.chosen)
    delta = contrast(speaking.chosen, LEVEL) if speaking.chosen.usable else None
    middle = (np.nan, np.nan) if delta is None else (delta.value[0], delta.error[0])
    return np.array([*own, *middle, float(speaking.chosen.improper), float(speaking.pooled), *_pair_of(plain)])


def _pair_of(fitted: Fitted) -> tuple[float, ...]:
    if not fitted.usable:
        return (np.nan,) * 4
    found = lag_effects(fitted, (1.0,), LEVEL)
    places = [place_of(way, 2) for way in WAYS]
    return tuple(float(x[place]) for place in places for x in (found.value, found.error))


def block_of(name: str, people: int, number: int) -> np.ndarray:
    """A block of worlds: read where it is kept, else made; its seed follows from the case and its number alone."""
    case = CASES[name]
    slug = "".join(c if c.isalnum() else "-" for c in name)
    kept = KEPT / f"{slug}-{people}-{number}.npy"
    if kept.exists():
        return np.load(kept)
    rng = np.random.default_rng([2026, *name.encode(), number])
    panels = simulate_many(
        case.world, worlds=BLOCK, people=people, waves=case.waves, seed=rng, effect=case.effect, observation=case.how
    )
    rows = np.array([ask(scores) for scores in panels])
    KEPT.mkdir(parents=True, exist_ok=True)
    np.save(kept, rows)
    return rows


@dataclass(frozen=True)
class Limit:
    """A share that must lie in a range."""

    says: str
    share: float
    error: float
    low: float
    high: float

    @property
    def held(self) -> bool:
        """Whether the share lies in the range, two Monte Carlo errors allowed."""
        return self.low - 2 * self.error <= self.share <= self.high + 2 * self.error


def share(hits: np.ndarray) -> tuple[float, float]:
    """A share of worlds and its Monte Carlo error."""
    p = float(np.mean(hits))
    return p, float(np.sqrt(max(p * (1 - p), 1e-12) / len(hits)))


def predicts(x: np.ndarray, se: np.ndarray) -> np.ndarray:
    """Which worlds read "comes before and predicts"."""
    low, high = x - 1.959964 * se, x + 1.959964 * se
    return ((low > 0) | (high < 0)) & ~((low > -SMALLEST) & (high < SMALLEST))


def covers(x: np.ndarray, se: np.ndarray, truth: float) -> np.ndarray:
    """Which intervals hold the truth."""
    return np.abs(x - truth) <= 1.959964 * se


def count(name: str, rows: np.ndarray, people: int) -> list[Limit]:
    """Print one case; return what is bound by a limit."""
    case, truth = CASES[name], truths(CASES[name])
    limits: list[Limit] = []
    failed = int(np.isnan(rows[:, 0]).sum())
    rows = rows[np.isfinite(rows[:, :6]).all(axis=1)]
    print(f"\n{name}: {people:,} people, {case.waves} waves, {len(rows):,} worlds ({failed} failed)")
    improper, pooled = share(rows[:, 6]), share(rows[:, 7])
    print(f"  improper {_shown(improper)}, lags equal let stand {_shown(pooled)}")
    for k, way in enumerate(WAYS):
        limits += _one_way(name, way, truth[k], rows[:, 2 * k], rows[:, 2 * k + 1], people)
        clpm = rows[np.isfinite(rows[:, 8:]).all(axis=1)]
        x, se = clpm[:, 8 + 2 * k], clpm[:, 9 + 2 * k]
        print(
            f"    plain CLPM: mean {x.mean():+.4f}, coverage {_shown(share(covers(x, se, truth[k])))}, "
            f"predicts {_shown(share(predicts(x, se)))}"
        )
    return limits + _both_ways(name, truth[2], rows[:, 4], rows[:, 5])


def _one_way(name: str, way: Direction, truth: float, x: np.ndarray, se: np.ndarray, people: int) -> list[Limit]:
    case = CASES[name]
    covered, reads = share(covers(x, se, truth)), share(predicts(x, se))
    bias = x.mean() - truth
    print(
        f"  {way}: truth {truth:+.4f}, bias {bias:+.4f} ± {x.std() / len(x) ** 0.5:.4f}, SE said {se.mean():.4f} is "
        f"{x.std():.4f}, coverage {_shown(covered)}, predicts {_shown(reads)}"
    )
    limits = [Limit(f"{name}, {way}: coverage", *covered, 0.93, 0.97)] if case.exact else []
    if truth == 0:
        limits.append(Limit(f"{name}, {way}: a null arrow reads predicts", *reads, 0.0, 0.06))
    elif case.people is None:
        plan = plan_of(case, people)
        planned = plan.point.predicts[WAYS.index(way)]
        print(f"    planned power {planned:.4f}")
        limits.append(Limit(f"{name}, {way}: power as planned", *reads, planned - 0.02, planned + 0.02))
    return limits


def _both_ways(name: str, truth: float, x: np.ndarray, se: np.ndarray) -> list[Limit]:
    low, high = x - 1.959964 * se, x + 1.959964 * se
    truth = 0.0 if abs(truth) < 1e-9 else truth
    wrong = share(high < 0) if truth > 0 else share(low > 0) if truth < 0 else share((low > 0) | (high < 0))
    what = "wholly on the wrong side" if truth else "wholly on one side of none"
    print(
        f"  contrast: truth {truth:+.4f}, bias {x.mean() - truth:+.4f}, "
        f"coverage {_shown(share(covers(x, se, truth)))}, "
        f"{what} {_shown(wrong)}"
    )
    return [Limit(f"{name}: contrast {what}", *wrong, 0.0, 0.01 if truth else 0.06)]


def _shown(pair: tuple[float, float]) -> str:
    return f"{100 * pair[0]:.2f}% ± {100 * pair[1]:.2f}"


def run(names: list[str], worlds: int, workers: int, tell: Callable[[str], None] = print) -> bool:
    """Every case; True where every limit held."""
    limits: list[Limit] = []
    for name in names:
        people = people_of(CASES[name])
        blocks = -(-worlds // BLOCK)
        rows = Parallel(n_jobs=workers)(delayed(block_of)(name, people, number) for number in range(blocks))
        limits += count(name, np.concatenate(rows)[:worlds], people)
    tell("\nLimits")
    for limit in limits:
        mark = "held  " if limit.held else "MISSED"
        tell(f"  {mark} {limit.says}: {_shown((limit.share, limit.error))} in {limit.low:.3f} to {limit.high:.3f}")
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
