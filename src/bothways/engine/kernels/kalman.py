"""Filter and reverse sweep of irregular series, one person at a time, with scalar updates.

State: p processes x, then B copies s_1..s_B of p static deviations each (person means, slopes), n = p (1 + B).

    predict  x ← E_k x + jump,  P ← F P F' + Q_k,  F = blockdiag(E_k, I)
    observe  y_j = ν_j + λ_j'(level + x + Σ_b basis_b s_b) + ε_j,   ε_j ~ N(0, r_j), one indicator after another

``means[t, j]`` and ``covs[t, j]`` are the state before indicator j of row t, ``[t, d]`` the state after all of them.
Missing answers (NaN) are skipped, which is exact. No Q_k is inverted.
"""

import numpy as np
from numba import njit, types
from numba.extending import overload

LOG_2PI = np.log(2.0 * np.pi)


def _size(of):
    """An integer as it is, a tuple as its length."""
    return len(of) if isinstance(of, tuple) else of


@overload(_size)
def _compiled_size(of):
    if isinstance(of, types.BaseTuple):
        return lambda of: len(of)
    return lambda of: of


@njit(cache=True, nogil=True, error_model="numpy")
def _predict(p, n, d, E, noise, k, means, covs, t, work):
    """One step over gap k into ``[t, 0]`` from the end of row t − 1; static states stay."""
    for i in range(p):
        total = 0.0
        for a in range(p):
            total += E[k, i, a] * means[t - 1, d, a]
        means[t, 0, i] = total
        for c in range(n):
            total = 0.0
            for a in range(p):
                total += E[k, i, a] * covs[t - 1, d, a, c]
            work[i, c] = total
    for i in range(p, n):
        means[t, 0, i] = means[t - 1, d, i]
        for c in range(p, n):
            covs[t, 0, i, c] = covs[t - 1, d, i, c]
    for i in range(p):
        for j in range(i + 1):
            total = noise[k, i, j]
            for a in range(p):
                total += work[i, a] * E[k, j, a]
            covs[t, 0, i, j] = total
            covs[t, 0, j, i] = total
        for c in range(p, n):
            covs[t, 0, i, c] = work[i, c]
            covs[t, 0, c, i] = work[i, c]


