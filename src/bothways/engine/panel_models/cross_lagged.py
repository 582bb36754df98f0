"""Cross-lagged panel models: CLPM, RI-CLPM and (bivariate) STARTS.

CLPM     y_t = μ_t + w_t                  stable differences between people are mixed into w
RI-CLPM  y_t = μ_t + b + w_t              Φ = Cov(b)      (Hamaker, Kuiper & Grasman 2015)
STARTS   y_t = μ_t + b + w_t + e_t        w stationary    (Kenny & Zautra 2001)
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np

from bothways.engine.panel_models.builder import PathBuilder, PathModel, covariance_block
from bothways.engine.panel_models.dynamics import Lags, Residuals, add_dynamics
from bothways.engine.panel_models.starts import between_covariance, dynamic_starts, symmetric_starts

Means = Literal["free", "equal"]


def ri_clpm(
    processes: int = 2,
    waves: int = 5,
    *,
    lags: Lags = "free",
    residuals: Residuals = "free",
    means: Means = "free",
    gaps: Sequence[float] | None = None,
    predictors: int = 0,
    predictor_on: Literal["waves", "intercepts"] = "waves",
    outcomes: int = 0,
) -> PathModel:
    """The random-intercept cross-lagged panel model.

    `predictors` time-invariant variables, freely correlated among themselves, act on every observed score
    (labels G<process><predictor>_<wave>) or on the random intercepts (G<process><predictor>). `outcomes` distal
    variables are regressed on the random intercepts (H<outcome><process>) and on the last within-person components
    (h<outcome><process>); their residuals covary freely. Both stand after the waves, predictors first.

    Raises ValueError for fewer than three waves: with two, the random intercepts are not identified.
    """
    if waves < 3:
        raise ValueError(f"random intercepts need at least three waves, found {waves}; use clpm")
    return _cross_lagged(
        processes, waves, lags, residuals, means, gaps, "intercepts",
        predictors=predictors, predictor_on=predictor_on, outcomes=outcomes,
    )  # fmt: skip


def clpm(
    processes: int = 2,
    waves: int = 2,
    *,
    lags: Lags = "free",
    residuals: Residuals = "free",
    means: Means = "free",
    gaps: Sequence[float] | None = None,
) -> PathModel:
    """The cross-lagged panel model without random intercepts: the RI-CLPM with Φ = 0."""
    return _cross_lagged(processes, waves, lags, residuals, means, gaps, "none")


def starts_model(processes: int = 1, waves: int = 4, *, gaps: Sequence[float] | None = None) -> PathModel:
    """Stable trait, stationary autoregressive trait and state; state variances equal over waves (label e<process>).

    Raises ValueError for fewer than four waves: the three sources of variance cannot be told apart.
    """
    if waves < 4:
        raise ValueError(f"STARTS needs at least four waves, found {waves}")
    lags: Lags = "equal" if gaps is None else "drift"
    return _cross_lagged(processes, waves, lags, "stationary", "free", gaps, "states")


def _cross_lagged(
    K: int,
    T: int,
    lags: Lags,
    residuals: Residuals,
    means: Means,
    gaps: Sequence[float] | None,
    between: Literal["none", "intercepts", "states"],
    predictors: int = 0,
    predictor_on: Literal["waves", "intercepts"] = "waves",
    outcomes: int = 0,
) -> PathModel:
    builder = PathBuilder()
    intercepts = [builder.state(f"b{k + 1}") for k in range(K)] if between != "none" else []
    w = [[builder.state(f"w{k + 1}_{t + 1}") for k in range(K)] for t in range(T)]
    e = [[builder.state(f"e{k + 1}_{t + 1}") for k in range(K)] if between == "states" else [] for t in range(T)]
    covariance_block(builder, intercepts, "Phi")
    add_dynamics(builder, w, lags, residuals, gaps)
    for t in range(T):
        for k in range(K):
            name = f"y{k + 1}_{t + 1}"
            parts = [*intercepts[k : k + 1], w[t][k], *e[t][k : k + 1]]
            builder.observe(name, parts, f"mean.y{k + 1}" if means == "equal" else None)
            for state in e[t][k : k + 1]:
                builder.covary(state, state, f"e{k + 1}")
    targets = [intercepts] if predictor_on == "intercepts" else w
    add_predictors(builder, predictors, targets, w if predictor_on == "waves" else [])
    add_outcomes(builder, outcomes, [*intercepts, *w[-1]], ["H"] * len(intercepts) + ["h"] * K, K)
    fixed_gaps = None if gaps is None else tuple(float(gap) for gap in gaps)

    def start(mean: np.ndarray, cov: np.ndarray) -> Mapping[str, float]:
        return cross_lagged_starts(mean, cov, K, T, between != "none", fixed_gaps, predictors)

    return builder.build(start, lagged=w)


def cross_lagged_starts(
    mean: np.ndarray, cov: np.ndarray, K: int, T: int, between: bool, gaps: tuple[float, ...] | None, predictors: int
) -> Mapping[str, float]:
    """Starting values of every label the cross-lagged families can carry."""
    waves = cov[: K * T, : K * T].reshape(T, K, T, K)
    phi = between_covariance(waves) if between else np.zeros((K, K))
    starts = dict(dynamic_starts(waves, phi, gaps)) | dict(symmetric_starts("Phi", phi))
    starts |= {f"mean.y{k + 1}_{t + 1}": float(mean[t * K + k]) for k in range(K) for t in range(T)}
    starts |= {f"mean.y{k + 1}": float(mean[k : K * T : K].mean()) for k in range(K)}
    for k in range(K):
        state = 0.2 * starts[f"W{k + 1}{k + 1}"]
        starts |= {f"e{k + 1}": state}
    rest, tail = cov[K * T :, K * T :], mean[K * T :]
    starts |= {f"mean.x{i + 1}": float(tail[i]) for i in range(predictors)}
    starts |= {f"mean.z{i + 1}": float(value) for i, value in enumerate(tail[predictors:])}
    starts |= dict(symmetric_starts("X", rest[:predictors, :predictors]))
    starts |= dict(symmetric_starts("Z", rest[predictors:, predictors:]))
    return starts


def add_predictors(
    builder: PathBuilder, count: int, targets: Sequence[Sequence[int]], waves: Sequence[Sequence[int]]
) -> None:
    """Exogenous variables x1, x2, ... with paths to each target.

    Where they act on observed scores, y_t gains γ_t x directly, beside b + w_t, so that lags do not carry it on.
    """
    exogenous = [builder.state(f"x{i + 1}") for i in range(count)]
    for i, state in enumerate(exogenous):
        builder.observe(f"x{i + 1}", [state])
    covariance_block(builder, exogenous, "X")
    for t, wave in enumerate(targets):
        for k, target in enumerate(wave):
            for i, state in enumerate(exogenous):
                if not waves:
                    builder.path(target, state, f"G{k + 1}{i + 1}")
                    continue
                direct = builder.state(f"g{k + 1}{i + 1}_{t + 1}")
                builder.path(direct, state, f"G{k + 1}{i + 1}_{t + 1}")
                builder.loadings[t * len(wave) + k, direct] = 1.0


def add_outcomes(builder: PathBuilder, count: int, sources: Sequence[int], letters: Sequence[str], K: int) -> None:
    """Distal variables z1, z2, ... regressed on the given states, with freely covarying residuals."""
    distal = [builder.state(f"z{i + 1}") for i in range(count)]
    for i, state in enumerate(distal):
        builder.observe(f"z{i + 1}", [state])
        for position, (source, letter) in enumerate(zip(sources, letters, strict=True)):
            builder.path(state, source, f"{letter}{i + 1}{position % K + 1}")
    covariance_block(builder, distal, "Z")
