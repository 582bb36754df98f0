"""A panel model fitted to a simulated world's own moments: what endlessly many people would give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from bothways.designs.panel.estimation import Fitted
from bothways.designs.panel.models import Form, path_model
from bothways.designs.panel.pathways import Mediated, legs_by_name, legs_function
from bothways.designs.panel.setup import prepare
from bothways.engine.fitting import Outcome, fit_model
from bothways.engine.patterns import PanelData, moment_data
from bothways.engine.saturated import saturate
from bothways.simulation.mechanism import Mechanism
from bothways.simulation.world import World

PEOPLE = 10_000.0  # the moments are exact; this only scales their likelihood


def panel_moments(mechanism: Mechanism, variables: Sequence[str], waves: int) -> Float[np.ndarray, "n n"]:
    """Covariance of what is asked, all variables of wave 1, then of wave 2, ...: Phi^(t-s) S within, levels between."""
    onward = np.linalg.matrix_power(mechanism.move[0], round(mechanism.gap / mechanism.step))
    read = mechanism.latent[[mechanism.row(key) for key in variables]]
    r = mechanism.trait_correlation
    lean = np.array([np.sign(r) if key == mechanism.variables[1] else 1.0 for key in variables])
    levels = mechanism.trait_sd**2 * (abs(r) * np.outer(lean, lean) + (1 - abs(r)) * np.eye(len(lean)))
    blocks = [[levels] * waves for _ in range(waves)]
    for t in range(waves):
        for s in range(t + 1):
            within = read @ np.linalg.matrix_power(onward, t - s) @ mechanism.stationary @ read.T
            blocks[t][s] = levels + within
            blocks[s][t] = blocks[t][s].T
    return np.block(blocks)


def mediated_by_moments(world: World, mediators: Sequence[str]) -> Mediated:
    """The model with mediators at the moments of ``world``; its draws are the estimate alone."""
    assert isinstance(world.mechanism, Mechanism)
    setup = prepare(world.records, tuple(mediators))
    cov = panel_moments(world.mechanism, setup.processes, setup.T)
    data = PanelData((moment_data(np.zeros(len(cov)), cov, PEOPLE),))
    setup = replace(setup, data=data, h1=saturate(data))
    form = Form("ri-clpm", "equal")
    fit = fit_model(path_model(setup, form), data, saturated=setup.h1)
    assert fit.status.outcome is Outcome.CONVERGED
    fitted = Fitted(form, fit, None, 0.0)
    flat = np.asarray(legs_function(fitted)(fit.alpha))
    return Mediated(tuple(mediators), setup, fitted, legs_by_name(flat, setup.K), legs_by_name(flat[None], setup.K))
