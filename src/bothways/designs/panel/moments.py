"""Tables of what the headline model implies: what lasts and what varies, what goes together, what it leaves."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from bothways.designs.panel.effects import correlations
from bothways.designs.panel.room import Room, estimate_of
from bothways.designs.panel.setup import PanelSetup
from bothways.engine.effects import raw_lags
from bothways.engine.inference import delta_method
from bothways.engine.moments import implied_moments
from bothways.terms.answer import Cell, Table
from bothways.terms.question import Scale

Row = tuple[Cell, ...]


def icc_table(room: Room) -> Table:
    """The share of each process's variance that lies between people, with its interval."""
    chosen, setup = room.headline.chosen, room.setup
    if chosen.form.key != "ri-clpm" or chosen.errors is None:
        return Table("panel.icc", "How much is lasting", (), ())
    model = chosen.fit.model
    waves, K = np.array(model.lagged), setup.K

    def share(alpha: np.ndarray) -> np.ndarray:
        omega = implied_moments(model.structure, model.cells(alpha)[..., 0, :]).omega
        variance = np.diagonal(omega, axis1=-2, axis2=-1)
        between = variance[..., :K]
        return np.asarray(between / (between + variance[..., waves].mean(axis=-2)))

    interval = delta_method(share, chosen.fit, chosen.errors.covariance, room.settings.level)
    rows = [
        (setup.label(key), e.value, e.se, e.low, e.high)
        for k, key in enumerate(setup.processes)
        for e in [estimate_of(interval, k, room, Scale.SHARE)]
    ]
    return Table(
        "panel.icc",
        "How much is lasting",
        ("condition", "share between people", "se", "low", "high"),
        tuple(rows),
        "The share of the variance that lies in people's usual levels (intraclass correlation under the model); the "
        "rest comes and goes within people.",
    )


def correlation_table(room: Room) -> Table:
    """Correlations of the processes: of usual levels, of what is new at each wave, of the scores as they are."""
    chosen, setup = room.headline.chosen, room.setup
    model = chosen.fit.model
    rows: list[Row] = []
    for i in range(setup.K):
        for j in range(i):
            names = (setup.label(setup.processes[j]), setup.label(setup.processes[i]))
            rows += _between_row(room, i, j, names)
            for t, wave in enumerate(model.lagged):
                pair = [(model.states[wave[i]], model.states[wave[j]])]
                kind = "within people" if t == 0 else "what is new within people"
                e = estimate_of(correlations(chosen, pair, room.settings.level, "residual"), 0, room, Scale.CORRELATION)
                if np.isfinite(e.value):
                    rows.append((*names, kind, setup.wave_name(t), e.value, e.se, e.low, e.high))
            rows += _total_rows(setup, i, j, names)
    return Table(
        "panel.correlations",
        "What goes together, and when",
        ("one", "other", "correlation of", "wave", "value", "se", "low", "high"),
        tuple(rows),
        "Correlations at one time: they say nothing of what comes first.",
    )


def _between_row(room: Room, i: int, j: int, names: tuple[str, str]) -> list[Row]:
    chosen = room.headline.chosen
    pair = (f"b{j + 1}", f"b{i + 1}")
    if chosen.form.key != "ri-clpm" or set(pair) & set(chosen.fit.status.negative_variances):
        return []
    e = estimate_of(correlations(chosen, [pair], room.settings.level), 0, room, Scale.CORRELATION)
    return [(*names, "usual levels between people", None, e.value, e.se, e.low, e.high)]


def _total_rows(setup: PanelSetup, i: int, j: int, names: tuple[str, str]) -> list[Row]:
    cov = setup.h1[0].cov
    rows: list[Row] = []
    for t in range(setup.T):
        a, b = t * setup.K + i, t * setup.K + j
        r = float(cov[a, b] / np.sqrt(cov[a, a] * cov[b, b]))
        rows.append((*names, "scores as they are", setup.wave_name(t), r, None, None, None))
    return rows


