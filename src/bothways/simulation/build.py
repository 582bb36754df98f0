"""A plan -> the mechanism: its arrows, their size, the disturbances that give every process a variance of one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from bothways.simulation.catalogue import WorldSpec
from bothways.simulation.mechanism import (
    CHRONIC_DAYS,
    SEVERE_DAYS,
    SHOCKED,
    SHOCKS_PER_RELAXATION,
    Matrix,
    Mechanism,
    Pace,
    Plan,
)
from bothways.simulation.processes import A_TO_B, FAMILIES, MEDIATORS, PROCESSES, Arrow, Family
from bothways.terms.errors import WorldError


def build(plan: Plan) -> Mechanism:
    """The mechanism of ``plan``, with its arrows at the true size that the world asks for.

    The couplings k = (k_ab, k_ba) solve cross-lag(k) = effects by Newton's method, where cross-lag is read from
    the mechanism itself: one cause raised by one within-person SD, all else held, stepped on by one gap, the
    arrow open all the while. Raises WorldError where no coupling reaches that size.
    """
    wanted = np.array(plan.spec.effects)
    mechanism = _assemble(plan, np.zeros(2))
    for _ in range(20):  # once where each condition is one state; what raises a mixture depends on the coupling
        if np.abs(_cross_lags(mechanism, mechanism.move[1]) - wanted).max() < 1e-12:
            return mechanism
        mechanism = _assemble(plan, _solve(plan, mechanism, wanted))
    raise _unreachable(plan)


def _unreachable(plan: Plan) -> WorldError:
    where = f"world '{plan.spec.name}'"
    return WorldError(where, "no coupling gives arrows of the size asked for", "Ask for a smaller effect.")


def _solve(plan: Plan, mechanism: Mechanism, wanted: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
    """Newton's method with differenced slopes on the couplings of the arrows that are there."""
    arrows = _arrows(plan)
    free = np.flatnonzero(wanted)

    def miss(coupling: Float[np.ndarray, "2"]) -> Float[np.ndarray, "free"]:
        opened = _drift(plan, mechanism.states, arrows, coupling, chronic=True)
        return np.asarray(_cross_lags(mechanism, _one_step(opened, plan.step)[0]) - wanted)[free]

    coupling = np.where(wanted != 0, 0.1, 0.0)
    for _ in range(30):
        now = miss(coupling)
        if np.abs(now).max() < 1e-13:
            return coupling
        nudges = np.eye(2)[free] * 1e-5
        slope = np.stack([(miss(coupling + d) - miss(coupling - d)) / 2e-5 for d in nudges], axis=1)
        coupling[free] -= np.linalg.solve(slope, now)
        if not np.abs(coupling).max() < 100:
            break
    if np.abs(coupling).max() < 100 and np.abs(miss(coupling)).max() < 1e-10:
        return coupling
    raise _unreachable(plan)


def _cross_lags(mechanism: Mechanism, move: Matrix) -> Float[np.ndarray, "2"]:
    """(A to B, B to A): the change in one condition one gap, in steps of ``move``, after the other rose by one SD."""
    onward = np.linalg.matrix_power(move, round(mechanism.gap / mechanism.step))
    a, b = mechanism.latent[0], mechanism.latent[1]
    raised = [mechanism.raised(variable) for variable in mechanism.variables[:2]]
    return np.array([b @ onward @ raised[0], a @ onward @ raised[1]])


def _assemble(plan: Plan, coupling: Float[np.ndarray, "2"]) -> Mechanism:
    arrows = _arrows(plan)
    states = _states(plan, arrows)
    closed, opened = (_drift(plan, states, arrows, coupling, chronic) for chronic in (False, True))
    move, push = (np.stack(pair) for pair in zip(*(_one_step(d, plan.step) for d in (closed, opened)), strict=True))
    disturbance, stationary = _unit_variances(move[0], push[0], plan.spec.name)
    variables, latent, reported = _readings(plan, states, stationary)
    severe = "clinical_depression" in plan.spec.seen
    return Mechanism(
        states=states,
        variables=variables,
        latent=latent,
        reported=reported,
        drift=np.stack((closed, opened)),
        move=move,
        push=push,
        disturbance=disturbance,
        chance=_shock_chances(plan, states),
        stationary=stationary,
        step=plan.step,
        gap=plan.gap,
        pace=plan.pace,
        trait_sd=float(np.sqrt(plan.icc / (1 - plan.icc))),
        trait_correlation=plan.trait_correlation,
        watched="depression" if severe else "back_pain",
        spell=SEVERE_DAYS if severe else CHRONIC_DAYS,
    )


def _arrows(plan: Plan) -> tuple[Arrow, ...]:
    """Every influence of the world: direct where mediators are collapsed, else through them."""
    spec = plan.spec
    own = list(spec.arrows)
    for family, size in zip(FAMILIES, (spec.effects[1], spec.effects[0]), strict=True):
        if plan.mediators == "collapsed":
            own.append(Arrow(family.source, family.target, 1.0, family.direction))
        elif size != 0 or (spec.carried_by is None and not _touched(family, spec)):
            own += [Arrow(family.source, mediator, family.response) for mediator, _ in family.shares]
            own += [Arrow(m, family.target, share, family.direction) for m, share in _shares(family.shares, spec)]
    return tuple(_split(arrow) if spec.split_pain else arrow for arrow in own)


