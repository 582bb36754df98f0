"""Named free parameters α of a model and the matrix cells θ(α) they fill.

    θ(α) = offset + L α + Σ curves,      Q = ∂θ/∂α,      ∂²ℓ/∂α∂α' = Q' (∂²ℓ/∂θ∂θ') Q + Σ_a (∂ℓ/∂θ_a) ∇²θ_a

Equality is a column of L with several ones; a fixed value is an offset; every smooth reparametrisation (equal
standardised effects, one drift matrix over unequal gaps, stationary variances) is a curve.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Smooth = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """θ[outputs] += function(α[inputs]).

    `function` maps (..., inputs) to (..., outputs), works on leading axes, and is analytic: it must accept complex
    numbers, because its derivatives are taken along the imaginary axis (Squire & Trapp 1998; exact to rounding).
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    function: Smooth


def complex_step(function: Smooth, x: Float[np.ndarray, " n"]) -> np.ndarray:
    """∂function/∂x by one imaginary step per coordinate: shape (outputs, n)."""
    step = 1e-30
    values = function(x + 1j * step * np.eye(len(x)))
    return np.asarray(values.imag / step).reshape(len(x), -1).T


def second_derivatives(function: Smooth, x: Float[np.ndarray, " n"]) -> np.ndarray:
    """∂²function/∂x∂x', shape (outputs, n, n): complex steps, differenced to fourth order along the other axis."""
    steps = 1e-3 * np.maximum(np.abs(x), 0.1)

    def along(j: int, far: float) -> np.ndarray:
        return complex_step(function, x + far * steps[j] * np.eye(len(x))[j])

    slopes = [
        (8 * (along(j, 1) - along(j, -1)) - (along(j, 2) - along(j, -2))) / (12 * steps[j]) for j in range(len(x))
    ]
    hessian = np.stack(slopes, axis=-1)
    return np.asarray(0.5 * (hessian + hessian.transpose(0, 2, 1)))


@dataclass(frozen=True, slots=True, eq=False)
class ParameterMap:
    """The map from free parameters to cells; all of its methods are pure."""

    names: tuple[str, ...]
    offset: Float[np.ndarray, " cells"]
    linear: Float[np.ndarray, "cells free"]
    curves: tuple[Curve, ...] = ()

    def cells(self, alpha: np.ndarray) -> np.ndarray:
        """θ(α), for one α or for a batch along leading axes."""
        theta = self.offset + alpha @ self.linear.T
        for curve in self.curves:
            theta[..., list(curve.outputs)] += curve.function(alpha[..., list(curve.inputs)])
        return np.asarray(theta)

    def jacobian(self, alpha: Float[np.ndarray, " free"]) -> Float[np.ndarray, "cells free"]:
        """Q = ∂θ/∂α."""
        Q = self.linear.copy()
        for curve in self.curves:
            Q[np.ix_(curve.outputs, curve.inputs)] += complex_step(curve.function, alpha[list(curve.inputs)])
        return Q

    def curvature(
        self, alpha: Float[np.ndarray, " free"], gradient: Float[np.ndarray, " cells"]
    ) -> Float[np.ndarray, "free free"]:
        """Σ_a gradient_a ∇²θ_a, the part of the second derivatives that the bending of θ(α) adds."""
        total = np.zeros((len(alpha), len(alpha)))
        for curve in self.curves:
            bend = second_derivatives(curve.function, alpha[list(curve.inputs)])
            total[np.ix_(curve.inputs, curve.inputs)] += np.tensordot(gradient[list(curve.outputs)], bend, 1)
        return total

    def index(self, name: str) -> int:
        """Position of a free parameter; ValueError names the known ones when there is none of this name."""
        if name not in self.names:
            raise ValueError(f"no free parameter {name!r}; there are {', '.join(self.names)}")
        return self.names.index(name)
