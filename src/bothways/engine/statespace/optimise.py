"""Climb a log-likelihood with its gradient: quasi-Newton from a differenced Hessian, then Newton, then an honest end.

H = −∂²ℓ/∂θ∂θ' by central differences of gradients; the end is reached where g'H⁻¹g, twice the likelihood still to be
gained, is below the tolerance and H is positive definite (Nocedal & Wright 2006, ch. 3 and 6).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Objective = Callable[[np.ndarray], "tuple[float, np.ndarray] | None"]
"""ℓ and its gradient at a point, or None where ℓ is not defined."""

STEP = 1e-4  # of the differences, on free scales of order one
LEAST_CURVATURE = 1e-7  # smallest eigenvalue of the unit-diagonal Hessian that counts as positive


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """Where the climb ended. ``hessian`` is −∂²ℓ; ``decrement`` is g'H⁻¹g (infinite where H is not positive)."""

    point: Float[np.ndarray, " q"]
    loglik: float
    gradient: Float[np.ndarray, " q"]
    hessian: Float[np.ndarray, "q q"]
    decrement: float
    evaluations: int
    positive: bool
    converged: bool


class _Counted:
    """The objective, counting its calls."""

    def __init__(self, objective: Objective) -> None:
        self.objective, self.calls = objective, 0

    def __call__(self, point: np.ndarray) -> tuple[float, np.ndarray] | None:
        self.calls += 1
        found = self.objective(point)
        if found is None or not (np.isfinite(found[0]) and np.isfinite(found[1]).all()):
            return None
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Ascent:
    """Where a climb without a last look at the curvature ended; ``gain`` is g'Bg, B the inverse Hessian it kept."""

    point: Float[np.ndarray, " q"]
    loglik: float
    gain: float


def ascend(objective: Objective, start: np.ndarray, hessian: np.ndarray, gain: float = 1e-6) -> Ascent | None:
    """Quasi-Newton from a known Hessian until ``gain`` is left, and no more: where no standard error is asked for."""
    call = _Counted(objective)
    here = call(start)
    if here is None:
        return None
    point, value, gradient = _quasi_newton(call, start, here[0], here[1], hessian, gain)
    return Ascent(point, value, float(gradient @ np.linalg.solve(positive_part(hessian), gradient)))


def climb(
    objective: Objective,
    start: np.ndarray,
    *,
    tolerance: float = 1e-9,
    rounds: int = 8,
    hessian: np.ndarray | None = None,
    central: bool = True,
) -> Optimum | None:
    """The optimum reached from ``start``; None if ℓ is not defined there.

    ``hessian`` is a guess of −∂²ℓ at the start that spares a round of differences; ``central=False`` halves the price
    of the later ones, at an error of the order of the step.
    """
    call = _Counted(objective)
    here = call(start)
    if here is None:
        return None
    point, (value, gradient) = start, here
    if start.size == 0:
        return Optimum(point, value, gradient, np.zeros((0, 0)), 0.0, call.calls, True, True)
    H = difference_hessian(call, point, gradient, central=False) if hessian is None else hessian
    flat = 0
    for _ in range(rounds):
        point, value, gradient = _quasi_newton(call, point, value, gradient, H)
        H = difference_hessian(call, point, gradient, central=central)
        decrement, positive = _decrement(H, gradient)
        if positive and decrement < tolerance:
            break
        if positive and decrement < 1e-2:
            moved = _newton(call, point, value, gradient, H)
            if moved is not None:
                point, value, gradient = moved
                decrement, positive = _decrement(H, gradient)
                if decrement < tolerance:
                    H = difference_hessian(call, point, gradient, central=central)
                    decrement, positive = _decrement(H, gradient)
                    break
        flat += not positive
        if not positive and (flat == 2 or np.abs(gradient).max() < 1e-5):
            break
    return Optimum(
        point, value, gradient, H, decrement, call.calls, positive, bool(positive and decrement < 1e3 * tolerance)
    )


