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
CIRCUMSTANCES = frozenset(
    {
        "chronic_pain",
        "acute_strain",
        "pain_severity",
        "pain_sites",
        "clinical_depression",
        "lasting_or_any_pain",
        "anxiety",
    }
)
"""The topic's circumstances, by its names: ``population.where`` may be any of them, and ``age`` or ``sex``."""
PERSONAL = frozenset({"age", "sex"})  # no world has them act
WORDS = {
    "chronic": ("chronic_pain", "1"),
    "recent": ("chronic_pain", "0"),
    "severe": ("clinical_depression", "1"),
    "mild": ("clinical_depression", "0"),
}
LEVELS = {"1": "chronic", "yes": "chronic", "0": "recent", "no": "recent"}  # in the second regime, or outside it
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


def circumstance_of(question: Question, mechanism: Mechanism) -> tuple[str, str]:
    """(the circumstance's key, its level): see ``part_of``. WorldError for a key that no world knows."""
    where = question.population.where or mechanism.flag
    key, _, level = where.partition("=")
    key, level = WORDS.get(key, (key, level or question.population.label.rpartition(": ")[2]))
    if key not in CIRCUMSTANCES | PERSONAL or (mechanism.switches and key not in PERSONAL | {mechanism.flag}):
        mend = f"Use {mechanism.flag}=1 or {mechanism.flag}=0."
        raise WorldError("population of the question", f"'{where}' is not known here", mend)
    return key, level


def part_of(question: Question, mechanism: Mechanism) -> str | None:
    """The part that is meant in a world of scores: None for everyone, else inside or outside its second regime.

    ``population.where`` is a circumstance's key, the level being the end of ``population.label`` ("...: 1"), or key
    and level together ("clinical_depression=1"), or one of the words chronic, recent, severe and mild. Where no arrow
    switches, the effect is one and the same in every circumstance. WorldError for what the world does not hold.
    """
    if question.population.where is None:
        return None
    key, level = circumstance_of(question, mechanism)
    if key in PERSONAL or not mechanism.switches:
        return None
    if level not in LEVELS:
        mend = f"Use {key}=1 or {key}=0."
        raise WorldError("population of the question", f"no level of '{key}' is called '{level}'", mend)
    return LEVELS[level]


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
        return _interaction(mechanism, question, source, target, lag)
    raise WorldError(f"estimand {wanted.value}", "scores over time do not answer it", "Simulate the onset design.")


def _strength(mechanism: Mechanism, question: Question, source: str, target: str, lag: float) -> Truth:
    where = part_of(question, mechanism)
    part = question.pathway  # back pain may be raised by its strain or its lasting part alone
    cause = part if part in ("strain", "lasting_pain") and source == "back_pain" else source
    says = f"{cause} raised by one within-person SD, all other states held at that moment; {target} read {lag:g} d on"
    if not mechanism.switches:
        return Truth(effect_at(mechanism, cause, target, lag), Estimand.CROSS_LAG, says)
    value, se = paired_effects(mechanism, cause, target, lag).mean(where)
    return Truth(value, Estimand.CROSS_LAG, says, se)


def _interaction(mechanism: Mechanism, question: Question, source: str, target: str, lag: float) -> Truth:
    key, _ = circumstance_of(question, mechanism)
    says = f"{source} raised by one SD in those with {key} and in the others; the difference of the effects"
    if key in PERSONAL or not mechanism.switches:
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
