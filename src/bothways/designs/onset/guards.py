"""What in these records calls for care before "onset" is read into them. Each guard gives a caveat or nothing."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import chdtrc

from bothways.designs.onset.estimation import Fits
from bothways.designs.onset.setup import OnsetSetup
from bothways.designs.onset.states import DEAD
from bothways.designs.sampling import sampling_caveats
from bothways.engine.chain.adequacy import pearson
from bothways.engine.chain.estimands import sojourn
from bothways.engine.chain.fit import PlainTarget
from bothways.terms.answer import Caveat
from bothways.terms.question import Kind

FEW = 10  # moves below which a rate is hardly estimated
FAR_APART = 100.0  # stays to a gap: beyond, the very number says nothing
MUCH = 0.05  # share of people from which something is said
NAMES = {"A>AB": "onset of {b} while {a} is present", "B>AB": "onset of {a} while {b} is present",
         "0>A": "onset of {a} in people free of both", "0>B": "onset of {b} in people free of both"}  # fmt: skip


def caveats_of(setup: OnsetSetup, fits: Fits) -> tuple[Caveat, ...]:
    """Every caveat of the whole run, in the order in which a reader would ask."""
    guards = (
        _prevalent,
        _immortal,
        _order_unseen,
        _left_alive,
        _long_gaps,
        _few,
        _separation,
        _triggered,
        _told,
        _misfit,
    )
    return (*sampling_caveats(setup.drawn), *(caveat for guard in guards for caveat in guard(setup, fits)))


def labels(setup: OnsetSetup) -> tuple[str, str]:
    """How the two conditions are called."""
    return setup.records.pair.a.label, setup.records.pair.b.label


def _prevalent(setup: OnsetSetup, _fits: Fits) -> Iterator[Caveat]:
    a, b = labels(setup)
    total = int((setup.entry >= 0).sum())
    had = [int(np.isin(setup.entry, which).sum()) for which in ((1, 3), (2, 3))]
    if sum(had):
        yield Caveat(
            "prevalent_at_entry",
            f"{had[0]:,} of {total:,} people already had {a} when first seen and {had[1]:,} had {b}: when that "
            "began is not known, so it counts as no onset; they count from their first observation on",
        )


def _immortal(setup: OnsetSetup, _fits: Fits) -> Iterator[Caveat]:
    """Dated records in which most people with a condition enter on the very day it begins."""
    if not setup.rows.dated:
        return
    first = np.flatnonzero(np.r_[True, np.diff(setup.records.person) != 0])
    for condition in (setup.records.pair.a, setup.records.pair.b):
        events = setup.records.events[condition.key]
        begun = events.onset == 1
        ill = np.unique(events.person[begun]).size
        at_entry = int((events.time[begun] <= setup.records.time[first][events.person[begun]]).sum())
        if ill >= FEW and at_entry > 0.5 * ill:
            yield Caveat(
                "immortal_time",
                f"{at_entry:,} of {ill:,} people with {condition.label} are watched only from the day it began: those "
                "who had the other condition or died before it are missing, which can feign protection; "
                "start everyone's time before either condition",
            )


def _order_unseen(setup: OnsetSetup, _fits: Fits) -> Iterator[Caveat]:
    unseen, reached = int(setup.moves[0, 3]), int(setup.moves[[0, 1, 2], 3].sum())
    if unseen and setup.rows.dated:
        yield Caveat(
            "same_day_onsets",
            f"in {unseen:,} of {reached:,} people both conditions began on one day: the same examination may have "
            "found both; repeat with a window after the first in which the second does not count",
        )
    elif reached and unseen > MUCH * reached:
        yield Caveat(
            "order_unseen",
            f"in {unseen:,} of {reached:,} cases both conditions were new at one visit, so that the order was not seen "
            "and rests on the model; closer visits would show it",
        )


def _left_alive(setup: OnsetSetup, _fits: Fits) -> Iterator[Caveat]:
    rows = setup.rows
    last = np.r_[np.flatnonzero(np.diff(rows.person)), rows.person.size - 1]
    alive = rows.state[last] != DEAD
    if rows.dated:
        happened = np.zeros(last.size, dtype=bool)
        inside = alive & np.r_[False, np.diff(last) > 1]
        happened[inside] = rows.state[last[inside]] != rows.state[last[inside] - 1]
        count = int(happened.sum())
        if count > MUCH * last.size:
            yield Caveat(
                "no_end_of_follow_up",
                f"for {count:,} of {last.size:,} people the last row is an event, with no row that ends their "
                "follow-up: rates come out too high; add the day on which each was last known alive and watched",
            )
        return
    joined = np.diff(rows.person) == 0
    gap = float(np.median(np.diff(rows.time)[joined])) if joined.any() else 0.0
    early = alive & (rows.time[last] < rows.time.max() - 1.5 * gap)
    if early.sum() > MUCH * last.size:
        yield Caveat(
            "left_early",
            f"{int(early.sum()):,} of {last.size:,} people left while alive before the last round of visits; the "
            "answer holds if leaving did not depend on what would have been seen",
        )


def _long_gaps(setup: OnsetSetup, fits: Fits) -> Iterator[Caveat]:
    if setup.rows.dated:
        return
    joined = np.diff(setup.rows.person) == 0
    gap = float(np.median(np.diff(setup.rows.time)[joined]))
    rates = np.exp(fits.chain.rates.coefficients(fits.chain.fit.theta[: fits.chain.rates.size])[0])
    stay = sojourn(setup.states)(rates)[1:4]
    if gap > 2 * stay.min():
        a, b = labels(setup)
        which = (a, b, "both at once")[int(stay.argmin())]
        times = f"{gap / stay.min():.1f}" if gap < FAR_APART * stay.min() else f"more than {FAR_APART:g}"
        yield Caveat(
            "long_gaps",
            f"visits lie {times} times as far apart as a stay with {which} lasts on average: what "
            "happened in between is hardly seen, and the answer leans on the model",
        )


def _few(setup: OnsetSetup, _fits: Fits) -> Iterator[Caveat]:
    a, b = labels(setup)
    for (r, s), name in {(1, 3): "A>AB", (2, 3): "B>AB", (0, 1): "0>A", (0, 2): "0>B"}.items():
        count = int(setup.moves[r, s])
        if count < FEW:
            seen = ("never seen", "seen once only")[count] if count < 2 else f"seen {count} times only"
            yield Caveat("few_events", f"{NAMES[name].format(a=a, b=b)} was {seen}: its rate is hardly known")


def _separation(setup: OnsetSetup, fits: Fits) -> Iterator[Caveat]:
    fit = fits.chain.fit
    if fit.drift.any() or fit.flat.any():
        which = [name for name, d, f in zip(fit.names, fit.drift, fit.flat, strict=True) if d or f]
        yield Caveat(
            "separation",
            f"the records do not bound {', '.join(which)}: no finite estimate exists, and none is given for what "
            "depends on it",
        )


def _triggered(setup: OnsetSetup, _fits: Fits) -> Iterator[Caveat]:
    """Visits at which a condition is new come after shorter gaps, although longer gaps give it more time."""
    rows = setup.rows
    if rows.dated:
        return
    free = (np.diff(rows.person) == 0) & (rows.state[:-1] == 0) & (rows.state[1:] < DEAD)
    gaps, fresh = np.diff(rows.time)[free], rows.state[1:][free] > 0
    if min(fresh.sum(), (~fresh).sum()) < FEW or np.ptp(gaps) < 1e-6 * gaps.mean():
        return
    from scipy.stats import ttest_ind  # heavy, and used here alone

    found = ttest_ind(np.log(gaps[fresh]), np.log(gaps[~fresh]), equal_var=False, alternative="less")
    if found.pvalue < 0.01:
        share = float(np.exp(np.log(gaps[fresh]).mean() - np.log(gaps[~fresh]).mean()))
        yield Caveat(
            "visits_follow_illness",
            f"visits that found something new came after gaps {1 - share:.0%} shorter than the others: people seem to "
            "be seen because they fell ill, which inflates onset rates; use planned visits only",
        )


def _told(setup: OnsetSetup, fits: Fits) -> Iterator[Caveat]:
    if fits.rival is not None:
        return
    if fits.frailty is not None:
        says = "a hidden cause of both that comes and goes is not looked for in dated records and could look the same"
    else:
        says = "a cause shared by both was not looked for in this quick run and could look the same"
    yield Caveat("common_cause", says)


def _misfit(setup: OnsetSetup, fits: Fits) -> Iterator[Caveat]:
    """Weighted or clustered counts have no chi-squared distribution, so that nothing is said of them."""
    target = fits.chain.target
    if setup.sampled or not (isinstance(target, PlainTarget) and target.model.sequences.plain.any()):
        return
    found = pearson(target.model, fits.chain.fit.theta)
    if chdtrc(found.df_high, found.statistic) < 0.01:
        worst = np.unravel_index(
            np.argmax((found.observed - found.expected) ** 2 / np.maximum(found.expected, 1)), found.observed.shape
        )
        names = ("neither", *labels(setup), "both", "death")
        yield Caveat(
            "misfit",
            f"the chain does not describe all that was seen (Pearson-type statistic {found.statistic:.0f} on at most "
            f"{found.df_high} degrees of freedom); worst where {names[int(found.origin[worst[0]])]} was followed by "
            f"{names[int(worst[1])]}",
        )


def scored(setup: OnsetSetup) -> bool:
    """Some condition was made from a score."""
    return any(c.kind is Kind.SCORE for c in (setup.records.pair.a, setup.records.pair.b))
