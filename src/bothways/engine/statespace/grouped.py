"""Persons who were asked at the same gaps, answered the same prompts and share all regressors, as one.

Of n such persons the likelihood needs their mean ȳ and covariance C over all answers alone. With δ = ȳ − E(y) and
W = C + δδ',

    −2ℓ = n (d ln 2π + ln|Σ| + tr Σ⁻¹W),      ∂ℓ/∂Σ = ½n (Σ⁻¹WΣ⁻¹ − Σ⁻¹),      ∂ℓ/∂E(y) = n Σ⁻¹δ,

Σ = (I⊗Λ)(K + Z S_static Z')(I⊗Λ)' + I⊗Θ,   K_ba = E_b ⋯ E_{a+1} P_a for b > a,   P_a = E_a P_{a−1} E_a' + Q_a.

It costs the cube of one person's answers, whatever n: much less than the filter where many share few patterns.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float
from scipy.linalg import cho_factor, cho_solve

from bothways.engine.drift import Steps
from bothways.engine.statespace.passes import Sweep, level_and_jump, start_states
from bothways.engine.statespace.series import Series
from bothways.engine.statespace.system import System

LOG_2PI = float(np.log(2 * np.pi))
ROW, CUBE = 60.0, 5e-4  # what a time of one group and its answers³ cost, in rows of the filter
QUICK = 4.0  # by so much rows without a deviation of the person are cheaper: they may need no filter


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """``shape`` holds one person for each group: ȳ as their answers and n as their weight; ``scatter`` each C."""

    shape: Series
    scatter: tuple[np.ndarray, ...]  # (answers, answers), of as many answers as that group gave


def group_persons(series: Series) -> Grouped | None:
    """The groups of a series; None where the filter has less to do than their dense covariances."""
    most = series.rows / (1.0 if series.basis.shape[1] else QUICK)
    patterns, given = _patterns(series), np.isfinite(series.values).sum(axis=1)
    groups: dict[bytes, list[int]] = {}
    work = 0.0
    for i in range(series.people):
        rows = slice(series.starts[i], series.starts[i + 1])
        key = patterns[rows].tobytes()
        if key not in groups:
            groups[key] = []
            work += ROW * (rows.stop - rows.start) + CUBE * float(given[rows].sum()) ** 3
            if work > most:
                return None
        groups[key].append(i)
    return _pooled(series, [np.array(members) for members in groups.values()])


def _patterns(series: Series) -> Float[np.ndarray, "rows k"]:
    """What the rows of two persons of one group have in common."""
    step = series.step.astype(np.float64)
    step[series.starts[:-1]] = 0.0  # unread
    parts = (step, np.isfinite(series.values), series.design, series.inputs, series.impulses, series.basis)
    return np.ascontiguousarray(np.column_stack(parts), dtype=np.float64)


def _pooled(series: Series, groups: list[np.ndarray]) -> Grouped:
    weight = np.ones(series.people) if series.weight is None else series.weight
    shape = series.choose(np.array([members[0] for members in groups]))
    values, scatter = shape.values.copy(), []
    for g, members in enumerate(groups):
        length = shape.starts[g + 1] - shape.starts[g]
        answers = series.values[series.starts[members][:, None] + np.arange(length)].reshape(members.size, -1)
        given = np.isfinite(answers[0])
        share = weight[members] / weight[members].sum()
        mean = share @ answers
        away = (answers - mean)[:, given]
        scatter.append((away * share[:, None]).T @ away)
        values[shape.starts[g] : shape.starts[g + 1]] = mean.reshape(length, -1)
    counts = np.array([weight[members].sum() for members in groups])
    return Grouped(replace(shape, values=values, weight=counts, drawn=None), tuple(scatter))


def grouped_pass(system: System, grouped: Grouped, steps: Steps) -> Sweep | None:
    """As the filter's sweep with every person of a group in one, times n; None where Σ is not positive."""
    shape = grouped.shape
    p, n = system.processes, system.processes * (1 + shape.basis.shape[1])
    d, rows, groups = shape.values.shape[1], shape.rows, shape.people
    level, jump = level_and_jump(system, shape)
    start_mean, start_cov = start_states(system, shape, steps)
    out = Sweep(
        np.zeros(groups), np.zeros((rows, p, p)), np.zeros((rows, p, p)), np.zeros((rows, p)), np.zeros((rows, p)),
        np.zeros((groups, d, p)), np.zeros((groups, d)), np.zeros((groups, d)), np.zeros((groups, n)),
        np.zeros((groups, n, n)),
    )  # fmt: skip
    for g in range(groups):
        at = slice(shape.starts[g], shape.starts[g + 1])
        E, Q = steps.transition[shape.step[at]], steps.noise[shape.step[at]]
        K = _covariances(E, Q, start_cov[g, :p, :p])
        m = _means(E, jump[at], start_mean[g, :p])
        eta, Z = level[at] + m, np.kron(shape.basis[at], np.eye(p))
        spread = np.tril(K) + np.tril(K, -1).T + Z @ system.static_cov @ Z.T
        found = _density(system, grouped, g, eta, spread)
        if found is None:
            return None
        out.loglik[g], slope, bar = found
        out.intercept[g] = slope.sum(axis=0)
        out.error[g] = np.diag(bar).reshape(-1, d).sum(axis=0)
        out.loading[g] = slope.T @ eta + _loading(system, bar, spread)
        bar = _through(bar, system.loading)
        out.start_cov[g, p:, p:] = Z.T @ bar @ Z
        out.level[at] = slope @ system.loading
        out.jump[at] = _back_through_means(E, m, out.level[at], out.transition[at])
        out.start_mean[g, :p] = out.jump[at][0]
        out.start_cov[g, :p, :p] = _back_through_covariances(E, K, bar, out.transition[at], out.noise[at])
    return out


