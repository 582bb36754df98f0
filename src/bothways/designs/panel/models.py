"""Which models a panel can carry, and what each assumes, in one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from bothways.designs.panel.adjusted import with_covariates
from bothways.designs.panel.setup import PanelSetup
from bothways.engine.panel_models.builder import PathModel
from bothways.engine.panel_models.cross_lagged import clpm, ri_clpm, starts_model
from bothways.engine.panel_models.dynamic_panel import dynamic_panel
from bothways.engine.panel_models.dynamics import Lags, Residuals
from bothways.engine.panel_models.growth import lcm_sr

Key = Literal["ri-clpm", "clpm", "dpm", "lcm-sr", "starts"]


@dataclass(frozen=True, slots=True)
class Form:
    """One model in one form: ``lags`` and ``residuals`` as in the engine's dynamics."""

    key: Key
    lags: Lags = "equal"
    residuals: Residuals = "free"

    @property
    def name(self) -> str:
        """How answers and tables name it; one drift matrix over unequal gaps makes it a model of continuous time."""
        return f"ct-{self.key}" if self.lags == "drift" else self.key

    @property
    def slug(self) -> str:
        """The name with what sets this form apart from the usual one, for ids."""
        lags = "" if self.lags in ("equal", "drift") else f".{self.lags}"
        return self.name + lags + ("" if self.residuals == "free" or self.key == "starts" else f".{self.residuals}")

    @property
    def says(self) -> str:
        """The form in words: "lags equal over time"."""
        words = {
            "free": "lags free over time",
            "equal": "lags equal over time",
            "standardised": "standardised lags equal over time",
            "drift": "one drift matrix over all gaps",
        }[self.lags]
        return words if self.residuals == "free" else f"{words}, within-person variances {self.residuals} over time"


@dataclass(frozen=True, slots=True)
class Family:
    """What a model is called, how many waves it needs, and the assumption that sets it apart."""

    label: str
    waves: int
    assumes: str


FAMILIES: Mapping[Key, Family] = {
    "ri-clpm": Family(
        "random-intercept cross-lagged panel model",
        3,
        "people differ by constant levels around which they vary; lags connect deviations from one's own level",
    ),
    "clpm": Family(
        "cross-lagged panel model",
        2,
        "no lasting differences between people beyond what lags carry on; lags mix differences between people with "
        "change within them",
    ),
    "dpm": Family(
        "dynamic panel model",
        3,
        "lasting causes add to every wave anew and their influence accumulates; lags connect the scores themselves",
    ),
    "lcm-sr": Family(
        "latent curve model with structured residuals",
        4,
        "people follow straight lines of their own; lags connect deviations from one's own line",
    ),
    "starts": Family(
        "stable trait, autoregressive trait and state model",
        4,
        "part of each answer lasts for its occasion only (error or a momentary state); lags connect what is left",
    ),
}


def headline_forms(setup: PanelSetup) -> tuple[Form, ...]:
    """The headline model: constrained form first, then the free one that tests it. Two waves have one interval."""
    key: Key = "ri-clpm" if setup.T >= 3 else "clpm"
    if setup.T == 2:
        return (Form(key, "free"),)
    return (Form(key, "equal" if setup.waves.even else "drift"), Form(key, "free"))


def compared_forms(setup: PanelSetup, quick: bool) -> tuple[Form, ...]:
    """The models beside the headline. ``quick`` leaves out those that refine and do not rival it."""
    if setup.T < 3:
        return ()
    lags: Lags = "equal" if setup.waves.even else "drift"
    forms = [Form("clpm", lags)]
    if setup.waves.even or setup.T >= 4:
        forms.append(Form("dpm", "equal" if setup.waves.even else "free"))
    if setup.T >= 4:
        forms.append(Form("lcm-sr", lags))
    if quick:
        return tuple(forms)
    forms += [Form("ri-clpm", lags, "stationary"), Form("clpm", "free")]
    return (*forms, Form("starts", lags, "stationary")) if setup.T >= 4 else tuple(forms)


def path_model(setup: PanelSetup, form: Form) -> PathModel:
    """The engine's model of these records; time runs in median gaps, so that a drift is per median gap."""
    gaps = None
    if form.lags == "drift":
        gaps = tuple(gap / setup.waves.gap for gap in setup.waves.gaps)
    return with_covariates(_BUILD[form.key](setup, form, gaps), len(setup.fixed), setup.K)


def _times(setup: PanelSetup) -> tuple[float, ...]:
    """Times of the waves in median gaps, from 0."""
    return (0.0, *np.cumsum([gap / setup.waves.gap for gap in setup.waves.gaps]).tolist())


Gaps = tuple[float, ...] | None
_BUILD: Mapping[Key, Callable[[PanelSetup, Form, Gaps], PathModel]] = {
    "ri-clpm": lambda s, f, g: ri_clpm(s.K, s.T, lags=f.lags, residuals=f.residuals, gaps=g),
    "clpm": lambda s, f, g: clpm(s.K, s.T, lags=f.lags, residuals=f.residuals, gaps=g),
    "dpm": lambda s, f, _: dynamic_panel(s.K, s.T, lags=f.lags),
    "lcm-sr": lambda s, f, g: lcm_sr(s.K, s.T, lags=f.lags, residuals=f.residuals, times=_times(s), gaps=g),
    "starts": lambda s, _, g: starts_model(s.K, s.T, gaps=g),
}
