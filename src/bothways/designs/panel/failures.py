"""Why a model could not be fitted, in words, with what to try."""

from __future__ import annotations

from bothways.designs.panel.caveats import state_words
from bothways.designs.panel.estimation import Fitted
from bothways.designs.panel.parameters import parameter_words
from bothways.designs.panel.setup import PanelSetup
from bothways.engine.fitting import Outcome


def failure_words(setup: PanelSetup, fitted: Fitted) -> str:
    """One sentence of what was found and one of what to try; empty where the fit is usable and proper."""
    status = fitted.fit.status
    match status.outcome:
        case Outcome.NOT_IDENTIFIED:
            return _not_identified(setup, fitted)
        case Outcome.NOT_CONVERGED:
            return (
                f"No best fit was found from {status.attempts} starting points. Try fewer waves or covariates, or "
                "check for extreme values and for scores that hardly differ between people or waves."
            )
        case Outcome.INADMISSIBLE:
            states = (*status.negative_variances, *status.excessive_correlations)
            named = ", ".join(dict.fromkeys(state_words(setup, state) for state in states))
            return f"The best fit is impossible for {named}. Compare the other models, or add people or waves."
        case _ if fitted.errors is None:
            return "A best fit was found but no standard errors exist there. Add people or waves."
    return ""


def _not_identified(setup: PanelSetup, fitted: Fitted) -> str:
    status = fitted.fit.status
    if not setup.h1[0].identified:
        return (
            "Some pairs of waves or conditions were never answered by the same person. Leave out a wave, or add people "
            "who answered both."
        )
    names = ", ".join(parameter_words(setup, fitted.form, name) for name in status.unidentified[:3])
    which = f" ({names})" if names else ""
    return f"These records do not determine every parameter of the model{which}. Add a wave, or name fewer covariates."
