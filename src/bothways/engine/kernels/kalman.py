"""Filter and reverse sweep of irregular series, one person at a time, with scalar updates.

State: p processes x, then B copies s_1..s_B of p static deviations each (person means, slopes), n = p (1 + B).

    predict  x ← E_k x + jump,  P ← F P F' + Q_k,  F = blockdiag(E_k, I)
    observe  y_j = ν_j + λ_j'(level + x + Σ_b basis_b s_b) + ε_j,   ε_j ~ N(0, r_j), one indicator after another

``means[t, j]`` and ``covs[t, j]`` are the state before indicator j of row t, ``[t, d]`` the state after all of them.
Missing answers (NaN) are skipped, which is exact. No Q_k is inverted.
"""

import numpy as np
from numba import njit

LOG_2PI = np.log(2.0 * np.pi)


@njit(cache=True, nogil=True, error_model="numpy")
def _predict(E, noise, mean, cov, mean_out, cov_out, work):
    """One step over a gap; static states stay."""
    p, n = E.shape[0], mean.size
    for i in range(p):
        total = 0.0
        for a in range(p):
            total += E[i, a] * mean[a]
        mean_out[i] = total
        for c in range(n):
            total = 0.0
            for a in range(p):
                total += E[i, a] * cov[a, c]
            work[i, c] = total
    for i in range(p, n):
        mean_out[i] = mean[i]
        for c in range(p, n):
            cov_out[i, c] = cov[i, c]
    for i in range(p):
        for j in range(i + 1):
            total = noise[i, j]
            for a in range(p):
                total += work[i, a] * E[j, a]
            cov_out[i, j] = total
            cov_out[j, i] = total
        for c in range(p, n):
            cov_out[i, c] = work[i, c]
            cov_out[c, i] = work[i, c]


@njit(cache=True, nogil=True, error_model="numpy")
def _weights(loading, basis, z):
    """ζ = [λ, basis_1 λ, basis_2 λ, ...]."""
    p = loading.size
    for c in range(p):
        z[c] = loading[c]
        for b in range(basis.size):
            z[p * (1 + b) + c] = basis[b] * loading[c]


@njit(cache=True, nogil=True, error_model="numpy")
def _observe(z, residual, error, mean, cov, mean_out, cov_out, b):
    """One scalar update; returns (v, F), and F ≤ 0 where the answer was already known without error."""
    n = z.size
    v, F = residual, error
    for i in range(n):
        total = 0.0
        for c in range(n):
            if z[c] != 0.0:
                total += cov[i, c] * z[c]
        b[i] = total
    for i in range(n):
        v -= z[i] * mean[i]
        F += z[i] * b[i]
    if not F > 0.0:
        return v, F
    for i in range(n):
        gain = b[i] / F
        mean_out[i] = mean[i] + gain * v
        for c in range(i + 1):
            value = cov[i, c] - gain * b[c]
            cov_out[i, c] = value
            cov_out[c, i] = value
    return v, F


@njit(cache=True, nogil=True, error_model="numpy")
def forward(first, last, y, step, E, noise, level, jump, basis, loading, intercept, error, means, covs, v, F):
    """Filter rows first..last−1; ``start`` is in means[0, 0], covs[0, 0]. Returns ℓ, −∞ where F is not positive."""
    p, n, d = E.shape[1], means.shape[2], loading.shape[0]
    z, b, work = np.empty(n), np.empty(n), np.empty((p, n))
    loglik = 0.0
    for t in range(last - first):
        row = first + t
        if t > 0:
            _predict(E[step[row]], noise[step[row]], means[t - 1, d], covs[t - 1, d], means[t, 0], covs[t, 0], work)
        for i in range(p):
            means[t, 0, i] += jump[row, i]
        for j in range(d):
            if np.isnan(y[row, j]):
                means[t, j + 1] = means[t, j]
                covs[t, j + 1] = covs[t, j]
                continue
            residual = y[row, j] - intercept[j]
            for c in range(p):
                residual -= loading[j, c] * level[row, c]
            _weights(loading[j], basis[row], z)
            v[t, j], F[t, j] = _observe(
                z, residual, error[j], means[t, j], covs[t, j], means[t, j + 1], covs[t, j + 1], b
            )
            if not F[t, j] > 0.0 or not np.isfinite(v[t, j]):
                return -np.inf
            loglik -= 0.5 * (LOG_2PI + np.log(F[t, j]) + v[t, j] * v[t, j] / F[t, j])
    return loglik


@njit(cache=True, nogil=True, error_model="numpy")
def _observe_adjoint(z, v, F, mean, cov, g, G, moving, b, Gb, b_bar, z_bar):
    """Undo one update: g, G become the gradients before it. Returns (v̄, F̄) and, if ``moving``, fills ζ̄."""
    n = z.size
    alpha, q = 0.0, 0.0
    for i in range(n):
        total = 0.0
        for c in range(n):
            if z[c] != 0.0:
                total += cov[i, c] * z[c]
        b[i] = total
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
            total = 2.0 * F_bar * b[i] - v_bar * mean[i]
            for c in range(n):
                total += cov[i, c] * b_bar[c]
            z_bar[i] = total
    for i in range(n):
        g[i] -= v_bar * z[i]
        for c in range(n):
            G[i, c] += 0.5 * (b_bar[i] * z[c] + z[i] * b_bar[c]) + F_bar * z[i] * z[c]
    return v_bar, F_bar


