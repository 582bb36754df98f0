"""What must hold, what calls for care, and the paragraph for a paper."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from bothways.designs.sampling import sampling_caveats, sampling_words
from bothways.designs.sustained.estimation import Found
from bothways.designs.sustained.grid import TOLERANCE
from bothways.designs.sustained.interaction import interaction_caveats
from bothways.designs.sustained.setup import SustainedSetup, cut_of
from bothways.engine.gmethods.regression import LEAST_EXITS
from bothways.terms.answer import Assumption, Caveat
from bothways.terms.question import Direction, Kind
from bothways.terms.settings import Settings

FEW_FOLLOWED = 10  # people whose own exposure was that of a regime
LACKING = 0.05  # of the groups without both exposures, from which positivity is in doubt
FAR, LARGE = 0.1, 30.0  # of a mean weight from 1; a single weight
OFF_COURSE = 0.05  # of the simulated natural course from the one seen, in risk or SDs
MUCH = 0.05
FEW_ROWS = 10  # a coefficient


def assumptions_of(setup: SustainedSetup, direction: Direction, found: Found | None) -> tuple[Assumption, ...]:
    """In the order in which a reader would ask."""
    exposure, outcome = setup.ends(direction)
    measured = ", ".join([v.label for v in (*setup.changing, *setup.mediators)] + list(setup.fixed_names)) or "nothing"
    off = off_course(setup, found) if found is not None and found.usable else None
    return (
        Assumption(
            f"no unmeasured cause drives both later {exposure.label} and {outcome.label}, given the past of both and "
            f"of: {measured}"
        ),
        Assumption(
            "order: within an occasion the outcome comes first and the exposure last, so that an effect shows from the "
            "next occasion on"
        ),
        Assumption(
            f"positivity: whatever their past, people could be with and without {exposure.label}"
            if exposure.state
            else f"positivity: whatever their past, people could have half an SD more or less of {exposure.label}",
            None if found is None or found.weighted is None else not _positivity(setup, found),
            "" if found is None or found.weighted is None else "table 'weights'",
        ),
        Assumption(f"consistency: however {exposure.label} came about or was relieved, it would act alike"),
        Assumption(
            "the regressions on the past are right",
            None if off is None else off <= OFF_COURSE,
            "" if off is None else "table 'natural_course'",
        ),
        Assumption("people who were not seen at an occasion were, given their past, like those who were"),
    )


def caveats_of(
    setup: SustainedSetup, settings: Settings, direction: Direction, found: Found | None
) -> tuple[Caveat, ...]:
    """Every reason to read this direction with care."""
    return (
        *_always(setup),
        *_of_records(setup),
        *sampling_caveats(setup.drawn),
        *(_of_fit(setup, direction, found) if found is not None else ()),
        *(interaction_caveats(setup, found, settings.level) if found is not None else ()),
    )


def _always(setup: SustainedSetup) -> Iterator[Caveat]:
    yield Caveat(
        "between_and_within_mixed",
        "people are compared with others of like past, so that lasting differences between people which the past does "
        "not show are mixed in",
    )
    dead = int((setup.grid.died <= setup.last).sum())
    if 0 < dead < LEAST_EXITS:
        yield Caveat(
            "competing_death", f"{dead} people died before the end, too few to learn from: they count as leaving"
        )
    elif dead:
        states = all(v.state for v in setup.pair.values())
        how = "counts as being without the outcome" if states else "takes a person out: those compared are survivors"
        yield Caveat("competing_death", f"some people died before the end; a death {how}")


def _of_records(setup: SustainedSetup) -> Iterator[Caveat]:
    if setup.grid.step is not None and setup.grid.unused:
        yield Caveat(
            "visits_to_grid",
            f"visits were set on a grid of {setup.grid.step:g} {setup.grid.unit}s; {setup.grid.unused:,} of "
            f"{setup.records.rows:,} lay more than {TOLERANCE:.0%} of a step from it, or two on one place, and were "
            "not used",
        )
    if setup.left_out:
        yield Caveat("left_out", f"not adjusted for: {', '.join(setup.left_out)}")
    if setup.filled:
        yield Caveat("filled", f"gaps in {', '.join(setup.filled)} were filled by the mean")


def _of_fit(setup: SustainedSetup, direction: Direction, found: Found) -> Iterator[Caveat]:
    histories = found.histories
    start, people = int(histories.start.sum()), histories.people
    if start < (1 - MUCH) * people:
        yield Caveat(
            "incomplete_start", f"{people - start:,} of {people:,} people lack something at the first occasion: no "
            "life is simulated from them, and their later rows still inform the regressions",
        )  # fmt: skip
    broken = int(
        (histories.unbroken[histories.start] < np.minimum(histories.waves, histories.died)[histories.start]).sum()
    )
    if broken > MUCH * start:
        yield Caveat("left_early", f"{broken:,} of {start:,} people left or missed an occasion before the end")
    thin = min(len(p.y) / max(len(p.kept), 1) for p in found.simulated.model.regressions)
    if thin < FEW_ROWS:
        yield Caveat("few_rows", f"one regression has {thin:.1f} rows a coefficient: it is hardly learnt")
    if not found.usable:
        return
    yield from _positivity(setup, found)
    off = off_course(setup, found)
    if off > OFF_COURSE:
        yield Caveat(
            "natural_course", f"the simulated natural course is up to {off:.2f} away from the one seen (share or SDs): "
            "some regression is not right",
        )  # fmt: skip
    replicates = found.simulated.converged
    if not replicates.all():
        yield Caveat(
            "resamples_failed", f"{int((~replicates).sum())} of {replicates.size} resamples could not be fitted"
        )


def _positivity(setup: SustainedSetup, found: Found) -> tuple[Caveat, ...]:
    """Where one of the two regimes is hardly seen, or the weights run away."""
    if found.weighted is None:
        return ()
    label = setup.ends(found.direction)[0].label
    if not found.weighted.weights.converged:
        says = f"what came before settles who is with {label}, or who stays, so closely that no weights could be learnt"
        return (Caveat("positivity", says),)
    out = []
    always, never = followed(found)
    if min(always, never) < FEW_FOLLOWED:
        out.append(
            f"{always:,} people were followed with {label} at every occasion and {never:,} at none: the comparison "
            "leans on the models"
        )
    lacking = float(np.nanmean(found.weighted.weights.lacking))
    if lacking > LACKING:
        out.append(
            f"in {lacking:.0%} of the groups of like past only people with, or only people without, {label} are seen"
        )
    value = found.weighted.weights.value
    means, largest = np.nanmean(value, axis=0), float(np.nanmax(value))
    if np.abs(means - 1).max() > FAR or largest > LARGE:
        worst = float(means[np.abs(means - 1).argmax()])
        out.append(
            f"the stabilised weights average {worst:.2f} at one occasion (near 1 is right) and reach {largest:.0f}"
        )
    return tuple(Caveat("positivity", text) for text in out)


def followed(found: Found) -> tuple[int, int]:
    """How many people were exposed at every occasion before the last, and how many at none."""
    a = found.histories.values[:, :-1, -1]
    return int((a == 1).all(axis=1).sum()), int((a == 0).all(axis=1).sum())


def off_course(setup: SustainedSetup, found: Found) -> float:
    """The greatest gap between the outcome's natural course, simulated with leaving, and the one seen."""
    simulated, seen = natural_course(found)
    return float(np.nanmax(np.abs(simulated[1:, 0] - seen[1:, 0])))


