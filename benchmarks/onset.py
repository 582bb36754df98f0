"""Chains against msm, Cox models against survival and lifelines: the same data, in memory, standard errors included.

Run: python benchmarks/onset.py        (needs Rscript with msm and survival; lifelines where it is installed)

Seconds are wall-clock and processor time of one core; compilation is done beforehand. Visits are irregular to the
day, so that hardly two gaps are alike; the same people seen yearly are given beside. Cox rows come with times in
hundredths of a year and, where hardly two events share a time, to nine decimals.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import importlib.util
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from bothways.designs.onset.models import drifting_cause, frailty, plain
from bothways.designs.onset.setup import prepare
from bothways.engine.chain.fit import fit
from bothways.engine.chain.graph import four_states
from bothways.engine.chain.likelihood import ChainModel
from bothways.engine.chain.predictor import predictor
from bothways.engine.chain.sequences import observe, sequences
from bothways.engine.cox import cox, cox_data
from bothways.simulation import Observation, simulate
from bothways.terms.settings import Settings

HERE = Path(__file__).parent
RATES = np.log([0.15, 0.10, 0.30, 0.25, 0.30, 0.35, 0.20, 0.25])
Timed = tuple[float, float, float | np.ndarray]  # wall-clock, processor, what was found


def panel(people: int, visits: int, regular: bool, seed: int) -> dict[str, np.ndarray]:
    """People seen ``visits`` times, with one continuous and one 0/1 covariate on all eight rates."""
    rng = np.random.default_rng(seed)
    x = np.column_stack([rng.normal(size=people), rng.integers(0, 2, people)])
    gaps = np.ones((people, visits)) if regular else np.round(rng.uniform(180, 550, (people, visits))) / 365.25
    days = np.cumsum(gaps, axis=1) - gaps[:, :1]
    Q = four_states().generators(np.exp(RATES + x @ rng.normal(0, 0.2, (2, 8))))
    states = np.empty((people, visits), dtype=int)
    state, now = rng.integers(0, 4, people), np.zeros(people)
    for v in range(visits):
        for i in range(people):
            clock = rng.exponential(-1 / Q[i, state[i], state[i]])
            while now[i] + clock <= days[i, v]:
                now[i] += clock
                leave = np.clip(Q[i, state[i]], 0, None)
                state[i] = rng.choice(4, p=leave / leave.sum())
                clock = rng.exponential(-1 / Q[i, state[i], state[i]])
            now[i] = days[i, v]
        states[:, v] = state
    who = np.repeat(np.arange(people), visits)
    return {"subject": who, "time": days.ravel(), "state": states.ravel() + 1, "x": x[who, 0], "z": x[who, 1]}


def spells(rows: int, seed: int, digits: int = 2) -> dict[str, np.ndarray]:
    """Start-stop rows, eight a person, three covariates; times to ``digits`` decimals of a year."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(rows // 8), 8)
    gap = np.round(rng.uniform(0.2, 1.5, rows), digits)
    stop = (np.cumsum(gap.reshape(-1, 8), axis=1)).ravel()
    x = rng.normal(size=(rows, 3))
    event = rng.random(rows) < 1 - np.exp(-0.06 * gap * np.exp(x @ np.array([0.5, -0.3, 0.1])))
    return {"id": who, "start": np.round(stop - gap, digits), "stop": np.round(stop, digits), "event": event * 1} | {
        f"x{k + 1}": x[:, k] for k in range(3)
    }


def timed(work: Callable[[], float | np.ndarray], repeats: int = 3) -> Timed:
    """The fastest of a few runs, after one that compiles."""
    found = work()
    best = (np.inf, np.inf)
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        found = work()
        best = min(best, (time.perf_counter() - wall, time.process_time() - cpu))
    return (*best, found)


def ours_chain(data: dict[str, np.ndarray], covariates: bool) -> float:
    """From rows to estimates with model-based and robust standard errors; -2 log-likelihood."""
    states = four_states()
    x = np.column_stack([data["x"] - data["x"].mean(), data["z"] - data["z"].mean()]) if covariates else None
    seen = observe(data["subject"], data["time"], data["state"] - 1, states=4, x=x)
    effects = {"x": None, "z": None} if covariates else None
    return -2 * fit(ChainModel(predictor(states, effects), sequences(states, seen))).loglik


