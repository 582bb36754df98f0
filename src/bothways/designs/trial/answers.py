"""From a comparison of arms to answers: what each arm moved, and what that says of each direction."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import stdtr, stdtrit

from bothways.designs.trial.estimation import Compared
from bothways.designs.trial.lever import ENDS, Lever, Moved
from bothways.designs.trial.setup import TrialSetup
from bothways.designs.trial.words import assumptions_of, caveats_of, failure_words
from bothways.terms.answer import Answer, Assumption, Caveat, Estimand, Estimate, Status
from bothways.terms.question import Direction, Facet, Question, Scale
from bothways.terms.settings import Settings

MODEL = "clda"
DIRECTIONS = (Direction.A_TO_B, Direction.B_TO_A)
ORDER_SAYS = "What an arm moved first is not what began first in a life: a trial cannot say who had it first."
RANDOMISED = Assumption("The arms were drawn by chance, and the first wave was answered before treatment could act.")
AT_RANDOM = Assumption("Missing answers depend only on the arm and on what was recorded.")


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What every answer of one run shares."""

    compared: Compared
    settings: Settings
    both: tuple[Moved, Moved]
    levers: tuple[Lever, Lever]

    @property
    def setup(self) -> TrialSetup:
        """The people and their answers."""
        return self.compared.setup


def answers_of(run: Run) -> tuple[Answer, ...]:
    """The headline of each direction or why there is none, the arms' effects, and what a trial cannot say."""
    rows = [_headline(run, lever) for lever in run.levers]
    rows += [_not_read(run, lever) for lever in run.levers if lever.refusal and lever.found is not None]
    for k, t in run.setup.cells:
        for g in range(1, len(run.setup.arms.labels)):
            rows += [_arm_effect(run, k, t, g, scale) for scale in (Scale.SD, Scale.POINTS)]
    return (*rows, order_refused(run.setup))


def failures_of(compared: Compared) -> tuple[Answer, ...]:
    """Where the comparison did not come about: in words, and no number."""
    says = failure_words(compared)
    rows = (_row(compared.setup, direction, f"lever.{direction}") for direction in DIRECTIONS)
    failed = (replace(row, status=Status.FAILED, status_says=says, headline=True) for row in rows)
    return (*failed, order_refused(compared.setup))


def order_refused(setup: TrialSetup) -> Answer:
    """Who had it first is not a question for a trial."""
    row = _row(setup, Direction.JOINT, "order")
    question = Question(setup.records.pair, Facet.FIRST, Direction.JOINT)
    return replace(row, question=question, estimand=Estimand.ORDER_SHARE, status_says=ORDER_SAYS)


def _row(setup: TrialSetup, direction: Direction, id_end: str) -> Answer:
    """A refused total effect; the rows that are not that replace what differs."""
    return Answer(
        id=f"trial.{id_end}",
        question=Question(setup.records.pair, Facet.STRENGTH, direction, Scale.SD_PER_SD),
        design="trial",
        model=MODEL,
        estimand=Estimand.TOTAL,
        status=Status.REFUSED,
        line="D",
        source=setup.records.source,
    )


def _headline(run: Run, lever: Lever) -> Answer:
    row = replace(_row(run.setup, lever.direction, f"lever.{lever.direction}"), headline=True)
    if lever.refusal:
        return replace(row, status_says=f"{lever.refusal} {lever.mend}".strip())
    return _ratio_row(run, lever, row)


def _not_read(run: Run, lever: Lever) -> Answer:
    """What moved at the same wave, as a ratio: an association of two effects, and never read as a direction."""
    row = _ratio_row(run, lever, _row(run.setup, lever.direction, f"same_wave.{lever.direction}"))
    target = f"{row.target} (which of the two moved first was not observed)"
    return replace(row, estimand=Estimand.ASSOCIATION, target=target)


def _ratio_row(run: Run, lever: Lever, row: Answer) -> Answer:
    setup, ratio = run.setup, lever.found
    assert ratio is not None
    assert lever.cause is not None
    assert lever.outcome is not None
    cause, outcome = (setup.conditions[k].label for k in ENDS[lever.direction])
    estimate = Estimate(
        ratio.value, ratio.low, ratio.high, ratio.se, Scale.SD_PER_SD, setup.people, run.settings.level, ratio.p
    )
    timed = _lag(row, setup, lever.cause, lever.outcome) if lever.ordered else _horizon(row, setup, lever.outcome)
    return replace(
        timed,
        status=Status.ANSWERED,
        estimate=estimate,
        target=f"{outcome} at wave {setup.wave_name(lever.outcome)}",
        contrast=f"one standard deviation more {cause} at wave {setup.wave_name(lever.cause)}, brought by the arm",
        assumptions=assumptions_of(run.compared, lever, run.both),
        caveats=caveats_of(setup, lever, run.both),
    )


def _lag(row: Answer, setup: TrialSetup, start: int, end: int) -> Answer:
    first, last = setup.day(start), setup.day(end)
    if first is None or last is None:
        waves = float(setup.waves[end] - setup.waves[start])
        return replace(row, lag_waves=waves, question=replace(row.question, horizon=waves))
    return replace(row, lag_days=last - first, question=replace(row.question, horizon=last - first))


def _horizon(row: Answer, setup: TrialSetup, t: int) -> Answer:
    """Time since the first wave, where it is not time from one condition to the other."""
    day, waves = setup.day(t), float(setup.waves[t] - setup.waves[0])
    question = replace(row.question, horizon=waves if day is None else day)
    return replace(row, horizon_days=day, question=question)


def _arm_effect(run: Run, k: int, t: int, g: int, scale: Scale) -> Answer:
    """One arm against the reference on one condition at one wave, by intention to treat."""
    setup, compared = run.setup, run.compared
    condition, arm = setup.conditions[k], setup.arms.labels[g]
    unit = float(setup.unit[k]) if scale is Scale.POINTS else 1.0
    place = compared.places(k, t)[g - 1]
    value = float(compared.effect(k, t)[g - 1]) * unit
    se = float(np.sqrt(compared.covariance[place, place])) * unit
    direction = DIRECTIONS[k]
    row = _row(setup, direction, f"arm.{condition.key}.wave{setup.wave_name(t)}.{g}.{scale}")
    caveats: tuple[Caveat, ...] = tuple(
        c for c in caveats_of(setup, run.levers[k], run.both) if c.code not in _RATIO_CAVEATS
    )
    timed = _horizon(row, setup, t)
    return replace(
        timed,
        lag_waves=timed.question.horizon if timed.horizon_days is None else None,  # since the first wave
        question=replace(row.question, scale=scale),
        estimand=Estimand.ARM_EFFECT,
        status=Status.ANSWERED,
        estimate=_estimate(value, se, setup, run.settings.level, scale),
        target=f"{condition.label} at wave {setup.wave_name(t)}",
        contrast=f"being randomised to {arm} and not to {setup.arms.reference}",
        assumptions=(RANDOMISED, AT_RANDOM),
        caveats=caveats,
    )


_RATIO_CAVEATS = frozenset({"acts_beyond_target", "weak_lever", "arms_disagree", "order_not_observed"})


def _estimate(value: float, se: float, setup: TrialSetup, level: float, scale: Scale) -> Estimate:
    """A difference with Student's interval."""
    reach = float(stdtrit(setup.freedom, 0.5 + level / 2)) * se
    p = float(2 * stdtr(setup.freedom, -abs(value) / se))
    return Estimate(value, value - reach, value + reach, se, scale, setup.people, level, p)
