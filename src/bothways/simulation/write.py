"""What was seen -> Records: long rows with their roles, labels and a digest of their source."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
from jaxtyping import Float

from bothways.simulation.catalogue import WorldSpec
from bothways.simulation.mechanism import Mechanism
from bothways.simulation.observe import Observation
from bothways.simulation.onset_world import Followed
from bothways.simulation.processes import MEDIATORS, PROCESSES
from bothways.simulation.score_world import Answers
from bothways.terms.question import Condition, Kind, Pair
from bothways.terms.records import Records, Roles, Source, TimeUnit

A, B = "depression", "back_pain"
LABELS = {
    **{key: process.label for key, process in PROCESSES.items()},
    "chronic_pain": "pain for over three months",
    "clinical_depression": "clinical depression",
    "death": "death",
    "age": "age",
    "sex": "sex",
}


def who(people: int, rng: np.random.Generator) -> dict[str, Float[np.ndarray, "people"]]:
    """What does not change: age at entry and sex (1 for women). Neither plays a part in any world's mechanism."""
    return {"age": rng.integers(20, 71, people).astype(float), "sex": rng.integers(0, 2, people).astype(float)}


def score_records(
    spec: WorldSpec,
    mechanism: Mechanism,
    answers: Answers,
    baseline: dict[str, Float[np.ndarray, "people"]],
    common: bool,
) -> Records:
    """A panel or diary: a row for each time that a person who had not left was asked."""
    here = ~answers.gaps.left
    person, occasion = np.nonzero(here)
    keys = (*mechanism.variables, mechanism.flag)
    shown = [k for k, key in enumerate(keys) if key != mechanism.flag or mechanism.flag in spec.seen]
    values = {keys[k]: answers.values[here, k] for k in shown}
    lost = {keys[k]: int((answers.gaps.skipped[..., k] & here).sum()) for k in shown}
    return Records(
        pair=pair_of(Kind.SCORE),
        person=person,
        time=answers.days[here],
        time_unit=TimeUnit.DAY,
        values=values,
        roles=roles_of(tuple(values), "wave" if common else "day"),
        source=source_of(spec.name, values, len(here)),
        wave=occasion if common else None,
        wave_days=answers.days[0] if common else None,
        baseline=baseline,
        labels=labels_of(values, baseline),
        reasons=_reasons(lost),
    )


def onset_records(
    spec: WorldSpec, followed: Followed, baseline: dict[str, Float[np.ndarray, "people"]], how: Observation
) -> Records:
    """An onset cohort: 0/1 states at visits, or a row for each dated change with the events beside."""
    values = followed.values
    return Records(
        pair=pair_of(Kind.EVENT if how.seen == "dated" else Kind.STATE),
        person=followed.person,
        time=followed.day,
        time_unit=TimeUnit.DAY,
        values=values,
        roles=roles_of(tuple(values), "day"),
        source=source_of(spec.name, values, len(baseline["age"])),
        baseline=baseline,
        labels=labels_of(values, baseline),
        events=followed.events,
        reasons=_reasons(followed.skipped),
    )


def pair_of(kind: Kind) -> Pair:
    """Depression (A) and back pain (B)."""
    return Pair(Condition(A, LABELS[A], kind), Condition(B, LABELS[B], kind))


def roles_of(keys: tuple[str, ...], time: str) -> Roles:
    """Roles of columns: the pair, mediators as pathways, circumstances to compare by, the rest as covariates."""
    compared = ("chronic_pain", "clinical_depression", "pain_sites")
    special = (A, B, *compared, "death")
    return Roles(
        id="id",
        time=time,
        a=(A,),
        b=(B,),
        pathways=tuple(key for key in keys if key in MEDIATORS),
        covariates=tuple(key for key in keys if key not in special and key not in MEDIATORS),
        by=tuple(key for key in compared if key in keys),
        stages={B: "chronic_pain"} if "chronic_pain" in keys else {},
    )


def labels_of(*columns: Mapping[str, Float[np.ndarray, "_"]]) -> dict[str, str]:
    """How a person reads each column."""
    return {key: LABELS[key] for part in columns for key in part}


def source_of(name: str, values: Mapping[str, Float[np.ndarray, "rows"]], people: int) -> Source:
    """Where the records came from: a simulated world, with a digest of the values."""
    digest = hashlib.sha256()
    for key, column in values.items():
        digest.update(key.encode())
        digest.update(np.ascontiguousarray(column).tobytes())
    rows = len(next(iter(values.values())))
    return Source(f"simulated:{name}", digest.hexdigest(), rows, people)


def _reasons(lost: Mapping[str, int]) -> dict[str, dict[str, int]]:
    return {key: {"not answered": count} for key, count in lost.items() if count}
