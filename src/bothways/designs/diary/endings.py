"""How a fit ended, in words for whoever asked; the engine's own word stands in the table of fits alone."""

from __future__ import annotations

from bothways.engine.statespace.fit import Outcome

ENDINGS = {
    Outcome.CONVERGED: "settled",
    Outcome.NOT_CONVERGED: "the search for the numbers that fit these answers best did not settle",
    Outcome.NOT_POSITIVE: "these answers leave some of its numbers open: quite different ones fit about equally well",
}


def not_fitted(what: str, outcome: Outcome, mend: str = "") -> str:
    """That ``what`` could not be fitted, why, and what may help, as sentences."""
    told = f"{what} could not be fitted: {ENDINGS[outcome]}."
    return f"{told} {mend}" if mend else told
