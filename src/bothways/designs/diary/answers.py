"""From fitted diaries to answers: the headlines, their contrast, the course by lag, what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from bothways.designs.diary.endings import not_fitted
from bothways.designs.diary.estimation import Fitted, Models, delta, effect_function, estimate
from bothways.designs.diary.lags import Lags
from bothways.designs.diary.setup import DiarySetup
from bothways.engine.statespace.effects import common_peak
from bothways.terms.answer import Answer, Assumption, Caveat, Estimand, Estimate, Status
from bothways.terms.question import Direction, Facet, Question, Scale
from bothways.terms.settings import Settings
from bothways.terms.verdict import Reading, read_estimate

DIRECTIONS = (Direction.A_TO_B, Direction.B_TO_A)
ENDS = {Direction.A_TO_B: (1, 0), Direction.B_TO_A: (0, 1)}  # (outcome, cause) among the processes
ORDER_SAYS = (
    "What moves first from hour to hour is not what began first in a life: a running diary cannot say which of the two "
    "began first."
)
PEAK_SAYS = (
    "With two conditions that change at once, both directions always peak at the same lag, whatever the data: this "
    "model cannot say which is quicker. With a third condition recorded beside them it could."
)


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """What every answer of one run shares."""

    setup: DiarySetup
    settings: Settings
    models: Models
    lags: Lags
    caveats: tuple[Caveat, ...]
    assumptions: tuple[Assumption, ...]


def answers_of(run: Run) -> tuple[Answer, ...]:
    """All answers of the pair; where no model could be fitted, failures in words and no estimate."""
    if not run.models.chosen.usable:
        rows = [_failed(run, direction) for direction in (*DIRECTIONS, Direction.JOINT)]
        return (*rows, order_refused(run))
    rows = [_headline(run, direction) for direction in DIRECTIONS]
    rows.append(_contrast(run))
    for direction in DIRECTIONS:
        rows += _course(run, direction)
    rows += [_peak_refused(run, direction) for direction in DIRECTIONS]
    rows += _common_peak(run)
    for model in (run.models.plain, run.models.hidden_with_arrows, run.models.untrended):
        if model is not None and model is not run.models.chosen and model.usable:
            rows += [_other(run, model, direction) for direction in DIRECTIONS]
    return (*rows, order_refused(run))


def effect_at(model: Fitted, lags: np.ndarray, direction: Direction, level: float) -> list[Estimate]:
    """Standardised total effects of one direction at every lag."""
    outcome, cause = ENDS[direction]
    value, C = delta(model, effect_function(lags, 2))
    places = np.arange(lags.size) * 4 + outcome * 2 + cause
    return [estimate(float(value[k]), float(np.sqrt(max(C[k, k], 1e-18))), model, level) for k in places]


def of_whom(setup: DiarySetup) -> str:
    """In whom an effect holds, where that is these few people and nobody else."""
    return f", in these {setup.people:,} people" if setup.few_people else ""


def _row(run: Run, model: Fitted, direction: Direction, value: Estimate, id_end: str) -> Answer:
    """A total effect at the headline lag; rows that are not quite that replace what differs."""
    first, second = direction.ends(run.setup.records.pair)
    lag = run.lags.headline
    return Answer(
        id=f"diary.{id_end}.{direction}",
        question=Question(run.setup.records.pair, Facet.STRENGTH, direction, Scale.SD_PER_SD, horizon=lag),
        design="diary",
        model=model.name,
        estimand=Estimand.CROSS_LAG,
        status=Status.ANSWERED,
        estimate=value,
        target=f"{second.label}, {run.lags.headline_words} later{of_whom(run.setup)}",
        contrast=f"one standard deviation more {first.label} than usual, at the same {second.label} at that moment",
        lag_days=lag if run.setup.in_days else None,
        lag_waves=None if run.setup.in_days else lag,
        source=run.setup.records.source,
    )


def _headline(run: Run, direction: Direction) -> Answer:
    value = effect_at(run.models.chosen, np.array([run.lags.headline]), direction, run.settings.level)[0]
    caveats = [*run.caveats, *_changes_with(run, direction, value)]
    if not run.lags.observed(run.lags.headline):
        caveats.append(EXTRAPOLATED)
    return replace(
        _row(run, run.models.chosen, direction, value, "strength"),
        headline=True,
        assumptions=run.assumptions,
        caveats=tuple(caveats),
    )


EXTRAPOLATED = Caveat(
    "extrapolated", "No two prompts were this far apart (or this close): the lag is the model's word."
)


def _changes_with(run: Run, direction: Direction, value: Estimate) -> list[Caveat]:
    """Does the reading change without the trend, or with an unseen cause beside the arrows?"""
    own, found = _says(run, value), []
    lag = np.array([run.lags.headline])
    if (model := run.models.untrended) is not None and model.usable:
        other = effect_at(model, lag, direction, run.settings.level)[0]
        if _says(run, other) != own:
            text = "The reading changes where a steady trend over the whole record is not taken out: it rests on that."
            found.append(Caveat("trend", text))
    model = run.models.hidden_with_arrows
    if model is not None and model.usable and own[0] is Reading.PREDICTS:
        other = effect_at(model, lag, direction, run.settings.level)[0]
        unlike = _says(run, other) != own
        if unlike and not any(c.code == "common_cause" for c in run.caveats):
            text = "Once something unseen that moves both is allowed for beside the arrows, this arrow is in doubt."
            found.append(Caveat("common_cause", text))
    return found


def _says(run: Run, value: Estimate) -> tuple[Reading, int]:
    reading = read_estimate(value, run.settings.smallest_effect(value.scale))
    return reading, int(np.sign(value.value)) if reading is Reading.PREDICTS else 0


def _contrast(run: Run) -> Answer:
    """|A to B| less |B to A| at the headline lag; signs are taken at the estimates."""
    pair = run.setup.records.pair
    value, C = delta(run.models.chosen, effect_function(np.array([run.lags.headline]), 2))
    weights = np.zeros(4)
    for direction, sign in ((Direction.A_TO_B, 1.0), (Direction.B_TO_A, -1.0)):
        outcome, cause = ENDS[direction]
        weights[outcome * 2 + cause] = sign * np.sign(value[outcome * 2 + cause])
    se = float(np.sqrt(max(weights @ C @ weights, 1e-18)))
    row = _row(
        run, run.models.chosen, Direction.JOINT,
        estimate(float(weights @ value), se, run.models.chosen, run.settings.level), "contrast",
    )  # fmt: skip
    return replace(
        row,
        estimand=Estimand.DIRECTION_CONTRAST,
        target="the difference in size between the two directions",
        contrast=f"how much more strongly {pair.a.label} predicts {pair.b.label} than the other way around",
        headline=True,
        assumptions=run.assumptions,
        caveats=run.caveats,
    )


def _course(run: Run, direction: Direction) -> list[Answer]:
    """The effect by lag; lags that no two prompts span carry a caveat."""
    _, second = direction.ends(run.setup.records.pair)
    rows = []
    for k, (lag, value) in enumerate(
        zip(
            run.lags.curve.tolist(),
            effect_at(run.models.chosen, run.lags.curve, direction, run.settings.level),
            strict=True,
        )
    ):
        row = _row(run, run.models.chosen, direction, value, f"course.{k + 1}")
        rows.append(
            replace(
                row,
                question=replace(row.question, facet=Facet.SPEED, horizon=lag),
                target=f"{second.label}, later",
                curve=f"diary.{direction}.course",
                lag_days=lag if run.setup.in_days else None,
                lag_waves=None if run.setup.in_days else lag,
                caveats=() if run.lags.observed(lag) else (EXTRAPOLATED,),
            )
        )
    return rows


def _peak_refused(run: Run, direction: Direction) -> Answer:
    first, second = direction.ends(run.setup.records.pair)
    return Answer(
        id=f"diary.peak.{direction}",
        question=Question(
            run.setup.records.pair, Facet.SPEED, direction, Scale.DAYS if run.setup.in_days else Scale.WAVES
        ),
        design="diary",
        model=run.models.chosen.name,
        estimand=Estimand.PEAK_LAG,
        status=Status.REFUSED,
        status_says=PEAK_SAYS,
        target=f"the time from {first.label} to the peak in {second.label}",
        source=run.setup.records.source,
    )


def _common_peak(run: Run) -> list[Answer]:
    """The one lag at which both directions peak in this model, where either is there to peak."""
    lag = np.array([run.lags.headline])
    readings = [_says(run, effect_at(run.models.chosen, lag, d, run.settings.level)[0])[0] for d in DIRECTIONS]
    pair = run.setup.records.pair
    answer = Answer(
        id="diary.peak.joint",
        question=Question(pair, Facet.SPEED, Direction.JOINT, Scale.DAYS if run.setup.in_days else Scale.WAVES),
        design="diary",
        model=run.models.chosen.name,
        estimand=Estimand.PEAK_LAG,
        status=Status.REFUSED,
        status_says="Neither direction is sure enough to have a peak: its lag is not determined.",
        target="the lag at which both directions peak, which this model gives to both alike",
        source=run.setup.records.source,
    )
    if Reading.PREDICTS not in readings:
        return [answer]
    value, C = delta(run.models.chosen, lambda drift, _: np.log(np.array([[common_peak(A[:2, :2])] for A in drift])))
    se = float(np.sqrt(max(C[0, 0], 0.0)))
    log = estimate(float(value[0]), max(se, 1e-12), run.models.chosen, run.settings.level)
    low, middle, high = np.exp([log.low, log.value, log.high])
    scale = Scale.DAYS if run.setup.in_days else Scale.WAVES
    days = Estimate(float(middle), float(low), float(high), float(middle * se), scale, log.people, log.level)
    return [replace(answer, status=Status.ANSWERED, status_says="", estimate=days)]


def _other(run: Run, model: Fitted, direction: Direction) -> Answer:
    """The same effect under another model."""
    value = effect_at(model, np.array([run.lags.headline]), direction, run.settings.level)[0]
    if model is run.models.untrended:
        return replace(_row(run, model, direction, value, "other.untrended"), model=f"{model.name}-untrended")
    return _row(run, model, direction, value, f"other.{model.name}")


def _failed(run: Run, direction: Direction) -> Answer:
    says = not_fitted("The model", run.models.chosen.fit.outcome, "More answers, or closer together, may help.")
    return Answer(
        id=f"diary.{'contrast' if direction is Direction.JOINT else 'strength'}.{direction}",
        question=Question(run.setup.records.pair, Facet.STRENGTH, direction, Scale.SD_PER_SD),
        design="diary",
        model=run.models.chosen.name,
        estimand=Estimand.DIRECTION_CONTRAST if direction is Direction.JOINT else Estimand.CROSS_LAG,
        status=Status.FAILED,
        status_says=says,
        headline=True,
        source=run.setup.records.source,
    )


def order_refused(run: Run) -> Answer:
    """Who had it first is not a question for a running diary."""
    return Answer(
        id="diary.order",
        question=Question(run.setup.records.pair, Facet.FIRST, Direction.JOINT),
        design="diary",
        model=run.models.chosen.name,
        estimand=Estimand.ORDER_SHARE,
        status=Status.REFUSED,
        status_says=ORDER_SAYS,
        source=run.setup.records.source,
    )
