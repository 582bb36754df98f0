"""The model of a panel as lavaan or Mplus syntax, and the table to fit it to, so that anyone can refit it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from jaxtyping import Float

from bothways.designs.panel.equations import Equations, Value, equations_of
from bothways.designs.panel.estimation import Headline, headline
from bothways.designs.panel.models import FAMILIES, Form, headline_forms, path_model
from bothways.designs.panel.setup import PanelSetup, prepare
from bothways.terms.errors import QuestionError
from bothways.terms.records import Records

MISSING = -999
LATENT = re.compile(r"[abegiswxz]\d+(_\d+)?")  # what the model's own elements are called
OWN_COLUMNS = ("weight", "cluster")
R_WORDS = ("if", "else", "repeat", "while", "function", "for", "next", "break", "in", "TRUE", "FALSE", "NULL", "NA")


def export_syntax(setup: PanelSetup, form: Form | Headline, program: str) -> str:
    """A script that fits ``form`` (or the headline's chosen form) to the columns of ``wide_columns``.

    Its estimates are those of this package in recorded units. A drift over unequal gaps is written as constraints
    between the lag matrices, B(Δ) = B^(Δ/Δ₁), which has a closed form for two processes only.

    Raises QuestionError for another program, or for a form that these programs' syntax cannot state.
    """
    chosen = form.chosen.form if isinstance(form, Headline) else form
    if program not in ("lavaan", "mplus"):
        raise QuestionError("--export-syntax", f"'{program}' is not known", "Choose lavaan or mplus")
    if chosen.residuals != "free" or chosen.lags == "standardised" or (chosen.lags == "drift" and setup.K != 2):
        raise QuestionError("--export-syntax", f"{chosen.says} cannot be written so", "Export the form with equal lags")
    names = lavaan_names(setup) if program == "lavaan" else mplus_names(setup)
    equations = equations_of(path_model(setup, chosen), names)
    constraints = _drift_constraints(setup) if chosen.lags == "drift" else Constraints()
    write = _lavaan if program == "lavaan" else _mplus
    return write(setup, chosen, equations, constraints)


def script_of(records: Records, program: str) -> str:
    """The script of the model that speaks for ``records``, in the form that its own test chose."""
    setup = prepare(records)
    return export_syntax(setup, headline(setup, headline_forms(setup)), program)


def wide_columns(setup: PanelSetup, program: str = "lavaan") -> dict[str, Float[np.ndarray, "people"]]:
    """The table that the script reads, by its names and in recorded units, NaN where missing."""
    names = lavaan_names(setup) if program == "lavaan" else mplus_names(setup)
    scores = setup.waves.scores[setup.rows].reshape(setup.people, -1)
    fixed = setup.table[:, scores.shape[1] :] * setup.fixed_scale + setup.fixed_centre
    columns = dict(zip(names, np.concatenate([scores, fixed], axis=1).T, strict=True))
    if setup.weights is not None:
        columns["weight"] = setup.weights
    if setup.clusters is not None:
        columns["cluster"] = setup.clusters.astype(float)
    return columns


def lavaan_names(setup: PanelSetup) -> tuple[str, ...]:
    """depression_1, back_pain_1, ...: the columns' own names by wave."""
    scores = [_free(f"{_plain(key)}_{setup.wave_name(t)}") for t in range(setup.T) for key in setup.processes]
    return _distinct((*scores, *(_free(_plain(name)) for name in setup.fixed)))


def mplus_names(setup: PanelSetup) -> tuple[str, ...]:
    """y1_1, y2_1, ..., x1: Mplus reads eight letters of a name."""
    scores = [f"y{k + 1}_{t + 1}" for t in range(setup.T) for k in range(setup.K)]
    return (*scores, *(f"x{i + 1}" for i in range(len(setup.fixed))))


def _plain(name: str) -> str:
    """The letters, digits and lines of a name, which R can read."""
    return re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_") or "v"


def _free(name: str) -> str:
    """``name``, with v_ before it where R, the model or the table needs that name itself, or it begins with a digit."""
    taken = LATENT.fullmatch(name) or name in (*OWN_COLUMNS, *R_WORDS)
    return f"v_{name}" if taken or not name[0].isalpha() else name


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    return tuple(name if names.index(name) == i else f"{name}.{i}" for i, name in enumerate(names))


@dataclass(frozen=True, slots=True)
class Constraints:
    """Named quantities, and labels that equal an expression of them."""

    named: tuple[tuple[str, str], ...] = ()
    tied: tuple[tuple[str, str], ...] = ()


def _drift_constraints(setup: PanelSetup) -> Constraints:
    """Every lag matrix after the first as a power of it: B(Δ) = ((λ₁ʳ − λ₂ʳ) B − (λ₁ʳλ₂ − λ₂ʳλ₁) Id)/(λ₁ − λ₂).

    r = Δ/Δ₁ and λ₁, λ₂ the eigenvalues of the first matrix (Cayley & Hamilton).
    """
    named = [
        ("half", "(B11_2 + B22_2)/2"),
        ("root", "sqrt(half^2 - B11_2*B22_2 + B12_2*B21_2)"),
        ("one", "half + root"),
        ("two", "half - root"),
    ]
    tied = []
    for t in range(2, setup.T):
        r = f"{setup.waves.gaps[t - 1] / setup.waves.gaps[0]:.15g}"
        named.append((f"slope{t + 1}", f"(one^{r} - two^{r})/(2*root)"))
        named.append((f"level{t + 1}", f"(one^{r}*two - two^{r}*one)/(2*root)"))
        for i in (1, 2):
            for j in (1, 2):
                minus = f" - level{t + 1}" if i == j else ""
                tied.append((f"B{i}{j}_{t + 1}", f"slope{t + 1}*B{i}{j}_2{minus}"))
    return Constraints(tuple(named), tuple(tied))


def _lavaan(setup: PanelSetup, form: Form, eq: Equations, constraints: Constraints) -> str:
    lines = [f"  {latent} =~ {_sum(rows)}" for latent, rows in _by_first(eq.loadings)]
    lines += [f"  {outcome} ~ {_sum(rows)}{_started(rows, constraints)}" for outcome, rows in _by_first(eq.regressions)]
    lines += [f"  {a} ~~ {_times(value, b)}" for a, b, value in eq.covariances]
    owned = {a for a, b, _ in eq.covariances if a == b}
    lines += [f"  {name} ~~ 0*{name}" for name in eq.observed if name not in owned]
    lines += [f"  {name} ~ {_times(value, '1')}" for name, value in eq.means]
    lines += [f"  {name} := {expression}" for name, expression in constraints.named]
    lines += [f"  {label} == {expression}" for label, expression in constraints.tied]
    extra = "".join(
        f', {option} = "{column}"'
        for option, column, there in (
            ("cluster", "cluster", setup.clusters is not None),
            ("sampling.weights", "weight", setup.weights is not None),
        )
        if there
    )
    return "\n".join(
        [
            f"# {FAMILIES[form.key].label}, {form.says}",
            "library(lavaan)",
            'data <- read.csv("panel.csv")',
            "model <- '",
            *lines,
            "'",
            'fit <- lavaan(model, data = data, missing = "fiml", estimator = "MLR", meanstructure = TRUE,',
            f"              int.ov.free = FALSE, int.lv.free = FALSE, fixed.x = FALSE{extra})",
            "summary(fit, fit.measures = TRUE, standardized = TRUE)",
            "",
        ]
    )


def _started(rows: Sequence[tuple[str, str, Value]], constraints: Constraints) -> str:
    """Starting values of the lags, where powers of their matrix must exist from the first step on."""
    lags = [(name, value) for _, name, value in rows if isinstance(value, str) and value.startswith("B")]
    return "".join(f" + start({_start(value)})*{name}" for name, value in lags) if constraints.tied else ""


def _start(label: str) -> float:
    """A matrix of lags with two different positive eigenvalues, so that its powers exist where the search begins."""
    return {"B11": 0.4, "B22": 0.3}.get(label[:3], 0.05)


def _sum(rows: Iterable[tuple[str, str, Value]]) -> str:
    return " + ".join(_times(value, name) for _, name, value in rows)


def _times(value: Value, name: str) -> str:
    return f"{value}*{name}" if isinstance(value, str) else f"{value:.17g}*{name}"


def _by_first(rows: Sequence[tuple[str, str, Value]]) -> list[tuple[str, list[tuple[str, str, Value]]]]:
    ordered = sorted(rows, key=lambda row: [r[0] for r in rows].index(row[0]))
    return [(first, list(group)) for first, group in groupby(ordered, key=lambda row: row[0])]


def _mplus(setup: PanelSetup, form: Form, eq: Equations, constraints: Constraints) -> str:
    label = _MplusLabels()
    model = [f"  {latent} BY {name}{label.at(value)};" for latent, name, value in eq.loadings]
    model += [f"  {y} ON {x}{_mplus_start(value, constraints)}{label.at(value)};" for y, x, value in eq.regressions]
    model += [f"  {a}{'' if a == b else f' WITH {b}'}{label.at(value)};" for a, b, value in eq.covariances]
    owned = {a for a, b, _ in eq.covariances if a == b}
    model += [f"  {name}@0;" for name in eq.observed if name not in owned]
    model += [f"  [{name}{label.at(value)}];" for name, value in eq.means if not isinstance(value, str)]
    model += [f"  [{name}]{label.at(value)};" for name, value in eq.means if isinstance(value, str)]
    tied = ["MODEL CONSTRAINT:", f"  NEW({' '.join(name for name, _ in constraints.named)});"]
    tied += [f"  {name} = {label.inside(text)};" for name, text in constraints.named]
    tied += [f"  {label.of(name)} = {label.inside(text)};" for name, text in constraints.tied]
    extra = ["  WEIGHT = weight;"] if setup.weights is not None else []
    extra += ["  CLUSTER = cluster;"] if setup.clusters is not None else []
    kind = ["  TYPE = COMPLEX;"] if setup.clusters is not None else []
    return "\n".join(
        [
            f"TITLE: {FAMILIES[form.key].label}, {form.says};",
            *(f"! {name}: {words}" for name, words in _key(setup, eq)),
            "DATA: FILE = panel.dat;",
            "VARIABLE:",
            *_wrapped("  NAMES =", wide_columns(setup, "mplus")),
            *_wrapped("  USEVARIABLES =", eq.observed),
            f"  MISSING = ALL ({MISSING});",
            *extra,
            "ANALYSIS:",
            *kind,
            "  ESTIMATOR = MLR;",
            "  MODEL = NOCOVARIANCES;",
            "MODEL:",
            *model,
            *(tied if constraints.tied else []),
            "OUTPUT: STDYX CINTERVAL;",
            "",
        ]
    )


def _mplus_start(value: Value, constraints: Constraints) -> str:
    return f"*{_start(value)}" if constraints.tied and isinstance(value, str) and value.startswith("B") else ""


class _MplusLabels:
    """Labels of at most eight letters, numbered in the order of their first use."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def of(self, label: str) -> str:
        short = label.replace(".", "").replace("mean", "m").replace("intercept", "i")
        free = len(short) <= 8 and (label in self._known or short not in self._known.values())
        return self._known.setdefault(label, short if free else f"p{len(self._known) + 1}")

    def at(self, value: Value) -> str:
        return f" ({self.of(value)})" if isinstance(value, str) else f"@{value:.15g}"

    def inside(self, text: str) -> str:
        """An expression, its labels replaced and its powers written as Mplus does."""
        return re.sub(r"B\d\d_\d+", lambda found: self.of(found[0]), text).replace("^", "**")


def _key(setup: PanelSetup, eq: Equations) -> list[tuple[str, str]]:
    scores = [f"{setup.label(key)}, wave {setup.wave_name(t)}" for t in range(setup.T) for key in setup.processes]
    return list(zip(eq.observed, (*scores, *(setup.label(name) for name in setup.fixed)), strict=True))


def _wrapped(head: str, names: Mapping[str, object] | Sequence[str]) -> list[str]:
    """Lines of at most 80 letters, as Mplus reads them."""
    lines, line = [], head
    for name in names:
        if len(line) + len(name) + 1 > 78:
            lines.append(line)
            line = "   "
        line += f" {name}"
    return [*lines, line + ";"]
