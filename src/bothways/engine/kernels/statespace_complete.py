"""Where every answer is given and free of error, rows are independent given the rows before them: no filter is needed.

    ℓ = Σ log N(x_t; E_k x_{t−1} + jump_t, Q_k),   x = y − ν − level;   the first row: log N(x; m + jump, P₀)

    u = Q_k⁻¹ e,  G = ½(u u' − Q_k⁻¹):   Q̄_k += G,  Ē_k += u x_{t−1}',  jump̄_t = u_t,  level̄_t = u_t − E_{t+1}' u_{t+1}

Q_k⁻¹ and |Q_k| are found once for each gap. What is written is what the filter's sweep writes.
"""

import numpy as np
from numba import njit

from bothways.engine.kernels.kalman import LOG_2PI, _size


@njit(cache=True, nogil=True, error_model="numpy")
def invert(covs, inverses, logs):
    """Inverse and log determinant of each covariance by its Cholesky root; False where one is not positive."""
    p = covs.shape[1]
    root, back = np.zeros((p, p)), np.zeros((p, p))
    for k in range(covs.shape[0]):
        logs[k] = 0.0
        for j in range(p):
            for i in range(j, p):
                total = covs[k, i, j]
                for a in range(j):
                    total -= root[i, a] * root[j, a]
                if i == j:
                    if not total > 0.0:
                        return False
                    root[j, j] = np.sqrt(total)
                    logs[k] += np.log(total)
                else:
                    root[i, j] = total / root[j, j]
        for j in range(p):  # back = root⁻¹, lower
            back[j, j] = 1.0 / root[j, j]
            for i in range(j + 1, p):
                total = 0.0
                for a in range(j, i):
                    total -= root[i, a] * back[a, j]
                back[i, j] = total / root[i, i]
        for i in range(p):
            for j in range(i + 1):
                total = 0.0
                for a in range(i, p):
                    total += back[a, i] * back[a, j]
                inverses[k, i, j] = total
                inverses[k, j, i] = total
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def sweep(
    p_size, people, starts, y, step, E, inverses, logs, first_inverses, first_logs, level, jump, intercept, start_mean,
    gradient, loglik, E_bar, noise_bar, level_bar, jump_bar, intercept_bar, mean_bar, cov_bar,
):  # fmt: skip
    """ℓ of each person in ``people`` and, if ``gradient``, the adjoints by row and person."""
    p = _size(p_size)
    x, last, e, u = np.empty(p), np.empty(p), np.empty(p), np.empty(p)
    for i in people:
        total = 0.0
        for row in range(starts[i], starts[i + 1]):
            begins = row == starts[i]
            k = i if begins else step[row]
            W, log = (first_inverses[k], first_logs[k]) if begins else (inverses[k], logs[k])
            for a in range(p):
                x[a] = y[row, a] - intercept[a] - level[row, a]
                mean = jump[row, a]
                if begins:
                    mean += start_mean[i, a]
                else:
                    for b in range(p):
                        mean += E[k, a, b] * last[b]
                e[a] = x[a] - mean
            square = 0.0
            for a in range(p):
                value = 0.0
                for b in range(p):
                    value += W[a, b] * e[b]
                u[a] = value
                square += value * e[a]
            total -= 0.5 * (p * LOG_2PI + log + square)
            if gradient:
                _adjoint(p, i, row, begins, k, E, W, u, last, E_bar, noise_bar, level_bar, jump_bar, mean_bar, cov_bar)
            for a in range(p):
                last[a] = x[a]
        loglik[i] = total
        if gradient:
            for row in range(starts[i], starts[i + 1]):
                for a in range(p):
                    intercept_bar[i, a] += level_bar[row, a]


@njit(cache=True, nogil=True, error_model="numpy", inline="always")
def _adjoint(p, i, row, begins, k, E, W, u, last, E_bar, noise_bar, level_bar, jump_bar, mean_bar, cov_bar):
    """The adjoints of one row, and of the level of the row before it."""
    for a in range(p):
        level_bar[row, a] = u[a]
        jump_bar[row, a] = u[a]
        for b in range(p):
            G = 0.5 * (u[a] * u[b] - W[a, b])
            noise_bar[row, a, b] = 0.0 if begins else G
            E_bar[row, a, b] = 0.0 if begins else u[a] * last[b]
            if begins:
                cov_bar[i, a, b] = G
    if begins:
        for a in range(p):
            mean_bar[i, a] = u[a]
    else:
        for b in range(p):
            total = 0.0
            for a in range(p):
                total += E[k, a, b] * u[a]
            level_bar[row - 1, b] -= total
