"""In whom: how much the pull of one condition on the other differs between people, and in how many it holds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.special import ndtri

from bothways.designs.diary.answers import DIRECTIONS, ENDS, Run
from bothways.designs.diary.endings import not_fitted
from bothways.engine.statespace.personal_fit import PersonalFit, Share, fit_personal, persons_effects, share_beyond
from bothways.terms.answer import Answer, Caveat, Cell, Estimand, Estimate, Status, Table
from bothways.terms.question import Direction, Facet, Question, Scale

LEAST_FOR_DIFFERENCES = 30  # people
WORST_K = 0.7  # Pareto k beyond which the approximation is not vouched for
UNTOLD = 0.9  # the width of an interval that leaves a share open
OPEN = "In how many people it holds cannot be told: these records leave open anything from nearly nobody to nearly all."
DOUBTFUL = Caveat("approximation_doubtful", "The approximation behind this share is doubtful for some people.")


def person_answers(run: Run) -> tuple[tuple[Answer, ...], tuple[Table, ...]]:
    """The share of people in whom each direction holds, with its spread; each person's own effect, drawn to the mean.

    The drift's four rates differ between people (Laplace's approximation, checked by importance weights). Where nobody
    differs there is no share to give, and that is said.
    """
    fit = run.models.chosen.fit
    random = tuple(name for name in fit.structure.names if name.startswith("drift["))
    found = fit_personal(fit, random, np.random.default_rng(run.settings.seed))
    if found is None:
        return tuple(_row(run, direction) for direction in DIRECTIONS), ()
    if not found.converged:
        says = not_fitted("The model in which people differ", found.outcome)
        rows = (_row(run, direction) for direction in DIRECTIONS)
        return tuple(replace(row, status=Status.FAILED, status_says=says) for row in rows), ()
    smallest = run.settings.smallest_effect(Scale.SD_PER_SD)
    rng = np.random.default_rng(run.settings.seed)
    shares = {
        direction: share_beyond(found, run.lags.headline, *ENDS[direction], smallest, rng, level=run.settings.level)
        for direction in DIRECTIONS
    }
    answers = tuple(_answer(run, found, direction, share) for direction, share in shares.items())
    return answers, (_shares(run, found, shares), _own(run, found))


def _row(run: Run, direction: Direction) -> Answer:
    """A share that cannot be given."""
    first, second = direction.ends(run.setup.records.pair)
    lag = run.lags.headline
    return Answer(
        id=f"diary.persons.{direction}",
        question=Question(run.setup.records.pair, Facet.WHOM, direction, Scale.SHARE, horizon=lag),
        design="diary",
        model=f"{run.models.chosen.name}-personal",
        estimand=Estimand.PERSON_SHARE,
        status=Status.REFUSED,
        status_says="No differences between people in how quickly one condition follows the other could be told apart "
        "from chance, so that there is no share of people to give.",
        target=f"people in whom {first.label} moves {second.label} by more than the smallest effect of interest, "
        f"{run.lags.headline_words} later, to the side of the mean",
        lag_days=lag if run.setup.in_days else None,
        lag_waves=None if run.setup.in_days else lag,
        caveats=run.caveats,
        source=run.setup.records.source,
    )


def _answer(run: Run, found: PersonalFit, direction: Direction, share: Share) -> Answer:
    """The share with its interval; the error is the interval's, for a share near 0 or 1 has an uneven one.

    Where the interval runs from nearly nobody to nearly everybody, no share is told: its middle would be read.
    """
    if share.high - share.low > UNTOLD:
        return replace(_row(run, direction), status_says=OPEN)
    reach = float(ndtri(0.5 + run.settings.level / 2))
    se = (share.high - share.low) / (2 * reach)
    people = run.setup.people
    number = Estimate(share.value, share.low, share.high, se, Scale.SHARE, people, run.settings.level)
    row = _row(run, direction)
    check = found.check
    doubt = () if check is None or check.pareto_k <= WORST_K else (DOUBTFUL,)
    return replace(row, status=Status.ANSWERED, status_says="", estimate=number, caveats=(*row.caveats, *doubt))


def _shares(run: Run, found: PersonalFit, shares: dict[Direction, Share]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for direction, share in shares.items():
        first, second = direction.ends(run.setup.records.pair)
        rows.append((f"{first.label} to {second.label}", share.mean, share.sd, share.value, share.low, share.high))
    check = found.check
    doubt = "" if check is None or check.pareto_k <= WORST_K else " The approximation is doubtful for some people."
    alike = alike_in_all(run, found.at_limit)
    none = f" Found to be alike in all: {'; '.join(alike)}." if alike else ""
    columns = (
        "direction", "mean effect", "SD between people", "share beyond the smallest effect", "low", "high"
    )  # fmt: skip
    return Table(
        "diary.persons",
        f"In how many people each direction holds, {run.lags.headline_words} on",
        columns,
        tuple(rows),
        f"The share on the side of the mean effect, in the population that these people stand for.{none}{doubt}",
    )


def alike_in_all(run: Run, at_limit: tuple[str, ...]) -> tuple[str, ...]:
    """What does not differ between people, in words: of the drift's rates, those whose spread went to zero."""
    keys, label = run.setup.processes, run.setup.label
    return tuple(
        f"how soon {label(outcome)} comes back to its usual level"
        if outcome == cause
        else f"how {label(cause)} moves {label(outcome)}"
        for outcome in keys
        for cause in keys
        if any(name.endswith(f"drift[{outcome},{cause}]") for name in at_limit)
    )


def _own(run: Run, found: PersonalFit) -> Table:
    """Sorted by the first direction, so that no row can be told to be anyone's."""
    columns = []
    for direction in DIRECTIONS:
        outcome, cause = ENDS[direction]
        columns.append(persons_effects(found, run.lags.headline, outcome, cause))
    order = np.argsort(columns[0])
    pair = run.setup.records.pair
    rows = tuple((k + 1, float(columns[0][i]), float(columns[1][i])) for k, i in enumerate(order))
    return Table(
        "diary.own",
        "Each person's own effects, drawn towards the mean as far as their answers are few",
        ("place", f"{pair.a.label} to {pair.b.label}", f"{pair.b.label} to {pair.a.label}"),
        rows,
    )
