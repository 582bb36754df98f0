"""A question about a panel or diary world -> its true answer, through the right intervention."""

from __future__ import annotations

from bothways.simulation.mechanism import Mechanism
from bothways.simulation.processes import PATHWAYS
from bothways.simulation.truth import (
    Truth,
    effect_at,
    effect_by_waves,
    paired_effects,
    peak_lag,
)
from bothways.terms.answer import Estimand
from bothways.terms.errors import WorldError
from bothways.terms.question import Direction, Facet, Question, Scale

SUBGROUPS = {
    "chronic": "chronic",
    "chronic_pain=1": "chronic",
    "recent": "recent",
    "chronic_pain=0": "recent",
}
PATHS = (Estimand.TOTAL, Estimand.DIRECT, Estimand.INDIRECT)


def usual_estimand(question: Question) -> Estimand:
    """What a question asks for where nobody says: by its facet, then its direction and scale."""
    if question.facet is Facet.STRENGTH and question.direction is Direction.JOINT:
        return Estimand.ASSOCIATION if question.scale is Scale.CORRELATION else Estimand.DIRECTION_CONTRAST
    by_scale = {Scale.SHARE: Estimand.ATTRIBUTABLE_SHARE, Scale.PROBABILITY: Estimand.STATE_PROBABILITY}
    by_facet = {
        Facet.FIRST: Estimand.ORDER_SHARE,
        Facet.STRENGTH: by_scale.get(question.scale, Estimand.CROSS_LAG) if question.scale else Estimand.CROSS_LAG,
        Facet.SPEED: Estimand.PEAK_LAG,
        Facet.PATHWAY: Estimand.INDIRECT,
        Facet.WHOM: Estimand.INTERACTION,
        Facet.PERSISTENCE: Estimand.PERSISTENCE_RATIO,
    }
    return by_facet[question.facet]


def subgroup(question: Question) -> str | None:
    """The part of the population that is meant: None for everyone, "chronic" or "recent"."""
    where = question.population.where
    if where is None:
        return None
    if where not in SUBGROUPS:
        raise WorldError("population of the question", f"'{where}' is not known here", "Use chronic or recent.")
    return SUBGROUPS[where]


def score_truth(mechanism: Mechanism, question: Question, estimand: Estimand | None) -> Truth:
    """The true answer of a panel or diary world; WorldError where the mechanism holds no such thing."""
    wanted = estimand or usual_estimand(question)
    if wanted is Estimand.DIRECTION_CONTRAST:
        return _contrast(mechanism, question)
    if wanted is Estimand.ASSOCIATION:
        return Truth(
            mechanism.trait_correlation, wanted, "none: the correlation of people's usual levels, as they were drawn"
        )
    if question.direction is Direction.JOINT:
        raise WorldError("direction of the question", "it is joint", "Ask from one condition to the other.")
    source, target = (condition.key for condition in question.direction.ends(question.pair))
    lag = mechanism.gap if question.horizon is None else question.horizon
    if wanted is Estimand.CROSS_LAG:
        return _strength(mechanism, question, source, target, lag)
    if wanted is Estimand.PEAK_LAG:
        value = peak_lag(mechanism, source, target)
        return Truth(value, wanted, f"{source} raised once; the lag at which {target} differs most")
    if wanted in PATHS:
        return _path(mechanism, question, wanted, source, target)
    if wanted is Estimand.INTERACTION:
        return _interaction(mechanism, source, target, lag)
    raise WorldError(f"estimand {wanted.value}", "scores over time do not answer it", "Simulate the onset design.")


def _strength(mechanism: Mechanism, question: Question, source: str, target: str, lag: float) -> Truth:
    where = subgroup(question)
    part = question.pathway  # back pain may be raised by its strain or its lasting part alone
    cause = part if part in ("strain", "lasting_pain") and source == "back_pain" else source
    says = f"{cause} raised by one within-person SD, all other states held at that moment; {target} read {lag:g} d on"
    if not mechanism.switches:
        return Truth(effect_at(mechanism, cause, target, lag), Estimand.CROSS_LAG, says)
    value, se = paired_effects(mechanism, cause, target, lag).mean(where)
    return Truth(value, Estimand.CROSS_LAG, says, se)


def _interaction(mechanism: Mechanism, source: str, target: str, lag: float) -> Truth:
    says = f"{source} raised by one SD in those with chronic pain and in the others; the difference of the effects"
    if not mechanism.switches:
        return Truth(0.0, Estimand.INTERACTION, says)
    value, se = paired_effects(mechanism, source, target, lag).difference()
    return Truth(value, Estimand.INTERACTION, says, se)


def _contrast(mechanism: Mechanism, question: Question) -> Truth:
    """|A to B| less |B to A|, over one gap or the question's horizon."""
    lag = mechanism.gap if question.horizon is None else question.horizon
    a, b = question.pair.a.key, question.pair.b.key
    there, back = (_strength(mechanism, question, *ends, lag) for ends in ((a, b), (b, a)))
    se = (there.se**2 + back.se**2) ** 0.5
    value = abs(there.value) - abs(back.value)
    return Truth(value, Estimand.DIRECTION_CONTRAST, there.intervention + ", and the other way around", se)


def _path(mechanism: Mechanism, question: Question, wanted: Estimand, source: str, target: str) -> Truth:
    """Total, direct and indirect effect. Panel without a horizon: over two gaps, the mediator handed on between.

    With a horizon, and in a diary: the mediator is held at its untreated course all the way, and the indirect
    effect is what is lost by that.
    """
    mediator = PATHWAYS.get(question.pathway or "", question.pathway)
    if mediator is None or mediator not in mechanism.variables:
        raise WorldError("pathway of the question", "this world does not show that mediator", "Name one it shows.")
    if mechanism.pace == "panel" and question.horizon is None:
        total = effect_at(mechanism, source, target, 2 * mechanism.gap)
        through = effect_by_waves(mechanism, source, mediator, target)
        says = f"{source} raised at one wave; {mediator} alone handed on at the next; {target} read at the one after"
    else:
        lag = mechanism.gap if question.horizon is None else question.horizon
        total = effect_at(mechanism, source, target, lag)
        through = total - effect_at(mechanism, source, target, lag, held=(mediator,))
        says = f"{source} raised by one SD, with and without {mediator} held; {target} read {lag:g} d on"
    value = {Estimand.TOTAL: total, Estimand.DIRECT: total - through, Estimand.INDIRECT: through}[wanted]
    return Truth(value, wanted, says)
