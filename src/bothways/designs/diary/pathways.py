"""A third condition between the two: direct and indirect effects by lag, and peaks that three processes can tell."""

from __future__ import annotations

import numpy as np

from bothways.designs.diary.answers import DIRECTIONS, ENDS, Run
from bothways.designs.diary.endings import not_fitted
from bothways.designs.diary.estimation import Fitted, Function, choose, delta, estimate, fit_pair
from bothways.designs.diary.peaks import peak_answer
from bothways.designs.diary.setup import DiarySetup, set_up
from bothways.engine.drift import stationary_covariance
from bothways.engine.statespace.effects import direct_effect, standardised_effect
from bothways.terms.answer import Answer, Cell, Estimand, Estimate, Status, Table
from bothways.terms.question import Direction, Facet, Question, Scale
from bothways.terms.records import Records

LEAST_SHARE = 0.5  # of the prompts at which a pathway must be answered, to be followed from prompt to prompt
PARTS = (Estimand.TOTAL, Estimand.DIRECT, Estimand.INDIRECT)


def pathways_in(records: Records) -> tuple[str, ...]:
    """Stated pathways that were asked about often enough and move."""
    keys = []
    for key in records.roles.pathways:
        column = records.values.get(key)
        given = column[np.isfinite(column)] if column is not None else np.zeros(0)
        if given.size >= LEAST_SHARE * records.rows and np.unique(given).size > 2:
            keys.append(key)
    return tuple(keys)


def pathway_answers(run: Run, pathway: str) -> tuple[list[Answer], list[Table]]:
    """Total, direct and indirect effect of each direction: answers at the headline lag, a table over all lags.

    The peak of each direction's total effect is an answer of its own, for three processes can tell it.
    """
    setup = set_up(run.setup.records, (pathway,))
    model = choose(*fit_pair(setup))
    if not model.usable:
        return [_failed(run, model, direction, pathway) for direction in DIRECTIONS], []
    return _at_headline(run, setup, model, pathway), [_course(run, setup, model, pathway)]


def _course(run: Run, setup: DiarySetup, model: Fitted, pathway: str) -> Table:
    """By lag and direction the three parts with their limits; lags that were not observed are the model's alone."""
    rows: list[tuple[Cell, ...]] = []
    for lag in run.lags.curve:
        value, C = delta(model, parts_function(np.array([lag])))
        se = np.sqrt(np.maximum(np.diag(C), 1e-18))
        for k, direction in enumerate(DIRECTIONS):
            first, second = direction.ends(run.setup.records.pair)
            numbers = [
                estimate(float(value[j]), float(se[j]), model, run.settings.level) for j in range(3 * k, 3 * k + 3)
            ]
            seen = "yes" if run.lags.observed(float(lag)) else "no"
            limits = [x for number in numbers for x in (number.value, number.low, number.high)]
            rows.append((float(lag), f"{first.label} to {second.label}", *limits, seen))
    columns = [name for part in ("total", "direct", "indirect") for name in (part, f"{part}: low", f"{part}: high")]
    return Table(
        f"diary.pathway.{pathway}",
        f"By way of {setup.label(pathway)}, by the time between",
        ("days later" if setup.in_days else "occasions later", "direction", *columns, "gap seen"),
        tuple(rows),
        "Direct: with the third process held still all the way. Effects of one standard deviation more than usual.",
    )


def _at_headline(run: Run, setup: DiarySetup, model: Fitted, pathway: str) -> list[Answer]:
    value, C = delta(model, parts_function(np.array([run.lags.headline])))
    rows = []
    for k, direction in enumerate(DIRECTIONS):
        for part, estimand in enumerate(PARTS):
            place = 3 * k + part
            number = estimate(
                float(value[place]), float(np.sqrt(max(C[place, place], 1e-18))), model, run.settings.level
            )
            rows.append(_row(run, setup, model, direction, pathway, estimand, number))
        rows.append(peak_answer(run, setup, model, direction, pathway))
    return rows


def parts_function(lag: np.ndarray) -> Function:
    """(total, direct, indirect) of A to B, then of B to A; standardised alike."""

    def function(drift: np.ndarray, diffusion: np.ndarray) -> np.ndarray:
        total = standardised_effect(drift, diffusion, lag)[:, 0]
        spread = np.sqrt(np.einsum("nii->ni", stationary_covariance(drift, diffusion)))
        direct = direct_effect(drift, lag, (2,))[:, 0] * spread[:, None, :] / spread[:, :, None]
        out = []
        for direction in DIRECTIONS:
            i, j = ENDS[direction]
            out += [total[:, i, j], direct[:, i, j], total[:, i, j] - direct[:, i, j]]
        return np.stack(out, axis=1)

    return function


def _row(
    run: Run, setup: DiarySetup, model: Fitted, direction: Direction, pathway: str, estimand: Estimand, number: Estimate
) -> Answer:
    first, second = direction.ends(run.setup.records.pair)
    through = {
        Estimand.TOTAL: "by every way",
        Estimand.DIRECT: f"with {setup.label(pathway)} held still",
        Estimand.INDIRECT: f"by way of {setup.label(pathway)}",
    }
    lag = run.lags.headline
    return Answer(
        id=f"diary.pathway.{pathway}.{estimand.value}.{direction}",
        question=Question(
            run.setup.records.pair, Facet.PATHWAY, direction, Scale.SD_PER_SD, horizon=lag, pathway=pathway
        ),
        design="diary",
        model=model.name,
        estimand=estimand,
        status=Status.ANSWERED,
        estimate=number,
        target=f"{second.label}, {run.lags.headline_words} later, {through[estimand]}",
        contrast=f"one standard deviation more {first.label} than usual, all else alike at that moment",
        lag_days=lag if run.setup.in_days else None,
        lag_waves=None if run.setup.in_days else lag,
        caveats=run.caveats,
        source=run.setup.records.source,
    )


def _failed(run: Run, model: Fitted, direction: Direction, pathway: str) -> Answer:
    return Answer(
        id=f"diary.pathway.{pathway}.indirect.{direction}",
        question=Question(run.setup.records.pair, Facet.PATHWAY, direction, Scale.SD_PER_SD, pathway=pathway),
        design="diary",
        model=model.name,
        estimand=Estimand.INDIRECT,
        status=Status.FAILED,
        status_says=not_fitted("The model with this pathway", model.fit.outcome),
        source=run.setup.records.source,
    )
