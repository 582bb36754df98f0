"""What if: the course of both conditions that a panel's lags imply under a stated change."""

from __future__ import annotations

import math

import numpy as np
from jaxtyping import Float

from bothways.designs.named import named
from bothways.designs.panel.effects import drift_places, within_sd
from bothways.designs.panel.estimation import Fitted, headline
from bothways.designs.panel.models import headline_forms
from bothways.designs.panel.room import Room
from bothways.designs.panel.setup import PanelSetup, prepare
from bothways.designs.what_if import DRAWS, Course, change_words, days_words, far_note, what_if_table
from bothways.engine.effects import raw_lags
from bothways.engine.held import held_steps, held_times
from bothways.terms.answer import Table
from bothways.terms.errors import QuestionError
from bothways.terms.settings import WhatIf

POINTS = 25  # of a course in continuous time


def what_if_tables(room: Room) -> tuple[Table, ...]:
    """One table of every change that was asked for; none where none was."""
    changes = room.settings.what_if
    if not changes or not room.headline.chosen.usable:
        return ()
    rng = np.random.default_rng(room.settings.seed)
    courses, notes = [], list(far_note(changes))
    for change in changes:
        found = _model(room, change.variable)
        if isinstance(found, str):
            notes.append(found)
            continue
        setup, fitted = found
        courses.append(_course(setup, fitted, change, rng))
        notes += _spans(setup, fitted, change)
    unit = "days" if room.setup.waves.in_days else "waves"
    return (what_if_table(courses, room.settings.level, tuple(dict.fromkeys(notes)), unit),)


def _model(room: Room, variable: str) -> tuple[PanelSetup, Fitted] | str:
    """The model that holds the variable: the headline's, or one with it as a further process; or why there is none."""
    if variable in room.setup.processes:
        chosen, setup = room.headline.chosen, room.setup
    else:
        try:
            setup = prepare(room.setup.records, (variable,))
        except QuestionError as error:
            return f"No course for {room.setup.label(variable)}: {error.found}."
        chosen = headline(setup, headline_forms(setup)).chosen
    if not chosen.usable:
        return f"No course for {setup.label(variable)}: the model that holds it could not be fitted."
    return setup, chosen


def _course(setup: PanelSetup, fitted: Fitted, change: WhatIf, rng: np.random.Generator) -> Course:
    """The course at the estimates, and at draws of them; SDs stay where they were estimated."""
    assert fitted.errors is not None
    model, alpha = fitted.fit.model, fitted.fit.alpha
    drawn = rng.multivariate_normal(alpha, fitted.errors.covariance, size=DRAWS, method="eigh")
    sd = within_sd(model)(alpha).mean(axis=0)
    size = change.by_sd * float(sd[setup.processes.index(change.variable)])
    follow = _in_time if fitted.form.lags == "drift" else _in_waves
    times, found = follow(setup, fitted, change, size, np.vstack([alpha, drawn]))
    scaled = found[..., :2] / sd[:2]
    outcomes = (setup.label(setup.processes[0]), setup.label(setup.processes[1]))
    words = change_words(change, named(setup.records, change.variable), days_words(change.days))
    return Course(words, outcomes, times * setup.waves.gap, scaled[0], scaled[1:], sd[:2] * setup.scale[:2])


def _in_waves(
    setup: PanelSetup, fitted: Fitted, change: WhatIf, size: float, alphas: Float[np.ndarray, "n free"]
) -> tuple[Float[np.ndarray, " times"], Float[np.ndarray, "n times p"]]:
    """Times in waves and the course at each, as far as the waves reach or the change is held."""
    j, hold = setup.processes.index(change.variable), _occasions(setup, change)
    steps = max(setup.T - 1, 0 if hold is None else hold)
    B = raw_lags(fitted.fit.model)(alphas)[:, 0].mean(axis=1)
    return np.arange(steps + 1, dtype=float), held_steps(B, j, size, steps + 1 if hold is None else hold, steps)


def _in_time(
    setup: PanelSetup, fitted: Fitted, change: WhatIf, size: float, alphas: Float[np.ndarray, "n free"]
) -> tuple[Float[np.ndarray, " times"], Float[np.ndarray, "n times p"]]:
    """Times in median gaps and the course at each, by one drift over all gaps."""
    j, (D, K) = setup.processes.index(change.variable), drift_places(fitted.fit.model)
    hold = math.inf if change.days is None else change.days / setup.waves.gap
    end = max(sum(setup.waves.gaps) / setup.waves.gap, 0.0 if math.isinf(hold) else hold + 1.0)
    times = np.linspace(0.0, end, POINTS)
    return times, held_times(alphas[:, D].reshape(-1, K, K), j, size, hold, times)


def _occasions(setup: PanelSetup, change: WhatIf) -> int | None:
    """At how many waves a change stands that is held for some days from one of them on; None: at all."""
    return None if change.days is None else max(1, math.ceil(change.days / setup.waves.gap - 1e-9))


def _spans(setup: PanelSetup, fitted: Fitted, change: WhatIf) -> list[str]:
    """What the reader must know of the time in which this panel counts."""
    found = []
    if fitted.form.lags != "drift" and change.days is not None:
        waves = _occasions(setup, change) or 1
        held = "one wave" if waves == 1 else f"{waves} waves"
        apart = f"Waves are {setup.waves.gap:g} days apart"
        found.append(f"{apart}, so that a change {days_words(change.days)} stands at {held}.")
    if fitted.form.lags == "free" and setup.T > 2:
        found.append("The lags differ by interval; their mean over intervals is used.")
    if fitted.form.key == "clpm":
        found.append("Lasting differences between people are mixed into these lags.")
    return found
