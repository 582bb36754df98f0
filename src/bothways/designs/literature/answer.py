"""The literature's answer: place the estimates, pool what may be pooled, let one number speak each way, show all."""

from __future__ import annotations

from dataclasses import replace

from bothways.designs.literature.convert import on_risk_scale
from bothways.designs.literature.families import ENOUGH, families
from bothways.designs.literature.place import place
from bothways.designs.literature.references import claims_table, references_table
from bothways.designs.literature.speakers import SPEAKING, headlines, shown, speaker
from bothways.designs.literature.tables import checks, ladder, pools
from bothways.designs.literature.why import why_studies_disagree
from bothways.designs.literature.words import as_table, tell
from bothways.terms.answer import DesignResult
from bothways.terms.question import Direction, Pair
from bothways.terms.settings import Settings
from bothways.terms.topic import Claim, Evidence

WAYS = (Direction.A_TO_B, Direction.B_TO_A)


def answer_literature(
    evidence: tuple[Evidence, ...],
    pair: Pair,
    settings: Settings,
    claims: tuple[Claim, ...] = (),
    base_risk: float | None = None,
) -> DesignResult:
    """What published studies say in each direction.

    Headline answers (estimand POOLED, one each way): by the rule of ``speakers``, the random-effects mean of
    estimates that share a scale, contrast and kind of outcome, the published meta-analysis, as published, or the
    single study. Further headlines each way tell the within-person estimate (CROSS_LAG) and the trials (line D),
    where there are any. All others are shown
    with their bias line. ``base_risk`` turns odds and hazard ratios into risk ratios before pooling, by published
    formulas and flagged; without it every number stays on its printed scale.

    Raises
    ------
    ValueError : where ``base_risk`` is not between 0 and 1.
    """
    if not evidence:
        return DesignResult(
            "literature",
            refused="no published estimates are known for these two conditions",
            mend="Give a file of published estimates with --evidence",
        )
    evidence = tuple(_named(e, pair) for e in evidence)
    placed = place(evidence)
    if base_risk is not None:
        placed = tuple(on_risk_scale(entry, base_risk) for entry in placed)
    made, entries = families(placed, settings.level)
    spoken = [
        answer
        for way in WAYS
        for answer in headlines(way, pair, {group: speaker(way, group, made, entries) for group in SPEAKING})
    ]
    rungs = [shown(entry, pair) for entry in entries if entry.estimate is not None]
    tables = [as_table(tell(made, entries, pair, settings, claims))]
    tables += [table for way in WAYS for table in (ladder(way, pair, entries), pools(way, pair, made))]
    tables += [*checks(made), why_studies_disagree(evidence)]
    tables += [claims_table(claims, pair)] if claims else []
    return DesignResult(
        "literature",
        answers=(*spoken, *rungs),
        tables=(*tables, references_table(evidence)),
        methods=_methods(evidence, base_risk),
    )


def _named(e: Evidence, pair: Pair) -> Evidence:
    """An estimate whose row leaves exposure or outcome unsaid takes the condition that its slot names."""
    labels = {"a": pair.a.label, "b": pair.b.label}
    exposure = e.exposure or labels.get(e.exposure_is, "an exposure that is not named")
    return replace(e, exposure=exposure, outcome=e.outcome or labels.get(e.outcome_is, "an outcome that is not named"))


def _methods(evidence: tuple[Evidence, ...], base_risk: float | None) -> str:
    confirmed = sum(e.number_confirmed for e in evidence)
    sources = len({e.citation for e in evidence})
    converted = (
        "No number was converted between scales, save that a within-person coefficient printed raw and standardised "
        "takes its interval in the same proportion."
        if base_risk is None
        else f"Odds ratios (Zhang and Yu 1998) and hazard ratios (VanderWeele 2020) were turned into risk ratios at a "
        f"risk of {base_risk:g} without the first condition."
    )
    return (
        f"{len(evidence)} published estimates from {sources} sources were read, {confirmed} of them with a confirmed "
        f"number. Estimates were pooled only within one direction, one scale, one contrast and one kind of outcome, "
        f"with {ENOUGH} or more samples of people, by random effects (restricted maximum likelihood) with "
        f"Knapp-Hartung intervals that are never narrower than the plain ones, and a prediction interval on k - 1 "
        f"degrees of freedom. One sample counted once, through its most adjusted estimate. Published meta-analyses "
        f"were never pooled again, unconfirmed numbers and wider measures never pooled. {converted} The search was "
        f"not systematic."
    )
