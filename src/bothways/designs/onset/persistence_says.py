"""What is said beside the answers on recent and lasting: caveats, tables, and the sentence to paste into a paper."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import chdtrc

from bothways.designs.onset.guards import FEW
from bothways.designs.onset.models import Fitted
from bothways.designs.onset.room import Room, interval
from bothways.designs.onset.stages import STATES, Staged
from bothways.designs.onset.turning import FATES, episode_after
from bothways.engine.chain.adequacy import pearson
from bothways.engine.chain.delta import Link
from bothways.engine.chain.estimands import sojourn
from bothways.engine.chain.fit import PlainTarget
from bothways.terms.answer import Caveat, Cell, Table

OTHERS = frozenset(
    {"order_unseen", "same_day_onsets", "no_end_of_follow_up", "immortal_time", "long_gaps", "few_events", "separation",
     "common_cause", "misfit", "seen_with_error"}
)  # fmt: skip
"""Caveats of the chain of four states, which this chain says anew or has no part in."""


def names_of(made: Staged) -> tuple[str, ...]:
    """How people call the states."""
    other, ill = made.other.label, made.condition.label
    alive = ("neither", f"{other} only", f"recent {ill} only", f"{other} and recent {ill}", f"lasting {ill} only",
             f"{other} and lasting {ill}")  # fmt: skip
    return (*alive, "death") if made.setup.mortal else alive


def caveats_of(room: Room, made: Staged, fitted: Fitted) -> tuple[Caveat, ...]:
    """Those of the records, and those of this chain."""
    kept = tuple(c for c in room.caveats if c.code not in OTHERS)
    guards = (_alone, _inconsistent, _far_apart, _few, _unbounded, _misfit)
    return (*kept, *(caveat for guard in guards for caveat in guard(room, made, fitted)))


def _alone(room: Room, made: Staged, _fitted: Fitted) -> Iterator[Caveat]:
    yield Caveat(
        "common_cause",
        f"a cause shared by {made.other.label} and by how long {made.condition.label} lasts was not looked for here, "
        "and could look the same",
    )
    if room.settings.accuracy:
        yield Caveat("seen_with_error", "the stated accuracy of the answers is not heeded here")


def _inconsistent(_room: Room, made: Staged, _fitted: Fitted) -> Iterator[Caveat]:
    if made.odd:
        yield Caveat(
            "lasting_while_absent",
            f"{made.odd:,} answers call {made.condition.label} lasting where it was absent: there it counts as absent",
        )


def _far_apart(_room: Room, made: Staged, fitted: Fitted) -> Iterator[Caveat]:
    joined = np.diff(made.setup.rows.person) == 0
    gap = float(np.median(np.diff(made.setup.rows.time)[joined]))
    stay = float(sojourn(made.states)(_rates(fitted))[2:4].min())
    if gap > 2 * stay:
        yield Caveat(
            "long_gaps",
            f"visits lie {gap / stay:.1f} times as far apart as a recent episode lasts on average: most episodes begin "
            "and end, or turn lasting, unseen, and the answer leans on the model",
        )


def _rates(fitted: Fitted) -> np.ndarray:
    return np.asarray(np.exp(fitted.rates.coefficients(fitted.fit.theta)[0]))


def _few(_room: Room, made: Staged, _fitted: Fitted) -> Iterator[Caveat]:
    for held, words in (((1, 3), "with"), ((0, 2), "without")):
        count = made.moved(held, (4, 5))
        if count < FEW:
            yield Caveat(
                "few_events",
                f"{made.condition.label} was seen to have turned lasting {count} times in people {words} "
                f"{made.other.label}: that rate is hardly known",
            )


def _unbounded(_room: Room, _made: Staged, fitted: Fitted) -> Iterator[Caveat]:
    fit = fitted.fit
    if fit.drift.any() or fit.flat.any():
        which = [name for name, d, f in zip(fit.names, fit.drift, fit.flat, strict=True) if d or f]
        yield Caveat("separation", f"the records do not bound {', '.join(which)} in the chain of recent and lasting")


def _misfit(_room: Room, made: Staged, fitted: Fitted) -> Iterator[Caveat]:
    target = fitted.target
    if made.setup.sampled or not (isinstance(target, PlainTarget) and target.model.sequences.plain.any()):
        return
    found = pearson(target.model, fitted.fit.theta)
    if chdtrc(found.df_high, found.statistic) < 0.01:
        excess = (found.observed - found.expected) ** 2 / np.maximum(found.expected, 1)
        cell, to = np.unravel_index(np.argmax(excess), excess.shape)
        names = names_of(made)
        yield Caveat(
            "misfit",
            f"the chain of recent and lasting does not describe all that was seen (Pearson-type statistic "
            f"{found.statistic:.0f} on at most {found.df_high} degrees of freedom); worst where "
            f"{names[int(found.origin[cell])]} was followed by {names[int(to)]}",
        )


def tables_of(room: Room, made: Staged, fitted: Fitted) -> tuple[Table, ...]:
    """Moves between the states, rates, and what becomes of a new episode."""
    return _moves(made), _rate_table(room, made, fitted), _fates(room, made, fitted)


def _moves(made: Staged) -> Table:
    names, K = names_of(made), made.states.size
    rows: list[tuple[Cell, ...]] = [(names[r], *(int(n) for n in made.moves[r, :K])) for r in range(len(STATES))]
    note = "Neighbouring observations of one person in which the state is known, recent or lasting included."
    return Table("onset_stages_moves", "Recent and lasting, from visit to visit", ("from", *names), tuple(rows), note)


def _rate_table(room: Room, made: Staged, fitted: Fitted) -> Table:
    names = dict(zip(made.states.states, names_of(made), strict=True))
    found = interval(room, lambda q: q, Link.LOG, fitted=fitted)
    rows: list[tuple[Cell, ...]] = []
    for k, transition in enumerate(made.states.transitions):
        numbers = (float(x[k]) if np.isfinite(x[k]) else None for x in (found.value, found.low, found.high))
        rows.append((" to ".join(names[s] for s in transition.split(">")), *numbers))
    columns = ("transition", f"rate per {_unit(made)}", "low", "high")
    note = "At the mean of the covariates." if fitted.rates.covariates[1:] else ""
    return Table("onset_stages_rates", "Rates, recent and lasting apart", columns, tuple(rows), note)


def _fates(room: Room, made: Staged, fitted: Fitted) -> Table:
    """What has become of a new episode after a year, with the other condition on its first day and without."""
    fates = FATES if made.setup.mortal else FATES[:3]
    said = dict(
        zip(FATES, ("it has turned lasting", "it has ended", "it is still recent", "they have died"), strict=True)
    )
    rows: list[tuple[Cell, ...]] = []
    for start, words in (("OR", "present"), ("R", "absent")):
        found = interval(room, episode_after(made.states, 1.0, start, fates), Link.LOGIT, fitted=fitted)
        for k, fate in enumerate(fates):
            numbers = (float(x[k]) if np.isfinite(x[k]) else None for x in (found.value, found.low, found.high))
            rows.append((f"{made.other.label} {words}", said[fate], *numbers))
    title = f"What becomes of a new episode of {made.condition.label} within a {_unit(made)}"
    note = "What comes after it has turned lasting, or has ended, is not counted on."
    return Table(
        "onset_stages_episode", title, ("on its first day", "after it", "share", "low", "high"), tuple(rows), note
    )


def _unit(made: Staged) -> str:
    return "year" if made.setup.in_days else "wave"


def methods_of(room: Room, made: Staged) -> str:
    """What was fitted beside the four states."""
    label = room.setup.records.labels.get(made.column, made.column)
    names = ", ".join(made.covariates.names)
    return (
        f"Recent and lasting {made.condition.label} were told apart by the answers to '{label}' at each visit (an "
        f"answer that was not given leaves both open), and a chain of the six states {', '.join(names_of(made)[:6])} "
        "was fitted likewise, in which an episode begins as recent, may turn lasting, and ends from either"
        + (f", adjusted for {names}" if names else "")
        + ". Its persistence is the ratio of the rates at which recent turns lasting, which is kept apart from onset; "
        "standard errors are robust by person (or by cluster, where there are any), and people were not drawn again."
    )