def _touched(family: Family, spec: WorldSpec) -> bool:
    """True where the world's own arrows already use a mediator of the family, so that it cannot stand idle."""
    ends = {end for arrow in spec.arrows for end in (arrow.source, arrow.target)}
    return any(mediator in ends for mediator, _ in family.shares)


def _shares(shares: tuple[tuple[str, float], ...], spec: WorldSpec) -> tuple[tuple[str, float], ...]:
    """The shares of a family, or all of it on the one mediator that carries the effect."""
    return shares if spec.carried_by is None else tuple((m, float(m == spec.carried_by)) for m, _ in shares)


def _split(arrow: Arrow) -> Arrow:
    """The same arrow where back pain is two states: it leaves chronic pain, and it arrives as strain."""
    source = "lasting_pain" if arrow.source == "back_pain" else arrow.source
    return replace(arrow, source=source, target="strain" if arrow.target == "back_pain" else arrow.target)


def _states(plan: Plan, arrows: tuple[Arrow, ...]) -> tuple[str, ...]:
    pain = ("strain", "lasting_pain") if plan.spec.split_pain else ("back_pain",)
    linked = {end for arrow in arrows for end in (arrow.source, arrow.target)}
    style = ("style",) if plan.spec.style else ()
    first = ("depression", *pain)
    return (*first, *(key for key in PROCESSES if key in linked and key not in first), *style)


def _drift(
    plan: Plan, states: tuple[str, ...], arrows: tuple[Arrow, ...], coupling: Float[np.ndarray, "2"], chronic: bool
) -> Matrix:
    """A of dx = A x dt + dW; the row is the target. An arrow that needs the second regime is shut outside it."""
    relaxation = np.array([_relaxation(key, plan.pace) for key in states])
    drift = np.diag(-1 / relaxation)
    for arrow in arrows:
        scale = 1.0 if arrow.direction is None else float(coupling[0 if arrow.direction is A_TO_B else 1])
        if not chronic and arrow.direction is not None and arrow.direction is plan.spec.gated:
            scale = 0.0
        target = states.index(arrow.target)
        drift[target, states.index(arrow.source)] += scale * arrow.strength / relaxation[target]
    return drift


def _relaxation(key: str, pace: Pace) -> float:
    return PROCESSES[key].panel_days if pace == "panel" else PROCESSES[key].diary_days


def _one_step(drift: Matrix, step: float) -> tuple[Matrix, Matrix]:
    """Heun's step of a linear equation with additive disturbance z: x' = (I + Ah + (Ah)²/2) x + (I + Ah/2) z."""
    small = drift * step
    one = np.eye(len(drift))
    return one + small + small @ small / 2, one + small / 2


def settle(move: Matrix, noise: Matrix) -> Matrix:
    """The covariance that repeats itself, S = move S move' + noise, by doubling the number of steps summed."""
    total = noise
    for _ in range(60):
        added = move @ total @ move.T
        total = total + added
        move = move @ move
        if np.abs(added).max() <= 1e-15 * np.abs(total).max():
            break
    return total


def _unit_variances(move: Matrix, push: Matrix, name: str) -> tuple[Float[np.ndarray, "n"], Matrix]:
    """The variances of the disturbances that give every state a variance of one, and the states' covariance."""
    n = len(move)
    if not np.abs(np.linalg.eigvals(move)).max() < 1:
        raise WorldError(f"world '{name}'", "its arrows feed on each other without end", "Lower the effect.")
    alone = [settle(move, np.outer(push[:, j], push[:, j])) for j in range(n)]
    disturbance = np.linalg.solve(np.stack([np.diag(s) for s in alone], axis=1), np.ones(n))
    if (disturbance <= 0).any() or not np.isfinite(disturbance).all():
        raise WorldError(f"world '{name}'", "its arrows alone would move more than all there is", "Lower the effect.")
    return disturbance, sum((q * s for q, s in zip(disturbance, alone, strict=True)), np.zeros((n, n)))


def _shock_chances(plan: Plan, states: tuple[str, ...]) -> Float[np.ndarray, "n"]:
    """Chance of a shock in one step: none where mediators are collapsed, which keeps those worlds Gaussian."""
    if plan.mediators == "collapsed" and not plan.spec.split_pain:
        return np.zeros(len(states))
    per_day = [SHOCKS_PER_RELAXATION / _relaxation(s, plan.pace) if s in SHOCKED else 0.0 for s in states]
    return np.array(per_day) * plan.step


def _readings(
    plan: Plan, states: tuple[str, ...], stationary: Matrix
) -> tuple[tuple[str, ...], Float[np.ndarray, "variables n"], Float[np.ndarray, "variables n"]]:
    """What is asked about, read from the states: the pair, the mediators, and what the world says is seen."""
    asked = [key for key in states if key in MEDIATORS or key in plan.spec.seen]
    variables = ("depression", "back_pain", *(key for key in asked if key != "back_pain"))
    latent = np.zeros((len(variables), len(states)))
    for row, key in enumerate(variables):
        parts = ("strain", "lasting_pain") if plan.spec.split_pain and key == "back_pain" else (key,)
        for part in parts:
            latent[row, states.index(part)] = 1.0
        latent[row] /= np.sqrt(latent[row] @ stationary @ latent[row])
    reported = latent.copy()
    if plan.spec.style:
        reported[:2, states.index("style")] = plan.spec.style
    return variables, latent, reported
