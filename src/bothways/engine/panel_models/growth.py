"""Latent curve model with structured residuals: y_t = g_0 + λ_t g_1 + w_t, w as in the CLPM (Curran et al. 2014).

Growth factors have free means (labels mean.i<k>, mean.s<k>) and a free covariance matrix Phi in the order
i1, s1, i2, s2, ...; the means of the scores are therefore not saturated.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from bothways.engine.panel_models.builder import PathBuilder, PathModel, covariance_block
from bothways.engine.panel_models.dynamics import Lags, Residuals, add_dynamics
from bothways.engine.panel_models.starts import between_covariance, dynamic_starts, symmetric_starts


def lcm_sr(
    processes: int = 2,
    waves: int = 5,
    *,
    lags: Lags = "equal",
    residuals: Residuals = "free",
    times: Sequence[float] | None = None,
    gaps: Sequence[float] | None = None,
) -> PathModel:
    """The model with a straight line a person; `times` (default 0, 1, ..., T−1) are the slope's loadings.

    Raises ValueError for fewer than four waves.
    """
    if waves < 4:
        raise ValueError(f"growth with structured residuals needs at least four waves, found {waves}")
    K, T = processes, waves
    when = np.arange(T, dtype=float) if times is None else np.asarray(times, float)
    if len(when) != T:
        raise ValueError(f"{T} waves need {T} times, found {len(when)}")
    builder = PathBuilder()
    growth = [[builder.state(f"i{k + 1}"), builder.state(f"s{k + 1}")] for k in range(K)]
    w = [[builder.state(f"w{k + 1}_{t + 1}") for k in range(K)] for t in range(T)]
    covariance_block(builder, [state for pair in growth for state in pair], "Phi")
    for state in (state for pair in growth for state in pair):
        builder.mean(state, f"mean.{builder.states[state]}")
    add_dynamics(builder, w, lags, residuals, gaps)
    for t in range(T):
        for k in range(K):
            row = builder.observe(f"y{k + 1}_{t + 1}", [growth[k][0], w[t][k]], 0.0)
            builder.loadings[row, growth[k][1]] = float(when[t])
    fixed_gaps = None if gaps is None else tuple(float(gap) for gap in gaps)

    def start(mean: np.ndarray, cov: np.ndarray) -> Mapping[str, float]:
        return _starts(mean.reshape(T, K), cov.reshape(T, K, T, K), when, fixed_gaps)

    return builder.build(start, lagged=w)


def _starts(mean: np.ndarray, cov: np.ndarray, when: np.ndarray, gaps: tuple[float, ...] | None) -> Mapping[str, float]:
    T, K = mean.shape
    phi = between_covariance(cov)
    lines = np.linalg.lstsq(np.column_stack([np.ones(T), when]), mean, rcond=None)[0]
    spread = max(float(np.ptp(when)), 1e-12)
    growth = np.zeros((2 * K, 2 * K))
    growth[::2, ::2] = 0.9 * phi
    growth[1::2, 1::2] = np.diag(0.1 * np.diag(phi) / spread**2)
    starts = dict(dynamic_starts(cov, phi, gaps)) | dict(symmetric_starts("Phi", growth))
    for k in range(K):
        starts |= {f"mean.i{k + 1}": float(lines[0, k]), f"mean.s{k + 1}": float(lines[1, k])}
    return starts