def difference_hessian(objective: Objective, point: np.ndarray, gradient: np.ndarray, *, central: bool) -> np.ndarray:
    """−∂²ℓ by differences of the gradient; one-sided where the other side is not defined."""
    q = point.size
    H = np.empty((q, q))
    for k in range(q):
        e = np.zeros(q)
        e[k] = STEP
        up = objective(point + e)
        down = objective(point - e) if central or up is None else None
        if up is not None and down is not None:
            H[k] = (down[1] - up[1]) / (2 * STEP)
        elif up is not None:
            H[k] = (gradient - up[1]) / STEP
        else:
            H[k] = (down[1] - gradient) / STEP if down is not None else 0.0
    return 0.5 * (H + H.T)


def curvature(objective: Objective, point: np.ndarray) -> np.ndarray | None:
    """−∂²ℓ at a maximum, by one-sided differences; None where ℓ is not defined or H not positive definite."""
    here = objective(point)
    if here is None:
        return None
    H = difference_hessian(objective, point, here[1], central=False)
    return H if is_positive(H) else None


def positive_part(H: np.ndarray) -> np.ndarray:
    """H with its eigenvalues made positive (absolute, floored), on the unit-diagonal scale."""
    scale = np.sqrt(np.maximum(np.abs(np.diag(H)), 1e-8))
    values, vectors = np.linalg.eigh(H / np.outer(scale, scale))
    values = np.maximum(np.abs(values), 1e-3)
    return np.asarray((vectors * values) @ vectors.T * np.outer(scale, scale))


def is_positive(H: np.ndarray) -> bool:
    """Whether H, scaled to unit diagonal, has only eigenvalues that count as positive."""
    diagonal = np.diag(H)
    if not np.isfinite(H).all() or (diagonal <= 1e-8).any():
        return False
    scale = np.sqrt(diagonal)
    return bool(np.linalg.eigvalsh(H / np.outer(scale, scale))[0] > LEAST_CURVATURE)


def _decrement(H: np.ndarray, gradient: np.ndarray) -> tuple[float, bool]:
    if not is_positive(H):
        return float("inf"), False
    return float(gradient @ np.linalg.solve(H, gradient)), True


def _quasi_newton(
    call: Objective, point: np.ndarray, value: float, gradient: np.ndarray, H: np.ndarray, enough: float = 1e-6
) -> tuple[np.ndarray, float, np.ndarray]:
    """BFGS from (H)⁺ until g'Bg is small or no step helps; B approximates H⁻¹."""
    B = np.linalg.inv(positive_part(H))
    for _ in range(25 + 4 * point.size):
        direction = B @ gradient
        gain = float(direction @ gradient)
        if gain < enough:
            break
        far = np.abs(direction).max()
        if far > 1.0:
            direction = direction / far
        found = _search(call, point, value, float(direction @ gradient), direction)
        if found is None:
            break
        step, (new_value, new_gradient) = found
        s, y = step, gradient - new_gradient
        point, value, gradient = point + step, new_value, new_gradient
        B = _update(B, s, y)
    return point, value, gradient


def _update(B: np.ndarray, s: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The BFGS update of an inverse Hessian; skipped where the curvature along the step is not positive."""
    curvature = float(s @ y)
    if curvature <= 1e-10 * float(np.sqrt((s @ s) * (y @ y))):
        return B
    left = np.eye(s.size) - np.outer(s, y) / curvature
    return np.asarray(left @ B @ left.T + np.outer(s, s) / curvature)


def _search(
    call: Objective, point: np.ndarray, value: float, slope: float, direction: np.ndarray
) -> tuple[np.ndarray, tuple[float, np.ndarray]] | None:
    """Halve the step until ℓ rises by a ten-thousandth of what the slope promises."""
    length = 1.0
    for _ in range(30):
        step = length * direction
        found = call(point + step)
        if found is not None and found[0] >= value + 1e-4 * length * slope - 1e-12 * abs(value):
            return step, found
        length *= 0.4
    return None


def _newton(
    call: Objective, point: np.ndarray, value: float, gradient: np.ndarray, H: np.ndarray
) -> tuple[np.ndarray, float, np.ndarray] | None:
    """Up to three Newton steps with one Hessian; None if the first does not help."""
    best = None
    for _ in range(3):
        moved = point + np.linalg.solve(H, gradient)
        found = call(moved)
        if found is None or found[0] < value - 1e-9 * (1 + abs(value)):
            break
        point, (value, gradient) = moved, found
        best = (point, value, gradient)
    return best
