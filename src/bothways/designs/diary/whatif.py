"""What if: the course of both conditions that a diary's drift implies under a stated change."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from bothways.designs.diary.answers import Run
from bothways.designs.diary.estimation import Fitted, choose, fit_pair
from bothways.designs.diary.setup import DiarySetup, set_up
from bothways.designs.named import named
from bothways.designs.what_if import DRAWS, Course, change_words, days_words, far_note, what_if_table
from bothways.engine.drift import stationary_covariance
from bothways.engine.held import held_times
from bothways.engine.statespace.inference import draw_parameters
from bothways.terms.answer import Table
from bothways.terms.settings import WhatIf

POINTS = 41
WIDE = 4.0  # SDs


def what_if_tables(run: Run) -> tuple[Table, ...]:
    """One table of every change that was asked for; none where none was."""
    changes = run.settings.what_if
    if not changes:
        return ()
    rng = np.random.default_rng(run.settings.seed)
    courses, notes = [], list(far_note(changes))
    for change in changes:
        setup, model = _model(run, change.variable)
        if not model.usable:
            notes.append(f"No course for {setup.label(change.variable)}: the model that holds it could not be fitted.")
            continue
        course, lost = _course(run, setup, model, change, rng)
        courses.append(course)
        if is_unsettled(course, run.settings.level):
            notes.append(
                f"These records do not settle the course under '{course.change}': its band is wider than nearly all "
                "that was ever answered, so that nothing can be read from its middle."
            )
        if lost > 0.01:
            notes.append("Draws under which nothing comes back to its usual level were left out of the bands.")
    unit = "days" if run.setup.in_days else "occasions"
    return (what_if_table(courses, run.settings.level, tuple(dict.fromkeys(notes)), unit),)


def is_unsettled(course: Course, level: float) -> bool:
    """Whether a band is anywhere wider than four SDs, which hold nearly all answers of a person."""
    low, high = np.quantile(course.draws, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return bool((high - low).max() > WIDE)


def _model(run: Run, variable: str) -> tuple[DiarySetup, Fitted]:
    """The model that holds the variable: the pair's own, or one with it as a third process."""
    if variable in run.setup.processes:
        return run.setup, run.models.chosen
    setup = set_up(run.setup.records, (variable,))
    return setup, choose(*fit_pair(setup))


def _course(
    run: Run, setup: DiarySetup, model: Fitted, change: WhatIf, rng: np.random.Generator
) -> tuple[Course, float]:
    """The course at the estimates and at draws of them, with the share of draws left out; SDs stay as estimated."""
    assert model.covariance is not None
    p, j = len(setup.processes), setup.processes.index(change.variable)
    system = model.fit.system
    A, Q = system.drift[None, :p, :p], system.diffusion[None, :p, :p]
    sd = np.sqrt(np.diag(stationary_covariance(A, Q)[0]))
    hold = math.inf if change.days is None else change.days
    times = _times(run, hold)

    def course(drifts: Float[np.ndarray, "n p p"]) -> Float[np.ndarray, "n times 2"]:
        return np.asarray(held_times(drifts, j, change.by_sd * float(sd[j]), hold, times)[..., :2] / sd[:2])

    drawn, lost = draw_parameters(model.fit, model.covariance.matrix, DRAWS, rng)
    middle, draws = course(A)[0], course(_drifts(model, drawn, p))
    if model.draws is not None:
        draws = _widened(middle, draws, course(_drifts(model, model.draws.points, p)))
    outcomes = (setup.label(setup.processes[0]), setup.label(setup.processes[1]))
    words = change_words(change, named(setup.records, change.variable), days_words(change.days))
    return Course(words, outcomes, times, middle, draws, sd[:2] * setup.spread[:2]), lost


def _times(run: Run, hold: float) -> Float[np.ndarray, " times"]:
    """As far as the lags of this diary are followed; where a change is held, for as long again after it is let go."""
    end = float(run.lags.curve[-1])
    return np.linspace(0.0, end if math.isinf(hold) else max(end, 2.0 * hold), POINTS)


def _drifts(model: Fitted, thetas: Float[np.ndarray, "n q"], p: int) -> Float[np.ndarray, "m p p"]:
    """Drifts at some parameters, but for those under which nothing comes back."""
    found = np.array([model.fit.structure.patterns(theta)["drift"][:p, :p] for theta in thetas])
    return np.asarray(found[np.linalg.eigvals(found).real.max(axis=1) < 0])


def _widened(
    middle: Float[np.ndarray, "times 2"],
    draws: Float[np.ndarray, "n times 2"],
    resampled: Float[np.ndarray, "m times 2"],
) -> Float[np.ndarray, "n times 2"]:
    """Draws spread out to the scatter of the bootstrap where that is wider, as every interval of this design is."""
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.fmax(1.0, resampled.std(axis=0) / draws.std(axis=0))
    factor = np.where(np.isfinite(factor), factor, 1.0)
    return np.asarray(middle + (draws - middle) * factor)
