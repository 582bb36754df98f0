"""Fit every chain, choose the one that speaks, and say whether influence can be told from a common cause."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import ndtri

from bothways.designs.onset.misclassified import Accuracy, misclassified
from bothways.designs.onset.models import Fitted, drifting_cause, frailty, plain
from bothways.designs.onset.setup import OnsetSetup
from bothways.engine.survey import effective_parameters
from bothways.terms.progress import Progress
from bothways.terms.question import Direction

PATHS = {  # (onset of the second while the first is present, while neither is)
    Direction.A_TO_B: ("A>AB", "0>B"),
    Direction.B_TO_A: ("B>AB", "0>A"),
}
RECOVERY = {  # (recovery of the second while the first is present, while it is absent)
    Direction.A_TO_B: ("AB>A", "B>0"),
    Direction.B_TO_A: ("AB>B", "A>0"),
}
SUPPORT = 3.0  # log-likelihood units within which a rival is as good: half the 95 % quantile of chi-squared(2)


@dataclass(frozen=True, slots=True)
class Fits:
    """All chains of one run. ``speaks`` gives the headline; ``rival`` holds no influence at all.

    ``errors`` is the chain behind states seen with error: the same records read otherwise, shown beside the others.
    """

    speaks: Fitted
    chain: Fitted
    frailty: Fitted | None = None
    drifting: Fitted | None = None
    rival: Fitted | None = None
    errors: Fitted | None = None
    sampled: bool = False  # weights, clusters or strata are stated

    @property
    def all(self) -> tuple[Fitted, ...]:
        """The speaking one first, each once."""
        others = (self.chain, self.frailty, self.drifting, self.rival, self.errors)
        return (self.speaks, *(f for f in others if f is not None and f is not self.speaks))

    @property
    def beside(self) -> tuple[Fitted, ...]:
        """Those whose ratios are shown beside the headline."""
        return tuple(f for f in self.all if f is not self.speaks and f is not self.rival and f.usable)


def fit_all(setup: OnsetSetup, progress: Progress, *, quick: bool = False, accuracy: Accuracy | None = None) -> Fits:
    """The plain chain, and unless ``quick`` its rivals; the smallest AIC among usable ones with ratios speaks."""
    progress("onset: the chain", 0.1)
    chain = plain(setup)
    errors = misclassified(setup, chain, accuracy or {}) if chain.usable else None
    if quick or not chain.usable:
        return Fits(chain, chain, errors=errors, sampled=setup.sampled)
    progress("onset: a lasting proneness", 0.25)
    lasting = frailty(setup, chain)
    if setup.rows.dated:  # a dated change names one state of a chain, and a hidden cause would never be free to switch
        spoken = _best([chain, lasting], setup.sampled)
        return Fits(spoken, chain, lasting, errors=errors, sampled=setup.sampled)
    progress("onset: a common cause that drifts", 0.45)
    drifting = drifting_cause(setup, chain)
    progress("onset: the common cause without influence", 0.65)
    rival = drifting_cause(setup, chain, influence=False)
    speaks = _best([chain, lasting, drifting], setup.sampled)
    return Fits(speaks, chain, lasting, drifting, rival, errors, setup.sampled)


def _best(models: list[Fitted], sampled: bool) -> Fitted:
    return min((f for f in models if f.usable), key=lambda f: criterion(f, sampled))


def criterion(fitted: Fitted, sampled: bool) -> float:
    """AIC given the first observation; of a sample, with its design effect (Lumley & Scott 2015)."""
    return 2 * len(fitted.fit.names) * design_effect(fitted, sampled) - 2 * fitted.loglik


def design_effect(fitted: Fitted, sampled: bool) -> float:
    """tr(H⁻¹ J)/q: by how much a sample's weights and clusters widen what chance adds to the likelihood; else 1."""
    if not sampled or not fitted.fit.names:
        return 1.0
    return effective_parameters(fitted.fit.covariance, fitted.fit.robust) / len(fitted.fit.names)


def excludes_one(fitted: Fitted, direction: Direction, level: float) -> bool:
    """Whether the interval of the rate ratio lies on one side of 1."""
    value, error, _ = fitted.log_ratio(*PATHS[direction])
    return abs(value) > float(ndtri(0.5 + level / 2)) * error


def _loglik(fitted: Fitted) -> float:
    return fitted.loglik


def told_apart(fits: Fits, direction: Direction, level: float) -> str:
    """Empty where influence can be told from a common cause in this direction; else what stands in the way.

    Only a ratio that excludes 1 in the plain chain can be feigned by a common cause. The rival without influence has
    two effects fewer, and is held against the best of the models that have them: a lasting proneness that both need
    speaks for neither.
    """
    if not excludes_one(fits.chain, direction, level):
        return ""
    best = max((f for f in (fits.chain, fits.frailty, fits.drifting) if f is not None and f.usable), key=_loglik)
    support = SUPPORT * design_effect(best, fits.sampled)
    if fits.rival is not None and fits.rival.loglik > best.loglik - support:
        return "a hidden cause of both that comes and goes, without any influence, explains these records as well"
    for other in (fits.frailty, fits.drifting):
        if other is not None and other.usable and not excludes_one(other, direction, level):
            return f"under {other.says} the interval of the ratio holds 1"
    return ""