@njit(cache=True, nogil=True, error_model="numpy")
def _predict_adjoint(E, mean, cov, g, G, E_bar, noise_bar, work, half):
    """Undo one step: Q̄ += G_xx; Ē += g_x m' + 2 (G F P)_xx; g ← F'g; G ← F'GF."""
    p, n = E.shape[0], mean.size
    for i in range(n):  # work = F P restricted to its first p columns
        for c in range(p):
            if i < p:
                total = 0.0
                for a in range(p):
                    total += E[i, a] * cov[a, c]
                work[i, c] = total
            else:
                work[i, c] = cov[i, c]
    for i in range(p):
        for c in range(p):
            noise_bar[i, c] = G[i, c]
            total = 0.0
            for a in range(n):
                total += G[i, a] * work[a, c]
            E_bar[i, c] = g[i] * mean[c] + 2.0 * total
    for i in range(p):
        half[0, i] = g[i]
    for i in range(p):
        total = 0.0
        for a in range(p):
            total += E[a, i] * half[0, a]
        g[i] = total
    for i in range(n):  # columns first: G F
        for c in range(p):
            total = 0.0
            for a in range(p):
                total += G[i, a] * E[a, c]
            work[i, c] = total
    for i in range(n):
        for c in range(p):
            G[i, c] = work[i, c]
    for c in range(n):  # then rows: F' (G F)
        for i in range(p):
            total = 0.0
            for a in range(p):
                total += E[a, i] * G[a, c]
            half[0, i] = total
        for i in range(p):
            G[i, c] = half[0, i]


@njit(cache=True, nogil=True, error_model="numpy")
def backward(
    first, last, y, step, E, level, basis, loading, moving, means, covs, v, F, E_bar, noise_bar, level_bar, jump_bar,
    loading_bar, intercept_bar, error_bar, g, G, trace_mean, trace_cov,
):  # fmt: skip
    """Reverse sweep over what ``forward`` stored; on return g, G are ∂ℓ/∂ of the starting mean and covariance.

    Row arrays are written, indicator arrays added to (loadings only if they are ``moving``). Where ``trace_mean`` has
    rows, it and ``trace_cov`` receive each row's prediction and its gradients: all that a smoother needs.
    """
    p, n, d = E.shape[1], means.shape[2], loading.shape[0]
    z, z_bar, b, Gb, b_bar = np.empty(n), np.zeros(n), np.empty(n), np.empty(n), np.empty(n)
    work, half = np.empty((n, p)), np.empty((1, p))
    g[:] = 0.0
    G[:] = 0.0
    for t in range(last - first - 1, -1, -1):
        row = first + t
        level_bar[row] = 0.0
        for j in range(d - 1, -1, -1):
            if np.isnan(y[row, j]):
                continue
            _weights(loading[j], basis[row], z)
            v_bar, F_bar = _observe_adjoint(
                z, v[t, j], F[t, j], means[t, j], covs[t, j], g, G, moving, b, Gb, b_bar, z_bar
            )
            error_bar[j] += F_bar
            intercept_bar[j] -= v_bar
            for c in range(p):
                level_bar[row, c] -= v_bar * loading[j, c]
                if moving:
                    loading_bar[j, c] += z_bar[c] - v_bar * level[row, c]
                    for k in range(basis.shape[1]):
                        loading_bar[j, c] += basis[row, k] * z_bar[p * (1 + k) + c]
        if trace_mean.shape[0] > 0:
            trace_mean[row, 0], trace_mean[row, 1] = means[t, 0], g
            trace_cov[row, 0], trace_cov[row, 1] = covs[t, 0], G
        for i in range(p):
            jump_bar[row, i] = g[i]
        if t > 0:
            _predict_adjoint(
                E[step[row]], means[t - 1, d], covs[t - 1, d], g, G, E_bar[row], noise_bar[row], work, half
            )
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
    people, starts, y, step, E, noise, level, jump, basis, loading, intercept, error, start_mean, start_cov,
    gradient, moving, loglik, E_bar, noise_bar, level_bar, jump_bar, loading_bar, intercept_bar, error_bar, mean_bar,
    cov_bar, trace_mean, trace_cov,
):  # fmt: skip
    """Log-likelihood of each person in ``people`` and, if ``gradient``, all adjoints. False where one is −∞.

    By row: ``E_bar``, ``noise_bar``, ``level_bar``, ``jump_bar``; by person: the others.
    """
    n, d = start_mean.shape[1], loading.shape[0]
    T = longest(starts)
    means, covs = np.empty((T, d + 1, n)), np.empty((T, d + 1, n, n))
    v, F = np.empty((T, d)), np.empty((T, d))
    for i in people:
        means[0, 0] = start_mean[i]
        covs[0, 0] = start_cov[i]
        loglik[i] = forward(
            starts[i], starts[i + 1], y, step, E, noise, level, jump, basis, loading, intercept, error, means, covs,
            v, F,
        )  # fmt: skip
        if not np.isfinite(loglik[i]):
            return False
        if gradient:
            backward(
                starts[i], starts[i + 1], y, step, E, level, basis, loading, moving, means, covs, v, F, E_bar,
                noise_bar, level_bar, jump_bar, loading_bar[i], intercept_bar[i], error_bar[i], mean_bar[i],
                cov_bar[i], trace_mean, trace_cov,
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
            starts[i], starts[i + 1], y, step, E, noise, level, jump, basis, loading, intercept, error, means, covs,
            v, F,
        )  # fmt: skip
        for row in range(starts[i], starts[i + 1]):
            t = row - starts[i]
            state[row] = means[t, 0, :p]
            for j in range(d):
                _weights(loading[j], basis[row], z)
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