def natural_course(found: Found) -> tuple[np.ndarray, np.ndarray]:
    """(occasions, variables) simulated as it was, and seen, both among those alive and complete so far."""
    histories = found.histories
    simulated = found.simulated.point[0].survivors()[0]
    here = histories.unbroken[:, None] > np.arange(histories.waves)
    weight = np.where(here, histories.weight[:, None], 0.0)[..., None]
    values = np.where(weight > 0, histories.values, 0.0)
    with np.errstate(invalid="ignore"):
        return simulated, (weight * values).sum(axis=0) / weight.sum(axis=0)


def methods_of(setup: SustainedSetup, settings: Settings, found: tuple[Found, ...], lags: int) -> str:
    """What was done, to paste into a paper."""
    cuts = [
        f"{c.label} counted as present at {cut_of(c, settings):g} or above"
        for c in (setup.records.pair.a, setup.records.pair.b)
        if c.kind is Kind.SCORE and setup.pair[c.key].state
    ]
    replicates = max((f.simulated.converged.size for f in found), default=0)
    good = min((f.simulated.converged.mean() for f in found if f.simulated.converged.size), default=1.0)
    weights, _ = sampling_words(setup.records, setup.drawn)
    within = " within strata" if setup.drawn is not None and setup.drawn.strata > 1 else ""
    units = ("clusters" if setup.records.roles.cluster else "people") + within
    looked = "one occasion" if lags == 1 else "two occasions"
    changing = ", ".join(v.label for v in (*setup.changing, *setup.mediators)) or "none"
    parts = [
        f"The effect of a sustained exposure over {setup.last} occasions was estimated by the parametric g-formula "
        f"(Robins 1986). Each variable was regressed on those before it within the occasion and on all of {looked} "
        "back, pooled over occasions with a quadratic in time and the fixed covariates, by logistic regression "
        "(states) or linear regression with normal residuals (scores, in SDs); within an occasion the order was the "
        "outcome, the time-varying covariates, the mediators, the exposure.",
        f"Time-varying: {changing}. " + (f"Fixed: {', '.join(setup.fixed_names)}." if setup.fixed_names else ""),
        ". ".join(cuts) + "." if cuts else "",
        "Lives were simulated from each person's own first occasion under each regime with common random numbers; "
        "death was carried as a probability of survival.",
        f"Intervals come from {replicates} resamples of {units}{weights}, of which {good:.0%} could be fitted"
        + (", with one draw less than there are in each stratum (Rao & Wu 1988)." if setup.drawn is not None else ".")
        + (" Strata of one cluster were taken together." if setup.drawn is not None and setup.drawn.lonely else ""),
    ]
    if any(f.weighted is not None for f in found):
        parts.append(
            "Beside it stands a marginal structural model fitted by stabilised inverse-probability weights for "
            "exposure, leaving and death (Hernán, Brumback & Robins 2000), with a robust variance that takes the "
            "weights as known and corrects for leverage (Mancl & DeRouen 2001), and again with weights "
            "truncated at their 1st and 99th percentiles."
        )
    if setup.mediators:
        parts.append(
            "Direct and indirect effects are interventional (VanderWeele, Vansteelandt & Robins 2014; VanderWeele & "
            "Tchetgen Tchetgen 2017): the mediators' courses were drawn from their distribution under each regime "
            "given the first occasion. "
            + ("Mediators could act on the outcome otherwise in the exposed (a product of exposure and each mediator "
               "of the occasion before, in the regression of the outcome); indirect effects are those under the "
               "exposure. " if any(f.without for f in found) else "")
            + "Mediational E-values follow Smith & VanderWeele (2019)."
        )  # fmt: skip
    return " ".join(part.strip() for part in parts if part.strip())