def explained_table(room: Room) -> Table:
    """R²: the share of the variance within people that the wave before accounts for."""
    setup, model = room.setup, room.headline.chosen.fit.model
    implied = implied_moments(model.structure, model.cells(room.headline.chosen.fit.alpha)[0])
    rows: list[Row] = []
    for t in range(1, setup.T):
        for k, state in enumerate(model.lagged[t]):
            total = float(implied.omega[state, state])
            rows.append(
                (setup.wave_name(t), setup.label(setup.processes[k]), 1.0 - float(implied.S[state, state]) / total)
            )
    return Table(
        "panel.explained",
        "How much the wave before accounts for",
        ("wave", "condition", "R²"),
        tuple(rows),
        "The share of the variance of deviations within people that the lags account for.",
    )


def persistence_table(room: Room) -> Table:
    """How long a deviation lasts: half-life = log ½ / log |λ|, λ the largest eigenvalue of the lags over one gap."""
    setup, fitted = room.setup, room.headline.chosen
    lags = raw_lags(fitted.fit.model)(fitted.fit.alpha)[0]
    rows: list[Row] = []
    for t in range(1 if fitted.form.lags == "equal" else setup.T - 1):
        largest = float(np.abs(np.linalg.eigvals(lags[t])).max())
        gap = setup.waves.gap if fitted.form.lags == "equal" else setup.waves.gaps[t]
        half = float(gap * np.log(0.5) / np.log(largest)) if 0 < largest < 1 else None
        rows.append((setup.wave_name(t), setup.wave_name(t + 1), largest, half))
    return Table(
        "panel.persistence",
        "How long a deviation lasts",
        ("from wave", "to wave", "largest eigenvalue", f"half-life in {'days' if setup.waves.in_days else 'waves'}"),
        tuple(rows),
        "The time in which a deviation of both conditions falls to half, at the slowest; none where it does not fall.",
    )


def covariance_table(room: Room) -> Table:
    """Covariances that the records hold and the model implies, and what is left, in recorded units."""
    setup, unit = room.setup, variable_units(room.setup)
    found = setup.h1[0].cov * np.outer(unit, unit)
    implied = room.headline.chosen.fit.implied()[0].cov * np.outer(unit, unit)
    sd, names = np.sqrt(np.diag(found)), variable_names(setup)
    rows: list[Row] = []
    for i in range(len(names)):
        for j in range(i + 1):
            left = float(found[i, j] - implied[i, j])
            rows.append(
                (names[i], names[j], float(found[i, j]), float(implied[i, j]), left, left / float(sd[i] * sd[j]))
            )
    return Table(
        "panel.covariances",
        "Covariances in the records and under the model",
        ("one", "other", "in the records", "implied", "residual", "residual correlation"),
        tuple(rows),
        "“In the records”: estimated by full information, without a model for the lags.",
    )


def mean_table(room: Room) -> Table:
    """Means that the records hold and the model implies."""
    setup, unit = room.setup, variable_units(room.setup)
    shift = np.concatenate([np.tile(setup.centre, setup.T), setup.fixed_centre])
    found = setup.h1[0].mean * unit + shift
    implied = room.headline.chosen.fit.implied()[0].mean * unit + shift
    rows = zip(variable_names(setup), found.tolist(), implied.tolist(), (found - implied).tolist(), strict=True)
    return Table(
        "panel.means",
        "Means in the records and under the model",
        ("variable", "in the records", "implied", "residual"),
        tuple(rows),
    )


def variable_names(setup: PanelSetup) -> tuple[str, ...]:
    """Every observed variable in the engine's order, in words."""
    scores = [f"{setup.label(key)}, wave {setup.wave_name(t)}" for t in range(setup.T) for key in setup.processes]
    return (*scores, *(setup.label(name) for name in setup.fixed))


def variable_units(setup: PanelSetup) -> Float[np.ndarray, "variables"]:
    """The scale of every observed variable."""
    return np.concatenate([np.tile(setup.scale, setup.T), setup.fixed_scale])
