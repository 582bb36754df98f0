"""A condition measured by several items: the RI-CLPM of what the items share, after testing that they mean the same.

The ladder of invariance over time (Mulder & Hamaker 2021): configural, equal loadings, equal intercepts, one random
intercept for each condition. Lags are read from the last rung that its test, against the rung before, lets stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import ndtr

from bothways.designs.panel.room import DIRECTIONS, place_of
from bothways.designs.panel.setup import pooled_units, wide
from bothways.engine.effects import pooled
from bothways.engine.fitindices import FitIndices, indices
from bothways.engine.fitting import Outcome, PanelFit, fit_model
from bothways.engine.inference import Uncertainty, robust
from bothways.engine.panel_models.indicators import LADDER, Invariance, indicator_ri_clpm
from bothways.engine.patterns import PanelData, pattern_statistics
from bothways.engine.saturated import Saturated, saturate
from bothways.engine.scaled import Test, difference_test, saturated_pieces
from bothways.terms.answer import Answer, Cell, DesignResult, Estimand, Estimate, Status, Table
from bothways.terms.errors import QuestionError
from bothways.terms.question import Facet, Question, Scale
from bothways.terms.records import Records
from bothways.terms.settings import Settings

STANDS = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Rung:
    """One rung of the ladder with the test against the rung before."""

    invariance: Invariance
    fit: PanelFit
    errors: Uncertainty
    indices: FitIndices
    test: Test | None


def answer_by_items(records: Records, a: Sequence[str], b: Sequence[str], settings: Settings) -> DesignResult:
    """The pair's lags from items (keys of ``records.values``) instead of scores; the first item of each sets the unit.

    Raises QuestionError for fewer than three waves, a single item on both sides, or a ladder whose first rung fails.
    """
    if (records.waves or 0) < 3 or len(a) + len(b) < 3:
        raise QuestionError("items", "three waves and several items of one condition are needed", "Ask with the scores")
    unknown = [key for key in (*a, *b) if key not in records.values]
    if unknown:
        raise QuestionError("items", f"the records hold no {', '.join(unknown)}", "Name columns of the table")
    data = _data(records, (*a, *b))
    rungs = _ladder((len(a), len(b)), records.waves or 0, data)
    speaking = _standing(rungs)
    answers = tuple(_answers(records, speaking, int(data.total), settings))
    methods = (
        "Each condition was measured by its items: a random-intercept cross-lagged panel model of factors with "
        f"{_SAYS[speaking.invariance]} (Mulder & Hamaker 2021), by full-information maximum likelihood with robust "
        "errors."
    )
    return DesignResult("panel", answers, (), (_table(rungs),), methods)


def _data(records: Records, items: Sequence[str]) -> PanelData:
    scores = wide(records, items)
    centre, scale = pooled_units(scores)
    table = ((scores - centre) / scale).reshape(len(scores), -1)
    return pattern_statistics(table)


def _ladder(counts: tuple[int, int], waves: int, data: PanelData) -> list[Rung]:
    rungs: list[Rung] = []
    h1 = saturate(data)
    for invariance in LADDER:
        rung = _rung(counts, waves, data, h1, invariance, rungs[-1] if rungs else None)
        if rung is None:
            break
        rungs.append(rung)
    if not rungs:
        raise QuestionError("items", "the model of the items could not be fitted", "Ask with the scores")
    return rungs


def _rung(
    counts: tuple[int, int],
    waves: int,
    data: PanelData,
    h1: tuple[Saturated, ...],
    invariance: Invariance,
    before: Rung | None,
) -> Rung | None:
    model = indicator_ri_clpm(counts, waves, invariance=invariance, lags="equal")
    fit = fit_model(model, data, saturated=h1)
    if fit.status.outcome not in (Outcome.CONVERGED, Outcome.INADMISSIBLE):
        return None
    errors = robust(fit)
    test = None
    if before is not None and len(before.fit.alpha) > len(fit.alpha):
        test = difference_test(fit, before.fit, tau=(errors.tau, before.errors.tau))
    return Rung(invariance, fit, errors, indices(fit, errors, saturated_pieces(fit)), test)


def _standing(rungs: Sequence[Rung]) -> Rung:
    """The last rung up to which every test let its rung stand."""
    standing = rungs[0]
    for rung in rungs[1:]:
        if rung.test is not None and rung.test.p < STANDS:
            break
        standing = rung
    return standing


def _answers(records: Records, rung: Rung, people: int, settings: Settings) -> list[Answer]:
    interval = pooled(rung.fit, rung.errors.covariance, settings.level)
    rows = []
    for direction in DIRECTIONS:
        place = place_of(direction, 2)
        first, second = direction.ends(records.pair)
        value, se = float(interval.value[place]), float(interval.error[place])
        p = float(2 * ndtr(-abs(value) / se)) if se > 0 else None
        low, high = float(interval.low[place]), float(interval.high[place])
        rows.append(
            Answer(
                id=f"panel.items.{direction}",
                question=Question(records.pair, Facet.STRENGTH, direction, Scale.SD_PER_SD),
                design="panel",
                model="ri-clpm",
                estimand=Estimand.CROSS_LAG,
                status=Status.ANSWERED,
                estimate=Estimate(value, low, high, se, Scale.SD_PER_SD, people, settings.level, p),
                target=f"what the items of {second.label} share, one wave later",
                contrast=f"one standard deviation more of what the items of {first.label} share",
                lag_waves=1.0,
                source=records.source,
            )
        )
    return rows


_SAYS = {
    "configural": "the same items at every wave",
    "loadings": "loadings equal over time",
    "intercepts": "loadings and intercepts equal over time",
    "single": "loadings and intercepts equal over time and one random intercept for each condition",
}


def _table(rungs: Sequence[Rung]) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for rung, before in zip(rungs, [None, *rungs[:-1]], strict=True):
        x = rung.indices
        drop = None if before is None else x.scaled.cfi - before.indices.scaled.cfi
        test = (None, None, None) if rung.test is None else (rung.test.statistic, rung.test.df, rung.test.p)
        status = str(rung.fit.status.outcome)
        rows.append(
            (_SAYS[rung.invariance], status, x.scaled.chisq, x.plain.df, x.scaled.cfi, x.scaled.rmsea, drop, *test)
        )
    return Table(
        "panel.items",
        "Do the items mean the same at every wave?",
        ("held equal", "status", "chisq", "df", "cfi", "rmsea", "change of cfi", "difference", "df of it", "p"),
        tuple(rows),
        "Each row against the one before by a scaled difference test; a small p speaks against holding them equal.",
    )
