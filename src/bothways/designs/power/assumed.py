"""The world that a plan assumes: a stationary random-intercept panel, and who is seen at which wave."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Float

from bothways.engine.effects import standardised_lags
from bothways.engine.panel_models.builder import PathModel
from bothways.engine.panel_models.cross_lagged import ri_clpm
from bothways.engine.parameters import Smooth
from bothways.engine.power import Coverage
from bothways.terms.errors import QuestionError

MOST_WAVES = 12  # 2^waves patterns of who is seen when


@dataclass(frozen=True, slots=True)
class Assumed:
    """What is taken to be true.

    ``effects`` are the standardised within-person lags (A to B, B to A). ``autoregression`` is each process's lag on
    itself (one for all, or one each), ``correlation`` that of the processes within people at one wave,
    ``trait_correlation`` that of their usual levels, ``icc`` the share of variance between people. ``processes``
    beyond the pair take part in the autoregression and the correlations, with no lags of their own on others.
    ``dropout`` is the share of those still present who leave for good before each later wave, ``missing`` the share
    of present people who miss a wave.
    """

    waves: int
    effects: tuple[float, float]
    icc: float = 0.5
    autoregression: float | tuple[float, ...] = 0.3
    correlation: float = 0.3
    trait_correlation: float = 0.4
    dropout: float = 0.0
    missing: float = 0.0
    processes: int = 2

    def __post_init__(self) -> None:
        for name in ("icc", "dropout", "missing"):
            if not 0 <= getattr(self, name) < 1:
                raise QuestionError(f"--{name}", "it must be at least 0 and below 1", "Give a share such as 0.1")
        if not self.icc > 0:
            raise QuestionError("--icc", "without lasting differences there is no random intercept", "Give 0.1 or more")
        if not 3 <= self.waves <= MOST_WAVES:
            raise QuestionError(
                "--waves", f"{self.waves} cannot be planned for", f"Give 3 to {MOST_WAVES}; two waves mix what lasts"
            )
        if self.processes < 2:
            raise QuestionError("--processes", "there are two conditions at least", "Give 2 or more")
        if isinstance(self.autoregression, tuple) and len(self.autoregression) != self.processes:
            raise QuestionError(
                "--autoregression", f"{len(self.autoregression)} for {self.processes} processes", "Give one for each"
            )
        if min(np.linalg.eigvalsh(self.residual).min(), np.linalg.eigvalsh(self.within).min()) <= 0:
            raise QuestionError(
                "the plan", "these lags and correlations would move more than all there is", "Lower one of them"
            )

    @property
    def lags(self) -> Float[np.ndarray, "K K"]:
        """B, outcome by predictor, where every within-person variance is one."""
        own = self.autoregression
        B = np.diag(own if isinstance(own, tuple) else (own,) * self.processes).astype(float)
        B[1, 0], B[0, 1] = self.effects
        return B

    @property
    def within(self) -> Float[np.ndarray, "K K"]:
        """W = Cov(w), the same at every wave."""
        return _correlated(self.processes, self.correlation)

    @property
    def residual(self) -> Float[np.ndarray, "K K"]:
        """Ψ = W − B W B'."""
        return np.asarray(self.within - self.lags @ self.within @ self.lags.T)

    @property
    def between(self) -> Float[np.ndarray, "K K"]:
        """Φ, so that the share between people is ``icc``."""
        return _correlated(self.processes, self.trait_correlation) * self.icc / (1 - self.icc)


def _correlated(size: int, r: float) -> Float[np.ndarray, "K K"]:
    return np.full((size, size), r) + (1 - r) * np.eye(size)


def analysed(assumed: Assumed) -> tuple[PathModel, Float[np.ndarray, "free"]]:
    """The model that will be fitted (RI-CLPM, lags equal, all else free), and its true parameters."""
    model = ri_clpm(assumed.processes, assumed.waves, lags="equal")
    true: dict[str, float] = {}
    matrices = {"Phi": assumed.between, "B": assumed.lags}
    matrices |= {f"Psi.{t + 1}": assumed.residual if t else assumed.within for t in range(assumed.waves)}
    for key, matrix in matrices.items():
        letters, _, wave = key.partition(".")
        end = f"_{wave}" if wave else ""
        for i, j in product(range(assumed.processes), repeat=2):
            true[f"{letters}{i + 1}{j + 1}{end}"] = float(matrix[i, j])
    return model, np.array([true.get(name, 0.0) for name in model.names])


def coverage(assumed: Assumed) -> Coverage:
    """Every pattern of waves with its share: leave for good with ``dropout``, miss a wave with ``missing``."""
    T, stay = assumed.waves, 1 - assumed.dropout
    patterns: dict[tuple[bool, ...], float] = {}
    for last in range(1, T + 1):
        lasting = stay ** (last - 1) * (1.0 if last == T else assumed.dropout)
        for seen in product((True, False), repeat=last):
            skipped = last - sum(seen)
            share = lasting * assumed.missing**skipped * (1 - assumed.missing) ** (last - skipped)
            if share > 0 and any(seen):
                key = seen + (False,) * (T - last)
                patterns[key] = patterns.get(key, 0.0) + share
    observed = np.repeat(np.array(list(patterns)), assumed.processes, axis=1)
    return Coverage(observed, np.array(list(patterns.values())))


def pair_of_lags(model: PathModel) -> Smooth:
    """α -> the mean standardised lags (A to B, B to A), for one α or a batch."""
    lags = standardised_lags(model)

    def pair(alpha: np.ndarray) -> np.ndarray:
        mean = lags(alpha)[..., 0, :, :, :].mean(axis=-3)
        return np.stack([mean[..., 1, 0], mean[..., 0, 1]], axis=-1)

    return pair
