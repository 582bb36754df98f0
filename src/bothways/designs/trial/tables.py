"""The tables of a trial: flow, balance, effects of the arms, the lever, and what runs through what."""

from __future__ import annotations

import numpy as np

from bothways.designs.trial.answers import Run
from bothways.designs.trial.estimation import Compared
from bothways.designs.trial.lever import ENDS
from bothways.designs.trial.mediation import Mediated, Part
from bothways.designs.trial.setup import TrialSetup
from bothways.designs.trial.words import left_unequally
from bothways.terms.answer import Cell, Fit, Parameter, Table

Row = tuple[Cell, ...]


def flow_table(setup: TrialSetup) -> Table:
    """Who was randomised, and who answered what and when, by arm."""
    rows: list[Row] = []
    for g, label in enumerate(setup.arms.labels):
        mine = setup.arm == g
        rows.append((label, "randomised", int(mine.sum()), None, None))
        for t in range(len(setup.waves)):
            given = [int(np.isfinite(setup.scores[mine, t, k]).sum()) for k in range(2)]
            either = int(np.isfinite(setup.scores[mine, t]).any(axis=1).sum())
            rows.append((label, f"wave {setup.wave_name(t)}", either, *given))
    a, b = setup.conditions
    apart = int((setup.arms.code < 0).sum())
    outside = f" {apart:,} people of the records have no arm and take no part." if apart else ""
    unequal = [f"wave {setup.wave_name(t)}" for t, _, p in left_unequally(setup) if p < 0.05]
    left = f" Arms answered unequally often at {', '.join(unequal)}." if unequal else ""
    return Table(
        "trial.flow",
        "From randomisation to answers",
        ("arm", "stage", "people", f"answered on {a.label}", f"answered on {b.label}"),
        tuple(rows),
        f"Everybody randomised is analysed as randomised.{outside}{left}",
    )


def balance_table(setup: TrialSetup) -> Table:
    """What the arms were like before treatment; differences here are chance and are not tested."""
    columns = [(c.label, setup.scores[:, 0, k]) for k, c in enumerate(setup.conditions) if k in setup.before]
    columns += [(setup.records.labels.get(n, n), setup.fixed[:, i]) for i, n in enumerate(setup.covariates)]
    rows: list[Row] = []
    for name, x in columns:
        base = x[(setup.arm == 0) & np.isfinite(x)]
        for g, label in enumerate(setup.arms.labels):
            mine = x[(setup.arm == g) & np.isfinite(x)]
            spread = float(np.sqrt((mine.var(ddof=1) + base.var(ddof=1)) / 2))
            apart = float(mine.mean() - base.mean()) / spread if g and spread > 0 else None
            rows.append((name, label, len(mine), float(mine.mean()), float(mine.std(ddof=1)), apart))
    return Table(
        "trial.balance",
        "The arms before treatment",
        ("what", "arm", "people", "mean", "SD", "standardised difference"),
        tuple(rows),
        f"Differences from {setup.arms.reference}, in SDs. Covariates are in SDs from their mean. Differences before "
        "treatment are chance; the comparison gives all arms one mean then.",
    )


def effects_table(run: Run) -> Table:
    """What arms did to both conditions at each wave: the test of all arms together."""
    rows: list[Row] = []
    for k, condition in enumerate(run.setup.conditions):
        for t, p, holm in run.both[k].tested:
            first = "first" if run.both[k].first == t else ""
            rows.append((condition.label, run.setup.wave_name(t), p, holm, first))
    return Table(
        "trial.moved",
        "Which condition did the arm move, and when?",
        ("condition", "wave", "p, all arms", "p, by Holm", "moved"),
        tuple(rows),
        "Tests that no arm moved the condition. By Holm: with allowance for the waves looked at.",
    )


def lever_table(run: Run) -> Table:
    """The arm as a lever, each way."""
    rows: list[Row] = []
    for lever in run.levers:
        cause, outcome = (run.setup.conditions[k].label for k in ENDS[lever.direction])
        waves = [None if t is None else run.setup.wave_name(t) for t in (lever.cause, lever.outcome)]
        r = lever.found
        numbers: Row = (None,) * 6 if r is None else (r.value, r.low, r.high, r.strength, r.misfit, r.misfit_p)
        kept = tuple(x if x is None or isinstance(x, str) or np.isfinite(x) else None for x in numbers)
        rows.append((f"{cause} to {outcome}", *waves, *kept, lever.refusal or "read"))
    return Table(
        "trial.lever",
        "The arm as a lever",
        ("direction", "cause at wave", "outcome at wave", "ratio, SD per SD", "low", "high", "F of the lever",
         "misfit between arms", "p of misfit", "read, or why not"),
        tuple(rows),
        "The ratio is the arm's effect on the outcome for each SD by which it moved the cause. An empty limit is none: "
        "the lever is too weak for one. An F below 10 is weak.",
    )  # fmt: skip


def mediation_table(setup: TrialSetup, rows: tuple[Mediated, ...], level: float) -> Table:
    """How much of the arm's effect on one condition runs through the other."""
    return Table(
        "trial.mediation",
        "How much of the arm's effect runs through the other condition?",
        ("direction", "arm", "from wave", "to wave", "part", "value", "low", "high", "nil at correlation"),
        tuple(row for m in rows for row in _parts(setup, m)),
        f"In SDs before treatment, the second step in SD per SD; {level:.0%} limits. The answers before treatment and "
        "the outcome at the wave of the first step are held; whatever else makes people have more of both stays in the "
        "second step, as it does not in the lever's ratio. What runs through is a product and nil if an unmeasured "
        "cause lends the residuals of the two steps the correlation in the last column.",
    )


def _parts(setup: TrialSetup, m: Mediated) -> list[Row]:
    cause, outcome = (setup.conditions[k].label for k in ENDS[m.direction])
    named: list[tuple[str, Part | None]] = [
        (f"arm to {cause}", m.first),
        (f"{cause} to {outcome}", m.second),
        (f"through {cause}", m.through),
        ("by other ways", m.rest),
        ("in all", m.total),
        (f"share through {cause}", m.share),
    ]
    head = (f"{cause} to {outcome}", m.arm, setup.wave_name(m.cause_wave), setup.wave_name(m.outcome_wave))
    return [
        (*head, name, part.value, part.low, part.high, m.nil_at if name.startswith("through") else None)
        for name, part in named
        if part is not None
    ]


def fit_of(compared: Compared, level: float) -> Fit:
    """The comparison as facts: effects of the arms in SDs, the rest on the model's own scale."""
    status = compared.fit.status
    if not compared.usable or compared.errors is None:
        ended = str(status.outcome) if str(status.outcome) != "converged" else "no standard errors"
        return Fit("trial", "clda", ended, iterations=status.iterations, seconds=compared.seconds)
    names = compared.fit.model.names
    found = compared.function(lambda alpha: alpha, level)
    rows = tuple(
        Parameter(name, float(v), float(s), float(low), float(high))
        for name, v, s, low, high in zip(names, found.value, found.error, found.low, found.high, strict=True)
    )
    return Fit(
        "trial", "clda", "converged", rows, compared.errors, compared.fit.loglik, status.iterations, status.gradient,
        compared.seconds, {"parameters": float(len(names)), "df": float(status.degrees_of_freedom)},
    )  # fmt: skip
