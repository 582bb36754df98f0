"""Sampling designs: the middle of the sandwich for people drawn in clusters, and clusters in strata (Taylor).

Stratum h holds n_h clusters (the people themselves where there are none) with score totals z_hc, z̄_h their mean:

    M = Σ_h n_h/(n_h − 1) Σ_c (z_hc − z̄_h)(z_hc − z̄_h)'                       (Binder 1983, Int. Stat. Rev. 51:279)

Clusters are drawn with replacement at the first stage, and their labels count within their stratum ("1, 2" in every
stratum are different clusters). A stratum of one cluster has no spread of its own: its total is taken about the mean
of all clusters with factor one, which can only widen (R's survey.lonely.psu = "adjust"). Without strata all clusters
are one stratum; people who are in neither clusters nor strata keep the plain Σ z z' of a sandwich.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int


@dataclass(frozen=True, slots=True, eq=False)
class Sampling:
    """Who was drawn together. ``unit`` (people,) numbers the clusters 0..C−1; ``stratum`` (C,) each cluster's."""

    unit: Int[np.ndarray, " people"]
    stratum: Int[np.ndarray, " units"]

    @property
    def units(self) -> int:
        """How many clusters were drawn."""
        return len(self.stratum)

    @property
    def strata(self) -> int:
        """How many strata they were drawn from."""
        return int(self.stratum.max(initial=-1)) + 1

    @property
    def lonely(self) -> int:
        """Strata that hold one cluster only."""
        return int((np.bincount(self.stratum, minlength=self.strata) == 1).sum())

    def among(self, people: np.ndarray) -> Sampling:
        """The same design for some of the people (places or a mask)."""
        unit = self.unit[people]
        kept, codes = np.unique(unit, return_inverse=True)
        layers = np.unique(self.stratum[kept], return_inverse=True)[1].reshape(-1)
        return Sampling(codes.reshape(-1).astype(np.int64), layers.astype(np.int64))

    @property
    def freedom(self) -> int:
        """Degrees of freedom of what rests on the spread between clusters: clusters less strata."""
        return self.units - self.strata


Clusters = np.ndarray | Sampling | None
"""What the sandwich is told of the sampling: one cluster label a person, a whole design, or nothing."""


def drawn_of(clusters: Clusters) -> Sampling | None:
    """Labels as a design of one stratum; a design as it is."""
    return clusters if isinstance(clusters, Sampling) else sampling(clusters)


def sampling(clusters: np.ndarray | None, strata: np.ndarray | None = None) -> Sampling | None:
    """Labels, one a person, as a sampling design; None where there is neither a cluster nor a stratum."""
    if clusters is None and strata is None:
        return None
    given = clusters if clusters is not None else np.arange(len(strata if strata is not None else ()))
    layers = np.zeros(len(given), np.int64) if strata is None else np.unique(strata, return_inverse=True)[1]
    own = np.unique(given, return_inverse=True)[1].reshape(-1)
    pairs, unit = np.unique(np.column_stack([layers.reshape(-1), own]), axis=0, return_inverse=True)
    return Sampling(unit.reshape(-1).astype(np.int64), pairs[:, 0].astype(np.int64))


def survey_meat(
    scores: Float[np.ndarray, "people q"], clusters: np.ndarray | None = None, strata: np.ndarray | None = None
) -> Float[np.ndarray, "q q"]:
    """M of weighted scores, one row a person, with labels of clusters and strata (either may be None)."""
    drawn = sampling(clusters, strata)
    if drawn is None:
        return np.asarray(scores.T @ scores)
    totals = np.zeros((drawn.units, scores.shape[1]))
    np.add.at(totals, drawn.unit, scores)
    return totals_meat(totals, drawn)


def totals_meat(totals: Float[np.ndarray, "units q"], drawn: Sampling) -> Float[np.ndarray, "q q"]:
    """M of the score totals of clusters."""
    count = np.bincount(drawn.stratum, minlength=drawn.strata)
    sums = np.zeros((drawn.strata, totals.shape[1]))
    np.add.at(sums, drawn.stratum, totals)
    lonely = count == 1
    centre = np.where(lonely[:, None], totals.mean(axis=0), sums / count[:, None])
    factor = np.where(lonely, 1.0, count / np.maximum(count - 1, 1))
    about = totals - centre[drawn.stratum]
    return np.asarray(about.T @ (about * factor[drawn.stratum][:, None]))


def collapsed(drawn: Sampling | None) -> Sampling | None:
    """The strata of one cluster as one stratum, since alone they would never be drawn otherwise and so scatter nothing.

    A single one of them joins the stratum with the fewest clusters. Either can only widen intervals (Wolter 2007,
    Introduction to Variance Estimation, section 2.5).
    """
    if drawn is None or not drawn.lonely or drawn.strata < 2:
        return drawn
    count = np.bincount(drawn.stratum, minlength=drawn.strata)
    alone = np.flatnonzero(count == 1)
    if alone.size == 1:
        alone = np.r_[alone, np.where(count > 1, count, count.max() + 1).argmin()]
    stratum = np.where(np.isin(drawn.stratum, alone), alone[0], drawn.stratum)
    return Sampling(drawn.unit, np.unique(stratum, return_inverse=True)[1].reshape(-1).astype(np.int64))


def draw_units(
    drawn: Sampling | None, units: int, rng: np.random.Generator
) -> tuple[Int[np.ndarray, "draws"], Float[np.ndarray, "draws"] | None]:
    """(units drawn again, how many times each draw counts: None for once), for a bootstrap.

    n − 1 of the n clusters of a stratum are drawn with replacement and count n/(n − 1) times, which scatters as the
    sandwich does (Rao & Wu 1988, J. Am. Stat. Assoc. 83:231). Strata of one cluster are taken together.
    """
    drawn = collapsed(drawn)
    if drawn is None:
        return rng.integers(0, units, units), None
    count = np.bincount(drawn.stratum, minlength=drawn.strata)
    first = np.cumsum(count) - count
    ordered = np.argsort(drawn.stratum, kind="stable")
    take = np.maximum(count - 1, 1)
    stratum = np.repeat(np.arange(drawn.strata), take)
    clusters = ordered[first[stratum] + rng.integers(0, count[stratum])]
    members = np.argsort(drawn.unit, kind="stable")
    size = np.bincount(drawn.unit, minlength=drawn.units)
    begin = np.cumsum(size) - size
    chosen = np.concatenate([members[begin[c] : begin[c] + size[c]] for c in clusters])
    return chosen, np.repeat((count / take)[stratum], size[clusters])


def effective_parameters(bread: Float[np.ndarray, "q q"], sandwich: Float[np.ndarray, "q q"]) -> float:
    """tr(H⁻¹ J) = tr(H V), H⁻¹ the ``bread`` and V = H⁻¹ J H⁻¹ the ``sandwich``: what chance adds to a weighted ℓ.

    Where people were drawn one by one it comes to q, one for each parameter, as AIC counts them. For a survey's
    weighted likelihood the like of AIC is −2ℓ + 2 tr(H⁻¹ J), and tr(H⁻¹ J)/q its mean design effect (Lumley & Scott
    2015, J. Surv. Stat. Methodol. 3:1). Parameters without a finite variance count one each.
    """
    kept = np.isfinite(np.diag(bread)) & np.isfinite(np.diag(sandwich))
    H = np.linalg.pinv(bread[np.ix_(kept, kept)], hermitian=True)
    return float(np.trace(H @ sandwich[np.ix_(kept, kept)]) + (~kept).sum())
