"""Uncertainty of a fit: covariance matrices of the estimates, and functions of them by the delta method.

    expected I⁻¹      observed J⁻¹      sandwich J⁻¹ M J⁻¹,  M = Σ s_i s_i' or, with clusters, Σ_c S_c S_c'

M with clusters carries the factor C/(C−1) for C clusters, as lavaan and Mplus do; with strata it is summed over them
(`survey.py`). τ = tr(J⁻¹M) is the fit's part of
every scaled test (`scaled.py`); it is taken in the space of the free parameters, after all constraints.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.special import ndtri

from bothways.engine.fiml import score_products, score_sums
from bothways.engine.fitting import PanelFit, evaluate
from bothways.engine.moments import implied_moments, moment_jacobian
from bothways.engine.parameters import Smooth, complex_step
from bothways.engine.survey import Clusters, drawn_of, totals_meat

Flavour = Literal["expected", "observed", "sandwich"]


@dataclass(frozen=True, slots=True, eq=False)
class Uncertainty:
    """Covariance of α̂. `tau` is tr(J⁻¹M) for the sandwich, else the number of free parameters."""

    covariance: Float[np.ndarray, "free free"]
    flavour: Flavour
    tau: float

    @property
    def errors(self) -> Float[np.ndarray, " free"]:
        """Standard errors; NaN where a variance is negative beyond rounding.

        It is zero where the data fix a parameter: the sandwich of the variance of a column that halves the people.
        """
        variance = np.diag(self.covariance)
        rounding = 1e-12 * float(np.abs(variance).max(initial=0.0))
        return np.sqrt(np.where(variance > -rounding, np.maximum(variance, 0.0), np.nan))


@dataclass(frozen=True, slots=True, eq=False)
class Interval:
    """Values of a function of the parameters, with standard errors and Wald limits."""

    value: np.ndarray
    error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    covariance: np.ndarray


def uncertainty(fit: PanelFit, flavour: Flavour = "sandwich", clusters: Clusters = None) -> Uncertainty:
    """The covariance matrix of the estimates; `clusters`, one label a row of the table that came in, or a sampling
    design of strata as well, need the sandwich.

    Raises numpy.linalg.LinAlgError if the information is singular, ValueError if clusters are given without sandwich.
    """
    if clusters is not None and flavour != "sandwich":
        raise ValueError("cluster-robust errors are a sandwich")
    if flavour == "expected":
        return Uncertainty(np.linalg.inv(fit.information), flavour, float(len(fit.alpha)))
    bread = np.linalg.inv(observed_information(fit))
    if flavour == "observed":
        return Uncertainty(bread, flavour, float(len(fit.alpha)))
    M = meat(fit, clusters)
    return Uncertainty(bread @ M @ bread, flavour, float(np.sum(bread * M)))


def robust(fit: PanelFit, clusters: Clusters = None) -> Uncertainty:
    """The sandwich ("MLR"), or the cluster-robust one."""
    return uncertainty(fit, "sandwich", clusters)


def observed_information(fit: PanelFit, alpha: Float[np.ndarray, " free"] | None = None) -> np.ndarray:
    """The exact −∂²ℓ/∂α∂α', at the estimates unless another point is given."""
    found = evaluate(fit.model, fit.data.groups, fit.alpha if alpha is None else alpha, "observed")
    if found is None:
        raise np.linalg.LinAlgError("the implied covariance matrix is not positive definite")
    return found.information


def meat(fit: PanelFit, clusters: Clusters = None, alpha: Float[np.ndarray, " free"] | None = None) -> np.ndarray:
    """Σ s s' of the casewise (or cluster) scores in α."""
    at = fit.alpha if alpha is None else alpha
    Q = fit.model.parameters.jacobian(at).reshape(fit.model.groups, -1, len(at))
    total = np.zeros((len(at), len(at)))
    drawn = drawn_of(clusters)
    sums = np.zeros((0 if drawn is None else drawn.units, len(at)))
    for g, data in enumerate(fit.data.groups):
        implied = implied_moments(fit.model.structure, fit.model.cells(at)[g])
        chained = moment_jacobian(fit.model.structure, implied) @ Q[g]
        if drawn is None:
            total += chained.T @ score_products(data, implied.mean, implied.cov) @ chained
        else:
            sums += score_sums(data, implied.mean, implied.cov, drawn.unit[data.kept], drawn.units) @ chained
    return total if drawn is None else totals_meat(sums, drawn)


def delta_method(
    function: Smooth, fit: PanelFit, covariance: Float[np.ndarray, "free free"], level: float = 0.95
) -> Interval:
    """f(α̂) with Cov = ḟ V ḟ' and symmetric limits; `function` is analytic and maps (..., free) to (..., values)."""
    value = np.asarray(function(fit.alpha)).reshape(-1)
    slope = complex_step(function, fit.alpha)
    V = slope @ covariance @ slope.T
    error = np.sqrt(np.maximum(np.diag(V), 0.0))
    reach = ndtri(0.5 + level / 2) * error
    return Interval(value, error, value - reach, value + reach, V)


def parameter_function(fit: PanelFit, name: str) -> Callable[[np.ndarray], np.ndarray]:
    """The function that picks one named parameter."""
    index = fit.model.parameters.index(name)
    return lambda alpha: alpha[..., index : index + 1]
