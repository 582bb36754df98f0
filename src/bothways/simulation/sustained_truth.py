"""The true answer of a question about a sustained exposure, by living the same lives under both regimes.

Two lives of each person share their disturbances; in one the exposure is held high at every visit, in the other low.
For a pathway the mediators of a life are handed over from another life of the same person, lived under the high or the
low regime with disturbances of its own: a random draw from the course among people alike at the first visit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from bothways.simulation.processes import PATHWAYS
from bothways.simulation.sustained_mechanism import Noise, VisitMechanism
from bothways.simulation.truth import Truth
from bothways.terms.answer import Estimand
from bothways.terms.errors import WorldError
from bothways.terms.question import Direction, Facet, Question, Scale

REFERENCE, SEED = 60_000, 20_260_711
PARTS = (Estimand.TOTAL, Estimand.DIRECT, Estimand.INDIRECT)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A large population to intervene in: how it starts, two sets of disturbances, and the SDs of its visits."""

    start: Float[np.ndarray, "people variables"]
    noise: Noise
    other: Noise
    mean: Float[np.ndarray, "variables"]
    sd: Float[np.ndarray, "variables"]


def reference(mechanism: VisitMechanism, people: int = REFERENCE) -> Reference:
    """The population, with means and SDs over everyone and all visits (1 for states)."""
    rng = np.random.default_rng(SEED)
    start = mechanism.begin(people, rng)
    noise, other = (mechanism.disturbances(people, mechanism.visits - 1, rng) for _ in range(2))
    seen = mechanism.live(start, noise).reshape(-1, len(mechanism.names))
    return Reference(start, noise, other, seen.mean(axis=0), np.where(mechanism.state, 1.0, seen.std(axis=0)))


def sustained_truth(mechanism: VisitMechanism, question: Question, estimand: Estimand | None = None) -> Truth:
    """Difference or ratio at the last visit, of always against never (states) or of one SD throughout (scores)."""
    if question.direction is Direction.JOINT:
        raise WorldError("direction of the question", "it is joint", "Ask from one condition to the other.")
    wanted = estimand or (Estimand.INDIRECT if question.facet is Facet.PATHWAY else Estimand.TOTAL)
    if wanted not in PARTS:
        raise WorldError(
            f"estimand {wanted.value}", "this world does not answer it", "Ask for total, direct, indirect."
        )
    source, target = (mechanism.row(c.key) for c in question.direction.ends(question.pair))
    people = reference(mechanism)
    levels = _levels(mechanism, people, source)
    if question.pathway is None:
        high, low = (_outcomes(mechanism, people, target, {source: level}) for level in levels)
        says = "the exposure held high, then low, at every visit before the last"
    else:
        high, low = _pathway(mechanism, people, question.pathway, wanted, source, target, levels)
        says = f"the same, with the course of {question.pathway} handed over from another life"
    return _compared(question.scale, wanted, says, high, low, float(people.sd[target]), bool(mechanism.state[target]))


def _levels(mechanism: VisitMechanism, people: Reference, source: int) -> tuple[float, float]:
    if mechanism.state[source]:
        return 1.0, 0.0
    return float(people.mean[source] + people.sd[source] / 2), float(people.mean[source] - people.sd[source] / 2)


Outcomes = tuple[Float[np.ndarray, "people"], Float[np.ndarray, "people"]]  # mean of the outcome, chance to be alive


def _outcomes(
    mechanism: VisitMechanism,
    people: Reference,
    target: int,
    held: dict[int, float],
    given: dict[int, Float[np.ndarray, "people visits"]] | None = None,
) -> Outcomes:
    lives = mechanism.live(people.start, people.noise, held, given)
    return mechanism.mean(lives[:, -2])[:, target], mechanism.survival(lives)[:, -1]


def _pathway(
    mechanism: VisitMechanism,
    people: Reference,
    pathway: str,
    wanted: Estimand,
    source: int,
    target: int,
    levels: tuple[float, float],
) -> tuple[Outcomes, Outcomes]:
    """The two regimes whose difference is the total, direct or indirect effect."""
    through = [mechanism.row(PATHWAYS.get(key, key)) for key in pathway.split("+")]
    courses = []
    for level in levels:
        lives = mechanism.live(people.start, people.other, {source: level})
        courses.append({v: lives[:, :, v] for v in through})
    pairs = {
        Estimand.TOTAL: ((0, 0), (1, 1)),
        Estimand.DIRECT: ((0, 1), (1, 1)),
        Estimand.INDIRECT: ((0, 0), (0, 1)),
    }[wanted]
    high, low = (_outcomes(mechanism, people, target, {source: levels[a]}, courses[m]) for a, m in pairs)
    return high, low


def _compared(
    scale: Scale | None, wanted: Estimand, says: str, high: Outcomes, low: Outcomes, sd: float, state: bool
) -> Truth:
    """On the question's scale; of states, those who died count as without."""
    one, other = (outcome * alive if state else outcome for outcome, alive in (high, low))
    if not state:
        one, other = one / sd, other / sd
    if scale is Scale.RISK_RATIO:
        value = float(one.mean() / other.mean())
        return Truth(
            value, wanted, says, float(value * (one / one.mean() - other / other.mean()).std() / one.size**0.5)
        )
    gap = one - other
    return Truth(float(gap.mean()), wanted, says, float(gap.std() / gap.size**0.5))
