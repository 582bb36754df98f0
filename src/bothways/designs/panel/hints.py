"""Modification hints: where the headline model fits worst. For reviewers; they never enter the verdict.

For a parameter that the model fixes, or ties to others, freed alone (score test, Sörbom 1989):

    MI = g² / (I_cc − I_ca I_aa⁻¹ I_ac),    expected change = g / (I_cc − I_ca I_aa⁻¹ I_ac)

with g the slope of the log-likelihood in it and I the expected information.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import chdtrc

from bothways.designs.panel.room import Room
from bothways.designs.panel.setup import PanelSetup
from bothways.engine.fitting import PanelFit, evaluate
from bothways.engine.moments import Kind
from bothways.engine.panel_models.builder import PathModel
from bothways.engine.parameters import ParameterMap
from bothways.terms.answer import Cell, Table

SHOWN = 10


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cell (kind, row, column) of the model that could be freed, and what that would mean."""

    kind: Kind
    row: int
    column: int
    says: str


def hint_table(room: Room) -> Table:
    """The ten largest hints, with the p of each taken alone."""
    chosen, setup = room.headline.chosen, room.setup
    columns = ("what would be freed", "modification index", "p", "expected change", "in within-person SDs")
    empty = Table("panel.hints", "Where the model fits worst", columns, ())
    if not chosen.usable or chosen.fit.model.parameters.curves:
        return empty
    rows: list[tuple[Cell, ...]] = []
    for candidate in candidates(setup, chosen.fit.model):
        found = score_test(chosen.fit, candidate)
        if found is not None:
            index, change, standard = found
            rows.append((candidate.says, index, float(chdtrc(1, index)), change, standard))
    rows.sort(key=lambda row: -float(row[1] or 0))
    return replace(
        empty,
        rows=tuple(rows[:SHOWN]),
        note=f"The largest of {len(rows)} score tests, one parameter at a time, in the fitted units. Freeing what "
        "these data suggest and testing it in the same data finds chance; they have no part in the verdict.",
    )


def candidates(setup: PanelSetup, model: PathModel) -> list[Candidate]:
    """Lags over two waves, lags of one interval set free from the others, and residuals that go together over time."""
    names = [setup.label(key) for key in setup.processes]
    found = []
    w = model.lagged
    pairs = [(i, j) for i in range(setup.K) for j in range(setup.K)]
    for t in range(1, setup.T):
        here, before = setup.wave_name(t), setup.wave_name(t - 1)
        for i, j in pairs:
            found.append(
                Candidate(Kind.A, w[t][i], w[t - 1][j], f"{names[i]} at wave {here} on {names[j]}, on its own")
            )
            if t > 1:
                says = f"{names[i]} at wave {here} on {names[j]}, two waves before"
                found.append(Candidate(Kind.A, w[t][i], w[t - 2][j], says))
            says = f"what is new in {names[i]} at wave {here} with {names[j]} at wave {before}"
            found.append(Candidate(Kind.S, w[t][i], w[t - 1][j], says))
    return found


def score_test(fit: PanelFit, candidate: Candidate) -> tuple[float, float, float] | None:
    """(index, expected change, change in SDs of the lagged components); None where freeing it adds nothing."""
    model = freed(fit.model, candidate)
    alpha = np.append(fit.alpha, 0.0)
    found = evaluate(model, fit.data.groups, alpha)
    if found is None:
        return None
    H = found.information
    schur = float(H[-1, -1] - H[-1, :-1] @ np.linalg.solve(H[:-1, :-1], H[:-1, -1]))
    if schur <= 1e-8 * H[-1, -1]:
        return None
    slope = float(found.gradient[-1])
    sd = np.sqrt(np.maximum(np.diag(fit.implied()[0].omega), 0.0))
    one, other = sd[candidate.row], sd[candidate.column]
    standard = other / one if candidate.kind is Kind.A else 1.0 / (one * other)
    return slope**2 / schur, slope / schur, slope / schur * float(standard)


def freed(model: PathModel, candidate: Candidate) -> PathModel:
    """``model`` with one more free parameter, which adds to the cell; at zero it is the model as it was."""
    s, old = model.structure, model.parameters
    row, column = candidate.row, candidate.column
    if candidate.kind is Kind.S:
        row, column = max(row, column), min(row, column)
    known = np.flatnonzero((s.kind == candidate.kind) & (s.row == row) & (s.column == column))
    if len(known):
        added = np.zeros((len(old.offset), 1))
        added[known[0]] = 1.0
        linear = np.concatenate([old.linear, added], axis=1)
        parameters = replace(old, names=(*old.names, "freed"), linear=linear)
        return replace(model, parameters=parameters)
    structure = replace(
        s,
        kind=np.append(s.kind, int(candidate.kind)),
        row=np.append(s.row, row),
        column=np.append(s.column, column),
    )
    linear = np.zeros((len(old.offset) + 1, len(old.names) + 1))
    linear[:-1, :-1] = old.linear
    linear[-1, -1] = 1.0
    offset = np.append(old.offset, s.A[row, column] if candidate.kind is Kind.A else s.S[row, column])
    return replace(model, structure=structure, parameters=ParameterMap((*old.names, "freed"), offset, linear))