@njit(cache=True, nogil=True, error_model="numpy")
def _weights(p, n, loading, j, basis, row, z):
    """ζ = [λ_j, basis_1 λ_j, basis_2 λ_j, ...]."""
    for c in range(p):
        z[c] = loading[j, c]
        for b in range(n // p - 1):
            z[p * (1 + b) + c] = basis[row, b] * loading[j, c]


@njit(cache=True, nogil=True, error_model="numpy")
def _gains(n, z, covs, t, j, b):
    """b = P ζ at ``[t, j]``."""
    for i in range(n):
        b[i] = 0.0
    for c in range(n):
        weight = z[c]
        if weight != 0.0:
            for i in range(n):
                b[i] += covs[t, j, c, i] * weight


@njit(cache=True, nogil=True, error_model="numpy")
def _observe(n, z, residual, error, means, covs, t, j, b):
    """One scalar update from ``[t, j]`` to ``[t, j + 1]``; (v, F), F ≤ 0 where the answer was certain beforehand."""
    _gains(n, z, covs, t, j, b)
    v, F = residual, error
    for i in range(n):
        v -= z[i] * means[t, j, i]
        F += z[i] * b[i]
    if not F > 0.0:
        return v, F
    for i in range(n):
        gain = b[i] / F
        means[t, j + 1, i] = means[t, j, i] + gain * v
        for c in range(n):
            covs[t, j + 1, i, c] = covs[t, j, i, c] - gain * b[c]
    return v, F


@njit(cache=True, nogil=True, error_model="numpy")
def forward(p, n, d, first, last, y, step, E, noise, level, jump, basis, loading, intercept, error, means, covs, v, F):
    """Filter rows first..last−1; the start is in means[0, 0], covs[0, 0]. Returns ℓ, −∞ where F is not positive."""
    z, b, work = np.empty(n), np.empty(n), np.empty((p, n))
    loglik = 0.0
    for t in range(last - first):
        row = first + t
        if t > 0:
            _predict(p, n, d, E, noise, step[row], means, covs, t, work)
        for i in range(p):
            means[t, 0, i] += jump[row, i]
        for j in range(d):
            if np.isnan(y[row, j]):
                for i in range(n):
                    means[t, j + 1, i] = means[t, j, i]
                    for c in range(n):
                        covs[t, j + 1, i, c] = covs[t, j, i, c]
                continue
            residual = y[row, j] - intercept[j]
            for c in range(p):
                residual -= loading[j, c] * level[row, c]
            _weights(p, n, loading, j, basis, row, z)
            v[t, j], F[t, j] = _observe(n, z, residual, error[j], means, covs, t, j, b)
            if not F[t, j] > 0.0 or not np.isfinite(v[t, j]):
                return -np.inf
            loglik -= 0.5 * (LOG_2PI + np.log(F[t, j]) + v[t, j] * v[t, j] / F[t, j])
    return loglik


@njit(cache=True, nogil=True, error_model="numpy")
def _observe_adjoint(n, z, v, F, means, covs, t, j, g, G, moving, b, Gb, b_bar, z_bar):
    """Undo one update: g, G become the gradients before it. Returns (v̄, F̄) and, if ``moving``, fills ζ̄."""
    _gains(n, z, covs, t, j, b)
    alpha, q = 0.0, 0.0
    for i in range(n):
        total = 0.0
        for c in range(n):
            total += G[i, c] * b[c]
        Gb[i] = total
        alpha += g[i] * b[i]
        q += b[i] * total
    v_bar = (alpha - v) / F
    F_bar = (q - alpha * v) / (F * F) + 0.5 * (v * v / F - 1.0) / F
    for i in range(n):
        b_bar[i] = (g[i] * v - 2.0 * Gb[i]) / F
    if moving:
        for i in range(n):
            total = 2.0 * F_bar * b[i] - v_bar * means[t, j, i]
            for c in range(n):
                total += covs[t, j, i, c] * b_bar[c]
            z_bar[i] = total
    for i in range(n):
        g[i] -= v_bar * z[i]
        half = 0.5 * b_bar[i] + F_bar * z[i]
        for c in range(n):
            G[i, c] += half * z[c] + 0.5 * z[i] * b_bar[c]
    return v_bar, F_bar


@njit(cache=True, nogil=True, error_model="numpy")
def _predict_adjoint(p, n, d, E, k, means, covs, t, g, G, E_bar, noise_bar, row, work, half):
    """Undo the step into row t: Q̄ += G_xx; Ē += g_x m' + 2 (G F P)_xx; g ← F'g; G ← F'GF."""
    for i in range(p):  # work = F P, its first p columns
        for c in range(p):
            total = 0.0
            for a in range(p):
                total += E[k, i, a] * covs[t - 1, d, a, c]
            work[i, c] = total
    for i in range(p, n):
        for c in range(p):
            work[i, c] = covs[t - 1, d, i, c]
    for i in range(p):
        for c in range(p):
            noise_bar[row, i, c] = G[i, c]
            total = 0.0
            for a in range(n):
                total += G[i, a] * work[a, c]
            E_bar[row, i, c] = g[i] * means[t - 1, d, c] + 2.0 * total
    for i in range(p):
        half[i] = g[i]
    for i in range(p):
        total = 0.0
        for a in range(p):
            total += E[k, a, i] * half[a]
        g[i] = total
    for i in range(n):  # columns first: G F
        for c in range(p):
            half[c] = G[i, c]
        for c in range(p):
            total = 0.0
            for a in range(p):
                total += half[a] * E[k, a, c]
            G[i, c] = total
    for c in range(n):  # then rows: F' (G F)
        for i in range(p):
            half[i] = G[i, c]
        for i in range(p):
            total = 0.0
            for a in range(p):
                total += E[k, a, i] * half[a]
            G[i, c] = total


@njit(cache=True, nogil=True, error_model="numpy")
def backward(
    p, n, d, first, last, y, step, E, level, basis, loading, moving, means, covs, v, F, E_bar, noise_bar, level_bar,
    jump_bar, loading_bar, intercept_bar, error_bar, person, g, G, trace_mean, trace_cov,
):  # fmt: skip
    """Reverse sweep over what ``forward`` stored; on return g, G are ∂ℓ/∂ of the starting mean and covariance.

    Row arrays are written; indicator arrays are added to at ``person`` (loadings only if they are ``moving``). Where
    ``trace_mean`` has rows, it and ``trace_cov`` receive each row's prediction and its gradients: all that a smoother
    needs.
    """
    z, z_bar, b, Gb, b_bar = np.empty(n), np.zeros(n), np.empty(n), np.empty(n), np.empty(n)
    work, half = np.empty((n, p)), np.empty(p)
    g[:] = 0.0
    G[:] = 0.0
    for t in range(last - first - 1, -1, -1):
        row = first + t
        for c in range(p):
            level_bar[row, c] = 0.0
        for j in range(d - 1, -1, -1):
            if np.isnan(y[row, j]):
                continue
            _weights(p, n, loading, j, basis, row, z)
            v_bar, F_bar = _observe_adjoint(
                n, z, v[t, j], F[t, j], means, covs, t, j, g, G, moving, b, Gb, b_bar, z_bar
            )
            error_bar[person, j] += F_bar
            intercept_bar[person, j] -= v_bar
            for c in range(p):
                level_bar[row, c] -= v_bar * loading[j, c]
                if moving:
                    loading_bar[person, j, c] += z_bar[c] - v_bar * level[row, c]
                    for k in range(basis.shape[1]):
                        loading_bar[person, j, c] += basis[row, k] * z_bar[p * (1 + k) + c]
        if trace_mean.shape[0] > 0:
            trace_mean[row, 0], trace_mean[row, 1] = means[t, 0], g
            trace_cov[row, 0], trace_cov[row, 1] = covs[t, 0], G
        for i in range(p):
            jump_bar[row, i] = g[i]
        if t > 0:
            _predict_adjoint(p, n, d, E, step[row], means, covs, t, g, G, E_bar, noise_bar, row, work, half)
        else:
            E_bar[row] = 0.0
            noise_bar[row] = 0.0


@njit(cache=True, nogil=True, error_model="numpy")
def longest(starts):
    """The most rows that one person has."""
    most = 0
    for i in range(starts.size - 1):
        most = max(most, starts[i + 1] - starts[i])
    return most


@njit(cache=True, nogil=True, error_model="numpy")
def sweep(
    p_size, n_size, d_size, people, starts, y, step, E, noise, level, jump, basis, loading, intercept, error,
    start_mean, start_cov, gradient, moving, loglik, E_bar, noise_bar, level_bar, jump_bar, loading_bar, intercept_bar,
    error_bar, mean_bar, cov_bar, trace_mean, trace_cov,
):  # fmt: skip
    """Log-likelihood of each person in ``people`` and, if ``gradient``, all adjoints. False where one is −∞.

    By row: ``E_bar``, ``noise_bar``, ``level_bar``, ``jump_bar``; by person: the others. The numbers of processes,
    states and indicators come as integers, or as the lengths of tuples: then they are constants to the compiler.
    """
    p, n, d = _size(p_size), _size(n_size), _size(d_size)
    T = longest(starts)
    means, covs = np.empty((T, d + 1, n)), np.empty((T, d + 1, n, n))
    v, F = np.empty((T, d)), np.empty((T, d))
    for i in people:
        means[0, 0] = start_mean[i]
        covs[0, 0] = start_cov[i]
        loglik[i] = forward(
            p, n, d, starts[i], starts[i + 1], y, step, E, noise, level, jump, basis, loading, intercept, error, means,
            covs, v, F,
        )  # fmt: skip
        if not np.isfinite(loglik[i]):
            return False
        if gradient:
            backward(
                p, n, d, starts[i], starts[i + 1], y, step, E, level, basis, loading, moving, means, covs, v, F, E_bar,
                noise_bar, level_bar, jump_bar, loading_bar, intercept_bar, error_bar, i, mean_bar[i], cov_bar[i],
                trace_mean, trace_cov,
            )  # fmt: skip
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def predict_rows(
    starts, y, step, E, noise, level, jump, basis, loading, intercept, error, start_mean, start_cov, center, spread,
    density, state,
):  # fmt: skip
    """One-step predictions before any answer of the same row: mean and SD of every indicator, given or not.

    ``density`` is the log density of the answers that were given, each by itself; ``state`` the predicted processes.
    """
    p, n, d = E.shape[1], start_mean.shape[1], loading.shape[0]
    T = longest(starts)
    means, covs = np.empty((T, d + 1, n)), np.empty((T, d + 1, n, n))
    v, F, z = np.empty((T, d)), np.empty((T, d)), np.empty(n)
    for i in range(starts.size - 1):
        means[0, 0] = start_mean[i]
        covs[0, 0] = start_cov[i]
        forward(
            p, n, d, starts[i], starts[i + 1], y, step, E, noise, level, jump, basis, loading, intercept, error, means,
            covs, v, F,
        )  # fmt: skip
        for row in range(starts[i], starts[i + 1]):
            t = row - starts[i]
            state[row] = means[t, 0, :p]
            for j in range(d):
                _weights(p, n, loading, j, basis, row, z)
                mu, var = intercept[j], error[j]
                for c in range(p):
                    mu += loading[j, c] * level[row, c]
                for a in range(n):
                    mu += z[a] * means[t, 0, a]
                    for c in range(n):
                        var += z[a] * covs[t, 0, a, c] * z[c]
                center[row, j], spread[row, j] = mu, np.sqrt(var)
                gap = (y[row, j] - mu) / spread[row, j]
                density[row, j] = -0.5 * (LOG_2PI + gap * gap) - np.log(spread[row, j])


@njit(cache=True, nogil=True, error_model="numpy")
def sum_by_gap(step, E_rows, noise_rows, E_bar, noise_bar):
    """Add the adjoints of rows to those of the gaps that they used."""
    p = E_bar.shape[1]
    for row in range(step.size):
        k = step[row]
        for i in range(p):
            for j in range(p):
                E_bar[k, i, j] += E_rows[row, i, j]
                noise_bar[k, i, j] += noise_rows[row, i, j]
