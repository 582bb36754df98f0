"""The true answers of an onset world: hazards under intervention, and whole unobserved lives counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from jaxtyping import Float

from bothways.simulation.catalogue import OnsetRates
from bothways.simulation.kernels import A_OFF, A_ON, B_OFF, B_ON, hazards
from bothways.simulation.lives import Entry, Lives, rates_row, reference_lives
from bothways.simulation.questions import subgroup, usual_estimand
from bothways.simulation.truth import REFERENCE_SEED, Truth
from bothways.terms.answer import Estimand
from bothways.terms.errors import WorldError
from bothways.terms.question import Direction, Question

Intervention = Literal["as_is", "effect_removed", "onset_prevented"]
INTERVENTIONS: tuple[Intervention, ...] = ("as_is", "effect_removed", "onset_prevented")
REFERENCE_LIVES = 200_000
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
    had back pain, counted from entry. ``people`` reached both. Shares of a and b add to one.
    """

    a_first: float
    ever_a_first: float
    people: int

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
    if wanted is Estimand.ATTRIBUTABLE_SHARE:
        return _attributable_share(mechanism, horizon, a_first)
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


def _ratio(row: Float[np.ndarray, "13"], kind: int, depression: tuple[int, int] | None, chronic: int | None) -> float:
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


def _chronic_share(mechanism: OnsetMechanism, at_risk: int) -> float:
    """The share of all time in state ``at_risk`` (2 pain alone, 3 both) in which pain is chronic."""
    spent = np.zeros((5, 2))
    for life in _reference(mechanism, mechanism.follow_up):
        spent += life.days_in(mechanism.follow_up)
    return float(spent[at_risk, 1] / spent[at_risk].sum())


def _reference(
    mechanism: OnsetMechanism, end: float, rates: OnsetRates | None = None, entry: Entry | None = None
) -> Iterator[Lives]:
    """A large population that enters as the world has it and, where ``rates`` are given, lives on under those."""
    after, before = rates or mechanism.rates, mechanism.rates
    return reference_lives(after, REFERENCE_LIVES, end, entry or mechanism.entry, REFERENCE_SEED, before)


def changed(rates: OnsetRates, from_depression: bool, intervention: Intervention) -> OnsetRates:
    """The rates after an intervention on one cause: its effect on onsets removed, or its own onset prevented."""
    if intervention == "as_is":
        return rates
    if intervention == "effect_removed":
        return replace(rates, a_to_b=1.0) if from_depression else replace(rates, b_to_a=1.0)
    return replace(rates, depression_onset=0.0) if from_depression else replace(rates, back_pain_onset=0.0)


def order(mechanism: OnsetMechanism, horizon: float, unrelated: bool = False) -> Order:
    """Who had it first, counted in whole lives from a start free of both; ``unrelated`` sets both ratios to one."""
    rates = replace(mechanism.rates, a_to_b=1.0, b_to_a=1.0) if unrelated else mechanism.rates
    lives = _reference(mechanism, horizon, rates, _from_free(mechanism))
    reached, entered, ever = (sum(counts) for counts in zip(*(_count_order(life) for life in lives), strict=True))
    if not reached:
        return Order(float("nan"), float("nan"), 0)
    return Order(entered / reached, ever / reached, reached)


def _count_order(lives: Lives) -> tuple[int, int, int]:
    """People who reached both; of these, who entered from depression, and who had depression first of all."""
    onsets = np.isin(lives.kind, (A_ON, A_OFF, B_ON, B_OFF))
    person, kind = lives.person[onsets], lives.kind[onsets]
    change = np.array([1, -1, 2, -2])[kind]
    running = np.cumsum(change)
    new = np.flatnonzero(np.diff(person, prepend=-1))
    before = np.concatenate(([0], running))[new]
    state = running - np.repeat(before, np.diff(np.append(new, person.size)))
    both = np.flatnonzero(state == 3)
    people, index = np.unique(person[both], return_index=True)
    entered_from_a = kind[both[index]] == B_ON
    first_kind = dict(zip(person[new].tolist(), kind[new].tolist(), strict=True))
    ever = sum(first_kind[p] == A_ON for p in people.tolist())
    return people.size, int(entered_from_a.sum()), ever


def _order_share(mechanism: OnsetMechanism, horizon: float, a_first: bool) -> Truth:
    found = order(mechanism, horizon)
    value = found.a_first if a_first else found.b_first
    se = float(np.sqrt(value * (1 - value) / found.people)) if found.people else float("nan")
    says = f"none: of {found.people} whole lives with both within {horizon:g} d, the share that entered from the first"
    return Truth(value, Estimand.ORDER_SHARE, says, se)


def occupancy(
    mechanism: OnsetMechanism, day: float, from_depression: bool = True, intervention: Intervention = "as_is"
) -> Float[np.ndarray, "5"]:
    """Shares in neither, depression, back pain, both, dead on ``day``, as is or under an intervention on one cause.

    The intervention begins at entry: people enter as they would have, then live under the changed rates.
    """
    rates = changed(mechanism.rates, from_depression, intervention)
    counts = np.zeros(5)
    for lives in _reference(mechanism, day, rates):
        counts += np.bincount(lives.states(np.full((lives.people, 1), day))[0][:, 0], minlength=5)
    return np.asarray(counts / counts.sum())


def _attributable_share(mechanism: OnsetMechanism, horizon: float, a_first: bool) -> Truth:
    """1 − F_removed / F: the part of the outcome's first onsets by the horizon that the cause's effect adds."""
    shares = [
        _ever(mechanism, changed(mechanism.rates, a_first, intervention), horizon, B_ON if a_first else A_ON)
        for intervention in INTERVENTIONS[:2]
    ]
    (risk, se), (removed, se_removed) = shares
    value = 1 - removed / risk
    error = float(np.hypot(se_removed / risk, se * removed / risk**2))
    return Truth(
        value, Estimand.ATTRIBUTABLE_SHARE, "the cause's effect on the other's onset removed from entry", error
    )


def _ever(mechanism: OnsetMechanism, rates: OnsetRates, horizon: float, kind: int) -> tuple[float, float]:
    """Share of people free of both at entry who have the onset by the horizon, and its standard error."""
    lives = _reference(mechanism, horizon, rates, _from_free(mechanism))
    share = sum(np.unique(life.person[life.kind == kind]).size for life in lives) / REFERENCE_LIVES
    return share, float(np.sqrt(share * (1 - share) / REFERENCE_LIVES))


def _from_free(mechanism: OnsetMechanism) -> Entry:
    return "birth" if mechanism.entry == "birth" else "free"
