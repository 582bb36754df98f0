"""A simulated twin of a published onset study: same people, visits and entry, but with an effect that is known.

Carroll, Cassidy & Côté (2004, Pain 107:134-139) followed 790 adults who were free of troublesome neck or low back
pain, asked them again after 6 and 12 months, and read depression at entry (the highest quarter of the score against
the lowest) as the cause of a first troublesome episode by Cox regression: hazard ratio 3.97 (1.81 to 8.72). Both
conditions come and go between such visits, so that neither the date of an onset nor the order of two is seen.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bothways.simulation.catalogue import OnsetRates, find
from bothways.simulation.observe import Observation
from bothways.simulation.world import World, simulate

PEOPLE, VISITS, HALF_A_YEAR = 790, 3, 182.625
TWIN = OnsetRates(
    depression_onset=0.25,  # with the recovery below one person in four is depressed: the study's highest quarter
    depression_recovery=0.75,
    back_pain_onset=0.10,  # about as many first episodes as lead to the published width of the interval
    back_pain_recovery=1.5,  # a troublesome episode lasts eight months, so that some begin and end between visits
    a_to_b=4.0,  # the published ratio, here of depression as it stands and not as it was at entry
    b_to_a=2.0,
)
LOOK = Observation(gap=HALF_A_YEAR, jitter=0.0, entry="free_of_pain")


def carroll_twin(
    people: int = PEOPLE, seed: int | np.random.Generator = 1, effect: float | tuple[float, float] | None = None
) -> World:
    """People without back pain at entry, seen then and after 6 and 12 months; depression multiplies its onset by 4.

    ``effect`` puts other rate ratios (A to B, B to A) in place of the twin's own. ``truth`` of the world gives the
    rate ratio of depression as it stands at each moment, which is what a study of this form means to learn.
    """
    spec = replace(
        find("both-ways"),
        name="carroll-twin",
        says="People free of back pain at entry are seen after 6 and 12 months; depression makes its onset four times "
        "as frequent, and back pain that of depression twice; both come and go between the visits.",
        reason="a simulated twin of Carroll 2004",
        onset=TWIN,
    )
    return simulate(spec, people=people, waves=VISITS, seed=seed, design="onset", observation=LOOK, effect=effect)
