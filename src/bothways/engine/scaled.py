"""Likelihood-ratio tests that hold when the data are not normal.

    T / c,    c = (τ₁ − τ₀)/df,    τ = tr(J⁻¹M)                                        (Yuan & Bentler 2000)

τ₀ from the model, τ₁ from the saturated model at its own estimates, both with observed information and counted in
the free parameters after constraints. This is what lavaan calls "yuan.bentler.mplus" (estimator MLR). For complete
data, Satorra & Bentler's (1994) c = tr(UΓ)/df with expected information, which lavaan calls MLM.

Nested models: c_d = (τ_large − τ_small)/(q_large − q_small), statistic 2Δℓ/c_d (Satorra & Bentler 2001); if c_d ≤ 0,
τ_large is taken at the small model's estimates (Satorra & Bentler 2010).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.linalg import block_diag
from scipy.special import chdtrc

from bothways.engine.fiml import moment_derivatives, score_products, score_sums
from bothways.engine.fitting import PanelFit, objective
from bothways.engine.inference import meat, observed_information
from bothways.engine.moments import moment_jacobian
from bothways.engine.panel_models.builder import PathModel
from bothways.engine.patterns import moment_data
from bothways.engine.scoring import maximise
from bothways.engine.survey import Clusters, drawn_of, totals_meat


@dataclass(frozen=True, slots=True)
class Test:
    """A chi-square statistic already divided by `scaling`; `method` says which correction was used."""

    statistic: float
    df: int
    p: float
    scaling: float
    method: str


@dataclass(frozen=True, slots=True, eq=False)
class SaturatedPieces:
    """Per group at h1: observed information W, score products B, complete-data information C, all in (μ, vech Σ)."""

    information: tuple[Float[np.ndarray, "m m"], ...]
    products: tuple[Float[np.ndarray, "m m"], ...]
    complete: tuple[Float[np.ndarray, "m m"], ...]

    @property
    def tau(self) -> float:
        """τ₁ = Σ tr(W⁻¹B)."""
        return float(sum(np.trace(np.linalg.solve(W, B)) for W, B in zip(self.information, self.products, strict=True)))

    @property
    def acov(self) -> np.ndarray:
        """W⁻¹BW⁻¹ of all groups: the robust covariance matrix of the saturated moments."""
        blocks = []
        for W, B in zip(self.information, self.products, strict=True):
            half = np.linalg.solve(W, B)
            blocks.append(np.linalg.solve(W, half.T))
        return np.asarray(block_diag(*blocks))


def saturated_pieces(fit: PanelFit, clusters: Clusters = None) -> SaturatedPieces:
    """What the scaled tests need of the saturated model; shared by every model of the same data."""
    drawn = drawn_of(clusters)
    information, products, complete = [], [], []
    for data, h1 in zip(fit.data.groups, fit.saturated, strict=True):
        found = moment_derivatives(data, h1.mean, h1.cov, "observed")
        whole = moment_derivatives(moment_data(h1.mean, h1.cov, data.total), h1.mean, h1.cov, "expected")
        if found is None or found.information is None or whole is None or whole.information is None:
            raise np.linalg.LinAlgError("the saturated covariance matrix is not positive definite")
        information.append(found.information)
        complete.append(whole.information)
        if drawn is None:
            products.append(score_products(data, h1.mean, h1.cov))
        else:
            sums = score_sums(data, h1.mean, h1.cov, drawn.unit[data.kept], drawn.units)
            products.append(totals_meat(sums, drawn))
    return SaturatedPieces(tuple(information), tuple(products), tuple(complete))


def chi_square(fit: PanelFit) -> Test:
    """2(ℓ₁ − ℓ₀) against the saturated model, unscaled."""
    statistic = 2.0 * (sum(h1.loglik for h1 in fit.saturated) - fit.loglik)
    return _test(statistic, fit.status.degrees_of_freedom, 1.0, "likelihood ratio")


def yuan_bentler(fit: PanelFit, tau: float, pieces: SaturatedPieces) -> Test:
    """T/c with c = (τ₁ − τ₀)/df; `tau` is τ₀ of the sandwich (`inference.robust(fit).tau`)."""
    plain = chi_square(fit)
    return _test(plain.statistic, plain.df, _ratio(pieces.tau - tau, plain.df), "Yuan-Bentler")


def satorra_bentler(fit: PanelFit, pieces: SaturatedPieces) -> Test:
    """T/c with c = tr(UΓ)/df, U from the expected information at the model. Complete data only (ValueError)."""
    if not fit.data.complete:
        raise ValueError("the Satorra-Bentler correction needs complete data; use yuan_bentler")
    weights = []
    for data, implied in zip(fit.data.groups, fit.implied(), strict=True):
        found = moment_derivatives(data, implied.mean, implied.cov, "expected")
        if found is None or found.information is None:
            raise np.linalg.LinAlgError("the implied covariance matrix is not positive definite")
        weights.append(found.information)
    V, D = np.asarray(block_diag(*weights)), chained_jacobian(fit)
    VD = V @ D
    U = V - VD @ np.linalg.solve(D.T @ VD, VD.T)
    plain = chi_square(fit)
    return _test(plain.statistic, plain.df, _ratio(float(np.sum(U * pieces.acov)), plain.df), "Satorra-Bentler")


def chained_jacobian(fit: PanelFit) -> Float[np.ndarray, "moments free"]:
    """∂(μ, vech Σ)/∂α of all groups, stacked."""
    Q = fit.model.parameters.jacobian(fit.alpha).reshape(fit.model.groups, -1, len(fit.alpha))
    return np.concatenate([moment_jacobian(fit.model.structure, m) @ Q[g] for g, m in enumerate(fit.implied())])


def difference_test(
    small: PanelFit,
    large: PanelFit,
    method: Literal["plain", "2001", "2010"] = "2001",
    tau: tuple[float, float] | None = None,
    clusters: Clusters = None,
) -> Test:
    """Whether the constraints of `small`, nested in `large`, hold. `tau` = (τ_small, τ_large) spares computing them.

    With method "2001" a factor c_d ≤ 0 switches to "2010"; the result's `method` says which was used.

    Raises ValueError if `small` does not have fewer free parameters.
    """
    df = len(large.alpha) - len(small.alpha)
    if df <= 0:
        raise ValueError("the small model must have fewer free parameters than the large one")
    statistic = 2.0 * (large.loglik - small.loglik)
    if method == "plain":
        return _test(statistic, df, 1.0, "likelihood ratio")
    tau_small = _tau(small, clusters) if tau is None else tau[0]
    if method == "2001":
        tau_large = _tau(large, clusters) if tau is None else tau[1]
        scaling = (tau_large - tau_small) / df
        if scaling > 0:
            return _test(statistic, df, scaling, "Satorra-Bentler 2001")
    at_small = _tau(large, clusters, embedded(small, large))
    return _test(statistic, df, (at_small - tau_small) / df, "Satorra-Bentler 2010")


def embedded(small: PanelFit, large: PanelFit) -> Float[np.ndarray, " free"]:
    """The parameters of `large` that imply the moments of `small`: the large model fitted to exactly those moments.

    Raises ValueError if it cannot imply them, that is, if the models are not nested.
    """
    moments = [(m.mean, m.cov) for m in small.implied()]
    return reproduce(large.model, moments, [group.total for group in small.data.groups], large.alpha)


def reproduce(
    model: PathModel,
    moments: Sequence[tuple[np.ndarray, np.ndarray]],
    people: Sequence[float],
    start: Float[np.ndarray, " free"],
) -> Float[np.ndarray, " free"]:
    """The α that implies given moments (by group). Raises ValueError if the model cannot imply them."""
    exact = [moment_data(m, C, n) for (m, C), n in zip(moments, people, strict=True)]
    ascent = maximise(objective(model, exact), start, tolerance=1e-18)
    perfect = 0.0
    for data, (m, C) in zip(exact, moments, strict=True):
        found = moment_derivatives(data, m, C, "gradient")
        perfect += -np.inf if found is None else found.loglik
    if ascent is None or perfect - ascent.last.loglik > 1e-9 * max(1.0, abs(perfect)):
        raise ValueError("the model cannot imply these moments (it is not nested in the way that was asked for)")
    return ascent.point


def _tau(fit: PanelFit, clusters: Clusters, alpha: np.ndarray | None = None) -> float:
    J = observed_information(fit, alpha)
    return float(np.trace(np.linalg.solve(J, meat(fit, clusters, alpha))))


def _ratio(trace: float, df: int) -> float:
    return trace / df if df > 0 else np.nan


def _test(statistic: float, df: int, scaling: float, method: str) -> Test:
    scaled = statistic / scaling if scaling > 0 else np.nan
    return Test(scaled, df, float(chdtrc(df, scaled)) if df > 0 else np.nan, scaling, method)
