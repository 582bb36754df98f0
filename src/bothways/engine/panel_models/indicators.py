"""RI-CLPM with several indicators a process and the ladder of invariance over time (Mulder & Hamaker 2021).

    y_kit = ν_kit + λ_kit f_kt + b_ki + ε_kit,   f_kt = w_kt (+ b_k),   w as in the RI-CLPM,   λ_k1t = 1

configural  a random intercept b_ki for each indicator; loadings and intercepts free
loadings    λ_ki equal over waves
intercepts  ν_ki equal as well; the means of f at later waves free (labels mean.f<k>_<t>)
single      one random intercept b_k per process, inside the factor
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from bothways.engine.panel_models.builder import PathBuilder, PathModel, covariance_block
from bothways.engine.panel_models.dynamics import Lags, add_dynamics
from bothways.engine.panel_models.starts import between_covariance, dynamic_starts, symmetric_starts

Invariance = Literal["configural", "loadings", "intercepts", "single"]
LADDER: tuple[Invariance, ...] = ("configural", "loadings", "intercepts", "single")


def indicator_ri_clpm(
    indicators: Sequence[int] = (3, 3),
    waves: int = 4,
    *,
    invariance: Invariance = "loadings",
    lags: Lags = "free",
) -> PathModel:
    """Variables by wave, then process, then indicator; a process with one indicator has no measurement error.

    Raises ValueError for fewer than three waves.
    """
    if waves < 3 or lags not in ("free", "equal"):
        raise ValueError(f"needs three waves and lags 'free' or 'equal'; found {waves}, {lags!r}")
    K, T = len(indicators), waves
    builder = PathBuilder()
    items = [(k, i) for k in range(K) for i in range(indicators[k])]
    owners = [(k, None) for k in range(K)] if invariance == "single" else items
    b = {owner: builder.state(_name("b", owner)) for owner in owners}
    covariance_block(builder, list(b.values()), "Phi")
    w = [[builder.state(f"w{k + 1}_{t + 1}") for k in range(K)] for t in range(T)]
    add_dynamics(builder, w, lags)
    for t in range(T):
        factors = [builder.state(f"f{k + 1}_{t + 1}") for k in range(K)]
        for k in range(K):
            builder.path(factors[k], w[t][k], 1.0)
            if (k, None) in b:
                builder.path(factors[k], b[k, None], 1.0)
            if t and invariance in ("intercepts", "single"):
                builder.mean(factors[k], f"mean.f{k + 1}_{t + 1}")
        for k, i in items:
            _add_item(builder, k, i, t, factors[k], b.get((k, i)), invariance, indicators[k] > 1)

    def start(mean: np.ndarray, cov: np.ndarray) -> Mapping[str, float]:
        return _starts(mean, cov, items, T, invariance)

    return builder.build(start, lagged=w)


def _name(letter: str, owner: tuple[int, int | None]) -> str:
    k, i = owner
    return f"{letter}{k + 1}" if i is None else f"{letter}{k + 1}{i + 1}"


def _add_item(
    builder: PathBuilder, k: int, i: int, t: int, factor: int, trait: int | None, invariance: Invariance, noisy: bool
) -> None:
    """One indicator at one wave: its own state carries loading and error, its trait enters directly."""
    name = f"{_name('y', (k, i))}_{t + 1}"
    state = builder.state(name)
    loading = f"lambda{k + 1}{i + 1}" + (f"_{t + 1}" if invariance == "configural" else "")
    builder.path(state, factor, 1.0 if i == 0 else loading)
    if noisy:
        builder.covary(state, state, f"theta{k + 1}{i + 1}_{t + 1}")
    common = f"mean.{_name('y', (k, i))}" if invariance in ("intercepts", "single") else None
    builder.observe(name, [state] if trait is None else [state, trait], common)


def _starts(
    mean: np.ndarray, cov: np.ndarray, items: list[tuple[int, int]], T: int, invariance: Invariance
) -> Mapping[str, float]:
    """Half of each variance is error; the first indicators carry the dynamics."""
    n = len(items)
    markers = [position for position, (_, i) in enumerate(items) if i == 0]
    waves = cov.reshape(T, n, T, n)
    phi = between_covariance(waves)
    dynamic = waves[:, markers][:, :, :, markers]
    starts = dict(dynamic_starts(0.6 * dynamic, 0.6 * phi[np.ix_(markers, markers)], None))
    single = invariance == "single"
    starts |= dict(symmetric_starts("Phi", 0.6 * (phi[np.ix_(markers, markers)] if single else phi)))
    for t in range(T):
        for position, (k, i) in enumerate(items):
            variance = waves[t, position, t, position] - phi[position, position]
            starts[f"theta{k + 1}{i + 1}_{t + 1}"] = 0.4 * float(variance)
            starts |= {f"lambda{k + 1}{i + 1}_{t + 1}": 1.0, f"lambda{k + 1}{i + 1}": 1.0}
            starts[f"mean.y{k + 1}{i + 1}_{t + 1}"] = float(mean[t * n + position])
            starts[f"mean.y{k + 1}{i + 1}"] = float(mean[position])
            if i == 0:
                starts[f"mean.f{k + 1}_{t + 1}"] = float(mean[t * n + position] - mean[position])
    return starts
