"""The reference cases of `tests/reference/panel.R`: the model, its data and how it was fitted there."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from bothways.engine.fitting import PanelFit, fit_model
from bothways.engine.panel_models.builder import PathModel
from bothways.engine.panel_models.cross_lagged import clpm, ri_clpm, starts_model
from bothways.engine.panel_models.dynamic_panel import dynamic_panel, predetermined_panel
from bothways.engine.panel_models.groups import over_groups
from bothways.engine.panel_models.growth import lcm_sr
from bothways.engine.panel_models.indicators import LADDER, indicator_ri_clpm
from bothways.engine.patterns import PanelData, pattern_statistics

FOLDER = Path(__file__).parents[1] / "reference"
EQUAL5 = "ri-clpm five waves, holes, equal lags"

MODELS: dict[str, Callable[[], PathModel]] = {
    "clpm two waves": lambda: clpm(2, 2),
    "ri-clpm three waves, skewed, complete": lambda: ri_clpm(2, 3),
    "ri-clpm three waves, expected information": lambda: ri_clpm(2, 3),
    "clpm three waves, Satorra-Bentler": lambda: clpm(2, 3),
    "ri-clpm four waves, dropout": lambda: ri_clpm(2, 4),
    "ri-clpm four waves, dropout, equal lags": lambda: ri_clpm(2, 4, lags="equal"),
    "ri-clpm four waves, dropout, all equal": lambda: ri_clpm(2, 4, lags="equal", residuals="equal", means="equal"),
    "clpm four waves, dropout": lambda: clpm(2, 4),
    "ri-clpm four waves, ML": lambda: ri_clpm(2, 4),
    "ri-clpm five waves, holes": lambda: ri_clpm(2, 5),
    EQUAL5: lambda: ri_clpm(2, 5, lags="equal"),
    "ri-clpm five waves, clusters": lambda: ri_clpm(2, 5, lags="equal"),
    "ri-clpm five waves, weights": lambda: ri_clpm(2, 5, lags="equal"),
    "two groups, free": lambda: over_groups(ri_clpm(2, 5, lags="equal"), 2),
    "two groups, equal lags": lambda: over_groups(ri_clpm(2, 5, lags="equal"), 2, ("B",)),
    "ri-clpm eight waves, holes": lambda: ri_clpm(2, 8, lags="equal"),
    "ri-clpm three processes": lambda: ri_clpm(3, 4),
    "predictor on waves": lambda: ri_clpm(2, 4, lags="equal", predictors=1),
    "predictor on intercepts, distal outcome": lambda: ri_clpm(
        2, 4, lags="equal", predictors=1, predictor_on="intercepts", outcomes=1
    ),
    **{f"indicators, {step}": (lambda step=step: indicator_ri_clpm((3, 3), 4, invariance=step)) for step in LADDER},
    "dynamic panel": lambda: dynamic_panel(2, 5),
    "predetermined regressor": lambda: predetermined_panel(1, 5),
    "latent curve, structured residuals": lambda: lcm_sr(2, 5),
    "unequal gaps": lambda: ri_clpm(2, 5, lags="drift", gaps=(1, 1, 1, 2)),
    "stationary": lambda: ri_clpm(2, 5, lags="equal", residuals="stationary"),
    "starts": lambda: starts_model(1, 6),
}


@cache
def answers() -> dict[str, Any]:
    """What lavaan found."""
    found: dict[str, Any] = json.loads((FOLDER / "panel.json").read_text("utf-8"))
    return found


@cache
def table(name: str) -> np.ndarray:
    """One of the committed data sets; empty cells are NaN."""
    return np.genfromtxt(FOLDER / "data" / f"panel_{name}.csv", delimiter=",", skip_header=1)


def case_columns(case: str, Y: np.ndarray) -> np.ndarray:
    """The columns a case uses: one without the predictor or outcome, or without the last wave of a predetermined x."""
    if case == "predictor on waves":
        return Y[:, :9]
    return Y[:, :9] if case == "predetermined regressor" else Y


@cache
def case_data(case: str) -> PanelData:
    """The pattern statistics of a case, with its weights or groups."""
    Y = case_columns(case, table(answers()[case]["data"]))
    extra = answers()["clusters and weights"]
    weights = np.array(extra["weights"]) if "weights" in case else None
    groups = np.arange(len(Y)) % 2 if "groups" in case else None
    return pattern_statistics(Y, weights, groups)


def case_clusters(case: str) -> np.ndarray | None:
    """The clusters of a case, if it has any."""
    return np.array(answers()["clusters and weights"]["clusters"]) if "clusters" in case else None


@cache
def case_fit(case: str) -> PanelFit:
    """The engine's fit of a case."""
    return fit_model(MODELS[case](), case_data(case))


def lavaan_name(name: str) -> str:
    """'B21@2' here is 'B21.g2' there."""
    return name.replace("@", ".g")
