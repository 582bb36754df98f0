"""A process held where it was put, then let go: the course of all, with its own equation replaced and not observed.

In steps      x_{s+1} = B_j x_s while held, B x_s afterwards, B_j: row j of B replaced by e_j'
In time       x(t) = exp(A_j t) x(0) while held, exp(A (t − h)) x(h) afterwards, A_j: row j of A replaced by zeros

x(0) = c e_j: the others start where they usually are. Observing x_j at c would say something of the others as well;
holding it does not (Pearl 2009, sect. 3.2.3). Every function takes a stack along the leading axes.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from bothways.engine.drift import total_effect


def held_steps(
    lags: Float[np.ndarray, "n p p"], which: int, size: float, hold: int, steps: int
) -> Float[np.ndarray, "n times p"]:
    """The course at steps 0 … ``steps``; process ``which`` stands at ``size`` at the first ``hold`` of them."""
    n, p, _ = lags.shape
    still = lags.copy()
    still[:, which] = np.eye(p)[which]
    course = np.zeros((n, steps + 1, p))
    course[:, 0, which] = size
    for s in range(1, steps + 1):
        course[:, s] = np.einsum("nij,nj->ni", still if s < hold else lags, course[:, s - 1])
    return course


def held_times(
    drift: Float[np.ndarray, "n p p"], which: int, size: float, hold: float, times: Float[np.ndarray, " times"]
) -> Float[np.ndarray, "n times p"]:
    """The course at ``times`` (not negative, rising) of a process held from 0 to ``hold``, which may be infinite."""
    still = drift.copy()
    still[:, which] = 0.0
    during = times <= hold
    x = np.zeros((len(drift), drift.shape[1]))
    x[:, which] = size
    parts = [np.einsum("ntij,nj->nti", total_effect(still, times[during]), x)]
    if not during.all():
        let_go = np.einsum("nij,nj->ni", total_effect(still, np.array([hold]))[:, 0], x)
        parts.append(np.einsum("ntij,nj->nti", total_effect(drift, times[~during] - hold), let_go))
    return np.concatenate(parts, axis=1)
