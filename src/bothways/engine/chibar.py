"""Is there stable variance between people? RI-CLPM against CLPM, where Φ = 0 lies on the boundary of Φ ⪰ 0.

The statistic 2(ℓ_{Φ⪰0} − ℓ_{Φ=0}) has a chi-bar-square law (Self & Liang 1987; Stoel et al. 2006). With V the
covariance matrix of vech Φ̂ under the null, it is that of z'V⁻¹z − min_{Φ⪰0} ‖z − vech Φ‖²_{V⁻¹}, z ~ N(0, V), and is
simulated here. The naive chi-square p is too large (conservative).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.special import chdtrc

from bothways.engine.fiml import half_vector, symmetric
from bothways.engine.fitting import PanelFit, evaluate
from bothways.engine.parameters import complex_step
from bothways.engine.scaled import embedded


@dataclass(frozen=True, slots=True)
class BoundaryTest:
    """`p` by simulation with its Monte Carlo error; `naive_p` ignores the boundary."""

    statistic: float
    p: float
    p_error: float
    naive_p: float
    df: int


def boundary_test(
    null: PanelFit,
    full: PanelFit,
    rng: np.random.Generator,
    *,
    family: str = "Phi",
    simulations: int = 20_000,
) -> BoundaryTest:
    """Test that the covariance matrix whose cells are called `family` is zero in every group.

    `null` is the fit without it (CLPM), `full` the fit with it (RI-CLPM).
    """
    blocks = covariance_blocks(full.model.names, family)
    places = np.concatenate(blocks)
    at_null = evaluate(full.model, full.data.groups, embedded(null, full))
    if at_null is None:
        raise np.linalg.LinAlgError("the null model's covariance matrix is not positive definite")
    V = np.linalg.inv(at_null.information)[np.ix_(places, places)]
    statistic = max(2.0 * (semidefinite_loglik(full, blocks) - null.loglik), 0.0)
    sizes = [len(block) for block in blocks]
    draws = chi_bar_draws(V, sizes, rng.standard_normal((simulations, len(V))) @ np.linalg.cholesky(V).T)
    p = float(np.mean(draws >= statistic)) if statistic > 0 else 1.0
    return BoundaryTest(
        statistic, p, float(np.sqrt(p * (1 - p) / simulations)), float(chdtrc(len(V), statistic)), len(V)
    )


def covariance_blocks(names: Sequence[str], family: str) -> list[np.ndarray]:
    """Positions of vech Φ in α, one array a group."""
    found: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        label, _, group = name.partition("@")
        if label.startswith(family) and label[len(family) :].isdigit():
            found.setdefault(group, []).append(position)
    if not found:
        raise ValueError(f"the model has no covariance matrix called {family!r}")
    return [np.array(block) for block in found.values()]


def chi_bar_draws(
    V: Float[np.ndarray, "k k"], sizes: Sequence[int], z: Float[np.ndarray, "draws k"], steps: int = 2000
) -> Float[np.ndarray, " draws"]:
    """z'V⁻¹z − min ‖z − x‖²_{V⁻¹} over x whose blocks are vech of positive semi-definite matrices.

    Accelerated projected gradient (Beck & Teboulle 2009) in coordinates with unit variances, which keep the cone.
    """
    roots = [_dimension(size) for size in sizes]
    scale = np.concatenate([_diagonal_scale(V, first, K) for first, K in zip(_offsets(sizes), roots, strict=True)])
    z, W = z / scale, np.linalg.inv(V / np.outer(scale, scale))
    weight = np.concatenate([np.sqrt(2.0 - half_vector(np.eye(K))) for K in roots])  # Frobenius norm of a vech
    z, W = z * weight, W / np.outer(weight, weight)
    rate = 1.0 / np.linalg.eigvalsh(W)[-1]
    x = point = _project(z, sizes, roots, weight)
    momentum = 1.0
    for _ in range(steps):
        moved = _project(point - rate * (point - z) @ W, sizes, roots, weight)
        later = 0.5 * (1.0 + np.sqrt(1.0 + 4.0 * momentum**2))
        change = moved - x
        restart = np.sum((point - moved) * change, axis=1) > 0
        point = moved + np.where(restart, 0.0, (momentum - 1.0) / later)[:, None] * change
        x, momentum = moved, later
        if np.abs(change).max() < 1e-9:
            break
    miss = z - x
    return np.asarray(np.sum(z @ W * z, axis=1) - np.sum(miss @ W * miss, axis=1))


def _dimension(size: int) -> int:
    return round((float(np.sqrt(8 * size + 1)) - 1) / 2)


def _offsets(sizes: Sequence[int]) -> list[int]:
    return [sum(sizes[:i]) for i in range(len(sizes))]


def _diagonal_scale(V: np.ndarray, first: int, K: int) -> np.ndarray:
    diagonal = first + np.cumsum(np.arange(1, K + 1)) - 1
    sd = np.sqrt(np.sqrt(np.diag(V)[diagonal]))
    return half_vector(np.outer(sd, sd))


def _project(x: np.ndarray, sizes: Sequence[int], roots: Sequence[int], weight: np.ndarray) -> np.ndarray:
    """The nearest point of the cone, block by block: negative eigenvalues set to zero."""
    out = np.empty_like(x)
    for first, size, K in zip(_offsets(sizes), sizes, roots, strict=True):
        part, own = slice(first, first + size), weight[first : first + size]
        rows, columns = np.tril_indices(K)
        X = np.zeros((len(x), K, K))
        X[:, rows, columns] = X[:, columns, rows] = x[:, part] / own
        values, vectors = np.linalg.eigh(X)
        X = (vectors * np.maximum(values, 0.0)[:, None, :]) @ vectors.swapaxes(-1, -2)
        out[:, part] = half_vector(X) * own
    return out


def semidefinite_loglik(fit: PanelFit, blocks: Sequence[np.ndarray]) -> float:
    """max ℓ with Φ = CC' in every block: the fit's own ℓ if Φ̂ is admissible, else a quasi-Newton search over C."""
    start = fit.alpha.copy()
    admissible = True
    for block in blocks:
        K = _dimension(len(block))
        values, vectors = np.linalg.eigh(symmetric(start[block], K))
        admissible &= bool(values[0] >= 0)
        root = vectors * np.sqrt(np.maximum(values, 0.05 * np.abs(values).max()))
        lower = np.linalg.qr(root.T)[1].T
        start[block] = half_vector(lower * np.sign(np.diag(lower)))
    if admissible:
        return fit.loglik
    from scipy.optimize import minimize

    def products(x: np.ndarray) -> np.ndarray:
        alpha = x.copy()
        for block in blocks:
            C = np.zeros((*x.shape[:-1], _dimension(len(block)), _dimension(len(block))), x.dtype)
            C[..., *np.tril_indices(C.shape[-1])] = x[..., block]
            alpha[..., block] = half_vector(C @ C.swapaxes(-1, -2))
        return alpha

    chain = complex_step(products, start)
    H = chain.T @ fit.information @ chain
    scale = np.linalg.inv(np.linalg.cholesky(H + 1e-6 * np.diag(np.diag(H) + 1e-12))).T

    def objective(u: np.ndarray) -> tuple[float, np.ndarray]:
        x = start + scale @ u
        found = evaluate(fit.model, fit.data.groups, products(x))
        if found is None:
            return 1e300, np.zeros_like(u)
        return -found.loglik, -scale.T @ (complex_step(products, x).T @ found.gradient)

    return -float(minimize(objective, np.zeros(len(start)), jac=True, method="BFGS", options={"gtol": 1e-6}).fun)
