"""The true answers of an onset world: hazards under intervention, and what they make of people over time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float
from scipy.optimize import brentq

from bothways.simulation.catalogue import OnsetRates
from bothways.simulation.kernels import A_OFF, A_ON, B_OFF, B_ON, CHRONIC_ON, hazards
from bothways.simulation.lives import YEAR, Entry, rates_row
from bothways.simulation.onset_chain import State, episode, first_onset, nothing, who_was_first
from bothways.simulation.onset_exact import Stand, ratio_of, stand_at
from bothways.simulation.questions import subgroup, usual_estimand
from bothways.simulation.truth import Truth
from bothways.terms.answer import Estimand
from bothways.terms.errors import WorldError
from bothways.terms.question import Direction, Facet, Question

Intervention = Literal["as_is", "effect_removed", "onset_prevented"]
INTERVENTIONS: tuple[Intervention, ...] = ("as_is", "effect_removed", "onset_prevented")
LONGEST = 200 * YEAR  # a median time beyond this is infinite
MOMENTS = 100  # at which time spent in a state is read
RATIOS = (Estimand.RATE_RATIO, Estimand.RECOVERY_RATIO)


@dataclass(frozen=True, slots=True)
class OnsetMechanism:
    """An onset world in motion: its rates, who enters the study, and how long people are followed (days)."""

    rates: OnsetRates
    entry: Entry
    follow_up: float


@dataclass(frozen=True, slots=True)
class Order:
    """Of the people who had both at one time by a horizon, the share who then had each first.

    ``a_first`` entered the state of both from depression alone. ``ever_a_first`` had depression before they ever
    had back pain, counted from entry. ``reached`` is the share of people who reached both. Shares of a and b add to
    one. ``se`` is the Monte Carlo error of ``a_first``, 0 where it is exact.
    """

    a_first: float
    ever_a_first: float
    reached: float
    se: float = 0.0

    @property
    def b_first(self) -> float:
        """The share who entered from back pain alone."""
        return 1 - self.a_first


def onset_truth(mechanism: OnsetMechanism, question: Question, estimand: Estimand | None) -> Truth:
    """The true answer of an onset world; WorldError where it holds no such thing."""
    wanted = estimand or usual_estimand(question)
    wanted = Estimand.RATE_RATIO if wanted is Estimand.CROSS_LAG else wanted
    horizon = mechanism.follow_up if question.horizon is None else question.horizon
    a_first = question.direction.ends(question.pair)[0].key == "depression"
    if wanted is Estimand.ORDER_SHARE:
        return _order_share(mechanism, horizon, a_first)
    if wanted is Estimand.DIRECTION_CONTRAST:
        forward, back = (ratio(mechanism, wanted_ratio, None) for wanted_ratio in ((A_ON, True), (A_ON, False)))
        value = forward / back if question.pair.a.key == "depression" else back / forward
        return Truth(value, wanted, "the two rate ratios, each as its own intervention; their ratio")
    if question.direction is Direction.JOINT:
        raise WorldError("direction of the question", "it is joint", "Ask from one condition to the other.")
    if wanted in RATIOS:
        kind = (A_ON if wanted is Estimand.RATE_RATIO else A_OFF, a_first)
        says = "the cause set present and set absent in the same people; the ratio of the other's hazards"
        return Truth(ratio(mechanism, kind, subgroup(question)), wanted, says)
    if wanted is Estimand.INTERACTION:
        chronic, recent = (ratio(mechanism, (A_ON, a_first), where) for where in ("chronic", "recent"))
        return Truth(chronic / recent, wanted, "the rate ratio of chronic pain over that of recent pain")
    if wanted is Estimand.PERSISTENCE_RATIO:
        return Truth(persistence_ratio(mechanism, a_first), wanted, "depression set present and absent in recent pain")
    if wanted is Estimand.STATE_PROBABILITY and question.facet is Facet.PERSISTENCE:
        ill = question.population.where == "depression=1"
        says = "none: of people new to back pain, the share in whom that very episode turns chronic"
        return Truth(turned(mechanism, horizon, ill), wanted, says)
    if wanted is Estimand.ATTRIBUTABLE_SHARE:
        return _attributable_share(mechanism, horizon, a_first)
    if wanted is Estimand.STATE_PROBABILITY and question.facet is Facet.SPEED:
        says = "none: of people who have the first and not yet the second, the share in whom the second has begun"
        return Truth(begun(mechanism, horizon, a_first), wanted, says)
    if wanted is Estimand.STATE_PROBABILITY:
        states = occupancy(mechanism, horizon)
        value = states[2 if a_first else 1] + states[3]
        return Truth(float(value), wanted, "none: the share in whom the outcome is present at the horizon")
    raise WorldError(f"estimand {wanted.value}", "an onset world does not answer it", "Simulate a panel or a diary.")


def ratio(mechanism: OnsetMechanism, kind: tuple[int, bool], where: str | None) -> float:
    """The ratio of a hazard with the cause set present to that with it set absent, all else the same.

    ``kind`` is (A_ON for onset or A_OFF for recovery, True where depression is the cause). Every other multiplier
    of a person's hazard is shared by the two and cancels person by person. Where pain acts only once chronic, the
    ratio over everyone weighs chronic and recent pain by the time that people at risk spend in each.
    """
    which, from_depression = kind
    row = rates_row(mechanism.rates)
    if from_depression:
        return _ratio(row, B_ON if which == A_ON else B_OFF, (0, 1), None)
    recent, chronic = (_ratio(row, which, None, flag) for flag in (0, 1))
    if where is not None or recent == chronic:
        return chronic if where == "chronic" else recent
    share = _chronic_share(mechanism, at_risk=2 if which == A_ON else 3)
    return share * chronic + (1 - share) * recent


def _ratio(row: Float[np.ndarray, "14"], kind: int, depression: tuple[int, int] | None, chronic: int | None) -> float:
    """Hazard of ``kind`` with and without the cause. The outcome is absent for an onset, present for a recovery."""
    rates = []
    for present in (1, 0):
        out = np.empty(6)
        if depression is not None:
            hazards(row, present, int(kind == B_OFF), 0, out)
        else:
            hazards(row, int(kind == A_OFF), present, (chronic or 0) * present, out)
        rates.append(out[kind])
    return float(rates[0] / rates[1]) if rates[1] else float("nan")


def persistence_ratio(mechanism: OnsetMechanism, from_depression: bool) -> float:
    """The ratio of the rates at which recent pain turns chronic, with depression set present and set absent.

    WorldError where it turns chronic by the calendar and not at a rate, or another ratio is asked for.
    """
    if not from_depression or not mechanism.rates.persistence:
        raise WorldError("persistence", "this world has no such rate", "Ask from depression, where pain has one.")
    row, rates = rates_row(mechanism.rates), np.empty((2, 6))
    for depressed in (0, 1):
        hazards(row, depressed, 1, 0, rates[depressed])
    return float(rates[1, CHRONIC_ON] / rates[0, CHRONIC_ON])


def turned(mechanism: OnsetMechanism, day: float, depressed: bool) -> float:
    """The share in whom an episode of pain that is new at entry turns chronic by ``day``; who recovers first did not.

    People are as they are in the middle of their lives, with depression or without it on the day the episode begins.
    """
    start = (int(depressed), 1)
    stand = stand_at(mechanism.rates, day, "prevalent", episode, among=lambda s: s[:2] == start)
    return stand.of(lambda s: s[2] == "chronic")


def _chronic_share(mechanism: OnsetMechanism, at_risk: int) -> float:
    """The share of all time in state ``at_risk`` (2 pain alone, 3 both) in which pain is chronic, by midpoints."""
    spent = np.zeros(2)
    for day in (np.arange(MOMENTS) + 0.5) * mechanism.follow_up / MOMENTS:
        here = stand_at(mechanism.rates, float(day), mechanism.entry)
        last = max(phase for _, phase, _ in here.chain.states)
        for k, recent in enumerate((range(1, last), (last,))):
            spent[k] += here.of(lambda s, phases=recent: s[0] == at_risk - 2 and s[1] in phases)  # type: ignore[misc]
    return float(spent[1] / spent.sum())


def changed(rates: OnsetRates, from_depression: bool, intervention: Intervention) -> OnsetRates:
    """The rates after an intervention on one cause: its effect on onsets removed, or its own onset prevented."""
    if intervention == "as_is":
        return rates
    if intervention == "effect_removed":
        return replace(rates, a_to_b=1.0) if from_depression else replace(rates, b_to_a=1.0)
    return replace(rates, depression_onset=0.0) if from_depression else replace(rates, back_pain_onset=0.0)


def order(mechanism: OnsetMechanism, horizon: float, unrelated: bool = False) -> Order:
    """Who had it first, from a start free of both; ``unrelated`` sets both ratios to one from entry on."""
    rates = replace(mechanism.rates, a_to_b=1.0, b_to_a=1.0) if unrelated else mechanism.rates
    there = stand_at(rates, horizon, _from_free(mechanism), who_was_first, mechanism.rates)
    a_first, se = ratio_of(there, lambda s: s[2] in ("AA", "BA"), there, _has_both)
    ever, _ = ratio_of(there, lambda s: s[2] in ("AA", "AB"), there, _has_both)
    return Order(a_first, ever, there.of(_has_both), se)


def _has_both(state: State) -> bool:
    return len(state[2]) == 2


def _order_share(mechanism: OnsetMechanism, horizon: float, a_first: bool) -> Truth:
    found = order(mechanism, horizon)
    value = found.a_first if a_first else found.b_first
    says = f"none: of those who come to have both within {horizon:g} d, the share that entered from the first"
    return Truth(value, Estimand.ORDER_SHARE, says, found.se)


def occupancy(
    mechanism: OnsetMechanism, day: float, from_depression: bool = True, intervention: Intervention = "as_is"
) -> Float[np.ndarray, "5"]:
    """Shares in neither, depression, back pain, both, dead on ``day``, as is or under an intervention on one cause.

    The intervention begins at entry: people enter as they would have, then live under the changed rates.
    """
    rates = changed(mechanism.rates, from_depression, intervention)
    there = stand_at(rates, day, mechanism.entry, nothing, mechanism.rates)
    return np.bincount([_five(state) for state in there.chain.states], there.share @ there.p, minlength=5)


def _five(state: State) -> int:
    """Neither, depression, back pain, both, dead."""
    return 4 if state[0] < 0 else state[0] + 2 * (state[1] > 0)


def _attributable_share(mechanism: OnsetMechanism, horizon: float, a_first: bool) -> Truth:
    """1 − F_removed / F: the part of the outcome's first onsets by the horizon that the cause's effect adds."""
    now, then = (
        _onset_by(mechanism, changed(mechanism.rates, a_first, intervention), horizon, a_first)
        for intervention in INTERVENTIONS[:2]
    )
    kept, error = ratio_of(then, _has_begun, now, _has_begun)
    says = "the cause's effect on the other's onset removed from entry"
    return Truth(1 - kept, Estimand.ATTRIBUTABLE_SHARE, says, error)


def _onset_by(mechanism: OnsetMechanism, rates: OnsetRates, horizon: float, of_pain: bool) -> Stand:
    """People free of both at entry, with the first onset of pain or depression remembered."""
    memory = first_onset(B_ON if of_pain else A_ON)
    return stand_at(rates, horizon, _from_free(mechanism), memory, mechanism.rates)


def _has_begun(state: State) -> bool:
    return state[2] == "begun"


def begun(mechanism: OnsetMechanism, day: float, from_depression: bool, cause_present: bool = True) -> float:
    """The share in whom the outcome has begun by ``day``, of people who at entry had the cause alone, or neither.

    People are as they are in the middle of their lives, whoever enters the study.
    """
    at_entry = (int(cause_present), 0) if from_depression else (0, int(cause_present))
    memory = first_onset(B_ON if from_depression else A_ON)
    return stand_at(mechanism.rates, day, "prevalent", memory, among=lambda s: (s[0], int(s[1] > 0)) == at_entry).of(
        _has_begun
    )


def median_time(mechanism: OnsetMechanism, from_depression: bool, cause_present: bool = True) -> float:
    """Days until the outcome has begun in half of them (see ``begun``); infinite beyond 200 years."""

    def beyond_half(day: float) -> float:
        return begun(mechanism, day, from_depression, cause_present) - 0.5

    return float(brentq(beyond_half, 0.0, LONGEST, xtol=1e-6)) if beyond_half(LONGEST) > 0 else float("inf")


def _from_free(mechanism: OnsetMechanism) -> Entry:
    return "birth" if mechanism.entry == "birth" else "free"
