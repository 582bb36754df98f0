"""Fit a path model to panel data: starting values, steps, fall-backs, and checks before success is claimed."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float

from bothways.engine.fiml import Order, moment_derivatives
from bothways.engine.moments import Implied, implied_moments, moment_curvature, moment_jacobian
from bothways.engine.panel_models.builder import PathModel, start_vector
from bothways.engine.patterns import PanelData, PatternStatistics, moment_data
from bothways.engine.saturated import Saturated, saturate
from bothways.engine.scoring import Ascent, Evaluation, Objective, maximise

MOST_STEPS = 1000  # over all starting points; a model that has not settled by then does not fit these data


class Outcome(StrEnum):
    """How a fit ended."""

    CONVERGED = "converged"
    NOT_CONVERGED = "not converged"
    INADMISSIBLE = "inadmissible"
    NOT_IDENTIFIED = "not identified"


@dataclass(frozen=True, slots=True)
class Status:
    """The facts behind the outcome.

    `gradient` is the largest |∂ℓ/∂α| times the parameter's standard error (no unit); `decrement` is g'H⁻¹g.
    `unidentified` names the parameters in the null space of the information, `negative_variances` and
    `excessive_correlations` (beyond ±1, or a covariance matrix that is not positive semi-definite) the states.
    `attempts` counts starting points.
    """

    outcome: Outcome
    iterations: int
    gradient: float
    decrement: float
    degrees_of_freedom: int
    unidentified: tuple[str, ...] = ()
    negative_variances: tuple[str, ...] = ()
    excessive_correlations: tuple[str, ...] = ()
    attempts: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class PanelFit:
    """A fitted model with what it was fitted to; `information` is the expected one at the estimates."""

    model: PathModel
    data: PanelData
    saturated: tuple[Saturated, ...]
    alpha: Float[np.ndarray, " free"]
    loglik: float
    information: Float[np.ndarray, "free free"]
    status: Status

    @property
    def estimates(self) -> dict[str, float]:
        """Free parameters by name."""
        return dict(zip(self.model.names, self.alpha.tolist(), strict=True))

    def implied(self) -> tuple[Implied, ...]:
        """The implied moments of each group."""
        return tuple(implied_moments(self.model.structure, theta) for theta in self.model.cells(self.alpha))


def evaluate(
    model: PathModel, groups: Sequence[PatternStatistics], alpha: Float[np.ndarray, " free"], order: Order = "expected"
) -> Evaluation | None:
    """ℓ(α), gradient and information (expected or exact observed) over all groups; None if Σ is not positive definite.

    Gradient: Σ_g (Δ Q)' ∂ℓ/∂(μ, σ). Observed information: (ΔQ)' J (ΔQ) less the curvatures of moments and cells.
    """
    theta = model.cells(alpha)
    if not np.isfinite(theta).all():
        return None
    Q = model.parameters.jacobian(alpha).reshape(model.groups, -1, len(alpha))
    loglik, gradient = 0.0, np.zeros(len(alpha))
    information = np.zeros((len(alpha), len(alpha)))
    slopes = []
    for g, data in enumerate(groups):
        try:
            implied = implied_moments(model.structure, theta[g])
        except np.linalg.LinAlgError:  # lags so large that Id − A is singular to rounding
            return None
        found = moment_derivatives(data, implied.mean, implied.cov, order)
        if found is None or found.information is None:
            return None
        delta = moment_jacobian(model.structure, implied)
        chained = delta @ Q[g]
        loglik += found.loglik
        gradient += chained.T @ found.gradient
        information += chained.T @ found.information @ chained
        if order == "observed":
            information -= Q[g].T @ moment_curvature(model.structure, implied, found.gradient) @ Q[g]
            slopes.append(delta.T @ found.gradient)
    if order == "observed":
        information -= model.parameters.curvature(alpha, np.concatenate(slopes))
    return Evaluation(loglik, gradient, information)


def objective(model: PathModel, groups: Sequence[PatternStatistics]) -> Objective:
    """α -> ℓ, gradient and expected information, for `scoring.maximise`."""

    def at(alpha: np.ndarray) -> Evaluation | None:
        return evaluate(model, groups, alpha)

    return at


def fit_model(
    model: PathModel,
    data: PanelData,
    *,
    saturated: tuple[Saturated, ...] | None = None,
    start: Float[np.ndarray, " free"] | None = None,
    seed: int = 0,
) -> PanelFit:
    """Full-information maximum likelihood with the checks of gradient, rank, degrees of freedom and admissibility.

    Starting values climb first on the saturated moments alone (one pattern, hence cheap), then on the data. If that
    fails, heavier damping and then ten jittered starting points (seeded) are tried on the moments before giving up,
    as long as fewer than 1,000 steps were taken in all.
    `saturated` may be passed to spare its computation when several models are fitted to the same data.

    Raises ValueError if model and data differ in variables or groups.
    """
    if data.variables != len(model.observed) or len(data.groups) != model.groups:
        raise ValueError(
            f"the model has {len(model.observed)} variables and {model.groups} groups, "
            f"the data {data.variables} and {len(data.groups)}"
        )
    h1 = saturate(data) if saturated is None else saturated
    moments = [(group.mean, group.cov) for group in h1]
    first = start_vector(model, moments) if start is None else start
    summaries = [moment_data(m, c, group.total) for (m, c), group in zip(moments, data.groups, strict=True)]
    ascent, attempts = _climb(model, data, summaries, first, seed)
    alpha = first if ascent is None else ascent.point
    last = Evaluation(-np.inf, np.full(len(first), np.nan), np.eye(len(first))) if ascent is None else ascent.last
    return PanelFit(model, data, h1, alpha, last.loglik, last.information, examine(model, ascent, attempts))


def _climb(
    model: PathModel, data: PanelData, summaries: Sequence[PatternStatistics], first: np.ndarray, seed: int
) -> tuple[Ascent | None, int]:
    rng, steps = np.random.default_rng(seed), 0
    scale = np.maximum(np.abs(first), 0.1)
    starts = [(first, 1e-3), (first, 1.0)]
    starts += [(first + 0.3 * scale * rng.standard_normal(len(first)), 0.1) for _ in range(10)]
    best: Ascent | None = None
    for attempt, (start, damping) in enumerate(starts, 1):
        if steps > MOST_STEPS:
            return best, attempt - 1
        rough = maximise(objective(model, summaries), start, damping=damping, tolerance=1e-6)
        point = start if rough is None else rough.point
        ascent = maximise(objective(model, data.groups), point)
        steps += sum(climb.iterations for climb in (rough, ascent) if climb is not None)
        if ascent is not None and (best is None or ascent.last.loglik > best.last.loglik):
            best = ascent
        if best is not None and best.converged:
            return best, attempt
        if best is not None and unidentified(best.last.information, model.names):
            return best, attempt
    return best, len(starts)


def examine(model: PathModel, ascent: Ascent | None, attempts: int = 1) -> Status:
    """Whether an ascent may be called a success, and if not, why."""
    df = model.degrees_of_freedom
    if ascent is None:
        return Status(Outcome.NOT_CONVERGED, 0, np.inf, np.inf, df, attempts=attempts)
    H = ascent.last.information
    scaled = np.abs(ascent.last.gradient) / np.sqrt(np.maximum(np.diag(H), 1e-300))
    loose = unidentified(H, model.names)
    negative, excessive = inadmissible(model, ascent.point)
    if loose or df < 0:
        outcome = Outcome.NOT_IDENTIFIED
    elif not ascent.converged:
        outcome = Outcome.NOT_CONVERGED
    elif negative or excessive:
        outcome = Outcome.INADMISSIBLE
    else:
        outcome = Outcome.CONVERGED
    return Status(
        outcome, ascent.iterations, float(scaled.max()), ascent.decrement, df, loose, negative, excessive, attempts
    )


def unidentified(information: Float[np.ndarray, "free free"], names: Sequence[str]) -> tuple[str, ...]:
    """Parameters with weight in the null space of the information, scaled to unit diagonal (eigenvalues < 10⁻⁹)."""
    scale = np.sqrt(np.maximum(np.diag(information), 1e-300))
    values, vectors = np.linalg.eigh(information / np.outer(scale, scale))
    null = np.abs(vectors[:, values < 1e-9])
    if null.shape[1] == 0:
        return ()
    weight = null.max(axis=1)
    return tuple(name for name, share in zip(names, weight, strict=True) if share > 0.1 * weight.max())


def inadmissible(model: PathModel, alpha: Float[np.ndarray, " free"]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(states with negative variance, pairs or blocks of states with correlations beyond ±1), over all groups."""
    negative: list[str] = []
    excessive: list[str] = []
    for g, theta in enumerate(model.cells(alpha)):
        S = implied_moments(model.structure, theta).S
        tag = f"@{g + 1}" if model.groups > 1 else ""
        variances = np.diag(S)
        negative += [f"{model.states[i]}{tag}" for i in np.flatnonzero(variances < 0)]
        sd = np.sqrt(np.maximum(variances, 1e-300))
        both = np.outer(variances > 0, variances > 0)
        beyond = np.argwhere(np.tril(both & (np.abs(S) > np.outer(sd, sd) * (1 + 1e-9)), -1))
        excessive += [f"{model.states[j]}~~{model.states[i]}{tag}" for i, j in beyond]
        used = variances > 0
        R = S[np.ix_(used, used)] / np.outer(sd[used], sd[used])
        if not negative and not excessive and np.linalg.eigvalsh(R).min(initial=0.0) < -1e-9:
            excessive.append(f"the covariance matrix of the disturbances{tag}")
    return tuple(negative), tuple(excessive)
