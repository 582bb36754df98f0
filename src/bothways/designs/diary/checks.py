"""What in these records, or in the fit, calls for care; each finding is measured and changes the answer's words."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.designs.diary.compared import criterion
from bothways.designs.diary.estimation import Models
from bothways.designs.diary.lags import Lags, answered_gaps
from bothways.designs.diary.setup import DiarySetup
from bothways.designs.sampling import sampling_caveats
from bothways.engine.statespace.inference import LEAST_PEOPLE
from bothways.engine.statespace.likelihood import Predictions, predict
from bothways.terms.answer import Caveat

FLOOR = 0.25  # share of answers at one end of the scale from which strength is distorted
GRAVE = 3.3  # a test statistic that chance alone exceeds once in a thousand
MEMORY = 0.08  # correlation of successive surprises below which nobody need mind
NIGHT_HOURS = 5.0
UNSEEN = 4.0  # by so much must the arrows' AIC be smaller before an unseen cause is set aside


@dataclass(frozen=True, slots=True, eq=False)
class Surprises:
    """What one-step forecasts missed, in their own SDs (rows, 2), NaN where not answered; and what they foresaw."""

    z: Float[np.ndarray, "rows 2"]
    foreseen: Predictions


def surprises(models: Models) -> Surprises | None:
    """Standardised one-step errors of the chosen model for A and B."""
    fit = models.chosen.fit
    foreseen = predict(fit.system, fit.series)
    if foreseen is None:
        return None
    z = (fit.series.values[:, :2] - foreseen.center[:, :2]) / foreseen.spread[:, :2]
    return Surprises(z, foreseen)


def caveats_of(setup: DiarySetup, models: Models, lags: Lags, seen: Surprises | None) -> tuple[Caveat, ...]:
    """Every caveat that holds for both directions, the gravest first."""
    found = [*_common_cause(models), *_measurement(models), *_ends_of_scale(setup), *_speed(setup, models)]
    if seen is not None:
        found += [*_missing_by_state(setup, seen), *_memory(setup, seen), *_nights(setup, seen)]
    return (*found, *_sample(setup), *_spacing(setup), *_drawn(setup))


def _drawn(setup: DiarySetup) -> tuple[Caveat, ...]:
    """How people were drawn, and that too few of them leave it out of the errors."""
    drawn = setup.series.drawn
    if drawn is None or setup.people >= LEAST_PEOPLE:
        return sampling_caveats(drawn)
    text = f"With fewer than {LEAST_PEOPLE} people, intervals do not allow for how they were drawn."
    return (Caveat("clusters_unused", text),)


def _common_cause(models: Models) -> list[Caveat]:
    hidden, own = models.hidden, criterion(models.chosen)
    against = criterion(hidden) if hidden is not None and hidden.usable else None
    if against is None or own is None:
        return [
            Caveat("common_cause", "Something unseen that moves both conditions slowly could not be set against this.")
        ]
    if against < own - UNSEEN:
        text = (
            "A model in which something unseen moves both conditions fits these answers better than one in which each "
            "moves the other: what looks like an influence may be that."
        )
        return [Caveat("common_cause", text)]
    if against < own + UNSEEN:
        text = (
            "A model in which something unseen moves both conditions fits these answers about as well as one in which "
            "each moves the other: they cannot tell the two apart."
        )
        return [Caveat("common_cause", text)]
    return []


def _measurement(models: Models) -> list[Caveat]:
    if not models.with_error.usable:
        text = "Chance in answering could not be told from quick change, so effects may leak from one arrow to another."
        return [Caveat("error_not_separable", text)]
    flat = [
        name
        for name, value, variance in zip(
            models.with_error.fit.structure.names,
            models.with_error.fit.theta,
            np.diag(models.with_error.covariance.matrix) if models.with_error.covariance else (),
            strict=True,
        )
        if name.startswith("noise") and np.exp(value) > 0.02 and variance > 1.5**2
    ]
    if flat:
        text = "How much of the answers is chance is hardly known here; the interval allows for it, but roughly."
        return [Caveat("error_not_separable", text)]
    return []


def _ends_of_scale(setup: DiarySetup) -> list[Caveat]:
    found = []
    for condition in (setup.records.pair.a, setup.records.pair.b):
        answers = setup.records.values[condition.key]
        answers = answers[np.isfinite(answers)]
        if np.unique(answers).size <= 2:
            text = f"{condition.label.capitalize()} has two values only; a model of scores is rough for it."
            found.append(Caveat("binary_outcome", text))
        for code, end, word in (("floor", answers.min(), "lowest"), ("ceiling", answers.max(), "highest")):
            share = int((answers == end).sum())
            if share > FLOOR * answers.size:
                text = (
                    f"{share:,} of {answers.size:,} answers on {condition.label} stand at the {word} value, beyond "
                    "which no change can show: the strength is distorted."
                )
                found.append(Caveat(code, text))
    return found


def _speed(setup: DiarySetup, models: Models) -> list[Caveat]:
    """Too quick for these prompts, or too slow for this length of record."""
    roots = np.abs(np.linalg.eigvals(models.chosen.fit.system.drift).real)
    median = float(np.median(answered_gaps(setup.series)))
    time, starts = setup.series.time, setup.series.starts
    span = float(np.median(time[starts[1:] - 1] - time[starts[:-1]]))
    found = []
    if np.exp(-roots.max() * median) < 0.05:
        text = "Part of the course is over before the next prompt: prompts closer together would be needed to see it."
        found.append(Caveat("too_fast", text))
    if roots.min() * span < 5.0:
        text = (
            "Part of the course is so slow that the record is hardly longer than it: slow change and a usual level "
            "cannot be told apart."
        )
        found.append(Caveat("too_slow", text))
    return found


def _missing_by_state(setup: DiarySetup, seen: Surprises) -> list[Caveat]:
    """Is an answer missing more often when the one before it foretold a higher (or lower) state?"""
    first = setup.series.starts[:-1]
    after = np.ones(setup.series.rows, bool)
    after[first] = False
    names = []
    for j, condition in enumerate((setup.records.pair.a, setup.records.pair.b)):
        missing = np.isnan(setup.series.values[:, j]).astype(float)
        if missing[after].sum() < 10:
            continue
        for state in seen.foreseen.state[:, :2].T:
            if abs(_clustered_t(state[after], missing[after], setup.series.person[after])) > GRAVE:
                names.append(condition.label)
                break
    if not names:
        return []
    text = (
        f"Answers on {' and '.join(names)} are missing more often in some states than in others. The estimate is right "
        "only if what is missing depends on what was recorded before."
    )
    return [Caveat("missing_by_state", text)]


def _clustered_t(
    x: Float[np.ndarray, " rows"], y: Float[np.ndarray, " rows"], person: Int[np.ndarray, " rows"]
) -> float:
    """t of the slope of y on x within persons, its error by person, or by stretch of a twentieth for one person."""
    group = person if np.unique(person).size > 1 else np.arange(x.size) * 20 // x.size
    count = np.maximum(np.bincount(person), 1)
    x = x - (np.bincount(person, x) / count)[person]
    y = y - (np.bincount(person, y) / count)[person]
    total = float(x @ x)
    if total <= 0:
        return 0.0
    slope = float(x @ y) / total
    pieces = np.bincount(group, x * (y - slope * x))
    se = float(np.sqrt(pieces @ pieces)) / total
    return slope / se if se > 0 else 0.0


def _memory(setup: DiarySetup, seen: Surprises) -> list[Caveat]:
    """Surprises should not foretell the next surprise; where they do, effects may start later than modelled."""
    follows = _follows(setup)
    own: list[float] = []
    cross: list[float] = []
    for i in range(2):
        for j in range(2):
            later, before = seen.z[1:, i][follows], seen.z[:-1, j][follows]
            both = np.isfinite(later) & np.isfinite(before)
            if both.sum() < 30:
                continue
            r = _correlation(later[both], before[both])
            if abs(r) > MEMORY and abs(r) * np.sqrt(both.sum()) > GRAVE:
                (own if i == j else cross).append(r)
    found = []
    if cross:
        text = "What the model did not foresee in one condition still foretells the other: the effect may start later."
        found.append(Caveat("delayed", text))
    if own:
        text = (
            "What the model did not foresee carries over to the next answer: the course has more memory than modelled."
        )
        found.append(Caveat("residual_memory", text))
    return found


def _correlation(x: Float[np.ndarray, " n"], y: Float[np.ndarray, " n"]) -> float:
    """About zero, which is where surprises ought to lie."""
    return float(x @ y / np.sqrt((x @ x) * (y @ y)))


def _nights(setup: DiarySetup, seen: Surprises) -> list[Caveat]:
    """Are forecasts over the longest gaps of the day worse, or better, than the model says?"""
    if not setup.in_days:
        return []
    gaps = np.diff(setup.series.time) * 24
    night = _follows(setup) & (gaps > NIGHT_HOURS) & (gaps < 24)
    day = _follows(setup) & (gaps <= NIGHT_HOURS)
    for j in range(2):
        z = seen.z[1:, j]
        after_night, by_day = (z[part & np.isfinite(z)] for part in (night, day))
        if min(after_night.size, by_day.size) < 30:
            continue
        level = after_night.mean() / (after_night.std() / np.sqrt(after_night.size))
        spread = np.log(np.mean(after_night**2) / np.mean(by_day**2)) / np.sqrt(2 / after_night.size + 2 / by_day.size)
        if abs(level) > GRAVE or abs(spread) > GRAVE:
            return [
                Caveat("nights", "Nights go otherwise than days: the model foretells the first answers of a day badly.")
            ]
    return []


def _follows(setup: DiarySetup) -> Bool[np.ndarray, " steps"]:
    """Pairs of successive rows that belong to one person."""
    return np.asarray(np.diff(setup.series.person) == 0)


def _sample(setup: DiarySetup) -> list[Caveat]:
    found = []
    if setup.one_person:
        text = "This speaks of one person only; another person's days may go otherwise."
        found.append(Caveat("one_person", text))
    elif setup.few_people:
        text = (
            f"This speaks of these {setup.people:,} people and not of people in general: the interval rests on their "
            "answers and takes one condition to pull on the other alike in all of them."
        )
        found.append(Caveat("few_people", text))
    elif setup.people < 30:
        text = f"{setup.people:,} people are few to speak of others; the interval allows for it, but roughly."
        found.append(Caveat("rough_interval", text))
    return found


def _spacing(setup: DiarySetup) -> list[Caveat]:
    """Equal gaps: many drifts share one exp(Ah); quick oscillation cannot be told from slow."""
    if np.unique(np.round(answered_gaps(setup.series), 6)).size > 3:
        return []
    text = "All gaps are (nearly) alike: change quicker than the gap cannot be told from slower change."
    return [Caveat("equal_spacing", text)]
