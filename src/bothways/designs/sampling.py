"""How people were drawn: sampling weights, clusters and strata of the records, as the engine wants them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int

from bothways.engine.survey import Sampling, sampling
from bothways.terms.answer import Caveat
from bothways.terms.errors import QuestionError
from bothways.terms.records import Records

FEW_CLUSTERS = 30
LONELY_RULE = "a stratum of one cluster is taken about the mean of all clusters"


def person_column(records: Records, name: str) -> Float[np.ndarray, "people"] | None:
    """A column that says one thing of each person: from the baseline, or the first answer over time."""
    if name in records.baseline:
        return np.asarray(records.baseline[name], float)
    if name not in records.values:
        return None
    column = np.full(records.people, np.nan)
    known = np.flatnonzero(np.isfinite(records.values[name]))[::-1]
    column[records.person[known]] = records.values[name][known]
    return column


def weights_of(records: Records) -> Float[np.ndarray, "people"] | None:
    """The sampling weight of everybody, 0 where there is none that can be used; None where none is stated."""
    name = records.roles.weight
    if name is None:
        return None
    column = _stated(records, "--weight", name)
    usable = np.where(np.isfinite(column) & (column > 0), column, 0.0)
    if not usable.any():
        raise QuestionError("--weight", f"'{name}' holds no positive weight", "Name a column of positive weights")
    return usable


def clusters_of(records: Records, rows: Int[np.ndarray, "some"]) -> Int[np.ndarray, "some"] | None:
    """Cluster of each person in ``rows``; a person without one is a cluster of their own."""
    name = records.roles.cluster
    if name is None:
        return None
    column = _stated(records, "--cluster", name)[rows]
    codes = np.unique(column, return_inverse=True)[1].reshape(-1).astype(np.int64)
    alone = ~np.isfinite(column)
    codes[alone] = codes.max(initial=0) + 1 + np.arange(alone.sum())
    if len(np.unique(codes)) < 2 and records.roles.strata is None:
        raise QuestionError("--cluster", f"'{name}' holds one cluster only", "Leave the option out")
    return codes


def strata_of(records: Records, rows: Int[np.ndarray, "some"]) -> Int[np.ndarray, "some"] | None:
    """Stratum of each person in ``rows``; those without one are a stratum together."""
    name = records.roles.strata
    if name is None:
        return None
    column = _stated(records, "--strata", name)[rows]
    return np.unique(column, return_inverse=True)[1].reshape(-1).astype(np.int64)


def sampling_of(records: Records, rows: Int[np.ndarray, "some"]) -> Sampling | None:
    """Clusters and strata together; cluster labels count within their stratum."""
    drawn = sampling(clusters_of(records, rows), strata_of(records, rows))
    if drawn is not None and drawn.units < 2:
        raise QuestionError("--cluster", "the strata hold one cluster in all", "Leave the options out")
    return drawn


def sampling_caveats(drawn: Sampling | None) -> tuple[Caveat, ...]:
    """Few clusters to learn the spread from, or strata of which the spread cannot be learnt."""
    if drawn is None:
        return ()
    found = []
    if drawn.freedom < FEW_CLUSTERS:
        of = f" in {drawn.strata} strata" if drawn.strata > 1 else ""
        found.append(
            Caveat(
                "few_clusters",
                f"There are {drawn.units} clusters{of} only; intervals that allow for them are approximate.",
            )
        )
    if drawn.strata > 1 and drawn.lonely:
        words = "stratum holds" if drawn.lonely == 1 else "strata hold"
        found.append(
            Caveat("lonely_stratum", f"{drawn.lonely} {words} one cluster only; {LONELY_RULE}, which widens intervals.")
        )
    return tuple(found)


def sampling_words(records: Records, drawn: Sampling | None) -> tuple[str, str]:
    """(", with sampling weights" or "", over what the sandwich sums): for a methods paragraph."""
    weights = ", with sampling weights" if records.roles.weight else ""
    if drawn is None:
        return weights, "people"
    over = "clusters" if records.roles.cluster else "people"
    return weights, f"{over} within strata (Taylor linearisation)" if drawn.strata > 1 else over


def _stated(records: Records, option: str, name: str) -> Float[np.ndarray, "people"]:
    column = person_column(records, name)
    if column is None:
        raise QuestionError(option, f"the records hold no column '{name}'", "Name a column of the table")
    return column