def _covariances(E: np.ndarray, Q: np.ndarray, first: np.ndarray) -> Float[np.ndarray, "tp tp"]:
    """Cov(x_b, x_a) for b ≥ a, and zeros above: row b is E_b times row b − 1, with P_b at its end."""
    p, T = len(first), len(E)
    K = np.zeros((T * p, T * p))
    K[:p, :p] = first
    for b in range(1, T):
        here, before = slice(b * p, (b + 1) * p), slice((b - 1) * p, b * p)
        K[here, : b * p] = E[b] @ K[before, : b * p]
        K[here, here] = K[here, before] @ E[b].T + Q[b]
    return K


def _means(E: np.ndarray, jump: np.ndarray, first: np.ndarray) -> Float[np.ndarray, "t p"]:
    """Expected deviations: m_b = E_b m_{b−1} + jump_b."""
    m = np.empty_like(jump)
    m[0] = first + jump[0]
    for b in range(1, len(E)):
        m[b] = E[b] @ m[b - 1] + jump[b]
    return m


def _density(
    system: System, grouped: Grouped, g: int, eta: np.ndarray, spread: np.ndarray
) -> tuple[float, Float[np.ndarray, "t d"], Float[np.ndarray, "td td"]] | None:
    """ℓ of a group with its slopes in E(y) and in the covariance of all answers, zero where none was given."""
    shape, (T, d) = grouped.shape, (len(eta), len(system.loading))
    values = shape.values[shape.starts[g] : shape.starts[g + 1]].ravel()
    given = np.flatnonzero(np.isfinite(values))
    count = 1.0 if shape.weight is None else float(shape.weight[g])
    seen = _through(spread, system.loading.T) + np.diag(np.tile(system.noise, T))
    delta = (values - (system.intercept + eta @ system.loading.T).ravel())[given]
    try:
        root = cho_factor(seen[np.ix_(given, given)], lower=True, check_finite=False)
    except np.linalg.LinAlgError:
        return None
    inverse = cho_solve(root, np.eye(given.size), check_finite=False)
    product = inverse @ (grouped.scatter[g] + np.outer(delta, delta))
    logdet = 2.0 * float(np.log(np.diag(root[0])).sum())
    loglik = -0.5 * count * (given.size * LOG_2PI + logdet + float(np.trace(product)))
    slope, bar = np.zeros(T * d), np.zeros((T * d, T * d))
    slope[given] = count * (inverse @ delta)
    bar[np.ix_(given, given)] = 0.5 * count * (product @ inverse - inverse)
    return (loglik, slope.reshape(T, d), bar) if np.isfinite(loglik) else None


def _through(matrix: np.ndarray, L: np.ndarray) -> np.ndarray:
    """(I⊗L)' M (I⊗L), block by block; M itself where L is the identity."""
    inner, outer = L.shape
    if inner == outer and np.array_equal(L, np.eye(inner)):
        return matrix
    T = len(matrix) // inner
    blocks = matrix.reshape(T, inner, T, inner)
    return np.asarray(np.einsum("aibj,ip,jq->apbq", blocks, L, L, optimize=True).reshape(T * outer, T * outer))


def _loading(system: System, bar: np.ndarray, spread: np.ndarray) -> Float[np.ndarray, "d p"]:
    """The slope in Λ of what (I⊗Λ) spread (I⊗Λ)' brings: 2 Σ_ab bar_ab Λ spread_ba."""
    (d, p), T = system.loading.shape, len(spread) // system.processes
    seen = np.einsum("aibj,jp->aibp", bar.reshape(T, d, T, d), system.loading).reshape(T * d, T * p)
    return np.asarray(2.0 * np.einsum("aibp,bpaq->iq", seen.reshape(T, d, T, p), spread.reshape(T, p, T, p)))


def _back_through_means(E: np.ndarray, m: np.ndarray, level_bar: np.ndarray, E_bar: np.ndarray) -> np.ndarray:
    """The adjoint of every jump; that of E is added to ``E_bar``."""
    bar = level_bar.copy()
    for b in range(len(E) - 1, 0, -1):
        E_bar[b] += np.outer(bar[b], m[b - 1])
        bar[b - 1] += E[b].T @ bar[b]
    return bar


def _back_through_covariances(
    E: np.ndarray, K: np.ndarray, bar: np.ndarray, E_bar: np.ndarray, Q_bar: np.ndarray
) -> Float[np.ndarray, "p p"]:
    """The adjoint of P_0; those of E and Q are added to ``E_bar`` and ``Q_bar``. ``bar`` is symmetric and used up."""
    T, p = len(E), E.shape[1]
    lower = 2.0 * bar  # a cell below the diagonal stands for its mirror as well
    for b in range(T):
        here = slice(b * p, (b + 1) * p)
        lower[here, here] *= 0.5
    for b in range(T - 1, 0, -1):
        here, before = slice(b * p, (b + 1) * p), slice((b - 1) * p, b * p)
        own = 0.5 * (lower[here, here] + lower[here, here].T)
        row = lower[here, : b * p]
        E_bar[b] += row @ K[before, : b * p].T + 2.0 * own @ E[b] @ K[before, before]
        Q_bar[b] += own
        lower[before, : b * p] += E[b].T @ row
        lower[before, before] += E[b].T @ own @ E[b]
    return np.asarray(0.5 * (lower[:p, :p] + lower[:p, :p].T))
