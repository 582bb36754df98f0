"""What an answer of this design rests on, what calls for care in these records, and the methods paragraph."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2_contingency

from bothways.designs.sampling import sampling_caveats, sampling_words
from bothways.designs.trial.estimation import Compared
from bothways.designs.trial.lever import ENDS, Lever, Moved
from bothways.designs.trial.setup import TrialSetup
from bothways.engine.fitting import Outcome
from bothways.terms.answer import Assumption, Caveat

WEAK = 10.0  # F of the lever below which a ratio leans on little (Staiger & Stock 1997)
MISSED = 0.05
UNLIKE = 0.05  # p below which arms are said to have answered unequally often
PEOPLE_PER_REGRESSOR = 10


def left_unequally(setup: TrialSetup) -> tuple[tuple[int, tuple[float, ...], float], ...]:
    """(wave, share answering in each arm, p) of every wave after treatment; p is NaN where everybody answered alike."""
    found = []
    for t in range(1, len(setup.waves)):
        answered = np.isfinite(setup.scores[:, t]).any(axis=1)
        table = np.array([[(answered & (setup.arm == g)).sum(), (~answered & (setup.arm == g)).sum()]
                          for g in range(len(setup.arms.labels))])  # fmt: skip
        shares = tuple((table[:, 0] / table.sum(axis=1)).tolist())
        p = float(chi2_contingency(table, correction=False).pvalue) if table.sum(axis=0).all() else float("nan")
        found.append((t, shares, p))
    return tuple(found)


def caveats_of(setup: TrialSetup, lever: Lever, both: tuple[Moved, Moved]) -> tuple[Caveat, ...]:
    """Every caveat of one direction, the gravest first."""
    cause, outcome = (setup.conditions[k].label for k in ENDS[lever.direction])
    found = [
        Caveat(
            "acts_beyond_target",
            f"What was randomised may reach {outcome} by another way than through {cause}; the arm cannot tell. "
            "Reports by people who know their arm can differ for that reason alone.",
        )
    ]
    ratio = lever.found
    if ratio is not None and ratio.strength < WEAK:
        found.append(Caveat("weak_lever", f"The arm moved {cause} weakly, so that the ratio leans on little."))
    if ratio is not None and ratio.misfit_p < 0.05:
        found.append(
            Caveat(
                "arms_disagree",
                f"The arms moved {outcome} in different proportions to {cause}: at least one of them reached it by "
                "another way.",
            )
        )
    if lever.cause is not None and lever.cause == lever.outcome:
        found.append(
            Caveat(
                "order_not_observed",
                f"{cause[:1].upper()}{cause[1:]} and {outcome} were compared at the same wave, so order is assumed.",
            )
        )
    return (*found, *_sample(setup))


def _sample(setup: TrialSetup) -> list[Caveat]:
    found = []
    asked = [setup.scores[:, t, k] for k, t in setup.cells]
    missing, all_answers = sum(int(np.isnan(x).sum()) for x in asked), sum(x.size for x in asked)
    unequal = [(t, shares) for t, shares, p in left_unequally(setup) if p < UNLIKE]
    if unequal:
        waves = ", ".join(setup.wave_name(t) for t, _ in unequal)
        found.append(
            Caveat(
                "differential_dropout",
                f"The arms answered unequally often at wave {waves}: who stayed may differ between arms in what was "
                "not recorded.",
            )
        )
    elif missing > MISSED * all_answers:
        found.append(
            Caveat(
                "missing_not_random",
                f"{missing:,} of {all_answers:,} answers after treatment are missing. The estimate is right if what is "
                "missing depends only on the arm and on what was recorded.",
            )
        )
    if setup.people < PEOPLE_PER_REGRESSOR * setup.regressors:
        found.append(Caveat("few_people", f"{setup.people:,} people were randomised; intervals are approximate."))
    for k, condition in enumerate(setup.conditions):
        seen = setup.scores[..., k][np.isfinite(setup.scores[..., k])]
        if len(np.unique(seen)) == 2:
            text = f"{condition.label.capitalize()} takes two values only; effects on it are differences in share."
            found.append(Caveat("binary_outcome", text))
    return [*found, *sampling_caveats(setup.sampling)]


def assumptions_of(compared: Compared, lever: Lever, both: tuple[Moved, Moved]) -> tuple[Assumption, ...]:
    """What must hold for a ratio of two effects to be the effect of one condition on the other."""
    setup, ratio = compared.setup, lever.found
    cause, outcome = (setup.conditions[k].label for k in ENDS[lever.direction])
    found = [
        Assumption("The arms were drawn by chance, and the first wave was answered before treatment could act."),
        Assumption(f"The arm reaches {outcome} through {cause} alone (exclusion)."),
        Assumption(f"One standard deviation of {cause} does the same to {outcome} in everyone whom the arm moved."),
        Assumption("Missing answers depend only on the arm and on what was recorded."),
    ]
    if ratio is not None:
        strong = ratio.strength >= WEAK
        says = f"F is {'at least' if strong else 'below'} {WEAK:g}, the usual rule."
        found.append(Assumption(f"The arm moved {cause} enough to lean on.", strong, says))
        if ratio.misfit_p == ratio.misfit_p:
            agree = not ratio.misfit_p < 0.05
            words = "The test of one ratio lets it stand." if agree else "The test of one ratio rejects it."
            found.append(Assumption("All arms tell one ratio.", agree or False, words))
    if lever.ordered and lever.cause is not None:
        p = both[ENDS[lever.direction][1]].p(lever.cause)
        text = f"{outcome.capitalize()} had not moved when {cause} had."
        says = "It was not asked at that wave." if p is None else "No sign that it had; a small move is not ruled out."
        found.append(Assumption(text, None, says))
    return tuple(found)


def failure_words(compared: Compared) -> str:
    """Why there is no comparison, and what to try."""
    match compared.fit.status.outcome:
        case Outcome.NOT_IDENTIFIED:
            return (
                "Some waves or conditions were never answered by the same person, or columns repeat one another. Name "
                "fewer covariates, or leave out a wave."
            )
        case Outcome.NOT_CONVERGED:
            return "No best fit was found. Name fewer covariates, or check for extreme values."
        case Outcome.INADMISSIBLE:
            return "The best fit is impossible: two waves or conditions repeat one another. Leave one of them out."
    return "A best fit was found but no standard errors exist there. Add people, or name fewer covariates."


def methods_of(compared: Compared, level: float) -> str:
    """The paragraph to paste into a paper."""
    setup = compared.setup
    weights, over = sampling_words(setup.records, setup.sampling)
    adjusted = ", ".join(setup.records.labels.get(n.split(":")[0], n) for n in setup.covariates)
    also = f" and {adjusted}" if adjusted else ""
    return (
        f"The {setup.people:,} people randomised were analysed as randomised. {setup.arms.says} Both conditions at all "
        "waves were fitted together by a constrained longitudinal model (Liang & Zeger 2000), which gives all arms one "
        f"mean before treatment, adjusts for the answers then{also}, and leaves all variances and correlations free. "
        f"Full-information maximum likelihood{weights} uses every answer; standard errors are sandwich estimates over "
        f"{over}, with {setup.freedom:g} degrees of freedom, and intervals hold {level:.0%}. Effects are in standard "
        "deviations before treatment. An arm counts as having moved a condition at a wave where the test of all arms "
        "excludes no effect, with Holm's allowance for the waves looked at. The effect of one condition on the other "
        "is the ratio of the arm's effects on both (an instrumental variable), with the limits of Fieller (1954) or, "
        "with more than two arms, of the Anderson-Rubin criterion."
    )
