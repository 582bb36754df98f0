"""Records -> the wide table that the panel models are fitted to, in units in which every process has SD one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from bothways.designs.panel.covariates import Fixed, fixed_columns, sort_covariates
from bothways.designs.sampling import clusters_of, sampling_of, weights_of
from bothways.engine.patterns import PanelData, pattern_statistics
from bothways.engine.saturated import Saturated, saturate
from bothways.engine.survey import Sampling
from bothways.terms.errors import QuestionError
from bothways.terms.records import Records

LEAST_ANSWERS = 10  # a wave at which a process has fewer answers than this has no mean and variance of its own
EVEN = 1.1  # the longest gap at most this many times the shortest: the waves count as evenly spaced
MOST_PROCESSES = 9  # parameter names carry one digit for each process


@dataclass(frozen=True, slots=True, eq=False)
class Waves:
    """Answers of every person at every wave that can be used.

    ``scores`` (people, waves, processes) as recorded, NaN where missing; ``kept`` the waves' numbers in the records
    (0-based); ``gaps`` between kept waves, in days where the records know them, else in waves.
    """

    scores: Float[np.ndarray, "people waves processes"]
    kept: tuple[int, ...]
    gaps: tuple[float, ...]
    in_days: bool

    @property
    def even(self) -> bool:
        """Whether the gaps are equal, to a tenth."""
        return not self.gaps or max(self.gaps) <= EVEN * min(self.gaps)

    @property
    def gap(self) -> float:
        """The median gap: what "one wave later" means."""
        return float(np.median(self.gaps))


@dataclass(frozen=True, slots=True, eq=False)
class PanelSetup:
    """All that a model needs of the records.

    Variables stand as the engine wants them: all processes of wave 1, then of wave 2, ...; covariates last. Each
    process is centred and divided by one number over all waves (its pooled within-wave SD): ``centre`` and ``scale``
    (processes,), and likewise ``fixed_centre`` and ``fixed_scale`` of the covariates, lead back to recorded units.
    ``people`` counts those with at least one answer; ``rows`` are their places in the records.
    """

    records: Records
    processes: tuple[str, ...]
    fixed: tuple[str, ...]
    waves: Waves
    table: Float[np.ndarray, "people variables"]
    rows: Int[np.ndarray, "people"]
    centre: Float[np.ndarray, "processes"]
    scale: Float[np.ndarray, "processes"]
    fixed_centre: Float[np.ndarray, "covariates"]
    fixed_scale: Float[np.ndarray, "covariates"]
    clusters: Int[np.ndarray, "people"] | None
    weights: Float[np.ndarray, "people"] | None
    data: PanelData
    h1: tuple[Saturated, ...]
    left_out: tuple[str, ...] = ()
    sampling: Sampling | None = None  # clusters and strata together, as the sandwich wants them

    @property
    def K(self) -> int:  # noqa: N802 - the number of processes, as in the equations
        """How many processes."""
        return len(self.processes)

    @property
    def T(self) -> int:  # noqa: N802
        """How many waves."""
        return len(self.waves.kept)

    @property
    def people(self) -> int:
        """How many people."""
        return len(self.rows)

    def label(self, key: str) -> str:
        """How a person reads a process or a covariate."""
        pair = self.records.pair
        known = {pair.a.key: pair.a.label, pair.b.key: pair.b.label}
        return known.get(key) or self.records.labels.get(key, key)

    def wave_name(self, t: int) -> str:
        """The t-th kept wave (0-based) as a person counts: from 1, by its place in the records."""
        return str(self.waves.kept[t] + 1)


def prepare(records: Records, further: Sequence[str] = (), weights: np.ndarray | None = None) -> PanelSetup:
    """The set-up of the pair of ``records``, its covariates, and any ``further`` processes (mediators).

    Covariates that do not change predict every score; those that change over time are processes of their own.
    People without a single answer, or without a usable weight, are left out. ``weights`` multiply sampling weights.

    Raises QuestionError where fewer than two waves can be used, or where there are too many processes.
    """
    covariates = sort_covariates(records)
    processes = list(dict.fromkeys([*_pair(records), *further, *covariates.changing]))
    waves = usable_waves(records, processes)
    if len(waves.kept) < 2:
        raise QuestionError("panel", "fewer than two waves hold answers on both conditions", "Add a wave")
    if len(processes) > MOST_PROCESSES:
        raise QuestionError(
            "--covariates", f"{len(processes)} processes are more than {MOST_PROCESSES}", "Name fewer that change"
        )
    weight = _weights(records, weights)
    seen = np.isfinite(waves.scores).any(axis=(1, 2))
    rows = np.flatnonzero(seen if weight is None else seen & (weight > 0))
    centre, scale = pooled_units(waves.scores[rows])
    fixed = fixed_columns(records, covariates.fixed, rows)
    scores = ((waves.scores[rows] - centre) / scale).reshape(len(rows), -1)
    table = np.concatenate([scores, fixed.standardised], axis=1)
    weight = None if weight is None else weight[rows]
    data = pattern_statistics(table, weight)
    return PanelSetup(
        records, tuple(processes), fixed.names, waves, table, rows, centre, scale, fixed.centre, fixed.scale,
        clusters_of(records, rows), weight, data, saturate(data),
        _left_out(covariates.left_out, fixed, waves, records), sampling_of(records, rows),
    )  # fmt: skip


def usable_waves(records: Records, processes: Sequence[str]) -> Waves:
    """The waves at which every process has answers that differ, with the gaps between them."""
    scores = wide(records, processes)
    enough = np.isfinite(scores).sum(axis=0) >= LEAST_ANSWERS
    low, high = (f(np.where(np.isfinite(scores), scores, bad), axis=0, initial=bad) for f, bad in _EXTREMES)
    kept = np.flatnonzero((enough & (high > low)).all(axis=1))
    days = records.wave_days
    at = kept.astype(float) if days is None else np.asarray(days, float)[kept]
    return Waves(scores[:, kept], tuple(kept.tolist()), tuple(np.diff(at).tolist()), days is not None)


_EXTREMES = ((np.min, np.inf), (np.max, -np.inf))


def wide(records: Records, processes: Sequence[str]) -> Float[np.ndarray, "people waves processes"]:
    """Long columns as an array by person, wave and process."""
    assert records.wave is not None
    scores = np.full((records.people, records.waves or 0, len(processes)), np.nan)
    for k, key in enumerate(processes):
        scores[records.person, records.wave, k] = records.values[key]
    return scores


def pooled_units(
    scores: Float[np.ndarray, "people waves processes"],
) -> tuple[Float[np.ndarray, "processes"], Float[np.ndarray, "processes"]]:
    """Mean and within-wave SD of each process over all waves."""
    seen = np.isfinite(scores)
    filled = np.where(seen, scores, 0.0)
    count = seen.sum(axis=0)
    mean = filled.sum(axis=0) / count
    squares = (np.where(seen, scores - mean, 0.0) ** 2).sum(axis=(0, 1))
    return filled.sum(axis=(0, 1)) / count.sum(axis=0), np.sqrt(squares / count.sum(axis=0))


def answered(waves: Waves) -> Bool[np.ndarray, "people waves"]:
    """Who answered anything at which wave."""
    return np.asarray(np.isfinite(waves.scores).any(axis=2))


def _pair(records: Records) -> tuple[str, str]:
    return records.pair.a.key, records.pair.b.key


def _weights(records: Records, extra: np.ndarray | None) -> Float[np.ndarray, "people"] | None:
    own = weights_of(records)
    if own is None or extra is None:
        return extra if own is None else own
    return np.asarray(own * extra)


def _left_out(named: Sequence[str], fixed: Fixed, waves: Waves, records: Records) -> tuple[str, ...]:
    dropped = [f"wave {t + 1}" for t in range(records.waves or 0) if t not in waves.kept]
    return (*named, *fixed.left_out, *dropped)
