"""Fit indices, plain, scaled and robust, with the corrections for missing data.

CFI = 1 − max(T − df, 0)/max(T − df, T_b − df_b, 0),  TLI = 1 − (T − df) df_b/((T_b − df_b) df),
RMSEA = √(G max(T/df − 1, 0)/N) with the interval from the noncentral chi-square. The baseline model has free means
and variances and no covariances. Scaled: T and T_b divided by their Yuan-Bentler factors (RMSEA: df replaced by the
trace). Robust: ĉ df for df (Brosseau-Liard & Savalei 2014); with missing values T, T_b are the complete-data
discrepancies of the FIML estimates from the saturated moments and ĉ removes the missingness (Zhang & Savalei 2023).
SRMR is Bentler's, means included; AIC, BIC and the sample-size adjusted BIC ((N + 2)/24) count free parameters.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.linalg import block_diag
from scipy.special import chdtr, chdtrc, chndtr, chndtrinc

from bothways.engine.fiml import half_vector, moment_derivatives, score_products, score_sums
from bothways.engine.fitting import PanelFit
from bothways.engine.inference import Uncertainty, robust
from bothways.engine.patterns import moment_data
from bothways.engine.saturated import available_moments
from bothways.engine.scaled import SaturatedPieces, chained_jacobian, chi_square, saturated_pieces, yuan_bentler
from bothways.engine.survey import Clusters, drawn_of, totals_meat


@dataclass(frozen=True, slots=True)
class Indices:
    """One version of the indices that rest on chi-square."""

    chisq: float
    df: float
    p: float
    cfi: float
    tli: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    p_close: float


@dataclass(frozen=True, slots=True)
class FitIndices:
    """All indices of one fit; `scaling` and `baseline_scaling` are the Yuan-Bentler factors."""

    plain: Indices
    scaled: Indices
    robust: Indices
    scaling: float
    baseline_chisq: float
    baseline_df: int
    baseline_scaling: float
    srmr: float
    loglik: float
    saturated_loglik: float
    parameters: int
    people: float
    aic: float
    bic: float
    sabic: float


@dataclass(frozen=True, slots=True, eq=False)
class _Baseline:
    chisq: float
    df: int
    tau: float
    mean: tuple[np.ndarray, ...]
    cov: tuple[np.ndarray, ...]
    jacobian: Float[np.ndarray, "moments free"]


def indices(
    fit: PanelFit,
    errors: Uncertainty | None = None,
    pieces: SaturatedPieces | None = None,
    clusters: Clusters = None,
) -> FitIndices:
    """The fit indices; `errors` (the sandwich) and `pieces` spare computing them again."""
    sandwich = robust(fit, clusters) if errors is None else errors
    h1 = saturated_pieces(fit, clusters) if pieces is None else pieces
    base = _baseline(fit, clusters)
    plain, scaled = chi_square(fit), yuan_bentler(fit, sandwich.tau, h1)
    base_scaling = (h1.tau - base.tau) / base.df
    N, G, q = fit.data.total, fit.model.groups, len(fit.alpha)
    versions = (
        _version(plain.statistic, plain.df, base.chisq, base.df, N, G),
        _scaled_version(plain.statistic, plain.df, scaled.scaling, base.chisq, base.df, base_scaling, N, G),
        _robust_version(fit, base, h1, scaled.scaling, base_scaling, N, G),
    )
    return FitIndices(
        *versions, scaled.scaling, base.chisq, base.df, base_scaling, _srmr(fit), fit.loglik,
        sum(h.loglik for h in fit.saturated), q, N, 2 * q - 2 * fit.loglik, q * np.log(N) - 2 * fit.loglik,
        q * np.log((N + 2) / 24) - 2 * fit.loglik,
    )  # fmt: skip


def _baseline(fit: PanelFit, clusters: Clusters) -> _Baseline:
    """Independence: each variable's own mean and variance, whose likelihood needs no iteration."""
    p = fit.data.variables
    diagonal = np.cumsum(np.arange(1, p + 1)) - 1
    free = np.concatenate([np.arange(p), p + diagonal])
    drawn = drawn_of(clusters)
    loglik, tau = 0.0, 0.0
    means, covs = [], []
    for data in fit.data.groups:
        mean, variance = available_moments(data)
        found = moment_derivatives(data, mean, np.diag(variance), "observed")
        if found is None or found.information is None:
            raise np.linalg.LinAlgError("a variable does not vary")
        if drawn is None:
            B = score_products(data, mean, np.diag(variance))
        else:
            sums = score_sums(data, mean, np.diag(variance), drawn.unit[data.kept], drawn.units)
            B = totals_meat(sums, drawn)
        loglik += found.loglik
        tau += float(np.trace(np.linalg.solve(found.information[np.ix_(free, free)], B[np.ix_(free, free)])))
        means.append(mean)
        covs.append(np.diag(variance))
    D = np.zeros((p * (p + 3) // 2, 2 * p))
    D[free, np.arange(2 * p)] = 1.0
    G = fit.model.groups
    chisq = 2.0 * (sum(h.loglik for h in fit.saturated) - loglik)
    return _Baseline(chisq, G * p * (p - 1) // 2, tau, tuple(means), tuple(covs), np.asarray(block_diag(*[D] * G)))


def _version(T: float, df: float, Tb: float, dfb: float, N: float, G: int, c: float = 1.0, cb: float = 1.0) -> Indices:
    """Indices from one pair of statistics; c, c_b are the expected inflation of T and T_b per degree of freedom."""
    low, high = rmsea_interval(T / c, df, N, G, c)
    closeness = float(1.0 - chndtr(T / c, df, 0.05**2 * N * df / (G * c))) if df > 0 else np.nan
    return Indices(
        T / c, df, float(chdtrc(df, T / c)) if df > 0 else np.nan,
        _cfi(T - c * df, Tb - cb * dfb), _tli(T - c * df, df, Tb - cb * dfb, dfb),
        _rmsea(T, df, N, G, c), low, high, closeness,
    )  # fmt: skip


def _scaled_version(T: float, df: int, c: float, Tb: float, dfb: int, cb: float, N: float, G: int) -> Indices:
    if not c > 0:
        return _nothing(df)
    scaled = _version(T / c, df, Tb / cb, dfb, N, G)
    low, high = rmsea_interval(T, c * df, N, G)
    return Indices(
        scaled.chisq, scaled.df, scaled.p, scaled.cfi, scaled.tli, _rmsea(T, c * df, N, G), low, high,
        float(1.0 - chndtr(T, c * df, 0.05**2 * N * c * df / G)),
    )  # fmt: skip


def _robust_version(
    fit: PanelFit, base: _Baseline, h1: SaturatedPieces, c: float, cb: float, N: float, G: int
) -> Indices:
    df = fit.status.degrees_of_freedom
    if not c > 0:
        return _nothing(df)
    if fit.data.complete:
        return _version(chi_square(fit).statistic, df, base.chisq, base.df, N, G, c, cb)
    implied = fit.implied()
    T = _discrepancy(fit, tuple(m.mean for m in implied), tuple(m.cov for m in implied))
    Tb = _discrepancy(fit, base.mean, base.cov)
    c = _missing_trace(h1, chained_jacobian(fit)) / df
    cb = _missing_trace(h1, base.jacobian) / base.df
    return _version(T, df, Tb, base.df, N, G, c, cb)


def _nothing(df: int) -> Indices:
    return Indices(np.nan, df, *[np.nan] * 7)


def _discrepancy(fit: PanelFit, means: tuple[np.ndarray, ...], covs: tuple[np.ndarray, ...]) -> float:
    """The complete-data chi-square of given moments from the saturated ones."""
    total = 0.0
    for data, h1, mean, cov in zip(fit.data.groups, fit.saturated, means, covs, strict=True):
        summary = moment_data(h1.mean, h1.cov, data.total)
        here, best = (moment_derivatives(summary, m, C, "gradient") for m, C in ((mean, cov), (h1.mean, h1.cov)))
        if here is None or best is None:
            raise np.linalg.LinAlgError("a covariance matrix is not positive definite")
        total += 2.0 * (best.loglik - here.loglik)
    return total


def _missing_trace(h1: SaturatedPieces, D: Float[np.ndarray, "moments free"]) -> float:
    """tr(R C R' Γ), R = Id − W D (D'WD)⁻¹ D': the expected complete-data discrepancy of a model with Jacobian D."""
    W, C = np.asarray(block_diag(*h1.information)), np.asarray(block_diag(*h1.complete))
    WD = W @ D
    R = np.eye(len(W)) - WD @ np.linalg.solve(D.T @ WD, D.T)
    return float(np.sum((R @ C @ R.T) * h1.acov))


def _cfi(excess: float, baseline: float) -> float:
    worst = max(excess, baseline, 0.0)
    return 1.0 if worst == 0 else 1.0 - max(excess, 0.0) / worst


def _tli(excess: float, df: float, baseline: float, dfb: float) -> float:
    return 1.0 - excess * dfb / (baseline * df) if df > 0 and baseline != 0 else 1.0


def _rmsea(T: float, df: float, N: float, G: int, c: float = 1.0) -> float:
    return float(np.sqrt(G * max(T / df - c, 0.0) / N)) if df > 0 else 0.0


def rmsea_interval(
    T: float, df: float, N: float, G: int = 1, c: float = 1.0, level: float = 0.90
) -> tuple[float, float]:
    """Limits √(G c λ/(N df)) with λ such that T stands at the upper and lower tail of the noncentral chi-square."""
    if df <= 0 or not np.isfinite(T):
        return (np.nan, np.nan) if df > 0 else (0.0, 0.0)
    limits = []
    for tail in (0.5 + level / 2, 0.5 - level / 2):
        if chdtr(df, T) <= tail:
            limits.append(0.0)
            continue
        centre = chndtrinc(T, df, tail)
        limits.append(float(np.sqrt(G * c * centre / (N * df))))
    return limits[0], limits[1]


def _srmr(fit: PanelFit) -> float:
    """√ of the mean squared standardised residual of means and covariances, averaged over groups by people."""
    total = 0.0
    for data, h1, implied in zip(fit.data.groups, fit.saturated, fit.implied(), strict=True):
        sd = np.sqrt(np.diag(h1.cov))
        residuals = np.concatenate(
            [half_vector((h1.cov - implied.cov) / np.outer(sd, sd)), (h1.mean - implied.mean) / sd]
        )
        total += data.total / fit.data.total * float(np.sqrt(np.mean(residuals**2)))
    return total
