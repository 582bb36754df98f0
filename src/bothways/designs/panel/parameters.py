"""Parameters in words that a researcher knows, in the units of the records, with their standardised values."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from scipy.special import ndtri

from bothways.designs.panel.effects import standardised_by_wave
from bothways.designs.panel.estimation import Fitted
from bothways.designs.panel.models import Form
from bothways.designs.panel.setup import PanelSetup
from bothways.engine.moments import implied_moments
from bothways.terms.answer import Parameter

_NAME = re.compile(r"(?P<letters>[A-Za-z]+)(?P<i>\d)?(?P<j>\d)?(?:_(?P<t>\d+))?$")
_COVARIATE = re.compile(r"(?P<kind>X|mean\.x|G\d)(?P<i>\d+)(?:\.(?P<j>\d+))?(?:_(?P<t>\d+))?$")


def parameter_table(setup: PanelSetup, fitted: Fitted, level: float) -> tuple[Parameter, ...]:
    """Every free parameter with error and interval, in recorded units, and standardised where that has a meaning."""
    if not fitted.usable or fitted.errors is None:
        return ()
    reach = float(ndtri(0.5 + level / 2))
    names, shown = fitted.fit.model.names, standardised_values(fitted)
    rows = []
    for name, value, error in zip(names, fitted.fit.alpha, fitted.errors.errors, strict=True):
        factor, shift = unit(setup, fitted.form, name)
        centre, se = float(value) * factor + shift, float(error) * abs(factor)
        words = parameter_words(setup, fitted.form, name)
        rows.append(Parameter(words, centre, se, centre - reach * se, centre + reach * se, shown.get(name)))
    return tuple(rows)


def unit_factors(setup: PanelSetup, fitted: Fitted) -> np.ndarray:
    """Factors from the fitted to the recorded unit, in the order of α."""
    return np.array([unit(setup, fitted.form, name)[0] for name in fitted.fit.model.names])


def unit(setup: PanelSetup, form: Form, name: str) -> tuple[float, float]:
    """(factor, shift) from the unit of the fit to that of the records: value · factor + shift."""
    s = setup.scale
    if found := _covariate(name):
        return _covariate_unit(setup, *found)
    if name.startswith("mean."):
        letter, k = name[5], int(name[6]) - 1
        return float(s[k]), 0.0 if letter == "s" else float(setup.centre[k])
    letters, i, j, _ = split(name)
    match letters:
        case "B" | "D":
            return float(s[i] / s[j]), 0.0
        case "Phi" if form.key == "lcm-sr":
            return float(s[i // 2] * s[j // 2]), 0.0
        case "Phi" | "Psi" | "W" | "C":
            return float(s[i] * s[j]), 0.0
        case "e":
            return float(s[i] ** 2), 0.0
    return 1.0, 0.0  # standardised lags and correlations have no unit


def split(name: str) -> tuple[str, int, int, int | None]:
    """'Psi21_3' -> ('Psi', 1, 0, 2): letters, 0-based process numbers, 0-based wave or None."""
    found = _NAME.match(name)
    if found is None:
        return name, 0, 0, None
    i, j, t = found["i"], found["j"], found["t"]
    return found["letters"], int(i or 1) - 1, int(j or i or 1) - 1, None if t is None else int(t) - 1


def _covariate(name: str) -> tuple[str, int, int | None, int | None] | None:
    found = _COVARIATE.match(name)
    if found is None:
        return None
    j, t = found["j"], found["t"]
    return found["kind"], int(found["i"]) - 1, None if j is None else int(j) - 1, None if t is None else int(t) - 1


def _covariate_unit(setup: PanelSetup, kind: str, i: int, j: int | None, t: int | None) -> tuple[float, float]:
    x = setup.fixed_scale
    if kind == "X":
        return float(x[i] * x[i if j is None else j]), 0.0
    if kind == "mean.x":
        return float(x[i]), float(setup.fixed_centre[i])
    return float(setup.scale[int(kind[1]) - 1] / x[i]), 0.0


def parameter_words(setup: PanelSetup, form: Form, name: str) -> str:
    """'B21_3' -> 'back pain at wave 3 on depression, one wave before'."""
    if found := _covariate(name):
        return _covariate_words(setup, *found)
    if name.startswith("mean."):
        return _mean_words(setup, name)
    letters, i, j, t = split(name)
    if letters == "Phi" and form.key == "lcm-sr":
        return _pair_words(_growth(setup, i), _growth(setup, j), i == j)
    write = _WORDS.get(letters)
    at = "" if t is None else f" at wave {setup.wave_name(t)}"
    return (
        name if write is None else write(setup.label(setup.processes[i]), setup.label(setup.processes[j]), i == j, at)
    )


def _pair_words(one: str, other: str, same: bool, of: str = "", at: str = "") -> str:
    return f"variance of {of}{one}{at}" if same else f"covariance of {of}{one} and {other}{at}"


Words = Callable[[str, str, bool, str], str]
_WORDS: dict[str, Words] = {
    "B": lambda y, x, _, at: f"{y}{at} on {x}, one wave before",
    "beta": lambda y, x, _, at: f"{y}{at} on {x}, one wave before (standardised)",
    "D": lambda y, x, _, at: f"drift of {y} by {x}, per median gap{at}",
    "Phi": lambda y, x, same, at: _pair_words(y, x, same, "the usual levels of ", at),
    "Psi": lambda y, x, same, at: _pair_words(y, x, same, "what is new in ", at),
    "W": lambda y, x, same, at: _pair_words(y, x, same, "the deviations in ", at),
    "C": lambda y, x, _, at: f"covariance of the lasting cause of {y} and {x} at the first wave{at}",
    "e": lambda y, _, __, at: f"variance of what lasts for one occasion in {y}{at}",
    "sd": lambda y, _, __, at: f"standard deviation of the deviations in {y}{at}",
    "r": lambda y, x, _, at: f"correlation of the deviations in {y} and {x}{at}",
}


def _growth(setup: PanelSetup, index: int) -> str:
    kind = "starting level" if index % 2 == 0 else "trend"
    return f"the {kind} of {setup.label(setup.processes[index // 2])}"


def _mean_words(setup: PanelSetup, name: str) -> str:
    letter, k, t = name[5], int(name[6]) - 1, name.partition("_")[2]
    label = setup.label(setup.processes[k])
    kinds = {"i": "mean starting level of ", "s": "mean trend of "}
    at = f" at wave {setup.wave_name(int(t) - 1)}" if t else ""
    return kinds.get(letter, "mean of ") + label + at


def _covariate_words(setup: PanelSetup, kind: str, i: int, j: int | None, t: int | None) -> str:
    x = setup.label(setup.fixed[i])
    if kind == "X":
        other = setup.label(setup.fixed[i if j is None else j])
        return _pair_words(x, other, i == j)
    if kind == "mean.x":
        return f"mean of {x}"
    at = "" if t is None else f" at wave {setup.wave_name(t)}"
    return f"{setup.label(setup.processes[int(kind[1]) - 1])}{at} on {x}"


def standardised_values(fitted: Fitted) -> dict[str, float]:
    """Standardised values by label: lags in within-person SDs, covariances as correlations, residuals as shares."""
    model, alpha = fitted.fit.model, fitted.fit.alpha
    beta = standardised_by_wave(model)(alpha)
    implied = implied_moments(model.structure, model.cells(alpha)[0])
    total, own = np.diag(implied.omega), np.diag(implied.S)
    found: dict[str, float] = {}
    for name in model.names:
        letters, i, j, t = split(name)
        if letters == "B":
            found[name] = float(beta[:, i, j].mean() if t is None else beta[t - 1, i, j])
        elif letters == "Psi" and t is not None:
            one, other = model.lagged[t][i], model.lagged[t][j]
            unit = total[one] if i == j else np.sqrt(max(own[one] * own[other], 0.0))
            if unit > 0:
                found[name] = float(implied.S[one, other] / unit)
        elif letters == "Phi" and i != j:
            variances = own[i] * own[j]
            if variances > 0:
                found[name] = float(implied.S[i, j] / np.sqrt(variances))
    return found
