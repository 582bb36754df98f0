"""From what happens to what is written down: error, scales with floors, missing answers, drop-out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float

from bothways.terms.errors import WorldError


@dataclass(frozen=True, slots=True)
class Observation:
    """How a world is looked at. Every default is the clean view: nothing missing, no error, no floor.

    Times are in days. ``gap`` is the time between two waves (180), two visits (365) or, in a diary, the lag at
    which a world's effect has its size (0.25). ``jitter`` moves each visit by up to half that share of the gap.
    Scores: ``error`` is the SD of a measurement error in within-person SDs and ``shared_error`` its correlation
    between the two conditions; ``skew`` k puts exp(k·z) in place of z; ``scale`` "questionnaire" rounds to
    depression 0-27 and pain 0-10 with their floors. Missing: ``missing`` is the share of answers lost, by
    "cell" or by whole "wave"; ``missing_follows`` the log-odds of a loss per SD of the last answer (MCAR at 0, MAR
    otherwise; the first occasion is then complete). ``dropout`` is the share who leave between two occasions, and
    ``dropout_follows`` its log-odds per SD of the last answers. Diary: ``prompts`` a day between ``wake`` and
    ``sleep`` (hours). Onset: ``seen`` at "visits" or "dated"; ``sensitivity`` and ``specificity`` of each visit's
    answer; ``entry`` "free" of both, "free_of_pain", "prevalent", or "birth" (free, with no life before the study).
    """

    gap: float | None = None
    jitter: float | None = None  # None: 0 for a panel, 0.25 for visits
    error: float = 0.0
    shared_error: float = 0.0
    skew: float = 0.0
    scale: Literal["standard", "questionnaire"] = "standard"
    missing: float = 0.0
    missing_by: Literal["cell", "wave"] = "cell"
    missing_follows: float = 0.0
    dropout: float = 0.0
    dropout_follows: float = 0.0
    prompts: int = 5
    wake: float = 8.0
    sleep: float = 22.0
    seen: Literal["visits", "dated"] = "visits"
    sensitivity: float = 1.0
    specificity: float = 1.0
    entry: Literal["free", "free_of_pain", "prevalent", "birth"] = "free"

    def __post_init__(self) -> None:
        for name in ("missing", "dropout", "sensitivity", "specificity", "jitter"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= 1:
                raise WorldError(f"observation, {name}", "it must lie between 0 and 1", "Give a share.")
        if not -1 <= self.shared_error <= 1 or self.error < 0:
            raise WorldError("observation, error", "an SD or a correlation is out of range", "Mend the error.")
        if not 0 <= self.wake < self.sleep <= 24:
            raise WorldError("observation, wake and sleep", "they must be hours of one day", "Give hours 0 to 24.")


SCORES = {"depression": (5.0, 5.0, 27.0), "back_pain": (3.0, 2.5, 10.0)}  # mean, SD, ceiling; the floor is 0


def with_error(
    values: Float[np.ndarray, "people waves variables"], how: Observation, rng: np.random.Generator
) -> Float[np.ndarray, "people waves variables"]:
    """Reports with an error of each occasion; the first two variables (the pair) share some of it."""
    if not how.error:
        return values
    noise = rng.standard_normal(values.shape)
    r = how.shared_error
    noise[..., 1] = r * noise[..., 0] + np.sqrt(1 - r**2) * noise[..., 1]
    return values + how.error * noise


def on_scale(
    values: Float[np.ndarray, "people waves variables"], variables: tuple[str, ...], total_sd: float, how: Observation
) -> Float[np.ndarray, "people waves variables"]:
    """Reports on the scale asked for: skewed where asked, then rounded between floor and ceiling."""
    if not how.skew and how.scale == "standard":
        return values
    z = values / total_sd
    if how.skew:
        k = how.skew
        z = (np.exp(k * z) - np.exp(k**2 / 2)) / (np.exp(k**2 / 2) * np.sqrt(np.expm1(k**2)))
    if how.scale == "standard":
        return z * total_sd
    scored = np.empty_like(z)
    for j, key in enumerate(variables):
        mean, sd, ceiling = SCORES.get(key, (5.0, 2.0, 10.0))
        scored[..., j] = np.clip(np.round(mean + sd * z[..., j]), 0, ceiling)
    return scored


@dataclass(frozen=True, slots=True)
class Gaps:
    """Which answers are missing (people, waves, variables), and from when on a person has left (people, waves)."""

    skipped: Bool[np.ndarray, "people waves variables"]
    left: Bool[np.ndarray, "people waves"]


def gaps(values: Float[np.ndarray, "people waves variables"], how: Observation, rng: np.random.Generator) -> Gaps:
    """Lose answers one occasion after the other; what is lost may follow from answers seen before, never unseen."""
    people, waves, variables = values.shape
    skipped = np.zeros(values.shape, bool)
    left = np.zeros((people, waves), bool)
    if not how.missing and not how.dropout:
        return Gaps(skipped, left)
    spread = np.nanstd(values[..., :2], axis=(0, 1))
    centre = np.nanmean(values[..., :2], axis=(0, 1))
    known = np.zeros((people, 2))  # the last answers that were given, in SDs from the mean
    units = variables if how.missing_by == "cell" else 1
    for t in range(waves):
        if t:
            gone = rng.random(people) < _chance(how.dropout, how.dropout_follows * known.mean(axis=1), ~left[:, t - 1])
            left[:, t] = left[:, t - 1] | gone
        if how.missing and (t or not how.missing_follows):
            lean = np.broadcast_to((how.missing_follows * known.mean(axis=1))[:, None], (people, units))
            skipped[:, t] = rng.random((people, units)) < _chance(how.missing, lean, ~left[:, t])
        answer = (values[:, t, :2] - centre) / np.where(spread > 0, spread, 1)
        given = ~skipped[:, t, :2] & ~left[:, t, None] & ~np.isnan(answer)
        known = np.where(given, answer, known)
    return Gaps(skipped & ~left[..., None], left)


def _chance(share: float, lean: np.ndarray, here: Bool[np.ndarray, "people"]) -> np.ndarray:
    """Probabilities whose log-odds differ by ``lean`` and whose mean over those still ``here`` is ``share``."""
    if not share or share == 1 or not here.any():
        return np.full(lean.shape, share)
    low, high = -50.0, 50.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = float(np.mean(1 / (1 + np.exp(-middle - lean[here]))))
        low, high = (middle, high) if mean < share else (low, middle)
    return np.asarray(1 / (1 + np.exp(-low - lean)))
