"""Panel engine against lavaan, side by side: python benchmarks/panel.py [--people 1000 100000] [--repeats 5].

Jobs: one FIML fit of an RI-CLPM (5 waves, 2 processes, 20 % of cells missing, equal lags) with robust errors, table
and all fit indices, data in memory; person-bootstrap draws; complete-data fits with standard errors. CPU seconds
(user + system, one thread), medians. lavaan's bootstrap and loop are extrapolated from a few draws and fits.
"""

import os

os.environ.update({f"{name}_NUM_THREADS": "1" for name in ("OPENBLAS", "OMP", "MKL", "NUMBA")})

import argparse
import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bothways.engine.batch import fit_batch, wishart_covariances
from bothways.engine.fitindices import FitIndices, indices
from bothways.engine.fitting import PanelFit, fit_model
from bothways.engine.inference import Uncertainty, robust
from bothways.engine.panel_models.cross_lagged import ri_clpm
from bothways.engine.patterns import pattern_statistics
from bothways.engine.resample import bootstrap
from bothways.engine.saturated import saturate
from bothways.engine.scaled import saturated_pieces

MODEL = ri_clpm(2, 5, lags="equal")
NAMES = [f"y{k}_{t}" for t in range(1, 6) for k in (1, 2)]


def world(people: int, rng: np.random.Generator, missing: float = 0.2) -> np.ndarray:
    """A both-ways world with cells missing completely at random."""
    B, noise = np.array([[0.35, 0.10], [0.15, 0.30]]), np.array([[0.8, 0.2], [0.2, 0.7]])
    b = rng.multivariate_normal([0, 0], [[1.0, 0.4], [0.4, 0.9]], people)
    w = rng.multivariate_normal([0, 0], [[1.0, 0.3], [0.3, 1.0]], people)
    waves = [b + w]
    for _ in range(4):
        w = w @ B.T + rng.multivariate_normal([0, 0], noise, people)
        waves.append(b + w)
    Y = np.round(np.hstack(waves), 4)
    Y[rng.random(Y.shape) < missing] = np.nan
    return Y


def answer(Y: np.ndarray) -> tuple[PanelFit, Uncertainty, FitIndices]:
    """The whole answer from a table in memory."""
    fit = fit_model(MODEL, pattern_statistics(Y))
    errors = robust(fit)
    return fit, errors, indices(fit, errors, saturated_pieces(fit))


def cpu(job: Callable[[], object], repeats: int) -> float:
    """Median CPU seconds after one warm run."""
    job()
    times = []
    for _ in range(repeats):
        before = time.process_time()
        job()
        times.append(time.process_time() - before)
    return median(times)


def lavaan(folder: Path, draws: int, fits: int, repeats: int) -> dict[str, Any]:
    """The peer's answers and times."""
    script = Path(__file__).with_name("panel_lavaan.R")
    command = ["Rscript", str(script), str(folder), str(draws), str(fits), str(repeats)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout[done.stdout.index('{"version"') :])
    return found


def row(job: str, mine: float, theirs: float, note: str = "") -> None:
    print(f"{job:<46}{mine:>11.4f}{theirs:>12.2f}{theirs / mine:>9.0f}x  {note}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, nargs="+", default=[1000, 100_000])
    parser.add_argument("--draws", type=int, default=10, help="lavaan's bootstrap draws, extrapolated to 1,000")
    parser.add_argument("--fits", type=int, default=20, help="lavaan's complete-data fits, extrapolated to 1,000")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    rng = np.random.default_rng(20240501)
    tables = {n: world(n, rng) for n in options.people}
    small = answer(tables[min(tables)])
    S = wishart_covariances(small[0].implied()[0].cov, 1000, 1000, rng)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for n, Y in tables.items():
            header = ",".join(NAMES)
            np.savetxt(folder / f"people_{n}.csv", Y, delimiter=",", fmt="%.4f", header=header, comments="")
            text = (folder / f"people_{n}.csv").read_text("utf-8").replace("nan", "")
            (folder / f"people_{n}.csv").write_text(text, "utf-8")
        np.savetxt(folder / "covariances.csv", S[: options.fits].reshape(options.fits, -1), delimiter=",")
        peer = lavaan(folder, options.draws, options.fits, options.repeats)
    print(f"lavaan {peer['version']}, BLAS of R: {peer['blas']}")
    print(f"{'job':<46}{'bothways s':>11}{'lavaan s':>12}{'ratio':>10}")
    for n, Y in tables.items():
        fit, errors, found = answer(Y)
        theirs, k = peer[f"fit_{n}"], fit.model.parameters.index("B21")
        same = (
            f"dlogl {fit.loglik - theirs['logl']:.0e}, B21 {fit.alpha[k] / theirs['B21'] - 1:.0e}, "
            f"se {errors.errors[k] / theirs['se'] - 1:.0e}, robust CFI {found.robust.cfi - theirs['cfi']:.0e}"
        )
        row(
            f"FIML fit, errors, indices, N = {n:,}",
            cpu(lambda Y=Y: answer(Y), options.repeats),
            theirs["seconds"],
            same,
        )
        stages(Y, options.repeats)
    boot = cpu(lambda: bootstrap(small[0], 1000, np.random.default_rng(1)), 1)
    row(
        "1,000 person-bootstrap draws",
        boot,
        peer["bootstrap"]["seconds"] * 1000 / options.draws,
        f"lavaan from {peer['bootstrap']['kept']} draws",
    )
    mine = fit_batch(MODEL, S[:, None], np.array([1000.0]))
    k = mine.names.index("B21")
    far = np.abs(mine.alpha[: options.fits, k] - peer["batch"]["B21"]).max()
    far_se = np.abs(mine.errors[: options.fits, k] / np.array(peer["batch"]["se"]) - 1).max()
    batch = cpu(lambda: fit_batch(MODEL, S[:, None], np.array([1000.0])), options.repeats)
    agree = f"B21 within {far:.0e}, se within {far_se:.0e}"
    note = f"lavaan from {options.fits} fits; {agree}; converged {mine.converged.mean():.1%}"
    row("1,000 complete-data fits with errors", batch, peer["batch"]["seconds"] * 1000 / options.fits, note)


def stages(Y: np.ndarray, repeats: int) -> None:
    """Where the engine's time goes."""
    data = pattern_statistics(Y)
    h1 = saturate(data)
    fit = fit_model(MODEL, data, saturated=h1)
    errors, pieces = robust(fit), saturated_pieces(fit)
    jobs: dict[str, Callable[[], object]] = {
        "grouping": lambda: pattern_statistics(Y),
        "saturated model": lambda: saturate(data),
        "model": lambda: fit_model(MODEL, data, saturated=h1),
        "robust errors": lambda: robust(fit),
        "saturated pieces": lambda: saturated_pieces(fit),
        "indices": lambda: indices(fit, errors, pieces),
    }
    parts = ", ".join(f"{name} {cpu(job, repeats):.4f}" for name, job in jobs.items())
    print(f"  of which ({len(data.groups[0].counts)} patterns): {parts}")


if __name__ == "__main__":
    main()