def ours_cox(data: dict[str, np.ndarray], clustered: bool) -> np.ndarray:
    """Coefficients, with standard errors made."""
    x = np.column_stack([data[f"x{k}"] for k in (1, 2, 3)])
    cluster = data["id"] if clustered else None
    return cox(cox_data(data["start"], data["stop"], data["event"] == 1, x, cluster=cluster)).beta


def theirs(script: str, data: dict[str, np.ndarray], flag: str) -> Timed:
    """What R says, timed inside R."""
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "data.csv"
        columns = np.column_stack(list(data.values()))
        np.savetxt(path, columns, delimiter=",", header=",".join(data), comments="", fmt="%.15g")
        command = ["Rscript", str(HERE / script), str(path), flag]
        wall, cpu, *found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(wall), float(cpu), np.array(found, dtype=float)


def lifelines_cox(data: dict[str, np.ndarray]) -> Timed | None:
    """lifelines' time-varying fitter, where it is installed."""
    if importlib.util.find_spec("lifelines") is None:
        return None
    import pandas as pd
    from lifelines import CoxTimeVaryingFitter

    frame = pd.DataFrame(data)

    def work() -> np.ndarray:
        fitted = CoxTimeVaryingFitter().fit(frame, id_col="id", event_col="event", start_col="start", stop_col="stop")
        return fitted.params_.to_numpy()

    return timed(work, repeats=1)


def show(name: str, ours: Timed, other: Timed, peer: str) -> None:
    """One line: seconds, ratios, and how far the two results lie apart."""
    apart = float(np.max(np.abs(np.asarray(ours[2]) - np.asarray(other[2]))))
    print(
        f"{name:<58} ours {ours[0]:8.3f} s  {peer} {other[0]:8.3f} s  "
        f"{other[0] / ours[0]:7.1f} x wall, {other[1] / ours[1]:7.1f} x processor; apart {apart:.1e}",
        flush=True,
    )


def rivals(people: int) -> None:
    """The chain with a lasting proneness, and those with a hidden cause that drifts; they have no peer to time."""
    seen = Observation(entry="prevalent", jitter=1.0)
    world = simulate("both-ways", design="onset", people=people, seed=1, observation=seen)
    setup = prepare(world.records, Settings())
    chain = plain(setup)
    models = {
        "lasting proneness": lambda: frailty(setup, chain),
        "drifting cause": lambda: drifting_cause(setup, chain),
        "drifting cause alone": lambda: drifting_cause(setup, chain, influence=False),
    }
    for name, model in models.items():
        wall, cpu, _ = timed(lambda model=model: model().loglik, repeats=1)
        print(f"{people:,} x 6, irregular visits, {name:<22} {wall:7.2f} s wall, {cpu:7.2f} s processor", flush=True)


def main() -> None:
    """All comparisons, one after the other."""
    rivals(2000)
    rivals(5000)
    for regular in (False, True):
        data = panel(5000, 6, regular, seed=1)
        how = "yearly visits" if regular else "irregular visits"
        for covariates in (False, True):
            what = "8 rates, 2 covariates (24 parameters)" if covariates else "8 rates"
            ours = timed(lambda data=data, covariates=covariates: ours_chain(data, covariates))
            peer = theirs("onset_msm.R", data, "yes" if covariates else "no")
            show(f"5,000 x 6, {how}, {what}", ours, peer, "msm")
    for rows, clustered, digits in ((16_000, False, 2), (16_000, True, 2), (160_000, True, 2), (160_000, True, 9)):
        data = spells(rows, seed=2, digits=digits)
        ours = timed(lambda data=data, clustered=clustered: ours_cox(data, clustered))
        name = f"Cox, {rows:,} rows" + (", cluster-robust" if clustered else "") + (", no ties" if digits > 2 else "")
        show(name, ours, theirs("onset_cox.R", data, "yes" if clustered else "no"), "coxph")
        if rows == 16_000 and not clustered and (peer := lifelines_cox(data)) is not None:
            show(name, ours, peer, "lifelines")


if __name__ == "__main__":
    main()
