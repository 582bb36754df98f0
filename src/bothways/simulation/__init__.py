"""Worlds with known truth. Shares no code with the engine or the designs: witness and judge stay apart."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bothways.simulation.catalogue import OnsetRates, WorldSpec, worlds
    from bothways.simulation.many import simulate_each, simulate_many
    from bothways.simulation.observe import Observation
    from bothways.simulation.onset_twin import carroll_twin
    from bothways.simulation.sustained_world import simulate_visits
    from bothways.simulation.trial_world import TrialWorld, simulate_trial
    from bothways.simulation.truth import Truth
    from bothways.simulation.world import World, simulate

_HOMES = {
    "Observation": "observe",
    "OnsetRates": "catalogue",
    "TrialWorld": "trial_world",
    "Truth": "truth",
    "World": "world",
    "WorldSpec": "catalogue",
    "carroll_twin": "onset_twin",
    "simulate": "world",
    "simulate_each": "many",
    "simulate_many": "many",
    "simulate_trial": "trial_world",
    "simulate_visits": "sustained_world",
    "worlds": "catalogue",
}
__all__ = [
    "Observation",
    "OnsetRates",
    "TrialWorld",
    "Truth",
    "World",
    "WorldSpec",
    "carroll_twin",
    "simulate",
    "simulate_each",
    "simulate_many",
    "simulate_trial",
    "simulate_visits",
    "worlds",
]


def __getattr__(name: str) -> Any:
    """Load a public name at its first use: the mechanism brings a compiler with it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"bothways.simulation.{_HOMES[name]}"), name)
